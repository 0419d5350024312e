"""What a solution gives out: fields, files, maps, the other method's opinion, text, figures."""

import json
import re

import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful.solve import Collocation

DOMAIN = lf.Box(t=(0, 2))
START = [lf.Value(DOMAIN.at(t=0), x=lambda x0: x0, v=0.0)]
T = np.linspace(0.1, 1.9, 12)
METHOD = Collocation(steps=12, tolerance=1e-7)


def motion(x_t, v):
    return x_t - v


def spring(v_t, force):
    return v_t + force


def force(x, k):
    return k * x


def swing(rate=3.0, seed=1, noise=None):
    x = np.cos(rate * T) + 0.02 * np.random.default_rng(seed).normal(size=12)
    return lf.Problem(
        DOMAIN,
        "x, v",
        {"motion": motion, "spring": spring},
        START,
        {"k": lf.Positive(8.0), "x0": lf.Real(0.8)},
        derived={"force": force},
        data=lf.Data({"t": T, "x": x}, noise=noise, name="swings"),
    )


@pytest.fixture(scope="module")
def problem():
    return swing()


@pytest.fixture(scope="module")
def solution(problem):
    found = lf.solve(problem, METHOD)
    assert found.status.converged, found.status
    return found


def exact(solution, t):
    rate = np.sqrt(solution["k"].value)
    return solution["x0"].value * np.cos(rate * t), -solution["x0"].value * rate * np.sin(rate * t)


# Fields


def test_fields_derivatives_and_derived_quantities_are_callable(solution):
    t = np.linspace(0, 2, 21)
    x, v = exact(solution, t)
    np.testing.assert_allclose(solution.x(t=t), x, atol=1e-6)
    np.testing.assert_allclose(solution.v(t=t), v, atol=3e-6)
    np.testing.assert_allclose(solution.x_t(t=t), v, atol=3e-5)
    np.testing.assert_allclose(solution.force(t=t), solution["k"].value * x, atol=1e-5)
    np.testing.assert_allclose(solution.force_t(t=t), solution["k"].value * v, atol=1e-3)
    assert solution.k(t=0.5) == pytest.approx(solution["k"].value, rel=1e-14)
    assert solution.t(t=0.5) == 0.5


def test_shapes_are_those_of_the_coordinates(solution):
    assert solution.x(t=0.5).shape == ()
    assert solution.x(t=np.zeros((3, 1))).shape == (3, 1)
    assert solution.x(t=[0, 1]).dtype == np.float64
    assert solution.x(t=np.zeros(0)).shape == (0,)


def test_any_function_of_named_quantities(solution):
    t = np.linspace(0, 2, 5)
    found = solution.evaluate(lambda x, v, t, k: jnp.sin(t) * x * v + k, t=t)
    np.testing.assert_allclose(found, np.sin(t) * solution.x(t=t) * solution.v(t=t) + solution["k"].value, rtol=1e-12)


def test_what_is_not_there_is_refused_by_name(solution):
    with pytest.raises(AttributeError, match="did you mean 'force'"):
        solution.farce
    with pytest.raises(AttributeError, match="x_q"):
        solution.x_q
    with pytest.raises(lf.BadInput, match=r"not an unknown.*x0"):
        solution["x_0"]
    with pytest.raises(lf.BadInput, match="needs the coordinates t, but got none"):
        solution.x()
    with pytest.raises(lf.BadInput, match="got t and s"):
        solution.x(t=0.5, s=1)
    with pytest.raises(lf.BadInput, match="there is no law 'sprin'; did you mean 'spring'"):
        solution.residual_map("sprin")


@pytest.mark.parametrize("place", [-0.01, 2.01, np.nan])
def test_nothing_is_said_outside_the_domain(solution, place):
    with pytest.raises(lf.BadInput, match="1 of 2 places lie outside"):
        solution.x(t=[1.0, place])


def test_the_ends_belong_to_the_domain(solution):
    np.testing.assert_allclose(solution.x(t=[0.0, 2.0]), exact(solution, np.array([0.0, 2.0]))[0], atol=1e-6)


# Maps and tables


def test_residual_map_is_small_and_on_a_grid_of_its_own(solution):
    lines, values = solution.residual_map("spring")
    assert list(lines) == ["t"]
    assert values.shape == lines["t"].shape == (401,)
    assert 0 < np.max(np.abs(values)) < 1e-3
    lines, values = solution.residual_map("spring", {"t": 7})
    size = float(solution.sizes.laws["spring"])
    by_hand = solution.v_t(t=lines["t"]) + solution["k"].value * solution.x(t=lines["t"])
    np.testing.assert_allclose(values * size, by_hand, atol=1e-12)


