"""A conditional generative adversarial network whose critic may carry a physics calculator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PRNGKeyArray

from .._core.schooling import schooled
from ._examples import Examples, to_unit
from ._flow_matching import averaged, stamp_of
from ._towers import Critic, Tower

Map = Float[Array, "nx ny"]
Wish = Float[Array, " wishes"]
Scores = Float[Array, " batch"]
Score = Callable[[Map], Float[Array, ""]]


class Contest(Protocol):
    """What critic and generator make small, and how the critic is kept smooth."""

    @property
    def turns(self) -> int: ...

    def critic(self, real: Scores, fake: Scores) -> Float[Array, ""]: ...

    def generator(self, real: Scores, fake: Scores) -> Float[Array, ""]: ...

    def rough(self, score: Score, real: Map, fake: Map, mix: Float[Array, ""]) -> Float[Array, ""]: ...


@dataclass(frozen=True)
class Wasserstein:
    """Mean scores apart, with a gradient of length one between real and fake; `turns` of the critic for each of the
    generator. Source: I. Gulrajani et al., Improved training of Wasserstein GANs, NeurIPS 2017."""

    penalty: float = 10.0
    turns: int = 3

    def critic(self, real: Scores, fake: Scores) -> Float[Array, ""]:
        return jnp.mean(fake) - jnp.mean(real)

    def generator(self, real: Scores, fake: Scores) -> Float[Array, ""]:
        return -jnp.mean(fake)

    def rough(self, score: Score, real: Map, fake: Map, mix: Float[Array, ""]) -> Float[Array, ""]:
        slope = jax.grad(score)(mix * real + (1 - mix) * fake)
        return self.penalty * (jnp.sqrt(jnp.sum(slope**2) + 1e-12) - 1) ** 2


@dataclass(frozen=True)
class Relativistic:
    """Each real one against a fake one, softplus(fake - real), with gradients kept small at both. Source: Y. Huang et
    al., The GAN is dead; long live the GAN!, NeurIPS 2024."""

    penalty: float = 0.3
    turns: int = 1

    def critic(self, real: Scores, fake: Scores) -> Float[Array, ""]:
        return jnp.mean(jax.nn.softplus(fake - real))

    def generator(self, real: Scores, fake: Scores) -> Float[Array, ""]:
        return jnp.mean(jax.nn.softplus(real - fake))

    def rough(self, score: Score, real: Map, fake: Map, mix: Float[Array, ""]) -> Float[Array, ""]:
        slopes = jax.grad(score)(real), jax.grad(score)(fake)
        return 0.5 * self.penalty * sum((jnp.sum(s**2) for s in slopes), jnp.zeros(()))


class Physics(NamedTuple):
    """A differentiable calculator inside a critic.

    told    `told(map, wish)`: what the calculator says of a map from 0 to 1.
    inputs  `inputs(told)`: numbers about as large as 1 that the critic sees beside the map, real or fake; their slopes
            reach the generator through the score.
    faults  further costs of the generator, `fault(told)` each with its weight.
    """

    told: Callable[[Map, Wish], Float[Array, " told"]]
    inputs: Callable[[Float[Array, " told"]], Float[Array, " inputs"]]
    faults: tuple[tuple[float, Callable[[Float[Array, " told"]], Float[Array, ""]]], ...] = ()


NO_PHYSICS = Physics(lambda map_, wish: jnp.zeros(0, jnp.float32), lambda told: told)


class Adversarial(eqx.Module):
    """A generator by `compete`."""

    net: Tower
    grid: tuple[int, int] = eqx.field(static=True)

    def __call__(self, wishes: Float[Array, "n wishes"], key: PRNGKeyArray) -> Float[Array, "n nx ny"]:
        """Maps from 0 to 1 for each wish."""
        noise = jax.random.normal(key, (len(wishes), *self.grid, 2), jnp.float32)
        return drawn(self, jnp.asarray(wishes, jnp.float32), noise)

    def one(self, wish: Wish, noise: Float[Array, "nx ny 2"]) -> Map:
        """From -1 to 1."""
        # The second noise is the same everywhere: whole patterns differ, not only their places.
        whole = jnp.broadcast_to(noise[:1, :1, 1:], noise[..., 1:].shape)
        return jnp.tanh(1.5 * self.net(jnp.concatenate([noise[..., :1], whole], -1), wish))


@eqx.filter_jit
def drawn(net: Adversarial, wishes: Array, noise: Array) -> Array:
    return to_unit(jax.vmap(net.one)(wishes, noise))


@dataclass(frozen=True)
class Game:
    """One contest over some examples: a turn of either side. `made_of`, `judged_by`: what of both nets is no array."""

    examples: Examples
    contest: Contest
    physics: Physics
    variety: float
    batch: int
    grid: tuple[int, int]
    made_of: Any
    judged_by: Any
    by_maker: optax.GradientTransformation
    by_critic: optax.GradientTransformation

    def rows(self, key: PRNGKeyArray) -> tuple[Examples, Float[Array, "batch told"]]:
        """Some examples, and what the calculator says of them."""
        rows = self.examples.batch(key, self.batch)
        assert rows.told is not None
        return rows, rows.told

    def told(self, maps: Float[Array, "batch nx ny"], rows: Examples) -> Float[Array, "batch told"]:
        return jax.vmap(self.physics.told)(to_unit(maps), rows.wishes)

    def fakes(self, makes: Any, rows: Examples, key: PRNGKeyArray) -> Float[Array, "batch nx ny"]:
        noise = jax.random.normal(key, (self.batch, *self.grid, 2), jnp.float32)
        return jax.vmap(eqx.combine(makes, self.made_of).one)(rows.wishes, noise)

    def judged(self, judges: Any, maps: Array, rows: Examples, told: Array) -> Scores:
        return jax.vmap(eqx.combine(judges, self.judged_by))(maps, rows.wishes, jax.vmap(self.physics.inputs)(told))

    def critic_turn(self, judges: Any, moments: Any, makes: Any, key: PRNGKeyArray) -> tuple[Any, Any, Array]:
        first, second, third = jax.random.split(key, 3)
        rows, of_real = self.rows(first)
        fake = self.fakes(makes, rows, second)
        of_fake = self.told(fake, rows)
        mix = jax.random.uniform(third, (self.batch,), jnp.float32)

        def cost(judges: Any) -> Array:
            apart = self.contest.critic(
                self.judged(judges, rows.maps, rows, of_real), self.judged(judges, fake, rows, of_fake)
            )
            net = eqx.combine(judges, self.judged_by)

            def rough(real: Map, fake: Map, wish: Wish, of_real: Array, m: Array) -> Array:
                # The inputs are held: what is smoothed is how the critic sees the map.
                return self.contest.rough(lambda x: net(x, wish, of_real), real, fake, m)

            seen = jax.vmap(self.physics.inputs)(of_real)
            return apart + jnp.mean(jax.vmap(rough)(rows.maps, fake, rows.wishes, seen, mix))

        value, by = jax.value_and_grad(cost)(judges)
        moved, moments = self.by_critic.update(by, moments)
        return optax.apply_updates(judges, moved), moments, value

    def maker_turn(self, makes: Any, moments: Any, judges: Any, key: PRNGKeyArray) -> tuple[Any, Any, Array, Array]:
        first, second = jax.random.split(key)
        rows, of_real = self.rows(first)
        real_scores = self.judged(judges, rows.maps, rows, of_real)

        def cost(makes: Any) -> tuple[Array, Array]:
            fake = self.fakes(makes, rows, second)
            told = self.told(fake, rows)
            faults = sum(
                (weight * jnp.mean(jax.vmap(fault)(told)) for weight, fault in self.physics.faults),
                jnp.zeros((), jnp.float32),
            )
            total = self.contest.generator(real_scores, self.judged(judges, fake, rows, told)) + faults
            if self.variety:
                near = jnp.mean(jnp.abs(fake - jnp.roll(fake, 1, 0)), (1, 2))
                usual = jnp.mean(jnp.abs(rows.maps - jnp.roll(rows.maps, 1, 0)))
                total = total + self.variety * jnp.maximum(1 - jnp.mean(near) / usual, 0.0)
            return total, faults

        (value, faults), by = jax.value_and_grad(cost, has_aux=True)(makes)
        moved, moments = self.by_maker.update(by, moments)
        return optax.apply_updates(makes, moved), moments, value, faults


def compete(
    examples: Examples,
    *,
    contest: Contest | None = None,
    physics: Physics = NO_PHYSICS,
    variety: float = 0.0,
    widths: tuple[int, ...] = (96,),
    steps: int = 2000,
    batch: int = 48,
    rate: float = 5e-4,
    seed: int = 0,
    path: Path | None = None,
    stamp: str = "",
    progress: bool | None = None,
) -> tuple[Adversarial, dict[str, list[float]]]:
    """Train generator and critic against each other.

    contest  `Relativistic()` by default, or `Wasserstein()`.
    physics  the calculator in the critic and the faults it finds; none is a plain conditional network.
    variety  weight of a reward for maps of one wish that differ as their noises do.
    stamp    what tells this `physics` from another one in the file at `path`.
    """
    contest = contest or Relativistic()
    grid = examples.maps.shape[1], examples.maps.shape[2]
    wishes = examples.wishes.shape[1]
    one, two = jax.random.split(jax.random.PRNGKey(seed))
    # Of real maps once: a law that does not care where a map begins says the same of it wherever it is begun.
    rows = examples.maps, examples.wishes
    nothing = jax.eval_shape(physics.told, examples.maps[0], examples.wishes[0]).size == 0  # which no map takes apart
    told_of = lambda row: physics.told(*row)
    told = jnp.zeros((len(examples.maps), 0)) if nothing else jax.lax.map(told_of, rows, batch_size=batch)
    examples = examples._replace(told=told)
    looked = jax.eval_shape(physics.inputs, told[0])
    maker = Adversarial(Tower(wishes, widths, one, channels=2), grid)
    critic = Critic(wishes, looked.shape[0], widths, two)
    makes, made_of = eqx.partition(maker, eqx.is_inexact_array)
    judges, judged_by = eqx.partition(critic, eqx.is_inexact_array)
    adam = lambda: optax.chain(optax.clip_by_global_norm(5.0), optax.adam(rate, b1=0.0, b2=0.99))
    by_maker, by_critic = adam(), adam()

    game = Game(examples, contest, physics, variety, batch, grid, made_of, judged_by, by_maker, by_critic)

    @jax.jit
    def step(state: Any, i: Array) -> tuple[Any, dict[str, Array]]:
        makes, mean, judges, maker_moments, critic_moments = state
        key = jax.random.fold_in(jax.random.PRNGKey(seed + 1), i)

        def turn(carry: Any, key: PRNGKeyArray) -> tuple[Any, Array]:
            judges, moments = carry
            judges, moments, value = game.critic_turn(judges, moments, makes, key)
            return (judges, moments), value

        keys = jax.random.split(key, contest.turns + 1)
        (judges, critic_moments), critic_costs = jax.lax.scan(turn, (judges, critic_moments), keys[1:])
        makes, maker_moments, cost, faults = game.maker_turn(makes, maker_moments, judges, keys[0])
        mean = averaged(mean, makes, i)
        notes = {"critic": critic_costs[-1], "generator": cost, "faults": faults}
        return (makes, mean, judges, maker_moments, critic_moments), notes

    begin = (makes, makes, judges, by_maker.init(makes), by_critic.init(judges))
    stamp = stamp + stamp_of("compete", examples, (contest, variety, widths, steps, batch, rate, seed, looked.shape))
    (_, mean, *_), notes = schooled(step, begin, steps, what="compete", path=path, stamp=stamp, progress=progress)
    return eqx.combine(mean, made_of), notes
