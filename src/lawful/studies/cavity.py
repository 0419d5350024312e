"""Flow in a box whose lid slides: divergence-free by construction, and its singular corners dealt with in the open.

    u w_x + v w_y = (w_xx + w_yy) / Re,    u = psi_y,  v = -psi_x,  w = v_x - u_y

The velocities are declared as derivatives of a stream function, so that no field the solver may try has a divergence.

1. The flow behind a grid, of which Kovasznay found the exact solution: both methods against it, and its Reynolds number
   from 50 noisy velocities.
2. The lid-driven cavity: u = 1 on the lid, at rest on the other walls. Where lid and walls meet the velocity jumps and
   the vorticity is infinite: a fact of the problem as it is posed, and the reason why published answers differ in the
   third digit. Theory tells what happens there (a creeping flow, and what its inertia adds), so it is stated: the field
   that is sought is what the two corners leave of the stream function, a smooth one. The corners are declared
   `Singular`. No law can be judged there, and since a trace of the singularity runs along the walls, no residual of
   fourth order falls there to nothing: so velocities on two meshes are compared outside the corners, and
   the status says that this was the judge.

The answers are held against the extremes that Botella and Peyret computed with 160 polynomials and the tables of Ghia,
Ghia and Shin; where the file of reference velocities that networks are scored on is at hand, the file is scored too.
"""

from __future__ import annotations

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from numpy.polynomial.chebyshev import Chebyshev, chebpts1, chebval2d, chebvander

from .._core.messages import BadInput
from ..geometry import Box
from ..problem import Problem, Singular, Value
from ..solve import Collocation, Continuation, Solution, solve
from . import _ghia, _kovasznay
from ._base import Outcome, Request, all_trusted
from ._lid_corner import creeping, creeping_bend, inertial, inertial_bend
from ._measurements import in_data_folder

SUMMARY = "lid-driven cavity and Kovasznay flow by a stream function, against the best published extremes"
OPTIONS = {
    "reynolds": "Reynolds number of the cavity, from 1 to 3200; by default 100; 1000 takes minutes",
    "noise": "noise of the 50 velocities from which the Reynolds number is found, in percent of the mean flow; 1",
    "nodes": "Chebyshev nodes on each side of the cavity; by default by effort and Reynolds number",
}

LID = 0.05
"""How far around the lid's ends nothing is judged."""


@jax.jit
def taken_off(x, y, Re):
    """The stream function of both corners of the lid."""
    along, sign = sides(x)
    found = jax.vmap(lambda a, s: creeping(a, 1 - y) + s * Re * inertial(a, 1 - y, reach(Re)))(along, sign)
    return jnp.sum(found)


@jax.jit
def spin_taken_off(x, y, Re):
    """Its vorticity."""
    along, sign = sides(x)
    found = jax.vmap(lambda a, s: creeping_bend(a, 1 - y) + s * Re * inertial_bend(a, 1 - y, reach(Re)))(along, sign)
    return -jnp.sum(found)


@jax.jit
def other_corner(y, Re, sign):
    """The stream function that one corner brings to the wall on the other side; its own corner adds nothing there."""
    return creeping(1.0, 1 - y) + sign * Re * inertial(1.0, 1 - y, reach(Re))


@jax.jit
def other_slope(y, Re, sign):
    """Its slope away from the corner."""
    return jax.grad(lambda a: creeping(a, 1 - y) + sign * Re * inertial(a, 1 - y, reach(Re)))(1.0)


slope_x, slope_y = jax.jit(jax.grad(taken_off, 0)), jax.jit(jax.grad(taken_off, 1))
spin_slopes = jax.jit(jax.grad(spin_taken_off, (0, 1)))


@jax.jit
def spin_spread(x, y, Re):
    """The Laplacian of the vorticity of what is taken off, which that of a creeping flow adds nothing to."""
    bend = jax.hessian(lambda place: inertial_spin(place[0], place[1], Re))(jnp.stack([jnp.asarray(x), jnp.asarray(y)]))
    return jnp.trace(bend)


def inertial_spin(x, y, Re):
    along, sign = sides(x)
    return -jnp.sum(jax.vmap(lambda a, s: s * Re * inertial_bend(a, 1 - y, reach(Re)))(along, sign))


