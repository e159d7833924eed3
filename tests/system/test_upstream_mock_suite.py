"""PyNN's unit tests of what backends share, written for its mock backend, run on this one.

Some of them can hold for no simulator, since they rely on what the mock backend pretends: a second
process, two spikes per cell, or delays between time steps. The list of known failures says which.

Many need a model only to have something to connect. Those whose model this backend lacks are run a
second time, with one that it has in its place, and with time steps so short that all delays in the
tests are multiples of one.
"""

from dataclasses import replace

import pytest
from upstream.suite import (
    Outcome,
    Suite,
    collect,
    judge,
    known,
    outcomes,
    parametrize,
    stale,
    summary,
)

SUITE = Suite(
    "mock",
    "unittests",
    count=240,
    files=(
        "test_population.py",
        "test_populationview.py",
        "test_assembly.py",
        "test_projection.py",
        "test_connectors_serial.py",
        "test_lowlevelapi.py",
        "test_simulation_control.py",
    ),
    options=("--as-mock",),
)

STAND_INS = {
    "HH_cond_exp": "IF_cond_exp",
    "EIF_cond_exp_isfa_ista": "IF_cond_exp",
    "TsodyksMarkramSynapse": "StaticSynapse",
}
WITH_STAND_INS = replace(
    SUITE,
    name="mock_with_stand_ins",
    options=(
        *SUITE.options,
        "--timestep=0.001",
        *(f"--stand-in={lacks}={has}" for lacks, has in STAND_INS.items()),
    ),
)

pytestmark = pytest.mark.slow


def that_need_a_stand_in() -> list[str]:
    return [test for test in collect(SUITE) if known(SUITE).needs(test) in STAND_INS]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    with_stand_ins = "results_with_stand_ins" in metafunc.fixturenames
    parametrize(metafunc, that_need_a_stand_in if with_stand_ins else lambda: collect(SUITE))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    return outcomes(SUITE, tmp_path_factory.mktemp("mock"))


@pytest.fixture(scope="module")
def results_with_stand_ins(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    ended = outcomes(WITH_STAND_INS, tmp_path_factory.mktemp("stand_ins"))
    return {test: ended[test] for test in that_need_a_stand_in()}


def test_as_on_mock(upstream_test: str, results: dict[str, Outcome]) -> None:
    judge(SUITE, upstream_test, results[upstream_test])


def test_as_on_mock_with_stand_ins(
    upstream_test: str, results_with_stand_ins: dict[str, Outcome]
) -> None:
    judge(WITH_STAND_INS, upstream_test, results_with_stand_ins[upstream_test])


def test_there_are_as_many_as_upstream_has(
    results: dict[str, Outcome],
    results_with_stand_ins: dict[str, Outcome],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with capsys.disabled():
        print("\n" + summary(SUITE, results))
        print(summary(WITH_STAND_INS, results_with_stand_ins))
    assert len(results) == len(collect(SUITE)) == SUITE.count


def test_list_of_known_failures_names_only_tests_that_exist(results: dict[str, Outcome]) -> None:
    assert stale(SUITE) == []
    listed = known(WITH_STAND_INS)
    assert set(listed.fails) | set(listed.skips) <= set(that_need_a_stand_in())
