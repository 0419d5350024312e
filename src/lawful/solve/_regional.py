"""All at once on several regions: a trial field in each, tied together where they touch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput
from ..fields import Trial
from ..geometry import Part, Regions, together
from ..problem import Interface, Model, Problem, interfaces, within
from ._layers import interface_size
from ._neural import Neural, NeuralTask, neural_task
from ._observations import Noise, Observation, noise_of, observations
from ._pointwise import PointwiseTask, Rows
from ._sampling import Fixed
from ._scaling import Sizes, sizes, sizes_within
from ._task import Hyper, Layout, layout

Points = dict[str, Float[np.ndarray, " points"]]

ON_INTERFACE = 128
"""Points at which the two sides are compared."""


class Seam(eqx.Module):
    """An interface as the fit meets it: which two regions, where, the normals out of the first, a typical size."""

    interface: Interface
    pair: tuple[int, int] = eqx.field(static=True)
    places: Points
    normals: Points
    size: Float[np.ndarray, ""]


class RegionalTask(PointwiseTask):
    """The rows of every region's own task, and of the interfaces; unknowns and data are common to all."""

    problem: Problem
    layout: Layout
    observed: tuple[Observation, ...]
    noise: Noise
    parts: tuple[NeuralTask, ...]
    seams: tuple[Seam, ...]
    start: Float[np.ndarray, " n"]
    sizes: Sizes
    finest: float

    @property
    def trial(self) -> Trial:
        return self.parts[0].trial

    def terms(self) -> dict[str, int]:
        named = zip(self.regions.names, self.parts, strict=True)
        counts = {f"{name}, {region}": rows for region, part in named for name, rows in part.terms().items()}
        return counts | {f"condition: {s.interface}": len(next(iter(s.places.values()))) for s in self.seams}

    def places_of(self, block: str) -> Mapping[str, np.ndarray]:
        for region, part in zip(self.regions.names, self.parts, strict=True):
            if block.endswith(f", {region}"):
                return part.places_of(block.removesuffix(f", {region}"))
        found = {f"condition: {s.interface}": s.places for s in self.seams}
        return found.get(block) or super().places_of(block)

    @property
    def regions(self) -> Regions:
        assert isinstance(self.problem.domain, Regions)
        return self.problem.domain

    def own(self, x: Float[Array, " n"], index: int) -> Float[Array, " k"]:
        """The numbers of one region: those of its trial field, and the unknowns of all."""
        counts = [part.layout.field_count for part in self.parts]
        begin = sum(counts[:index])
        return jnp.concatenate([x[begin : begin + counts[index]], x[self.layout.field_count :]])

    def model(self, x: Float[Array, " n"]) -> Model:
        fields = tuple(part.model(self.own(x, i)).fields for i, part in enumerate(self.parts))
        return Model(self.problem, RegionalFields(self.regions, fields), self.layout.raw(x))

    def rows(self, hyper: Hyper) -> Iterator[Rows]:
        for i, part in enumerate(self.parts):
            for row, batch in part.law_and_condition_rows(hyper):
                yield self.of_own(row, i), batch
        for seam in self.seams:
            yield self.seam_rows(seam, hyper)
        yield from self.data_rows_of(hyper)

    def of_own(self, row: Callable, index: int) -> Callable:
        return lambda x, item: row(self.own(x, index), item)

    def seam_rows(self, seam: Seam, hyper: Hyper) -> Rows:
        share = hyper.weight / np.sqrt(len(next(iter(seam.places.values()))))
        first, second = seam.pair

        def row(x, batch):
            point, normal = batch
            one, two = (
                seam.interface.value(self.parts[i].model(self.own(x, i)), point, normal) for i in (first, second)
            )
            return ((one - two) * share / seam.size)[None]

        return row, (seam.places, seam.normals)


class RegionalFields(eqx.Module):
    """The fields of the region that a point lies in."""

    regions: Regions
    fields: tuple[Callable[..., dict[str, Float[Array, ""]]], ...]

    def __call__(self, **point: Float[Array, ""]) -> dict[str, Float[Array, ""]]:
        place = self.regions.index(**point)
        values = []
        for i, (domain, fields) in enumerate(zip(self.regions.domains, self.fields, strict=True)):
            # A field of another region is asked at a point of its own, where nothing can be singular.
            safe = {axis: at[0] for axis, at in domain.sample(1, 0).items()}
            values.append(fields(**{axis: jnp.where(place == i, point[axis], safe[axis]) for axis in point}))
        return {name: jnp.stack([each[name] for each in values])[place] for name in values[0]}


def regional_task(problem: Problem, method: Neural) -> RegionalTask:
    regions = problem.domain
    assert isinstance(regions, Regions)
    for name, given in {"sampling": method.sampling, "emphasis": method.emphasis}.items():
        if given is not None and not isinstance(given, Fixed):
            raise BadInput(f"Neural on several regions keeps its points and their emphasis; leave out {name}=...")
    if method.continuation is not None:
        raise BadInput("Neural on several regions cannot change a constant as it goes; leave out continuation=...")
    whole = sizes(problem)
    problems = [within(problem, name) for name in regions.names]
    parts = tuple(
        neural_task(
            each, dataclasses.replace(method, seed=method.seed + i, sampling=Fixed()), sizes_within(each, whole)
        )
        for i, each in enumerate(problems)
    )
    arrangement = layout(problem, sum(part.layout.field_count for part in parts))
    found = observations(problem)
    starts = [part.start[: part.layout.field_count] for part in parts]
    return RegionalTask(
        problem=problem,
        layout=arrangement,
        observed=found,
        noise=noise_of(found),
        parts=parts,
        seams=tuple(seam(problem, each, whole, method.seed) for each in interfaces(problem)),
        start=np.concatenate([*starts, np.zeros(arrangement.unknown_count)]),
        sizes=whole,
        finest=parts[0].finest,
    )


def seam(problem: Problem, interface: Interface, scale: Sizes, seed: int) -> Seam:
    regions = problem.domain
    assert isinstance(regions, Regions)
    pair = regions.names.index(interface.first), regions.names.index(interface.second)
    places, normals = with_normals(interface.part, seed)
    typical = {axis: np.sqrt(np.mean(values**2)) for axis, values in normals.items()}
    return Seam(interface, pair, places, normals, np.asarray(interface_size(problem, interface, typical, scale)))


def with_normals(part: Part, seed: int) -> tuple[Points, Points]:
    """Points of a part of a boundary, and the outward normals there, on ends of axes as on pieces of shapes."""
    count = 1 if len(part.domain.axes) == 1 else ON_INTERFACE
    places, normals = [], []
    for face in part.faces:
        points = Part(part.domain, (face,)).sample(count, seed + 1)
        places.append(points)
        outward = np.full(len(points[face.axis]), 1.0 if face.side else -1.0)
        normals.append({axis: outward if axis == face.axis else np.zeros_like(outward) for axis in part.domain.axes})
    for i, surface in enumerate(part.surfaces):
        points = surface.sample(count, seed + i + 1)
        flat = np.zeros(count)
        places.append(points)
        normals.append({**dict.fromkeys(part.domain.axes, flat), **surface.normal(points)})
    return together(places), together(normals)
