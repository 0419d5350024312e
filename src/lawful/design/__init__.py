"""Designs from any simulator: data, surrogates that learn from it, and the best design, simulated again."""

from ._dataset import Dataset, Failure, generate
from ._descend import Walk, linear_programs, quadratic_programs
from ._goal import Goal
from ._improve import Improved, Verified, improve
from ._networks import operator, perceptron
from ._optimise import Best, optimise
from ._sampling import latin, sobol, waves
from ._scores import Score, scores
from ._simulator import Sample, Simulator
from ._space import Range, Space
from ._surrogate import Guess, Surrogate, train

__all__ = [
    "Best",
    "Dataset",
    "Failure",
    "Goal",
    "Guess",
    "Improved",
    "Range",
    "Sample",
    "Score",
    "Simulator",
    "Space",
    "Surrogate",
    "Verified",
    "Walk",
    "generate",
    "improve",
    "latin",
    "linear_programs",
    "operator",
    "optimise",
    "perceptron",
    "quadratic_programs",
    "scores",
    "sobol",
    "train",
    "waves",
]
