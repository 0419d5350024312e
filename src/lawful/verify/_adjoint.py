"""The discretisation error of a quantity of interest by the residual, weighted with an adjoint solution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.precision import in_float64


@dataclass(frozen=True)
class QuantityError:
    """error        estimate of J(better solution) - J(this solution).
    contributions   what each cell or equation adds to it; their sum is the error.
    value           J of this solution.
    """

    error: float
    contributions: Float[np.ndarray, " cells"]
    value: float

    @property
    def worst(self) -> int:
        """The cell that adds most: where to refine first."""
        return int(np.argmax(np.abs(self.contributions)))


@in_float64
def weighted_residual(quantity: Callable[[Float[Array, " cells"]], Float[Array, ""]], cells: int) -> QuantityError:
    """From J as a function of the share of the residual that is forgiven in each cell: 1 everywhere gives this
    solution, 0 everywhere the better one. The derivative, taken backwards, is the adjoint-weighted residual:

        J(0) - J(1) = -sum_c dJ/ds_c   to first order.
    """
    value, slopes = jax.value_and_grad(quantity)(jnp.ones(cells))
    parts = -np.asarray(slopes)
    return QuantityError(float(np.sum(parts)), parts, float(value))


@in_float64
def adjoint_error(
    residual: Callable[[Float[Array, " n"]], Float[Array, " n"]],
    quantity: Callable[[Float[Array, " n"]], Float[Array, ""]],
    here: Float[np.ndarray, " n"],
) -> QuantityError:
    """For a discrete system R(u) = 0 of one's own, written in JAX: how far J(here) is from J at the root.

        R'(u)' z = J'(u)',    J(root) - J(here) = -z . R(here)   to first order.

    `here` is usually the solution of a coarse mesh, carried over to the mesh of R. `contributions` says which equations
    the error comes from. Source: Becker and Rannacher, Acta Numerica 10, 1 (2001); Venditti and Darmofal, J. Comput.
    Phys. 164, 204 (2000), for the discrete form.
    """
    u = jnp.asarray(here)
    rows, matrix = residual(u), jax.jacfwd(residual)(u)
    value, slope = jax.value_and_grad(quantity)(u)
    parts = -np.asarray(jnp.linalg.solve(matrix.T, slope) * rows)
    return QuantityError(float(np.sum(parts)), parts, float(value))
