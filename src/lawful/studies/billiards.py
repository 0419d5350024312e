"""Billiards: the table is measured from a film of one shot, then a shot is aimed over three cushions by gradient.

First the track of a known shot, filmed with noise of 1 mm, gives the restitution of the cushions and the drag of the
cloth, by least squares through all impacts (`lf.solve(lf.Simulated(...))`), with error bars. Then the cue ball has to
go over three cushions and send the second ball to a given place: a coarse look at many directions finds shots that come
near, and Newton steps on direction and speed, by the derivative through all impacts, bring the ball there. The answer
is played once more with a proof for every step.
"""

from __future__ import annotations

import time

import jax
import jax.numpy as jnp
import numpy as np

from .._core.compilation import quickly
from .._core.precision import in_float64
from .._core.record import Account, Animation, Drawing, Section, Status, Table
from ..problem import Bounded, Data, Positive
from ..simulate import Contact, Pairs, Plane, Run, SecondOrder, Taylor, rollout, simulate
from ..solve import Identified, Simulated, solve
from ._base import Outcome, Request
from ._film import film

SUMMARY = "billiards: a table measured from a film, a shot over three cushions aimed by gradient"
OPTIONS = {"noise": "of the film in metres, by default 0.001"}
WIDTH, HEIGHT, RADIUS = 2.0, 1.0, 0.03
START, SECOND, TARGET = np.array([0.5, 0.35]), np.array([1.45, 0.6]), np.array([1.9, 0.2])
FILMED = np.array([2.3, 1.1])  # the velocity of the shot on the film
TRUTH = {"cushions": 0.85, "drag": 0.3}
DURATION, FRAMES = 3.0, 31
ROUGH = Taylor(certify=False)
MOTION = SecondOrder(lambda t, q, v, table: -table["drag"] * v)


def contacts(table) -> list[Contact]:
    sides = ((1, 0, 0.0, "left"), (0, 1, 0.0, "bottom"), (-1, 0, -WIDTH, "right"), (0, -1, -HEIGHT, "top"))
    cushions = [
        Contact(Plane((x, y), offset), restitution=table["cushions"], radius=RADIUS, rests=False, name=name)
        for x, y, offset, name in sides
    ]
    return [*cushions, Contact(Pairs(), restitution=0.96, radius=RADIUS, rests=False, name="balls")]


def begin(velocity):
    return jnp.stack([START, SECOND]), jnp.stack([velocity, jnp.zeros(2)])


def track(velocity, table):
    """Both balls at the frames of the film: (frames, balls, 2)."""
    line = jnp.linspace(0.0, DURATION, FRAMES)
    return rollout(MOTION, begin(velocity), line, args=table, contacts=contacts(table), most=64, method=ROUGH)[0]


def filmed(t, cushions, drag):
    """The columns of a film of the known shot: both places of both balls at its frames."""
    table = {"cushions": cushions, "drag": drag}
    start = begin(jnp.asarray(FILMED))
    places = rollout(MOTION, start, t, args=table, contacts=contacts(table), most=64, method=ROUGH)[0]
    return {f"{axis}{ball + 1}": places[:, ball, i] for ball in (0, 1) for i, axis in enumerate("xy")}


def film_of(noise: float, seed: int) -> Data:
    """A film of the true table, with noise."""
    t, rng = np.linspace(0.0, DURATION, FRAMES), np.random.default_rng(seed)
    seen = {name: np.asarray(column) for name, column in quickly(filmed)(jnp.asarray(t), **TRUTH).items()}
    return Data({"t": t, **{name: x + noise * rng.normal(size=x.shape) for name, x in seen.items()}}, name="film")


def measured(film: Data) -> Identified:
    """The table that fits a film best: least squares through all impacts."""
    unknowns = {"cushions": Bounded(0.0, 1.0, guess=0.8), "drag": Positive(guess=0.25)}
    return solve(Simulated(filmed, unknowns, film))


def played(velocity: np.ndarray, table: dict[str, float]) -> Run:
    start = np.stack([START, SECOND]), np.stack([velocity, np.zeros(2)])
    return simulate(MOTION, start, DURATION, args=table, contacts=contacts(table))


def over_three_cushions(shot: Run) -> bool:
    """Whether exactly three cushions come before the balls meet."""
    names = [h.name for h in shot.happenings]
    return "balls" in names and names.index("balls") == 3


def aimed(both, looks: int, table: dict[str, float]) -> tuple[np.ndarray, float, int]:
    """The velocity of a shot that brings the second ball to the target, how far off it is, and the Newton steps."""
    angles = np.linspace(0, 2 * np.pi, looks, endpoint=False)
    speeds = np.linspace(2.5, 5.0, 6)
    shots = np.array([[s * np.cos(a), s * np.sin(a)] for s in speeds for a in angles])
    ends = np.asarray(quickly(jax.vmap(lambda v: track(v, table)[-1, 1]))(shots))
    miss = np.where(np.isfinite(ends).all(1), np.linalg.norm(ends - TARGET, axis=1), np.inf)
    for i in np.argsort(miss)[:40]:
        if not over_three_cushions(played(shots[i], table)):
            continue
        velocity, off, steps = newton(both, shots[i], table)
        if off < 1e-9 and over_three_cushions(played(velocity, table)):
            return velocity, off, steps
    return shots[np.argmin(miss)], float(miss.min()), 0