def test_to_xarray(solution):
    table = solution.to_xarray({"t": 11})
    assert set(table.data_vars) == {"x", "v", "force"}
    np.testing.assert_allclose(table.t, np.linspace(0, 2, 11))
    np.testing.assert_array_equal(table.x.sel(t=1.0), solution.x(t=1.0))
    assert table.attrs["k"] == str(solution["k"])


def test_the_other_method_agrees(solution):
    checked = solution.check()
    assert checked.crosscheck.method == "Neural"
    assert checked.crosscheck.status.converged, checked.crosscheck.status
    assert set(checked.crosscheck.difference) == {"x", "v"}
    assert max(checked.crosscheck.difference.values()) < 1e-5
    assert solution.crosscheck is None  # the solution itself is frozen
    assert "re-solved by Neural" in checked.summary()
    assert checked["k"] == solution["k"]


def test_the_other_method_sees_a_wrong_field(solution):
    """The same check on a solution whose coefficient was tampered with."""
    from dataclasses import replace

    estimate = solution["k"]
    wrong = replace(solution, estimates={**solution.estimates, "k": replace(estimate, value=1.1 * estimate.value)})
    assert max(wrong.check().crosscheck.difference.values()) > 0.01


# Files


def same_numbers(one, two):
    for name in one.estimates:
        assert one[name].value == two[name].value
        assert one[name].sd == two[name].sd
        assert one[name].dof == two[name].dof
    for name in ("status", "noise", "chi2", "dof", "undetermined", "history", "log_likelihood", "accuracy", "seconds"):
        assert getattr(one, name) == getattr(two, name), name
    np.testing.assert_array_equal(one.correlation[1], two.correlation[1])
    t = np.linspace(0, 2, 33)
    for name in one.problem.fields:
        np.testing.assert_array_equal(one.evaluate(name, t=t), two.evaluate(name, t=t))


def test_save_and_load_to_the_bit(solution, tmp_path):
    """The problem is stated anew, as a second program would."""
    solution.save(tmp_path / "run")
    loaded = lf.load(tmp_path / "run", swing(), METHOD)
    same_numbers(solution, loaded)
    assert loaded.summary() == solution.summary()
    written = json.loads((tmp_path / "run" / "solution.json").read_text())
    assert written["k"] == {"value": solution["k"].value, "sd": solution["k"].sd}
    assert written["converged"] is True
    assert written["noise"] == solution.noise
    assert not [p for p in (tmp_path / "run").iterdir() if p.name.startswith(".")]


@pytest.mark.parametrize("change", ["data", "law", "guess", "constant", "method", "start"])
def test_another_problem_does_not_load(solution, tmp_path, change):
    solution.save(tmp_path)
    data, laws, unknowns = solution.problem.data, dict(solution.problem.laws), dict(solution.problem.unknowns)
    constants, conditions, method = {}, START, METHOD
    if change == "data":
        data = swing(seed=2).data
    elif change == "law":
        laws["spring"] = lambda v_t, force: v_t + 2 * force
    elif change == "guess":
        unknowns["k"] = lf.Positive(8.5)
    elif change == "constant":
        constants = {"g": 9.81}
    elif change == "method":
        method = Collocation(steps=12, tolerance=1e-6)
    else:
        conditions = [lf.Value(DOMAIN.at(t=0), x=lambda x0: 2 * x0, v=0.0)]
    other = lf.Problem(
        DOMAIN, "x, v", laws, conditions, unknowns, constants, derived=solution.problem.derived, data=data
    )
    with pytest.raises(lf.BadInput, match="belongs to another problem or method"):
        lf.load(tmp_path, other, method)


