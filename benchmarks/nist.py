"""How many of NIST's 54 certified fits does the optimiser reach, and with how many Jacobians, beside MINPACK?

    python tests/nist_data.py        # once: fetches the data files with pip
    python benchmarks/nist.py

All 27 StRD nonlinear regression problems from both certified starts, as stated: no change of variables, no bounds, no
settings for a problem. Both optimisers get the same compiled residual and the same exact Jacobian in double precision;
SciPy's least_squares(method="lm") is MINPACK's lmder, run with tolerances at rounding and 5000 evaluations (its
defaults are given in the totals as well).

Columns: digits of the worst parameter and of the worst standard deviation against the certificate (11 digits are
certified), Jacobians, residuals evaluated besides, milliseconds of a second run, and why it stopped. The totals give
the first runs too: they compile, and what is compiled for the first in line serves the others.

A fit counts as reached with 6 digits of every parameter; its standard deviations count with 4. Those of Lanczos1 cannot
be had in double precision: rounding its data alone moves them by 4e-4.

Exit status 1 where fewer than 54 fits are reached.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from _machine import machine

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "solve")]

MINPACK_EVALUATIONS = 5000
PARAMETER_DIGITS, SD_DIGITS = 6, 4


class Fit(NamedTuple):
    x: np.ndarray
    jacobians: int
    residuals: int
    why: str


class Line(NamedTuple):
    """One optimiser on one problem from one start."""

    digits: float
    sd_digits: float
    fit: Fit
    seconds: float
    first_seconds: float

    @property
    def reached(self) -> bool:
        return self.digits >= PARAMETER_DIGITS

    def __str__(self) -> str:
        counts = f"{self.fit.jacobians:5d} {self.fit.residuals:5d} {1e3 * self.seconds:7.1f}"
        return f"{self.digits:5.1f} {self.sd_digits:5.1f} {counts}"


def lawful_fit(system, start: np.ndarray) -> Fit:
    from lawful.solve import LevenbergMarquardt, minimise

    method = LevenbergMarquardt()
    state = minimise(system, start, method)
    return Fit(np.asarray(state.x), int(state.steps), int(state.residuals), method.reason(state).split(":")[0])


def minpack_fit(system, start: np.ndarray, **tolerances) -> Fit:
    import equinox as eqx
    import jax.numpy as jnp
    from scipy.optimize import least_squares

    counts = {"residual": 0, "jacobian": 0}
    compiled = eqx.filter_jit(type(system).residual)

    def residual(x):
        counts["residual"] += 1
        return np.asarray(compiled(system, jnp.asarray(x)))

    def jacobian(x):
        counts["jacobian"] += 1
        return np.asarray(system.linearise(jnp.asarray(x))[1])

    with np.errstate(all="ignore"):
        try:
            found = least_squares(residual, start, jac=jacobian, method="lm", **tolerances)
        except ValueError as error:  # residuals not finite at a trial point
            return Fit(np.full_like(start, np.nan), counts["jacobian"], counts["residual"], str(error))
    return Fit(found.x, counts["jacobian"], counts["residual"], f"status {found.status}")


def judged(problem, system, start: np.ndarray, run: Callable[..., Fit]) -> Line:
    from nist_models import digits

    from lawful.solve._covariance import covariance

    clock = []
    for _ in range(2):
        began = time.perf_counter()
        fit = run(system, start)
        clock.append(time.perf_counter() - began)
    if not np.all(np.isfinite(fit.x)):
        return Line(-np.inf, -np.inf, fit, clock[1], clock[0])
    residual, jacobian = (np.asarray(each) for each in system.linearise(fit.x))
    if not np.all(np.isfinite(jacobian)):
        return Line(digits(fit.x, problem.certified), -np.inf, fit, clock[1], clock[0])
    m, n = jacobian.shape
    sds = np.sqrt(np.diag(covariance(jacobian).matrix) * (residual @ residual) / (m - n))
    return Line(digits(fit.x, problem.certified), digits(sds, problem.sds), fit, clock[1], clock[0])


def totals(name: str, lines: list[Line]) -> str:
    reached = [line for line in lines if line.reached]
    sds = sum(line.sd_digits >= SD_DIGITS for line in lines)
    least = min((line.digits for line in reached), default=np.nan)
    work = (
        f"{sum(line.fit.jacobians for line in lines)} Jacobians, {sum(line.fit.residuals for line in lines)} residuals"
    )
    clock = f"{sum(line.seconds for line in lines):.2f} s, first runs {sum(line.first_seconds for line in lines):.1f} s"
    return (
        f"{name}: {len(reached)} of {len(lines)} to {PARAMETER_DIGITS} digits (the worst of them {least:.1f}),"
        f" standard deviations {sds} of {len(lines)} to {SD_DIGITS}; {work}; {clock}"
    )


def main() -> int:
    import jax
    from nist_models import regression

    from nist_data import fetch, load_problems

    tight = {"xtol": 1e-15, "ftol": 1e-15, "gtol": 1e-15, "max_nfev": MINPACK_EVALUATIONS}
    optimisers = {
        "lawful": lawful_fit,
        "MINPACK, tolerances at rounding": lambda system, start: minpack_fit(system, start, **tight),
        "MINPACK, SciPy's default tolerances": minpack_fit,
    }
    print(machine("jax", "jaxlib", "numpy", "scipy"))
    print(f"{'':11} | {'lawful':33} | MINPACK, tolerances at rounding")
    heading = "param    sd   jac   res      ms"
    print(f"{'problem':9} {'#':1} | {heading:33} | {heading:33} | lawful stopped by")
    lines: dict[str, list[Line]] = {name: [] for name in optimisers}
    with jax.enable_x64(True):
        for problem in load_problems(fetch()).values():
            system = regression(problem)
            for number, start in enumerate(problem.starts, 1):
                for name, run in optimisers.items():
                    lines[name].append(judged(problem, system, start, run))
                ours, theirs = (lines[name][-1] for name in list(optimisers)[:2])
                print(f"{problem.name:9} {number} | {ours!s:33} | {theirs!s:33} | {ours.fit.why}", flush=True)
    for name, found in lines.items():
        print(totals(name, found))
    return 0 if all(line.reached for line in lines["lawful"]) else 1


if __name__ == "__main__":
    raise SystemExit(main())