def sides(x):
    """The distance along the lid from either end; the lid moves away from the left one, and into the right."""
    return jnp.stack([jnp.asarray(x), 1 - jnp.asarray(x)]), jnp.array([-1.0, 1.0])


def reach(Re):
    """Beyond it what inertia adds in a corner is no small correction any more."""
    return 6 / jnp.sqrt(Re)


def vorticity(u, v, rest_xxx, rest_xxy, rest_xyy, rest_yyy, rest_xxxx, rest_xxyy, rest_yyyy, x, y, Re):
    """The transport of w, whose derivatives are written out: those of the corners are known, and singular."""
    spin_x, spin_y = spin_slopes(x, y, Re)
    w_x, w_y = spin_x - rest_xxx - rest_xyy, spin_y - rest_xxy - rest_yyy
    return u * w_x + v * w_y - (spin_spread(x, y, Re) - rest_xxxx - 2 * rest_xxyy - rest_yyyy) / Re


FLOW = {
    "u": lambda rest_y, x, y, Re: rest_y + slope_y(x, y, Re),
    "v": lambda rest_x, x, y, Re: -rest_x - slope_x(x, y, Re),
}
"""Velocities of the corners and of what they leave."""


def cavity(reynolds: float) -> Problem:
    """What the corners leave of the stream function, `rest`."""
    domain = Box(x=(0, 1), y=(0, 1))
    return Problem(
        domain,
        fields="rest",
        laws={"vorticity": vorticity},
        conditions=[
            Value(
                domain.at(x=0),
                rest=lambda y, Re: -other_corner(y, Re, 1.0),
                rest_x=lambda y, Re: other_slope(y, Re, 1.0),
            ),
            Value(
                domain.at(x=1),
                rest=lambda y, Re: -other_corner(y, Re, -1.0),
                rest_x=lambda y, Re: -other_slope(y, Re, -1.0),
            ),
            Value(
                domain.at(y=0),
                rest=lambda x, Re: -taken_off(x, 0.0, Re),
                rest_y=lambda x, Re: -slope_y(x, 0.0, Re),
            ),
            Value(domain.at(y=1), rest=0.0, rest_y=-1.0),  # both corners together move the lid twice
        ],
        constants={"Re": reynolds},
        derived=FLOW,
        singular=[Singular(reach=LID, x=0, y=1), Singular(reach=LID, x=1, y=1)],
    )


def node_count(request: Request, reynolds: float) -> int:
    """On each side; more for thinner boundary layers."""
    low = request.pick(24, 32, 40)
    usual = low if reynolds <= 150 else request.pick(40, 48, 56) if reynolds <= 1200 else request.pick(56, 64, 72)
    return request.count("nodes", usual, least=16, most=96)


def spectral(request: Request, reynolds: float) -> Solution:
    """By collocation, led up to high Reynolds numbers from lower ones."""
    steps = max(0, math.ceil(math.log(reynolds / 100) / math.log(1.35)))
    lower = tuple(np.geomspace(100.0, reynolds, steps + 1)[:-1].tolist())
    method = Collocation(
        tolerance=1e-3,
        nodes=node_count(request, reynolds),
        continuation=Continuation(Re=lower) if lower else None,
    )
    return solve(cavity(reynolds), method, progress=request.progress)


def centrelines(solution: Solution) -> dict[str, Chebyshev]:
    """U on the vertical centreline and v on the horizontal one, as polynomials."""
    nodes = 0.5 + 0.5 * chebpts1(129)
    across, along = solution.u(x=0.5, y=nodes), solution.v(x=nodes, y=0.5)
    return {"u": Chebyshev.fit(nodes, across, 100, [0, 1]), "v": Chebyshev.fit(nodes, along, 100, [0, 1])}


def extremes(solution: Solution, lines: dict[str, Chebyshev]) -> dict[str, float]:
    """Of the velocities on the centrelines, and of the stream function."""
    u_min, y_u_min = least(lines["u"], 0.02, 0.9)
    v_max, x_v_max = least(-lines["v"], 0.02, 0.98)
    v_min, x_v_min = least(lines["v"], 0.02, 0.98)
    psi, x, y = middle(solution)
    return {
        "u_min": u_min, "y_u_min": y_u_min, "v_max": -v_max, "x_v_max": x_v_max, "v_min": v_min, "x_v_min": x_v_min,
        "psi_min": psi, "x_psi_min": x, "y_psi_min": y,
    }  # fmt: skip


