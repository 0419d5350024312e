"""Equation discovery by pysindy's weak form and by gplearn, on readings from a file. Runs in the peers' environment.

    python _peer_discovery.py readings.npz answers.json

For every set of readings u (sensors, times), both are asked for u_t as a function of u and its derivatives. Settings
that a user would have to guess are scanned, and the best answer is taken with knowledge of the truth: no user could do
better.
"""

from __future__ import annotations

import json
import signal
import sys
import time
import warnings

import numpy as np

THRESHOLDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
LIMIT = 120  # seconds for one set of readings
TRUTH = {"u_x": -2.0, "u_xx": 0.5}


def score(coefficients: dict[str, float]) -> dict:
    """Whether exactly u_x and u_xx were found, and how far the coefficient of u_x is off."""
    active = {name for name, value in coefficients.items() if abs(value) > 1e-10}
    error = abs(coefficients.get("u_x", 0.0) / TRUTH["u_x"] - 1)
    return {
        "exact": active == set(TRUTH),
        "has": "u_x" in active and error < 0.25,
        "error": error,
        "terms": sorted(active),
    }


def best(found: list[dict]) -> dict:
    return min(found, key=lambda each: (not each["exact"], not each["has"], each["error"]), default=score({}))


def weak_sindy(u: np.ndarray, x: np.ndarray, t: np.ndarray) -> dict:
    """Weak form with polynomials to the third power and derivatives to the second, with and without their products, by
    sequential thresholding at all thresholds."""
    import pysindy as ps

    grid = np.stack(np.meshgrid(x, t, indexing="ij"), axis=-1)
    # half-widths of its windows: its own choice is a twentieth of an axis, and where no window of that size holds
    # two places in every direction it looks for one for ever
    wide = [min(max(np.ptp(axis) / 20, 1.6 * np.max(np.diff(axis))), 0.45 * np.ptp(axis)) for axis in (x, t)]
    found = []
    for products in (False, True):
        library = ps.WeakPDELibrary(
            function_library=ps.PolynomialLibrary(degree=3, include_bias=False),
            derivative_order=2,
            spatiotemporal_grid=grid,
            include_bias=True,
            include_interaction=products,
            K=200,
            H_xt=wide,
        )
        for threshold in THRESHOLDS:
            for normalise in (False, True):
                optimiser = ps.STLSQ(threshold=threshold, alpha=1e-10, normalize_columns=normalise)
                model = ps.SINDy(feature_library=library, optimizer=optimiser)
                try:
                    model.fit(u[..., None], t=t)
                except np.linalg.LinAlgError:
                    continue
                names = model.get_feature_names()
                found.append(score(renamed(dict(zip(names, model.coefficients()[0], strict=True)))))
    return best(found)


def renamed(coefficients: dict[str, float]) -> dict[str, float]:
    """Pysindy's names in ours: x0 is u, x0_1 its slope, x0_11 its curvature."""
    table = {"x0": "u", "x0_1": "u_x", "x0_11": "u_xx", "x0x0_1": "u u_x"}
    return {table.get(name.replace(" ", ""), name): float(value) for name, value in coefficients.items()}


def genetic(u: np.ndarray, x: np.ndarray, t: np.ndarray, noise: float, seed: int) -> dict:
    """Gplearn on u_t, u, u_x, u_xx of a smoothing spline whose smoothing is told the true noise."""
    from gplearn.genetic import SymbolicRegressor
    from scipy.interpolate import RectBivariateSpline

    k = min(5, len(x) - 1)
    spline = RectBivariateSpline(x, t, u, kx=k, ky=5, s=u.size * max(noise, 1e-8) ** 2)
    inner = slice(1, -1)
    parts = {
        n: spline(x, t, dx=a, dy=b)[inner, inner].ravel()
        for n, (a, b) in {"u": (0, 0), "u_x": (1, 0), "u_xx": (2, 0), "u_t": (0, 1)}.items()
    }
    names = ["u", "u_x", "u_xx"]
    features = np.stack([parts[n] for n in names], axis=1)
    found = []
    for parsimony in (1e-3, 1e-2):
        model = SymbolicRegressor(
            population_size=500,
            generations=12,
            function_set=("add", "sub", "mul"),
            const_range=(-3.0, 3.0),
            parsimony_coefficient=parsimony,
            feature_names=names,
            random_state=seed,
        )
        model.fit(features, parts["u_t"])
        found.append(score(linear_part(model, features)))
    return best(found)


def linear_part(model, features: np.ndarray) -> dict[str, float]:
    """What a program does with each feature: its slope, if it is the same everywhere; a term of another kind if not."""
    h, found = 1e-3, {}
    for index, name in enumerate(("u", "u_x", "u_xx")):
        ahead, behind = features.copy(), features.copy()
        ahead[:, index] += h
        behind[:, index] -= h
        slope = (model.predict(ahead) - model.predict(behind)) / (2 * h)
        if np.max(np.abs(slope)) < 1e-8:
            continue
        same = np.ptp(slope) < 1e-6 * max(np.max(np.abs(slope)), 1.0)
        found[name if same else f"nonlinear in {name}"] = float(np.mean(slope))
    return found


def in_time(search, *data) -> dict:
    """What a search finds in `LIMIT` seconds; nothing where that is not enough."""

    def ring(*_):
        raise TimeoutError

    signal.signal(signal.SIGALRM, ring)
    signal.alarm(LIMIT)
    try:
        return search(*data)
    except TimeoutError:
        return score({})
    finally:
        signal.alarm(0)


def main() -> None:
    warnings.simplefilter("ignore")
    file, out = sys.argv[1:3]
    table, answers = np.load(file), []
    for index in range(int(table["count"])):
        u, x, t, noise = (table[f"{name}{index}"] for name in ("u", "x", "t", "noise"))
        row = {}
        begin = time.monotonic()
        row["pysindy, weak form"] = {**in_time(weak_sindy, u, x, t), "seconds": time.monotonic() - begin}
        begin = time.monotonic()
        row["gplearn"] = {**in_time(genetic, u, x, t, float(noise), index), "seconds": time.monotonic() - begin}
        answers.append(row)
    with open(out, "w", encoding="utf-8") as file:
        json.dump(answers, file)


if __name__ == "__main__":
    main()
