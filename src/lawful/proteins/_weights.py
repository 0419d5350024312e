"""Networks in files: weights in half precision, with what is to be known about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .._core.files import read_arrays, write_arrays
from .._core.leaves import by_name, put_back
from .._core.messages import BadInput

Network = TypeVar("Network", bound=eqx.Module)


def save(path: str | Path, network: eqx.Module, about: dict) -> None:
    """The weights of a network, and what is to be known about them."""
    write_arrays(Path(path), by_name(jax.tree.map(np.float16, eqx.filter(network, eqx.is_inexact_array))), about)


def skeleton(make: Callable[[], Network]) -> Network:
    """What make() returns with zeros in place of its numbers: for `load`, which would draw them for nothing."""
    empty = lambda leaf: jnp.asarray(np.zeros(leaf.shape, leaf.dtype))
    is_shape = lambda leaf: isinstance(leaf, jax.ShapeDtypeStruct)
    return jax.tree.map(lambda leaf: empty(leaf) if is_shape(leaf) else leaf, eqx.filter_eval_shape(make))


def load(path: str | Path, like: Network) -> tuple[Network, dict]:
    """What `save` wrote, in the shape of `like` and in single precision, and what is known about it.

    Raises `BadInput` for a network of another shape.
    """
    found, about = read_arrays(Path(path))
    weights, rest = eqx.partition(like, eqx.is_inexact_array)
    back = put_back(found, weights)
    if back is None:
        raise BadInput(f"{path} holds a network of another shape than the one given.")
    return eqx.combine(jax.tree.map(lambda x: jnp.asarray(x, jnp.float32), back), rest), about
