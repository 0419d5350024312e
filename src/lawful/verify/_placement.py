"""Where the next sensor should stand: to tell candidates apart, or to sharpen a coefficient."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ._base import ForwardModel, Measurements, Probe
from ._fitting import Fit
from ._search import GROUP


@dataclass(frozen=True)
class Proposal:
    """A place for another sensor, and what it would bring.

    label        the place in words.
    place        its coordinates.
    purpose      "tell A from B", or "sharpen A".
    now, then    without and with it: the expected difference of the deviances of two candidates when one of them is
                 right, or the standard deviation of a coefficient.
    places       every possible place, and `curve` the same as `then` for each.
    """

    label: str
    place: dict[str, float]
    purpose: str
    now: float
    then: float
    curve: Float[np.ndarray, " places"]
    places: Mapping[str, Float[np.ndarray, " places"]]

    @property
    def chance(self) -> float:
        """Of telling the two apart with the sensor: the difference of deviances is normal with mean d and variance 4 d,
        and must exceed 2 log 20."""
        from scipy import special

        return float(special.ndtr((self.then - GROUP) / (2 * math.sqrt(max(self.then, 1e-12)))))


def separating(
    model: ForwardModel, data: Measurements, rivals: dict[str, Fit], group: tuple[str, ...]
) -> Proposal | None:
    """The place whose readings tell the members of a group apart best, whichever of them is right.

    If A is right, B will be refitted to what A does: with D the difference of their predictions and J the slopes of B's
    numbers, in units of noise, the deviances will differ by min_s |D + J s|^2, at the sensors there are and the new one
    together. The smallest over all pairs, taken both ways, is made as large as possible. Source: Atkinson and Fedorov,
    Biometrika 62, 57 (1975) (T-optimality).
    """
    probe = model.probe
    if probe is None or len(group) < 2:
        return None
    here = {name: whitened_here(model, data, rivals[name]) for name in group}
    there = {name: whitened_there(probe, rivals[name], len(probe_label(probe))) for name in group}
    pairs = [(a, b) for a in group for b in group if a != b]
    now = min(separation(here[a][0] - here[b][0], here[b][1]) for a, b in pairs)
    curves = [with_each(here[a], here[b], there[a], there[b]) for a, b in pairs]
    worst = np.min(np.stack(curves), axis=0)
    index = int(np.argmax(worst))
    purpose = f"tell {' from '.join(group)}" if len(group) == 2 else f"tell {', '.join(group)} apart"
    return Proposal(
        probe.label(index), coordinates(probe, index), purpose, now, float(worst[index]), worst, probe.places
    )


def sharpening(model: ForwardModel, data: Measurements, found: Fit, candidate: str) -> Proposal | None:
    """The place that makes the standard deviation of a candidate's coefficient smallest, were it missing.
    The curve holds that standard deviation, in the user's unit (c-optimality)."""
    probe = model.probe
    if probe is None:
        return None
    place = model.place_of(candidate)
    free = found.free if place in found.free else (*found.free, place)
    directions = np.eye(len(found.x))[:, list(free)]
    slopes = model.linearise(found.x, directions)[1] / found.sd[:, None]
    more = probe.linearise(found.x, directions)[1] / probe.noise
    more = more.reshape(len(probe_label(probe)), -1, len(free))
    index = free.index(place)
    unit = abs(model.coordinates[place].slope(float(found.x[place])))
    now = unit * math.sqrt(inverse(slopes.T @ slopes)[index, index])
    curve = unit * np.array([math.sqrt(inverse(slopes.T @ slopes + rows.T @ rows)[index, index]) for rows in more])
    best = int(np.argmin(curve))
    return Proposal(
        probe.label(best),
        coordinates(probe, best),
        f"sharpen {candidate}",
        now,
        float(curve[best]),
        curve,
        probe.places,
    )


def probe_label(probe: Probe) -> Float[np.ndarray, " places"]:
    return np.asarray(next(iter(probe.places.values())))


def coordinates(probe: Probe, index: int) -> dict[str, float]:
    return {axis: float(values[index]) for axis, values in probe.places.items()}


Whitened = tuple[Float[np.ndarray, "*rows"], Float[np.ndarray, "*rows free"]]


def whitened_here(model: ForwardModel, data: Measurements, found: Fit) -> Whitened:
    return (found.miss + data.values) / found.sd, found.slopes / found.sd[:, None]


def whitened_there(probe: Probe, found: Fit, count: int) -> Whitened:
    values, slopes = probe.linearise(found.x, np.eye(len(found.x))[:, list(found.free)])
    return values.reshape(count, -1) / probe.noise, slopes.reshape(count, -1, len(found.free)) / probe.noise


def separation(difference: Float[np.ndarray, " rows"], jacobian: Float[np.ndarray, "rows free"]) -> float:
    """Min over s of |difference + jacobian s|^2."""
    norms = np.linalg.norm(jacobian, axis=0)
    step = np.linalg.lstsq(jacobian / np.where(norms > 0, norms, 1.0), difference, rcond=1e-10)[0]
    return float(np.sum((difference - jacobian / np.where(norms > 0, norms, 1.0) @ step) ** 2))


def with_each(right: Whitened, wrong: Whitened, right_there: Whitened, wrong_there: Whitened) -> np.ndarray:
    """The separation with a sensor at each place besides those there are."""
    found = []
    for place in range(len(right_there[0])):
        difference = np.concatenate([right[0] - wrong[0], right_there[0][place] - wrong_there[0][place]])
        found.append(separation(difference, np.concatenate([wrong[1], wrong_there[1][place]])))
    return np.array(found)


def inverse(square: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "n n"]:
    scale = np.sqrt(np.maximum(np.diag(square), 1e-300))
    return np.linalg.pinv(square / np.outer(scale, scale), rcond=1e-12, hermitian=True) / np.outer(scale, scale)
