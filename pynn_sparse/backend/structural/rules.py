"""Rules by which connections come and go, with sPyNNaker's names, arguments and defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..doors.checks import as_integer, as_number
from ..doors.parameters import shown
from ..doors.plain import NotNumbersError, number_of


def probability(name: str, value: Any) -> float:
    """A number from 0 to 1. Raises TypeError or InvalidParameterValueError."""
    return as_number(name, value, "a number from 0 to 1", lambda p: 0 <= p <= 1)


class RandomSelection:
    """Partner selection: any cell of the presynaptic populations, each population alike."""

    of_last_step = False


class LastNeuronSelection:
    """Partner selection: a cell that spiked in the last time step, each spike alike.

    Without a spike in that step no connection is formed. `spike_buffer_size` is accepted for
    scripts of sPyNNaker; all spikes count here.
    """

    of_last_step = True

    def __init__(self, spike_buffer_size: int = 64) -> None:
        as_integer("LastNeuronSelection: spike_buffer_size", spike_buffer_size, 1)


class DistanceDependentFormation:
    """Formation with the probability p exp(-d^2 / (2 sigma^2)) at the distance d between two cells.

    Cells stand on a grid with periodic boundaries, cell i at (i // ny, i % ny).

    Args:
        grid: number of places along both axes, (nx, ny); a float is rounded down.
        p_form_forward, sigma_form_forward: p and sigma (in places) between two populations.
        p_form_lateral, sigma_form_lateral: the same within a population.

    Raises TypeError or ValueError for what is no grid, probability or positive number.
    """

    def __init__(
        self,
        grid: Any = (16, 16),
        p_form_forward: float = 0.16,
        sigma_form_forward: float = 2.5,
        p_form_lateral: float = 1.0,
        sigma_form_lateral: float = 1.0,
    ) -> None:
        owner = type(self).__name__
        self.grid = _grid(f"{owner}: grid", grid)
        self.p_form_forward = probability(f"{owner}: p_form_forward", p_form_forward)
        self.p_form_lateral = probability(f"{owner}: p_form_lateral", p_form_lateral)
        self.sigma_form_forward = _positive(f"{owner}: sigma_form_forward", sigma_form_forward)
        self.sigma_form_lateral = _positive(f"{owner}: sigma_form_lateral", sigma_form_lateral)

    def probability(self, source: int, target: int, lateral: bool) -> float:
        """That of a connection of two cells, by their indices."""
        shape = self.grid
        square = 0.0
        for place, other, length in zip(
            self._place(source), self._place(target), shape, strict=True
        ):
            along = abs(place - other)
            square += min(along, length - along) ** 2
        peak, sigma = (
            (self.p_form_lateral, self.sigma_form_lateral)
            if lateral
            else (self.p_form_forward, self.sigma_form_forward)
        )
        return float(peak * np.exp(-square / (2 * sigma**2)))

    def greatest(self, lateral: bool) -> float:
        """The probability at distance 0."""
        return self.p_form_lateral if lateral else self.p_form_forward

    def _place(self, cell: int) -> tuple[int, int]:
        nx, ny = self.grid
        return cell // ny % nx, cell % ny


class RandomByWeightElimination:
    """Elimination with a probability that depends on whether the weight is below a threshold.

    Args:
        threshold: weight, without sign, in the unit of weights.
        prob_elim_depressed: probability below it, at each attempt.
        prob_elim_potentiated: probability at it or above.

    Raises TypeError or ValueError for what is no such number.
    """

    def __init__(
        self,
        threshold: float,
        prob_elim_depressed: float = 0.0245,
        prob_elim_potentiated: float = 1.36e-4,
    ) -> None:
        owner = type(self).__name__
        self.threshold = as_number(f"{owner}: threshold", threshold, "a finite number")
        self.prob_elim_depressed = probability(f"{owner}: prob_elim_depressed", prob_elim_depressed)
        self.prob_elim_potentiated = probability(
            f"{owner}: prob_elim_potentiated", prob_elim_potentiated
        )

    def probability(self, weight: float) -> float:
        """That of a connection to go, by its weight."""
        below = abs(weight) < self.threshold
        return self.prob_elim_depressed if below else self.prob_elim_potentiated

    def greatest(self) -> float:
        """The greater probability."""
        return max(self.prob_elim_depressed, self.prob_elim_potentiated)


@dataclass(frozen=True)
class Mechanism:
    """How the connections of a projection come and go; the arguments of synapse types.

    `initial_delay` has the least and the greatest delay of new connections, in ms.
    """

    owner: str
    partner_selection: Any
    formation: Any
    elimination: Any
    f_rew: float
    initial_weight: float
    initial_delay: tuple[float, float]
    s_max: int
    with_replacement: bool
    seed: int | None


def _positive(name: str, value: Any) -> float:
    return as_number(name, value, "a number greater than 0", lambda x: 0 < x < np.inf)


def _grid(name: str, given: Any) -> tuple[int, int]:
    try:
        each = [int(number_of(one)) for one in given]
    except (TypeError, ValueError, OverflowError, NotNumbersError):
        each = []
    if len(each) != 2 or min(each) < 1:
        raise ValueError(f"{name} = {shown(given)}: must be two numbers, each 1 or greater")
    return each[0], each[1]
