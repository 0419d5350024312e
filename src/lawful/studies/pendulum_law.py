"""A real pendulum on trial: small-angle law or sine law, and what does the law lack?

    as it stands   theta'' + mu theta' + k (theta - c) = 0

A pendulum was filmed from 84 degrees down to 48. Its owner fits the law of small swings, with friction, stiffness,
resting angle, the state at the first frame and the noise all unknown: the fit converges. `lf.verify` rejects it, and
looks for the missing term among candidates that contain no sine: powers of the angle, drag. A cubic term is found.

Then a small network takes the place of the missing term and learns its shape from the motion alone, through the solver.
What it learned is offered to the candidates again, now with k (sin theta - theta) among them. Last the sine law itself
is put on trial: it is kept, if the tracker may drift (`correlated=True`); its residuals of half a degree lean the same
way for several seconds, and no candidate explains them.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from .._core.record import Status
from ..solve import Candidate, Closure, Collocation, Match, Solution, closure, solve, verify
from ..verify import Kind, Verification
from ._base import Outcome, Request
from ._measurements import motion
from .pendulum import linear, problem, sine

SUMMARY = "a real pendulum on trial: the law of small swings is rejected, the sine law kept"
OPTIONS = {
    "data": "a CSV file with columns t and x (the angle in radians), instead of the published recording",
    "frames": "so many frames from the first on; by default 150 at quick effort, else 300",
}
STEPS = 5  # time steps between two passages through the middle: far more accurate than the tracker


def cubic(x, c):
    return (x - c) ** 3


def square(x, c):
    return (x - c) ** 2


def drag(x_t):
    return abs(x_t) * x_t


CANDIDATES: dict[str, Candidate] = {
    "theta^3": cubic,
    "theta^2": square,
    "|theta'| theta'": drag,
}


def about(rest: float) -> dict[str, Candidate]:
    """The candidates and the sine with the resting angle as a number: a learned term takes over so much of the law's
    stiffness that the law's own c means little beside it."""
    return {
        "theta^3": lambda x: (x - rest) ** 3,
        "theta^2": lambda x: (x - rest) ** 2,
        "|theta'| theta'": drag,
        "sin theta - theta": lambda x: jnp.sin(x - rest) - (x - rest),
    }


def judged(law, columns: dict, source: str, swings: int, candidates: dict) -> tuple[Solution, Verification]:
    method = Collocation(steps=STEPS * swings, tolerance=1e-5)
    solution = solve(problem(law, columns, source), method, progress=False)
    return solution, verify(solution, candidates, correlated=True)


def run(request: Request) -> Outcome:
    columns, source = motion(request, "real_pend_h_1")
    frames = request.count("frames", request.pick(150, 300, 556), least=40)
    columns = {name: values[:frames] for name, values in columns.items()}
    swings = int(np.sum(np.diff(np.sign(columns["x"] - np.mean(columns["x"]))) != 0))
    small, wrong = judged(linear, columns, source, swings, CANDIDATES)
    learned = closure(small, "x", hidden=4, seed=request.seed)
    matches = learned.match(about(small["c"].value))
    right, kept = judged(sine, columns, source, swings, CANDIDATES)
    stiffness = right["k"]
    numbers = {
        "small_angle": {**wrong.to_json(), "rejected": wrong.judgement.rejected},
        "sine": {**kept.to_json(), "rejected": kept.judgement.rejected},
        "learned": {
            "best": matches[0].name,
            "shares": {each.name: each.share for each in matches},
            "coefficients": {each.name: each.coefficient for each in matches},
            "gain": learned.gain,
        },
        "k_of_the_sine_law": stiffness.to_json(),
        "noise": {"small_angle": small.noise["x"], "sine": right.noise["x"]},
        "correlation": None if kept.correlation is None else str(kept.correlation),
        "frames": frames,
        "source": source,
    }
    good = wrong.judgement.rejected and kept.kind is Kind.KEPT
    reason = (
        "the law of small swings is rejected, the sine law kept"
        if good
        else f"not as expected; sine law: {kept.verdict}"
    )
    return Outcome(
        numbers,
        Status(good, reason, "judged"),
        text(numbers, wrong, kept, matches, frames, source),
        wrong,
        {"sine": kept},
        {"learned": lambda: figure(learned, right, matches)},
    )


def text(
    numbers: dict, wrong: Verification, kept: Verification, matches: tuple[Match, ...], frames: int, source: str
) -> str:
    shares = ", ".join(f"{each.name} {100 * each.share:.2f} %" for each in matches)
    return "\n".join(
        [
            f"{frames} angles from {source}",
            f"small swings: {wrong.verdict}",
            f"learned term: explained by {shares}; {matches[0].name} with coefficient {matches[0].coefficient:.3f}",
            f"sine law, k = {numbers['k_of_the_sine_law']['value']:.4f}: {kept.verdict}",
        ]
    )


def figure(learned: Closure, right: Solution, matches: tuple[Match, ...]):
    """The learned term less what the law's own unknowns can do, beside what the sine law lacks."""
    from matplotlib.figure import Figure

    low, high = learned.ranges["x"]
    x = np.linspace(low, high, 201)
    k, c = right["k"].value, right["c"].value
    found = learned.less([lambda x: 1.0, lambda x: x], x=x)
    own = np.stack([np.ones_like(x), x], axis=1)

    def bare(values: np.ndarray) -> np.ndarray:
        return values - own @ np.linalg.lstsq(own, values, rcond=None)[0]

    fig = Figure(figsize=(6.4, 3.8), layout="constrained")
    ax = fig.subplots()
    middle, sd = np.asarray(found.value), np.asarray(found.sd)
    ax.fill_between(x, middle - 2 * sd, middle + 2 * sd, color="#0072b2", alpha=0.2, lw=0, label="learned, ± 2 sd")
    ax.plot(x, middle, color="#0072b2")
    ax.plot(x, bare(k * (np.sin(x - c) - (x - c))), color="#d55e00", ls="--", label="k (sin θ - θ) of the sine law")
    ax.set(
        xlabel="angle θ in rad",
        ylabel="missing term, straight line taken out",
        title="What the law of small swings lacks",
    )
    ax.legend(frameon=False)
    return fig, ax
