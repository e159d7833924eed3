"""`pynn-sparse export`, and the stages that it uses."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy as np
import pytest
from export_networks import random_float, suited

from pynn_sparse import export
from pynn_sparse.cli import main
from pynn_sparse.export.replay import replay
from pynn_sparse.export.reporting.sizes import sizes
from pynn_sparse.export.reporting.text import markdown, page
from pynn_sparse.export.script import observe, settled
from pynn_sparse.export.targets.asic.simulate import available

SCRIPT = """
import sys
import pyNN.sparse as sim
from pyNN.random import NumpyRNG

sim.setup(timestep=0.5)
rate = float(sys.argv[1]) if len(sys.argv) > 1 else 100.0
noise = sim.Population(20, sim.SpikeSourcePoisson(rate=rate), label="noise")
cells = sim.Population(30, sim.IF_curr_exp(tau_refrac=2.0), label="cells")
connector = sim.FixedProbabilityConnector(0.4, rng=NumpyRNG(seed=1))
sim.Projection(noise, cells, connector, sim.StaticSynapse(weight=0.9, delay=1.0))
sim.run(100.0)
sim.run(100.0)
print("rate", rate)
sim.reset()
sim.run(10.0)
sim.end()
"""


ANYTHING = "--tolerance 9 --coincidence 0 --distance 9".split()  # of spikes, but not none


@pytest.fixture
def script(tmp_path: Path) -> Path:
    file = tmp_path / "script.py"
    file.write_text(SCRIPT)
    return file


def command(script: Path, out: Path, *more: str) -> int:
    return main(["export", str(script), "--target", "asic", "--out", str(out), *more])


def test_a_script_becomes_tables_and_a_report(
    script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    options = "--weight-bits 6 --csv --option voltage_bits=22 --headroom 3 --arguments 120"
    assert command(script, out, *options.split()) == 0
    printed = capsys.readouterr().out
    assert "rate 120.0" in printed
    assert "verification passed" in printed
    tables = export.load(out)
    assert (tables.rule.weight_bits, tables.rule.headroom) == (6, 3)
    assert tables.target.options() == {"voltage_bits": 22, "decay_bits": 16}
    assert (out / "synapses.csv").exists()
    text = (out / "report.md").read_text()
    for part in (
        "| script | ",
        f"| command | `pynn-sparse export {script} --target asic --out {out} {options}`",
        "200 ms, 400 steps",
        "numpy ",
        " nA |",
    ):
        assert part in text
    for part in ("## Checks", "## Spikes", "| cells | 30 |", "## Resources", "`synapse`, "):
        assert part in text
    html = (out / "report.html").read_text()
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    assert len(pictures) == 3
    for picture in pictures:
        data = base64.b64decode(picture)
        assert data.startswith(b"\x89PNG")
        assert len(data) > 5000


def test_a_target_has_number_formats_of_its_own(
    script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    options = ["--target", "spinnaker1", "--option", "neurons_per_core=20"]
    assert command(script, out, *options) == 0
    tables = export.load(out)
    assert (tables.rule.weight_bits, tables.rule.signed, tables.placement.cores) == (16, False, 2)
    assert command(script, tmp_path / "none", *options, "--weight-bits", "8") == 2
    assert "spinnaker1 has weights of 16 bits" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_the_core_runs_on_the_input_of_the_script(
    script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not available("icarus"):
        pytest.skip("iverilog is not installed (Debian: apt-get install iverilog)")
    assert command(script, tmp_path / "out", "--rtl", "icarus") == 0
    printed = capsys.readouterr().out
    states = 400 * 30 * 3
    assert f"has every state of every tick: nothing differs in {states} states" in printed
    assert "Verilog core in icarus" in (tmp_path / "out" / "report.md").read_text()


def test_observed_is_what_the_script_did(script: Path) -> None:
    observed = observe(script, [])
    assert observed.duration == 200.0  # of both runs, not of the one after the reset
    assert {label: len(each) for label, each in observed.spikes.items()} == {
        "noise": 20,
        "cells": 30,
    }
    times = np.concatenate(observed.spikes["cells"])
    assert len(times) > 50
    assert times.max() > 100.0
    assert observed.net.n_synapses > 200


def test_failed_verification_has_exit_status_1(
    script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(script, tmp_path / "out", "--prune", "0.9") == 1
    assert "verification failed" in capsys.readouterr().out
    assert "**failed**" in (tmp_path / "out" / "report.md").read_text()
    assert command(script, tmp_path / "out", "--prune", "0.9", *ANYTHING) == 0
    assert command(script, tmp_path / "out", "--prune", "1", *ANYTHING) == 1
    assert "FAILED cells fires if it does in the simulation: 0 spikes" in capsys.readouterr().out


def test_a_target_has_its_own_bits(script: Path, tmp_path: Path) -> None:
    more = "--target akida --option window=40 --accept rate --tolerance 1 --coincidence 0"
    assert command(script, tmp_path / "out", *more.split()) == 0
    tables = export.load(tmp_path / "out")
    assert tables.rule.weight_bits == 4
    assert tables.fixed.semantics.window == 40


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--target", "abacus"), "must be one of akida, asic"),
        (("--weight-bits", "40"), "weight_bits = 40"),
        (("--prune", "2"), "fraction = 2.0"),
        (("--structured", "axons"), "structured needs a fraction"),
        (("--max-fan-in", "0"), "max_fan_in = 0: must be 1 or greater"),
        (("--accept", "magic"), "accept = 'magic'"),
        (("--option", "voltage_bits"), "--option voltage_bits: must be a name, =, and an integer"),
        (("--option", "volts=3"), "option 'volts': asic has voltage_bits, decay_bits"),
        (("--option", "voltage_bits=99"), "voltage_bits = 99: must be 8 to 32"),
        (("--headroom", "0"), "headroom = 0"),
        (("--weight-bits", "e9m3"), "exponent_bits = 9: must be 1 to 5"),
        (("--weight-bits", "e4m3", "--target", "xylo"), "exponent_bits = 4: xylo has integer"),
        (("--clip", "2"), "clip = 2.0: must be a number, 0 to less than 1"),
        (("--tolerance", "nan"), "tolerance.spikes = nan: must be a number, 0 or greater"),
        (("--tolerance", "-1"), "tolerance.spikes = -1.0: must be a number, 0 or greater"),
        (("--coincidence", "2"), "tolerance.coincidence = 2.0: must be a number, 0 to 1"),
        (("--distance", "-1"), "tolerance.distance = -1.0: must be a number, 0 or greater"),
        (("--timestep", "0"), "--timestep 0.0: must be a number greater than 0"),
        (("--rtl", "modelsim"), "--rtl modelsim: must be icarus or verilator, for asic"),
        (("--rtl", "icarus", "--target", "loihi1"), "for asic"),
        (("--prune-by", "luck"), "--prune-by luck: must be magnitude or activity"),
    ],
)
def test_what_cannot_be_exported_has_exit_status_2(
    script: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: tuple[str, ...],
    message: str,
) -> None:
    assert command(script, tmp_path / "out", *more) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


LEARNING = """
import numpy as np
import pyNN.sparse as sim

