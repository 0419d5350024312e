"""What is known and what is to be found: laws, conditions, unknowns and data. Knows no network and no grid."""

from ._check import Check
from ._conditions import Condition, Flux, Free, Periodic, Value, describe
from ._data import Data
from ._faces import FaceCondition
from ._interfaces import Continuous, Interface, interfaces
from ._model import Model, scalar_values, unknown_field_values
from ._problem import Problem, changed
from ._regional import all_face_conditions, within
from ._robin import right_hand_side, under_own_names
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
from ._surfaces import SurfaceCondition
from ._symmetry import Even, Odd, folded, parities
from ._unknowns import Bounded, Normal, Positive, Real, Smooth, Unknown, field_value, raw_size, smoothness
from ._walls import surface_conditions

__all__ = [
    "Bounded",
    "Check",
    "Condition",
    "Continuous",
    "Data",
    "Even",
    "FaceCondition",
    "Flux",
    "Free",
    "Interface",
    "Model",
    "Normal",
    "Odd",
    "Periodic",
    "Positive",
    "Problem",
    "Real",
    "Smooth",
    "SurfaceCondition",
    "Unknown",
    "Value",
    "all_face_conditions",
    "changed",
    "describe",
    "expanded",
    "face_conditions",
    "field_value",
    "folded",
    "interfaces",
    "is_free",
    "law_symbols",
    "matching",
    "needed_conditions",
    "order_table",
    "parities",
    "periodic_axes",
    "raw_size",
    "right_hand_side",
    "scalar_values",
    "smoothness",
    "surface_conditions",
    "under_own_names",
    "unknown_field_values",
    "within",
]
