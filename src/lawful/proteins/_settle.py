"""The last touch on a chain: bonds, torsions and clashes mended together, all residues free to turn and to move."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from .._core.compilation import compiled
from ..fields.equivariant import Frames, rotation_log
from ._chain_atoms import spread_out
from ._chain_energies import KT, clash_energy, hydrogen_bond_energy, peptide_energy, ramachandran_energy, torsions
from ._relax import joint, solve_tridiagonal

LOOSE = (0.5, 1.5)
"""Standard deviations of where a network put a residue: turn (rad) and shift (A)."""
USUAL = 2.0
"""How many times the Ramachandran energy counts."""
BOLDEST = 0.3
"""Turn (rad) and shift (A) of one step at most."""
CURVED = 8.0
"""kT/rad^2 that phi and psi are taken to have in the metric."""
STIFF = 1e6
"""The curvature of what is held."""
MEMORY = 8
STEPS = 150

Wish = Callable[[Frames], Float[Array, ""]]


def chain_energy(frames: Frames, start: Frames, real: Bool[Array, " n"]) -> Float[Array, ""]:
    """What `settled` makes small, kT: bonds, torsions, clashes, hydrogen bonds nearly formed, and how far it went."""
    gone = start.relative(frames)
    turned, shifted = rotation_log(gone.rotation) / LOOSE[0], gone.origin / LOOSE[1]
    tether = 0.5 * jnp.sum(jnp.where(real[:, None], turned**2 + shifted**2, 0.0))
    kcal = clash_energy(frames, real) + hydrogen_bond_energy(frames, real)
    return peptide_energy(frames, real) + USUAL * ramachandran_energy(frames, real) + kcal / KT + tether


class _Walk(NamedTuple):
    frames: Frames
    value: Float[Array, ""]
    slope: Float[Array, "n 6"]
    steps: Float[Array, "memory n 6"]  # what was gone
    bends: Float[Array, "memory n 6"]  # by how much the slope changed
    stride: Float[Array, ""]


@eqx.filter_jit
def settled(
    frames: Frames,
    real: Bool[Array, " n"],
    wish: Wish | None = None,
    steps: int | Array = STEPS,
    held: Bool[Array, " n"] | None = None,
) -> Frames:
    """A nearby chain of low energy: ideal peptide bonds, usual torsions, no atoms in each other.

        minimise  1/2 sum (bond off / its spread)^2  +  2 sum log(1 + 0.3/p(phi, psi))  +  E_clash/kT + E_hb/kT
                  + 1/2 sum (turn / 0.5)^2 + (shift / 1.5 A)^2  +  wish(frames)

    wish    a further energy, in kT, such as a disulfide's.
    steps   gradients; 150.
    held    residues that stay where they are, to the bit, such as a motif.

    By L-BFGS whose first guess of the curvature is that of bonds and torsions: block-tridiagonal, six unknowns a
    residue. A step that raises the energy is taken back and tried at a third. Bonds, torsions and clashes are what
    `scores` look at: after this they are no independent evidence any more.

    Source: J. Nocedal and S. J. Wright, Numerical Optimization (2006), algorithm 7.4.
    """
    start = spread_out(frames, real)
    ask = lambda at: chain_energy(at, start, real) + (0.0 if wish is None else wish(at))
    inside = (real if held is None else real & ~held)[:, None]

    def look(at: Frames) -> tuple[Float[Array, ""], Float[Array, "n 6"]]:
        nothing = jnp.zeros((len(real), 6), at.origin.dtype)
        value, slope = jax.value_and_grad(lambda move: ask(at.moved(move[:, :3], move[:, 3:])))(nothing)
        return value, jnp.where(inside, slope, 0.0)

    def step(_: Array, walk: _Walk) -> _Walk:
        move = -newton_like(walk, metric(walk.frames, real, inside)) * inside
        # Downhill in any case; no residue further than is safe.
        move = jnp.where(jnp.sum(move * walk.slope) < 0, move, -walk.slope * 1e-3)
        move = move * jnp.minimum(1.0, BOLDEST / (jnp.max(jnp.abs(move)) + 1e-12)) * walk.stride
        there = walk.frames.moved(move[:, :3], move[:, 3:])
        value, slope = look(there)
        better = value < walk.value
        bend = slope - walk.slope
        curved = better & (jnp.sum(bend * move) > 1e-9 * jnp.sum(bend**2))
        pushed = lambda old, new: jnp.where(curved, jnp.concatenate([old[1:], new[None]]), old)
        new = _Walk(there, value, slope, pushed(walk.steps, move), pushed(walk.bends, bend),
                    jnp.minimum(1.0, walk.stride * 2))  # fmt: skip
        return jax.tree.map(lambda a, b: jnp.where(better, a, b), new, walk._replace(stride=walk.stride / 3))

    none = jnp.zeros((MEMORY, len(real), 6), start.origin.dtype)
    one = jnp.ones((), start.origin.dtype)
    # The first step goes nowhere and looks around: the gradient is compiled once.
    walk = jax.lax.fori_loop(0, steps + 1, step, _Walk(start, one * jnp.inf, none[0], none, none, one))
    return Frames(walk.frames.rotation, jnp.where(real[:, None], walk.frames.origin, 0.0))


Metric = tuple[Float[Array, "n 6 6"], Float[Array, "m 6 6"]]


def metric(frames: Frames, real: Bool[Array, " n"], free: Bool[Array, "n 1"]) -> Metric:
    """The curvature of bonds, torsions and the tether: blocks on and above the diagonal. What is not free is stiff."""
    joined = (real[:-1] & real[1:])[:, None]

    def looks(move: Float[Array, " 12"], here: Frames, there: Frames) -> Float[Array, " 6"]:
        both = Frames(
            jnp.stack([here.rotation, there.rotation]), jnp.stack([here.origin, there.origin])
        ).moved(move.reshape(2, 6)[:, :3], move.reshape(2, 6)[:, 3:])  # fmt: skip
        phi, psi = torsions(both)
        bonds = joint(both.map(lambda x: x[0]), both.map(lambda x: x[1]))
        return jnp.concatenate([bonds, (CURVED * USUAL) ** 0.5 * jnp.concatenate([phi, psi])])

    nothing = jnp.zeros(12, frames.origin.dtype)
    slope = jax.vmap(jax.jacfwd(looks), (None, 0, 0))(
        nothing, frames.map(lambda x: x[:-1]), frames.map(lambda x: x[1:])
    )
    slope = jnp.where(joined[..., None], slope, 0.0)
    inner = jnp.einsum("nka,nkb->nab", slope, slope)
    tether = jnp.diag(jnp.repeat(jnp.asarray(LOOSE, slope.dtype) ** -2, 3)) + 2.0 * jnp.eye(6, dtype=slope.dtype)
    stiff = jnp.where(free | ~real[:, None], 0.0, STIFF)[..., None] * jnp.eye(6, dtype=slope.dtype)
    diagonal = jnp.broadcast_to(tether, (len(real), 6, 6)) + stiff
    diagonal = diagonal.at[:-1].add(inner[:, :6, :6]).at[1:].add(inner[:, 6:, 6:])
    return diagonal, inner[:, :6, 6:]


def newton_like(walk: _Walk, curvature: Metric) -> Float[Array, "n 6"]:
    """The inverse curvature times the slope, by the last steps and the metric (two-loop recursion)."""
    dot = lambda a, b: jnp.sum(a * b)
    products = jax.vmap(dot)(walk.steps, walk.bends)
    known = products > 0
    inverse = jnp.where(known, 1 / jnp.where(known, products, 1.0), 0.0)
    kept = (walk.steps, walk.bends, inverse)

    def down(q: Array, pair: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        gone, bend, inverse = pair
        share = inverse * dot(gone, q)
        return q - share * bend, share

    def up(r: Array, pair: tuple[Array, Array, Array, Array]) -> tuple[Array, None]:
        gone, bend, inverse, share = pair
        return r + (share - inverse * dot(bend, r)) * gone, None

    q, shares = jax.lax.scan(down, walk.slope, kept, reverse=True)
    return jax.lax.scan(up, solve_tridiagonal(*curvature, q), (*kept, shares))[0]


@compiled(lambda *_, **__: 1)
def all_settled(
    frames: Frames,
    real: Bool[Array, "chains n"],
    wish: Wish | None = None,
    steps: int | Array = STEPS,
    held: Bool[Array, " n"] | None = None,
) -> Frames:
    """`settled` of several chains."""
    return jax.vmap(lambda frames, real: settled(frames, real, wish, steps, held))(frames, real)
