"""How many conditions a problem needs, and which of them a construction can impose: read from names alone."""

import re

import jax.numpy as jnp
import numpy as np
import pytest

from lawful._core.messages import BadInput
from lawful._core.names import Symbol
from lawful.geometry import Box, Face
from lawful.problem import (
    Data,
    Flux,
    Free,
    Periodic,
    Positive,
    Problem,
    Value,
    expanded,
    face_conditions,
    is_free,
    law_symbols,
    matching,
    needed_conditions,
    order_table,
    periodic_axes,
)
from lawful.problem._structure import blocks
from problem.good_problems import BAR, INVERSE, TIME, WELL_POSED, flow, heat, heat_as_two_laws, wave_as_two_laws


def restated(problem: Problem, conditions) -> Problem:
    return Problem(
        problem.domain,
        problem.fields,
        problem.laws,
        conditions,
        problem.unknowns,
        problem.constants,
        problem.derived,
        problem.data,
    )


def single(problem: Problem) -> list[Value | Flux | Periodic]:
    """The problem's conditions, one for each face and quantity."""
    found = []
    for condition in problem.conditions:
        if isinstance(condition, Periodic):
            found.append(condition)
            continue
        for face in condition.part.faces:
            place = problem.domain.at(**{face.axis: problem.domain.ends(face.axis)[face.side]})
            found += [type(condition)(place, **{name: target}) for name, target in condition.targets.items()]
    return found


def complaint(problem: Problem) -> str:
    """The beginning of what the check says, nothing where it accepts."""
    try:
        problem.check()
    except BadInput as error:
        return str(error)[:32]
    return ""


@pytest.mark.parametrize("make", [*WELL_POSED.values(), *INVERSE.values()], ids=[*WELL_POSED, *INVERSE])
def test_what_textbooks_state_is_accepted(make):
    make().check()


@pytest.mark.parametrize("name", [name for name in WELL_POSED if name != "flow"])
def test_without_any_one_condition_it_is_refused_and_the_cure_works(name):
    problem = WELL_POSED[name]()
    whole = single(problem)
    for left_out in range(len(whole)):
        conditions = whole[:left_out] + whole[left_out + 1 :]
        # A whole periodic axis stands for two conditions, so the cure may have to be taken twice.
        for _ in range(2 if isinstance(whole[left_out], Periodic) else 1):
            with pytest.raises(BadInput, match=r"needs \d conditions? along") as caught:
                restated(problem, conditions).check()
            offers = re.findall(r"lf\.Value\(domain\.at\((\w+)=([^)]*)\), (\w+)=\.\.\.\)", str(caught.value))
            assert offers
            axis, place, quantity = offers[-1]
            conditions = [*conditions, Value(problem.domain.at(**{axis: float(place)}), **{quantity: 0.0})]
        # The value of zero was invented here and may contradict another; its place is what was advised.
        assert complaint(restated(problem, conditions)) in ("", "conditions contradict each other")


@pytest.mark.parametrize("name", [name for name in WELL_POSED if name not in ("flow", "ring")])
def test_with_any_one_condition_more_it_is_refused(name):
    problem = WELL_POSED[name]()
    for field in problem.fields:
        for axis in problem.domain.axes:
            rate = f"{field}_{axis * 5}"  # a derivative that no problem here sets
            more = Value(problem.domain.at(**{axis: problem.domain.ends(axis)[1]}), **{rate: 0.0})
            with pytest.raises(BadInput, match=r"conditions? along .*drop 1"):
                restated(problem, [*problem.conditions, more]).check()


@pytest.mark.parametrize("name", list(WELL_POSED))
def test_what_is_free_is_not_missed(name):
    problem = WELL_POSED[name]()
    everywhere = [Free(problem.domain.at(**{axis: problem.domain.ends(axis)[0]})) for axis in problem.domain.axes]
    restated(problem, everywhere).check()


