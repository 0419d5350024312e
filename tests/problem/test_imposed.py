"""Promise 6, across the rooms: every condition that a problem calls exact is met to rounding by a constrained field."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lawful.calculus import partials
from lawful.fields import Imposed, constrained
from lawful.problem import (
    Flux,
    Model,
    Positive,
    Problem,
    Real,
    Value,
    face_conditions,
    right_hand_side,
    scalar_values,
)
from lawful.problem._corners import face_points
from problem.good_problems import BAR, WELL_POSED


def restless(problem: Problem, index: int):
    """A trial field of size one that meets no condition by chance."""
    box = problem.domain

    def trial(**point):
        s = [(point[axis] - low) / (up - low) for axis, low, up in zip(box.axes, box.lower, box.upper, strict=True)]
        return jnp.exp(0.7 * sum(s)) * jnp.cos((1.3 + index) * s[0] - 2.1 * s[-1] + 0.4)

    return trial


def filled(problem: Problem, raw: dict) -> Model:
    """A model whose fields are restless, with every exact condition built in, unknowns at the given raw numbers."""
    known = {**problem.constants, **scalar_values(problem, raw)}
    exact = [c for c in face_conditions(problem) if c.exact]

    def imposed(condition):
        return Imposed(condition.face, condition.order, *right_hand_side(problem, condition, known))

    built = {
        name: constrained(restless(problem, i), [imposed(c) for c in exact if c.field == name], problem.domain)
        for i, name in enumerate(problem.fields)
    }
    return Model(problem, lambda **point: {name: field(**point) for name, field in built.items()}, raw)


def misses(problem: Problem, raw: dict | None = None) -> dict[str, float]:
    """How far the constrained field is from each exact condition on its face, over the size of what is compared."""
    found, model = {}, filled(problem, raw or {})
    for condition in face_conditions(problem):
        if not condition.exact:
            continue
        points = face_points(problem, [condition.face], count=5)
        partial = condition.quantity.partial

        def both(point, condition=condition, partial=partial):
            field = partials(lambda **p: model.fields(**p)[condition.field], (partial,))(**point)[partial]
            return field, condition.sign * jnp.asarray(model.call(condition.target, point), dtype=float)

        got, want = jax.vmap(both)(points)
        size = max(1.0, float(jnp.abs(want).max())) / min(1.0, problem.domain.length(condition.face.axis)) ** len(
            partial
        )
        found[str(condition)] = float(jnp.abs(got - want).max()) / size
    return found


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("name", [name for name in WELL_POSED if name != "ring"])
def test_textbook_problems(name):
    found = misses(WELL_POSED[name]())
    assert found
    assert {text: miss for text, miss in found.items() if not miss < 1e-12} == {}


@pytest.mark.usefixtures("float64")
def test_a_flux_that_is_switched_on():
    """U = 0 at the start and u_x = 1 from then on: what is called exact holds, and only that is called so."""
    conditions = [Flux(BAR.at(x=-1), u=-1.0), Value(BAR.at(x=1), u=0.0), Value(BAR.at(t=0), u=0.0)]
    found = misses(Problem(BAR, "u", {"heat": lambda u_t, u_xx: u_t - u_xx}, conditions))
    assert set(found) == {"u on the upper end of x", "u on the lower end of t"}
    assert max(found.values()) < 1e-12


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("raw", [0.0, 0.8, -1.3])
def test_conditions_that_hold_unknowns(raw):
    """The height of the first bump and the warmth of a wall are to be found; exact at every value of theirs."""
    problem = Problem(
        BAR,
        "u",
        {"heat": lambda u_t, u_xx: u_t - u_xx},
        [
            Value(BAR.at(x=-1), u=lambda wall: wall),
            Flux(BAR.at(x=1), u=lambda height: -np.pi / 2 * height),
            Value(BAR.at(t=0), u=lambda x, wall, height: wall + height * jnp.cos(jnp.pi * x / 2)),
        ],
        unknowns={"wall": Real(0.0, scale=3.0), "height": Positive(2.0)},
    )
    found = misses(problem, {"wall": jnp.asarray(raw), "height": jnp.asarray(-raw)})
    assert len(found) == 3
    assert max(found.values()) < 1e-12
