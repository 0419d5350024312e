"""Where the coefficients of a series are kept while they are found, one order after another.

`Rolled` keeps them in one array that a loop fills: programs stay small and compile fast. `Listed` keeps them in a list
that Python fills: every product is written out, which runs several times faster and takes longer to compile. `Still` is
a quantity that does not move. A value is an array or a `Ball` of arrays.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array

Value = Any
"""An array, or a `Ball` of arrays."""


class Still(eqx.Module):
    """A quantity whose coefficients beyond the first are zero."""

    value: Value

    def at(self, k) -> Value:
        del k
        return self.value


class Rolled(eqx.Module):
    """Coefficients 0 ... `order` in an array, behind as many zeros; those not yet found are zero too."""

    rows: Value
    order: int = eqx.field(static=True)

    @classmethod
    def begin(cls, value: Value, order: int) -> Rolled:
        def begun(x: Array) -> Array:
            zeros = jnp.zeros((2 * order + 1, *jnp.shape(x)), jnp.result_type(x))
            return lax.dynamic_update_index_in_dim(zeros, x, order, 0)

        return cls(jax.tree.map(begun, value), order)

    def at(self, k) -> Value:
        return jax.tree.map(lambda x: lax.dynamic_index_in_dim(x, self.order + k, 0, keepdims=False), self.rows)

    def having(self, k, value: Value) -> Rolled:
        def put(rows: Array, x: Array) -> Array:
            return lax.dynamic_update_index_in_dim(rows, x.astype(rows.dtype), self.order + k, 0)

        return Rolled(jax.tree.map(put, self.rows, value), self.order)

    def ascending(self) -> Value:
        """Coefficients 0 ... order along a first axis."""
        return jax.tree.map(lambda x: x[self.order :], self.rows)

    def descending(self, k) -> Value:
        """Coefficients k, k-1, ..., k-order along a first axis, zero below 0."""
        window = lambda x: jnp.flip(lax.dynamic_slice_in_dim(x, k, self.order + 1, 0), 0)
        return jax.tree.map(window, self.rows)


class Listed(eqx.Module):
    """Coefficients in a list, as far as they are known."""

    found: tuple[Value, ...]

    @classmethod
    def begin(cls, value: Value, order: int) -> Listed:
        del order
        return cls((value,))

    def at(self, k: int) -> Value:
        return self.found[k]

    def having(self, k: int, value: Value) -> Listed:
        assert k == len(self.found)
        return Listed((*self.found, value))

    def settled(self, once) -> Listed:
        """With the last coefficient behind `once`."""
        return Listed((*self.found[:-1], once(self.found[-1])))

    def ascending(self) -> Value:
        return jax.tree.map(lambda *parts: jnp.stack(parts), *self.found)


Kept = Any
"""A `Still`, a `Rolled` or a `Listed`."""
