"""Runs PyNN's own tests and examples, as its source distribution has them, on this backend.

The source distribution is fetched when the tests run and is never part of this repository.

- `sdist`: fetches it, in the version of PyNN that is installed.
- `suite`: runs a part of PyNN's tests in a process of its own, and compares what became of each
  with the list of those known to fail, `tests/system/upstream_known_failures.toml`.
- `examples`: runs PyNN's example scripts, and reads what they leave.
- `plugin`: what the pytest of that process is given besides PyNN's files.
"""

SIMULATOR = "sparse"
"""The simulator's name, as a script of PyNN's takes it."""
