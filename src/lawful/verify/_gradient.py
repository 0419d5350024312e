"""Is the gradient that of the function? A check that refuses, and says where."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from .._core.messages import BadInput, NotTrusted, shown
from .._core.precision import in_float64

DIRECTIONS = 4  # random ones along which everything is checked at once
MOST_ENTRIES = 64  # entries that are looked at one by one, to say where a gradient is wrong
STEPS = 10.0 ** -np.arange(1, 9)
TOLERANCE = 1e-6


@dataclass(frozen=True)
class GradientCheck:
    """What came of the check.

    error    largest relative difference between the gradient and differences along random directions.
    doubt    how far the differences themselves are uncertain, in the same unit.
    order    by how the remainder |f(x + h v) - f(x) - h g v| falls with h: 2 for a right gradient of a smooth
             function, 1 for a wrong one; NaN where the function is linear along v.
    where    the entries at which the gradient is wrong, worst first: (name, gradient, difference).
    """

    passed: bool
    error: float
    doubt: float
    order: float
    where: tuple[tuple[str, float, float], ...]
    reason: str

    def __str__(self) -> str:
        lines = [self.reason]
        lines += [f"  {name}: gradient {g:.8g}, differences {d:.8g}" for name, g, d in self.where[:8]]
        return "\n".join(lines)


@in_float64
def check_gradient(
    function: Callable[[Any], Any],
    at: Any,
    gradient: Callable[[Any], Any] | None = None,
    *,
    tolerance: float = TOLERANCE,
    seed: int = 0,
    refuse: bool = True,
) -> GradientCheck:
    """Hold the gradient of a function against differences of its values.

        |f(x + h v) - f(x) - h g(x) v| = O(h^2)    along random directions v, and g v = lim (f(x + h v) - f(x - h v)) /
        2h

    function   takes one argument (a number, an array, or any tree of them) and returns a number; of an array that it
               returns a random combination is checked.
    at         where; away from kinks.
    gradient   of the function at a place, in the form of its argument; by default that of JAX.
    tolerance  relative, of the directional derivative; raised where the differences are less certain than that.
    refuse     raise `NotTrusted` where the check fails; False returns the record in any case.

    The limit is found by extrapolation over steps from 0.1 to 1e-8 of the size of x, whose own scatter is the doubt, so
    that a function which is merely rough is not called wrong. Where a gradient is wrong, up to 64 entries are compared
    one by one. Raises `BadInput` where the function has no finite value there. Source: Ridders, Adv. Eng. Softw. 4, 75
    (1982), for the extrapolation.
    """
    x, unravel = ravel_pytree(jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype=float), at))
    names = entry_names(at)
    scalar = scalar_of(function, unravel, x, seed)
    value = float(scalar(x))
    if not math.isfinite(value):
        raise BadInput(f"check_gradient: the function is {value} at {shown(at)}; give a place where it is finite.")
    g = gradient_at(scalar, gradient, unravel, x)
    if not np.all(np.isfinite(g)):
        bad = int(np.flatnonzero(~np.isfinite(g))[0])
        where = ((names[bad], float(g[bad]), difference(scalar, x, unit(len(g), bad))[0]),)
        why = f"the gradient is {g[bad]} at {names[bad]}, where the function is finite"
        return concluded(GradientCheck(False, math.inf, 0.0, math.nan, where, why), refuse)
    rng = np.random.default_rng(seed)
    seen = [along(scalar, x, g, rng.normal(size=len(g))) for _ in range(DIRECTIONS)]
    errors, doubts, orders = (np.array(column) for column in zip(*seen, strict=True))
    worst = int(np.argmax(errors - doubts))
    error, doubt = float(errors[worst]), float(doubts[worst])
    known = orders[np.isfinite(orders)]
    order = float(np.median(known)) if known.size else math.nan
    if error <= max(tolerance, 3 * doubt) and doubt < 1e-2:
        why = (
            f"the gradient is right: it agrees with differences to {max(error, 1e-16):.1e} (they are certain to"
            f" {doubt:.1e})"
        )
        return GradientCheck(True, error, doubt, order, (), why)
    if doubt >= 1e-2:
        why = (
            f"differences of the function do not converge (they scatter by {doubt:.1e}): it is not differentiable here,"
            " or is computed with too few digits"
        )
        return concluded(GradientCheck(False, error, doubt, order, (), why), refuse)
    where = wrong_entries(scalar, x, g, names, tolerance)
    kink = next((name for name in where if kinked(scalar, x, names.index(name[0]))), None)
    if kink is not None:
        why = f"the function has a kink at {kink[0]}: its slopes on the two sides differ, so that there is no gradient"
        return concluded(GradientCheck(False, error, doubt, order, where, why), refuse)
    listed = f"; first of all at {where[0][0]}" if where else ""
    why = f"the gradient is wrong: it differs from differences by {error:.1e}, which are certain to {doubt:.1e}{listed}"
    return concluded(GradientCheck(False, error, doubt, order, where, why), refuse)


def concluded(found: GradientCheck, refuse: bool) -> GradientCheck:
    if refuse and not found.passed:
        raise NotTrusted(f"check_gradient: {found}")
    return found


def scalar_of(function: Callable, unravel: Callable, x, seed: int) -> Callable:
    """The function of a vector, to one number: of several values a fixed random combination, so that none cancels."""
    shape = jax.eval_shape(lambda v: ravel_pytree(function(unravel(v)))[0], x).shape
    weights = np.ones(1) if shape == (1,) else np.random.default_rng(seed + 1).normal(size=shape)
    return lambda v: jnp.dot(jnp.asarray(weights), ravel_pytree(function(unravel(v)))[0])


def gradient_at(scalar: Callable, gradient: Callable | None, unravel: Callable, x) -> np.ndarray:
    if gradient is None:
        return np.asarray(jax.grad(scalar)(x))
    given = ravel_pytree(jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype=float), gradient(unravel(x))))[0]
    if given.shape != x.shape:
        raise BadInput(
            f"check_gradient: the gradient has {given.size} entries, but the argument has {x.size}; it must have the"
            " form of the argument, of a function that returns one number."
        )
    return np.asarray(given)


def along(scalar: Callable, x, g: np.ndarray, direction: np.ndarray) -> tuple[float, float, float]:
    """Relative error of the gradient along a direction, the doubt in it, and the order of the remainder."""
    v = direction * np.maximum(np.abs(np.asarray(x)), 1e-3 * max(float(np.max(np.abs(np.asarray(x)))), 1.0))
    v = v / np.linalg.norm(direction)
    slope, doubt = difference(scalar, x, v)
    mine = float(g @ v)
    scale = max(abs(slope), abs(mine), float(np.linalg.norm(g * v)), 1e-300)
    return abs(mine - slope) / scale, doubt / scale, remainder_order(scalar, x, v, mine)


def difference(scalar: Callable, x, v: np.ndarray) -> tuple[float, float]:
    """The derivative along v by central differences, extrapolated, and how far two neighbouring answers differ."""
    step = jnp.asarray(v)
    rows = [np.array([float((scalar(x + h * step) - scalar(x - h * step)) / (2 * h)) for h in STEPS])]
    best, doubt = float(rows[0][0]), math.inf
    for power in (2, 4):  # the errors of central differences are even powers of the step
        previous = rows[-1]
        rows.append(previous[1:] + (previous[1:] - previous[:-1]) / (10.0**power - 1))
    for row in rows:
        for one, other in zip(row[1:], row[:-1], strict=True):
            if abs(one - other) < doubt:
                best, doubt = float(one), abs(float(one - other))
    rounding = 1e-15 * abs(best)
    return best, max(doubt, rounding) if math.isfinite(doubt) else math.inf


def remainder_order(scalar: Callable, x, v: np.ndarray, slope: float) -> float:
    """The exponent with which f(x + h v) - f(x) - h slope falls, over steps of 0.1 to 1e-3; NaN at rounding."""
    value, step = float(scalar(x)), jnp.asarray(v)
    steps = np.array([1e-1, 1e-2, 1e-3])
    left = np.array([abs(float(scalar(x + h * step)) - value - h * slope) for h in steps])
    floor = 1e-13 * max(abs(value), abs(slope))
    known = left > 10 * floor
    if known.sum() < 2:
        return math.nan
    return float(np.polyfit(np.log(steps[known]), np.log(left[known]), 1)[0])


def wrong_entries(scalar: Callable, x, g: np.ndarray, names: list[str], tolerance: float) -> tuple:
    """Entries one by one, those of the largest gradient first, worst first."""
    chosen = np.argsort(-np.abs(g), kind="stable")[: MOST_ENTRIES // 2]
    others = np.setdiff1d(np.arange(len(g)), chosen)
    chosen = np.concatenate([chosen, np.random.default_rng(2).permutation(others)[: MOST_ENTRIES - len(chosen)]])
    found = []
    for entry in chosen:
        size = max(abs(float(x[entry])), 1e-3)
        slope, doubt = difference(scalar, x, size * unit(len(g), int(entry)))
        slope, doubt = slope / size, doubt / size
        if abs(g[entry] - slope) > max(tolerance * max(abs(slope), abs(g[entry])), 3 * doubt, 1e-12):
            found.append((names[entry], float(g[entry]), slope))
    return tuple(sorted(found, key=lambda row: -abs(row[1] - row[2])))


def kinked(scalar: Callable, x, entry: int) -> bool:
    """Whether the slopes on the two sides of a place differ, by as much however close one looks."""
    v, value = jnp.asarray(unit(x.size, entry)) * max(abs(float(x[entry])), 1.0), float(scalar(x))
    jumps = []
    for h in (1e-4, 1e-6):
        ahead, behind = (float(scalar(x + h * v)) - value) / h, (value - float(scalar(x - h * v))) / h
        jumps.append((ahead - behind) / max(abs(ahead), abs(behind), 1e-300))
    return abs(jumps[1]) > 1e-2 and abs(jumps[1]) > 0.3 * abs(jumps[0])


def unit(size: int, entry: int) -> np.ndarray:
    return np.eye(1, size, entry)[0]


def entry_names(at: Any) -> list[str]:
    """A name for every number in a tree: "x", "x[3]", "['k']"."""
    found = []
    for path, leaf in jax.tree_util.tree_flatten_with_path(at)[0]:
        base = jax.tree_util.keystr(path) or "x"
        shape = np.shape(leaf)
        found += [base] if shape == () else [f"{base}[{', '.join(map(str, i))}]" for i in np.ndindex(*shape)]
    return found
