"""A pytest plugin for PyNN's test suite: puts this backend into it, and writes a report.

Loaded with `-p upstream.plugin` in the process that `suite.py` starts. Each line of the report is
one JSON object: the tests that were collected, one that was started, or how one ended.
"""

import importlib
import inspect
import json
import sys
from collections.abc import Generator

import pyNN
import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--simulator", help="run on this backend")
    parser.addoption("--report", help="write the report to this file")
    parser.addoption("--as-mock", action="store_true", help="tests that import pyNN.mock get it")
    parser.addoption("--timestep", type=float, help="the default of setup(), in ms")


def pytest_configure(config: pytest.Config) -> None:
    options = config.option
    if options.as_mock:
        name = f"pyNN.{options.simulator}"
        backend = importlib.import_module(name)
        _give_out_as("pyNN.mock", name)
        if options.timestep:
            setup = inspect.unwrap(backend.setup)
            setup.__defaults__ = options.timestep, *setup.__defaults__[1:]


def _give_out_as(alias: str, name: str) -> None:
    for loaded in list(sys.modules):
        if loaded == name or loaded.startswith(f"{name}."):
            sys.modules[alias + loaded.removeprefix(name)] = sys.modules[loaded]
    setattr(pyNN, alias.removeprefix("pyNN."), sys.modules[name])


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each scenario on this backend, in place of those that its decorator names."""
    name = metafunc.config.option.simulator
    for marker in metafunc.definition.iter_markers("parametrize"):
        if marker.args[0] == "sim":
            lazy_simulator = type(marker.args[1][0].values[0])  # a class of scenarios/fixtures.py
            marker.args[1][:] = [pytest.param(lazy_simulator(name), id=name)]


def pytest_collection_finish(session: pytest.Session) -> None:
    _write(session.config, {"collected": [item.nodeid for item in session.items]})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    _write(item.config, {"started": item.nodeid})
    if not item.config.option.as_mock:
        return (yield)
    # Some tests pretend that there are two processes, and stop pretending only if they pass.
    state = pyNN.mock.simulator.state
    before = state.num_processes, state.mpi_rank
    result = yield
    if (state.num_processes, state.mpi_rank) != before:
        state.num_processes, state.mpi_rank = before
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, object]:
    report = yield
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
    if report.when == "teardown" or not report.passed:
        _write(item.config, {"ended": item.nodeid, "outcome": report.outcome, "text": text})
    return report


def _write(config: pytest.Config, line: dict[str, object]) -> None:
    # Closed after each line, so that the report is complete up to a crash.
    with open(config.option.report, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
