"""The report: a page that stands alone, and the figures as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from ..measuring import DISTURBANCE, machine
from ..replacing import write_text
from . import explanations, pictures
from .comparison import Comparison
from .findings import DIFFERENT, EXPLAINED, NOTE, SAME
from .results import PairComparison, divergence
from .statistics import Measure

STYLE = Path(__file__).with_name("report.css")
PACKAGES = ["PyNN", "neo", "numpy", "elephant", "scipy", "nest-simulator", "Brian2", "NEURON"]
WORDS = {DIFFERENT: "different", EXPLAINED: "explained", SAME: "same", NOTE: "note"}
MOST_PICTURES = 6  # populations of which there are pictures
NOTHING = "-"
Rows = Iterable[Iterable[Any]]


def write_report(found: Comparison, folder: Path, command: str) -> list[Path]:
    """Write `index.html` and `figures.json` into a folder, made if need be; return the two."""
    folder.mkdir(parents=True, exist_ok=True)
    about = machine(PACKAGES)
    page, figures = folder / "index.html", folder / "figures.json"
    text = json.dumps({"command": command, "machine": about} | found.figures(), indent=1) + "\n"
    write_text(figures, text)
    write_text(page, html(found, command, about))
    return [page, figures]


def html(found: Comparison, command: str, about: dict[str, Any]) -> str:
    """The whole page."""
    title = f"{Path(found.script[0]).name} on {_list(found.runs)}"
    sections = [
        _failures(found),
        *(_pair(found, pair, number) for number, pair in enumerate(found.pairs)),
        _costs(found),
        _method(found),
        _circumstances(found, command, about),
    ]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<style>{STYLE.read_text()}</style></head><body>",
            _head(found, title),
            *filter(None, sections),
            "</body></html>\n",
        ]
    )


def _head(found: Comparison, title: str) -> str:
    """The first screen: the verdict, and what each backend took."""
    state = "failed" if found.failed else "same" if found.same else "different"
    if state == "same" and all(pair.identical for pair in found.pairs):
        state = "identical"
    sentences = "".join(f"<p>{escape(each)}</p>" for each in _sentences(found))
    return (
        f'<header><p class="title">{escape(title)}, {_seeds(found.seeds)}</p>'
        f'<h1 id="verdict" class="{state}"><span class="badge">{state}</span></h1>'
        f'<div class="sentences">{sentences}</div>'
        f'<div class="cards">{"".join(_card(found, name) for name in found.runs)}</div>'
        f"{_disturbance(found)}</header>"
    )


def _disturbance(found: Comparison) -> str:
    """What made times longer than they are on an idle machine."""
    if found.jobs > 1:
        return (
            f'<p class="title">{found.jobs} runs went on at a time: times are for comparing these '
            "backends only.</p>"
        )
    if found.disturbance <= DISTURBANCE:
        return ""
    return (
        f'<p class="title">Other processes used {_number(found.disturbance)} processors meanwhile: '
        "times say little.</p>"
    )


def _sentences(found: Comparison) -> list[str]:
    failures = [f"{name} failed: {why}" for name, why in found.failed.items()]
    return [*failures, *(pair.verdict for pair in found.pairs)]


def _card(found: Comparison, name: str) -> str:
    run = found.runs[name][0] if found.runs[name] else None
    about = " ".join(filter(None, [run.version if run else "", _precision(found, name)]))
    if name in found.failed:
        figures = '<p class="figure">failed</p>'
    else:
        first = next(iter(found.runs))
        figures = (
            f'<p class="figure">{_number(found.median(name, "run"))} s</p><p>to run'
            f"{_times(found, name, first)}; {_number(found.median(name, 'build'))} s to build; "
            f"{_number(found.median(name, 'peak MiB'))} MiB</p>"
        )
    head = f'<h3>{escape(name)}</h3><p class="about">{escape(about)}</p>'
    return f'<div class="card">{head}{figures}</div>'


def _times(found: Comparison, name: str, first: str) -> str:
    """How many times as long as the first it ran; nothing for a network that was only built."""
    if name == first or first in found.failed or not (time := found.median(first, "run")):
        return ""
    return f", {_number(found.median(name, 'run') / time)} times that of {first}"


def _precision(found: Comparison, name: str) -> str:
    words = {"on_grid": "spikes on the grid", "off_grid": "spikes off the grid"}
    used = [run.precision for run in found.runs[name] if run.precision]
    return words[used[0]] if used else ""


def _failures(found: Comparison) -> str:
    parts = [
        f"<h3>{escape(name)}</h3><p>{escape(why)}</p><pre>{escape(found.runs[name][-1].log)}</pre>"
        for name, why in found.failed.items()
    ]
    text = "<p>What these runs wrote last:</p>" + "".join(parts)
    return _section("failures", "Runs that failed", text) if parts else ""


def _pair(found: Comparison, pair: PairComparison, number: int) -> str:
    """Everything about one backend beside the first."""
    parts = [
        _part("findings", "Findings", _findings(pair)),
        _part("connections", "Connections", _connections(pair)),
        _part("spikes", "Spikes, one by one", _spikes(found, pair)),
        _part("activity", "Activity, as distributions", _activity(pair)),
        _part("signals", "Recorded variables", _signals(found, pair)),
    ]
    title = f"{pair.other} beside {pair.reference}"
    return _section(f"pair-{number}", title, "".join(parts))


def _findings(pair: PairComparison) -> str:
    order = [DIFFERENT, EXPLAINED, SAME, NOTE]
    findings = sorted(pair.findings, key=lambda each: order.index(each.kind))
    items = "".join(
        f'<li class="{each.kind}"><span class="badge">{WORDS[each.kind]}</span> '
        f"{escape(each.text)}</li>"
        for each in findings
    )
    return f'<ul class="findings">{items}</ul>'


def _connections(pair: PairComparison) -> str:
    heads = "seed|projection|synapse|connections|same pairs|in-degrees|out-degrees|mean weight"
    heads += "|weights apart|mean delay / ms|delays apart / steps"
    rows = [
        [
            seed,
            each.name,
            each.synapse,
            _two(each.counts),
            _yes(each.same_pairs),
            _yes(each.same_in_degrees),
            _yes(each.same_out_degrees),
            _two(each.mean_weights),
            _number(each.worst_weight),
            _two(each.mean_delays),
            _number(each.worst_delay),
        ]
        for seed, projections in enumerate(pair.connections)
        for each in projections
    ]
    return explanations.CONNECTIONS + _table(heads.split("|"), rows) if rows else ""


def _spikes(found: Comparison, pair: PairComparison) -> str:
    heads = "seed|population|segment|neurons|spikes|identical|within a step"
    heads += "|first difference / ms|first divergence / ms"
    rows = [
        [
            seed,
            each.population,
            each.segment,
            each.neurons,
            _two(each.spikes),
            f"{each.identical} of {each.neurons}",
            f"{each.within_step} of {each.neurons}",
            _number(each.first_difference, "never"),
            _number(each.first_divergence, "never"),
        ]
        for seed, populations in enumerate(pair.spikes)
        for each in populations
    ]
    if not rows:
        return "<p>No spikes were recorded on both.</p>"
    a, b = (found.networks[name][0].activities for name in (pair.reference, pair.other))
    images = [
        _image(pictures.raster(pair, a[name][0], b[name][0]), f"Spikes of {name}, seed 0")
        for name in _pictured(row.population for row in pair.spikes[0])
    ]
    return explanations.SPIKES + _table(heads.split("|"), rows) + "".join(images)


def _activity(pair: PairComparison) -> str:
    if not pair.measures:
        return ""
    heads = f"population|measure|{pair.reference}|{pair.other}|values|p|effect"
    heads += "|means apart|seeds|distributions apart|seeds|verdict"
    rows = [_measure(each) for each in pair.measures]
    tolerances = pair.tolerances
    if pair.measures[0].within is None:
        percent = 100 * tolerances.relative
        rule = explanations.ONE_SEED.format(percent=percent, p_value=tolerances.p_value)
    else:
        rule = explanations.YARDSTICK.format(spread=tolerances.spread)
    images = [_image(pictures.yardsticks(pair), "Differences between backends and between seeds")]
    images += [
        _image(pictures.distributions(pair, name), f"{name}: distributions, all seeds")
        for name in _pictured(each.population for each in pair.measures)
    ]
    table = _table(heads.split("|"), rows)
    return rule + images[0] + explanations.MEASURES + table + "".join(images[1:])


def _measure(each: Measure) -> list[Any]:
    within = each.within or (None, None)
    unit = f" / {each.unit}" if each.unit else ""
    return [
        each.population,
        each.name + unit,
        *map(_number, each.means),
        _two(each.samples),
        _number(each.p_value),
        f"{each.effect:+.2f}",
        _number(each.between[0]),
        _number(within[0]),
        _number(each.between[1]),
        _number(within[1]),
        "differs" if each.differs else "same",
    ]


def _signals(found: Comparison, pair: PairComparison) -> str:
    heads = "seed|population|segment|variable|neurons|compared until / ms|RMS|worst"
    heads += "|RMS of all|worst of all"
    rows = [
        [
            seed,
            each.population,
            each.segment,
            f"{each.variable} / {each.units}",
            each.neurons,
            *map(_number, (each.until, each.rms, each.worst, each.rms_all, each.worst_all)),
        ]
        for seed, signals in enumerate(pair.signals)
        for each in signals
    ]
    if not rows:
        return ""
    a, b = (found.networks[name][0].activities for name in (pair.reference, pair.other))
    until = divergence(pair.spikes[0], 0)
    shown = [(each.population, each.variable) for each in pair.signals[0] if each.segment == 0]
    images = [
        _image(
            pictures.traces(pair, variable, a[name][0], b[name][0], until),
            f"{variable} of {name}, seed 0",
        )
        for name, variable in shown[:MOST_PICTURES]
    ]
    return explanations.SIGNALS + _table(heads.split("|"), rows) + "".join(images)


def _costs(found: Comparison) -> str:
    names = [name for name in found.runs if name not in found.failed]
    if not names:
        return ""
    heads = [
        "backend",
        "build / s",
        "run / s",
        "seconds per biological second",
        "peak memory / MiB",
    ]
    heads += [f"build, times {names[0]}", f"run, times {names[0]}", "other processes' CPU"]
    rows = []
    for name in names:
        build, run = (found.median(name, figure) for figure in ("build", "run"))
        time = sum(each.times["biological"] for each in found.runs[name][0].networks)
        first = [found.median(names[0], figure) for figure in ("build", "run")]
        memory = found.median(name, "peak MiB")
        cells = [build, run, 1000 * run / time if time else None, memory]
        cells += [
            value / one if one else None for value, one in zip((build, run), first, strict=True)
        ]
        cells.append(max(each.other_cpu for each in found.runs[name]))
        rows.append([name, *map(_number, cells)])
    image = _image(pictures.costs(found), "Time and memory; bars are medians, strokes single runs")
    return _section("costs", "Time and memory", explanations.COSTS + _table(heads, rows) + image)


def _method(found: Comparison) -> str:
    nest = [target for target in found.targets if target.backend == "nest"]
    text = explanations.METHOD
    if nest:
        used = _list(explanations.USED[each.precision] for each in nest)
        text += explanations.PRECISION.format(used=used)
    if any(target.precision == "on_grid" and not target.raw_times for target in nest):
        text += explanations.MOVED_SOURCES
    return _section("method", "How to read this", text)


def _circumstances(found: Comparison, command: str, about: dict[str, Any]) -> str:
    versions = ", ".join(
        f"{name} {version}" for name, version in about["packages"].items() if version[0].isdigit()
    )
    rows: list[list[Any]] = [
        ["command", command],
        ["script", " ".join([Path(found.script[0]).name, *found.script[1:]])],
        ["backends", _list(found.runs)],
        ["seeds", found.seeds],
        ["tolerances", ", ".join(f"{k} {v}" for k, v in vars(found.tolerances).items())],
        ["machine", f"{about['processors']} processors ({about['processor']})"],
        ["software", f"Python {about['Python']}, {versions}"],
    ]
    return _section("circumstances", "What was compared, and where", _table(["", ""], rows))


def _section(name: str, title: str, body: str) -> str:
    return f'<section id="{name}"><h2>{escape(title)}</h2>{body}</section>'


def _part(name: str, title: str, body: str) -> str:
    return f'<div class="{name}"><h3>{escape(title)}</h3>{body}</div>' if body else ""


def _table(heads: list[str], rows: Rows) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    head = f"<thead><tr>{head}</tr></thead>" if any(heads) else ""
    return f'<div class="table"><table>{head}<tbody>{body}</tbody></table></div>'


def _image(address: str | None, caption: str) -> str:
    if address is None:
        return ""
    words = escape(caption)
    return f'<figure><img src="{address}" alt="{words}"><figcaption>{words}</figcaption></figure>'


def _pictured(populations: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(populations))[:MOST_PICTURES]


def _number(value: float | None, otherwise: str = NOTHING) -> str:
    if value is None or math.isnan(value):
        return otherwise
    if float(value).is_integer() and abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


def _two(values: tuple[float, float]) -> str:
    """One value if both are equal in the digits shown."""
    one, two = (f"{each:.6g}" for each in values)
    return one if one == two else f"{one} | {two}"


def _yes(value: bool) -> str:
    return "same" if value else "differ"


def _list(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else str(last)


def _seeds(number: int) -> str:
    return f"{number} seed{'s' * (number > 1)}"
