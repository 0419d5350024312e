"""A found field with its pointwise band."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .._core.estimates import Estimate, plain
from .._core.messages import BadInput
from .._core.precision import in_float64
from ..problem import Unknown, field_value


@dataclass(frozen=True)
class FieldEstimate:
    """An unknown field D(x): `D(x=...)` is an `Estimate` with the values and their pointwise standard deviations.

    `covariance` is that of the raw modes; bands come from it to first order.
    """

    name: str
    axis: str
    ends: tuple[float, float]
    unknown: Unknown = field(repr=False)
    raw: Float[np.ndarray, " modes"] = field(repr=False)
    covariance: Float[np.ndarray, "modes modes"] = field(repr=False)
    dof: float = float("inf")

    @in_float64
    def __call__(self, **place: Float[np.ndarray, "..."] | float) -> Estimate:
        if set(place) != {self.axis}:
            raise BadInput(
                f"'{self.name}' is a function of {self.axis}; write solution['{self.name}']({self.axis}=...)."
            )
        where = np.asarray(place[self.axis], dtype=float)
        share = jnp.asarray((where.ravel() - self.ends[0]) / (self.ends[1] - self.ends[0]))
        values, slopes = jax.vmap(
            jax.value_and_grad(lambda raw, s: field_value(self.unknown, raw, s)), in_axes=(None, 0)
        )(jnp.asarray(self.raw), share)
        sd = jnp.sqrt(jnp.einsum("ni,ij,nj->n", slopes, self.covariance, slopes))
        return Estimate(
            self.name, np.asarray(values).reshape(where.shape), np.asarray(sd).reshape(where.shape), self.dof
        )

    def line(self, count: int = 101) -> tuple[Float[np.ndarray, " n"], Estimate]:
        """Regular places along the axis, and the estimate there."""
        places = np.linspace(*self.ends, count)
        return places, self(**{self.axis: places})

    def law(self):
        """The found field as a function of its axis, for use as a derived quantity of another problem."""
        raw, low, length = np.asarray(self.raw), self.ends[0], self.ends[1] - self.ends[0]

        def value(**place):
            return field_value(self.unknown, raw, (place[self.axis] - low) / length)

        value.__signature__ = inspect.Signature([inspect.Parameter(self.axis, inspect.Parameter.KEYWORD_ONLY)])
        return value

    def __str__(self) -> str:
        _, found = self.line(41)
        low, high = float(np.min(found.value)), float(np.max(found.value))
        return (
            f"between {low:.4g} and {high:.4g} over {self.axis}, band ± {float(np.min(found.sd)):.2g} to"
            f" {float(np.max(found.sd)):.2g}"
        )

    def to_json(self) -> dict:
        places, found = self.line(41)
        return {self.axis: plain(places), **found.to_json()}
