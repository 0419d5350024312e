"""Joining the residues of a chain with ideal peptide bonds, while they stay where they were put."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ..fields.equivariant import Frames
from ._ideal import C_N, C_N_CA, CA_C, CA_C_N, N_CA, N_CA_C
from ._torsions import angle, dihedral

SPREAD = np.array([0.012, *np.deg2rad([1.6, 1.8, 5.0])])
"""Of C-N bonds (A), the angles CA-C-N and C-N-CA and of omega (rad) in real chains."""
FREEDOM = np.array([*np.deg2rad([15.0, 15.0, 15.0]), 0.3, 0.3, 0.3])
"""Standard deviations of where a network put a residue: turn (rad) and shift (A)."""
BOLDEST = 0.5
"""Turn (rad) and shift (A) of one step at most."""


def joint(here: Frames, there: Frames) -> Float[Array, " 4"]:
    """How far a peptide bond is from ideal, in standard deviations of real ones: its length, its two angles, omega."""
    place = lambda frames, x: frames.apply(jnp.asarray(x, frames.origin.dtype))
    ca, c = here.origin, place(here, [CA_C, 0.0, 0.0])
    n, after = place(there, [N_CA * np.cos(N_CA_C), N_CA * np.sin(N_CA_C), 0.0]), there.origin
    twist = dihedral(ca, c, n, after)
    off = jnp.stack(
        [jnp.linalg.norm(n - c) - C_N, angle(ca, c, n) - CA_C_N, angle(c, n, after) - C_N_CA,
         jnp.arctan2(-jnp.sin(twist), -jnp.cos(twist))]
    )  # fmt: skip
    return off / SPREAD


@eqx.filter_jit
def relaxed(frames: Frames, real: Bool[Array, " n"], steps: int = 15) -> Frames:
    """The chain with ideal peptide bonds (trans) that is nearest to the one given, by Gauss-Newton steps.

        minimise  sum over joints (off / spread)^2 + sum over residues (turn / 15 deg)^2 + (shift / 0.3 A)^2

    Six unknowns a residue, each joined with the next only: a step solves a block-tridiagonal system. Residues keep
    their own ideal geometry. It mends bonds; it knows nothing of clashes, torsions phi and psi, or folds.
    """
    joined = real[:-1] & real[1:]

    def offs(move: Float[Array, " 12"], here: Frames, there: Frames) -> Array:
        return joint(here.moved(move[:3], move[3:6]), there.moved(move[6:9], move[9:]))

    def step(carry: tuple[Frames, Array], _: None) -> tuple[tuple[Frames, Array], None]:
        now, moved = carry
        here, there = now.map(lambda x: x[:-1]), now.map(lambda x: x[1:])
        nothing = jnp.zeros(12, now.origin.dtype)
        off = jax.vmap(offs, (None, 0, 0))(nothing, here, there) * joined[:, None]
        slope = jax.vmap(jax.jacfwd(offs), (None, 0, 0))(nothing, here, there) * joined[:, None, None]
        inner = jnp.einsum("nka,nkb->nab", slope, slope)
        pull = jnp.einsum("nka,nk->na", slope, off)
        count = now.origin.shape[0]
        diagonal = jnp.broadcast_to(jnp.diag(1 / FREEDOM**2).astype(pull.dtype), (count, 6, 6))
        diagonal = diagonal.at[:-1].add(inner[:, :6, :6]).at[1:].add(inner[:, 6:, 6:])
        right = moved / FREEDOM**2
        right = right.at[:-1].add(pull[:, :6]).at[1:].add(pull[:, 6:])
        change = -solve_tridiagonal(diagonal, inner[:, :6, 6:], right)
        change = change * jnp.minimum(1.0, BOLDEST / (jnp.max(jnp.abs(change), axis=-1, keepdims=True) + 1e-12))
        return (now.moved(change[:, :3], change[:, 3:]), moved + change), None

    start = jnp.zeros((frames.origin.shape[0], 6), frames.origin.dtype)
    (found, _), _ = jax.lax.scan(step, (frames, start), length=steps)
    return found


def solve_tridiagonal(
    diagonal: Float[Array, "n k k"], above: Float[Array, "m k k"], right: Float[Array, "n k"]
) -> Float[Array, "n k"]:
    """The x with D_i x_i + A_i x_i+1 + A_i-1^T x_i-1 = r_i, by elimination from the first block on."""
    k = right.shape[1]
    zero = jnp.zeros((1, k, k), right.dtype)

    def eliminate(carry: tuple[Array, Array], row: tuple) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        share, answer = carry
        d, below, above, r = row
        both = jnp.linalg.solve(d - below.T @ share, jnp.concatenate([above, (r - below.T @ answer)[:, None]], axis=1))
        return (both[:, :k], both[:, k]), (both[:, :k], both[:, k])

    rows = (diagonal, jnp.concatenate([zero, above]), jnp.concatenate([above, zero]), right)
    _, (shares, answers) = jax.lax.scan(eliminate, (zero[0], jnp.zeros(k, right.dtype)), rows)

    def substitute(after: Array, row: tuple[Array, Array]) -> tuple[Array, Array]:
        x = row[1] - row[0] @ after
        return x, x

    return jax.lax.scan(substitute, jnp.zeros(k, right.dtype), (shares, answers), reverse=True)[1]
