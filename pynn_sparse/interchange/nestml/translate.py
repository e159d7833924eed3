"""Expressions and statements of NESTML in the language of `pynn_sparse.network.expressions`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pynn_sparse.errors import ModelError

from . import units
from .tree import convolution_arguments

PER_SECOND = "0.001"  # a spike of weight w is w/s on a port whose unit is 1/s: in 1/ms
FUNCTIONS = {
    **{name: name for name in "exp expm1 log10 sinh cosh tanh min max abs floor ceil".split()},
    "ln": "log",
}
COMPARISONS = {
    "is_lt": "<",
    "is_le": "<=",
    "is_eq": "==",
    "is_ne": "!=",
    "is_ne2": "!=",
    "is_ge": ">=",
    "is_gt": ">",
}
ARITHMETIC = {
    "is_plus_op": "+",
    "is_minus_op": "-",
    "is_times_op": "*",
    "is_div_op": "/",
    "is_pow_op": "**",
}
INDENT = "    "


def state_name(name: str, order: int = 0) -> str:
    """The name, here and in NEST, of a variable or its derivative."""
    return name.replace("$", "__DOLLAR") + "__d" * order


def convolution_name(name: str, port: str, order: int = 0) -> str:
    """NEST's name for the convolution of a kernel, or its derivative, with a port."""
    return state_name(f"{name}__X__{port}", order)


def train_name(port: str) -> str:
    """Stands for the spikes of a port as a train of delta functions, in an equation."""
    return f"{port}__train"


