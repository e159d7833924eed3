"""A NESTML model as the definition of a neuron model.

The order of events in a time step is that of the code which NESTML generates for NEST: the
`update` block; for each port at which something arrived, its `onReceive` block; then convolutions
take their new values, solved from the beginning of the step, with what arrived added; then the
`onCondition` blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pynn_sparse.errors import ModelError, ParameterError
from pynn_sparse.network import TimeGrid
from pynn_sparse.network.cells.definition import Definition
from pynn_sparse.network.cells.user import computed_values
from pynn_sparse.network.evaluation import Function
from pynn_sparse.network.linear import CONSTANT, linear_form, uses

from . import units
from .kernels import Convolution, KernelEquation, kernel_equation
from .session import parsed
from .translate import (
    Translator,
    convolution_name,
    state_name,
    train_name,
)
from .tree import calls_of, convolution_arguments, is_delta, local_names, sign_of

PER_PYNN = 1000.0  # weights in pA and nS, currents in pA, for PyNN's nA and uS
NOMINAL = TimeGrid(0.1)  # for initial values that are shown before there is a time step


@dataclass(frozen=True)
class NestmlModel:
    """What a cell type is made of.

    Attributes:
        definition: of the neuron model.
        defaults: parameter -> default value.
        units: parameter, state variable or output -> unit.
        initial: state variable -> initial value for default parameters.
        conductance_based: whether weights are conductances.
        injectable: whether there is a port for current.
    """

    definition: Definition
    defaults: Mapping[str, float]
    units: Mapping[str, str]
    initial: Mapping[str, float]
    conductance_based: bool
    injectable: bool


def read_model(
    source: str,
    name: str | None = None,
    tolerance: float = 1e-6,
    conductance_based: bool | None = None,
) -> NestmlModel:
    """The model of that name in a file, or text, of NESTML models; the only one without a name.

    `conductance_based` says whether weights are conductances; None for PyNN's rule for NEST, that
    they are if the name of a state variable begins with g.

    Raises FileNotFoundError, `ModelError` for what is not a model, and NotImplementedError, both
    with file and line.
    """
    with chosen_model(source, name) as (file, lines, model):
        return Reader(file, lines, model, tolerance).read(conductance_based)


@contextmanager
def chosen_model(source: str, name: str | None) -> Iterator[tuple[str, list[str], Any]]:
    """The name to show for a file, its lines, and the tree of the model of that name in it.

    Raises as `read_model` does.
    """
    with parsed(source) as (file, lines, models):
        names = [model.get_name() for model in models]
        if name is None and len(models) > 1:
            raise ModelError(f"{file}: has several models: give a name, of: {', '.join(names)}")
        if name is not None and name not in names:
            raise ModelError(f"{file}: has no model {name!r}; there are: {', '.join(names)}")
        try:
            yield file, lines, models[names.index(name) if name else 0]
        except RecursionError as error:
            raise ModelError(
                f"{file}: values of internals and state refer to each other"
            ) from error


@dataclass
class Reader:
    """Reads one model."""

    file: str
    lines: list[str]
    model: Any
    tolerance: float
    units: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.base = Translator(self.file, self.lines)
        self._check_kind()
        self.blocks = self.model.get_equations_blocks()
        self.inlines = {
            each.get_variable_name(): each
            for b in self.blocks
            for each in b.get_inline_expressions()
        }
        self.kernels = {
            variable.get_name(): kernel
            for block in self.blocks
            for kernel in block.get_kernels()
            for variable in kernel.get_variables()
        }
        self.ports = [p for block in self.model.get_input_blocks() for p in block.get_input_ports()]
        self.spike_ports = tuple(each.get_name() for each in self.ports if each.is_spike())
        self.functions = self._functions()
        self.base = self.base.inside(
            ports=self.spike_ports,
            continuous=self._continuous(),
            inlines={name: each.get_expression() for name, each in self.inlines.items()},
            functions=tuple(self.functions),
            deltas=tuple(name for name, each in self.kernels.items() if is_delta(each)),
        )
        self.host = self.base.inside(host=True)

    def read(self, conductance_based: bool | None) -> NestmlModel:
        """The model."""
        defaults = self._parameters()
        derived = self._formulas(self.model.get_internals_blocks(), self._initially())
        states, initial = self._states()
        equations, increments = self._equations()
        convolved = self._convolutions()
        for each in convolved:
            equations |= each.equations
            initial |= dict.fromkeys(each.equations, "0.0")
            states += each.equations
            derived |= each.jumps
        if conductance_based is None:
            conductance_based = any(name.startswith("g") for name in states)
        inputs, receptors = self._inputs(conductance_based)
        program = self.base.inside(
            integrated=self._integrated, after_integration=lambda names: _added(increments, names)
        )
        definition = Definition(
            name=self.model.get_name(),
            parameters=tuple(defaults),
            state=dict.fromkeys(states, 0.0),
            intermediates=self._intermediates(),
            equations=equations,
            exact=True,
            receptors=dict.fromkeys(receptors, ""),
            tolerance=self.tolerance,
            program="\n".join(self._program(program, convolved)),
            derived=derived,
            initial=initial,
            convolutions=tuple(name for each in convolved for name in each.equations),
            inputs=inputs,
            outputs=self._outputs(),
            functions=self.functions,
            requirements=self._requirements(),
            infinite=tuple(name for name, value in defaults.items() if np.isinf(value)),
        )
        return NestmlModel(
            definition=definition,
            defaults=defaults,
            units=self.units,
            initial=self._shown(definition, defaults),
            conductance_based=conductance_based,
            injectable=bool(self.base.continuous),
        )

    # Parts of the model

    def _check_kind(self) -> None:
        for call in calls_of(self.model, "emit_spike"):
            if call.get_args():
                raise self.base.unsupported(call, "a synapse model, whose spikes have weights,")
        if not self.model.get_state_blocks():
            raise self.base.wrong(self.model, "there is no state")

    def _declarations(self, blocks: Any) -> Iterator[tuple[str, Any, Any]]:
        """Name, variable and declaration of everything declared in blocks."""
        for block in blocks:
            for declaration in block.get_declarations():
                for variable in declaration.get_variables():
                    if variable.has_vector_parameter():
                        raise self.base.unsupported(declaration, "a vector")
                    name = state_name(variable.get_name(), variable.get_differential_order())
                    yield name, variable, declaration

    def _formulas(self, blocks: Any, translator: Translator) -> dict[str, str]:
        """Formulas of everything declared in blocks."""
        formulas = {}
        for name, _, declaration in self._declarations(blocks):
            symbol = declaration.get_data_type().get_type_symbol()
            self.units[name] = units.unit_name(symbol)
            formulas[name] = translator.of_type(symbol, declaration.get_expression())
        return formulas

    def _parameters(self) -> dict[str, float]:
        formulas = self._formulas(self.model.get_parameters_blocks(), self._initially())
        for name, _, declaration in self._declarations(self.model.get_parameters_blocks()):
            if uses(formulas[name], {}) & {"dt", "steps"}:
                raise self.base.unsupported(declaration, "a default that depends on the time step")
        try:
            with np.errstate(all="ignore"):
                values = computed_values(formulas, {}, self.functions, NOMINAL)
        except (ModelError, ParameterError) as error:
            raise ModelError(f"{self.file}: parameters: {error}") from error
        bad = [name for name, value in values.items() if np.isnan(value)]
        if bad:
            raise ModelError(f"{self.file}: parameters: {bad[0]} is not a number")
        return values

    def _initially(self) -> Translator:
        """A translator for which a state variable is its initial value."""
        states = {
            name: declaration.get_expression()
            for name, _, declaration in self._declarations(self.model.get_state_blocks())
        }
        return self.host.inside(inlines={**self.host.inlines, **states})

    def _states(self) -> tuple[list[str], dict[str, str]]:
        """Names, and formulas of initial values, of state variables that are not kernels'."""
        formulas = self._formulas(self.model.get_state_blocks(), self.host)
        kernels = {
            name
            for name, variable, _ in self._declarations(self.model.get_state_blocks())
            if variable.get_name() in self.kernels
        }
        own = {name: formula for name, formula in formulas.items() if name not in kernels}
        return list(own), own

    def _requirements(self) -> dict[str, str]:
        blocks = [*self.model.get_parameters_blocks(), *self.model.get_internals_blocks()]
        return {
            str(declaration.get_invariant()): self.host.text(declaration.get_invariant())
            for _, _, declaration in self._declarations(blocks)
            if declaration.has_invariant()
        }

    def _functions(self) -> dict[str, Function]:
        names = tuple(each.get_name() for each in self.model.get_functions())
        functions = {}
        for each in self.model.get_functions():
            arguments = tuple(p.get_name() for p in each.get_parameters())
            translator = self.base.inside(arguments=arguments, functions=names)
            lines = translator.inside(arguments=(*arguments, *local_names(each))).statements(
                each.get_stmts_body()
            )
            functions[each.get_name()] = Function(arguments, "\n".join(lines))
        return functions

    def _continuous(self) -> dict[str, str]:
        ports = [each for each in self.ports if not each.is_spike()]
        for each in ports[1:]:
            raise self.base.unsupported(each, "a second port for continuous input")
        for each in ports:
            symbol = each.get_datatype().get_type_symbol()
            if not units.is_current(symbol):
                raise self.base.unsupported(each, "continuous input that is not a current")
        return {each.get_name(): f"({PER_PYNN} * current)" for each in ports}

    # Equations

    def _intermediates(self) -> dict[str, str]:
        """Inline expressions, for equations, but for those with trains of spikes."""
        trains = set(map(train_name, self.spike_ports))
        translator = self.base.inside(in_equation=True, kept=frozenset(self.inlines))
        formulas = {
            name: translator.text(each.get_expression()) for name, each in self.inlines.items()
        }
        return {name: f for name, f in formulas.items() if not uses(f, formulas) & trains}

    def _equations(self) -> tuple[dict[str, str], dict[str, list[str]]]:
        """Equations, of first order, and what spikes add to variables that are integrated."""
        kept = frozenset(self._intermediates())
        equations: dict[str, str] = {}
        increments: dict[str, list[str]] = {}
        for ode in (each for block in self.blocks for each in block.get_ode_equations()):
            name, order = ode.get_lhs().get_name(), ode.get_lhs().get_differential_order()
            for k in range(order - 1):
                equations[state_name(name, k)] = state_name(name, k + 1)
            target = state_name(name, order - 1)
            formula = self.base.inside(in_equation=True, kept=kept).text(ode.get_rhs())
            equations[target], added = self._without_trains(ode, formula)
            increments[target] = [f"{target} += {each}" for each in added]
        return equations, increments

    def _without_trains(self, ode: Any, formula: str) -> tuple[str, list[str]]:
        """An equation without the trains of spikes in it, and what each adds to its variable."""
        trains = {train_name(port): port for port in self.spike_ports}
        if not uses(formula, {}) & trains.keys():
            return formula, []
        formula = self.base.inside(in_equation=True).text(ode.get_rhs())
        form = linear_form(formula, trains, {})
        if form is None:
            raise self.base.unsupported(ode, "an equation that is not linear in the spikes")
        added = [f"({form[train]}) * {port}" for train, port in trains.items() if train in form]
        return form.get(CONSTANT, "0.0"), added

    def _integrated(self, given: list[str]) -> list[str]:
        """All states, with their derivatives, that a call of integrate_odes() advances."""
        names = []
        for ode in (each for block in self.blocks for each in block.get_ode_equations()):
            name, order = ode.get_lhs().get_name(), ode.get_lhs().get_differential_order()
            if name in given or not given:
                names += [state_name(name, k) for k in range(order)]
        return names

    # Spikes

    def _convolutions(self) -> list[Convolution]:
        pairs: dict[tuple[Any, str], None] = {}
        for block in self.blocks:
            for call in calls_of(block, "convolve"):
                kernel, port = convolution_arguments(call, self.spike_ports)
                name = kernel.get_name()
                if name not in self.kernels or port.get_name() not in self.spike_ports:
                    raise self.base.wrong(call, f"{call}: must be of a kernel and a spiking port")
                if name not in self.base.deltas:
                    pairs[self.kernels[name], port.get_name()] = None
        return [self._convolution(kernel, port) for kernel, port in pairs]

    def _convolution(self, kernel: Any, port: str) -> Convolution:
        found = Convolution(port)
        for variable, expression in zip(
            kernel.get_variables(), kernel.get_expressions(), strict=True
        ):
            name, order = variable.get_name(), variable.get_differential_order()
            if order == 0:
                equation = self._equation_of(kernel, expression)
                factors = [
                    f"({factor}) * {convolution_name(name, port, k)}"
                    for k, factor in enumerate(equation.factors)
                ]
                formula, initial, order = " + ".join(factors), equation.initial, equation.order
            else:
                renamed = {
                    each.get_name(): convolution_name(each.get_name(), port)
                    for each in kernel.get_variables()
                }
                formula = self.base.inside(in_equation=True, renamed=renamed).text(expression)
                initial = tuple(self._initial_of_kernel(kernel, name, k) for k in range(order))
            found.add(name, order, formula, initial)
        self.units |= dict.fromkeys(found.equations, units.DIMENSIONLESS)
        return found

    def _equation_of(self, kernel: Any, expression: Any) -> KernelEquation:
        equation = kernel_equation(self.base.text(expression))
        if equation is None:
            raise self.base.unsupported(
                kernel, "a kernel that is no sum of products of powers of t and exponentials"
            )
        return equation

    def _initial_of_kernel(self, kernel: Any, name: str, order: int) -> str:
        wanted = state_name(name, order)
        for each, _, declaration in self._declarations(self.model.get_state_blocks()):
            if each == wanted:
                return self.host.text(declaration.get_expression())
        raise self.base.wrong(kernel, f"the initial value of {name}{chr(39) * order} is missing")

    def _inputs(
        self, conductance_based: bool
    ) -> tuple[dict[str, dict[str, float]], tuple[str, ...]]:
        """For each port the receptors, each with its factor, and all receptors.

        NEST tells the ports of a pair apart by the sign of weights; inhibitory ones take its size.
        """
        ports = {each.get_name(): each for each in self.ports if each.is_spike()}
        for each in ports.values():
            if each.has_size_parameter():
                raise self.base.unsupported(each, "a vector of ports")
        signs = {name: sign_of(each) for name, each in ports.items()}
        positive = PER_PYNN if conductance_based else -PER_PYNN  # of the weights of inhibition
        if list(signs.values()) == [0]:
            both = {"excitatory": PER_PYNN, "inhibitory": -positive}
            return dict.fromkeys(ports, both), tuple(both)
        kinds = {1: "excitatory", -1: "inhibitory"}
        if sorted(signs.values()) in ([1], [-1], [-1, 1]):
            names = {name: kinds[sign] for name, sign in signs.items()}
        else:
            names = {name: name for name in ports}
        inputs = {name: {names[name]: positive if signs[name] < 0 else PER_PYNN} for name in ports}
        return inputs, tuple(sorted(names.values(), key=lambda name: name == "inhibitory"))

    # The time step

    def _program(self, translator: Translator, convolved: list[Convolution]) -> Iterator[str]:
        for block in self.model.get_update_blocks():
            yield from translator.statements(block.get_stmts_body())
        for block in self.model.get_on_receive_blocks():
            if block.get_port_name() not in self.spike_ports:
                raise self.base.unsupported(block, "an event at something else than a spiking port")
            yield f"if {block.get_port_name()} != 0:"
            yield from translator.statements(block.get_stmts_body(), 1)
        if convolved:
            yield "advance_convolutions()"
        for each in convolved:
            for state, jump in zip(each.equations, each.jumps, strict=True):
                yield f"{state} += {jump} * {each.port}"
        for block in self.model.get_on_condition_blocks():
            yield f"if {translator.text(block.get_cond_expr())}:"
            yield from translator.statements(block.get_stmts_body(), 1)

    def _outputs(self) -> dict[str, str]:
        outputs = {}
        for name, each in self.inlines.items():
            if each.is_recordable:
                self.units[name] = units.unit_name(each.get_data_type().get_type_symbol())
                outputs[name] = self.base.inside(in_equation=True).text(each.get_expression())
        return outputs

    def _shown(self, d: Definition, defaults: Mapping[str, float]) -> dict[str, float]:
        try:
            with np.errstate(all="ignore"):
                formulas = {**d.derived, **d.initial}
                values = computed_values(formulas, defaults, self.functions, NOMINAL)
        except (ModelError, ParameterError) as error:
            raise ModelError(f"{self.file}: initial values: {error}") from error
        return {name: float(values[name]) for name in d.state}


def _added(increments: Mapping[str, list[str]], names: list[str]) -> list[str]:
    return [line for name in names for line in increments.get(name, [])]
