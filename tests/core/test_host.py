"""Functions of NumPy arrays within compiled code."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lawful._core.host import carried, in_place, on_host


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("way", [in_place, carried, on_host])
def test_numbers_keep_their_precision_in_whatever_thread(way):
    """Where its input is not there yet, compiled code runs in another thread, in which x64 is not switched on."""

    @jax.jit
    def told(field):
        shapes = (jax.ShapeDtypeStruct((3,), field.dtype), jax.ShapeDtypeStruct((), jnp.int32))
        return way(lambda x: (x + np.array([0.0, 1e-12, 1.0]), np.int32(x.size)), shapes, field[:3, 0] + np.pi)

    slow = jax.jit(lambda a: jax.lax.fori_loop(0, 20, lambda _, b: a @ b, a))
    values, size = told(0 * slow(jnp.eye(400)))
    assert size == 3
    assert np.array_equal(values, np.pi + np.array([0.0, 1e-12, 1.0]))
    both = jax.vmap(told)(jnp.stack([jnp.zeros((4, 1)), jnp.ones((4, 1))]))[0]
    assert np.array_equal(both[1] - both[0], np.full(3, np.pi + 1.0) - np.pi)
