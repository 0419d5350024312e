"""Ethanol: energies and forces of a molecule that shakes, learned from a thousand frames.

The frames are snapshots of ethanol at 500 K with energies and forces of PBE/def2-SVP. An ensemble of four equivariant
networks learns from 950 of them, 50 calibrate its error bars, and a thousand others judge it: mean absolute errors of
energy and forces, how often the truth lies within two standard deviations, and what a rotation, a reflection, a
permutation or padding changes in the trained networks, which should be rounding.

Efforts quick and normal judge the weights that come with the package (`weights/ethanol.npz`), on 50 and on all frames.
Effort best trains anew: minutes on a GPU, many hours on a laptop.

The weights: 4 members of 64 channels, 2 layers, cutoff 5 A, in single precision; 1150 epochs of 190 updates at seed 0;
one NVIDIA H200, 536 s with compilation, JAX 0.11.2.

Source of the frames: A. S. Christensen and O. A. von Lilienfeld, Mach. Learn.: Sci. Technol. 1, 045018 (2020), rMD17.
"""

from __future__ import annotations

import time
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .._core.messages import BadInput
from .._core.precision import float64
from .._core.record import Account, Drawing, Section, Status, Table
from ..atoms import (
    KCAL_PER_MOL,
    Ensemble,
    Errors,
    Frames,
    NetworkEnergy,
    Prediction,
    ShortRangeNetwork,
    Structure,
    train,
)
from ..report import BLUE, VERMILLION
from ._base import Effort, Outcome, Request
from ._measurements import in_data_folder

SUMMARY = "energies and forces of ethanol learned from a thousand frames, with error bars"
OPTIONS = {
    "epochs": "passes over the frames at effort best (1150)",
    "members": "networks in the ensemble at effort best (4)",
    "channels": "matrices an atom carries at effort best (64)",
    "keep": "a folder for the state of the training at effort best, which goes on there after a kill",
}
ELEMENTS = (1, 6, 8)
WEIGHTS = Path(__file__).with_name("weights") / "ethanol.npz"
GOALS = {"energy": 1e-3, "forces": 5e-3}  # eV, eV/A


def frames(part: str, count: int | None = None) -> Frames:
    path = in_data_folder("rmd17_ethanol", f"rmd17_ethanol_{part}.npz")
    if not path.is_file():
        raise BadInput(f"{path} was not found; set LAWFUL_DATA to the folder that holds rmd17_ethanol/.")
    with np.load(path, allow_pickle=False) as table:
        numbers, places = table["nuclear_charges"], table["coords"][:count]
        energies, forces = table["energies"][:count] * KCAL_PER_MOL, table["forces"][:count] * KCAL_PER_MOL
    return Frames([Structure(each, numbers) for each in places], energies, list(forces))


def network(channels: int):
    return lambda key: ShortRangeNetwork(ELEMENTS, key, channels=channels)


def learned(request: Request) -> Ensemble:
    """Trained anew at effort best, else what comes with the package."""
    options = {name: request.options[name] for name in OPTIONS if name in request.options}
    if request.effort is not Effort.BEST:
        if options:
            raise BadInput(f"--set {next(iter(options))} is for a training; add --effort best.")
        return Ensemble.load(WEIGHTS, network(64)(jax.random.key(0)))
    known = frames("train_01")
    epochs, members = request.count("epochs", 1150, 1), request.count("members", 4, 1, 16)
    return train(
        network(request.count("channels", 64, 1, 1024)),
        known[50:],
        known[:50],
        epochs=epochs,
        members=members,
        rate=5e-3,
        seed=request.seed,
        folder=request.options.get("keep"),
        resume=True,
        progress=request.progress,
    )


