"""Judges: discretisation error, model error, missing terms, identifiability, gradient check. Takes plain callables."""

from ._base import Coordinate, ForwardModel, Measurements, Probe
from ._discretisation import Discretisation, discretisation
from ._fitting import Fit, fit
from ._judge import Judgement, Kind, judge

__all__ = ["Coordinate", "Discretisation", "Fit", "ForwardModel", "Judgement", "Kind", "Measurements", "Probe", "discretisation", "fit", "judge"]
