"""Compiled functions: once for each problem, whatever its numbers; forgotten when they are no longer needed."""

import gc
import logging
import weakref

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful._core.compilation import KEPT, compiled, options, quickly
from lawful.solve import Collocation


class Law(eqx.Module):
    function: object
    size: np.ndarray


@compiled(lambda law, x, **_: x.size > 100)
def applied(law, x, *, shift=0.0):
    return Law(law.function, law.function(x) * law.size + shift), "label"


def test_arrays_are_traced_and_the_rest_comes_back_as_it_is():
    law = Law(jnp.sin, np.asarray(2.0))
    found, label = applied(law, jnp.arange(3.0), shift=1.0)
    assert found.function is jnp.sin
    assert label == "label"
    np.testing.assert_allclose(found.size, 2 * np.sin([0, 1, 2]) + 1, rtol=1e-6)
    for count in (2, 200, 3):  # other shapes, another level, and back
        np.testing.assert_allclose(applied(law, jnp.ones(count))[0].size, np.full(count, 2 * np.sin(1)), rtol=1e-6)


def test_other_numbers_need_no_new_code():
    traced = []

    def counted(x):
        traced.append(x)
        return x

    for size in range(5):
        applied(Law(counted, np.asarray(float(size))), jnp.full(4, 0.1 * size))
    assert len(traced) == 1


def test_old_programs_are_forgotten():
    def fresh():
        return lambda x: x + 1

    first = fresh()
    trace = weakref.ref(first)
    applied(Law(first, np.asarray(1.0)), jnp.ones(2))
    del first
    for _ in range(KEPT + 1):
        applied(Law(fresh(), np.asarray(1.0)), jnp.ones(2))
    gc.collect()
    assert trace() is None


def test_quickly():
    assert float(quickly(lambda x: 2 * x)(jnp.asarray(3.0))) == 6


def test_an_unknown_setting_of_the_compiler_is_left_out(monkeypatch):
    def refuses(*_, **settings):
        raise jax.errors.JaxRuntimeError("No such compile option")

    options.cache_clear()
    monkeypatch.setattr(jax, "jit", refuses)
    assert options(0) == {}
    monkeypatch.undo()
    options.cache_clear()
    assert bool(options(0)) == (jax.default_backend() == "cpu")  # and the one that the project pins knows them


@pytest.fixture
def compilations(caplog):
    """The names of the functions that are compiled from here on."""
    with jax.log_compiles(), caplog.at_level(logging.WARNING, logger="jax"):
        yield lambda: [r.getMessage().split()[4] for r in caplog.records if "Finished XLA comp" in r.getMessage()]


def test_new_data_of_the_same_shape_are_solved_without_new_code(compilations):
    domain, t = lf.Box(t=(0, 1)), np.linspace(0.1, 1, 12)

    def decay(u, u_t, k):
        return u_t + k * u

    def solve(rate, start):
        data = lf.Data({"t": t, "u": start * np.exp(-rate * t)}, noise=0.01)
        problem = lf.Problem(
            domain, "u", {"decay": decay}, [lf.Value(domain.at(t=0), u=start)], {"k": lf.Positive(1.0)}, data=data
        )
        return lf.solve(problem, Collocation(steps=4), progress=False)["k"].value

    assert solve(2.0, 1.0) == pytest.approx(2.0, rel=1e-6)
    before = len(compilations())
    assert "jit(moved)" in compilations()
    assert solve(3.0, 2.0) == pytest.approx(3.0, rel=1e-6)
    assert set(compilations()[before:]) <= {"jit(squares)"}  # the sizes of the laws


def test_a_bound_first_argument_gives_the_same_from_the_same_program():
    traced = []

    @compiled(lambda *_: False)
    def scaled(table, x):
        traced.append(1)
        return table["factor"] * x + len(table["name"])

    table = {"factor": np.arange(3, dtype=np.float32), "name": "ab"}
    bound = scaled.bound(table)
    x = jnp.ones(3)
    np.testing.assert_allclose(bound(x), scaled(table, x))
    np.testing.assert_allclose(bound(2 * x), 2 * np.arange(3.0) + 2)
    assert len(traced) == 1
    bound(jnp.ones((1, 3)))  # another shape is another program
    assert len(traced) == 2
