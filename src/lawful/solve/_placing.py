"""Mesh before fit: steps and elements are placed at the guesses, a rough fit is made, and they are placed again."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np

from ._adapt import Walked, adapted, adapted_steady
from ._elements import movable_axes
from ._fit import FitState, fit, law_weight
from ._keeper import Keeper
from ._observations import imperceptible, spread
from ._optimiser import Optimiser
from ._progress import Silent
from ._scheme import Scheme
from ._step import separable

if TYPE_CHECKING:
    from ._collocation import Collocation, CollocationTask

ROUGH = 1e-4  # accuracy of the first fit
MOST_FITS = 3
MARGIN = 0.3  # a mesh that only just suffices would be refined once more, at many times its cost
FINE_STAGES = 7
NEEDS_FINE_STAGES = 1e-6


def placed(task: CollocationTask, method: Collocation) -> CollocationTask:
    """The task on a mesh that suits it; where nothing is to be found, with its fields."""
    free = task.layout.unknown_count == 0
    movable = movable_axes(task.scheme.grid, method.nodes)
    if not isinstance(task.scheme, Scheme):
        return placed_steady(task, movable) if movable else task.with_fields() if free else task
    if method.steps is None and separable(task.scheme) and (free or movable):
        if method.stages is None and method.tolerance < NEEDS_FINE_STAGES:
            task = dataclasses.replace(task, scheme=dataclasses.replace(task.scheme, stages=FINE_STAGES))
        return placed_march(task, movable, method.optimiser(task))
    return task.with_fields() if free and task.scheme.grid.lines else task


def placed_march(task: CollocationTask, movable: tuple[str, ...], optimiser: Optimiser) -> CollocationTask:
    if task.layout.unknown_count == 0:
        found = walked(task, task.start, task.finest, movable)
        return on_mesh(task, found) if found.arrived else task.with_fields()
    found = walked(task, task.start, max(ROUGH, task.finest), movable)
    if not found.arrived:
        return task
    for _ in range(MOST_FITS):
        task = on_mesh(task, found)
        start, levels = first_fit(task, optimiser)
        task = dataclasses.replace(task, start=start)
        found = walked(task, start, max(ROUGH, task.finest), movable)
        if not found.arrived or found.marched.scheme.grid.shape == task.scheme.grid.shape:
            break  # what was found lives on the same mesh
    found = walked(task, start, matters(task, levels), movable)
    return dataclasses.replace(on_mesh(task, found) if found.arrived else task, start=start)


def placed_steady(task: CollocationTask, movable: tuple[str, ...]) -> CollocationTask:
    """As for a march, with one nonlinear system in place of the steps."""
    assert not isinstance(task.scheme, Scheme)
    fields = adapted_steady(task.scheme, task.layout.raw(jnp.asarray(task.start)), task.finest)
    if task.layout.unknown_count == 0:
        return dataclasses.replace(task, scheme=fields.scheme, solved=fields)
    return dataclasses.replace(task, scheme=fields.scheme)


def walked(task: CollocationTask, x: np.ndarray, tolerance: float, movable: tuple[str, ...]) -> Walked:
    assert isinstance(task.scheme, Scheme)
    return adapted(task.scheme, task.layout.raw(jnp.asarray(x)), MARGIN * tolerance, movable)


def on_mesh(task: CollocationTask, found: Walked) -> CollocationTask:
    """The task on the mesh of a march, with its fields where nothing is to be found."""
    solved = found.marched if task.layout.unknown_count == 0 else None
    edges = np.asarray(found.marched.edges)
    return dataclasses.replace(task, scheme=found.marched.scheme, edges=edges, solved=solved, refines_stages=True)


def first_fit(task: CollocationTask, optimiser: Optimiser) -> tuple[np.ndarray, np.ndarray]:
    """Unknowns and noise levels on a rough mesh; the guesses where the fit fails."""
    levels = 0.05 * spread(task.observed)
    state = FitState(np.asarray(task.start), levels, law_weight(task, levels, 1))
    fitted = fit(task, optimiser, state, Keeper(None, "", False), Silent())
    good = bool(np.all(np.isfinite(fitted.x)) and np.all(np.isfinite(fitted.residual)))
    return (fitted.x, fitted.levels) if good else (task.start, levels)


def matters(task: CollocationTask, levels: np.ndarray) -> float:
    """The accuracy of the fields beyond which no estimate feels them, or the tolerance."""
    if not task.observed or task.noise.estimated:  # what a rough fit takes for noise may be its mesh
        return task.finest
    return max(task.finest, 0.3 * imperceptible(task.observed, task.noise.sd(levels)))
