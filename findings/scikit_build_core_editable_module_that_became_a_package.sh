#!/bin/sh
# scikit-build-core 1.1.2, editable install in its usual mode ("redirect"): the install keeps a list
# of the modules that there were. A new module beside them is found all the same, so that one soon
# forgets the list. But where a module `part.py` becomes a package `part/__init__.py`, as when a
# file that has grown is divided, `import pkg.part` raises FileNotFoundError with the path of the
# file that is gone, until the project is installed anew; so does every checkout of a colleague
# that pulls the change. Python without that install finds it.
# Exit 0 while that is so, 1 if it changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q scikit-build-core==1.1.2
mkdir -p "$folder/project/pkg"
cd "$folder/project"
cat > pyproject.toml <<'TOML'
[build-system]
requires = ["scikit-build-core==1.1.2"]
build-backend = "scikit_build_core.build"

[project]
name = "pkg"
version = "1.0"

[tool.scikit-build]
wheel.cmake = false
wheel.packages = ["pkg"]
TOML
touch pkg/__init__.py
echo 'answer = 42' > pkg/part.py
"$folder/venv/bin/pip" install -q --no-build-isolation -e .

mkdir pkg/part.new
mv pkg/part.py pkg/part.new/__init__.py
mv pkg/part.new pkg/part
echo 'answer = 42' > pkg/beside.py
echo "without the install: $(python3 -c 'import pkg.part; print(pkg.part.answer)')"
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys
from importlib import import_module
from importlib.metadata import version

print("scikit-build-core", version("scikit-build-core"))
print("a new module beside:", import_module("pkg.beside").answer)
try:
    found = import_module("pkg.part").answer
except FileNotFoundError as error:
    print(f"a module that became a package: FileNotFoundError, {error.filename!r}")
    sys.exit(0)
print(f"a module that became a package is found: {found}")
sys.exit(1)
PYTHON
