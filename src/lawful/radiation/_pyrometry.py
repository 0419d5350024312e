"""The temperature of a body from one spectrum of its heat radiation, or why it cannot be known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .._core.estimates import Estimate
from .._core.messages import BadInput
from .._core.precision import in_float64
from ._elimination import Eliminated, eliminated, emissivity_at, log_planck
from ._emissivity import Emissivity, Known, polynomial
from ._planck import brightness_temperature, log_radiance
from ._spectrum import Spectrum

COLDEST, HOTTEST, GRID = 20.0, 20_000.0, 500  # kelvin, and how many temperatures are tried between
VAGUE = 0.15  # of the temperature: a 95 % interval of more than this to either side determines nothing
ALIKE = 1.3  # ratio of residuals up to which two emissivities fit equally well


@dataclass(frozen=True)
class Pyrometry:
    """A temperature in kelvin with what stands behind it.

    temperature    estimate; its sd holds noise and what is not known of the emissivity.
    interval       the 95 % interval of the profile likelihood: it may be lopsided or open.
    determined     whether the spectrum and what was assumed fix the temperature; `reason` says why or why not.
    emissivity     most likely spectral emissivity at the spectrum's wavelengths, `emissivity_sd` its relative sd.
    noise          relative noise of the radiance, `estimated` from the fit or given.
    neighbours     how many neighbouring bands have the same deviation: the residuals are correlated, and count once
                   for so many.
    coldest        the largest brightness temperature: below it the emissivity would exceed one.
    """

    temperature: Estimate
    interval: tuple[float, float]
    determined: bool
    reason: str
    model: str
    wavelength: Float[np.ndarray, " n"]
    emissivity: Float[np.ndarray, " n"]
    emissivity_sd: Float[np.ndarray, " n"]
    noise: float
    neighbours: float
    rms: float
    coldest: float

    def __str__(self) -> str:
        if not self.determined:
            return f"not determined: {self.reason}"
        low, high = self.interval
        return f"{self.temperature} K (95 %: {low:.0f} to {high:.0f} K) with the emissivity {self.model}; {self.reason}"


def pyrometry(spectrum: Spectrum, emissivity: Emissivity) -> Pyrometry:
    """The temperature that a spectrum and a stated knowledge of the emissivity give.

        ln L = ln eps + ln B(lambda, T) + noise,    ln eps a Gaussian (see `Emissivity`)

    All but T is eliminated exactly; T is searched for from 20 to 20,000 K, so that no guess is needed and no other
    minimum is missed. Noise that was not given is estimated by restricted maximum likelihood; where residuals of
    neighbouring bands are alike, the interval widens as it must. Source: R. M. Neal, Bayesian Learning for Neural
    Networks (1996), 1.2 (elimination of linear weights); M. S. Bartlett, J. R. Stat. Soc. 98, 536 (1935) (correlation).
    """
    if not spectrum.scale_known:
        emissivity = emissivity.scaled()
    places = spectrum.wavelength
    known = emissivity.at(places)
    free = known.free.shape[1]
    if free + 2 > len(places):
        raise BadInput(
            f"{len(places)} bands cannot carry a temperature, a noise and {free} free numbers of the emissivity; state"
            " more about it or measure more bands."
        )
    log_l, table = np.log(spectrum.radiance), log_planck_table(places)
    coldest = float(np.max(brightness_temperature(places, spectrum.radiance))) if spectrum.scale_known else 0.0
    floor = max(0.97 * coldest, COLDEST) if free else COLDEST  # an emissivity of free level must stay below one
    noise, neighbours = spectrum.noise, 1.0
    if noise is None:
        noise = likeliest_noise(places, log_l, known, table)
        best = lowest(eliminated(places, known, noise), log_l, table, floor)
        curve, _ = emissivity_at(places, known, noise, log_l, best)
        neighbours = correlated(log_l - curve - log_planck(places, best)[0])
    used = noise * math.sqrt(neighbours)
    model = eliminated(places, known, used)
    best = lowest(model, log_l, table, floor)
    dof = math.inf if spectrum.noise is not None else max((len(places) - free - 1) / neighbours, 1.0)
    size = float(np.linalg.norm(model.residual(log_l, best)[1]))
    estimate = Estimate("T", best, 1 / size if size > 0 else math.inf, dof)
    interval = profiled(model, log_l, best, dof, floor)
    determined, reason = judged(best, interval, coldest)
    curve, curve_sd = emissivity_at(places, known, used, log_l, best)
    expected, slope = log_planck(places, best)
    return Pyrometry(
        estimate,
        interval,
        determined,
        reason if determined else f"with the emissivity {emissivity.name}, {reason}",
        emissivity.name,
        places,
        np.exp(curve),
        np.hypot(curve_sd, slope * estimate.sd),
        noise,
        neighbours,
        float(np.sqrt(np.mean((log_l - curve - expected) ** 2))),
        coldest,
    )


def temperatures() -> Float[np.ndarray, " grid"]:
    return np.geomspace(COLDEST, HOTTEST, GRID)


@in_float64
def log_planck_table(places: Float[np.ndarray, " n"]) -> Float[np.ndarray, "grid n"]:
    """Planck's law at all temperatures that are tried."""
    return np.asarray(log_radiance(places[None, :], temperatures()[:, None]))


def misfits(
    model: Eliminated, log_l: Float[np.ndarray, " n"], table: Float[np.ndarray, "grid n"]
) -> Float[np.ndarray, " grid"]:
    return np.sum(((log_l - model.mean - table) @ model.whiten.T) ** 2, axis=1)


