"""A box of water that keeps its energy: forces that are slopes, lists never out of date, steps that do not heat.

64 flexible molecules in a cube of 12.4 A, by the published model SPC/Fw: springs and hinges, oxygen spheres whose
attraction ends smoothly at 9 A (more than half the cell: images are counted), and charges summed over all images by a
smooth mesh. The molecules start on a lattice turned at random, or where a published box has them; they are moved
downhill, warmed in a bath, and then left alone. What their energy does from then on is measured, with an error bar;
forces and stress are held against finite differences, one molecule's vibrations against the model's own formula.

Sources: model: Y. Wu, H. L. Tepper and G. A. Voth, J. Chem. Phys. 124, 024503 (2006). First peak of the measured
distribution of oxygens: L. B. Skinner et al., J. Chem. Phys. 138, 074506 (2013). Box: test data of the package so3lr.
"""

from __future__ import annotations

import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from scipy.spatial import KDTree

from .._core.messages import BadInput
from .._core.precision import in_float64
from .._core.record import Account, Drawing, Section, Status, Table
from ..atoms import NVE, HybridPotential, Langevin, Structure, Trajectory, dynamics, normal_modes, relax
from ..report import BLUE, VERMILLION
from ..simulate import Leapfrog
from . import _spc_fw as water
from ._base import Outcome, Request
from ._measurements import in_data_folder

SUMMARY = "64 waters in a box keep their energy: drift over picoseconds, forces, stress, vibrations and structure"
OPTIONS = {
    "start": "lattice: molecules on a lattice, turned at random; published: a box from the data folder (water_box/)",
    "ps": "length of the run whose energy is watched, ps (default: 0.5 quick, 20 normal, 50 best)",
    "warm": "length of the warming before it, ps (default: 0.25, 10, 20)",
    "temperature": "of the bath beforehand, K (default 300)",
    "step": "fs (default 0.5)",
    "keep": "a folder: a run that was stopped goes on from there",
}
EDGE, PER_EDGE = 12.4, 4  # A
GOAL = 0.01  # meV/atom/ps
MEASURED_PEAK = (2.80, 2.57)  # A, height
EVERY, FRAMES = 10, 5  # steps between records, records between frames


@in_float64
def run(request: Request) -> Outcome:
    begin = time.monotonic()
    temperature, step = request.number("temperature", 300.0), request.number("step", 0.5)
    if step > 2:
        raise BadInput(f"--set step={step:g}: OH bonds swing in 9 fs; a step is at most 2 fs, and 0.5 is usual.")
    lengths = (
        request.number("warm", request.pick(0.25, 10.0, 20.0)),
        request.number("ps", request.pick(0.5, 20.0, 50.0)),
    )
    warm, steps = (max(1, round(1000 * ps / step)) for ps in lengths)
    start = beginning(request)
    weights = water.masses(start)
    single = of_one_molecule()
    folders = kept(request)
    common = {"masses": weights, "seed": request.seed, "every": EVERY, "progress": request.progress}
    rest = relax(water.build, start, force=0.5, most=request.pick(100, 200)).structure
    bath = Langevin(temperature, 0.02, step)
    warmed = dynamics(water.build, rest, bath, warm, temperature=temperature, frames=10**6, keep=folders[0], **common)
    here = Structure(warmed.last, start.numbers, start.cell)
    clock = time.monotonic()
    motion = NVE(Leapfrog(step))
    velocities = without_drift(warmed.velocities, weights)
    path = dynamics(water.build, here, motion, steps, velocities=velocities, frames=FRAMES, keep=folders[1], **common)
    pace = (time.monotonic() - clock) / steps
    end = Structure(path.last, start.numbers, start.cell)
    errors = against_differences(end, request.pick(4, 12, 48), request.seed)
    drift, warmth = path.drift(), mean_with_error(path.temperature)
    distribution = of_oxygens(path, start)
    peak = int(np.argmax(distribution[1]))
    numbers = {
        "ps": steps * step / 1000,
        "step_fs": step,
        "drift": drift.to_json(),
        "drift_goal": GOAL,
        "energy_sd": float(np.std(path.energy)) * 1000 / len(start),
        "temperature": {"value": warmth[0], "sd": warmth[1]},
        "forces_error": errors[0],
        "stress_error": errors[1],
        "first_peak": {"distance": float(distribution[0][peak]), "height": float(distribution[1][peak])},
        "wave_numbers": single["wave_numbers"],
        "dipole_debye": single["dipole"],
        "lists_made": path.built,
        "seconds_per_step": pace,
    }
    status = verdict(drift, errors)
    table = told(numbers, drift)
    text = "\n".join(table.lines())
    draw = lambda: figure(path, drift, distribution, warmth[0])
    caption = (
        "Left: the total energy per atom against time, and its trend, beside a trend of the size allowed. Right:"
        " how oxygens are arranged, beside the first peak that X-rays see."
    )
    section = Section("64 waters in a cube", (str(status),), (table,), (Drawing("water-box", caption, draw),))
    main = Account(status, time.monotonic() - begin, (section,), f"leapfrog, {step:g} fs")
    return Outcome(numbers, status, text, main, figures={"water-box": draw})


