"""Heat through two materials: what must agree where they touch, and what happens when nobody says so.

    rho c T_t + q_x = 0,    q = -k T_x,    T and q continuous where brick and wool touch

A furnace wall of 10 cm firebrick and 5 cm mineral wool is heated from within; outside the air carries the heat away,
q = h (T - T_air). Conductivity falls by a factor of twenty from brick to wool, so the temperature has a kink there: the
law says nothing at that place, and what holds there has to be stated.

1. The temperature against its Laplace transform, inverted numerically, which shares nothing with the solver.
2. The same law with a conductivity that jumps, and no word about the interface. Both materials obey the law to rounding
   and the answer is wrong by hundreds of kelvin: a small residual is no proof.
3. Both conductivities from three thermocouples, by two methods, with error bars.
4. Two materials that fill the halves of a disk: heat flow lines are refracted at the interface by the law of tangents,
   against a closed form.
"""

from __future__ import annotations

import numpy as np

from ..fields import Spectral
from ..geometry import Box, Disk, Regions
from ..problem import Continuous, Data, Flux, Positive, Problem, Value
from ..solve import Collocation, Neural, Solution, solve
from ._base import Outcome, Request, all_trusted

SUMMARY = (
    "two materials: temperature and heat flux continuous at their interface, both conductivities from thermocouples"
)
OPTIONS = {
    "noise": "noise of the thermocouples in kelvin, 1 by default",
    "ratio": "conductivity of brick over that of wool, 20 by default; from 0.01 to 1000",
}

BRICK, WOOL = 0.10, 0.05  # thickness, m
K_BRICK = 1.0  # W/(m K)
CAPACITY = {"brick": 1.8e6, "wool": 1.0e5}  # J/(m3 K)
TRANSFER, AIR = 10.0, 293.0  # W/(m2 K), K
HEATING, RISE = 3600.0, 800.0  # s, K
DURATION = 10 * 3600.0  # s
THERMOCOUPLES = (0.05, 0.10, 0.13)  # m from the inner face


def storage(c, T_t, q_x):
    return c * T_t + q_x


def conduction(k, T_x):
    return -k * T_x


def inner(t):
    """The temperature of the inner face: it rises from that of the air, smoothly, within about an hour."""
    import jax.numpy as jnp

    return AIR + RISE * (1 - (1 + t / HEATING) * jnp.exp(-t / HEATING))


def outer(T, h, T_air, k):
    return -h * (T - T_air) / k


def conductivities(ratio: float) -> dict[str, float]:
    return {"brick": K_BRICK, "wool": K_BRICK / ratio}


def wall() -> Regions:
    time = Box(t=(0, DURATION))
    return Regions(brick=Box(x=(0, BRICK)) * time, wool=Box(x=(BRICK, BRICK + WOOL)) * time)


def problem(ratio: float, **parts) -> Problem:
    domain = wall()
    known = {"k": conductivities(ratio)} if "unknowns" not in parts else {}
    return Problem(
        domain,
        fields="T",
        laws={"heat": storage},
        derived={"q": conduction},
        conditions=[
            Value(domain.at(t=0), T=AIR),
            Value(domain.at(x=0), T=inner),
            Flux(domain.at(x=BRICK + WOOL), T=outer),
            Continuous(domain.interface("brick", "wool"), "T", "q"),
        ],
        constants={"c": CAPACITY, "h": TRANSFER, "T_air": AIR, **known},
        **parts,
    )


def unsaid(ratio: float, request: Request) -> Solution:
    """The same law on one domain with a conductivity that jumps: nothing is said about the interface, and a solver
    makes slopes equal there, as it does everywhere else."""
    domain = Box(x=(0, BRICK + WOOL), t=(0, DURATION))
    k, c = conductivities(ratio), CAPACITY

    def jumping(T_t, T_xx, x):
        import jax.numpy as jnp

        return jnp.where(x < BRICK, c["brick"], c["wool"]) * T_t - jnp.where(x < BRICK, k["brick"], k["wool"]) * T_xx

    stated = Problem(
        domain,
        fields="T",
        laws={"heat": jumping},
        conditions=[
            Value(domain.at(t=0), T=AIR),
            Value(domain.at(x=0), T=inner),
            Flux(domain.at(x=BRICK + WOOL), T=lambda T: -TRANSFER * (T - AIR) / k["wool"]),
        ],
    )
    return solve(stated, Collocation(tolerance=1e-4, nodes={"x": edges()}), progress=request.progress)


