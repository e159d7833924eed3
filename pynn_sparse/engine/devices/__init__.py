"""What is different between devices, and how one is chosen."""
