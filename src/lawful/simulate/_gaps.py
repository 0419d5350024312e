"""What bodies run into: a plane, a sphere, a block, a floor of any height, another ball.

A gap is a function of time, the centre of a ball and its radius. It returns parts, each of several pieces: a part is
clear of the ball where one of its pieces is positive, and the ball is free where all parts are.

At a round surface the gap is not d - s, d the distance of the centres and s the sum of the radii, but

    (d^2 - s^2) / (2 s),

which has the same sign, and at contact the same first derivatives. It is a polynomial of the positions: along free
flight it has no remainder at all, while the root in d would end every series near a close pass.
"""

from __future__ import annotations

import abc
import itertools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput, shown
from .._core.numbers import real_array

Moving = Any
"""A number or array, or a function of time for what moves."""


class Gap(eqx.Module):
    """The contract: `gap(t, x, radius)` for one centre x (dim,); `radius` is None for a point."""

    @abc.abstractmethod
    def __call__(self, t: Float[Array, ""], x: Float[Array, " dim"], radius) -> Float[Array, "parts pieces"]: ...


class Plane(Gap):
    """The half-space normal . x < offset is solid: gap = normal . x - offset.

    normal  pointing out of the solid; it is scaled to length 1.
    offset  distance of the surface from the origin along the normal, or a function of time for a wall that moves.
    """

    normal: np.ndarray
    offset: Moving

    def __init__(self, normal, offset=0.0):
        direction = numbers("Plane", "normal", normal)
        length = float(np.linalg.norm(direction))
        if direction.ndim != 1 or not np.isfinite(length) or length == 0:
            raise BadInput(
                f"Plane(normal={shown(normal)}): the normal must be a vector of finite length, such as (0, 1)."
            )
        self.normal = direction / length
        self.offset = moving("Plane", "offset", offset)

    def __call__(self, t, x, radius):
        return single(jnp.dot(self.normal, x) - at(self.offset, t), radius)


class Sphere(Gap):
    """A solid ball (a disk in two dimensions), or with `inside` a hollow one.

    centre  a point, or a function of time that returns one.
    radius  of the ball.
    inside  True for bodies that are enclosed.
    """

    centre: Moving
    radius: Any
    inside: bool = eqx.field(static=True, default=False)

    def __init__(self, centre, radius, inside: bool = False):
        self.centre = moving("Sphere", "centre", centre)
        self.radius = positive("Sphere", "radius", radius)
        self.inside = inside

    def __call__(self, t, x, radius):
        away, own = x - at(self.centre, t), 0.0 if radius is None else radius
        clear = apart(away, self.radius - own if self.inside else self.radius + own)
        return (-clear if self.inside else clear)[None, None]


class Block(Gap):
    """A solid box with faces along the axes: a point is outside where it is outside one of its faces.

    lower, upper  opposite corners, or functions of time.

    The pieces are the distances from the faces. For a ball the block is rounded by its radius: it consists of blocks
    grown along one axis each, and of round edges and corners.
    """

    lower: Moving
    upper: Moving

    def __init__(self, lower, upper):
        self.lower, self.upper = moving("Block", "lower", lower), moving("Block", "upper", upper)
        known = isinstance(self.lower, np.ndarray) and isinstance(self.upper, np.ndarray)
        if known and (np.shape(self.lower) != np.shape(self.upper) or np.any(self.lower >= self.upper)):
            raise BadInput(
                f"Block(lower={shown(lower)}, upper={shown(upper)}): every entry of the lower corner must be below"
                " that of the upper."
            )

    def __call__(self, t, x, radius):
        lower, upper = at(self.lower, t), at(self.upper, t)
        dim = x.shape[0]
        if radius is None:
            return jnp.concatenate([x - upper, lower - x])[None]
        if dim > 3:
            raise BadInput(f"a Block is for balls in up to three dimensions, not {dim}; use points without a radius.")
        grown = [
            jnp.concatenate([x - upper - radius * unit, lower - radius * unit - x]) for unit in np.eye(dim)
        ]  # fmt: skip
        return jnp.stack([*grown, *self.rounded(x, radius, lower, upper)])

    def rounded(self, x, radius, lower, upper) -> list[Array]:
        """Corners, and in three dimensions edges: clear beyond the radius, or beyond the ends of the edge."""
        dim, parts = x.shape[0], []
        for along in [None, *(range(3) if dim == 3 else [])]:
            across = [axis for axis in range(dim) if axis != along]
            for sides in itertools.product((lower, upper), repeat=len(across)):
                away = jnp.stack([x[axis] - side[axis] for axis, side in zip(across, sides, strict=True)])
                distance = apart(away, radius)
                ends = [] if along is None else [x[along] - upper[along], lower[along] - x[along]]
                pieces = [distance, *ends]
                parts.append(jnp.stack((pieces * (2 * dim))[: 2 * dim]))
        return parts


