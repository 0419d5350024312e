"""The verb: two methods for the same problem, and what comes out."""

from ._adam import Adam
from ._collocation import Collocation
from ._correlation import ResidualCorrelation
from ._fit import Step
from ._least_squares import LevenbergMarquardt, minimise
from ._neural import Neural
from ._progress import Moment, Watcher
from ._solution import CrossCheck, Solution
from ._solve import load, solve
from ._unknown_field import FieldEstimate

__all__ = [
    "Adam",
    "Collocation",
    "CrossCheck",
    "FieldEstimate",
    "LevenbergMarquardt",
    "Moment",
    "Neural",
    "ResidualCorrelation",
    "Solution",
    "Step",
    "Watcher",
    "load",
    "minimise",
    "solve",
]
