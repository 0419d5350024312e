"""A piece of a chain that is given, as a wish and as a constraint that holds exactly."""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from .._core.messages import BadInput
from ..fields.equivariant import Frames, matmul
from ..guidance import Guide
from ._chain_energies import PLACES
from ._superpose import superpose


class Motif(eqx.Module):
    """Residues (from 0) that should lie to each other as given frames do, wherever the whole lies: frames -> kT.

        E = 1/2 m (rmsd / width)^2,    rmsd of N, CA and C of the m residues after superposition

    which   as many residues as there are frames; they need not follow each other in the chain.
    width   A by which a residue may be off for half a kT; 0.5.

    `onto` puts them there exactly; `Keep(motif)` is a guide that does so at every step.
    """

    which: tuple[int, ...] = eqx.field(static=True)
    frames: Frames
    width: float = eqx.field(static=True)

    def __init__(self, which: Sequence[int], frames: Frames, width: float = 0.5):
        if len(set(which)) != len(which) or len(which) != len(frames.origin) or min(which, default=-1) < 0:
            raise BadInput(
                f"Motif: {len(frames.origin)} frames came for {len(which)} residues; give each residue once, from 0,"
                " and a frame for each."
            )
        self.which, self.frames, self.width = tuple(map(int, which)), frames, width

    def __call__(self, frames: Frames) -> Float[Array, ""]:
        found = superpose(atoms(self.frames), atoms(self.here(frames)))
        return 0.5 * len(self.which) * (found.rmsd / self.width) ** 2

    def here(self, frames: Frames) -> Frames:
        return frames.map(lambda x: x[jnp.asarray(self.which)])

    def onto(self, frames: Frames) -> Frames:
        """The chain with these residues exactly as given, laid where they are now."""
        found = superpose(atoms(self.frames), atoms(self.here(frames)))
        rotation = matmul(found.rotation, self.frames.rotation)
        at = jnp.asarray(self.which)
        return Frames(frames.rotation.at[at].set(rotation), frames.origin.at[at].set(found(self.frames.origin)))


class Keep(Guide):
    """Puts a motif into every answer: in the last step too, so that the designs have it to rounding.

    on   whether it does; an array, so that chains without it come from the same compiled code.
    """

    motif: Motif
    on: bool | Bool[Array, ""] = True

    def bent(self, process, energy, design, before, answer, k):
        kept = self.motif.onto(answer)
        return jax.tree.map(lambda x, y: jnp.where(self.on, x, y), kept, answer)


def atoms(frames: Frames) -> Float[Array, "atoms 3"]:
    """N, CA and C, one after another."""
    return jnp.concatenate([frames.apply(jnp.asarray(x, frames.origin.dtype)) for x in PLACES])