def least(line: Chebyshev, low: float, high: float) -> tuple[float, float]:
    """(smallest value, its place) of a polynomial between two places."""
    places = np.linspace(low, high, 2001)
    turns = line.deriv().roots()
    turns = turns.real[(np.abs(turns.imag) < 1e-9) & (turns.real > low) & (turns.real < high)]
    places = np.r_[places, turns]
    found = line(places)
    best = int(np.argmin(found))
    return float(found[best]), float(places[best])


def middle(solution: Solution) -> tuple[float, float, float]:
    """(smallest value, x, y) of the stream function around the middle of the vortex, as a polynomial there."""
    from scipy.optimize import minimize

    nodes = chebpts1(25)
    x, y = 0.55 + 0.15 * nodes, 0.65 + 0.15 * nodes
    values = solution.evaluate(lambda rest, x, y, Re: rest + taken_off(x, y, Re), x=x[:, None], y=y)
    basis = np.linalg.inv(chebvander(nodes, 24))
    table = basis @ values @ basis.T
    i, j = np.unravel_index(int(np.argmin(values)), values.shape)
    found = minimize(
        lambda place: chebval2d(place[0], place[1], table), [nodes[i], nodes[j]], method="Nelder-Mead", tol=1e-12
    )
    return float(found.fun), 0.55 + 0.15 * float(found.x[0]), 0.65 + 0.15 * float(found.x[1])


def against_ghia(lines: dict[str, Chebyshev], reynolds: int) -> dict[str, float]:
    """The largest difference from the tables, on either centreline."""
    return {
        "u": float(np.max(np.abs(lines["u"](_ghia.ACROSS) - _ghia.U[reynolds]))),
        "v": float(np.max(np.abs(lines["v"](_ghia.ALONG) - _ghia.V[reynolds]))),
    }


def file_error(solution: Solution, reynolds: int) -> float | None:
    """The relative L2 difference of the velocities in the file that networks are scored on; None without the file."""
    from scipy.io import loadmat

    path = in_data_folder("jaxpi2", f"ldc_Re{reynolds}.mat")
    if not path.is_file():
        return None
    stored = loadmat(path)
    x, y = stored["x"].ravel(), stored["y"].ravel()
    inner = slice(1, -1)  # on the boundary a velocity is given, at the ends of the lid two of them
    miss, size = 0.0, 0.0
    for name in ("u", "v"):
        ours = solution.evaluate(name, x=x[inner, None], y=y[inner])
        miss, size = miss + np.sum((stored[name][inner, inner] - ours) ** 2), size + np.sum(ours**2)
    return float(np.sqrt(miss / size))


def told(solution: Solution, reynolds: float) -> dict:
    """What is reported of a cavity."""
    lines = centrelines(solution)
    lid = np.linspace(LID, 1 - LID, 129)
    found = extremes(solution, lines)
    numbers = {
        "reynolds": reynolds,
        **found,
        "accuracy": solution.accuracy,
        "slip": float(np.max(np.abs(solution.u(x=lid, y=1.0) - 1))),
        "seconds": solution.seconds,
    }
    if reynolds in _ghia.U:
        number = int(reynolds)
        best = _ghia.EXTREMES.get(number, {})
        numbers["difference_from_ghia"] = against_ghia(lines, number)
        numbers["difference_from_botella"] = {name: abs(found[name] - value) for name, value in best.items()}
        numbers["error_of_file"] = file_error(solution, number)
    return numbers


