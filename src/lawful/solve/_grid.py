"""Nodes on the space axes of a box, with differentiation and interpolation."""

from __future__ import annotations

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..fields import chebyshev_grid, chebyshev_interpolate, fourier_grid, fourier_interpolate
from ..geometry import Box


class Line(eqx.Module):
    """The nodes of one axis: Chebyshev with both ends, or equispaced where the axis is periodic."""

    axis: str = eqx.field(static=True)
    count: int = eqx.field(static=True)
    periodic: bool = eqx.field(static=True)
    lower: float = eqx.field(static=True)
    upper: float = eqx.field(static=True)

    @property
    def nodes(self) -> Float[np.ndarray, " count"]:
        unit = (fourier_grid if self.periodic else chebyshev_grid)(self.count)[0]
        places = self.lower + (self.upper - self.lower) * (unit + 1) / 2
        if not self.periodic:
            places[[0, -1]] = (
                self.lower,
                self.upper,
            )  # exactly, so that boundary values are read at the boundary
        return places

    @property
    def matrix(self) -> Float[np.ndarray, "count count"]:
        unit = (fourier_grid if self.periodic else chebyshev_grid)(self.count)[1]
        return unit * (2 / (self.upper - self.lower))

    def interpolate(self, values: Float[Array, "count *rest"], place: Float[Array, ""]) -> Float[Array, "*rest"]:
        rule: Callable = fourier_interpolate if self.periodic else chebyshev_interpolate
        return rule(values, 2 * (place - self.lower) / (self.upper - self.lower) - 1)


class Grid(eqx.Module):
    """The tensor product of lines; without any it is a single point, so that an ODE is a PDE on no space."""

    lines: tuple[Line, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(line.count for line in self.lines)

    @property
    def axes(self) -> tuple[str, ...]:
        return tuple(line.axis for line in self.lines)

    def points(self) -> dict[str, Float[np.ndarray, "*grid"]]:
        meshes = np.meshgrid(*[line.nodes for line in self.lines], indexing="ij") if self.lines else []
        return dict(zip(self.axes, meshes, strict=True))

    def differentiate(self, values: Float[Array, "*grid"], axis: str) -> Float[Array, "*grid"]:
        place = self.axes.index(axis)
        return jnp.moveaxis(jnp.tensordot(self.lines[place].matrix, values, axes=(1, place)), 0, place)

    def interpolate(self, values: Float[Array, "*grid"], point: dict[str, Float[Array, ""]]) -> Float[Array, ""]:
        for line in self.lines:  # each pass consumes the first remaining axis
            values = line.interpolate(values, point[line.axis])
        return values


def make_grid(box: Box, march: str | None, counts: dict[str, int], periodic: tuple[str, ...]) -> Grid:
    """Lines for every axis but the one that is marched along."""
    return Grid(tuple(Line(a, counts[a], a in periodic, *box.ends(a)) for a in box.axes if a != march))
