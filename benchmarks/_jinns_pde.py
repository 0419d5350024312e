"""One partial differential equation with jinns (JAX), as a whole process, in the peers' environment.

    .cache/peers/bin/python benchmarks/_jinns_pde.py --case burgers --budget 600 --out RUN.json

Settings and where they come from: jinns' own notebooks, as they are published with version 1.10.2; only its documented
interface is used, in double precision, as there.

burgers: "Burgers equation in 1D", the network (not the separable one): 2-16-16-16-1, tanh; 900 points inside, 2000 on
    the sides, 2000 at the start; unit loss weights; natural gradient descent with its defaults, 300 iterations.
burgers-inverse: "Burgers equation in 1D: joint estimation", which has one unknown coefficient; here both, from the
    benchmark's common guess and samples, all in every batch: 2-16-16-1, tanh; 1024 points inside, 1024 at the start, 2
    on the sides; unit loss weights. It publishes several optimisers; two are run: natural gradient with Adam 1e-3 for
    the coefficients, 1500 iterations, and SSBFGS for all, 1000 iterations (--variant ssbfgs).
disk: none; jinns samples points in boxes only.

The loop of jinns is one compiled piece; a validation module, its documented way to look in, notes time and parameters
every few iterations, and errors are computed from them afterwards, off the clock. Reports of the loss are off.
"""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
from _pde_cases import GUESS, VISCOSITY, Record, run_contender, samples

BEGUN = time.monotonic()
LOOKS = 60  # in a run, about


def burgers(seed: int, record: Record, _variant: str) -> dict:
    """Forward: the notebook as it is published."""
    import jinns  # pyright: ignore[reportMissingImports]

    jax, keys = prepared(seed)
    u, network = mlp(keys[0], (2, 16, 16, 16, 1))
    params = jinns.parameters.Params(nn_params=network, eq_params={"nu": jax.numpy.array(VISCOSITY)})
    loss = jinns.loss.LossPDENonStatio(
        u=u,
        loss_weights=jinns.loss.LossWeightsPDENonStatio(dyn_loss=1, initial_condition=1, boundary_loss=1),
        dynamic_loss=jinns.loss.BurgersEquation(Tmax=1),
        boundary_condition=jinns.loss.Dirichlet(),
        initial_condition_fun=start,
        params=params,
    )
    given = {"data": points(keys[1], 900, 2000, 2000), "optimizer": jinns.optimizers.vanilla_ngd()}
    return train(loss, u, params, 300, record, given)


def burgers_inverse(seed: int, record: Record, variant: str) -> dict:
    """Both coefficients and u from samples of u."""
    import jinns  # pyright: ignore[reportMissingImports]
    import optax

    jax, keys = prepared(seed)
    u, network = mlp(keys[0], (2, 16, 16, 1))
    unknowns = {name: jax.numpy.array([value]) for name, value in GUESS.items()}
    params = jinns.parameters.Params(nn_params=network, eq_params=unknowns)
    data = samples(seed)
    seen = jinns.data.DataGeneratorObservations(
        key=keys[2],
        obs_batch_size=None,
        observed_pinn_in=jax.numpy.stack([data["t"], data["x"]], axis=1),
        observed_values=jax.numpy.asarray(data["u"][:, None]),
    )
    everything = jinns.parameters.Params(nn_params=True, eq_params=dict.fromkeys(GUESS, True))
    loss = jinns.loss.LossPDENonStatio(
        u=u,
        loss_weights=jinns.loss.LossWeightsPDENonStatio(
            dyn_loss=1.0, initial_condition=1.0, boundary_loss=1.0, observations=1.0
        ),
        dynamic_loss=law()(Tmax=1),
        derivative_keys=jinns.parameters.DerivativeKeysPDENonStatio.from_str(
            dyn_loss=everything,
            boundary_loss="nn_params",
            initial_condition="nn_params",
            observations="nn_params",
            params=params,
        ),
        boundary_condition=jinns.loss.Dirichlet(),
        initial_condition_fun=start,
    )
    given = {"data": points(keys[1], 1024, 2, 1024), "obs_data": seen, "key": keys[3]}
    if variant == "ssbfgs":
        return train(loss, u, params, 1000, record, {**given, **ssbfgs()})
    descent = jinns.optimizers.vanilla_ngd(eq_params_tx={name: optax.adam(1e-3) for name in GUESS})
    return train(loss, u, params, 1500, record, {**given, "optimizer": descent})


def prepared(seed: int):
    """JAX in double precision, as in the notebooks, and random keys."""
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax, jax.random.split(jax.random.PRNGKey(seed), 4)


def start(x):
    import jax.numpy as jnp

    return -jnp.sin(jnp.pi * x)