class Ground(Gap):
    """A floor of varying height: gap = last coordinate - height(the others) - radius, measured upwards.

    height  a smooth function of the horizontal coordinates, an array (dim - 1,) or a number where there is one; with
            `moves` also of time first.
    """

    height: Callable
    moves: bool = eqx.field(static=True, default=False)

    def __call__(self, t, x, radius):
        place = x[0] if x.shape[0] == 2 else x[:-1]
        level = self.height(t, place) if self.moves else self.height(place)
        return single(x[-1] - level, radius)

    @staticmethod
    def sampled(places, heights) -> Ground:
        """A floor through measured heights at equal spacing, by a cosine series: smooth, and exact at the samples.

        places   (n,) equally spaced horizontal coordinates.
        heights  (n,) measured there. Beyond the ends the floor repeats as in a mirror.
        """
        x, z = numbers("Ground.sampled", "places", places), numbers("Ground.sampled", "heights", heights)
        steps = np.diff(x)
        if x.ndim != 1 or x.shape != z.shape or len(x) < 2 or not np.allclose(steps, steps[0], rtol=1e-9, atol=0):
            raise BadInput("Ground.sampled needs as many heights as places, and places at equal spacing.")
        n = len(x) - 1
        weights = np.where((np.arange(n + 1) % n) == 0, 0.5, 1.0)
        waves = np.cos(np.pi * np.outer(np.arange(n + 1), np.arange(n + 1)) / n)
        amplitudes = 2 / n * weights * (waves @ (weights * z))
        return Ground(Cosines(x[0], np.pi / (x[-1] - x[0]) * np.arange(n + 1), amplitudes))


class Cosines(eqx.Module):
    """A sum of cosines."""

    origin: np.ndarray
    frequencies: np.ndarray
    amplitudes: np.ndarray

    def __call__(self, x):
        return jnp.sum(self.amplitudes * jnp.cos(self.frequencies * (x - self.origin)))


class Pairs(Gap):
    """Bodies that run into each other: every two of the points, at the sum of their radii."""

    def __call__(self, t, x, radius):
        return apart(x, radius)[None, None]


def apart(away: Float[Array, " dim"], reach) -> Float[Array, ""]:
    """Positive where a vector is longer than `reach`."""
    return (jnp.sum(away * away) - reach * reach) / (2 * jnp.where(reach > 0, reach, 1.0))


def single(distance: Array, radius) -> Array:
    """One part of one piece."""
    return (distance if radius is None else distance - radius)[None, None]


def at(value: Moving, t) -> Any:
    """What moves, at a time."""
    return value(t) if callable(value) else value


def numbers(kind: str, name: str, value: object) -> np.ndarray:
    try:
        array = real_array(value)
    except TypeError as error:
        raise BadInput(
            f"{kind}: the {name} must be a number or an array of numbers, but {shown(value)} holds {error}."
        ) from None
    if not np.all(np.isfinite(array)):
        raise BadInput(f"{kind}: the {name} must be finite, but it is {shown(value)}.")
    return array


def moving(kind: str, name: str, value) -> Moving:
    return value if callable(value) else traced_or(kind, name, value)


def traced_or(kind: str, name: str, value):
    """A JAX array as it is, so that it can be differentiated by; anything else as checked numbers."""
    from jax import Array as JaxArray

    return value if isinstance(value, JaxArray) else numbers(kind, name, value)


def positive(kind: str, name: str, value):
    array = traced_or(kind, name, value)
    if isinstance(array, np.ndarray) and np.any(array <= 0):
        raise BadInput(f"{kind}: the {name} must be above zero, but it is {shown(value)}.")
    return array
