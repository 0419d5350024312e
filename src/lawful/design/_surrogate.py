"""A surrogate: an ensemble of networks that answers as the simulator does, with an error bar that was tested."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from .._core.files import read_arrays, write_arrays
from .._core.leaves import by_name, put_back
from .._core.messages import BadInput
from .._core.schooling import schooled
from ._dataset import Dataset
from ._simulator import Sample
from ._space import Space, Units

Build = Callable[[Space, dict[str, tuple[int, ...]], PRNGKeyArray], Any]
Same = Callable[[Float[Array, " d"], PRNGKeyArray], Float[Array, " d"]]
ONE_SD = 0.6827


class Guess(NamedTuple):
    """One output, as the ensemble says: the mean of its members, and their spread, widened as held-out designs say."""

    value: Float[Array, "..."]
    sd: Float[Array, "..."]


class Surrogate(eqx.Module):
    """An ensemble of networks of one design space.

    members  the networks, stacked along the first axis of each of their arrays.
    centre, scale  mean and spread of each output over the training designs.
    widen    by output: what the members' spread is multiplied by, so that 68 % of held-out errors lie within one sd.
    names    the outputs in the order in which the members were built: JAX sorts the keys of tables.
    """

    space: Space = eqx.field(static=True)
    members: Any
    centre: dict[str, Float[Array, "..."]]
    scale: dict[str, Float[Array, ""]]
    widen: dict[str, Float[Array, ""]]
    seconds: float = 0.0
    names: tuple[str, ...] = eqx.field(static=True, default=())

    def each(self, u: Float[Array, " d"]) -> dict[str, Float[Array, "members ..."]]:
        """What every member says."""
        raw = eqx.filter_vmap(lambda member: member(u), in_axes=eqx.if_array(0))(self.members)
        return {name: self.centre[name] + self.scale[name] * raw[name] for name in raw}

    def guess(self, u: Float[Array, " d"]) -> dict[str, Guess]:
        """Every output of a unit vector, with its sd; differentiable."""
        said = self.each(u)
        return {n: Guess(jnp.mean(v, 0), self.widen[n] * spread(v)) for n, v in said.items()}

    def guesses(self, units: Units) -> dict[str, Guess]:
        """Of many unit vectors, one after the other."""
        return guessed(self, jnp.asarray(units))

    def __call__(self, **design: Any) -> dict[str, Guess]:
        """Every output of a design."""
        return self.guess(jnp.asarray(self.space.unit(design)))

    def sample(self, u: Float[np.ndarray, " d"]) -> Sample:
        """Values and slopes of the scalars, and "sd NAME" of each, as a simulator would give them."""
        values, slopes = sampled(self, jnp.asarray(u))
        plain = lambda each: {name: np.asarray(v, float) for name, v in each.items()}
        return Sample(plain(values), plain(slopes))

    def save(self, path: str | Path) -> None:
        """Arrays only; `load` wants the space and the networks' build again."""
        tables = {"centre": self.centre, "scale": self.scale, "widen": self.widen}
        named = {f"{kind} {n}": np.asarray(x) for kind, table in tables.items() for n, x in table.items()}
        members = by_name(eqx.filter(self.members, eqx.is_inexact_array))
        told = {"outputs": list(self.names or self.centre), "seconds": self.seconds}
        write_arrays(Path(path), {**members, **named}, told)

    @classmethod
    def load(cls, path: str | Path, space: Space, build: Build) -> Surrogate:
        """What `save` wrote. Raises `BadInput` for another space or another build than it was trained with."""
        found, told = read_arrays(Path(path))
        centre, scale, widen = (
            {n: jnp.asarray(found[f"{kind} {n}"]) for n in told["outputs"]} for kind in ("centre", "scale", "widen")
        )
        one = build(space, {n: c.shape for n, c in centre.items()}, jax.random.PRNGKey(0))
        arrays, rest = eqx.partition(one, eqx.is_inexact_array)
        count = len(found["leaf0"])
        members = put_back(found, jax.tree.map(lambda a: jax.ShapeDtypeStruct((count, *a.shape), a.dtype), arrays))
        if members is None:
            raise BadInput(f"{path} holds networks of another shape; give the space and build it was trained with.")
        whole = eqx.combine(jax.tree.map(jnp.asarray, members), rest)
        return cls(space, whole, centre, scale, widen, told["seconds"], tuple(told["outputs"]))


def spread(v: Float[Array, "members ..."]) -> Float[Array, "..."]:
    """The standard deviation over members; its derivative is finite where they agree."""
    return jnp.sqrt(jnp.var(v, axis=0, ddof=1) + 1e-24)


