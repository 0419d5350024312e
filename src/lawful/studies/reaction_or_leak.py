"""Reaction or leak? Two terms that one sensor cannot tell apart, and the place of the sensor that can.

    what is solved   u_t = kappa u_xx,    u_x = 0 at the far end
    the truth        the same, but heat leaks out of the far end: u_x = -0.6 u there

A rod is heated at one end and insulated at the other, so its owner believes. Two thermometers near the hot end read too
little. Heat that is lost all along the rod, a term u, and heat that leaks out of the far end do the same to these two
thermometers, nearly. `lf.verify` rejects the model, and instead of naming one of the two by a hair it reports the
group, with the place at which another thermometer would separate them. With that thermometer added the right one is
named.

`--set truth=reaction` turns the tables.
"""

from __future__ import annotations

import numpy as np

from .._core.messages import BadInput
from .._core.record import Status
from ..geometry import Box
from ..problem import Data, Flux, Positive, Problem, Value
from ..solve import AtBoundary, Candidate, Collocation, Solution, solve, verify
from ..verify import Kind, Verification
from ._base import Outcome, Request

SUMMARY = "two terms that the sensors cannot tell apart: a group, the next sensor, and then the right one by name"
OPTIONS = {
    "truth": "leak (default) or reaction",
    "noise": "standard deviation of a reading, 0.01 by default",
}

KAPPA = 0.4
STRENGTH = {"leak": 0.6, "reaction": 0.35}
TIMES = np.linspace(0.1, 2.0, 20)
SENSORS = (0.2, 0.35)
SPAN = 2.0


def heat(u_t, u_xx, kappa):
    return u_t - kappa * u_xx


def lost(u):
    return u


def leaking(u):
    return -u


def warm(t):
    import jax.numpy as jnp

    return 1 - jnp.exp(-4 * t**2)


def problem(columns: dict[str, np.ndarray], noise: float) -> Problem:
    domain = Box(x=(0, 1), t=(0, SPAN))
    return Problem(
        domain,
        fields="u",
        laws={"heat": heat},
        conditions=[
            Value(domain.at(t=0), u=0.0),
            Value(domain.at(x=0), u=warm),
            Flux(domain.at(x=1), u=0.0),
        ],
        unknowns={"kappa": Positive(guess=0.3)},
        data=Data(columns, noise=noise, name="thermometers"),
    )


def suspects(stated: Problem) -> dict[str, Candidate]:
    return {"reaction": lost, "leak": AtBoundary(stated.domain.at(x=1), u=leaking)}


def reference(truth: str, x: np.ndarray, t: np.ndarray, cells: int = 400) -> np.ndarray:
    """U by finite volumes of second order and LSODA, another discretisation than the one under test; within 1e-5."""
    from scipy.integrate import solve_ivp

    h = 1.0 / cells
    leak, reaction = (STRENGTH[name] if name == truth else 0.0 for name in ("leak", "reaction"))

    def rate(time, u):
        wall = 1 - np.exp(-4 * time**2)
        # The far wall's own temperature follows from u_x = -leak u over half a cell.
        far = u[-1] / (1 + leak * h / 2)
        flux = np.concatenate([[2 * (u[0] - wall) / h], np.diff(u) / h, [-leak * far]])
        return KAPPA * np.diff(flux) / h - reaction * u

    order = np.unique(t)
    run = solve_ivp(
        rate, (0, SPAN), np.zeros(cells), t_eval=order, rtol=1e-9, atol=1e-11, method="LSODA", lband=1, uband=1
    )
    centres = (np.arange(cells) + 0.5) * h
    grid = np.concatenate([[0.0], centres])
    column = np.searchsorted(order, t)
    walls = 1 - np.exp(-4 * order**2)
    values = np.concatenate([walls[None], run.y])
    return np.array([cubic(grid, values[:, c], place) for place, c in zip(x, column, strict=True)])


def cubic(grid: np.ndarray, values: np.ndarray, place: float) -> float:
    """A cubic through the nearest four values: interpolation must not spoil the second order."""
    first = int(np.clip(np.searchsorted(grid, place) - 2, 0, len(grid) - 4))
    near = slice(first, first + 4)
    return float(np.polyval(np.polyfit(grid[near] - place, values[near], 3), 0.0))


def readings(seed: int, truth: str, sensors: tuple[float, ...], noise: float) -> dict[str, np.ndarray]:
    """Columns of all thermometers; each has noise of its own, so that another one changes none of those there were."""
    columns: dict[str, list[np.ndarray]] = {"x": [], "t": [], "u": []}
    for place in sensors:
        rng = np.random.default_rng([seed, round(1e6 * place)])
        x = np.full(len(TIMES), place)
        columns["x"].append(x)
        columns["t"].append(TIMES)
        columns["u"].append(reference(truth, x, TIMES) + noise * rng.normal(size=len(TIMES)))
    return {name: np.concatenate(parts) for name, parts in columns.items()}


def judged(request: Request, truth: str, sensors: tuple[float, ...], noise: float) -> tuple[Solution, Verification]:
    stated = problem(readings(request.seed, truth, sensors, noise), noise)
    solution = solve(stated, Collocation(nodes=14, steps=16, stages=4, tolerance=1e-4), progress=False)
    return solution, verify(solution, suspects(stated))


def run(request: Request) -> Outcome:
    truth, noise = request.options.get("truth", "leak"), request.number("noise", 0.01)
    if truth not in STRENGTH:
        raise BadInput(f"--set truth={truth}: the truth is leak or reaction.")
    _, first = judged(request, truth, SENSORS, noise)
    if first.kind is not Kind.GROUP or first.proposal is None:
        status = Status(False, f"no group was found: {first.verdict}", "verified")
        return Outcome({"first": first.to_json()}, status, str(first), first)
    place = first.proposal.place["x"]
    _, then = judged(request, truth, (*SENSORS, place), noise)
    good = then.missing == (truth,)
    numbers = {
        "first": first.to_json(),
        "group": sorted(first.missing),
        "next_sensor": place,
        "separation_now": first.proposal.now,
        "separation_then": first.proposal.then,
        "then": then.to_json(),
        "missing_term": then.missing[0] if len(then.missing) == 1 else None,
        "coefficient": then.to_json()["coefficient"],
        "verdict": then.verdict,
    }
    status = Status(good, then.verdict if good else f"the {truth} was not named: {then.verdict}", "verified")
    text = "\n".join(
        [
            f"two thermometers, at x = {SENSORS[0]} and {SENSORS[1]}: {first.verdict}",
            f"a third one at x = {place:.3g}: {then.verdict} (true: {truth}, {STRENGTH[truth]})",
        ]
    )
    return Outcome(numbers, status, text, first, {"with-the-third-sensor": then})
