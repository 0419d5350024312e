"""Compiled functions: the compiler does what pays, and no more."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.experimental.xla_metadata import set_xla_metadata

P = ParamSpec("P")
R = TypeVar("R")

KEPT = 8  # programs of each function


def compiled(long_loops: Callable[..., bool | int]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorator: compile the function at its first call, arrays traced and everything else static.

    `long_loops` is asked with the function's arguments whether it runs long loops over large arrays, which the compiler
    should then optimise. Where the work lies in linear algebra, or in loops over little, compiling would take longer
    than running. It may also answer with the level of optimisation, see `options`.

    The programs of the last few problems are kept: a session that solves thousands, each of new functions, would
    otherwise fill the memory with code that is never used again. Not to be called inside another compiled function.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.lru_cache(KEPT)
        def program(level: int, structure: Any, shapes: tuple, *fixed: object) -> Callable[[Any], R]:
            return traced_once(function, jax.tree.unflatten(structure, fixed), options(level))

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            arrays, static = eqx.partition((args, kwargs), eqx.is_array)
            shapes = tuple((leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(arrays))
            fixed, structure = jax.tree.flatten(static)
            return program(int(long_loops(*args, **kwargs)), structure, shapes, *fixed)(arrays)

        def bound(first: Any) -> Callable[..., R]:
            """The function of everything but its first argument, all of it arrays: that one is taken apart once, not
            at every call. Programs are shared with `call`."""
            held, static = eqx.partition(first, eqx.is_array)
            held = jax.tree.map(jnp.asarray, held)
            sizes = tuple((leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(held))

            @functools.cache
            def of_shapes(*shapes: tuple) -> Callable[[Any], R]:
                fixed, structure = jax.tree.flatten(((static, *(None for _ in shapes)), {}))
                return program(int(long_loops(first)), structure, (*sizes, *shapes), *fixed)

            return lambda *rest: of_shapes(*((leaf.shape, leaf.dtype) for leaf in rest))(((held, *rest), {}))

        call.bound = bound  # type: ignore[attr-defined]
        return call

    return decorate


def traced_once(function: Callable[..., R], static: Any, settings: dict[str, Any]) -> Callable[[Any], R]:
    """The function of the arrays alone, all else fixed, compiled; for arrays of always the same shapes."""
    rest: list[Any] = []  # what the function returns besides arrays, known once it was traced

    def of_arrays(arrays: Any) -> Any:
        args, kwargs = eqx.combine(arrays, static)
        found, other = eqx.partition(function(*args, **kwargs), eqx.is_array)
        rest[:] = [other]
        return found

    of_arrays.__name__ = function.__name__  # what logs and profiles show
    jitted = jax.jit(of_arrays, **settings)

    def call(arrays: Any) -> R:
        found = jitted(arrays)
        return eqx.combine(found, rest[0])

    return call


def quickly(function: Callable[P, R]) -> Callable[P, R]:
    """The function, compiled as fast as possible, to run once."""
    return jax.jit(function, **options(0))


@functools.cache
def options(level: int) -> dict[str, Any]:
    """Settings for the compiler on a CPU, where the installed one knows them; elsewhere its own defaults.

    Without the fusion emitters compilation takes half the time or less; what comes out runs as fast (measured on trial
    networks and on collocation in jaxlib 0.10). Level 1 runs as fast as the default level 3 there; level 0 takes half
    as long again for large arrays.
    """
    if jax.default_backend() != "cpu":
        return {}
    wanted = {"xla_cpu_use_fusion_emitters": False, "xla_backend_optimization_level": level}
    try:
        jax.jit(lambda: 0, compiler_options=wanted)()
    except jax.errors.JaxRuntimeError:  # a compiler that does not know them
        return {}
    return {"compiler_options": wanted}


def in_one_piece(function: Callable[P, R]) -> Callable[P, R]:
    """The function as one piece of machine code on a CPU, elsewhere as it is.

    A program of thousands of operations on a few numbers spends nearly all of its time between them: XLA calls each on
    its own. Small loops it compiles as a whole, without any calls; this asks it to do so with the function, and not to
    dissolve it into what is around it. Measured with a Taylor step of some 900 operations on single numbers: 0.6
    instead of 4 microseconds.

    The function may hold arithmetic, choices and loops alone: no linear algebra, no scatter, no calls to libraries.
    """
    if jax.default_backend() != "cpu":
        return function
    return marked(function, xla_cpu_small_call="true", inlineable="false")


def walled(function: Callable[P, R]) -> Callable[P, R]:
    """The function behind a wall: what uses its result does not compute it again.

    XLA likes to fuse cheap operations into each of those that use them. In series, where every coefficient serves in
    all the later ones, the work would multiply.
    """
    return marked(function, inlineable="false")


def marked(function: Callable[P, R], **words: str) -> Callable[P, R]:
    """The function as a call that carries words for the compiler."""
    whole = jax.jit(function)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        with set_xla_metadata(**words):
            return whole(*args, **kwargs)

    return call
