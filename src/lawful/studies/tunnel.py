"""Nothing passes through anything: contacts that adaptive solvers step over, found by proof.

Four trials, each with a known answer:

    dip       x'' = -x from 1 with a floor at -0.999: the motion is below it for 0.089 only.
    bullet    a ball of radius 1/16 at up to 5,000 a second against a wall 1/4 thick must stop on the near side.
    box       a spinning box falls and bounces on its corners; no corner may ever be below the floor.
    random    oscillators of random frequency that reach their floor by a share of 1e-2 to 1e-8 of the amplitude, or
              miss it by as much; after an elastic bounce x = A cos(w t - 2 phi) with cos phi = -floor / A. What is
              counted are contacts that were missed, and contacts that never were.

SciPy's and Diffrax's event detection, which look for a change of sign between the ends of steps, get the same cases.
"""

from __future__ import annotations

import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from .._core.compilation import quickly
from .._core.precision import in_float64
from .._core.record import Account, Animation, Drawing, Section, Status, Table
from ..simulate import Block, Contact, Event, Run, SecondOrder, Taylor, rollout, simulate
from ._base import Outcome, Request
from ._film import film

SUMMARY = "no tunnelling: short dips, bullets, spinning boxes and random cases, beside SciPy and Diffrax"
OPTIONS = {"cases": "random cases, by default 10000 (300 at quick effort)"}
SPEEDS = (50.0, 200.0, 1000.0, 5000.0)
TOLERANCES = (1e-3, 1e-6)
FLOOR = -0.999
DIP = float(np.arccos(FLOOR))
G, HALF = 9.81, np.array([0.3, 0.15])


def dip() -> Run:
    """Both crossings of the floor as events, neither of which changes the motion."""
    event = Event(lambda y: y[0] - FLOOR, name="floor")
    return simulate(lambda t, y, args: jnp.stack([y[1], -y[0]]), np.array([1.0, 0.0]), 6.0, events=event)


def bullet(speed: float) -> Run:
    wall = Contact(Block((0.0, -1.0), (0.25, 1.0)), radius=1 / 16, name="wall", rests=False)
    start = np.array([-10.0, 0.1]), np.array([speed, 0.0])
    return simulate(FREE, start, 1.0, contacts=wall)


FREE = SecondOrder(lambda t, q, v, args: jnp.zeros_like(q))


def corners(q):
    """The corners of the box with centre q[:2] and angle q[2]."""
    x, y = np.array([1, 1, -1, -1]) * HALF[0], np.array([1, -1, 1, -1]) * HALF[1]
    c, s = jnp.cos(q[2]), jnp.sin(q[2])
    return jnp.stack([q[0] + c * x - s * y, q[1] + s * x + c * y], 1)


def box(until: float) -> Run:
    inertia = (4 * HALF @ HALF) / 12
    motion = SecondOrder(lambda t, q, v, args: jnp.array([0.0, -G, 0.0]), np.array([1.0, 1.0, inertia]))
    floor = Contact(lambda q: corners(q)[:, 1], restitution=1.0, name="floor")
    energy = lambda q, v: 0.5 * (v[0] ** 2 + v[1] ** 2 + inertia * v[2] ** 2) + G * q[1]
    start = np.array([0.0, 1.0, 0.3]), np.array([0.5, 0.0, 6.0])
    return simulate(motion, start, until, contacts=floor, invariants={"energy": energy})


def final(w, floor):
    """Position and velocity of an oscillator from 1 after three quarters of a period, with an elastic floor."""
    motion = SecondOrder(lambda t, q, v, w: -w * w * q)
    contact = Contact(lambda q, args: q[0] + floor, rests=False)
    start, end = (jnp.ones(1), jnp.zeros(1)), jnp.reshape(1.5 * jnp.pi / w, (1,))
    q, v = rollout(motion, start, end, args=w, contacts=contact, most=64)
    return q[0, 0], v[0, 0]


