"""A potential for ASE: every program that takes a calculator takes ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator as ASECalculator
from ase.calculators.calculator import PropertyNotImplementedError, all_changes
from ase.stress import full_3x3_to_voigt_6_stress

from .._core.messages import NotTrusted
from ._following import Build, Following, told
from ._plausible import check_units
from ._structure import Structure


class Calculator(ASECalculator):
    """See `lawful.atoms.calculator`. `following` holds the potential at hand."""

    implemented_properties: ClassVar[list[str]] = ["energy", "free_energy", "forces", "stress", "charges", "dipole"]

    def __init__(self, build: Build, double: bool = True, check: bool = True):
        super().__init__()
        self.following, self.double, self.check = Following(build), double, check
        self.terms: dict[str, float] = {}

    def check_state(self, atoms: Atoms, tol: float = 1e-15) -> list[str]:
        """What changed since the last answer; ASE does not look at atoms.info, where charges stand."""
        changes = super().check_state(atoms, tol=tol)
        build = self.following.build
        if self.atoms is not None and told(build, self.atoms.info) != told(build, atoms.info):
            changes.append("info")
        return changes

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        super().calculate(atoms, list(properties), list(system_changes))
        assert self.atoms is not None
        structure = Structure.from_ase(self.atoms)
        if self.check:
            check_units(structure)
        info = told(self.following.build, self.atoms.info)
        with jax.enable_x64(self.double):
            cell = None if structure.cell is None else jnp.asarray(structure.cell, float)
            answer = self.following(structure, **info)(jnp.asarray(structure.positions, float), cell)
        self.terms = {name: float(term) for name, term in answer.terms.items()}
        wrong = [name for name, term in self.terms.items() if not np.isfinite(term)]
        if wrong or not np.all(np.isfinite(answer.forces)):
            raise NotTrusted(f"the energy or its slope is not finite (terms: {wrong or 'all finite'}): atoms too near?")
        found: dict[str, Any] = {"energy": float(answer.energy), "free_energy": float(answer.energy)}
        found["forces"] = np.asarray(answer.forces, dtype=float)
        if answer.stress is not None:
            found["stress"] = full_3x3_to_voigt_6_stress(np.asarray(answer.stress, dtype=float))
        for name in ("charges", "dipole"):
            if getattr(answer, name) is not None:
                found[name] = np.asarray(getattr(answer, name), dtype=float)
        self.results = found
        for name in properties:
            if name not in found:
                raise PropertyNotImplementedError(f"this potential says nothing of the {name} of such a structure")
