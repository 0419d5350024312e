"""One partial differential equation with lawful, as a whole process: the same command line and JSON as the peers'.

python benchmarks/_lawful_pde.py --case burgers --variant neural --budget 600 --out RUN.json
"""

from __future__ import annotations

import time

from _pde_cases import GUESS, VISCOSITY, Record, run_contender, samples

BEGUN = time.monotonic()


def method(case: str, variant: str, seed: int):
    """How each case is solved: the one place to change."""
    import lawful as lf

    if variant == "collocation":
        return lf.Collocation(tolerance=1e-8)
    if case == "disk":
        return lf.Neural(trial=lf.Spectral(12), seed=seed)
    return lf.Neural(seed=seed)


def burgers(seed: int, record: Record, variant: str) -> dict:
    """Forward: everything known."""
    import lawful as lf

    domain, conditions = burgers_conditions()
    law = lambda u, u_t, u_x, u_xx, nu: u_t + u * u_x - nu * u_xx
    problem = lf.Problem(domain, "u", {"burgers": law}, conditions, constants={"nu": VISCOSITY})
    return solve(problem, method("burgers", variant, seed), record)


def burgers_inverse(seed: int, record: Record, variant: str) -> dict:
    """Both coefficients and u from samples of u; the noise is not told."""
    import lawful as lf

    domain, conditions = burgers_conditions()
    law = lambda u, u_t, u_x, u_xx, l1, l2: u_t + l1 * u * u_x - l2 * u_xx
    unknowns = {name: lf.Positive(guess=guess) for name, guess in GUESS.items()}
    data = lf.Data(samples(seed), name="samples")
    problem = lf.Problem(domain, "u", {"burgers": law}, conditions, unknowns, data=data)
    return solve(problem, method("burgers-inverse", variant, seed), record)


def disk(seed: int, record: Record, variant: str) -> dict:
    """Poisson's equation, with the edge held at zero."""
    import lawful as lf

    domain = lf.Disk(x=0.0, y=0.0, radius=1.0)
    law = lambda u_xx, u_yy: -u_xx - u_yy - 1.0
    problem = lf.Problem(domain, "u", {"poisson": law}, [lf.Value(domain.boundary(), u=0.0)])
    return solve(problem, method("disk", variant, seed), record)


def burgers_conditions():
    """Space-time, its walls and its start."""
    import jax.numpy as jnp

    import lawful as lf

    domain = lf.Box(x=(-1, 1), t=(0, 1))
    start = lf.Value(domain.at(t=0), u=lambda x: -jnp.sin(jnp.pi * x))
    return domain, [start, lf.Value(domain.at(x=(-1, 1)), u=0.0)]


def solve(problem, method, record: Record) -> dict:
    """One call of `lawful.solve`, watched; the field is shown at the end only."""
    import lawful as lf

    first, second = problem.domain.axes
    record(0, None, GUESS if problem.unknowns else None)
    watch = Recorder(record)
    solution = lf.solve(problem, method, progress=watch)
    found = {name: solution[name].value for name in problem.unknowns}
    record(watch.count + 1, lambda a, b: solution.u(**{first: a, second: b}), found)
    estimates = {name: solution[name].to_json() for name in problem.unknowns}
    return {"method": repr(method), "status": str(solution.status), "estimates": estimates}


class Recorder:
    """Passes every step's unknowns on to the record."""

    def __init__(self, record: Record):
        self.record, self.count = record, 0

    def __call__(self, moment) -> None:
        self.count += 1
        if moment.unknowns:
            self.record(self.count, None, moment.unknowns)

    def close(self) -> None:
        pass


if __name__ == "__main__":
    cases = {"burgers": burgers, "burgers-inverse": burgers_inverse, "disk": disk}
    run_contender(cases, "lawful", ["lawful", "jax", "numpy"], __doc__, BEGUN)
