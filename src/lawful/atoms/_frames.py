"""Arrangements of atoms with what is known of each: what a potential learns from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float, Int

from .._core.messages import BadInput
from .._core.numbers import real_array
from ._charges import Fragments
from ._neighbours import Neighbours
from ._structure import Structure


class Frame(eqx.Module):
    """One arrangement as a network sees it, or many of them along a first axis; rows of padding have species -1.

    own   those of the neighbours that belong to the same fragment.
    """

    positions: Float[Array | np.ndarray, "*frames atoms 3"]
    species: Int[Array | np.ndarray, "*frames atoms"]
    neighbours: Neighbours
    cell: Float[Array | np.ndarray, "*frames 3 3"] | None
    fragments: Fragments | None = None
    own: Neighbours | None = None


class Labels(eqx.Module):
    """What is known of each frame; NaN where it is not.

    energy    (frames,), eV.
    forces    (frames, atoms, 3), eV/A.
    stress    (frames, 3, 3), eV/A^3, or None.
    weight    (frames,): what a frame's squared error of energy is multiplied by in training; None for 1.
    """

    energy: Float[Array | np.ndarray, "*frames"]
    forces: Float[Array | np.ndarray, "*frames atoms 3"]
    stress: Float[Array | np.ndarray, "*frames 3 3"] | None
    weight: Float[Array | np.ndarray, "*frames"] | None = None


class Frames(eqx.Module):
    """Structures with energies, forces and stresses, padded to the largest; NaN marks what is not known.

        Frames(structures, energy=..., forces=...)      from arrays
        Frames.read("train.extxyz")                     from a file that ASE reads

    energy    one a structure, eV.
    forces    one array (atoms, 3) a structure, eV/A.
    stress    (3, 3) a structure, eV/A^3.
    fragments one `Fragments` a structure, where charges are to be neutralised within them.
    weight    one a structure: how much its energy counts in training, 1 by default; 1 / tolerance^2, say.

    Raises `BadInput` for counts that do not match, for infinite numbers, or where nothing at all is known.
    """

    structures: tuple[Structure, ...]
    labels: Labels
    fragments: tuple[Fragments, ...] | None

    def __init__(
        self,
        structures: Sequence[Structure],
        energy: object = None,
        forces: Sequence[object] | None = None,
        stress: Sequence[object] | None = None,
        fragments: Sequence[Fragments] | None = None,
        weight: object = None,
    ):
        self.structures, self.fragments = tuple(structures), None if fragments is None else tuple(fragments)
        count = len(self.structures)
        if not count:
            raise BadInput("no structures were given; a potential needs some hundred frames to learn from.")
        if len({structure.cell is None for structure in self.structures}) > 1:
            raise BadInput("some structures repeat in a cell and others do not; train on one kind at a time.")
        for name, given in (("forces", forces), ("stress", stress), ("fragments", fragments)):
            if given is not None and len(given) != count:
                raise BadInput(f"{count} structures need as many entries of {name}, but {len(given)} were given.")
        energies = np.full(count, np.nan) if energy is None else checked("energy", energy, (count,))
        self.labels = Labels(
            energies,
            np.stack([padded(self.forces_of(k, forces), self.atoms, np.nan) for k in range(count)]),
            None if stress is None else np.stack([checked("stress", each, (3, 3)) for each in stress]),
            None if weight is None else checked("weight", weight, (count,)),
        )
        if not any(np.any(np.isfinite(each)) for each in (energies, self.labels.forces)):
            raise BadInput("neither an energy nor a force is known; give energy=, forces= or both.")

    def forces_of(self, k: int, forces: Sequence[object] | None) -> Float[np.ndarray, "atoms 3"]:
        shape = (len(self.structures[k]), 3)
        return np.full(shape, np.nan) if forces is None else checked(f"forces of frame {k}", forces[k], shape)

    @classmethod
    def read(cls, path: str | Path, energy: str = "energy", forces: str = "forces") -> Frames:
        """From extended XYZ or whatever ASE reads. `energy` and `forces` name the entries, 'REF_energy', say.

        Needs the extra `atoms`.
        """
        from ase.io import read

        try:
            found = read(path, index=":")
        except OSError as error:
            raise BadInput(f"{path} cannot be read: {error}.") from None
        except (ValueError, IndexError, KeyError) as error:
            raise BadInput(f"{path} is not a file of frames that ASE reads ({error}).") from None
        images = found if isinstance(found, list) else [found]
        results = [image.calc.results if image.calc is not None else {} for image in images]
        energies = [r.get(energy, image.info.get(energy, np.nan)) for r, image in zip(results, images, strict=True)]
        blank = lambda image: np.full((len(image), 3), np.nan)
        pulls = [r.get(forces, i.arrays.get(forces, blank(i))) for r, i in zip(results, images, strict=True)]
        stress = None
        if any("stress" in r for r in results):
            stress = [square(r["stress"]) if "stress" in r else np.full((3, 3), np.nan) for r in results]
        return cls([Structure.from_ase(image) for image in images], energies, pulls, stress)

    def __len__(self) -> int:
        return len(self.structures)

    def __getitem__(self, chosen: slice | Sequence[int] | Int[np.ndarray, " some"]) -> Frames:
        """Some of the frames."""
        index = list(range(len(self)))[chosen] if isinstance(chosen, slice) else [int(k) for k in chosen]
        structures, labels = [self.structures[k] for k in index], self.labels
        forces = [labels.forces[k][: len(s)] for k, s in zip(index, structures, strict=True)]
        stress = None if labels.stress is None else [labels.stress[k] for k in index]
        fragments = None if self.fragments is None else [self.fragments[k] for k in index]
        weight = None if labels.weight is None else labels.weight[index]
        return Frames(structures, labels.energy[index], forces, stress, fragments, weight)

    @property
    def atoms(self) -> int:
        """Rows that the largest needs."""
        return max(len(structure) for structure in self.structures)

    @property
    def numbers(self) -> Int[np.ndarray, "frames atoms"]:
        """Atomic numbers, 0 for padding."""
        return np.stack([padded(structure.numbers, self.atoms, 0) for structure in self.structures])

    def counts(self, elements: Sequence[int]) -> Int[np.ndarray, "frames elements"]:
        """How many atoms of each element."""
        return np.stack([np.sum(self.numbers == element, axis=1) for element in elements], axis=1)

    def seen(self, species: Int[np.ndarray, "frames atoms"], cutoff: float) -> Frame:
        """All frames in one, their neighbours found."""
        found = [Neighbours.of(structure, cutoff, atoms=self.atoms) for structure in self.structures]
        room = max(max(table.count for table in found), 1)
        tables = [table.padded(room, None) for table in found]
        far = [padded(structure.positions, self.atoms, apart=True) for structure in self.structures]
        cells = [structure.cell for structure in self.structures]
        neighbours = Neighbours(
            np.stack([table.j for table in tables]),
            np.stack([table.real for table in tables]),
            stacked([table.shift for table in tables]),
        )
        fragments, own = None if self.fragments is None else self.together(self.fragments), None
        if fragments is not None:
            of = np.asarray(fragments.of)
            theirs = np.take_along_axis(of[:, None], np.asarray(neighbours.j), axis=-1)
            own = neighbours.only(theirs == of[..., None])
        return Frame(np.stack(far), species, neighbours, stacked(cells), fragments, own)

    def together(self, fragments: Sequence[Fragments]) -> Fragments:
        """Padding atoms belong to a fragment of their own, the last."""
        most = max(len(each.totals) for each in fragments) + 1
        totals = np.stack([np.pad(each.totals, (0, most - len(each.totals))) for each in fragments])
        return Fragments(np.stack([padded(each.of, self.atoms, most - 1) for each in fragments]), totals)


def stacked(arrays: Sequence) -> np.ndarray | None:
    return None if arrays[0] is None else np.stack(arrays)


def padded(values: object, rows: int, fill: float = 0.0, apart: bool = False) -> np.ndarray:
    """With rows of `fill` added; padding atoms are `apart` from others and each other, so that no length is zero."""
    array = np.asarray(values)
    more = rows - len(array)
    if apart:
        return np.concatenate([array, 1e3 + 10.0 * np.arange(more)[:, None] * np.ones(3)])
    return np.concatenate([array, np.full((more, *array.shape[1:]), fill, dtype=array.dtype)])


def square(voigt: Float[np.ndarray, "*6"]) -> Float[np.ndarray, "3 3"]:
    if np.shape(voigt) == (3, 3):
        return np.asarray(voigt)
    xx, yy, zz, yz, xz, xy = voigt
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])


def checked(name: str, given: object, shape: tuple[int, ...]) -> np.ndarray:
    try:
        values = real_array(given)
    except TypeError as error:
        raise BadInput(f"{name} must be numbers, but holds {error}.") from None
    if values.shape != shape:
        raise BadInput(f"{name} needs the shape {shape}, but has {values.shape}.")
    if np.any(np.isinf(values)):
        raise BadInput(f"{name} holds an infinite number; write NaN where it is not known, or remove the frame.")
    return values
