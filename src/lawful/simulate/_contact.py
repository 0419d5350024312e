"""A contact: who may touch what, and how they part."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput, listing, shown
from ._gaps import Gap, Pairs, traced_or

INPUTS = ("t", "q", "args")


class Contact(eqx.Module):
    """Bodies that may not pass through something, and what happens when they reach it.

    gap          a `Gap` (`Plane`, `Sphere`, `Block`, `Ground`, `Pairs`), or a function of any of t, q and args that
                 returns a number or an array of gaps: positive while free, zero at contact, smooth.
    restitution  e: the normal velocity after an impact is -e times that before. 1 is elastic, 0 sticks.
    friction     Coulomb's coefficient mu, at impacts and while sliding in contact: the tangential push is at most mu
                 times the normal one. It needs a `Gap`.
    radius       of the bodies, one number or one each; points without it.
    of           which points of the position q touch: `of(q)` returns a point (dim,) or several (n, dim). By default
                 q itself.
    rests        whether a body may come to rest in this contact. By default it may where e is below 1.
    settle       the height below which a bounce counts as rest, in the unit of the gap. By default what the tolerance
                 of the method allows.
    name         what records and messages call it.

    An impact acts along the normal, through the masses; friction acts against the direction of sliding. Several
    impacts at one time are worked off one after the other, in the order of the contacts and of the bodies in them,
    until nothing approaches anything.
    """

    gap: Gap | Callable
    restitution: Any
    friction: Any
    radius: Any
    settle: Any
    of: Callable | None
    rests: bool = eqx.field(static=True)
    frictional: bool = eqx.field(static=True)
    name: str = eqx.field(static=True)

    def __init__(
        self,
        gap: Gap | Callable,
        *,
        restitution: float | Float[Array, "..."] = 1.0,
        friction: float | Float[Array, "..."] = 0.0,
        radius: float | Float[Array, "..."] | None = None,
        of: Callable | None = None,
        rests: bool | None = None,
        settle: float | None = None,
        name: str = "contact",
    ):
        if not callable(gap):
            raise BadInput(
                f"contact '{name}': the gap must be a lf.Plane, lf.Sphere, lf.Block, lf.Ground, lf.Pairs or a function"
                f" such as lambda q: q[1], but it is {shown(gap)}."
            )
        self.gap, self.of, self.name = gap, of, name
        self.restitution = within(name, "restitution", restitution, 0.0, 1.0)
        self.friction = within(name, "friction", friction, 0.0, np.inf)
        self.radius = None if radius is None else within(name, "radius", radius, 0.0, np.inf)
        self.settle = None if settle is None else within(name, "settle", settle, 0.0, np.inf)
        # A traced coefficient may be anything, so that the machinery for it is kept ready.
        self.frictional = not (isinstance(self.friction, np.ndarray) and not np.any(self.friction))
        if not isinstance(gap, Gap):
            check_signature(name, gap)
            if self.frictional or radius is not None:
                what = "friction" if self.frictional else "a radius"
                raise BadInput(
                    f"contact '{name}': {what} needs to know where the bodies are; give a Gap such as"
                    " lf.Plane((0, 1)) instead of a function."
                )
        if isinstance(gap, Pairs) and radius is None:
            raise BadInput(f"contact '{name}': lf.Pairs() needs a radius; points without one never meet.")
        elastic = isinstance(self.restitution, np.ndarray) and bool(np.all(self.restitution == 1))
        self.rests = (not elastic) if rests is None else rests

    def points(self, q) -> Float[Array, "n dim"] | None:
        """The relative positions that the gaps are functions of, one each; None for a plain function."""
        if not isinstance(self.gap, Gap):
            return None
        places = self.bodies(q)
        if not isinstance(self.gap, Pairs):
            return places
        first, second = np.triu_indices(places.shape[0], 1)
        return places[first] - places[second]

    def bodies(self, q) -> Float[Array, "n dim"]:
        places = q if self.of is None else self.of(q)
        try:
            array = jnp.asarray(places)
        except TypeError:
            raise BadInput(
                f"contact '{self.name}': the position is no array, so say which points touch, such as"
                " of=lambda q: q['ball']."
            ) from None
        return jnp.atleast_1d(array)[None] if array.ndim < 2 else array

    def radii(self, count: int) -> Array | None:
        """A radius for each gap, None for points."""
        if self.radius is None:
            return None
        if not isinstance(self.gap, Pairs):
            return jnp.broadcast_to(self.radius, (count,))
        bodies = round((1 + (1 + 8 * count) ** 0.5) / 2)
        each = jnp.broadcast_to(self.radius, (bodies,))
        first, second = np.triu_indices(bodies, 1)
        return each[first] + each[second]

    def at(self, t, x: Float[Array, "n dim"]) -> Float[Array, "gaps pieces"]:
        """The gaps of a `Gap` for relative positions x, those of the first body first."""
        radii = self.radii(x.shape[0])
        if radii is None:
            parts = jax.vmap(lambda one: self.gap(t, one, None))(x)
        else:
            parts = jax.vmap(lambda one, radius: self.gap(t, one, radius))(x, radii)
        return parts.reshape(-1, parts.shape[-1])

    def gaps(self, t, q, args) -> Float[Array, "gaps pieces"]:
        points = self.points(q)
        if points is not None:
            return self.at(t, points)
        return jnp.ravel(jnp.asarray(by_name(self.gap, t=t, q=q, args=args), float))[:, None]


def by_name(function: Callable, **inputs):
    """Call a function with those of the inputs that its signature names."""
    names = inspect.signature(function).parameters
    return function(**{name: inputs[name] for name in names})


def check_signature(name: str, gap: Callable) -> None:
    try:
        names = list(inspect.signature(gap).parameters)
    except (TypeError, ValueError):
        return
    strange = [each for each in names if each not in INPUTS]
    if strange or not names:
        raise BadInput(
            f"contact '{name}': the gap is a function of any of t, q and args, such as lambda q: q[1], but its"
            f" arguments are {listing(names)}."
        )


def within(name: str, what: str, value, lower: float, upper: float):
    """A checked number or array; a traced one is taken as it is."""
    array = traced_or(f"contact '{name}'", what, value)
    if isinstance(array, np.ndarray) and not np.all((array >= lower) & (array <= upper)):
        bounds = f"between {lower:g} and {upper:g}" if np.isfinite(upper) else f"at least {lower:g}"
        raise BadInput(f"contact '{name}': the {what} must be {bounds}, but it is {shown(value)}.")
    return array
