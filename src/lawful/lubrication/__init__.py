"""Thin films: pressure, load and friction with mass-conserving cavitation, differentiable in everything."""

from ._cavitation import JFO, NoCavitation, SwiftStieber
from ._couette import Elrod, Upwind
from ._ends import Open, Periodic, Pressure, Wall
from ._film import Film
from ._flow import Discharge, Flow, Reach, flow, reach
from ._fluid import Barus, DowsonHigginson, Fluid, Roelands
from ._grid import Grid
from ._shapes import exponential, journal, parabola, step, wedge
from ._support import Support, support
from ._textures import chevrons, dimples, grooves

__all__ = [
    "JFO",
    "Barus",
    "Discharge",
    "DowsonHigginson",
    "Elrod",
    "Film",
    "Flow",
    "Fluid",
    "Grid",
    "NoCavitation",
    "Open",
    "Periodic",
    "Pressure",
    "Reach",
    "Roelands",
    "Support",
    "SwiftStieber",
    "Upwind",
    "Wall",
    "chevrons",
    "dimples",
    "exponential",
    "flow",
    "grooves",
    "journal",
    "parabola",
    "reach",
    "step",
    "support",
    "wedge",
]
