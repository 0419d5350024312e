"""The modulus field by Deepwave's propagator and the same L-BFGS. Runs in the peer's environment.

    python _peer_inclusion.py task.npz answer.npz

A shear wave that is polarised out of the plane obeys the equations of sound with particle velocity for pressure,
1/modulus for density and 1/density for bulk modulus.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch
from scipy.optimize import minimize


def predict(task, modulus, pulse):
    import deepwave

    ones = torch.ones(len(task["sources"]), 1, 1)
    force = torch.from_numpy(0.5 * (pulse + np.append(pulse[1:], 0.0))).float()
    receivers = torch.from_numpy(task["receivers"])[None].expand(len(task["sources"]), -1, -1)
    found = deepwave.acoustic(
        torch.sqrt(modulus / float(task["density"])),
        1 / modulus,
        float(task["spacing"]),
        float(task["interval"]),
        source_amplitudes_volume_rate=ones * force / float(task["spacing"]) ** 2,
        source_locations_volume_rate=torch.from_numpy(task["sources"])[:, None],
        receiver_locations_p=receivers,
        accuracy=4,
        pml_width=int(task["edge"]),
        pml_freq=float(task["frequency"]),
    )
    return found.receivers["p"] if "p" in found.receivers else found[-1]


def main() -> None:
    asked, answer = sys.argv[1:]
    torch.set_num_threads(1)
    task = dict(np.load(asked))
    basis, ground = (torch.from_numpy(task[name]).float() for name in ("basis", "ground"))
    noise, steps = float(task["noise"]), int(task["steps"])
    with torch.no_grad():
        clean = predict(task, torch.exp(ground), task["pulses"][-1]).numpy()
    weights, trials = np.zeros(basis.shape[1]), []
    begun = time.perf_counter()
    for pulse, records in zip(task["pulses"], task["records"], strict=True):
        data = torch.from_numpy(records / noise).float()

        def cost(w, pulse=pulse, data=data):
            at = torch.from_numpy(w).float().requires_grad_()
            modulus = torch.exp(ground + (basis @ at).reshape(ground.shape))
            value = torch.sum((predict(task, modulus, pulse) / noise - data) ** 2)
            value.backward()
            assert at.grad is not None
            total = float(value.detach()) + float(w @ w)
            trials.append((time.perf_counter() - begun, total / data.numel(), modulus.detach().numpy()))
            return total, at.grad.numpy().astype(float) + 2 * w

        options = {"maxiter": steps, "ftol": 1e-7, "maxcor": 20}
        weights = minimize(cost, weights, jac=True, method="L-BFGS-B", options=options).x
    seconds, misfits, fields = zip(*trials, strict=True)
    np.savez(answer, start=clean, seconds=seconds, misfits=misfits, fields=np.array(fields))


if __name__ == "__main__":
    main()
