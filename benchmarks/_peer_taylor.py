"""Taylor integration by heyoka. Runs in the peer's environment.

    python _peer_taylor.py answers.json

Writes reference states from extended precision, and for each tolerance the final states and the seconds of one
trajectory, of a thousand one after another, and of making the integrator.
"""

from __future__ import annotations

import json
import statistics
import sys
import time

import _taylor_cases as cases
import heyoka as hy
import numpy as np

MANY, REPEATS = 1000, 7


def system(name: str) -> list:
    if name == "kepler":
        x, y, u, v = hy.make_vars("x", "y", "u", "v")
        cube = (x * x + y * y) ** -1.5
        return [(x, u), (y, v), (u, -x * cube), (v, -y * cube)]
    if name == "lorenz":
        x, y, z = hy.make_vars("x", "y", "z")
        rates = (cases.SIGMA * (y - x), x * (cases.RHO - z) - y, x * y - cases.BETA * z)
        return list(zip((x, y, z), rates, strict=True))
    count = len(cases.MASSES)
    body = hy.model.nbody(count, masses=cases.MASSES, Gconst=cases.GRAVITY)
    return body  # variables x0 y0 z0 vx0 vy0 vz0 x1 ...


def order(name: str, state: list[float]) -> list[float]:
    """Our state (all places, then all speeds) in heyoka's order."""
    if name != "solar system":
        return list(state)
    half = np.reshape(state, (2, -1, 3))
    return [float(x) for x in np.concatenate([half[0], half[1]], axis=1).ravel()]


def back(name: str, state) -> list[float]:
    state = np.asarray(state, float)
    if name != "solar system":
        return state.tolist()
    rows = state.reshape(-1, 6)
    return np.concatenate([rows[:, :3].ravel(), rows[:, 3:].ravel()]).tolist()


def main() -> None:
    answers = {}
    for name, until in cases.UNTIL.items():
        start = order(name, cases.STARTS[name])
        exact = hy.taylor_adaptive(system(name), np.array(start, np.longdouble), fp_type=np.longdouble)
        exact.propagate_until(np.longdouble(until))
        rows = []
        for tolerance in (1e-6, 1e-9, 1e-12, 1e-15):
            begun = time.perf_counter()
            taylor = hy.taylor_adaptive(system(name), start, tol=tolerance)
            made = time.perf_counter() - begun
            seconds = []
            for _ in range(REPEATS):
                taylor.time, taylor.state[:] = 0.0, start
                begun = time.perf_counter()
                taylor.propagate_until(until)
                seconds.append(time.perf_counter() - begun)
            final = back(name, taylor.state)
            begun = time.perf_counter()
            for k in range(MANY):
                taylor.time, taylor.state[:] = 0.0, start
                taylor.state[0] += 1e-6 * k
                taylor.propagate_until(until)
            many = time.perf_counter() - begun
            rows.append([tolerance, final, statistics.median(seconds), many, made])
        answers[name] = {"exact": back(name, exact.state), "rows": rows}
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump({"version": hy.__version__, "cases": answers}, file)


if __name__ == "__main__":
    main()
