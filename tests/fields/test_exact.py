"""Conditions built into a field hold to rounding, whatever the trial field does."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawful.calculus import partials
from lawful.fields import MLP, Imposed, Spectral, constrained
from lawful.fields._exact import cardinal_polynomials
from lawful.geometry import Box, Face

ROUNDING = 1e-11  # of the size of the terms that are added up


def constant(value):
    return lambda **point: jnp.asarray(value)


def restless(box: Box):
    """A trial field that meets no condition by chance: of size one, changing over the length of the box."""

    def trial(**point):
        s = [(point[axis] - low) / (up - low) for axis, low, up in zip(box.axes, box.lower, box.upper, strict=True)]
        return jnp.exp(0.7 * sum(s)) * jnp.cos(1.3 * s[0] - 2.1 * s[-1] + 0.4)

    return trial


def derivative(field, partial, point):
    return float(partials(field, (tuple(sorted(partial)),))(**point)[tuple(sorted(partial))])


def check_on_face(field, box: Box, condition: Imposed, point: dict, want: float, size: float = 1.0):
    """The derivative across the face at the foot of a point, to rounding of terms of the given size."""
    axis, side = condition.face
    point = {**point, axis: box.ends(axis)[side]}
    got = derivative(field, (axis,) * condition.order, point)
    assert abs(got - want) <= ROUNDING * max(abs(want), size / box.length(axis) ** condition.order)


SETS = {
    "value at the start": [(0, 0)],
    "value at the end": [(1, 0)],
    "value at both ends": [(0, 0), (1, 0)],
    "value and rate at the start": [(0, 0), (0, 1)],
    "value, rate and curvature at the start": [(0, 0), (0, 1), (0, 2)],
    "derivative at the start": [(0, 1)],
    "derivative at the end": [(1, 1)],
    "derivative at both ends": [(0, 1), (1, 1)],
    "value and derivative at opposite ends": [(0, 0), (1, 1)],
    "derivative and value at opposite ends": [(0, 1), (1, 0)],
    "clamped beam": [(0, 0), (0, 1), (1, 0), (1, 1)],
    "hinged beam": [(0, 0), (0, 2), (1, 0), (1, 2)],
    "free end": [(0, 0), (0, 1), (1, 2), (1, 3)],
    "curvature alone": [(0, 2)],
    "value and curvature, without the slope": [(0, 0), (0, 2)],
}


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("kinds", SETS.values(), ids=list(SETS))
@pytest.mark.parametrize("length", [1.0, 1e-9, 1e9])
def test_the_usual_sets_on_any_scale(kinds, length):
    """In metres a film is 1e-9 long, in seconds a geological age is 1e9 and more: units must not matter."""
    box = Box(x=(0.5 * length, 1.5 * length))
    targets = [0.7, -1.9, 2.3, 0.4][: len(kinds)]
    imposed = [
        Imposed(Face("x", side), order, constant(target / length**order))
        for (side, order), target in zip(kinds, targets, strict=True)
    ]
    field = constrained(restless(box), imposed, box)
    for condition, target in zip(imposed, targets, strict=True):
        check_on_face(field, box, condition, {"x": length}, target / length**condition.order)


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3)), min_size=1, max_size=5, unique=True),
    st.lists(st.floats(-10, 10), min_size=5, max_size=5),
    st.floats(-3, 3),
    st.floats(0.1, 20),
)
@settings(max_examples=25)
def test_any_set_of_derivatives_at_the_ends(kinds, targets, lower, length):
    with jax.enable_x64(True):
        box = Box(t=(lower, lower + length))
        imposed = [
            Imposed(Face("t", side), order, constant(target))
            for (side, order), target in zip(kinds, targets, strict=False)
        ]
        field = constrained(restless(box), imposed, box)
        # The largest term of the sum: a high derivative times the length that it acts over.
        size = max(1.0, *(abs(t) * length**c.order for c, t in zip(imposed, targets, strict=False)))
        for condition, target in zip(imposed, targets, strict=False):
            check_on_face(field, box, condition, {"t": lower}, target, 30 * size)


def reference(**point):
    """A field from which conditions are read off, so that they agree wherever two faces meet."""
    values = list(point.values())
    return jnp.sin(1.7 * values[0] + 0.3) * jnp.exp(0.5 * values[-1]) + 0.3 * sum(values) ** 3


def read_off(box: Box, kinds) -> list[Imposed]:
    """Conditions that the reference field meets."""

    def condition(axis, side, order):
        partial = (axis,) * order
        return Imposed(Face(axis, side), order, lambda **p: partials(reference, (partial,))(**p)[partial])

    return [condition(*kind) for kind in kinds]


KINDS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), max_size=3, unique=True)


@given(KINDS, KINDS, st.floats(0.05, 0.95))
@settings(max_examples=10)
def test_any_mixture_on_two_axes(along_x, along_t, share):
    with jax.enable_x64(True):
        box = Box(x=(-1, 1), t=(0, 2))
        imposed = read_off(box, [("x", *k) for k in along_x] + [("t", *k) for k in along_t])
        field = constrained(restless(box), imposed, box)
        point = {"x": -1 + 2 * share, "t": 2 * share**2}
        for condition in imposed:
            here = {**point, condition.face.axis: box.ends(condition.face.axis)[condition.face.side]}
            want = derivative(reference, (condition.face.axis,) * condition.order, here)
            check_on_face(field, box, condition, point, want, 1e3)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("order", [("x", "y", "t"), ("t", "y", "x")])
def test_three_axes_in_any_order(order):
    ends = {"x": (0, 1), "y": (-1, 2), "t": (0, 3)}
    box = Box(**{axis: ends[axis] for axis in order})
    kinds = [("x", 0, 0), ("x", 1, 0), ("y", 0, 1), ("y", 1, 0), ("t", 0, 0), ("t", 0, 1)]

    def known(x, y, t):
        return jnp.sin(1.7 * x + 0.3) * jnp.exp(0.5 * t) * (1 + 0.2 * y**2)

    imposed = [
        Imposed(Face(a, s), k, lambda _p=(a,) * k, **p: partials(lambda **q: known(**q), (_p,))(**p)[_p])
        for a, s, k in kinds
    ]
    field = constrained(restless(box), imposed, box)
    point = {"x": 0.37, "y": 1.21, "t": 1.9}
    for condition in imposed:
        here = {**point, condition.face.axis: box.ends(condition.face.axis)[condition.face.side]}
        want = derivative(lambda **q: known(**q), (condition.face.axis,) * condition.order, here)
        check_on_face(field, box, condition, point, want, 1e2)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("trial", [MLP(width=5), Spectral(6)])
def test_with_the_trial_fields_themselves(trial):
    """u(0, t) = sin t, u_x(1, t) = 0.5, u(x, 0) = 0.5 x - ..., with an initial rate: the mixture of a wave in a rod."""
    box = Box(x=(0, 1), t=(0, 2))
    params = trial.init(jax.random.PRNGKey(0), box.axes, (), 1)
    params = jax.tree.map(lambda p: p + 0.3, params)

    def scaled(**point):
        place = {"x": 2 * point["x"] - 1, "t": point["t"] - 1}
        return trial(params, place, ())[0]

    imposed = [
        Imposed(Face("x", 0), 0, lambda **p: jnp.sin(p["t"])),
        Imposed(Face("x", 1), 1, lambda **p: 0.5 + 0 * p["t"]),
        Imposed(Face("t", 0), 0, lambda **p: 0.5 * p["x"]),
        Imposed(Face("t", 0), 1, lambda **p: (1 - p["x"]) ** 2),
    ]
    field = jax.jit(constrained(scaled, imposed, box))
    for s in (0.0, 0.3, 1.0):
        check_on_face(field, box, imposed[0], {"x": 0.0, "t": 2 * s}, math.sin(2 * s), 10)
        check_on_face(field, box, imposed[1], {"x": 0.0, "t": 2 * s}, 0.5, 10)
        check_on_face(field, box, imposed[2], {"x": s, "t": 0.0}, 0.5 * s, 10)
        check_on_face(field, box, imposed[3], {"x": s, "t": 0.0}, (1 - s) ** 2, 10)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("kinds", SETS.values(), ids=list(SETS))
def test_the_trial_field_stays_free_inside(kinds):
    """What is imposed at the ends must not fix anything else: two trial fields give two fields."""
    box = Box(x=(0, 1))
    imposed = [Imposed(Face("x", side), order, constant(0.5)) for side, order in kinds]
    one = constrained(lambda x: jnp.exp(1.5 * x) * jnp.sin(9 * x + 1), imposed, box)
    two = constrained(lambda x: jnp.exp(-x) * jnp.cos(11 * x), imposed, box)
    assert abs(float(one(x=jnp.asarray(0.43)) - two(x=jnp.asarray(0.43)))) > 1e-2


@pytest.mark.usefixtures("float64")
def test_without_conditions_the_trial_field_is_left_alone():
    box = Box(x=(0, 1), t=(0, 1))
    trial = restless(box)
    point = {"x": jnp.asarray(0.2), "t": jnp.asarray(0.9)}
    assert float(constrained(trial, [], box)(**point)) == float(trial(**point))


@pytest.mark.usefixtures("float64")
def test_whole_numbers_are_places_too():
    """At x = 1 of a box that ends at 2.5, the end must not be rounded to the type of the place."""
    box = Box(x=(0.5, 2.5))
    field = constrained(restless(box), [Imposed(Face("x", 1), 0, lambda **p: jnp.cos(p["x"]))], box)
    assert float(field(x=1)) == float(field(x=1.0))
    assert float(field(x=jnp.asarray(1))) == float(field(x=jnp.asarray(1.0)))


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3)), min_size=1, max_size=6, unique=True),
    st.sampled_from([1.0, 0.03, 250.0, 1e-9, 1e12]),
)
def test_cardinal_polynomials_meet_one_condition_each(kinds, length):
    box = Box(x=(-0.4 * length, 0.6 * length))
    imposed = tuple(Imposed(Face("x", side), order, constant(0.0)) for side, order in kinds)
    basis = cardinal_polynomials(imposed, box, "x")
    found = [
        [np.polynomial.Polynomial(row).deriv(c.order)(float(c.face.side)) / box.length("x") ** c.order for c in imposed]
        for row in basis
    ]
    units = np.array([[box.length("x") ** (a.order - b.order) for b in imposed] for a in imposed])
    np.testing.assert_allclose(np.array(found) / units, np.eye(len(kinds)), atol=1e-9)


@pytest.mark.parametrize("periodic", [("x",), ("x", "t")])
@pytest.mark.parametrize("trial", [MLP(width=4, harmonics=3), Spectral(7), Spectral({"x": 6, "t": 5})])
def test_periodic_axes_close_with_all_derivatives(trial, periodic):
    with jax.enable_x64(True):
        params = trial.init(jax.random.PRNGKey(1), ("x", "t"), periodic, 2)
        params = jax.tree.map(lambda p: p + 0.1 * jnp.cos(jnp.arange(p.size, dtype=float)).reshape(p.shape), params)

        def field(**place):
            return trial(params, place, periodic)

        for axis in periodic:
            other = {"x": "t", "t": "x"}[axis]
            wanted = [(axis,) * k for k in range(5)] + [tuple(sorted((axis, other)))]
            ends = [partials(field, wanted)(**{"x": 0.3, "t": 0.3, axis: end}) for end in (-1.0, 1.0)]
            for partial in wanted:
                np.testing.assert_allclose(ends[0][partial], ends[1][partial], rtol=1e-9, atol=1e-9)
            assert np.all(np.abs(ends[0][(axis,)]) > 1e-6)  # something is there to agree
