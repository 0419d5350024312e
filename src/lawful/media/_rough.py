"""What is thought of a field before it is measured: rough, with edges anywhere."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from .._core.messages import BadInput, shown
from .._core.numbers import is_positive


@dataclass(frozen=True)
class Rough:
    """A random field on nx x ny nodes with covariance spread^2 exp(-distance / reach), as a sum of cosines.

        field(x, y) = scale(x, y) sum_kl a_kl w_kl cos(pi k x / Lx) cos(pi l y / Ly),
        a_kl^2 ~ (1 + reach^2 ((pi k / Lx)^2 + (pi l / Ly)^2))^(-3/2),   w independent, of variance 1

    That covariance is also the one of a mosaic of pieces whose edges lie anywhere, about `reach` across: such a field
    has details of every size. Cosines of up to `details` half waves a side are to be looked for, finer ones are left
    out, and their variance is told. `scale` makes the variance spread^2 at every node, edges and corners included.

    Source: P. Whittle, Biometrika 41, 434 (1954), for the spectrum.
    """

    shape: tuple[int, int]
    spacing: float
    details: int
    spread: float
    reach: float

    def __post_init__(self):
        nx, ny = self.shape
        if not (isinstance(self.details, int) and 2 <= self.details < min(nx, ny)):
            raise BadInput(
                f"details={shown(self.details)}: give a whole number of half waves from 2 to {min(nx, ny) - 1}, fewer"
                " than nodes along an axis."
            )
        for name, value in (("spread", self.spread), ("reach", self.reach)):
            if not is_positive(value):
                raise BadInput(f"{name}={shown(value)}; it must be positive and finite.")

    @functools.cached_property
    def cosines(self) -> list[Float[np.ndarray, "n n"]]:
        """Along each axis, by node and number of half waves."""
        return [
            np.cos(np.pi * np.linspace(0, 1, n)[:, None] * np.arange(n)) * np.where(np.arange(n), np.sqrt(2), 1.0)
            for n in self.shape
        ]

    @functools.cached_property
    def waves(self) -> Float[np.ndarray, "kx ky"]:
        """Half waves to a metre of each cosine."""
        x, y = (np.arange(n) / ((n - 1) * self.spacing) for n in self.shape)
        return np.hypot(x[:, None], y)

    @functools.cached_property
    def amplitudes(self) -> Float[np.ndarray, "kx ky"]:
        return (1 + (np.pi * self.reach * self.waves) ** 2) ** -0.75

    @functools.cached_property
    def scale(self) -> Float[np.ndarray, "nx ny"]:
        one, other = self.cosines
        return self.spread / np.sqrt(one**2 @ self.amplitudes**2 @ (other**2).T)

    @functools.cached_property
    def kept(self) -> Bool[np.ndarray, "kx ky"]:
        return self.waves <= self.details / ((max(self.shape) - 1) * self.spacing) * (1 + 1e-9)

    @functools.cached_property
    def basis(self) -> Float[np.ndarray, "nodes weights"]:
        """What every weight of variance 1 does to the field."""
        (i, j), (one, other) = np.nonzero(self.kept), self.cosines
        waves = one[:, None, i] * other[None, :, j] * (self.scale[:, :, None] * self.amplitudes[i, j])
        return waves.reshape(-1, len(i))

    def left_out(self) -> Float[np.ndarray, "nx ny"]:
        """The variance at every node that the basis cannot show."""
        return np.maximum(self.spread**2 - np.sum(self.basis**2, axis=1).reshape(self.shape), 0.0)

    def left_out_of(self, average: Float[np.ndarray, "nx ny"]) -> float:
        """The same of an average with these weights, where most of it cancels."""
        one, other = self.cosines
        parts = self.amplitudes * (one.T @ (average * self.scale) @ other)
        return float(np.sum(parts[~self.kept] ** 2))
