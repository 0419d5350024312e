"""From surveys to the layers that explain them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.compilation import compiled
from .._core.messages import BadInput, shown
from .._core.precision import in_float64
from ..problem import Unknown
from ..solve import RUNNING, LevenbergMarquardt, Moment, Watcher, hat_diagonal, watcher
from ._inverted import Inversion, Search
from ._mirror import mirrored
from ._misfit import Guess, Misfit
from ._named import checked_names
from ._parameters import Parameters
from ._search import FOLLOWED, candidates, cubes
from ._survey import Survey
from ._verdict import METHOD, VANISHING, Settled, explained, finished, linearised

BATCH = 64
"""Starts that descend together."""
ONE_PLACE = 1e-6
"""Starts nearer than this to each other, in raw numbers, are one."""
FEW_STEPS, BEHIND = 15, 4.0
"""After so many steps, a start whose cost is more than so many times that of the best is given up."""
FELT, GONE = -2.0, -1000.0
"""Logarithms of factors: one that still counts, and zero."""
SLACK = 1e-3
"""What chi2 may rise where a factor is put to zero."""
ROUNDS = 2
"""Batches at least, so that a second answer has its chance."""


@in_float64
def invert(
    medium: Callable[..., Any],
    unknowns: Mapping[str, Unknown],
    surveys: Survey | Sequence[Survey],
    *,
    starts: int = 1024,
    spread: float = 3.0,
    seed: int = 0,
    begin: Sequence[Mapping[str, object]] = (),
    progress: bool | Watcher | None = None,
) -> Inversion:
    """The medium that explains what was measured, with error bars, and with what they do not determine.

    Minimises sum ((prediction - record) / noise)^2 + priors by Levenberg-Marquardt, from the best of many starts that
    have first descended on coarse views of the data.

    medium     a function of unknowns, by name, that returns a `Stack` or another medium; what is known stands in it:
               lambda thickness, modulus: Stack(thickness, modulus, density=[2700.0, 1180.0]).
    unknowns   `lf.Positive`, `lf.Bounded`, `lf.Real` by name, one number per layer or one for all; guesses may be wrong
               by a factor of `spread`.
    surveys    what was measured: `Waveforms`, `SurfaceWaves`, or several, of the same medium.
    starts     of the search, at most: it ends when the data are explained to their noise. 1 trusts the guess.
    spread     how far `Positive` unknowns are looked for from their guess, as a factor to either side.
    seed       of the starts.
    begin      further starts: values of all unknowns by name.
    progress   None: a bar on a terminal; False: silence.

    Raises `BadInput` for names that nothing has, guesses that contradict the records, media that cannot be built.
    """
    begun = time.monotonic()
    guess = Guess(medium, Parameters(unknowns))
    surveys = checked_surveys(guess, surveys)
    if not (isinstance(starts, int) and starts >= 1 and spread > 1):
        raise BadInput(f"starts={shown(starts)}, spread={shown(spread)}: give starts from 1 on, a spread above 1.")
    sd = tuple({name: jnp.asarray(level) for name, level in survey.quiet().items()} for survey in surveys)
    given = np.stack([np.zeros(guess.parameters.count), *(guess.parameters.raw(values) for values in begin)])
    watch = watcher(progress)
    try:
        settled, search = hunt(Misfit(guess, surveys, sd), starts, spread, seed, given, watch)
    finally:
        watch.close()
    return finished(settled, search, time.monotonic() - begun)


def hunt(
    misfit: Misfit, starts: int, spread: float, seed: int, given: Float[np.ndarray, "g n"], watch: Watcher
) -> tuple[Settled, Search]:
    """The best minima from `given` starts and many others, batch by batch until the data are explained."""
    parameters = misfit.guess.parameters
    settled = settle(misfit, given, [])
    tried, looked_at = len(given), len(given)
    for number, cube in enumerate(cubes(starts, parameters.count, seed, BATCH) if starts > 1 else ()):
        x = parameters.starts(cube, spread)
        few = candidates(misfit, x)
        settled = settle(misfit, few, settled.states[:FOLLOWED])
        tried, looked_at = tried + len(x), looked_at + len(few)
        watch(Moment(number, tried, starts, float(settled.best.cost), {}))
        if number + 1 >= ROUNDS and explained(settled):
            break
    turned = mirrored(misfit.guess, settled.best.x) if starts > 1 else None
    if turned is not None:
        settled = settle(misfit, turned[None], settled.states[:FOLLOWED])
        looked_at += 1
    return settled, Search(tried, looked_at, settled.arrived)


def checked_surveys(guess: Guess, surveys: object) -> tuple[Survey, ...]:
    """The surveys, each of which can be predicted at the guess."""
    found = (surveys,) if isinstance(surveys, Survey) else tuple(surveys) if isinstance(surveys, Sequence) else ()
    if not found or not all(isinstance(survey, Survey) for survey in found):
        raise BadInput(f"surveys must be media.Waveforms(...) or a list of surveys, but got {shown(surveys)}.")
    checked_names(guess.medium, guess.parameters.unknowns, "the medium")
    medium, known = guess(jnp.zeros(guess.parameters.count))
    for survey in found:
        survey.check(medium, known)
    return found


@compiled(lambda *_: 3)  # fully optimised, a step takes a third of the time
def followed(method: LevenbergMarquardt, misfit: Misfit, start: Float[Array, " n"], limit: Array) -> Any:
    """The minimum below a start, as the optimiser's last state; or where `limit` steps lead."""
    return jax.lax.while_loop(
        lambda state: (state.status == RUNNING) & (state.steps < limit),
        lambda state: method.step(misfit, state),
        method.init(misfit, start),
    )


