"""Nodes on the space axes of a box, with differentiation and interpolation."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..fields import (
    chebyshev_coefficients,
    chebyshev_derivative,
    chebyshev_grid,
    chebyshev_interpolate,
    fourier_coefficients,
    fourier_derivative,
    fourier_grid,
    fourier_interpolate,
)


class Line(eqx.Module):
    """The nodes of one axis: `count` Chebyshev nodes on each element, or equispaced ones on a single periodic element.

    Neighbouring elements have a node each at the joint, so that a field is stored as (elements count) values and every
    element is differentiated by itself; the solver makes the two values equal, and the derivatives that the law needs.
    """

    axis: str = eqx.field(static=True)
    count: int = eqx.field(static=True)
    periodic: bool = eqx.field(static=True)
    edges: Float[np.ndarray, " elements+1"]
    borders: tuple[float, ...] = eqx.field(static=True, default=())
    """Edges that stay where they are when elements are placed anew: where regions touch."""

    @property
    def elements(self) -> int:
        return self.edges.shape[0] - 1

    @property
    def size(self) -> int:
        return self.elements * self.count

    @property
    def fourier(self) -> bool:
        """Trigonometric on the whole axis rather than piecewise polynomial."""
        return self.periodic and self.elements == 1

    @property
    def widths(self) -> Float[Array, " elements"]:
        return jnp.asarray(self.edges[1:] - self.edges[:-1])

    @property
    def nodes(self) -> Float[Array, " size"]:
        unit = (fourier_grid if self.fourier else chebyshev_grid)(self.count)[0]
        edges = jnp.asarray(self.edges)
        places = edges[:-1, None] + self.widths[:, None] * (unit + 1) / 2
        if not self.fourier:  # exactly, so that boundary values are read at the boundary
            places = places.at[:, 0].set(edges[:-1]).at[:, -1].set(edges[1:])
        return places.ravel()

    def derivative(self, order: int) -> Float[np.ndarray, "count count"]:
        """The differentiation matrix on an element of length 2."""
        return (fourier_derivative if self.fourier else chebyshev_derivative)(self.count, order)

    def differentiate(self, values: Float[Array, "size *rest"], order: int) -> Float[Array, "size *rest"]:
        pieces = values.reshape(self.elements, self.count, -1)
        found = jnp.einsum("ij,ejr->eir", self.derivative(order), pieces)
        return (found * ((2 / self.widths) ** order)[:, None, None]).reshape(values.shape)

    def locate(self, place: Float[Array, ""]) -> tuple[Array, Float[Array, ""]]:
        """Where the values of the element at a place begin, and the place in it, on [-1, 1]."""
        edges = jnp.asarray(self.edges)
        index = jnp.searchsorted(edges, jax.lax.stop_gradient(place), side="right") - 1
        index = jnp.clip(index, 0, self.elements - 1)
        lower, upper = edges[index], edges[index + 1]
        return index * self.count, 2 * (place - lower) / (upper - lower) - 1

    def interpolate(self, values: Float[Array, "count *rest"], xi: Float[Array, ""]) -> Float[Array, "*rest"]:
        """From the values of one element, at a place in it."""
        rule: Callable = fourier_interpolate if self.fourier else chebyshev_interpolate
        return rule(values, xi)

    def coefficients(self, values: Float[Array, "size *rest"]) -> Float[Array, "elements count *rest"]:
        """Of Chebyshev polynomials or sines and cosines, on each element."""
        matrix = (fourier_coefficients if self.fourier else chebyshev_coefficients)(self.count)
        return jnp.einsum("ij,ej...->ei...", matrix, values.reshape(self.elements, self.count, *values.shape[1:]))

    def finer(self, share: float = 0.5) -> Line:
        """Half as many nodes again on every element, or another share."""
        return dataclasses.replace(self, count=self.count + int(share * self.count))


class Grid(eqx.Module):
    """The tensor product of lines; without any it is a single point, so that an ODE is a PDE on no space."""

    lines: tuple[Line, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(line.size for line in self.lines)

    @property
    def axes(self) -> tuple[str, ...]:
        return tuple(line.axis for line in self.lines)

    def points(self) -> dict[str, Float[Array, "*grid"]]:
        meshes = jnp.meshgrid(*[line.nodes for line in self.lines], indexing="ij") if self.lines else []
        return dict(zip(self.axes, meshes, strict=True))

    def differentiate(self, values: Float[Array, "*grid"], axis: str, order: int = 1) -> Float[Array, "*grid"]:
        place = self.axes.index(axis)
        found = self.lines[place].differentiate(jnp.moveaxis(values, place, 0), order)
        return jnp.moveaxis(found, 0, place)

    def interpolate(
        self, values: Float[Array, "*lead *grid"], point: Mapping[str, Float[Array, ""]], lead: Array | None = None
    ) -> Float[Array, "*rest"]:
        """The field at a point; with `lead` its rows at that index of the first axis, (*rows,).

        Only the element that the point lies in is read: many points at once need little memory.
        """
        places = [line.locate(point[line.axis]) for line in self.lines]
        rows = values.shape[: values.ndim - len(self.lines)]
        starts = [*([] if lead is None else [lead]), *[0] * (len(rows) - (lead is not None)), *[s for s, _ in places]]
        sizes = [*([] if lead is None else [1]), *rows[lead is not None :], *[line.count for line in self.lines]]
        starts = [jnp.asarray(s, jnp.int32) for s in starts]
        window = jax.lax.dynamic_slice(jnp.asarray(values), starts, sizes) if sizes else values
        window = window if lead is None else window[0]
        ahead = window.ndim - len(self.lines)
        for line, (_, xi) in zip(self.lines, places, strict=True):  # each pass consumes the first remaining axis
            window = line.interpolate(jnp.moveaxis(window, ahead, 0), xi)
        return window

    def weights(self) -> Float[Array, "*grid"]:
        """The share of the domain that each node stands for, for means over the grid."""
        found = jnp.ones(())
        for line in self.lines:
            share = jnp.repeat(line.widths / (line.edges[-1] - line.edges[0]) / line.count, line.count)
            found = found[..., None] * share
        return found

    def finer(self) -> Grid:
        """More nodes on every line: a quarter on several axes, where work grows with the cube of their product."""
        return Grid(tuple(line.finer(0.5 if len(self.lines) == 1 else 0.25) for line in self.lines))
