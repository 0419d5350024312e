"""How a stack is set in motion."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


def ricker(time, frequency: float, delay: float | None = None) -> Float[Array, "..."]:
    """Ricker's wavelet of unit height: (1 - 2 a) exp(-a), a = (pi frequency (t - delay))^2.

    frequency   at which it is strongest, Hz; at 3 times that it has fallen to 3e-3 of the peak, at 4 times to 5e-6.
    delay       when it peaks, s; by default 2 / frequency, so that it begins at 1e-15: a jump at the beginning, however
                small, has no end of high frequencies, which samples do not hold.
    """
    a = (np.pi * frequency * (time - (2 / frequency if delay is None else delay))) ** 2
    return (1 - 2 * a) * jnp.exp(-a)


def hammer(time, duration: float) -> Float[Array, "..."]:
    """A blow of unit height that lasts from 0 to `duration` seconds: sin^4(pi t / duration).

    Its spectrum ends at 3 / duration but for side lobes below 0.005, which fall with the fifth power of frequency.
    """
    inside = (time > 0) & (time < duration)
    return jnp.where(inside, jnp.sin(np.pi * time / duration) ** 4, 0.0)
