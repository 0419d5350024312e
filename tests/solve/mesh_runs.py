"""Run by `test_mesh.py` in a process of its own that sees four devices: what comes out on 1, 2 and 4, as JSON."""

import json

import jax
import jax.numpy as jnp
import numpy as np

import lawful as lf
from lawful._core.compilation import quickly
from lawful._core.mesh import factor_of, norm_of, on_mesh, row_of, total
from lawful._core.precision import float64
from lawful.solve._fit import FitState, hyper_of
from lawful.solve._observations import spread
from lawful.solve._task import WeightedSystem

T = np.linspace(0.1, 1.9, 13)  # a number that neither 2 nor 4 divides
OPTIMISERS = {
    "trust region": lf.LevenbergMarquardt(),
    "gauss-newton": lf.GaussNewton(),
    "adam": lf.Adam(updates=5),
    "broyden": lf.SelfScaledBroyden(updates=5),
}


def problem():
    """U' = -k u, u(0) = 1, measured."""
    return lf.Problem(
        domain=lf.Box(t=(0, 2)),
        fields="u",
        laws={"decay": lambda u, u_t, k: u_t + k * u},
        conditions=[lf.Value(lf.Box(t=(0, 2)).at(t=0), u=1.0)],
        unknowns={"k": lf.Positive(guess=1.0, prior=lf.Normal(1.5, 0.5))},
        data=lf.Data({"t": T, "u": np.exp(-1.3 * T) + 0.01 * np.sin(40 * T)}, noise=0.01),
    )


def pieces(count: int) -> dict:
    """Residual, Jacobian, sums and one step of every optimiser."""
    task = lf.Neural(trial=lf.MLP(width=4, depth=1), points=21).task(problem())
    state = FitState(np.asarray(task.start), 0.05 * spread(task.observed), 3.0)
    system = WeightedSystem(task, hyper_of(task, state))

    def everything(x):
        own = system.linearise(x)
        rows = system.whole(own[0])
        steps = {
            name: optimiser.move(system, optimiser.start(x, own[0]), *(own if optimiser.takes_jacobian else (rows,))).x
            for name, optimiser in OPTIMISERS.items()
        }
        return steps | {
            "residual": system.whole(system.residual(x)),
            "rows of the Jacobian": rows,
            "jacobian": system.whole(own[1]),
            "gradient": total(own[0] @ own[1]),
            "normal equations": total(own[1].T @ own[1]),
            "lengths": norm_of(own[1]),
            "triangle": jnp.abs(factor_of(own[1]).triangle),
            "factor": jnp.abs(factor_of(system.factor(x, 8)[1]).triangle),
        }

    mesh = row_of(jax.devices()[:count])
    found = quickly(on_mesh(mesh, everything))(jnp.asarray(task.start))
    return {name: np.asarray(value).tolist() for name, value in found.items()}


def solved(mesh) -> dict:
    """The answer of a whole fit."""
    solution = lf.solve(problem(), lf.Neural(trial=lf.Spectral(10), points=21), mesh=mesh)
    k = solution["k"]
    return {
        "converged": solution.status.converged,
        "numbers": [k.value, k.sd, *solution.u(t=T).tolist(), solution.chi2],
    }


if __name__ == "__main__":
    with float64():
        told = {str(n): {"pieces": pieces(n)} for n in (1, 2, 4)}
    for n in (2, 4):
        told[str(n)]["solved"] = solved(jax.devices()[:n])
    print(json.dumps({**told, "alone": solved(None)}))