sim.setup(timestep=1.0)
times = [np.arange(5.0 + k, 600.0, 10.0) for k in range(4)]
source = sim.Population(4, sim.SpikeSourceArray(spike_times=times), label="src")
out = sim.Population(2, sim.IF_curr_exp(tau_refrac=2.0), label="out")
rule = sim.STDPMechanism(
    timing_dependence=sim.SpikePairRule(tau_plus=20.0, tau_minus=20.0, A_plus=0.1, A_minus=0.01),
    weight_dependence=sim.AdditiveWeightDependence(w_min=0.0, w_max=5.0),
    weight=1.6,
    delay=1.0,
)
learning = sim.Projection(source, out, sim.AllToAllConnector(), rule, label="learning")
sim.run(300.0)
sim.run(300.0)
learnt = learning.get("weight", format="array")
"""


@pytest.mark.parametrize("more", ["", "sim.reset()\nsim.run(10.0)", "sim.end()"])
def test_trained_weights_are_exported(
    more: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "learning.py"
    file.write_text(LEARNING + more + "\nprint('learnt', learnt.min(), learnt.max())\n")
    out = tmp_path / "out"
    assert command(file, out, "--accept", "plasticity", "--headroom", "4") == 0
    printed = capsys.readouterr().out
    said = "learning changed while the script ran: the network is exported as it was at the end"
    assert "learnt 5.0 5.0" in printed
    assert said in printed
    assert said in (out / "report.md").read_text()
    weights = export.load(out).weights()[0]
    assert weights == pytest.approx([5.0] * 8, rel=0.01)


def test_weights_that_the_script_sets_are_exported(tmp_path: Path) -> None:
    file = tmp_path / "set.py"
    change = "drive = sim.Projection"
    file.write_text(
        SCRIPT.replace("sim.Projection", change).replace(
            "sim.run(100.0)\n",
            "sim.run(100.0)\ndrive.set(weight=0.4)\ncells.set(i_offset=0.3)\n",
            1,
        )
    )
    observed = observe(file, [])
    assert set(observed.changed) == {"cells", "noise→cells"}
    assert (observed.net.connections[0].weight == 0.4).all()
    assert (observed.net.cells[1].parameters["i_offset"] == 0.3).all()
    again = replay(observed.net, observed.spikes, observed.duration)
    settled_spikes = settled(observed).spikes
    for label, trains in again.items():
        for one, other in zip(trains, settled_spikes[label], strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_network_simulated_anew_does_the_same(script: Path) -> None:
    """Where nothing changed, every spike is the recorded one."""
    observed = observe(script, [])
    assert observed.changed == ()
    assert settled(observed) is observed
    again = replay(observed.net, observed.spikes, observed.duration)
    for label, trains in observed.spikes.items():
        for one, other in zip(trains, again[label], strict=True):
            np.testing.assert_array_equal(one, other)


def test_projections_have_the_labels_of_the_user(tmp_path: Path) -> None:
    file = tmp_path / "labels.py"
    synapse = "sim.StaticSynapse(weight=0.9, delay=1.0)"
    file.write_text(
        SCRIPT.replace(synapse + ")", synapse + ', label="drive")')
        + "\n"  # what is made afterwards belongs to another network
    )
    assert [part.label for part in observe(file, []).net.connections] == ["drive"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "did not run a network"),
        ("import sys; sys.exit(3)", "exit status 3"),
    ],
)
def test_scripts_without_a_network(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "other.py"
    file.write_text(text)
    with pytest.raises(export.ExportError, match=message):
        observe(file, [])


def test_a_script_that_fails_raises_its_own_error(tmp_path: Path) -> None:
    file = tmp_path / "bad.py"
    file.write_text("1 / 0")
    with pytest.raises(ZeroDivisionError):
        observe(file, [])


@pytest.mark.parametrize("name", ["file/out", "x" * 300, "x" * 300 + "/out"])
def test_a_folder_that_cannot_be_written_is_refused_before_the_script_runs(
    name: str, script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    before = sorted(tmp_path.iterdir())
    assert command(script, tmp_path / name) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"--out {tmp_path / name}: ")
    assert printed.err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_that_cannot_be_written_is_one_line(
    script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out" / "report.md").mkdir(parents=True)
    assert command(script, tmp_path / "out") == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("cannot be written: Is a directory")


def test_a_duration_that_windows_do_not_divide_is_refused_before_saving(
    script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = "--target akida --accept rate --option window=".split()
    more[-1] += "30"
    assert command(script, tmp_path / "out", *more) == 2
    error = capsys.readouterr().err
    assert "400 steps: must be a multiple of the window of 30" in error
    assert "(--option window=25)" in error
    assert not (tmp_path / "out").exists()
    more[-1] = more[-1].replace("30", "25")
    assert command(script, tmp_path / "out", *more, *ANYTHING) == 0


def test_fan_in_is_limited(script: Path, tmp_path: Path) -> None:
    options = "--max-fan-in 3 --prune 0.5 --structured axons".split()
    assert command(script, tmp_path / "out", *options, *ANYTHING) == 0
    fixed = export.load(tmp_path / "out").fixed
    assert np.bincount(fixed.target).max() == 3
    assert len(np.unique(fixed.source)) <= 10


def test_a_script_that_fails_is_no_failed_verification(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.py"
    file.write_text("1 / 0")
    assert command(file, tmp_path / "out") == 2
    printed = capsys.readouterr().err
    assert "bad.py failed: ZeroDivisionError: division by zero" in printed
    assert 'bad.py", line 1' in printed


def test_pruning_by_activity_takes_that_of_the_script(tmp_path: Path) -> None:
    """Synapses of sources that do not fire go first."""
    file = tmp_path / "quiet.py"
    quiet = "times = [[]] * 10 + [[5.0, 25.0, 45.0]] * 10\nnoise = sim.Population(20, "
    file.write_text(
        SCRIPT.replace("noise = sim.Population(20, ", quiet)
        .replace("sim.SpikeSourcePoisson(rate=rate)", "sim.SpikeSourceArray(spike_times=times)")
        .replace("weight=0.9", "weight=3.0")
    )
    options = "--prune 0.6 --prune-by activity".split()
    assert command(file, tmp_path / "out", *options, *ANYTHING) == 0
    fixed = export.load(tmp_path / "out").fixed
    assert (fixed.source >= fixed.n_neurons + 10).all()
    assert fixed.n_synapses > 50


def test_sweep_gets_better_with_bits_and_worse_with_pruning() -> None:
    net = random_float(2)
    duration = 200.0
    full = export.lower(net, "asic", quantise=export.Quantise(weight_bits=16))
    against = full.run(duration)
    figure = export.distance_from(against, duration)
    found = export.sweep(net, "asic", (0.0, 0.5, 0.8), (2, 4, 8, 12), figure, "distance")
    assert found.values.shape == (3, 4)
    assert found.values[0, 3] < 0.25 < found.values[2, 3]
    assert found.values[0, 3] < found.values[0, 0]
    assert found.picture().startswith(b"\x89PNG")
    assert "| 50% removed |" in found.markdown()
    with pytest.raises(export.ExportError, match="at least one"):
        export.sweep(net, "asic", (), (4,), figure)


def test_sweep_takes_the_formats_of_the_target() -> None:
    net = random_float(2)
    found = export.sweep(net, "spinnaker1", (0.0, 0.5), (16,), lambda each: len(each.origin))
    assert found.values[0, 0] > 1.9 * found.values[1, 0] > 0


def test_sizes_of_forms() -> None:
    """Of a network that was counted by hand."""
    net = random_float(0, n=10, density=0.3)
    fixed = export.lower(net, "asic", quantise=export.Quantise(weight_bits=8)).fixed
    n, pairs = fixed.n_synapses, 15 * 10
    found = sizes(fixed, 8)
    assert found["dense matrix"] == pairs * 8
    assert found["bitmap and weights"] == pairs + n * 8
    pointer = n.bit_length()
    assert found["rows of indices and weights"] == n * (8 + 4) + 16 * pointer
    assert found["run lengths of 4 bits"] == n * 12  # all gaps are below 16


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("asic", "nearest rounding, exponent per projection; accepted: initial, tau."),
        ("xylo", "an exponent for synapses of sources and one for all others; accepted: delay"),
        ("dynapse2", "nearest rounding; accepted: delay"),
    ],
)
def test_report_names_exponents_that_there_are(target: str, text: str) -> None:
    accept = ["initial", "tau"]
    if target != "asic":
        accept += ["delay", "refractory", "reset"]
    net = suited(random_float(0, n=32), "akida")  # one synapse between two cells, as xylo needs
    tables = export.lower(net, target, accept=accept)
    assert text in markdown(tables, export.verify(tables))


def test_page_is_html_of_the_text() -> None:
    tables = export.lower(random_float(0), "asic")
    text = markdown(tables, export.verify(tables))
    html = page(text, {})
    assert "<h1>Export to PyNN-sparse ASIC core</h1>" in html
    assert "<b>passed</b>" in html
    assert html.count("<table>") == sum(part.startswith("|") for part in text.split("\n\n"))
    assert "|" not in html
