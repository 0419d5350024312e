"""Shapes, their boundary parts, and points inside them."""

from ._ball import Ball
from ._box import Box
from ._combined import Difference, Intersection, Union
from ._cylinder import Cylinder
from ._disk import Disk, Ellipse
from ._domain import Domain
from ._joined import joined, weights
from ._mesh import Mesh
from ._part import Face, Part
from ._polygon import Polygon, Triangle
from ._product import Product
from ._regions import Regions
from ._sampling import (
    arcsine_points,
    boundary_points,
    chebyshev_points,
    grid,
    radial_points,
    sobol_points,
    uniform_points,
)
from ._shape import Shape
from ._sobol import together
from ._surface import Surface

__all__ = [
    "Ball",
    "Box",
    "Cylinder",
    "Difference",
    "Disk",
    "Domain",
    "Ellipse",
    "Face",
    "Intersection",
    "Mesh",
    "Part",
    "Polygon",
    "Product",
    "Regions",
    "Shape",
    "Surface",
    "Triangle",
    "Union",
    "arcsine_points",
    "boundary_points",
    "chebyshev_points",
    "grid",
    "joined",
    "radial_points",
    "sobol_points",
    "together",
    "uniform_points",
    "weights",
]
