"""What processes that simulate one network together tell each other."""
