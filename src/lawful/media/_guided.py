"""Waves that layers guide along the surface of a half-space: Rayleigh and Love modes, none of them missed."""

from __future__ import annotations

import abc
import functools
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .._core.messages import BadInput, shown
from ._stack import is_traced
from ._stiffness import Faces, shear_half_space, shear_layer, solid_half_space, solid_layer
from ._strata import Strata

SLOWEST = 0.02  # of the slowest shear speed: below every mode, heavy plates on soft ground included
BISECTIONS = 56


class Guided(eqx.Module):
    """The contract: which motion is guided, as dynamic stiffness."""

    @abc.abstractmethod
    def layers(self, strata: Strata, c: Array, k: Array) -> Faces:
        """The stiffness of every layer, stacked."""

    @abc.abstractmethod
    def base(self, strata: Strata, c: Array, k: Array) -> Float[Array, "n n"]:
        """The stiffness of the half-space."""

    @abc.abstractmethod
    def clamped(self, strata: Strata, c: Array, k: Array) -> Int[Array, ""]:
        """How many frequencies below c k all layers together have with their faces held, at the wavenumber k."""


class Love(Guided):
    """Guided waves of SH motion, horizontal and across the way they run; they need a slower layer above a half-space.

    Source: Aki and Richards, Quantitative Seismology (2002), chapter 7.
    """

    def layers(self, strata, c, k):
        count = len(strata)
        each = jax.vmap(shear_layer, (None, None, 0, 0, 0))
        return each(c, k, jnp.asarray(strata.thickness), jnp.asarray(strata.vs)[:count], strata.shear_modulus[:count])

    def base(self, strata, c, k):
        return shear_half_space(c, k, strata.vs[-1], strata.shear_modulus[-1])

    def clamped(self, strata, c, k):
        vertical = jnp.maximum((c / strata.vs[: len(strata)]) ** 2 - 1, 0.0)
        return jnp.sum(jnp.ceil(k * strata.thickness * jnp.sqrt(vertical) / math.pi - 1).clip(0)).astype(int)

    def __str__(self) -> str:
        return "Love"


class Rayleigh(Guided):
    """P-SV motion.

    halvings   how often layers are cut in two until each piece is thinner than half a shear wave, where it has no
               clamped frequencies; 6 serve layers of 64 half-waves.
    """

    halvings: int = eqx.field(static=True, default=6)

    def layers(self, strata, c, k):
        return self._cut(strata, c, k, jnp.asarray(strata.thickness))

    def base(self, strata, c, k):
        return solid_half_space(c, k, strata.vp[-1], strata.vs[-1], strata.shear_modulus[-1])

    def clamped(self, strata, c, k):
        """Pieces are joined two by two: a joint adds a frequency for each negative eigenvalue of its stiffness."""
        pieces = self._cut(strata, c, k, jnp.asarray(strata.thickness) / 2**self.halvings)

        def join(state, _):
            found, faces = state
            joint = faces.lower + faces.upper
            held = inverted(joint)
            turned = jnp.swapaxes(faces.across, 1, 2)
            doubled = Faces(
                faces.upper - faces.across @ held @ turned,
                -faces.across @ held @ faces.across,
                faces.lower - turned @ held @ faces.across,
            )
            return (2 * found + negatives(joint), doubled), None

        start = jnp.zeros(len(strata), int), pieces
        (found, _), _ = jax.lax.scan(join, start, None, length=self.halvings)
        return jnp.sum(found)

    def _cut(self, strata: Strata, c: Array, k: Array, thickness: Float[Array, " layers"]) -> Faces:
        count = len(strata)
        each = jax.vmap(solid_layer, (None, None, 0, 0, 0, 0))
        vp, vs = jnp.asarray(strata.vp)[:count], jnp.asarray(strata.vs)[:count]
        return each(c, k, thickness, vp, vs, strata.shear_modulus[:count])

    def __str__(self) -> str:
        return "Rayleigh"


def negatives(symmetric: Float[Array, "*batch n n"]) -> Int[Array, "*batch"]:
    """How many eigenvalues of a symmetric matrix of order 1 or 2 are negative."""
    if symmetric.shape[-1] == 1:
        return (symmetric[..., 0, 0] < 0).astype(int)
    determinant = symmetric[..., 0, 0] * symmetric[..., 1, 1] - symmetric[..., 0, 1] * symmetric[..., 1, 0]
    trace = symmetric[..., 0, 0] + symmetric[..., 1, 1]
    return jnp.where(determinant < 0, 1, jnp.where(trace < 0, 2, 0))


