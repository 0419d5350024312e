"""What is published of the lid-driven cavity: centreline velocities, their extremes, and the middle of the vortex."""

from __future__ import annotations

import numpy as np

ACROSS = np.array([128, 125, 124, 123, 122, 109, 94, 79, 64, 58, 36, 22, 13, 9, 8, 7, 0]) / 128
"""y of u on x = 1/2: nodes of their grid, which the paper prints to four digits."""
ALONG = np.array([128, 124, 123, 122, 121, 116, 110, 103, 64, 30, 29, 20, 12, 10, 9, 8, 0]) / 128
"""x of v on y = 1/2."""

U = {
    100: [1, 0.84123, 0.78871, 0.73722, 0.68717, 0.23151, 0.00332, -0.13641, -0.20581, -0.2109, -0.15662, -0.1015,
          -0.06434, -0.04775, -0.04192, -0.03717, 0],
    1000: [1, 0.65928, 0.57492, 0.51117, 0.46604, 0.33304, 0.18719, 0.05702, -0.0608, -0.10648, -0.27805, -0.38289,
           -0.2973, -0.2222, -0.20196, -0.18109, 0],
    3200: [1, 0.53236, 0.48296, 0.46547, 0.46101, 0.34682, 0.19791, 0.07156, -0.04272, -0.086636, -0.24427, -0.34323,
           -0.41933, -0.37827, -0.35344, -0.32407, 0],
}  # fmt: skip
V = {
    100: [0, -0.05906, -0.07391, -0.08864, -0.10313, -0.16914, -0.22445, -0.24533, 0.05454, 0.17527, 0.17507, 0.16077,
          0.12317, 0.1089, 0.10091, 0.09233, 0],
    1000: [0, -0.21388, -0.27669, -0.33714, -0.39188, -0.5155, -0.42665, -0.31966, 0.02526, 0.32235, 0.33075, 0.37095,
           0.32627, 0.30353, 0.29012, 0.27485, 0],
    3200: [0, -0.39017, -0.47425, -0.52357, -0.54053, -0.44307, -0.37401, -0.31184, 0.00999, 0.28188, 0.2903, 0.37119,
           0.42768, 0.41906, 0.40917, 0.3956, 0],
}  # fmt: skip
"""U. Ghia, K. N. Ghia and C. T. Shin, J. Comput. Phys. 48, 387 (1982), tables I and II; the tables are printed with
-0.86636 for u at Re = 3200, y = 0.4531, which must be -0.086636."""

EXTREMES = {
    100: {"u_min": -0.2140424, "v_max": 0.1795728, "v_min": -0.2538030},
    1000: {"u_min": -0.3885698, "v_max": 0.3769447, "v_min": -0.5270771, "psi_min": -0.1189366},
}
"""O. Botella and R. Peyret, Comput. Fluids 27, 421 (1998): Chebyshev polynomials with the corners taken off, 96 (Re =
100) and 160 (Re = 1000) of them; they move the lid to the left, so that signs and sides are turned round."""

NETWORKS = {1000: 1.34e-1, 3200: 1.58e-1}
"""Relative L2 errors published for networks with jaxpi (S. Wang, S. Sankaran, H. Wang, P. Perdikaris, 2023)."""
