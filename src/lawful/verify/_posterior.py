"""The whole posterior of the fitted numbers, where a Gaussian around the best fit is not enough."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput
from ._base import ForwardModel, Measurements
from ._fitting import Fit


@dataclass(frozen=True)
class Posterior:
    """Draws of the raw numbers that were fitted (draws, free), the acceptance of the sampler, and how many steps of it
    diverged. `rhat` is the largest over the numbers between two chains (1 for perfect mixing)."""

    draws: Float[np.ndarray, "draws free"]
    acceptance: float
    diverged: int
    rhat: float

    @property
    def covariance(self) -> Float[np.ndarray, "free free"]:
        return np.atleast_2d(np.cov(self.draws.T))


def posterior(model: ForwardModel, data: Measurements, found: Fit, draws: int = 500, seed: int = 0) -> Posterior:
    """Two chains of the No-U-Turn sampler from blackjax (extra `bayes`), in coordinates in which the Gaussian
    approximation is round; readings have the noise of the fit, and raw numbers are as likely as any other where no
    prior row says otherwise.

    Gradients are J' r with the slopes of the linearised solver. Raises `BadInput` where blackjax is not installed.
    Source: Hoffman and Gelman, J. Mach. Learn. Res. 15, 1593 (2014).
    """
    try:
        import blackjax
    except ImportError:
        raise BadInput("sampling the posterior needs blackjax; install it with pip install 'lawful[bayes]'.") from None
    import jax
    import jax.numpy as jnp

    from .._core.host import on_host
    from .._core.precision import float64

    places, size = list(found.free), len(found.free)
    values, vectors = np.linalg.eigh(found.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    directions = np.eye(len(found.x))[:, places]

    def evaluated(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = found.x.copy()
        x[places] += root @ np.asarray(z, dtype=float)
        predicted, slopes = model.linearise(x, directions)
        rows = (predicted - data.values) / found.sd
        gradient = -root.T @ ((slopes / found.sd[:, None]).T @ rows)
        value = -0.5 * float(rows @ rows)
        good = math.isfinite(value) and bool(np.all(np.isfinite(gradient)))
        return np.asarray(value if good else -1e30), gradient if good else np.zeros(size)

    shapes = (jax.ShapeDtypeStruct((), jnp.float64), jax.ShapeDtypeStruct((size,), jnp.float64))

    @jax.custom_jvp
    def density(z):
        return on_host(evaluated, shapes, z)[0]

    @density.defjvp
    def rule(primals, tangents):
        value, gradient = on_host(evaluated, shapes, primals[0])
        return value, gradient @ tangents[0]

    with float64():
        kernel: Any = blackjax.nuts(density, step_size=0.7, inverse_mass_matrix=jnp.ones(size))
        step = jax.jit(kernel.step)
        chains, rates, lost = [], [], 0
        warm = max(draws // 10, 20)
        for chain in range(2):
            key = jax.random.PRNGKey(2 * seed + chain)
            state = kernel.init(0.5 * jax.random.normal(key, (size,)))
            kept = []
            for index, each in enumerate(jax.random.split(key, warm + -(-draws // 2))):
                state, info = step(each, state)
                if index >= warm:
                    kept.append(np.asarray(state.position))
                    rates.append(float(info.acceptance_rate))
                    lost += bool(info.is_divergent)
            chains.append(np.stack(kept))
    flat = found.x[places] + np.concatenate(chains) @ root.T
    return Posterior(flat, float(np.mean(rates)), lost, between(chains))


def between(chains: list[Float[np.ndarray, "draws n"]]) -> float:
    """The potential scale reduction. Source: Gelman and Rubin, Statist. Sci. 7, 457 (1992)."""
    count = len(chains[0])
    inner = np.mean([np.var(c, axis=0, ddof=1) for c in chains], axis=0)
    outer = count * np.var([np.mean(c, axis=0) for c in chains], axis=0, ddof=1)
    return float(
        np.max(np.sqrt(((count - 1) / count * inner + outer / count) / np.maximum(inner, 1e-300)), initial=1.0)
    )