def inverted(symmetric: Float[Array, "*batch n n"]) -> Float[Array, "*batch n n"]:
    """The inverse of a symmetric matrix of order 1 or 2."""
    if symmetric.shape[-1] == 1:
        return 1 / symmetric
    a, b, d = symmetric[..., 0, 0], symmetric[..., 0, 1], symmetric[..., 1, 1]
    turned = jnp.stack([jnp.stack([d, -b], axis=-1), jnp.stack([-b, a], axis=-1)], axis=-2)
    return turned / (a * d - b * b)[..., None, None]


def count(guided: Guided, strata: Strata, c: Array, omega: Array) -> Int[Array, ""]:
    """How many modes have frequencies below omega at the wavenumber omega / c.

    The frequencies of the layers with all interfaces held, and the negative eigenvalues of the stiffness of the whole,
    which elimination from the bottom up counts one interface at a time.
    Source: W. H. Wittrick and F. W. Williams, Q. J. Mech. Appl. Math. 24, 263 (1971).
    """
    k = omega / c

    def up(state, faces):
        found, below = state
        joint = faces.lower + below
        seen = faces.upper - faces.across @ inverted(joint) @ faces.across.T
        return (found + negatives(joint), seen), None

    start = guided.clamped(strata, c, k), guided.base(strata, c, k)
    (found, surface), _ = jax.lax.scan(up, start, guided.layers(strata, c, k), reverse=True)
    return found + negatives(surface)


@functools.partial(jax.custom_jvp, nondiff_argnums=(0, 3))
def speed_at(guided: Guided, strata: Strata, omega: Float[Array, ""], mode: int) -> Float[Array, ""]:
    """Phase speed of one mode at one angular frequency, by bisection on the count of modes; the shear speed of the
    half-space, where the mode begins, below the frequency from which it exists."""
    bottom, top = SLOWEST * jnp.min(strata.vs), fastest(strata)

    def halve(_, ends):
        low, high = ends
        middle = 0.5 * (low + high)
        above = count(guided, strata, middle, omega) > mode
        return jnp.where(above, low, middle), jnp.where(above, middle, high)

    low, high = jax.lax.fori_loop(0, BISECTIONS, halve, (bottom, top))
    return jnp.where(high < top, 0.5 * (low + high), top)  # no middle ever lay above the mode: there is none


def fastest(strata: Strata) -> Float[Array, ""]:
    """What guided waves are slower than."""
    return strata.vs[-1] * (1 - 1e-12)


@speed_at.defjvp
def _speed_slope(guided, mode, primals, tangents):
    """V' K v = 0 for the mode's shape v, whatever changes: dc = -v' dK v / (v' dK/dc v)."""
    strata, omega = primals
    c = speed_at(guided, strata, omega, mode)
    there = c < fastest(strata)
    safe = jnp.where(there, c, 0.9 * c)  # at the cutoff itself the half-space has no slope
    shape = null_vector(assembled(guided, strata, safe, omega))
    form = lambda strata, omega, c: shape @ assembled(guided, strata, c, omega) @ shape
    _, change = jax.jvp(lambda strata, omega: form(strata, omega, safe), primals, tangents)
    _, slope = jax.jvp(lambda c: form(strata, omega, c), (safe,), (jnp.ones_like(c),))
    _, cutoff = jax.jvp(fastest, (strata,), (tangents[0],))
    return c, jnp.where(there, -change / slope, cutoff)


def assembled(guided: Guided, strata: Strata, c: Array, omega: Array) -> Float[Array, "m m"]:
    """The stiffness of the whole, interface by interface, from the surface to the half-space."""
    k = omega / c
    faces, base = guided.layers(strata, c, k), guided.base(strata, c, k)
    size, layers = base.shape[0], len(strata)
    here = size * np.arange(layers)[:, None, None] + np.arange(size)[:, None]
    there = size * np.arange(layers)[:, None, None] + np.arange(size)
    whole = jnp.zeros((size * (layers + 1), size * (layers + 1)))
    whole = whole.at[here, there].add(faces.upper).at[here + size, there + size].add(faces.lower)
    whole = whole.at[here, there + size].add(faces.across)
    whole = whole.at[here + size, there].add(jnp.swapaxes(faces.across, 1, 2))
    return whole.at[layers * size :, layers * size :].add(base)