def test_free_holds_for_the_fields_and_the_axis_that_it_names():
    problem = restated(heat(), [Free(BAR.at(x=1), "u"), Periodic(BAR.at(x=(-1, 1)), "u")])
    assert is_free(problem, "u", "x")
    assert not is_free(problem, "u", "t")
    assert not is_free(problem, "other", "x")
    assert periodic_axes(problem, "u") == ("x",)
    assert periodic_axes(problem, "other") == ()
    again = restated(heat(), [Periodic(BAR.at(x=(-1, 1))), Periodic(BAR.at(x=(-1, 1)))])
    assert periodic_axes(again, "u") == ("x",)


def test_orders_by_law_and_field():
    problem = flow()
    np.testing.assert_array_equal(order_table(problem, "x"), [[2, 0, 1], [0, 2, 0], [1, 0, -1]])
    np.testing.assert_array_equal(order_table(problem, "t"), [[1, 0, 0], [0, 1, 0], [0, 0, -1]])


@pytest.mark.parametrize(
    ("make", "axis", "total"),
    [
        (flow, "x", 4),
        (flow, "y", 4),
        (flow, "t", 1),
        (heat, "x", 2),
        (heat_as_two_laws, "x", 2),
        (heat_as_two_laws, "t", 1),
        (wave_as_two_laws, "x", 2),
        (wave_as_two_laws, "t", 2),
    ],
)
def test_a_system_needs_what_its_elimination_needs(make, axis, total):
    """By hand: Stokes flow is of order four in its stream function, heat of order two in x and one in t, however many
    laws it is written in."""
    assert sum(needed_conditions(make(), axis).values()) == total


def test_laws_are_paired_with_the_fields_that_they_determine():
    assert matching(heat()) == {"u": "heat"}
    assert matching(wave_as_two_laws()) == {"u": "force", "v": "speed"}
    assert set(matching(flow()).values()) == {"x", "y", "continuity"}
    short = Problem(TIME, "u, v", {"one": lambda u_t, v: u_t + v})
    assert matching(short) is needed_conditions(short, "t") is blocks(short) is None
    lame = Problem(TIME, "u, v", {"one": lambda u_t, v: u_t + v, "none": lambda t: t})
    assert matching(lame) is None


def test_fields_that_determine_each_other_form_a_block():
    found = {frozenset(fields) for fields, _ in blocks(WELL_POSED["heat_with_a_passenger"]())}
    assert found == {frozenset({"u"}), frozenset({"c"})}
    assert [set(fields) for fields, _ in blocks(WELL_POSED["lorenz"]())] == [{"x", "y", "z"}]
    assert [set(fields) for fields, _ in blocks(flow())] == [{"u", "v", "p"}]


def test_derived_quantities_are_followed_to_the_fields():
    problem = Problem(
        BAR,
        "u, c",
        {"a": lambda u_t, q_xt, c: u_t + q_xt + c, "b": lambda c_t: c_t},
        derived={"p": lambda u_x, c: u_x * c, "q": lambda p_x, t: p_x + t},
    )
    found = expanded(problem, law_symbols(problem)["a"])
    assert found == {("u", ("t",)), ("c", ()), ("u", ("t", "x", "x", "x")), ("c", ("t", "x", "x")), ("t", ("t", "x"))}
    np.testing.assert_array_equal(order_table(problem, "x"), [[3, 2], [-1, 0]])
    np.testing.assert_array_equal(order_table(problem, "t"), [[1, 1], [-1, 1]])


HEAT = {"heat": lambda u_t, u_xx: u_t - u_xx}
ONE_READING = Data({"x": [0.0], "t": [1.0], "u": [1.0]})


def conditions_of(*conditions, laws=HEAT, **settings) -> dict[str, bool]:
    """Each condition in words, and whether it is exact."""
    problem = Problem(BAR, "u", laws, list(conditions), **settings)
    return {str(c): c.exact for c in face_conditions(problem)}


def test_values_and_derivatives_across_a_face_are_exact():
    found = conditions_of(
        Value(BAR.at(x=(-1, 1)), u=0.0),
        Value(BAR.at(t=0), u=lambda x, k: k * (1 - x**2), u_tt=0.0),
        constants={"k": 2.0},
    )
    assert found == {
        "u on the lower end of x": True,
        "u on the upper end of x": True,
        "u on the lower end of t": True,
        "u_tt on the lower end of t": True,
    }


