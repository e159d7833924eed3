"""Writes docs/traces.md and its pictures: every model beside NEST, with measured deviations.

PYTHONPATH=tests python tests/validation/traces.py [name ...]    of all, or only pictures of some
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pyNN.sparse
import test_neurons
import test_nonlinear_neurons
import test_short_term
from matplotlib import pyplot as plt
from numpy.typing import NDArray
from support.comparison import Network, on_nest, on_sparse, pynn_nest
from support.strong import BOUND, CELL, CM, E_EXC, E_INH, NEVER, V_REST, exact, simulate

DOCS = Path(__file__).resolve().parents[2] / "docs"
FOLDER = DOCS / "traces"
SHOWN = slice(0, 1500)  # samples of the picture
STRONG = "strong_conductances"  # picture
STEPS = (0.2, 0.1, 0.05, 0.025)  # ms, whose errors are compared with that of
FINE = 0.0025

EXACT = "exact"
RK4 = (
    "conductances exact, `v` by Runge-Kutta steps of order 4, or as [](models.md) says where stiff"
)
RKF = "Fehlberg's adaptive Runge-Kutta steps of orders 4 and 5"
INTEGRATION = {
    "IF_curr_exp": EXACT,
    "IF_curr_alpha": EXACT,
    "IF_curr_delta": EXACT,
    "IF_cond_exp": RK4,
    "IF_cond_alpha": RK4,
    "IF_cond_exp_gsfa_grr": RK4,
    "IF_facets_hardware1": RK4,
    "GIF_cond_exp": RK4,
    "HH_cond_exp": RKF,
    "EIF_cond_exp_isfa_ista": RKF,
    "EIF_cond_alpha_isfa_ista": RKF,
    "Izhikevich": "forward Euler, as in NEST",
}
HEAD = """# Traces and deviations

