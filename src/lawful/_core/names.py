"""Names in a signature are the interface: `u_x` is du/dx, whoever writes it.

The rule: a declared name (field, derived quantity, unknown, constant, axis) always means itself. Only what is left
is read as a derivative: a declared field-like name, an underscore, then axes. Axes of one letter stand side by side
(`u_xt`); longer ones take an underscore each (`T_depth_depth`).
"""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from .messages import BadInput, listing, nearest, shown

Partial = tuple[str, ...]
"""A partial derivative as its axes, sorted: () is the value, ("t", "x") the mixed one."""


@dataclass(frozen=True)
class Symbol:
    """What a name in a signature refers to: a declared quantity and the derivative taken of it."""

    base: str
    partial: Partial = ()


@dataclass(frozen=True)
class Vocabulary:
    """Every name that a law, a condition or an observation may use.

    `differentiable` are fields, derived quantities and unknown fields; `plain` are constants and scalar unknowns.
    """

    axes: tuple[str, ...]
    differentiable: tuple[str, ...]
    plain: tuple[str, ...] = ()

    @property
    def declared(self) -> tuple[str, ...]:
        return self.differentiable + self.plain + self.axes

    def resolve(self, name: str, where: str) -> Symbol:
        """The symbol behind `name`. Raises `BadInput` naming `where` and the nearest known name."""
        if name in self.declared:
            return Symbol(name)
        for base in sorted(self.differentiable, key=len, reverse=True):
            if name.startswith(base + "_"):
                partial = split_axes(name[len(base) + 1 :], self.axes)
                if partial is not None:
                    return Symbol(base, tuple(sorted(partial)))
        derivatives = [join_derivative(base, (axis,), self.axes) for base in self.differentiable for axis in self.axes]
        raise BadInput(
            f"{where} uses '{name}', which is neither declared nor a derivative of a field"
            f"{nearest(name, [*self.declared, *derivatives])} Known names: {listing(self.declared)}"
            f" (derivatives like '{derivatives[0] if derivatives else 'u_x'}')."
        )

    def resolve_all(self, function: Callable, where: str) -> dict[str, Symbol]:
        """The symbols of a function's arguments, by argument name. Arguments with a default are the user's own,
        and must not be called like anything declared: the default would win over it in silence."""
        names = arguments(function, where)
        for name in inspect.signature(function).parameters:
            if name in self.declared and name not in names:
                raise BadInput(f"{where} gives '{name}' a default, but '{name}' is declared; drop the default.")
        return {name: self.resolve(name, where) for name in names}


def split_axes(suffix: str, axes: tuple[str, ...]) -> Partial | None:
    """The axes spelled by a derivative's suffix, or None where it spells none: "xt" -> ("x", "t")."""
    found: list[str] = []
    rest = suffix
    while rest:
        axis = next((a for a in sorted(axes, key=len, reverse=True) if rest == a or rest.startswith(a + "_")), None)
        if axis is None:  # one-letter axes may stand side by side
            axis = next((a for a in axes if len(a) == 1 and rest.startswith(a)), None)
            if axis is None:
                return None
        found.append(axis)
        rest = rest[len(axis) :].removeprefix("_")
    return tuple(found) if suffix and not suffix.endswith("_") else None


def join_derivative(base: str, partial: Partial, axes: tuple[str, ...]) -> str:
    """The name of a partial derivative, the inverse of `split_axes`."""
    if not partial:
        return base
    beside = "".join(partial)
    alone = all(len(axis) == 1 for axis in partial) and split_axes(beside, axes) == partial
    return f"{base}_{beside if alone else '_'.join(partial)}"


def arguments(function: Callable, where: str) -> tuple[str, ...]:
    """The names of a function's arguments. Refuses *args, **kwargs and what is not a function."""
    if not callable(function):
        raise BadInput(
            f"{where} must be a function of named quantities, but it is {type(function).__name__} {shown(function)}."
        )
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise BadInput(f"{where}: the signature cannot be read; wrap it as `lambda u: f(u)`.") from None
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
            raise BadInput(
                f"{where} takes {stars}{parameter.name}; write out the names of the quantities that it uses."
            )
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise BadInput(f"{where}: argument '{parameter.name}' is positional-only; quantities are matched by name.")
    return tuple(p.name for p in parameters if p.default is p.empty)


def signature_of(names: Iterable[str]) -> inspect.Signature:
    """The signature of a function of quantities by name, for functions that are put together at run time; a name that
    comes twice is one argument."""
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Signature([inspect.Parameter(name, kind) for name in dict.fromkeys(names)])


def declare(names: Mapping[str, str]) -> None:
    """Refuse names that Python cannot spell. `names` maps each declared name to what it is declared as."""
    for name, kind in names.items():
        if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
            raise BadInput(
                f"{kind} name {name!r} cannot be an argument of a function; use letters, digits and underscores,"
                " not starting with a digit or underscore, and no Python keyword."
            )


def named(key: str) -> Callable:
    """The function whose only argument is called `key` and which returns it."""

    def value(**quantities):
        return quantities[key]

    value.__signature__ = signature_of([key])  # type: ignore[attr-defined]
    return value
