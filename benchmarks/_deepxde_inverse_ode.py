"""One inversion with DeepXDE (PyTorch back end), as a whole process; run in the peers' environment.

    .cache/peers/bin/python benchmarks/_deepxde_inverse_ode.py --case lorenz --data DATA.npz --budget 400 \\
        --seed 0 --out RUN.json

Settings and where they come from. Everything is DeepXDE's own published recipe unless it says otherwise; only
its documented interface is used, in its default precision (float32). The number of threads is PyTorch's
default unless OMP_NUM_THREADS says otherwise; `inverse_ode.py` tries both and sets the faster.

lorenz: DeepXDE documentation, "Inverse problem for the Lorenz system" (demos/pinn_inverse/lorenz.inverse) and
    its complete code examples/pinn_inverse/Lorenz_inverse.py; problem of Lu, Meng, Mao, Karniadakis, SIAM
    Review 63 (2021) 208. Fully connected 1-40-40-40-3, tanh, Glorot uniform; Adam, learning rate 1e-3; 400
    domain and 2 boundary points, the observation times as anchors; initial conditions as penalties,
    PointSetBC for each observed component; unit loss weights; all three unknowns start at 1; 60 000
    iterations. As published, the network has no input or output scaling.
oscillator: DeepXDE publishes no inverse of a second-order ODE, so this is the recipe above with one output,
    and the second derivative and the initial slope imposed as in its "Second order ODE" demonstration
    (demos/pinn_forward/ode.2nd: `grad.hessian` in the residual, `OperatorBC` for x'(0)). That demonstration's
    loss weights belong to another equation; unit weights (the default) are used.

Left out in DeepXDE's favour: plotting and saving the history after training. Kept: the published report of
the loss every 1000 iterations. The parameters are recorded every 10 iterations, which costs a few
microseconds a time.
"""

from __future__ import annotations

import os
import time

from _inverse_ode_case import LORENZ, Case, Trajectory, run_inversion

SCRIPT_STARTED = time.monotonic()

ITERATIONS = 60_000
WIDTH = 40
HIDDEN = 3
LEARNING_RATE = 1e-3
DOMAIN_POINTS = 400
BOUNDARY_POINTS = 2
RECORD_EVERY = 10


def invert(case: Case, data, seed: int, record: Trajectory) -> dict:
    """Fit a physics-informed network and the unknowns at once; `record` sees the unknowns as they move."""
    os.environ.setdefault("DDE_BACKEND", "pytorch")
    import deepxde as dde  # pyright: ignore[reportMissingImports]
    import torch  # pyright: ignore[reportMissingImports]

    # By hand: `dde.config.set_random_seed` also asks for deterministic kernels, which its documentation calls
    # slower, and speed is measured here. Only the network's start is random; DeepXDE's default points are a
    # Hammersley sequence.
    torch.manual_seed(seed)
    unknowns = [dde.Variable(value) for value in case.guess]
    time_axis = dde.geometry.TimeDomain(*(float(end) for end in data["span"]))
    residual, conditions = (_lorenz if case is LORENZ else _oscillator)(dde, time_axis, data, unknowns)
    times = data["t"][:, None]
    observations = [
        dde.icbc.PointSetBC(times, data["u"][:, column : column + 1], component=component)
        for column, component in enumerate(case.observed)
    ]
    points = dde.data.PDE(
        time_axis,
        residual,
        [*conditions, *observations],
        num_domain=DOMAIN_POINTS,
        num_boundary=BOUNDARY_POINTS,
        anchors=times,
    )
    network = dde.nn.FNN([1] + [WIDTH] * HIDDEN + [len(case.observed)], "tanh", "Glorot uniform")
    model = dde.Model(points, network)
    model.compile("adam", lr=LEARNING_RATE, external_trainable_variables=unknowns)
    model.train(iterations=ITERATIONS, callbacks=[_recorder(dde, unknowns, record)])
    return {
        "iterations_allowed": ITERATIONS,
        "iterations_done": int(model.train_state.iteration),
        "record_every": RECORD_EVERY,
        "network": f"1-{'-'.join([str(WIDTH)] * HIDDEN)}-{len(case.observed)} tanh",
        "optimiser": f"Adam {LEARNING_RATE:g}",
        "points": DOMAIN_POINTS,
    }


def _lorenz(dde, time_axis, data, unknowns):
    """Residuals of the three first-order equations, and the initial state as three penalties."""
    sigma, rho, beta = unknowns

    def residual(t, state):
        x, y, z = (state[:, i : i + 1] for i in range(3))
        rate_x, rate_y, rate_z = (dde.grad.jacobian(state, t, i=i) for i in range(3))
        return [rate_x - sigma * (y - x), rate_y - x * (rho - z) + y, rate_z - x * y + beta * z]

    conditions = [_start_value(dde, time_axis, float(value), i) for i, value in enumerate(data["initial"])]
    return residual, conditions


def _oscillator(dde, time_axis, data, unknowns):
    """Residual of the second-order equation, and x(0), x'(0) as two penalties."""
    import numpy as np

    mu, k = unknowns
    position, velocity = (float(value) for value in data["initial"])
    start = float(data["span"][0])

    def residual(t, x):
        return dde.grad.hessian(x, t) + mu * dde.grad.jacobian(x, t) + k * x

    def slope_error(t, x, _):
        return dde.grad.jacobian(x, t) - velocity

    slope = dde.icbc.OperatorBC(time_axis, slope_error, lambda t, on: on and np.isclose(t[0], start))
    return residual, [_start_value(dde, time_axis, position, 0), slope]


def _start_value(dde, time_axis, value: float, component: int):
    return dde.icbc.IC(time_axis, lambda _: value, lambda _, on_initial: on_initial, component=component)


def _recorder(dde, unknowns, record: Trajectory):
    """A DeepXDE callback that records the unknowns and asks for a stop when the budget is spent."""

    class Recorder(dde.callbacks.Callback):
        def on_train_begin(self):
            self._record()

        def on_epoch_end(self):
            if self.model.train_state.iteration % RECORD_EVERY == 0 and self._record():
                self.model.stop_training = True

        def _record(self) -> bool:
            return record(self.model.train_state.iteration, [unknown.detach().item() for unknown in unknowns])

    return Recorder()


if __name__ == "__main__":
    run_inversion(invert, "DeepXDE", ["deepxde", "torch", "numpy"], __doc__, SCRIPT_STARTED)
