"""What there is to say about the minima of a misfit: error bars, other answers, and whether to believe the best."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.compilation import compiled
from .._core.record import Status
from ..solve import LevenbergMarquardt, hat_diagonal, residual_correlation
from ._identify import knowledge, propagated, undetermined
from ._inverted import Alternative, Fit, Inversion, Search
from ._misfit import Misfit

SAME = 9.0
"""Two media explain the data equally well where chi2 differs by less than this: three standard deviations."""
APART = 25.0
"""They are different where chi2 between them, in the linear model, is above this."""
SMALL, SMALLEST = -3.0, -30.0  # logarithms of factors: from where on their values are told, and the smallest told
VANISHING = -5.0
"""The logarithm below which a factor counts as running to zero."""
UNLIKELY = 1e-4  # a chance of so large a chi2 below which the medium counts as wrong
LEANING = 6.0  # correlation of neighbouring residuals, in standard deviations, that counts as structure left over
LOUDER = 1.3  # a fit's noise over the record's own, above which structure left over makes the medium wrong
METHOD = LevenbergMarquardt(ftol=1e-9, max_steps=60, max_trials=15)


class Settled(NamedTuple):
    """A misfit whose noise levels agree with what it leaves, and the optimiser's last states, the best first."""

    misfit: Misfit
    states: list[Any]

    @property
    def best(self) -> Any:
        return self.states[0]

    @property
    def arrived(self) -> int:
        """How many candidates ended at the best answer or one as good."""
        return sum(float(state.cost - self.best.cost) < SAME for state in self.states)


@compiled(lambda *_: True)
def linearised(misfit: Misfit, x: Float[Array, " n"]) -> tuple[Array, Array]:
    return misfit.linearise(x)


def explained(settled: Settled) -> bool:
    """Whether the best answer leaves no more than noise."""
    return int(settled.best.status) in METHOD.success and not left_over(settled)


def left_over(settled: Settled) -> str:
    """What speaks against the medium; empty where it explains the data."""
    from scipy import special

    misfit = settled.misfit
    residual, jacobian = (np.asarray(part) for part in linearised(misfit, settled.best.x))
    if not misfit.estimates_noise:
        freedom = misfit.count - float(hat_diagonal(np.nan_to_num(jacobian))[: misfit.count].sum())
        chi2 = float(np.sum(residual[: misfit.count] ** 2))
        if special.chdtrc(freedom, chi2) > UNLIKELY:
            return ""
        return f"chi2 is {chi2:.4g} for {freedom:.4g} degrees of freedom"
    for index, channel, rows in misfit.blocks():
        survey = misfit.surveys[index]
        louder = float(misfit.sd[index][channel]) / survey.quiet()[channel]
        lean = residual_correlation(survey.places()[1], residual[rows])
        if survey.noise[channel] is None and lean.z > LEANING and louder > LOUDER:
            return (
                f"what is left of '{channel}' is {louder:.3g} times the record's own noise, and neighbours lean the"
                " same way"
            )
    return ""


def finished(settled: Settled, search: Search, seconds: float) -> Inversion:
    """Everything that there is to say about the best answer."""
    misfit, parameters = settled.misfit, settled.misfit.guess.parameters
    x = nearest_to_guess(settled)
    x, stretch = by_value(misfit, x)
    residual, jacobian = (np.asarray(part) for part in linearised(misfit, jnp.asarray(x)))
    jacobian = jacobian * stretch
    at = lambda steps: jnp.asarray(x) + stretch * steps
    here = jnp.zeros(len(x))
    everything, data_only = knowledge(jacobian), knowledge(jacobian[: misfit.count])
    leverage = hat_diagonal(jacobian)[: misfit.count]
    freedom = misfit.count - float(leverage.sum())
    behind = freedom if misfit.estimates_noise else math.inf
    quantities = lambda steps: misfit.guess(at(steps))[0].quantities()
    others = alternatives(settled, jacobian / stretch)
    return Inversion(
        medium=jax.tree.map(np.asarray, misfit.guess(jnp.asarray(x))[0]),
        unknowns=propagated(lambda steps: parameters.values(at(steps)), here, everything, behind),
        layers=propagated(quantities, here, everything, behind),
        bounds=propagated(quantities, here, data_only, math.inf),
        undetermined=undetermined(everything, parameters),
        alternatives=others,
        fits=fits(misfit, residual),
        chi2=float(np.sum(residual[: misfit.count] ** 2)),
        dof=freedom,
        noise_estimated=misfit.estimates_noise,
        search=search,
        status=verdict(settled, len(others)),
        seconds=seconds,
        misfit=misfit,
        x=x,
    )


def by_value(misfit: Misfit, x: Float[np.ndarray, " n"]) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """The point with factors that vanish put to the smallest that can be told from zero, and the raw step of each
    number that moves its value by one guess there, else 1: near zero, a value has an error bar where its logarithm has
    none."""
    low = np.array(misfit.guess.parameters.logs()) & (x < SMALL)
    x = np.where(low, np.maximum(x, SMALLEST), x)
    return x, np.where(low, np.exp(-np.where(low, x, 0.0)), 1.0)


def nearest_to_guess(settled: Settled) -> Float[np.ndarray, " n"]:
    """The best point, moved back to the guess along directions that the data do not feel, where that costs nothing."""
    x = np.asarray(settled.best.x)
    _, jacobian = linearised(settled.misfit, settled.best.x)
    loose = knowledge(np.asarray(jacobian)).loose
    if not loose.shape[1]:
        return x
    basis = np.linalg.qr(loose)[0]
    moved = x - basis @ (basis.T @ x)
    residual, _ = linearised(settled.misfit, jnp.asarray(moved))
    return moved if float(np.sum(np.asarray(residual) ** 2)) < float(settled.best.cost) + 1e-3 else x


def alternatives(settled: Settled, jacobian: Float[np.ndarray, "m n"]) -> tuple[Alternative, ...]:
    """Other minima that explain the data as well: far from the best and from each other, in units of error bars."""
    found: list[Alternative] = []
    logs = np.array(settled.misfit.guess.parameters.logs())
    best = np.asarray(settled.best.x)

    def steps(x: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """From the best. Those of a factor that vanishes are those of its value: it lies one guess away, not infinitely
        far. Those of others are logarithms, along which impedances and travel times, all that is felt, are straight."""
        vanishing = logs & (np.minimum(x, best) < VANISHING)
        return np.where(vanishing, np.expm1(np.where(vanishing, x - best, 0.0)), x - best)

    places = [np.zeros_like(best)]
    for state in settled.states[1:]:
        excess, place = float(state.cost - settled.best.cost), steps(np.asarray(state.x))
        if excess < SAME and all(np.sum((jacobian @ (place - other)) ** 2) > APART for other in places):
            places.append(place)
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


def verdict(settled: Settled, others: int) -> Status:
    """Whether to believe the best answer: it must be a minimum, explain the data, and be the only one that does."""
    reason = METHOD.reason(settled.best)
    if int(settled.best.status) not in METHOD.success:
        return Status(False, reason)
    against = left_over(settled)
    if against:
        cure = "add a layer, free what is held fixed, or correct the noise"
        return Status(False, f"the medium does not explain the data: {against}; {cure}")
    if others:
        cure = "record the other end too, change an end, or say more of what is known"
        return Status(False, f"{others + 1} different answers explain the data equally well; {cure}")
    return Status(True, reason)
