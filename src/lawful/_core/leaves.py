"""A pytree's arrays under names of their own, and back: what files hold."""

from __future__ import annotations

from collections.abc import Mapping

import jax
import numpy as np
from jaxtyping import PyTree


def by_name(tree: PyTree) -> dict[str, np.ndarray]:
    return {f"leaf{k}": np.asarray(leaf) for k, leaf in enumerate(jax.tree.leaves(tree))}


def put_back(found: Mapping[str, np.ndarray], like: PyTree) -> PyTree | None:
    """What `by_name` named, in the form and with the shapes of `like`; None where they do not fit."""
    leaves, form = jax.tree.flatten(like)
    saved = [found.get(f"leaf{k}") for k in range(len(leaves))]
    if any(new is None or new.shape != np.shape(old) for new, old in zip(saved, leaves, strict=True)):
        return None
    return jax.tree.unflatten(form, saved)
