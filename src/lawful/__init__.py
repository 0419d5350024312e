"""lawful: models that learn from data and obey the laws of physics.

State laws as plain functions of named quantities, hand over measured data, and get back what was hidden, with error
bars and a verdict. See `Problem`, `solve` and `Solution`.
"""

from ._core.estimates import Estimate
from ._core.messages import BadInput, NotTrusted
from .calculus import curl, derivative, divergence, gradient, laplacian, partials, taylor
from .fields import MLP, Fourier, Spectral
from .geometry import Box
from .problem import Bounded, Data, Flux, Free, Normal, Periodic, Positive, Problem, Real, Smooth, Value
from .report import report
from .solve import Adam, Collocation, FieldEstimate, LevenbergMarquardt, Neural, Solution, load, solve

__all__ = [
    "MLP",
    "Adam",
    "BadInput",
    "Bounded",
    "Box",
    "Collocation",
    "Data",
    "Estimate",
    "FieldEstimate",
    "Flux",
    "Fourier",
    "Free",
    "LevenbergMarquardt",
    "Neural",
    "Normal",
    "NotTrusted",
    "Periodic",
    "Positive",
    "Problem",
    "Real",
    "Smooth",
    "Solution",
    "Spectral",
    "Value",
    "curl",
    "derivative",
    "divergence",
    "gradient",
    "laplacian",
    "load",
    "partials",
    "report",
    "solve",
    "taylor",
]
