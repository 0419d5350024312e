"""Diffrax's solvers behind the same call, where no proof is wanted."""

from __future__ import annotations

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from .._core.compilation import compiled
from .._core.messages import BadInput, shown
from ._base import Method, Steps
from ._given import Given, numbered
from ._motion import SecondOrder
from ._progress import Watcher

DEGREE = 7  # of the polynomials that stand in for a solver's own interpolation: no solver of Diffrax has a higher one


class Diffrax(Method):
    """Any solver of Diffrax with adaptive steps: for stiff motions, and for functions that have no series.

    solver   an object of Diffrax, such as `diffrax.Kvaerno5()`; by default `diffrax.Tsit5()`.
    rtol, atol   tolerances of a step as Diffrax takes them. They are no bounds of any error.
    most     steps at most.

    Contacts and events are refused: a change of sign between two ends of steps is all that there is to see, and a dip
    in between is missed.
    """

    solver: Any = None
    rtol: float = eqx.field(static=True, default=1e-9)
    atol: float = eqx.field(static=True, default=1e-12)
    most: int = eqx.field(static=True, default=16384)

    def __check_init__(self):
        if not all(isinstance(x, float | int) and 0 < x < math.inf for x in (self.rtol, self.atol)):
            raise BadInput(f"Diffrax(rtol={shown(self.rtol)}, atol={shown(self.atol)}): tolerances must be positive.")

    @property
    def words(self) -> str:
        return f"{type(self.chosen).__name__} of Diffrax, rtol {self.rtol:g}, atol {self.atol:g}"

    @property
    def chosen(self) -> Any:
        import diffrax

        return diffrax.Tsit5() if self.solver is None else self.solver

    def check(self, given: Given, start: PyTree) -> None:
        import diffrax

        if not isinstance(self.chosen, diffrax.AbstractSolver):
            raise BadInput(
                f"Diffrax(solver={shown(self.solver)}): give a solver of Diffrax, such as diffrax.Kvaerno5()."
            )
        if given.contacts or given.events:
            raise BadInput("Diffrax would miss contacts and events that pass within a step; use lf.Taylor().")

    def run(self, given: Given, start: PyTree, t: float, until: float, watch: Watcher) -> Steps:
        given, start = numbered(given), jax.tree.map(lambda x: jnp.asarray(x, float), start)
        ends = jnp.asarray(t, float), jnp.asarray(until, float)
        times, values, count, failed = solved(given, start, *ends, self)
        n = int(count)
        watch(float(until), n)
        edges = np.append(np.asarray(times)[:n], until if not failed else np.asarray(times)[n])
        matrix = np.linalg.inv(np.vander(nodes(), increasing=True))
        leaves = [np.asarray(x)[:n] for x in jax.tree.leaves(values)]
        unit = [np.einsum("kj,nj...->nk...", matrix, x) for x in leaves]
        nothing = np.full((n, len(leaves)), np.nan)
        why = (
            f"the solver gave up at t = {edges[-1]:.9g}, after {n} steps; allow more, or ask for less" if failed else ""
        )
        return Steps(
            edges[:-1], np.diff(edges), unit, float(edges[-1]), [x[-1, -1] for x in leaves], nothing, nothing,
            np.zeros(n, bool), (), why, "a solver's tolerance is no bound",
        )  # fmt: skip

    def states(self, given: Given, start: PyTree, t, times: Float[Array, " n"], most: int) -> PyTree:
        import diffrax

        saved = diffrax.SaveAt(ts=times)
        found = solve(given, start, jnp.asarray(t, float), times[-1], self, saved, most)
        failed = found.result != diffrax.RESULTS.successful
        return jax.tree.map(lambda x: jnp.where(failed, jnp.nan, x), found.ys)


def nodes() -> Float[np.ndarray, " n"]:
    """Chebyshev's points on [0, 1], with both ends."""
    return 0.5 - 0.5 * np.cos(np.pi * np.arange(DEGREE + 1) / DEGREE)


def solve(given: Given, start: PyTree, t, until, method: Diffrax, saved, most: int):
    import diffrax

    return diffrax.diffeqsolve(
        diffrax.ODETerm(first_order(given)), method.chosen, t, until, None, start, given.args, saveat=saved,
        stepsize_controller=diffrax.PIDController(rtol=method.rtol, atol=method.atol), max_steps=most, throw=False,
    )  # fmt: skip


def first_order(given: Given):
    """The right-hand side of y = (q, v) for a motion of second order."""
    motion = given.motion
    if not isinstance(motion, SecondOrder):
        return motion
    return lambda t, y, args: (y[1], motion.acceleration(t, y[0], y[1], args))


@compiled(lambda *_: True)
def solved(given: Given, start: PyTree, t, until, method: Diffrax) -> tuple:
    """Beginnings of steps, values at the nodes of each, how many there are, and whether the solver gave up."""
    import diffrax

    saved = diffrax.SaveAt(steps=True, dense=True)
    found = solve(given, start, t, until, method, saved, method.most)
    assert found.ts is not None
    ends = jnp.concatenate([t[None], found.ts])
    count = found.stats["num_accepted_steps"]
    ends = jnp.where(jnp.arange(ends.shape[0]) <= count, ends, ends[count])

    def inside(begin, end):
        return jax.vmap(lambda s: found.evaluate(begin + s * (end - begin)))(jnp.asarray(nodes()))

    return ends, jax.vmap(inside)(ends[:-1], ends[1:]), count, found.result != diffrax.RESULTS.successful
