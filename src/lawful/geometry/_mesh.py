"""Solids whose surface is made of triangles."""

from __future__ import annotations

import os
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput, listing, shown
from .._core.names import declare
from ._carrier import Carrier
from ._joined import equivalence
from ._meshio import triangles_in
from ._rfunctions import both, trimmed
from ._shape import Shape
from ._sobol import Points
from ._surface import Surface
from ._triangles import crossed, merged, nearest, oriented, volume, winding

Scalar = Float[Array, ""]


class Facets(Carrier):
    """A closed surface of triangles.

    level: the R-equivalence, of order `order`, of the trimmed distances to all triangles. It vanishes exactly on the
    surface and only there, has slope 1 on it away from edges, and is smooth away from edges and corners; it is smaller
    than the true distance, at most by the factor n^(1/order) of n equally near triangles. It costs one evaluation of
    all triangles a point. Unlike that of other carriers it is positive on both sides.
    """

    axes: tuple[str, ...] = eqx.field(static=True)
    corners: Float[np.ndarray, "n 3 3"]
    order: int = eqx.field(static=True)

    @property
    def size(self) -> float:
        return float(np.ptp(self.corners, axis=(0, 1)).min())

    @property
    def measure(self) -> float:
        return float(self.areas.sum())

    @property
    def areas(self) -> Float[np.ndarray, " n"]:
        return np.linalg.norm(crossed(self.corners), axis=-1) / 2

    def level(self, **point: Scalar) -> Scalar:
        place = jnp.stack([jnp.asarray(point[axis], dtype=float) for axis in self.axes])
        corners = jnp.asarray(self.corners, dtype=place.dtype)
        sides = jnp.roll(corners, -1, axis=1) - corners
        normal = jnp.cross(sides[:, 0], sides[:, 1])
        normal = normal / jnp.linalg.norm(normal, axis=-1, keepdims=True)
        inwards = jnp.cross(normal[:, None], sides) / jnp.linalg.norm(sides, axis=-1, keepdims=True)
        away = place - corners
        height = -jnp.sum(away[:, 0] * normal, axis=-1)  # positive on the inner side
        beside = jnp.sum(away * inwards, axis=-1)
        reach = both(both(beside[:, 0], beside[:, 1]), beside[:, 2])
        size = jnp.sqrt(jnp.linalg.norm(jnp.cross(sides[:, 0], sides[:, 1]), axis=-1))
        return equivalence(trimmed(height, reach, size), self.order)

    def reach(self, **point: Scalar) -> None:
        return None

    def place(self, unit: Float[np.ndarray, "n 2"]) -> Points:
        """The first coordinate picks a triangle by area, and what is left of it places the point there."""
        upto = np.cumsum(self.areas) / self.measure
        which = np.minimum(np.searchsorted(upto, unit[:, 0], side="right"), len(upto) - 1)
        rest = np.clip((unit[:, 0] - np.r_[0.0, upto][which]) / np.diff(np.r_[0.0, upto])[which], 0, 1)
        root, turn = np.sqrt(rest)[:, None], unit[:, 1:]
        a, b, c = np.moveaxis(self.corners[which], 1, 0)
        places = (1 - root) * a + root * (1 - turn) * b + root * turn * c
        return dict(zip(self.axes, places.T, strict=True))

    def outward(self, points: Points) -> Points:
        places = np.stack([points[axis] for axis in self.axes], axis=-1)
        which = nearest(places, self.corners)[:, 1].astype(int)
        normal = crossed(self.corners[which])
        return dict(zip(self.axes, (normal / np.linalg.norm(normal, axis=-1, keepdims=True)).T, strict=True))

    def holds(self, points: Points, slack: float) -> np.ndarray:
        places = np.stack([points[axis] for axis in self.axes], axis=-1)
        return nearest(places, self.corners)[:, 0] <= slack


