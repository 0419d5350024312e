"""Backbones into PDB and mmCIF files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .._core.files import write_atomically
from .._core.messages import BadInput
from ._backbone import ATOMS, Backbone
from ._ideal import ideal_cb
from ._reading import extra

if TYPE_CHECKING:
    import gemmi


def write(path: str | Path, backbones: Backbone | Sequence[Backbone], *, beta_carbons: bool = True) -> Path:
    """Write backbones as one model: PDB for .pdb and .ent, mmCIF for .cif and .mmcif.

    backbones      one, or several; those of one chain's name are stretches of that chain.
    beta_carbons   whether residues but glycine get a CB, ideal where it is not known.

    Coordinates are kept to 0.001 A in PDB and 0.00001 A in mmCIF. Raises `BadInput` for another ending, for what PDB
    cannot hold (chain names of several letters, numbers above 9999, coordinates beyond its columns), and where a
    residue number comes twice in a chain. Needs the extra `proteins`.
    """
    gemmi = extra()
    path = Path(path)
    several = [backbones] if isinstance(backbones, Backbone) else list(backbones)
    if not several:
        raise BadInput(f"there is no backbone to write into {path}.")
    structure = gemmi.Structure()
    structure.name = path.stem
    model = gemmi.Model(1)
    for name in dict.fromkeys(each.chain for each in several):
        model.add_chain(as_chain([each for each in several if each.chain == name], path, beta_carbons))
    structure.add_model(model)
    structure.setup_entities()
    structure.assign_label_seq_id()
    match path.suffix.lower():
        case ".pdb" | ".ent":
            check_columns(several, path)
            text = structure.make_pdb_string()
        case ".cif" | ".mmcif":
            text = structure.make_mmcif_document().as_string()
        case other:
            raise BadInput(f"{path}: the ending says the format, .pdb or .cif; '{other}' is neither.")
    write_atomically(path, text.encode())
    return path


def as_chain(backbones: Sequence[Backbone], path: Path, beta_carbons: bool) -> gemmi.Chain:
    import gemmi

    chain = gemmi.Chain(backbones[0].chain)
    taken = set()
    for backbone in backbones:
        xyz = np.asarray(backbone.xyz, dtype=float)
        ideal = np.asarray(ideal_cb(xyz), dtype=float)
        cb = ideal if backbone.cb is None else np.where(np.isfinite(backbone.cb), backbone.cb, ideal)
        for k, letter in enumerate(backbone.sequence):
            number, code = int(backbone.numbers[k]), backbone.codes[k]
            if (number, code) in taken:
                raise BadInput(
                    f"{path}: chain '{chain.name}' would hold residue {number}{code.strip()} twice; give each backbone"
                    " a chain name or numbers of its own."
                )
            taken.add((number, code))
            residue = gemmi.Residue()
            residue.name = gemmi.expand_one_letter(letter, gemmi.ResidueKind.AA)
            residue.seqid = gemmi.SeqId(number, code)
            residue.het_flag = "A"
            places: list[tuple[str, np.ndarray]] = list(zip(ATOMS, xyz[k], strict=True))
            if beta_carbons and letter != "G":
                places.append(("CB", cb[k]))
            if letter == "C" and backbone.sg is not None and np.isfinite(backbone.sg[k]).all():
                places.append(("SG", np.asarray(backbone.sg[k])))
            for name, place in places:
                residue.add_atom(as_atom(name, place))
            chain.add_residue(residue)
    return chain


def as_atom(name: str, place: np.ndarray) -> gemmi.Atom:
    import gemmi

    atom = gemmi.Atom()
    atom.name, atom.element, atom.occ, atom.b_iso = name, gemmi.Element(name[0]), 1.0, 0.0
    atom.pos = gemmi.Position(*map(float, place))
    return atom


def check_columns(backbones: Sequence[Backbone], path: Path) -> None:
    """PDB has columns of fixed width."""
    for backbone in backbones:
        wide = np.max(np.abs(np.asarray(backbone.xyz))) >= 999.9995
        if len(backbone.chain) > 1 or wide or not -999 <= backbone.numbers.min() <= backbone.numbers.max() <= 9999:
            raise BadInput(
                f"{path}: PDB holds chain names of one letter, residue numbers from -999 to 9999 and coordinates below"
                f" 1000 A; chain '{backbone.chain}' needs more. Write {path.with_suffix('.cif').name} instead."
            )
