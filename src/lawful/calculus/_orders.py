"""Multi-indices: which mixed derivatives a truncated Taylor series carries.

An index (a1, a2, ...) counts how often each axis is differentiated. The coefficient that a series keeps at
an index is the derivative divided by a1! a2! ..., so that a product of series is a plain convolution.
"""

import functools
import itertools
import math
from collections.abc import Iterable

Index = tuple[int, ...]
Orders = tuple[Index, ...]
"""Indices by total order, the zero index first, with every index below each of them."""


def closure(tops: Iterable[Index]) -> Orders:
    """The smallest set of orders that holds `tops` and can be computed: everything below each top."""
    below = {index for top in tops for index in itertools.product(*(range(n + 1) for n in top))}
    return tuple(sorted(below, key=lambda index: (sum(index), index)))


def maximal(orders: Orders) -> Orders:
    """The indices that no other index exceeds: no higher coefficient depends on them."""
    held = set(orders)
    axes = range(len(orders[0]))
    return tuple(index for index in orders if not any(raised(index, axis) in held for axis in axes))


def raised(index: Index, axis: int) -> Index:
    """The index with one more derivative along `axis`."""
    return (*index[:axis], index[axis] + 1, *index[axis + 1 :])


@functools.cache
def splits(index: Index) -> tuple[tuple[Index, Index], ...]:
    """All pairs of indices with the given sum."""
    lower = itertools.product(*(range(n + 1) for n in index))
    return tuple((part, tuple(n - m for n, m in zip(index, part, strict=True))) for part in lower)


@functools.cache
def chain_weights(index: Index) -> tuple[tuple[float, Index, Index], ...]:
    """The weights b_i / g_i and the pairs (b, g - b), b_i > 0, of the chain rule at the index g.

    From y' = w u' along an axis i follows y_g = sum over b of (b_i / g_i) u_b w_(g-b). Every axis with g_i
    > 0 gives the same value; the one differentiated least often gives the fewest terms.
    """
    axis = min((i for i, n in enumerate(index) if n), key=lambda i: index[i])
    return tuple((b[axis] / index[axis], b, rest) for b, rest in splits(index) if b[axis])


def factorial(index: Index) -> int:
    """The factor a1! a2! ... that turns a coefficient into a derivative."""
    return math.prod(math.factorial(n) for n in index)
