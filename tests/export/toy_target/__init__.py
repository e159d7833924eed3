"""The target that CONTRIBUTING.md shows, as a package of somebody else would bring it."""
