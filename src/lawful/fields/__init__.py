"""Trial fields, and conditions built into them."""

from ._base import Trial
from ._exact import Imposed, constrained
from ._mlp import MLP, Fourier
from ._spectral import (
    Spectral,
    chebyshev,
    chebyshev_grid,
    chebyshev_interpolate,
    fourier_grid,
    fourier_interpolate,
    trigonometric,
)

__all__ = [
    "MLP",
    "Fourier",
    "Imposed",
    "Spectral",
    "Trial",
    "chebyshev",
    "chebyshev_grid",
    "chebyshev_interpolate",
    "constrained",
    "fourier_grid",
    "fourier_interpolate",
    "trigonometric",
]
