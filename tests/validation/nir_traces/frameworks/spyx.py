"""Traces of Spyx."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .networks import (
    N_HIDDEN,
    N_IN,
    N_OUT,
    Case,
    both,
    spikes,
    weights,
)

REQUIRES = "jax==0.10.2 flax==0.12.8 spyx==1.0.0 nir==1.0.8"


def cases() -> Iterator[Case]:
    """IF, LIF, CuBaLIF, and their recurrent forms, as its own exporter writes them."""
    import jax.numpy as jnp
    from flax import nnx
    from spyx import nn
    from spyx.nir import to_nir

    for kind in ("IF", "LIF", "CuBaLIF", "RIF", "RLIF", "RCuBaLIF"):
        for word, grid, rng in both():

            def decays(layer: Any, grid: bool = grid, rng: Any = rng) -> Any:
                for name in ("alpha", "beta"):
                    if hasattr(layer, name):
                        n = layer.hidden_shape
                        values = np.full(n, 0.5) if grid else rng.uniform(0.5, 0.95, n)
                        getattr(layer, name)[...] = jnp.asarray(values, jnp.float32)
                return layer

            rngs = nnx.Rngs(0)
            linears = []
            for shape in ((N_IN, N_HIDDEN), (N_HIDDEN, N_OUT)):
                linear = nnx.Linear(*shape, use_bias=False, rngs=rngs)
                linear.kernel[...] = jnp.asarray(weights(rng, *shape[::-1], grid).T)
                linears.append(linear)
            first = decays(getattr(nn, kind)((N_HIDDEN,), rngs=rngs))
            if kind.startswith("R"):
                matrix = weights(rng, N_HIDDEN, N_HIDDEN, grid, 0.5).T / 4
                first.recurrent_w[...] = jnp.asarray(matrix, jnp.float32)
            second = decays(getattr(nn, kind.removeprefix("R"))((N_OUT,), rngs=rngs))
            net = nn.Sequential(linears[0], first, linears[1], second)
            x, state, out = spikes(rng), net.initial_state(1), []
            for u in x:
                z, state = net(jnp.asarray(u)[None], state)
                out.append(np.asarray(z)[0])
            tree = to_nir(net, {"input": np.array([N_IN])}, {"output": np.array([N_OUT])}).to_dict()
            yield f"{kind}_{word}", tree, {}, x, np.array(out)
