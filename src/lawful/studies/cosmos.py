"""The sky's oldest light: is it Planck's law, and how hot?

COBE/FIRAS measured the spectrum of the cosmic background in 43 bands from 2.3 to 21.3 cm-1 (D. J. Fixsen et al., ApJ
473, 576 (1996); D. J. Fixsen and J. C. Mather, ApJ 581, 817 (2002)). The bands' errors are correlated, and the
covariance is used whole. Fitted are the temperature, what is left of the Galaxy, and one at a time the two ways in
which energy released in the young universe would show:

    mu   photons scattered, none made:   1 / (exp(x + mu) - 1)
    y    scattered by hot electrons:     I + y T-derivative (x coth(x / 2) - 4)

Both are zero within their errors: nothing measured anywhere obeys Planck's law better.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.estimates import Estimate
from .._core.precision import in_float64
from .._core.record import Account, Drawing, Section, Status, Table
from ..radiation import C2, radiance_per_wavenumber
from ..report import BLUE, INK, VERMILLION
from ..solve import LeastSquaresSystem, minimise
from ._base import Outcome, Request
from ._spectra import found

SUMMARY = "the cosmic background of COBE/FIRAS: its temperature, and Planck's law held to a part in 100,000"
OPTIONS: dict[str, str] = {}

REFERENCE = 2.725  # K, of the black body from which the file's residuals count
CALIBRATION = 0.001  # K, of the instrument's own black body
PUBLISHED = {"y": (-1e-6, 6e-6, 15e-6), "mu": (-1e-5, 4e-5, 9e-5)}  # value, sd with systematic errors, 95 % bound
KILOJANSKY = 1e-23 * 2.99792458e10  # 1 kJy/sr in W m-2 (cm-1)-1 sr-1


class Sky(NamedTuple):
    wavenumber: Float[np.ndarray, " bands"]  # cm-1
    residual: Float[np.ndarray, " bands"]  # kJy/sr, over the black body of REFERENCE
    sd: Float[np.ndarray, " bands"]
    galaxy: Float[np.ndarray, " bands"]
    root: Float[np.ndarray, "bands bands"]  # Cholesky factor of the covariance


def read() -> Sky:
    nu, _, residual, sd, galaxy = np.loadtxt(found("cobe_firas", "firas_monopole_spec_v1.txt")).T
    correlation = np.loadtxt(found("cobe_firas", "firas_correlation_matrix.txt"))
    return Sky(nu, residual, sd, galaxy, np.linalg.cholesky(correlation * np.outer(sd, sd)))


def brightness(nu: Float[Array, " bands"], temperature, mu=0.0, y=0.0) -> Float[Array, " bands"]:
    """A black body with both distortions, kJy/sr. A chemical potential acts like a colder body, band by band."""
    x = C2 * 1e-4 * nu / temperature
    planck = radiance_per_wavenumber(nu, temperature) / KILOJANSKY
    shifted = planck * jnp.expm1(x) / jnp.expm1(x + mu)
    slope = planck * x * jnp.exp(x) / jnp.expm1(x)
    return shifted + y * slope * (x / jnp.tanh(x / 2) - 4)


def fit(sky: Sky, kind: str | None) -> tuple[dict[str, Estimate], float]:
    """Generalised least squares for temperature, Galaxy and one distortion; chi^2 with it."""
    reference = brightness(jnp.asarray(sky.wavenumber), REFERENCE)

    def residual(p):
        distortion = {kind: p[2] * 1e-5} if kind else {}
        model = brightness(jnp.asarray(sky.wavenumber), REFERENCE + 1e-5 * p[0], **distortion) - reference
        return jax.scipy.linalg.solve_triangular(sky.root, sky.residual - model - p[1] * sky.galaxy, lower=True)

    system = LeastSquaresSystem.from_residual(residual)
    state = minimise(system, jnp.full(3 if kind else 2, 1e-3))
    jacobian = np.asarray(system.linearise(state.x)[1])
    sd = np.sqrt(np.diag(np.linalg.inv(jacobian.T @ jacobian)))
    x = np.asarray(state.x)
    estimates = {"temperature": Estimate("temperature", REFERENCE + 1e-5 * float(x[0]), 1e-5 * float(sd[0]))}
    if kind:
        estimates[kind] = Estimate(kind, 1e-5 * float(x[2]), 1e-5 * float(sd[2]))
    return estimates, float(state.cost)


@in_float64
def run(request: Request) -> Outcome:
    begin = time.monotonic()
    sky = read()
    estimates, chi2 = fit(sky, None)
    for kind in ("mu", "y"):
        estimates[kind] = fit(sky, kind)[0][kind]
    bands = len(sky.wavenumber)
    bounds = {kind: abs(estimates[kind].value) + 2 * estimates[kind].sd for kind in ("mu", "y")}
    numbers = {name: each.to_json() for name, each in estimates.items()}
    numbers |= {"calibration_sd": CALIBRATION, "chi2": chi2, "dof": bands - 2}
    numbers |= {"bounds": bounds, "published_bounds": {kind: PUBLISHED[kind][2] for kind in ("mu", "y")}}
    good = chi2 < bands - 2 + 4 * np.sqrt(2 * (bands - 2))
    why = f"chi^2 = {chi2:.1f} for {bands - 2} degrees of freedom"
    reason = f"Planck's law holds, {why}" if good else f"the spectrum is not Planck's: {why}"
    status = Status(bool(good), reason, "trusted")
    t = estimates["temperature"]
    lines = [
        f"temperature  {t.value:.6f} ± {t.sd:.6f} K from the shape; ± {CALIBRATION} K of the instrument's black body",
        f"             {why}",
    ]
    rows = []
    for kind in ("mu", "y"):
        e, (value, sd, bound) = estimates[kind], PUBLISHED[kind]
        lines.append(
            f"{kind:12} ({1e6 * e.value:.1f} ± {1e6 * e.sd:.1f})e-6, |{kind}| < {1e6 * bounds[kind]:.1f}e-6 at 95 %;"
            f" published ({1e6 * value:.0f} ± {1e6 * sd:.0f})e-6 with systematic errors, bound {1e6 * bound:.0f}e-6"
        )
        rows.append((kind, f"{e.value:.2e} ± {e.sd:.1e}", f"{bounds[kind]:.1e}", f"{bound:.1e}"))
    draw = lambda: figure(sky, t.value)
    table = Table(("distortion", "found", "bound (95 %)", "published bound"), tuple(rows))
    caption = "The spectrum, and below what is left of it: error bars of 1 sd, some 1e-4 of the peak."
    picture = Drawing("spectrum", caption, draw)
    section = Section("The background", tuple(lines), (table,), (picture,))
    main = Account(status, time.monotonic() - begin, (section,), "generalised least squares with the full covariance")
    return Outcome(numbers, status, "\n".join(lines), main, figures={"spectrum": draw})


@in_float64
def figure(sky: Sky, temperature: float):
    from matplotlib.figure import Figure

    fine = jnp.linspace(sky.wavenumber[0], sky.wavenumber[-1], 300)
    planck = np.asarray(brightness(jnp.asarray(sky.wavenumber), REFERENCE))
    distorted = np.asarray(brightness(fine, REFERENCE, y=PUBLISHED["y"][2]) - brightness(fine, REFERENCE))
    fig = Figure(figsize=(7, 5), layout="constrained")
    top, bottom = fig.subplots(2, 1, sharex=True)
    top.plot(fine, np.asarray(brightness(fine, temperature)) / 1e3, color=BLUE, label="Planck's law")
    top.plot(sky.wavenumber, (planck + sky.residual) / 1e3, ".", color=INK, label="measured")
    top.set(ylabel="brightness / MJy sr⁻¹")
    top.legend()
    bottom.axhline(0, color=BLUE)
    bottom.errorbar(sky.wavenumber, sky.residual, sky.sd, fmt=".", color=INK, lw=1)
    bottom.plot(fine, distorted, color=VERMILLION, ls="--", label="y = 15e-6, the published bound")
    bottom.set(ylabel="rest / kJy sr⁻¹", xlabel="wavenumber / cm⁻¹")
    bottom.legend()
    return fig, (top, bottom)
