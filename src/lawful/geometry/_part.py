"""A labelled part of a boundary: ends of axes, smooth pieces, or both."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput, listing
from ._sobol import Points, together
from ._surface import Surface

if TYPE_CHECKING:
    from ._domain import Domain

Scalar = Float[Array, ""]


class Face(NamedTuple):
    """One end of one axis: `side` 0 is the lower end, 1 the upper."""

    axis: str
    side: int


class Part(eqx.Module):
    """A labelled part of a domain's boundary.

    `faces` are ends of axes along which the domain is straight, `surfaces` smooth pieces of the boundary of a shape.
    """

    domain: Domain
    faces: tuple[Face, ...] = eqx.field(static=True, default=())
    surfaces: tuple[Surface, ...] = ()

    def __str__(self) -> str:
        faces = [face_label(self.domain, face) for face in self.faces]
        return listing(dict.fromkeys([*faces, *(surface.label for surface in self.surfaces)]))

    @property
    def measures(self) -> tuple[float, ...]:
        """The measure of every face, then of every surface; a face of a domain of one axis is a point and counts 1."""
        sections = [self.domain.without(face.axis) for face in self.faces]
        faces = [1.0 if section is None else section.measure for section in sections]
        return (*faces, *(surface.measure for surface in self.surfaces))

    def distances(self) -> tuple[Callable[..., Scalar], ...]:
        """A distance function of the named axes for every face, then for every surface: zero on it, slope 1 inwards."""
        faces = [EndDistance(face.axis, face.side, self.domain.ends(face.axis)[face.side]) for face in self.faces]
        return (*faces, *(surface.distance for surface in self.surfaces))

    def sample(self, count: int, seed: int) -> Points:
        """Exactly `count` points on the part, every face and surface by its share of the measure."""
        if not self.measures:
            raise BadInput("the part has no face and no surface, so that there is nothing to sample.")
        edges = np.round(count * np.cumsum((0.0, *self.measures)) / sum(self.measures)).astype(int)
        drawn = [
            self._sample_face(piece, many, seed + i) if isinstance(piece, Face) else piece.sample(many, seed + i)
            for i, (piece, many) in enumerate(zip((*self.faces, *self.surfaces), np.diff(edges), strict=True))
        ]
        return together(drawn)

    def _sample_face(self, face: Face, count: int, seed: int) -> Points:
        section = self.domain.without(face.axis)
        rest = {} if section is None else section.sample(count, seed)
        return {**rest, face.axis: np.full(count, self.domain.ends(face.axis)[face.side])}


class EndDistance(eqx.Module):
    """The distance from one end of an axis: axis - lower, or upper - axis."""

    axis: str = eqx.field(static=True)
    side: int = eqx.field(static=True)
    end: float = eqx.field(static=True)

    def __call__(self, **point: Scalar) -> Scalar:
        return self.end - point[self.axis] if self.side else point[self.axis] - self.end


def face_label(domain: Domain, face: Face) -> str:
    """ "x = 0"."""
    return end_label(face.axis, domain.ends(face.axis)[face.side])


def end_label(axis: str, end: float) -> str:
    return f"{axis} = {exact(end)}"


def exact(end: float) -> str:
    """An end of an axis as `at` takes it back, without the digits that are rounding."""
    return f"{end:.13g}"
