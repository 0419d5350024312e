"""Rock below a well from its echoes, at the bandwidth of seismics, held against what the well itself measured.

The well L-30 on the Nova Scotia shelf was logged every half foot with a sonic tool and a density tool. From the two
logs a seismogram is computed exactly, every one of a few thousand layers with all its multiple echoes (nothing is
linearised), for a wavelet of 25 Hz, and noise is added. Then the logs are put away, and the rock is found again from
the seismogram: impedance in cells of 4 milliseconds of travel time, from a start that knows only the slow trend of
the log, which seismics cannot feel and which comes from elsewhere in practice.

What to expect: echoes see changes of impedance between about 8 and 60 Hz. Faster changes are hidden by the wavelet,
slower ones lie in the trend. So the answer is held against the log averaged over the cells, once as it is and once at
the resolution of the wavelet, and against the trend alone: an inversion that added nothing would do as well as that.
The prior (impedance within 10 % of the trend, one standard deviation) decides what the record does not, and the error
bars say where.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from .. import media
from .._core.messages import BadInput
from .._core.precision import in_float64
from .._core.record import Account, Drawing, Section
from ..problem import Normal, Positive
from ..report import INK, SKY, VERMILLION, WIDTH, house_style
from ._base import Outcome, Request
from ._measurements import in_data_folder

SUMMARY = "impedance below a real well from its echoes, with error bars, against the well's own logs"
OPTIONS = {
    "log": "a LAS 2 file with the curves DEPTH and DT in feet and RHOB in g/cm3, instead of Penobscot L-30",
    "window": "how many seconds of two-way time below the first sample, 0.3 by default at quick effort, else 1",
    "snr": "signal to noise in decibels, 30 by default",
}

SOURCE = "Penobscot L-30, Nova Scotia, CNSOPB open data, from SEG tutorial 1406"
FOOT = 0.3048
INTERVAL, CELL = 1e-3, 4e-3  # s; samples of the seismogram, two-way time of a cell
FINE = 2.5e-4  # s of two-way time: the layers of the truth
WAVELET = 25.0  # Hz
TREND, SPREAD = 0.1, 0.1  # s over which the log is smoothed to a trend; relative standard deviation of rock about it


class Log(NamedTuple):
    """Impedance (Pa s/m) in layers of equal two-way time, with the depth (m) of their tops."""

    depth: Float[np.ndarray, " layers"]
    impedance: Float[np.ndarray, " layers"]

    @property
    def time(self) -> Float[np.ndarray, " layers"]:
        return FINE * (np.arange(len(self.depth)) + 0.5)


def run(request: Request) -> Outcome:
    begun = time.monotonic()
    log, name = read(request)
    window = request.number("window", request.pick(0.3, 1.0))
    per_cell, cells = round(CELL / FINE), int(window / CELL)
    if cells * per_cell > len(log.depth):
        most = FINE * len(log.depth)
        raise BadInput(f"--set window={window:g}: the log holds {most:.3g} s of two-way time; give at most that.")
    log = Log(log.depth[: cells * per_cell], log.impedance[: cells * per_cell])
    truth = np.exp(np.log(log.impedance).reshape(cells, per_cell).mean(axis=1))
    trend = smooth(log)[per_cell // 2 :: per_cell]
    clean = seismogram(log)
    snr = request.number("snr", 30.0)
    noise = float(np.sqrt(np.mean(clean**2))) * 10 ** (-snr / 20)
    record = clean + noise * np.random.default_rng(request.seed).normal(size=clean.size)
    found = media.invert(
        in_cells,
        {"impedance": Positive(trend, prior=Normal(trend, SPREAD * trend))},
        media.Waveforms(media.Tap(right=below), pulse(clean.size), INTERVAL, {"reflection": record}),
        starts=1,
        progress=request.progress,
    )
    told = np.asarray(found["impedance"].value)
    sd = np.asarray(found["impedance"].sd)
    seen = {name: in_band(values / trend) for name, values in (("log", truth), ("found", told))}
    numbers = {
        "source": name,
        "cells": cells,
        "depth": [float(log.depth[0]), float(log.depth[-1])],
        "snr": snr,
        "rms_error_percent": {"found": rms(told, truth), "trend": rms(trend, truth)},
        "in_band": {
            "rms_error_percent": {"found": rms(seen["found"], seen["log"]), "trend": rms(1.0, seen["log"])},
            "correlation": float(np.corrcoef(np.log(seen["found"]), np.log(seen["log"]))[0, 1]),
        },
        "inside_two_sd": float(np.mean(np.abs(told - truth) <= 2 * sd)),
        "median_sd_percent": float(100 * np.median(sd / told)),
        "noise_added": noise,
        "noise_found": found.noise["reflection"],
        "impedance": found["impedance"].to_json(),
    }
    figures = {
        "impedance": lambda: impedance_figure(log, trend, told, sd),
        "record": lambda: media.fit_figures(found)["reflection"],
    }
    lines = sentences(numbers, found)
    section = Section(
        "Impedance",
        tuple(lines),
        (),
        (Drawing("Impedance", "log, trend and what the echoes tell, with ± 2 sd.", figures["impedance"]),),
    )
    account = Account(
        found.status, time.monotonic() - begun, (section, found.record("").sections[1]), "least squares from the trend"
    )
    return Outcome(numbers, found.status, "\n".join(lines), account, {}, figures)


def read(request: Request) -> tuple[Log, str]:
    """The log of `--set log=FILE`, else that of L-30 from the folder that LAWFUL_DATA names or ../shared/data."""
    if "log" in request.options:
        path, name = Path(request.options["log"]), request.options["log"]
    else:
        path, name = in_data_folder("well_logs", "seg_L-30.las"), SOURCE
    if not path.is_file():
        raise BadInput(
            f"the log {path} was not found; give your own with --set log=FILE.las (DEPTH, DT, RHOB), or set LAWFUL_DATA"
            " to the folder that holds well_logs/."
        )
    return in_time(*columns(path)), name


def columns(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Depth in m, speed in m/s and density in kg/m3, from the first depth to the last at which both are known; gaps
    between are filled by straight lines."""
    head, _, body = path.read_text(encoding="latin1").partition("\n~A")
    curves = [line.split()[0].split(".")[0] for line in section(head, "~C")]
    missing = [name for name in ("DEPTH", "DT", "RHOB") if name not in curves]
    if missing:
        raise BadInput(f"{path} has no curve {missing[0]}; a seismogram needs DEPTH, DT (us/ft) and RHOB (g/cm3).")
    null = next((float(line.split()[2]) for line in section(head, "~W") if line.split()[0] == "NULL"), -999.25)
    table = np.array([line.split() for line in body.splitlines()[1:] if line.strip()], dtype=float)
    depth, slowness, density = (table[:, curves.index(name)] for name in ("DEPTH", "DT", "RHOB"))
    known = [(column != null) & (column > 0) for column in (slowness, density)]
    both = np.flatnonzero(known[0] & known[1])
    if both.size < 100:
        raise BadInput(f"{path} holds DT and RHOB together at {both.size} depths; a seismogram needs at least 100.")
    within = slice(both[0], both[-1] + 1)
    slowness, density = (
        np.interp(depth[within], depth[ok], column[ok]) for ok, column in zip(known, (slowness, density), strict=True)
    )
    return FOOT * depth[within], FOOT / (1e-6 * slowness), 1000 * density