def beginning(request: Request) -> Structure:
    """The box at the start."""
    if request.choice("start", ("lattice", "published")) == "lattice":
        return water.box(PER_EDGE, EDGE, request.seed)
    path = in_data_folder("water_box", "water_64.xyz")
    if not path.is_file():
        raise BadInput(
            f"{path} was not found; set LAWFUL_DATA to the folder that holds water_box/, or leave start=lattice."
        )
    try:
        from ase.io import read
    except ImportError:
        raise BadInput("reading frames needs ase; install it: pip install 'lawful[atoms]'") from None
    return water.in_one_piece(Structure.from_ase(read(path)))


def kept(request: Request) -> tuple[Path | None, Path | None]:
    """Where the two parts of the run are kept."""
    if "keep" not in request.options:
        return None, None
    folder = Path(request.options["keep"])
    return folder / "warm", folder / "run"


def without_drift(velocities: np.ndarray, masses: np.ndarray) -> np.ndarray:
    return velocities - masses @ velocities / np.sum(masses)


def of_one_molecule() -> dict:
    """Vibrations and dipole of the molecule at rest."""
    alone = Structure(water.monomer(), list(water.ORDER))
    potential = water.build(alone)
    modes = normal_modes(potential, jnp.asarray(alone.positions), water.masses(alone))
    dipole = potential(jnp.asarray(alone.positions)).dipole
    assert dipole is not None
    return {"wave_numbers": modes.wave_numbers[-3:].tolist(), "dipole": float(jnp.linalg.norm(dipole)) / DEBYE}


DEBYE = 0.20819434  # e A


def against_differences(structure: Structure, count: int, seed: int) -> tuple[float, float]:
    """Largest distance of forces (eV/A, of some of the atoms' components) and of stress (eV/A^3) from differences."""
    potential: HybridPotential = water.build(structure)
    place, cell = jnp.asarray(structure.positions), jnp.asarray(structure.cell)
    answer = potential(place, cell)
    energy = jax.jit(lambda q, cell: potential.energy(q, cell))
    rng, forces, stress = np.random.default_rng(seed), [], []
    for index in rng.choice(place.size, count, replace=False):
        way = jnp.zeros(place.size).at[index].set(1.0).reshape(place.shape)
        slope = derivative(lambda s, way=way: energy(place + s * way, cell), 1e-3)
        forces.append(abs(float(jnp.sum(answer.forces * way)) + slope))
    assert answer.stress is not None
    for i, j in zip(*np.triu_indices(3), strict=True):
        strain = 0.5 * (np.eye(3)[:, [i]] @ np.eye(3)[[j]] + np.eye(3)[:, [j]] @ np.eye(3)[[i]])
        stretched = lambda s, strain=strain: energy(place @ (np.eye(3) + s * strain), cell @ (np.eye(3) + s * strain))
        slope = derivative(stretched, 1e-4) / float(jnp.linalg.det(cell))
        stress.append(abs(float(jnp.sum(answer.stress * strain)) - slope))
    return max(forces), max(stress)


def derivative(function, step: float) -> float:
    """At zero, by central differences of the sixth order."""
    up, down = ([float(function(sign * k * step)) for k in (1, 2, 3)] for sign in (1, -1))
    one, two, three = (a - b for a, b in zip(up, down, strict=True))
    return (45 * one - 9 * two + three) / (60 * step)


