"""Dispersion coefficients that follow the bonds: those of reference molecules, weighed by coordination numbers."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._core.files import read_arrays
from .._core.messages import BadInput, listing
from ._dispersion import damped, faded_sum
from ._pairs import Pairs
from ._switch import fade_out
from ._units import BOHR, HARTREE

TABLE = Path(__file__).with_name("d3.npz")
STEEP, SHARP = 16.0, 4.0  # of the count of neighbours, and of the weights of reference molecules
COUNTED = 10.0, 12.0  # A: neighbours further away are not counted, so that molecules apart keep their own numbers


class CoordinationDispersion(eqx.Module):
    """D3: E = -sum_pairs C6 / (r^6 + R0^6) + s8 C8 / (r^8 + R0^8),    R0 = a1 sqrt(C8 / C6) + a2.

    C6 of a pair is a mean over reference molecules, whose weights exp(-4 (N - N_ref)^2) say how near the coordination
    numbers of both atoms are to theirs; N_i = sum_j 1 / (1 + exp(-16 (4/3 (R_i + R_j) / r - 1))) counts neighbours, up
    to 12 A only, where some 1e-7 are left: so that coefficients of molecules apart are exactly their own, and their
    limit -C6 / r^6 is exact. There is no factor s6 and no three-body term. `Dispersion` has coefficients of one's own.

    element    (atoms,), which of the rows below each atom has.
    c6         (elements, elements, references, references), eV A^6.
    numbers    (elements, references), of coordination; NaN where there are fewer.
    quotient   (elements,), A^2: C8 / C6 of a pair is 3 sqrt(quotient_i quotient_j).
    radii      (elements,), A, covalent.
    s8, a1, a2 (A)   may be fitted. Those given are of PBE0.
    fade       A: over so much before their cutoff near pairs fade out.

    Sources: S. Grimme, J. Antony, S. Ehrlich and H. Krieg, J. Chem. Phys. 132, 154104 (2010) (coefficients and
    coordination numbers); S. Grimme, S. Ehrlich and L. Goerigk, J. Comput. Chem. 32, 1456 (2011) (damping); P. Pyykko
    and M. Atsumi, Chem. Eur. J. 15, 186 (2009) (radii, of metals less 10 %). The tables are those of the program
    tad-dftd3 0.7.0 (Apache-2.0).
    """

    element: Int[np.ndarray | Array, " atoms"]
    c6: Float[np.ndarray | Array, "elements elements references references"]
    numbers: Float[np.ndarray | Array, "elements references"]
    quotient: Float[np.ndarray | Array, " elements"]
    radii: Float[np.ndarray | Array, " elements"]
    s8: float | Float[Array, ""] = 1.2177
    a1: float | Float[Array, ""] = 0.4145
    a2: float | Float[Array, ""] = 4.8593 * BOHR
    fade: float = eqx.field(static=True, default=2.0)

    @classmethod
    def of(cls, numbers: Int[np.ndarray, " atoms"]) -> CoordinationDispersion:
        """For atoms of these atomic numbers, 1 to 94; `BadInput` for others."""
        table = tabulated()
        elements, element = np.unique(np.asarray(numbers), return_inverse=True)
        beyond = [str(z) for z in elements if not 1 <= z < len(table.radii)]
        if beyond:
            raise BadInput(
                f"no coefficients are tabulated for the atomic numbers {listing(beyond)}; use Dispersion(...)."
            )
        c6 = table.c6[np.ix_(elements, elements)] * HARTREE * BOHR**6
        quotient = 0.5 * table.r4_over_r2[elements] * np.sqrt(elements) * BOHR**2
        return cls(element, c6, table.coordination[elements], quotient, table.radii[elements])

    def coordination(
        self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"] | None, pairs: Pairs
    ) -> Float[Array, " atoms"]:
        """How many neighbours each atom is bonded to, smoothly counted."""
        return self.counted(pairs.squares(positions, cell), pairs)

    def counted(self, square: Float[Array, " pairs"], pairs: Pairs) -> Float[Array, " atoms"]:
        radii, end = jnp.asarray(self.radii)[self.element], min(COUNTED[1], pairs.cutoff)
        touching = 4 / 3 * (radii[pairs.i] + radii[pairs.j])
        each = jax.nn.sigmoid(STEEP * (touching / jnp.sqrt(square) - 1)) * fade_out(
            square, COUNTED[0] / COUNTED[1] * end, end
        )
        ends = jnp.concatenate([jnp.asarray(pairs.i), jnp.asarray(pairs.j)])
        return jax.ops.segment_sum(jnp.concatenate([each, each]), ends, len(self.element))

    def weights(self, coordination: Float[Array, " atoms"]) -> Float[Array, "atoms references"]:
        """Of the reference molecules, at each atom; they add up to one."""
        known = jnp.asarray(self.numbers)[self.element]
        there = jnp.isfinite(known)
        away = coordination[:, None] - jnp.where(there, known, 0.0)
        return jax.nn.softmax(jnp.where(there, -SHARP * away**2, -jnp.inf), axis=1)

    def coefficients(
        self,
        coordination: Float[Array, " atoms"],
        i: Int[np.ndarray | Array, " pairs"],
        j: Int[np.ndarray | Array, " pairs"],
    ) -> tuple[Float[Array, " pairs"], Float[Array, " pairs"]]:
        """C6 (eV A^6) and C8 / C6 (A^2) of the pairs."""
        weights, element, quotient = self.weights(coordination), jnp.asarray(self.element), jnp.asarray(self.quotient)
        half = jnp.einsum("na,neab->neb", weights, jnp.asarray(self.c6)[element])
        c6 = jnp.sum(half[i, element[j]] * weights[j], axis=1)
        return c6, 3 * jnp.sqrt(quotient[element[i]] * quotient[element[j]])

    def __call__(
        self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"] | None, pairs: Pairs
    ) -> Float[Array, ""]:
        """Energy in eV. In a periodic cell what is beyond the cutoff of the pairs is missing: 12 A leaves a percent."""
        square = pairs.squares(positions, cell)
        c6, quotient = self.coefficients(self.counted(square, pairs), pairs.i, pairs.j)
        return faded_sum(damped(square, c6, quotient, self.s8, self.a1, self.a2), square, pairs, self.fade)


class Tabulated(NamedTuple):
    """By atomic number: C6 (hartree bohr^6) of pairs of reference molecules, their coordination numbers, <r^4> / <r^2>
    (bohr^2), covalent radii (A)."""

    c6: Float[np.ndarray, "elements elements references references"]
    coordination: Float[np.ndarray, "elements references"]
    r4_over_r2: Float[np.ndarray, " elements"]
    radii: Float[np.ndarray, " elements"]


@cache
def tabulated() -> Tabulated:
    """The file holds what is there of elements i <= j, row by row."""
    found, _ = read_arrays(TABLE)
    coordination = np.where(found["coordination"] < 0, np.nan, found["coordination"])
    most, counts = len(coordination), np.sum(np.isfinite(coordination), axis=1)
    c6, at = np.zeros((most, most, coordination.shape[1], coordination.shape[1])), 0
    for i in range(most):
        for j in range(i, most):
            n, m = counts[i], counts[j]
            c6[i, j, :n, :m] = found["c6"][at : at + n * m].reshape(n, m)
            c6[j, i, :m, :n] = c6[i, j, :n, :m].T
            at += n * m
    assert at == math.prod(found["c6"].shape)
    return Tabulated(c6, coordination, found["r4_over_r2"], found["radii"])
