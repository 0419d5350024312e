"""The motions of the comparison of integrators: starts, right-hand sides for any array module, times."""

from __future__ import annotations

import math

GRAVITY = 2.95912208286e-4  # au^3 / day^2 per solar mass

# Masses in suns, positions in au, velocities in au/day: the sun with the inner planets, Jupiter, Saturn, Uranus,
# Neptune, Pluto. Source: E. Hairer, C. Lubich and G. Wanner, Geometric Numerical Integration (2006), I.2.4.
MASSES = [1.00000597682, 9.54786104043e-4, 2.85583733151e-4, 4.37273164546e-5, 5.17759138449e-5, 1 / 1.3e8]
PLACES = [
    [0.0, 0.0, 0.0],
    [-3.5023653, -3.8169847, -1.5507963],
    [9.0755314, -3.0458353, -1.6483708],
    [8.3101420, -16.2901086, -7.2521278],
    [11.4707666, -25.7294829, -10.8169456],
    [-15.5387357, -25.2225594, -3.1902382],
]
SPEEDS = [
    [0.0, 0.0, 0.0],
    [0.00565429, -0.00412490, -0.00190589],
    [0.00168318, 0.00483525, 0.00192462],
    [0.00354178, 0.00137102, 0.00055029],
    [0.00288930, 0.00114527, 0.00039677],
    [0.00276725, -0.00170702, -0.00136504],
]

ECCENTRICITY = 0.5
PENDULUMS, SPRING = 8, 0.5
"""A row of pendulums, each joined to its neighbours by a spring: a'' = -sin a + SPRING (a_left - 2 a + a_right)."""

TOLERANCES = (1e-6, 1e-9, 1e-12, 1e-15)
COMPARED = 1e-12  # the tolerance of batches and derivatives
UNTIL = {"kepler": 20 * math.pi, "lorenz": 10.0, "pendulums": 50.0, "solar system": 20_000.0}
STARTS = {
    "kepler": [1 - ECCENTRICITY, 0.0, 0.0, math.sqrt((1 + ECCENTRICITY) / (1 - ECCENTRICITY))],
    "lorenz": [1.0, 1.0, 1.0],
    "pendulums": [math.cos(i) for i in range(PENDULUMS)] + [0.0] * PENDULUMS,
    "solar system": [x for row in PLACES for x in row] + [v for row in SPEEDS for v in row],
}
SIGMA, RHO, BETA = 10.0, 28.0, 8.0 / 3.0
