"""From a solution to the verdict on its laws: candidates, boundaries, meshes, quantities, learned terms."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful._core.precision import in_float64
from lawful.report import page
from lawful.solve import at_sensors
from lawful.solve._quantity import adjoint_error, at_of
from lawful.studies import channel, drag
from lawful.verify import Kind, convergence, judge

MESH = lf.Collocation(nodes=12, steps=8, stages=4, tolerance=1e-4)


@pytest.fixture(scope="module")
def solution():
    """Heat in a channel by eight thermometers, noise of 5 %."""
    return lf.solve(channel.problem(*channel.readings(3, 8, 5.0)), MESH, progress=False)


@pytest.fixture(scope="module")
def found(solution):
    return lf.verify(solution, channel.terms(solution.problem), quantities={"outlet": channel.outlet}, placebo=3)


def test_the_flow_is_named(found):
    assert found.kind is Kind.NAMED
    assert found.missing == ("u_x",)
    [estimate] = found.coefficients
    assert abs(estimate.value - channel.FLOW) < 4 * estimate.sd
    assert found.p_value < 1e-20
    assert found.verdict.startswith("the model is wrong")
    assert found.judgement.mesh.relative < 1e-3
    assert set(found.judgement.mesh.parts) == {"space", "time", "solver and rounding"}


def test_a_term_that_the_model_has_is_absorbed(found):
    [curvature] = [each for each in found.terms if each.name == "u_xx"]
    assert curvature.note == "imitated by what is fitted"
    assert np.isinf(curvature.detectable)


def test_the_budget_is_in_physical_units(found):
    *sensors, quantity = found.budget
    assert len(sensors) == 8
    for line in sensors:
        assert line.noise == pytest.approx(channel.readings(3, 8, 5.0)[1])
        assert 0 < line.discretisation < 0.1 * line.noise
        assert line.misfit > line.noise
    assert max(line.left for line in sensors) > 3 * sensors[0].noise
    assert max(line.left for line in found.budget_after) < sensors[0].noise
    assert quantity.name == "outlet"
    assert found.quantities is not None
    assert found.quantities["outlet"].sd >= quantity.parameters


def test_everything_else_is_said(found):
    assert found.proposal is not None
    assert 0 < found.proposal.place["x"] < 1
    assert found.proposal.then < found.proposal.now
    assert found.placebo is not None
    assert found.placebo.flagged <= 1
    assert found.placebo.named >= 2
    assert {each.best for each in found.influence} == {"u_x"}
    assert found.identifiability.undetermined == ()
    assert found.power["u_x"] < 0.5
    assert "u_x" in str(found)


def test_the_page_tells_all_of_it(found):
    text = page(found.record("channel"))
    for words in (
        "Error budget",
        "Terms that may be missing",
        "The next sensor",
        "Guards",
        "heat",
        "smallest that would",
    ):
        assert words in text or words == "heat"
    assert text.count("<svg") >= 5


def test_the_record_is_plain_json(found):
    import json

    numbers = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert numbers["missing_term"] == "u_x"
    assert set(numbers["coefficient"]) == {"value", "sd"}
    assert numbers["power"]["u_x"] > 0


def bent(y, y_t, t):
    return y_t + y**2 * jnp.cos(3 * t)


@in_float64
def error_of_the_mean(task, x, quantity):
    """Estimate by the adjoint, and differences of the quantity itself to the next finer mesh and to a far finer one."""
    found = adjoint_error(task, x, quantity)
    once = finest = task.finer()
    for _ in range(3):
        finest = finest.finer()
    here, near, far = (float(quantity(at_of(each.model(jnp.asarray(x))))) for each in (task, once, finest))
    assert found.value == pytest.approx(here, rel=1e-8)
    assert np.sum(found.contributions) == pytest.approx(found.error, rel=1e-12)
    return found.error, near - here, far - here


def test_the_adjoint_finds_the_meshs_error_of_a_quantity():
    """Order 3 in time: the next finer mesh takes seven eighths of the error away."""
    domain = lf.Box(t=(0, 1.5))
    stated = lf.Problem(
        domain,
        "y",
        {"bent": bent},
        [lf.Value(domain.at(t=0), y=lambda y0: y0)],
        unknowns={"y0": lf.Real(1.0)},
        data=lf.Data({"t": [0.5, 1.0], "y": [0.8, 0.8]}, noise=0.1),
    )
    found = lf.solve(stated, lf.Collocation(steps=6, stages=2, tolerance=1.0), progress=False)
    mean = lambda at: jnp.mean(at("y", t=jnp.linspace(0.1, 1.5, 15)))
    error, near, far = error_of_the_mean(found.task, found.fitted.x, mean)
    assert error == pytest.approx(near, rel=0.02)
    assert error == pytest.approx(far, rel=0.15)


def test_the_adjoint_counts_what_boundary_conditions_miss_between_the_nodes(solution):
    rough = dataclasses.replace(solution.task, scheme=dataclasses.replace(solution.task.scheme, stages=2))
    mean = lambda at: jnp.mean(at("u", x=0.5, t=jnp.linspace(0.1, 1.0, 21)))
    error, near, _ = error_of_the_mean(rough, solution.fitted.x, mean)
    assert error == pytest.approx(near, rel=0.02)
    assert abs(near) > 1e-6


def test_a_coarse_mesh_is_blamed_not_refined_where_the_user_chose_it():
    stated = channel.problem(*channel.readings(3, 8, 5.0))
    coarse = lf.solve(stated, lf.Collocation(nodes=4, steps=2, stages=2, tolerance=10.0), progress=False)
    seen = lf.verify(coarse, {"u_x": lambda u_x: u_x})
    assert seen.kind in (Kind.GRID, Kind.NOT_VERIFIED)
    assert seen.missing == ()
    assert not seen.status.converged
    assert "mesh" in seen.verdict


def test_upwind_error_is_not_taken_for_diffusion():
    judged, alone, z = channel.upwind_trap(seed=1)
    assert alone == "u_xx"
    assert abs(z) > 50
    assert judged.kind is Kind.GRID
    assert judged.missing == ()


def test_upwind_differences_show_their_first_order():
    x, t = np.array([0.3, 0.6]), np.array([0.5, 0.9])
    run = in_float64(lambda h: np.asarray(channel.upwind(round(1 / h), x, t)(jnp.array([1.0, 0.0, 0.0]))))
    assert convergence(run, [1 / 40, 1 / 80, 1 / 160], expected=1).verified


def test_a_right_model_is_kept_and_says_what_it_would_have_seen():
    stated = channel.problem(*channel.readings(3, 8, 5.0, flow=0.0))
    model, data = at_sensors(stated, channel.terms(stated), MESH)
    seen = judge(model, data)
    assert seen.kind is Kind.KEPT
    assert seen.p > 0.01


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"u_xxx": lambda u_xxx: u_xxx}, "order 3 of u along x"),
        ({"w": lambda w: w}, "neither declared nor a derivative"),
        ({"it": lf.Term(lambda u: u, law="het")}, "did you mean 'heat'"),
        ({"it": 3.0}, "must be a function"),
    ],
)
def test_candidates_that_make_no_sense_are_refused(solution, wanted, words):
    with pytest.raises(lf.BadInput, match=words):
        lf.verify(solution, wanted)


def test_a_leak_needs_a_condition_to_lean_on(solution):
    domain = solution.problem.domain
    with pytest.raises(lf.BadInput, match="no Value or Flux of 'u_x'"):
        lf.verify(solution, {"leak": lf.AtBoundary(domain.at(x=1), u_x=lambda u: u)})


def test_without_data_there_is_nothing_to_judge():
    domain = lf.Box(t=(0, 1))
    bare = lf.Problem(domain, "u", {"decay": lambda u, u_t: u_t + u}, [lf.Value(domain.at(t=0), u=1.0)])
    with pytest.raises(lf.BadInput, match="needs measurements"):
        lf.verify(lf.solve(bare, progress=False))


def test_usual_candidates_never_raise_the_order():
    fall = drag.problem(drag.track("none", drag.times()), 0.01)
    assert list(lf.candidates(fall)) == ["1", "y", "y^2", "y^3", "y_t", "|y_t| y_t"]
    heat = channel.problem(*channel.readings(0, 3, 5.0))
    assert list(lf.candidates(heat)) == ["1", "u", "u^2", "u^3", "u_x", "u_xx", "u u_x"]


def test_a_learned_term_has_the_shape_of_the_missing_one():
    rng = np.random.default_rng(0)
    y = drag.track("quadratic drag", drag.times()) + 0.005 * rng.normal(size=drag.FRAMES + 1)
    free = lf.solve(drag.problem(y, 0.005), lf.Collocation(steps=12), progress=False)
    learned = lf.closure(free, "y_t", hidden=3)
    speed = np.linspace(-11, -2, 10)
    band = learned(y_t=speed)
    miss = np.asarray(band.value) - drag.TRUTH["quadratic drag"] * np.abs(speed) * speed
    assert np.all(np.abs(miss) < np.maximum(4 * np.asarray(band.sd), 0.05))
    best = learned.match(drag.CANDIDATES)[0]
    assert best.name == "quadratic drag"
    assert best.share > 0.98
    assert best.coefficient == pytest.approx(drag.TRUTH["quadratic drag"], rel=0.1)
    with pytest.raises(lf.BadInput, match="function of y_t"):
        learned(y=1.0)
    assert learned.plot()[0].get_axes()


def test_the_posteriors_error_bars_are_those_of_a_linear_problem():
    y = drag.track("none", drag.times()) + 0.005 * np.random.default_rng(1).normal(size=drag.FRAMES + 1)
    fallen = lf.solve(drag.problem(y, 0.005), lf.Collocation(steps=8), progress=False)
    seen = lf.verify(fallen, drag.CANDIDATES, sample=400)
    assert seen.posterior is not None
    assert seen.posterior.rhat < 1.1
    assert seen.posterior.diverged == 0
    exact = seen.judgement.null.found.covariance
    assert np.sqrt(np.diag(seen.posterior.covariance)) == pytest.approx(np.sqrt(np.diag(exact)), rel=0.25)


def test_a_profile_of_a_linear_unknown_is_its_interval():
    y = drag.track("none", drag.times()) + 0.005 * np.random.default_rng(1).normal(size=drag.FRAMES + 1)
    fallen = lf.solve(drag.problem(y, 0.005), lf.Collocation(steps=8), progress=False)
    seen = lf.profile(fallen, "v0")
    low, high = fallen["v0"].interval()
    assert (seen.low, seen.high) == pytest.approx((low, high), rel=1e-3)
    assert "v0" in str(seen)
    assert seen.plot()[0].get_axes()
    with pytest.raises(lf.BadInput, match="did you mean 'v0'"):
        lf.profile(fallen, "v")
