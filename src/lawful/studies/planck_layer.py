"""What a fixed law is worth: Planck's law as a layer of a network, and a network that has to learn it.

A tungsten sample is calibrated: its radiance in 60 bands from 1 to 12 um is recorded at N known temperatures from 800
to 1200 K, with 1 % noise. Then its radiance is asked at temperatures between these and beyond (500 to 800 K, 1200 to
2000 K). Two networks of the same kind see the same spectra:

    plain        ln L = net(ln lambda, ln T)
    fixed layer  ln L = ln eps(lambda) + ln B(lambda, T),    ln eps = log_sigmoid(net(ln lambda))

The plain one gets every fairness: logarithms, in which Planck's law is smooth, inputs and outputs scaled to the size of
one, the same optimiser (Levenberg-Marquardt), and a ridge on its weights. The strength of the ridge is chosen, for
either network and either place, as the one that turns out best there: no one could know it, and it can only flatter the
one that needs it.

A calibration is there to read temperatures. So the figure that counts is also given as the error of the temperature at
which a network's radiance explains a new spectrum best.

The emissivity is simulated from measured n and k of tungsten (A. D. Rakic et al., Appl. Opt. 37, 5271 (1998)) and does
not depend on the temperature, which holds for the fixed layer as an assumption: where it did, `ln T` would be one more
input of its network.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from .._core.precision import in_float64
from .._core.record import Account, Drawing, Section, Status, Table
from ..fields import MLP
from ..radiation import log_radiance
from ..report import BLUE, INK, VERMILLION
from ..solve import LevenbergMarquardt, minimise
from ._base import Outcome, Request
from ._spectra import smooth_emissivity

SUMMARY = "a network with Planck's law as a fixed layer beside one that must learn it, in and beyond its temperatures"
OPTIONS = {"noise": "relative noise of the calibration spectra, 0.01 by default"}

SHORTEST, LONGEST, BANDS = 1.0, 12.0, 60
COLD, HOT = 800.0, 1200.0
INSIDE = np.linspace(820.0, 1180.0, 19)
BEYOND = np.concatenate([np.linspace(500.0, 780.0, 8), np.linspace(1250.0, 2000.0, 8)])
NETWORK = MLP(width=16, depth=1)
OPTIMISER = LevenbergMarquardt(ftol=1e-3, max_steps=60)
RIDGES = 10.0 ** np.arange(1.0, -1.1, -1.0)  # in units of the noise
"""A weight of one costs as much as a band that is off by so many standard deviations."""

PLACES = np.geomspace(SHORTEST, LONGEST, BANDS)


def scaled(values: Float[Array, " n"], low: float, high: float) -> Float[Array, " n"]:
    """The logarithm on [-1, 1] over low..high."""
    return 2 * jnp.log(values / low) / np.log(high / low) - 1


class Plain(eqx.Module):
    """Ln L from ln lambda and ln T."""

    mean: Float[Array, ""]
    spread: Float[Array, ""]

    axes = ("l", "T")

    def __call__(self, weights, wavelength, temperature):
        place = {"l": scaled(wavelength, SHORTEST, LONGEST), "T": scaled(temperature, COLD, HOT)}
        return self.mean + self.spread * NETWORK(weights, place, ())[0]


class FixedLayer(eqx.Module):
    """Ln eps from ln lambda, Planck's law on top."""

    axes = ("l",)

    def __call__(self, weights, wavelength, temperature):
        out = NETWORK(weights, {"l": scaled(wavelength, SHORTEST, LONGEST)}, ())[0]
        return jax.nn.log_sigmoid(out) + log_radiance(wavelength, temperature)


