"""A shock that no one can fake: Burgers' equation at a viscosity of 0.01/pi.

    u_t + u u_x = nu u_xx,    u(x, 0) = -sin(pi x),    u = 0 at x = -1 and 1,    nu = 0.01/pi

By t = 0.5 the wave has steepened into a front at x = 0 that is three hundred times thinner than the domain. This is
the problem on which physics-informed networks are compared, and on which they cheat: a network that is merely asked to
make the residual small at some thousand points draws a picture that looks right, with a residual that explodes inside
the front, where hardly a point lies.

Three answers to the same statement are held against the closed form of Cole and Hopf:

- a network trained naively, with fixed points. Its status must say where it cheats;
- the network as one would train it here: what is known is built in (initial and boundary values, odd symmetry, a layer
  about x = 0), viscosity comes down in steps, points follow the residual, and damped Gauss-Newton steps take the place
  of a million small ones;
- spectral collocation, which shares nothing with the network but the laws.

The score is the relative L2 error on the usual grid of 257 x 100 places.
"""

from __future__ import annotations

import math

import numpy as np

from ..fields import MLP, Layer
from ..geometry import Box
from ..problem import Odd, Problem, Value
from ..solve import Adam, Collocation, Continuation, Fixed, GaussNewton, Neural, ResidualDriven, Solution, solve
from ._base import Outcome, Request, all_trusted
from ._cole_hopf import cole_hopf

SUMMARY = "a shock at nu = 0.01/pi: naive network, lawful network and collocation against the closed form"
OPTIONS = {
    "nu": "viscosity, 0.01/pi by default; from 0.002 to 0.1",
    "steps": "the most Gauss-Newton steps of the network",
    "width": "neurons of each of its three layers, 20 by default",
}

PUBLISHED = 6.9e-9
"""The best error found published for a network at nu = 0.01/pi: Toscano et al., NABLA-SciML notebook (2025), 47 minutes
on a T4 GPU."""


def start(x):
    import jax.numpy as jnp

    return -jnp.sin(jnp.pi * x)


def balance(u, u_t, u_x, u_xx, nu):
    return u_t + u * u_x - nu * u_xx


def problem(nu: float, symmetric: bool = True) -> Problem:
    domain = Box(x=(-1, 1), t=(0, 1))
    ends = domain.at(x=(-1, 1))
    conditions = [Value(domain.at(t=0), u=start), Value(ends, u=0.0)]
    return Problem(
        domain,
        fields="u",
        laws={"burgers": balance},
        conditions=[*conditions, Odd(ends)] if symmetric else conditions,
        constants={"nu": nu},
    )


def lessons(nu: float) -> tuple[float, ...]:
    """Viscosities from 0.05 down to nu, each at most twice the next."""
    count = max(1, math.ceil(math.log(0.05 / nu) / math.log(2.0))) if nu < 0.05 else 1
    return tuple(np.geomspace(max(0.05, nu), nu, count + 1)[:-1].tolist())


def network(request: Request, nu: float) -> Solution:
    method = Neural(
        trial=MLP(width=request.count("width", 20, least=4, most=60), depth=3),
        points=request.pick(1500, 2000, 2500),
        sampling=ResidualDriven(every=20),
        continuation=Continuation(nu=lessons(nu)),
        layers=[Layer("x", at=0.0, width=math.pi * nu)],
        tolerance=request.pick(3e-4, 1e-6, 1e-9),
        seed=request.seed,
    )
    steps = request.count("steps", request.pick(300, 800, 4000), least=10)
    return solve(problem(nu), method, optimiser=GaussNewton(max_steps=steps, curvature=0.5), progress=request.progress)


def naive(request: Request, nu: float) -> Solution:
    """As networks are trained elsewhere, in a fraction of the steps: points that stay, first-order descent."""
    method = Neural(trial=MLP(width=20, depth=3), points=2540, sampling=Fixed(), seed=request.seed)
    optimiser = Adam(rate=1e-3, max_steps=request.pick(20, 100, 150), ftol=0.0)
    return solve(problem(nu, symmetric=False), method, optimiser=optimiser, progress=request.progress)


