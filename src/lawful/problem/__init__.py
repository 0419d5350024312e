"""What is known and what is to be found: laws, conditions, unknowns and data. Knows no network and no grid."""

from ._check import Check
from ._conditions import Condition, Flux, Free, Periodic, Value, describe
from ._data import Data
from ._faces import FaceCondition
from ._model import Model, scalar_values, unknown_field_values
from ._problem import Problem
from ._structure import (
    expanded,
    face_conditions,
    is_free,
    law_symbols,
    matching,
    needed_conditions,
    order_table,
    periodic_axes,
)
from ._unknowns import Bounded, Normal, Positive, Real, Smooth, Unknown, field_value, raw_size, smoothness

__all__ = [
    "Bounded",
    "Check",
    "Condition",
    "Data",
    "FaceCondition",
    "Flux",
    "Free",
    "Model",
    "Normal",
    "Periodic",
    "Positive",
    "Problem",
    "Real",
    "Smooth",
    "Unknown",
    "Value",
    "describe",
    "expanded",
    "face_conditions",
    "field_value",
    "is_free",
    "law_symbols",
    "matching",
    "needed_conditions",
    "order_table",
    "periodic_axes",
    "raw_size",
    "scalar_values",
    "smoothness",
    "unknown_field_values",
]
