"""How stiff is a real ice shelf? The viscosity of the Amery ice shelf from its velocities and thickness.

An ice shelf is too stiff and too large to be measured in a laboratory, but it floats, so that nothing holds it from
below, and its motion is known from space. Averaged over the thickness h it obeys the shallow shelf approximation: what
drives it (its own weight against that of the water) is balanced by stresses within the ice,

    d(N_xx)/dx + d(N_xy)/dy = r h h_x        N_xx = 2 mu h (2 u_x + v_y),  N_yy = 2 mu h (u_x + 2 v_y)
    d(N_xy)/dx + d(N_yy)/dy = r h h_y        N_xy = mu h (u_y + v_x),      r = rho g (1 - rho / rho_w)

with (u, v) the velocity and mu the effective viscosity. Two equations for one unknown field mu(x, y): nothing is known
of it but that it is positive and does not change within a few kilometres (a Gaussian process for log mu). Everything is
found at once: smooth u, v and h that fit the measurements as well as they are, and mu with its uncertainty, a map of
its own. Stated are no boundary conditions: the front itself is cut by rifts and left out.

What would convince a sceptic?

- Whole discs of the shelf are held back and predicted, and a fit of the same fields without the law does it too.
- The pull of the ice through its seaward end, of which the fit was told nothing, is compared with the push of the sea.
- Glen's law makes a hardness B = 2 mu e^(2/3) of viscosity and strain rate e, which theory and laboratories know for
  every temperature of ice.
- Where the data do not determine mu, its band is as wide as before, and the share of the shelf of which that is true is
  told.

What it cannot tell: viscosity is taken as isotropic, the depth-averaged density as that of ice, and the uncertainty is
that of the posterior given the law; errors of the thickness that are shared by large areas are not in it.
Sources: D. R. MacAyeal, J. Geophys. Res. 94, 4071 (1989); Y. Wang and C.-Y. Lai, DIFFICE (2024), whose data these are.
"""

from __future__ import annotations

import numpy as np

from ._ice_shelf import YEAR, Shelf

SUMMARY = "the viscosity of a real ice shelf from satellite velocities and thickness, with its uncertainty map"
OPTIONS = {
    "cell": "width of the cells over which measurements are averaged in km; by default 9, 4.5 beyond quick effort",
    "length": "correlation length of the logarithm of viscosity in km, 20 by default",
    "spread": "prior standard deviation of the logarithm of viscosity, 1.5 by default",
}

ICE, WATER, GRAVITY = 917.0, 1030.0, 9.81  # kg/m3, m/s2; as DIFFICE has them
DRIVE = ICE * GRAVITY * (1 - ICE / WATER) / 1e3  # MPa of stress for a km of thickness
GUESS = 3.0  # MPa yr, 1e14 Pa s
PASCAL = 1e6 * YEAR  # Pa s in a MPa yr
HELD_BACK = 12  # discs ...
RADIUS = 9.0  # ... of so many km


def along(Nxx_x, Nxy_y, h, h_x, r):
    return Nxx_x + Nxy_y - r * h * h_x


def across(Nxy_x, Nyy_y, h, h_y, r):
    return Nxy_x + Nyy_y - r * h * h_y


STRESSES = {
    "Nxx": lambda mu, h, u_x, v_y: 2 * mu * h * (2 * u_x + v_y),
    "Nyy": lambda mu, h, u_x, v_y: 2 * mu * h * (u_x + 2 * v_y),
    "Nxy": lambda mu, h, u_y, v_x: mu * h * (u_y + v_x),
}
"""Stresses times thickness, in MPa km."""


def held_back(shelf: Shelf, seed: int) -> np.ndarray:
    """Cells in discs around random ones, none of which reaches the edge."""
    rng = np.random.default_rng(seed)
    depth = shelf.outline.depth({"x": shelf.x, "y": shelf.y})
    chosen, centres = np.zeros(len(shelf.x), dtype=bool), []
    for index in rng.permutation(np.flatnonzero(depth > RADIUS + 3)):
        near = np.hypot(shelf.x - shelf.x[index], shelf.y - shelf.y[index])
        if all(near[other] > 2 * RADIUS + 6 for other in centres):
            centres.append(index)
            chosen |= near <= RADIUS
        if len(centres) == HELD_BACK:
            break
    return chosen
