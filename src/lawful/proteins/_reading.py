"""Backbones from PDB and mmCIF files, with an account of what was left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput, listing
from ._backbone import AMINO_ACIDS, Backbone
from ._ideal import place_oxygens

if TYPE_CHECKING:
    import gemmi

FARTHEST = 1e6  # angstrom
BREAK = 2.0  # a longer C-N distance is no bond, angstrom

MODELS = "further models"
MOLECULES = "waters, ligands and ions"
OTHERS = "chains without amino acids"
UNKNOWN = "residues of unknown kind"
MISSING = "residues without N, CA or C"
SHORT = "residues in segments too short"
BREAKS = "chain breaks"
ALTERNATIVES = "residues with alternative positions, the likeliest kept"
MODIFIED = "modified residues read as their parents"
OXYGENS = "missing O placed by geometry"


@dataclass(frozen=True)
class Report:
    """What became of a file.

    left_out   what was left out and how many of it.
    noted      what was kept and how many of it, but not as it stands in the file.
    """

    source: str
    segments: int
    residues: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    noted: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        def told(counts: Mapping[str, int]) -> str:
            return "; ".join(f"{count} {what}" for what, count in counts.items())

        text = f"{self.source}: {self.segments} segments, {self.residues} residues"
        return text + "".join(
            f"; {title}: {told(counts)}"
            for title, counts in (("left out", self.left_out), ("noted", self.noted))
            if counts
        )


class Read(NamedTuple):
    """Backbones, each an unbroken segment, and the account of what was left out."""

    backbones: tuple[Backbone, ...]
    report: Report


class Residue(NamedTuple):
    letter: str
    number: int
    code: str
    atoms: Float[np.ndarray, "6 3"]  # N, CA, C, O, CB, SG; NaN where absent


def read(path: str | Path, *, chains: Sequence[str] | None = None, model: int = 1, least: int = 4) -> Read:
    """The backbones of a PDB or mmCIF file, also packed with gzip.

        backbones, report = proteins.read("1abc.cif")
        print(report)          # 1abc.cif: 2 segments, 212 residues; left out: 87 waters, ligands and ions; ...

    chains   names of the chains wanted (mmCIF: those of the authors); all by default.
    model    which model, 1 for the first; the others are counted as left out.
    least    segments of fewer residues are left out.

    A chain is split where the distance C-N exceeds 2 A, and where a residue lacks N, CA or C or is of no known kind.
    Modified amino acids are read as their parents (selenomethionine as M), of alternative positions the likeliest one
    is kept, a missing O is placed in the plane of the peptide. All of it is counted in the report.

    Raises `BadInput` for a file that is not there, cannot be read, is empty, lacks the model or the chains asked for,
    or holds no protein. Needs the extra `proteins`.
    """
    with names_that_are_text(path):
        return read_from(Path(path), parsed(Path(path)), chains, model, least)


def read_from(path: Path, structure: gemmi.Structure, chains: Sequence[str] | None, model: int, least: int) -> Read:
    if not 1 <= model <= len(structure):
        raise BadInput(f"{path} holds {len(structure)} models; there is no model {model}.")
    chosen = structure[model - 1]
    known = list(dict.fromkeys(chain.name for chain in chosen))
    unknown = [name for name in chains or () if name not in known]
    if unknown:
        raise BadInput(f"{path} has no chain {listing(map(repr, unknown))}; it has {listing(map(repr, known))}.")
    left, noted = Counter({MODELS: len(structure) - 1}), Counter()
    backbones: list[Backbone] = []
    for chain in chosen:
        if chains is not None and chain.name not in chains:
            continue
        backbones += segments(chain, least, left, noted)
    report = Report(path.name, len(backbones), sum(map(len, backbones)), +left, +noted)
    if not backbones:
        raise BadInput(f"{path} holds no protein chain of {least} residues or more ({report}).")
    return Read(tuple(backbones), report)


def parsed(path: Path) -> gemmi.Structure:
    gemmi = extra()
    if not path.is_file():
        raise BadInput(f"{path} does not exist; give a PDB or mmCIF file.")
    try:
        structure = gemmi.read_structure(str(path), format=gemmi.CoorFormat.Detect)
    except (RuntimeError, ValueError, OSError) as error:
        try:  # many programs write what they like into the last columns of PDB, which hold charges
            structure = gemmi.read_pdb(str(path), max_line_length=78)
        except (RuntimeError, ValueError, OSError):
            raise BadInput(f"{path} is not a PDB or mmCIF file that can be read ({error}).") from None
    if not len(structure) or not any(len(chain) for chain in structure[0]):
        raise BadInput(f"{path} holds no atoms; give a PDB or mmCIF file with coordinates.")
    return structure


@contextmanager
def names_that_are_text(path: str | Path) -> Iterator[None]:
    """Names come from gemmi as text when they are asked for, and it fails there if they are none."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} holds a name that is no text ({error.object!r}); correct the file.") from None