def classical(request: Request, nu: float) -> Solution:
    return solve(problem(nu), Collocation(tolerance=request.pick(1e-6, 1e-9, 1e-10)), progress=request.progress)


def grid() -> tuple[np.ndarray, np.ndarray]:
    return np.linspace(-1, 1, 257), np.linspace(0, 0.99, 100)


def score(solution: Solution, nu: float) -> float:
    """Relative L2 error on the grid."""
    x, t = grid()
    truth = cole_hopf(x, t, nu)
    return float(np.linalg.norm(solution.u(x=x[:, None], t=t) - truth) / np.linalg.norm(truth))


def run(request: Request) -> Outcome:
    nu = request.number("nu", 0.01 / math.pi)
    found = {
        "network": network(request, nu),
        "collocation": classical(request, nu),
        "naive": naive(request, nu),
    }
    numbers: dict = {"nu": nu}
    for name, solution in found.items():
        prefix = "" if name == "network" else f"{name}_"
        [audit] = solution.audits
        numbers |= {
            f"{prefix}rel_l2": score(solution, nu),
            f"{prefix}rms_residual": audit.rms,
            f"{prefix}max_residual": audit.worst,
            f"{prefix}max_residual_at": audit.place,
        }
        if name != "network":
            numbers |= {f"{prefix}seconds": solution.seconds, f"{prefix}status": str(solution.status)}
    main = found["network"]
    return Outcome(
        numbers,
        all_trusted(main, found["collocation"]),
        text(found, numbers),
        main,
        {"spectral collocation": found["collocation"], "naive network": found["naive"]},
        {"front": lambda: figure(found, nu)},
    )


def text(found: dict[str, Solution], numbers: dict) -> str:
    titles = {"network": "network, lawful", "collocation": "spectral collocation", "naive": "network, naive"}
    lines = [f"{'':22} {'rel. L2 error':>13} {'rms residual':>13} {'worst':>9} {'seconds':>8}"]
    for name, solution in found.items():
        prefix = "" if name == "network" else f"{name}_"
        row = [numbers[f"{prefix}{key}"] for key in ("rel_l2", "rms_residual", "max_residual")]
        lines.append(
            f"{titles[name]:22} {row[0]:13.1e} {row[1]:13.1e} {row[2]:9.1e} {solution.seconds:8.1f}"
            f"  {'converged' if solution.status.converged else 'NOT CONVERGED'}"
        )
    place = numbers["naive_max_residual_at"]
    lines += [
        f"the naive network's residual is worst at x = {place['x']:.2g}, t = {place['t']:.2g}:"
        f" {numbers['naive_max_residual'] / numbers['naive_rms_residual']:.0f} times its rms",
        f"best published for a network at nu = 0.01/pi: {PUBLISHED:.1e} (47 minutes on a GPU)",
    ]
    return "\n".join(lines)


def figure(found: dict[str, Solution], nu: float):
    """The front at late times, and the error along it."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = fig.subplots(1, 2)
    x = np.linspace(-0.06, 0.06, 401)
    times = np.array([0.25, 0.5, 0.9])
    truth = cole_hopf(x, times, nu)
    colours = {"network": "#0072B2", "collocation": "#009E73", "naive": "#D55E00"}
    for column, time in enumerate(times):
        left.plot(x, truth[:, column], color="black", lw=1, ls="--", label="closed form" if column == 0 else None)
        for name in ("network", "naive"):
            left.plot(x, found[name].u(x=x, t=time), color=colours[name], lw=1.2, label=name if column == 0 else None)
        left.annotate(
            f"t = {time:g}", (x[60], truth[60, column]), fontsize=8, xytext=(0, 4), textcoords="offset points"
        )
    left.set(xlabel="x", ylabel="u", title="Inside the front")
    left.legend(fontsize=8)
    wide = np.linspace(-1, 1, 2001)
    exact = cole_hopf(wide, times[1:2], nu)[:, 0]
    for name, solution in found.items():
        error = np.abs(solution.u(x=wide, t=times[1]) - exact)
        right.semilogy(wide, np.maximum(error, 1e-16), color=colours[name], lw=1, label=name)
    right.set(xlabel="x", ylabel="|error|", title=f"Error at t = {times[1]:g}")
    right.legend(fontsize=8)
    return fig, left
