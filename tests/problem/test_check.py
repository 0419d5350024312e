"""What a problem says about itself, and what it refuses beyond the table of bad input."""

import jax
import numpy as np
import pytest

from lawful._core.messages import BadInput
from lawful.geometry import Box
from lawful.problem import Data, Flux, Normal, Periodic, Positive, Problem, Real, Value, describe
from lawful.problem._problem import RESERVED
from lawful.solve import Solution
from problem.good_problems import BAR, INVERSE, TIME, WELL_POSED, bump

HEAT = {"heat": lambda u_t, u_xx: u_t - u_xx}


def test_the_record_says_what_holds_how():
    found = INVERSE["unknown_conductivity"]().check()
    assert found.exact == ("u on the lower end of x", "u on the upper end of x", "u on the lower end of t")
    assert found.penalised == ()
    assert found.observed == ("u in 9 rows of probes", "flux in 1 rows of a flux meter")
    assert found.unknown == ("D",)
    text = str(found)
    assert text.splitlines()[1].split() == ["penalised", "nothing"]
    assert "to be found      D" in text


def test_what_is_penalised_and_what_is_periodic_is_named():
    radiation = [Value(BAR.at(x=-1), u=0.0), Flux(BAR.at(x=1), u=lambda u: -(u**4)), Value(BAR.at(t=0), u=0.0)]
    found = Problem(BAR, "u", HEAT, radiation).check()
    assert found.penalised == ("u_x on the upper end of x",)
    assert "u_x on the upper end of x" not in found.exact
    assert "u_x on the upper end of x" in WELL_POSED["cooled_by_air"]().check().exact
    ring = WELL_POSED["ring"]().check()
    assert "u periodic along x" in ring.exact


def test_conditions_in_words():
    assert describe(Value(BAR.at(t=0), u=0.0, u_t=1.0)) == "value of u and u_t at t = 0"
    assert describe(Flux(BAR.at(x=(-1, 1)), u=0.0)) == "outward derivative of u at x = -1 and x = 1"
    assert describe(Periodic(BAR.at(x=(-1, 1)))) == "periodicity of every field at x = -1 and x = 1"


def test_every_part_of_a_solution_is_reserved():
    """A field called like a part would never be reached: solution.noise is the noise."""
    parts = {name for name in dir(Solution) if not name.startswith("_")} | set(Solution.__dataclass_fields__)
    assert parts - RESERVED == set()


@pytest.mark.parametrize("kind", ["fields", "unknowns", "derived"])
def test_reserved_names_are_refused_where_they_would_hide(kind):
    parts = {
        "fields": {"fields": "u, status", "laws": {"a": lambda u_t: u_t, "b": lambda status_t: status_t}},
        "unknowns": {"fields": "u", "laws": {"a": lambda u_t, noise: u_t}, "unknowns": {"noise": Real()}},
        "derived": {"fields": "u", "laws": {"a": lambda u_t, model: u_t}, "derived": {"model": lambda u: u}},
    }
    with pytest.raises(BadInput, match="a solution has a part of that name; rename it"):
        Problem(TIME, **parts[kind])


def test_a_constant_may_have_any_name():
    Problem(TIME, "u", {"a": lambda u_t, dof: u_t - dof}, [Value(TIME.at(t=0), u=0.0)], constants={"dof": 3.0}).check()


def test_names_of_fields_come_in_any_list():
    law = {"a": lambda u_t, v: u_t + v, "b": lambda v_t, u: v_t - u}
    for fields in ("u, v", "u v", ["u", "v"], ("u", "v")):
        assert Problem(TIME, fields, law).fields == ("u", "v")


def test_the_order_of_measurements_does_not_matter():
    times = np.array([1.5, 0.2, 1.9, 0.2])
    data = Data({"u": np.exp(-times), "t": times}, noise=0.1)
    conditions = [Value(TIME.at(t=0), u=1.0)]
    Problem(TIME, "u", {"a": lambda u, u_t, k: u_t + k * u}, conditions, unknowns={"k": Positive()}, data=data).check()