class Regression(eqx.Module):
    """One of the two networks, its spectra and its ridge."""

    model: Plain | FixedLayer
    wavelength: Float[Array, " rows"]
    temperature: Float[Array, " rows"]
    log_l: Float[Array, " rows"]
    noise: Float[Array, ""]
    ridge: Float[Array, ""]
    like: list

    def predict(self, flat: Array, wavelength: Array, temperature: Array) -> Float[Array, " rows"]:
        weights = ravel_pytree(self.like)[1](flat)
        return jax.vmap(lambda w, t: self.model(weights, w, t))(wavelength, temperature)

    def residual(self, x: Array) -> Array:
        miss = (self.predict(x, self.wavelength, self.temperature) - self.log_l) / self.noise
        return jnp.concatenate([miss, self.ridge * x])

    def linearise(self, x: Array) -> tuple[Array, Array]:
        return self.residual(x), jax.jacfwd(self.residual)(x)


@eqx.filter_jit
def spectra(task: Regression, x: Array, temperatures: Array) -> Float[Array, "temperatures bands"]:
    return jax.vmap(lambda t: task.predict(x, jnp.asarray(PLACES), jnp.full(BANDS, t)))(temperatures)


@dataclass(frozen=True)
class Errors:
    """Root mean square of the error of ln L (the relative error of the radiance where that is small), and median error
    of the temperature in kelvin."""

    radiance: float
    temperature: float


