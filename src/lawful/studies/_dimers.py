"""Published pairs of molecules: curves along which they come nearer, and energies that a theory told apart."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .._core.compilation import compiled
from .._core.messages import BadInput
from ..atoms import KCAL_PER_MOL, Fragments, Frames, HybridNetwork, NetworkAlone, Structure
from ._measurements import in_data_folder

SETS = ("s66x8", "ionichb", "nbc10ext")
NAMES = {  # the name of a dimer: which curve, and where on it
    "s66x8": re.compile(r"(?P<curve>.+)_(?P<place>[\d.]+)"),
    "ionichb": re.compile(r"\d\d(?P<curve>.+?)(?P<place>\d\d\d)"),
    "nbc10ext": re.compile(r"(?P<curve>NBC10ext_\d+)_(?P<place>[\d.]+)_dimer"),
}
NEAR = 1.25  # of the equilibrium: what is learned from
TOUCHING = 1.1  # of the sum of van der Waals radii, likewise
LARGEST = 30  # atoms of a pair that parts are learned from
TOLERANCE = 0.05 * KCAL_PER_MOL
PARTS = {"Elst": "coulomb", "Exch": "repulsion", "Disp": "dispersion"}  # of SAPT, and the terms that describe them
PROTEINS = ("SSI500", "BBI", "UBQ", "HSG")  # sets of pairs out of proteins that nothing is learned from
RADII = {1: 1.2, 6: 1.7, 7: 1.55, 8: 1.52, 16: 1.8}  # A, van der Waals: A. Bondi, J. Phys. Chem. 68, 441 (1964)
NUMBERS = {"H": 1, "C": 6, "N": 7, "O": 8, "S": 16}


@dataclass(frozen=True)
class Dimer:
    """Two molecules at one place of a curve.

    place    the separation, in that of the equilibrium.
    energy   of interaction, eV.
    parts    of the energy, eV, by the names of a `HybridNetwork`'s terms; none where no theory told them apart.
    """

    source: str
    curve: str
    place: float
    structure: Structure
    fragments: Fragments
    energy: float
    parts: Mapping[str, float] = field(default_factory=dict)


def dimers() -> list[Dimer]:
    """All curves of neutral and charged molecules that hold no other elements than `NUMBERS`."""
    folder = in_data_folder("refdata")
    if not (folder / "geometries.zip").is_file():
        raise BadInput(f"{folder}/geometries.zip was not found; set LAWFUL_DATA to the folder that holds refdata/.")
    with zipfile.ZipFile(folder / "geometries.zip") as archive:
        return [dimer for name in SETS for dimer in curves(archive, name, (folder / "din" / f"{name}.din").read_text())]


def curves(archive: zipfile.ZipFile, source: str, text: str) -> list[Dimer]:
    found = []
    for pair, one, other, energy in reactions(text):
        name = NAMES[source].fullmatch(pair)
        if name is None:
            continue
        place = float(name["place"]) / (100 if source == "ionichb" else 1)
        numbers, positions, _ = molecule(archive, source, pair)
        first, second = molecule(archive, source, one), molecule(archive, source, other)
        halves = np.split(numbers, [len(first[0])])
        if any(sorted(half) != sorted(whole[0]) for half, whole in zip(halves, (first, second), strict=True)):
            raise BadInput(f"{source}/{pair} does not list the atoms of {one} and {other} one after the other.")
        fragments = Fragments(np.repeat([0, 1], [len(first[0]), len(second[0])]), np.array([first[2], second[2]]))
        structure = Structure(positions, numbers)
        found.append(Dimer(source, name["curve"], place, structure, fragments, energy * KCAL_PER_MOL))
    return relative(found) if source == "nbc10ext" else found


def relative(found: Sequence[Dimer]) -> list[Dimer]:
    """The least distance between atoms of the two, in that of the place where the energy is least."""
    best: dict[str, Dimer] = {}
    for dimer in sorted(found, key=lambda dimer: dimer.energy):
        best.setdefault(dimer.curve, dimer)
    return [replace(dimer, place=nearest(dimer) / nearest(best[dimer.curve])) for dimer in found]


def nearest(dimer: Dimer) -> float:
    """Between atoms of the two, A."""
    return float(np.min(distances(dimer)))


def distances(dimer: Dimer) -> Float[np.ndarray, "first second"]:
    """Of each atom of the first to each of the second, A."""
    places, first = np.asarray(dimer.structure.positions), np.asarray(dimer.fragments.of) == 0
    return np.linalg.norm(places[first][:, None] - places[~first], axis=-1)


def reactions(text: str) -> Iterator[tuple[str, str, str, float]]:
    """Names of the dimer and of its parts, and the energy in kcal/mol."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    while lines:
        end = lines.index("0")
        names = lines[1:end:2]
        if len(names) == 2:  # twice the same molecule
            names = [names[0], names[1], names[1]]
        yield names[0], names[1], names[2], float(lines[end + 1])
        lines = lines[end + 2 :]