Made by `tests/validation/traces.py`, which runs the networks of the validation tests on this
backend and on NEST {nest}, with a time step of 0.1 ms. Above: `v` on both, which cover each other.
Below: the absolute difference of each sample. "Error of a time step" is the largest difference of
`v`, below threshold, from that with steps of {fine} ms, after excitatory and inhibitory spikes on
the coarsest grid.
"""


def neuron_networks() -> dict[str, Network]:
    """What each cell type is shown with."""
    networks = {name: test_neurons.driven(name) for name in test_neurons.MODELS}
    for name, (parameters, weights, variables, _) in test_nonlinear_neurons.MODELS.items():
        inputs = dict(zip(("excitatory", "inhibitory"), weights, strict=True))
        make = _maker(name, parameters)
        networks[name] = test_nonlinear_neurons.driven(make, inputs, variables)
    return networks


def _maker(name: str, parameters: dict[str, Any]) -> Callable[[Any], Any]:
    return lambda sim: getattr(sim, name)(**parameters)


def beside_nest(name: str, network: Network) -> float:
    """Draw v on both simulators; returns the largest difference."""
    nest, sparse = (run(network).traces["v of neurons"][:, 0] for run in (on_nest, on_sparse))
    t = np.arange(len(nest)) * 0.1
    difference = np.abs(nest - sparse)
    difference[0] = 0.0  # PyNN makes up NEST's first sample
    fig, (upper, lower) = plt.subplots(
        2, 1, figsize=(8, 3.6), sharex=True, height_ratios=(3, 1), layout="constrained"
    )
    upper.plot(t[SHOWN], nest[SHOWN], lw=3, color="#9db8d9", label="NEST")
    upper.plot(t[SHOWN], sparse[SHOWN], lw=1, color="#b03a2e", label="sparse")
    upper.set_ylabel("v (mV)")
    upper.legend(loc="upper right", frameon=False, ncols=2)
    lower.semilogy(t[SHOWN], np.maximum(difference[SHOWN], 1e-16), lw=0.8, color="#444444")
    lower.set_ylabel("difference")
    lower.set_xlabel("t (ms)")
    save(fig, name)
    return float(difference.max())


def save(fig: Any, name: str) -> None:
    """As a PNG without a date, so that the same picture is the same file."""
    for axes in fig.axes:
        axes.spines[["top", "right"]].set_visible(False)
    fig.savefig(FOLDER / f"{name}.png", dpi=100, metadata={"Software": None})
    plt.close(fig)


def subthreshold(model: str, dt: float) -> NDArray[np.float64]:
    """v of one neuron after two spikes, every ms."""
    sim = pyNN.sparse
    sim.setup(timestep=dt)
    never = {"v_thresh": 1e3} if model.startswith("IF") else {}
    neuron = sim.Population(1, getattr(sim, model)(**never))
    curr = "curr" in model or model == "Izhikevich"
    for receptor, weight, time in (("excitatory", 1.0, 2.0), ("inhibitory", -0.5, 10.0)):
        source = sim.Population(1, sim.SpikeSourceArray(spike_times=[time]))
        strength = weight * (0.2 if curr else 0.05 if never else 0.002)
        synapse = sim.StaticSynapse(weight=strength if curr else abs(strength), delay=1.0)
        connector = sim.AllToAllConnector()
        sim.Projection(source, neuron, connector, synapse, receptor_type=receptor)
    neuron.record("v", sampling_interval=1.0)
    sim.run(30.0)
    return np.asarray(neuron.get_data().segments[0].analogsignals[0].magnitude[:, 0])


def convergence(model: str) -> list[float]:
    """Error of each of STEPS."""
    exact = subthreshold(model, FINE)
    return [float(np.abs(subthreshold(model, dt) - exact).max()) for dt in STEPS]


def windows() -> None:
    """Change of a weight by one pair of spikes, for each weight rule, and the closed form."""
    sim = pyNN.sparse
    lags = np.arange(-40.0, 40.1, 2.0) + 0.5
    start, least, greatest, a_plus, a_minus, tau = 0.4, 0.0, 1.0, 0.01, 0.012, 15.0
    rules = {
        "Additive": (sim.AdditiveWeightDependence, {}, (0.0, 0.0)),
        "Multiplicative": (sim.MultiplicativeWeightDependence, {}, (1.0, 1.0)),
        "AdditivePotentiation...": (
            *(sim.AdditivePotentiationMultiplicativeDepression, {}, (0.0, 1.0)),
        ),
        "Gutig, mu = 0.3": (
            *(sim.GutigWeightDependence, {"mu_plus": 0.3, "mu_minus": 0.3}, (0.3, 0.3)),
        ),
    }
    fig, axes = plt.subplots(figsize=(8, 3.2), layout="constrained")
    for color, (label, (rule, exponents, mu)) in zip(
        ("#1f4e79", "#b03a2e", "#4f7942", "#8e6c8a"), rules.items(), strict=True
    ):
        dependence = rule(w_min=least, w_max=greatest, **exponents)
        weights = [_pair(dependence, lag, start, a_plus, a_minus, tau) for lag in lags]
        change = np.array(weights) - start
        up = a_plus * (1 - start) ** mu[0] * np.exp(-lags / tau)
        down = -a_minus * start ** mu[1] * np.exp(lags / tau)
        expected = np.where(lags > 0, up, down)
        axes.plot(lags, expected, lw=3, alpha=0.35, color=color)
        axes.plot(lags, change, ".", color=color, label=label)
        assert np.abs(change - expected).max() < 1e-12, label
    axes.axhline(0, lw=0.5, color="black")
    axes.set(xlabel="t of the target's spike - t of the source's, at the synapse (ms)")
    axes.set_ylabel("change of the weight")
    axes.legend(frameon=False)
    save(fig, "STDPMechanism")


def _pair(rule: Any, lag: float, weight: float, a_plus: float, a_minus: float, tau: float) -> float:
    sim = pyNN.sparse
    sim.setup(timestep=0.1)
    first, last = 60.0, 60.0 + lag
    source = sim.Population(1, sim.SpikeSourceArray(spike_times=[first]))
    driver = sim.Population(1, sim.SpikeSourceArray(spike_times=[last - 1.2]))
    target = sim.Population(1, sim.IF_curr_delta(tau_refrac=0.1))
    plastic = sim.STDPMechanism(
        timing_dependence=sim.SpikePairRule(
            tau_plus=tau, tau_minus=tau, A_plus=a_plus, A_minus=a_minus
        ),
        weight_dependence=rule,
        weight=weight,
        delay=1.0,  # all of it dendritic
    )
    synapse = sim.Projection(source, target, sim.AllToAllConnector(), plastic)
    strong = sim.StaticSynapse(weight=50.0, delay=0.2)
    sim.Projection(driver, target, sim.AllToAllConnector(), strong)
    sim.run(150.0)
    return float(synapse.get("weight", format="list", with_address=False)[0])


def strong() -> list[str]:
    """Error of v after an excitatory and an inhibitory spike of any strength, here and on NEST."""
    fig, axes = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True, layout="constrained")
    strengths, lines = np.geomspace(1e-3, 1e4, 29), []
    on_nest = pynn_nest()
    for (model, shape), at in zip(
        (("IF_cond_exp", "exp"), ("IF_cond_alpha", "alpha")), axes, strict=True
    ):
        own = {"tau_syn_E": 2.0, "tau_syn_I": 5.0, "v_thresh": NEVER}
        for dt, color in ((0.01, "#4f7942"), (0.1, "#1f4e79"), (1.0, "#b03a2e")):
            weights, t = strengths * CM / dt, np.arange(13) * dt
            spikes = {"excitatory": [(5 * dt, weights)], "inhibitory": [(7 * dt, weights[::-1])]}
            truth = [
                exact(
                    *(shape, t),
                    [(5 * dt, one, 2.0, E_EXC), (7 * dt, other, 5.0, E_INH)],
                    V_REST,
                )
                for one, other in zip(weights, weights[::-1], strict=True)
            ]

            def make(sim: Any, model: str = model, own: dict[str, float] = own) -> Any:
                return getattr(sim, model)(**CELL | own)

            errors = []
            for sim, options in (
                (pyNN.sparse, {}),
                (on_nest, {"spike_precision": "on_grid"}),
            ):
                v, _ = simulate(
                    *(make, 12 * dt, spikes, V_REST),
                    **{"sim": sim, "dt": dt, "n": len(weights), **options},
                )
                errors.append(np.abs(v.T - truth)[:, 1:].max(axis=1))
            for each, style in zip(errors, ("-", ":"), strict=True):
                label = f"{dt:g} ms" if style == "-" else None
                at.loglog(strengths, np.maximum(each, 1e-14), style, color=color, label=label)
            lines.append(
                f"- `{model}`, time step {dt:g} ms: largest error {errors[0].max():.1e} mV; NEST's "
                f"{errors[1].max():.1e} mV."
            )
        at.axhline(BOUND, color="black", lw=0.8, ls="--", label="bound")
        at.plot([], [], ":", color="#444444", label="NEST")
        at.set(title=model, xlabel="weight x time step / cm")
    axes[0].set_ylabel("error of v (mV)")
    axes[1].legend(frameon=False, ncols=3, fontsize="small", loc="lower center")
    save(fig, STRONG)
    return [
        "The largest error of `v` after an excitatory spike of a weight from $10^{-3}$ to $10^4$",
        "times $c_m/h$, and an inhibitory one as strong as the other was weak. Lines: this",
        f"backend, whose bound is {BOUND:g} mV; dotted: NEST, whose tolerance is 1e-3 mV. What is",
        "true is computed by SciPy's Radau method with tolerances of 1e-9.",
        "",
        *lines,
    ]


def section(title: str, lines: list[str], picture: str = "") -> str:
    """A heading, a picture, and what was measured."""
    picture = f"![{title}](traces/{picture or title}.png)"
    return "\n".join([f"## {title}", "", picture, "", *lines, ""])


def neuron_section(name: str, network: Network) -> str:
    """A cell type."""
    worst = beside_nest(name, network)
    errors = ", ".join(
        f"{error:.1e} ({dt:g} ms)" for dt, error in zip(STEPS, convergence(name), strict=True)
    )
    return section(
        name,
        [
            f"- Integration: {INTEGRATION[name]}.",
            f"- Largest difference from NEST: {worst:.1e} mV.",
            f"- Error of a time step, in mV: {errors}.",
        ],
    )


def main() -> None:
    """Everything, or what the command line names."""
    import nest

    mpl.use("agg")
    FOLDER.mkdir(exist_ok=True)
    wanted = set(sys.argv[1:])
    networks = neuron_networks()
    if wanted == {STRONG}:
        print(section("Strong conductances", strong(), STRONG))
        return
    if wanted:
        for name in wanted:
            print(neuron_section(name, networks[name]))
        return
    sections = [neuron_section(name, networks[name]) for name in INTEGRATION]
    use = {"U": 0.5, "tau_rec": 100.0, "tau_facil": 50.0}
    worst = beside_nest("TsodyksMarkramSynapse", test_short_term.depressing(use))
    lines = [f"- Largest difference from NEST, of `v` of the targets: {worst:.1e} mV."]
    sections.append(section("TsodyksMarkramSynapse", lines))
    sections.append(section("Strong conductances", strong(), STRONG))
    windows()
    lines = ["- Dots: this backend. Lines: the closed form; the difference is below 1e-12."]
    sections.append(section("STDPMechanism", lines))
    head = HEAD.format(nest=nest.__version__, fine=FINE)
    (DOCS / "traces.md").write_text("\n".join([head, *sections]))


if __name__ == "__main__":
    main()
