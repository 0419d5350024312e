"""A planet for a thousand orbits: how far do energy and angular momentum drift?

The two-body problem q'' = -q / |q|^3 with eccentricity e = 0.5 is followed by four methods: certified Taylor steps
(every step proven) for some orbits, the same steps without proofs, and the symplectic leapfrog and Yoshida steps. The
motion is periodic, so that the true state after each whole orbit is the start: the error is known, not estimated.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from .._core.record import Account, Animation, Drawing, Section, Status, Table
from ..simulate import Leapfrog, Method, Run, SecondOrder, Taylor, Yoshida, simulate
from ._base import Outcome, Request
from ._film import film

SUMMARY = "a thousand orbits: drift of energy and angular momentum, certified, fast and symplectic"
OPTIONS = {"eccentricity": "between 0 and 1, by default 0.5", "orbits": "by default 1000"}
PERIOD = 2 * np.pi


def motion() -> SecondOrder:
    return SecondOrder(lambda t, q, v, args: -q / jnp.sum(q * q) ** 1.5)


def energy(q, v):
    return 0.5 * jnp.sum(v * v) - 1 / jnp.sqrt(jnp.sum(q * q))


def momentum(q, v):
    return q[0] * v[1] - q[1] * v[0]


def orbit(e: float, orbits: int, method: Method, progress: bool | None) -> Run:
    start = np.array([1 - e, 0.0]), np.array([0.0, np.sqrt((1 + e) / (1 - e))])
    invariants = {"energy": energy, "momentum": momentum}
    return simulate(motion(), start, orbits * PERIOD, method=method, invariants=invariants, progress=progress)


def run(request: Request) -> Outcome:
    e = min(request.number("eccentricity", 0.5), 0.99)
    orbits = request.count("orbits", 1000, 2, 100_000)
    proven = min(orbits, request.pick(20, 200))
    methods = {
        "certified": (Taylor(), proven),
        "fast": (Taylor(1e-15, certify=False, fast=True), orbits),
        "leapfrog": (Leapfrog(PERIOD / 200), min(orbits, request.pick(200, 1000))),
        "Yoshida 4": (Yoshida(PERIOD / 200), min(orbits, request.pick(200, 1000))),
        "Yoshida 6": (Yoshida(PERIOD / 200, 6), min(orbits, request.pick(200, 1000))),
    }
    runs = {name: orbit(e, n, method, request.progress) for name, (method, n) in methods.items()}
    numbers = {"orbits": orbits, "certified": runs["certified"].certified}
    rows, lines = [], []
    for name, found in runs.items():
        n = methods[name][1]
        away = float(np.linalg.norm(found.final.q - np.array([1 - e, 0.0])))
        drift = found.drift
        numbers[name.replace(" ", "_").lower() + "_run"] = {
            "orbits": n,
            "energy_drift": drift["energy"].relative,
            "momentum_drift": drift["momentum"].relative,
            "position_error": away,
            "steps": found.steps.count,
            "seconds": found.seconds,
        }
        row = (name, str(n), str(found.steps.count), f"{drift['energy'].relative:.1e}",
               f"{drift['momentum'].relative:.1e}", f"{away:.1e}", f"{found.seconds:.1f}")  # fmt: skip
        rows.append(row)
        lines.append(
            f"{name:10} {n:5} orbits: energy drifts by {row[3]}, momentum by {row[4]}, position off by {row[5]} (in"
            f" {row[6]} s)"
        )
    fast = runs["fast"].drift["energy"].relative
    good = runs["certified"].certified and all(found.status.converged for found in runs.values()) and fast < 1e-11
    status = Status(
        good, f"{runs['certified'].status.reason}; over {orbits} orbits the energy drifts by {fast:.1e}", "certified"
    )
    gif = animation(runs["certified"], e, request.pick(40, 80))
    head = ("method", "orbits", "steps", "energy drift", "momentum drift", "position error", "seconds")
    story = Section(
        "A thousand orbits", ("Drifts are relative; positions are compared with the start after whole orbits.",),
        (Table(head, tuple(rows)),),
        (
            Drawing("drift", "The error of the energy, which symplectic steps keep bounded.", lambda: figure(runs)),
            Animation("planet", "One orbit, at even steps of time.", gif),
        ),
    )  # fmt: skip
    seconds = sum(found.seconds for found in runs.values())
    account = Account(status, seconds, (story,), runs["certified"].method, "kepler")
    return Outcome(numbers, status, "\n".join(lines), account, {}, {"drift": lambda: figure(runs)}, {"planet.gif": gif})


def figure(runs: dict[str, Run]):
    from matplotlib.figure import Figure

    fig = Figure(figsize=(6.4, 3.6), layout="constrained")
    ax = fig.subplots()
    for (name, found), colour in zip(
        runs.items(), ("#000000", "#0072B2", "#D55E00", "#E69F00", "#009E73"), strict=True
    ):
        values = found.drift["energy"].values
        window = max(1, len(values) // 400)
        cut = len(values) // window * window
        worst = np.abs(values / values[0] - 1)[:cut].reshape(-1, window).max(axis=1)
        ax.loglog(found.t[:cut:window][1:] / PERIOD, np.maximum(worst, 1e-17)[1:], color=colour, lw=1, label=name)
    ax.set(xlabel="orbits", ylabel="relative error of the energy")
    ax.legend(ncols=3, fontsize=8)
    ax.set_ylim(1e-17, 10)
    return fig, ax


def animation(found: Run, e: float, frames: int) -> bytes:
    """The planet and its trail."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(3.6, 3.2), layout="constrained")
    ax = fig.subplots()
    places = found(np.linspace(0, PERIOD, 400)).q
    ax.plot(places[:, 0], places[:, 1], color="0.8", lw=1)
    ax.plot([0], [0], "o", color="#E69F00", ms=14)
    [planet] = ax.plot([], [], "o", color="#0072B2", ms=8)
    ax.set(aspect="equal", xlabel="x", ylabel="y")

    def draw(i: int) -> None:
        q = found(PERIOD * i / frames).q
        planet.set_data([q[0]], [q[1]])

    return film(fig, draw, frames)
