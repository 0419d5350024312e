"""Charges, dipoles and quadrupoles on atoms, smeared: what they do to each other, and the field that polarises."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jax.scipy.special import erf, erfc
from jaxtyping import Array, Float, Int

from ._units import COULOMB

NEAR, TERMS = 2.0, 24  # the series of Boys' functions reaches rounding below x = 2
FAR = 9.0  # r^2 / w^2 above which 1/r - 1/R is taken as one fraction
CENTRES = 1.0  # A^2, what keeps the inverse distance of centres finite

Ends = tuple[Int[Array, " pairs"], Int[Array, " pairs"]]


class Multipoles(eqx.Module):
    """Gaussian charges, dipoles and quadrupoles of atoms.

        E_ij = k (q_i + p_i . d_i + Q_i : d_i d_i)(q_j + p_j . d_j + Q_j : d_j d_j) f(r),
        f = erf(r / sqrt(2 (w_i^2 + w_j^2))) / r

    with d_i the gradient along the place of atom i. Far away these are the laws of points: 1/r between charges, 1/r^2
    between a charge and a dipole, up to 1/r^5 between quadrupoles.

    charges      (atoms,), e.
    dipoles      (atoms, 3), e A.
    quadrupoles  (atoms, 3, 3), e A^2, symmetric and without a trace: a third of the traceless quadrupoles of A. D.
                 Buckingham.
    widths       (atoms,), A.
    """

    charges: Float[Array, " atoms"]
    dipoles: Float[Array, "atoms 3"]
    quadrupoles: Float[Array, "atoms 3 3"]
    widths: Float[Array, " atoms"]

    def energies_and_fields(
        self, vectors: Float[Array, "pairs 3"], ends: Ends, more: Float[Array, "pairs 3"] | None = None
    ) -> tuple[Float[Array, " pairs"], Float[Array, "pairs 3"], Float[Array, "pairs 3"]]:
        """Of each pair, from the vectors (A) from i to j: its energy (eV), and the fields that j brings about at i and
        i at j, in e/A^2.

        more   where the atoms belong to molecules: what to add to the vectors between two atoms to get those (A)
               between the centres of their molecules. Energies are then less those of the same charges at the centres
               (`at_centres`), which cancel in neutral molecules, and far away would take all digits along.
        """
        width, square = self.width(ends), jnp.sum(vectors**2, axis=1)
        f = kernel(square, width)
        if more is not None:
            f[0] = without_centres(f[0], square, width, jnp.sum(more * (2 * vectors + more), axis=1))
        at_i, at_j = (self.seen(end, vectors) for end in ends)
        return self.energies(f, vectors, ends), at_j.field(f, vectors, 1.0), at_i.field(f, vectors, -1.0)

    def width(self, ends: Ends) -> Float[Array, " pairs"]:
        """Of each pair, A."""
        i, j = ends
        return jnp.sqrt(self.widths[i] ** 2 + self.widths[j] ** 2)

    def energies(
        self, f: Sequence[Float[Array, " pairs"]], vectors: Float[Array, "pairs 3"], ends: Ends
    ) -> Float[Array, " pairs"]:
        """Of each pair, eV, with any f and its first four derivatives by (1/r d/dr)."""
        at_i, at_j = (self.seen(end, vectors) for end in ends)
        # i is looked at against the vector, which turns the sign of what is odd in it
        return COULOMB * (
            at_i.charge * at_j.charge * f[0]
            + f[1] * (at_i.charge * at_j.dipole - at_j.charge * at_i.dipole - dot(at_i.along, at_j.along))
            + f[2] * (at_i.charge * at_j.quadrupole + at_j.charge * at_i.quadrupole - at_i.dipole * at_j.dipole)
            + 2 * f[2] * (dot(at_j.along, at_i.across) - dot(at_i.along, at_j.across) + self.both(*ends))
            + f[3] * (at_j.dipole * at_i.quadrupole - at_i.dipole * at_j.quadrupole + 4 * dot(at_i.across, at_j.across))
            + f[4] * at_i.quadrupole * at_j.quadrupole
        )

    def seen(self, atom: Int[Array, " pairs"], vectors: Float[Array, "pairs 3"]) -> Seen:
        dipoles, across = self.dipoles[atom], jnp.einsum("nab,nb->na", self.quadrupoles[atom], vectors)
        return Seen(self.charges[atom], dipoles, dot(dipoles, vectors), across, dot(across, vectors))

    def both(self, i: Int[Array, " pairs"], j: Int[Array, " pairs"]) -> Float[Array, " pairs"]:
        """Q_i : Q_j."""
        return jnp.einsum("nab,nab->n", self.quadrupoles[i], self.quadrupoles[j])


class Seen(NamedTuple):
    """The multipoles of an atom along a vector R: q, p, p . R, Q R and R Q R."""

    charge: Float[Array, " pairs"]
    along: Float[Array, "pairs 3"]
    dipole: Float[Array, " pairs"]
    across: Float[Array, "pairs 3"]
    quadrupole: Float[Array, " pairs"]

    def field(
        self, f: Sequence[Float[Array, " pairs"]], vectors: Float[Array, "pairs 3"], sign: float
    ) -> Float[Array, "pairs 3"]:
        """Where the vector comes from (sign 1) or, for one that starts at this atom, where it goes (-1); e/A^2."""
        toward = f[2] * self.dipole + sign * (f[1] * self.charge + f[3] * self.quadrupole)
        return toward[:, None] * vectors + f[1][:, None] * self.along + (2 * sign * f[2])[:, None] * self.across


def dot(a: Float[Array, "pairs 3"], b: Float[Array, "pairs 3"]) -> Float[Array, " pairs"]:
    return jnp.sum(a * b, axis=1)


def kernel(square: Float[Array, " pairs"], width: Float[Array, " pairs"]) -> list[Float[Array, " pairs"]]:
    """F = erf(r / (sqrt(2) width)) / r and its first four derivatives by (1/r d/dr), smooth at r = 0.

    The n-th is (-2 a^2)^n 2 a / sqrt(pi) F_n(a^2 r^2), a = 1 / (sqrt(2) width), with Boys' functions
    F_n(x) = integral_0^1 t^2n exp(-x t^2) dt.
    """
    a = 1 / (math.sqrt(2) * width)
    front = 2 / math.sqrt(math.pi) * a
    return [front * (-2 * a**2) ** n * each for n, each in enumerate(boys(a**2 * square, 5))]


def without_centres(
    inverse: Float[Array, " pairs"],
    square: Float[Array, " pairs"],
    width: Float[Array, " pairs"],
    longer: Float[Array, " pairs"],
) -> Float[Array, " pairs"]:
    """erf(r / (sqrt(2) w)) / r - 1 / S with S^2 = R^2 + 1 A^2, out of r^2 and R^2 - r^2, without cancellation far away.

    Any function of R would do, since neutral molecules take no notice of it. This one is finite where centres meet, as
    they do in a cage and its guest.
    """
    far = square > FAR * width**2
    r = jnp.sqrt(jnp.where(far, square, 1.0))
    centres = jnp.sqrt(square + longer + CENTRES)
    apart = (longer + CENTRES) / (r * centres * (r + centres)) - erfc(r / (math.sqrt(2) * width)) / r
    return jnp.where(far, apart, inverse - 1 / centres)


def at_centres(
    first: Float[Array, " pairs"], second: Float[Array, " pairs"], vectors: Float[Array, "pairs 3"]
) -> Float[Array, " pairs"]:
    """Energies k Q_i Q_j / S, eV, of charges (e) at centres with these vectors (A) between them."""
    return COULOMB * first * second / jnp.sqrt(jnp.sum(vectors**2, axis=1) + CENTRES)


def boys(x: Float[Array, "..."], count: int) -> list[Float[Array, "..."]]:
    """F_0, F_1, ...: by 2 x F_(n+1) = (2 n + 1) F_n - exp(-x) upward; near zero, where that cancels, downward from the
    series of the last, sum_k (-x)^k / (k! (2 n + 2 k + 1))."""
    near, last = x < NEAR, count - 1
    small, large = jnp.where(near, x, 0.0), jnp.where(near, NEAR, x)
    root, fall, rise = jnp.sqrt(large), jnp.exp(-large), jnp.exp(-small)
    up = [0.5 * math.sqrt(math.pi) * erf(root) / root]
    for n in range(last):
        up.append(((2 * n + 1) * up[-1] - fall) / (2 * large))
    terms = [(-1) ** k / (math.factorial(k) * (2 * last + 2 * k + 1)) for k in range(TERMS)]
    down = [jnp.polyval(jnp.array(terms[::-1], small.dtype), small)]
    for n in reversed(range(last)):
        down.insert(0, (2 * small * down[0] + rise) / (2 * n + 1))
    return [jnp.where(near, *each) for each in zip(down, up, strict=True)]
