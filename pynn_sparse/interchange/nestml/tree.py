"""What pynestml's trees say about a model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def is_delta(kernel: Any) -> bool:
    """Whether a kernel is a delta function."""
    expressions = kernel.get_expressions()
    calls = expressions[0].get_function_calls()
    return len(expressions) == 1 and [each.get_name() for each in calls] == ["delta"]


def sign_of(port: Any) -> int:
    """1 for excitatory ports, -1 for inhibitory ones, 0 for those that take spikes of all kinds."""
    qualifiers = port.get_input_qualifiers()
    excitatory = any(each.is_excitatory for each in qualifiers)
    inhibitory = any(each.is_inhibitory for each in qualifiers)
    return int(excitatory) - int(inhibitory)


def calls_of(node: Any, name: str) -> list[Any]:
    """All calls of a function below a node."""
    from pynestml.meta_model.ast_function_call import ASTFunctionCall

    return [each for each in _below(node, ASTFunctionCall) if each.get_name() == name]


def convolution_arguments(node: Any, ports: Iterable[str]) -> tuple[Any, Any]:
    """The variables of kernel and port in a call of `convolve`."""
    first, second = (each.get_variable() for each in node.get_args())
    return (second, first) if first.get_name() in ports else (first, second)


def local_names(function: Any) -> list[str]:
    """Names of variables declared in a function."""
    from pynestml.meta_model.ast_declaration import ASTDeclaration

    declarations = _below(function, ASTDeclaration)
    return [variable.get_name() for each in declarations for variable in each.get_variables()]


def _below(node: Any, kind: type) -> list[Any]:
    """All nodes of a kind below a node, in their order in the file."""
    return [
        found
        for each in node.get_children()
        for found in ([each] if isinstance(each, kind) else []) + _below(each, kind)
    ]
