"""An oscillator seen for a moment: damping and stiffness from twelve noisy points, and what comes after.

    x'' + mu x' + k x = 0,    x(0) = 1,  x'(0) = 0

Twelve points with noise 0.02 cover the first three seconds; the question is about the next six. The law is known, mu
and k are not. Both methods find them with error bars that overlap the truth and agree with each other, and the motion
after the last measurement follows. A plain neural network, fitted to the same twelve points without the law, passes
through them as well and then knows nothing: that is the difference that a law makes.
"""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from .._core.precision import in_float64
from ..fields import MLP
from ..geometry import Box
from ..problem import Data, Positive, Problem, Value
from ..solve import Collocation, LevenbergMarquardt, Neural, minimise, solve
from ._base import Outcome, Request, all_trusted

SUMMARY = "damping and stiffness from 12 noisy points; a plain network beside it cannot extrapolate"
OPTIONS = {"noise": "standard deviation of the noise, 0.02 by default"}

TRUTH = {"mu": 0.4, "k": 9.0}
SEEN, WHOLE = 3.0, 9.0


def spring(x, x_t, x_tt, mu, k):
    return x_tt + mu * x_t + k * x


def exact(t: np.ndarray) -> np.ndarray:
    """The motion for the true coefficients."""
    rate = TRUTH["mu"] / 2
    frequency = np.sqrt(TRUTH["k"] - rate**2)
    return np.exp(-rate * t) * (np.cos(frequency * t) + rate / frequency * np.sin(frequency * t))


def measurements(seed: int, noise: float, count: int = 12) -> dict[str, np.ndarray]:
    t = np.linspace(SEEN / count, SEEN, count)
    return {"t": t, "x": exact(t) + noise * np.random.default_rng(seed).normal(size=count)}


def problem(seed: int, noise: float, span: float = WHOLE) -> Problem:
    domain = Box(t=(0, span))
    return Problem(
        domain,
        fields="x",
        laws={"spring": spring},
        conditions=[Value(domain.at(t=0), x=1.0, x_t=0.0)],
        unknowns={"mu": Positive(guess=1.0), "k": Positive(guess=4.0)},
        data=Data(measurements(seed, noise), name="twelve points"),
    )


class Regression(eqx.Module):
    """A plain network on the data alone, with a little weight decay: the usual way without a law."""

    like: list
    t: jax.Array
    x: jax.Array
    noise: float
    network: MLP = MLP(width=10, depth=2)

    def predict(self, flat: jax.Array, t: jax.Array) -> jax.Array:
        params = ravel_pytree(self.like)[1](flat)
        return jax.vmap(lambda t: self.network(params, {"t": 2 * t / WHOLE - 1}, ())[0])(t)

    def residual(self, x: jax.Array) -> jax.Array:
        return jnp.concatenate([(self.predict(x, self.t) - self.x) / self.noise, 0.03 * x])

    def linearise(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        return self.residual(x), jax.jacfwd(self.residual)(x)


@in_float64
def plain_network(data: dict[str, np.ndarray], noise: float, seed: int, places: np.ndarray) -> np.ndarray:
    """What a network without the law says at `places`."""
    like = Regression.network.init(jax.random.PRNGKey(seed), ("t",), (), 1)
    task = Regression(like, jnp.asarray(data["t"]), jnp.asarray(data["x"]), noise)
    found = minimise(task, ravel_pytree(like)[0], LevenbergMarquardt(ftol=1e-3, max_steps=60))
    return np.asarray(task.predict(found.x, jnp.asarray(places)))


def run(request: Request) -> Outcome:
    noise = request.number("noise", 0.02)
    stated = problem(request.seed, noise)
    stepped = solve(stated, Collocation(), progress=request.progress)
    at_once = solve(stated, Neural(seed=request.seed), progress=request.progress)
    data, places = measurements(request.seed, noise), np.linspace(0, WHOLE, 901)
    continued = {"lawful": stepped.x(t=places), "network": plain_network(data, noise, request.seed, places)}
    unseen = places > SEEN
    scores = {
        name: float(np.sqrt(np.mean((values - exact(places))[unseen] ** 2))) for name, values in continued.items()
    }
    apart = {name: abs(stepped[name].value - at_once[name].value) / stepped[name].sd for name in TRUTH}
    numbers = {
        "mu": stepped["mu"].to_json(),
        "k": stepped["k"].to_json(),
        "neural": {name: at_once[name].to_json() for name in TRUTH},
        "difference_in_sd": apart,
        "truth": TRUTH,
        "rmse_extrapolation": scores,
    }
    text = "\n".join(
        [
            f"{name:4} truth {TRUTH[name]:<6g} Collocation {stepped[name]!s:<20} Neural {at_once[name]!s:<20}"
            f" apart {apart[name]:.1e} sd"
            for name in TRUTH
        ]
        + [
            f"error beyond the data (rms over t = {SEEN:g} to {WHOLE:g}): with the law {scores['lawful']:.2g},"
            f" plain network {scores['network']:.2g}"
        ]
    )
    figures = {"extrapolation": lambda: figure(places, continued, data)}
    return Outcome(numbers, all_trusted(stepped, at_once), text, stepped, {"neural": at_once}, figures)


def figure(places: np.ndarray, continued: dict[str, np.ndarray], data: dict[str, np.ndarray]):
    """Data, truth, the lawful continuation and the plain network's."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(8, 4), layout="constrained")
    ax = fig.subplots()
    ax.axvspan(0, SEEN, color="0.93", label="measured span")
    ax.plot(places, exact(places), color="0.4", lw=3, alpha=0.5, label="truth")
    ax.plot(places, continued["lawful"], color="#0072B2", lw=1.5, label="law and 12 points (lawful)")
    ax.plot(places, continued["network"], color="#D55E00", lw=1.5, ls="--", label="12 points alone (plain network)")
    ax.plot(data["t"], data["x"], "o", color="black", ms=4, label="measurements")
    ax.set(xlabel="t", ylabel="x", ylim=(-1.6, 1.6), title="After the last measurement only the law knows")
    ax.legend(loc="upper right", ncols=2, fontsize="small")
    return fig, ax
