"""Seeing inside by a trial field: the layers from one tap, the waves in them found along with thickness and stiffness.

    p_x = rho L u_tt,   p = E u_x / L,   0 < x - i < 1 in layer i;   u and p continuous where layers touch

Two or three elastic layers stand on a long steel bar; one end is tapped, a sensor at the other end records the velocity
for 100 microseconds. Every layer is mapped to a reference interval, so that its thickness L is an unknown of the law
like its modulus E. The displacement in each layer is a trial field over (x, t), and fields, thicknesses and moduli are
fitted at once: elasticity everywhere, rest at the start, displacement and traction p continuous at interfaces, the
record as data. That is an ordinary `Problem` with `lf.Neural`; no solver for waves is in it.

What decides how well that works is whether the trial field can hold the wave. It is a polynomial in depth and time;
polynomials need pi coefficients for every wavelength, and with some more the error falls exponentially. The tap is a
smooth bell, so that its waves can be counted: of a bell of 8 microseconds eleven periods fit into the record, and one
wavelength across the slowest layer. Where too few coefficients are given the law cannot be met, the error bars of the
trial field grow beyond those of the exact route, and the study says so.

Beside it stands the exact route on the same record, with the same guesses: propagator, search, least squares (see
`layers`). Both must tell the same, and do so with the same error bars. The exact route also tells how the face moved
that was tapped, which no sensor saw: the trial field knows that only by the law. Densities are known. The layers do not
damp: the law of damping of the exact route is one of frequency, with no counterpart of few terms in time.
"""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from .. import media
from .._core.messages import BadInput
from .._core.precision import in_float64
from .._core.record import Account, Drawing, Section, Status, Table
from ..fields import Spectral
from ..geometry import Box, Regions
from ..problem import Continuous, Data, Flux, Positive, Problem, Value
from ..report import BLUE, INK, TWO_SIDED, VERMILLION, WIDTH, house_style
from ..solve import GaussNewton, Neural, Solution, solve
from ._base import Outcome, Request
from ._specimen import FOOT, MATERIALS, STRENGTH, TRUTH

SUMMARY = "the hidden layers through a trial field: law, interfaces and record at once, beside the exact route"
OPTIONS = {
    "snr": "signal to noise of the record in decibels, 40 by default",
    "draws": "draws of the noise, both routes on each; by default 1, 3 and 10 for quick, normal and best effort",
    "layers": "how many, 2 or 3: aluminium, acrylic glass and titanium; by default 2 for quick effort, else 3",
    "bell": "how long the tap lasts in microseconds, from 5 to 15; by default 10 for quick effort, else 8",
}

INTERVAL, COUNT = 2e-7, 500  # s
DURATION, TIMES = INTERVAL * COUNT, INTERVAL * np.arange(COUNT)
PEAK = 4.0  # bells before the peak of the tap: it begins at 1e-7
LOOSE = 1.5  # error bars of the trial field over those of the exact route: beyond it the law is not met well enough
FAINT = 3e-4  # of the strongest frequency of the tap: what is weaker need not be held
NAMES = ("first", "second", "third")
GUESS = {"thickness": 0.02, "modulus": 30e9}  # m, Pa; the same for every layer
SHOWN = ("thickness", "modulus")
SOURCE = media.Tap(right=FOOT)


class Recording(NamedTuple):
    """How many layers there are, how long the tap was, s, what the far end recorded, m/s, and the size of its noise."""

    layers: int
    bell: float
    far: Float[np.ndarray, " count"]
    noise: float

    @property
    def names(self) -> tuple[str, ...]:
        return NAMES[: self.layers]

    @property
    def truth(self) -> Float[np.ndarray, "2 layers"]:
        return true(self.layers)


class Both(NamedTuple):
    """The same record by both routes."""

    recording: Recording
    exact: media.Inversion
    neural: Solution


