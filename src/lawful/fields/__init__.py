"""Trial fields, and conditions built into them."""

from ._base import Trial
from ._corrected import Corrected
from ._exact import Imposed, constrained
from ._factor import Factor, vanishing_on
from ._layer import Layer
from ._mlp import MLP, Fourier
from ._polar import Polar
from ._spectral import (
    Spectral,
    chebyshev,
    chebyshev_coefficients,
    chebyshev_derivative,
    chebyshev_grid,
    chebyshev_interpolate,
    fourier_coefficients,
    fourier_derivative,
    fourier_grid,
    fourier_interpolate,
    trigonometric,
)
from ._symmetric import symmetric
from ._walls import Wall, Walls

__all__ = [
    "MLP",
    "Corrected",
    "Factor",
    "Fourier",
    "Imposed",
    "Layer",
    "Polar",
    "Spectral",
    "Trial",
    "Wall",
    "Walls",
    "chebyshev",
    "chebyshev_coefficients",
    "chebyshev_derivative",
    "chebyshev_grid",
    "chebyshev_interpolate",
    "constrained",
    "fourier_coefficients",
    "fourier_derivative",
    "fourier_grid",
    "fourier_interpolate",
    "symmetric",
    "trigonometric",
    "vanishing_on",
]