def edges():
    from ..solve import Elements

    return Elements([*np.linspace(0, BRICK, 5), *np.linspace(BRICK, BRICK + WOOL, 5)[1:]])


def laplace(x: np.ndarray, t: np.ndarray, ratio: float, terms: int = 24) -> np.ndarray:
    """The temperature in closed form in the Laplace variable, inverted on Talbot's contour, at all x (rows) and t > 0.

    Source: J. Abate and P. Valko, Int. J. Numer. Meth. Engng 60, 979 (2004), the fixed Talbot method.
    """
    angle = np.arange(1, terms) * np.pi / terms
    cot = 1 / np.tan(angle)
    r = 2 * terms / 5 / t[:, None]
    s = np.concatenate([r + 0j, r * angle * (cot + 1j)], axis=1)  # (times, terms)
    weight = np.concatenate([[0.5 + 0j], 1 + 1j * (angle + (angle * cot - 1) * cot)])
    parts = np.exp(s * t[:, None]) * weight * transformed(x[:, None, None], s, ratio)
    return AIR + np.sum(np.real(parts), axis=-1) * r[:, 0] / terms


def transformed(x: np.ndarray, s: np.ndarray, ratio: float) -> np.ndarray:
    """The Laplace transform of T - T_air: hyperbolic functions in both layers, matched where they touch."""
    k = conductivities(ratio)
    one, two = (np.sqrt(s * CAPACITY[name] / k[name]) for name in ("brick", "wool"))
    given = RISE * (1 / s - 1 / (s + 1 / HEATING) - 1 / HEATING / (s + 1 / HEATING) ** 2)

    def rest(depth):  # the shape in the wool and its flux at a distance from the outer face
        shape = np.cosh(two * depth) + TRANSFER / (k["wool"] * two) * np.sinh(two * depth)
        flux = k["wool"] * two * (np.sinh(two * depth) + TRANSFER / (k["wool"] * two) * np.cosh(two * depth))
        return shape, flux

    shape, flux = rest(WOOL)
    impedance = flux / (shape * k["brick"] * one)
    at_border = given / (np.cosh(one * BRICK) + impedance * np.sinh(one * BRICK))
    depth = BRICK - np.minimum(x, BRICK)
    in_brick = at_border * (np.cosh(one * depth) + impedance * np.sinh(one * depth))
    in_wool = at_border * rest(BRICK + WOOL - np.maximum(x, BRICK))[0] / shape
    return np.where(x <= BRICK, in_brick, in_wool)


def recorded(request: Request, ratio: float, noise: float) -> Data:
    """Three thermocouples, read every ten minutes."""
    rng = np.random.default_rng(request.seed)
    t = np.arange(600.0, DURATION + 1, 600.0)
    truth = laplace(np.array(THERMOCOUPLES), t, ratio)
    x, t = np.meshgrid(THERMOCOUPLES, t, indexing="ij")
    seen = truth + noise * rng.normal(size=truth.shape)
    return Data({"x": x.ravel(), "t": t.ravel(), "T": seen.ravel()}, noise=noise, name="thermocouples")


def found(request: Request, ratio: float, noise: float) -> dict[str, Solution]:
    """Both conductivities, guessed alike, by both methods."""
    guess = K_BRICK / np.sqrt(ratio)
    stated = problem(
        ratio,
        unknowns={"k": {"brick": Positive(guess), "wool": Positive(guess)}},
        data=recorded(request, ratio, noise),
    )
    spectral = Neural(trial=Spectral({"x": request.pick(10, 12), "t": request.pick(24, 28)}))
    return {
        "collocation": solve(stated, Collocation(tolerance=1e-7), progress=request.progress),
        "neural": solve(stated, spectral, progress=request.progress),
    }


