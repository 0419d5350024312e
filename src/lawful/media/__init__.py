"""Hidden layered media: exact waves in stacks of layers, and the layers that explain what was measured."""

from ._clock import Clock
from ._ends import End, FixedEnd, FreeEnd, HalfSpace, MassEnd
from ._evidence import log_evidence, probabilities
from ._foresee import Foresight, foresee
from ._guided import Guided, Love, Rayleigh, group_speed, phase_speed
from ._imaging import Image, Trial, image
from ._inversion import invert
from ._inverted import Alternative, Fit, Inversion, Search
from ._landscape import Landscape, landscape, landscape_figure
from ._normal import Response, respond
from ._oblique import Oblique, Sideways, oblique, sideways
from ._pictures import fit_figures, strips_figure
from ._plane import Echoes, Incoming, PlaneWave
from ._pulses import hammer, ricker
from ._reading import waveforms
from ._section import Section, Shots
from ._segy import Gather, read_segy
from ._shear_waves import shear_records
from ._solid_waves import Blows, Solid, solid_records
from ._stack import Stack
from ._strata import Strata
from ._surface_waves import Curve, SurfaceWaves
from ._survey import Screen, Survey
from ._tap import Tap
from ._waveforms import Source, Waveforms, records

__all__ = [
    "Alternative",
    "Blows",
    "Clock",
    "Curve",
    "Echoes",
    "End",
    "Fit",
    "FixedEnd",
    "Foresight",
    "FreeEnd",
    "Gather",
    "Guided",
    "HalfSpace",
    "Image",
    "Incoming",
    "Inversion",
    "Landscape",
    "Love",
    "MassEnd",
    "Oblique",
    "PlaneWave",
    "Rayleigh",
    "Response",
    "Screen",
    "Search",
    "Section",
    "Shots",
    "Sideways",
    "Solid",
    "Source",
    "Stack",
    "Strata",
    "SurfaceWaves",
    "Survey",
    "Tap",
    "Trial",
    "Waveforms",
    "fit_figures",
    "foresee",
    "group_speed",
    "hammer",
    "image",
    "invert",
    "landscape",
    "landscape_figure",
    "log_evidence",
    "oblique",
    "phase_speed",
    "probabilities",
    "read_segy",
    "records",
    "respond",
    "ricker",
    "shear_records",
    "sideways",
    "solid_records",
    "strips_figure",
    "waveforms",
]
