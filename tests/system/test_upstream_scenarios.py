"""PyNN's system scenarios, which every backend is meant to pass, run on this one."""

import pytest
from upstream.suite import Outcome, Suite, collect, judge, outcomes, parametrize, stale, summary

SUITE = Suite("scenarios", "system/scenarios", count=66)

pytestmark = pytest.mark.slow


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    parametrize(metafunc, lambda: collect(SUITE))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    return outcomes(SUITE, tmp_path_factory.mktemp("scenarios"))


def test_scenario(upstream_test: str, results: dict[str, Outcome]) -> None:
    judge(SUITE, upstream_test, results[upstream_test])


def test_there_are_as_many_as_upstream_has(
    results: dict[str, Outcome], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print("\n" + summary(SUITE, results))
    assert len(results) == len(collect(SUITE)) == SUITE.count


def test_list_of_known_failures_names_only_tests_that_exist(results: dict[str, Outcome]) -> None:
    assert stale(SUITE) == []