def lowest(
    model: Eliminated, log_l: Float[np.ndarray, " n"], table: Float[np.ndarray, "grid n"], floor: float
) -> float:
    """The temperature of smallest misfit from `floor` on: the best of a grid, then Gauss-Newton steps, halved where
    they fail."""
    costs = misfits(model, log_l, table)
    at = max(float(temperatures()[np.argmin(np.where(temperatures() >= floor, costs, np.inf))]), floor)
    for _ in range(60):
        residual, slope = model.residual(log_l, at)
        scale = float(slope @ slope)
        if scale == 0:
            return at
        step = min(max(-float(residual @ slope) / scale, floor - at), HOTTEST - at)
        while abs(step) > 1e-12 * at and model.misfit(log_l, at + step) > float(residual @ residual):
            step /= 2
        if abs(step) <= 1e-12 * at:
            return at
        at += step
    return at


def likeliest_noise(
    places: Float[np.ndarray, " n"], log_l: Float[np.ndarray, " n"], known: Known, table: Float[np.ndarray, "grid n"]
) -> float:
    """The noise of largest restricted likelihood, the temperature maximised with it; a parabola through the best three
    of a grid of levels."""
    levels = np.geomspace(1e-5, 1.0, 61)

    def cost(level: float) -> float:
        model = eliminated(places, known, level)
        return float(np.min(misfits(model, log_l, table)) + model.volume)

    costs = np.array([cost(level) for level in levels])
    k = int(np.clip(np.argmin(costs), 1, len(levels) - 2))
    left, middle, right = costs[k - 1 : k + 2]
    bend = left - 2 * middle + right
    shift = 0.5 * (left - right) / bend if bend > 0 else 0.0
    return float(levels[k] * (levels[1] / levels[0]) ** np.clip(shift, -1, 1))


def correlated(residual: Float[np.ndarray, " n"]) -> float:
    """(1 + r) / (1 - r) of the correlation of neighbours: how many of them count as one. At least 1."""
    away = residual - residual.mean()
    r = float(np.clip(away[1:] @ away[:-1] / max(away @ away, 1e-300), 0.0, 0.95))
    return (1 + r) / (1 - r)


def profiled(
    model: Eliminated, log_l: Float[np.ndarray, " n"], best: float, dof: float, floor: float
) -> tuple[float, float]:
    """Where the misfit has grown by the square of Student's 97.5 % quantile; an open end is `floor` or infinite."""
    from scipy import special
    from scipy.optimize import root_scalar

    bound = model.misfit(log_l, best) + float(special.stdtrit(dof, 0.975)) ** 2
    excess = lambda t: model.misfit(log_l, t) - bound
    ends = []
    for last, fallback in ((floor, floor), (HOTTEST, math.inf)):
        inner, outer, step = best, best, 1e-3
        while excess(outer) < 0 and outer != last:
            inner = outer
            factor = math.exp(step if last > best else -step)
            outer = min(best * factor, last) if last > best else max(best * factor, last)
            step *= 1.6
        closed = excess(outer) >= 0
        ends.append(float(root_scalar(excess, bracket=(inner, outer), rtol=1e-9).root) if closed else fallback)
    return ends[0], ends[1]


def judged(best: float, interval: tuple[float, float], coldest: float) -> tuple[bool, str]:
    low, high = interval
    if not math.isfinite(high) or max(high - best, best - low) > VAGUE * best:
        return False, f"{low:.0f} to {high:.0f} K fit equally well"
    if high < 0.98 * coldest:
        return False, f"at {best:.0f} K the emissivity would exceed one: a band shines like a body of {coldest:.0f} K"
    return True, "the interval holds what is not known of the emissivity"


@dataclass(frozen=True)
class FreeEmissivity:
    """What a spectrum says when nothing is known of the emissivity: the fits of polynomials, and the temperatures that
    fit equally well."""

    fits: tuple[Pyrometry, ...]
    range: tuple[float, float]
    coldest: float
    determined: bool

    def __str__(self) -> str:
        low, high = self.range
        if self.determined:
            return f"{low:.0f} to {high:.0f} K whatever smooth emissivity is tried"
        floor = f" Above {self.coldest:.0f} K any fits exactly with some emissivity." if self.coldest else ""
        return (
            "temperature is not determined by this spectrum with a free emissivity:"
            f" {low:.0f} to {high:.0f} K fit equally well.{floor} What would fix it: a measured emissivity, a stated"
            " prior such as a bare metal, longer wavelengths, or spectra of the same sample at other temperatures."
        )


def chosen(fits: Sequence[Pyrometry]) -> Pyrometry:
    """The fit of the smallest Bayesian information criterion, m ln(rms^2) + k ln m, where m counts the bands whose
    residuals are independent in the fit with the most neighbours alike.

    Source: G. Schwarz, Ann. Stat. 6, 461 (1978).
    """
    neighbours = max(fit.neighbours for fit in fits[1:] or fits)
    count = max(len(fits[0].wavelength) / neighbours, 2.0)
    return min(
        enumerate(fits), key=lambda pair: count * math.log(max(pair[1].rms, 1e-300) ** 2) + pair[0] * math.log(count)
    )[1]


def free_emissivity(spectrum: Spectrum, degrees: int = 4) -> FreeEmissivity:
    """The temperatures that go with ln eps a polynomial of degree 0, 1, ...; those of the fits that are equally good
    span the range that the spectrum leaves open."""
    fits = tuple(pyrometry(spectrum, polynomial(degree)) for degree in range(degrees))
    best = min(fit.rms for fit in fits)
    good = [fit.temperature.value for fit in fits if fit.rms <= ALIKE * best]
    low, high = float(min(good)), float(max(good))
    return FreeEmissivity(fits, (low, high), fits[0].coldest, high - low <= VAGUE * low / 3)