def extra():
    """gemmi, or how to get it."""
    try:
        import gemmi
    except ImportError:
        raise BadInput(
            "reading and writing structures needs gemmi; install it: pip install 'lawful[proteins]'"
        ) from None
    return gemmi


def segments(chain: gemmi.Chain, least: int, left: Counter, noted: Counter) -> list[Backbone]:
    """The unbroken stretches of one chain."""
    here = Counter()
    found, mine = list(residues(chain, here, noted)), []
    if not any(found):
        left.update({OTHERS: 1, MOLECULES: here[MOLECULES], UNKNOWN: here[UNKNOWN]})
        return []
    left.update(here)
    for run in runs(found):
        if len(run) < least:
            left[SHORT] += len(run)
        else:
            mine.append(assembled(run, chain.name, noted))
    noted[BREAKS] += max(len(mine) - 1, 0)
    return mine


def residues(chain: gemmi.Chain, left: Counter, noted: Counter) -> Iterator[Residue | None]:
    """The amino acids of a chain in their order; None where one cannot be used."""
    import gemmi

    for residue in chain:
        info = gemmi.find_tabulated_residue(residue.name)
        letter = info.one_letter_code.upper()
        atoms, several = positions(residue)
        is_like_one = all(np.isfinite(atoms[1]))  # has an atom CA, which ligands have not
        if not info.is_amino_acid() and not (residue.name == "UNK" or (not info.found() and is_like_one)):
            left[MOLECULES] += 1
            continue
        if letter not in AMINO_ACIDS or not letter.strip():
            left[UNKNOWN] += 1
            yield None
        elif not np.isfinite(atoms[:3]).all():
            left[MISSING] += 1
            yield None
        else:
            noted[MODIFIED] += not info.is_standard()
            noted[ALTERNATIVES] += several
            code = residue.seqid.icode
            yield Residue(letter, int(residue.seqid.num or 0), code, atoms)


def positions(residue: gemmi.Residue) -> tuple[Float[np.ndarray, "6 3"], bool]:
    """N, CA, C, O, CB and SG, of alternatives the one with the highest occupancy; whether there were any."""
    names = ("N", "CA", "C", "O", "CB", "SG")
    occupied: dict[str, float] = {}
    for atom in residue:
        if atom.name in names and atom.altloc != "\0":
            occupied[atom.altloc] = occupied.get(atom.altloc, 0.0) + atom.occ
    best = max(sorted(occupied), key=lambda name: occupied[name]) if occupied else "\0"
    found = np.full((6, 3), np.nan)
    for atom in residue:
        # A calcium ion is named CA too.
        if atom.name in names and atom.altloc in ("\0", best) and atom.element.name in ("N", "C", "O", "S"):
            place = atom.pos.tolist()
            # NaN where it is no place of an atom: PDB has room for 9999.999, mmCIF for any number
            found[names.index(atom.name)] = place if max(map(abs, place)) < FARTHEST else np.nan
    return found, len(occupied) > 1


def runs(found: Sequence[Residue | None]) -> Iterator[list[Residue]]:
    """Stretches in which each C is bound to the next N."""
    run: list[Residue] = []
    for residue in found:
        bound = residue is not None and run and np.linalg.norm(residue.atoms[0] - run[-1].atoms[2]) <= BREAK
        if run and not bound:
            yield run
            run = []
        if residue is not None:
            run.append(residue)
    if run:
        yield run


def assembled(run: Sequence[Residue], name: str, noted: Counter) -> Backbone:
    atoms = np.stack([residue.atoms for residue in run])
    lacking = ~np.isfinite(atoms[:, 3]).all(axis=-1)
    if lacking.any():
        noted[OXYGENS] += int(lacking.sum())
        atoms[lacking, 3] = np.asarray(place_oxygens(atoms[:, :3]))[lacking]
    return Backbone(
        atoms[:, :4],
        "".join(residue.letter for residue in run),
        cb=atoms[:, 4],
        sg=atoms[:, 5],
        chain=name,
        numbers=np.array([residue.number for residue in run]),
        codes="".join(residue.code for residue in run),
    )
