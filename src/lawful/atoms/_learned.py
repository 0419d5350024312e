"""A network near and classical physics far, learned together: what holds molecules apart is exact by construction."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erfc
from jaxtyping import Array, Float, Int, Key

from .._core.messages import BadInput
from ._between import Between, apart, fragments_of
from ._dispersion import Dispersion
from ._frames import Frame, Frames
from ._multipole_ewald import MultipoleEwald
from ._multipoles import Multipoles
from ._network import ShortRangeNetwork
from ._switch import cutoff_quintic
from ._units import COULOMB

ROOM = 0.3  # free to learn: ln(volume / volume of the free atom), at most, and the size of charges at the start
OVERLAP = (10.7, 60.0)  # sqrt(eV), of hydrogen and of others: exp-6 repulsion of A. Williams type at the start
RATE = 1.8  # 1/A, half of how fast clouds of two equal atoms fall off


class AtomsInMolecules(NamedTuple):
    """What each atom brings along, read off its own molecule.

    charges  e.   dipoles  e A.   quadrupoles  e A^2, as in `Multipoles`.
    volumes  in those of free atoms.   widths  of their clouds, in those of the element.
    overlap, penetration  sqrt(eV): how much clouds repel each other, and attract the other's core, where they meet.
    """

    charges: Float[Array, " atoms"]
    dipoles: Float[Array, "atoms 3"]
    quadrupoles: Float[Array, "atoms 3 3"]
    volumes: Float[Array, " atoms"]
    widths: Float[Array, " atoms"]
    overlap: Float[Array, " atoms"]
    penetration: Float[Array, " atoms"]


class HybridNetwork(eqx.Module):
    """Molecules, told apart as fragments: near each other a network, further away the laws of the far field.

        E = sum_i E_i(all that is near) + sum over pairs of atoms in different fragments of
            a_i a_j exp(-(b_i + b_j) r)                                 clouds overlap and repel
            k (q_i + p_i . d_i + ...)(q_j + p_j . d_j + ...) erf / r    charges to quadrupoles (`Multipoles`)
            - g_i g_j exp(-(c_i + c_j) r) + ...                         cores within the other's cloud
            -C6 / (r^6 + R0^6) - s8 C8 / (r^8 + R0^8)                   dispersion
          - k/2 sum_i alpha_i |F_i|^2                                   atoms polarised by the field of other fragments

    A second network reads charge, dipole, volume and cloud of each atom off its own fragment, as if there were no
    other; charges are neutralised on it, polarisability grows with the volume and C6 with its square. So nothing of it
    changes when another molecule comes, and nothing leaks: beyond the short network's cutoff the energy is that of the
    molecules plus the laws above, with the same coefficients at any distance. Widths, rates and the damping of
    dispersion are learned for each element; free atoms' C6 and polarisabilities are not.

    elements        atomic numbers; dispersion coefficients of free atoms must be tabulated for them.
    cutoff          of the short network, A: 4 to 5. Molecules further apart are held by physics alone.
    sight           of the network that reads the atoms, A.
    channels, layers   of both: 12 and 1 learn a thousand dimers on a laptop in half an hour.

    It learns from clusters; `molecular_potential` makes a potential of it, for clusters and for cells.
    Sources: A. Tkatchenko and M. Scheffler, Phys. Rev. Lett. 102, 073005 (2009) (volumes); A. J. Stone, The Theory of
    Intermolecular Forces, 2nd ed. (2013) (the terms); `Dispersion`; `Multipoles`.
    """

    short: ShortRangeNetwork
    local: ShortRangeNetwork
    widths: Float[Array, " elements"]
    rates: Float[Array, "2 elements"]
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
        self.local = ShortRangeNetwork(elements, second, sight, channels, layers, outputs=9)
        self.widths = jnp.full(len(self.short.elements), -0.6)
        self.rates = jnp.zeros((2, len(self.short.elements)))
        table = Dispersion.free_atoms(np.array(self.short.elements))
        s8, a1, a2 = (jnp.asarray(each) for each in (table.s8, table.a1, table.a2))
        self.free = Dispersion(table.c6, table.alpha, table.quotient, s8, a1, a2)

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

    @property
    def named(self) -> tuple[str, ...]:
        """Its terms."""
        return ("short", "repulsion", "coulomb", "induction", "dispersion")

    def species(self, numbers: Int[np.ndarray, "..."]) -> Int[np.ndarray, "..."]:
        return self.short.species(numbers)

    def element_energies(self, frames: Frames) -> Float[np.ndarray, " elements"]:
        return self.short.element_energies(frames)

    def energy(self, frame: Frame) -> Float[Array, ""]:
        return sum(self.terms(frame).values(), jnp.zeros(()))

    def terms(self, frame: Frame, sums: MultipoleEwald | None = None) -> dict[str, Float[Array, ""]]:
        """Energies in eV: `short`, of all atoms; the others between fragments. `sums` where they repeat."""
        return {"short": self.short.energy(frame), **self.physics(frame, sums)}

    def interaction(self, frame: Frame, sums: MultipoleEwald | None = None) -> dict[str, Float[Array, ""]]:
        """What the fragments do to each other: the terms, without what each would have by itself."""
        return {"short": together_less_apart(self.short, frame), **self.physics(frame, sums)}

    def atoms(self, frame: Frame) -> AtomsInMolecules:
        """Read off each molecule; zero for padding, but the volumes."""
        alone, real = apart(frame), jnp.asarray(frame.species) >= 0
        _, said = self.local(alone.positions, alone.species, alone.neighbours, alone.cell)
        charges = fragments_of(frame).neutralised(jnp.where(real, ROOM * said[:, 0], 0.0))
        hydrogen = jnp.asarray(self.elements)[frame.species] == 1
        return AtomsInMolecules(
            jnp.where(real, charges, 0.0),
            *self.pointed(alone, said[:, 3:7]),
            jnp.exp(2 * ROOM * jnp.tanh(said[:, 1])),
            jnp.exp(ROOM * jnp.tanh(said[:, 7])),
            *(jnp.where(hydrogen, *OVERLAP) * jnp.where(real, jnp.exp(said[:, k]), 0.0) for k in (2, 8)),
        )

    def pointed(
        self, alone: Frame, said: Float[Array, "atoms 4"]
    ) -> tuple[Float[Array, "atoms 3"], Float[Array, "atoms 3 3"]]:
        """Dipoles (e A) and quadrupoles (e A^2), out of the directions d to the neighbours of the own fragment.

        p_i = sum_j (s_i + t_j) w(r) d,    Q_i = sum_j (u_i + v_j) w(r) (d d^T - 1/3).
        """
        table, cell = alone.neighbours, None if alone.cell is None else jnp.asarray(alone.cell)
        vectors = table.vectors(jnp.asarray(alone.positions), cell)
        r = jnp.sqrt(jnp.sum(vectors**2, axis=-1))
        d, gate = vectors / r[..., None], ROOM * cutoff_quintic(r, self.local.cutoff) * table.real
        weights = lambda own, other: (said[:, None, own] + said[table.j, other]) * gate
        tensors = d[..., :, None] * d[..., None, :] - jnp.eye(3, dtype=d.dtype) / 3
        return (
            jnp.einsum("nk,nkx->nx", weights(0, 1), d),
            jnp.einsum("nk,nkxy->nxy", weights(2, 3), tensors),
        )

    def physics(self, frame: Frame, sums: MultipoleEwald | None) -> dict[str, Float[Array, ""]]:
        atoms, of = self.atoms(frame), lambda values: jnp.asarray(values)[frame.species]
        pairs = Between.of(frame) if sums is None else Between.near(frame, sums.between)
        width = of(jax.nn.softplus(self.widths)) * atoms.widths
        permanent = Multipoles(atoms.charges, atoms.dipoles, atoms.quadrupoles, width)
        cloud, ends = self.clouds(atoms.volumes, of), (pairs.i, pairs.j)
        if sums is None:
            coulomb, field = pairs.electrostatics(permanent)
        else:
            where = jnp.asarray(frame.positions), jnp.asarray(frame.cell)
            coulomb, field = sums.energy_and_field(*where, permanent)
        overlap, within = RATE * jnp.exp(jax.vmap(of)(self.rates))
        clouds = penetration(of(valence(self.elements)), atoms.charges, width, pairs)
        return {
            "repulsion": pairs.total(falling(atoms.overlap, overlap, pairs)),
            "coulomb": coulomb + pairs.total(clouds - falling(atoms.penetration, within, pairs)),
            "induction": -0.5 * COULOMB * jnp.sum(cloud.alpha * jnp.sum(field**2, axis=1)),
            "dispersion": pairs.total(cloud.energies(pairs.square, *ends)),
        }

    def clouds(self, volumes: Float[Array, " atoms"], of: Callable[[Array], Array]) -> Dispersion:
        """Of free atoms, as tabulated and not learned, in their volumes."""
        free = self.free
        c6, alpha, quotient = (of(jax.lax.stop_gradient(jnp.asarray(x))) for x in (free.c6, free.alpha, free.quotient))
        s8 = jax.lax.stop_gradient(free.s8)
        return Dispersion(c6 * volumes**2, alpha * volumes, quotient, s8, free.a1, free.a2)


class NetworkAlone(eqx.Module):
    """The short network of a `HybridNetwork` without any physics: what the far field is to be compared with."""

    short: ShortRangeNetwork

    @property
    def cutoff(self) -> float:
        return self.short.cutoff

    @property
    def named(self) -> tuple[str, ...]:
        return ("short",)

    def interaction(self, frame: Frame, sums: MultipoleEwald | None = None) -> dict[str, Float[Array, ""]]:
        return {"short": together_less_apart(self.short, frame)}


class Interactions(eqx.Module):
    """Energies of interaction, those of a frame less those of its fragments, as what is learned."""

    model: HybridNetwork | NetworkAlone

    @property
    def elements(self) -> tuple[int, ...]:
        return self.model.short.elements

    @property
    def cutoff(self) -> float:
        return self.model.cutoff

    @property
    def shift(self) -> Float[Array, " elements"]:
        return self.model.short.shift

    def species(self, numbers: Int[np.ndarray, "..."]) -> Int[np.ndarray, "..."]:
        return self.model.short.species(numbers)

    def element_energies(self, frames: Frames) -> Float[np.ndarray, " elements"]:
        """None: there is no energy of atoms in it, and it must vanish far away."""
        return np.zeros(len(self.elements))

    @property
    def named(self) -> tuple[str, ...]:
        """The terms that it tells apart."""
        return self.model.named

    def energy(self, frame: Frame) -> Float[Array, ""]:
        return sum(self.terms(frame).values(), jnp.zeros(()))

    def terms(self, frame: Frame, sums: MultipoleEwald | None = None) -> dict[str, Float[Array, ""]]:
        return self.model.interaction(frame, sums)

    def atoms(self, frame: Frame) -> AtomsInMolecules:
        if isinstance(self.model, NetworkAlone):
            raise BadInput("a network alone says no charges and no dipoles; leave them out, or learn a HybridNetwork.")
        return self.model.atoms(frame)


def valence(elements: tuple[int, ...]) -> Float[np.ndarray, " elements"]:
    """Electrons outside the closed shells of the noble gas before, and outside a full d shell."""
    numbers = np.array(elements)
    outside = numbers - np.array([max(core for core in (0, 2, 10, 18, 36, 54) if core < z) for z in elements])
    return np.where(outside > 10, outside - 10, outside).astype(float)


def falling(size: Float[Array, " atoms"], rate: Float[Array, " atoms"], pairs: Between) -> Float[Array, " pairs"]:
    """a_i a_j exp(-(b_i + b_j) r): what grows with how much two clouds overlap."""
    i, j = pairs.i, pairs.j
    return size[i] * size[j] * jnp.exp(-(rate[i] + rate[j]) * jnp.sqrt(pairs.square))


def penetration(
    core: Float[Array, " atoms"], charges: Float[Array, " atoms"], width: Float[Array, " atoms"], pairs: Between
) -> Float[Array, " pairs"]:
    """What a core within the other's cloud feels beyond smeared charges, eV: an attraction that ends with the clouds.

    An atom is a point of charge Z, its valence electrons', in a Gaussian cloud of N = Z - q electrons. What such atoms
    do to each other, less k q_i q_j erf(r / ...) / r of their charges:
    k [Z_i N_j (e(w_j) - e(w_ij)) + Z_j N_i (e(w_i) - e(w_ij)) + Z_i Z_j e(w_ij)],  e(w) = erfc(r / (sqrt(2) w)) / r.
    """
    i, j, r = pairs.i, pairs.j, jnp.sqrt(pairs.square)
    e = lambda w: erfc(r / (math.sqrt(2) * w)) / r
    cloud, both = core - charges, e(jnp.sqrt(width[i] ** 2 + width[j] ** 2))
    cross = core[i] * cloud[j] * (e(width[j]) - both) + core[j] * cloud[i] * (e(width[i]) - both)
    return COULOMB * (cross + core[i] * core[j] * both)


def together_less_apart(network: ShortRangeNetwork, frame: Frame) -> Float[Array, ""]:
    """What a network says of all atoms, less what it says of each fragment by itself."""
    return network.energy(frame) - network.energy(apart(frame))