def run(request: Request) -> Outcome:
    begun = time.monotonic()
    snr = request.number("snr", 40.0)
    draws = request.count("draws", request.pick(1, 3, 10), least=1, most=1000)
    bell = 1e-6 * request.number("bell", request.pick(10.0, 8.0))
    if not 5e-6 <= bell <= 15e-6:
        raise BadInput(f"--set bell={1e6 * bell:g}: the record holds taps from 5 to 15 microseconds, such as bell=8.")
    modes = {"x": request.pick(8, 9, 10), "t": coefficients(bell, spare=request.pick(8, 9, 15))}
    layers = request.count("layers", request.pick(2, 3), least=2, most=len(NAMES))
    found = [both(recorded(layers, bell, snr, request.seed + draw), Spectral(modes), request) for draw in range(draws)]
    first = found[0]
    numbers = {
        "snr": snr,
        "bell_in_us": 1e6 * bell,
        "coefficients": modes,
        "layers": [layer_json(first.neural, i) for i in range(layers)],
        "exact_layers": [layer_json(first.exact, i) for i in range(layers)],
        "truth": [{name: float(TRUTH[name][i]) for name in (*SHOWN, "density")} for i in range(layers)],
        "error_percent": {"neural": error(found, of_neural), "exact": error(found, of_exact)},
        "error_ratio": error(found, of_neural) / error(found, of_exact),
        "apart_in_sd": apart(found),
        "sd_ratio": sd_ratio(first),
        "unseen_face_error": unseen(first),
        "misfit": {"neural": first.neural.chi2 / first.neural.dof, "exact": first.exact.chi2 / first.exact.dof},
        "route_seconds": {"neural": first.neural.seconds, "exact": first.exact.seconds},
        "draws": draws,
    }
    status = verdict(found)
    figures = {"waves": lambda: waves(first), "estimates": lambda: estimates(first)}
    section = Section(
        "Layers by both routes",
        tuple(sentences(numbers)),
        (Table(HEAD, tuple(rows(first))),),
        (
            Drawing("Waves", "velocity in the layers as the trial field has it, and the record.", figures["waves"]),
            Drawing("Estimates", "off the truth, with ± 2 sd.", figures["estimates"]),
        ),
    )
    account = Account(status, time.monotonic() - begun, (section,), "a trial field beside exact waves")
    lines = ["  " + line for line in Table(HEAD, tuple(rows(first))).lines()]
    told = "\n".join([*lines, *sentences(numbers)])
    pages = request.pick({}, {"the trial field": first.neural})
    return Outcome(numbers, status, told, account, pages, figures)


def coefficients(bell: float, spare: int) -> int:
    """How many a polynomial in time needs: pi for each period of the highest frequency of the tap, and some to spare.

    The strength of a bell exp(-(t/b)^2) falls with frequency f as exp(-(pi b f)^2).
    """
    highest = np.sqrt(-np.log(FAINT)) / (np.pi * bell)
    return int(np.ceil(np.pi * highest * DURATION)) + spare


def blow(t, bell: float):
    """The pressure of the tap, Pa: a bell, whose spectrum ends as a bell does, so that the waves can be counted."""
    import jax.numpy as jnp

    return STRENGTH * jnp.exp(-((t / bell - PEAK) ** 2))


@in_float64
def pulse(bell: float) -> Float[np.ndarray, " count"]:
    return np.asarray(blow(TIMES, bell))


def true(layers: int) -> Float[np.ndarray, "2 layers"]:
    """The true thicknesses and moduli."""
    return np.array([TRUTH[name][:layers] for name in SHOWN])


@functools.cache
def stack_of(layers: int) -> Callable[..., media.Stack]:
    """The stack where the densities are known. Kept, so that what is compiled for one draw serves the next."""
    return lambda thickness, modulus: media.Stack(thickness, modulus, TRUTH["density"][:layers])


@in_float64
def motions(layers: int, bell: float) -> dict[str, Float[np.ndarray, " count"]]:
    """The exact velocity of both faces of the true layers, m/s."""
    found = media.records(SOURCE, stack_of(layers)(*true(layers)), pulse(bell), INTERVAL)
    return {name: np.asarray(samples) for name, samples in found.items()}


def recorded(layers: int, bell: float, snr: float, seed: int) -> Recording:
    clean = motions(layers, bell)["far"]
    noise = float(np.sqrt(np.mean(clean**2))) * 10 ** (-snr / 20)
    return Recording(layers, bell, clean + noise * np.random.default_rng(seed).normal(size=COUNT), noise)


def both(recording: Recording, field: Spectral, request: Request) -> Both:
    survey = media.Waveforms(SOURCE, pulse(recording.bell), INTERVAL, {"far": recording.far}, noise=recording.noise)
    alike = {name: Positive(np.full(recording.layers, GUESS[name])) for name in SHOWN}
    exact = media.invert(stack_of(recording.layers), alike, survey, seed=request.seed, progress=request.progress)
    # Law times unknown is nearly linear: whole steps need no damping, and arrive in few. The laws weigh a million times
    # as much as the data, so that even a damping of 1e-10 would hold back what only the data tell.
    whole = GaussNewton(damping=1e-12, least=1e-14, gtol=1e-7, ftol=1e-3)
    neural = solve(problem(recording), Neural(trial=field), optimiser=whole, progress=request.progress)
    return Both(recording, exact, neural)


