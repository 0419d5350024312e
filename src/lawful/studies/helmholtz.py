"""Sound around a hard pillar: Helmholtz's equation on a disk with a hole, under mixed conditions.

    u_xx + u_yy + k^2 u = 0,    du/dn = 0 on the hole,    u given on the rim

A plane wave meets a hard cylinder; the answer is a series of Bessel functions of both kinds, and their second kind is
what makes holes hard: beside polynomials it holds log r and powers of 1/r, which polynomials in x and y follow slowly,
since the field is singular inside the hole. `Polar`, polynomials in r times waves in the angle about a place inside the
hole, has them.

1. Both conditions exact by construction, with `Polar` and with `Spectral`, against the series.
2. The wavenumber from noisy pressures at 40 places.

Source of the series: P. M. Morse and K. U. Ingard, Theoretical Acoustics (1968), section 8.1.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from ..fields import Polar, chebyshev
from ..geometry import Disk
from ..problem import Data, Flux, Problem, Value
from ..solve import Solution
from ._base import Request

SUMMARY = "sound around a hard pillar: a disk with a hole, mixed conditions exact by construction, against Bessel"
OPTIONS = {
    "wavenumber": "wavenumber times the radius of the disk, 5 by default, at most 20",
    "noise": "noise of the 40 pressures from which the wavenumber is found, in percent of the incoming wave; 1",
    "hole": "radius of the hole over that of the disk, 0.3 by default, from 0.05 to 0.8",
}

PLACES = 40


def sound(u, u_xx, u_yy, k):
    return (u_xx + u_yy) / k**2 + u


def amplitudes(r: np.ndarray, k: float, hole: float) -> np.ndarray:
    """The factors of cos(m theta), m = 0, 1, ..., at distances r (rows): a wave that travels along x, and its echo."""
    from scipy.special import h1vp, hankel1, jv, jvp

    m = np.arange(highest(k) + 1)
    weight = np.where(m == 0, 1, 2) * 1j**m
    echo = jvp(m, k * hole) / h1vp(m, k * hole)
    return np.real(weight * (jv(m, k * r[:, None]) - echo * hankel1(m, k * r[:, None])))


def highest(k: float) -> int:
    """Waves around the disk beyond which nothing is left of the series at rounding."""
    return int(14 + 1.6 * k)


def pressure(x: np.ndarray, y: np.ndarray, k: float, hole: float) -> np.ndarray:
    """The series."""
    angle = np.arctan2(y, x)
    waves = np.cos(angle[:, None] * np.arange(highest(k) + 1))
    return np.sum(amplitudes(np.hypot(x, y), k, hole) * waves, axis=1)


def stated(k: float, hole: float, **parts) -> Problem:
    domain = Disk(x=0, y=0, radius=1, label="rim") - Disk(x=0, y=0, radius=hole, label="pillar")
    heard = amplitudes(np.ones(1), k, hole)[0]

    def on_rim(x, y):
        return chebyshev(x / jnp.sqrt(x**2 + y**2), len(heard)) @ heard  # T_m(cos theta) = cos(m theta)

    known = {} if "unknowns" in parts else {"constants": {"k": k}}
    return Problem(
        domain,
        fields="u",
        laws={"sound": sound},
        conditions=[Value(domain.boundary("rim"), u=on_rim), Flux(domain.boundary("pillar"), u=0.0)],
        **known,
        **parts,
    )


def polar(request: Request, k: float, hole: float) -> Polar:
    return Polar(x=0.0, y=0.0, radii=(hole, 1.0), radial=int(k + request.pick(10, 14, 18)), waves=highest(k))


def microphones(request: Request, k: float, hole: float, percent: float) -> Data:
    rng = np.random.default_rng(request.seed)
    r, angle = np.sqrt(rng.uniform(hole**2, 1, PLACES)), rng.uniform(0, 2 * np.pi, PLACES)
    x, y = r * np.cos(angle), r * np.sin(angle)
    heard = pressure(x, y, k, hole) + percent / 100 * rng.normal(size=PLACES)
    return Data({"x": x, "y": y, "u": heard}, noise=percent / 100, name="microphones")


def judged(solution: Solution, k: float, hole: float) -> dict[str, float]:
    """Errors against the series, and how well the conditions hold."""
    places = solution.problem.domain.sample(3000, 17)
    truth = pressure(places["x"], places["y"], k, hole)
    angle = np.linspace(0, 2 * np.pi, 181)
    x, y = np.cos(angle), np.sin(angle)
    flux = solution.evaluate(lambda u_x, u_y, x, y: (u_x * x + u_y * y) / jnp.sqrt(x**2 + y**2), x=hole * x, y=hole * y)
    return {
        "rel_l2": float(np.linalg.norm(solution.u(**places) - truth) / np.linalg.norm(truth)),
        "off_on_rim": float(np.max(np.abs(solution.u(x=x, y=y) - pressure(x, y, k, hole)))),
        "flux_into_pillar": float(np.max(np.abs(flux))) / k,
        "seconds": solution.seconds,
    }
