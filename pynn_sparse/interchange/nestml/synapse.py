"""A NESTML synapse model as the definition of a rule.

Spikes are taken up as `pynn_sparse.network.dynamics.formulas` says; variables with equations are
integrated exactly over the time between two spikes.
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pynn_sparse.errors import ModelError
from pynn_sparse.network.dynamics.formulas import ELAPSED, WEIGHT, Definition
from pynn_sparse.network.linear import linear_form

from .model import Reader, chosen_model
from .translate import state_name
from .tree import calls_of

LIMITS = ("Wmin", "Wmax")


@dataclass(frozen=True)
class NestmlSynapse:
    """What a synapse type is made of.

    Attributes:
        definition: of the rule.
        defaults: parameter -> default value.
        units: parameter -> unit.
    """

    definition: Definition
    defaults: Mapping[str, float]
    units: Mapping[str, str]


def read_synapse(
    source: str, name: str | None = None, limits: tuple[str, ...] | None = None
) -> NestmlSynapse:
    """The synapse model of that name in a file, or text, of NESTML models.

    `limits` are the parameters between which the weight stays; None for Wmin and Wmax.

    Raises FileNotFoundError, `ModelError` for what is no synapse model, and NotImplementedError,
    both with file and line.
    """
    with chosen_model(source, name) as (file, lines, model):
        return _Reader(file, lines, model, 1.0).read_synapse(limits)


class _Reader(Reader):
    """Reads one synapse model."""

    def _check_kind(self) -> None:
        emitted = calls_of(self.model, "emit_spike")
        if len(emitted) != 1 or not emitted[0].get_args():
            where = emitted[-1] if emitted else self.model
            raise self.base.wrong(
                where, "must be a synapse model: one call of emit_spike, with a weight"
            )
        self._emitted = emitted[0]

    def read_synapse(self, limits: tuple[str, ...] | None) -> NestmlSynapse:
        """The model."""
        if self.base.continuous or any(not each.is_spike() for each in self.ports):
            raise self.base.unsupported(self.model, "continuous input of a synapse")
        self._blocks = {each.get_port_name(): each for each in self.model.get_on_receive_blocks()}
        pre, post = self._sides()
        weight = self._weight()
        names = [n for n, *_ in self._declarations(self.model.get_parameters_blocks())]
        renamed = {n: f"{n}_" for n in names if keyword.iskeyword(n)} | {weight: WEIGHT}
        internals = {
            n: each.get_expression()
            for n, _, each in self._declarations(self.model.get_internals_blocks())
        }
        inlines = {**self.base.inlines, **internals}
        self.base = self.base.inside(renamed=renamed, inlines=inlines)
        self.host = self.base.inside(host=True)
        defaults = {renamed.get(n, n): v for n, v in self._parameters().items() if n != weight}
        between = self._between(weight)
        return NestmlSynapse(
            definition=Definition(
                name=self.model.get_name(),
                parameters=tuple(defaults),
                state=self._initial(weight, defaults),
                between="\n".join(between),
                on_pre="\n".join(self._received(pre)),
                on_post="\n".join(self._received(post)) if post else "",
                limits=self._limits(defaults) if limits is None else limits,
                requirements=self._of_parameters(),
            ),
            defaults=defaults,
            units={renamed.get(n, n): u for n, u in self.units.items()},
        )

    def _sides(self) -> tuple[str, str]:
        """The ports of spikes of the source, and of the target, "" if there is none."""
        pre = [
            port
            for port, block in self._blocks.items()
            if any(each is self._emitted for each in calls_of(block, "emit_spike"))
        ]
        if not pre:
            raise self.base.unsupported(self._emitted, "a spike from outside of onReceive")
        others = [each.get_name() for each in self.ports if each.get_name() != pre[0]]
        if len(others) > 1:
            raise self.base.unsupported(
                self.model,
                f"a third port ({', '.join(others)}; sim.native_synapse_type has modulators)",
            )
        return pre[0], others[0] if others else ""

    def _weight(self) -> str:
        """The variable that is transmitted, as it is."""
        given = self._emitted.get_args()[0]
        names = {
            n
            for blocks in (self.model.get_state_blocks(), self.model.get_parameters_blocks())
            for n, *_ in self._declarations(blocks)
        }
        if str(given).strip() not in names:
            raise self.base.unsupported(
                self._emitted, "a spike that transmits something else than a weight"
            )
        return str(given).strip()

    def _between(self, weight: str) -> list[str]:
        """Equations, solved."""
        for block in self.model.get_update_blocks():
            for node in block.get_stmts_body().get_stmts():
                small = node.small_stmt if node.is_small_stmt() else None
                call = small.get_function_call() if small and small.is_function_call() else None
                if call is None or call.get_name() != "integrate_odes":
                    raise self.base.unsupported(
                        node, "an update block with something else than integrate_odes()"
                    )
        equations, increments = self._equations()
        lines = []
        for name, formula in equations.items():
            form = linear_form(formula, set(equations), {})
            if name == weight or increments[name] or form is None or set(form) - {name}:
                ode = next(
                    each
                    for block in self.blocks
                    for each in block.get_ode_equations()
                    if state_name(each.get_lhs().get_name()) == name
                )
                raise self.base.unsupported(ode, "an equation that is not a decay of its own")
            if form:
                lines.append(f"{name} *= exp(({form[name]}) * {ELAPSED})")
        return lines

    def _received(self, port: str) -> list[str]:
        """What spikes of a port do; that they are transmitted is not said."""
        block = self._blocks.get(port)
        if block is None:
            return []
        translator = self.base.inside(transmits=True)
        return translator.statements(block.get_stmts_body())

    def _initial(self, weight: str, defaults: Mapping[str, float]) -> dict[str, float]:
        """Values of state variables at time 0, which do not depend on parameters."""
        values = {}
        for name, _, declaration in self._declarations(self.model.get_state_blocks()):
            if name == weight:
                continue
            text = self.host.text(declaration.get_expression())
            try:
                values[name] = float(_constant(text))
            except ModelError as error:
                raise self.base.unsupported(
                    declaration, f"an initial value that depends on something ({error})"
                ) from error
        return values

    def _of_parameters(self) -> dict[str, str]:
        """What must hold for parameters."""
        found = {}
        for _, _, declaration in self._declarations(self.model.get_parameters_blocks()):
            if declaration.has_invariant():
                invariant = declaration.get_invariant()
                formula = self.host.text(invariant)
                if WEIGHT not in formula:
                    found[str(invariant)] = formula
        return found

    def _limits(self, defaults: Mapping[str, float]) -> tuple[str, ...]:
        changed = any(
            line.strip().startswith(f"{WEIGHT} ")
            for port in self._blocks
            for line in self._received(port)
        )
        return LIMITS if changed and set(LIMITS) <= set(defaults) else ()


def _constant(text: str) -> Any:
    from pynn_sparse.network.evaluation import evaluate

    return evaluate(text, {})
