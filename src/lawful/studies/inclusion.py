"""A hidden inclusion seen from outside: the stiffness of every point of a block from taps and sensors on its rim.

A concrete block of 1 m holds a soft lump (half the stiffness: honeycombed or cracked) and a stiff one. It is struck at
places along its rim, and sensors all around record the shear motion out of the plane. Nothing is assumed about number,
place or shape of what is hidden: the modulus is a field E(x, y), a smooth one of some hundred numbers, started from
plain concrete. The misfit's gradient is exact, by the adjoint of the finite-difference solver, and low frequencies are
fitted first.

The records are made on a grid twice as fine in space and time as the one that they are inverted on, so that the
solver's own error is in them like any other, and white noise is added. With `--set motion=plane` the same block is
struck and heard in its plane, across its rim, where compression and shear are coupled (P-SV); Poisson's ratio is known.

What to expect: the outline is blurred to about half the shortest wavelength. The band is that of a rough field, with
edges anywhere, as rough as the records speak for: noise, and details that no wave of this length shows. Such details
are most of it. It holds on average over a block like this, not at every place alike: at a sharp edge the truth leaves
it more often, in the even concrete less often than one time in twenty. In the mean over a region details cancel: its
error bar, of noise and prior alone, is so narrow that the solver's own error on this grid, about 1 %, shows beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from .. import media
from .._core.record import Account, Drawing, Section
from ..report import INK, TWO_SIDED, VERMILLION, WIDTH, house_style
from ._base import Outcome, Request

SUMMARY = "a hidden inclusion: the stiffness of every point of a block, from taps and sensors on its rim"
OPTIONS = {
    "noise": "noise in percent of the records' rms, 5 by default",
    "soft": "the soft lump's modulus over that of concrete, 0.5 by default",
    "motion": "across: shear out of the plane, the default; plane: compression and shear in it",
}

SIDE, CONCRETE, DENSITY = 1.0, 12e9, 2400.0  # m, Pa (shear), kg/m3
STIFF = 1.4  # of concrete
FASTER = 1.6  # compression than shear: Poisson's ratio 0.18
FINEST = 100.0  # m/s: frequency of the taps times the spacing of nodes, so that short waves span 6 cells
COURANT = 0.22  # of the fastest wave; half of what would be stable, so that the solver's error stays below the noise
DURATION = 1.3e-3  # s
DISC = (0.4, 0.6, 0.2)  # of the side: centre and radius of a region whose mean modulus is told
REACH = 0.08  # m over which stiffness hangs together, as far as anyone knows beforehand


class Motion(NamedTuple):
    """How the block is set in motion: what it is, how a blow acts on it, and the solver."""

    section: Callable[[Float[np.ndarray, "nx ny"], float], media.Section]
    shots: Callable[..., media.Shots]
    waves: Callable[..., Any]
    fastest: float  # wave over the shear wave


def plane(modulus: Float[np.ndarray, "nx ny"], spacing: float) -> media.Solid:
    return media.Solid(modulus, FASTER**2 * modulus, DENSITY, spacing)


def blows(sources: np.ndarray, receivers: np.ndarray, pulse: np.ndarray, interval: float) -> media.Blows:
    """Each towards the middle of the block."""
    inwards = sources.mean(axis=0) - sources
    return media.Blows(sources, receivers, pulse, interval, inwards / np.linalg.norm(inwards, axis=1, keepdims=True))


def across(modulus: Float[np.ndarray, "nx ny"], spacing: float) -> media.Section:
    return media.Section(modulus, DENSITY, spacing)


ACROSS = Motion(across, media.Shots, media.shear_records, 1.0)
PLANE = Motion(plane, blows, media.solid_records, FASTER)


def hidden(n: int, soft: float) -> Float[np.ndarray, "nx ny"]:
    """The modulus on n x n nodes: a round soft lump and a flat stiff one, their rims half a node wide."""
    x, y = np.meshgrid(*[np.linspace(0, SIDE, n)] * 2, indexing="ij")
    edge = 0.01 * SIDE
    lump = 0.5 * (1 + np.tanh((0.14 - np.hypot(x - 0.38, y - 0.60)) / edge))
    flat = 0.5 * (1 + np.tanh((1 - np.hypot((x - 0.68) / 0.10, (y - 0.34) / 0.16)) * 0.12 / edge))
    return CONCRETE * np.exp(np.log(soft) * lump + np.log(STIFF) * flat)


def block(n: int, soft: float, motion: Motion = ACROSS) -> media.Section:
    return motion.section(hidden(n, soft), SIDE / (n - 1))


def rim(n: int, count: int, inset: int) -> np.ndarray:
    """About `count` nodes along the rim of n x n, `inset` nodes inside."""
    low, high = inset, n - 1 - inset
    along = np.linspace(low, high, count // 4 + 1).round().astype(int)[:-1]
    level, top = np.full(len(along), low), np.full(len(along), high)
    back = low + high - along
    sides = ((along, level), (top, along), (back, top), (level, back))
    return np.concatenate([np.stack(side, axis=1) for side in sides])


def experiment(n: int, shots: int, sensors: int, fine: int = 1, motion: Motion = ACROSS) -> media.Shots:
    """The taps and sensors of the n x n grid, on one `fine` times as fine."""
    spacing = SIDE / (n - 1)
    frequency = FINEST / spacing
    interval = COURANT * spacing / (motion.fastest * np.sqrt(STIFF * CONCRETE / DENSITY)) / fine
    times = interval * np.arange(int(DURATION / interval / fine) * fine)
    pulse = 1e5 * np.asarray(media.ricker(times, frequency, 1.2 / frequency), dtype=float)
    return motion.shots(fine * rim(n, shots, 2), fine * rim(n, sensors, 1), pulse, interval)


def bands(spacing: float) -> tuple[float | None, ...]:
    """Half the frequency of the taps, then the whole, then all that they hold."""
    return (0.5 * FINEST / spacing, FINEST / spacing, None)


def recorded(
    n: int, shots: int, sensors: int, soft: float, percent: float, seed: int, motion: Motion = ACROSS
) -> tuple[np.ndarray, float]:
    """Records of the fine grid at the samples of the coarse one, with noise; and the noise."""
    finer = motion.waves(block(2 * n - 1, soft, motion), experiment(n, shots, sensors, 2, motion))
    clean = np.asarray(finer, float)[..., ::2]
    noise = percent / 100 * float(np.sqrt(np.mean(clean**2)))
    return clean + noise * np.random.default_rng(seed).normal(size=clean.shape), noise


def run(request: Request) -> Outcome:
    begun = time.monotonic()
    percent, soft = request.number("noise", 5.0), request.number("soft", 0.5)
    n, shots, sensors = request.pick(31, 41, 61), request.pick(4, 8, 16), request.pick(16, 24, 48)
    motion = {"across": ACROSS, "plane": PLANE}[request.choice("motion", ("across", "plane"))]
    records, noise = recorded(n, shots, sensors, soft, percent, request.seed, motion)
    truth = block(n, soft, motion)
    start = motion.section(np.full((n, n), CONCRETE), truth.spacing)
    there = experiment(n, shots, sensors, motion=motion)
    found = media.image(
        there,
        records,
        start,
        noise=noise,
        waves=motion.waves,
        details=request.pick(13, 18, 26),
        reach=REACH,
        bands=bands(truth.spacing),
        steps=request.pick(12, 40, 80),
        progress=request.progress,
    )
    numbers = compared(found, truth)
    numbers |= {"misfit": found.misfit, "noise_percent": percent, "gradients": len(found.trials), "shots": shots}
    figures = {"inclusion": lambda: pictures(truth, start, found, there), "descent": lambda: descent(found, truth)}
    lines = sentences(numbers)
    section = Section(
        "Modulus",
        tuple(lines),
        (),
        (Drawing("Modulus", "true, start, found, and one standard deviation.", figures["inclusion"]),),
    )
    account = Account(found.status, time.monotonic() - begun, (section,), "full-waveform inversion, low bands first")
    return Outcome(numbers, found.status, "\n".join(lines), account, {}, figures)


def compared(found: media.Image, truth: media.Section) -> dict:
    """The picture against the truth, of the logarithm of the modulus."""
    exact, told = np.log(np.asarray(truth.modulus)), np.log(np.asarray(found.section.modulus))
    plain = np.log(CONCRETE)
    at = np.unravel_index(np.argmin(told), told.shape)
    inside = np.exp(exact) < np.sqrt(np.exp(exact.min()) * CONCRETE)
    middle = np.argwhere(inside).mean(axis=0) * truth.spacing
    # A region that does not follow the lump's edge: the blur of that edge would be an error that no error bar knows.
    far = np.moveaxis(np.indices(told.shape), 0, -1) * truth.spacing - SIDE * np.array(DISC[:2])
    disc = np.hypot(*np.moveaxis(far, -1, 0)) < DISC[2] * SIDE
    off, even = np.abs(told - exact), np.abs(exact - plain) < 0.01
    seen = np.argwhere(told < plain + 0.5 * (told.min() - plain)).mean(axis=0) * truth.spacing
    return {
        "rms_error_percent": {"found": rms(told - exact), "start": rms(plain - exact)},
        "correlation": float(np.corrcoef(np.ravel(told), np.ravel(exact))[0, 1]),
        "soft_disc": {"found": found.mean(disc).to_json(), "true": float(np.exp(exact[disc].mean()))},
        "soft_centre_off_by": float(np.hypot(*(seen - middle))),
        "softest_at": [float(i * truth.spacing) for i in at],
        "inside_two_sd": float(np.mean(off <= 2 * found.log_sd)),
        "inside_two_sd_where_even": float(np.mean((off <= 2 * found.log_sd)[even])),
        "median_sd_percent": float(100 * np.median(found.log_sd)),
        "details_sd_percent": float(100 * np.median(np.sqrt(found.prior.left_out()))),
        "prior_sd_percent": 100 * found.prior.spread,
        "resolved": found.resolved,
        "unknowns": found.prior.basis.shape[1],
    }


def rms(difference: Float[np.ndarray, "nx ny"]) -> float:
    return float(100 * np.sqrt(np.mean(difference**2)))


def sentences(numbers: dict) -> list[str]:
    error, soft = numbers["rms_error_percent"], numbers["soft_disc"]
    return [
        f"{numbers['shots']} taps, noise {numbers['noise_percent']:g} %; chi2 per sample {numbers['misfit']:.3f} after"
        f" {numbers['gradients']} gradients",
        f"modulus against the truth, all points: rms error {error['found']:.2f} % (start: {error['start']:.2f} %),"
        f" correlation {numbers['correlation']:.3f}",
        f"mean over a disc of {2 * DISC[2] * SIDE:g} m that holds the soft lump: {soft['found']['value'] / 1e9:.4g} ±"
        f" {soft['found']['sd'] / 1e9:.2g} GPa (true {soft['true'] / 1e9:.4g}; the"
        " grid's own error is not in the bar); the lump's centre off by"
        f" {1e3 * numbers['soft_centre_off_by']:.0f} mm",
        f"{100 * numbers['inside_two_sd']:.0f} % of the points within 2 sd of the truth"
        f" ({100 * numbers['inside_two_sd_where_even']:.0f} % of those in even concrete); median sd"
        f" {numbers['median_sd_percent']:.1f} %, of which finer details {numbers['details_sd_percent']:.1f} %;"
        f" {numbers['resolved']:.0f} numbers determined of {numbers['unknowns']}",
    ]


@house_style()
def pictures(truth: media.Section, start: media.Section, found: media.Image, there: media.Shots):
    """True with its sensors, start, found, and the band."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(WIDTH, 6.0), layout="constrained")
    axes = fig.subplots(2, 2, sharex=True, sharey=True)
    fields = {"true": truth, "start": start, "found": found.section}
    logs = {name: np.log(np.asarray(section.modulus) / CONCRETE) for name, section in fields.items()}
    most = max(float(np.abs(field).max()) for field in logs.values())
    extent = (0, SIDE, 0, SIDE)
    for ax, (name, field) in zip(axes.flat[:3], logs.items(), strict=True):
        shown = ax.imshow(field.T, origin="lower", extent=extent, cmap=TWO_SIDED, vmin=-most, vmax=most)
        if name == "start":
            fig.colorbar(shown, ax=ax, label="log of modulus over concrete")
        ax.contour(logs["true"].T, [-0.2, 0.2], origin="lower", extent=extent, colors=INK, linewidths=0.7)
        ax.set_title(name)
    band = axes[1, 1].imshow(100 * found.log_sd.T, origin="lower", extent=extent, cmap="viridis", vmin=0)
    axes[1, 1].set_title("one standard deviation")
    fig.colorbar(band, ax=axes[1, 1], label="percent")
    axes[0, 0].plot(*(there.receivers * truth.spacing).T, ".", color=VERMILLION, ms=3)
    for ax in axes.flat:
        ax.grid(False)
        ax.set_aspect("equal")
    for ax in axes[1]:
        ax.set_xlabel("x in m")
    for ax in axes[:, 0]:
        ax.set_ylabel("y in m")
    return fig, axes[0, 0]


@house_style()
def descent(found: media.Image, truth: media.Section):
    """Misfit and model error over gradients."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    left, right = fig.subplots(1, 2)
    steps = [trial.gradients for trial in found.trials]
    exact = np.log(np.asarray(truth.modulus))
    left.semilogy(steps, [trial.misfit for trial in found.trials])
    left.axhline(1.0, color=INK, ls="--", lw=0.8)
    left.set(xlabel="gradients", ylabel="chi² per sample, band by band")
    right.plot(steps, [rms(np.log(trial.modulus) - exact) for trial in found.trials])
    right.set(xlabel="gradients", ylabel="rms error of log modulus in percent", ylim=(0, None))
    return fig, left
