"""Advances time: Taylor steps with a proof, contacts and events that are not missed, gradients that survive them.

A right-hand side is a plain function; this room knows nothing of problems and fields.
"""

from ._base import Happening, Method, Steps
from ._cells import Around, Edge, Held, Mirrored, march_cells
from ._contact import Contact
from ._diffrax import Diffrax
from ._event import Event
from ._gaps import Block, Gap, Ground, Pairs, Plane, Sphere
from ._motion import SecondOrder, State
from ._run import Drift, Run
from ._safe_step import SafeStep, safe_step
from ._simulate import rollout, simulate
from ._symplectic import Leapfrog, Yoshida
from ._taylor import Taylor

__all__ = [
    "Around",
    "Block",
    "Contact",
    "Diffrax",
    "Drift",
    "Edge",
    "Event",
    "Gap",
    "Ground",
    "Happening",
    "Held",
    "Leapfrog",
    "Method",
    "Mirrored",
    "Pairs",
    "Plane",
    "Run",
    "SafeStep",
    "SecondOrder",
    "Sphere",
    "State",
    "Steps",
    "Taylor",
    "Yoshida",
    "march_cells",
    "rollout",
    "safe_step",
    "simulate",
]
