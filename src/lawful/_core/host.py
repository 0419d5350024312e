"""Functions of NumPy arrays within compiled code, in the precision that was asked for and on any number of cores."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.buffer_callback import buffer_callback


def on_host(function: Callable[..., Any], like: Any, *given: jax.Array) -> Any:
    """What `function` makes of arrays; pure, mapped one after the other, without a derivative of its own.

    function  of NumPy arrays, returns arrays in the structure of `like`.
    like      `jax.ShapeDtypeStruct`, or a tuple of them.

    `jax.pure_callback` runs in whatever thread computes: outside the one in which x64 was asked for it rounds numbers
    to single precision or fails, and where one thread does all the computing it may wait for itself.
    """
    here, there = (functools.partial(way, function, like) for way in (in_place, carried))
    return jax.lax.platform_dependent(*given, cpu=here, default=there)


def in_place(function: Callable[..., Any], like: Any, *given: jax.Array) -> Any:
    """On the memory where the numbers are."""

    def call(_: Any, out: Any, *given: Any) -> None:
        found = function(*(np.asarray(each) for each in given))
        for place, value in zip(jax.tree.leaves(out), jax.tree.leaves(found), strict=True):
            np.asarray(place)[...] = value

    return buffer_callback(call, like, vmap_method="sequential")(*given)


def carried(function: Callable[..., Any], like: Any, *given: jax.Array) -> Any:
    """From a device and back as words of 32 bits, which nothing rounds."""
    kinds = [np.dtype(each.dtype) for each in given]

    def call(*words: Any) -> Any:
        found = function(*(from_words(np.asarray(each), kind) for each, kind in zip(words, kinds, strict=True)))
        return jax.tree.map(lambda value, shape: to_words(np.asarray(value, shape.dtype)), found, like)

    as_words = lambda each: jax.lax.bitcast_convert_type(each, jnp.uint32)
    shapes = jax.tree.map(lambda s: jax.eval_shape(as_words, s), like)
    found = jax.pure_callback(call, shapes, *map(as_words, given), vmap_method="sequential")
    return jax.tree.map(lambda words, shape: jax.lax.bitcast_convert_type(words, shape.dtype), found, like)


def to_words(field: np.ndarray) -> np.ndarray:
    wide = () if field.dtype.itemsize == 4 else (2,)
    return np.ascontiguousarray(field).view(np.uint32).reshape((*field.shape, *wide))


def from_words(words: np.ndarray, kind: np.dtype) -> np.ndarray:
    shape = words.shape if kind.itemsize == 4 else words.shape[:-1]
    return np.ascontiguousarray(words).view(kind).reshape(shape)
