"""The flow from noise to a backbone as a process that guidance can steer."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key

from .._core.compilation import compiled
from ..fields.equivariant import Frames, centre, matmul, rotation_exp, rotation_log
from ._denoiser import Denoiser
from ._flow import Schedule, as_chain, as_white, noise, step_along

Tree = TypeVar("Tree")


class Move(NamedTuple):
    """A displacement of a chain; for origins in units of its noise.

    turn    of each residue in its own frame, a rotation vector rad.
    shift   of all, as independent numbers that a Gaussian chain is made of: what pulls at one residue takes its
            neighbours along, as far as neighbours in noise go together.
    """

    turn: Float[Array, "n 3"]
    shift: Float[Array, "n 3"]


class ChainFlow(eqx.Module):
    """Flow matching on SE(3) as a `guidance.Process`; a design is the `Frames` of one chain.

        flow = ChainFlow(denoiser, real)
        found = guidance.guided(flow, Energy(...), key, 16, guides=[Pull()])

    real       which of the padded places are residues, (n,); all chains of a run have one length.
    schedule   steps and how soon rotations settle.
    churn      0: the noise at the start decides everything, and without guides the designs are those of `drawn`, bit
               for bit. 1: every step replaces as much of the noise as it can, which particles need, or copies of one
               stay copies. Origins then keep their marginals exactly; rotations are turned by as many radians, less
               than was learned with, since they settle early.

    The origin goes from t to t' through what the answer a says of both ends, x_0 = (x - t a)/(1 - t):

        x' = t' a + sqrt((1 - t')^2 - s^2) x_0 + s xi,    s = churn (1 - t') sqrt(1 - ((1 - t') t / ((1 - t) t'))^2)

    Whatever turns or shifts the start does the same to the end, if the energy does not care.

    Source: J. Yim et al., Fast protein backbone generation with SE(3) flow matching (2023); J. Song, C. Meng, S. Ermon,
    Denoising diffusion implicit models, ICLR 2021 (the step with new noise).
    """

    denoiser: Denoiser
    real: Bool[Array, " n"]
    schedule: Schedule = Schedule()
    churn: float = 0.0

    @property
    def steps(self) -> int:
        return self.schedule.steps

    def share(self, k: Int[Array, ""]) -> Float[Array, ""]:
        return k / self.steps

    def start(self, key: Key) -> Frames:
        begin = noise(key, self.real)
        return Frames(begin.rotation, begin.origin * self.schedule.spread)

    def answer(self, design: Frames, k: Int[Array, ""], before: Frames) -> Frames:
        design, before = apart_from_the_rest((design, before))
        said = self.denoiser.given(design, self.share(k), before, jnp.where(k > 0, 1.0, 0.0), self.real)
        return apart_from_the_rest(said)

    def mean(self, design: Frames, answer: Frames, k: Int[Array, ""]) -> Frames:
        design, answer = apart_from_the_rest((design, answer))
        t, after = self.share(k), self.share(k + 1)
        there = step_along(design, answer, t, after, self.schedule)
        old = (design.origin - t * answer.origin) / (1 - t)
        left = jnp.sqrt(jnp.maximum((1 - after) ** 2 - self.spread(k) ** 2, 0.0))
        there = Frames(there.rotation, there.origin - ((1 - after) - left) * old)
        # The last step ends at the answer itself, to the bit.
        there = jax.tree.map(lambda a, b: jnp.where(k + 1 == self.steps, a, b), answer, there)
        return apart_from_the_rest(there)

    def spread(self, k: Int[Array, ""]) -> Float[Array, ""]:
        t, after = self.share(k), self.share(k + 1)
        kept = (1 - after) * t / ((1 - t) * after)
        return self.churn * (1 - after) * jnp.sqrt(1 - kept**2)

    def variance(self, k: Int[Array, ""]) -> Float[Array, ""]:
        """Of a chain as large as the noise is."""
        t = self.share(k)
        return (1 - t) ** 2 / ((1 - t) ** 2 + t**2)

    def gain(self, k: Int[Array, ""]) -> Float[Array, ""]:
        t = self.share(k)
        return (1 - t) ** 2 / jnp.maximum(t, 1 / self.steps)

    def moved(self, design: Frames, by: Move) -> Frames:
        shift = self.schedule.spread * as_chain(by.shift, self.real)
        return Frames(matmul(design.rotation, rotation_exp(by.turn)), design.origin + shift)

    def apart(self, one: Frames, other: Frames) -> Move:
        turn = rotation_log(matmul(jnp.swapaxes(one.rotation, -1, -2), other.rotation))
        shift = other.origin - one.origin
        shift = (shift - centre(shift, self.real)) / self.schedule.spread
        return Move(turn * self.real[:, None], as_white(shift, self.real))

    def still(self, design: Frames) -> Move:
        return Move(jnp.zeros_like(design.origin), jnp.zeros_like(design.origin))


def apart_from_the_rest(tree: Tree) -> Tree:
    """The same, but compiled without a look at what is around it, so that it rounds alike in every program."""
    return jax.lax.optimization_barrier(tree)


@compiled(lambda *_: 1)
def starts(keys: Key, real: Bool[Array, "chains n"], schedule: Schedule) -> Frames:
    """The noise of each key, for chains of the lengths that `real` says."""

    def one(key: Key, real: Bool[Array, " n"]) -> Frames:
        begin = noise(key, real)
        return Frames(begin.rotation, begin.origin * schedule.spread)

    return jax.vmap(one)(keys, real)


@compiled(lambda *_: 1)
def sample(flow: ChainFlow, start: Frames) -> Frames:
    """Where the flow goes from each start, without new noise; `flow.real` of all chains, or one row a chain."""

    def one(flow: ChainFlow, start: Frames) -> Frames:
        def step(carry: tuple[Frames, Frames], k: Array) -> tuple[tuple[Frames, Frames], None]:
            design, before = carry
            answer = flow.answer(design, k, before)
            return (flow.mean(design, answer, k), answer), None

        (found, _), _ = jax.lax.scan(step, (start, start), jnp.arange(flow.steps))
        return found

    if flow.real.ndim == 1:
        return jax.vmap(lambda start: one(flow, start))(start)
    alike = lambda real, start: one(eqx.tree_at(lambda flow: flow.real, flow, real), start)
    return jax.vmap(alike)(flow.real, start)
