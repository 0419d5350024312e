"""Taylor integration by heyoka. Runs in the peer's environment.

    python _peer_taylor.py answers.json

Writes reference states from extended precision, and for each tolerance the final states and the seconds of one
trajectory and of making the integrator; at one tolerance the seconds of a thousand trajectories, one after another and
in lanes (heyoka's batch mode), and of all derivatives by the start (variational equations). Seconds are of processor
time.
"""

from __future__ import annotations

import json
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
    if name == "pendulums":
        n = cases.PENDULUMS
        a, w = (hy.make_vars(*(f"{letter}{i}" for i in range(n))) for letter in "aw")
        pulls = [
            -hy.sin(a[i])
            + sum((cases.SPRING * (a[j] - a[i]) for j in (i - 1, i + 1) if 0 <= j < n), hy.expression(0.0))
            for i in range(n)
        ]
        return [*zip(a, w, strict=True), *zip(w, pulls, strict=True)]
    return hy.model.nbody(len(cases.MASSES), masses=cases.MASSES, Gconst=cases.GRAVITY)  # x0 y0 z0 vx0 vy0 vz0 x1 ...


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


def seconds(work, repeats: int = REPEATS) -> float:
    """The least processor time of some repeats: other work on the machine can only add to it."""
    found = []
    for _ in range(repeats):
        begun = time.process_time()
        work()
        found.append(time.process_time() - begun)
    return min(found)


def one(taylor, start: list[float], until: float, shift: float = 0.0) -> None:
    taylor.time, taylor.state[:] = 0.0, start
    taylor.state[0] += shift
    taylor.propagate_until(until)


def in_lanes(name: str, start: list[float], until: float) -> float:
    """A thousand in heyoka's batch mode."""
    width = hy.recommended_simd_size()
    block = np.tile(np.array(start)[:, None], (1, width))
    taylor = hy.taylor_adaptive_batch(system(name), block, tol=cases.COMPARED)

    def work() -> None:
        for k in range(0, MANY, width):
            taylor.set_time(0.0)
            taylor.state[:] = block
            taylor.state[0] += 1e-6 * np.arange(k, k + width)
            taylor.propagate_until(until)

    return seconds(work, 3)


def derivatives(name: str, start: list[float], until: float) -> float:
    equations = hy.var_ode_sys(system(name), hy.var_args.vars, order=1)
    taylor = hy.taylor_adaptive(equations, start, tol=cases.COMPARED, compact_mode=True)
    fresh = taylor.state.copy()

    def work() -> None:
        taylor.time, taylor.state[:] = 0.0, fresh
        taylor.propagate_until(until)

    return seconds(work)


def main() -> None:
    answers = {}
    for name, until in cases.UNTIL.items():
        start = order(name, cases.STARTS[name])
        exact = hy.taylor_adaptive(
            system(name), np.array(start, np.longdouble), fp_type=np.longdouble, compact_mode=True
        )
        exact.propagate_until(np.longdouble(until))
        rows = []
        for tolerance in cases.TOLERANCES:
            begun = time.process_time()
            taylor = hy.taylor_adaptive(system(name), start, tol=tolerance)
            made = time.process_time() - begun
            alone = seconds(lambda t=taylor, s=start, u=until: one(t, s, u))
            final = back(name, taylor.state)
            row = {"tolerance": tolerance, "final": final, "one": alone, "made": made}
            if tolerance == cases.COMPARED:
                row["many"] = seconds(
                    lambda t=taylor, s=start, u=until: [one(t, s, u, 1e-6 * k) for k in range(MANY)], 2
                )
                row["lanes"] = in_lanes(name, start, until) if name != "solar system" else None
                row["derivatives"] = derivatives(name, start, until)
            rows.append(row)
        answers[name] = {"exact": back(name, exact.state), "rows": rows}
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump({"version": hy.__version__, "cases": answers}, file)


if __name__ == "__main__":
    main()
