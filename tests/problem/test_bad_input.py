"""Promise 5: bad input is refused at the door, in one line, with what was wrong, where, and the cure."""

import pytest

import lawful
from problem.bad_problems import (
    BAD_PROBLEMS,
    BOXES,
    CONDITIONS,
    DATA,
    LAWS,
    NAMES,
    REGIONS,
    SHAPES,
    SIGNATURES,
    UNKNOWNS,
    bar,
    inverse,
    layered,
    shaped,
)
from problem.bad_problems import forward as forward_problem


def state(source: str) -> lawful.Problem:
    """Run a problem file as the command line does, and check what it states."""
    namespace: dict = {"__name__": "problem"}
    exec(compile(source, "problem.py", "exec"), namespace)
    namespace["problem"].check()
    return namespace["problem"]


@pytest.mark.parametrize("name", BAD_PROBLEMS)
def test_it_is_refused_with_the_cure(name):
    source, words = BAD_PROBLEMS[name]
    with pytest.raises(lawful.BadInput) as caught:
        state(source)
    message = str(caught.value)
    assert "\n" not in message
    assert [word for word in words if word not in message] == [], message
    assert 30 <= len(message) <= 400, message
    assert message.count(" at 0x") == 0, message  # addresses say nothing to a user


WELL_STATED = {
    "forward": forward_problem(),
    "inverse": inverse(),
    "bar": bar(),
    "disk": shaped("lf.Value(edge, u=0.0)"),
    "rod": shaped("lf.Value(rod.boundary('edge'), u=0.0), lf.Value(rod.at(t=0), u=0.0)", "rod", "heat"),
    "plate": shaped("lf.Value(edge, w=0.0), lf.Flux(edge, w=0.0)", law="plate", field="w"),
    "free": shaped("lf.Free(edge)"),
    "layers": layered('lf.Continuous(touching, "T", "q")'),
}


@pytest.mark.parametrize("source", WELL_STATED.values(), ids=list(WELL_STATED))
def test_the_same_files_without_the_mistake_are_accepted(source):
    state(source)


def test_no_case_is_lost_under_the_name_of_another():
    tables = (NAMES, SIGNATURES, LAWS, CONDITIONS, DATA, UNKNOWNS, BOXES, SHAPES, REGIONS)
    assert len(BAD_PROBLEMS) == sum(map(len, tables)) > 100
