"""Measured spectra that the studies on heat radiation read, and how they draw them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput
from .._core.record import Table
from ..radiation import Emissivity, Pyrometry, Spectrum, fresnel_emissivity, measured
from ..report import BLUE, INK, VERMILLION
from ._measurements import in_data_folder

TAUNAY = "P. Y. Taunay and E. Y. Choueiri, Rev. Sci. Instrum. 91, 114902 (2020)"


def found(*names: str) -> Path:
    """A file of the data folder, which must be there."""
    path = in_data_folder(*names)
    if not path.is_file():
        raise BadInput(
            f"{'/'.join(names)} was not found; set LAWFUL_DATA to the folder that holds {names[0]}/ (see the README)."
        )
    return path


def columns(path: Path) -> Float[np.ndarray, "2 n"]:
    """Two columns digitised from a figure, sorted, each wavelength once."""
    table = np.loadtxt(path, delimiter=",", skiprows=1)
    table = table[np.argsort(table[:, 0], kind="stable")]
    return table[np.r_[True, np.diff(table[:, 0]) > 0]].T


def sample(folder: str, radiance: str, emissivity: str, scale_known: bool) -> tuple[Spectrum, Emissivity]:
    """The spectrum of a sample within the range of its measured emissivity, and that emissivity."""
    places, values = columns(found("pyrometry_taunay", folder, emissivity))
    spectrum = Spectrum(*columns(found("pyrometry_taunay", folder, radiance)), scale_known=scale_known)
    return spectrum.between(places[0], places[-1]), measured(places, values)


def optical_constants(material: str, source: str) -> Float[np.ndarray, "3 n"]:
    """Wavelength (um), n and k of a file of refractiveindex.info."""
    text = found("refractiveindex", material, f"{source}.yml").read_text(encoding="utf8")
    number = r"\d[\d.eE+-]*"
    rows = re.findall(rf"^\s+({number})\s+({number})\s+({number})\s*$", text, re.MULTILINE)
    return np.array(rows, dtype=float).T


def smooth_emissivity(material: str, source: str, wavelength: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Normal emissivity of a polished sample, from measured n and k."""
    places, n, k = optical_constants(material, source)
    return np.asarray(fresnel_emissivity(np.interp(wavelength, places, n), np.interp(wavelength, places, k)))


def fits_table(fits: Sequence[Pyrometry]) -> Table:
    """Temperatures beside what was assumed of the emissivity."""
    rows = tuple((each.model, str(each.temperature), f"{100 * each.rms:.2f}") for each in fits)
    return Table(("emissivity", "temperature / K", "residual / %"), rows)


def spectrum_figure(spectrum: Spectrum, fit: Pyrometry, truth: Float[np.ndarray, " n"] | None):
    """The spectrum, and the emissivity that the fit says with its band of 2 sd beside the measured one."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = fig.subplots(1, 2)
    left.plot(spectrum.wavelength, spectrum.radiance, ".", color=INK, ms=4)
    left.set(xlabel="wavelength / μm", yscale="log")
    left.set_ylabel("radiance / W m⁻² μm⁻¹ sr⁻¹" if spectrum.scale_known else "radiance, free scale")
    band, scale = np.exp(2 * fit.emissivity_sd), 1.0
    if not spectrum.scale_known and truth is not None:
        scale = float(np.exp(np.mean(np.log(truth / fit.emissivity))))
    curve = scale * fit.emissivity
    right.fill_between(fit.wavelength, curve / band, curve * band, color=BLUE, alpha=0.2, lw=0)
    right.plot(fit.wavelength, curve, color=BLUE, label=f"fitted: {fit.model}")
    if truth is not None:
        right.plot(fit.wavelength, truth, color=VERMILLION, ls="--", label="measured separately")
    right.set(xlabel="wavelength / μm", ylabel="emissivity", ylim=(0, None))
    right.legend()
    return fig, (left, right)
