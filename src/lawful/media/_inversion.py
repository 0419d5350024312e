"""From surveys to the layers that explain them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.compilation import compiled
from .._core.messages import BadInput, shown
from .._core.precision import in_float64
from .._core.record import Status
from ..problem import Unknown
from ..solve import RUNNING, LevenbergMarquardt, Moment, Watcher, hat_diagonal, residual_correlation, watcher
from ._identify import knowledge, propagated, undetermined
from ._inverted import Alternative, Fit, Inversion, Search
from ._misfit import Coarse, Guess, Misfit
from ._named import checked_names
from ._parameters import Parameters
from ._search import descend, distinct
from ._survey import Survey

KEPT = 8
"""How many candidates of the search are followed to the bottom."""
LEAST, HOPEFUL = 3, 10.0
"""Fewer where the others cost more than so many times the cheapest, but at least so many."""
LEASH = 0.02
"""Pull of the search towards the guess, a fiftieth of a raw step: for what coarse views do not feel."""
SAME = 9.0
"""Two stacks explain the data equally well where chi2 differs by less than this: three standard deviations."""
APART = 25.0
"""They are different where chi2 between them, in the linear model, is above this."""
UNLIKELY = 1e-4  # a chance of so large a chi2 below which the medium counts as wrong
LEANING = 6.0  # correlation of neighbouring residuals, in standard deviations, that counts as structure left over
METHOD = LevenbergMarquardt(ftol=1e-9, max_steps=60, max_trials=15)


@in_float64
def invert(
    medium: Callable[..., Any],
    unknowns: Mapping[str, Unknown],
    surveys: Survey | Sequence[Survey],
    *,
    starts: int = 128,
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
    starts     of the search. 128 find three layers nearly always, 512 six; 1 trusts the guess.
    spread     how far `Positive` unknowns are looked for from their guess, as a factor to either side.
    seed       of the starts.
    begin      further starts: values of all unknowns by name.
    progress   None: a bar on a terminal; False: silence.

    Raises `BadInput` for names that nothing has, guesses that contradict the records, media that cannot be built.
    """
    begun = time.monotonic()
    guess = Guess(medium, Parameters(unknowns))
    surveys = checked_surveys(guess, surveys)
    watch = watcher(progress)
    try:
        sd = tuple({name: jnp.asarray(level) for name, level in survey.quiet().items()} for survey in surveys)
        misfit = Misfit(guess, surveys, sd)
        candidates = search(misfit, starts, spread, seed, begin, watch)
        settled = settle(misfit, candidates)
    finally:
        watch.close()
    return finished(settled, starts, len(candidates), time.monotonic() - begun)


def checked_surveys(guess: Guess, surveys: object) -> tuple[Survey, ...]:
    """The surveys, each of which can be predicted at the guess."""
    found = (surveys,) if isinstance(surveys, Survey) else tuple(surveys) if isinstance(surveys, Sequence) else ()
    if not found or not all(isinstance(survey, Survey) for survey in found):
        raise BadInput(f"surveys must be lf.media.Waveforms(...) or a list of surveys, but got {shown(surveys)}.")
    checked_names(guess.medium, guess.parameters.unknowns, "the medium")
    medium, known = guess(jnp.zeros(guess.parameters.count))
    for survey in found:
        survey.check(medium, known)
    return found


