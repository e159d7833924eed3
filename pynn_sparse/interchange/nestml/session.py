"""Reading files with pynestml, which prints, and keeps what it found in attributes of classes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pynn_sparse.errors import ModelError

_LOCK = threading.Lock()  # those attributes are shared by all threads


@contextmanager
def parsed(source: str) -> Iterator[tuple[str, list[str], list[Any]]]:
    """The name to show for a file, its lines, and its models, as pynestml's trees.

    `source` is the path of a file, or the text of models. What pynestml prints is not printed, and
    what it keeps is restored at the end, so that it can be used for other things in between.

    Raises FileNotFoundError, ImportError without pynestml, and `ModelError` with pynestml's
    messages and line numbers.
    """
    if find_spec("pynestml") is None:
        raise ImportError("NESTML models need pynestml: pip install 'pynn-sparse[nestml]'")
    is_text = "\n" in source
    if not is_text and not Path(source).is_file():
        raise FileNotFoundError(f"{source!r}: there is no such file of NESTML models")
    shown = "NESTML text" if is_text else source
    with _LOCK, _own_state(), TemporaryDirectory() as folder:
        path = Path(source)
        if is_text:
            path = Path(folder) / "model.nestml"
            path.write_text(source, encoding="utf-8")
        models = _models(path, shown)
        yield shown, path.read_text(encoding="utf-8").splitlines(), models


@contextmanager
def _own_state() -> Iterator[None]:
    """A fresh state of pynestml, and the old one afterwards."""
    from pynestml.frontend.frontend_configuration import FrontendConfiguration
    from pynestml.symbol_table.symbol_table import SymbolTable
    from pynestml.symbols.predefined_functions import PredefinedFunctions
    from pynestml.symbols.predefined_types import PredefinedTypes
    from pynestml.symbols.predefined_units import PredefinedUnits
    from pynestml.symbols.predefined_variables import PredefinedVariables
    from pynestml.utils.logger import Logger, LoggingLevel

    holders = (
        *(FrontendConfiguration, SymbolTable, Logger),
        *(PredefinedUnits, PredefinedTypes, PredefinedFunctions, PredefinedVariables),
    )
    kept = [(each, _data(each)) for each in holders]
    try:
        Logger.init_logger(LoggingLevel.NO)
        Logger.no_print = True
        FrontendConfiguration.target_platform = "NONE"
        FrontendConfiguration.codegen_opts = {}
        PredefinedUnits.register_units()
        PredefinedTypes.register_types()
        PredefinedFunctions.register_functions()
        PredefinedVariables.register_variables()
        yield
    finally:
        for holder, data in kept:
            for name in _data(holder).keys() - data.keys():
                delattr(holder, name)
            for name, value in data.items():
                setattr(holder, name, value)


def _data(holder: type) -> dict[str, Any]:
    """Attributes of a class that are no methods."""
    return {
        name: value
        for name, value in vars(holder).items()
        if not name.startswith("__") and not callable(value) and not hasattr(value, "__func__")
    }


def _models(path: Path, shown: str) -> list[Any]:
    from pynestml.cocos.co_cos_manager import CoCosManager
    from pynestml.utils.model_parser import ModelParser

    models: list[Any] = []
    try:
        unit = ModelParser.parse_file(str(path))
        models = unit.get_model_list() if unit is not None else []
        for model in models:
            CoCosManager.check_cocos(model)
    except Exception as error:
        # What it has found so far says more than what that made it stumble over.
        raise ModelError(_errors(shown) or f"{shown}: pynestml failed: {error!r}") from error
    errors = _errors(shown)
    if errors or not models:
        raise ModelError(errors or f"{shown}: there is no model in it")
    return models


def _errors(shown: str) -> str:
    """pynestml's error messages, each with file and line."""
    from pynestml.utils.logger import Logger, LoggingLevel

    lines = []
    for _, _, level, _, position, message in Logger.get_log().values():
        if level == LoggingLevel.ERROR:
            place = f"{shown}:{position.get_start_line()}" if position else shown
            lines.append(f"{place}: {message}")
    return "\n".join(lines)
