"""The door to ASE, which is an extra."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from .._core.messages import BadInput

if TYPE_CHECKING:
    from ._calculator import Calculator
    from ._following import Build


def calculator(build: Build, *, double: bool = True, check: bool = True) -> Calculator:
    """An ASE calculator: energy, free_energy, forces, stress, charges and dipole, in ASE's units and signs.

        atoms.calc = at.calculator(build)
        atoms.get_potential_energy(); atoms.calc.terms       # the energy, and by term

    build    `build(structure) -> HybridPotential`. It is asked again where elements, cell or periodicity changed, or an
             atom moved beyond the potential's margin: half the smallest skin of its pairs. With a parameter named
             `charge` or `multiplicity` it gets those of atoms.info (0 and 1 where there are none).
    double   whether to compute in double precision.
    check    whether to refuse positions that look like nm, bohr or pm.

    Stress is in eV/A^3 in Voigt's order xx, yy, zz, yz, xz, xy, and positive where the cell wants to shrink; there is
    none without a cell. The dipole, in e A, is there for structures that do not repeat.
    Raises `BadInput` for a structure that repeats in some directions only, numbers that are not finite, coinciding
    atoms, and a charge that `build` does not ask for.
    """
    try:
        from ._calculator import Calculator
    except ImportError:
        raise BadInput("the calculator needs ase; install it: pip install 'lawful[atoms]'") from None
    return Calculator(build, double, check)


def standard_masses(numbers: Int[np.ndarray, " atoms"]) -> Float[np.ndarray, " atoms"]:
    """Standard atomic masses in amu by atomic number, from ase (IUPAC's weights).

    Raises `BadInput` where ase is not installed: the extra `atoms` brings it.
    """
    try:
        from ase.data import atomic_masses
    except ImportError:
        raise BadInput("masses by element come with ase; give masses=..., or pip install 'lawful[atoms]'") from None
    return np.asarray(atomic_masses, dtype=float)[numbers]
