"""Many copies of a small network at once, to fill a device that one of them leaves idle."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from .door import Door

Built = TypeVar("Built")
Value = TypeVar("Value")

door = Door(ValueError)
DEFAULT_SEED = 42  # that of setup()


def run_instances(
    build: Callable[[Any, Value], Built],
    values: Iterable[Value],
    duration: float,
    *,
    seeds: Iterable[int] | None = None,
    **options: Any,
) -> list[Built]:
    """Build a network once for each value, and run all of them together.

    The networks are independent: each does, to the last bit, what it does alone after
    ``setup(rng_seed=seed)``. They share the kernels of every time step, which is what makes a GPU
    pay for networks of a few hundred neurons.

    Args:
        build: called as ``build(sim, value)`` with the module `pyNN.sparse`; makes a network,
            records from it, and returns what is wanted of it, such as its populations.
        values: inputs, parameters, or whatever else distinguishes the instances.
        duration: biological time, ms.
        seeds: `rng_seed` of each instance; without them, 42, 43, ...
        options: of `pyNN.sparse.setup`, but for `rng_seed`.

    Returns what `build` returned, for each value; recorded data can be had from it.

    Raises ValueError where there are not as many seeds as values, or one is not an integer of 0
    or greater; nothing is built then. Where `build` raises an error, no network remains.

        from pynn_sparse import run_instances

        def network(sim, rate):
            source = sim.Population(10, sim.SpikeSourcePoisson(rate=rate))
            source.record("spikes")
            return source

        sources = run_instances(network, [10.0, 20.0, 40.0], 1000.0, timestep=0.1)
        counts = [source.mean_spike_count() for source in sources]
    """
    import pyNN.sparse as sim

    door.function("build", build, "a function build(sim, value) that makes a network")
    items = door.several("values", values)
    chosen = seeds_of(seeds, len(items))
    door.number("duration", duration, "a number of ms, 0 or greater", lambda ms: ms >= 0)
    if "rng_seed" in options:
        raise TypeError("rng_seed: every instance has its own, see `seeds`")
    sim.setup(**options)
    built = []
    try:
        for item, seed in zip(items, chosen, strict=True):
            sim.simulator.state.begin_instance(seed)
            built.append(build(sim, item))
    except BaseException:
        sim.setup(**options)  # without the networks, and the half of one, that were made
        raise
    sim.run(duration)
    return built


def seeds_of(seeds: Iterable[int] | None, n: int) -> list[int]:
    """The `rng_seed` of each of n networks, by default 42, 43, ...

    Raises ValueError where there are not as many, or one is not an integer of 0 or greater.
    """
    if seeds is None:
        return list(range(DEFAULT_SEED, DEFAULT_SEED + n))
    chosen = door.several("seeds", seeds)
    if len(chosen) != n:
        raise ValueError(f"{len(chosen)} seeds for {n} values: must be one for each")
    return [door.integer("seed", seed, 0) for seed in chosen]
