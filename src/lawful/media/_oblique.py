"""Plane waves that meet layers of solids at an angle: P and SV coupled, SH alone."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from .._core.messages import BadInput
from ._ends import End, FreeEnd
from ._normal import chain
from ._stack import is_traced
from ._strata import Strata

GRAZING = 1e-16
"""Relative size of what is added to the squared vertical slowness, so that a wave which runs exactly along an interface
divides by 1e-8 rather than by 0."""

Block = Complex[Array, "2 2 freqs"]


class Waves(NamedTuple):
    """Motions of the four waves in every medium for e^(s (t - p x)): displacement and traction / (-s) on a level plane.

    Columns of `u` and `t` are P and SV, down and up; rows are x and z (down). `norm` is the energy flux that tells them
    apart, `root` s times vertical slowness with a positive real part.
    """

    u_down: Complex[Array, "media 2 2 freqs"]
    u_up: Complex[Array, "media 2 2 freqs"]
    t_down: Complex[Array, "media 2 2 freqs"]
    t_up: Complex[Array, "media 2 2 freqs"]
    norm: Complex[Array, "media 2 freqs"]
    root: Complex[Array, "media 2 freqs"]


class Oblique(NamedTuple):
    """What strata under a free surface do to P and SV waves of one horizontal slowness.

    surface       displacement (x, z) of the surface for unit tractions (x, z) on it, m/Pa.
    reflection    displacement amplitudes (P, SV) of waves that go up, for unit ones that go down, at the top of the
                  first layer.
    transmission  amplitudes of waves down in the half-space (or at the lower face), for unit ones down there.
    arrival       displacement (x, z) of the surface for unit waves (P, SV) that come up the half-space.
    """

    surface: Block
    reflection: Block
    transmission: Block
    arrival: Block


class Sideways(NamedTuple):
    """The same for SH waves, which move across the plane of incidence: one number for each frequency."""

    surface: Complex[Array, " freqs"]
    reflection: Complex[Array, " freqs"]
    transmission: Complex[Array, " freqs"]
    arrival: Complex[Array, " freqs"]


def waves(strata: Strata, slowness: Float[Array, ""], s: Complex[Array, " freqs"]) -> Waves:
    """Eigenvectors of elastic motion in every medium; their inverse is the reciprocity of Betti and Rayleigh, so that
    no 4 x 4 matrix has to be inverted. Source: K. Aki and P. G. Richards, Quantitative Seismology (2002), 5.4."""
    p = jnp.asarray(slowness)
    stiff, mu = strata.moduli(s)
    rho = jnp.asarray(strata.density)[:, None]
    alpha, beta = jnp.sqrt(stiff / rho), jnp.sqrt(mu / rho)
    root_p, root_s = vertical(alpha, p, s), vertical(beta, p, s)
    nu_p, nu_s = root_p / s, root_s / s
    c = rho - 2 * mu * p**2
    u_down = block(p * alpha, nu_s * beta, nu_p * alpha, -p * beta)
    u_up = block(p * alpha, -nu_s * beta, -nu_p * alpha, -p * beta)
    t_down = block(2 * mu * alpha * p * nu_p, beta * c, alpha * c, -2 * mu * beta * p * nu_s)
    t_up = block(-2 * mu * alpha * p * nu_p, beta * c, alpha * c, 2 * mu * beta * p * nu_s)
    norm = jnp.stack([2 * rho * alpha**2 * nu_p, -2 * rho * beta**2 * nu_s], axis=1)
    return Waves(u_down, u_up, t_down, t_up, norm, jnp.stack([root_p, root_s], axis=1))


def vertical(speed: Complex[Array, "media freqs"], p: Array, s: Complex[Array, " freqs"]) -> Complex[Array, "..."]:
    """S times vertical slowness; its real part is positive, so that waves decay in the direction in which they go."""
    return jnp.sqrt(s**2 * (1 / speed**2 * (1 + GRAZING) - p**2))


def block(a: Array, b: Array, c: Array, d: Array) -> Complex[Array, "media 2 2 freqs"]:
    a, b, c, d = jnp.broadcast_arrays(a, b, c, d)
    return jnp.stack([jnp.stack([a, b], axis=1), jnp.stack([c, d], axis=1)], axis=1)


def times(a: Block, b: Block) -> Block:
    return jnp.einsum("ij...,jk...->ik...", a, b)


def inverse(a: Block) -> Block:
    determinant = a[0, 0] * a[1, 1] - a[0, 1] * a[1, 0]
    return jnp.stack([jnp.stack([a[1, 1], -a[0, 1]]), jnp.stack([-a[1, 0], a[0, 0]])]) / determinant


def flux(first_u: Block, first_t: Block, u: Block, t: Block) -> Block:
    """The energy flux that two motions exchange, which no layer changes; a row per column of the first.

    The sign of x is turned for one of them: reciprocity pairs a wave with one that runs the other way along the layers.
    """
    product = lambda a, b: -a[0][:, None] * b[0][None] + a[1][:, None] * b[1][None]
    return product(first_u, t) - product(first_t, u)


def amplitudes(u: Block, t: Block, medium: Waves) -> tuple[Block, Block]:
    """Waves down and up in a medium that make these displacements and tractions (columns are cases)."""
    down = -flux(medium.u_up, medium.t_up, u, t) / medium.norm[:, None]
    up = flux(medium.u_down, medium.t_down, u, t) / medium.norm[:, None]
    return down, up


class Climb(NamedTuple):
    """At the top of a layer: motions for unit waves down there, what comes back, and what arrives below all layers."""

    u: Block
    t: Block
    reflection: Block
    passed: Block


def across(medium: Waves, thickness: Array, reflection: Block, passed: Block) -> Climb:
    """From the bottom of a layer to its top."""
    decay = jnp.exp(-medium.root * thickness)
    reflection = decay[:, None] * reflection * decay[None]
    return Climb(
        medium.u_down + times(medium.u_up, reflection),
        medium.t_down + times(medium.t_up, reflection),
        reflection,
        passed * decay[None],
    )


def oblique(
    strata: Strata, slowness: Float[Array, ""] | float, s: Complex[Array, " freqs"], bottom: End | None = None
) -> Oblique:
    """P-SV motion of strata under a free surface, for plane waves of one horizontal slowness.

    With E the decays exp(-s nu d) across a layer, and A, B the waves down and up in it that continue what the layer
    below does at its top, reflections climb by R = E B A^-1 E: only decaying exponentials appear, so that neither
    evanescent waves nor thick layers nor high frequencies lose digits.

    slowness   horizontal, s/m: sin(angle) / speed. Where it is exactly that of a wave along an interface, accuracy
               falls to 1e-8.
    s          as for `respond`.
    bottom     what the last layer ends on where there is no half-space; free by default.

    Source: B. L. N. Kennett, Seismic Wave Propagation in Stratified Media (1983), chapters 5 and 6.
    """
    check_slowness(slowness)
    found, thickness = waves(strata, jnp.asarray(slowness), s), jnp.asarray(strata.thickness)
    last = jax.tree.map(lambda part: part[-1], found)
    identity = jnp.broadcast_to(jnp.eye(2, dtype=s.dtype)[:, :, None], (2, 2, s.size))
    if strata.has_half_space:
        start = Climb(last.u_down, last.t_down, jnp.zeros_like(identity), identity)
    else:
        a, b = (FreeEnd() if bottom is None else bottom).relation(s)
        held = inverse(a * last.u_up - b * last.t_up)
        start = across(last, thickness[-1], -times(held, a * last.u_down - b * last.t_down), identity)

    def up(below: Climb, layer: tuple[Waves, Array]) -> tuple[Climb, None]:
        medium, height = layer
        down, back = amplitudes(below.u, below.t, medium)
        enters = inverse(down)
        return across(medium, height, times(back, enters), times(below.passed, enters)), None

    upper = jax.tree.map(lambda part: part[:-1], found)
    top, _ = jax.lax.scan(up, start, (upper, thickness[: len(found.root) - 1]), reverse=True)
    free = inverse(top.t)
    # What comes up and moves the surface is what a traction on the surface sends down, read backwards.
    sent = times(top.passed, free) * last.norm[:, None]
    arrival = jnp.swapaxes(sent, 0, 1) * jnp.array([1.0, -1.0])[:, None, None]
    return Oblique(times(top.u, free) / s, top.reflection, top.passed, arrival)


def sideways(
    strata: Strata, slowness: Float[Array, ""] | float, s: Complex[Array, " freqs"], bottom: End | None = None
) -> Sideways:
    """SH motion of strata under a free surface: a stack of impedances mu nu. Arguments as for `oblique`."""
    check_slowness(slowness)
    _, mu = strata.moduli(s)
    speed = jnp.sqrt(mu / jnp.asarray(strata.density)[:, None])
    root = vertical(speed, jnp.asarray(slowness), s)
    impedance, layers = mu * root / s, len(strata)
    crossing = jnp.exp(-root[:layers] * jnp.asarray(strata.thickness)[:, None])
    if strata.has_half_space:
        below = (impedance[layers - 1] - impedance[layers]) / (impedance[layers - 1] + impedance[layers])
    else:
        below = (FreeEnd() if bottom is None else bottom).reflection(impedance[-1], s)
    reflection, passed = chain(impedance[:layers], crossing, below)
    sent = 1 / (impedance[0] * (1 - reflection))
    return Sideways((1 + reflection) * sent / s, reflection, passed, 2 * impedance[-1] * passed * sent)


def check_slowness(slowness) -> None:
    if not is_traced(slowness) and not (np.ndim(slowness) == 0 and np.isfinite(slowness) and slowness >= 0):
        raise BadInput(f"the slowness is {slowness} s/m; it must be zero or positive: sin(angle) / speed.")
