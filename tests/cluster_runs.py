"""Problem files that the tests of several processes run, and what their workers do."""

DECAY = """
import numpy as np
import lawful as lf

t = np.linspace(0.1, 1.9, 13)
problem = lf.Problem(
    domain=lf.Box(t=(0, 2)),
    fields="u",
    laws={"decay": lambda u, u_t, k: u_t + k * u},
    conditions=[lf.Value(lf.Box(t=(0, 2)).at(t=0), u=1.0)],
    unknowns={"k": lf.Positive(guess=1.0)},
    data=lf.Data({"t": t, "u": np.exp(-1.3 * t) + 0.01 * np.sin(40 * t)}, noise=0.01),
)
method = lf.Neural(trial=lf.Spectral(10), points=21)
"""

DIES = """
import os, signal
import jax
from lawful.solve import _fit
from lawful.solve._keeper import Keeper

Keeper.__init__.__defaults__ = (0.0,)  # a checkpoint after every step
noted = _fit.note

def note(state, *rest):
    noted(state, *rest)
    if jax.process_index() == 1 and len(state.history) == 7:
        os.kill(os.getpid(), signal.SIGKILL)

_fit.note = note
"""


def bowl(a, b):
    return {"depth": (a - 0.3) ** 2 + b, "side": a * b}


def fragile(path, value):
    """Fails the first time that it is asked."""
    if not path.exists():
        path.write_text("was here")
        raise ValueError("not yet")
    return value * value


def hopeless(value):
    raise ArithmeticError(f"never {value}")
