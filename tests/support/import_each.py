"""Imports modules, each in a process where nothing else has been imported.

    python import_each.py TREE

TREE is JSON: module -> one that it imports before all else it needs, or "". A process that has
imported the latter is copied for the former, so that no module is executed more often than needed.
A process fails if its module cannot be imported, or that of a copy.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback


def import_those_after(before: str, tree: dict[str, str]) -> bool:
    """Whether all could be imported."""
    good = True
    for module in (name for name, first in tree.items() if first == before):
        copy = os.fork()
        if not copy:
            try:
                importlib.import_module(module)
                imported = import_those_after(module, tree)
            except BaseException:
                print(f"{module} cannot be imported alone:", file=sys.stderr)
                traceback.print_exc()
                imported = False
            sys.stderr.flush()
            os._exit(not imported)
        good = not os.waitpid(copy, 0)[1] and good
    return good


if __name__ == "__main__":
    sys.exit(not import_those_after("", json.loads(sys.argv[1])))
