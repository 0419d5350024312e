"""What a law is worth in data: eight noisy points, with and without the law, inside them and beyond.

    u' = -k u,    u(0) and k unknown,    measured on t = 0 to 1, asked on t = 0 to 3

Two ways see the same few points. One is a plain network; nothing tells it what decays. The other is the family of all
fields that obey the law, whatever its k: the bias is in the family, not in a number that someone had to know.

The plain network gets every fairness. It is the one that `Neural` uses as its trial field, 24 tanh neurons on the
same scaled time, fitted by the same optimiser (Levenberg-Marquardt) to values of mean 0 and spread 1, with a ridge on
its weights. The strength of the ridge is chosen for each data set by leave-one-out cross-validation (in its linearised
closed form) from eight strengths between 1 and 3e-4, each fit starting from the stronger one's. A second figure goes
further and chooses the strength that is best beyond the data, looking at the truth: no one could, but none of the
eight does better.

Inside the data the law is worth a modest factor once there are eight points, between one and a half and three: where
points are many a plain network will do. Beyond the data no number of points replaces the law.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from .._core.precision import in_float64
from ..fields import MLP
from ..geometry import Box
from ..problem import Data, Positive, Problem, Real, Value
from ..solve import Collocation, LevenbergMarquardt, Neural, Solution, minimise, solve
from ._base import Outcome, Request, all_trusted

SUMMARY = "8 noisy points of u' = -k u, k unknown: with the law and without it, inside the data and beyond"
OPTIONS = {
    "noise": "standard deviation of the noise in the headline, 0.01 by default",
    "count": "number of points in the headline, 8 by default",
}

TRUTH = {"k": 1.5, "u0": 1.0}
SEEN, WHOLE = 1.0, 3.0
NETWORK = MLP(width=24, depth=1)
OPTIMISER = LevenbergMarquardt(ftol=1e-3, max_steps=60)
RIDGES = 10.0 ** np.arange(0.0, -3.6, -0.5)
PLACES = np.linspace(0, WHOLE, 301)


def decay(u, u_t, k):
    return u_t + k * u


def start(u0):
    return u0


def exact(t: np.ndarray) -> np.ndarray:
    return TRUTH["u0"] * np.exp(-TRUTH["k"] * t)


def measurements(seed: int, noise: float, count: int) -> dict[str, np.ndarray]:
    t = np.linspace(0, SEEN, count)
    return {"t": t, "u": exact(t) + noise * np.random.default_rng(seed).normal(size=count)}


def problem(columns: dict[str, np.ndarray]) -> Problem:
    domain = Box(t=(0, WHOLE))
    return Problem(
        domain,
        fields="u",
        laws={"decay": decay},
        conditions=[Value(domain.at(t=0), u=start)],
        unknowns={"k": Positive(guess=0.5), "u0": Real(guess=float(columns["u"][0]), scale=1.0)},
        data=Data(columns, name="points"),
    )


class Regression(eqx.Module):
    """The network alone: values of mean 0 and spread 1, and a ridge on its weights."""

    t: jax.Array
    u: jax.Array
    ridge: jax.Array
    like: list

    def predict(self, flat: jax.Array, t: jax.Array) -> jax.Array:
        params = ravel_pytree(self.like)[1](flat)
        return jax.vmap(lambda t: NETWORK(params, {"t": 2 * t / WHOLE - 1}, ())[0])(t)

    def residual(self, x: jax.Array) -> jax.Array:
        return jnp.concatenate([self.predict(x, self.t) - self.u, self.ridge * x])

    def linearise(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        return self.residual(x), jax.jacfwd(self.residual)(x)


@eqx.filter_jit
def left_out(task: Regression, x: jax.Array) -> jax.Array:
    """Mean square of what each point's value misses when the fit has not seen it, linearised at the fit."""
    slopes = jax.jacrev(lambda x: task.predict(x, task.t))(x)
    gram = slopes @ slopes.T
    hat = jnp.linalg.solve(gram + task.ridge**2 * jnp.eye(len(task.t)), gram)
    return jnp.mean(((task.predict(x, task.t) - task.u) / (1 - jnp.diag(hat))) ** 2)


