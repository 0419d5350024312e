"""lawful: models that learn from data and obey the laws of physics.

State laws as plain functions of named quantities, hand over measured data, and get back what was hidden, with error
bars and a verdict. See `Problem`, `solve` and `Solution`.
"""

from ._core.estimates import Estimate
from ._core.messages import BadInput, NotTrusted
from .calculus import curl, derivative, divergence, gradient, laplacian, partials, taylor
from .fields import MLP, Fourier, Layer, Spectral
from .geometry import Ball, Box, Cylinder, Disk, Ellipse, Mesh, Polygon, Triangle
from .problem import Bounded, Data, Even, Flux, Free, Normal, Odd, Periodic, Positive, Problem, Real, Smooth, Value
from .report import report
from .solve import (
    Adam,
    AtBoundary,
    Attention,
    Causal,
    Collocation,
    Continuation,
    Elements,
    FieldEstimate,
    Fixed,
    GaussNewton,
    LevenbergMarquardt,
    Neural,
    ResidualDriven,
    SelfScaledBroyden,
    Solution,
    Term,
    candidates,
    closure,
    load,
    profile,
    solve,
)
from .verify import check_gradient, manufacture

from .solve import verify  # isort: skip  # after the room of the same name, whose place on the front page it takes

__all__ = [
    "MLP",
    "Adam",
    "AtBoundary",
    "Attention",
    "BadInput",
    "Ball",
    "Bounded",
    "Box",
    "Causal",
    "Collocation",
    "Continuation",
    "Cylinder",
    "Data",
    "Disk",
    "Elements",
    "Ellipse",
    "Estimate",
    "Even",
    "FieldEstimate",
    "Fixed",
    "Flux",
    "Fourier",
    "Free",
    "GaussNewton",
    "Layer",
    "LevenbergMarquardt",
    "Mesh",
    "Neural",
    "Normal",
    "NotTrusted",
    "Odd",
    "Periodic",
    "Polygon",
    "Positive",
    "Problem",
    "Real",
    "ResidualDriven",
    "SelfScaledBroyden",
    "Smooth",
    "Solution",
    "Spectral",
    "Term",
    "Triangle",
    "Value",
    "candidates",
    "check_gradient",
    "closure",
    "curl",
    "derivative",
    "divergence",
    "gradient",
    "laplacian",
    "load",
    "manufacture",
    "partials",
    "profile",
    "report",
    "solve",
    "taylor",
    "verify",
]
