"""Flow through a pipe, with no slip at the wall by construction.

    nothing but the law, the pipe and "w = 0 on the wall" is stated. The factor R^2 - r^2, by which every trial velocity
    is multiplied so that it vanishes there, is found from the shape.

1. Poiseuille: mu (w_xx + w_yy) = -G in a disk has the answer G (R^2 - r^2) / 4 mu, exactly.
2. Womersley: a pressure gradient that pulsates, rho w_t = G cos(omega t) + mu (w_xx + w_yy), in the disk times one
   period, against Bessel functions. At a Womersley number of 5 the core lags behind the wall by most of a quarter turn.
3. A power-law fluid, tau = K gamma^n, of which neither consistency K nor index n is known: both from 40 noisy
   velocities along a radius. Momentum is stated integrated once, K (-w_r)^n = G r / 2.
"""

from __future__ import annotations

import numpy as np

from ..fields import Spectral
from ..geometry import Box, Disk
from ..problem import Data, Periodic, Positive, Problem, Value
from ..solve import Collocation, Neural, Solution, solve
from ._base import Outcome, Request, all_trusted

SUMMARY = (
    "laminar pipe flow: Poiseuille, Womersley's pulsating flow, and a power-law fluid's index from noisy velocities"
)
OPTIONS = {
    "womersley": "Womersley number R sqrt(omega rho / mu), 5 by default, at most 20",
    "noise": "noise of the velocities in percent of the largest, 1 by default",
}

RADIUS, GRADIENT, VISCOSITY, DENSITY = 0.01, 40.0, 1e-3, 1000.0  # m, Pa/m, Pa s, kg/m3
POWER_LAW = {"K": 0.05, "n": 0.6}  # Pa s^n; a shear-thinning fluid


def still(w_xx, w_yy, mu, G):
    return mu * (w_xx + w_yy) + G


def pulsating(w_t, w_xx, w_yy, t, omega, mu, rho, G):
    import jax.numpy as jnp

    return rho * w_t - G * jnp.cos(omega * t) - mu * (w_xx + w_yy)


def thinning(w_r, r, K, n, G):
    return w_r + (G * r / (2 * K)) ** (1 / n)


def poiseuille(request: Request) -> Solution:
    pipe = Disk(x=0.0, y=0.0, radius=RADIUS, label="wall")
    stated = Problem(
        pipe,
        fields="w",
        laws={"momentum": still},
        conditions=[Value(pipe.boundary("wall"), w=0.0)],
        constants={"mu": VISCOSITY, "G": GRADIENT},
    )
    return solve(stated, Neural(trial=Spectral(6)), progress=request.progress)


def frequency(number: float) -> float:
    return number**2 * VISCOSITY / (DENSITY * RADIUS**2)


def womersley(request: Request, number: float) -> Solution:
    omega = frequency(number)
    period = 2 * np.pi / omega
    domain = Disk(x=0.0, y=0.0, radius=RADIUS, label="wall") * Box(t=(0, period))
    stated = Problem(
        domain,
        fields="w",
        laws={"momentum": pulsating},
        conditions=[Value(domain.boundary("wall"), w=0.0), Periodic(domain.at(t=(0, period)))],
        constants={"mu": VISCOSITY, "rho": DENSITY, "G": GRADIENT, "omega": omega},
    )
    across = int(6 + 0.8 * number) + request.pick(2, 6, 8)
    return solve(stated, Neural(trial=Spectral({"x": across, "y": across, "t": 3})), progress=request.progress)


def bessel(r: np.ndarray, t: np.ndarray, number: float) -> np.ndarray:
    """The pulsating velocity in closed form. Source: J. R. Womersley, J. Physiol. 127, 553 (1955)."""
    from scipy.special import jv

    omega, argument = frequency(number), 1j**1.5 * number
    shape = 1 - jv(0, argument * r / RADIUS) / jv(0, argument)
    return np.real(GRADIENT / (1j * DENSITY * omega) * shape * np.exp(1j * omega * t))


def power_law(request: Request, percent: float) -> Solution:
    rng = np.random.default_rng(request.seed)
    r = np.linspace(0.02, 0.98, 40) * RADIUS
    truth = thinned_profile(r)
    noise = percent / 100 * float(thinned_profile(np.zeros(1))[0])
    domain = Box(r=(0, RADIUS))
    stated = Problem(
        domain,
        fields="w",
        laws={"momentum": thinning},
        conditions=[Value(domain.at(r=RADIUS), w=0.0)],
        unknowns={"K": Positive(guess=0.1), "n": Positive(guess=0.8)},
        constants={"G": GRADIENT},
        data=Data({"r": r, "w": truth + noise * rng.normal(size=len(r))}, noise=noise, name="velocities"),
    )
    return solve(stated, Collocation(), progress=request.progress)


