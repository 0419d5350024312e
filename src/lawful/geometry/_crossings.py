"""Where a function changes sign along a curve, and the curve cut there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from ._carrier import Curve
from ._sobol import Points

Along = Float[np.ndarray, " n"]

SAMPLES = 1024  # places on a curve that are looked at first
REFINED = 32  # further places between two of them, where the function is small
SHORTEST = 1e-9  # of a curve; shorter parts come from rounding


def intervals(
    curve: Curve,
    value: Callable[[Points], Along],
    verdict: Callable[[Points], Along],
    slack: float,
) -> list[tuple[Curve, float]]:
    """The curve cut where `value` changes sign, each part with the verdict at its middle; neighbours of one verdict are
    joined. `slack`: values up to it count as zero, and a stretch of zeros is a part of its own."""

    def along(share: Along) -> Along:
        return value(curve.place((share % 1.0 if curve.closed else share)[:, None]))

    places = np.array([0.0, *sign_changes(along, slack, curve.measure), 1.0])
    places = places[np.concatenate([[True], np.diff(places) > SHORTEST])]
    places[-1] = 1.0
    verdicts = verdict(curve.place(((places[:-1] + places[1:]) / 2)[:, None]))
    runs: list[tuple[float, float, float]] = []
    for start, end, found in zip(places[:-1], places[1:], verdicts, strict=True):
        if runs and runs[-1][2] == found:
            runs[-1] = (runs[-1][0], end, found)
        else:
            runs.append((start, end, found))
    if curve.closed and len(runs) > 1 and runs[0][2] == runs[-1][2]:  # the curve starts in the middle of a part
        first = runs.pop(0)
        runs[-1] = (runs[-1][0], 1.0 + first[1], first[2])
    return [
        (curve if (start, end) == (0.0, 1.0) else curve.cut(float(start), float(end)), float(found))
        for start, end, found in runs
    ]


def sign_changes(along: Callable[[Along], Along], slack: float, length: float) -> Along:
    """The places between 0 and 1, in order, where the function passes through zero or a stretch of zeros ends."""
    places = np.linspace(0.0, 1.0, SAMPLES + 1)
    values = along(places)
    small = np.minimum(np.abs(values[:-1]), np.abs(values[1:])) < length / SAMPLES
    if slack and np.any(small):
        step = np.arange(1, REFINED) / REFINED / SAMPLES
        more = (places[:-1][small][:, None] + step).ravel()
        order = np.argsort(np.concatenate([places, more]), kind="stable")
        places, values = np.concatenate([places, more])[order], np.concatenate([values, along(more)])[order]
    code = np.where(np.abs(values) <= slack, 0, np.sign(values))
    alone = (code == 0) & (np.pad(code, 1, "edge")[:-2] != 0) & (np.pad(code, 1, "edge")[2:] != 0)
    if not slack:  # zero is not positive
        code, alone = np.where(values > 0, 1, -1), np.zeros_like(alone)
    exact = places[alone]
    left, right = code[:-1], code[1:]
    apart = (left != right) & ~alone[:-1] & ~alone[1:]
    touching = apart & ((left == 0) | (right == 0))
    crossing = apart & ~touching
    leaving = bisected(lambda s: np.abs(along(s)) <= slack, places[:-1][touching], places[1:][touching])
    found = [
        exact,
        bisected(lambda s: along(s) > 0, places[:-1][crossing], places[1:][crossing]),
        without_slack(along, leaving, np.where(left == 0, 1.0, -1.0)[touching], length),
    ]
    return np.clip(np.sort(np.concatenate(found)), 0.0, 1.0)


def without_slack(along: Callable[[Along], Along], places: Along, way: Along, length: float) -> Along:
    """Where a stretch of zeros ends, from where the function passes the slack: `way` is the direction in which it
    leaves zero. It is followed back along its slope, if it has one."""
    if not len(places):
        return places
    step = 1e-6
    near, far = along(places), along(places + way * step)
    slope = (far - near) / step
    steep = np.abs(slope) > 1e-2 * length
    return places - way * np.where(steep, near / np.where(steep, slope, 1.0), 0.0)


def bisected(test: Callable[[Along], np.ndarray], low: Along, high: Along) -> Along:
    """The places where the test changes its mind between `low` and `high`, to rounding."""
    if not len(low):
        return low
    at_low = test(low)
    for _ in range(55):
        middle = (low + high) / 2
        same = test(middle) == at_low
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return (low + high) / 2
