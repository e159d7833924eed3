"""The targets that ship with the package, each in a folder of its own."""
