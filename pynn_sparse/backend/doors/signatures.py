"""Arguments by name, with errors that say what a class takes."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from .checks import did_you_mean


def signature_of(constructor: Any) -> inspect.Signature:
    """The signature of a class's `__init__`, without `self`."""
    signature = inspect.signature(constructor)
    return signature.replace(parameters=list(signature.parameters.values())[1:])


def signature_with(defaults: Mapping[str, Any]) -> inspect.Signature:
    """A signature of arguments with default values."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature(
        [inspect.Parameter(name, kind, default=each) for name, each in defaults.items()]
    )


def bound(owner: str, signature: inspect.Signature, args: Any, kwargs: Any) -> dict[str, Any]:
    """What was given, by name. Raises TypeError for a name that is not known, or missing ones."""
    for name in kwargs:
        if name not in signature.parameters:
            known = list(signature.parameters)
            raise TypeError(
                f"{owner}: {name!r} is not an argument: must be one of {', '.join(known)}"
                f"{did_you_mean(name, known)}"
            )
    given = dict(zip(signature.parameters, args, strict=False))
    if len(args) == len(given) and not given.keys() & kwargs.keys():
        given |= kwargs
        missing = [
            each
            for name, each in signature.parameters.items()
            if name not in given and each.default is each.empty
        ]
        if not missing:  # what `bind` would give, which takes ten times as long
            return {name: given[name] for name in signature.parameters if name in given}
    try:
        return signature.bind(*args, **kwargs).arguments
    except TypeError as error:
        raise TypeError(f"{owner}{signature}: must be called so; {error}") from error