def run(request: Request) -> Outcome:
    reynolds = request.number("reynolds", 100.0)
    if reynolds > 3200:
        raise BadInput(f"--set reynolds={reynolds:g}: the study leads the flow up to 3200 at most.")
    percent = request.number("noise", 1.0)
    node_count(request, reynolds)  # a mistake is told before any work
    exact, found = _kovasznay.forward(request), _kovasznay.inverse(request, 50, percent)
    driven = spectral(request, reynolds)
    estimate = found["Re"]
    numbers = {
        "kovasznay": {name: _kovasznay.errors(solution) for name, solution in exact.items()},
        "reynolds_from_50_velocities": {
            **estimate.to_json(),
            "truth": _kovasznay.REYNOLDS,
            "error_in_sd": abs(estimate.value - _kovasznay.REYNOLDS) / estimate.sd,
        },
        "cavity": told(driven, reynolds),
    }
    return Outcome(
        numbers,
        all_trusted(driven, *exact.values(), found),
        text(numbers, found),
        driven,
        {"Kovasznay flow": exact["neural"], "its Reynolds number": found},
        {f"cavity-{reynolds:g}": functools.partial(figure, driven, reynolds)},
    )


def text(numbers: dict, found: Solution) -> str:
    grid = numbers["kovasznay"]
    lines = [
        "Kovasznay flow: largest error of a velocity "
        + ", ".join(f"{row['error']:.1e} by {name}" for name, row in grid.items())
        + f"; divergence at most {max(row['divergence'] for row in grid.values()):.1e}",
        f"its Reynolds number from 50 noisy velocities: {found['Re']}; true {_kovasznay.REYNOLDS:g}",
    ]
    told = numbers["cavity"]
    lines += [
        f"cavity at Re = {told['reynolds']:g}: velocities agree to {told['accuracy']:.1e} with a finer mesh;"
        f" slip on the lid {told['slip']:.1e}; {told['seconds']:.0f} s",
        f"  {'':8} {'found':>11} {'at':>18}   {'Botella and Peyret':>18}",
    ]
    best = _ghia.EXTREMES.get(int(told["reynolds"]), {})
    for name, axes in {"u_min": "y", "v_max": "x", "v_min": "x", "psi_min": "xy"}.items():
        at = ", ".join(f"{axis} = {told[f'{axis}_{name}']:.4f}" for axis in axes)
        lines.append(f"  {name:8} {told[name]:11.7f} {at:>24}   " + (f"{best[name]:.7f}" if name in best else ""))
    if "difference_from_ghia" in told:
        away = told["difference_from_ghia"]
        lines.append(f"  largest difference from Ghia's tables: u {away['u']:.1e}, v {away['v']:.1e}")
        if told["error_of_file"] is not None:
            score = _ghia.NETWORKS.get(int(told["reynolds"]))
            lines.append(
                f"  the file that networks are scored on: {told['error_of_file']:.1e} away (relative L2)"
                + (f"; a published network is {score:.1e} away from that file" if score else "")
            )
    return "\n".join(lines)


def figure(solution: Solution, reynolds: float):
    """Streamlines, and the centreline velocities with Ghia's."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(9.5, 4.2), layout="constrained")
    left, right = fig.subplots(1, 2)
    line = np.linspace(0.005, 0.995, 81)
    values = solution.evaluate(lambda rest, x, y, Re: rest + taken_off(x, y, Re), x=line[:, None], y=line).T
    low = values.min()
    left.contour(
        line,
        line,
        values,
        levels=np.linspace(0.95 * low, 0.05 * low, 11),
        colors="#0072B2",
        linestyles="solid",
        linewidths=0.9,
    )
    if values.max() > 1e-7:
        left.contour(
            line, line, values, levels=np.geomspace(1e-7, values.max(), 7)[:-1], colors="#D55E00", linewidths=0.7
        )
    left.set(
        xlabel="x", ylabel="y", aspect="equal", xlim=(0, 1), ylim=(0, 1), title=f"Streamlines at Re = {reynolds:g}"
    )
    lines, place = centrelines(solution), np.linspace(0, 1, 301)
    right.plot(place, lines["u"](place), color="#0072B2", label="u along y at x = 0.5")
    right.plot(place, lines["v"](place), color="#D55E00", label="v along x at y = 0.5")
    if reynolds in _ghia.U:
        right.plot(_ghia.ACROSS, _ghia.U[int(reynolds)], "o", ms=4, mfc="none", color="black", label="Ghia et al.")
        right.plot(_ghia.ALONG, _ghia.V[int(reynolds)], "o", ms=4, mfc="none", color="black")
    right.set(xlabel="y or x", ylabel="velocity over that of the lid", title="Centrelines")
    right.legend(fontsize=8)
    return fig, left
