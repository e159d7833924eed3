"""The stages of an export, each a function from one value to the next."""
