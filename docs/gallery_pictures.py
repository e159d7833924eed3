"""Makes the pictures of gallery.md anew, by the commands that stand above them.

    python docs/gallery_pictures.py [NAME ...]

The tests of the examples compare what they draw with these pictures. Colours are reduced to a
palette, so that they stay small.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

PAGE = Path(__file__).with_name("gallery.md")
ENTRY = re.compile(r"```sh\npython (examples/\S+)(.*)\n```\n\n!\[[^\]]+\]\(gallery/(\w+)\.png\)")
COLOURS = 64


def entries() -> dict[str, list[str]]:
    """Name of a picture -> the command that draws it."""
    found = ENTRY.findall(PAGE.read_text())
    return {name: [script, *shlex.split(options)] for script, options, name in found}


def reduced(picture: Path) -> Image.Image:
    """The picture with few colours."""
    with Image.open(picture) as image:
        return image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)


def make(name: str) -> None:
    """Run the example, and keep its picture."""
    script, *options = entries()[name]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, str(PAGE.parents[1] / script), *options],
            cwd=folder,
            env=os.environ | {"MPLBACKEND": "Agg", "CI": "true"},
            check=True,
        )
        picture = reduced(Path(folder) / "results" / f"{name}.png")
    picture.save(PAGE.with_name("gallery") / f"{name}.png", optimize=True)


if __name__ == "__main__":
    for name in sys.argv[1:] or entries():
        make(name)
