"""The answer that a search may miss because it lies far off: the same layers in the opposite order."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._core.compilation import compiled
from ._misfit import Guess
from ._stack import Stack

STEPS = 12
LONGEST = 1.0  # of a raw number in a step: a factor of e


def mirrored(guess: Guess, x: Float[Array, " n"]) -> Float[np.ndarray, " n"] | None:
    """Unknowns for which waves feel the layers of a `Stack` in reverse order; None where the medium is no stack of
    several layers, or no values of the unknowns do that.

    What goes through a stack between alike ends goes through the turned one in the same way, so that a record of the
    far end alone cannot tell them. The turned stack fits as well as the search's answer, but where some properties are
    known its unknown ones may lie far outside of where anyone would look.
    """
    medium, _ = guess(jnp.asarray(x))
    if not isinstance(medium, Stack) or len(medium) < 2:
        return None
    wanted = felt(guess, jnp.asarray(x)).reshape(2, -1)[:, ::-1].ravel()
    found = np.asarray(x, dtype=float)
    for _ in range(STEPS):
        values, slopes = (np.asarray(part) for part in felt_with_slopes(guess, jnp.asarray(found)))
        move = np.linalg.lstsq(slopes, wanted - values, rcond=1e-9)[0]
        found = found + move * min(1.0, LONGEST / max(float(np.max(np.abs(move))), 1e-300))
        if not np.all(np.isfinite(found)):
            return None
    return found if np.max(np.abs(np.asarray(felt(guess, jnp.asarray(found))) - np.asarray(wanted))) < 1e-3 else None


def felt(guess: Guess, x: Float[Array, " n"]) -> Float[Array, " m"]:
    """Logarithms of impedances, then of travel times."""
    medium, _ = guess(x)
    return jnp.log(jnp.concatenate([medium.impedance, medium.travel_time]))


@compiled(lambda *_: True)
def felt_with_slopes(guess: Guess, x: Float[Array, " n"]) -> tuple[Float[Array, " m"], Float[Array, "m n"]]:
    return felt(guess, x), jax.jacfwd(lambda x: felt(guess, x))(x)
