"""Simulated textures of a ring, in pieces that survive a kill; and the same told at the pressure that they carry."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..design import Dataset, Range, Simulator, Space, generate, together
from ._ring import CONTROLS, Ring
from ._ring_families import texture

PIECE = 500  # textures in a file
SCALARS = ("pressure", "friction", "stress")
TOLD = 0.3e6, 12e6  # pressures of which the surrogate learns, Pa; wider than what generators are asked for


def asked_space() -> Space:
    """A texture, and the logarithm of the pressure that it is to carry (Pa)."""
    low, high = (float(np.log(p)) for p in TOLD)
    return Space(texture=Range(0.0, 1.0, (CONTROLS, CONTROLS)), pressure=Range(low, high))


def simulated(ring: Ring, count: int, folder: Path | None, seed: int = 0, progress: bool | None = None) -> Dataset:
    """Random textures at random gaps, `count` of them; a second call goes on where the first was killed. Those whose
    film breaks all around the ring, or was not found, are among the failures."""
    simulator = Simulator(ring.simulate, ring.space, slopes=SCALARS)
    pieces = []
    for first in range(0, count, PIECE):
        rng = np.random.default_rng((seed, first))
        rows = [np.append(texture(rng).ravel(), rng.random()) for _ in range(min(PIECE, count - first))]
        name = f"textures-{seed}-{first:06d}"
        pieces.append(generate(simulator, np.stack(rows), folder, name=name, progress=progress))
    return together(pieces)


def at_pressure(ring: Ring, data: Dataset) -> Dataset:
    """Logarithms of friction, stress and gap as functions of the texture and of the pressure it carries.

    Simulations were asked for a gap g and told the pressure p(c, g). At a pressure that is held, by the implicit
    function theorem, dg/dc = -p_c / p_g, dg/dp = 1 / p_g, and of any other output df/dc = f_c + f_g dg/dc,
    df/dp = f_g / p_g.
    Left out is what carries nothing like what is asked for, or more in a thicker film.
    """
    space = asked_space()
    (low, high), gaps = TOLD, ring.space.ranges["gap"]
    p, p_u = data.values["pressure"], data.slopes["pressure"]
    friction, stress = data.values["friction"], data.values["stress"]
    fine = (p > low) & (p < high) & (friction > 0) & (stress > 0) & (p_u[:, -1] < 0)
    data, p, p_u = data.rows(fine), p[fine], p_u[fine]
    by_gap = p_u[:, -1:] / p[:, None]  # slopes of log p in the unit vector
    by_texture = p_u[:, :-1] / p[:, None]
    span = np.log(high / low)
    values, slopes = {}, {}
    for name in ("friction", "stress"):
        f, f_u = data.values[name], data.slopes[name] / data.values[name][:, None]
        values[name] = np.log(f)
        slopes[name] = np.concatenate([f_u[:, :-1] - f_u[:, -1:] * by_texture / by_gap, span * f_u[:, -1:] / by_gap], 1)
    width = gaps.high - gaps.low
    values["gap"] = gaps.low + width * data.units[:, -1]
    slopes["gap"] = width * np.concatenate([-by_texture / by_gap, span / by_gap], 1)
    u = (np.log(p) - space.ranges["pressure"].low) / span
    units = np.concatenate([data.units[:, :-1], u[:, None]], 1)
    return Dataset(units, values, slopes, data.failures, data.seconds)
