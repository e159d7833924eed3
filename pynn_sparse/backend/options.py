"""Options of `setup` that PyNN's other backends have: what becomes of each of them here.

None that would change results is passed over: those that say what this backend does anyway are
silent, seeds are honoured, and of what is done in another way a warning says how.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from pynn_sparse.door import is_integer
from pynn_sparse.notices import warn

from .doors.parameters import shown
from .doors.plain import has_items

Options = Mapping[str, Any]

# Names of the seed on other backends, in the order in which several are combined.
SEEDS = ("grng_seed", "rng_seeds_seed", "rng_seeds", "native_rng_baseseed")

# Options that change how fast a backend runs, what it says, or how its devices are used.
HARMLESS = {
    "NEST": "verbosity recording_precision rng_type t_flush",
    "NEURON": "rtol atol default_maxstep quit_on_end",
    "NeuroML": "file filename label loglevel",
    "GeNN": "backend model_name reuse_genn_model use_cpu debug optimize",
    "SpiNNaker": (
        "n_boards_required n_chips_required time_scale_factor database_socket_addresses "
        "graph_label machine hostname db_name"
    ),
    "BrainScaleS": "useSystemSim maxNeuronLoss maxSynapseLoss hardwareNeuronSize",
}
# Options whose values say how cells are integrated: the value that is right here, the others, and
# what they would have to be told.
WAYS = {
    "spike_precision": (
        "on_grid",
        ("off_grid",),
        "spikes are on the grid of time steps here, as with 'on_grid'",
    ),
    "use_cvode": (
        False,
        (True,),
        "time steps are of one length here, and spikes are on their grid",
    ),
}
OTHER_BACKENDS = (*SEEDS, *WAYS, *(name for names in HARMLESS.values() for name in names.split()))

# What scripts call an option that has another name here.
SYNONYMS = {
    "local_num_threads": "threads",
    "total_num_virtual_procs": "threads",
    "num_threads": "threads",
    "n_threads": "threads",
    "dt": "timestep",
    "time_step": "timestep",
    "resolution": "timestep",
    "mindelay": "min_delay",
    "maxdelay": "max_delay",
    "seed": "rng_seed",
    "use_gpu": "device",
}


def check_option_names(options: Options, own: Collection[str]) -> None:
    """Raise TypeError for the first option that is neither one's own nor another backend's."""
    for option in options:
        if option in own or option in OTHER_BACKENDS:
            continue
        close = [SYNONYMS[option]] if option in SYNONYMS else []
        close = close or difflib.get_close_matches(option, own, 1)
        hint = f"Did you mean {close[0]!r}?" if close else f"Options are: {', '.join(own)}."
        raise TypeError(f"setup() has no option {option!r}. {hint}")


def seed_of(options: Options, default: int) -> int:
    """The seed that `rng_seed`, or the options of other backends' seeds, ask for.

    One number is the seed itself, as `rng_seed` would be; several, as old scripts for NEST have
    them, determine one together. Raises ValueError for what is not a seed, and for `rng_seed`
    beside another's option.
    """
    given = [name for name in ("rng_seed", *SEEDS) if name in options]
    if "rng_seed" in given and len(given) > 1:
        raise ValueError(f"{' and '.join(given)}: give one of them, rng_seed")
    every = [number for name in given for number in _numbers(name, options[name])]
    if len(every) > 1:
        return int(np.random.SeedSequence(every).generate_state(1, np.uint64)[0])
    return every[0] if every else default


def _numbers(name: str, value: Any) -> list[int]:
    if name == "rng_seeds" and has_items(value) and len(value):
        return [seed_number(name, each) for each in value]
    return [seed_number(name, value)]


def seed_number(name: str, value: Any) -> int:
    """The value as an integer; raises ValueError for what is not an integer of 0 or greater."""
    if not is_integer(value) or int(value) < 0:
        raise ValueError(f"{name} = {shown(value)}: must be an integer, 0 or greater")
    return int(value)


def check_ways(options: Options) -> None:
    """Raise ValueError for a value that an option of another backend cannot have there."""
    for name, (right, others, _) in WAYS.items():
        if name in options and not any(_is(options[name], each) for each in (right, *others)):
            valid = ", ".join(map(repr, (right, *others)))
            raise ValueError(f"{name} = {shown(options[name])}: must be one of {valid}")


def warn_of_others(options: Options) -> None:
    """One warning of all that is done in another way here, or does nothing."""
    parts = [
        f"{name} = {options[name]!r}: {text}"
        for name, (right, _, text) in WAYS.items()
        if name in options and not _is(options[name], right)
    ]
    idle = [
        f"{', '.join(mine)} ({backend}'s)"
        for backend, names in HARMLESS.items()
        if (mine := [name for name in names.split() if name in options])
    ]
    if idle:
        parts.append(f"options of other backends that have no effect here: {'; '.join(idle)}")
    if parts:
        warn(f"setup(): {'. '.join(parts)}")


def _is(value: Any, other: Any) -> bool:
    if isinstance(other, bool):  # NEURON takes 0 and 1 as well
        return isinstance(value, (bool, int, np.bool_)) and bool(value == other)
    return isinstance(value, str) and value == other
