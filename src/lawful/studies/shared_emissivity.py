"""Three temperatures of one sample: now the emissivity need not be known.

Tungsten is seen at three temperatures in 400 bands from 1 to 12 um, with 1 % noise. The emissivity is a smooth unknown
function between 0 and 1, the same each time,

    ln L_i(lambda) = ln eps(lambda) + ln B(lambda, T_i) + noise,    i = 1, 2, 3

and the three temperatures are unknowns of one `Problem`. In Wien's limit only the differences 1 / T_i - 1 / T_j would
be determined; the long waves fix the rest. The unknown function is a smooth random one, or a network with an output
between 0 and 1 (--set emissivity=network): they agree, the network takes longer. The spectra are simulated from
measured n and k of tungsten (A. D. Rakic et al., Appl. Opt. 37, 5271 (1998)), whose details no smooth function knows.
The problem is solved again for other noise, to count how often the error bars hold the truth.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .._core.precision import in_float64
from ..geometry import Box
from ..problem import Bounded, Data, Positive, Problem, Smooth
from ..radiation import EmissivityNetwork, log_radiance
from ..report import BLUE, INK, VERMILLION
from ..solve import Collocation, Solution, solve
from ._base import Outcome, Request
from ._spectra import smooth_emissivity

SUMMARY = "three temperatures of one tungsten sample with an unknown emissivity between 0 and 1: all of it determined"
OPTIONS = {
    "emissivity": "smooth (a random function, the default) or network",
    "runs": "further samples of noise, by default 40, at quick effort 4, at best 200",
}

TEMPERATURES = {"T1": 600.0, "T2": 1000.0, "T3": 1600.0}
SHORTEST, LONGEST, NOISE = 1.0, 12.0, 0.01
MODES = 56
SMOOTHNESS = Smooth(length=0.1, sd=2.0, modes=MODES)


NETWORK = EmissivityNetwork(SHORTEST, LONGEST)


def definition(y, emissivity):
    return y - jnp.log(emissivity)


def network_definition(y, l, weights):
    return y - NETWORK.log(jnp.exp(l), weights)


def first(y, l, T1):
    return y + log_radiance(jnp.exp(l), T1)


def second(y, l, T2):
    return y + log_radiance(jnp.exp(l), T2)


def third(y, l, T3):
    return y + log_radiance(jnp.exp(l), T3)


SEEN = {"L1": first, "L2": second, "L3": third}


def wavelengths(bands: int) -> Float[np.ndarray, " bands"]:
    return np.geomspace(SHORTEST, LONGEST, bands)


@in_float64
def spectra(places: np.ndarray, emissivity: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Logarithms of radiance by name."""
    clean = [np.log(emissivity) + np.asarray(log_radiance(places, t)) for t in TEMPERATURES.values()]
    return {name: each + NOISE * rng.normal(size=len(places)) for name, each in zip(SEEN, clean, strict=True)}


def problem(places: np.ndarray, logs: dict[str, np.ndarray], network: bool = False) -> Problem:
    """The axis is l = ln(wavelength / um)."""
    smooth = Bounded(0.0, 1.0, guess=0.1, over="l", prior=SMOOTHNESS)
    return Problem(
        Box(l=(np.log(SHORTEST), np.log(LONGEST))),
        fields="y",
        laws={"emissivity": network_definition if network else definition},
        conditions=[],
        unknowns={
            **{name: Positive(guess=1000.0) for name in TEMPERATURES},
            **({"weights": NETWORK.unknown(0.1)} if network else {"emissivity": smooth}),
        },
        data=Data({"l": np.log(places), **logs}, noise=NOISE, observe=SEEN, name="spectra"),
    )


def deviations(solution: Solution) -> dict[str, tuple[float, float]]:
    """For every temperature its relative error, and that in units of its standard deviation."""
    return {
        name: (
            solution[name].value / truth - 1,
            (solution[name].value - truth) / solution[name].sd,
        )
        for name, truth in TEMPERATURES.items()
    }


def run(request: Request) -> Outcome:
    runs = request.count("runs", request.pick(4, 40, 200), least=1)
    network = request.choice("emissivity", ("smooth", "network")) == "network"
    places = wavelengths(400)
    emissivity = smooth_emissivity("W", "Rakic-BB", places)

    def solved(seed: int) -> Solution:
        logs = spectra(places, emissivity, np.random.default_rng([request.seed, seed]))
        return solve(problem(places, logs, network), Collocation(nodes=MODES, tolerance=1e-4), progress=False)

    main = solved(0)
    every = [deviations(solved(seed)) for seed in range(1, runs + 1)]
    scores = np.array([[z for _, z in each.values()] for each in every])
    errors = np.array([[abs(e) for e, _ in each.values()] for each in every])
    numbers = {
        **{name: main[name].to_json() for name in TEMPERATURES},
        "truth": dict(TEMPERATURES),
        "coverage": float(np.mean(np.abs(scores) < 1.96)),
        "runs": runs,
        "median_error": float(np.median(errors)),
        "worst_error": float(np.max(errors)),
        "chi2": main.chi2,
        "dof": main.dof,
    }
    lines = [f"400 bands from {SHORTEST:g} to {LONGEST:g} um, three spectra, noise {100 * NOISE:g} %"]
    lines += [
        f"{name}  {main[name]} K   (truth {truth:.0f}, error {100 * deviations(main)[name][0]:+.2f} %)"
        for name, truth in TEMPERATURES.items()
    ]
    lines.append(
        f"{runs} further samples of noise: {100 * numbers['coverage']:.0f} % of the temperatures within 1.96 sd, error"
        f" {100 * numbers['median_error']:.2f} % in the middle, {100 * numbers['worst_error']:.2f} % at worst"
    )
    pictures = {"emissivity": lambda: figure(main, places, emissivity)}
    return Outcome(numbers, main.status, "\n".join(lines), main, figures=pictures)


def figure(solution: Solution, places: np.ndarray, truth: np.ndarray):
    from matplotlib.figure import Figure

    fig = Figure(figsize=(7, 4), layout="constrained")
    ax = fig.subplots()
    if "weights" in solution.problem.unknowns:
        ax.plot(places, NETWORK(places, solution["weights"].value), color=BLUE, label="found, a network")
    else:
        l, found = solution["emissivity"].line(401)
        ax.fill_between(np.exp(l), found.value - 2 * found.sd, found.value + 2 * found.sd, color=BLUE, alpha=0.25, lw=0)
        ax.plot(np.exp(l), found.value, color=BLUE, label="found, ± 2 sd")
    ax.plot(places, truth, color=VERMILLION, ls="--", label="from measured n and k")
    ax.set(xscale="log", yscale="log", xlabel="wavelength / μm", ylabel="emissivity of tungsten")
    ax.set_xticks([1, 2, 5, 10], labels=["1", "2", "5", "10"])
    ax.tick_params(colors=INK)
    ax.legend()
    return fig, ax
