"""The sun's spectrum: how hot its surface looks, and what the air takes out of it.

ASTM G173 tabulates sunlight outside the atmosphere and at the ground. Seen as a disk of solid angle pi (R / d)^2, the
sun has the radiance L = E / (pi (R / d)^2), and the same law gives three temperatures: from all that it sends, from the
shape of its spectrum, and band by band. They differ, because it is no black body.

At the ground, what is left after a smooth path (Rayleigh's lambda^-4, haze, a constant) is absorption: the bands of
ozone, oxygen, water and carbon dioxide stand out of the residual, and are named by where they lie.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from .._core.precision import in_float64
from .._core.record import Account, Drawing, Section, Status, Table
from ..radiation import (
    STEFAN_BOLTZMANN,
    Spectrum,
    black,
    brightness_temperature,
    fraction_below,
    pyrometry,
    radiance,
)
from ..report import BLUE, INK, VERMILLION
from ._base import Outcome, Request
from ._spectra import found

SUMMARY = "sunlight of ASTM G173: the sun's temperature three ways, and the air's absorption bands named"
OPTIONS: dict[str, str] = {}

RADIUS, DISTANCE = 6.957e8, 1.495978707e11  # m, of the sun (IAU 2015, nominal) and to it
SOLID_ANGLE = np.pi * (RADIUS / DISTANCE) ** 2
EFFECTIVE = 5772.0  # K, from the total irradiance 1361 W/m2 (IAU 2015, nominal)

# Ranges in um. Source: K. N. Liou, An Introduction to Atmospheric Radiation (2002), chapter 3; O2 from HITRAN.
BANDS = {
    "O2 0.69 (B)": (0.685, 0.697),
    "H2O 0.72": (0.698, 0.735),
    "O2 0.76 (A)": (0.758, 0.772),
    "H2O 0.82": (0.81, 0.84),
    "H2O 0.94": (0.87, 0.99),
    "H2O 1.13": (1.08, 1.2),
    "O2 1.27": (1.25, 1.285),
    "H2O 1.38": (1.3, 1.52),
    "CO2 1.6": (1.56, 1.62),
    "H2O 1.87": (1.74, 1.985),
    "CO2 2.0": (1.99, 2.09),
    "H2O 2.7, its wing": (2.3, 2.6),
}
DEEP = 0.12  # optical depth above the smooth path from which a dip counts
WIDTH = 0.006  # of the logarithm of the wavelength over which the depth is averaged


class Sunlight(NamedTuple):
    wavelength: Float[np.ndarray, " n"]  # um
    above: Float[np.ndarray, " n"]  # W m-2 um-1, outside the atmosphere
    direct: Float[np.ndarray, " n"]  # at the ground, from the disk


def read() -> Sunlight:
    table = np.loadtxt(found("solar_astm_g173", "ASTMG173.csv"), delimiter=",", skiprows=2)
    return Sunlight(table[:, 0] / 1e3, table[:, 1] * 1e3, table[:, 3] * 1e3)


def total_temperature(sun: Sunlight) -> float:
    """The black body that sends as much between the ends of the table."""
    from scipy.optimize import brentq

    sent = float(np.trapezoid(sun.above, sun.wavelength)) / (SOLID_ANGLE / np.pi)
    ends = sun.wavelength[[0, -1]]

    def excess(temperature: float) -> float:
        low, high = np.asarray(fraction_below(ends, temperature))
        return STEFAN_BOLTZMANN * temperature**4 * (high - low) - sent

    return float(brentq(excess, 3000.0, 9000.0))


class Air(NamedTuple):
    """The optical depth of the air, its smooth part, and the dips: wavelength, depth, name."""

    wavelength: Float[np.ndarray, " n"]
    depth: Float[np.ndarray, " n"]
    smooth: Float[np.ndarray, " n"]
    dips: tuple[tuple[float, float, str], ...]


def air(sun: Sunlight, temperature: float) -> Air:
    """What the air takes out of the light of a black sun: the residual of a fit by a smooth path from above."""
    from scipy.signal import find_peaks

    clear = (sun.wavelength > 0.45) & (sun.wavelength < 2.5) & (sun.direct > 0)
    places = sun.wavelength[clear]
    seen = np.log(np.asarray(radiance(places, temperature)) * SOLID_ANGLE) - np.log(sun.direct[clear])
    even = np.exp(np.arange(np.log(places[0]), np.log(places[-1]), WIDTH / 4))
    depth = np.convolve(np.interp(even, places, seen), np.full(5, 0.2), mode="same")
    depth[[0, 1, -2, -1]] = np.interp(even[[0, 1, -2, -1]], places, seen)
    basis = np.stack([np.ones_like(even), even**-4, even**-1.3, 1 / even], axis=1)
    weight = np.ones_like(even)
    for _ in range(60):  # least squares in which what lies above the curve, absorption, hardly counts
        weights = np.linalg.lstsq(basis * weight[:, None], depth * weight, rcond=None)[0]
        smooth = basis @ weights
        weight = np.where(depth > smooth + 0.02, 0.03, 1.0)
    tops, _ = find_peaks(depth - smooth, height=DEEP, prominence=DEEP / 2, distance=round(0.03 / (WIDTH / 4)))
    found = [(float(even[k]), float((depth - smooth)[k]), named(even[k])) for k in tops]
    deepest = {name: max(depth for _, depth, other in found if other == name) for _, _, name in found}
    kept = [dip for dip in found if dip[2] == "unknown" or dip[1] == deepest[dip[2]]]
    return Air(even, depth, smooth, tuple(kept))


def named(wavelength: float) -> str:
    return next((name for name, (low, high) in BANDS.items() if low <= wavelength <= high), "unknown")


@in_float64
def run(request: Request) -> Outcome:
    begin = time.monotonic()
    sun = read()
    total = total_temperature(sun)
    shape = pyrometry(Spectrum(sun.wavelength[::8], sun.above[::8] / SOLID_ANGLE), black())
    brightest = np.asarray(brightness_temperature(sun.wavelength, sun.above / SOLID_ANGLE))
    seen = air(sun, total)
    names = sorted({name for _, _, name in seen.dips})
    numbers = {
        "temperature": {"total": total, "shape": shape.temperature.to_json(), "published": EFFECTIVE},
        "brightness": {"lowest": float(brightest.min()), "highest": float(brightest.max())},
        "bands": [{"wavelength": w, "depth": d, "name": name} for w, d, name in seen.dips],
    }
    good = abs(total / EFFECTIVE - 1) < 0.01 and "unknown" not in names
    reason = f"{len(names)} bands found, all of them known" if good else "a dip has no name, or the temperature is off"
    status = Status(good, reason, "trusted")
    lines = [
        f"from all that it sends        {total:.0f} K   (published effective temperature {EFFECTIVE:.0f} K)",
        f"from the shape of the spectrum {shape.temperature} K   (residual {100 * shape.rms:.0f} %: no black body)",
        f"band by band                  {brightest.min():.0f} to {brightest.max():.0f} K",
        "dips at the ground            " + ", ".join(f"{w:.3f} um {name}" for w, _, name in seen.dips),
    ]
    rows = tuple((f"{w:.3f}", f"{d:.2f}", name) for w, d, name in seen.dips)
    draw = lambda: figure(sun, total, brightest, seen)
    section = Section(
        "Sunlight",
        tuple(lines[:3]),
        (Table(("wavelength / μm", "optical depth", "band"), rows),),
        (Drawing("sun", "Spectra, brightness temperature, and optical depth above the smooth path.", draw),),
    )
    main = Account(status, time.monotonic() - begin, (section,), "Planck's law on ASTM G173-03")
    return Outcome(numbers, status, "\n".join(lines), main, figures={"sun": draw})


@in_float64
def figure(sun: Sunlight, total: float, brightest: np.ndarray, seen: Air):
    from matplotlib.figure import Figure

    fig = Figure(figsize=(8, 7), layout="constrained")
    top, middle, bottom = axes = fig.subplots(3, 1, sharex=True)
    top.plot(sun.wavelength, sun.above, color=INK, lw=0.7, label="outside the atmosphere")
    top.plot(sun.wavelength, sun.direct, color=VERMILLION, lw=0.7, label="at the ground, direct")
    planck = SOLID_ANGLE * np.asarray(radiance(sun.wavelength, total))
    top.plot(sun.wavelength, planck, color=BLUE, label=f"black body of {total:.0f} K")
    top.set(ylabel="irradiance / W m⁻² μm⁻¹")
    top.legend()
    middle.plot(sun.wavelength, brightest, color=INK, lw=0.7)
    middle.axhline(total, color=BLUE)
    middle.set(ylabel="brightness temperature / K")
    bottom.plot(seen.wavelength, seen.depth, color=INK, lw=0.8, label="optical depth")
    bottom.plot(seen.wavelength, seen.smooth, color=BLUE, label="smooth path")
    for k, (place, depth, name) in enumerate(seen.dips):
        height = min(depth + float(np.interp(place, seen.wavelength, seen.smooth)), 1.7) + 0.1
        side = 0.006 if k % 2 else -0.006  # neighbours stand apart
        bottom.annotate(name, (place + side, height), rotation=90, fontsize=8, color=VERMILLION, ha="center")
    bottom.set(xlabel="wavelength / μm", ylabel="optical depth", ylim=(-0.1, 2.6), xlim=(0.28, 2.6))
    bottom.legend(loc="upper left")
    return fig, axes
