"""A chain of pendulums: chaos, with energy and rods kept to rounding.

Point masses hang from each other on rigid rods. The forces of the rods follow from the demand that they keep their
lengths, one linear equation a rod, solved by elimination within the right-hand side. Nothing pulls the chain back to
its constraints: energy and the lengths of the rods drift only by what the steps err, so they show it. A second chain,
released 1e-10 to the side, tells how fast the motion forgets: its distance grows until the two have nothing in common.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from .._core.record import Account, Animation, Drawing, Section, Status, Table
from ..simulate import Run, SecondOrder, Taylor, simulate
from ._base import Outcome, Request
from ._film import film

SUMMARY = "a chain of pendulums: Taylor steps through chaos, energy and rods kept to rounding"
OPTIONS = {
    "links": "from 2 to 8, by default 4 (3 at quick effort)",
    "until": "time in seconds, by default 10 (3 at quick effort)",
}
G, ASIDE = 9.81, 1e-10


def acceleration(t, q, v, args):
    """Positions (links, 2) of unit masses on rods of unit length, the first one hung at the origin.

    The rod i pulls with the force T_i along d_i = q_i - q_(i-1), and d_i . (a_i - a_(i-1)) + |v_i - v_(i-1)|^2 = 0.
    """
    links = q.shape[0]
    d = q - jnp.concatenate([jnp.zeros((1, 2)), q[:-1]])
    w = v - jnp.concatenate([jnp.zeros((1, 2)), v[:-1]])
    lean = jnp.sum(d[1:] * d[:-1], 1)
    right = jnp.sum(w * w, 1)
    # Thomas' elimination: (1 + [i > 0]) T_i - lean_(i-1) T_(i-1) - lean_i T_(i+1) = right_i.
    diagonal, load = [1.0 + 0.0 * right[0]], [right[0] - G * d[0, 1]]
    for i in range(1, links):
        factor = lean[i - 1] / diagonal[i - 1]
        diagonal.append(2.0 - factor * lean[i - 1])
        load.append(right[i] + factor * load[i - 1])
    pull = [load[-1] / diagonal[-1]]
    for i in reversed(range(links - 1)):
        pull.insert(0, (load[i] + lean[i] * pull[0]) / diagonal[i])
    along = jnp.stack(pull)[:, None] * d
    return jnp.concatenate([along[1:], jnp.zeros((1, 2))]) - along - jnp.array([0.0, G])


def energy(q, v):
    return 0.5 * jnp.sum(v * v) + G * jnp.sum(q[:, 1])


def rods(q):
    """The sum of the squares of how far rods are from their length, and one: it should stay one."""
    d = q - jnp.concatenate([jnp.zeros((1, 2)), q[:-1]])
    return 1 + jnp.sum(jnp.abs(jnp.sqrt(jnp.sum(d * d, 1)) - 1))


def chain(links: int, until: float, aside: float, progress) -> Run:
    """Released at rest, stretched out and a little above the horizontal."""
    angles = np.deg2rad(np.linspace(10.0, 40.0, links)) + aside
    q = np.cumsum(np.stack([np.cos(angles), np.sin(angles)], 1), axis=0)
    return simulate(
        SecondOrder(acceleration), (q, np.zeros_like(q)), until, method=Taylor(1e-13, certify=False),
        invariants={"energy": energy, "rods": rods}, progress=progress,
    )  # fmt: skip


def run(request: Request) -> Outcome:
    links = request.count("links", request.pick(3, 4), 2, 8)
    until = request.number("until", request.pick(3.0, 10.0))
    one, other = (chain(links, until, aside, request.progress) for aside in (0.0, ASIDE))
    times = np.linspace(0, until, 600)
    apart = np.linalg.norm(one(times).q[:, -1] - other(times).q[:, -1], axis=1)
    near = (times > 0) & (apart < 1e-2)  # later the two have nothing in common
    rate = float(np.polyfit(times[near], np.log(apart[near]), 1)[0])
    numbers = {
        "links": links,
        "steps": one.steps.count,
        "energy_drift": one.drift["energy"].change / (G * links),
        "rod_drift": one.drift["rods"].change,
        "apart_at_the_end": float(apart[-1]),
        "growth_rate": rate,
    }
    rows = [
        f"{links} links for {until:g} s in {one.steps.count} steps of order 16; {one.seconds:.1f} s with compilation",
        f"energy drifts by {numbers['energy_drift']:.1e} of its scale, rods by {numbers['rod_drift']:.1e} of a length",
        f"two chains {ASIDE:g} apart: the tips end {apart[-1]:.1e} apart, growing as e^({rate:.2f} t)",
    ]
    good = one.status.converged and numbers["energy_drift"] < 1e-10 and numbers["rod_drift"] < 1e-10
    status = Status(good, f"{rows[1]}; these steps are estimated, not proven", "trusted")
    gif = animation(one, other, request.pick(45, 200))
    table = Table(("what", "value"), tuple((name.replace("_", " "), f"{value:.6g}") for name, value in numbers.items()))
    story = Section(
        "A chain of pendulums", tuple(rows), (table,),
        (
            Drawing("apart", "Distance of the tips of two chains, 1e-10 apart at first.", lambda: figure(times, apart)),
            Animation("chain", "The chain, and its twin in grey.", gif),
        ),
    )  # fmt: skip
    account = Account(status, one.seconds + other.seconds, (story,), one.method, "pendulum-chain")
    return Outcome(
        numbers, status, "\n".join(rows), account, {}, {"apart": lambda: figure(times, apart)}, {"chain.gif": gif}
    )


def figure(times: np.ndarray, apart: np.ndarray):
    from matplotlib.figure import Figure

    fig = Figure(figsize=(6.4, 3.0), layout="constrained")
    ax = fig.subplots()
    ax.semilogy(times[1:], apart[1:], color="#0072B2", lw=1.2)
    ax.set(xlabel="time in s", ylabel="distance of the tips in m")
    return fig, ax


def animation(one: Run, other: Run, frames: int) -> bytes:
    from matplotlib.figure import Figure

    fig = Figure(figsize=(3.6, 3.6), layout="constrained")
    ax = fig.subplots()
    links = one.final.q.shape[0]
    lines = [ax.plot([], [], "o-", color=colour, ms=5, lw=1.5)[0] for colour in ("0.75", "#0072B2")]
    reach = links * 1.08
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xlabel="x in m", ylabel="y in m")
    times = np.linspace(0, one.t[-1], frames)
    places = [found(times).q for found in (other, one)]

    def draw(i: int) -> None:
        for line, q in zip(lines, places, strict=True):
            line.set_data([0, *q[i, :, 0]], [0, *q[i, :, 1]])

    return film(fig, draw, frames, frames / float(times[-1]))
