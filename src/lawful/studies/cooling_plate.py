"""A hot plate cools: convection or radiation, and of what emissivity?

Planck's law inside a larger one. A plate of heat capacity C (per area) glows, radiates from both faces and loses heat
to the air,

    C dT/dt = -h (T - Ta) - R(T) + R(Ta),    R(T) = eps_short E(0, 4 um, T) + eps_long E(4 um, inf, T)

where E(low, high, T) is what a black body emits in a band: the emissivities of two bands and the film coefficient h are
learned from one thermocouple. Hot, the plate shines in the short band, cold in the long one, so that all three are
determined. A grey plate, eps_short = eps_long, is fitted to the same record, and refuted by it.

The same law stands in a partial differential equation (not at quick effort): a strip heated at one end, with
thermocouples along it,

    T_t = a T_xx - (h (T - Ta) + R(T) - R(Ta)) / C
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from .._core.precision import in_float64
from ..geometry import Box
from ..problem import Bounded, Data, Flux, Positive, Problem, Value
from ..radiation import band_exitance
from ..report import BLUE, INK, VERMILLION
from ..solve import Collocation, Solution, solve
from ._base import Effort, Outcome, Request, all_trusted

SUMMARY = "a cooling plate and a strip: emissivity in two bands and convection from thermocouples, Planck's law inside"
OPTIONS = {"noise": "standard deviation of a thermocouple in kelvin, 1 by default"}

AIR, HOT, CUT = 293.0, 1200.0, 4.0  # K, K, um
CAPACITY = 4000.0  # J m-2 K-1: a millimetre of steel
DIFFUSIVITY = 1.2e-5  # m2/s
TRUTH = {"eps_short": 0.75, "eps_long": 0.35, "h": 12.0}
SPAN, LENGTH, STRIP_SPAN, HEATING = 600.0, 0.05, 120.0, 4.0  # s, m, s, s
STEPS = (0, 1, 2, 4, 6, 8, 11, 14, 18, 23, 29, 36, 45, 55, 68, 84, 100, 120)  # s, denser while the end heats up
WHERE = (0.01, 0.02, 0.035)  # thermocouples on the strip, m


def loss(T, eps_short, eps_long, h):
    """Net heat flow from both faces to the surroundings, W m-2."""

    def radiated(t):
        return eps_short * band_exitance(0.0, CUT, t) + eps_long * band_exitance(CUT, jnp.inf, t)

    return h * (T - AIR) + radiated(T) - radiated(AIR)


def plate(T, T_t, eps_short, eps_long, h):
    return T_t + loss(T, eps_short, eps_long, h) / CAPACITY


def grey_plate(T, T_t, eps, h):
    return T_t + loss(T, eps, eps, h) / CAPACITY


def strip(T, T_t, T_xx, eps_short, eps_long, h):
    return T_t - DIFFUSIVITY * T_xx + loss(T, eps_short, eps_long, h) / CAPACITY


TWO_BANDS = {"eps_short": Bounded(0.0, 1.0), "eps_long": Bounded(0.0, 1.0), "h": Positive(guess=5.0)}
GREY = {"eps": Bounded(0.0, 1.0), "h": Positive(guess=5.0)}


def plate_problem(law, data=(), **parts) -> Problem:
    domain = Box(t=(0, SPAN))
    return Problem(domain, "T", {"balance": law}, [Value(domain.at(t=0), T=HOT)], data=data, **parts)


def strip_problem(data=(), **parts) -> Problem:
    """Room temperature at first; the end is heated within some seconds, gently at first: a rate that started at once
    would contradict the law in the corner, where nothing flows yet."""
    domain = Box(x=(0, LENGTH), t=(0, STRIP_SPAN))
    conditions = [
        Value(domain.at(t=0), T=AIR),
        Value(domain.at(x=0), T=lambda t: AIR + (HOT - AIR) * (1 - jnp.exp(-t / HEATING)) ** 2),
        Flux(domain.at(x=LENGTH), T=0.0),
    ]
    return Problem(domain, "T", {"balance": strip}, conditions, data=data, **parts)


@in_float64
def run(request: Request) -> Outcome:
    noise = request.number("noise", 1.0)
    rng = np.random.default_rng(request.seed)
    known, method = {"constants": TRUTH}, Collocation(steps=24)
    t = np.linspace(2, SPAN, 150)
    cooled = solve(plate_problem(plate, **known), method, progress=False)
    record = Data({"t": t, "T": np.asarray(cooled.T(t=t)) + noise * rng.normal(size=len(t))}, noise=noise, name="plate")
    found = solve(plate_problem(plate, record, unknowns=TWO_BANDS), method, progress=False)
    grey = solve(plate_problem(grey_plate, record, unknowns=GREY), method, progress=False)
    numbers, others, columns = {}, {"grey": grey}, [("plate", found)]
    if request.effort is not Effort.QUICK:
        on_strip = along_strip(noise, rng)
        others["strip"] = on_strip
        columns.append(("strip", on_strip))
    for name, each in columns:
        numbers[name] = {unknown: each[unknown].to_json() for unknown in TRUTH}
    numbers["truth"] = dict(TRUTH)
    numbers["chi2"] = {"two bands": found.chi2, "grey": grey.chi2}
    numbers["dof"] = {"two bands": found.dof, "grey": grey.dof}
    refuted = grey.chi2 > grey.dof + 5 * np.sqrt(2 * grey.dof)
    lines = [f"{'':10} {'truth':>8}" + "".join(f" {name:>20}" for name, _ in columns)]
    for name, truth in TRUTH.items():
        lines.append(f"{name:10} {truth:8g}" + "".join(f" {each[name]!s:>20}" for _, each in columns))
    lines.append(
        f"a grey plate is {'refuted' if refuted else 'not refuted'}: chi^2 = {grey.chi2:.0f} for {grey.dof:.0f} degrees"
        f" of freedom, with two bands {found.chi2:.0f}"
    )
    status = all_trusted(*(each for _, each in columns))
    pictures = {"cooling": lambda: figure(record, found, grey)}
    return Outcome(numbers, status, "\n".join(lines), found, others, pictures)


def along_strip(noise: float, rng: np.random.Generator) -> Solution:
    """The same three numbers from thermocouples along a strip that is heated at one end."""
    method = Collocation(nodes={"x": 16}, steps=STEPS, stages=3, tolerance=1e-5)
    heated = solve(strip_problem(constants=TRUTH), method, progress=False)
    x, times = (each.ravel() for each in np.meshgrid(WHERE, np.linspace(4, STRIP_SPAN, 40), indexing="ij"))
    readings = np.asarray(heated.evaluate("T", x=x, t=times)) + noise * rng.normal(size=len(x))
    along = Data({"x": x, "t": times, "T": readings}, noise=noise, name="strip")
    return solve(strip_problem(along, unknowns=TWO_BANDS), method, progress=False)


def figure(record: Data, found: Solution, grey: Solution):
    from matplotlib.figure import Figure

    t, seen = record.columns["t"], record.columns["T"]
    fig = Figure(figsize=(7, 5), layout="constrained")
    top, bottom = axes = fig.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    top.plot(t, seen, ".", color=INK, ms=3, label="thermocouple")
    top.plot(t, found.T(t=t), color=BLUE, label="emissivity in two bands")
    top.set(ylabel="temperature / K")
    top.legend()
    bottom.axhline(0, color=INK, lw=0.6)
    bottom.plot(t, seen - np.asarray(found.T(t=t)), ".", color=BLUE, ms=4, label="two bands")
    bottom.plot(t, seen - np.asarray(grey.T(t=t)), "x", color=VERMILLION, ms=4, label="grey")
    bottom.set(xlabel="time / s", ylabel="rest / K")
    bottom.legend(ncols=2)
    return fig, axes