def section(head: str, mark: str) -> list[str]:
    """The lines of a section of a LAS header, comments left out."""
    _, _, rest = head.partition("\n" + mark)
    lines = rest.partition("\n~")[0].splitlines()[1:]
    return [line for line in lines if line.strip() and not line.startswith("#")]


def in_time(depth: np.ndarray, speed: np.ndarray, density: np.ndarray) -> Log:
    """Layers of equal two-way time, each with the logarithmic mean of the impedances in it."""
    two_way = np.concatenate([[0.0], np.cumsum(2 * np.diff(depth) / speed[1:])])
    ends = np.arange(0.0, two_way[-1], FINE)
    total = np.concatenate([[0.0], np.cumsum(np.diff(two_way) * np.log(speed * density)[1:])])
    mean = np.diff(np.interp(ends, two_way, total)) / FINE
    return Log(np.interp(ends[:-1], two_way, depth), np.exp(mean))


def smooth(log: Log) -> Float[np.ndarray, " layers"]:
    """The trend: a Gaussian mean of the logarithm, with a standard deviation of `TREND` of two-way time."""
    from scipy.ndimage import gaussian_filter1d

    return np.exp(gaussian_filter1d(np.log(log.impedance), TREND / FINE, mode="nearest"))


def pulse(count: int) -> Float[np.ndarray, " count"]:
    return np.asarray(media.ricker(INTERVAL * np.arange(count), WAVELET))


