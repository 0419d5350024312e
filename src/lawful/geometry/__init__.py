"""Shapes, their boundary parts, and points inside them."""

from ._box import Box, Face, Part
from ._sampling import chebyshev_points, grid, sobol_points

__all__ = ["Box", "Face", "Part", "chebyshev_points", "grid", "sobol_points"]
