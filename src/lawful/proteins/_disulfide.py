"""A disulfide bond between two chosen residues, as an energy of where they lie and how they are turned."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput
from ..fields.equivariant import Frames
from ._chain_energies import KT, PLACES
from ._ideal import ideal_cb
from ._restraints import window
from ._torsions import angle, beyond, dihedral

S_S, CB_S = 2.03, 1.81
CA_CB_S = np.deg2rad(114.2)
CB_S_S, CB_S_S_SPREAD = np.deg2rad(104.8), np.deg2rad(6.8)
CA_CA, CB_CB = (3.8, 6.8), (3.4, 4.5)
"""Between which distances real disulfides lie, A: 98 in a hundred."""
AIM_CA, AIM_CB = (4.1, 6.6), (3.5, 4.3)
"""Ninety in a hundred."""
STEP = 10.0
TIGHT = 0.1
"""A: how far S-S may be from ideal for one kT. Real bonds are stiffer, but chi1 goes in steps of 10 degrees, each of
which moves S by 0.3 A."""


def torsion_energy(
    chi1: Float[Array, "*any"],
    chi2: Float[Array, "*any"],
    chi3: Float[Array, "*any"],
    chi4: Float[Array, "*any"],
    chi5: Float[Array, "*any"],
) -> Float[Array, "*any"]:
    """The torsions of a disulfide, kcal/mol: 0.5 at best, 2.9 in the middle of real ones, 7.9 for the worst twentieth.

        E = 2 (cos 3 chi1 + cos 3 chi5) + cos 3 chi2 + cos 3 chi4 + 3.5 cos 2 chi3 + 0.6 cos 3 chi3 + 10.1

    chi1 to chi5 from N-CA-CB-S of one residue to S-CB-CA-N of the other, radians; chi3 is CB-S-S-CB.

    B. Katz and A. Kossiakoff, J. Biol. Chem. 261, 15480 (1986).
    """
    return (
        2 * (jnp.cos(3 * chi1) + jnp.cos(3 * chi5))
        + jnp.cos(3 * chi2)
        + jnp.cos(3 * chi4)
        + 3.5 * jnp.cos(2 * chi3)
        + 0.6 * jnp.cos(3 * chi3)
        + 10.1
    )


class Disulfide(eqx.Module):
    """How far residues i and j (counted from 0) are from a disulfide bond, kcal/mol: frames -> scalar.

        E = window(CA-CA) + window(CB-CB) - kT log sum over chi1, chi1' of exp(-E_bond(chi1, chi1')/kT)

    The sulphurs are built for chi1 in steps of 10 degrees on both sides. E_bond holds S-S at 2.03 A, the angles CB-S-S
    at 104.8 degrees within their spread of 6.8, and where S-S is within reach the torsions (`torsion_energy`). Far
    away it grows in proportion to the distance. About 0 for a good bond.

    Use it as `Term(Disulfide(9, 39), "kcal/mol", kT=0.593)`. Raises `BadInput` for a residue bonded with itself.
    """

    i: int = eqx.field(static=True)
    j: int = eqx.field(static=True)

    def __check_init__(self):
        if self.i == self.j or min(self.i, self.j) < 0:
            raise BadInput(f"Disulfide({self.i}, {self.j}): two different residues are meant, counted from 0.")

    def __call__(self, frames: Frames) -> Float[Array, ""]:
        one, other = (residue(frames, k) for k in (self.i, self.j))
        near = window(distance(one[1], other[1]), *AIM_CA) + window(distance(one[3], other[3]), *AIM_CB)
        bonds = self.rotamers(frames)
        return KT * near - KT * jax.nn.logsumexp(-bonds / KT)

    def rotamers(self, frames: Frames) -> Float[Array, "a b"]:
        """E_bond for each chi1 of i and of j, kcal/mol."""
        one, other = (residue(frames, k) for k in (self.i, self.j))
        chi1 = jnp.deg2rad(jnp.arange(0.0, 360.0, STEP, dtype=frames.origin.dtype))
        s, t = sulphur(one, chi1)[:, None], sulphur(other, chi1)[None, :]
        s, t = jnp.broadcast_arrays(s, t)
        (_, ca, _, cb), (_, ca2, _, cb2) = one, other
        long = distance(s, t)
        # Quadratic near 2.03 A, straight from half an angstrom on: a pull that is as strong from everywhere.
        stretch = KT * huber((long - S_S) / TIGHT, 3.0)
        bend = lambda at: 0.5 * KT * ((at - CB_S_S) / CB_S_S_SPREAD) ** 2
        bends = bend(angle(cb, s, t)) + bend(angle(cb2, t, s))
        chi2, chi3, chi4 = dihedral(ca, cb, s, t), dihedral(cb, s, t, cb2), dihedral(s, t, cb2, ca2)
        turns = torsion_energy(chi1[:, None], chi2, chi3, chi4, chi1[None, :])
        return stretch + jnp.exp(-0.5 * (long - S_S) ** 2) * (bends + turns)


def residue(frames: Frames, k: int) -> tuple[Float[Array, " 3"], ...]:
    """N, CA, C and CB."""
    n, ca, c = (frames.map(lambda x: x[k]).apply(jnp.asarray(x, frames.origin.dtype)) for x in PLACES)
    return n, ca, c, ideal_cb(jnp.stack([n, ca, c])[None])[0]


def sulphur(atoms: tuple[Float[Array, " 3"], ...], chi1: Float[Array, " a"]) -> Float[Array, "a 3"]:
    """Where S lies for each chi1 = N-CA-CB-S."""
    n, ca, _, cb = atoms
    of = lambda turn: beyond(n, ca, cb, jnp.asarray(CB_S), jnp.asarray(CA_CB_S), turn)
    return jax.vmap(of)(chi1)


def distance(a: Float[Array, "*any 3"], b: Float[Array, "*any 3"]) -> Float[Array, "*any"]:
    """Kept from the kink at zero."""
    return jnp.sqrt(jnp.sum((a - b) ** 2, axis=-1) + 1e-6)


def huber(x: Float[Array, "*any"], knee: float) -> Float[Array, "*any"]:
    """x^2/2 near 0, knee |x| far away, smooth in between."""
    return knee**2 * (jnp.sqrt(1 + (x / knee) ** 2) - 1)
