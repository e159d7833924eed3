"""What users give is checked here, once, before anything is changed."""