@in_float64
def plain(columns: dict[str, np.ndarray], seed: int) -> list[tuple[float, np.ndarray]]:
    """Cross-validated miss and values at `PLACES` of the plain network, for every ridge, the strongest first."""
    mean, spread = float(np.mean(columns["u"])), float(np.std(columns["u"]))
    like = NETWORK.init(jax.random.PRNGKey(seed), ("t",), (), 1)
    t, u, x = jnp.asarray(columns["t"]), jnp.asarray((columns["u"] - mean) / spread), ravel_pytree(like)[0]
    found = []
    for ridge in RIDGES:
        task = Regression(t, u, jnp.asarray(ridge), like)
        x = minimise(task, x, OPTIMISER).x
        found.append((float(left_out(task, x)), mean + spread * np.asarray(predicted(task, x, jnp.asarray(PLACES)))))
    return found


@eqx.filter_jit
def predicted(task: Regression, x: jax.Array, t: jax.Array) -> jax.Array:
    return task.predict(x, t)


@dataclass(frozen=True)
class Trial:
    """Root mean square errors inside the data and beyond, for one draw of the noise."""

    plain: tuple[float, float]
    lawful: tuple[float, float]
    best_plain: float  # beyond the data, with the ridge that the truth would choose
    values: np.ndarray  # of the plain network
    solution: Solution


def errors(values: np.ndarray) -> tuple[float, float]:
    miss, beyond = (values - exact(PLACES)) ** 2, PLACES > SEEN
    return float(np.sqrt(np.mean(miss[~beyond]))), float(np.sqrt(np.mean(miss[beyond])))


def trial(columns: dict[str, np.ndarray], seed: int, progress: bool | None) -> Trial:
    candidates = plain(columns, seed)
    values = min(candidates, key=lambda candidate: candidate[0])[1]
    solution = solve(problem(columns), Collocation(), progress=progress)
    best = min(errors(candidate)[1] for _, candidate in candidates)
    return Trial(errors(values), errors(solution.u(t=PLACES)), best, values, solution)


def middle(trials: list[Trial], get: Callable[[Trial], float]) -> float:
    return float(np.median([get(one) for one in trials]))


def summary(trials: list[Trial]) -> dict:
    """Medians over the draws of the noise, and their smallest and largest."""
    parts: dict[str, Callable[[Trial], float]] = {
        "inside_plain": lambda one: one.plain[0],
        "inside_lawful": lambda one: one.lawful[0],
        "outside_plain": lambda one: one.plain[1],
        "outside_lawful": lambda one: one.lawful[1],
        "outside_best_plain": lambda one: one.best_plain,
    }
    found: dict = {name: middle(trials, get) for name, get in parts.items()}
    for where in ("inside", "outside"):
        found[f"{where}_ratio"] = found[f"{where}_plain"] / found[f"{where}_lawful"]
    found["outside_best_ratio"] = found["outside_best_plain"] / found["outside_lawful"]
    found["spread"] = {name: [min(map(get, trials)), max(map(get, trials))] for name, get in parts.items()}
    return found


def run(request: Request) -> Outcome:
    noise, count = request.number("noise", 0.01), request.count("count", 8, least=4, most=256)
    counts = sorted({count, *request.pick((8,), (4, 8, 16, 32, 64))})
    noises = sorted({noise, *request.pick((0.01,), (1e-3, 1e-2, 5e-2))})
    draws = range(request.seed, request.seed + request.pick(3, 5, 15))
    grid: dict[tuple[int, float], list[Trial]] = {
        (n, level): [trial(measurements(seed, level, n), seed, request.progress) for seed in draws]
        for n in counts
        for level in noises
    }
    table = {setting: summary(trials) for setting, trials in grid.items()}
    head, first = table[count, noise], grid[count, noise][0]
    columns = measurements(request.seed, noise, count)
    method = Neural(trial=NETWORK, seed=request.seed)
    at_once = solve(problem(columns), method, progress=request.progress)
    inside, outside = errors(at_once.u(t=PLACES))
    apart = abs(first.solution["k"].value - at_once["k"].value) / first.solution["k"].sd
    numbers = {
        **head,
        "k": first.solution["k"].to_json(),
        "u0": first.solution["u0"].to_json(),
        "truth": TRUTH,
        "neural": {"k": at_once["k"].to_json(), "inside": inside, "outside": outside, "difference_in_sd": apart},
        "draws": len(draws),
        "grid": [{"count": n, "noise": level, **table[n, level]} for n, level in table],
    }
    text = story(table, (count, noise), first.solution, at_once)
    solutions = [one.solution for trials in grid.values() for one in trials]
    figures = {
        "errors": lambda: figure(table),
        "continued": lambda: example(columns, first, at_once),
    }
    status = all_trusted(first.solution, at_once, *solutions)
    return Outcome(numbers, status, text, first.solution, {"neural": at_once}, figures)