def read_temperatures(table: np.ndarray, grid: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Where a table of log spectra over temperatures is nearest to what was seen, by a parabola through three."""
    costs = np.sum((seen[:, None, :] - table[None]) ** 2, axis=-1)
    k = np.clip(np.argmin(costs, axis=1), 1, len(grid) - 2)
    left, middle, right = (costs[np.arange(len(seen)), k + i] for i in (-1, 0, 1))
    bend = left - 2 * middle + right
    shift = np.clip(0.5 * (left - right) / np.where(bend > 0, bend, 1.0), -1, 1)
    return grid[k] * (grid[1] / grid[0]) ** shift


GRID = np.geomspace(400.0, 2500.0, 400)


def nearest(fits: list[tuple[Regression, Array]], temperatures: np.ndarray, wanted: np.ndarray) -> Errors:
    """Errors of the fit whose spectra at some temperatures are nearest to those wanted."""

    def miss(fit: tuple[Regression, Array]) -> float:
        return float(np.sqrt(np.mean((np.asarray(spectra(*fit, jnp.asarray(temperatures))) - wanted) ** 2)))

    best = min(fits, key=miss)
    read = read_temperatures(np.asarray(spectra(*best, jnp.asarray(GRID))), GRID, wanted)
    return Errors(miss(best), float(np.median(np.abs(read - temperatures))))


def trained(model: Plain | FixedLayer, temperatures: np.ndarray, log_l: np.ndarray, noise: float, seed: int):
    """The task and its weights for every ridge, the strongest first, each from where the stronger one ended."""
    like = NETWORK.init(jax.random.PRNGKey(seed), model.axes, (), 1)
    wavelength, temperature = (each.ravel() for each in np.meshgrid(PLACES, temperatures))
    x = ravel_pytree(like)[0]
    for ridge in RIDGES:
        rows = (jnp.asarray(wavelength), jnp.asarray(temperature), jnp.asarray(log_l.ravel()))
        task = Regression(model, *rows, jnp.asarray(noise), jnp.asarray(ridge), like)
        x = minimise(task, x, OPTIMISER).x
        yield task, x


@in_float64
def run(request: Request) -> Outcome:
    begin, noise = time.monotonic(), request.number("noise", 0.01)
    counts, draws = request.pick((4,), (2, 3, 5, 9, 17)), request.pick(1, 3, 9)
    log_emissivity = np.log(smooth_emissivity("W", "Rakic-BB", PLACES))

    def truth(temperatures: np.ndarray) -> np.ndarray:
        return log_emissivity + np.asarray(log_radiance(PLACES, temperatures[:, None]))

    asked = {"inside": (INSIDE, truth(INSIDE)), "beyond": (BEYOND, truth(BEYOND))}
    rows = []
    for count in counts:
        known = np.linspace(COLD, HOT, count)
        clean = truth(known)
        found: dict[tuple[str, str], list[Errors]] = {}
        for draw in range(draws):
            rng = np.random.default_rng([request.seed, count, draw])
            log_l = clean + noise * rng.normal(size=clean.shape)
            models = {"plain": Plain(jnp.asarray(log_l.mean()), jnp.asarray(log_l.std())), "fixed": FixedLayer()}
            for name, model in models.items():
                fits = list(trained(model, known, log_l, noise, draw))
                for where, place in asked.items():
                    found.setdefault((name, where), []).append(nearest(fits, *place))
        middle = {
            f"{name}_{where}": {
                "radiance": float(np.median([each.radiance for each in errors])),
                "temperature": float(np.median([each.temperature for each in errors])),
            }
            for (name, where), errors in found.items()
        }
        rows.append({"spectra": count, **middle})
    return told(rows, noise, draws, time.monotonic() - begin)


def told(rows: list[dict], noise: float, draws: int, seconds: float) -> Outcome:
    last = rows[-1]
    gain = {where: last[f"plain_{where}"]["radiance"] / last[f"fixed_{where}"]["radiance"] for where in PARTS}
    numbers = {
        "rows": rows,
        "noise": noise,
        "draws": draws,
        "gain_inside": gain["inside"],
        "gain_beyond": gain["beyond"],
    }
    good = all(row["fixed_beyond"]["radiance"] < row["plain_beyond"]["radiance"] for row in rows)
    reason = "the fixed layer is nearer beyond the trained temperatures for every number of spectra"
    status = Status(good, reason if good else "somewhere the network without Planck's law was nearer", "trusted")
    head = ("spectra", "plain, inside", "fixed, inside", "plain, beyond", "fixed, beyond")
    table = Table(
        head,
        tuple(
            (str(row["spectra"]), *(shown(row[f"{name}_{where}"]) for where in PARTS for name in ("plain", "fixed")))
            for row in rows
        ),
    )
    lines = table.lines()
    lines.append(
        f"error of ln(radiance), and of the temperature read from it; {COLD:.0f} to {HOT:.0f} K trained, 500 to 2000 K"
        f" asked, medians of {draws} draws"
    )
    lines.append(
        f"with {last['spectra']} spectra Planck's law as a fixed layer makes the error of the radiance"
        f" {gain['inside']:.2g} times smaller between the trained temperatures, {gain['beyond']:.0f} times beyond"
    )
    draw = lambda: figure(rows)
    section = Section(
        "What the fixed layer is worth",
        tuple(lines[-2:]),
        (table,),
        (Drawing("errors", "Errors against the number of calibration spectra; medians.", draw),),
    )
    account = Account(status, seconds, (section,), "networks fitted by Levenberg-Marquardt")
    return Outcome(numbers, status, "\n".join(lines), account, figures={"errors": draw})


PARTS = ("inside", "beyond")


def shown(errors: dict[str, float]) -> str:
    return f"{errors['radiance']:.2g}, {errors['temperature']:.2g} K"


def figure(rows: list[dict]):
    from matplotlib.figure import Figure

    fig = Figure(figsize=(8.5, 3.8), layout="constrained")
    axes = fig.subplots(1, 2)
    counts = [row["spectra"] for row in rows]
    kinds = (("plain", "learns Planck's law", VERMILLION), ("fixed", "Planck's law as a layer", BLUE))
    for ax, quantity in zip(axes, ("radiance", "temperature"), strict=True):
        for name, label, colour in kinds:
            for where, line in (("inside", "-"), ("beyond", "--")):
                values = [row[f"{name}_{where}"][quantity] for row in rows]
                ax.plot(counts, values, line, color=colour, marker="o", ms=4, label=f"{label}, {where}")
        ax.set(xscale="log", yscale="log", xlabel="spectra at known temperatures")
        ax.set_xticks(counts, labels=[str(n) for n in counts])
        ax.minorticks_off()
        ax.tick_params(colors=INK)
    axes[0].set_ylabel("error of ln(radiance)")
    axes[1].set_ylabel("error of the temperature / K")
    axes[0].legend(fontsize="small")
    return fig, axes