def settle(misfit: Misfit, few: Float[np.ndarray, "k n"], before: Sequence[Any]) -> Settled:
    """Follow candidates to the bottom, beside what was found `before`; where noise is not given, estimate it from the
    best and follow again those that could still be as good."""
    states = each_once(misfit, [*map(jnp.asarray, few), *(state.x for state in before)])
    for _ in range(2 if misfit.estimates_noise else 0):
        misfit = eqx.tree_at(lambda m: m.sd, misfit, levels(misfit, states[0].x))
        states = each_once(misfit, [state.x for state in states if state.cost < 2 * states[0].cost])
    return Settled(misfit, by_cost(settled_at_zero(misfit, state) for state in states))


def each_once(misfit: Misfit, starts: Sequence[Float[Array, " n"]]) -> list[Any]:
    """The minima below all starts, the cheapest first.

    Starts that lie in one place, as those do that have arrived at the same minimum before, are followed once and
    counted as often as they came. After a few steps only those go on that are not far behind the best.
    """
    places: list[np.ndarray] = []
    which = []
    for start in starts:
        x = np.asarray(start)
        same = next((i for i, place in enumerate(places) if np.max(np.abs(x - place)) < ONE_PLACE), len(places))
        places += [x] if same == len(places) else []
        which.append(same)
    states = [followed(METHOD, misfit, jnp.asarray(x), jnp.asarray(FEW_STEPS)) for x in places]
    bar = BEHIND * min(float(state.cost) for state in states)
    for i, state in enumerate(states):
        if int(state.status) == RUNNING and float(state.cost) <= bar:
            states[i] = followed(METHOD, misfit, state.x, jnp.asarray(METHOD.max_steps))
    return by_cost(states[i] for i in which)


def settled_at_zero(misfit: Misfit, state: Any) -> Any:
    """The state, or a better one where a factor has run towards zero.

    In its logarithm every misfit is flat far down: whether zero is where the factor belongs cannot be seen from there,
    and an optimiser may stop on the way without a minimum. So the rest is fitted with the factor at zero, and once
    more from where the factor is still felt; the lower of the two is the answer.
    """
    low = np.array(misfit.guess.parameters.logs()) & (np.asarray(state.x) < VANISHING)
    if not np.any(low) or not np.isfinite(float(state.cost)):
        return state
    limit = jnp.asarray(METHOD.max_steps)
    tried = [followed(METHOD, misfit, jnp.where(low, raw, state.x), limit) for raw in (GONE, FELT)]
    better = [one for one in tried if int(one.status) in METHOD.success and float(one.cost) < float(state.cost) + SLACK]
    return by_cost(better)[0] if better else state


def by_cost(states: Iterable[Any]) -> list[Any]:
    """The cheapest first, those that are not finite last."""
    return sorted(states, key=lambda state: np.nan_to_num(float(state.cost), nan=np.inf))


def levels(misfit: Misfit, x: Float[Array, " n"]) -> tuple[dict[str, Array], ...]:
    """The noise of each channel: as given, or sigma^2 = sum of squares / (rows - parameters that they pay for)."""
    residual, jacobian = (np.asarray(part) for part in linearised(misfit, x))
    leverage = hat_diagonal(np.nan_to_num(jacobian))
    new = [dict(sd) for sd in misfit.sd]
    for index, channel, rows in misfit.blocks():
        if misfit.surveys[index].noise[channel] is None:
            freedom = max((rows.stop - rows.start) - leverage[rows].sum(), 1.0)
            size = math.sqrt(float(np.sum(residual[rows] ** 2)) / freedom)
            floor = 1e-9 * float(np.std(misfit.surveys[index].observed[channel]))
            new[index][channel] = jnp.maximum(new[index][channel] * size, floor)
    return tuple(new)
