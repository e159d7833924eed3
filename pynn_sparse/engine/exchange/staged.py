"""How processes tell each other of spikes where each has a GPU: through the memory of the host.

The spikes of a batch of steps are fetched from the lists of the GPU, sent to all processes in the
same messages as on the CPU (`cuda/step/exchange.h`), and those of the others are put into the same
lists. So the kernels that deliver do not know of other processes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import ProcessesError
from ...network import Block
from ..neurons.spikes import Emitted, SpikeLists
from .processes import Processes

HEAD = 2  # words of a message before those of its steps
GROWTH = 1.5  # of messages that are too short


class StagedExchange:
    """The exchange of one plan.

    Args:
        processes: that share the network.
        lists: of the spikes of each step, one for all.
        blocks: that are advanced, in this order.
        all_blocks: the network's.
    """

    def __init__(
        self, processes: Processes, lists: SpikeLists, blocks: list[Block], all_blocks: list[Block]
    ) -> None:
        record = processes.exchange()
        assert record is not None
        self._processes, self._lists, self._record = processes, lists, record
        self._first = np.array([block.first for block in all_blocks], np.int64)
        self._place = np.full(len(all_blocks), -1)
        self._place[[block.index for block in blocks]] = np.arange(len(blocks))

    def pass_on(self, first: int, n_step: int) -> None:
        """Exchange the spikes of `n_step` steps, which are done; all processes have to do this.

        Raises `ProcessesError` where that fails.
        """
        mine = self._packed(self._lists.read(range(first, first + n_step)), first, n_step)
        every = self._gathered(mine)
        self._record["n_exchange"] += 1
        self._record["n_sent"] += len(mine)
        rank = self._processes.rank
        others = [self._unpacked(each, first, n_step) for k, each in enumerate(every) if k != rank]
        self._lists.append(Emitted(*(np.concatenate(each) for each in zip(*others, strict=True))))

    def _packed(self, spikes: Emitted, first: int, n_step: int) -> NDArray[np.uint32]:
        place = self._place[spikes.block]
        order = np.lexsort((spikes.neuron, place, spikes.step))
        step = spikes.step[order]
        neuron = (self._first[spikes.block] + spikes.neuron)[order].astype(np.uint32)
        counts = spikes.multiplicity[order].astype(np.int32).view(np.uint32)
        parts = [np.zeros(HEAD, np.uint32)]
        for begin, end in zip(
            *(np.searchsorted(step, np.arange(first, first + n_step) + k) for k in (0, 1)),
            strict=True,
        ):
            of_step = counts[begin:end]
            several = bool((of_step != 1).any())
            parts.append(np.array([2 * (end - begin) + several], np.uint32))
            parts += [neuron[begin:end], *([of_step] if several else [])]
        message = np.concatenate(parts)
        message[0] = len(message)
        return message

    def _gathered(self, mine: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """The messages of all processes, made longer until those of all have room."""
        while True:
            words = int(self._record["words"][0])
            sent = np.zeros(words, np.uint32)
            sent[: len(mine)] = mine[:words]
            every = np.zeros((self._processes.size, words), np.uint32)
            try:
                self._processes.exchange_words(sent, every)
            except Exception as error:
                said = "spikes could not be exchanged with other processes"
                raise ProcessesError(said) from error
            most = int(every[:, 0].max())
            if most <= words:
                return every
            self._record["words"] = int(GROWTH * most)

    def _unpacked(self, message: NDArray[np.uint32], first: int, n_step: int) -> Emitted:
        steps, neurons, counts, at = [], [], [], HEAD
        for step in range(first, first + n_step):
            n, several = divmod(int(message[at]), 2)
            at += 1
            steps.append(np.full(n, step))
            neurons.append(message[at : at + n].astype(np.int64))
            at += n
            values = message[at : at + n].view(np.int32) if several else np.ones(n, np.int32)
            counts.append(values)
            at += n * several
        neuron = np.concatenate(neurons)
        block = np.searchsorted(self._first, neuron, side="right") - 1
        local = (neuron - self._first[block]).astype(np.int32)
        return Emitted(np.concatenate(steps), block, local, np.concatenate(counts))
