"""Problems on several regions: quantities by region, and what must be said where regions touch."""

import numpy as np
import pytest

import lawful as lf
from lawful.problem import Model, interfaces, within

pytestmark = pytest.mark.usefixtures("float64")


def wall(**more):
    return lf.Regions(steel=lf.Box(x=(0, 0.4), **more), wool=lf.Box(x=(0.4, 1), **more))


def heat(regions, *conditions, **parts):
    ends = [lf.Value(regions.at(x=0), T=1.0), lf.Value(regions.at(x=1), T=0.0)]
    known = {"constants": {"k": {"steel": 45.0, "wool": 0.04}}, **parts}
    return lf.Problem(
        regions, "T", {"heat": lambda q_x: q_x}, [*ends, *conditions], derived={"q": lambda k, T_x: -k * T_x}, **known
    )


def between(regions, *names, **functions):
    return lf.Continuous(regions.interface("steel", "wool"), *names, **functions)


def test_each_region_is_a_problem_with_its_own_constants():
    regions = wall()
    problem = heat(regions, between(regions, "T", "q"))
    steel, wool = within(problem, "steel"), within(problem, "wool")
    assert (steel.domain, wool.domain) == regions.domains
    fields = lambda x: {"T": x**2}
    for part, k in ((steel, 45.0), (wool, 0.04)):
        model = Model(part, fields, {})
        assert float(model.quantity("q", {"x": 0.3})) == pytest.approx(-k * 0.6)
    whole = Model(problem, fields, {})
    assert [float(whole.quantity("k", {"x": x})) for x in (0.1, 0.39, 0.41, 1.0)] == [45.0, 45.0, 0.04, 0.04]
    assert float(whole.quantity("q_x", {"x": 0.7})) == pytest.approx(-0.08)


def test_known_in_one_region_and_unknown_in_the_other():
    regions = wall()
    data = lf.Data({"x": [0.2, 0.6], "T": [0.9, 0.5]}, noise=0.01)
    problem = heat(
        regions, between(regions, "T", "q"), constants={"k": {"steel": 45.0}},
        unknowns={"k": {"wool": lf.Positive(0.1)}}, data=data,
    )  # fmt: skip
    assert tuple(problem.unknowns) == ("k[wool]",)
    assert problem.check().unknown == ("k[wool]",)
    model = Model(problem, lambda x: {"T": x}, {"k[wool]": np.log(2.0)})
    assert float(model.quantity("k", {"x": 0.9})) == pytest.approx(0.2)
    assert float(model.quantity("k", {"x": 0.1})) == 45.0


def test_what_holds_is_told_region_by_region():
    regions = wall(t=(0, 2))
    problem = lf.Problem(
        regions, "T", {"heat": lambda T_t, k, T_xx: T_t - k * T_xx},
        [lf.Value(regions.at(t=0), T=0.0), lf.Value(regions.at(x=(0, 1)), T=0.0),
         between(regions, "T", heat=lambda k, T_x, n_x: k * T_x * n_x)],
        constants={"k": {"steel": 1.0, "wool": 2.0}},
    )  # fmt: skip
    told = problem.check()
    assert "T on the lower end of x, steel" in told.exact
    assert "T on the upper end of x, wool" in told.exact
    assert "T on the upper end of x, steel" not in told.exact
    assert told.penalised == tuple(map(str, interfaces(problem)))
    assert "heat continuous across x = 0.4 between steel and wool" in told.penalised


def test_the_normal_points_out_of_the_first_region():
    regions = wall()
    for pair, sign in ((("steel", "wool"), 1.0), (("wool", "steel"), -1.0)):
        condition = lf.Continuous(regions.interface(*pair), "T", flux=lambda T_x, n_x: T_x * n_x)
        problem = heat(regions, condition)
        _, flux = interfaces(problem)
        assert (flux.first, flux.second) == pair
        model = Model(within(problem, "steel"), lambda x: {"T": 3.0 * x}, {})
        [face] = flux.part.faces
        normal = {"x": np.asarray(1.0 if face.side else -1.0)}
        assert float(flux.value(model, {"x": 0.2}, normal)) == pytest.approx(3.0 * sign)


REGIONS = wall()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: heat(REGIONS), "2 quantities of 'T' must agree on the interface .*there are none"),
        (lambda: heat(REGIONS, between(REGIONS, "T")), "there are 1; write lf.Continuous"),
        (lambda: heat(REGIONS, between(REGIONS, "T", "T_x", "q")), "3 quantities of 'T' .*drop 1"),
        (lambda: heat(REGIONS, between(REGIONS, "T", "z")), "'z', which is neither declared nor a derivative"),
        (lambda: heat(REGIONS, between(REGIONS, "T", flux=lambda k, n_z: k * n_z)), "'n_z'"),
        (lambda: heat(REGIONS, between(REGIONS, "T", flux=lambda T_x: "hot")), "'flux' of Continuous returns str"),
        (lambda: heat(REGIONS, lf.Continuous(REGIONS.at(x=0), "T", "q")), "needs an interface of the problem's own"),
        (lambda: heat(REGIONS, lf.Continuous(REGIONS["steel"].at(x=0), "T", "q")), "is no interface of 'steel'"),
        (lambda: heat(REGIONS, constants={"k": {"steel": 1.0}}), "'k' is given by region, but not in wool"),
        (lambda: heat(REGIONS, constants={"k": {"steel": 1.0, "wol": 1.0}}), "region 'wol', .*did you mean 'wool'"),
        (
            lambda: heat(
                REGIONS, constants={"k": {"steel": 1.0, "wool": 1.0}}, unknowns={"k": {"wool": lf.Positive(1.0)}}
            ),
            "'k' is both a constant and an unknown in wool",
        ),
        (
            lambda: heat(REGIONS, between(REGIONS, "T", "q"), lf.Periodic(REGIONS.at(x=(0, 1)))),
            "reaches over several regions",
        ),
        (lambda: heat(REGIONS, between(REGIONS)), "names no quantity"),
        (lambda: heat(REGIONS, between(REGIONS, 3)), "quantities come by name"),
        (
            lambda: lf.Problem(lf.Box(x=(0, 1)), "T", {"a": lambda T_x, k: T_x - k}, constants={"k": {"a": 1.0}}),
            "'k' is given by region, but the domain has no regions",
        ),
        (
            lambda: heat(
                REGIONS, between(REGIONS, "T", "q"), unknowns={"k": {"wool": lf.Positive(1.0, over="x")}},
                constants={"k": {"steel": 1.0}},
            ),
            "unknown field 'k.wool.' is given by region",
        ),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(make, words):
    with pytest.raises(lf.BadInput, match=words):
        make().check()
