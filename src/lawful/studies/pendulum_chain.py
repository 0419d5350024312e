"""A chain of pendulums: chaos in steps with a proof, energy kept to rounding, rods exactly as long as they are.

Point masses hang from each other on rigid rods. Its state is the rods' angles, so that lengths cannot drift: as places
of masses, held by their accelerations alone, they would, for what rounding takes off a rod grows with the chaos. The
pull of each rod follows from the demand that it keep its length, one linear equation a rod, solved by elimination
within the right-hand side; what is left over of the masses' accelerations turns the rods. Every step is proven, through
the divisions of the elimination too. A second chain, released 1e-10 to the side, tells how fast the motion forgets: its
distance grows until the two have nothing in common. Nothing pulls the energy back, so that it shows what all steps
together err.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from .._core.record import Account, Animation, Drawing, Section, Status, Table
from ..simulate import Run, SecondOrder, Taylor, simulate
from ._base import Outcome, Request
from ._film import film

SUMMARY = "a chain of pendulums: proven steps through chaos, rods exact, energy kept to rounding"
OPTIONS = {
    "links": "from 2 to 8, by default 4 (3 at quick effort)",
    "until": "time in seconds, by default 10 (3 at quick effort)",
}
G, ASIDE = 9.81, 1e-10


def pulls(angles, rates):
    """The force T_i of each rod on the mass at its end, along the rod; the first is hung up, masses, lengths are one.

    A mass turns about the one before it: (a_i - a_(i-1)) . d_i = -rate_i^2, with d_i the direction of its rod.
    """
    links = angles.shape[0]
    lean = jnp.cos(angles[1:] - angles[:-1])
    # Thomas' elimination: (1 + [i > 0]) T_i - lean_(i-1) T_(i-1) - lean_i T_(i+1) = rate_i^2 - [i = 0] g sin(angle_0).
    diagonal, load = [jnp.ones(())], [rates[0] ** 2 - G * jnp.sin(angles[0])]
    for i in range(1, links):
        factor = lean[i - 1] / diagonal[i - 1]
        diagonal.append(2.0 - factor * lean[i - 1])
        load.append(rates[i] ** 2 + factor * load[i - 1])
    found = [load[-1] / diagonal[-1]]
    for i in reversed(range(links - 1)):
        found.insert(0, (load[i] + lean[i] * found[0]) / diagonal[i])
    return jnp.stack(found)


def acceleration(t, q, v, args):
    """Of the angles from the horizontal: what is left across each rod of the accelerations at its ends."""
    pull, lean = pulls(q, v), jnp.sin(q[1:] - q[:-1])
    none, hung = jnp.zeros(1), jnp.arange(q.shape[0]) == 0
    after, before = (jnp.concatenate(both) for both in ((lean * pull[1:], none), (none, -lean * pull[:-1])))
    return after + before - jnp.where(hung, G, 0.0) * jnp.cos(q)


def energy(q, v):
    across = jnp.stack([-jnp.sin(q), jnp.cos(q)], 1)
    return 0.5 * jnp.sum(jnp.cumsum(v[:, None] * across, axis=0) ** 2) + G * jnp.sum(jnp.cumsum(jnp.sin(q)))


def places(angles: np.ndarray) -> np.ndarray:
    """Of the masses, (..., links, 2), in m."""
    return np.cumsum(np.stack([np.cos(angles), np.sin(angles)], -1), axis=-2)


def chain(links: int, until: float, aside: float, progress) -> Run:
    """Released at rest, stretched out and a little above the horizontal."""
    angles = np.deg2rad(np.linspace(10.0, 40.0, links)) + aside
    motion, start = SecondOrder(acceleration), (angles, np.zeros(links))
    return simulate(motion, start, until, method=Taylor(1e-13), invariants={"energy": energy}, progress=progress)


def run(request: Request) -> Outcome:
    links = request.count("links", request.pick(3, 4), 2, 8)
    until = request.number("until", request.pick(3.0, 10.0))
    one, other = (chain(links, until, aside, request.progress) for aside in (0.0, ASIDE))
    times = np.linspace(0, until, 600)
    tips = [places(found(times).q)[:, -1] for found in (one, other)]
    apart = np.linalg.norm(tips[0] - tips[1], axis=1)
    near = (times > 0) & (apart < 1e-2)  # later the two have nothing in common
    rate = float(np.polyfit(times[near], np.log(apart[near]), 1)[0])
    numbers = {
        "links": links,
        "steps": one.steps.count,
        "energy_drift": one.drift["energy"].change / (G * links),
        "certified": one.certified,
        "apart_at_the_end": float(apart[-1]),
        "growth_rate": rate,
    }
    rows = [
        f"{links} links for {until:g} s in {one.steps.count} steps of order 16; {one.seconds:.1f} s with compilation",
        f"energy drifts by {numbers['energy_drift']:.1e} of its scale",
        f"two chains {ASIDE:g} apart: the tips end {apart[-1]:.1e} apart, growing as e^({rate:.2f} t)",
    ]
    good = one.certified and numbers["energy_drift"] < 1e-10
    status = Status(good, f"{rows[1]}; {one.status}", "trusted")
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
    paths = [places(found(times).q) for found in (other, one)]

    def draw(i: int) -> None:
        for line, q in zip(lines, paths, strict=True):
            line.set_data([0, *q[i, :, 0]], [0, *q[i, :, 1]])

    return film(fig, draw, frames, frames / float(times[-1]))