def problem(recording: Recording) -> Problem:
    """Law, conditions and data in SI units; x counts layers."""
    duration, names, end = Box(t=(0, DURATION)), recording.names, recording.layers
    layers = Regions(**{name: Box(x=(i, i + 1)) * duration for i, name in enumerate(names)})
    hidden: dict[str, Any] = {name: {layer: Positive(GUESS[name]) for layer in names} for name in SHOWN}
    density = dict(zip(names, TRUTH["density"], strict=False))
    return Problem(
        layers,
        fields="u",
        laws={"elasticity": motion},
        derived={"p": traction},
        conditions=[
            Value(layers.at(t=0), u=0.0, u_t=0.0),
            Flux(layers.at(x=0), u=tapped(recording.bell)),
            Flux(layers.at(x=end), u=radiated),
            *(Continuous(layers.interface(one, two), "u", "p") for one, two in itertools.pairwise(names)),
        ],
        unknowns=hidden,
        constants={"rho": density, "Z": np.sqrt(FOOT.modulus * FOOT.density)},
        data=Data(
            {"x": np.full(COUNT, float(end)), "t": TIMES, "u_t": recording.far}, noise=recording.noise, name="far end"
        ),
    )


def motion(p_x, u_tt, rho, thickness):
    return p_x - rho * thickness * u_tt


def traction(modulus, thickness, u_x):
    return modulus * u_x / thickness


@functools.cache
def tapped(bell: float):
    """The first face is pressed: -p is the blow; the outward normal points against x."""
    return lambda t, thickness, modulus: blow(t, bell) * thickness / modulus


def radiated(u_t, thickness, modulus, Z):
    """The bar carries away what arrives: p = -Z u_t."""
    return -Z * thickness / modulus * u_t


def layer_json(found: Solution | media.Inversion, i: int) -> dict[str, Any]:
    """One layer: what was found with its error bar, and the density that was known."""
    of = (
        (lambda name: found.layer(i)[name]) if isinstance(found, media.Inversion) else (lambda name: found[at(name, i)])
    )
    known = {"density": {"value": float(TRUTH["density"][i]), "sd": 0.0}}
    return {name: of(name).to_json() for name in SHOWN} | known


def at(name: str, i: int) -> str:
    return f"{name}[{NAMES[i]}]"


def of_neural(found: Both, part: str = "value") -> Float[np.ndarray, "2 layers"]:
    return np.array(
        [[getattr(found.neural[at(name, i)], part) for i in range(found.recording.layers)] for name in SHOWN]
    )


def of_exact(found: Both, part: str = "value") -> Float[np.ndarray, "2 layers"]:
    return np.array([getattr(found.exact.layers[name], part) for name in SHOWN])


def error(found: list[Both], route) -> float:
    """Root mean square relative error of thicknesses and moduli over all draws, percent."""
    return float(100 * np.sqrt(np.mean([(route(one) / one.recording.truth - 1) ** 2 for one in found])))


def apart(found: list[Both]) -> float:
    """The largest difference of the two routes, in error bars of the exact one."""
    return float(np.max([np.abs(of_neural(one) - of_exact(one)) / of_exact(one, "sd") for one in found]))


def sd_ratio(found: Both) -> list[float]:
    """Error bars of the trial field over those of the exact route, the least and the greatest."""
    ratio = of_neural(found, "sd") / of_exact(found, "sd")
    return [float(np.min(ratio)), float(np.max(ratio))]


def unseen(found: Both) -> float:
    """How far the velocity of the tapped face is off that of the true layers, by their rms."""
    exact = motions(found.recording.layers, found.recording.bell)["near"]
    return float(np.sqrt(np.mean((moving(found, 0.0, TIMES) - exact) ** 2) / np.mean(exact**2)))


def verdict(found: list[Both]) -> Status:
    """Both routes must be trusted, and tell the same."""
    for one in found:
        for status in (one.exact.status, one.neural.status):
            if not status.converged:
                return status
    if apart(found) > 1:
        return Status(False, f"the two routes differ by {apart(found):.2g} error bars")
    if sd_ratio(found[0])[1] > LOOSE:
        return Status(
            False,
            f"the trial field holds the waves too loosely: its error bars are up to {sd_ratio(found[0])[1]:.2g} times"
            " those of the exact route; give it more coefficients, or a longer tap (--set bell=10)",
        )
    return found[0].neural.status


HEAD = ("layer", "quantity", "true", "trial field", "error %", "exact waves", "error %")


def rows(found: Both) -> list[tuple[str, ...]]:
    listed, truth = [], found.recording.truth
    for row, name in enumerate(SHOWN):
        for i, material in enumerate(MATERIALS[: found.recording.layers]):
            one, other = found.neural[at(name, i)], found.exact.layer(i)[name]
            off = [100 * (estimate.value / truth[row, i] - 1) for estimate in (one, other)]
            listed.append(
                (material, name, f"{truth[row, i]:g}", str(one), f"{off[0]:.3f}", str(other), f"{off[1]:.3f}")
            )
    return listed


