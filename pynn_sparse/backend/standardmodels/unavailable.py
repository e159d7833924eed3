"""Standard models that this backend does not have: using one says so."""

from __future__ import annotations

from typing import Any

from ...standardmodels import ModelNotAvailable


def unavailable(name: str) -> type[Any]:
    """A class that raises NotImplementedError, naming the model, when it is used."""

    def refuse(self: Any, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            f"{name} is not available in pyNN.sparse; the documentation's page on supported "
            "features lists what is"
        )

    return type(name, (ModelNotAvailable,), {"__init__": refuse, "__doc__": refuse.__doc__})
