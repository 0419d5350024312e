"""Stresses below the surface of a half-space under pressure, and whether it yields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from .._core.messages import BadInput, shown
from .._core.once import being_traced
from ._halfspace import convolved, response, wavenumber, waves

if TYPE_CHECKING:
    from ._halfspace import HalfSpace

Below = Float[Array, "depths nx ny"]


class Stress(eqx.Module):
    """Stresses under the middles of the cells, Pa, tension above 0; z points into the body.

    depths  below the surface, m.
    """

    depths: Float[Array, " depths"]
    xx: Below
    yy: Below
    zz: Below
    xy: Below
    xz: Below
    yz: Below

    @property
    def von_mises(self) -> Below:
        """sqrt(((xx - yy)^2 + (yy - zz)^2 + (zz - xx)^2) / 2 + 3 (xy^2 + yz^2 + xz^2))."""
        square = 0.5 * ((self.xx - self.yy) ** 2 + (self.yy - self.zz) ** 2 + (self.zz - self.xx) ** 2)
        square = square + 3 * (self.xy**2 + self.yz**2 + self.xz**2)
        return jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1.0)), 0.0)

    @property
    def peak(self) -> Float[Array, ""]:
        """The largest stress of von Mises, which must stay below what the material yields at. Exact; its derivative is
        that of one point, and jumps where another takes over."""
        return jnp.max(self.von_mises)

    def smooth_peak(self, power: float = 16.0) -> Float[Array, ""]:
        """The mean of the stress^power, to the power 1/power: smooth, and never above `peak`."""
        stress = self.von_mises
        top = jax.lax.stop_gradient(jnp.max(stress))
        return top * jnp.mean((stress / top) ** power) ** (1 / power)


def stresses(space: HalfSpace, pressure: Float[Array, "nx ny"], depths: Any) -> Stress:
    """Of pressures on a half-space without friction.

    With the potentials V = int p/R dA and chi = int p ln(R + z) dA, subscripts being derivatives,

        zz = (V_z - z V_zz) / 2pi                       xz = -z V_xz / 2pi      yz = -z V_yz / 2pi
        xx = (2 nu V_z - (1-2nu) chi_xx - z V_xx) / 2pi (yy likewise)           xy = -((1-2nu) chi_xy + z V_xy) / 2pi

    pressure  on the cells, Pa.
    depths    m, one or several, 0 or below the surface. The largest stress of von Mises under a ball lies at about half
              of the radius of its contact, above it where asperities touch.

    Not periodic, exact for uniform pressures on rectangles; periodic, for each wave of the pressure.
    Source: A. E. H. Love, Phil. Trans. R. Soc. A 228, 377 (1929).
    """
    depths = jnp.atleast_1d(jnp.asarray(depths, float))
    if depths.ndim != 1 or (not being_traced(depths) and not np.all(np.asarray(depths) >= 0)):
        raise BadInput(f"stress: depths={shown(depths)} must be 0 or more, in metres, one or a list.")
    return below(space, pressure, depths)


@eqx.filter_jit
def below(space: HalfSpace, pressure: Float[Array, "nx ny"], depths: Float[Array, " depths"]) -> Stress:
    spectra = by_waves if space.periodic else by_corners
    # One depth after the other, which keeps the memory at that of one.
    fields = jax.lax.map(lambda z: convolved(space, pressure, spectra(space, z)), depths)
    return Stress(depths, *jnp.moveaxis(fields, 1, 0))


def by_corners(space: HalfSpace, z: Float[Array, ""]) -> Complex[Array, "6 kx ky"]:
    """Love's stresses below a rectangle, by what each corner contributes."""
    nu = space.poisson

    def corner(x: Array, y: Array) -> Array:
        r = jnp.sqrt(x**2 + y**2 + z**2)
        x2, y2, both = x**2 + z**2, y**2 + z**2, x * y
        v_z = -jnp.arctan2(both, z * r)
        v_xx, v_yy = -both / (r * x2), -both / (r * y2)
        chi_xx = jnp.arctan(y / x) - jnp.arctan(z * y / (x * r))
        chi_yy = jnp.arctan(x / y) - jnp.arctan(z * x / (y * r))
        xx = 2 * nu * v_z - (1 - 2 * nu) * chi_xx - z * v_xx
        yy = 2 * nu * v_z - (1 - 2 * nu) * chi_yy - z * v_yy
        zz = v_z + z * (v_xx + v_yy)
        xy = -(1 - 2 * nu) * jnp.log(r + z) - z / r
        xz, yz = z**2 * y / (r * x2), z**2 * x / (r * y2)
        return jnp.stack([xx, yy, zz, xy, xz, yz]) / (2 * jnp.pi)

    return response(space.grid, corner)


def by_waves(space: HalfSpace, z: Float[Array, ""]) -> Complex[Array, "6 kx ky"]:
    nu, q, (qx, qy) = space.poisson, wavenumber(space.grid), waves(space.grid)
    some = jnp.where(q > 0, q, 1.0)
    # A uniform pressure strains nothing sideways: xx = yy = -nu / (1 - nu) p.
    rest = nu / (1 - nu)
    xx = jnp.where(q > 0, ((1 - q * z) * qx**2 + 2 * nu * qy**2) / some**2, rest)
    yy = jnp.where(q > 0, ((1 - q * z) * qy**2 + 2 * nu * qx**2) / some**2, rest)
    xy = jnp.where(q > 0, (1 - 2 * nu - q * z) * qx * qy / some**2, 0.0)
    shear = -1j * z * jnp.ones_like(q)
    return -jnp.exp(-q * z) * jnp.stack([xx + 0j, yy + 0j, 1 + q * z + 0j, xy + 0j, shear * qx, shear * qy])