def mlp(key, widths: tuple[int, ...]):
    """A network with tanh between its layers, and its parameters."""
    import equinox as eqx
    import jax
    import jinns  # pyright: ignore[reportMissingImports]

    layers: list[tuple] = []
    for inner, outer in pairwise(widths):
        layers += [(eqx.nn.Linear, inner, outer), (jax.nn.tanh,)]
    return jinns.nn.PINN_MLP.create(key=key, eqx_list=tuple(layers[:-1]), eq_type="PDENonStatio")


def points(key, inside: int, sides: int, begin: int):
    """Uniform random points of space-time."""
    import jinns  # pyright: ignore[reportMissingImports]

    counts = {"n": inside, "nb": sides, "ni": begin, "dim": 1}
    ends = {"min_pts": (-1,), "max_pts": (1,), "tmin": 0, "tmax": 1}
    return jinns.data.CubicMeshPDENonStatio(key=key, method="uniform", **counts, **ends)


def law():
    """Burgers' law with two coefficients, as a user of jinns states one."""
    import jax
    import jax.numpy as jnp
    import jinns  # pyright: ignore[reportMissingImports]

    class Burgers(jinns.loss.PDENonStatio):
        def equation(self, t_x, u, params):
            field = lambda t_x: jnp.squeeze(u(t_x, params))
            slopes = jax.grad(field)(t_x)
            bend = jax.grad(lambda t_x: jax.grad(field)(t_x)[1])(t_x)[1]
            known = params.eq_params
            return slopes[0] + known.l1 * field(t_x) * slopes[1] - known.l2 * bend

    return Burgers


def ssbfgs() -> dict:
    """The self-scaled quasi-Newton method with what its line search asks for."""
    import jinns  # pyright: ignore[reportMissingImports]

    def callback_value_fn(params, batch, loss):
        return loss.evaluate(params, batch)[0]

    def callback_grad_fn(params, batch, loss):
        return loss.ponderate_and_sum_gradient(loss.values_and_grads(params, batch)[1])

    named = {"value": "train_loss_value", "grad_pt": "grads", "batch": "batch", "loss": "loss"}
    wanted = {name: jinns.solver.GetJinnsVariableName(variable) for name, variable in named.items()}
    return {
        "optimizer": jinns.optimizers.scale_by_SSBroyden_family(method="SSBFGS"),
        "extra_optax_args_and_kwargs": {**wanted, "value_fn": callback_value_fn, "grad_fn": callback_grad_fn},
    }


def train(loss, u, params, iterations: int, record: Record, given: dict) -> dict:
    """One call of `jinns.solve`, watched from inside; errors afterwards."""
    import jax
    import jinns  # pyright: ignore[reportMissingImports]

    every = max(1, iterations // LOOKS)
    seen = [(record.seconds(), 0, params)]

    def look(params) -> np.ndarray:
        seen.append((record.seconds(), 1 + (len(seen) - 1) * every, jax.tree.map(np.asarray, params)))
        return np.array(seen[-1][0] > record.budget)

    watch = validation()(call_every=every, look=look)
    final = jinns.solve(init_params=params, loss=loss, n_iter=iterations, validation=watch, verbose=False, **given)
    over = seen[-1][0] > record.budget
    if not over:
        seen.append((record.seconds(), iterations, jax.block_until_ready(final[0])))
    field = jax.jit(jax.vmap(lambda params, x, t: u(jax.numpy.stack([t, x]), params)[0], in_axes=(None, 0, 0)))
    names = [name for name in GUESS if name in record.case.errors]
    for when, iteration, found in seen:
        values = {name: float(np.ravel(getattr(found.eq_params, name))[0]) for name in names}
        record(iteration, lambda x, t, found=found: field(found, x, t), values, at=when)
    return {
        "iterations": seen[-1][1],
        "budget_spent": over,
        "status": "ended at the budget" if over else "the published schedule to its end",
    }


def validation():
    """A validation module that shows the parameters to a function of the host, and stops when that says so."""
    from collections.abc import Callable

    import equinox as eqx
    import jax
    import jax.numpy as jnp
    from jax.experimental import io_callback
    from jinns.validation import AbstractValidationModule  # pyright: ignore[reportMissingImports]

    class Watch(AbstractValidationModule):
        call_every: int = eqx.field(kw_only=True)
        look: Callable = eqx.field(kw_only=True, static=True)

        def __call__(self, params):
            over = io_callback(self.look, jax.ShapeDtypeStruct((), bool), params)
            return self, over, jnp.array(0.0), jnp.array(False)

    return Watch


if __name__ == "__main__":
    cases = {"burgers": burgers, "burgers-inverse": burgers_inverse}
    run_contender(cases, "jinns", ["jinns", "jax", "numpy"], __doc__, BEGUN)
