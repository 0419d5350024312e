"""Long sums in blocks that fit the processor's cache."""

from __future__ import annotations

from collections.abc import Callable

import jax
from jax import lax
from jaxtyping import Array, PyTree


def summed(function: Callable[[PyTree], Array], rows: PyTree, block: int) -> Array:
    """function(rows), which is a sum over rows, from blocks of them on a CPU and at once elsewhere.

    Nothing but the sum is kept between blocks, not for derivatives either, which do each block again: what is done
    twice in the cache takes less time than what is fetched from memory.
    """
    count = jax.tree.leaves(rows)[0].shape[0]
    if count <= block or jax.default_backend() != "cpu":
        return function(rows)
    whole = count // block * block
    folded = jax.tree.map(lambda x: x[:whole].reshape(-1, block, *x.shape[1:]), rows)
    rest = function(jax.tree.map(lambda x: x[whole:], rows))
    again = jax.checkpoint(lambda part: function(part))  # which has to be a plain function
    return lax.scan(lambda total, part: (total + again(part), None), rest, folded)[0]
