"""Physics that steers a sampler at each of its steps: energies with units, guides, particles, constraints."""

from ._energy import Energy, Term
from ._flow import GaussianFlow
from ._guided import Guided, guided
from ._guides import Guide, Project, Pull, Through
from ._particles import Particles, effective_size, resampled
from ._process import Process
from ._relax import Relaxed, relax
from ._schedules import Constant, Power, Schedule

__all__ = [
    "Constant",
    "Energy",
    "GaussianFlow",
    "Guide",
    "Guided",
    "Particles",
    "Power",
    "Process",
    "Project",
    "Pull",
    "Relaxed",
    "Schedule",
    "Term",
    "Through",
    "effective_size",
    "guided",
    "relax",
    "resampled",
]
