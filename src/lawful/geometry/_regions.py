"""Named regions that share interfaces: two materials side by side, a core in a cladding."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from .._core.messages import BadInput, listing, nearest, shown
from .._core.names import declare
from ._box import Box
from ._carrier import Curve
from ._crossings import intervals
from ._cutting import EQUAL
from ._domain import Domain
from ._part import Face, Part
from ._product import Product
from ._restricted import restricted
from ._shape import ROUNDING, Shape
from ._sobol import Points
from ._surface import Surface

Scalar = Float[Array, ""]

LOOKS = 2**10  # points of each region that must not lie in another


class Regions(Domain):
    """Two or more domains over the same axes that touch and do not overlap, as one domain:

        Regions(left=Box(x=(0, 0.5)), right=Box(x=(0.5, 1)))
        Regions(core=core, cladding=Disk(x=0, y=0, radius=2) - core)

    Each region is a shape, or a shape times further axes (`* Box(t=(0, 1))`), then all times the same ones. Regions
    share whole ends of boxes, or in the plane any pieces of their boundaries; in space whole pieces. `at(t=0)` and
    `boundary("rim")` take the outer boundary of all regions together, `outer("left")` that of one of them.
    Raises `BadInput` for fewer than two regions, other axes, regions that overlap (judged on 1024 points of each), and
    regions that are not connected through interfaces.
    """

    names: tuple[str, ...] = eqx.field(static=True)
    domains: tuple[Domain, ...]

    def __init__(self, **regions: Domain):
        declare(dict.fromkeys(regions, "region"))
        if len(regions) < 2:
            raise BadInput(f"Regions() takes two or more named domains, but got {listing(regions)}.")
        for name, domain in regions.items():
            if not isinstance(domain, Domain):
                raise BadInput(f"region '{name}' must be a domain such as Box(x=(0, 1)), but it is {shown(domain)}.")
        (first, model), *others = regions.items()
        for name, domain in others:
            if set(domain.axes) != set(model.axes) or span_of(domain) != span_of(model):
                raise BadInput(
                    f"regions must have the same axes and the same further ones, but '{first}' has "
                    f"{listing(model.axes)} and '{name}' {listing(domain.axes)}, or their spans differ."
                )
        self.names, self.domains = tuple(regions), tuple(regions.values())
        self._refuse_overlap()
        self._refuse_gaps()

    @property
    def axes(self) -> tuple[str, ...]:
        return self.domains[0].axes

    def __getitem__(self, name: str) -> Domain:
        """The domain of a region."""
        if name not in self.names:
            raise BadInput(
                f"there is no region '{name}'{nearest(str(name), self.names)} Regions: {listing(self.names)}."
            )
        return self.domains[self.names.index(name)]

    def ends(self, axis: str) -> tuple[float, float]:
        lower, upper = zip(*(domain.ends(axis) for domain in self.domains), strict=True)
        return min(lower), max(upper)

    def contains(self, points: Points) -> Bool[np.ndarray, " n"]:
        return np.logical_or.reduce([domain.contains(points) for domain in self.domains])

    @property
    def measure(self) -> float:
        """The sum over the regions."""
        return sum(domain.measure for domain in self.domains)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(label for domain in self.domains for label in domain.labels))

    def index(self, **point: Scalar) -> Int[Array, ""]:
        """The number of the region that a point lies in, in the order of `names`; on the interface of two boxes that of
        the upper one, on any other that of either."""
        here = {axis: jax.lax.stop_gradient(value) for axis, value in point.items()}
        return jnp.argmax(jnp.stack([self._depth(shape_of(domain), here) for domain in self.domains]))

    def _depth(self, shape: Shape, point: dict[str, Scalar]) -> Scalar:
        """Larger the deeper a point lies in a region."""
        level = shape.level(**{axis: point[axis] for axis in shape.axes})
        if not isinstance(shape, Box):
            return level
        ends = {axis: shape.ends(axis) for axis in shape.axes}
        last = {axis: upper == self.ends(axis)[1] for axis, (_, upper) in ends.items()}
        inside = [(point[axis] >= low) & ((point[axis] < up) | last[axis]) for axis, (low, up) in ends.items()]
        return jnp.where(jnp.all(jnp.stack(inside)), jnp.inf, level)

    def at(self, /, **where: float | tuple[float, ...]) -> Part:
        """The faces at an end of an axis along which some region is straight, of all regions that reach so far."""
        for axis in where:
            self._index(axis)
        outline = Box(**{axis: self.ends(axis) for axis in self.axes})
        faces = outline.faces_at(**where)
        for face in faces:
            if not any(self._has(name, face) for name in self.names):
                shape_of(self.domains[0]).no_ends()
        return Part(self, faces)

    def boundary(self, label: str | None = None, where: Callable | None = None) -> Part:
        """The outer boundary: all of it, the pieces with one label, or the part where `where` is positive or true."""
        if label is not None and label not in self.labels:
            raise BadInput(
                f"the boundary has no piece '{label}'{nearest(str(label), self.labels)} Pieces: {listing(self.labels)}."
            )
        parts = [part for name in self.names if (part := self._outer(name, label)).faces or part.surfaces]
        faces = dict.fromkeys(face for part in parts for face in part.faces)
        surfaces = tuple(surface for part in parts for surface in part.surfaces)
        if where is not None:
            faces, surfaces = {}, tuple(part for piece in surfaces for part in restricted(piece, where))
        if not (faces or surfaces):
            raise BadInput("nothing of the outer boundary is left; take interfaces with interface().")
        return Part(self, tuple(faces), surfaces)

    def without(self, axis: str) -> Domain | None:
        sections = {name: domain.without(axis) for name, domain in zip(self.names, self.domains, strict=True)}
        kept = {name: section for name, section in sections.items() if section is not None}
        return Regions(**kept) if len(kept) == len(sections) else None

    def within(self, part: Part, name: str) -> Part:
        """What of a part of the whole boundary belongs to one region."""
        own = self[name]
        if part.domain == own:
            return part
        faces = tuple(face for face in part.faces if self._has(name, face))
        surfaces = tuple(s for s in part.surfaces if np.all(own.contains(s.sample(8, 0))))
        return Part(own, faces, surfaces)

    def _has(self, name: str, face: Face) -> bool:
        """Whether a region reaches to a face of the whole and is straight there."""
        own, end = self[name], self.ends(face.axis)[face.side]
        straight = face in own.boundary().faces
        return straight and abs(own.ends(face.axis)[face.side] - end) <= 1e-12 * self.length(face.axis)

    def interface(self, first: str, second: str) -> Part:
        """Where two regions touch, as a part of the boundary of the first: its normals point into the second.
        Raises `BadInput` where they do not touch."""
        part = shared(self[first], self[second])
        if not (part.faces or part.surfaces):
            raise BadInput(
                f"the regions '{first}' and '{second}' do not touch; '{first}' touches "
                f"{listing(self.neighbours(first))}."
            )
        return part

    def neighbours(self, name: str) -> tuple[str, ...]:
        """The regions that share an interface with one."""
        parts = {other: shared(self[name], self[other]) for other in self.names if other != name}
        return tuple(other for other, part in parts.items() if part.faces or part.surfaces)

    def outer(self, name: str, label: str | None = None) -> Part:
        """The part of a region's boundary that is no interface, or of that the pieces with one label."""
        part = self._outer(name, label)
        if not (part.faces or part.surfaces):
            raise BadInput(f"the boundary of the region '{name}' is all interface; take it with interface().")
        return part

    def _outer(self, name: str, label: str | None) -> Part:
        own = self[name]
        if label is not None and label not in own.labels:
            return Part(own)
        shape, span = shape_of(own), span_of(own)
        whole = own.boundary(label)
        parts = [shared(own, self[other]) for other in self.names if other != name]
        faces = tuple(face for face in whole.faces if all(face not in part.faces for part in parts))
        surfaces = whole.surfaces
        if any(part.surfaces for part in parts):
            outer = [piece for piece in shape.pieces if label in (None, piece.label)]
            for other in self.names:
                if other != name:
                    outer = [rest for piece in outer for rest in split(piece, shape_of(self[other]), along=False)]
            surfaces = tuple(dataclasses.replace(piece, span=span) for piece in outer)
            # a box whose side is an interface in part is bounded by pieces of its sides
            faces = tuple(face for face in faces if face.axis not in shape.axes)
        return Part(own, faces, surfaces)

    def _refuse_overlap(self) -> None:
        for (one, first), (two, second) in itertools.permutations(zip(self.names, self.domains, strict=True), 2):
            shape = shape_of(second)
            points = shape_of(first).sample(LOOKS, 0)
            inside = np.flatnonzero(shape.depth(points) > 1e-6 * shape.size)
            if len(inside):
                place = ", ".join(f"{axis}={values[inside[0]]:.3g}" for axis, values in points.items())
                raise BadInput(f"the regions '{one}' and '{two}' overlap, at {place}; subtract one from the other.")

    def _refuse_gaps(self) -> None:
        reached, todo = {self.names[0]}, [self.names[0]]
        while todo:
            fresh = set(self.neighbours(todo.pop())) - reached
            reached |= fresh
            todo += sorted(fresh)
        apart = [name for name in self.names if name not in reached]
        if apart:
            raise BadInput(
                f"the regions {listing(apart)} touch none of {listing(sorted(reached))}; regions must share interfaces "
                "exactly: use the same numbers on both sides."
            )