@eqx.filter_jit
def guessed(surrogate: Surrogate, units: Float[Array, "designs d"]) -> dict[str, Guess]:
    return jax.lax.map(surrogate.guess, units)


@eqx.filter_jit
def sampled(surrogate: Surrogate, u: Float[Array, " d"]) -> tuple[dict[str, Array], dict[str, Array]]:
    def scalars(u: Array) -> dict[str, Array]:
        said = {name: g for name, g in surrogate.guess(u).items() if g.value.ndim == 0}
        return {n: g.value for n, g in said.items()} | {f"sd {n}": g.sd for n, g in said.items()}

    values, back = jax.vjp(scalars, u)
    zero = {name: jnp.zeros_like(value) for name, value in values.items()}
    return values, {name: back({**zero, name: jnp.ones_like(values[name])})[0] for name in values}


def train(
    space: Space,
    data: Dataset,
    build: Build,
    *,
    held_out: Dataset,
    members: int = 3,
    passes: int = 100,
    batch: int = 32,
    rate: float = 3e-3,
    slopes: float = 1.0,
    steep: float = np.inf,
    same: Same | None = None,
    seed: int = 0,
    path: Path | None = None,
    progress: bool | None = None,
) -> Surrogate:
    """Learn from designs: by values, and by slopes where the data has them.

        sum over outputs of <|y - Y|^2> / var(Y) + slopes * <|dy/du - dY/du|^2> / <|dY/du|^2>

    build     `perceptron(...)` or `operator(...)`.
    held_out  designs that are not trained on: they set the error bars.
    slopes    weight of the second term; it says d numbers of each design instead of one.
    steep     where some designs have slopes far above the others', which would rule the second term: by what squares
              are divided is |dY/du|^2 of the design itself, as far as that exceeds `steep` times their median; 1 to 4.
    same      `same(u, key)`: other unit vectors by chance, entries in another order, of which the law says the same,
              such as a map begun elsewhere. Every pass then sees other ones.
    passes    through the data, by Adam on batches of `batch`, its `rate` falling as a cosine.
    path      where the training is kept after each pass; a second call goes on there, to the same numbers.

    Every member starts elsewhere and sees the designs in another order. A random combination of the outputs is held
    against the slopes at each step, one reverse pass for all. Source: W. M. Czarnecki et al., Sobolev training for
    neural networks, NeurIPS 2017, for the idea.
    """
    if len(data) < 2 or members < 2:
        raise BadInput(f"train: {len(data)} designs and {members} members; two of each are needed at least.")
    shapes = {name: rows.shape[1:] for name, rows in data.values.items()}
    centre, scale = normal_of(data)
    nets = [build(space, shapes, key) for key in jax.random.split(jax.random.PRNGKey(seed), members)]
    weights = jax.tree.map(lambda *each: jnp.stack(each), *(eqx.filter(net, eqx.is_inexact_array) for net in nets))
    rest = eqx.filter(nets[0], eqx.is_inexact_array, inverse=True)
    table = in_units(data, centre, scale, slopes, steep)
    batch = min(batch, len(data))
    steps = len(data) // batch
    optimiser = optax.adam(optax.cosine_decay_schedule(rate, passes * steps))
    state = jax.vmap(optimiser.init)(weights)

    @jax.jit
    def one_pass(carry: Any, i: Array) -> tuple[Any, dict[str, Array]]:
        def member(weights, state, key):
            order = jax.random.permutation(key, len(data))[: steps * batch].reshape(steps, batch)

            def step(carry, pick):
                weights, state = carry
                key_of = jax.random.fold_in(key, pick[0])
                rows = turned(jax.tree.map(lambda t: t[pick], table), same, key_of)
                loss, by = jax.value_and_grad(misfit)(weights, rest, rows, key_of)
                moved, state = optimiser.update(by, state)
                return (optax.apply_updates(weights, moved), state), loss

            (weights, state), losses = jax.lax.scan(step, (weights, state), order)
            return weights, state, jnp.mean(losses)

        keys = jax.random.split(jax.random.fold_in(jax.random.PRNGKey(seed + 1), i), members)
        weights, state, losses = jax.vmap(member)(carry[0], carry[1], keys)
        return (weights, state), {"loss": jnp.mean(losses)}

    start = time.perf_counter()
    stamp = repr((fingerprint(data), passes, batch, rate, slopes, steep, members, seed))
    (weights, _), _ = schooled(
        one_pass, (weights, state), passes, what="train", path=path, stamp=stamp, every=1, progress=progress
    )
    double = jax.tree.map(lambda a: a.astype(float), weights)  # optimisers look at small differences
    found = Surrogate(
        space, eqx.combine(double, rest),
        {name: jnp.asarray(c) for name, c in centre.items()}, {name: jnp.asarray(s) for name, s in scale.items()},
        dict.fromkeys(shapes, jnp.ones(())), time.perf_counter() - start, tuple(shapes),
    )  # fmt: skip
    return eqx.tree_at(lambda s: s.widen, found, widening(found, held_out))


