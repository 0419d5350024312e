"""Conditions: what is known on the boundary, and at the start."""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput, listing, shown
from .._core.numbers import real_array
from ..geometry import Part


class Condition(eqx.Module):
    """The contract: a part of the boundary, and what holds there."""

    part: eqx.AbstractVar[Part]


class Constant(eqx.Module):
    """A plain value as a function of no quantity, so that every condition is a function."""

    value: Float[np.ndarray, ""]

    def __call__(self) -> Float[np.ndarray, ""]:
        return self.value


def as_functions(kind: str, part: Part, targets: dict[str, object]) -> dict[str, Callable]:
    """Every target as a function; a plain one must be a finite number."""
    if not targets:
        raise BadInput(f"{kind} at {part} names no field; write {kind}(part, u=0.0).")
    return {name: value if callable(value) else constant(kind, part, name, value) for name, value in targets.items()}


def constant(kind: str, part: Part, name: str, value: object) -> Callable:
    where = f"{kind} at {part}: the value of '{name}'"
    axis = part.domain.axes[-1]
    cure = f"give a number or a function, such as {name}=0.0 or {name}=lambda {axis}: 2 * {axis}"
    try:
        array = real_array(value)
    except TypeError as error:
        raise BadInput(f"{where} is {shown(value)}, {error}; {cure}.") from None
    if array.shape != ():
        raise BadInput(f"{where} has shape {array.shape}, but it is one number at each point; {cure}.")
    if not np.isfinite(array):
        raise BadInput(f"{where} is {shown(value)}, which is not finite; {cure}.")
    return Constant(np.asarray(array, dtype=float))


class Value(Condition):
    """A field, or one of its derivatives across the part, has a given value there.

    `Value(domain.at(t=0), u=lambda x: jnp.sin(x), u_t=0.0)`: initial value and initial rate. The right-hand side is a
    number or a function of named coordinates, constants and unknowns. Imposed exactly on faces of a box, and values of
    a field on the boundary of a shape, where the formula is also used inside.
    """

    part: Part
    targets: dict[str, Callable]

    def __init__(self, part: Part, /, **targets):
        self.part = checked_part("Value", part)
        self.targets = as_functions("Value", part, targets)


class Flux(Condition):
    """The derivative along the outward normal has a given value: du/dn = g (a Neumann condition).

    `Flux(domain.at(x=(0, 1)), u=0.0)`: nothing flows through either end. The right-hand side may use the field itself:
    `Flux(domain.boundary("edge"), T=lambda T, h, T_air: -h * (T - T_air))` (a Robin condition). Imposed exactly on
    faces of a box and on the boundary of a shape, where it is linear in the field; penalised where it is not, or uses
    derivatives or other fields.
    """

    part: Part
    targets: dict[str, Callable]

    def __init__(self, part: Part, /, **targets):
        self.part = checked_part("Flux", part)
        self.targets = as_functions("Flux", part, targets)


class Periodic(Condition):
    """Fields and all their derivatives agree at the two ends of an axis: `Periodic(domain.at(x=(-1, 1)))`.

    Without names it holds for every field. Imposed exactly, by fields that are functions of sine and cosine.
    """

    part: Part
    fields: tuple[str, ...] = eqx.field(static=True)

    def __init__(self, part: Part, /, *fields: str):
        self.part, self.fields = both_ends("Periodic", checked_part("Periodic", part)), fields


class Free(Condition):
    """Nothing is known on this part: the data alone must fix the named fields there (all of them without names).

    States on purpose what would otherwise be refused as a forgotten condition: an unknown initial state, a boundary
    that was not measured.
    """

    part: Part
    fields: tuple[str, ...] = eqx.field(static=True)

    def __init__(self, part: Part, /, *fields: str):
        self.part, self.fields = checked_part("Free", part), fields


def checked_part(kind: str, part) -> Part:
    if not isinstance(part, Part):
        raise BadInput(
            f"{kind} needs a part of the domain first, such as lf.{kind}(domain.at(t=0), ...); got {shown(part)}."
        )
    return part


def both_ends(kind: str, part: Part) -> Part:
    """A part that consists of the two ends of one axis."""
    if len(part.faces) != 2 or part.faces[0].axis != part.faces[1].axis:
        if not part.faces:
            raise BadInput(f"{kind} needs both ends of one axis, not {part}; write lf.{kind}(domain.at(x=(-1, 1))).")
        axis = part.faces[0].axis
        lower, upper = part.domain.ends(axis)
        ends = f"{axis}=({lower:.13g}, {upper:.13g})"
        raise BadInput(f"{kind} needs both ends of one axis; write lf.{kind}(domain.at({ends})).")
    return part


def describe(condition: Condition) -> str:
    """A condition in words: "u at t = 0"."""
    if isinstance(condition, Value | Flux):
        names = listing(condition.targets)
    else:
        assert isinstance(condition, Periodic | Free)
        names = listing(condition.fields or ["every field"])
    kind = {Value: "value of", Flux: "outward derivative of", Periodic: "periodicity of", Free: "no condition on"}[
        type(condition)
    ]
    return f"{kind} {names} at {condition.part}"
