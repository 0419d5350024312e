"""Units: electronvolts, angstroms, elementary charges. Source: CODATA 2018."""

COULOMB = 14.399645478425668
"""e^2 / (4 pi eps0), in eV A: the energy of two elementary charges one angstrom apart."""
BOHR = 0.529177210903
"""Bohr's radius, in A."""
HARTREE = 27.211386245988
"""In eV."""
KCAL_PER_MOL = 0.0433641042418
"""In eV; for reports only."""
