"""A spectral trial field for domains around a hole."""

from __future__ import annotations

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, PyTree

from .._core.messages import BadInput, listing, shown
from .._core.numbers import real_array
from ..geometry import Domain
from ._base import Place, Trial, checked_count
from ._spectral import chebyshev


class Polar(Trial):
    """sum_jm T_j(s) (a_jm cos m phi + b_jm sin m phi) around a hole: `Polar(x=0, y=0, radii=(0.3, 1.0))`.

    r and phi are polar coordinates about a centre inside the hole, s is r scaled to [-1, 1] between the radii. Fields
    around a hole have parts such as log r and cos(m phi) / r^m, which polynomials in x and y follow slowly; these
    functions follow them fast, whatever the shape around the hole. Linear in its parameters like `Spectral`; for
    problems of two axes. With exact_walls=False its fits end cleanly at rounding; with conditions built in they may end
    there without the gradient having vanished.

    centre   both axes with the coordinates of a place inside the hole, where r = 0 and the functions have no meaning.
    radii    the smallest and largest distance of the domain from the centre.
    radial   polynomials in r, 16 by default.
    waves    the highest m, 12 by default; more for eccentric holes and boundaries with corners.

    Raises `BadInput` where the centre is not two finite numbers or the radii not 0 < inner < outer, and at `solve`
    where the domain is not one of these two axes.
    """

    centre: tuple[tuple[str, float], ...] = eqx.field(static=True)
    radii: tuple[float, float] = eqx.field(static=True)
    radial: int = eqx.field(static=True)
    waves: int = eqx.field(static=True)
    ends: tuple[tuple[float, float], ...] | None = eqx.field(static=True)
    """Of the axes of the domain, once it is known."""

    def __init__(self, *, radii: tuple[float, float], radial: int = 16, waves: int = 12, **centre: float):
        given = f"Polar(radii={shown(radii)}, {', '.join(f'{axis}={shown(at)}' for axis, at in centre.items())})"
        try:
            (inner, outer), at = map(float, real_array(radii)), [float(real_array(value)) for value in centre.values()]
        except (TypeError, ValueError) as error:
            raise BadInput(f"{given}: {error}; write lf.Polar(x=0.0, y=0.0, radii=(0.3, 1.0)).") from None
        if len(at) != 2 or not np.all(np.isfinite(at)):
            raise BadInput(f"{given}: the centre must be two finite coordinates, such as x=0.0, y=0.0.")
        if not 0 < inner < outer < np.inf:
            raise BadInput(f"{given}: the radii must be 0 < inner < outer, such as radii=(0.3, 1.0).")
        self.centre, self.radii, self.ends = tuple(zip(centre, at, strict=True)), (inner, outer), None
        self.radial, self.waves = checked_count("Polar", "radial", radial), checked_count("Polar", "waves", waves)

    @property
    def beside(self) -> bool:
        return False

    def on(self, domain: Domain) -> Polar:
        axes = [axis for axis, _ in self.centre]
        if set(axes) != set(domain.axes):
            raise BadInput(
                f"Polar has its centre in {listing(axes)}, but the axes of the domain are {listing(domain.axes)}; use"
                " lf.Spectral or lf.MLP for other axes."
            )
        placed = object.__new__(Polar)
        known = {**vars(self), "ends": tuple(domain.ends(axis) for axis in axes)}
        for name, value in known.items():
            object.__setattr__(placed, name, value)
        return placed

    def init(self, key: Key, axes: tuple[str, ...], periodic: tuple[str, ...], outputs: int) -> PyTree:
        # The key is not used: a linear family starts at zero.
        return jnp.zeros((outputs, self.radial, 2 * self.waves + 1))

    def __call__(self, params: PyTree, place: Place, periodic: tuple[str, ...]) -> Float[Array, " outputs"]:
        assert self.ends is not None
        x, y = (
            low + (place[axis] + 1) * (high - low) / 2 - at
            for (axis, at), (low, high) in zip(self.centre, self.ends, strict=True)
        )
        inner, outer = self.radii
        r = jnp.sqrt(x**2 + y**2)
        shapes = chebyshev((2 * r - inner - outer) / (outer - inner), self.radial)
        return (params @ waves(x / r, y / r, self.waves)) @ shapes

    def collocation_points(self, axes: int) -> int:
        return 2 * self.radial * (2 * self.waves + 1)


def waves(cosine: Float[Array, ""], sine: Float[Array, ""], count: int) -> Float[Array, " 2*count+1"]:
    """1, cos phi ... cos(count phi), sin phi ... sin(count phi), by doubling with the formulae for sums of angles."""
    even = jnp.stack([jnp.ones_like(cosine), cosine])
    odd = jnp.stack([jnp.zeros_like(sine), sine])
    while even.shape[0] <= count:
        even, odd = (
            jnp.concatenate([even, even[-1] * even[1:] - odd[-1] * odd[1:]]),
            jnp.concatenate([odd, odd[-1] * even[1:] + even[-1] * odd[1:]]),
        )
    return jnp.concatenate([even[: count + 1], odd[1 : count + 1]])
