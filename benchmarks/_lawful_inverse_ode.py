"""One inversion with lawful, as a whole process: the same command line and JSON as the peer's script.

python benchmarks/_lawful_inverse_ode.py --case lorenz --data DATA.npz --budget 400 --seed 0 --out RUN.json
"""

from __future__ import annotations

import time

from _inverse_ode_case import Case, Trajectory, run_inversion

SCRIPT_STARTED = time.monotonic()

LORENZ_LAWS = {
    "x": lambda x, y, x_t, sigma: x_t - sigma * (y - x),
    "y": lambda x, y, z, y_t, rho: y_t - x * (rho - z) + y,
    "z": lambda x, y, z, z_t, beta: z_t - x * y + beta * z,
}
OSCILLATOR_LAWS = {"spring": lambda x, x_t, x_tt, mu, k: x_tt + mu * x_t + k * x}


def invert(case: Case, data, seed: int, record: Trajectory) -> dict:
    """Find the unknowns of `case` from `data`.

    Call `record(0, case.guess)` before the first step and `record(iteration, values)` whenever new values of
    the unknowns (in the order of `case.parameters`) are known, at the latest with the final ones; stop when
    it returns True.

    Args:
        case: names, guess, `rate(t, state, *parameters)`, observed components (its truth is for the score
        only). data: t (N,), u (N, observed), initial (states,), span (2,), noise: arrays. seed: of whatever
        is random. record: the clock and the record.

    Returns: the settings used, for the JSON.
    """
    import lawful as lf

    low, high = (float(end) for end in data["span"])
    domain = lf.Box(t=(low, high))
    unknowns = {name: lf.Positive(guess=guess) for name, guess in zip(case.parameters, case.guess, strict=True)}
    if case.name == "lorenz":
        fields, laws, start = "x, y, z", LORENZ_LAWS, dict(zip("xyz", data["initial"].tolist(), strict=True))
    else:
        fields, laws, start = "x", OSCILLATOR_LAWS, dict(zip(("x", "x_t"), data["initial"].tolist(), strict=True))
    names = [fields.split(", ")[index] for index in case.observed]
    columns = {"t": data["t"], **{name: data["u"][:, column] for column, name in enumerate(names)}}
    problem = lf.Problem(
        domain, fields, laws, [lf.Value(domain.at(t=low), **start)], unknowns, data=lf.Data(columns)
    )  # the noise is not given: lawful estimates it
    watch = Recorder(case, record)
    record(0, case.guess)
    solution = lf.solve(problem, progress=watch)
    record(watch.count + 1, [solution[name].value for name in case.parameters])
    return {"method": repr(solution.method), "status": str(solution.status)}


class Recorder:
    """Passes every step's unknowns on to the record."""

    def __init__(self, case: Case, record: Trajectory):
        self.case, self.record, self.count = case, record, 0

    def __call__(self, moment) -> None:
        self.count += 1
        self.record(self.count, [moment.unknowns[name] for name in self.case.parameters])

    def close(self) -> None:
        pass


if __name__ == "__main__":
    run_inversion(invert, "lawful", ["lawful", "jax", "jaxlib", "equinox", "numpy"], __doc__, SCRIPT_STARTED)