@jax.custom_jvp
def null_vector(symmetric: Float[Array, "m m"]) -> Float[Array, " m"]:
    """The unit eigenvector of the eigenvalue nearest to zero."""
    values, vectors = jnp.linalg.eigh(symmetric)
    return vectors[:, jnp.argmin(jnp.abs(values))]


@null_vector.defjvp
def _null_slope(primals, tangents):
    (symmetric,), (change,) = primals, tangents
    v = null_vector(symmetric)
    pushed = change @ v
    size = jnp.trace(jnp.abs(symmetric)) / v.size
    return v, -jnp.linalg.solve(symmetric + size * jnp.outer(v, v), pushed - v * (v @ pushed))


def phase_speed(
    strata: Strata, frequency: Float[Array, " f"], waves: Guided | None = None, mode: int = 0
) -> Float[Array, " f"]:
    """The dispersion curve of one mode: phase speed at each frequency, m/s.

    Every mode is found: the number of modes below a speed is counted exactly, and bisection runs on the count. Exact
    derivatives of any order, in strata and frequency, by the mode's own shape.

    strata      layers on a half-space, without loss.
    frequency   Hz.
    waves       `Rayleigh()` (the default) or `Love()`.
    mode        0 for the fundamental one; NaN at frequencies at which it does not exist (it would be faster than shear
                waves in the half-space, and leak).

    Raises `BadInput` for strata without a half-space or with loss, and frequencies that are not positive. Compute in
    double precision.
    """
    waves = Rayleigh(halvings_for(strata, frequency)) if waves is None else waves
    check_guided(strata, frequency, mode)
    bare = lossless(strata)

    def one(omega):
        c = speed_at(waves, bare, omega, mode)
        return jnp.where(c < fastest(bare), c, jnp.nan)

    return jax.vmap(one)(2 * math.pi * jnp.atleast_1d(frequency))


def group_speed(
    strata: Strata, frequency: Float[Array, " f"], waves: Guided | None = None, mode: int = 0
) -> Float[Array, " f"]:
    """The speed of energy, d omega / d k = c / (1 - (omega / c) dc/d omega), m/s. Arguments as for `phase_speed`."""
    waves = Rayleigh(halvings_for(strata, frequency)) if waves is None else waves
    check_guided(strata, frequency, mode)
    bare = lossless(strata)

    def one(omega):
        c, slope = jax.jvp(lambda w: speed_at(waves, bare, w, mode), (omega,), (jnp.ones_like(omega),))
        return jnp.where(c < fastest(bare), c / (1 - omega / c * slope), jnp.nan)

    return jax.vmap(one)(2 * math.pi * jnp.atleast_1d(frequency))


def lossless(strata: Strata) -> Strata:
    """The same strata, every property an array."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype=jnp.result_type(float)), strata)


def halvings_for(strata: Strata, frequency) -> int:
    """Enough for the thickest layer in half shear waves, where that can be seen now."""
    if is_traced(strata, frequency):
        return Rayleigh().halvings
    waves = 2 * float(np.max(frequency)) * np.max(np.asarray(strata.thickness) / np.asarray(strata.vs)[: len(strata)])
    return max(math.ceil(math.log2(max(waves, 1.0))) + 1, 1)


def check_guided(strata: Strata, frequency, mode: int) -> None:
    if not strata.has_half_space:
        raise BadInput("surface waves need a half-space below the layers; give one more of vp, vs and density.")
    if not (isinstance(mode, int) and mode >= 0):
        raise BadInput(f"mode={shown(mode)}: give 0 for the fundamental mode, 1, 2, ... for higher ones.")
    if not is_traced(frequency) and not np.all(np.isfinite(frequency) & (np.asarray(frequency) > 0)):
        raise BadInput("frequencies of surface waves must be positive and finite, in Hz.")
    if not is_traced(strata) and (np.any(np.asarray(strata.loss_p) > 0) or np.any(np.asarray(strata.loss_s) > 0)):
        raise BadInput("dispersion curves are those of strata without loss; leave loss_p and loss_s out.")
