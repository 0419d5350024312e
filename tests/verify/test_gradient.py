"""check_gradient passes what is right, refuses what is wrong, and says where."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lawful as lf


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_a_right_gradient_passes(seed):
    rng = np.random.default_rng(seed)
    at = {"a": rng.normal(size=3), "b": rng.normal()}
    found = lf.check_gradient(lambda p: jnp.sum(jnp.sin(p["a"]) * jnp.exp(p["b"])), at)
    assert found.passed
    assert found.error < 1e-7


def test_a_wrong_entry_is_named():
    def gradient(p):
        return {"a": jnp.cos(p["a"]).at[1].mul(1.001), "b": jnp.zeros(2)}

    with pytest.raises(lf.NotTrusted, match=r"first of all at \['a'\]\[1\]"):
        lf.check_gradient(lambda p: jnp.sum(jnp.sin(p["a"])), {"a": np.arange(3.0), "b": np.ones(2)}, gradient)
    found = lf.check_gradient(
        lambda p: jnp.sum(jnp.sin(p["a"])), {"a": np.arange(3.0), "b": np.ones(2)}, gradient, refuse=False
    )
    assert not found.passed
    assert found.where[0][1] == pytest.approx(1.001 * found.where[0][2], rel=1e-6)


def test_the_remainder_falls_with_the_second_order_only_for_a_right_gradient():
    right = lf.check_gradient(lambda x: jnp.sum(jnp.exp(x)), np.ones(2))
    wrong = lf.check_gradient(lambda x: jnp.sum(jnp.exp(x)), np.ones(2), lambda x: 1.1 * jnp.exp(x), refuse=False)
    assert right.order == pytest.approx(2, abs=0.1)
    assert wrong.order == pytest.approx(1, abs=0.1)


def test_a_derivative_that_was_cut_is_found():
    """A bounce whose velocity flips at a fixed step: forward right, gradient wrong, nothing throws."""

    def height(h):
        return jnp.sum(jax.lax.stop_gradient(h) * h)

    with pytest.raises(lf.NotTrusted, match="wrong"):
        lf.check_gradient(height, np.array([1.0, 2.0]))


def test_a_kink_is_called_one():
    found = lf.check_gradient(lambda x: jnp.sum(jnp.abs(x)), np.array([0.0, 1.0]), refuse=False)
    assert not found.passed
    assert "kink at x[0]" in found.reason


def test_a_gradient_that_is_not_a_number_is_named():
    found = lf.check_gradient(lambda x: jnp.sum(jnp.sqrt(x * x)), np.array([1.0, 0.0]), refuse=False)
    assert not found.passed
    assert found.where[0][0] == "x[1]"
    assert "nan" in found.reason


def test_what_has_no_value_is_bad_input():
    with pytest.raises(lf.BadInput, match="finite"):
        lf.check_gradient(lambda x: jnp.log(x), -1.0)
    with pytest.raises(lf.BadInput, match="entries"):
        lf.check_gradient(lambda x: jnp.sum(x), np.ones(3), lambda x: jnp.ones(2))
