"""What is refused at the door, in which words, and what the door lets through."""

import functools
import inspect

import equinox as eqx
import jax.numpy as jnp
import pytest

from lawful.calculus import canonical, curl, derivative, divergence, gradient, laplacian, partials


def temperature(depth, time):
    return depth * time


OPERATORS = [
    lambda f, axis: derivative(f, axis),
    lambda f, axis: gradient(f, (axis,)),
    lambda f, axis: laplacian(f, (axis,)),
    lambda f, axis: divergence(f, (axis, "time")),
    lambda f, axis: curl(f, (axis, "time")),
    lambda f, axis: partials(f, ((), (axis, "time"))),
]


@pytest.mark.parametrize("operator", OPERATORS)
def test_an_unknown_axis_is_refused_with_the_known_ones_and_the_nearest(operator):
    with pytest.raises(ValueError) as caught:
        operator(temperature, "dept")
    assert str(caught.value) == ("'temperature' has no axis 'dept'; did you mean 'depth'? Its axes: depth and time.")


def test_the_nearest_is_left_out_where_none_is_near():
    with pytest.raises(ValueError, match=r"^the function has no axis 'q'\. Its axes: x and t\.$"):
        derivative(lambda x, t: x * t, "q")


def test_what_operators_return_has_the_same_axes():
    g = derivative(temperature, "depth")
    assert tuple(inspect.signature(g).parameters) == ("depth", "time")
    with pytest.raises(ValueError, match="'derivative' has no axis 'tim'; did you mean 'time'"):
        derivative(g, "tim")


def test_a_point_lacks_a_coordinate_or_has_one_too_many():
    with pytest.raises(ValueError, match="'temperature' also needs time; what came is: depth"):
        derivative(temperature, "depth")(depth=1.0)
    with pytest.raises(ValueError, match="'temperature' has no axis 'tme'; did you mean 'time'"):
        derivative(temperature, "depth")(depth=1.0, time=2.0, tme=3.0)


def test_an_array_of_points_is_refused_with_the_cure():
    with pytest.raises(ValueError, match=r"'x' has the shape \(3,\).* map it over points with jax.vmap"):
        derivative(lambda x: x**2, "x")(x=jnp.ones(3))


@pytest.mark.parametrize("wanted", ["x", ("x",), ((), "xx")])
def test_a_name_in_place_of_a_tuple_is_refused(wanted):
    with pytest.raises(ValueError, match="tuple of"):
        partials(lambda x: x, wanted)


def test_an_axis_that_is_no_name_is_refused():
    with pytest.raises(ValueError, match="an axis is a name, such as 'x', but 0 was given"):
        derivative(lambda x: x, 0)  # type: ignore[arg-type]


def test_axes_of_operators_are_distinct_and_some():
    with pytest.raises(ValueError, match="name one axis twice"):
        gradient(temperature, ("time", "time"))
    with pytest.raises(ValueError, match="no axes were given; the axes of 'temperature' are: depth and time"):
        laplacian(temperature, ())


def test_vector_operators_need_as_many_components_as_axes():
    with pytest.raises(ValueError, match=r"over x and y has 2 components .* shape \(3,\)"):
        divergence(lambda x, y: jnp.stack([x, y, x]), ("x", "y"))(x=1.0, y=2.0)
    with pytest.raises(ValueError, match=r"2 components .* shape \(\)"):
        curl(lambda x, y: x * y, ("x", "y"))(x=1.0, y=2.0)
    with pytest.raises(ValueError, match="2 or 3 axes, but 1 were given: x"):
        curl(lambda x: x, ("x",))


def test_functions_that_cannot_be_called_by_name_are_refused():
    with pytest.raises(ValueError, match="takes 'x' by position"):
        derivative(lambda x, /: x, "x")
    with pytest.raises(ValueError, match="a function of named coordinates is needed, but float 3"):
        derivative(3.0, "x")  # type: ignore[arg-type]


def test_a_partial_derivative_has_one_spelling():
    assert canonical(("x", "t", "x")) == ("t", "x", "x")
    found = partials(lambda x, t: x**2 * t, [("x", "t"), ("t", "x"), ()])(x=3.0, t=2.0)
    assert list(found) == [("t", "x"), ()]
    assert partials(lambda x: x, [])(x=1.0) == {}


class Line(eqx.Module):
    slope: float

    def __call__(self, x, *, offset=0.0):
        return self.slope * x + offset**2


@pytest.mark.parametrize(
    "f",
    [
        Line(2.0),
        functools.partial(lambda slope, x, offset: slope * x + offset**2, 2.0),
        lambda **point: 2.0 * point["x"] + point["offset"] ** 2,
        derivative(lambda x, offset: 0.5 * 2.0 * x**2 + x * offset**2, "x"),
    ],
)
def test_any_callable_with_names_is_a_field_function(f):
    found = partials(f, [(), ("x",), ("offset",)])(x=3.0, offset=1.5)
    assert [float(each) for each in found.values()] == [8.25, 2.0, 3.0]


def test_defaults_and_further_arguments_and_integers():
    assert float(derivative(Line(2.0), "offset")(x=1.0)) == 0.0
    with_parameters = lambda x, parameters: parameters["a"] * x**2
    assert float(derivative(with_parameters, "x")(x=3, parameters={"a": jnp.array(2.0)})) == 12.0
    found = partials(lambda x: (1, x > 0, None, 2.0), [(), ("x",)])(x=1.0)
    assert found["x",][2] is None
    assert [float(each) for each in found["x",] if each is not None] == [0.0, 0.0, 0.0]
    assert [each.dtype.kind for each in found[()] if each is not None] == ["i", "b", "f"]
