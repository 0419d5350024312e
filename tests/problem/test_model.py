"""A problem with everything filled in: each named quantity and its derivatives against formulae by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lawful._core.messages import BadInput
from lawful.geometry import Box
from lawful.problem import (
    Bounded,
    Data,
    Model,
    Positive,
    Problem,
    Real,
    Smooth,
    field_value,
    raw_size,
    scalar_values,
    unknown_field_values,
)

pytestmark = pytest.mark.usefixtures("float64")

BOX = Box(x=(-1, 3), t=(0, 2))
POINT = {"x": 0.7, "t": 1.1}


def u(x, t):
    return jnp.sin(2 * x) * jnp.exp(-t)


def v(x, t):
    return x**3 * t


def fields(**point):
    return {"u": u(**point), "v": v(**point)}


def model(raw: dict | None = None) -> Model:
    problem = Problem(
        BOX,
        "u, v",
        {"one": lambda q_x, u_t: q_x + u_t, "two": lambda w_t, v: w_t + v},
        unknowns={
            "k": Positive(2.0),
            "b": Real([1.0, -1.0]),
            "D": Positive(0.5, over="x", prior=Smooth(length=0.4, modes=6)),
        },
        constants={"g": 9.81, "m": [1.0, 2.0, 3.0]},
        derived={
            "q": lambda D, u_x: D * u_x,
            "w": lambda q, v, k: k * q * v,
            "slope": lambda u_x, t: u_x + t,
        },
        data=Data({"x": [0.0], "t": [1.0], "u": [0.0]}),
    )
    start = {name: jnp.zeros(n) for name, n in {"b": 2, "D": 7}.items()}
    return Model(problem, fields, {"k": jnp.zeros(()), **start, **(raw or {})})


RAW = {"k": 0.3, "b": np.array([0.5, -0.5]), "D": np.array([0.2, 0.9, -0.7, 0.4, 0.1, -0.3, 0.6])}


def evaluate(*names, raw=None, point=POINT):
    filled = model(raw)
    symbols = {name: filled.problem.vocabulary.resolve(name, "test") for name in names}
    return filled.evaluate(symbols, {axis: jnp.asarray(value) for axis, value in point.items()})


def test_fields_and_their_derivatives():
    x, t = POINT["x"], POINT["t"]
    s, c, e = np.sin(2 * x), np.cos(2 * x), np.exp(-t)
    want = {
        "u": s * e,
        "u_x": 2 * c * e,
        "u_t": -s * e,
        "u_xx": -4 * s * e,
        "u_xt": -2 * c * e,
        "u_tx": -2 * c * e,
        "u_xxxt": 8 * c * e,
        "v": x**3 * t,
        "v_xx": 6 * x * t,
        "v_xxt": 6 * x,
        "v_tt": 0.0,
        "x": x,
        "t": t,
        "g": 9.81,
    }
    found = evaluate(*want)
    assert set(found) == set(want)
    for name, value in want.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-13, atol=1e-14, err_msg=name)


def test_scalars_in_the_users_units():
    found = evaluate("k", "b", "m", raw=RAW)
    np.testing.assert_allclose(found["k"], 2 * np.exp(0.3), rtol=1e-14)
    np.testing.assert_allclose(found["b"], [1.5, -1.5], rtol=1e-14)
    np.testing.assert_allclose(found["m"], [1, 2, 3])
    np.testing.assert_allclose(model(RAW).scalars(POINT)["k"], 2 * np.exp(0.3))
    assert set(scalar_values(model().problem, RAW)) == {"k", "b"}


def conductivity(x, raw=RAW):
    """D by its own definition, on the axis from -1 to 3."""
    problem = model().problem
    return field_value(problem.unknowns["D"], raw["D"], {"x": (x + 1) / 4})


def test_unknown_fields_and_their_derivatives():
    x = POINT["x"]
    found = evaluate("D", "D_x", "D_xx", "D_t", raw=RAW)
    np.testing.assert_allclose(found["D"], conductivity(x), rtol=1e-13)
    h = 1e-4
    around = [float(conductivity(x + k * h)) for k in (-2, -1, 0, 1, 2)]
    np.testing.assert_allclose(found["D_x"], np.array([1, -8, 0, 8, -1]) @ around / (12 * h), rtol=1e-8)
    np.testing.assert_allclose(found["D_xx"], np.array([-1, 16, -30, 16, -1]) @ around / (12 * h**2), rtol=1e-5)
    assert found["D_t"] == 0
    values = unknown_field_values(model().problem, RAW, {"x": jnp.asarray(x), "t": jnp.asarray(0.0)})
    np.testing.assert_allclose(values["D"], found["D"], rtol=1e-14)


def test_derived_quantities_and_their_derivatives():
    """Q = D u_x, so that q_x = D_x u_x + D u_xx; w = k q v, so that w_t = k (q_t v + q v_t)."""
    x, t = POINT["x"], POINT["t"]
    d = evaluate("D", "D_x", "D_xx", "u_x", "u_xx", "u_xxx", "u_xt", "v", "v_t", "k", "u_xxt", raw=RAW)
    found = evaluate("q", "q_x", "q_t", "q_xx", "q_xt", "w", "w_t", "slope", "slope_t", "slope_x", raw=RAW)
    want = {
        "q": d["D"] * d["u_x"],
        "q_x": d["D_x"] * d["u_x"] + d["D"] * d["u_xx"],
        "q_t": d["D"] * d["u_xt"],
        "q_xx": d["D_xx"] * d["u_x"] + 2 * d["D_x"] * d["u_xx"] + d["D"] * d["u_xxx"],
        "q_xt": d["D_x"] * d["u_xt"] + d["D"] * d["u_xxt"],
        "w": d["k"] * d["D"] * d["u_x"] * x**3 * t,
        "w_t": d["k"] * d["D"] * (d["u_xt"] * d["v"] + d["u_x"] * d["v_t"]),
        "slope": d["u_x"] + t,
        "slope_t": d["u_xt"] + 1,
        "slope_x": d["u_xx"],
    }
    for name, value in want.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12, err_msg=name)


def test_functions_are_called_with_what_they_name():
    filled, point = model(RAW), {axis: jnp.asarray(value) for axis, value in POINT.items()}
    got = filled.call(lambda u_x, q, g, b, t: u_x * q + g * b[1] * t, point)
    parts = evaluate("u_x", "q", "g", "b", raw=RAW)
    np.testing.assert_allclose(got, parts["u_x"] * parts["q"] + 9.81 * -1.5 * POINT["t"], rtol=1e-13)
    np.testing.assert_allclose(filled.call(lambda u, n=3: n * u, point), 3 * evaluate("u")["u"], rtol=1e-14)
    assert filled.call(lambda: 4.0, point) == 4.0
    np.testing.assert_allclose(filled.quantity("q_x", point), evaluate("q_x", raw=RAW)["q_x"], rtol=1e-14)
    with pytest.raises(BadInput, match="the quantity uses 'qq'"):
        filled.quantity("qq", point)


def test_batches_come_by_vmap():
    filled = model(RAW)
    points = {"x": jnp.linspace(-1, 3, 5), "t": jnp.linspace(0, 2, 5)}
    batch = jax.jit(jax.vmap(lambda point: filled.quantity("w_t", point)))(points)
    for i in range(5):
        one = filled.quantity("w_t", {axis: values[i] for axis, values in points.items()})
        np.testing.assert_allclose(batch[i], one, rtol=1e-12)


def test_gradients_with_respect_to_raw_numbers_against_finite_differences():
    point = {axis: jnp.asarray(value) for axis, value in POINT.items()}
    flat, back = jax.flatten_util.ravel_pytree({name: jnp.asarray(value) for name, value in RAW.items()})

    def value(flat):
        return model(back(flat)).call(lambda w_t, q_x, b: w_t + 0.1 * q_x * b[0], point)

    slope, way, h = jax.grad(value)(flat), jnp.cos(jnp.arange(flat.size)), 1e-5
    np.testing.assert_allclose(slope @ way, (value(flat + h * way) - value(flat - h * way)) / (2 * h), rtol=1e-8)


def test_an_unknown_field_sees_only_its_own_axis():
    problem = Problem(
        BOX,
        "u",
        {"heat": lambda u_t, u_xx, source: u_t - u_xx - source},
        unknowns={"source": Bounded(-1, 1, over="t")},
    )
    raw = jnp.linspace(-1, 1, raw_size(problem.unknowns["source"]))
    filled = Model(problem, lambda **point: {"u": u(**point)}, {"source": raw})
    here, there = (filled.quantity("source", {"x": jnp.asarray(x), "t": jnp.asarray(0.5)}) for x in (-1.0, 2.0))
    later = filled.quantity("source", {"x": jnp.asarray(2.0), "t": jnp.asarray(1.5)})
    assert here == there != later