def of_oxygens(path: Trajectory, start: Structure, width: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Radial distribution up to half the edge: distances and densities of pairs, 1 for an even one."""
    edges = np.arange(2.0, EDGE / 2 + 1e-9, width)
    counts = np.zeros(len(edges))
    for frame in path.positions[:, ::3]:
        tree = KDTree(frame % EDGE, boxsize=EDGE)
        counts += tree.count_neighbors(tree, edges)
    oxygens = len(start) // 3
    shells = 4 / 3 * np.pi * np.diff(edges**3) * oxygens * (oxygens - 1) / EDGE**3
    return 0.5 * (edges[1:] + edges[:-1]), np.diff(counts) / (len(path.positions) * shells)


def mean_with_error(values: np.ndarray, blocks: int = 8) -> tuple[float, float]:
    """The mean of a series, with the error bar that the scatter of means of blocks tells."""
    means = [block.mean() for block in np.array_split(values, blocks)]
    return float(np.mean(values)), float(np.std(means, ddof=1) / np.sqrt(blocks))


def verdict(drift, errors: tuple[float, float]) -> Status:
    within = abs(drift.value) < GOAL + 2 * drift.sd
    slopes = errors[0] < 1e-6 and errors[1] < 1e-7
    sure = abs(drift.value) + 2 * drift.sd < GOAL
    words = (
        "forces and stress are the energy's slopes, and "
        if slopes
        else "forces or stress are not the energy's slopes, and "
    )
    if sure:
        words += f"the energy drifts by less than {GOAL} meV an atom and ps"
    elif within:
        words += f"the run is too short to tell the drift {drift} meV an atom and ps from {GOAL}; take a longer one"
    else:
        words += f"the energy drifts by {drift} meV an atom and ps"
    return Status(within and slopes, words, "trusted")


def told(numbers: dict, drift) -> Table:
    warmth, peak = numbers["temperature"], numbers["first_peak"]
    waves = ", ".join(f"{each:.1f}" for each in numbers["wave_numbers"])
    return Table(
        ("quantity", "value"),
        (
            ("run, ps", f"{numbers['ps']:g} in steps of {numbers['step_fs']:g} fs"),
            ("drift of the energy, meV/atom/ps", str(drift)),
            ("its swings (sd), meV/atom", f"{numbers['energy_sd']:.3f}"),
            ("temperature, K", f"{warmth['value']:.1f} ± {warmth['sd']:.1f}"),
            ("forces off finite differences by, eV/A", f"{numbers['forces_error']:.1e}"),
            ("stress off finite differences by, eV/A^3", f"{numbers['stress_error']:.1e}"),
            ("first peak of oxygens", f"{peak['height']:.2f} at {peak['distance']:.2f} A"),
            ("vibrations of one molecule, 1/cm", waves),
            ("its dipole, debye", f"{numbers['dipole_debye']:.3f}"),
            ("neighbour lists made", str(numbers["lists_made"])),
            ("ms a step", f"{1000 * numbers['seconds_per_step']:.1f}"),
        ),
    )


def figure(path: Trajectory, drift, distribution: tuple[np.ndarray, np.ndarray], warmth: float):
    from matplotlib.figure import Figure

    fig = Figure(figsize=(9.5, 4), layout="constrained")
    left, right = fig.subplots(1, 2)
    ps, atoms = path.times / 1000, path.last.shape[0]
    energy = 1000 * (path.energy - path.energy.mean()) / atoms
    left.plot(ps, energy, color=BLUE, lw=0.6, alpha=0.7, label="total energy")
    left.plot(ps, drift.value * (ps - ps.mean()), color=VERMILLION, lw=2, label=f"trend {drift} meV/atom/ps")
    left.plot(ps, GOAL * (ps - ps.mean()), color="0.4", lw=1, ls=":", label=f"{GOAL} meV/atom/ps")
    left.set(xlabel="time (ps)", ylabel="energy per atom (meV)", title=f"left alone at {warmth:.0f} K")
    reach = 1.6 * float(np.max(np.abs(energy)))
    left.set_ylim(-reach, reach)
    left.legend(loc="upper left", fontsize=8)
    right.plot(*distribution, color=BLUE, label="SPC/Fw, this run")
    right.plot(*MEASURED_PEAK, "o", color=VERMILLION, label="first peak, X-rays")
    right.axhline(1.0, color="0.7", lw=0.8)
    right.set(xlabel="distance of two oxygens (A)", ylabel="radial distribution")
    right.legend(fontsize=8)
    return fig, left
