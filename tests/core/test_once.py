"""What is worked out once for each object."""

import gc

import jax
import jax.numpy as jnp

from lawful._core.once import once_for_each


class Held:
    def __init__(self, number):
        self.number = number


def test_it_is_worked_out_once_for_each_object_and_forgotten_with_it():
    seen = []

    @once_for_each
    def doubled(held):
        seen.append(held.number)
        return 2 * held.number

    one, two = Held(1), Held(1)
    assert [doubled(one), doubled(two), doubled(one)] == [2, 2, 2]
    assert seen == [1, 1]
    for number in range(50):  # memory is given out again: a new object must not meet what an old one left
        held = Held(number)
        assert doubled(held) == 2 * number
        del held
        gc.collect(0)


def test_nothing_of_a_trace_is_kept():
    @once_for_each
    def made(held):
        return held.number + jnp.ones(())

    held = Held(1.0)
    inside = jax.jit(lambda x: x * made(held))
    assert inside(2.0) == 4.0
    assert made(held) == 2.0  # a number, not one of the trace that has ended
    assert jax.jit(lambda x: x + made(held))(1.0) == 3.0