class Mesh(Shape):
    """A solid bounded by a closed surface of triangles: `Mesh.read("part.stl")`.

    Arguments: `vertices`, an array of shape (v, 3); `triangles`, whole numbers of shape (n, 3); the names of the three
    `axes`; the `label` of the surface, which is one piece; the `order` of its distance, see `Facets`. Normals are
    turned outwards where they are not. Raises `BadInput` where the surface is not closed.
    """

    axes: tuple[str, ...] = eqx.field(static=True)
    corners: Float[np.ndarray, "n 3 3"]
    label: str = eqx.field(static=True)
    order: int = eqx.field(static=True)
    box: tuple[tuple[float, float], ...] = eqx.field(static=True)

    def __init__(
        self,
        vertices: Float[np.ndarray, "v 3"],
        triangles: Sequence[Sequence[int]] | np.ndarray,
        axes: tuple[str, str, str] = ("x", "y", "z"),
        label: str = "surface",
        order: int = 4,
    ):
        vertices, triples = np.asarray(vertices, dtype=float), np.asarray(triangles, dtype=int)
        if len(axes) != 3:
            raise BadInput(f"Mesh takes three axes, such as axes=('x', 'y', 'z'), but got {listing(axes)}.")
        declare(dict.fromkeys(axes, "axis"))
        if vertices.ndim != 2 or vertices.shape[1] != 3 or not np.all(np.isfinite(vertices)):
            raise BadInput(f"Mesh vertices must be finite numbers of shape (v, 3), but they are {shown(vertices)}.")
        if triples.ndim != 2 or triples.shape[1] != 3 or not len(triples):
            raise BadInput(f"Mesh triangles must be whole numbers of shape (n, 3), but they are {shown(triples)}.")
        if triples.min() < 0 or triples.max() >= len(vertices):
            raise BadInput(f"Mesh triangles name vertex {triples.max()}, but there are {len(vertices)}, from 0.")
        if not isinstance(order, int) or order < 1:
            raise BadInput(f"Mesh order must be 1, 2, ..., but it is {shown(order)}.")
        vertices, triples = merged(vertices, triples)
        if not len(triples):
            raise BadInput("Mesh has no inside: all its triangles have shrunk to points or lines; check the file.")
        corners = vertices[oriented(vertices, triples)]
        solid = np.linalg.norm(crossed(corners), axis=-1) > 1e-14 * np.ptp(vertices, axis=0).max() ** 2
        self.corners, self.axes, self.label, self.order = corners[solid], tuple(axes), label, order
        # numbers of their own, for inside compiled functions the corners are traced
        low, high = self.corners.min(axis=(0, 1)), self.corners.max(axis=(0, 1))
        self.box = tuple((float(a), float(b)) for a, b in zip(low, high, strict=True))
        if not self.measure > 0:
            raise BadInput("Mesh has no inside: its triangles enclose no volume; check the file.")

    @classmethod
    def read(
        cls,
        path: str | os.PathLike,
        axes: tuple[str, str, str] = ("x", "y", "z"),
        label: str = "surface",
        order: int = 4,
    ) -> Mesh:
        """A solid from a file of triangles (STL, OBJ, PLY, gmsh, VTK, ...: what meshio reads).

        Raises `BadInput` where the extra `mesh` is missing, the file cannot be read, or the surface is not closed.
        """
        vertices, triangles = triangles_in(path)
        return cls(vertices, triangles, axes=axes, label=label, order=order)

    def ends(self, axis: str) -> tuple[float, float]:
        return self.box[self._index(axis)]

    @property
    def measure(self) -> float:
        """The volume, exact by the divergence theorem."""
        return volume(self.corners)

    @property
    def pieces(self) -> tuple[Surface, ...]:
        return (Surface(self.label, Facets(self.axes, self.corners, self.order)),)

    def depth(self, points: Points) -> Float[np.ndarray, " n"]:
        """The exact distance to the surface, with the sign of the winding number."""
        places = np.stack([np.asarray(points[axis], dtype=float) for axis in self.axes], axis=-1)
        distance = nearest(places, self.corners)[:, 0]
        return np.where(winding(places, self.corners) > 0.5, distance, -distance)

    def level(self, **point: Scalar) -> Scalar:
        """The distance of the surface, with the sign of the winding number."""
        distance = self.pieces[0].carrier.level(**point)
        place = jax.lax.stop_gradient(jnp.stack([jnp.asarray(point[axis], dtype=float) for axis in self.axes]))
        a, b, c = jnp.moveaxis(jnp.asarray(self.corners, dtype=place.dtype) - place, 1, 0)
        la, lb, lc = (jnp.linalg.norm(v, axis=-1) for v in (a, b, c))
        rest = la * lb * lc + jnp.sum(a * b, -1) * lc + jnp.sum(b * c, -1) * la + jnp.sum(c * a, -1) * lb
        turns = jnp.sum(2 * jnp.arctan2(jnp.sum(a * jnp.cross(b, c), axis=-1), rest)) / (4 * jnp.pi)
        near = float(jnp.finfo(distance.dtype).eps) ** 0.6 * self.size
        return jnp.where((turns > 0.5) | (distance < near), distance, -distance)
