"""How a stack is set in motion."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


def ricker(time, frequency: float, delay: float | None = None) -> Float[Array, "..."]:
    """Ricker's wavelet of unit height: (1 - 2 a) exp(-a), a = (pi frequency (t - delay))^2.

    frequency   at which it is strongest, Hz; at 3 times that it has fallen to 3e-3 of the peak, at 4 times to 5e-6.
    delay       when it peaks, s; by default 1.5 / frequency, before which it is below 1e-8.
    """
    a = (np.pi * frequency * (time - (1.5 / frequency if delay is None else delay))) ** 2
    return (1 - 2 * a) * jnp.exp(-a)


def hammer(time, duration: float) -> Float[Array, "..."]:
    """A blow of unit height that lasts from 0 to `duration` seconds: sin^4(pi t / duration).

    Its spectrum has fallen to 1e-3 at 3 / duration, and by 18 dB... an octave from there on.
    """
    inside = (time > 0) & (time < duration)
    return jnp.where(inside, jnp.sin(np.pi * time / duration) ** 4, 0.0)