@in_float64
def seismogram(log: Log) -> Float[np.ndarray, " count"]:
    """What comes back up the first layer, all multiple echoes included, a wavelet's length longer than the window."""
    count = int(FINE * len(log.depth) / INTERVAL + 4 / WAVELET / INTERVAL)
    half = np.full(len(log.impedance), FINE / 2)
    last = np.exp(np.mean(np.log(log.impedance[-round(CELL / FINE) :])))
    fine = in_cells(log.impedance, half)
    return np.asarray(media.records(media.Tap(right=below([last])), fine, pulse(count), INTERVAL)["reflection"])


def below(impedance) -> media.HalfSpace:
    """The last cell, going on without end."""
    return media.HalfSpace(impedance[-1], impedance[-1])


def in_cells(impedance, travel_time: ArrayLike = CELL / 2) -> media.Stack:
    """Layers of given impedance and one-way travel time. At normal incidence only these two count, so that a speed of
    1 serves: thickness is travel time, modulus and density are impedance."""
    return media.Stack(np.broadcast_to(travel_time, impedance.shape), impedance, impedance)


def in_band(ratio: Float[np.ndarray, " cells"]) -> Float[np.ndarray, " cells"]:
    """What a wavelet can resolve: a Gaussian mean as wide as a quarter of its period (two standard deviations)."""
    from scipy.ndimage import gaussian_filter1d

    return np.exp(gaussian_filter1d(np.log(ratio), 0.125 / WAVELET / CELL, mode="nearest"))


def rms(one: np.ndarray | float, other: np.ndarray) -> float:
    """Of the logarithm of the ratio, percent."""
    return float(100 * np.sqrt(np.mean(np.log(one / other) ** 2)))


def sentences(numbers: dict, found: media.Inversion) -> list[str]:
    errors, band = numbers["rms_error_percent"], numbers["in_band"]
    return [
        f"{numbers['source']}: {numbers['depth'][0]:.0f} to {numbers['depth'][1]:.0f} m, {numbers['cells']} cells of"
        f" {1e3 * CELL:g} ms, wavelet {WAVELET:g} Hz, {numbers['snr']:g} dB",
        f"impedance against the log in the same cells: rms error {errors['found']:.2f} %; the trend alone"
        f" {errors['trend']:.2f} %",
        f"at the resolution of a quarter period ({250 / WAVELET:g} ms): rms error"
        f" {band['rms_error_percent']['found']:.2f} %, the trend alone {band['rms_error_percent']['trend']:.2f} %,"
        f" correlation about the trend {band['correlation']:.3f}",
        f"{100 * numbers['inside_two_sd']:.1f} % of the cells within 2 sd of the log (median sd"
        f" {numbers['median_sd_percent']:.2f} %)",
        f"noise added {numbers['noise_added']:.3g}, found {numbers['noise_found']:.3g} (what cells"
        " cannot imitate counts as noise)",
        str(found.status),
    ]


@house_style()
def impedance_figure(log: Log, trend, told, sd):
    """Impedance over two-way time, depth on the upper edge."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(WIDTH, 3.6), layout="constrained")
    ax = fig.subplots()
    edges = CELL * np.arange(len(told) + 1)
    ax.plot(log.time, log.impedance / 1e6, color=SKY, lw=0.6, label="log")
    ax.stairs(trend / 1e6, edges, color=INK, ls="--", lw=1.0, baseline=None, label="trend, the start")
    ax.stairs(told / 1e6, edges, color=VERMILLION, lw=1.4, baseline=None, label="from the echoes, ± 2 sd")
    low, high = ((np.append(told, told[-1]) + sign * 2 * np.append(sd, sd[-1])) / 1e6 for sign in (-1, 1))
    ax.fill_between(edges, low, high, step="post", color=VERMILLION, alpha=0.2, lw=0)
    ax.set(xlabel="two-way time in s below the first sample", ylabel="impedance in 10⁶ Pa s/m", xlim=(0, edges[-1]))
    # Straight on beyond the ends, so that ticks there fall outside rather than on the last one.
    time, depth = (np.concatenate([[2 * v[0] - v[-1]], v, [2 * v[-1] - v[0]]]) for v in (log.time, log.depth))
    to_depth, to_time = lambda t: np.interp(t, time, depth), lambda z: np.interp(z, depth, time)
    ax.secondary_xaxis("top", functions=(to_depth, to_time)).set_xlabel("depth in m")
    ax.legend(loc="upper left", ncols=3)
    ax.set_ylim(top=1.15 * max(high.max(), log.impedance.max() / 1e6))
    return fig, ax