def refracted(request: Request, ratio: float) -> Solution:
    """T = (cosh x + sinh(x) / k) cos y in a disk of two halves: harmonic in both, and k T_x = cos y at x = 0."""
    disk, half = Disk(x=0, y=0, radius=1, label="rim"), Box(x=(-2, 0), y=(-2, 2))
    regions = Regions(left=disk & half, right=disk - half)
    interface = regions.interface("left", "right")
    stated = Problem(
        regions,
        fields="T",
        laws={"heat": lambda k, T_xx, T_yy: k * (T_xx + T_yy)},
        conditions=[
            Value(regions.boundary("rim"), T=on_rim),
            Continuous(interface, "T", heat=lambda k, T_x, T_y, n_x, n_y: -k * (T_x * n_x + T_y * n_y)),
        ],
        constants={"k": {"left": 1.0, "right": ratio}},
    )
    return solve(stated, Neural(trial=Spectral(request.pick(10, 16))), progress=request.progress)


def on_rim(x, y, k):
    """The closed form, times a factor that is 1 on the rim only: the inside is left to the law."""
    import jax.numpy as jnp

    return (jnp.cosh(x) + jnp.sinh(x) / k) * jnp.cos(y) * (x**2 + y**2)


def closed_form(x: np.ndarray, y: np.ndarray, ratio: float) -> np.ndarray:
    return (np.cosh(x) + np.sinh(x) / np.where(x < 0, 1.0, ratio)) * np.cos(y)


def run(request: Request) -> Outcome:
    ratio, noise = request.number("ratio", 20.0), request.number("noise", 1.0)
    forward = solve(problem(ratio), Collocation(tolerance=request.pick(1e-7, 1e-9)), progress=request.progress)
    naive, inverse, disk = unsaid(ratio, request), found(request, ratio, noise), refracted(request, ratio)
    x, t = np.linspace(0, BRICK + WOOL, 61), np.linspace(0.1, 1, 19) * DURATION
    truth = laplace(x, t, ratio)
    numbers: dict = {
        "largest_error_in_K": float(np.max(np.abs(forward.T(x=x[:, None], t=t) - truth))),
        "rel_l2": relative(forward.T(x=x[:, None], t=t) - AIR, truth - AIR),
        "unsaid": {
            "largest_error_in_K": float(np.max(np.abs(naive.T(x=x[:, None], t=t) - truth))),
            "rms_residual": naive.audits[0].rms,
            "max_residual": naive.audits[0].worst,
        },
    }
    for name, k in conductivities(ratio).items():
        one, two = (inverse[method][f"k[{name}]"] for method in ("collocation", "neural"))
        numbers[f"k_{name}"] = {**one.to_json(), "truth": k, "error_in_sd": abs(one.value - k) / one.sd}
        numbers[f"k_{name}"] |= {"methods_apart_in_sd": abs(one.value - two.value) / one.sd, "neural_sd": two.sd}
    places = disk.problem.domain.sample(2000, request.seed + 1)
    numbers["disk_rel_l2"] = relative(disk.T(**places), closed_form(places["x"], places["y"], ratio))
    numbers["law_of_tangents"] = tangents(disk, ratio)
    main = inverse["collocation"]
    return Outcome(
        numbers,
        all_trusted(main, inverse["neural"], forward, disk),
        text(inverse, numbers, ratio),
        main,
        {"all at once": inverse["neural"], "two halves of a disk": disk, "nothing said": naive},
        {
            "wall": lambda: figure(forward, naive, main, ratio),
            "refraction": lambda: refraction(disk, ratio),
        },
    )


def relative(difference_or_found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.linalg.norm(difference_or_found - truth) / np.linalg.norm(truth))


def tangents(disk: Solution, ratio: float) -> float:
    """How far tan(left) / tan(right) of the angles of the flow lines with the normal is from k(left) / k(right)."""
    y = np.linspace(0.1, 0.8, 15)
    slopes = []
    for side in (-1e-9, 1e-9):
        x = np.full(15, side)
        slopes.append(disk.evaluate("T_y", x=x, y=y) / disk.evaluate("T_x", x=x, y=y))
    return float(np.max(np.abs(slopes[0] / slopes[1] * ratio - 1)))


