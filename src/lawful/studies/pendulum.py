"""A pendulum that swings far: which law do the measurements support?

Small swings obey theta'' + mu theta' + k theta = 0, large ones k sin(theta) in its place. A real pendulum, released
at 84 degrees and filmed until it had calmed to 48, is fitted with both laws, with the resting angle c, the state at
the first frame and the noise unknown:

    linear   theta'' + mu theta' + k (theta - c) = 0
    sine     theta'' + mu theta' + k sin(theta - c) = 0

Both have the same number of unknowns, so the evidence is in the likelihood: the difference of the Bayesian information
criterion, of which 10 counts as very strong.
"""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np

from ..geometry import Box
from ..problem import Data, Positive, Problem, Real, Value
from ..solve import Collocation, Solution, solve
from ._base import Outcome, Request, all_trusted
from ._measurements import margin, motion

SUMMARY = "a real pendulum: the linear law and the sine law compared by evidence"
OPTIONS = {"data": "a CSV file with columns t and x (the angle in radians), instead of the published recording"}


def linear(x, x_t, x_tt, mu, k, c):
    return x_tt + mu * x_t + k * (x - c)


def sine(x, x_t, x_tt, mu, k, c):
    return x_tt + mu * x_t + k * jnp.sin(x - c)


def problem(law: Callable, columns: dict[str, np.ndarray], source: str) -> Problem:
    t, x = columns["t"], columns["x"]
    start, end = margin(t)
    crossings = int(np.sum(np.diff(np.sign(x - np.mean(x))) != 0))
    stiffness = (np.pi * max(crossings, 1) / (end - start)) ** 2
    domain = Box(t=(start, end))
    return Problem(
        domain,
        fields="x",
        laws={law.__name__: law},
        conditions=[Value(domain.at(t=start), x=lambda x0: x0, x_t=lambda v0: v0)],
        unknowns={
            "mu": Positive(guess=0.01 * np.sqrt(stiffness)),
            "k": Positive(guess=stiffness),
            "c": Real(guess=0.0, scale=0.1),
            "x0": Real(guess=float(x[np.argmin(t)]), scale=1.0),
            "v0": Real(guess=0.0, scale=np.sqrt(stiffness)),
        },
        data=Data(columns, name=source.split()[0]),
    )


def run(request: Request) -> Outcome:
    columns, source = motion(request, "real_pend_h_1")
    fits = {
        law.__name__: solve(problem(law, columns, source), Collocation(), progress=request.progress)
        for law in (linear, sine)
    }
    better = min(fits, key=lambda name: fits[name].bic)
    worse = next(name for name in fits if name != better)
    evidence = fits[worse].bic - fits[better].bic
    correlated = fits[better].residual_correlation()["x"]
    numbers = {
        **{name: described(found) for name, found in fits.items()},
        "supported": better if evidence > 10 else "undecided",
        "delta_bic": evidence,
        "residual_correlation": correlated.lag_one,
        "sd_factor": correlated.inflation,
        "source": source,
    }
    rows = [f"{len(columns['t'])} angles from {source}"]
    rows += [
        f"{name:7} k {found['k']!s:<22} mu {found['mu']!s:<24} noise {found.noise['x']:.4f} rad   BIC {found.bic:.1f}"
        for name, found in fits.items()
    ]
    verdict = f"the data support the {better} law" if evidence > 10 else "the data do not decide between the two laws"
    rows.append(f"{verdict}: difference of BIC {evidence:.0f} (10 is very strong)")
    rows.append(f"what the {better} law leaves: {correlated}")
    figures = {"laws": lambda: figure(fits, columns)}
    return Outcome(numbers, all_trusted(fits[better]), "\n".join(rows), fits[better], {worse: fits[worse]}, figures)


def described(found: Solution) -> dict:
    return {
        **{name: found[name].to_json() for name in found.problem.unknowns},
        "noise": found.noise["x"],
        "bic": found.bic,
    }


def figure(fits: dict[str, Solution], columns: dict[str, np.ndarray]):
    """Early and late swings with both laws."""
    from matplotlib.figure import Figure

    t, x = columns["t"], columns["x"]
    start, end = margin(t)
    width = min(20.0, (end - start) / 2)
    fig = Figure(figsize=(9, 5.5), layout="constrained")
    axes = fig.subplots(2, 1, sharey=True)
    for ax, (low, high) in zip(axes, ((start, start + width), (end - width, end)), strict=True):
        places = np.linspace(low, high, 600)
        ax.plot(places, fits["linear"].x(t=places), color="#D55E00", lw=1.2, ls="--", label="linear law")
        ax.plot(places, fits["sine"].x(t=places), color="#0072B2", lw=1.2, label="sine law")
        inside = (t >= low) & (t <= high)
        ax.plot(t[inside], x[inside], "o", color="black", ms=3, label="measured")
        ax.set(xlabel="t", ylabel="angle (rad)")
    axes[1].legend(loc="upper right", ncols=3, fontsize="small")
    axes[0].set_title("One pendulum, two laws: the first and the last swings")
    return fig, axes
