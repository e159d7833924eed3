"""A pytest plugin for PyNN's test suite: adds this backend to it, and writes a report.

Loaded with `-p upstream.plugin` in the process that `suite.py` starts. Each line of the report is
one JSON object: the tests that were collected, that one has started, or how a phase of one ended.
"""

import importlib
import json
import sys
from collections.abc import Iterator

import pyNN
import pytest

STANDARD_IN = "pyNN.mock"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--simulator")
    parser.addoption("--report")
    parser.addoption("--as-mock", action="store_true")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.as_mock:
        _replace_mock(f"pyNN.{config.option.simulator}")


def _replace_mock(name: str) -> None:
    """Give the backend out as `pyNN.mock`, which PyNN's unit tests import."""
    module = importlib.import_module(name)
    for loaded in list(sys.modules):
        if loaded == name or loaded.startswith(f"{name}."):
            sys.modules[STANDARD_IN + loaded.removeprefix(name)] = sys.modules[loaded]
    pyNN.mock = module


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each scenario on this backend instead of on those that the scenario names."""
    name = metafunc.config.option.simulator
    for marker in metafunc.definition.iter_markers("parametrize"):
        if marker.args[0] == "sim":
            lazy_simulator = type(marker.args[1][0].values[0])
            marker.args[1][:] = [pytest.param(lazy_simulator(name), id=name)]


def _lines(session: pytest.Session) -> Iterator[dict[str, object]]:
    yield {"collected": [item.nodeid for item in session.items]}


def pytest_collection_finish(session: pytest.Session) -> None:
    _write(session.config, {"collected": [item.nodeid for item in session.items]})


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    _write(item.config, {"started": item.nodeid})
    return (yield)
