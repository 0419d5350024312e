"""A falling body on camera: no drag, linear or quadratic?

    what is solved   y'' = -g,    height and speed at the first frame to be found
    the truth        y'' = -g,   y'' = -g - k y'   or   y'' = -g - k |y'| y'

Three bodies are dropped and filmed at 60 frames a second, each position good to half a centimetre. The model of all
three is free fall. `lf.verify` must accept it for the first, and name the drag of the others with its coefficient;
position and speed at the first frame are not known and refitted with every candidate. The list of candidates also holds
wrong ideas: another gravity, a spring, powers of the height.

At the end each body is dropped again and again with new noise, to count how often the verdict is right.
"""

from __future__ import annotations

import numpy as np

from .._core.record import Status
from ..geometry import Box
from ..problem import Data, Problem, Real, Value
from ..solve import Candidate, Collocation, at_sensors, solve, verify
from ..verify import Judgement, Verification, judge
from ._base import Outcome, Request

SUMMARY = "a falling body from a noisy track: no drag, linear or quadratic, by name and with its coefficient"
OPTIONS = {
    "noise": "standard deviation of the track in metres, 0.005 by default",
    "drops": "further drops of each body, by default 20, at quick effort 4",
}

GRAVITY, HEIGHT, SPAN, FRAMES = 9.81, 20.0, 1.5, 90
TRUTH = {"none": 0.0, "linear drag": 0.25, "quadratic drag": 0.03}  # 1/s, 1/m


def fall(y_tt, g):
    return y_tt + g


def linear(y_t):
    return y_t


def quadratic(y_t):
    return abs(y_t) * y_t


def constant():
    return 1.0


def spring(y):
    return y


def squared(y):
    return y**2


CANDIDATES: dict[str, Candidate] = {
    "linear drag": linear,
    "quadratic drag": quadratic,
    "another gravity": constant,
    "spring": spring,
    "height squared": squared,
}


def track(body: str, t: np.ndarray) -> np.ndarray:
    """The height of a body released at rest, in closed form."""
    k = TRUTH[body]
    if body == "none":
        return HEIGHT - GRAVITY * t**2 / 2
    if body == "linear drag":
        return HEIGHT - GRAVITY / k * t + GRAVITY / k**2 * (1 - np.exp(-k * t))
    return HEIGHT - np.log(np.cosh(np.sqrt(GRAVITY * k) * t)) / k


def times() -> np.ndarray:
    return np.arange(FRAMES + 1) * SPAN / FRAMES


def problem(y: np.ndarray, noise: float) -> Problem:
    domain = Box(t=(0, SPAN))
    return Problem(
        domain,
        fields="y",
        laws={"fall": fall},
        conditions=[Value(domain.at(t=0), y=lambda y0: y0, y_t=lambda v0: v0)],
        unknowns={"y0": Real(guess=HEIGHT, scale=1.0), "v0": Real(guess=0.0, scale=1.0)},
        constants={"g": GRAVITY},
        data=Data({"t": times(), "y": y}, noise=noise, name="camera"),
    )


def filmed(request: Request, body: str, noise: float, drop: int) -> np.ndarray:
    rng = np.random.default_rng([request.seed, list(TRUTH).index(body), drop])
    return track(body, times()) + noise * rng.normal(size=FRAMES + 1)


def right(body: str, found: Verification | Judgement) -> bool:
    return found.missing == (() if body == "none" else (body,)) and found.kind.value != "the mesh"


def run(request: Request) -> Outcome:
    noise = request.number("noise", 0.005)
    drops = request.count("drops", request.pick(4, 20, 200), least=1)
    verdicts = {}
    for body in TRUTH:
        solution = solve(problem(filmed(request, body, noise, 0), noise), Collocation(steps=12), progress=False)
        verdicts[body] = verify(solution, CANDIDATES)
    model, data = at_sensors(problem(track("none", times()), noise), CANDIDATES, Collocation(steps=12))
    hits = {
        body: sum(
            right(body, judge(model, data.holding(filmed(request, body, noise, drop)))) for drop in range(1, drops + 1)
        )
        for body in TRUTH
    }
    numbers = {
        body: {**found.to_json(), "right": right(body, found), "right_again": hits[body], "drops": drops}
        for body, found in verdicts.items()
    }
    good = all(row["right"] for row in numbers.values())
    status = Status(good, "every body's drag was named" if good else "a verdict was wrong", "verified")
    others = {body.replace(" ", "-"): found for body, found in verdicts.items() if body != "quadratic drag"}
    return Outcome(numbers, status, text(numbers, noise), verdicts["quadratic drag"], others, {})


def text(numbers: dict, noise: float) -> str:
    lines = [f"{FRAMES + 1} frames in {SPAN} s, noise {1e3 * noise:g} mm; truth, and what was said"]
    for body, row in numbers.items():
        lines.append(f"{body:15} (k = {TRUTH[body]:g}): {row['verdict']}")
        lines.append(f"{'':15} right in {row['right_again']} of {row['drops']} further drops")
    return "\n".join(lines)
