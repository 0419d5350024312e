"""Units: electronvolts, angstroms, elementary charges, femtoseconds, atomic masses. Source: CODATA 2018."""

COULOMB = 14.399645478425668
"""e^2 / (4 pi eps0), in eV A: the energy of two elementary charges one angstrom apart."""
BOHR = 0.529177210903
"""Bohr's radius, in A."""
HARTREE = 27.211386245988
"""In eV."""
KCAL_PER_MOL = 0.0433641042418
"""In eV; for reports only."""
BOLTZMANN = 8.617333262e-5
"""In eV/K."""
EV_PER_AMU = 1.602176634e-19 / 1.66053906660e-27 * 1e-10
"""An electronvolt per atomic mass, in A^2/fs^2: turns eV/A/amu into an acceleration in A/fs^2."""
LIGHT = 2.99792458e-5
"""Speed of light in cm/fs: an angular frequency w in rad/fs is the wave number w / (2 pi LIGHT) in 1/cm."""