def story(table: dict, setting: tuple[int, float], stepped: Solution, at_once: Solution) -> str:
    """The answer for a reader."""
    head = table[setting]
    rows = ["points  noise    inside: plain    law  ratio    beyond: plain    law  ratio (best ridge)"]
    for (n, level), row in table.items():
        rows.append(
            f"{n:6}  {level:<7g}{row['inside_plain']:>15.2g}{row['inside_lawful']:>7.1g}{row['inside_ratio']:>7.2g}"
            f"{row['outside_plain']:>17.2g}{row['outside_lawful']:>7.1g}{row['outside_ratio']:>7.0f}"
            f" ({row['outside_best_ratio']:.0f})"
        )
    even = min(table, key=lambda setting: table[setting]["inside_ratio"])
    rows += [
        f"k truth {TRUTH['k']:g}, Collocation {stepped['k']}, Neural {at_once['k']}",
        f"beyond the data, {setting[0]} points, noise {setting[1]:g}: the law makes the error"
        f" {head['outside_ratio']:.0f} times smaller (from {head['outside_plain']:.2g} to"
        f" {head['outside_lawful']:.2g}); with the ridge that the truth would choose,"
        f" {head['outside_best_ratio']:.0f} times",
        f"inside the data it makes it {head['inside_ratio']:.2g} times smaller; the plain network comes closest with"
        f" {even[0]} points and noise {even[1]:g}: {table[even]['inside_ratio']:.2g} times",
    ]
    return "\n".join(rows)


def figure(table: dict):
    """Errors against the number of points, inside the data and beyond; bars from the smallest to the largest."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(9, 4), layout="constrained")
    axes = fig.subplots(1, 2, sharey=True)
    noises = sorted({level for _, level in table})
    for ax, where in zip(axes, ("inside", "outside"), strict=True):
        for kind, colour, line in (("plain", "#D55E00", "--"), ("lawful", "#0072B2", "-")):
            for level, marker in zip(noises, "osD^v<>", strict=False):
                counts = [n for n, other in table if other == level]
                rows = [table[n, level] for n in counts]
                values = [row[f"{where}_{kind}"] for row in rows]
                low, high = zip(*(row["spread"][f"{where}_{kind}"] for row in rows), strict=True)
                label = f"{'plain network' if kind == 'plain' else 'with the law'}, noise {level:g}"
                ax.plot(counts, values, color=colour, ls=line, marker=marker, ms=4, label=label)
                ax.vlines(counts, low, high, color=colour, lw=0.8, alpha=0.5)
        ax.set(xscale="log", yscale="log", xlabel="points")
        ax.set_xticks(
            sorted({n for n, _ in table}), labels=[str(n) for n in sorted({n for n, _ in table})], minor=False
        )
        ax.minorticks_off()
        ax.set_title("inside the data" if where == "inside" else "beyond the data")
    axes[0].set_ylabel("rms error of u")
    axes[1].legend(fontsize="x-small", ncols=2)
    return fig, axes


def example(columns: dict[str, np.ndarray], first: Trial, at_once: Solution):
    """The headline's first draw: points, truth, both continuations."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(7, 4), layout="constrained")
    ax = fig.subplots()
    ax.axvspan(0, SEEN, color="0.93", label="measured span")
    ax.plot(PLACES, exact(PLACES), color="0.4", lw=3, alpha=0.5, label="truth")
    ax.plot(PLACES, at_once.u(t=PLACES), color="#0072B2", lw=1.5, label="with the law, k unknown")
    ax.plot(PLACES, first.values, color="#D55E00", lw=1.5, ls="--", label="plain network")
    ax.plot(columns["t"], columns["u"], "o", color="black", ms=4, label="measured")
    ax.set(xlabel="t", ylabel="u", title="The same points, with and without the law")
    ax.legend()
    return fig, ax
