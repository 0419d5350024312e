"""Dispersion curves of Rayleigh and Love waves beside disba, which follows the programs of R. B. Herrmann.

    python benchmarks/dispersion.py [--keep FILE] [--python PEER]

Both compute phase speeds of three modes of each kind for the same models. `--keep` writes disba's answers, with which
the tests compare (tests/media/disba.json).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import jax
import numpy as np
from _machine import machine
from peers import environment

from lawful import media

HERE = Path(__file__).resolve().parent
MODES = 3
MODELS = {
    "soil on rock": {
        "thickness": [10.0, 20.0, 50.0],
        "vp": [400.0, 900.0, 1600.0, 3000.0],
        "vs": [150.0, 350.0, 700.0, 1600.0],
        "density": [1800.0, 1900.0, 2000.0, 2400.0],
        "frequency": [1.0, 2.0, 5.0, 10.0, 20.0, 40.0],
    },
    "slow layer below a fast one": {
        "thickness": [10.0, 20.0, 50.0],
        "vp": [900.0, 500.0, 1600.0, 3000.0],
        "vs": [400.0, 200.0, 800.0, 1600.0],
        "density": [1900.0, 1800.0, 2000.0, 2400.0],
        "frequency": [1.0, 2.0, 5.0, 10.0, 20.0, 40.0],
    },
    "continental crust": {
        "thickness": [10e3, 10e3, 15e3],
        "vp": [5800.0, 6300.0, 6800.0, 8100.0],
        "vs": [3360.0, 3650.0, 3920.0, 4600.0],
        "density": [2700.0, 2800.0, 2900.0, 3300.0],
        "frequency": [0.02, 0.04, 0.08, 0.15, 0.3],
    },
}


def disba(python: Path) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        asked, answers = Path(folder, "models.json"), Path(folder, "answers.json")
        asked.write_text(json.dumps({"models": MODELS, "modes": MODES}), encoding="utf-8")
        subprocess.run([str(python), str(HERE / "_peer_dispersion.py"), str(asked), str(answers)], check=True)
        return json.loads(answers.read_text(encoding="utf-8"))


def ours(model: dict) -> tuple[dict[str, np.ndarray], float]:
    strata = media.Strata(*(model[name] for name in ("thickness", "vp", "vs", "density")))
    rayleigh = media.Rayleigh(4)
    kinds = {"rayleigh": rayleigh, "love": media.Love()}
    curve = jax.jit(media.phase_speed, static_argnums=(2, 3))
    frequency, found, seconds = np.array(model["frequency"]), {}, 0.0
    for name, waves in kinds.items():
        for mode in range(MODES):
            jax.block_until_ready(curve(strata, frequency, waves, mode))
            begun = time.perf_counter()
            found[f"{name} {mode}"] = np.asarray(jax.block_until_ready(curve(strata, frequency, waves, mode)))
            seconds += time.perf_counter() - begun
    return found, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, help="write disba's answers to this file")
    parser.add_argument("--python", type=Path, help="an interpreter that has disba; by default one is made")
    arguments = parser.parse_args()
    python = arguments.python or environment("dispersion", HERE / "dispersion-constraints.txt", (["disba"],))
    answers = disba(python)
    print(machine("lawful", "jax", "numpy"))
    print("speeds compared, largest relative difference, missed by lawful, by disba, seconds of lawful, of disba")
    with jax.enable_x64(True):
        for name, answer in answers.items():
            found, seconds = ours(answer)
            theirs = {key: np.array(values, float) for key, values in answer["speeds"].items()}
            both = np.concatenate([np.abs(found[key] / theirs[key] - 1) for key in theirs])
            missed = sum(int(np.sum(np.isnan(found[key]) & ~np.isnan(theirs[key]))) for key in theirs)
            theirs_missed = sum(int(np.sum(~np.isnan(found[key]) & np.isnan(theirs[key]))) for key in theirs)
            count, largest = int(np.sum(np.isfinite(both))), np.nanmax(both)
            print(
                f"{name:28} {count:6} {largest:18.1e} {missed:18} {theirs_missed:6} {seconds:8.4f}"
                f" {answer['seconds']:8.4f}"
            )
    if arguments.keep:
        for answer in answers.values():
            del answer["seconds"]
        arguments.keep.write_text(json.dumps(answers, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
