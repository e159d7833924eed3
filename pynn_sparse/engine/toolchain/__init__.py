"""Libraries for the CPU: the compiler that makes them, and where they are kept."""