def normal_of(data: Dataset) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Mean of each output, and its spread, one number also for a field."""
    centre = {name: np.mean(rows, axis=0) for name, rows in data.values.items()}
    scale = {}
    for name, rows in data.values.items():
        s = float(np.sqrt(np.mean((rows - centre[name]) ** 2)))
        scale[name] = np.asarray(s if s > 0 else 1.0)
    return centre, scale


def fingerprint(data: Dataset) -> str:
    return hashlib.sha256(data.units.tobytes() + b"".join(v.tobytes() for v in data.values.values())).hexdigest()


def turned(rows: dict[str, Any], same: Same | None, key: PRNGKeyArray) -> dict[str, Any]:
    """Other designs of which the same is known. Slopes go with the entries they belong to."""
    if same is None:
        return rows
    keys = jax.random.split(key, len(rows["u"]))
    moved = jax.vmap(same)
    return {**rows, "u": moved(rows["u"], keys), "slopes": {n: moved(s, keys) for n, s in rows["slopes"].items()}}


def in_units(data: Dataset, centre: dict, scale: dict, slopes: float, steep: float) -> dict[str, Any]:
    """What is trained on, in single precision: outputs and slopes in units of their spread, the weight of slopes."""
    single = lambda a: jnp.asarray(a, jnp.float32)
    values = {n: single((rows - centre[n]) / scale[n]) for n, rows in data.values.items()}
    wanted = {n: rows / scale[n] for n, rows in data.slopes.items()} if slopes else {}
    squares = {n: np.sum(rows**2, axis=1) for n, rows in wanted.items()}
    level = {n: steep * np.median(q) if np.isfinite(steep) else np.mean(q) for n, q in squares.items()}
    size = {n: np.maximum(q, level[n]) if np.isfinite(steep) else np.full(len(q), level[n]) for n, q in squares.items()}
    weight = {n: single(slopes / np.maximum(size[n], 1e-30)) for n in wanted}
    return {"u": single(data.units), "values": values, "slopes": {n: single(r) for n, r in wanted.items()}, "w": weight}


def misfit(weights: Any, rest: Any, rows: dict[str, Any], key: PRNGKeyArray) -> Float[Array, ""]:
    net = eqx.combine(weights, rest)
    names = list(rows["slopes"])

    def one(u: Array, values: dict, slopes: dict, w: dict, key: PRNGKeyArray) -> Array:
        if not names:
            said = net(u)
            return sum((jnp.mean((said[n] - values[n]) ** 2) for n in values), jnp.zeros((), u.dtype))
        # With random signs r the square of sum r (dy - dY) is in the mean the sum of their squares.
        signs = dict(zip(names, jax.random.rademacher(key, (len(names),), u.dtype), strict=True))
        r = {n: signs[n] * jnp.sqrt(w[n]) for n in names}

        def combined(u: Array) -> tuple[Array, dict]:
            said = net(u)
            return sum((r[n] * said[n] for n in names), jnp.zeros((), u.dtype)), said

        slope, said = jax.grad(combined, has_aux=True)(u)
        off = slope - sum(r[n] * slopes[n] for n in names)
        fit = sum((jnp.mean((said[n] - values[n]) ** 2) for n in values), jnp.zeros((), u.dtype))
        return fit + jnp.sum(off**2)

    keys = jax.random.split(key, len(rows["u"]))
    return jnp.mean(jax.vmap(one)(rows["u"], rows["values"], rows["slopes"], rows["w"], keys))


def widening(surrogate: Surrogate, held_out: Dataset) -> dict[str, Float[Array, ""]]:
    """How much wider the spread must be for 68 % of held-out errors to lie within it."""
    said = surrogate.guesses(held_out.units)
    ratio = {
        n: np.abs(rows - np.asarray(said[n].value)) / np.asarray(said[n].sd) for n, rows in held_out.values.items()
    }
    return {n: jnp.asarray(np.quantile(each, ONE_SD)) for n, each in ratio.items()}
