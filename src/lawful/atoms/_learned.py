"""A network near and classical physics far, learned together: what holds molecules apart is exact by construction."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from .._core.messages import BadInput
from ._dispersion import Dispersion
from ._electrostatics import smeared_inverse
from ._frames import Frame, Frames
from ._network import ShortRangeNetwork
from ._units import COULOMB

ROOM = 0.3  # free to learn: ln(volume / volume of the free atom), at most, and the size of charges at the start


class HybridNetwork(eqx.Module):
    """Molecules, told apart as fragments: near each other a network, further away charges and dispersion.

        E = sum_i E_i(all that is near) + k sum_pairs q_i q_j erf(r / w_ij) / r - sum_pairs C6 / (r^6 + R0^6) + ...,
        w_ij = sqrt(2 (w_i^2 + w_j^2)), pairs of atoms in different fragments

    A second network reads each atom's charge q and volume off its own fragment, as if there were no other; charges are
    neutralised on it, and C6 of the free atom grows with the square of the volume. So neither changes when another
    molecule comes, and nothing leaks: beyond the short network's cutoff the energy is that of the molecules plus
    Coulomb's and London's laws, with the same charges and coefficients at any distance. What polarises or overlaps is
    near, and left to the short network.

    elements        atomic numbers; dispersion coefficients of free atoms must be tabulated for them.
    cutoff          of the short network, A: 4 to 5. The first network that sees no other molecule ends there.
    sight           of the network that reads charges, A.
    channels, layers   of both.

    For clusters. In a cell use `charges(frame)` with `Ewald` or `MeshEwald` and a `Dispersion` of its own.
    Sources: A. Tkatchenko and M. Scheffler, Phys. Rev. Lett. 102, 073005 (2009) (volumes); `Dispersion`; `coulomb_energy`.
    """

    short: ShortRangeNetwork
    local: ShortRangeNetwork
    widths: Float[Array, " elements"]
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
        self.local = ShortRangeNetwork(elements, second, sight, channels, layers, outputs=2)
        self.widths = jnp.zeros(len(self.short.elements))
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
        """Energies in eV: `short`, of all atoms; `coulomb` and `dispersion`, between fragments."""
        charges, volumes = self.read(frame)
        return {
            "short": self.short.energy(frame),
            "coulomb": self.coulomb(frame, charges),
            "dispersion": self.dispersion(frame, volumes),
        }

    def interaction(self, frame: Frame) -> dict[str, Float[Array, ""]]:
        """What the fragments do to each other: the terms, without what each would have by itself."""
        terms = self.terms(frame)
        return {**terms, "short": terms["short"] - self.short.energy(apart(frame))}

    def charges(self, frame: Frame) -> Float[Array, " atoms"]:
        """In elementary charges; zero for padding."""
        return self.read(frame)[0]

    def read(self, frame: Frame) -> tuple[Float[Array, " atoms"], Float[Array, " atoms"]]:
        """Charges, and volumes in those of free atoms."""
        alone, real = apart(frame), frame.species >= 0
        _, said = self.local(alone.positions, alone.species, alone.neighbours, alone.cell)
        raw, volume = jnp.where(real, ROOM * said[:, 0], 0.0), jnp.exp(ROOM * jnp.tanh(said[:, 1]))
        assert frame.fragments is not None
        return jnp.where(real, frame.fragments.neutralised(raw), 0.0), volume

    def coulomb(self, frame: Frame, charges: Float[Array, " atoms"]) -> Float[Array, ""]:
        i, j, square, between = pairs_between(frame)
        width = jax.nn.softplus(self.widths)[frame.species]
        inverse = smeared_inverse(square, jnp.sqrt(width[i] ** 2 + width[j] ** 2))
        return COULOMB * jnp.sum(jnp.where(between, charges[i] * charges[j] * inverse, 0.0))

    def dispersion(self, frame: Frame, volumes: Float[Array, " atoms"]) -> Float[Array, ""]:
        i, j, square, between = pairs_between(frame)
        of = lambda values: jnp.asarray(values)[frame.species]
        free = self.free
        atoms = Dispersion(
            of(free.c6) * volumes**2, of(free.alpha) * volumes, of(free.quotient), free.s8, free.a1, free.a2
        )
        return jnp.sum(jnp.where(between, atoms.energies(square, i, j), 0.0))


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
    of, table = fragments_of(frame), frame.neighbours
    own = table.real & (of[table.j] == of[:, None])
    return eqx.tree_at(lambda f: f.neighbours.real, frame, own)


def pairs_between(
    frame: Frame,
) -> tuple[Int[np.ndarray, " pairs"], Int[np.ndarray, " pairs"], Float[Array, " pairs"], Bool[Array, " pairs"]]:
    """All pairs i < j, their squared distances, and which are real atoms of different fragments."""
    i, j = np.triu_indices(frame.species.shape[0], k=1)
    of, real, positions = fragments_of(frame), frame.species >= 0, jnp.asarray(frame.positions)
    between = (of[i] != of[j]) & real[i] & real[j]
    return i, j, jnp.sum((positions[j] - positions[i]) ** 2, axis=1), between
