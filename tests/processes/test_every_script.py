"""A few of the scripts that `every_script.py` tries; all of them take half an hour."""

from __future__ import annotations

import pytest
import test_mpiexec
from every_script import alone, commands, differences
from upstream.sdist import UnavailableError, skip_or_fail

pytestmark = test_mpiexec.pytestmark


@pytest.mark.parametrize("name", ["small_network.py"])
def test_scripts_give_on_several_processes_what_they_give_on_one(name: str) -> None:
    try:
        script, arguments = next(rest for each, *rest in commands() if each.startswith(name))
        expected = alone(script, arguments)
    except UnavailableError as error:
        skip_or_fail(error)
    assert len(expected[""]) > 0
    assert len(expected) > 1
    assert differences(2, script, arguments, expected) == []
