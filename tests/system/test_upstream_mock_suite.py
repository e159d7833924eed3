"""PyNN's unit tests of what backends share, written for its mock backend, run on this one.

Some of them can hold for no simulator, since they rely on what the mock backend pretends: a second
process, two spikes per cell, or delays between time steps. The list of known failures says which.

The time step is so short that all delays in the tests are multiples of it.
"""

import pytest
from upstream.suite import (
    Outcome,
    Suite,
    collect,
    judge,
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
    options=("--as-mock", "--timestep=0.001"),
)

pytestmark = pytest.mark.slow


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    parametrize(metafunc, lambda: collect(SUITE))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    return outcomes(SUITE, tmp_path_factory.mktemp("mock"))


def test_as_on_mock(upstream_test: str, results: dict[str, Outcome]) -> None:
    judge(SUITE, upstream_test, results[upstream_test])


def test_there_are_as_many_as_upstream_has(
    results: dict[str, Outcome], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print("\n" + summary(SUITE, results))
    assert len(results) == len(collect(SUITE)) == SUITE.count


def test_list_of_known_failures_names_only_tests_that_exist(results: dict[str, Outcome]) -> None:
    assert stale(SUITE) == []
