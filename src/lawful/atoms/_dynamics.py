"""Atoms in motion: many steps compiled, one or several replicas at a time, with lists that are never out of date."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float

from .._core.compilation import compiled
from .._core.estimates import Estimate
from .._core.files import read_arrays, write_arrays
from .._core.messages import BadInput, NotTrusted, listing
from ..simulate._progress import Progress
from ._ase import standard_masses
from ._following import Build, Following
from ._hybrid import HybridPotential
from ._plausible import check_units
from ._steppers import Stepper, thermal_velocities
from ._structure import Structure
from ._trend import trend
from ._units import BOLTZMANN, EV_PER_AMU

SAVED = 50  # records between two times that lists are made anew and the run is kept


@dataclass(frozen=True)
class Trajectory:
    """What a run went through. Several replicas are a second axis, after the records.

    times       (records,), fs, from 0.
    potential, kinetic   (records,), eV.
    positions   (frames, atoms, 3), A, unwrapped, at `frame_times`.
    last, velocities   (atoms, 3) where the run ended, A and A/fs, to go on from.
    built       how often neighbour lists were made.
    """

    times: Float[np.ndarray, " records"]
    potential: Float[np.ndarray, "records *replicas"]
    kinetic: Float[np.ndarray, "records *replicas"]
    frame_times: Float[np.ndarray, " frames"]
    positions: Float[np.ndarray, "frames *replicas atoms 3"]
    last: Float[np.ndarray, "*replicas atoms 3"]
    velocities: Float[np.ndarray, "*replicas atoms 3"]
    freedoms: int
    built: int

    @property
    def energy(self) -> Float[np.ndarray, "records *replicas"]:
        """Potential and kinetic energy, eV."""
        return self.potential + self.kinetic

    @property
    def temperature(self) -> Float[np.ndarray, "records *replicas"]:
        """Of the moment, K."""
        return 2 * self.kinetic / (self.freedoms * BOLTZMANN)

    def drift(self) -> Estimate:
        """Slope of the energy per atom, meV/ps, of one replica or the mean of several; the error bar allows for records
        that are not independent."""
        energy = self.energy if self.energy.ndim == 1 else np.mean(self.energy, axis=1)
        slope, sd = trend(self.times / 1000, 1000 * energy / self.last.shape[-2])
        return Estimate("drift", slope, sd)


def dynamics(
    build: Build,
    structure: Structure | Sequence[Structure],
    ensemble: Stepper,
    steps: int,
    *,
    velocities: Float[Any, "*replicas atoms 3"] | None = None,
    temperature: float | None = None,
    masses: Float[Any, " atoms"] | None = None,
    seed: int = 0,
    every: int = 10,
    frames: int = 1,
    keep: str | Path | None = None,
    double: bool = True,
    progress: bool | Callable[[float, int], None] | None = None,
) -> Trajectory:
    """Let atoms move.

    build         `build(structure) -> HybridPotential`, whose pairs have a skin and are seen (see `HybridPotential`).
    structure     where to start; several of the same atoms are replicas, all moved at once.
    ensemble      `NVE(lf.Leapfrog(0.5))` or `Langevin(300.0)`; times in fs.
    velocities    A/fs; otherwise they are drawn at `temperature` (K).
    masses        amu; by default standard ones, which need ase.
    every         steps between two records of the energies; every `frames`-th record keeps positions too.
    keep          a folder: a run that was killed goes on from there, to the same numbers bit for bit.
    progress      None shows a bar on a terminal, True lines elsewhere; a function is called with the time in fs and the
                  steps at every record.

    Lists are made anew before any atom has moved by the margin. Raises `BadInput` for what cannot be run as stated, and
    `NotTrusted` where energies stop being finite or atoms move too far in one step.
    """
    with jax.enable_x64(double):
        single = isinstance(structure, Structure)
        starts = [structure] if isinstance(structure, Structure) else list(structure)
        checked(starts, steps, every, frames, velocities, temperature)
        weights = standard_masses(starts[0].numbers) if masses is None else np.asarray(masses, dtype=float)
        if weights.shape != (len(starts[0]),) or not np.all(weights > 0):
            raise BadInput(f"masses: one positive number (amu) for each of {len(starts[0])} atoms is meant.")
        key = jax.random.key(seed)
        q = jnp.stack([jnp.asarray(each.positions, float) for each in starts])
        if velocities is None:
            v = thermal_velocities(jnp.asarray(weights), temperature or 0.0, jax.random.fold_in(key, 0), len(starts))
        else:
            v = jnp.reshape(jnp.asarray(velocities, float), q.shape)
        identity = json.dumps(
            [repr(ensemble), every, frames, seed, double, starts[0].numbers.tolist(), weights.tolist()]
            + [np.asarray(each.positions).sum().hex() for each in starts]
            + [float(jnp.sum(v**2)).hex()]
        )
        course = Course(build, starts, ensemble, jnp.asarray(weights), key, q, v)
        path = None if keep is None else Path(keep) / "dynamics.npz"
        if path is not None and path.is_file():
            course.resume(path, identity)
        records = -(-steps // every)
        watch = Progress(progress, 0.0, steps * ensemble.step)
        try:
            course.through(records, steps, every, frames, watch, path, identity)
        finally:
            watch.close()
        return course.trajectory(single)


def checked(starts: list[Structure], steps: int, every: int, frames: int, velocities: Any, temperature: Any) -> None:
    if not starts:
        raise BadInput("no structure was given.")
    for name, value in (("steps", steps), ("every", every), ("frames", frames)):
        if not isinstance(value, int) or value < 1:
            raise BadInput(f"{name}={value}: a whole number above 0 is meant.")
    if (velocities is None) == (temperature is None):
        raise BadInput("give velocities=... (A/fs), or temperature=... (K) to draw them at, and not both.")
    if temperature is not None and not temperature >= 0:
        raise BadInput(f"temperature={temperature}: K is meant, 0 or more.")
    if velocities is not None and np.size(velocities) != 3 * sum(map(len, starts)):
        raise BadInput(f"velocities have shape {np.shape(velocities)}; give (x, y, z) in A/fs for every atom.")
    if velocities is not None and not np.all(np.isfinite(velocities)):
        raise BadInput("velocities are not all finite.")
    for each in starts:
        if not np.array_equal(each.numbers, starts[0].numbers) or (each.cell is None) != (starts[0].cell is None):
            raise BadInput(
                "replicas are arrangements of the same atoms, all in a cell or none; run others by themselves."
            )
        check_units(each)


class Course:
    """A run on its way."""

    def __init__(
        self, build: Build, starts: list[Structure], ensemble: Stepper, masses: Array, key, q: Array, v: Array
    ):
        self.starts, self.ensemble, self.masses, self.key, self.q, self.v = starts, ensemble, masses, key, q, v
        self.followings = [Following(build) for _ in starts]
        self.done, self.fresh, self.rows, self.frames = 0, 0, [], []
        self.cells = None if starts[0].cell is None else jnp.stack([jnp.asarray(each.cell, float) for each in starts])
        self.renew()

    @property
    def records(self) -> int:
        return len(self.rows)

    def renew(self) -> None:
        """Make the lists for where the atoms are now; those of all replicas get the same room."""
        self.fresh = self.records
        places = [
            Structure(np.asarray(q, dtype=float), start.numbers, start.cell)
            for q, start in zip(self.q, self.starts, strict=True)
        ]
        found = [each.renew(place) for each, place in zip(self.followings, places, strict=True)]
        rooms = tuple(max(sizes) for sizes in zip(*(each.rooms for each in self.followings), strict=True))
        for k, each in enumerate(self.followings):
            if each.rooms != rooms:
                each.rooms = rooms
                found[k] = each.renew(places[k])
        self.margin = min(each.margin for each in found)
        if self.margin <= 0:
            raise BadInput(
                "the potential is right for one arrangement only: its pairs have no skin, or a plain function hides"
                " them. Use near_pairs(structure, cutoff, skin=1.0), and eqx.Partial(term, pairs=pairs) instead of a"
                " lambda; WithoutPairs(function) where there are none."
            )
        self.potential, self.reference = stacked(found), self.q
        self.memory = started(self.ensemble, self.potential, self.cells, self.masses, self.q)

    def through(self, records: int, steps: int, every: int, frames: int, watch: Progress, path: Path | None, identity):
        """To the end, keeping the run on the way."""
        while self.records <= records:
            if self.records % SAVED == 0 and self.records and self.fresh != self.records:
                if path is not None:
                    self.save(path, identity)
                self.renew()
            self.record(frames)
            watch(self.done * self.ensemble.step, self.done)
            if self.records <= records:
                self.go(min(every, steps - self.done))

    def go(self, steps: int) -> None:
        """So many steps, with as many lists as they take."""
        goal = self.done + steps
        while self.done < goal:
            before = self.done
            self.q, self.v, self.memory, done, far = stretch(
                self.ensemble, self.potential, self.cells, self.masses, self.key, self.q, self.v, self.memory,
                self.reference, jnp.asarray(min(self.margin, 1e9)), jnp.asarray(before), jnp.asarray(goal),
            )  # fmt: skip
            self.done = int(done)
            if not float(far) <= self.margin:
                self.refuse("an atom moved further in one step than its neighbour list allows")
            if self.done < goal:
                if self.done == before and np.array_equal(self.q, self.reference):
                    self.refuse("an atom would move further in one step than its neighbour list allows")
                self.renew()

    def refuse(self, why: str) -> None:
        """Stop the run, naming the term that went wrong where one did."""
        terms = observed(self.potential, self.cells, self.q)[0]
        wrong = [name for name, values in terms.items() if not np.all(np.isfinite(values))]
        named = f"; not finite: {listing(wrong)}" if wrong else ""
        raise NotTrusted(
            f"{why} at step {self.done} (t = {self.done * self.ensemble.step:g} fs){named}. Take a shorter step, or"
            " begin from a relaxed arrangement: relax(build, structure)."
        )

    def record(self, frames: int) -> None:
        _, potential = observed(self.potential, self.cells, self.q)
        kinetic = 0.5 / EV_PER_AMU * jnp.sum(self.masses[:, None] * self.v**2, axis=(1, 2))
        if not (np.all(np.isfinite(potential)) and np.all(np.isfinite(kinetic))):
            self.refuse("the energy is not finite")
        if self.records % frames == 0:
            self.frames.append(np.asarray(self.q))
        self.rows.append((self.done * self.ensemble.step, np.asarray(potential), np.asarray(kinetic)))

    def save(self, path: Path, identity: str) -> None:
        times, potential, kinetic = (np.array(column) for column in zip(*self.rows, strict=True))
        arrays = {"q": np.asarray(self.q), "v": np.asarray(self.v), "times": times, "potential": potential}
        arrays |= {"kinetic": kinetic, "frames": np.array(self.frames)}
        meta = {"done": self.done, "rooms": [list(each.rooms) for each in self.followings], "identity": identity}
        write_arrays(path, arrays, meta)

    def resume(self, path: Path, identity: str) -> None:
        arrays, meta = read_arrays(path)
        if meta.get("identity") != identity:
            raise BadInput(f"{path} holds another run (start, ensemble, seed or records differ); give another folder.")
        self.q, self.v, self.done = jnp.asarray(arrays["q"]), jnp.asarray(arrays["v"]), int(meta["done"])
        self.rows = list(zip(arrays["times"].tolist(), arrays["potential"], arrays["kinetic"], strict=True))
        self.frames = list(arrays["frames"])
        for each, rooms in zip(self.followings, meta["rooms"], strict=True):
            each.rooms = tuple(rooms)
        self.renew()

    def trajectory(self, single: bool) -> Trajectory:
        times, potential, kinetic = (np.array(column) for column in zip(*self.rows, strict=True))
        positions, share = np.array(self.frames), -(-len(times) // len(self.frames))
        pick = (lambda x, axis: np.squeeze(x, axis)) if single else (lambda x, axis: x)
        return Trajectory(
            times,
            pick(potential, 1),
            pick(kinetic, 1),
            times[::share],
            pick(positions, 1),
            pick(np.asarray(self.q), 0),
            pick(np.asarray(self.v), 0),
            self.ensemble.freedoms(len(self.masses)),
            sum(each.built for each in self.followings),
        )


def stacked(potentials: list[HybridPotential]) -> HybridPotential:
    """Potentials of one shape as one whose arrays have a first axis; a single one without."""
    arrays, rest = zip(*(eqx.partition(each, eqx.is_array) for each in potentials), strict=True)
    if any(jax.tree.structure(each) != jax.tree.structure(arrays[0]) for each in arrays):
        raise BadInput("the potentials of replicas differ in more than numbers; run replicas in cells of one size.")
    if len(potentials) == 1:
        return eqx.combine(jax.tree.map(jnp.asarray, arrays[0]), rest[0])
    return eqx.combine(jax.tree.map(lambda *leaves: jnp.stack(leaves), *arrays), rest[0])


def for_each(function: Callable, potential: HybridPotential, cells: Array | None, q: Array) -> Any:
    """function(potential, positions, cell) of every replica, along a first axis."""
    if q.shape[0] == 1:
        found = function(potential, q[0], None if cells is None else cells[0])
        return jax.tree.map(lambda x: x[None], found)
    arrays, rest = eqx.partition(potential, eqx.is_array)
    each = lambda arrays, q, cell: function(eqx.combine(arrays, rest), q, cell)
    return jax.vmap(each, in_axes=(0, 0, None if cells is None else 0))(arrays, q, cells)


def accelerations(potential: HybridPotential, cells: Array | None, masses: Array) -> Callable[[Array], Array]:
    slope = jax.grad(lambda q, potential, cell: potential.energy(q, cell))
    return lambda q: (-EV_PER_AMU / masses[:, None]) * for_each(lambda p, q, c: slope(q, p, c), potential, cells, q)


@compiled(lambda *_: 3)
def started(ensemble, potential, cells, masses, q):
    return ensemble.memory(accelerations(potential, cells, masses), q)


@compiled(lambda *_: 3)
def observed(potential, cells, q) -> tuple[dict[str, Array], Float[Array, " replicas"]]:
    """Energies of every replica, by term and in all."""
    terms = for_each(lambda potential, q, cell: potential.energies(q, cell), potential, cells, q)
    return terms, jnp.sum(jnp.stack(list(terms.values())), axis=0)


@compiled(lambda *_: 3)
def stretch(ensemble, potential, cells, masses, key, q, v, memory, reference, margin, first, last):
    """Steps from `first` to `last`, or as many as the lists allow; and how far an atom is from where they were made.

    A step is begun only where twice the way that the fastest atom could go in it still is within the margin.
    """
    acceleration = accelerations(potential, cells, masses)
    away = lambda q: jnp.sqrt(jnp.max(jnp.sum((q - reference) ** 2, axis=-1)))
    ahead = lambda v: 2 * ensemble.reach * ensemble.step * jnp.sqrt(jnp.max(jnp.sum(v**2, axis=-1)))

    def goes_on(carry):
        i, q, v, _ = carry
        return (i < last) & (away(q) + ahead(v) <= margin)

    def body(carry):
        i, q, v, memory = carry
        q, v, memory = ensemble.advance(acceleration, q, v, memory, masses, jax.random.fold_in(key, i + 1))
        return i + 1, q, v, memory

    done, q, v, memory = lax.while_loop(goes_on, body, (first, q, v, memory))
    return q, v, memory, done, away(q)
