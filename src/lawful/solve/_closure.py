"""A learned closure: a small network in the place of the missing term, where no candidate fits."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.estimates import Estimate
from .._core.messages import BadInput, listing
from .._core.names import arguments, signature_of
from .._core.precision import in_float64
from ..problem import Model, Normal, Problem, Real, changed
from ..verify import Fit, fit
from ._candidates import AtBoundary, Candidate, Term, free_name, law_of
from ._evaluate import evaluate_batch
from ._forward import forward_model, measurements
from ._solution import Solution
from ._verify import by_collocation, check, on_its_mesh

HIDDEN = 5
MOST_STEPS = 300
REACH = 3.0  # prior standard deviation of an outer weight, in typical sizes of the law


class Network(eqx.Module):
    """unit * sum_j a_j tanh(b_j . s + c_j) of scaled quantities s = (q - centre) / width; weights in one vector.

    With all a_j = 0, the guess, the law is as it was.
    """

    of: tuple[str, ...] = eqx.field(static=True)
    weights: str = eqx.field(static=True)
    hidden: int = eqx.field(static=True)
    centre: Float[np.ndarray, " inputs"]
    width: Float[np.ndarray, " inputs"]
    unit: Float[np.ndarray, ""]

    @property
    def __signature__(self) -> inspect.Signature:
        return signature_of((*self.of, self.weights))

    def __call__(self, **values):
        inputs = jnp.stack([jnp.asarray(values[name], dtype=float) for name in self.of])
        return self.value(values[self.weights], inputs)

    def value(self, weights: Float[Array, " n"], inputs: Float[Array, " inputs"]) -> Float[Array, ""]:
        outer, inner = weights[: self.hidden], weights[self.hidden :].reshape(self.hidden, len(self.of) + 1)
        scaled = (inputs - self.centre) / self.width
        return jnp.asarray(self.unit) * jnp.dot(outer, jnp.tanh(inner[:, :-1] @ scaled + inner[:, -1]))


@dataclass(frozen=True)
class Match:
    """How well a candidate describes a learned term: what share of its square the candidate and the law's own unknowns
    leave nothing of, weighted as the data visit it, and with which coefficient."""

    name: str
    coefficient: float
    share: float


@dataclass(frozen=True)
class Closure:
    """A term that was learned inside its law, through the solver: law(...) + term(...) = 0.

    ranges   where each of its arguments was visited by the data; beyond, the term is a guess.
    gain     by how much it lowers the deviance; `numbers` how many numbers it has.
    Called with its arguments, it gives values with a pointwise band.
    """

    law: str
    network: Network
    found: Fit
    model: Model
    points: dict[str, Float[np.ndarray, " rows"]]
    visited: dict[str, Float[np.ndarray, " rows"]]
    own: Float[np.ndarray, "rows own"]
    weights: Float[np.ndarray, " n"]
    covariance: Float[np.ndarray, "n n"]
    gain: float

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        return {name: (float(np.min(v)), float(np.max(v))) for name, v in self.visited.items()}

    @property
    def numbers(self) -> int:
        return len(self.weights)

    def __call__(self, **quantities: Float[np.ndarray, "..."] | float) -> Estimate:
        return self.less((), **quantities)

    @in_float64
    def less(self, own: Sequence[Callable], **quantities: Float[np.ndarray, "..."] | float) -> Estimate:
        """Values with a band when multiples of some functions of the same arguments are taken out, at these places:
        what the law's own unknowns can do themselves is not determined, and would hide the shape behind a wide band.
        `less([lambda x: 1.0, lambda x: x], x=...)` beside a law with a stiffness and a resting place of its own."""
        if set(quantities) != set(self.network.of):
            raise BadInput(f"the learned term is a function of {listing(self.network.of)}; give all of them.")
        places = np.broadcast_arrays(*[np.asarray(quantities[name], dtype=float) for name in self.network.of])
        inputs = jnp.stack([jnp.asarray(place.ravel()) for place in places], axis=1)
        values, slopes = jax.vmap(jax.value_and_grad(self.network.value), in_axes=(None, 0))(
            jnp.asarray(self.weights), inputs
        )
        values, slopes = np.asarray(values), np.asarray(slopes)
        if own:
            columns = [np.broadcast_to(jax.vmap(f)(*inputs.T) if arguments(f, "it") else f(), len(values)) for f in own]
            basis = np.stack([np.asarray(column) for column in columns], axis=1)
            values, slopes = values - projection(basis, values), slopes - projection(basis, slopes)
        sd = np.sqrt(np.maximum(np.einsum("ri,ij,rj->r", slopes, self.covariance, slopes), 0.0))
        return Estimate("term", values.reshape(places[0].shape), sd.reshape(places[0].shape))

    @in_float64
    def match(self, candidates: Mapping[str, Candidate]) -> tuple[Match, ...]:
        """Candidates by how much of the learned term they explain where the data were, the best first.

        What the unknowns of the law can do themselves (a change of stiffness, of a resting place) is free to all.
        Candidates should not be made of these unknowns: beside the network, which may have taken over their work, their
        values mean little.
        """
        target = np.asarray(self(**{name: self.visited[name] for name in self.network.of}).value)
        rest = target - projection(self.own, target)
        found = []
        for name, candidate in candidates.items():
            if isinstance(candidate, AtBoundary):
                raise BadInput(f"candidate '{name}' stands at a boundary, but the learned term is one of a law.")
            function = candidate.function if isinstance(candidate, Term) else candidate
            column = self.evaluated(function)
            left = column - projection(self.own, column)
            size = float(left @ left)
            coefficient = float(left @ rest) / size if size > 1e-20 * float(column @ column) else 0.0
            gone = 1 - float(np.sum((rest - coefficient * left) ** 2)) / max(float(rest @ rest), 1e-300)
            found.append(Match(name, coefficient, gone))
        return tuple(sorted(found, key=lambda each: -each.share))

    def evaluated(self, function: Callable) -> Float[np.ndarray, " rows"]:
        """Any function of named quantities where the data were, with the learned term in the law."""
        return np.asarray(evaluate_batch(self.model, function, self.points))

    def plot(self):
        """The learned term with its band over its first argument, the others at their middle: (fig, ax)."""
        from matplotlib.figure import Figure

        name = self.network.of[0]
        low, high = self.ranges[name]
        line = np.linspace(low, high, 201)
        rest = {other: np.full(201, np.median(self.visited[other])) for other in self.network.of[1:]}
        found = self(**{name: line}, **rest)
        value, sd = np.asarray(found.value), np.asarray(found.sd)
        fig = Figure(figsize=(6.4, 3.8), layout="constrained")
        ax = fig.subplots()
        ax.fill_between(line, value - 2 * sd, value + 2 * sd, color="#0072b2", alpha=0.25, lw=0, label="± 2 sd")
        ax.plot(line, value, color="#0072b2", label="learned term")
        ax.set(xlabel=name, ylabel=f"term added to law '{self.law}'")
        ax.legend(frameon=False)
        return fig, ax


def projection(
    columns: Float[np.ndarray, "rows k"], target: Float[np.ndarray, "rows *n"]
) -> Float[np.ndarray, "rows *n"]:
    """The part of targets in the span of some columns."""
    if not columns.shape[1]:
        return np.zeros_like(target)
    norms = np.linalg.norm(columns, axis=0)
    scaled = columns / np.where(norms > 0, norms, 1.0)
    return scaled @ np.linalg.lstsq(scaled, target, rcond=1e-8)[0]


@in_float64
def closure(
    solution: Solution, of: str | tuple[str, ...], law: str | None = None, hidden: int = HIDDEN, seed: int = 0
) -> Closure:
    """Learn the term that a law lacks, as a small network of named quantities, jointly with the law's own unknowns.

        law(...) + unit * sum_j a_j tanh(b_j . s + c_j) = 0,    a_j ~ Normal(0, 3),    b_j, c_j ~ Normal(guess, 1)

    solution  of the problem without the term, by any method.
    of        the quantities that the term depends on: "x", ("u", "u_x").
    law       to which it is added; may be left out where there is one.
    hidden    hidden units; 4 to 8 suffice for a smooth curve.

    The network is fitted through the solver, so that sparse and noisy data are welcome; its band is that of the
    Gaussian approximation. What it learns can be offered to candidates: `closure.match(...)`, and the best of them to
    `lf.verify`. Raises `BadInput` where there are no data, or the domain is no box.
    """
    check(solution.problem)
    base, method = by_collocation(solution)
    names = (of,) if isinstance(of, str) else tuple(of)
    problem = base.problem
    chosen = law_of(problem, "closure", Term(lambda: 0.0, law))
    points = {axis: np.concatenate([item.points[axis] for item in base.task.observed]) for axis in problem.domain.axes}
    visited = {name: np.asarray(evaluate_batch(base.model, name, points)) for name in names}
    network = network_of(names, free_name(problem, "weights"), hidden, visited, float(base.sizes.laws[chosen]))
    stated = with_network(problem, chosen, network, seed)
    task = on_its_mesh(base, stated, method)
    task = dataclasses.replace(task, start=np.concatenate([base.fitted.x, np.zeros(weight_count(network))]))
    model, data = forward_model(task, 0), measurements(task)
    own = len(base.fitted.x)
    before = fit(model, data, tuple(range(own)), task.start)
    start = before.x.copy()
    start[own : own + hidden] = 1e-2  # at a = 0 the inner weights have no slope
    found = fit(model, data, tuple(range(len(task.start))), start, steps=MOST_STEPS, enough=1e-6)
    after = task.model(jnp.asarray(found.x))
    seen = {name: np.asarray(evaluate_batch(after, name, points)) for name in visited}
    guess = np.asarray(stated.unknowns[network.weights].guess)
    return Closure(
        law=chosen,
        network=network,
        found=found,
        model=after,
        points=points,
        visited=seen,
        own=own_terms(after, problem, chosen, points),
        weights=guess + found.x[own:],
        covariance=found.covariance[own:, own:],
        gain=before.deviance - found.deviance,
    )


def network_of(names: tuple[str, ...], weights: str, hidden: int, visited: dict, unit: float) -> Network:
    middle = np.array([0.5 * (np.min(visited[n]) + np.max(visited[n])) for n in names])
    width = np.array([max(0.5 * float(np.ptp(visited[n])), 1e-300) for n in names])
    return Network(names, weights, hidden, middle, width, np.asarray(unit))


def weight_count(network: Network) -> int:
    return network.hidden * (len(network.of) + 2)


def with_network(problem: Problem, law: str, network: Network, seed: int) -> Problem:
    rng = np.random.default_rng(seed)
    inner = rng.normal(size=(network.hidden, len(network.of) + 1))
    inner[:, :-1] *= 1.5 / np.maximum(np.linalg.norm(inner[:, :-1], axis=1, keepdims=True), 1e-300)
    guess = np.concatenate([np.zeros(network.hidden), inner.ravel()])
    sd = np.concatenate([np.full(network.hidden, REACH), np.ones(inner.size)])
    prior: Any = Normal
    weights = Real(cast(Any, guess), scale=1.0, prior=prior(guess, sd))
    laws = {**problem.laws, law: Learned(problem.laws[law], network)}
    return changed(problem, laws=laws, unknowns={**problem.unknowns, network.weights: weights})


class Learned(eqx.Module):
    """A law with a network added."""

    base: Callable
    network: Network

    @property
    def __name__(self) -> str:
        return getattr(self.base, "__name__", "law")

    @property
    def __signature__(self) -> inspect.Signature:
        return signature_of((*arguments(self.base, "the law"), *self.network.of, self.network.weights))

    def __call__(self, **values):
        own = self.base(**{name: values[name] for name in arguments(self.base, "the law")})
        return own + self.network(**{name: values[name] for name in (*self.network.of, self.network.weights)})


def own_terms(model: Model, problem: Problem, law: str, points: dict) -> Float[np.ndarray, "rows own"]:
    """How the law's residual changes with each of its own scalar unknowns, at the places of the data."""
    used = arguments(problem.laws[law], f"law '{law}'")
    columns = []
    for name in used:
        if name in problem.unknown_scalars and problem.unknowns[name].guess.size == 1:
            columns.append(np.asarray(evaluate_batch(model, Sensitivity(problem.laws[law], name), points)))
    count = len(next(iter(points.values())))
    return np.stack(columns, axis=1) if columns else np.zeros((count, 0))


class Sensitivity(eqx.Module):
    """The derivative of a law with respect to one of its plain arguments, as a function of all of them."""

    law: Callable
    name: str = eqx.field(static=True)

    @property
    def __signature__(self) -> inspect.Signature:
        return signature_of(arguments(self.law, "the law"))

    def __call__(self, **values):
        return jax.grad(lambda value: jnp.asarray(self.law(**{**values, self.name: value})))(
            jnp.asarray(values[self.name], dtype=float)
        )
