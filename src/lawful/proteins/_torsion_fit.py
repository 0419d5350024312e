"""Which letters suit a backbone's torsions: proline is stiff, glycine goes where no other residue does."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._backbone import AMINO_ACIDS, Backbone
from ._hydrogen_bonds import bound
from ._letters import Soft
from ._ramachandran import BEFORE_PROLINE, FLOOR, ramachandran, ramachandran_kinds
from ._reading import BREAK
from ._torsions import internal

CORE = 0.3
"""The share beyond which one place is as good as another."""
PROLINE = AMINO_ACIDS.index("P")


class TorsionCosts(NamedTuple):
    """What each letter costs at each residue, kT: `alone`, and `before` a proline; 0 at both ends."""

    alone: Float[np.ndarray, "L letters"]
    before: Float[np.ndarray, "L letters"]


def torsion_costs(backbone: Backbone) -> TorsionCosts:
    """log(1 + 0.3/share) of every letter in every place, share by the letter's own grid (`ramachandran`), trans.
    Nothing beside a break of the chain, as at the ends.

    Source: C. J. Williams et al., Protein Science 27, 293 (2018), for the grids.
    """
    atoms = np.asarray(backbone.xyz, float)
    found = internal(atoms)
    phi, psi = np.asarray(found.phi)[:-1], np.asarray(found.psi)[1:]
    cost = lambda kind: np.log1p(CORE / np.maximum(np.asarray(ramachandran(phi, psi, kind)), FLOOR))
    kinds = [int(ramachandran_kinds(f"A{letter}A")[0]) for letter in AMINO_ACIDS]
    by_kind = {kind: cost(kind) for kind in {*kinds, BEFORE_PROLINE}}
    # Glycine and proline have grids of their own whatever follows.
    stiff = [letter not in "GP" for letter in AMINO_ACIDS]
    kinds_before = [BEFORE_PROLINE if each else kind for each, kind in zip(stiff, kinds, strict=True)]
    ends = np.zeros((1, len(kinds)))  # without both torsions: no letter suits them more or less
    joined = bound(atoms, BREAK)
    whole = (joined[:-1] & joined[1:])[:, None]
    inner = lambda which: np.concatenate([ends, whole * np.stack([by_kind[kind] for kind in which], axis=1), ends])
    return TorsionCosts(inner(kinds), inner(kinds_before))


def torsion_fit_energy(soft: Soft, costs: TorsionCosts) -> Float[Array, ""]:
    """How badly letters suit the torsions of a backbone, kT: 0.26 a residue at the best places, 10 where none are.

    E = sum_n sum_a p_n(a) [ (1 - p_n+1(P)) alone_n(a) + p_n+1(P) before_n(a) ]
    """
    following = jnp.append(soft[1:, PROLINE], 0.0)
    alone, before = (jnp.sum(soft * each, axis=1) for each in costs)
    return jnp.sum((1 - following) * alone + following * before)
