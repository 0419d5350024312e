"""A plane section of a solid, and an experiment on it: where it is struck, and where it is listened to."""

from __future__ import annotations

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._core.messages import BadInput, shown
from .._core.numbers import is_positive, real_array
from ._clock import checked_interval
from ._stack import is_traced
from ._waveforms import finite_samples

PER_WAVELENGTH = 5.0
"""Cells that the shortest wave needs: with the stencil of fourth order its speed is then right to 1 %."""
QUIET = 0.05
"""The share of a pulse's strongest frequency that counts as nothing."""
STABLE = 1 / (math.sqrt(2) * (9 / 8 + 1 / 24))
"""The largest speed * interval / spacing."""


class Section(eqx.Module):
    """Shear modulus and density on a grid of square cells, of a solid that is the same along the third direction.

        rho v_t = (s_x)_x + (s_y)_y + f,   s_x,t = mu v_x,   s_y,t = mu v_y        (shear polarised along the third)

    modulus    at every node, Pa, shape (nx, ny).
    density    kg/m3, one number or one for each node.
    spacing    of the nodes, m.

    Raises `BadInput` for what is not positive and finite, and for shapes that do not fit.
    """

    modulus: Float[Array | np.ndarray, "nx ny"]
    density: Float[Array | np.ndarray, "nx ny"] | Float[Array | np.ndarray, ""]
    spacing: float = eqx.field(static=True)

    def __init__(self, modulus, density, spacing: float):
        self.modulus = positive_field("shear modulus", modulus, "Pa", 2)
        self.density = positive_field("density", density, "kg/m3", np.ndim(density))
        if np.ndim(density) and np.shape(density) != np.shape(modulus):
            raise BadInput(
                f"the density has shape {np.shape(density)}, the modulus {np.shape(modulus)}; give one number, or one"
                " for each node."
            )
        if not is_positive(spacing):
            raise BadInput(f"the spacing of nodes is {shown(spacing)}; it must be positive and finite, in m.")
        self.spacing = float(spacing)

    @property
    def shape(self) -> tuple[int, int]:
        nx, ny = self.modulus.shape
        return nx, ny

    def speeds(self) -> tuple[float, float]:
        """The slowest and the fastest shear wave, m/s; for a section whose numbers are known."""
        speed = np.sqrt(np.asarray(self.modulus) / np.asarray(self.density))
        return float(speed.min()), float(speed.max())

    def stiffened(self, modulus: Float[Array | np.ndarray, "nx ny"]) -> Section:
        """The same section with another shear modulus."""
        return eqx.tree_at(lambda section: section.modulus, self, modulus)

    def padded(self, edge: int) -> tuple[Float[Array, "mx my"], ...]:
        """Moduli and density with `edge` more nodes on every side, as they are at the edges."""
        density = jnp.broadcast_to(jnp.asarray(self.density), self.shape)
        return tuple(jnp.pad(jnp.asarray(field), edge, mode="edge") for field in (*self.moduli(), density))

    def moduli(self) -> tuple[Float[Array | np.ndarray, "nx ny"], ...]:
        """What resists."""
        return (self.modulus,)


class Shots(eqx.Module):
    """Blows on nodes of a section, one after the other, and receivers that hear them all.

    sources     nodes (i, j) that are struck, shape (shots, 2).
    receivers   nodes where the velocity is recorded, shape (receivers, 2).
    pulse       samples of the force per m of the third direction, N/m, shape (count,).
    interval    between samples, s; also the step of the solver.
    """

    sources: Int[np.ndarray, "shots 2"]
    receivers: Int[np.ndarray, "receivers 2"]
    pulse: Float[np.ndarray, " count"]
    interval: float = eqx.field(static=True)

    def __init__(self, sources, receivers, pulse, interval: float):
        self.sources, self.receivers = nodes("sources", sources), nodes("receivers", receivers)
        self.pulse = finite_samples("the pulse", pulse)
        if not np.any(self.pulse):
            raise BadInput("the pulse is zero throughout; give the samples of what acted.")
        self.interval = checked_interval(interval)

    @property
    def count(self) -> int:
        return len(self.pulse)

    @property
    def times(self) -> Float[np.ndarray, " count"]:
        return self.interval * np.arange(self.count)

    def highest(self) -> Float[Array, ""]:
        """The highest frequency of the pulse, Hz."""
        strength = jnp.abs(jnp.fft.rfft(self.pulse))
        frequency = np.fft.rfftfreq(self.count, self.interval)
        return jnp.max(jnp.where(strength > QUIET * jnp.max(strength), frequency, 0.0))

    def check(self, section: Section) -> None:
        """Refuse shots that a section cannot hold or a grid cannot carry; speeds are looked at where they are known."""
        if is_traced(self):
            return
        for what, where in (("source", self.sources), ("receiver", self.receivers)):
            outside = np.any((where < 0) | (where >= np.array(section.shape)), axis=1)
            if np.any(outside):
                place = int(np.argmax(outside))
                raise BadInput(
                    f"{what} {place} stands at node {tuple(where[place].tolist())}, but the section has"
                    f" {section.shape[0]} x {section.shape[1]} nodes, counted from 0."
                )
        if is_traced(section.modulus, section.density):
            return
        slow, fast = section.speeds()
        longest = STABLE * section.spacing / fast
        if self.interval > longest:
            raise BadInput(
                f"the interval {self.interval:.4g} s is unstable: the fastest wave ({fast:.4g} m/s) may cross"
                f" {STABLE:.2f} of a cell in a step; sample every {0.9 * longest:.2g} s or faster."
            )
        highest = max(float(self.highest()), 1 / (self.interval * self.count))
        cells = slow / highest / section.spacing
        if cells < PER_WAVELENGTH:
            raise BadInput(
                f"the shortest wave ({slow:.4g} m/s at {highest:.3g} Hz) spans {cells:.2g} cells; give a spacing"
                f" of {section.spacing * cells / PER_WAVELENGTH:.2g} m or less, or a slower pulse."
            )


def nodes(what: str, places) -> Int[np.ndarray, "n 2"]:
    found = np.asarray(places)
    if found.ndim != 2 or found.shape[1] != 2 or not len(found) or not np.issubdtype(found.dtype, np.integer):
        raise BadInput(f"{what} have shape {found.shape} of {found.dtype}; give whole numbers (i, j), a row for each.")
    return found


def positive_field(name: str, values, unit: str, dimensions: int) -> Float[Array | np.ndarray, "..."]:
    if is_traced(values):
        return values
    try:
        field = real_array(values)
    except TypeError as error:
        raise BadInput(f"the {name} is {shown(values)}, {error}; give numbers in {unit}.") from None
    if field.ndim != dimensions or (dimensions and min(field.shape) < 4):
        raise BadInput(f"the {name} has shape {field.shape}; give a grid of at least 4 x 4 nodes, in {unit}.")
    bad = ~(np.isfinite(field) & (field > 0))
    if np.any(bad):
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        raise BadInput(f"the {name} at node {place} is {float(field[place]):g} {unit}; it must be positive and finite.")
    return field
