"""A found field with its pointwise band."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from .._core.estimates import Estimate, plain
from .._core.messages import BadInput, listing
from .._core.precision import in_float64
from ..geometry import Domain
from ..problem import Unknown, axes_of, field_value, shares

TOLD = {1: 41, 2: 21}  # places on each axis that JSON and text tell of; 7 beyond two axes


@dataclass(frozen=True)
class FieldEstimate:
    """An unknown field D(x) or D(x, y): `D(x=..., y=...)` is an `Estimate` with the values and their pointwise standard
    deviations, arrays broadcast.

    `covariance` is that of the raw modes; bands come from it to first order.
    """

    name: str
    domain: Domain = field(repr=False)
    unknown: Unknown = field(repr=False)
    raw: Float[np.ndarray, " modes"] = field(repr=False)
    covariance: Float[np.ndarray, "modes modes"] = field(repr=False)
    dof: float = float("inf")

    @property
    def axes(self) -> tuple[str, ...]:
        return axes_of(self.unknown)

    @in_float64
    def __call__(self, **place: Float[np.ndarray, "..."] | float) -> Estimate:
        if set(place) != set(self.axes):
            call = ", ".join(f"{axis}=..." for axis in self.axes)
            raise BadInput(
                f"'{self.name}' is a function of {listing(self.axes)}; write solution['{self.name}']({call})."
            )
        places = np.broadcast_arrays(*[np.asarray(place[axis], dtype=float) for axis in self.axes])
        flat = {axis: jnp.asarray(values.ravel()) for axis, values in zip(self.axes, places, strict=True)}
        found, slopes = jax.vmap(jax.value_and_grad(self.of_raw), in_axes=(None, 0))(jnp.asarray(self.raw), flat)
        variance = jnp.einsum("ni,ni->n", slopes @ self.covariance, slopes)
        shape = places[0].shape
        return Estimate(
            self.name, np.asarray(found).reshape(shape), np.asarray(jnp.sqrt(variance)).reshape(shape), self.dof
        )

    def of_raw(self, raw: Float[jax.Array, " modes"], place: Mapping[str, jax.Array]) -> Float[jax.Array, ""]:
        return field_value(self.unknown, raw, shares(self.domain.ends, self.axes, place))

    def line(self, count: int = 101) -> tuple[Float[np.ndarray, " n"], Estimate]:
        """Regular places along the axis, and the estimate there; for a field of one axis."""
        lines, found = self.grid(count)
        if len(lines) > 1:
            raise BadInput(f"'{self.name}' is a function of {listing(self.axes)}; write .grid(count) for its map.")
        return next(iter(lines.values())), found

    def grid(self, count: int = 101) -> tuple[dict[str, Float[np.ndarray, " n"]], Estimate]:
        """Regular places along every axis, and the estimate on their grid, NaN outside a shape."""
        lines = {axis: np.linspace(*self.domain.ends(axis), count) for axis in self.axes}
        places = dict(zip(lines, np.meshgrid(*lines.values(), indexing="ij"), strict=True))
        found, inside = self(**places), self.inside(places)
        values, sds = (np.where(inside, each, np.nan) for each in (found.value, found.sd))
        return lines, Estimate(self.name, values, sds, self.dof)

    def inside(self, places: dict[str, Float[np.ndarray, "..."]]) -> Bool[np.ndarray, "..."]:
        """Which places lie in the domain, as far as the field's own axes tell."""
        shape = next(iter(places.values())).shape
        if set(self.axes) != set(self.domain.axes):
            return np.ones(shape, dtype=bool)
        return self.domain.contains({axis: values.ravel() for axis, values in places.items()}).reshape(shape)

    def law(self):
        """The found field as a function of its axes, for use as a derived quantity of another problem."""
        raw = np.asarray(self.raw)

        def value(**place):
            return self.of_raw(jnp.asarray(raw), place)  # made an array of JAX where its precision is known

        value.__signature__ = inspect.Signature(
            [inspect.Parameter(axis, inspect.Parameter.KEYWORD_ONLY) for axis in self.axes]
        )
        return value

    def told(self) -> tuple[dict[str, Float[np.ndarray, " n"]], Estimate]:
        return self.grid(TOLD.get(len(self.axes), 7))

    def __str__(self) -> str:
        _, found = self.told()
        low, high = float(np.nanmin(found.value)), float(np.nanmax(found.value))
        return (
            f"between {low:.4g} and {high:.4g} over {listing(self.axes)}, band ± {float(np.nanmin(found.sd)):.2g} to"
            f" {float(np.nanmax(found.sd)):.2g}"
        )

    def to_json(self) -> dict:
        lines, found = self.told()
        return {**{axis: plain(places) for axis, places in lines.items()}, **found.to_json()}