@dataclass(frozen=True)
class Translator:
    """Translates parts of one model of a file.

    Attributes:
        file: its name, for messages.
        lines: of the file.
        ports: names of ports for spikes.
        continuous: port for continuous input -> what it stands for.
        inlines: name -> the expression it stands for; replaced where it is used, but for those in
            `kept`.
        functions: names of the model's functions.
        deltas: kernels that are delta functions.
        renamed: name -> name in a kernel's equations.
        host: whether what is translated is computed on the host, where parameters are set.
        in_equation: whether it is part of a differential equation.
        arguments: of the function that it is part of; None outside.
        after_integration: statements to be added after the integration of variables.
        transmits: whether a spike with attributes is left out, since all are transmitted.
    """

    file: str
    lines: Sequence[str]
    ports: tuple[str, ...] = ()
    continuous: Mapping[str, str] = field(default_factory=dict)
    inlines: Mapping[str, Any] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    functions: tuple[str, ...] = ()
    deltas: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    host: bool = False
    transmits: bool = False
    in_equation: bool = False
    arguments: tuple[str, ...] | None = None
    after_integration: Callable[[list[str]], list[str]] = lambda names: []
    integrated: Callable[[list[str]], list[str]] = lambda names: names

    def place(self, node: Any) -> str:
        """File and line."""
        return f"{self.file}:{node.get_source_position().get_start_line()}"

    def _line(self, node: Any) -> str:
        """The line of a node; nothing for those that pynestml has added."""
        number = node.get_source_position().get_start_line()
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def unsupported(self, node: Any, what: str) -> NotImplementedError:
        """An error that names file, line and construct."""
        text = self._line(node).strip()
        return NotImplementedError(f"{self.place(node)}: {what} is not supported: {text}")

    def wrong(self, node: Any, message: str) -> ModelError:
        """An error that names file and line."""
        return ModelError(f"{self.place(node)}: {message}")

    # Expressions

    def text(self, node: Any) -> str:
        """An expression."""
        from pynestml.meta_model.ast_simple_expression import ASTSimpleExpression

        if isinstance(node, ASTSimpleExpression):
            return self._simple(node)
        if node.is_ternary_operator():
            parts = (node.get_if_true(), node.get_condition(), node.get_if_not())
            return "({} if {} else {})".format(*map(self.text, parts))
        if node.is_compound_expression():
            return self._binary(node)
        inner = self.text(node.get_expression())
        if node.is_logical_not:
            return f"(not {inner})"
        if not node.is_unary_operator():
            return f"({inner})"
        if node.get_unary_operator().is_unary_tilde:
            raise self.unsupported(node, "an operator on bits")
        return f"(-{inner})" if node.get_unary_operator().is_unary_minus else inner

    def _binary(self, node: Any) -> str:
        from pynestml.meta_model.ast_arithmetic_operator import ASTArithmeticOperator
        from pynestml.meta_model.ast_comparison_operator import ASTComparisonOperator
        from pynestml.meta_model.ast_logical_operator import ASTLogicalOperator

        a, b = self.text(node.get_lhs()), self.text(node.get_rhs())
        operator = node.get_binary_operator()
        if isinstance(operator, ASTLogicalOperator):
            return f"({a} {'and' if operator.is_logical_and else 'or'} {b})"
        if isinstance(operator, ASTComparisonOperator):
            return f"({a} {_sign(operator, COMPARISONS)} {b})"
        if not isinstance(operator, ASTArithmeticOperator):
            raise self.unsupported(node, "an operator on bits")
        if self._is_integer_division(operator):
            return f"trunc({a} / {b})"
        if operator.is_modulo_op:
            return f"({a} - trunc({a} / {b}) * {b})"
        return f"({a} {_sign(operator, ARITHMETIC)} {b})"

    def _is_integer_division(self, operator: Any) -> bool:
        """Whether it is `//`, which pynestml 9.0.0 reads as `/`."""
        column = operator.get_source_position().get_start_column()
        written = self._line(operator)[column : column + 2]
        return bool(operator.is_integer_div_op) or written == "//"

    def _simple(self, node: Any) -> str:
        if node.is_function_call():
            return self._call(node.get_function_call())
        if node.is_boolean_true or node.is_boolean_false:
            return str(bool(node.is_boolean_true))
        if node.is_inf_literal:
            return "inf"
        if node.is_numeric_literal():
            number = node.get_numeric_literal()
            if not node.is_numeric_literal_with_unit():
                return repr(number)
            return repr(float(number) * units.factor(node.unitType.get_type_symbol()))
        if node.is_variable():
            return self.variable(node.get_variable())
        raise self.unsupported(node, "a string")

    def variable(self, node: Any) -> str:
        """A variable's name, or what it stands for."""
        name, order = node.get_name(), node.get_differential_order()
        if node.has_vector_parameter():
            raise self.unsupported(node, "a vector")
        if node.get_delay_parameter() not in (None, "0"):
            raise self.unsupported(node, "a variable's value in the past")
        if self.arguments is not None:
            return self._in_function(node)
        if name in self.renamed:
            return state_name(self.renamed[name], order)
        if name in self.ports:
            return train_name(name) if self.in_equation else f"({PER_SECOND} * {name})"
        if name in self.continuous:
            return self.continuous[name]
        if name in self.inlines and name not in self.kept:
            return f"({self.text(self.inlines[name])})"
        if name == "t" and (self.host or self.in_equation):
            raise self.unsupported(node, "time in this place")
        return state_name(name, order)

    def _in_function(self, node: Any) -> str:
        name: str = node.get_name()
        if name in (self.arguments or ()) or name in ("e", "pi"):
            return name
        raise self.unsupported(node, "a variable in a function that is not its argument")

    def _call(self, node: Any) -> str:
        name, arguments = node.get_name(), node.get_args()
        if name == "convolve":
            return self._convolution(node)
        if name in ("resolution", "timestep"):
            if self.arguments is not None:
                raise self.unsupported(node, f"{name}() in a function")
            return "dt"
        if name not in (*self.functions, *FUNCTIONS, "steps", "clip", "pow", "round"):
            raise self.unsupported(node, f"{name}()")
        if name == "steps" and not self.host:
            raise self.unsupported(node, "steps() outside of internals and initial values")
        values = list(map(self.text, arguments))
        if name == "pow":
            return f"({values[0]} ** {values[1]})"
        if name == "round":  # halves away from 0
            x = values[0]
            return f"(floor({x} + 0.5) if {x} >= 0 else ceil({x} - 0.5))"
        return f"{FUNCTIONS.get(name, name)}({', '.join(values)})"

    def _convolution(self, node: Any) -> str:
        kernel, port = convolution_arguments(node, self.ports)
        if kernel.get_name() in self.deltas:
            if not self.in_equation:
                raise self.unsupported(node, "a delta function outside of an equation")
            return train_name(port.get_name())
        order = kernel.get_differential_order()
        return convolution_name(kernel.get_name(), port.get_name(), order)

    # Statements

    def statements(self, body: Any, depth: int = 0) -> list[str]:
        """Lines of statements, indented."""
        lines: list[str] = []
        for node in body.get_stmts():
            lines += self._statement(node, depth)
        return lines or [INDENT * depth + "pass"]

    def _statement(self, node: Any, depth: int) -> list[str]:
        if node.is_compound_stmt():
            return self._if(node.compound_stmt, depth)
        small = node.small_stmt
        if small.is_declaration():
            lines = self._declaration(small.get_declaration())
        elif small.is_assignment():
            lines = [self._assignment(small.get_assignment())]
        elif small.is_function_call():
            lines = self._action(small.get_function_call())
        else:
            lines = [f"return {self.text(small.get_return_stmt().get_expression())}"]
        return [INDENT * depth + line for line in lines]

    def _if(self, node: Any, depth: int) -> list[str]:
        if not node.is_if_stmt():
            raise self.unsupported(node, "a loop")
        statement, start = node.get_if_stmt(), INDENT * depth
        clauses = [statement.get_if_clause(), *statement.get_elif_clauses()]
        lines: list[str] = []
        for word, clause in zip(["if", *["elif"] * len(clauses)], clauses, strict=False):
            lines.append(f"{start}{word} {self.text(clause.get_condition())}:")
            lines += self.statements(clause.get_stmts_body(), depth + 1)
        if statement.has_else_clause():
            lines.append(f"{start}else:")
            lines += self.statements(statement.get_else_clause().get_stmts_body(), depth + 1)
        return lines

    def _declaration(self, node: Any) -> list[str]:
        value = "0"
        if node.has_expression():
            value = self.of_type(node.get_data_type().get_type_symbol(), node.get_expression())
        for each in node.get_variables():
            if each.has_vector_parameter():
                raise self.unsupported(node, "a vector")
        return [f"{state_name(each.get_name())}: float = {value}" for each in node.get_variables()]

    def of_type(self, type_symbol: Any, expression: Any) -> str:
        """An expression that is assigned to a variable; integers lose what is behind the point."""
        text = self.text(expression)
        loses = _is_integer(type_symbol) and not _is_integer(expression.type)
        return f"trunc({text})" if loses else text

    def _assignment(self, node: Any) -> str:
        from pynestml.symbols.symbol import SymbolKind

        variable = node.get_variable()
        name = variable.get_name()
        if variable.has_vector_parameter():
            raise self.unsupported(node, "a vector")
        if name in self.inlines:
            raise self.unsupported(node, "an assignment to a convolution")
        target = state_name(self.renamed.get(name, name), variable.get_differential_order())
        value = node.get_expression()
        symbol = node.get_scope().resolve_to_symbol(
            variable.get_complete_name(), SymbolKind.VARIABLE
        )
        if node.is_direct_assignment:
            return f"{target} = {self.of_type(symbol.get_type_symbol(), value)}"
        if node.is_compound_integer_quotient:
            return f"{target} = trunc({target} / {self.text(value)})"
        signs = {"sum": "+", "minus": "-", "product": "*", "quotient": "/"}
        sign = next(s for word, s in signs.items() if getattr(node, f"is_compound_{word}"))
        is_integer = [_is_integer(each) for each in (symbol.get_type_symbol(), value.type)]
        if is_integer[0] and (sign == "/" or not is_integer[1]):
            return f"{target} = trunc({target} {sign} {self.text(value)})"
        return f"{target} {sign}= {self.text(value)}"

    def _action(self, node: Any) -> list[str]:
        name = node.get_name()
        if name == "emit_spike" and not node.get_args():
            return ["emit_spike()"]
        if name == "emit_spike" and self.transmits:
            return ["pass"]
        if name == "emit_spike":
            raise self.unsupported(node, "a spike with attributes, as those of synapses,")
        if name != "integrate_odes":
            raise self.unsupported(node, f"{name}()")
        given = [each.get_variable().get_name() for each in node.get_args()]
        names = self.integrated(given)
        call = f"integrate_odes({', '.join(names)})" if names else "pass"
        return [call, *self.after_integration(names)]

    def inside(self, **changes: Any) -> Translator:
        """A translator for another place in the model."""
        return replace(self, **changes)


def _is_integer(type_symbol: Any) -> bool:
    from pynestml.symbols.integer_type_symbol import IntegerTypeSymbol

    return isinstance(type_symbol, IntegerTypeSymbol)


def _sign(operator: Any, signs: Mapping[str, str]) -> str:
    return next(sign for name, sign in signs.items() if getattr(operator, name))
