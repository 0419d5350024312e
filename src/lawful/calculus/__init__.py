"""Derivatives of field functions by name: exact, to any order, in one evaluation.

A field function is a plain function of named scalar coordinates, `u(x, t) -> array or pytree of arrays`,
for one point; `jax.vmap` maps it over many. A partial derivative is a tuple of axis names: () is the
value, ("x", "x") is u_xx.
"""

from ._axes import Partial, canonical
from ._operators import curl, derivative, divergence, gradient, laplacian
from ._partials import partials
from ._taylor import directional, taylor

__all__ = [
    "Partial",
    "canonical",
    "curl",
    "derivative",
    "directional",
    "divergence",
    "gradient",
    "laplacian",
    "partials",
    "taylor",
]