def molecule(archive: zipfile.ZipFile, source: str, name: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Atomic numbers, positions (A) and charge (e)."""
    count, charge, *rows = archive.read(f"{source}/{name}.xyz").decode().splitlines()
    words = [row.split() for row in rows[: int(count)]]
    return np.array([NUMBERS[w[0]] for w in words]), np.array([w[1:4] for w in words], float), int(charge.split()[0])


def frames_of(found: Sequence[Dimer]) -> Frames:
    """Such that in training a dimer counts by its error over 0.05 kcal/mol + 3 %, whatever its size, and up to twice
    as much where it is further apart than at equilibrium: what is learned there reaches furthest."""
    energies, atoms = np.array([dimer.energy for dimer in found]), np.array([len(d.structure) for d in found])
    further = np.nan_to_num(np.clip(4 * (np.array([dimer.place for dimer in found]) - 1), 0, 1))
    weight = (1 + 3 * further) * (atoms / (TOLERANCE + 0.03 * np.abs(energies)) * TOLERANCE) ** 2
    terms = {name: [dimer.parts.get(name, np.nan) for dimer in found] for name in PARTS.values()}
    structures, fragments = [d.structure for d in found], [d.fragments for d in found]
    return Frames(structures, energies, terms=terms, fragments=fragments, weight=weight)


def parts_of(found: Sequence[Dimer]) -> Frames:
    """With the parts of energies alone: all that charges, clouds and dispersion are learned from."""
    frames = frames_of(found)
    return eqx.tree_at(lambda f: f.labels.energy, frames, np.full(len(found), np.nan))


def only_energies(frames: Frames) -> Frames:
    return eqx.tree_at(lambda f: f.labels.terms, frames, None)


class Component(NamedTuple):
    """A term of a model against a component of SAPT, over pairs whose nearest atoms are `begin` to `end` A apart.

    slope    of the term on the component, by least squares.
    mae      kcal/mol.
    """

    term: str
    begin: float
    end: float
    pairs: int
    slope: float
    correlation: float
    mae: float


def components(model: HybridNetwork, found: Sequence[Dimer]) -> list[Component]:
    """Of the terms that SAPT tells apart, over these pairs."""
    gaps, terms = np.array([nearest(dimer) for dimer in found]), terms_of(model, frames_of(found))
    rows = []
    for term in PARTS.values():
        theirs = np.array([dimer.parts[term] for dimer in found]) / KCAL_PER_MOL
        for begin, end in ((1.5, 2.0), (2.0, 2.5), (2.5, 3.0), (3.0, 4.0), (4.0, 8.0)):
            chosen = (gaps >= begin) & (gaps < end)
            if np.sum(chosen) < 10:
                continue
            x, y = theirs[chosen], terms[term][chosen]
            slope, correlation = float(x @ y / (x @ x)), float(np.corrcoef(x, y)[0, 1])
            mae = float(np.mean(np.abs(x - y)))
            rows.append(Component(term, begin, end, int(np.sum(chosen)), slope, correlation, mae))
    return rows


def terms_of(model: HybridNetwork | NetworkAlone, frames: Frames, batch: int = 50) -> dict[str, np.ndarray]:
    """Of each frame, kcal/mol."""
    scene = frames.seen(model.short.species(frames.numbers), model.cutoff)
    said = compiled(lambda *_: 1)(lambda model, some: jax.vmap(model.interaction)(some))
    parts = [
        jax.tree.map(np.asarray, said(model, jax.tree.map(lambda x, k=k: jnp.asarray(x[k : k + batch]), scene)))
        for k in range(0, len(frames), batch)
    ]
    return {name: np.concatenate([part[name] for part in parts]) / KCAL_PER_MOL for name in parts[0]}


def told_apart() -> list[Dimer]:
    """SAPT10K, what holds no other elements: pairs with electrostatics, exchange and dispersion; none without the data.

    The place is the least distance between atoms of the two in the sum of their van der Waals radii, but for S66x8,
    whose names say it.
    """
    path = in_data_folder("sapt10k", "sapt10k.zip")
    if not path.is_file():
        return []
    found = []
    with zipfile.ZipFile(path) as archive:
        lines = archive.read("sapt10k.xyz").decode().splitlines()
    at = 0
    while at < len(lines):
        count, words = int(lines[at]), dict(re.findall(r"(\w+)=([^\s\"]+)", lines[at + 1]))
        rows = [row.split() for row in lines[at + 2 : at + 2 + count]]
        at += 2 + count
        moved_apart = words["structure_type"] != "dimer_original"  # without an energy of its own
        if moved_apart or any(row[0] not in NUMBERS for row in rows):
            continue
        structure = Structure(np.array([row[1:4] for row in rows], float), [NUMBERS[row[0]] for row in rows])
        charges = np.array([float(words["charge_a"]), float(words["charge_b"])])
        fragments = Fragments(np.repeat([0, 1], [int(words["num_a"]), int(words["num_b"])]), charges)
        parts = {term: float(words[name]) * KCAL_PER_MOL for name, term in PARTS.items()}
        energy = float(words["energy"]) * KCAL_PER_MOL
        dimer = Dimer(words["folder_name"], words["file_name"], np.nan, structure, fragments, energy, parts)
        found.append(replace(dimer, place=place_of(dimer)))
    return found


def place_of(dimer: Dimer) -> float:
    named = re.search(r"-(\d{3})-dimer", dimer.curve) if dimer.source == "S66x8" else None
    if named is not None:
        return int(named[1]) / 100
    radii = np.array([RADII[int(number)] for number in dimer.structure.numbers])
    first = np.asarray(dimer.fragments.of) == 0
    return float(np.min(distances(dimer) / (radii[first][:, None] + radii[~first])))


def to_learn_parts_from(found: Sequence[Dimer], most: int = 1700, seed: int = 0) -> list[Dimer]:
    """Of pairs with parts: of S66x8 all up to 1.25; of other sets, none out of `PROTEINS`, about as many each, that
    touch and are no larger than `LARGEST` atoms."""
    curves = [d for d in found if d.source == "S66x8" and d.place <= NEAR]
    rest = [d for d in found if d.source not in ("S66x8", *PROTEINS) and d.place <= TOUCHING]
    rest = [d for d in rest if len(d.structure) <= LARGEST]
    order = np.random.default_rng(seed).permutation(len(rest))
    taken: dict[str, int] = {}
    ranks = np.empty(len(rest), dtype=int)  # of each in its own set
    for k in order:
        ranks[k] = taken[rest[k].source] = taken.get(rest[k].source, -1) + 1
    return curves + [rest[k] for k in np.lexsort((order, ranks))[: max(most - len(curves), 0)]]
