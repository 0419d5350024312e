"""One spectrum of hot aluminium: how hot is it?

A polished plate of the alloy AL5083 was held at 600 K and its radiance measured from 2.4 to 4.8 um (C. D. Wen and
T. Y. Chai, Heat Mass Transfer 47, 847 (2011)). The law ln L = ln eps + ln B(lambda, T) has one unknown temperature and,
in every band, one unknown emissivity: more unknowns than bands. What is assumed of the emissivity decides everything,

    --set emissivity=measured   its measured values: the temperature to a kelvin
    --set emissivity=free       any smooth curve: refused, with the temperatures that fit equally well
    --set emissivity=metal      a bare metal, lambda^(-1/2) about: within its error bar, which is an honest 20 K

A network for the emissivity is the second case with more parameters. Nothing in one spectrum tells it the temperature.
"""

from __future__ import annotations

import time

import numpy as np

from .._core.record import Account, Drawing, Section, Status
from ..radiation import Emissivity, FreeEmissivity, Pyrometry, Spectrum, free_emissivity, metal, pyrometry
from ._base import Outcome, Request
from ._spectra import TAUNAY, fits_table, sample, spectrum_figure

SUMMARY = "the temperature of hot aluminium from its real spectrum: what it takes, and the refusal where it is missing"
OPTIONS = {"emissivity": "measured, free or metal; metal by default"}

TRUTH = 600.0


def run(request: Request) -> Outcome:
    begin = time.monotonic()
    spectrum, known = sample("wen-2011", "AL5083-radiance.csv", "AL5083-emissivity.csv", True)
    models: dict[str, Emissivity | None] = {"metal": metal(), "measured": known, "free": None}
    model = models[request.choice("emissivity", tuple(models))]
    free = free_emissivity(spectrum)
    fit = free.fits[1] if model is None else pyrometry(spectrum, model)
    determined = fit.determined if model is not None else free.determined
    span = fit.interval if model is not None else free.range
    numbers = {
        "temperature": fit.temperature.to_json(),
        "truth": TRUTH,
        "determined": determined,
        "range": [float(end) for end in span],
        "noise": fit.noise,
        "coldest": fit.coldest,
        "polynomials": [each.temperature.to_json() for each in free.fits],
    }
    answer = str(free if model is None else fit)
    status = Status(determined, fit.reason if model is not None else "the emissivity was left free", "determined")
    text = words(fit, free, answer)
    truth = np.exp(known.mean(spectrum.wavelength))
    main = account(spectrum, fit, free, truth, status, time.monotonic() - begin)
    return Outcome(numbers, status, text, main, figures={"spectrum": lambda: spectrum_figure(spectrum, fit, truth)})


def words(fit: Pyrometry, free: FreeEmissivity, answer: str) -> str:
    lines = [
        f"{len(fit.wavelength)} bands from {fit.wavelength[0]:.2f} to {fit.wavelength[-1]:.2f} um, noise"
        f" {100 * fit.noise:.1f} %; thermocouple: {TRUTH:.0f} K",
        answer,
        "what other emissivities would have said:",
    ]
    lines += [f"  {each.model:16} {each.temperature!s:>16} K   residual {100 * each.rms:.2f} %" for each in free.fits]
    return "\n".join(lines)


def account(
    spectrum: Spectrum, fit: Pyrometry, free: FreeEmissivity, truth: np.ndarray, status: Status, seconds: float
) -> Account:
    picture = Drawing(
        "spectrum",
        "The measured radiance, and the emissivity that goes with the temperature found (band: 2 sd).",
        lambda: spectrum_figure(spectrum, fit, truth),
    )
    sections = (
        Section("Temperature", (str(fit), f"The thermocouple said {TRUTH:.0f} K."), (), (picture,)),
        Section(
            "With a free emissivity",
            (str(free),),
            (fits_table(free.fits),),
        ),
        Section("Source", (f"C. D. Wen and T. Y. Chai, Heat Mass Transfer 47, 847 (2011), digitised by {TAUNAY}.",)),
    )
    return Account(status, seconds, sections, "Planck's law, emissivity eliminated")
