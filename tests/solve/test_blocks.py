"""A Jacobian that would not fit is never formed: the same answer, error bars and all, from its triangular factor."""

import jax.numpy as jnp
import numpy as np
import pytest

import lawful as lf
from lawful.solve import _fit
from lawful.solve._task import Hyper

pytestmark = pytest.mark.usefixtures("float64")


def heated(noise):
    """U = exp(-k pi^2 t) sin(pi x), k from thirty readings."""
    rng = np.random.default_rng(4)
    x, t = rng.uniform(0.1, 0.9, 30), rng.uniform(0, 1, 30)
    u = np.exp(-0.1 * np.pi**2 * t) * np.sin(np.pi * x)
    domain = lf.Box(x=(0, 1), t=(0, 1))
    return lf.Problem(
        domain, "u", {"heat": lambda u_t, u_xx, k: u_t - k * u_xx},
        [lf.Value(domain.at(t=0), u=lambda x: jnp.sin(jnp.pi * x)), lf.Value(domain.at(x=(0, 1)), u=0.0)],
        unknowns={"k": lf.Positive(0.2)},
        data=lf.Data({"x": x, "t": t, "u": u + 0.01 * rng.normal(size=30)}, noise=noise),
    )  # fmt: skip


METHOD = lf.Neural(trial=lf.MLP(width=6, depth=2), points=300)


def test_the_factor_is_that_of_the_jacobian():
    task = METHOD.task(heated(0.01))
    hyper = Hyper(jnp.asarray(task.noise.sd(np.zeros(0))), jnp.asarray(7.0), jnp.asarray(1.0))
    x = jnp.asarray(task.start)
    residual, jacobian = task.linearise(x, hyper)
    for at_once in (16, 64, 1000):
        again, triangle = task.factor(x, hyper, at_once)
        np.testing.assert_allclose(again, residual, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(triangle.T @ triangle, jacobian.T @ jacobian, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(task.data_slopes(x, hyper), jacobian[task.data_rows], rtol=1e-12)


@pytest.mark.parametrize("noise", [0.01, None])
def test_the_fit_is_the_same(noise, monkeypatch):
    whole = lf.solve(heated(noise), METHOD)
    monkeypatch.setattr(_fit, "MOST_BYTES", 10_000)
    blocks = lf.solve(heated(noise), METHOD)
    assert blocks.status.converged, blocks.status
    assert blocks["k"].value == pytest.approx(whole["k"].value, abs=0.02 * whole["k"].sd)
    assert blocks["k"].sd == pytest.approx(whole["k"].sd, rel=0.02)
    assert blocks.dof == pytest.approx(whole.dof, rel=1e-2)
    assert blocks.noise == pytest.approx(whole.noise, rel=1e-2)
