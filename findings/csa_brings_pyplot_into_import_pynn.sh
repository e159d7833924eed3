#!/usr/bin/env bash
# csa 0.1.12 beside PyNN 0.13.0: `import pyNN.common` imports matplotlib.pyplot.
#
# Expected: a package for sets of connections, which PyNN imports if it is there, adds little to `import pyNN`.
# Found: csa draws pictures, and imports pyplot when it is itself imported. PyNN's connectors import csa wherever it is
# installed, so that every script which imports a backend of PyNN, and every process that such a script starts, also
# imports matplotlib with its pyplot, some 180 modules, without drawing anything: nearly half of the time of the import.
# Where csa is not installed, or is kept from being imported, PyNN does not import matplotlib.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check PyNN==0.13.0 neo==0.14.6 quantities==0.16.4 numpy==2.4.6 lazyarray==0.6.0 \
  csa==0.1.12 matplotlib==3.11.2
cd "$folder"
cat >modules.py <<'EOF'
import sys

if "without" in sys.argv:
    sys.modules["csa"] = None  # as if it were not installed
import pyNN.common

print(len(sys.modules), "matplotlib.pyplot" in sys.modules)
EOF
export MPLBACKEND=Agg
read -r many with < <("$folder/venv/bin/python" -W ignore modules.py)
read -r few without < <("$folder/venv/bin/python" -W ignore modules.py without)
echo "csa 0.1.12, PyNN 0.13.0: with csa $many modules, pyplot: $with; without csa $few modules, pyplot: $without"
[ "$with" = True ]
[ "$without" = False ]
[ $((many - few)) -gt 100 ]