def shape_of(domain: Domain) -> Shape:
    shape = domain.shape if isinstance(domain, Product) else domain
    if not isinstance(shape, Shape):
        raise BadInput(f"a region must be a shape or a shape times further axes, but it is {shown(domain)}.")
    return shape


def span_of(domain: Domain) -> Box | None:
    return domain.box if isinstance(domain, Product) else None


def shared(first: Domain, second: Domain) -> Part:
    """Where two domains touch, as a part of the first; without faces and surfaces where they do not."""
    one, two = shape_of(first), shape_of(second)
    if isinstance(one, Box) and isinstance(two, Box):
        face = common_face(one, two)
        if face is not None:
            return Part(first, (face,))
    if len(one.axes) not in (2, 3):
        return Part(first)
    touching = [part for piece in one.pieces for part in split(piece, two, along=True)]
    return Part(first, (), tuple(dataclasses.replace(piece, span=span_of(first)) for piece in touching))


def common_face(one: Box, two: Box) -> Face | None:
    """The face of the first box that is a whole face of the second."""
    for axis in one.axes:
        same = all(
            np.allclose(one.ends(o), two.ends(o), rtol=0, atol=1e-12 * one.length(o)) for o in one.axes if o != axis
        )
        slack = 1e-12 * max(one.length(axis), two.length(axis))
        if same and abs(one.ends(axis)[1] - two.ends(axis)[0]) <= slack:
            return Face(axis, 1)
        if same and abs(one.ends(axis)[0] - two.ends(axis)[1]) <= slack:
            return Face(axis, 0)
    return None


def split(piece: Surface, other: Shape, along: bool) -> list[Surface]:
    """The parts of a piece that run along the boundary of another shape, or (`along` false) that do not."""

    def verdict(points: Points) -> np.ndarray:
        touching = np.zeros(len(points[piece.carrier.axes[0]]), dtype=bool)
        near = np.abs(other.depth(points)) <= ROUNDING * other.size
        for theirs in other.pieces if near.any() else ():
            touching |= theirs.carrier.holds(points, ROUNDING * other.size) & theirs.kept(points)
        return (touching == along).astype(float)

    if isinstance(curve := piece.carrier, Curve):
        parts = intervals(curve, other.depth, verdict, EQUAL * other.size)
        return [dataclasses.replace(piece, carrier=part) for part, found in parts if found]
    verdicts = verdict(piece.sample(LOOKS, 0))
    if 0 < np.mean(verdicts) < 1:
        raise BadInput(
            f"the piece '{piece.label}' is an interface in part; in space regions must share whole pieces: split the "
            "larger one."
        )
    return [piece] if verdicts.all() else []
