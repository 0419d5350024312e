"""Tantalum at 573 K from a spectrum without an absolute scale.

The radiance was read in relative units from 2 to 10 um (T. Duvaut, D. Georgeault and J. L. Beaudoin, Infrared Phys.
Technol. 36, 1089 (1995)); the sample was held at 573 K. The longer waves help: where c2 / (lambda T) is near one, no
emissivity of few parameters imitates a change of temperature. A polynomial for ln eps is fitted at every degree from 0
to 4, neighbouring bands whose deviations are alike count once, and the Bayesian information criterion chooses; the
other degrees are shown, because the choice is an assumption too.
"""

from __future__ import annotations

import time

import numpy as np

from .._core.record import Account, Drawing, Section, Status
from ..radiation import chosen, free_emissivity, pyrometry
from ._base import Outcome, Request
from ._spectra import TAUNAY, fits_table, sample, spectrum_figure

SUMMARY = "tantalum at 573 K from its real spectrum in relative units: the emissivity's degree chosen by the data"
OPTIONS: dict[str, str] = {}

TRUTH = 573.0
DEGREES = 5


def run(request: Request) -> Outcome:
    begin = time.monotonic()
    spectrum, known = sample("duvaut-1995", "tantalum-irradiance.csv", "tantalum-emissivity.csv", False)
    free = free_emissivity(spectrum, DEGREES)
    fit = chosen(free.fits)
    shape = pyrometry(spectrum, known)
    numbers = {
        "temperature": fit.temperature.to_json(),
        "truth": TRUTH,
        "determined": fit.determined,
        "range": [float(end) for end in fit.interval],
        "degree": free.fits.index(fit),
        "all_degrees": list(free.range),
        "with_measured_shape": shape.temperature.to_json(),
        "neighbours": fit.neighbours,
        "polynomials": [each.temperature.to_json() for each in free.fits],
    }
    status = Status(fit.determined, fit.reason, "determined")
    lines = [
        f"{len(fit.wavelength)} bands from {fit.wavelength[0]:.2f} to {fit.wavelength[-1]:.2f} um in relative units,"
        f" noise {100 * fit.noise:.1f} %; {fit.neighbours:.0f} neighbours deviate alike and count once; held at"
        f" {TRUTH:.0f} K",
        str(fit),
        f"with the measured shape of the emissivity: {shape.temperature} K",
    ]
    lines += [f"  {each.model:32} {each.temperature!s:>16} K   residual {100 * each.rms:.2f} %" for each in free.fits]
    truth = np.exp(known.mean(spectrum.wavelength))
    draw = lambda: spectrum_figure(spectrum, fit, truth)
    sections = (
        Section(
            "Temperature",
            tuple(lines[:3]),
            (fits_table(free.fits),),
            (Drawing("spectrum", "Measured radiance, and the emissivity found beside the measured one.", draw),),
        ),
        Section("Source", (f"Digitised by {TAUNAY}.",)),
    )
    main = Account(status, time.monotonic() - begin, sections, "Planck's law, emissivity eliminated")
    return Outcome(numbers, status, "\n".join(lines), main, figures={"spectrum": draw})
