"""A hidden inclusion seen from outside: the stiffness of every point of a block from taps and sensors on its rim.

A concrete block of 1 m holds a soft lump (half the stiffness: honeycombed or cracked) and a stiff one. It is struck at
places along its rim, and sensors all around record the shear motion out of the plane. Nothing is assumed about number,
place or shape of what is hidden: the modulus is a field E(x, y), a smooth one of some hundred numbers, started from
plain concrete. The misfit's gradient is exact, by the adjoint of the finite-difference solver, and low frequencies are
fitted first.

The records are made on a grid twice as fine in space and time as the one that they are inverted on, so that the
solver's own error is in them like any other, and white noise is added.

What to expect: the outline is blurred to about half the shortest wavelength. The error bars are those of the field
that splines can show, noise and prior together; where edges are sharper than that, the truth may leave the band, and
the study says how often it does.
"""

from __future__ import annotations

import time

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
}

SIDE, CONCRETE, DENSITY = 1.0, 12e9, 2400.0  # m, Pa (shear), kg/m3
STIFF = 1.4  # of concrete
FINEST = 100.0  # m/s: frequency of the taps times the spacing of nodes, so that short waves span 6 cells
COURANT = 0.22  # of the fastest wave; half of what would be stable, so that the solver's error stays below the noise
DURATION = 1.3e-3  # s
REACH = 0.08  # m over which stiffness hangs together, as far as anyone knows beforehand


def block(n: int, soft: float) -> media.Section:
    """The block on n x n nodes: a round soft lump and a flat stiff one, their rims half a node wide."""
    x, y = np.meshgrid(*[np.linspace(0, SIDE, n)] * 2, indexing="ij")
    edge = 0.01 * SIDE
    lump = 0.5 * (1 + np.tanh((0.14 - np.hypot(x - 0.38, y - 0.60)) / edge))
    flat = 0.5 * (1 + np.tanh((1 - np.hypot((x - 0.68) / 0.10, (y - 0.34) / 0.16)) * 0.12 / edge))
    return media.Section(CONCRETE * np.exp(np.log(soft) * lump + np.log(STIFF) * flat), DENSITY, SIDE / (n - 1))


def rim(n: int, count: int, inset: int) -> np.ndarray:
    """About `count` nodes along the rim of n x n, `inset` nodes inside."""
    low, high = inset, n - 1 - inset
    along = np.linspace(low, high, count // 4 + 1).round().astype(int)[:-1]
    level, top = np.full(len(along), low), np.full(len(along), high)
    back = low + high - along
    sides = ((along, level), (top, along), (back, top), (level, back))
    return np.concatenate([np.stack(side, axis=1) for side in sides])


def experiment(n: int, shots: int, sensors: int, fine: int = 1) -> media.Shots:
    """The taps and sensors of the n x n grid, on one `fine` times as fine."""
    spacing = SIDE / (n - 1)
    frequency = FINEST / spacing
    interval = COURANT * spacing / np.sqrt(STIFF * CONCRETE / DENSITY) / fine
    times = interval * np.arange(int(DURATION / interval / fine) * fine)
    pulse = 1e5 * np.asarray(media.ricker(times, frequency, 1.2 / frequency), dtype=float)
    return media.Shots(fine * rim(n, shots, 2), fine * rim(n, sensors, 1), pulse, interval)


def bands(spacing: float) -> tuple[float | None, ...]:
    """Half the frequency of the taps, then the whole, then all that they hold."""
    return (0.5 * FINEST / spacing, FINEST / spacing, None)


def recorded(n: int, shots: int, sensors: int, soft: float, percent: float, seed: int) -> tuple[np.ndarray, float]:
    """Records of the fine grid at the samples of the coarse one, with noise; and the noise."""
    finer = media.shear_records(block(2 * n - 1, soft), experiment(n, shots, sensors, 2))
    clean = np.asarray(finer, float)[:, :, ::2]
    noise = percent / 100 * float(np.sqrt(np.mean(clean**2)))
    return clean + noise * np.random.default_rng(seed).normal(size=clean.shape), noise


def run(request: Request) -> Outcome:
    begun = time.monotonic()
    percent, soft = request.number("noise", 5.0), request.number("soft", 0.5)
    n, shots, sensors = request.pick(31, 41, 61), request.pick(4, 8, 16), request.pick(16, 24, 48)
    records, noise = recorded(n, shots, sensors, soft, percent, request.seed)
    truth = block(n, soft)
    start = media.Section(np.full((n, n), CONCRETE), DENSITY, truth.spacing)
    there = experiment(n, shots, sensors)
    found = media.image(
        there,
        records,
        start,
        noise=noise,
        details=request.pick(11, 14, 20),
        reach=REACH,
        bands=bands(truth.spacing),
        steps=request.pick(40, 40, 80),
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
    seen = np.argwhere(told < plain + 0.5 * (told.min() - plain)).mean(axis=0) * truth.spacing
    return {
        "rms_error_percent": {"found": rms(told - exact), "start": rms(plain - exact)},
        "correlation": float(np.corrcoef(np.ravel(told), np.ravel(exact))[0, 1]),
        "soft_modulus": {"found": float(np.exp(told[inside].mean())), "true": float(np.exp(exact[inside].mean()))},
        "soft_centre_off_by": float(np.hypot(*(seen - middle))),
        "softest_at": [float(i * truth.spacing) for i in at],
        "inside_two_sd": float(np.mean(np.abs(told - exact) <= 2 * found.log_sd)),
        "median_sd_percent": float(100 * np.median(found.log_sd)),
    }


def rms(difference: Float[np.ndarray, "nx ny"]) -> float:
    return float(100 * np.sqrt(np.mean(difference**2)))


def sentences(numbers: dict) -> list[str]:
    error, soft = numbers["rms_error_percent"], numbers["soft_modulus"]
    return [
        f"{numbers['shots']} taps, noise {numbers['noise_percent']:g} %; chi2 per sample {numbers['misfit']:.3f} after"
        f" {numbers['gradients']} gradients",
        f"modulus against the truth, all points: rms error {error['found']:.2f} % (start: {error['start']:.2f} %),"
        f" correlation {numbers['correlation']:.3f}",
        f"soft lump: mean modulus {soft['found'] / 1e9:.3g} GPa (true {soft['true'] / 1e9:.3g}), centre off by"
        f" {1e3 * numbers['soft_centre_off_by']:.0f} mm",
        f"{100 * numbers['inside_two_sd']:.0f} % of the points within 2 sd of the truth (median sd"
        f" {numbers['median_sd_percent']:.1f} %)",
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