def symmetries(one: ShortRangeNetwork, structure: Structure, seed: int) -> dict[str, float]:
    """What a motion that cannot matter changes in a trained network's energy and forces, relative to the largest."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    order, places, numbers = rng.permutation(len(structure)), np.asarray(structure.positions), structure.numbers

    def said(positions: np.ndarray, numbers: np.ndarray, room: int | None = None) -> tuple[float, np.ndarray]:
        term = one.term(Structure(positions, numbers), room)
        energy, slope = slope_of(term, jnp.asarray(positions))
        return float(energy - jnp.sum(one.shift[one.species(numbers)])), np.asarray(slope)

    energy, slope = said(places, numbers)
    moved = {
        "rotation": (said(places @ turn.T, numbers), slope @ turn.T),
        "reflection": (said(-places, numbers), -slope),
        "translation": (said(places + np.array([1.0, -2.0, 0.5]), numbers), slope),
        "permutation": (said(places[order], numbers[order]), slope[order]),
        "padding": (said(places, numbers, room=len(structure) + 5), slope),
    }
    most = np.max(np.abs(slope))
    return {
        name: max(abs(e - energy) / max(abs(energy), most), float(np.max(np.abs(g - expected)) / most))
        for name, ((e, g), expected) in moved.items()
    }


@eqx.filter_jit
def slope_of(term: NetworkEnergy, positions: jax.Array) -> tuple[jax.Array, jax.Array]:
    return jax.value_and_grad(term)(positions, None)


def run(request: Request) -> Outcome:
    begin = time.monotonic()
    ensemble = learned(request)
    tested = frames("test_01", request.pick(50, None))
    each = ensemble.each(tested)
    said = ensemble.together(each)
    errors = Errors.between(said.energy, said.forces, tested.labels)
    alone = [Errors.between(*one, tested.labels) for one in zip(each.energy, each.forces, strict=True)]
    single = symmetries(ensemble.member(0), tested.structures[0], request.seed)
    with float64():
        double = ensemble.member(0)
        double = jax.tree.map(lambda leaf: leaf.astype(float) if isinstance(leaf, jax.Array) else leaf, double)
        doubled = symmetries(double, tested.structures[0], request.seed)
    numbers = {
        "frames": len(tested),
        "energy_mae": errors.energy,
        "forces_mae": errors.forces,
        "alone": [{"energy_mae": each.energy, "forces_mae": each.forces} for each in alone],
        "covered": covered(said, tested),
        "symmetry_float32": single,
        "symmetry_float64": doubled,
    }
    good = errors.energy <= GOALS["energy"] and errors.forces <= GOALS["forces"]
    exact = max(doubled.values()) < 1e-11 and max(single.values()) < 1e-4
    reason = "energies and forces within 1 meV and 5 meV/A" if good else "short of 1 meV and 5 meV/A"
    status = Status(good and exact, reason if exact else "a symmetry is broken", "trusted")
    tables = told(numbers)
    text = "\n\n".join("\n".join(table.lines()) for table in tables)
    draw = lambda: figure(said, tested)
    caption = "Forces said against forces computed, and errors against the error bars that were said beforehand."
    section = Section("Frames that were not trained on", (str(status),), tables, (Drawing("forces", caption, draw),))
    return Outcome(
        numbers,
        status,
        text,
        Account(status, time.monotonic() - begin, (section,), "four networks of 3 x 3 matrices"),
        figures={"forces": draw},
    )


def covered(said: Prediction, tested: Frames) -> dict[str, float]:
    """How often the truth lies within two of the standard deviations that were said."""
    share = lambda gap, sd: float(np.nanmean(np.abs(gap) < 2 * sd))
    return {
        "energy": share(said.energy - tested.labels.energy, said.energy_sd),
        "forces": share(said.forces - tested.labels.forces, said.forces_sd),
    }


def told(numbers: dict) -> tuple[Table, ...]:
    mev = lambda value: f"{1e3 * value:.2f}"
    rows = [("all together", numbers), *((f"network {k + 1}", row) for k, row in enumerate(numbers["alone"]))]
    errors = Table(
        ("mean absolute error", "energy, meV", "forces, meV/A"),
        tuple((name, mev(row["energy_mae"]), mev(row["forces_mae"])) for name, row in rows),
    )
    bars = Table(
        ("within two standard deviations", "share"),
        tuple((name, f"{100 * share:.0f} %") for name, share in numbers["covered"].items()),
    )
    exact = Table(
        ("what a motion changes", "float64", "float32"),
        tuple(
            (name, f"{value:.0e}", f"{numbers['symmetry_float32'][name]:.0e}")
            for name, value in numbers["symmetry_float64"].items()
        ),
    )
    return errors, bars, exact


def figure(said: Prediction, tested: Frames):
    from matplotlib.figure import Figure

    fig = Figure(figsize=(9, 4), layout="constrained")
    left, right = fig.subplots(1, 2)
    truth, found, sd = (x.ravel() for x in (np.asarray(tested.labels.forces), said.forces, said.forces_sd))
    edge = np.nanmax(np.abs(truth))
    left.plot([-edge, edge], [-edge, edge], color="0.7", lw=1)
    left.plot(truth, found, ",", color=BLUE)
    left.set(xlabel="computed force (eV/A)", ylabel="force said (eV/A)", aspect="equal")
    error, order = np.abs(found - truth), np.argsort(sd)
    groups = [part for part in np.array_split(order[np.isfinite(sd[order])], 15) if len(part)]
    mean = lambda values, part: float(np.sqrt(np.mean(values[part] ** 2)))
    bars, gaps = [1e3 * mean(sd, part) for part in groups], [1e3 * mean(error, part) for part in groups]
    right.plot(bars, bars, color="0.7", lw=1, label="equal")
    right.plot(bars, gaps, "o-", color=VERMILLION, label="a fifteenth of the forces each")
    right.set(xscale="log", yscale="log", xlabel="standard deviation said (meV/A)", ylabel="rms error (meV/A)")
    right.legend()
    return fig, left
