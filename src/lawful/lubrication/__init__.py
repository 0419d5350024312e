"""Thin films with mass-conserving cavitation, and the dry contact of rough walls: differentiable in everything."""

from ._asperities import GreenwoodTripp, Mixed, PatirCheng, exceedance
from ._cavitation import JFO, NoCavitation, SwiftStieber
from ._contact import Contact, contact
from ._couette import Elrod, Upwind
from ._ends import Open, Periodic, Pressure, Wall
from ._film import Film
from ._flow import Discharge, Flow, Reach, flow, reach
from ._fluid import Barus, DowsonHigginson, Fluid, Roelands
from ._grid import Grid
from ._halfspace import HalfSpace, contact_modulus
from ._shapes import exponential, journal, parabola, step, wedge
from ._stress import Stress, stresses
from ._support import Support, support
from ._textures import chevrons, dimples, grooves

__all__ = [
    "JFO",
    "Barus",
    "Contact",
    "Discharge",
    "DowsonHigginson",
    "Elrod",
    "Film",
    "Flow",
    "Fluid",
    "GreenwoodTripp",
    "Grid",
    "HalfSpace",
    "Mixed",
    "NoCavitation",
    "Open",
    "PatirCheng",
    "Periodic",
    "Pressure",
    "Reach",
    "Roelands",
    "Stress",
    "Support",
    "SwiftStieber",
    "Upwind",
    "Wall",
    "chevrons",
    "contact",
    "contact_modulus",
    "dimples",
    "exceedance",
    "exponential",
    "flow",
    "grooves",
    "journal",
    "parabola",
    "reach",
    "step",
    "stresses",
    "support",
    "wedge",
]
