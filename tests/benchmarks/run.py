"""The benchmarks, `pynn-sparse bench`, from a checkout: python tests/benchmarks/run.py --help"""

import sys

from pynn_sparse.cli import main

if __name__ == "__main__":
    sys.exit(main(["bench", *sys.argv[1:]]))
