"""What samples inject into a layer, neuron by neuron."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynn_sparse.network import Injection

from ...parameters import Sequence
from ..simulator import state


class SampleCurrents:
    """A current source with a waveform for each neuron of a population.

    Each sample begins `skew` steps after a multiple of the period; what it injects last goes on to
    the next one. Before the first, nothing is injected.
    """

    def __init__(self, population: Any, skew: int) -> None:
        self._size = population.size
        self._values: dict[str, Any] = {"skew": float(skew)}
        self._recording: list[Any] = []  # as other sources have it; this one cannot be recorded
        self.silence()
        self._stream = state.stream_of_new_source()
        first = population._block.first
        neurons = np.arange(first, first + self._size)
        state.network.injections.append(Injection(self, neurons, each=self))

    def show(self, currents: NDArray[np.float64], period: int) -> None:
        """Samples from time 0 on, every `period` steps: [samples, steps, neurons]."""
        flat = Sequence(np.ascontiguousarray(currents, np.float64).ravel())
        steps, samples = currents.shape[1], currents.shape[0]
        shape = {"samples": float(samples), "steps": float(steps), "period": float(period)}
        self._values = {"skew": self._values["skew"], **shape, "currents": flat}

    def silence(self) -> None:
        """Inject nothing."""
        self.show(np.zeros((1, 1, self._size)), 1)

    @property
    def silent(self) -> bool:
        """Whether nothing is injected."""
        return not self._values["currents"].value.any()

    @property
    def share(self) -> float:
        """Of steps in which currents change."""
        _, steps, period, _ = self._numbers()
        return min(steps / period, 1.0)

    def changes(self, steps: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether a step of a sample begins that injects something of its own."""
        samples, shown, period, skew = self._numbers()
        clock = steps - skew
        return (clock >= 0) & (clock < samples * period) & (clock % period < shown)

    def at(self, steps: NDArray[np.int64]) -> NDArray[np.float64]:
        """Currents in some steps, [steps, neurons]."""
        samples, shown, period, skew = self._numbers()
        currents = self._values["currents"].value.reshape(samples, shown, self._size)
        clock = steps - skew
        sample, step = np.divmod(np.minimum(clock, samples * period - 1), period)
        found: NDArray[np.float64] = currents[np.maximum(sample, 0), np.minimum(step, shown - 1)]
        found[clock < 0] = 0.0
        return found

    def _numbers(self) -> tuple[int, int, int, int]:
        """Of samples, of their steps, of steps from one to the next, and the skew."""
        samples, steps, period, skew = (
            int(self._values[name]) for name in ("samples", "steps", "period", "skew")
        )
        return samples, steps, period, skew

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        """Values of a checkpoint, if they fit. Raises ValueError."""
        whole = {name: values[name] for name in ("samples", "steps", "period", "skew")}
        if any(each != int(each) or each < 0 for each in whole.values()):
            raise ValueError(f"numbers of samples and steps must be whole: {whole}")
        if len(values["currents"].value) != whole["samples"] * whole["steps"] * self._size:
            raise ValueError("currents are not those of so many samples and steps")
        return values
