"""The short range: equivariant message passing on 3 x 3 matrices, which hold a scalar, a vector and a tensor."""

from __future__ import annotations

import math
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

from .._core.messages import BadInput, listing
from ..fields.equivariant import Dense
from ._frames import Frame, Frames
from ._labels import any_known
from ._neighbours import Neighbours
from ._structure import HEAVIEST, Structure
from ._switch import cutoff_quintic

Parts = Float[Array, "*atoms channels 9"]
"""A matrix in coordinates: its scalar, its vector (3) and its symmetric traceless part (5)."""


class ShortRangeNetwork(eqx.Module):
    """Energy of every atom from what lies within the cutoff, and nothing else.

    Each atom carries `channels` matrices X, a sum of a multiple of 1 (a scalar), an antisymmetric part (a vector) and a
    symmetric traceless part. Under a rotation X becomes R X R^T, and so does a product of such matrices: products are
    how the parts talk to each other. A layer adds up the neighbours' matrices, weighed by functions of the distance,
    multiplies them with the atom's own, and adds the result. Traces of squares, which do not change under a rotation,
    reflection or translation, give the energy.

        E_i = shift(Z_i) + scale * readout(tr X_i, tr A_i^2, tr S_i^2)

    All functions of the distance end at the cutoff with two continuous derivatives: atoms further apart than `cutoff`
    do not know of each other, and the energy of molecules apart is the sum of theirs to rounding.

    cutoff     A; 5 for molecules, 6 for metals.
    channels   32 learns a molecule on a laptop in an hour, 64 to 128 more accurately.
    layers     rounds of messages, so that an atom feels those within layers * cutoff; 2.
    radial     functions of the distance, sin(n pi r / cutoff) / r; 8.
    outputs    numbers an atom gets beside its energy (charges, say): `heads`.

    Source: G. Simeon and G. De Fabritiis, TensorNet, NeurIPS 2023 (matrices); J. Gasteiger et al., Directional message
    passing, ICLR 2020 (functions of the distance).
    """

    elements: tuple[int, ...] = eqx.field(static=True)
    cutoff: float = eqx.field(static=True)
    shift: Float[Array, " elements"]
    scale: Float[Array, ""]
    embedding: Embedding
    layers: tuple[Interaction, ...]
    readouts: tuple[Dense, ...]

    def __init__(
        self,
        elements: Sequence[int],
        key: Key,
        cutoff: float = 5.0,
        channels: int = 64,
        layers: int = 2,
        radial: int = 8,
        outputs: int = 0,
    ):
        self.elements = tuple(sorted({int(number) for number in elements}))
        if not self.elements or self.elements[0] < 1 or self.elements[-1] > HEAVIEST:
            raise BadInput(f"elements={elements}: atomic numbers from 1 to {HEAVIEST} are meant, such as (1, 6, 8).")
        if not (0 < cutoff < math.inf and min(channels, layers, radial) >= 1 and outputs >= 0):
            raise BadInput(
                f"ShortRangeNetwork(cutoff={cutoff}, channels={channels}, layers={layers}, radial={radial},"
                f" outputs={outputs}): a positive length and counts of at least 1 are meant."
            )
        self.cutoff = float(cutoff)
        self.shift, self.scale = jnp.zeros(len(self.elements)), jnp.ones(())
        first, *keys = jax.random.split(key, 2 * layers + 2)
        self.embedding = Embedding(len(self.elements), channels, radial, self.cutoff, first)
        self.layers = tuple(Interaction(channels, radial, each) for each in keys[:layers])
        self.readouts = tuple(Dense((3 * channels, channels, 1 + outputs), each) for each in keys[layers:])

    def species(self, numbers: Int[np.ndarray, "..."]) -> Int[np.ndarray, "..."]:
        """Atomic numbers as places among `elements`; 0, a padding atom, becomes -1."""
        numbers = np.asarray(numbers)
        unknown = sorted(set(numbers.ravel().tolist()) - set(self.elements) - {0})
        if unknown:
            raise BadInput(
                f"the network has not seen the atomic numbers {listing(map(str, unknown))}, only"
                f" {listing(map(str, self.elements))}; train one on frames that hold them."
            )
        return np.where(numbers == 0, -1, np.searchsorted(self.elements, numbers)).astype(np.int32)

    def __call__(
        self,
        positions: Float[Array | np.ndarray, "atoms 3"],
        species: Int[Array | np.ndarray, " atoms"],
        neighbours: Neighbours,
        cell: Float[Array | np.ndarray, "3 3"] | None = None,
    ) -> tuple[Float[Array, " atoms"], Float[Array, "atoms outputs"]]:
        """Energies (eV) and further numbers of the atoms; zero for padding, where `species` is -1."""
        species, cell = jnp.asarray(species), None if cell is None else jnp.asarray(cell)
        vectors = neighbours.vectors(jnp.asarray(positions), cell)
        distance = jnp.sqrt(jnp.sum(vectors**2, axis=-1))
        gate = cutoff_quintic(distance, self.cutoff) * neighbours.real
        waves = jnp.stack(
            [jnp.sin(n * math.pi / self.cutoff * distance) for n in range(1, self.embedding.radial + 1)], -1
        )
        waves = math.sqrt(2 / self.cutoff) * waves / distance[..., None] * gate[..., None]
        edges = Edges(jnp.asarray(neighbours.j), along(vectors / distance[..., None]), waves, gate)
        x = self.embedding(species, edges)
        found = self.readouts[0](invariants(x))
        for layer, readout in zip(self.layers, self.readouts[1:], strict=True):
            x = layer(x, edges)
            found = found + readout(invariants(x))
        real = species >= 0
        energies = self.shift[species] + self.scale * found[:, 0]
        return jnp.where(real, energies, 0.0), jnp.where(real[:, None], found[:, 1:], 0.0)

    def element_energies(self, frames: Frames) -> Float[np.ndarray, " elements"]:
        """The energy of each element that explains the frames best, by least squares; zero where none is known."""
        energy = frames.labels.energy
        if not any_known(energy):
            return np.zeros(len(self.elements))
        known = np.isfinite(energy)
        counts = frames.counts(self.elements)[known].astype(float)
        return np.linalg.lstsq(counts, energy[known], rcond=None)[0]

    def energy(self, frame: Frame) -> Float[Array, ""]:
        """Of one frame, eV."""
        return jnp.sum(self(frame.positions, frame.species, frame.neighbours, frame.cell)[0])

    def term(self, structure: Structure, room: int | None = None, skin: float = 0.0) -> NetworkEnergy:
        """The energy of this structure as a term of a `HybridPotential`; `skin` (A) as in `near_pairs`."""
        neighbours = Neighbours.of(structure, self.cutoff, room, skin=skin)
        return NetworkEnergy(self, self.species(structure.numbers), neighbours)


