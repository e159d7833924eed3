"""Runs PyNN's own tests and examples, as its source distribution has them, on this backend.

The source distribution is fetched when the tests run and is never part of this repository.

- `sdist`: fetches it, in the version of PyNN that is installed.
- `suite`: runs a part of PyNN's test suite in a process of its own and returns what became of each
  test; compares that with the list of tests known to fail, `tests/system/upstream_known_failures.toml`.
- `plugin`: what the pytest of that process is given besides PyNN's files.
"""

SIMULATOR = "sparse"
"""The simulator's name, as a script of PyNN's takes it."""