def test_what_depends_on_fields_or_runs_along_a_face_is_penalised():
    found = conditions_of(
        Flux(BAR.at(x=1), u=lambda u: -u),
        Value(BAR.at(x=-1), u_t=0.0),
        Value(BAR.at(t=0), u_x=0.0, p=1.0),
        Value(BAR.at(x=1), u=lambda D: D),
        derived={"p": lambda u, D: u * D},
        unknowns={"D": Positive(over="t")},
        data=ONE_READING,
    )
    assert len(found) == 5
    assert not any(found.values())


def test_a_flux_points_outwards():
    problem = restated(heat(), [Flux(BAR.at(x=(-1, 1)), u=3.0)])
    low, high = face_conditions(problem)
    assert (low.quantity, low.face, low.sign) == (Symbol("u", ("x",)), Face("x", 0), -1.0)
    assert (high.quantity, high.face, high.sign) == (Symbol("u", ("x",)), Face("x", 1), 1.0)
    assert (high.field, high.order) == ("u", 1)


def switched_on(slope=1.0, start=0.0, **settings) -> dict[str, bool]:
    """Heat flows in from the start on: u_x = 1 at x = -1 although u = 0 at t = 0."""
    conditions = [Value(BAR.at(x=-1), u_x=slope), Value(BAR.at(x=1), u=0.0), Value(BAR.at(t=0), u=start)]
    return conditions_of(*conditions, **settings)


def test_a_flux_that_disagrees_with_the_start_is_penalised():
    """No smooth field meets both at the corner, and a construction would spoil the flux at all times."""
    assert switched_on() == {
        "u_x on the lower end of x": False,
        "u on the upper end of x": True,
        "u on the lower end of t": True,
    }


def test_a_flux_that_agrees_with_the_start_stays_exact():
    assert all(switched_on(start=lambda x: x - 1).values())
    assert all(switched_on(slope=lambda t: t).values())
    outward = conditions_of(
        Flux(BAR.at(x=-1), u=-1.0), Value(BAR.at(x=1), u=0.0), Value(BAR.at(t=0), u=lambda x: x - 1)
    )
    assert all(outward.values())
    assert all(switched_on(slope=0.0, start=lambda x: 1 - ((1 + x) / 2) ** 2).values())


def test_agreement_at_the_guess_of_an_unknown_is_an_accident():
    inverse = {"unknowns": {"q": Positive(1.0)}, "data": ONE_READING}
    assert not switched_on(slope=lambda q: q - 1, **inverse)["u_x on the lower end of x"]
    assert all(switched_on(slope=lambda q: q, start=lambda x, q: q * (x - 1), **inverse).values())


def test_a_rate_that_disagrees_with_a_moving_wall_is_kept_and_the_wall_penalised():
    found = conditions_of(
        Value(BAR.at(x=-1), u=lambda t: jnp.sin(t)),
        Value(BAR.at(x=1), u=0.0),
        Value(BAR.at(t=0), u=0.0, u_t=0.0),
        laws={"wave": lambda u_tt, u_xx: u_tt - u_xx},
    )
    assert [name for name, exact in found.items() if not exact] == ["u on the lower end of x"]


def quenched(size: float, off: float) -> Problem:
    """A sine between cold walls; `off` lifts it at the ends."""
    box = Box(x=(0, 1), t=(0, 1))
    start = Value(box.at(t=0), u=lambda x: size * (jnp.sin(jnp.pi * x) + off))
    return Problem(box, "u", HEAT, [Value(box.at(x=(0, 1)), u=0.0), start])


@pytest.mark.parametrize("size", [1.0, 1e-12, 1e12])
def test_rounding_at_a_corner_is_no_contradiction(size):
    """The sine of pi is 1.2e-16 in floating point and zero to everyone else, whatever the unit of the field."""
    quenched(size, 0.0).check()
    with pytest.raises(BadInput, match="contradict"):
        quenched(size, 1e-3).check()
