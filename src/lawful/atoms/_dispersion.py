"""The attraction of all matter, -C6 / r^6 - C8 / r^8, damped where electron clouds meet."""

from __future__ import annotations

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._core.messages import BadInput, listing
from ._pairs import Pairs
from ._switch import fade_out
from ._units import BOHR, HARTREE

FREE_ATOMS: dict[int, tuple[float, float, float]] = {
    1: (6.5, 4.5, 2.0),
    2: (1.46, 1.38, 1.78),
    3: (1387.0, 164.2, 2.4),
    6: (46.6, 12.0, 2.5),
    7: (24.2, 7.4, 2.6),
    8: (15.6, 5.4, 2.75),
    9: (9.52, 3.8, 2.9),
    10: (6.38, 2.67, 2.91),
    11: (1556.0, 162.7, 3.0),
    14: (305.0, 37.0, 4.2),
    15: (185.0, 25.0, 4.01),
    16: (134.0, 19.6, 3.86),
    17: (94.6, 15.0, 3.79),
    18: (64.3, 11.1, 3.55),
    35: (162.0, 20.0, 4.2),
    36: (129.6, 16.8, 3.82),
    53: (385.0, 35.0, 4.57),
    54: (285.9, 27.3, 4.22),
}
"""C6 (hartree bohr^6), polarisability (bohr^3) and <r^4> / <r^2> (bohr^2, estimated) of free atoms.

C6 and polarisabilities: X. Chu and A. Dalgarno, J. Chem. Phys. 121, 4083 (2004), as tabulated for A. Tkatchenko and M.
Scheffler, Phys. Rev. Lett. 102, 073005 (2009).
"""


class Dispersion(eqx.Module):
    """E = -sum_pairs C6 / (r^6 + R0^6) + s8 C8 / (r^8 + R0^8),    R0 = a1 sqrt(C8 / C6) + a2.

    The damping stands inside the denominator, so that nothing overflows and the limit -C6 / r^6 is exact, with the C6
    that was given: there is no factor s6.

    c6         (atoms,), eV A^6, of pairs of equal atoms.
    alpha      (atoms,), A^3, polarisabilities: only their ratios enter.
    quotient   (atoms,), A^2: C8 / C6 of a pair is 3 sqrt(quotient_i quotient_j).
    s8, a1, a2 (A)   may be fitted. Those of PBE0 are 1.22, 0.41, 2.57.
    fade       A: over so much before their cutoff near pairs fade out, with three continuous derivatives. All pairs
               of a cluster have no cutoff, and the tail is exact.

    Pairs of unlike atoms: 2 C6_i C6_j / (C6_i alpha_j / alpha_i + C6_j alpha_i / alpha_j).
    Source: S. Grimme, S. Ehrlich and L. Goerigk, J. Comput. Chem. 32, 1456 (2011) (damping); A. Tkatchenko and M.
    Scheffler, Phys. Rev. Lett. 102, 073005 (2009) (unlike atoms).
    """

    c6: Float[Array | np.ndarray, " atoms"]
    alpha: Float[Array | np.ndarray, " atoms"]
    quotient: Float[Array | np.ndarray, " atoms"]
    s8: float | Float[Array, ""] = 1.2177
    a1: float | Float[Array, ""] = 0.4145
    a2: float | Float[Array, ""] = 4.8593 * BOHR
    fade: float = eqx.field(static=True, default=2.0)

    @classmethod
    def free_atoms(cls, numbers: Int[np.ndarray, " atoms"]) -> Dispersion:
        """With the coefficients of free atoms. Raises `BadInput` for an element that the table lacks."""
        unknown = sorted(set(np.asarray(numbers).tolist()) - set(FREE_ATOMS))
        if unknown:
            raise BadInput(
                f"no dispersion coefficients are tabulated for the atomic numbers {listing(map(str, unknown))}; give"
                " c6, alpha and quotient to Dispersion(...)."
            )
        table = np.array([FREE_ATOMS[int(number)] for number in numbers])
        return cls(table[:, 0] * HARTREE * BOHR**6, table[:, 1] * BOHR**3, table[:, 2] ** 2 * BOHR**2)

    def coefficients(
        self, i: Int[np.ndarray | Array, " pairs"], j: Int[np.ndarray | Array, " pairs"]
    ) -> tuple[Float[Array, " pairs"], Float[Array, " pairs"]]:
        """C6 (eV A^6) and C8 / C6 (A^2) of the pairs."""
        c6, ratio = jnp.asarray(self.c6), self.alpha[j] / self.alpha[i]
        mixed = 2 * c6[i] * c6[j] / (c6[i] * ratio + c6[j] / ratio)
        return mixed, 3 * jnp.sqrt(jnp.asarray(self.quotient[i] * self.quotient[j]))

    def energies(
        self, square: Float[Array, " pairs"], i: Int[np.ndarray | Array, " pairs"], j: Int[np.ndarray | Array, " pairs"]
    ) -> Float[Array, " pairs"]:
        """Of each pair, eV, from the squared distance (A^2)."""
        return damped(square, *self.coefficients(i, j), self.s8, self.a1, self.a2)

    def __call__(
        self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"] | None, pairs: Pairs
    ) -> Float[Array, ""]:
        """Energy in eV. In a periodic cell what is beyond the cutoff of the pairs is missing: 12 A leaves a percent."""
        square = pairs.squares(positions, cell)
        return faded_sum(self.energies(square, pairs.i, pairs.j), square, pairs, self.fade)


def damped(
    square: Float[Array, " pairs"],
    c6: Float[Array, " pairs"],
    quotient: Float[Array, " pairs"],
    s8: float | Float[Array, ""],
    a1: float | Float[Array, ""],
    a2: float | Float[Array, ""],
) -> Float[Array, " pairs"]:
    """-C6 / (r^6 + R0^6) - s8 C8 / (r^8 + R0^8) from r^2, C6 and C8 / C6."""
    radius = (a1 * jnp.sqrt(quotient) + a2) ** 2
    return -c6 * (1 / (square**3 + radius**3) + s8 * quotient / (square**4 + radius**4))


def faded_sum(
    energies: Float[Array, " pairs"], square: Float[Array, " pairs"], pairs: Pairs, fade: float
) -> Float[Array, ""]:
    """Over the pairs, which fade out over so much before their cutoff."""
    if not 0 < fade <= pairs.cutoff:
        raise BadInput(f"fade={fade}: a length in A above 0 and up to the pairs' cutoff, {pairs.cutoff:g}.")
    if math.isfinite(pairs.cutoff):
        energies = energies * fade_out(square, pairs.cutoff - fade, pairs.cutoff)
    return jnp.sum(energies)
