"""Energies of sequences that are to meet a number: what the letters still open will add is reckoned with."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ._letters import HYDROPHOBICITY, Soft, charges
from ._quantities import net_charge


def near(mean: Float[Array, ""], variance: Float[Array, ""], goal: float, width: float) -> Float[Array, ""]:
    """-ln < exp(-(q - goal)^2 / (2 width^2)) >, kT, for a quantity q that is normal with this mean and variance.

        (mean - goal)^2 / (2 (width^2 + variance)) + ln(1 + variance / width^2) / 2

    Without variance it is the restraint itself. With the variance that open letters have it asks for no more than what
    they cannot mend, from the first letter on: counted in full at once it needs no schedule (`guidance.Constant()`).
    """
    return 0.5 * (mean - goal) ** 2 / (width**2 + variance) + 0.5 * jnp.log1p(variance / width**2)


def charge_near(soft: Soft, goal: float, width: float = 0.25, ph: float = 7.0, ends: bool = True) -> Float[Array, ""]:
    """How far the net charge will be from a goal, in kT: `near`, each open letter drawn by itself.

        Energy(charge=Term(lambda p: charge_near(p, 5.0), schedule=Constant()))

    goal, width   in units of e. Charges of neighbouring sequences differ by about one: 0.25 takes the nearest.
    """
    each = charges(ph)
    mean = soft @ each
    variance = jnp.sum(soft @ each**2 - mean**2)
    return near(net_charge(soft, ph, ends), jnp.maximum(variance, 0.0), goal, width)


def moment_near(soft: Soft, goal: float, width: float = 0.02, degrees: float = 100.0) -> Float[Array, ""]:
    """How far the hydrophobic moment will be from a goal, in kT: `near` along the moment's direction.

    With M = sum_n H_n exp(i n delta), of mean m and variance V = sum_n var H_n, |M| is taken for normal with mean
    sqrt(|m|^2 + V/2) and variance V/2: what Rice's law tends to where |m| is large, rough where it is not, and exact
    for a sequence, where V is 0.

    goal, width   kcal/mol a residue.
    Source: `hydrophobic_moment`; S. O. Rice, Bell Syst. Tech. J. 24, 46 (1945).
    """
    mean = soft @ HYDROPHOBICITY
    half = 0.5 * jnp.maximum(jnp.sum(soft @ HYDROPHOBICITY**2 - mean**2), 0.0)
    turn = jnp.arange(len(mean)) * np.deg2rad(degrees)
    square = jnp.sum(mean * jnp.cos(turn)) ** 2 + jnp.sum(mean * jnp.sin(turn)) ** 2 + half
    # Where there is no moment its slope is 0, not infinite.
    some = square > 0
    size = jnp.where(some, jnp.sqrt(jnp.where(some, square, 1.0)), 0.0)
    return near(size / len(mean), half / len(mean) ** 2, goal, width)
