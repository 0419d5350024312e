"""Heat radiation: Planck's law fixed, the material learned, and what a spectrum cannot tell said."""

from ._band import band_exitance, fraction_below, total_emissivity
from ._cube import TemperatureMap, temperature_map
from ._emissivity import Emissivity, black, library, measured, metal, polynomial, smooth
from ._mixture import line_depth, log_radiance_among, log_radiance_through
from ._network import EmissivityNetwork
from ._optics import drude, fresnel_emissivity, hagen_rubens
from ._planck import (
    C1,
    C2,
    STEFAN_BOLTZMANN,
    WIEN_DISPLACEMENT,
    brightness_temperature,
    brightness_temperature_of_log,
    exitance,
    log_radiance,
    radiance,
    radiance_per_frequency,
    radiance_per_wavenumber,
    rayleigh_jeans,
    wien,
)
from ._pyrometry import FreeEmissivity, Pyrometry, chosen, free_emissivity, pyrometry
from ._spectrum import Spectrum

__all__ = [
    "C1",
    "C2",
    "STEFAN_BOLTZMANN",
    "WIEN_DISPLACEMENT",
    "Emissivity",
    "EmissivityNetwork",
    "FreeEmissivity",
    "Pyrometry",
    "Spectrum",
    "TemperatureMap",
    "band_exitance",
    "black",
    "brightness_temperature",
    "brightness_temperature_of_log",
    "chosen",
    "drude",
    "exitance",
    "fraction_below",
    "free_emissivity",
    "fresnel_emissivity",
    "hagen_rubens",
    "library",
    "line_depth",
    "log_radiance",
    "log_radiance_among",
    "log_radiance_through",
    "measured",
    "metal",
    "polynomial",
    "pyrometry",
    "radiance",
    "radiance_per_frequency",
    "radiance_per_wavenumber",
    "rayleigh_jeans",
    "smooth",
    "temperature_map",
    "total_emissivity",
    "wien",
]
