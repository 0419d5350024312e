"""Bond lengths, angles and torsions of a backbone, and the backbone from them."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._ideal import C_N, C_N_CA, C_O, CA_C, CA_C_N, CA_C_O, N_CA, N_CA_C


class Internal(NamedTuple):
    """What a backbone of L residues is up to a rigid motion: angstrom and radians.

    phi[i]     C(i) N(i+1) CA(i+1) C(i+1), so phi of residue i + 1.
    psi[i]     N(i) CA(i) C(i) N(i+1), psi of residue i.
    omega[i]   CA(i) C(i) N(i+1) CA(i+1); near pi, or near 0 in a cis peptide.
    n_ca, ca_c and the angle n_ca_c are of each residue; c_n, ca_c_n, c_n_ca of the peptide bond behind residue i.
    c_o, ca_c_o and n_ca_c_o place O: bond, angle and torsion.
    """

    phi: Float[Array, "*batch L-1"]
    psi: Float[Array, "*batch L-1"]
    omega: Float[Array, "*batch L-1"]
    n_ca: Float[Array, "*batch L"]
    ca_c: Float[Array, "*batch L"]
    c_n: Float[Array, "*batch L-1"]
    n_ca_c: Float[Array, "*batch L"]
    ca_c_n: Float[Array, "*batch L-1"]
    c_n_ca: Float[Array, "*batch L-1"]
    c_o: Float[Array, "*batch L"]
    ca_c_o: Float[Array, "*batch L"]
    n_ca_c_o: Float[Array, "*batch L"]


def internal(xyz: Float[Array | np.ndarray, "*batch L 4 3"]) -> Internal:
    """Lengths, angles and torsions of a backbone; `rebuild` is the inverse. Torsions lie in (-pi, pi]."""
    n, ca, c, o = (jnp.asarray(xyz)[..., k, :] for k in range(4))
    here, next_ = (lambda x: x[..., :-1, :]), (lambda x: x[..., 1:, :])
    return Internal(
        dihedral(here(c), next_(n), next_(ca), next_(c)),
        dihedral(here(n), here(ca), here(c), next_(n)),
        dihedral(here(ca), here(c), next_(n), next_(ca)),
        distance(n, ca),
        distance(ca, c),
        distance(here(c), next_(n)),
        angle(n, ca, c),
        angle(here(ca), here(c), next_(n)),
        angle(here(c), next_(n), next_(ca)),
        distance(c, o),
        angle(ca, c, o),
        dihedral(n, ca, c, o),
    )


def rebuild(given: Internal) -> Float[Array, "L 4 3"]:
    """N, CA, C and O from lengths, angles and torsions, atom after atom.

    The first N lies at the origin, CA on the axis x, C in the upper half of the plane x y. For batches, `jax.vmap`.
    Natural extension reference frame: J. Parsons et al., J. Comput. Chem. 26, 1063 (2005).
    """
    zero = jnp.zeros_like(given.n_ca[0])
    n = jnp.stack([zero, zero, zero])
    ca = jnp.stack([given.n_ca[0], zero, zero])
    bend = jnp.pi - given.n_ca_c[0]
    c = ca + given.ca_c[0] * jnp.stack([jnp.cos(bend), jnp.sin(bend), zero])

    def grow(last, of):
        n, ca, c = last
        psi, c_n, ca_c_n, omega, n_ca, c_n_ca, phi, ca_c, n_ca_c = of
        n_next = beyond(n, ca, c, c_n, ca_c_n, psi)
        ca_next = beyond(ca, c, n_next, n_ca, c_n_ca, omega)
        c_next = beyond(c, n_next, ca_next, ca_c, n_ca_c, phi)
        return (n_next, ca_next, c_next), jnp.stack([n_next, ca_next, c_next])

    steps = (
        given.psi, given.c_n, given.ca_c_n, given.omega, given.n_ca[1:], given.c_n_ca,
        given.phi, given.ca_c[1:], given.n_ca_c[1:],
    )  # fmt: skip
    _, rest = jax.lax.scan(grow, (n, ca, c), steps)
    three = jnp.concatenate([jnp.stack([n, ca, c])[None], rest])
    o = beyond(three[:, 0], three[:, 1], three[:, 2], given.c_o, given.ca_c_o, given.n_ca_c_o)
    return jnp.concatenate([three, o[:, None]], axis=1)


def ideal_internal(
    phi: Float[Array | np.ndarray, " L-1"],
    psi: Float[Array | np.ndarray, " L-1"],
    omega: Float[Array | np.ndarray, " L-1"] | float = np.pi,
) -> Internal:
    """Torsions with ideal lengths and angles: an alpha helix has phi -57 deg, psi -47 deg, a strand -120 and 130 deg.

    O lies in the plane of the peptide, that of the last residue as if its psi were that of the residue before.
    """
    phi, psi = jnp.asarray(phi), jnp.asarray(psi)
    between, all_ = jnp.ones_like(psi), jnp.ones((len(psi) + 1,), psi.dtype)
    end = jnp.concatenate([psi, psi[-1:]])
    return Internal(
        phi, psi, jnp.asarray(omega) * between,
        N_CA * all_, CA_C * all_, C_N * between,
        N_CA_C * all_, CA_C_N * between, C_N_CA * between,
        C_O * all_, CA_C_O * all_, end + jnp.pi,
    )  # fmt: skip


def beyond(
    a: Float[Array, "*batch 3"],
    b: Float[Array, "*batch 3"],
    c: Float[Array, "*batch 3"],
    length: Float[Array, "*batch"],
    bend: Float[Array, "*batch"],
    torsion: Float[Array, "*batch"],
) -> Float[Array, "*batch 3"]:
    """The point d with |d - c| = length, angle b c d = bend and torsion a b c d."""
    along = (c - b) / distance(b, c)[..., None]
    up = jnp.cross(b - a, along)
    up = up / jnp.linalg.norm(up, axis=-1, keepdims=True)
    across = jnp.cross(up, along)
    sine = jnp.sin(bend)
    local = jnp.cos(jnp.pi - bend)[..., None] * along + (sine * jnp.cos(torsion))[..., None] * across
    return c + length[..., None] * (local + (sine * jnp.sin(torsion))[..., None] * up)


def distance(a: Float[Array, "*batch 3"], b: Float[Array, "*batch 3"]) -> Float[Array, "*batch"]:
    return jnp.linalg.norm(b - a, axis=-1)


def angle(
    a: Float[Array, "*batch 3"], b: Float[Array, "*batch 3"], c: Float[Array, "*batch 3"]
) -> Float[Array, "*batch"]:
    """The angle a b c, in radians: right at 0 and pi too, where an arc cosine loses half of its digits."""
    u, v = a - b, c - b
    return jnp.arctan2(jnp.linalg.norm(jnp.cross(u, v), axis=-1), jnp.sum(u * v, axis=-1))


def dihedral(
    a: Float[Array, "*batch 3"], b: Float[Array, "*batch 3"], c: Float[Array, "*batch 3"], d: Float[Array, "*batch 3"]
) -> Float[Array, "*batch"]:
    """The torsion a b c d in (-pi, pi], in radians, signed as IUPAC has it; undefined where three lie on a line."""
    u, v, w = b - a, c - b, d - c
    first, second = jnp.cross(u, v), jnp.cross(v, w)
    sine = jnp.sum(jnp.linalg.norm(v, axis=-1, keepdims=True) * u * second, axis=-1)
    return jnp.arctan2(sine, jnp.sum(first * second, axis=-1))