class NetworkEnergy(eqx.Module):
    """A network's energy as a function of positions and cell; its neighbours are those it was made with."""

    network: ShortRangeNetwork
    species: Int[np.ndarray, " atoms"]
    neighbours: Neighbours

    def __call__(self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"] | None) -> Float[Array, ""]:
        return jnp.sum(self.network(positions, self.species, self.neighbours, cell)[0])


class Edges(eqx.Module):
    """What messages travel along: to whom, in which direction (a vector and a tensor), how far."""

    j: Int[Array, "atoms room"]
    direction: Float[Array, "atoms room 9"]
    waves: Float[Array, "atoms room radial"]
    gate: Float[Array, "atoms room"]


class Embedding(eqx.Module):
    """The first matrices: X_i = sum_j z_ij(Z_i, Z_j) [f(r) 1 + g(r) skew(d) + h(r) (d d^T - 1/3)], then mixed."""

    radial: int = eqx.field(static=True)
    own: Float[Array, "elements channels"]
    other: Float[Array, "elements channels"]
    itself: Float[Array, "elements channels"]
    weigh: Dense
    mix: Mix

    def __init__(self, elements: int, channels: int, radial: int, cutoff: float, key: Key):
        a, b, c, d, e = jax.random.split(key, 5)
        self.radial = radial
        self.own = jax.random.normal(a, (elements, channels))
        self.other = jax.random.normal(b, (elements, channels))
        self.itself = jax.random.normal(c, (elements, channels))
        self.weigh = Dense((radial, channels, 3 * channels), d)
        self.mix = Mix(channels, e)

    def __call__(self, species: Int[Array, " atoms"], edges: Edges) -> Parts:
        pair = (self.own[species][:, None] + self.other[species[edges.j]]) / math.sqrt(2)
        weights = by_part(self.weigh(edges.waves) * edges.gate[..., None]) * pair[..., None]
        x = jnp.einsum("nkcd,nkd->ncd", weights, edges.direction)
        return self.mix(x.at[..., 0].add(self.itself[species]))


class Interaction(eqx.Module):
    """One round of messages: M_i = sum_j of the neighbours' parts, weighed by distance; X += Y M + M Y."""

    weigh: Dense
    before: Mix
    after: Mix

    def __init__(self, channels: int, radial: int, key: Key):
        a, b, c = jax.random.split(key, 3)
        self.weigh = Dense((radial, channels, 6 * channels), a)
        self.before, self.after = Mix(channels, b), Mix(channels, c)

    def __call__(self, x: Parts, edges: Edges) -> Parts:
        x = x / (1 + squares(x))[..., None]
        y = self.before(x)
        theirs = y[edges.j]
        own, pointed = jnp.split(self.weigh(edges.waves) * edges.gate[..., None], (3 * y.shape[1],), axis=-1)
        message = jnp.einsum("nkcd,nkcd->ncd", by_part(own), theirs) + jnp.einsum(
            "nkcd,nkd->ncd", by_part(pointed) * theirs[..., SCALAR], edges.direction
        )
        both = product(y, message)
        change = self.after(both / (1 + squares(both))[..., None])
        return x + change + 0.5 * product(change, change)


class Mix(eqx.Module):
    """Channels mixed within each part, by weights of their own, after a gate made of the invariants."""

    scalar: Float[Array, "channels channels"]
    vector: Float[Array, "channels channels"]
    tensor: Float[Array, "channels channels"]
    gate: Dense

    def __init__(self, channels: int, key: Key):
        a, b, c, d = jax.random.split(key, 4)
        spread = lambda k: jax.random.normal(k, (channels, channels)) / math.sqrt(channels)
        self.scalar, self.vector, self.tensor = spread(a), spread(b), spread(c)
        self.gate = Dense((3 * channels, channels, 3 * channels), d)

    def __call__(self, x: Parts) -> Parts:
        mixed = (
            jnp.einsum("ncd,ce->ned", x[..., part], weights)
            for part, weights in ((SCALAR, self.scalar), (VECTOR, self.vector), (TENSOR, self.tensor))
        )
        return by_part(self.gate(invariants(x))) * jnp.concatenate(list(mixed), -1)


def orthonormal() -> Float[np.ndarray, "9 3 3"]:
    """Matrices that span all: 1, three antisymmetric ones, five symmetric ones without trace; each of norm 1."""
    unit = lambda a, b: np.outer(np.eye(3)[a], np.eye(3)[b])
    turns = [unit(2, 1) - unit(1, 2), unit(0, 2) - unit(2, 0), unit(1, 0) - unit(0, 1)]
    shears = [unit(a, b) + unit(b, a) for a, b in ((0, 1), (0, 2), (1, 2))]
    stretches = [unit(0, 0) - unit(1, 1), unit(0, 0) + unit(1, 1) - 2 * unit(2, 2)]
    return np.stack([each / np.linalg.norm(each) for each in (np.eye(3), *turns, *shears, *stretches)])


BASIS = orthonormal()
SCALAR, VECTOR, TENSOR = slice(0, 1), slice(1, 4), slice(4, 9)


def along(d: Float[Array, "... 3"]) -> Float[Array, "... 9"]:
    """Coordinates of 1 + skew(d) + (d d^T - 1/3) for a unit vector d, each part of norm 1."""
    basis = jnp.asarray(BASIS, d.dtype)
    tensor = jnp.einsum("...a,...b,kab->...k", d, d, basis[TENSOR]) * math.sqrt(1.5)
    return jnp.concatenate([jnp.ones_like(d[..., :1]), d, tensor], -1)


def by_part(weights: Float[Array, "*atoms three_channels"]) -> Parts:
    """One weight for the scalar, one for the vector, one for the tensor of every channel, for each of their entries."""
    each = jnp.stack(jnp.split(weights, 3, axis=-1), -1)
    return jnp.repeat(each, np.array([1, 3, 5]), axis=-1, total_repeat_length=9)


def product(x: Parts, y: Parts) -> Parts:
    """X Y + Y X of the matrices that x and y are the coordinates of."""
    basis = jnp.asarray(BASIS, x.dtype)
    a, b = jnp.tensordot(x, basis, 1), jnp.tensordot(y, basis, 1)
    return jnp.tensordot(a @ b + b @ a, basis, ((-2, -1), (1, 2)))


def squares(x: Parts) -> Float[Array, "*atoms channels"]:
    return jnp.sum(x**2, axis=-1)


def invariants(x: Parts) -> Float[Array, "*atoms three_channels"]:
    """What a rotation leaves as it is: the scalars, and the squares of vectors and tensors."""
    return jnp.concatenate([x[..., 0], squares(x[..., VECTOR]), squares(x[..., TENSOR])], -1)
