"""Pictures of the examples beside those that the documentation shows."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

GALLERY = Path(__file__).resolve().parents[2] / "docs" / "gallery"
TILE = 12  # pixels


def assert_as_in_gallery(file: Path) -> None:
    """The picture of the documentation is what is drawn today, but for fonts and their edges."""
    drawn, kept = (plt.imread(path)[..., :3] for path in (file, GALLERY / file.name))
    assert drawn.shape == kept.shape
    height, width = (size // TILE for size in drawn.shape[:2])
    tiles = [
        image[: height * TILE, : width * TILE].reshape(height, TILE, width, TILE, 3).mean((1, 3))
        for image in (drawn, kept)
    ]
    changed = (np.abs(tiles[0] - tiles[1]).max(axis=-1) > 0.1).mean()
    assert changed < 0.02, f"{changed:.1%} of the picture changed: run docs/gallery_pictures.py"
