"""float64 is asked for where it is needed, never switched on at import."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ParamSpec, TypeVar

import jax

P = ParamSpec("P")
R = TypeVar("R")


def float64() -> AbstractContextManager:
    """A context in which JAX computes in double precision; outside it the user's own setting stands."""
    return jax.enable_x64(True)


def in_float64(function: Callable[P, R]) -> Callable[P, R]:
    """Decorator: run the function in the double-precision context."""

    @functools.wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with float64():
            return function(*args, **kwargs)

    return wrapped


def use_compilation_cache(folder: str | os.PathLike | None = None) -> Path:
    """Keep compiled code on disk, so that second runs start fast; programs call it, the library never does."""
    path = Path(folder or os.environ.get("JAX_COMPILATION_CACHE_DIR") or ".cache/jax").absolute()
    jax.config.update("jax_compilation_cache_dir", str(path))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    return path
