"""A ball that bounces six times: where it is, and how that depends on where it was dropped.

Dropped from h0 = 1 with g = 9.81, restitution e = 0.8; after T = 3 it has bounced six times. Most differentiable
engines get the derivative of its final height wrong, because the times of the impacts depend on h0 too: a velocity
flipped at the end of the step gives 1 at every step length, a linear time of impact within it e^6 = 0.262. Here the
impact time is a root of the flight's own polynomial, and its derivative the implicit one. Closed form: with the first
impact at t1 = sqrt(2 h0 / g), the n-th one is at t1 (1 + 2 e + ... + 2 e^(n-1)), and leaves with e^n sqrt(2 g h0).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from .._core.compilation import quickly
from .._core.precision import in_float64
from .._core.record import Account, Animation, Drawing, Section, Status, Table
from ..simulate import Contact, Plane, Run, SecondOrder, rollout, simulate
from ._base import Outcome, Request
from ._film import film

SUMMARY = "six bounces: the final height and its derivatives against the closed form"
OPTIONS = {"height": "dropped from, by default 1", "restitution": "by default 0.8", "until": "time, by default 3"}
G = 9.81
NAMES = ("h0", "g", "e", "T")


def motion() -> SecondOrder:
    return SecondOrder(lambda t, q, v, g: jnp.full_like(q, -g))


def floor(e) -> Contact:
    return Contact(Plane((1.0,)), restitution=e, rests=False, name="floor")


def final(h0, g, e, T):
    """The height at T, through the simulator."""
    start = jnp.reshape(h0, (1,)), jnp.zeros(1)
    return rollout(motion(), start, jnp.reshape(T, (1,)), args=g, contacts=floor(e), most=64)[0][0, 0]


def closed_form(h0, g, e, T, bounces: int):
    """The height at T after so many bounces."""
    first = jnp.sqrt(2 * h0 / g)
    last = first * (1 + 2 * sum(e**k for k in range(1, bounces)))
    return e**bounces * jnp.sqrt(2 * g * h0) * (T - last) - 0.5 * g * (T - last) ** 2


def flipped(h0: float, g: float, e: float, T: float, dt: float) -> tuple[float, float]:
    """The usual fixed step with a velocity flip below the floor, and its derivative: symplectic Euler."""
    x, v, dx, dv = h0, 0.0, 1.0, 0.0
    for _ in range(round(T / dt)):
        v -= g * dt
        x, dx = x + v * dt, dx + dv * dt
        if x < 0 and v < 0:
            v, dv = -e * v, -e * dv
    return x, dx


@in_float64
def run(request: Request) -> Outcome:
    h0, e, T = request.number("height", 1.0), request.number("restitution", 0.8), request.number("until", 3.0)
    inputs = tuple(map(float, (h0, G, e, T)))
    seen = simulate(motion(), (np.array([h0]), np.zeros(1)), T, args=G, contacts=floor(e))
    bounces = sum(h.kind == "impact" for h in seen.happenings)
    value, slopes = quickly(jax.value_and_grad(final, (0, 1, 2, 3)))(*inputs)
    places = (0, 1, 2, 3)
    truth, exact = jax.value_and_grad(lambda *x: closed_form(x[0], x[1], x[2], x[3], bounces), places)(*inputs)
    rows = [(n, float(a), float(b), abs(float(a / b) - 1)) for n, a, b in zip(NAMES, slopes, exact, strict=True)]
    worst = max(row[3] for row in rows)
    naive = {dt: flipped(h0, G, e, T, dt) for dt in (1e-2, 1e-3)}
    good = seen.certified and worst < 1e-10
    numbers = {
        "bounces": bounces,
        "height": float(value),
        "exact_height": float(truth),
        "gradient": float(slopes[0]),
        "exact": float(exact[0]),
        "relative_error": rows[0][3],
        "gradients": {name: {"value": a, "exact": b, "relative_error": c} for name, a, b, c in rows},
        "velocity_flip": {f"dt {dt:g}": {"height": x, "gradient": d} for dt, (x, d) in naive.items()},
        "certified": seen.certified,
    }
    status = Status(
        good,
        f"{bounces} impacts; derivatives agree with the closed form to {worst:.1e}; {seen.status.reason}",
        "certified",
    )
    table = Table(
        ("by", "derivative of the final height", "closed form", "relative error"),
        tuple((n, f"{a:.14g}", f"{b:.14g}", f"{c:.1e}") for n, a, b, c in rows),
    )
    others = Table(
        ("method", "height", "derivative by h0"),
        (
            ("certified steps", f"{float(value):.12f}", f"{float(slopes[0]):.12f}"),
            *((f"velocity flip, dt = {dt:g}", f"{x:.6f}", f"{d:.6f}") for dt, (x, d) in naive.items()),
        ),
    )
    text = "\n".join([
        f"height after {bounces} bounces {float(value):.14f}, closed form {float(truth):.14f}",
        *(f"d height / d {n:3} {a: .14f}   closed form {b: .14f}   relative error {c:.1e}" for n, a, b, c in rows),
        *(f"velocity flip, dt {dt:g}: height {x:.4f}, derivative by h0 {d:.4f}" for dt, (x, d) in naive.items()),
    ])  # fmt: skip
    gif = animation(seen, request.pick(40, 90))
    story = Section(
        "Six bounces", (text.splitlines()[0] + ".",), (table, others),
        (Drawing("bounces", "Height against time.", lambda: figure(seen)), Animation("ball", "The ball.", gif)),
    )  # fmt: skip
    account = Account(status, seen.seconds, (story, *seen.record("motion").sections), seen.method, "bounce")
    return Outcome(numbers, status, text, account, {}, {"bounces": lambda: figure(seen)}, {"ball.gif": gif})


def figure(seen: Run):
    from matplotlib.figure import Figure

    fig = Figure(figsize=(6.4, 3.0), layout="constrained")
    ax = fig.subplots()
    t = np.linspace(0, seen.t[-1], 800)
    ax.plot(t, seen(t).q[:, 0], color="#0072B2", lw=1.3)
    ax.plot([h.time for h in seen.happenings], [0] * len(seen.happenings), "o", color="#D55E00", ms=4, label="impact")
    ax.set(xlabel="time in s", ylabel="height in m", title="A bouncing ball; every impact is bracketed by proof")
    ax.legend(loc="upper right")
    return fig, ax


def animation(seen: Run, frames: int) -> bytes:
    """The ball beside its curve."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(4.8, 2.8), layout="constrained")
    ax = fig.subplots()
    t = np.linspace(0, seen.t[-1], frames)
    fine = np.linspace(0, seen.t[-1], 600)
    curve = seen(fine).q[:, 0]
    [line] = ax.plot([], [], color="#56B4E9", lw=1)
    [ball] = ax.plot([], [], "o", color="#D55E00", ms=12)
    ax.axhline(0, color="black", lw=1)
    ax.set(xlim=(0, t[-1]), ylim=(-0.05, 1.1 * curve.max()), xlabel="time in s", ylabel="height in m")

    def draw(i: int) -> None:
        line.set_data(fine[fine <= t[i]], curve[fine <= t[i]])
        ball.set_data([t[i]], seen(t[i]).q)

    return film(fig, draw, frames, frames / float(t[-1]))