def text(inverse: dict[str, Solution], numbers: dict, ratio: float) -> str:
    told = numbers["unsaid"]
    lines = [
        f"temperature of the wall against its Laplace transform: error at most {numbers['largest_error_in_K']:.1e} K of"
        f" {RISE:.0f} K",
        f"nothing said about the interface: residual of the law {told['rms_residual']:.1e} of its terms, temperature"
        f" wrong by up to {told['largest_error_in_K']:.0f} K",
        f"{'':8} {'truth':>8}   {'collocation':22} {'all at once':22}",
    ]
    for name, k in conductivities(ratio).items():
        one, two = (str(inverse[method][f"k[{name}]"]) for method in ("collocation", "neural"))
        lines.append(f"k[{name}]".ljust(8) + f" {k:8.4g}   {one:22} {two:22} W/(m K)")
    lines += [
        f"two halves of a disk: relative L2 error {numbers['disk_rel_l2']:.1e}; law of tangents met to"
        f" {numbers['law_of_tangents']:.1e}",
    ]
    return "\n".join(lines)


def figure(forward: Solution, naive: Solution, main: Solution, ratio: float):
    """Temperatures through the wall, and the thermocouples with their fit."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(9.5, 3.8), layout="constrained")
    left, right = fig.subplots(1, 2)
    x, hours = np.linspace(0, BRICK + WOOL, 241), (1, 3, 10)
    for colour, hour in zip(("#56B4E9", "#0072B2", "#003F66"), hours, strict=True):
        t = hour * 3600.0
        left.plot(1e3 * x, laplace(x, np.array([t]), ratio)[:, 0], color="black", lw=4, alpha=0.25)
        left.plot(1e3 * x, forward.T(x=x, t=t), color=colour, lw=1.3, label=f"{hour} h")
    left.plot(1e3 * x, naive.T(x=x, t=DURATION), color="#D55E00", lw=1.2, ls="--", label="10 h, nothing said")
    left.axvline(1e3 * BRICK, color="grey", lw=0.8)
    left.set(xlabel="depth in mm", ylabel="T in K", title="Brick and wool; grey: Laplace transform")
    left.legend(fontsize=8, loc="lower left")
    [data] = main.problem.data
    t = np.linspace(0, DURATION, 200)
    for place, colour in zip(THERMOCOUPLES, ("#0072B2", "#009E73", "#CC79A7"), strict=True):
        here = data.columns["x"] == place
        right.plot(data.columns["t"][here] / 3600, data.columns["T"][here], ".", ms=4, color=colour)
        right.plot(t / 3600, main.T(x=place, t=t), color=colour, lw=1, label=f"{1e3 * place:.0f} mm")
    right.set(xlabel="t in h", ylabel="T in K", title="Thermocouples and fit")
    right.legend(fontsize=8)
    return fig, left


def refraction(disk: Solution, ratio: float):
    """Isotherms and flow lines in the two halves."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(6.0, 4.4), layout="constrained")
    ax = fig.subplots()
    line = np.linspace(-1, 1, 121)
    x, y = np.meshgrid(line, line)
    inside = x**2 + y**2 <= 1
    values, u, v = (np.full(x.shape, np.nan) for _ in range(3))
    here = {"x": x[inside], "y": y[inside]}
    k = np.where(here["x"] < 0, 1.0, ratio)
    values[inside] = disk.T(**here)
    u[inside], v[inside] = -k * disk.evaluate("T_x", **here), -k * disk.evaluate("T_y", **here)
    drawn = ax.contourf(x, y, values, levels=24, cmap="inferno")
    ax.streamplot(x, y, u, v, color="white", linewidth=0.7, density=1.1, arrowsize=0.8)
    ax.axvline(0, color="black", lw=1)
    fig.colorbar(drawn, ax=ax, label="T")
    ax.set(xlabel="x", ylabel="y", aspect="equal", title=f"Heat flow lines; k = 1 left, {ratio:g} right")
    return fig, ax