def newton(both, velocity: np.ndarray, table: dict[str, float]) -> tuple[np.ndarray, float, int]:
    """Newton's steps, halved while they do not come nearer."""

    def at(velocity):
        value, slopes = both(velocity, table)
        return np.asarray(value)[-1, 1] - TARGET, np.asarray(slopes)[-1, 1]

    off, slopes = at(velocity)
    steps = 0
    for _ in range(30):
        step = -np.linalg.lstsq(slopes, off, rcond=None)[0]
        for share in 0.5 ** np.arange(10):
            new_off, new_slopes = at(velocity + share * step)
            if np.linalg.norm(new_off) < np.linalg.norm(off):
                break
        else:
            break
        velocity, off, slopes, steps = velocity + share * step, new_off, new_slopes, steps + 1
        if np.linalg.norm(off) < 1e-13:
            break
    return velocity, float(np.linalg.norm(off)), steps


@in_float64
def run(request: Request) -> Outcome:
    start = time.monotonic()
    noise = request.number("noise", 0.001)

    def value_and_slopes(velocity, table):
        return track(velocity, table), jax.jacfwd(track)(velocity, table)

    both = quickly(value_and_slopes)
    table = measured(film_of(noise, request.seed))
    found = {name: float(estimate.value) for name, estimate in table.estimates.items()}
    velocity, off, steps = aimed(both, request.pick(48, 180), found)
    shot = played(velocity, found)
    names = [h.name for h in shot.happenings]
    away = {name: abs(float(table[name].value) - TRUTH[name]) / float(table[name].sd) for name in TRUTH}
    good = table.converged and shot.certified and over_three_cushions(shot) and off < 1e-9
    numbers = {
        **{name: estimate.to_json() for name, estimate in table.estimates.items()},
        "truth": TRUTH,
        "off_in_sd": away,
        "miss_in_m": off,
        "newton_steps": steps,
        "velocity": velocity.tolist(),
        "impacts": names,
        "certified": shot.certified,
    }
    rows = [
        f"from {FRAMES} frames with noise {1e3 * noise:g} mm: restitution of the cushions {table['cushions']} (truth"
        f" {TRUTH['cushions']}), drag {table['drag']} 1/s (truth {TRUTH['drag']})",
        f"shot at ({velocity[0]:.6f}, {velocity[1]:.6f}) m/s: {', '.join(names)}",
        f"second ball ends {off:.1e} m from the target after {steps} Newton steps through {len(names)} impacts",
    ]
    status = Status(good, f"the ball ends {off:.1e} m from its target; {shot.status.reason}", "certified")
    gif = animation(shot, request.pick(45, 90))
    impacts = Table(("time in s", "impact"), tuple((f"{h.time:.6f}", h.name) for h in shot.happenings))
    story = Section(
        "Three cushions and a ball", tuple(rows), (impacts,),
        (Drawing("shot", "The paths of both balls.", lambda: figure(shot)), Animation("play", "The shot.", gif)),
    )  # fmt: skip
    account = Account(status, time.monotonic() - start, (story,), shot.method, "billiards")
    return Outcome(numbers, status, "\n".join(rows), account, {}, {"shot": lambda: figure(shot)}, {"shot.gif": gif})


def cloth(ax) -> None:
    from matplotlib.patches import Rectangle

    ax.add_patch(Rectangle((0, 0), WIDTH, HEIGHT, facecolor="#E3F1EA", edgecolor="#8B5A2B", lw=4))
    ax.plot(*TARGET, "x", color="black", ms=10, mew=2)
    ax.set(xlim=(-0.05, WIDTH + 0.05), ylim=(-0.05, HEIGHT + 0.05), aspect="equal", xlabel="x in m", ylabel="y in m")


def figure(shot: Run):
    from matplotlib.figure import Figure

    fig = Figure(figsize=(6.8, 3.8), layout="constrained")
    ax = fig.subplots()
    cloth(ax)
    places = shot(np.linspace(0, DURATION, 2000)).q
    for i, (name, colour) in enumerate((("cue ball", "#0072B2"), ("second ball", "#D55E00"))):
        ax.plot(places[:, i, 0], places[:, i, 1], color=colour, lw=1, label=name)
        ax.plot(*places[0, i], "o", color=colour, ms=7)
    fig.legend(loc="outside upper center", ncols=2)
    return fig, ax


def animation(shot: Run, frames: int) -> bytes:
    from matplotlib.figure import Figure

    fig = Figure(figsize=(5.0, 2.8), layout="constrained")
    ax = fig.subplots()
    cloth(ax)
    places = shot(np.linspace(0, DURATION, frames)).q
    balls = [ax.plot([], [], "o", color=colour, ms=8)[0] for colour in ("#0072B2", "#D55E00")]

    def draw(i: int) -> None:
        for ball, place in zip(balls, places[i], strict=True):
            ball.set_data([place[0]], [place[1]])

    return film(fig, draw, frames, frames / DURATION)
