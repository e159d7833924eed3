"""The JSON files of a circuit, and the paths in them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from ...errors import SonataError
from ...network import memory

CIRCUIT = "circuit_config.json"
SIMULATION = "simulation_config.json"
VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")
BYTES_OF_JSON = 20  # that Python needs for each byte of a file, at most
LITTLE = 1 << 20  # bytes that are always to be had


def require_plain(path: Path) -> Path:
    """The path, if it is that of a plain file; raises SonataError if not."""
    if not path.exists():
        raise SonataError(f"{path}: there is no such file")
    if not path.is_file():
        raise SonataError(f"{path}: must be a plain file")
    return path


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; raises SonataError for anything else."""
    require_plain(path)
    require_memory(path.stat().st_size * BYTES_OF_JSON, path)
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise SonataError(f"{path}: not a JSON file: {error}") from error
    if not isinstance(value, dict):
        raise SonataError(f"{path}: must be a JSON object, {{...}}")
    return value


def require_memory(size: float, path: Path | str) -> None:
    """Raise SonataError if there is no memory for what a file says that it holds."""
    if size <= LITTLE:
        return
    free = memory.available()
    if size > free:
        raise SonataError(
            f"{path}: reading it would take {size / 2**30:.3g} GiB; "
            f"{free / 2**30:.3g} are available"
        )


class Config:
    """A circuit's or a simulation's configuration, with the variables of its manifest."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.values = read_json(path)
        self._variables = {
            "configdir": str(path.parent),
            "workingdir": os.getcwd(),
        }
        manifest = self.section("manifest", self.values)
        self._variables |= {name.strip("${}"): each for name, each in manifest.items()}

    def section(self, name: str, of: dict[str, Any] | None = None) -> dict[str, Any]:
        """An object in the configuration, empty where it is absent."""
        value = (self.values if of is None else of).get(name) or {}
        if not isinstance(value, dict):
            raise SonataError(f"{self.path}: {name}: must be a JSON object, {{...}}")
        return value

    def number(self, section: str, name: str) -> float | None:
        """A number in a section, or None."""
        value = self.section(section).get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise SonataError(f"{self.path}: {section}: {name} = {value!r}: must be a number")
        return float(value)

    def path_of(self, value: Any, what: str) -> Path:
        """The path that a value names, relative to the configuration's folder.

        As PyNN writes paths relative to the folder in which Python ran, that is tried, too.
        """
        if not isinstance(value, str) or not value or "\0" in value:
            raise SonataError(f"{self.path}: {what} = {value!r}: must be a path")
        given = Path(self._expanded(value, what))
        beside = self.path.parent / given
        return given if not beside.exists() and given.exists() else beside

    def _expanded(self, text: str, what: str) -> str:
        for _ in range(len(self._variables) + 1):
            if not VARIABLE.search(text):
                return text
            text = VARIABLE.sub(lambda match: self._variable(match[1] or match[2], what), text)
        raise SonataError(f"{self.path}: {what}: variables of the manifest refer to each other")

    def _variable(self, name: str, what: str) -> str:
        value = self._variables.get(name)
        if not isinstance(value, str):
            raise SonataError(f"{self.path}: {what}: the manifest has no variable ${name}")
        return value


def find(path: Path) -> tuple[Config | None, Config]:
    """The configurations of the simulation, if there is one, and of its circuit.

    `path` is one of the files, one that names both, or their folder.
    """
    if path.is_dir():
        names = SIMULATION, CIRCUIT, "config.json"
        inside = [path / name for name in names if (path / name).exists()]
        if not inside:
            raise SonataError(f"{path}: there is none of the files {', '.join(names)}")
        path = inside[0]
    config = Config(path)
    if "networks" in config.values:
        return (config if "run" in config.values else None), config
    circuit = Config(config.path_of(config.values.get("network", CIRCUIT), "network"))
    if "networks" not in circuit.values:
        raise SonataError(f"{circuit.path}: must have 'networks', the files of nodes and edges")
    if "simulation" in config.values:
        config = Config(config.path_of(config.values["simulation"], "simulation"))
    return config, circuit
