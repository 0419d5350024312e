"""Dispersion curves by disba. Runs in the peer's environment.

    python _peer_dispersion.py models.json answers.json

Models are in SI units; disba wants km, km/s and g/cm3. Modes that it does not find are null.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np


def curves(model: dict, modes: int) -> dict:
    """Phase speeds in m/s by wave and mode, null where there is none, and the seconds of a second run of everything."""
    from disba import DispersionError, PhaseDispersion

    columns = np.array([[*model["thickness"], 0.0], model["vp"], model["vs"], model["density"]]) / 1000
    frequency = np.array(model["frequency"])
    order = np.argsort(-frequency)
    found = {}
    for _ in range(2):  # the first run compiles
        begun = time.perf_counter()
        for wave in ("rayleigh", "love"):
            for mode in range(modes):
                speed = np.full(frequency.size, np.nan)
                try:
                    curve = PhaseDispersion(*columns, dc=1e-4)(1 / frequency[order], mode=mode, wave=wave)
                    speed[order[: len(curve.velocity)]] = 1000 * curve.velocity
                except DispersionError:
                    pass
                found[f"{wave} {mode}"] = [float(c) if np.isfinite(c) else None for c in speed]
        seconds = time.perf_counter() - begun
    return {**model, "speeds": found, "seconds": seconds}


if __name__ == "__main__":
    asked, answers = sys.argv[1:]
    with open(asked, encoding="utf-8") as file:
        task = json.load(file)
    with open(answers, "w", encoding="utf-8") as file:
        json.dump({name: curves(model, task["modes"]) for name, model in task["models"].items()}, file, indent=1)
