"""Heat carried along a channel: the truth in closed form, and a first-order upwind solver of it."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

KAPPA, FLOW = 0.5, 2.0
PULSE = ((3 / 8, 0.0), (-1 / 2, 2 * np.pi), (1 / 8, 4 * np.pi))
"""The inlet temperature ((1 - cos 2 pi t) / 2)^2 as cosines: amplitude and frequency."""
MODES = 60


def inlet(t):
    return (0.5 * (1 - jnp.cos(2 * jnp.pi * t))) ** 2


def exact(x: np.ndarray, t: np.ndarray, flow: float = FLOW, kappa: float = KAPPA) -> np.ndarray:
    """U of u_t + c u_x = kappa u_xx, u(0, t) = inlet, u(1, t) = 0, u(x, 0) = 0, for t of 0.02 or more.

    With u = e^(c x / 2 kappa) w the flow drops out of the derivatives. Each cosine of the inlet drives a periodic part
    sinh(q (1 - x)) / sinh(q), q^2 = c^2 / 4 kappa^2 + i omega / kappa, and a transient of sines that decay with
    lambda_n = kappa n^2 pi^2 + c^2 / 4 kappa; at t = 0.02 sixty of them leave less than 1e-16.
    """
    x, t = np.asarray(x, dtype=float), np.asarray(t, dtype=float)
    whole = np.zeros(np.broadcast(x, t).shape)
    n = np.arange(1, MODES + 1)
    decay = kappa * (n * np.pi) ** 2 + flow**2 / (4 * kappa)
    for amplitude, omega in PULSE:
        q = np.sqrt(flow**2 / (4 * kappa**2) + 1j * omega / kappa)
        shape = 1 - x if q == 0 else np.sinh(q * (1 - x)) / np.sinh(q)
        whole += amplitude * np.real(shape * np.exp(1j * omega * t))
        size = 2 * kappa * n * np.pi * np.real(amplitude / (decay + 1j * omega))
        whole -= np.sum(size * np.exp(-decay * t[..., None]) * np.sin(n * np.pi * x[..., None]), axis=-1)
    return np.exp(flow * x / (2 * kappa)) * whole


def upwind(cells: int, x: np.ndarray, t: np.ndarray):
    """A textbook solver: upwind differences for the flow, central ones for conduction, implicit Euler in time, as many
    steps as cells. Returns predictions at (x, t) as a function of (amplitude of the inlet, coefficients of u_xx and u
    added to the law): u_t + c u_x - kappa u_xx + a u_xx + b u = 0.
    """
    import jax

    h = 1.0 / cells
    grid = np.linspace(0, 1, cells + 1)
    steps = np.linspace(0, 1, cells + 1)
    # Bilinear interpolation of the mesh, once and for all.
    i, j = (
        np.clip(np.searchsorted(line, place, side="right") - 1, 0, cells - 1) for line, place in ((grid, x), (steps, t))
    )
    p, q = (x - grid[i]) / h, (t - steps[j]) / h

    def predict(numbers):
        amplitude, diffusion, reaction = numbers
        kappa = KAPPA - diffusion
        inner = jnp.arange(1, cells)
        left, right = -(kappa / h**2 + FLOW / h), -kappa / h**2 * jnp.ones(())
        matrix = jnp.zeros((cells + 1, cells + 1)).at[0, 0].set(1.0).at[cells, cells].set(1.0)
        matrix = matrix.at[inner, inner].set(1 / h + 2 * kappa / h**2 + FLOW / h + reaction)
        matrix = matrix.at[inner, inner - 1].set(left).at[inner, inner + 1].set(right)
        factors = jax.scipy.linalg.lu_factor(matrix)

        def step(u, time):
            right = (u / h).at[0].set(amplitude * inlet(time)).at[cells].set(0.0)
            after = jax.scipy.linalg.lu_solve(factors, right)
            return after, after

        _, rows = jax.lax.scan(step, jnp.zeros(cells + 1), jnp.asarray(steps[1:]))
        u = jnp.concatenate([jnp.zeros((1, cells + 1)), rows])
        before, after = u[j], u[j + 1]
        index = jnp.arange(len(x))

        def on(line):
            return (1 - p) * line[index, i] + p * line[index, i + 1]

        return (1 - q) * on(before) + q * on(after)

    return predict