def test_measurements_at_the_ends_are_inside():
    data = Data({"t": [0.0, 2.0, 2.0 + 1e-12], "u": [1.0, 0.1, 0.1]})
    Problem(TIME, "u", {"a": lambda u, u_t: u_t + u}, [Value(TIME.at(t=0), u=1.0)], data=data).check()


def test_derivatives_and_functions_may_be_measured():
    data = Data({"t": [1.0], "u_t": [-0.3], "twice": [0.7]}, observe={"twice": lambda u, k: 2 * u * k})
    Problem(
        TIME,
        "u",
        {"a": lambda u, u_t: u_t + u},
        [Value(TIME.at(t=0), u=1.0)],
        unknowns={"k": Real(1.0, prior=Normal(1.0, 0.1))},
        data=data,
    ).check()


def test_a_derived_quantity_may_serve_a_condition_alone():
    problem = Problem(
        BAR,
        "u",
        HEAT,
        [Value(BAR.at(x=-1), u=0.0), Value(BAR.at(x=1), flux=0.2), Value(BAR.at(t=0), u=0.0)],
        derived={"flux": lambda u_x: 2 * u_x},
    )
    assert problem.check().penalised == ("flux on the upper end of x",)


def test_a_condition_may_stand_on_an_equal_box():
    again = Box(x=(-1, 1), t=(0, 2))
    Problem(BAR, "u", HEAT, [Value(again.at(x=(-1, 1)), u=0.0), Value(again.at(t=0), u=bump)]).check()


def test_corners_of_different_fields_may_differ():
    laws = {"u": lambda u_t, u_xx: u_t - u_xx, "v": lambda v_t, v_xx: v_t - v_xx}
    Problem(BAR, "u, v", laws, [Value(BAR.at(x=(-1, 1)), u=0.0, v=1.0), Value(BAR.at(t=0), u=bump, v=1.0)]).check()


def test_the_corner_is_found_where_the_contradiction_is():
    start = Value(BAR.at(t=0), u=lambda x: 0.5 * (1 - x))
    with pytest.raises(
        BadInput, match=r"corner x=-1, t=0: u on the lower end of x says 0, u on the lower end of t says 1;"
    ):
        Problem(BAR, "u", HEAT, [Value(BAR.at(x=(-1, 1)), u=0.0), start]).check()


def test_a_contradiction_along_an_edge_is_found():
    box = Box(x=(0, 1), y=(0, 1), t=(0, 1))
    walls = [Value(box.at(x=(0, 1)), u=0.0), Value(box.at(y=(0, 1)), u=0.0)]
    law = {"heat": lambda u_t, u_xx, u_yy: u_t - u_xx - u_yy}
    Problem(box, "u", law, [*walls, Value(box.at(t=0), u=lambda x, y: x * (1 - x) * y * (1 - y))]).check()
    with pytest.raises(BadInput, match="contradict each other"):
        Problem(box, "u", law, [*walls, Value(box.at(t=0), u=lambda x, y: x * (1 - x) * (1 - y))]).check()


def test_the_check_leaves_precision_and_the_problem_alone():
    before, problem = jax.config.jax_enable_x64, WELL_POSED["burgers"]()
    leaves = [id(leaf) for leaf in jax.tree.leaves(problem)]
    problem.check()
    assert jax.config.jax_enable_x64 == before
    assert [id(leaf) for leaf in jax.tree.leaves(problem)] == leaves


def test_a_problem_is_frozen():
    with pytest.raises(AttributeError):
        WELL_POSED["decay"]().fields = ("v",)


def test_a_law_that_fails_keeps_the_users_traceback():
    def law(u, u_t):
        return u_t + u.oops

    with pytest.raises(BadInput) as caught:
        Problem(TIME, "u", {"a": law}, [Value(TIME.at(t=0), u=1.0)]).check()
    assert isinstance(caught.value.__cause__, AttributeError)


def test_vectors_may_be_constants_and_unknowns():
    data = Data({"t": [1.0], "u": [1.0]})
    Problem(
        TIME,
        "u",
        {"a": lambda u, u_t, c, k: u_t - c[0] * u - k[1] + k[0]},
        [Value(TIME.at(t=0), u=1.0)],
        unknowns={"k": Real([0.0, 1.0])},
        constants={"c": [1.0, 2.0]},
        data=data,
    ).check()
