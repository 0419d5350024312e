"""Manufactured solutions: the source term that makes a chosen field the exact solution of a law."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array

from .._core.messages import BadInput, listing
from .._core.names import Vocabulary, arguments, signature_of
from ..calculus import partials


class Sourced(eqx.Module):
    """A law with the source term subtracted, so that the manufactured solution satisfies it: law(...) - source(...)."""

    law: Callable
    source: Callable
    axes: tuple[str, ...] = eqx.field(static=True)

    @property
    def __name__(self) -> str:
        return getattr(self.law, "__name__", "law")

    @property
    def __signature__(self) -> inspect.Signature:
        return signature_of((*arguments(self.law, "the law"), *arguments(self.source, "the source")))

    def __call__(self, **values):
        own = self.law(**{name: values[name] for name in arguments(self.law, "the law")})
        return own - self.source(**{name: values[name] for name in arguments(self.source, "the source")})


class Source(eqx.Module):
    """The residual that a law leaves of the chosen fields, at a place."""

    law: Callable
    fields: dict[str, Callable]
    axes: tuple[str, ...] = eqx.field(static=True)
    plain: tuple[str, ...] = eqx.field(static=True)

    @property
    def __signature__(self) -> inspect.Signature:
        return signature_of((*self.axes, *(n for n in arguments(self.law, "the law") if n in self.plain)))

    def __call__(self, **values):
        point = {axis: jnp.asarray(values[axis], dtype=float) for axis in self.axes}
        vocabulary = Vocabulary(self.axes, tuple(self.fields), self.plain)
        found = {}
        for name, symbol in vocabulary.resolve_all(self.law, "the law").items():
            if symbol.base in self.fields:
                found[name] = derivative_at(self.fields[symbol.base], symbol.partial, point)
            else:
                found[name] = point[symbol.base] if symbol.base in point else values[symbol.base]
        return self.law(**found)


class Slope(eqx.Module):
    """A derivative of a chosen field, times a sign: what a `Flux` or a `Value` of a derivative states."""

    field: Callable
    partial: tuple[str, ...] = eqx.field(static=True)
    sign: float = eqx.field(static=True)
    axes: tuple[str, ...] = eqx.field(static=True)

    @property
    def __signature__(self) -> inspect.Signature:
        return signature_of(self.axes)

    def __call__(self, **values):
        point = {axis: jnp.asarray(values[axis], dtype=float) for axis in self.axes}
        return self.sign * derivative_at(self.field, self.partial, point)


@dataclass(frozen=True)
class Manufactured:
    """A problem whose exact solution is known.

    law       the law with the source term in it, to be given to a solver; `laws` where there are several.
    source    the source term alone, a function of the coordinates (and of constants that the law uses); or `sources`.
    exact     the chosen fields by name, functions of the coordinates: what `Value` conditions state.
    slope     `slope("u_x")` is that derivative of the chosen field as a function of the coordinates: for initial rates.
    outward   `outward("u", "x", 0)` its outward derivative at the lower end of x: for `Flux` conditions.
    """

    laws: dict[str, Callable]
    sources: dict[str, Callable]
    exact: dict[str, Callable]
    axes: tuple[str, ...]

    @property
    def law(self) -> Callable:
        return only(self.laws, "laws")

    @property
    def source(self) -> Callable:
        return only(self.sources, "sources")

    def slope(self, name: str) -> Slope:
        symbol = Vocabulary(self.axes, tuple(self.exact)).resolve(name, "slope")
        return Slope(self.exact[symbol.base], symbol.partial, 1.0, self.axes)

    def outward(self, field: str, axis: str, side: int) -> Slope:
        """The derivative along the outward normal at the lower (0) or upper (1) end of an axis."""
        return Slope(self.exact[field], (axis,), 1.0 if side else -1.0, self.axes)


def manufacture(
    law: Callable | Mapping[str, Callable], solution: Callable | Mapping[str, Callable], field: str = "u"
) -> Manufactured:
    """The source term and the conditions that make a chosen field the exact solution of a law.

        law(u, u_x, ...) = source(x, ...),    source = law of the chosen field, derivatives taken exactly

    law        a function of named quantities, or several by name. Coordinates are the arguments of the solution;
               whatever is neither a field, a derivative nor a coordinate is a constant of the problem.
    solution   the chosen field, a JAX function of coordinates by name: `lambda x, t: jnp.sin(x) * jnp.exp(-t)`; or
               several by name.
    field      the name of the field where a single function is given.

    Raises `BadInput` where fields differ in their coordinates or no coordinate is named. A good choice is smooth, not
    symmetric, and not a polynomial that the method represents exactly. Source: Roache, J. Fluids Eng. 124, 4 (2002).

        made = lf.manufacture(lambda u_t, u_xx, kappa: u_t - kappa * u_xx, lambda x, t: jnp.exp(-t) * jnp.sin(2 * x))
        lf.Problem(domain, "u", {"heat": made.law}, [lf.Value(domain.at(x=(0, 1)), u=made.exact["u"]), ...],
                   constants={"kappa": 0.3})
    """
    laws = dict(law) if isinstance(law, Mapping) else {"law": law}
    fields = dict(solution) if isinstance(solution, Mapping) else {field: solution}
    coordinates = [arguments(function, f"the solution '{name}'") for name, function in fields.items()]
    axes = tuple(dict.fromkeys(axis for names in coordinates for axis in names))
    if not axes:
        raise BadInput(
            "manufacture: the solution must be a function of coordinates by name, such as lambda x, t: x * t."
        )
    if any(set(names) != set(axes) for names in coordinates):
        raise BadInput(f"manufacture: every field must be a function of the same coordinates, here {listing(axes)}.")
    sources = {}
    for name, function in laws.items():
        plain = tuple(n for n in arguments(function, f"law '{name}'") if not is_of(n, tuple(fields), axes))
        sources[name] = Source(function, fields, axes, plain)
    made = {name: Sourced(function, sources[name], axes) for name, function in laws.items()}
    return Manufactured(made, sources, fields, axes)


def is_of(name: str, fields: tuple[str, ...], axes: tuple[str, ...]) -> bool:
    """Whether a name is a field, a derivative of one, or a coordinate."""
    try:
        Vocabulary(axes, fields).resolve(name, "manufacture")
    except BadInput:
        return False
    return True


def derivative_at(function: Callable, partial: tuple[str, ...], point: Mapping[str, Array]) -> Array:
    wanted = tuple(sorted(partial))
    return partials(lambda **place: jnp.asarray(function(**place)), (wanted,))(**point)[wanted]


def only(found: dict[str, Callable], what: str) -> Callable:
    if len(found) > 1:
        raise BadInput(f"there are several: use .{what}[name] with one of {listing(found)}.")
    return next(iter(found.values()))
