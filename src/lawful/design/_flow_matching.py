"""Conditional flow matching: from noise to designs along the velocities of straight lines."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from .._core.schooling import schooled
from ..guidance import GaussianFlow
from ._examples import Examples, to_unit
from ._towers import Tower

Maps = Float[Array, "n nx ny"]


class Matched(eqx.Module):
    """A generator by flow matching; see `match`."""

    net: Tower
    grid: tuple[int, int] = eqx.field(static=True)

    def velocity(self, x: Float[Array, "nx ny"], wish: Float[Array, " wishes"], t: Any) -> Float[Array, "nx ny"]:
        time = jnp.stack([2 * t - 1, jnp.sin(jnp.pi * t), jnp.sin(2 * jnp.pi * t)]).astype(x.dtype)
        return self.net(x[..., None], jnp.concatenate([wish, time]))

    def __call__(self, wishes: Float[Array, "n wishes"], key: PRNGKeyArray, *, steps: int = 40) -> Maps:
        """Maps from 0 to 1 for each wish; to steer them by physics, see `on_demand`."""
        noise = jax.random.normal(key, (len(wishes), *self.grid), jnp.float32)
        return flowed(self, noise, jnp.asarray(wishes, jnp.float32), steps)


class Aim(eqx.Module):
    """The map that a flow expects at the end, from -1 to 1: x + (1 - t) v(x, t, wish)."""

    net: Matched
    wish: Float[Array, " wishes"]

    def __call__(self, x: Float[Array, "nx ny"], t: Float[Array, ""]) -> Float[Array, "nx ny"]:
        return x + (1 - t) * self.net.velocity(x, self.wish, t)


@eqx.filter_jit
def flowed(net: Matched, noise: Maps, wishes: Array, steps: int) -> Maps:
    def one(x: Array, wish: Array) -> Array:
        flow = GaussianFlow(Aim(net, wish), net.grid, steps, churn=0.0)
        step = lambda x, k: (flow.mean(x, flow.answer(x, k, x), k).astype(x.dtype), None)
        return jax.lax.scan(step, x, jnp.arange(steps))[0]

    return to_unit(jax.vmap(one)(noise, wishes))


def match(
    examples: Examples,
    *,
    widths: tuple[int, ...] = (96,),
    steps: int = 3000,
    batch: int = 64,
    rate: float = 2e-3,
    seed: int = 0,
    path: Path | None = None,
    progress: bool | None = None,
) -> tuple[Matched, dict[str, list[float]]]:
    """Learn the velocity of x_t = (1 - t) x_0 + t x_1 from noise x_0 to examples x_1 of a wish:

        min  < | v(x_t, t, wish) - (x_1 - x_0) |^2 >

    What is kept is the average over the last steps, see `averaged`.
    Source: Y. Lipman et al., Flow matching for generative modeling, ICLR 2023.
    """
    grid = examples.maps.shape[1], examples.maps.shape[2]
    key = jax.random.PRNGKey(seed)
    net = Matched(Tower(examples.wishes.shape[1] + 3, widths, key), grid)
    arrays, rest = eqx.partition(net, eqx.is_inexact_array)
    optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(optax.cosine_decay_schedule(rate, steps)))

    @jax.jit
    def step(state: Any, i: Array) -> tuple[Any, dict[str, Array]]:
        arrays, mean, moments = state
        one, two, three = jax.random.split(jax.random.fold_in(jax.random.PRNGKey(seed + 1), i), 3)
        rows = examples.batch(one, batch)

        def loss(arrays: Any) -> Array:
            net = eqx.combine(arrays, rest)
            noise = jax.random.normal(two, rows.maps.shape, jnp.float32)
            t = jax.random.uniform(three, (batch, 1, 1), jnp.float32)
            at = (1 - t) * noise + t * rows.maps
            said = jax.vmap(net.velocity)(at, rows.wishes, t[:, 0, 0])
            return jnp.mean((said - (rows.maps - noise)) ** 2)

        value, by = jax.value_and_grad(loss)(arrays)
        moved, moments = optimiser.update(by, moments)
        arrays = optax.apply_updates(arrays, moved)
        return (arrays, averaged(mean, arrays, i), moments), {"loss": value}

    begin = (arrays, arrays, optimiser.init(arrays))
    stamp = stamp_of("match", examples, (widths, steps, batch, rate, seed))
    (_, mean, _), told = schooled(step, begin, steps, what="match a flow", path=path, stamp=stamp, progress=progress)
    return eqx.combine(mean, rest), told


def averaged(mean: Any, now: Any, i: Array, over: float = 200.0) -> Any:
    """An average over about the last `over` steps, of what there is at first."""
    share = jnp.maximum(1 / over, 1 / (i + 1.0)).astype(jnp.float32)
    return jax.tree.map(lambda m, a: m + share * (a - m), mean, now)


def stamp_of(kind: str, examples: Examples, settings: tuple) -> str:
    """What determines a training."""
    import numpy as np

    told = repr((kind, settings, examples.maps.shape)).encode()
    arrays = [np.asarray(each).tobytes() for each in examples if each is not None]
    return hashlib.sha256(told + b"".join(arrays)).hexdigest()
