"""Designs from any simulator: data, surrogates that learn from it, the best design, and designs on demand."""

from .._core.farm import Farm
from ._adversarial import NO_PHYSICS, Adversarial, Contest, Physics, Relativistic, Wasserstein, compete
from ._dataset import Dataset, Failure, generate, together
from ._descend import Walk, linear_programs, quadratic_programs
from ._examples import Examples
from ._flow_matching import Matched, match
from ._goal import Goal
from ._improve import Improved, Verified, improve
from ._networks import operator, perceptron
from ._on_demand import Asked, OnDemand, on_demand
from ._optimise import Best, optimise
from ._sampling import latin, sobol, waves
from ._scores import Score, scores
from ._simulator import Sample, Simulator
from ._space import Range, Space
from ._steer import Missed, shortest, steered
from ._strips import strip
from ._surrogate import Guess, Surrogate, train
from ._towers import Critic, Tower
from ._variety import aligned, novelty, pairwise, vendi

__all__ = [
    "NO_PHYSICS",
    "Adversarial",
    "Asked",
    "Best",
    "Contest",
    "Critic",
    "Dataset",
    "Examples",
    "Failure",
    "Farm",
    "Goal",
    "Guess",
    "Improved",
    "Matched",
    "Missed",
    "OnDemand",
    "Physics",
    "Range",
    "Relativistic",
    "Sample",
    "Score",
    "Simulator",
    "Space",
    "Surrogate",
    "Tower",
    "Verified",
    "Walk",
    "Wasserstein",
    "aligned",
    "compete",
    "generate",
    "improve",
    "latin",
    "linear_programs",
    "match",
    "novelty",
    "on_demand",
    "operator",
    "optimise",
    "pairwise",
    "perceptron",
    "quadratic_programs",
    "scores",
    "shortest",
    "sobol",
    "steered",
    "strip",
    "together",
    "train",
    "vendi",
    "waves",
]
