"""What studies of guided backbones share: the network, noise, batches of chains steered and relaxed, scores."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from .._core.messages import BadInput
from .._core.progress import Progress
from ..fields.equivariant import Frames
from ..guidance import Constant, Energy, Guide, Particles, Pull, guided
from ..proteins import (
    Backbone,
    ChainFlow,
    Denoiser,
    Drawn,
    Schedule,
    built,
    clash_energy,
    clashes,
    load,
    ramachandran,
    starts,
)
from ..proteins._chain_energies import KT
from ..proteins._generate import ROUND, keys_of
from ..proteins._ramachandran import FAVOURED
from ..proteins._settle import Wish, all_settled
from ..proteins._torsions import internal
from ..proteins._weights import skeleton
from ._base import Request
from .backbone import WEIGHTS, network

TOGETHER = 16
"""Chains computed at once."""
STEPS = 300
"""Of the relaxation: twice as many as chains without a wish need."""
NATURAL = 1.8
"""Clashes per 100 residues of natives."""
USUAL = 0.9
"""Of the torsions favoured, at least for a sound chain."""
FIRM = 4.0
"""How many times more atoms that stand in one another count in a relaxation that has something else to hold: the
chain's own energy prices a clash at less than a kT, which what is asked for outbids."""


class Roomy(eqx.Module):
    """Clashes of a chain once more, kT, so many times as `firm` says: a wish for the relaxation."""

    real: Bool[Array, " n"]
    firm: Float[Array, ""]

    def __call__(self, frames: Frames) -> Float[Array, ""]:
        return self.firm * clash_energy(frames, self.real) / KT


class Maker(NamedTuple):
    """What makes chains of one length."""

    denoiser: Denoiser
    length: int
    schedule: Schedule
    progress: bool | None = None

    def real(self, count: int) -> Bool[np.ndarray, "chains n"]:
        room = -(-self.length // ROUND) * ROUND
        return np.broadcast_to(np.arange(room) < self.length, (count, room))

    def flow(self, churn: float = 0.0) -> ChainFlow:
        return ChainFlow(self.denoiser, jnp.asarray(self.real(1)[0]), self.schedule, jnp.asarray(churn))  # pyright: ignore

    def noise(self, count: int, seed: int) -> Frames:
        return starts(keys_of(seed, count), jnp.asarray(self.real(count)), self.schedule)

    def backbones(self, frames: Frames, sequence: str) -> list[Backbone]:
        count = len(frames.origin)
        made = built([Drawn(frames, np.array(self.real(count)), tuple(range(count)))], relax=False)
        return [Backbone(np.asarray(each.xyz), sequence) for each in made]

    def roomy(self, firm: float = FIRM) -> Roomy:
        return Roomy(jnp.asarray(self.real(1)[0]), jnp.asarray(firm))

    def relaxed(self, frames: Frames, wish: Wish | None, steps: int = STEPS, held: Array | None = None) -> Frames:
        """`settled`, some chains at a time."""
        real = lambda some: jnp.asarray(self.real(len(some.origin)))
        settle = lambda some: all_settled(some, real(some), wish, steps, held)
        return batched(settle, frames, "relaxed chains", self.progress)


def maker(request: Request, length: int, quick: int = 8, normal: int = 40) -> Maker:
    """By the options `weights` and `steps`."""
    path = Path(request.options.get("weights", WEIGHTS))
    if not path.is_file():
        raise BadInput(f"--set weights={path}: there is no such file.")
    steps = request.count("steps", request.pick(quick, normal), 1, 1000)
    return Maker(load(path, skeleton(network))[0], length, Schedule(steps=steps), request.progress)


def pull(strength: float) -> Pull:
    """Two steps a time, none longer than needed. Without strength every answer stays as it is: unguided."""
    return Pull(Constant(jnp.asarray(strength)), longest=1.0, least=0.0, steps=2)  # pyright: ignore


def steered(
    flow: ChainFlow,
    energy: Energy,
    guides: Sequence[Guide],
    start: Frames,
    seed: int,
    crowd: int | None = None,
    progress: bool | None = None,
) -> Frames:
    """Guided from the noise given; with `crowd`, in populations of so many particles."""
    many = crowd is not None and crowd > 1
    together = crowd if crowd is not None and many else TOGETHER
    particles = Particles() if many else None
    keys = (jax.random.fold_in(jax.random.key(seed), k) for k in itertools.count(0, together))
    led = lambda some: (
        guided(flow, energy, next(keys), len(some.origin), guides=guides, particles=particles, start=some).designs
    )
    return batched(led, start, "guided chains", progress, together)


def batched(
    function: Callable[[Frames], Frames],
    frames: Frames,
    what: str,
    progress: bool | None,
    together: int = TOGETHER,
) -> Frames:
    """Of all chains, so many at once. The last go together with some that were done before: another size would be
    compiled anew."""
    count, found = len(frames.origin), []
    bar = Progress(what, count, progress)
    for k in range(0, count, together):
        first = max(min(k, count - together), 0)
        done = jax.block_until_ready(function(frames.map(lambda x, first=first: x[first : first + together])))
        found.append(done.map(lambda x, k=k, first=first: x[k - first :]))
        bar.at(min(k + together, count))
    bar.close()
    return jax.tree.map(lambda *each: jnp.concatenate(each), *found)


# looking at them


def favoured(backbones: Sequence[Backbone]) -> Float[np.ndarray, "chains inner"]:
    """Whether phi and psi of each residue but the first and the last are favoured; chains of one length."""
    found = internal(np.stack([np.asarray(each.xyz) for each in backbones]))
    return np.asarray(ramachandran(found.phi[:, :-1], found.psi[:, 1:])) >= FAVOURED


def clashes_per_100(backbones: Sequence[Backbone]) -> Float[np.ndarray, " chains"]:
    return np.array([100 * clashes(each.xyz, each.sequence) / len(each) for each in backbones])


def proportion(forms: Sequence[bool]) -> dict[str, float]:
    """With the standard deviation that one more of each kind would leave (Agresti and Coull)."""
    n, p = len(forms) + 2, (sum(forms) + 1) / (len(forms) + 2)
    return {"value": float(np.mean(forms)), "sd": float(np.sqrt(p * (1 - p) / n))}


def bootstrapped(lost: Callable, free: Float[np.ndarray, " chains"], led: Float[np.ndarray, " chains"]) -> dict:
    """A function of two means and its standard deviation; the same chains of both: they share their noise."""
    which = np.random.default_rng(0).integers(0, len(led), (1000, len(led)))
    spread = np.std(lost(free[which].mean(axis=1), led[which].mean(axis=1)))
    return {"value": float(lost(free.mean(), led.mean())), "sd": float(spread)}


def mean_of(values: Float[np.ndarray, " chains"]) -> dict[str, float]:
    """With its standard error."""
    return {"value": float(np.mean(values)), "sd": float(np.std(values) / np.sqrt(max(len(values) - 1, 1)))}


def shown(estimate: Mapping[str, float]) -> str:
    return f"{estimate['value']:.3f} ± {estimate['sd']:.3f}"