def sentences(numbers: dict[str, Any]) -> list[str]:
    error, seconds, misfit = numbers["error_percent"], numbers["route_seconds"], numbers["misfit"]
    low, high = numbers["sd_ratio"]
    return [
        f"rms error of thicknesses and moduli over {numbers['draws']} draw(s): {error['neural']:.3f} % by the trial"
        f" field, {error['exact']:.3f} % by exact waves, ratio {numbers['error_ratio']:.2f}",
        f"the routes differ by {numbers['apart_in_sd']:.2f} error bars at most; error bars {low:.2f} to {high:.2f}"
        " times those of the exact route",
        f"velocity of the tapped face, which no sensor saw, off by {100 * numbers['unseen_face_error']:.2f} % rms",
        f"chi2 per degree of freedom {misfit['neural']:.3f} and {misfit['exact']:.3f};"
        f" {seconds['neural']:.1f} s and {seconds['exact']:.1f} s",
    ]


def moving(found: Both, x, t) -> Float[np.ndarray, "..."]:
    """The velocity that the trial field tells, m/s."""
    return np.asarray(found.neural.evaluate("u_t", x=x, t=t))


@house_style()
def waves(found: Both):
    """Velocity over depth and time as the trial field has it, the record with its fit, and what the fit leaves."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(1.35 * WIDTH, 4.2), layout="constrained")
    inside, far, rest = fig.subplots(1, 3, width_ratios=(1.6, 1, 0.45), sharey=True)
    thickness = of_neural(found)[0]
    begins = np.concatenate([[0.0], np.cumsum(thickness)])
    times = np.linspace(0, DURATION, 301)
    grids = []
    for i in range(found.recording.layers):
        x = np.linspace(i + 1e-9, i + 1 - 1e-9, 33)
        grids.append((1e3 * (begins[i] + (x - i) * thickness[i]), moving(found, x[None, :], times[:, None])))
    top = max(float(np.max(np.abs(values))) for _, values in grids)
    for depth, values in grids:
        mesh = inside.pcolormesh(
            depth, 1e6 * times, values, cmap=TWO_SIDED, vmin=-top, vmax=top, shading="gouraud", rasterized=True
        )
    for place in 1e3 * begins[1:-1]:
        inside.axvline(place, color=INK, lw=1.0)
    for i, material in enumerate(MATERIALS[: found.recording.layers]):
        middle = 1e3 * (begins[i] + begins[i + 1]) / 2
        inside.text(middle, 1e6 * DURATION, material, ha="center", va="bottom", color=INK, fontsize=9)
    inside.set(xlabel="depth in mm", ylabel="time in µs", xlim=(0, 1e3 * begins[-1]), ylim=(0, 1e6 * DURATION))
    inside.grid(False)
    fig.colorbar(mesh, ax=inside, label="velocity in m/s", location="left")
    fit = moving(found, float(found.recording.layers), TIMES)
    far.plot(found.recording.far, 1e6 * TIMES, ".", ms=3, color=BLUE, label="record")
    far.plot(fit, 1e6 * TIMES, color=VERMILLION, lw=1.0, label="trial field")
    far.set(xlabel="far end, m/s")
    far.legend(loc="upper right")
    rest.plot((found.recording.far - fit) / found.recording.noise, 1e6 * TIMES, ".", ms=2, color=BLUE)
    rest.set(xlabel="rest in sd", xlim=(-4.5, 4.5), xticks=(-3, 0, 3))
    return fig, inside


@house_style()
def estimates(found: Both):
    """Both routes against the truth, percent."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(WIDTH, 3.0), layout="constrained")
    ax = fig.subplots()
    truth, materials = found.recording.truth, MATERIALS[: found.recording.layers]
    place = np.arange(truth.size)
    routes = ((of_neural, VERMILLION, "trial field"), (of_exact, BLUE, "exact waves"))
    for shift, (route, colour, label) in zip((-0.1, 0.1), routes, strict=True):
        off, bar = (100 * part.ravel() for part in (route(found) / truth - 1, 2 * route(found, "sd") / truth))
        ax.errorbar(place + shift, off, bar, fmt="o", ms=4, capsize=3, color=colour, label=f"{label}, ± 2 sd")
    ax.axhline(0, color=INK, lw=0.8)
    ax.set_xticks(place, [f"{name},\n{material}" for name in SHOWN for material in materials], fontsize=8)
    ax.set(ylabel="off the truth in %")
    ax.legend()
    return fig, ax
