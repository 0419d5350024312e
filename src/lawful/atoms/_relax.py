"""Arrangements at rest: atoms, and the cell where wanted, moved downhill until forces vanish."""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from .._core.messages import BadInput, NotTrusted
from .._core.numbers import is_positive
from .._core.record import Status
from ._following import Build, Following
from ._hybrid import Answer
from ._plausible import check_units
from ._structure import Structure


@dataclass(frozen=True)
class Relaxed:
    """Where it ended: the structure, what the potential says there, and why the search stopped."""

    structure: Structure
    answer: Answer
    status: Status
    evaluations: int


def relax(
    build: Build, structure: Structure, *, force: float = 1e-3, stress: float | None = None, most: int = 1000
) -> Relaxed:
    """Move atoms downhill by limited-memory BFGS (scipy), in double precision.

    force    eV/A: at rest when no atom feels more; 1e-3 for pictures, 1e-5 before normal modes.
    stress   eV/A^3: the cell is relaxed too, until no component of the stress is larger; 1e-4 is about 0.2 kbar.
    most     evaluations of the energy.

    The status says whether both were reached. Raises `BadInput` for what cannot be relaxed as stated.
    """
    from scipy.optimize import minimize

    if not is_positive(force) or not (stress is None or is_positive(stress)):
        raise BadInput(f"force={force}, stress={stress}: eV/A and eV/A^3 above 0 are meant.")
    if stress is not None and structure.cell is None:
        raise BadInput("a molecule has no cell to relax; leave stress=None.")
    check_units(structure)
    with jax.enable_x64(True):
        search = Search(build, structure, stress is not None, force, stress or math.inf)
        start = np.zeros(search.size)
        if not search.at_rest(start):
            options = {"maxfun": most, "maxiter": most, "ftol": 0.0, "gtol": 0.0, "maxcor": 30}
            minimize(search, start, jac=True, method="L-BFGS-B", callback=search.stop, options=options)
        best = search.best
        assert best is not None
        _, place, answer = best
        good = search.good(answer)
        felt = float(np.max(np.linalg.norm(answer.forces, axis=1)))
        words = f"the largest force is {felt:.2g} eV/A after {search.asked} evaluations"
        if stress is not None and answer.stress is not None:
            words += f", the largest stress {float(np.max(np.abs(answer.stress))):.2g} eV/A^3"
        return Relaxed(place, answer, Status(good, words), search.asked)


class Search:
    """The energy as a function of displacements and, where the cell moves too, of its strain.

    Places are (x + u)(1 + e) and the cell is c (1 + e); strains are counted in lengths, of the size of the cell, so
    that both kinds of variables are of one size.
    """

    def __init__(self, build: Build, structure: Structure, strained: bool, force: float, stress: float):
        self.following, self.start, self.strained = Following(build), structure, strained
        self.force, self.stress, self.asked = force, stress, 0
        self.best: tuple[float, Structure, Answer] | None = None
        count = len(structure)
        self.size = 3 * count + (9 if strained else 0)
        self.length = (
            1.0 if structure.cell is None else math.sqrt(count) * float(np.linalg.det(structure.cell)) ** (1 / 3)
        )

    def place(self, x: np.ndarray) -> tuple[Structure, np.ndarray]:
        count = len(self.start)
        change = np.eye(3)
        if self.strained:
            e = x[3 * count :].reshape(3, 3) / self.length
            change = change + 0.5 * (e + e.T)
        moved = (np.asarray(self.start.positions) + x[: 3 * count].reshape(-1, 3)) @ change
        cell = None if self.start.cell is None else np.asarray(self.start.cell) @ change
        return Structure(moved, self.start.numbers, cell), change

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        place, change = self.place(x)
        cell = None if place.cell is None else jnp.asarray(place.cell)
        answer = self.following(place)(jnp.asarray(place.positions), cell)
        self.asked += 1
        energy, forces = float(answer.energy), np.asarray(answer.forces)
        if not (math.isfinite(energy) and np.all(np.isfinite(forces))):
            wrong = [name for name, term in answer.terms.items() if not np.isfinite(term)]
            raise NotTrusted(
                f"the energy is not finite (terms: {wrong}) after {self.asked} evaluations; atoms too near?"
            )
        if self.best is None or energy <= self.best[0] or self.good(answer):
            self.best = (energy, place, answer)
        slope = -(forces @ change.T).ravel()
        if self.strained:
            assert answer.stress is not None
            assert place.cell is not None
            virial = float(np.linalg.det(place.cell)) * np.asarray(answer.stress)
            inner = np.linalg.inv(change) @ virial
            slope = np.concatenate([slope, (0.5 * (inner + inner.T) / self.length).ravel()])
        return energy, slope

    def good(self, answer: Answer) -> bool:
        felt = float(np.max(np.linalg.norm(answer.forces, axis=1))) <= self.force
        return felt and (not self.strained or float(np.max(np.abs(np.asarray(answer.stress)))) <= self.stress)

    def at_rest(self, x: np.ndarray) -> bool:
        self(x)
        assert self.best is not None
        return self.good(self.best[2])

    def stop(self, intermediate_result) -> None:
        if self.best is not None and self.good(self.best[2]):
            raise StopIteration