def test_damaged_files_are_refused(solution, problem, tmp_path):
    with pytest.raises(lf.BadInput, match="does not exist"):
        lf.load(tmp_path, problem, METHOD)
    solution.save(tmp_path)
    path = tmp_path / "solution.npz"
    whole = path.read_bytes()
    for content in (b"", whole[:100], whole[: len(whole) // 2], whole[:-10], b"not ours", whole.replace(b"PK", b"KP")):
        path.write_bytes(content)
        with pytest.raises(lf.BadInput, match="damaged or not one of lawful's files"):
            lf.load(tmp_path, problem, METHOD)
    np.savez(path, x=np.zeros(3))
    with pytest.raises(lf.BadInput, match="damaged or not one of lawful's files"):
        lf.load(tmp_path, problem, METHOD)


def test_a_fit_that_failed_is_saved_and_says_why(tmp_path):
    """Log k at k = -1 is not a number: no traceback, no error bar, and files that can be read."""
    domain = lf.Box(t=(0, 1))
    t = np.linspace(0.1, 1, 12)
    problem = lf.Problem(
        domain,
        "u",
        {"decay": lambda u, u_t, k: u_t + jnp.log(k) * u},
        [lf.Value(domain.at(t=0), u=1.0)],
        {"k": lf.Real(-1.0)},
        data=lf.Data({"t": t, "u": np.exp(-t)}),
    )
    solution = lf.solve(problem, Collocation(steps=4), out=tmp_path)
    assert not solution.status.converged
    assert "not finite" in solution.status.reason
    assert solution["k"].sd == np.inf
    written = json.loads((tmp_path / "solution.json").read_text())
    assert written["converged"] is False
    assert written["k"]["sd"] is None
    assert lf.load(tmp_path, problem, Collocation(steps=4)).status == solution.status


# Text and figures


def test_summary_holds_the_numbers(solution):
    text = solution.summary()
    assert str(solution["k"]) in text
    assert str(solution["x0"]) in text
    assert "converged: unknowns and noise settled" in text
    assert f"{solution.noise['x']:.2g}"[:4] in text
    assert "v_t + force" in text


def test_report_holds_the_numbers(solution, tmp_path):
    path = lf.report(solution, tmp_path / "deep" / "report.html")
    text = re.sub(r"<[^>]+>", " ", path.read_text())
    for name in ("k", "x0"):
        value, sd = str(solution[name]).split(" ± ")
        assert re.search(re.escape(value) + r"\s*(±|&plusmn;)\s*" + re.escape(sd), text), name
    assert "v_t + force" in text
    assert "12 rows of swings" in text


def test_plot_draws_measurements_and_curve(solution):
    figure, axes = solution.plot()
    assert figure is np.ravel(axes)[0].figure
    drawn = [line.get_xydata() for line in np.ravel(axes)[0].lines]
    t, x = solution.problem.data[0].columns["t"], solution.problem.data[0].columns["x"]
    shown = [d for d in drawn if len(d) == 12] + [
        np.asarray(c.get_offsets()) for c in np.ravel(axes)[0].collections if len(c.get_offsets()) == 12
    ]
    assert any(np.allclose(d, np.stack([t, x], axis=1)) for d in shown)
    assert any(len(d) == 401 for d in drawn)


def test_neighbouring_residuals(solution):
    """Lag-one correlation of the residuals in the order of time, by hand; and a drift that the law misses."""
    found = solution.residual_correlation()["x"]
    residual = solution.problem.data[0].columns["x"] - solution.x(t=T)
    centred = residual - residual.mean()
    assert found.lag_one == pytest.approx(np.sum(centred[1:] * centred[:-1]) / np.sum(centred**2), abs=1e-6)
    assert found.inflation == 1.0
    from lawful.solve._correlation import residual_correlation

    order = np.random.default_rng(0).permutation(200)
    places = np.linspace(0, 1, 200)
    drift = residual_correlation(places[order], np.sin(6 * places)[order])
    assert drift.lag_one > 0.95
    assert drift.inflation == pytest.approx(np.sqrt((1 + drift.lag_one) / (1 - drift.lag_one)))
    assert "correlated" in str(drift)


def test_progress_goes_to_whoever_watches(problem):
    class Watcher:
        def __init__(self):
            self.seen, self.closed = [], False

        def __call__(self, moment):
            self.seen.append(moment)

        def close(self):
            self.closed = True

    watcher = Watcher()
    found = lf.solve(problem, METHOD, progress=watcher)
    assert watcher.closed
    assert [m.loss for m in watcher.seen] == [step.loss for step in found.history]
    assert "k = " in watcher.seen[-1].note


def law_that_breaks(u, u_t, t, k):
    return u_t + k * u / jnp.where(t > 0.5, 0.0, 1.0)


@pytest.mark.parametrize("method", [lf.Collocation(), lf.Neural(trial=lf.MLP(width=4, depth=1))])
def test_what_is_not_finite_is_named(method, tmp_path):
    """The term, where it lies and when; a record of the failure can be saved and read."""
    domain, t = lf.Box(t=(0, 1)), np.linspace(0.1, 1, 10)
    problem = lf.Problem(
        domain,
        "u",
        {"broken": law_that_breaks},
        [lf.Value(domain.at(t=0), u=1.0)],
        {"k": lf.Real(1.0)},
        data=lf.Data({"t": t, "u": np.exp(-t)}, noise=0.01),
    )
    solution = lf.solve(problem, method, progress=False)
    assert not solution.status.converged
    term = "law: broken" if isinstance(method, lf.Neural) else "data: u"
    found = re.search(rf"not finite at the start: {term} at t = ([0-9.]+)", str(solution.status))
    assert found
    assert 0.5 <= float(found.group(1)) < 0.61
    assert not np.isfinite(solution["k"].sd)
    lf.report(solution, solution.save(tmp_path) / "report.html")
