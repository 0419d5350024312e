"""Arrangements of atoms with what is known of each: what a potential learns from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float, Int

from .._core.messages import BadInput
from ._charges import Fragments, same_piece
from ._labels import Labels
from ._neighbours import Neighbours
from ._structure import Structure, padded


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


class Frames(eqx.Module):
    """Structures with what is known of them, padded to the largest; NaN marks what is not known.

        Frames(structures, energy=..., forces=...)      from arrays
        Frames.read("train.extxyz")                     from a file that ASE reads

    energy    one a structure, eV.
    forces    one array (atoms, 3) a structure, eV/A.
    stress    (3, 3) a structure, eV/A^3.
    charges   one array (atoms,) a structure, e.
    dipole    (3,) a structure, e A.
    terms     by name, one a structure, eV: single terms of a model's energy, which a theory told apart. `Interactions`
              has "coulomb", "repulsion", "induction", "dispersion".
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
        *,
        charges: Sequence[object] | None = None,
        dipole: Sequence[object] | None = None,
        terms: Mapping[str, object] | None = None,
        fragments: Sequence[Fragments] | None = None,
        weight: object = None,
    ):
        self.structures, self.fragments = tuple(structures), None if fragments is None else tuple(fragments)
        count = len(self.structures)
        if not count:
            raise BadInput("no structures were given; a potential needs some hundred frames to learn from.")
        if len({structure.cell is None for structure in self.structures}) > 1:
            raise BadInput("some structures repeat in a cell and others do not; train on one kind at a time.")
        if fragments is not None and len(fragments) != count:
            raise BadInput(f"{count} structures need as many entries of fragments, but {len(fragments)} were given.")
        self.labels = Labels.of(self.structures, energy, forces, stress, charges, dipole, terms, weight)
        if not jax.tree.leaves(eqx.tree_at(lambda l: l.weight, self.labels.held(), None, is_leaf=lambda x: x is None)):
            raise BadInput("neither an energy nor a force is known, nor anything else; give energy=, forces= or both.")

    @classmethod
    def read(
        cls,
        path: str | Path,
        energy: str = "energy",
        forces: str = "forces",
        charges: str = "charges",
        dipole: str = "dipole",
    ) -> Frames:
        """From extended XYZ or whatever ASE reads. `energy` and the others name the entries, 'REF_energy', say.

        Needs the extra `atoms`.
        """
        from ase.io import read
        from ase.io.formats import UnknownFileTypeError

        refuse_counts_without_atoms(Path(path))
        try:
            found = read(path, index=":")
        except OSError as error:
            raise BadInput(f"{path} cannot be read: {error}.") from None
        # ASE's readers raise whatever their lines ran into.
        except (
            UnknownFileTypeError, ValueError, LookupError, AttributeError, TypeError, RuntimeError, ArithmeticError,
            AssertionError,
        ) as error:  # fmt: skip
            raise BadInput(f"{path} is not a file of frames that ASE reads ({error}).") from None
        images = found if isinstance(found, list) else [found]
        results = [image.calc.results if image.calc is not None else {} for image in images]

        def of_each(name: str, shape: Callable[[int], tuple[int, ...]]) -> list[object] | None:
            """What the calculator, the atoms or the frame hold by this name; None where no frame has it."""
            said = [
                result.get(name, image.arrays.get(name, image.info.get(name)))
                for result, image in zip(results, images, strict=True)
            ]
            if all(one is None for one in said):
                return None
            return [
                np.full(shape(len(image)), np.nan) if one is None else one
                for one, image in zip(said, images, strict=True)
            ]

        stress = of_each("stress", lambda _: (3, 3))
        return cls(
            [Structure.from_ase(image) for image in images],
            of_each(energy, lambda _: ()),
            of_each(forces, lambda atoms: (atoms, 3)),
            None if stress is None else [square(np.asarray(each)) for each in stress],
            charges=of_each(charges, lambda atoms: (atoms,)),
            dipole=of_each(dipole, lambda _: (3,)),
        )

    def __len__(self) -> int:
        return len(self.structures)

    def __getitem__(self, chosen: slice | Sequence[int] | Int[np.ndarray, " some"]) -> Frames:
        """Some of the frames."""
        index = np.arange(len(self))[chosen if isinstance(chosen, slice) else np.asarray(chosen, dtype=int)]
        structures = tuple(self.structures[k] for k in index)
        if not structures:
            raise BadInput("no frames are left; choose at least one.")
        labels = self.labels.chosen(index, max(len(structure) for structure in structures))
        fragments = None if self.fragments is None else tuple(self.fragments[k] for k in index)
        parts = lambda f: (f.structures, f.labels, f.fragments)
        return eqx.tree_at(parts, self, (structures, labels, fragments), is_leaf=lambda x: x is None)

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
            given = zip(self.fragments or (), self.structures, strict=True)
            homes = [padded(each.images(structure), self.atoms) for each, structure in given]
            shifts = [None] * len(homes) if neighbours.shift is None else neighbours.shift
            rows = np.arange(self.atoms)[:, None]
            several = zip(np.asarray(fragments.of), homes, neighbours.j, shifts, strict=True)
            own = neighbours.only(np.stack([same_piece(of, home, rows, j, shift) for of, home, j, shift in several]))
        return Frame(np.stack(far), species, neighbours, stacked(cells), fragments, own)

    def together(self, fragments: Sequence[Fragments]) -> Fragments:
        """Padding atoms belong to a fragment of their own, the last."""
        most = max(len(each.totals) for each in fragments) + 1
        totals = np.stack([np.pad(each.totals, (0, most - len(each.totals))) for each in fragments])
        return Fragments(np.stack([padded(each.of, self.atoms, most - 1) for each in fragments]), totals)


COLUMNS, DIGITS = re.compile(rb"[Pp]roperties=\"?([^ \"]*)"), re.compile(rb":(\d+)")


def refuse_counts_without_atoms(path: Path) -> None:
    """An XYZ file that promises more atoms, or columns, than it has: ASE would go on reading at its end, or making
    columns, as often as promised, for ever if the number is large enough."""
    if path.suffix not in (".xyz", ".extxyz") or not path.is_file():
        return
    lines = path.read_bytes().splitlines()
    at = 0
    while at < len(lines) and lines[at].strip().isdigit():
        count = int(lines[at])
        if count > len(lines) - at - 2:
            raise BadInput(f"{path}, line {at + 1}: {count} atoms are promised, but the file ends before.")
        columns = sum(int(number) for entry in COLUMNS.findall(lines[at + 1]) for number in DIGITS.findall(entry))
        if count and columns > len(max(lines[at + 2 : at + 2 + count], key=len)):
            raise BadInput(f"{path}, line {at + 2}: {columns} columns are promised, but no row has so many.")
        at += count + 2


def stacked(arrays: Sequence) -> np.ndarray | None:
    return None if arrays[0] is None else np.stack(arrays)


def square(voigt: Float[np.ndarray, "*6"]) -> Float[np.ndarray, "3 3"]:
    if np.shape(voigt) == (3, 3):
        return np.asarray(voigt)
    xx, yy, zz, yz, xz, xy = voigt
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
