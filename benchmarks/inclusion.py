"""A hidden inclusion by full-waveform inversion, beside Deepwave (PyTorch): misfit and model error against time.

    python benchmarks/inclusion.py [--steps N] [--nodes N] [--python PEER]

Both get the same noisy records, made on a grid twice as fine, the same cosines, start, bands and L-BFGS, in single
precision on one thread, one after the other; what differs is the propagator and its gradient. lawful's times include
compilation.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from _machine import machine
from peers import environment

from lawful import media
from lawful.media._imaging import smoothed
from lawful.media._rough import Rough
from lawful.media._staggered import EDGE
from lawful.studies.inclusion import CONCRETE, DENSITY, FINEST, REACH, bands, block, experiment, recorded

HERE = Path(__file__).resolve().parent
SPREAD = 0.2


def deepwave(python: Path, task: dict) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        asked, answer = Path(folder, "task.npz"), Path(folder, "answer.npz")
        np.savez(asked, **task)
        subprocess.run([str(python), str(HERE / "_peer_inclusion.py"), str(asked), str(answer)], check=True)
        return dict(np.load(answer))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=12, help="of L-BFGS in each of three bands")
    parser.add_argument("--nodes", type=int, default=41, help="along each side")
    parser.add_argument("--details", type=int, default=11, help="half waves of the field along each side")
    parser.add_argument("--python", type=Path, help="an interpreter that has deepwave; by default one is made")
    arguments = parser.parse_args()
    steps = (["torch"], ["deepwave", "scipy"])
    python = arguments.python or environment("inclusion", HERE / "inclusion-constraints.txt", steps)
    n, shots, sensors = arguments.nodes, 8, 24
    records, noise = recorded(n, shots, sensors, 0.5, 3.0, 0)
    truth, there = block(n, 0.5), experiment(n, shots, sensors)
    in_bands = bands(truth.spacing)
    start = media.Section(np.full((n, n), CONCRETE), DENSITY, truth.spacing)
    theirs = deepwave(
        python,
        {
            "sources": there.sources,
            "receivers": there.receivers,
            "pulses": np.array([smoothed(there.pulse, there.interval, band) for band in in_bands]),
            "records": np.array([smoothed(records, there.interval, band) for band in in_bands]),
            "basis": Rough((n, n), truth.spacing, arguments.details, SPREAD, REACH).basis,
            "ground": np.log(np.asarray(start.modulus)),
            "density": DENSITY,
            "spacing": truth.spacing,
            "interval": there.interval,
            "noise": noise,
            "edge": EDGE,
            "frequency": FINEST / truth.spacing,
            "steps": arguments.steps,
        },
    )
    ours = np.asarray(media.shear_records(start, there), float)
    found = media.image(
        there,
        records,
        start,
        noise=noise,
        details=arguments.details,
        spread=SPREAD,
        reach=REACH,
        bands=in_bands,
        steps=arguments.steps,
        error_bars=False,
        progress=False,
    )
    print(machine("lawful", "jax", "numpy"))
    apart = np.sqrt(np.mean((theirs["start"] - ours) ** 2) / np.mean(ours**2))
    print(f"records of plain concrete, rms difference over rms: {apart:.1e}; {records.size} samples, noise 3 %")
    exact = np.log(np.asarray(truth.modulus))
    error = lambda field: 100 * float(np.sqrt(np.mean((np.log(field) - exact) ** 2)))
    told = {
        "lawful": [(trial.seconds, trial.misfit, trial.modulus) for trial in found.trials],
        "deepwave": list(zip(theirs["seconds"], theirs["misfits"], theirs["fields"], strict=True)),
    }
    print("solver      gradients   seconds   of one gradient   chi2 per sample   rms error of log modulus, %")
    for name, trials in told.items():
        middle = float(np.median(np.diff([seconds for seconds, _, _ in trials])))
        for k in sorted({len(trials) // 3, 2 * len(trials) // 3, len(trials) - 1}):
            seconds, misfit, field = trials[k]
            print(f"{name:10} {k + 1:10} {seconds:9.1f} {middle:17.3f} {misfit:17.4g} {error(field):18.2f}")


if __name__ == "__main__":
    main()
