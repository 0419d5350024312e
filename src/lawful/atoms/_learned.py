"""A network near and classical physics far, learned together: what holds molecules apart is exact by construction."""

from __future__ import annotations

import math
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from .._core.messages import BadInput
from ._dispersion import Dispersion
from ._frames import Frame, Frames
from ._multipoles import Multipoles
from ._network import ShortRangeNetwork
from ._switch import cutoff_quintic
from ._units import COULOMB

ROOM = 0.3  # free to learn: ln(volume / volume of the free atom), at most, and the size of charges at the start
OVERLAP = (10.7, 60.0)  # sqrt(eV), of hydrogen and of others: exp-6 repulsion of A. Williams type at the start
RATE = 1.8  # 1/A, half of how fast clouds of two equal atoms fall off


class AtomsInMolecules(NamedTuple):
    """What each atom brings along, read off its own molecule.

    charges  e.   dipoles  e A.   volumes  in those of free atoms.   overlap  sqrt(eV).
    """

    charges: Float[Array, " atoms"]
    dipoles: Float[Array, "atoms 3"]
    volumes: Float[Array, " atoms"]
    overlap: Float[Array, " atoms"]


class HybridNetwork(eqx.Module):
    """Molecules, told apart as fragments: near each other a network, further away the laws of the far field.

        E = sum_i E_i(all that is near) + sum over pairs of atoms in different fragments of
            a_i a_j exp(-(b_i + b_j) r)                                 clouds overlap and repel
            k (q_i + p_i . d_i)(q_j + p_j . d_j) erf(r / ...) / r       charges and dipoles
            -C6 / (r^6 + R0^6) - s8 C8 / (r^8 + R0^8)                   dispersion
          - k/2 sum_i alpha_i |F_i|^2                                   atoms polarised by the field of other fragments

    A second network reads charge, dipole, volume and cloud of each atom off its own fragment, as if there were no
    other; charges are neutralised on it, polarisability grows with the volume and C6 with its square. So nothing of it
    changes when another molecule comes, and nothing leaks: beyond the short network's cutoff the energy is that of the
    molecules plus the laws above, with the same coefficients at any distance.

    elements        atomic numbers; dispersion coefficients of free atoms must be tabulated for them.
    cutoff          of the short network, A: 4 to 5. The first network that sees no other molecule ends there.
    sight           of the network that reads the atoms, A.
    channels, layers   of both.

    For clusters. In a cell use `atoms(frame)` with `Ewald` or `MeshEwald` and a `Dispersion` of its own.
    Sources: A. Tkatchenko and M. Scheffler, Phys. Rev. Lett. 102, 073005 (2009) (volumes); A. J. Stone, The Theory of
    Intermolecular Forces, 2nd ed. (2013) (the terms); `Dispersion`; `Multipoles`.
    """

    short: ShortRangeNetwork
    local: ShortRangeNetwork
    widths: Float[Array, " elements"]
    reach: Float[Array, " elements"]
    rates: Float[Array, " elements"]
    free: Dispersion

    def __init__(
        self,
        elements: tuple[int, ...],
        key: Key,
        cutoff: float = 4.5,
        sight: float = 3.5,
        channels: int = 16,
        layers: int = 2,
    ):
        first, second = jax.random.split(key)
        self.short = ShortRangeNetwork(elements, first, cutoff, channels, layers)
        self.short = eqx.tree_at(lambda n: n.scale, self.short, jnp.asarray(0.1))
        self.local = ShortRangeNetwork(elements, second, sight, channels, layers, outputs=5)
        self.widths = jnp.zeros(len(self.short.elements))
        self.reach = jnp.zeros(len(self.short.elements))
        self.rates = jnp.zeros(len(self.short.elements))
        table = Dispersion.free_atoms(np.array(self.short.elements))
        learned = [jnp.asarray(each) for each in (table.s8, table.a1, table.a2)]
        self.free = Dispersion(table.c6, table.alpha, table.quotient, *learned)

    @property
    def elements(self) -> tuple[int, ...]:
        return self.short.elements

    @property
    def cutoff(self) -> float:
        """Of the list of neighbours that both networks read."""
        return max(self.short.cutoff, self.local.cutoff)

    @property
    def shift(self) -> Float[Array, " elements"]:
        return self.short.shift

    def species(self, numbers: Int[np.ndarray, "..."]) -> Int[np.ndarray, "..."]:
        return self.short.species(numbers)

    def element_energies(self, frames: Frames) -> Float[np.ndarray, " elements"]:
        return self.short.element_energies(frames)

    def energy(self, frame: Frame) -> Float[Array, ""]:
        return sum(self.terms(frame).values(), jnp.zeros(()))

    def terms(self, frame: Frame) -> dict[str, Float[Array, ""]]:
        """Energies in eV: `short`, of all atoms; the others between fragments."""
        return {"short": self.short.energy(frame), **self.physics(frame)}

    def interaction(self, frame: Frame) -> dict[str, Float[Array, ""]]:
        """What the fragments do to each other: the terms, without what each would have by itself."""
        terms = self.terms(frame)
        return {**terms, "short": terms["short"] - self.short.energy(apart(frame))}

    def atoms(self, frame: Frame) -> AtomsInMolecules:
        """Zero for padding, but the volumes."""
        alone, real = apart(frame), frame.species >= 0
        _, said = self.local(alone.positions, alone.species, alone.neighbours, alone.cell)
        said = jnp.where(real[:, None], said, 0.0)
        assert frame.fragments is not None
        charges = jnp.where(real, frame.fragments.neutralised(ROOM * said[:, 0]), 0.0)
        start = jnp.where(jnp.asarray(self.elements) == 1, math.log(OVERLAP[0]), math.log(OVERLAP[1]))[frame.species]
        overlap = jnp.where(real, jnp.exp(start + said[:, 2]), 0.0)
        return AtomsInMolecules(
            charges, self.dipoles(alone, said[:, 3:]), jnp.exp(ROOM * jnp.tanh(said[:, 1])), overlap
        )

    def dipoles(self, alone: Frame, said: Float[Array, "atoms 2"]) -> Float[Array, "atoms 3"]:
        """p_i = sum over neighbours of the own fragment of (s_i + t_j) w(r) times the direction to j, e A."""
        table = alone.neighbours
        vectors = table.vectors(jnp.asarray(alone.positions), alone.cell)
        r = jnp.sqrt(jnp.sum(vectors**2, axis=-1))
        weights = (said[:, None, 0] + said[table.j, 1]) * cutoff_quintic(r, self.local.cutoff) * table.real / r
        return ROOM * jnp.einsum("nk,nkx->nx", weights, vectors)

    def physics(self, frame: Frame) -> dict[str, Float[Array, ""]]:
        atoms, (i, j, vectors, between) = self.atoms(frame), pairs_between(frame)
        square, ends, species = jnp.sum(vectors**2, axis=1), (i, j), frame.species
        summed = lambda energies: jnp.sum(jnp.where(between, energies, 0.0))
        of = lambda values: jnp.asarray(values)[species]
        rate = RATE * jnp.exp(of(self.rates))
        repulsion = atoms.overlap[i] * atoms.overlap[j] * jnp.exp(-(rate[i] + rate[j]) * jnp.sqrt(square))
        permanent = Multipoles(atoms.charges, atoms.dipoles, of(jax.nn.softplus(self.widths)))
        free = self.free
        c6, alpha, quotient = jax.lax.stop_gradient((free.c6, free.alpha, free.quotient))  # tabulated, not learned
        cloud = Dispersion(
            of(c6) * atoms.volumes**2,
            of(alpha) * atoms.volumes,
            of(quotient),
            free.s8,
            free.a1,
            free.a2,
        )
        return {
            "repulsion": summed(repulsion),
            "coulomb": summed(permanent.energies(vectors, ends)),
            "induction": self.induction(permanent, cloud.alpha, species, vectors, ends, between),
            "dispersion": summed(cloud.energies(square, i, j)),
        }

    def induction(self, permanent: Multipoles, alpha, species, vectors, ends, between) -> Float[Array, ""]:
        wider = eqx.tree_at(lambda m: m.widths, permanent, jax.nn.softplus(self.reach)[species])
        at_i, at_j = (jnp.where(between[:, None], field, 0.0) for field in wider.fields(vectors, ends))
        field = jnp.zeros_like(permanent.dipoles).at[ends[0]].add(at_i).at[ends[1]].add(at_j)
        return -0.5 * COULOMB * jnp.sum(alpha * jnp.sum(field**2, axis=1))