def draw(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies, and depths of the floor: the even cases are hit, the odd ones are missed."""
    rng = np.random.default_rng(seed)
    margin = 10.0 ** rng.uniform(-8, -2, count)
    return 10.0 ** rng.uniform(-1, 2, count), 1 + margin * np.where(np.arange(count) % 2, 1, -1)


def random_cases(seed: int, count: int) -> dict:
    """How many contacts are missed and how many invented, with the largest error of the others."""
    w, floor = draw(seed, count)
    begin = time.monotonic()
    x, _ = map(np.asarray, quickly(jax.vmap(final))(jnp.asarray(w), jnp.asarray(floor)))
    phase = np.arccos(-np.minimum(floor, 1.0))
    hit, bounced = floor < 1, np.cos(1.5 * np.pi - 2 * phase)
    truth = np.where(hit, bounced, 0.0)
    # The two possible ends are far apart; what is nearer to the wrong one has been decided wrongly.
    wrong = np.where(hit, np.abs(x) < np.abs(x - bounced), np.abs(x) > 1e-6) | ~np.isfinite(x)
    return {
        "cases": count,
        "missed": int(np.sum(wrong & hit)),
        "invented": int(np.sum(wrong & ~hit)),
        # The end of the flight magnifies an error of the time of impact by one over the slope at the floor.
        "largest_error": float(np.max(np.abs(x - truth) * np.where(hit, np.sin(phase), 1.0))),
        "seconds": time.monotonic() - begin,
    }


def scipy_misses(seed: int, count: int, rtol: float) -> int:
    """Of the cases that are hit, how many SciPy's RK45 passes by."""
    from scipy.integrate import solve_ivp

    w, floor = draw(seed, 2 * count)
    missed = 0
    for one, depth in zip(w[::2], floor[::2], strict=True):
        event = partial(lambda t, y, depth: y[0] + depth, depth=depth)
        found = solve_ivp(
            lambda t, y, a=one: (y[1], -a * a * y[0]),
            (0, 1.5 * np.pi / one),
            (1.0, 0.0),
            events=event,
            rtol=rtol,
            atol=rtol,
        )
        missed += len(found.t_events[0]) == 0
    return missed


def diffrax_misses(seed: int, count: int) -> dict[float, int]:
    """The same for Diffrax's Tsit5 with its event."""
    import diffrax

    def ends(w, depth, tolerance):
        term = diffrax.ODETerm(lambda t, y, args: jnp.stack([y[1], -w * w * y[0]]))
        event = diffrax.Event(lambda t, y, args, **_: y[0] + depth)
        found = diffrax.diffeqsolve(
            term, diffrax.Tsit5(), 0.0, 1.5 * jnp.pi / w, None, jnp.array([1.0, 0.0]), event=event, throw=False,
            stepsize_controller=diffrax.PIDController(rtol=tolerance, atol=tolerance), max_steps=4096,
        )  # fmt: skip
        assert found.ts is not None
        return found.ts[-1] * w / jnp.pi

    w, floor = draw(seed, 2 * count)
    mapped = quickly(jax.vmap(ends, (0, 0, None)))
    return {tol: int(np.sum(np.asarray(mapped(w[::2], floor[::2], tol)) > 1.49)) for tol in TOLERANCES}


@in_float64
def run(request: Request) -> Outcome:
    count = request.count("cases", request.pick(300, 10_000), 2)
    compared = min(count // 2, request.pick(50, 500))
    begin = time.monotonic()
    oscillator, shots = dip(), {speed: bullet(speed) for speed in SPEEDS}
    fallen = box(request.pick(1.5, 4.0))
    lowest = float(np.min(jax.vmap(corners)(fallen(np.linspace(0, fallen.t[-1], 4000)).q)[..., 1]))
    found = random_cases(request.seed, count)
    others = {f"SciPy RK45, rtol {tol:g}": scipy_misses(request.seed, compared, tol) for tol in TOLERANCES}
    others |= {f"Diffrax Tsit5, rtol {tol:g}": n for tol, n in diffrax_misses(request.seed, compared).items()}
    crossings = [h.time for h in oscillator.happenings]
    passed = [speed for speed, shot in shots.items() if not (shot.certified and shot.final.q[0] < 0)]
    proven = oscillator.certified and fallen.certified
    good = proven and len(crossings) == 2 and not passed and not found["missed"] + found["invented"] and lowest > -1e-9
    numbers = {
        "dip": {"crossings": crossings, "exact": [DIP, 2 * np.pi - DIP], "certified": oscillator.certified},
        "bullets_through_the_wall": len(passed),
        "box": {
            "lowest_corner": lowest,
            "impacts": len(fallen.happenings),
            "energy_drift": fallen.drift["energy"].relative,
            "certified": fallen.certified,
        },
        "random": found,
        "others_missed": {name: {"missed": n, "of": compared} for name, n in others.items()},
    }
    rows = [
        f"dip below the floor for 0.089: crossings at {listed(crossings)}, exact {DIP:.12f}, {2 * np.pi - DIP:.12f}",
        f"bullets at {', '.join(f'{s:g}' for s in SPEEDS)} a second: {len(passed)} of {len(SPEEDS)} through the wall",
        f"spinning box: {len(fallen.happenings)} impacts, lowest corner {lowest:.1e}, energy drift"
        f" {fallen.drift['energy'].relative:.1e}",
        f"{count} random oscillators: {found['missed']} contacts missed, {found['invented']} invented, in"
        f" {found['seconds']:.1f} s with compilation",
        *(f"{name}: {n} of {compared} contacts missed" for name, n in others.items()),
    ]
    status = Status(
        good, f"of {count} random contacts and near misses {found['missed']} missed, {found['invented']} invented",
        "certified",
    )  # fmt: skip
    table = Table(
        ("method", "contacts missed"),
        (
            ("certified steps", f"{found['missed']} of {count // 2}"),
            *((name, f"{n} of {compared}") for name, n in others.items()),
        ),
    )
    gif = animation(fallen, request.pick(40, 90))
    story = Section(
        "Nothing passes through anything", tuple(rows[:4]), (table,),
        (
            Drawing("dip", "The dip that others step over.", lambda: figure(oscillator)),
            Animation("box", "The spinning box.", gif),
        ),
    )  # fmt: skip
    account = Account(status, time.monotonic() - begin, (story,), Taylor().words, "tunnel")
    figures = {"dip": lambda: figure(oscillator)}
    return Outcome(numbers, status, "\n".join(rows), account, {}, figures, {"box.gif": gif})


def listed(times: list[float]) -> str:
    return ", ".join(f"{t:.12f}" for t in times)


def figure(oscillator: Run):
    """The dip, with the brackets of its crossings and the steps of SciPy."""
    from matplotlib.figure import Figure
    from scipy.integrate import solve_ivp

    fig = Figure(figsize=(6.4, 3.4), layout="constrained")
    ax = fig.subplots()
    t = np.linspace(2.6, 3.7, 500)
    ax.plot(t, oscillator(t)[:, 0], color="#0072B2", lw=1.4, label="motion")
    ax.axhline(FLOOR, color="black", lw=1, label="floor")
    times = [h.time for h in oscillator.happenings]
    ax.plot(times, [FLOOR] * len(times), "o", color="#D55E00", ms=5, label="crossings found, with proof")
    steps = solve_ivp(lambda t, y: (y[1], -y[0]), (0, 6), (1.0, 0.0), rtol=1e-6, atol=1e-6)
    ax.plot(steps.t, steps.y[0], "x", color="#009E73", ms=7, label="ends of steps of RK45, rtol 1e-6")
    ax.set(xlim=(2.6, 3.7), ylim=(-1.003, -0.99), xlabel="time", ylabel="position")
    ax.legend(loc="upper center")
    return fig, ax


def animation(fallen: Run, frames: int) -> bytes:
    """The box with its trail of centres."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(4.8, 3.0), layout="constrained")
    ax = fig.subplots()
    times = np.linspace(0, fallen.t[-1], frames)
    places = fallen(times).q
    outline = [0, 1, 3, 2, 0]
    [shape] = ax.plot([], [], color="#0072B2", lw=2)
    [trail] = ax.plot([], [], color="0.7", lw=1)
    ax.axhline(0, color="black", lw=1.5)
    x = places[:, 0]
    ax.set(xlim=(x.min() - 0.5, x.max() + 0.5), ylim=(-0.1, 1.7), aspect="equal", xlabel="x in m", ylabel="height in m")

    def frame(i: int) -> None:
        edges = np.asarray(corners(places[i]))[outline]
        shape.set_data(edges[:, 0], edges[:, 1])
        trail.set_data(x[: i + 1], places[: i + 1, 1])

    return film(fig, frame, frames)
