"""Gap junctions of any conductance: what flows through them in a step, on average."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

# The current of a step comes from the potentials at its beginning. No mode of a network of
# membranes overshoots as long as timestep times the sum of a neuron's conductances is at most this,
# times cm (Gershgorin's theorem).
WEAK = 0.5
MOST_COUPLED = 300  # neurons of a group, solved together; then, each is coupled to every other


def groups(one: NDArray[np.int64], other: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """For each of n neurons, the first of those that it is coupled to, directly or by others.

    `one` and `other` are the ends of each junction, which is there from both sides.
    """
    label = np.arange(n)
    while True:
        least = label.copy()
        np.minimum.at(least, one, label[other])
        least = least[least]
        if np.array_equal(least, label):
            return label
        label = least


def mean_conductances(conductance: Matrix, cm: NDArray[np.float64], dt: float) -> Matrix:
    """Conductances [n, n] (uS) that bring in one step what `conductance` brings in the time dt.

    `conductance` [n, n] is symmetric, `cm` [n] in nF, `dt` in ms. In the course of a step, what
    flows between two membranes depends on all that they are coupled to. The result is the mean of
    it, exact for membranes on which nothing else acts: it draws potentials together, never past
    each other, and keeps the sum of charges.

    With A = (diag(sum of conductances) - conductances) / cm it is cm exp(-dt A) / dt, without the
    diagonal. Taylor's series gives exp of a small part of dt, which is squared again and again.
    """
    each = conductance.copy()
    np.fill_diagonal(each, 0.0)
    most = float((dt * each.sum(axis=1) / cm).max())
    halvings = int(np.ceil(np.log2(max(most / WEAK, 1.0))))
    term = np.eye(len(cm))
    small = (each - np.diag(each.sum(axis=1))) * (dt / 2.0**halvings / cm)[:, np.newaxis]
    found = term
    for k in range(1, 20):
        term = _product(term, small) / k
        found = found + term
    for _ in range(halvings):
        found = _conserved(_product(found, found), cm)
    charge = _conserved(found, cm) * cm[:, np.newaxis] / dt
    np.fill_diagonal(charge, 0.0)
    mean: Matrix = (charge + charge.T) / 2
    return mean


def _conserved(relaxed: Matrix, cm: NDArray[np.float64]) -> Matrix:
    """Without rounding errors: entries of 0 or more, cm x `relaxed` symmetric, rows of sum 1."""
    charge = np.maximum(relaxed, 0.0) * cm[:, np.newaxis]
    found: Matrix = (charge + charge.T) / 2 / cm[:, np.newaxis]
    np.fill_diagonal(found, 0.0)
    np.fill_diagonal(found, 1.0 - found.sum(axis=1))
    return found


def _product(a: Matrix, b: Matrix) -> Matrix:
    """In operations that every machine rounds alike, which a library for matrices has not."""
    total = np.zeros_like(a)
    for k in range(len(b)):
        total += a[:, k : k + 1] * b[k]
    return total
