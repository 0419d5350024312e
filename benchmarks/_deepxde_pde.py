"""One partial differential equation with DeepXDE (PyTorch back end), as a whole process, in the peers' environment.

    .cache/peers/bin/python benchmarks/_deepxde_pde.py --case burgers --budget 600 --out RUN.json

Settings and where they come from. Everything is DeepXDE's own published recipe unless it says otherwise; only its
documented interface is used, in its default precision (float32). The number of threads is PyTorch's default unless
OMP_NUM_THREADS says otherwise.

burgers: the demonstration "Burgers equation" (demos/pinn_forward/burgers): 2-20-20-20-1, tanh, Glorot normal; 2540
    points inside, 80 on the sides, 160 at the start; Adam 1e-3 for 15 000 iterations, then L-BFGS with its defaults.
burgers-inverse: DeepXDE publishes no inverse of Burgers' equation, so this is the recipe above with what its inverse
    demonstrations add: a `PointSetBC` of the samples, the same places as anchors, the coefficients as external
    trainable variables.
disk: the demonstration "Poisson equation over an L-shaped domain" (demos/pinn_forward/poisson.lshape), which solves
    this very equation, over `Disk` instead: 2-50-50-50-50-1, tanh, Glorot uniform; 1200 points inside, 120 on the
    edge; Adam 1e-3 for 50 000 iterations, then L-BFGS.

Left out in DeepXDE's favour: plotting and saving the history after training. Kept: its report of the loss every 1000
iterations. Errors are recorded every 250 iterations of Adam and after each of L-BFGS' calls, off the clock.
"""

from __future__ import annotations

import os
import time

from _pde_cases import GUESS, VISCOSITY, Record, run_contender, samples

BEGUN = time.monotonic()
RECORD_EVERY = 250


def burgers(seed: int, record: Record, _variant: str) -> dict:
    """Forward: the demonstration as it is published."""
    dde = library(seed)
    span, conditions = burgers_conditions(dde)

    def residual(x, u):
        rate, slope = dde.grad.jacobian(u, x, j=1), dde.grad.jacobian(u, x, j=0)
        return rate + u * slope - VISCOSITY * dde.grad.hessian(u, x, i=0, j=0)

    points = dde.data.TimePDE(span, residual, conditions, num_domain=2540, num_boundary=80, num_initial=160)
    model = dde.Model(points, dde.nn.FNN([2] + [20] * 3 + [1], "tanh", "Glorot normal"))
    return train(dde, model, 15_000, record, {})


def burgers_inverse(seed: int, record: Record, _variant: str) -> dict:
    """The same with both coefficients unknown, and samples of u."""
    import numpy as np

    dde, data = library(seed), samples(seed)
    unknowns = {name: dde.Variable(value) for name, value in GUESS.items()}
    span, conditions = burgers_conditions(dde)

    def residual(x, u):
        rate, slope = dde.grad.jacobian(u, x, j=1), dde.grad.jacobian(u, x, j=0)
        return rate + unknowns["l1"] * u * slope - unknowns["l2"] * dde.grad.hessian(u, x, i=0, j=0)

    places = np.stack([data["x"], data["t"]], axis=1)
    seen = dde.icbc.PointSetBC(places, data["u"][:, None])
    counts = {"num_domain": 2540, "num_boundary": 80, "num_initial": 160}
    points = dde.data.TimePDE(span, residual, [*conditions, seen], anchors=places, **counts)
    model = dde.Model(points, dde.nn.FNN([2] + [20] * 3 + [1], "tanh", "Glorot normal"))
    return train(dde, model, 15_000, record, unknowns)


def disk(seed: int, record: Record, _variant: str) -> dict:
    """Poisson's equation with the recipe of the L-shaped domain."""
    dde = library(seed)
    shape = dde.geometry.Disk([0.0, 0.0], 1.0)

    def residual(x, u):
        return -dde.grad.hessian(u, x, i=0, j=0) - dde.grad.hessian(u, x, i=1, j=1) - 1.0

    edge = dde.icbc.DirichletBC(shape, lambda _: 0.0, lambda _, on_boundary: on_boundary)
    points = dde.data.PDE(shape, residual, edge, num_domain=1200, num_boundary=120)
    model = dde.Model(points, dde.nn.FNN([2] + [50] * 4 + [1], "tanh", "Glorot uniform"))
    return train(dde, model, 50_000, record, {})


def library(seed: int):
    """DeepXDE with a seed; not by `set_random_seed`, which also asks for slower, deterministic kernels."""
    os.environ.setdefault("DDE_BACKEND", "pytorch")
    import deepxde as dde  # pyright: ignore[reportMissingImports]
    import numpy as np
    import torch  # pyright: ignore[reportMissingImports]

    np.random.seed(seed)  # noqa: NPY002 - the generator that DeepXDE draws its points with
    torch.manual_seed(seed)
    return dde


def burgers_conditions(dde):
    """Space-time, and the walls and the start as penalties."""
    import numpy as np

    span = dde.geometry.GeometryXTime(dde.geometry.Interval(-1, 1), dde.geometry.TimeDomain(0, 0.99))
    walls = dde.icbc.DirichletBC(span, lambda _: 0.0, lambda _, on_boundary: on_boundary)
    start = dde.icbc.IC(span, lambda x: -np.sin(np.pi * x[:, 0:1]), lambda _, on_initial: on_initial)
    return span, [walls, start]


def train(dde, model, iterations: int, record: Record, unknowns: dict) -> dict:
    """Adam, then L-BFGS."""
    import torch  # pyright: ignore[reportMissingImports]

    variables = list(unknowns.values())
    watch = recorder(dde, record, unknowns)
    model.compile("adam", lr=1e-3, external_trainable_variables=variables)
    model.train(iterations=iterations, callbacks=[watch])
    if not watch.over:
        model.compile("L-BFGS", external_trainable_variables=variables)
        model.train(callbacks=[watch])
        watch.record()
    return {
        "iterations": int(model.train_state.iteration),
        "threads": torch.get_num_threads(),
        "budget_spent": watch.over,
        "status": "ended at the budget" if watch.over else "the published schedule to its end",
    }


def recorder(dde, record: Record, unknowns: dict):
    """A callback that records the errors and asks for a stop when the budget is spent."""
    import numpy as np

    class Recorder(dde.callbacks.Callback):
        over = False
        last = -1

        def on_train_begin(self):
            self.record()

        def on_epoch_end(self):
            if self.model.train_state.iteration - self.last >= RECORD_EVERY:
                self.record()
            self.model.stop_training = self.over

        def record(self):
            self.last = self.model.train_state.iteration
            values = {name: value.detach().item() for name, value in unknowns.items()}
            self.over = record(self.last, lambda *at: self.model.predict(np.stack(at, axis=1)), values)

    return Recorder()


if __name__ == "__main__":
    cases = {"burgers": burgers, "burgers-inverse": burgers_inverse, "disk": disk}
    run_contender(cases, "DeepXDE", ["deepxde", "torch", "numpy"], __doc__, BEGUN)
