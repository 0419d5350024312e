"""The receptors of the study of pockets: real ones with their natives, or one made here."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from ..proteins import Backbone, Fit, Spheres, fit, read, read_receptor, spheres_of
from ..proteins._placing import atoms_of
from ._measurements import in_data_folder
from ._sequence_wish import helix

ARCHIVE = "pockets", "bm5_bound_complexes_open.tar.gz"
TRIED = ("1ACB", "1KAC")
"""On which steps and weights were chosen; no figure is from these."""
NEAR = 6.0
RESIDUES = 80
MADE, RADIUS = "made", 12.8


class Pose(NamedTuple):
    """A binder in its place against a receptor."""

    binder: Backbone
    fit: Fit


class Case(NamedTuple):
    """middle: of the receptor's atoms at the interface; out: a unit vector away; native: the native binder's fit."""

    name: str
    receptor: Spheres
    middle: Float[np.ndarray, "3"]
    out: Float[np.ndarray, "3"]
    native: Fit
    said: str


class Placed(NamedTuple):
    """Binders of one receptor: on first touch, turned at random, and at rest; `effective` of particles, `free`: chains
    that no receptor steered, where there are any."""

    case: Case
    starts: list[Pose]
    rests: list[Pose]
    seconds: float
    effective: float | None = None
    free: Sequence[Backbone] = ()


def posed(binder: Backbone, case: Case) -> Pose:
    """Judged by the atoms of what would stand in a file."""
    return Pose(binder, fit(atoms_of(binder).reshape(-1, 3), spheres_of(binder), case.receptor))


def cases(count: int, seed: int) -> list[Case]:
    """So many complexes, drawn by the seed; without the archive, or for none, the one that is made."""
    path = in_data_folder(*ARCHIVE)
    if not count or not path.is_file():
        return [made()]
    with tarfile.open(path) as archive, tempfile.TemporaryDirectory() as folder:
        members = {Path(one.name).name: one for one in archive.getmembers() if one.name.endswith(".pdb")}
        names = sorted({name.split("_")[0] for name in members} - set(TRIED))
        chosen = np.random.default_rng(seed).permutation(names)[:count].tolist()
        found = []
        for name in chosen:
            for part in ("r", "l"):
                file = f"{name}_{part}_b-matched.pdb"
                opened = archive.extractfile(members[file])
                assert opened is not None  # it is a file
                Path(folder, file).write_bytes(opened.read())
            found.append(complexed(name, Path(folder)))
    return found


def complexed(name: str, folder: Path) -> Case:
    from scipy.spatial import KDTree

    receptor, report = read_receptor(folder / f"{name}_r_b-matched.pdb")
    backbones, other = read(folder / f"{name}_l_b-matched.pdb")
    whole = Backbone(np.concatenate([each.xyz for each in backbones]), "".join(each.sequence for each in backbones))
    body = spheres_of(whole)
    # A glycine that is there has no CB, where a binder of any letters must leave room for one.
    bare = np.repeat(np.array(list(whole.sequence)) == "G", 5) & (np.arange(len(body)) % 5 == 4)
    ligand = Spheres(atoms_of(whole).reshape(-1, 3), np.where(bare, -1.0, body.radii), body.residue)
    at = KDTree(ligand.xyz).query(receptor.xyz)[0] < NEAR
    close = KDTree(receptor.xyz).query(ligand.xyz)[0] < NEAR
    middle = receptor.xyz[at].mean(axis=0)
    # Outwards is where the receptor is not: from its atoms within 15 A of the interface to the native's.
    inside = receptor.xyz[np.linalg.norm(receptor.xyz - middle, axis=1) < 15].mean(axis=0)
    way = ligand.xyz[close].mean(axis=0) - inside
    return Case(
        name, receptor, middle, way / np.linalg.norm(way), fit(ligand.xyz, ligand, receptor), f"{report}; {other}"
    )


def made() -> Case:
    """A groove of five helices of alanine; its native is a sixth that lies in it."""
    one = helix(24)
    walls = []
    for angle in np.deg2rad([-90, -45, 0, 45, 90]):
        shift = RADIUS * np.array([0.0, np.sin(angle), -np.cos(angle)])
        walls.append(spheres_of(Backbone(one)).xyz + shift)
    body = spheres_of(Backbone(one))
    receptor = Spheres(
        np.concatenate(walls),
        np.tile(body.radii, len(walls)),
        np.concatenate([body.residue + k * len(one) for k in range(len(walls))]),
    )
    native = body.xyz + np.array([0.0, 0.0, -4.4])
    middle = np.array([0.0, 0.0, -RADIUS + 4.0])
    return Case(
        MADE, receptor, middle, np.array([0.0, 0.0, 1.0]), fit(native, body, receptor), "a groove of five helices"
    )