class Interactions(eqx.Module):
    """A `HybridNetwork` that is taught energies of interaction: that of a frame less those of its fragments."""

    hybrid: HybridNetwork

    @property
    def elements(self) -> tuple[int, ...]:
        return self.hybrid.elements

    @property
    def cutoff(self) -> float:
        return self.hybrid.cutoff

    @property
    def shift(self) -> Float[Array, " elements"]:
        return self.hybrid.shift

    def species(self, numbers: Int[np.ndarray, "..."]) -> Int[np.ndarray, "..."]:
        return self.hybrid.species(numbers)

    def element_energies(self, frames: Frames) -> Float[np.ndarray, " elements"]:
        """None: there is no energy of atoms in it, and it must vanish far away."""
        return np.zeros(len(self.elements))

    def energy(self, frame: Frame) -> Float[Array, ""]:
        return sum(self.hybrid.interaction(frame).values(), jnp.zeros(()))


def fragments_of(frame: Frame) -> Int[Array, " atoms"]:
    if frame.fragments is None:
        raise BadInput("the frames do not say which atoms belong together; give fragments=[Fragments.connected(...)].")
    if frame.cell is not None:
        raise BadInput("HybridNetwork is for clusters, but the frames repeat in a cell; leave the cell out.")
    return jnp.asarray(frame.fragments.of)


def apart(frame: Frame) -> Frame:
    """The same atoms, each of which sees its own fragment only."""
    fragments_of(frame)
    return eqx.tree_at(lambda f: f.neighbours, frame, frame.own)


def pairs_between(
    frame: Frame,
) -> tuple[Int[Array, " pairs"], Int[Array, " pairs"], Float[Array, "pairs 3"], Bool[Array, " pairs"]]:
    """All pairs i < j, the vectors from i to j (A), and which are real atoms of different fragments."""
    i, j = (jnp.asarray(end) for end in np.triu_indices(frame.species.shape[0], k=1))
    of, real, positions = fragments_of(frame), jnp.asarray(frame.species) >= 0, jnp.asarray(frame.positions)
    between = (of[i] != of[j]) & real[i] & real[j]
    return i, j, positions[j] - positions[i], between
