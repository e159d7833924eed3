"""What a target has to say of itself. Each one is a folder in `targets`, or in another package."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from .capability import Capability
from .errors import ExportError
from .hardware import Limits, Memory, Numbers, Placement
from .models.model import LEAKY, Model
from .nets.fixednet import FixedNet, Frame
from .nets.floatnet import FloatNet

Kind = TypeVar("Kind")


class Target(ABC):
    """A kind of hardware.

    A class that has a `name` is complete: where it lacks a hook, or has one that cannot be called
    as here, or an attribute of another type, defining it raises `ExportError` that names them all.
    A class without a name is what several targets share.

    Attributes:
        name: by which users ask for it.
        title: for reports.
        version: counts changes of the tables' meaning; tables of another version are refused.
        minifloats: whether weights may be small floating-point numbers, see `Minifloat`.
        defaults: of `Quantise`, where they are not those of `Quantise` itself.
        model: what a neuron computes.
        remedy: where values leave their range, if that is not more headroom.
        wider: how a user gets wider registers, where more headroom is not enough; or "".
        saturates: registers ("voltage", "current", "input") that saturate in the hardware, to the
            bit as in the integer model, so that this may be accepted.
        chooses_headroom: whether headroom is chosen from a recorded run, see `lower`.
    """

    name: str
    title: str
    version: int
    minifloats: bool = False
    defaults: Mapping[str, Any] = {}
    model: Model = LEAKY
    remedy: str = ""
    wider: str = ""
    saturates: tuple[str, ...] = ()
    chooses_headroom: bool = False

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        faults = [*_wrong_hooks(cls), *_wrong_attributes(cls)]
        if hasattr(cls, "name"):
            faults += [*_missing(cls)]
        if faults:
            lines = "".join(f"\n  {fault}" for fault in faults)
            raise ExportError(f"{cls.__name__} cannot be a target of the export:{lines}")

    @abstractmethod
    def options(self) -> dict[str, Any]:
        """What the constructor takes to make this target anew."""

    @abstractmethod
    def limits(self) -> Limits:
        """How much there is, for `legalise`."""

    def capabilities(self) -> tuple[Capability, ...]:
        """What the target can or cannot do beyond `limits` and `numbers`.

        Each stage asks them in this order, which is also that of violations in an error.
        """
        return ()

    @abstractmethod
    def numbers(self, weight_bits: int, signed: bool) -> Numbers:
        """For `quantise`. Raises `ExportError` for bits that the target does not have."""

    def quantise(self, net: FloatNet, rule: Any) -> Any:
        """The `Quantised` network where number formats are no matter of choice; else None.

        Args:
            net: the network.
            rule: the `Quantise` that users gave.
        """
        return None

    @abstractmethod
    def semantics(self, receptors: int) -> Any:
        """The update rule of a network with this number of currents in use: what `model` takes."""

    @abstractmethod
    def place(self, fixed: FixedNet, weight_bits: int, signed: bool) -> Placement:
        """Partition. Raises `LimitsError` where the network does not fit."""

    @abstractmethod
    def pack(self, fixed: FixedNet, weight_bits: int, signed: bool) -> dict[str, Memory]:
        """Tables by name."""

    @abstractmethod
    def unpack(self, memories: Mapping[str, Memory], frame: Frame) -> FixedNet:
        """The network that tables hold. Raises `DamagedTablesError`."""

    @abstractmethod
    def greatest_input(self, fixed: FixedNet, weight_bits: int) -> int:
        """The greatest input of a receptor in a step, by magnitude, that is summed correctly."""

    def more_files(self, tables: Any) -> dict[str, bytes]:
        """Further files by name, that the target's tools take."""
        return {}

    def notes(self, tables: Any) -> tuple[str, ...]:
        """Sentences for the report: what is not among the files, and why."""
        return ()


ATTRIBUTES: Mapping[str, type[Any]] = {
    "name": str,
    "title": str,
    "version": int,
    "minifloats": bool,
    "defaults": Mapping,
    "model": Model,
    "remedy": str,
    "wider": str,
    "saturates": tuple,
    "chooses_headroom": bool,
}
HOOKS = tuple(name for name, hook in vars(Target).items() if inspect.isfunction(hook))


def returned(target: Target, hook: str, value: Any, kind: type[Kind]) -> Kind:
    """What a hook has returned. Raises `ExportError` where it is of another type."""
    if not isinstance(value, kind):
        raise ExportError(
            f"{type(target).__name__}.{hook} returned {value!r}: must be of type {kind.__name__}"
        )
    return value


def _described(name: str) -> str:
    """A hook with its arguments and what it has to return."""
    signature = inspect.signature(getattr(Target, name))
    arguments = ", ".join(signature.parameters)
    return f"{name}({arguments}), which has to return {signature.return_annotation}"


def _wrong_hooks(cls: type[Any]) -> Iterator[str]:
    """Hooks that the class defines itself, and that cannot be called as those of `Target`."""
    for name in HOOKS:
        hook = vars(cls).get(name)
        if hook is None:
            continue
        if not inspect.isfunction(hook):
            yield f"{name} = {hook!r}: must be {_described(name)}"
            continue
        signature = inspect.signature(hook)
        try:
            signature.bind(*inspect.signature(getattr(Target, name)).parameters)
        except TypeError:
            yield f"{name}{signature}: must be {_described(name)}"


def _wrong_attributes(cls: type[Any]) -> Iterator[str]:
    """Attributes that the class sets itself, to something of another type."""
    for name, kind in ATTRIBUTES.items():
        if name not in vars(cls):
            continue
        value = vars(cls)[name]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            yield f"{name} = {value!r}: must be of type {kind.__name__}"


def _missing(cls: type[Any]) -> Iterator[str]:
    for name in ("title", "version"):
        if not hasattr(cls, name):
            yield f"{name} is missing: must be of type {ATTRIBUTES[name].__name__}"
    for name in HOOKS:
        if getattr(getattr(cls, name), "__isabstractmethod__", False):
            yield f"it lacks {_described(name)}"
