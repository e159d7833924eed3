"""Findings and a verdict from the figures of a comparison."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from .capture import Captured
from .connections import ConnectionDifference
from .diagnosis import first_divergences, input_to_cells, refractory_periods
from .findings import DIFFERENT, EXPLAINED, NOTE, SAME, Finding
from .results import PairComparison, Recorded
from .statistics import Measure

PROOF, HINT, SIGNAL = "cause", "hint", "signals"
PARAMETER = 1e-6  # of a parameter: what conversions of units leave


def judge(found: PairComparison, reference: Recorded, other: Recorded) -> PairComparison:
    """Fill in findings and verdict."""
    random = sorted({*_random(reference), *_random(other)})
    findings = found.findings
    findings += _what_was_recorded(found, reference, other)
    findings += _parameters(found, reference.networks[0], other.networks[0])
    findings += _connections(found)
    findings += _proofs(found, reference.networks[0], other.networks[0], bool(random))
    findings += _spikes(found, random)
    findings += _signals(found, bool(random))
    findings += _measures(found)
    if found.on_grid and not (found.same or random or _named(found)):
        names = found.reference, found.other
        hints = first_divergences(names, reference.networks[0], other.networks[0])
        findings += [Finding(NOTE, HINT, hint) for hint in hints]
    found.verdict = _verdict(found, random)
    return found


def _proofs(found: PairComparison, a: Captured, b: Captured, random: bool) -> list[Finding]:
    """Differences that traces of v show."""
    names = found.reference, found.other
    proofs = refractory_periods(names, a, b, 0 if found.on_grid else 1)
    if found.on_grid and not random:
        proofs += input_to_cells(names, a, b)
    return [Finding(DIFFERENT, PROOF, text) for text in proofs]


def _named(found: PairComparison) -> list[Finding]:
    """Differences whose cause is known."""
    symptoms = {"spikes", "activity", SIGNAL} | {
        f"{each.population}.{each.name}" for each in found.measures
    }
    return [
        each for each in found.findings if each.kind == DIFFERENT and each.about not in symptoms
    ]


def _random(recorded: Recorded) -> Iterable[str]:
    return (name for network in recorded.networks for name in network.random)


def _what_was_recorded(
    found: PairComparison, reference: Recorded, other: Recorded
) -> list[Finding]:
    """What one has and the other has not."""
    findings = []
    for what in ("activities", "connections", "models"):
        sets = [set(getattr(each.networks[0], what)) for each in (reference, other)]
        names = [reference.name, other.name]
        for have, lack, on in ((sets[0], sets[1], names[0]), (sets[1], sets[0], names[1])):
            word = {"activities": "recorded", "connections": "connected", "models": "made"}[what]
            findings += [
                Finding(DIFFERENT, name, f"{name} was {word} on {on} only")
                for name in sorted(have - lack)
            ]
    for each in (reference, other):
        for note in dict.fromkeys(note for network in each.networks for note in network.notes):
            findings.append(Finding(NOTE, "capture", f"{each.name}: {note}"))
    return findings


def _parameters(found: PairComparison, a: Captured, b: Captured) -> list[Finding]:
    findings = []
    for name, parameters in a.parameters.items():
        for parameter, one in parameters.items():
            two = b.parameters.get(name, {}).get(parameter)
            if two is None:
                continue
            # Times of sources may be moved by less than a hundredth of a step.
            slack = 0.01 * found.timestep if a.models[name] == "SpikeSourceArray" else 0.0
            if len(one) != len(two) and 1 not in (len(one), len(two)):
                same = False
            else:
                same = np.allclose(one, two, PARAMETER, slack, equal_nan=True)
            if not same:
                text = (
                    f"{name}: {parameter} is {_values(one)} on {found.reference} and "
                    f"{_values(two)} on {found.other}"
                )
                findings.append(Finding(DIFFERENT, f"{name}.{parameter}", text))
    return findings


def _values(values: np.ndarray) -> str:
    if len(np.unique(values)) == 1:
        return f"{values[0]:.6g}"
    return f"{np.mean(values):.6g} on average ({len(values)} values)" if len(values) else "nothing"


def _connections(found: PairComparison) -> list[Finding]:
    """One finding for each projection that differs, of the first seed with which it does."""
    findings: list[Finding] = []
    for seed in found.connections:
        for each in seed:
            known = any(finding.about == each.name for finding in findings)
            if not each.same and not known:
                findings.append(_connection(found, each))
    total = sum(each.counts[0] for each in found.connections[0]) if found.connections else 0
    if total and not findings:
        text = f"{total} connections between the same cells, with the same weights and delays"
        if any(each.plastic and not each.same_weights for each in found.connections[0]):
            text += " (but for plastic weights, which are results)"
        findings.append(Finding(SAME, "connections", text))
    return findings


def _connection(found: PairComparison, each: ConnectionDifference) -> Finding:
    names = found.reference, found.other
    if not each.same_pairs:
        return _other_pairs(found, each)
    parts = []
    if not each.same_weights and not each.plastic:
        if each.weight_factor is not None:
            parts.append(
                f"weights on {names[1]} are {each.weight_factor:.6g} times those on {names[0]}"
            )
        else:
            parts.append(f"weights differ by up to {each.worst_weight:.3g} of the greatest")
    if not each.same_delays:
        if each.delay_shift is not None:
            steps = abs(each.delay_shift)
            word = "longer" if each.delay_shift > 0 else "shorter"
            parts.append(
                f"delays on {names[1]} are {steps} time step{'s' * (steps > 1)} {word} "
                f"than on {names[0]}"
            )
        else:
            parts.append(f"delays differ by up to {each.worst_delay:.3g} time steps")
    return Finding(DIFFERENT, each.name, f"{each.name}: {' and '.join(parts)}")


def _other_pairs(found: PairComparison, each: ConnectionDifference) -> Finding:
    """Other cells are connected, because of other random numbers or of another rule."""
    counts = np.array(each.counts, float)
    values = np.array([each.mean_weights, each.mean_delays])
    apart = [abs(a - b) / max(abs(a), abs(b), 1e-300) for a, b in (counts, *values)]
    one, two = (f"{count} on {name}" for count, name in _by_name(found, each.counts))
    text = f"{each.name}: not the same cells are connected; {one} connections, {two}"
    if max(apart) <= found.tolerances.relative:
        text += ", with weights and delays that agree on average: drawn by other random numbers"
        return Finding(EXPLAINED, each.name, text)
    weights = " and ".join(f"{w:.4g} on {name}" for w, name in _by_name(found, each.mean_weights))
    delays = " and ".join(f"{d:.4g} ms on {name}" for d, name in _by_name(found, each.mean_delays))
    text += f"; mean weights are {weights}, mean delays {delays}"
    return Finding(DIFFERENT, each.name, text)


def _by_name(found: PairComparison, values: tuple[float, float]) -> list[tuple[float, str]]:
    return list(zip(values, (found.reference, found.other), strict=True))


def _spikes(found: PairComparison, random: list[str]) -> list[Finding]:
    rows = [each for seed in found.spikes for each in seed]
    if not rows:
        return []
    total = sum(each.spikes[0] for each in rows)
    if all(each.same for each in rows):
        if not total:
            return [Finding(NOTE, "spikes", "no neuron spikes on either backend")]
        return [Finding(SAME, "spikes", f"all {total} spikes are in the same time steps")]
    first = _earliest(each.first_difference for each in rows)
    text = f"spikes are first in different time steps at {first:.6g} ms"
    apart = _earliest(each.first_divergence for each in rows)
    text += (
        f", more than a step apart from {apart:.6g} ms on"
        if apart is not None
        else (", never more than a step apart")
    )
    if found.tolerances.identical:
        return [Finding(DIFFERENT, "spikes", f"{text}; identical spikes were asked for")]
    if random:
        text += f"; random numbers ({', '.join(random)}) are others on each backend"
        return [Finding(EXPLAINED, "spikes", text)]
    least = min((share for share in found.beginning if share is not None), default=None)
    if least is None:  # only sources spike
        return [Finding(EXPLAINED if apart is None else DIFFERENT, "spikes", text)]
    needed = found.tolerances.beginning if found.on_grid else found.tolerances.beginning_off_grid
    near = "in the same time step" if found.on_grid else "within a time step"
    text += f"; of the first {found.first_spikes}, {100 * least:.3g} % are {near} on both"
    if least >= needed:
        return [Finding(EXPLAINED, "spikes", text)]
    return [Finding(DIFFERENT, "spikes", f"{text}: more than rounding errors that grow")]


def _earliest(times: Iterable[float | None]) -> float | None:
    return min((time for time in times if time is not None), default=None)


def _signals(found: PairComparison, random: bool) -> list[Finding]:
    """Membrane potentials, until spikes differ; with random input they differ at once."""
    rows = [each for seed in found.signals for each in seed if each.units == "mV"]
    if not rows or random:
        return []
    worst = max(rows, key=lambda each: each.rms)
    text = (
        f"{worst.population}: {worst.variable} differs by {worst.rms:.3g} mV (RMS), "
        f"{worst.worst:.3g} mV at most"
    )
    if not all(each.same for seed in found.spikes for each in seed):
        text += f", up to {worst.until:g} ms, where spikes first differ"
    if worst.rms <= found.tolerances.signal:
        kind = SAME
    elif found.on_grid:
        kind = DIFFERENT
    else:
        kind, text = EXPLAINED, f"{text}; time steps or methods of integration are not the same"
    return [Finding(kind, SIGNAL, text)]


def _measures(found: PairComparison) -> list[Finding]:
    findings = [
        Finding(DIFFERENT, f"{each.population}.{each.name}", _measure(found, each))
        for each in found.measures
        if each.differs
    ]
    if found.measures and not findings and not found.identical:
        against = (
            "no more than runs with different seeds do"
            if found.measures[0].within is not None
            else "by no more than the tolerance; with one seed there is no better yardstick"
        )
        names = ", ".join(dict.fromkeys(each.name for each in found.measures))
        findings = [Finding(SAME, "activity", f"{names}: differ {against}")]
    return findings


def _measure(found: PairComparison, each: Measure) -> str:
    unit = f" {each.unit}" if each.unit else ""
    one, two = (
        f"{mean:.4g}{unit} on {name}" if count else f"has no values on {name}"
        for mean, name, count in zip(
            each.means, (found.reference, found.other), each.samples, strict=True
        )
    )
    text = f"{each.population}: {each.name} is {one} and {two}"
    if each.within is None:
        return f"{text} (p = {each.p_value:.2g}; one seed, so no yardstick)"
    apart, yardstick = max(
        zip(each.between, each.within, strict=True), key=lambda pair: pair[0] / (pair[1] or 1e-300)
    )
    which = "means" if apart == each.between[0] else "distributions"
    return (
        f"{text}: {which} are {apart:.3g} apart, those of different seeds at most {yardstick:.3g}"
    )


def _verdict(found: PairComparison, random: list[str]) -> str:
    """One sentence."""
    one, two = found.reference, found.other
    different = [each for each in found.findings if each.kind == DIFFERENT]
    if different:
        hints = [each for each in found.findings if each.about == HINT]
        first = (_named(found) or hints or different)[0]
        more = len(different) - (first in different)
        others = f" ({more} more difference{'s' * (more > 1)} below)" if more else ""
        return f"{two} does not do the same as {one}. {_sentence(first.text)}{others}."
    if found.identical:
        spikes = sum(each.spikes[0] for seed in found.spikes for each in seed)
        signals = [each.text for each in found.findings if each.about == SIGNAL]
        if not spikes and signals:
            return f"{two} does the same as {one}: {signals[0]}; no spikes were recorded."
        if not spikes:
            return f"{two} builds the same network as {one}, in which no spikes were recorded."
        return (
            f"{two} does exactly the same as {one}: all {spikes} spikes are in the same time steps."
        )
    reason = "random input" if random else _until(found)
    yardstick = "different seeds" if found.seeds > 1 else "the tolerance allows"
    same = "the same network" if any(found.connections) else "the same"
    return (
        f"{two} simulates {same} as {one}: single spikes differ because of {reason}, "
        f"and activity differs by no more than {yardstick}"
        f"{' make it differ' if found.seeds > 1 else ''}."
    )


def _until(found: PairComparison) -> str:
    rows = (each for seed in found.spikes for each in seed)
    time = _earliest(each.first_difference for each in rows)
    if not found.on_grid:
        return "time steps or methods of integration that are not the same"
    return f"rounding errors, which first show at {time:g} ms"


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] if text and ":" not in text.split(" ")[0] else text
