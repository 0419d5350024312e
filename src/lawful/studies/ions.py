"""Ions that repeat for ever: lattice energies, forces and stress of Ewald's sums and of their mesh.

The energy of an ion in a crystal is k q^2 / d times Madelung's constant, d the distance of nearest neighbours. The
constants of four lattices are known to eleven digits, and are found here by the exact sum and by the mesh, both from
the accuracy that they are asked for. Then three disordered cells of sodium chloride and caesium chloride with forces
and stress computed by another program (where the data folder is there), and a melt in a triclinic cell: what the mesh
leaves out against the accuracy asked for, and against the positions, since only a smooth energy conserves itself.

Sources: published constants: R. E. Crandall and J. P. Buhler, J. Phys. A 20, 5497 (1987); A. D. Baker and M. D. Baker,
Am. J. Phys. 78, 102 (2010). Frames: test data of the package torch-pme, computed with GROMACS.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from .._core.messages import BadInput
from .._core.precision import in_float64
from .._core.record import Account, Drawing, Section, Status, Table
from ..atoms import COULOMB, ChargeSum, Ewald, HybridPotential, MeshEwald, Structure
from ..report import BLUE, VERMILLION
from ._base import Outcome, Request
from ._measurements import in_data_folder

SUMMARY = "Madelung's constants, forces and stress of ionic crystals, by Ewald's sums and by a smooth mesh"
OPTIONS: dict[str, str] = {}

FACES = np.array([[0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]])
EDGE = 5.64  # A, any will do


@dataclass(frozen=True)
class Crystal:
    """A lattice with its published constant, energy per formula in units of k / d."""

    name: str
    cell: np.ndarray
    fractions: tuple[tuple[float, float, float], ...]
    charges: tuple[float, ...]
    nearest: float  # in edges
    published: float

    def structure(self) -> Structure:
        cell = EDGE * self.cell
        return Structure(np.array(self.fractions) @ cell, [11] * len(self.charges), cell)


CENTRE, QUARTER = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
CRYSTALS = (
    Crystal("NaCl", FACES, ((0, 0, 0), CENTRE), (1, -1), 0.5, 1.74756459463),
    Crystal("CsCl", np.eye(3), ((0, 0, 0), CENTRE), (1, -1), np.sqrt(3) / 2, 1.76267477307),
    Crystal("ZnS", FACES, ((0, 0, 0), QUARTER), (1, -1), np.sqrt(3) / 4, 1.63805505338),
    Crystal("CaF2", FACES, ((0, 0, 0), QUARTER, (0.75, 0.75, 0.75)), (2, -1, -1), np.sqrt(3) / 4, 5.03878488),
)


def madelung(crystal: Crystal, energy: ChargeSum) -> float:
    structure = crystal.structure()
    found = energy(jnp.asarray(structure.positions), jnp.asarray(structure.cell), jnp.asarray(crystal.charges))
    return -float(found) / COULOMB * crystal.nearest * EDGE


def frames() -> list[dict] | None:
    """Errors of energy, forces and stress of the published frames, relative to their largest; None without the data."""
    path = in_data_folder("pme_reference", "coulomb_test_frames.xyz")
    if not path.is_file():
        return None
    try:
        from ase.io import iread
    except ImportError:
        raise BadInput("reading frames needs ase; install it: pip install 'lawful[atoms]'") from None
    rows = []
    for atoms in iread(path):
        structure = Structure.from_ase(atoms)
        charges, sums = jnp.asarray(atoms.get_initial_charges()), Ewald.of(structure, 1e-11)
        term = lambda r, cell, sums=sums, charges=charges: sums(r, cell, charges)
        found = HybridPotential({"coulomb": term})(jnp.asarray(structure.positions), jnp.asarray(structure.cell))
        assert found.stress is not None
        virial = 0.5 * np.asarray(found.stress) * atoms.get_volume()  # the file holds -1/2 sum r F
        theirs = atoms.get_stress(voigt=False)
        rows.append(
            {
                "atoms": str(atoms.symbols),
                "energy": float(found.energy) / atoms.get_potential_energy() - 1,
                "forces": worst(np.asarray(found.forces), atoms.get_forces()),
                "stress": worst(virial, theirs),
            }
        )
    return rows


def worst(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))


def melt(count: int, seed: int) -> tuple[Structure, jax.Array]:
    """As many ions of either sign, none nearer than 2 A, in a triclinic cell."""
    rng, edge = np.random.default_rng(seed), (count * 22.0) ** (1 / 3)
    cell = edge * np.array([[1.0, 0.0, 0.0], [0.2, 1.0, 0.0], [0.1, -0.15, 1.0]])
    kept: list[np.ndarray] = []
    while len(kept) < count:
        place = rng.uniform(size=3)
        apart = (np.array(kept).reshape(-1, 3) - place + 0.5) % 1 - 0.5
        if not kept or np.min(np.linalg.norm(apart @ cell, axis=1)) > 2.0:
            kept.append(place)
    return Structure(np.array(kept) @ cell, [11] * count, cell), jnp.asarray(np.resize((1.0, -1.0), count))


def on_meshes(count: int, seed: int) -> list[dict]:
    """What meshes of several accuracies leave out of a melt's energy and forces."""
    structure, charges = melt(count, seed)
    place = jnp.asarray(structure.positions), jnp.asarray(structure.cell), charges
    energy, forces = jax.value_and_grad(Ewald.of(structure, 1e-12))(*place)
    rows = []
    for accuracy in (1e-3, 1e-4, 1e-5, 1e-6, 1e-7):
        sums = MeshEwald.of(structure, accuracy, cutoff=6.0)
        e, f = jax.value_and_grad(sums)(*place)
        rows.append(
            {
                "asked": accuracy,
                "mesh": list(sums.mesh),
                "energy": abs(float(e / energy) - 1),
                "forces": float(jnp.linalg.norm(f - forces) / jnp.linalg.norm(forces)),
            }
        )
    return rows