def thinned_profile(r: np.ndarray) -> np.ndarray:
    """The velocity of a power-law fluid in closed form."""
    consistency, index = POWER_LAW["K"], POWER_LAW["n"]
    power = 1 / index + 1
    return (GRADIENT / (2 * consistency)) ** (1 / index) / power * (RADIUS**power - r**power)


def run(request: Request) -> Outcome:
    number = request.number("womersley", 5.0)
    steady, pulse = poiseuille(request), womersley(request, number)
    fluid = power_law(request, request.number("noise", 1.0))
    angle = np.linspace(0, 2 * np.pi, 200)
    wall = {"x": RADIUS * np.cos(angle), "y": RADIUS * np.sin(angle)}
    places = steady.problem.domain.sample(2000, request.seed + 1)
    r = np.hypot(places["x"], places["y"])
    exact = GRADIENT / (4 * VISCOSITY) * (RADIUS**2 - r**2)
    top = GRADIENT / (4 * VISCOSITY) * RADIUS**2
    times = np.linspace(0, 2 * np.pi / frequency(number), 17)[:, None]
    closed = bessel(r, times, number)
    found = pulse.w(x=places["x"], y=places["y"], t=times)
    numbers = {
        "poiseuille_error": float(np.max(np.abs(steady.w(**places) - exact))) / top,
        "poiseuille_slip": float(np.max(np.abs(steady.w(**wall)))) / top,
        "womersley_rel_l2": float(np.linalg.norm(found - closed) / np.linalg.norm(closed)),
        "womersley_slip": float(np.max(np.abs(pulse.w(**wall, t=times)))) / float(np.max(np.abs(closed))),
        **{name: fluid[name].to_json() for name in POWER_LAW},
        "error_in_sd": {name: abs(fluid[name].value - truth) / fluid[name].sd for name, truth in POWER_LAW.items()},
    }
    others = {"Womersley": pulse, "power-law fluid": fluid}
    return Outcome(
        numbers,
        all_trusted(steady, pulse, fluid),
        text(steady, fluid, numbers),
        steady,
        others,
        {"profiles": lambda: figure(pulse, fluid, number)},
    )


def text(steady: Solution, fluid: Solution, numbers: dict) -> str:
    return "\n".join(
        [
            f"how the wall is imposed: {'; '.join(steady.problem.check().exact)}",
            f"Poiseuille: largest error {numbers['poiseuille_error']:.1e} of the largest velocity,"
            f" slip {numbers['poiseuille_slip']:.1e}",
            f"Womersley: relative L2 error {numbers['womersley_rel_l2']:.1e} against Bessel functions,"
            f" slip {numbers['womersley_slip']:.1e}",
            f"power-law fluid: K = {fluid['K']} Pa s^n, n = {fluid['n']}; true {POWER_LAW['K']} and {POWER_LAW['n']}",
        ]
    )


def figure(pulse: Solution, fluid: Solution, number: float):
    """Pulsating profiles across the pipe, and the power-law profile with its measurements."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = fig.subplots(1, 2)
    x, period = np.linspace(-RADIUS, RADIUS, 201), 2 * np.pi / frequency(number)
    colours = ("#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00", "#CC79A7")
    for part, colour in enumerate(colours):
        time = part * period / len(colours)
        left.plot(1e3 * x, bessel(np.abs(x), np.array(time), number), color="black", lw=2.2, alpha=0.25)
        left.plot(1e3 * x, pulse.w(x=x, y=0.0, t=time), color=colour, lw=1.2, label=f"t = {part}/{len(colours)} T")
    left.set(xlabel="x in mm", ylabel="w in m/s", title=f"Womersley flow at {number:g}; grey: Bessel functions")
    left.legend(fontsize=7)
    r = np.linspace(0, RADIUS, 201)
    [data] = fluid.problem.data
    right.plot(1e3 * data.columns["r"], data.columns["w"], "o", ms=3, color="black", label="measured")
    right.plot(1e3 * r, fluid.w(r=r), color="#0072B2", label="found")
    right.set(xlabel="r in mm", ylabel="w in m/s", title="Power-law fluid")
    right.legend(fontsize=8)
    return fig, left
