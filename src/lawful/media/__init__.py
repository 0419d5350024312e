"""Hidden layered media: exact waves in stacks of layers, and the layers that explain what was measured."""

from ._clock import Clock
from ._ends import End, FixedEnd, FreeEnd, HalfSpace, MassEnd
from ._inversion import invert
from ._inverted import Alternative, Fit, Inversion, Search
from ._normal import Response, respond
from ._pictures import strips_figure
from ._pulses import hammer, ricker
from ._stack import Stack
from ._survey import Screen, Survey
from ._tap import Tap
from ._waveforms import Source, Waveforms, records

__all__ = [
    "Alternative",
    "Clock",
    "End",
    "Fit",
    "FixedEnd",
    "FreeEnd",
    "HalfSpace",
    "Inversion",
    "MassEnd",
    "Response",
    "Screen",
    "Search",
    "Source",
    "Stack",
    "Survey",
    "Tap",
    "Waveforms",
    "hammer",
    "invert",
    "records",
    "respond",
    "ricker",
    "strips_figure",
]