@in_float64
def run(request: Request) -> Outcome:
    begin, constants = time.monotonic(), {}
    for crystal in CRYSTALS:
        structure = crystal.structure()
        exact, mesh = (madelung(crystal, sums) for sums in (Ewald.of(structure, 1e-12), MeshEwald.of(structure, 1e-5)))
        constants[crystal.name] = {"ewald": exact, "mesh": mesh, "published": crystal.published}
    read, meshes = frames(), on_meshes(request.pick(64, 216, 512), request.seed)
    errors = {
        name: max(abs(row[name] / row["published"] - 1) for row in constants.values()) for name in ("ewald", "mesh")
    }
    numbers = {"madelung": constants, "madelung_error": errors, "frames": read, "meshes": meshes}
    good = errors["ewald"] < 1e-6 and errors["mesh"] < 1e-4 and all(row["forces"] < 10 * row["asked"] for row in meshes)
    status = Status(good, "both sums reach the accuracy that was asked of them" if good else "a sum is off", "trusted")
    tables = told(constants, read, meshes)
    text = "\n\n".join("\n".join(table.lines()) for table in tables)
    if read is None:
        text += "\n\nThe published frames were not found; set LAWFUL_DATA to the folder that holds pme_reference/."
    draw = lambda: figure(meshes)
    caption = "What a mesh leaves out of a melt's energy and forces, against what it was asked for."
    section = Section("Ionic crystals and melts", (str(status),), tables, (Drawing("mesh", caption, draw),))
    main = Account(status, time.monotonic() - begin, (section,), "Ewald's sums")
    return Outcome(numbers, status, text, main, figures={"mesh": draw})


def told(constants: dict, read: list[dict] | None, meshes: list[dict]) -> tuple[Table, ...]:
    lattices = Table(
        ("lattice", "published", "Ewald", "mesh"),
        tuple(
            (name, f"{row['published']:.11g}", f"{row['ewald']:.11f}", f"{row['mesh']:.7f}")
            for name, row in constants.items()
        ),
    )
    parts = ("energy", "forces", "stress")
    published = Table(
        ("published frame", *(f"{part} off by" for part in parts)),
        tuple((row["atoms"], *(f"{abs(row[part]):.1e}" for part in parts)) for row in read or ()),
    )
    melted = Table(
        ("asked for", "mesh", "energy off by", "forces off by"),
        tuple(
            (f"{row['asked']:.0e}", " x ".join(map(str, row["mesh"])), f"{row['energy']:.1e}", f"{row['forces']:.1e}")
            for row in meshes
        ),
    )
    return (lattices, *((published,) if read else ()), melted)


def figure(meshes: list[dict]):
    from matplotlib.figure import Figure

    fig = Figure(figsize=(5.5, 4), layout="constrained")
    ax = fig.subplots()
    asked = [row["asked"] for row in meshes]
    ax.plot(asked, asked, color="0.6", lw=1, label="asked for")
    ax.plot(asked, [row["energy"] for row in meshes], "o-", color=BLUE, label="energy")
    ax.plot(asked, [row["forces"] for row in meshes], "s--", color=VERMILLION, label="forces")
    ax.set(xscale="log", yscale="log", xlabel="accuracy asked for", ylabel="relative error")
    ax.legend()
    return fig, ax
