"""Energies and forces of point charges by torch-pme. Runs in the peer's environment.

python _peer_atoms.py < asked.json > answers.json
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import torch
from torchpme import P3MCalculator
from torchpme.potentials import CoulombPotential

COULOMB = 14.399645478425668


class Box:
    """One box with what was found beforehand."""

    def __init__(self, path: str):
        with np.load(path) as file:
            tensor = {name: torch.as_tensor(file[name]) for name in file.files}
        self.positions, self.cell, self.pairs = tensor["positions"], tensor["cell"], tensor["pairs"]
        self.charges, self.forces, self.smear = tensor["charges"][:, None], tensor["forces"], float(tensor["smear"])
        self.shift = tensor["shift"] @ self.cell

    def calculator(self, spacing: float) -> P3MCalculator:
        potential = CoulombPotential(smearing=self.smear).to(torch.float64)
        return P3MCalculator(potential, mesh_spacing=spacing, interpolation_nodes=5).to(torch.float64)

    def slope(self, calculator: P3MCalculator) -> torch.Tensor:
        positions = self.positions.clone().requires_grad_(True)
        apart = positions[self.pairs[:, 1]] - positions[self.pairs[:, 0]] + self.shift
        distances = torch.linalg.norm(apart, dim=1)
        potential = calculator(
            charges=self.charges,
            cell=self.cell,
            positions=positions,
            neighbor_indices=self.pairs,
            neighbor_distances=distances,
        )
        energy = COULOMB * torch.sum(potential * self.charges)
        return -torch.autograd.grad(energy, positions)[0]

    def error(self, forces: torch.Tensor) -> float:
        return float(torch.linalg.norm(forces - self.forces) / torch.linalg.norm(self.forces))


def main() -> None:
    asked = json.load(sys.stdin)
    torch.set_num_threads(1)
    boxes = [Box(path) for path in asked["files"]]
    first, spacing = boxes[0], boxes[0].smear
    while first.error(first.slope(first.calculator(spacing))) > asked["accuracy"] and spacing > 0.05:
        spacing *= 0.9
    answers = []
    for box in boxes:
        calculator, seconds = box.calculator(spacing), []
        forces = box.slope(calculator)
        for _ in range(asked["runs"]):
            begin = time.perf_counter()
            box.slope(calculator)
            seconds.append(time.perf_counter() - begin)
        mesh = calculator.mesh_interpolator.ns_mesh.tolist()
        answers.append({"seconds": min(seconds), "error": box.error(forces), "mesh": mesh})
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
