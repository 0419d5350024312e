"""Ewald's far sum on a mesh: smooth in the positions, and its cost grows like n log n."""

from __future__ import annotations

import functools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.messages import BadInput
from ._blocks import summed
from ._ewald import UNFADED, ChargeSum
from ._pairs import near_pairs
from ._structure import Structure

BLOCK = 512  # atoms
ORDER = 8  # of the splines: piecewise polynomials of degree 7, six times continuously differentiable


class MeshEwald(ChargeSum):
    """As `Ewald`, with the charges spread over a mesh by splines and the far sum taken by fast Fourier transform.

    The energy is a smooth function of the positions, and forces are its exact derivative, so that dynamics conserve it;
    they sum to zero only to the accuracy of the mesh.

    MeshEwald.of(structure, accuracy, cutoff)   cutoff in A, which sets the mesh: 6 to 9 is usual.
    Source: U. Essmann et al., J. Chem. Phys. 103, 8577 (1995).
    """

    mesh: tuple[int, int, int] = eqx.field(static=True)

    @classmethod
    def of(
        cls,
        structure: Structure,
        accuracy: float = 1e-5,
        cutoff: float | None = None,
        widest: float = 0.0,
        skin: float = 0.0,
    ) -> MeshEwald:
        if structure.cell is None:
            raise BadInput("a mesh sum is for periodic structures; use coulomb_energy for a molecule.")
        if not 1e-9 < accuracy < 0.1:
            raise BadInput(f"accuracy={accuracy}: a mesh reaches 1e-3 to 1e-8; use Ewald for more.")
        decay = math.sqrt(-2 * math.log(accuracy))
        reach = max(cutoff or 7.0, decay * math.sqrt(2) * widest / UNFADED)
        smear = UNFADED * reach / decay
        # a spline of order p follows a wave of length l on a mesh of spacing h to about (h / l)^p
        spacing = math.pi * smear / decay * min(1.0, 3 * accuracy ** (1 / ORDER))
        lengths = np.linalg.norm(np.asarray(structure.cell), axis=1)
        a, b, c = (good_size(max(ORDER, math.ceil(length / spacing))) for length in lengths)
        return cls(near_pairs(structure, reach, skin), smear, (a, b, c))

    def far(self, positions, cell, charges) -> Float[Array, ""]:
        spread = jnp.fft.rfftn(self.spread(positions, cell, charges))
        first, second, third = self.mesh
        counts = (np.fft.fftfreq(first, 1 / first), np.fft.fftfreq(second, 1 / second), np.arange(third // 2 + 1))
        waves = np.stack(np.meshgrid(*counts, indexing="ij"), axis=-1)
        vectors = 2 * math.pi * waves @ jnp.linalg.inv(cell).T
        square = jnp.sum(vectors**2, axis=-1)
        here = square > 0
        safe = jnp.where(here, square, 1.0)
        weights = jnp.where(here, 4 * math.pi / safe * jnp.exp(-0.5 * self.smear**2 * safe), 0.0)
        sharp = math.prod(np.ix_(*[sharpening(n)[: c.size] for n, c in zip(self.mesh, counts, strict=True)]))
        twice = np.full(counts[2].size, 2.0)  # rfftn keeps one of K and -K, except where they are the same
        twice[0] = 1.0
        twice[-1] = 1.0  # meshes are even
        strength = spread.real**2 + spread.imag**2
        return 0.5 * jnp.sum(weights * sharp * twice * strength) / jnp.linalg.det(cell)

    def spread(self, positions, cell, charges) -> Float[Array, "a b c"]:
        """Charge on the mesh, moved by ORDER - 1 points, which the strength of its waves does not tell."""
        mesh = np.asarray(self.mesh)
        places = (positions @ jnp.linalg.inv(cell)) % 1.0 * mesh
        below = jnp.minimum(jnp.floor(places), mesh - 1)  # -1e-17 % 1 is 1
        wide = summed(self.blocks, (below.astype(int), places - below, charges), BLOCK)
        # laid over the other side
        for axis, size in enumerate(self.mesh):
            inside, over = (jax.lax.slice_in_dim(wide, *ends, axis=axis) for ends in ((0, size), (size, None)))
            edge = [(0, 0)] * 3
            edge[axis] = (0, size - ORDER + 1)
            wide = inside + jnp.pad(over, edge)
        return wide

    def blocks(self, rows) -> Float[Array, "a b c"]:
        """Each atom adds a block to a mesh with ORDER - 1 layers more."""
        below, fractions, charges = rows
        weights = spline_weights(fractions)  # atoms, axes, points
        first, second, third = (weights[:, axis, ::-1] for axis in range(3))
        # as products of matrices, whose derivatives are such products too: ten times faster than those of a plain one
        outer = lambda a, b: jnp.einsum("ni,nj->nij", a, b)
        layers = outer(second, third).reshape(-1, ORDER**2)
        amount = outer(charges[:, None] * first, layers).reshape(-1, ORDER, ORDER, ORDER)
        where = jax.lax.ScatterDimensionNumbers(
            update_window_dims=(1, 2, 3), inserted_window_dims=(), scatter_dims_to_operand_dims=(0, 1, 2)
        )
        wide = jnp.zeros(np.asarray(self.mesh) + ORDER - 1, amount.dtype)
        return jax.lax.scatter_add(wide, below, amount, where, mode="promise_in_bounds")


def spline_weights(fraction: Float[Array, "..."]) -> Float[Array, "... order"]:
    """The cardinal B-spline M_p at fraction, fraction + 1, ..., fraction + p - 1: polynomials of the fraction."""
    powers = [jnp.ones_like(fraction)]
    for _ in range(ORDER - 1):
        powers.append(powers[-1] * fraction)
    return jnp.stack(powers, axis=-1) @ jnp.asarray(spline_pieces(), fraction.dtype)


@functools.cache
def spline_pieces() -> Float[np.ndarray, "order order"]:
    """Coefficients of the pieces of M_p: row m for the power m, column k for M_p(x + k) on 0 <= x <= 1."""
    from scipy.interpolate import BSpline, PPoly

    spline = BSpline.basis_element(np.arange(ORDER + 1.0), extrapolate=False)
    return PPoly.from_spline(spline.tck).c[::-1, ORDER - 1 : 2 * ORDER - 1]


def sharpening(count: int) -> Float[np.ndarray, " count"]:
    """|b(m)|^2, what undoes the smoothing by the splines, for every wave number."""
    from scipy.interpolate import BSpline

    knots = np.asarray(BSpline.basis_element(np.arange(ORDER + 1))(np.arange(1, ORDER)))
    phases = np.exp(2j * math.pi * np.outer(np.fft.fftfreq(count, 1 / count), np.arange(ORDER - 1)) / count)
    return 1 / np.abs(phases @ knots) ** 2


def good_size(count: int) -> int:
    """The next even number that a fast Fourier transform likes."""
    from scipy.fft import next_fast_len

    size = count
    while size % 2 or next_fast_len(size, real=True) != size:
        size += 1
    return size