def search(
    misfit: Misfit,
    starts: int,
    spread: float,
    seed: int,
    begin: Sequence[Mapping[str, object]],
    watch: Watcher,
) -> Float[np.ndarray, "k n"]:
    """Points that lie in promising valleys, the cheapest first."""
    parameters = misfit.guess.parameters
    cube = sobol(starts, parameters.count, seed)
    given = [parameters.raw(values) for values in begin]
    x = np.concatenate(
        [np.zeros((1, parameters.count)), *(row[None] for row in given), parameters.starts(cube, spread)]
    )
    x = x[: max(starts, 1 + len(given))]
    medium, _ = misfit.guess(jnp.zeros(parameters.count))
    stages = zip(
        *(
            survey.screens(medium, {name: float(level) for name, level in sd.items()})
            for survey, sd in zip(misfit.surveys, misfit.sd, strict=True)
        ),
        strict=True,
    )
    leash = np.full(parameters.count, LEASH)
    cost = np.zeros(len(x))
    for stage, screens in enumerate(stages):
        found, costs = descend(Coarse(misfit.guess, tuple(screens), leash), jnp.asarray(x))
        x, cost = np.asarray(found), np.asarray(costs)
        watch(Moment(stage, len(x), len(x), float(cost.min()), {}))
        order = np.argsort(cost, kind="stable")[: max(len(x) // 2, 2 * KEPT)]
        x, cost = x[order], cost[order]
    hopeful = cost <= HOPEFUL * cost[0]
    hopeful[:LEAST] = True
    return np.concatenate([distinct(x[hopeful], cost[hopeful], KEPT), *(row[None] for row in given)])


def sobol(count: int, dimensions: int, seed: int) -> Float[np.ndarray, "count dimensions"]:
    """Points of the unit cube, evenly spread."""
    from scipy.stats import qmc

    if not (isinstance(count, int) and count >= 1):
        raise BadInput(f"starts={shown(count)}: give a whole number, such as 128.")
    return qmc.Sobol(dimensions, seed=seed).random_base2(max(count - 1, 1).bit_length())[:count]


@compiled(lambda *_: True)
def followed(method: LevenbergMarquardt, misfit: Misfit, start: Float[Array, " n"]) -> Any:
    """The minimum below a start, as the optimiser's last state."""
    return jax.lax.while_loop(
        lambda state: state.status == RUNNING, lambda state: method.step(misfit, state), method.init(misfit, start)
    )


@compiled(lambda *_: True)
def linearised(misfit: Misfit, x: Float[Array, " n"]) -> tuple[Array, Array]:
    return misfit.linearise(x)


class Settled(NamedTuple):
    """A misfit whose noise levels agree with what it leaves, and where its candidates ended, the best first."""

    misfit: Misfit
    states: list[Any]
    leverage: Float[np.ndarray, " m"]

    @property
    def best(self) -> Any:
        return self.states[0]


def settle(misfit: Misfit, candidates: Float[np.ndarray, "k n"]) -> Settled:
    """Follow all candidates to the bottom; where noise is not given, estimate it from the best and follow again those
    that could still be as good."""
    estimated = any(level is None for survey in misfit.surveys for level in survey.noise.values())
    states = by_cost(followed(METHOD, misfit, jnp.asarray(x)) for x in candidates)
    for _ in range(2 if estimated else 0):
        residual, jacobian = linearised(misfit, states[0].x)
        leverage = hat_diagonal(np.nan_to_num(np.asarray(jacobian)))
        misfit = eqx.tree_at(lambda m: m.sd, misfit, levels(misfit, np.asarray(residual), leverage))
        near = [state.x for state in states if state.cost < 2 * states[0].cost]
        states = by_cost(followed(METHOD, misfit, x) for x in near)
    _, jacobian = linearised(misfit, states[0].x)
    return Settled(misfit, states, hat_diagonal(np.nan_to_num(np.asarray(jacobian))))


def by_cost(states: Iterable[Any]) -> list[Any]:
    """The cheapest first, those that are not finite last."""
    return sorted(states, key=lambda state: np.nan_to_num(float(state.cost), nan=np.inf))


def levels(
    misfit: Misfit, residual: Float[np.ndarray, " m"], leverage: Float[np.ndarray, " m"]
) -> tuple[dict[str, Array], ...]:
    """The noise of each channel: as given, or sigma^2 = sum of squares / (rows - parameters that they pay for)."""
    new = [dict(sd) for sd in misfit.sd]
    for index, channel, rows in misfit.blocks():
        if misfit.surveys[index].noise[channel] is None:
            freedom = max((rows.stop - rows.start) - leverage[rows].sum(), 1.0)
            size = math.sqrt(float(np.sum(residual[rows] ** 2)) / freedom)
            floor = 1e-9 * float(np.std(misfit.surveys[index].observed[channel]))
            new[index][channel] = jnp.maximum(new[index][channel] * size, floor)
    return tuple(new)


def finished(settled: Settled, starts: int, candidates: int, seconds: float) -> Inversion:
    """Everything that there is to say about the best candidate."""
    misfit, parameters = settled.misfit, settled.misfit.guess.parameters
    x = nearest_to_guess(misfit, settled)
    residual, jacobian = (np.asarray(part) for part in linearised(misfit, jnp.asarray(x)))
    everything, data_only = knowledge(jacobian), knowledge(jacobian[: misfit.count])
    freedom = misfit.count - float(settled.leverage[: misfit.count].sum())
    estimated = any(level is None for survey in misfit.surveys for level in survey.noise.values())
    quantities = lambda x: misfit.guess(x)[0].quantities()
    medium, known = misfit.guess(jnp.asarray(x))
    arrived = sum(float(state.cost - settled.best.cost) < SAME for state in settled.states)
    return Inversion(
        medium=jax.tree.map(np.asarray, medium),
        unknowns=propagated(parameters.values, jnp.asarray(x), everything, freedom if estimated else math.inf),
        layers=propagated(quantities, jnp.asarray(x), everything, freedom if estimated else math.inf),
        bounds=propagated(quantities, jnp.asarray(x), data_only, math.inf),
        undetermined=undetermined(everything, parameters),
        alternatives=alternatives(settled, jacobian),
        fits=fits(misfit, residual),
        chi2=float(np.sum(residual[: misfit.count] ** 2)),
        dof=freedom,
        noise_estimated=estimated,
        search=Search(starts, candidates, arrived),
        status=status(settled, residual, freedom, estimated),
        seconds=seconds,
        misfit=misfit,
        x=x,
    )


def nearest_to_guess(misfit: Misfit, settled: Settled) -> Float[np.ndarray, " n"]:
    """The best point, moved back to the guess along directions that the data do not feel, where that costs nothing."""
    x = np.asarray(settled.best.x)
    _, jacobian = linearised(misfit, settled.best.x)
    loose = knowledge(np.asarray(jacobian)).loose
    if not loose.shape[1]:
        return x
    basis = np.linalg.qr(loose)[0]
    moved = x - basis @ (basis.T @ x)
    residual, _ = linearised(misfit, jnp.asarray(moved))
    cost = float(np.sum(np.asarray(residual) ** 2))
    return moved if cost < float(settled.best.cost) + 1e-3 else x


def alternatives(settled: Settled, jacobian: Float[np.ndarray, "m n"]) -> tuple[Alternative, ...]:
    """Other minima that explain the data as well: far from the best, and from each other, in units of the error bars."""
    found: list[Alternative] = []
    places = [np.asarray(settled.best.x)]
    for state in settled.states[1:]:
        excess, x = float(state.cost - settled.best.cost), np.asarray(state.x)
        if excess < SAME and all(np.sum((jacobian @ (x - place)) ** 2) > APART for place in places):
            places.append(x)
            medium, _ = settled.misfit.guess(state.x)
            layers = {name: np.asarray(values) for name, values in medium.quantities().items()}
            found.append(Alternative(layers, excess))
    return tuple(found)


def fits(misfit: Misfit, residual: Float[np.ndarray, " m"]) -> tuple[Fit, ...]:
    """Each channel beside its prediction."""
    found = []
    for index, channel, rows in misfit.blocks():
        survey, sd = misfit.surveys[index], float(misfit.sd[index][channel])
        axis, places = survey.places()
        measured = np.asarray(survey.observed[channel])
        label = channel if len(misfit.surveys) == 1 else f"{channel} of survey {index + 1}"
        lean = residual_correlation(places, residual[rows])
        found.append(
            Fit(label, axis, places, measured, measured + sd * residual[rows], sd, survey.noise[channel] is None, lean)
        )
    return tuple(found)


def status(settled: Settled, residual: Float[np.ndarray, " m"], freedom: float, estimated: bool) -> Status:
    """Whether to believe the best candidate: it must be a minimum, the only one, and explain the data."""
    from scipy import special

    reason = METHOD.reason(settled.best)
    if int(settled.best.status) not in METHOD.success:
        return Status(False, reason)
    chi2 = float(np.sum(residual[: settled.misfit.count] ** 2))
    if not estimated and special.chdtrc(freedom, chi2) < UNLIKELY:
        return Status(
            False,
            f"the medium does not explain the data: chi2 is {chi2:.4g} for {freedom:.4g} degrees of freedom; add a"
            " layer, free what is held fixed, or correct the noise",
        )
    _, jacobian = linearised(settled.misfit, settled.best.x)
    others = len(alternatives(settled, np.asarray(jacobian)))
    if others:
        return Status(
            False,
            f"{others + 1} different answers explain the data equally well; measure at the other end too, change an end,"
            " or say more of what is known",
        )
    for fit in fits(settled.misfit, residual):
        own = settled.misfit.surveys[0].quiet().get(fit.channel, math.inf)
        if fit.noise_estimated and fit.lean.z > LEANING and fit.sd > 2 * own:
            return Status(
                False,
                f"the medium does not explain '{fit.channel}': what is left is {fit.sd / own:.3g} times the record's own"
                " noise, and neighbours lean the same way; add a layer, or free what is held fixed",
            )
    return Status(True, reason)
