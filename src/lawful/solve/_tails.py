"""How well steps and elements resolve a field: the last coefficients of their polynomials."""

from __future__ import annotations

import functools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._grid import Line
from ._radau import radau
from ._scheme import Scheme

SAFETY = 0.02  # the second derivative that is missing weighs more in a law than the coefficient itself
STEP_SAFETY = 0.05  # as do those of steps, and later ones carry earlier ones on
LARGEST = 4.0
SMALLEST = 0.3


@functools.cache
def legendre_rows(stages: int) -> Float[np.ndarray, "3 stages"]:
    """From the rates at the Radau points to the last three Legendre coefficients of the field's rise, per unit step."""
    points, weights = np.polynomial.legendre.leggauss(stages + 2)
    tables = radau(stages, 1)
    s = (points + 1) / 2
    basis = np.vander(s, stages, increasing=True) @ tables.powers.T  # (points, stages)
    legendre = np.polynomial.legendre.legvander(points, stages - 1)
    rates = (legendre * weights[:, None]).T @ basis * (np.arange(stages) + 0.5)[:, None]
    degrees = np.arange(stages)
    rise = np.zeros((stages + 1, stages))  # the integral of P_i is (P_(i+1) - P_(i-1)) / (2 i + 1), halved on [0, 1]
    rise[1:] += rates / (2 * (2 * degrees + 1))[:, None]
    rise[: stages - 1] -= rates[1:] / (2 * (2 * degrees[1:] + 1))[:, None]
    return rise[-3:]


def step_error(
    scheme: Scheme, state: dict[str, Array], highest: dict[str, Array], step: Float[Array, ""]
) -> Float[Array, ""]:
    """The error of a step in units of the field sizes, root mean square over the grid: what the next coefficient of
    the polynomial in time would be, continued from the last ones."""
    weights, worst = scheme.grid.weights(), jnp.zeros(())
    rows = legendre_rows(scheme.stages)
    for name, order in scheme.orders.items():
        if order != 1:
            continue
        size = jnp.maximum(scheme.sizes[name], jnp.max(jnp.abs(state[name])))
        coefficients = step * jnp.tensordot(rows, highest[name], 1) / size
        norms = jnp.sqrt(jnp.sum(weights * coefficients**2, axis=tuple(range(1, coefficients.ndim))))
        decay = jnp.sqrt(norms[2] / jnp.maximum(norms[0], 1e-300))
        worst = jnp.maximum(worst, norms[2] * jnp.clip(decay, 0.02, 1.0))
    return worst / STEP_SAFETY


def needs(
    scheme: Scheme, state: dict[str, Array], highest: dict[str, Array], tolerance: Float[Array, ""]
) -> tuple[Float[Array, " elements"], ...]:
    """For each line, how many elements each of its elements should be to resolve the fields to a tolerance."""
    found = []
    for place, line in enumerate(scheme.grid.lines):
        need = jnp.zeros(line.elements)
        for name, order in scheme.orders.items():
            values = state[name][0] if order else highest[name][-1]
            size = jnp.maximum(scheme.sizes[name], jnp.max(jnp.abs(values)))
            need = jnp.maximum(need, needed(line, jnp.moveaxis(values / size, place, 0), tolerance * SAFETY))
        found.append(need)
    return tuple(found)


def needed(line: Line, values: Float[Array, "size *rest"], tolerance: Float[Array, ""]) -> Float[Array, " elements"]:
    """Coefficients of a field that is smooth across an element decay like exp(-c k), with c about proportional to the
    inverse width: an element whose last coefficient is the square root of what is asked for must be two.

    Narrow elements may be less accurate, as their share of the mean square is small.
    """
    size = jnp.abs(line.coefficients(values))
    size = jnp.max(size.reshape(*size.shape[:2], -1), axis=2)
    last = max(2, line.count // 8)
    tail = jnp.max(size[:, -last:], axis=1)
    whole = jnp.maximum(jnp.max(size[:, 1:], axis=1), tail)
    share = jnp.sqrt(line.elements * line.widths / (line.edges[-1] - line.edges[0]))
    goal = tolerance / jnp.clip(share, 1e-3, 1.0)
    decades = jnp.log(jnp.maximum(whole / goal, 1.0))
    had = jnp.log(jnp.maximum(whole / jnp.maximum(tail, 1e-300), 1.05))
    return jnp.clip(decades / had, SMALLEST, LARGEST)
