"""Heat in a channel: is conduction all there is, and if not, which term is missing?

    the truth        u_t + c u_x = kappa u_xx,    c = 2
    what is solved   u_t = kappa u_xx,            kappa to be found

An engineer who does not know that the fluid moves fits a conductivity to thermometers along a channel. The fit
converges and looks plausible. `lf.verify` says, in this order: how far the mesh is from the equation; whether the
equation is wrong; which of the candidate terms it lacks (1, u, u^2, u^3, u_x, u_xx, u u_x and a leak at the outlet);
with which coefficient; and which coefficient these thermometers would have shown. No derivative of noisy data is ever
taken: the effect of each term on each thermometer is one linearised solve.

With `--set flow=0` nothing is missing, and it must say so. Last comes the trap: the right equation, solved by
first-order upwind differences on 20 cells. Their error looks like u_xx, and a test that trusts the solver names u_xx
with great confidence. The mesh is judged first, and blamed.

The readings come from the closed form (a sum of cosines and decaying sines), not from the solver under test.
"""

from __future__ import annotations

import functools

import numpy as np

from .._core.record import Status
from ..geometry import Box
from ..problem import Data, Positive, Problem, Value
from ..solve import AtBoundary, Candidate, Collocation, Solution, candidates, solve, verify
from ..verify import ForwardModel, Judgement, Kind, Measurements, Verification, judge, score_alone
from ._base import Outcome, Request
from ._channel import FLOW, exact, inlet, upwind

SUMMARY = "heat in a channel whose flow the model lacks: mesh, model and missing term told apart"
OPTIONS = {
    "sensors": "thermometers along the channel, 20 by default",
    "noise": "noise in percent of the spread of the readings, 5 by default; 0 has it estimated",
    "flow": "the true velocity, 2 by default; 0 for a model that lacks nothing",
    "nodes": "nodes of the mesh (with steps=N): 4 is too coarse to judge anything",
    "steps": "time steps of the mesh",
    "placebo": "placebo runs, 40 by default, none at quick effort",
}
TIMES = np.linspace(0.05, 1.0, 20)
CELLS = 20


def heat(u_t, u_xx, kappa):
    return u_t - kappa * u_xx


def leak(u_x):
    return u_x


def places(sensors: int) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of every reading, thermometer by thermometer."""
    x, t = np.meshgrid(np.linspace(0.05, 0.95, sensors), TIMES, indexing="ij")
    return x.ravel(), t.ravel()


def readings(seed: int, sensors: int, percent: float, flow: float = FLOW) -> tuple[dict[str, np.ndarray], float]:
    """Columns x, t, u and the standard deviation of the noise in u."""
    x, t = places(sensors)
    u = exact(x, t, flow)
    sd = percent / 100 * float(np.std(u))
    return {"x": x, "t": t, "u": u + sd * np.random.default_rng([seed, sensors]).normal(size=len(u))}, sd


def problem(columns: dict[str, np.ndarray], sd: float) -> Problem:
    domain = Box(x=(0, 1), t=(0, 1))
    return Problem(
        domain,
        fields="u",
        laws={"heat": heat},
        conditions=[Value(domain.at(t=0), u=0.0), Value(domain.at(x=0), u=inlet), Value(domain.at(x=1), u=0.0)],
        unknowns={"kappa": Positive(guess=0.3)},
        data=Data(columns, noise=sd or None, name="thermometers"),
    )


def terms(stated: Problem) -> dict[str, Candidate]:
    """The usual suspects, and an outlet that is not quite cold."""
    return {**candidates(stated), "leak at the outlet": AtBoundary(stated.domain.at(x=1), u=leak)}


def outlet(at):
    """The heat that leaves through the cold end, averaged over time."""
    import jax.numpy as jnp

    return -jnp.mean(at("u_x", x=1.0, t=jnp.linspace(0.0, 1.0, 101)))


def mesh(request: Request, percent: float) -> Collocation:
    if "nodes" in request.options or "steps" in request.options:
        return Collocation(
            nodes=request.count("nodes", 16, least=4, most=64), steps=request.count("steps", 12, least=1), tolerance=1.0
        )
    return Collocation(nodes=14, steps=10, tolerance=1e-5 if percent else 1e-7)


@functools.cache
def upwind_model(cells: int) -> ForwardModel:
    """The right equation by upwind differences; the amplitude of the inlet is to be found."""
    x, t = places(20)
    return ForwardModel.from_function(
        upwind(cells, x, t),
        start=[1.0],
        parameters=["amplitude"],
        candidates=["u_xx", "u"],
        finer=[upwind(2 * cells, x, t), upwind(4 * cells, x, t)],
    )


def upwind_trap(seed: int, percent: float = 1.0, cells: int = CELLS) -> tuple[Judgement, str, float]:
    """The right equation on a coarse upwind mesh: the judgement, and what a score test alone would have named."""
    x, t = places(20)
    u = exact(x, t)
    sd = percent / 100 * float(np.std(u))
    model = upwind_model(cells)
    noisy = u + sd * np.random.default_rng([seed, 99]).normal(size=len(u))
    data = Measurements.of(noisy, sd, sensor=[f"x = {v:.3g}" for v in x], places={"x": x, "t": t}, name="u")
    return judge(model, data), *score_alone(model, data)


def run(request: Request) -> Outcome:
    sensors = request.count("sensors", 20, least=3, most=200)
    percent = 0.0 if request.options.get("noise") == "0" else request.number("noise", 5.0)
    flow = 0.0 if request.options.get("flow") == "0" else request.number("flow", FLOW)
    runs = request.count("placebo", 40, least=1) if "placebo" in request.options else request.pick(0, 40, 200)
    columns, sd = readings(request.seed, sensors, percent, flow)
    solution = solve(problem(columns, sd), mesh(request, percent), progress=request.progress)
    found = verify(
        solution, terms(solution.problem), quantities={"heat leaving": outlet}, placebo=runs, seed=request.seed
    )
    judged, alone, z = upwind_trap(request.seed)
    trap = {"kind": judged.kind.value, "verdict": judged.sentence, "score_test_alone": {"term": alone, "z": z}}
    numbers = {**found.to_json(), "kappa": solution["kappa"].to_json(), "upwind": trap}
    if found.quantities:
        numbers["heat_leaving"] = found.quantities["heat leaving"].to_json()
    blamed = judged.kind is Kind.GRID
    status = found.status if blamed else Status(False, f"the upwind mesh was not blamed: {judged.sentence}", "verified")
    return Outcome(numbers, status, text(found, solution, trap), found, {"fit": solution}, {})


def text(found: Verification, solution: Solution, trap: dict) -> str:
    lines = [
        f"the model as it stands: kappa = {solution['kappa']} (true: 0.5), {solution.status.verdict}",
        str(found),
        f"the right equation by upwind differences on {CELLS} cells: a score test alone would name"
        f" {trap['score_test_alone']['term']} ({abs(trap['score_test_alone']['z']):.0f} sigma); {trap['verdict']}",
    ]
    return "\n".join(lines)
