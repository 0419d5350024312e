"""Several potentials that learned the same: their mean, and how far it can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from .._core.files import read_arrays, write_arrays
from .._core.leaves import by_name, put_back
from .._core.messages import BadInput
from ._frames import Frames
from ._labels import Labels, any_known
from ._said import Said, ready, said_by_all


class Errors(NamedTuple):
    """Mean absolute errors: energies in eV a frame, forces in eV/A a component; NaN where nothing is known."""

    energy: float
    forces: float

    @classmethod
    def between(cls, energy: np.ndarray, forces: np.ndarray, labels: Labels) -> Errors:
        gap = lambda said, known: float(np.nanmean(np.abs(said - known))) if any_known(known) else np.nan
        return cls(gap(energy, labels.energy), gap(forces, labels.forces))


class Prediction(NamedTuple):
    """Means of the members with standard deviations that were calibrated on frames kept aside."""

    energy: Float[np.ndarray, " frames"]
    energy_sd: Float[np.ndarray, " frames"]
    forces: Float[np.ndarray, "frames atoms 3"]
    forces_sd: Float[np.ndarray, "frames atoms 3"]


class Ensemble(eqx.Module):
    """Models along a first axis. `train` makes one.

    shift          energy of each element, eV, that all members' energies are relative to.
    energy_factor  what the spread of the members is multiplied by to be a standard deviation; likewise `forces_factor`.
    """

    models: Any
    shift: Float[np.ndarray, " elements"]
    energy_factor: float
    forces_factor: float

    @property
    def members(self) -> int:
        return jax.tree.leaves(eqx.filter(self.models, eqx.is_inexact_array))[0].shape[0]

    def member(self, k: int) -> Any:
        """One model by itself, its energies absolute."""
        arrays, rest = eqx.partition(self.models, eqx.is_inexact_array)
        one = eqx.combine(jax.tree.map(lambda leaf: leaf[k], arrays), rest)
        return eqx.tree_at(lambda m: m.shift, one, one.shift + jnp.asarray(self.shift))

    @classmethod
    def calibrated(cls, models: Any, shift: Float[np.ndarray, " elements"], frames: Frames) -> Ensemble:
        """With the factors that make (error / sd)^2 one on average over these frames; 1 for a single member."""
        raw = cls(models, np.asarray(shift, dtype=float), 1.0, 1.0)
        if raw.members == 1:
            return raw
        found = raw.predict(frames)
        labels = frames.labels

        def ratio(said: np.ndarray, sd: np.ndarray, known: Any) -> float:
            if not any_known(known):
                return np.nan
            return float(np.sqrt(np.nanmean(((said - known) / np.maximum(sd, 1e-12)) ** 2)))

        energy = ratio(found.energy, found.energy_sd, labels.energy)
        forces = ratio(found.forces, found.forces_sd, labels.forces)
        return cls(models, raw.shift, *(each if np.isfinite(each) else 1.0 for each in (energy, forces)))

    def each(self, frames: Frames, batch: int = 100) -> Said:
        """What every member says, along a first axis: energies (eV), forces (eV/A; NaN for padding), stresses."""
        scene, _ = ready(self.models, frames, self.shift)
        parts = [
            jax.tree.map(np.asarray, said_by_all(self.models, jax.tree.map(lambda x, k=k: x[k : k + batch], scene)))
            for k in range(0, len(frames), batch)
        ]
        joined = lambda some: np.concatenate(some, axis=1).astype(float)
        energy, forces = joined([part.energy for part in parts]), joined([part.forces for part in parts])
        stress = [part.stress for part in parts if part.stress is not None]
        return Said(
            energy + frames.counts(self.models.elements) @ self.shift,
            np.where((frames.numbers > 0)[..., None], forces, np.nan),
            joined(stress) if stress else None,
        )

    def predict(self, frames: Frames, batch: int = 100) -> Prediction:
        """Energies and forces of frames, with standard deviations; NaN where there is but one member."""
        return self.together(self.each(frames, batch))

    def together(self, said: Said) -> Prediction:
        """What the members said, as means with standard deviations."""
        spread = lambda x: np.std(x, axis=0, ddof=1) if self.members > 1 else np.full(x.shape[1:], np.nan)
        return Prediction(
            np.mean(said.energy, axis=0),
            self.energy_factor * spread(said.energy),
            np.mean(said.forces, axis=0),
            self.forces_factor * spread(said.forces),
        )

    def errors(self, frames: Frames) -> Errors:
        """Of the members' mean, on frames that were not trained on, please."""
        found = self.predict(frames)
        return Errors.between(found.energy, found.forces, frames.labels)

    def save(self, path: str | Path) -> None:
        """Arrays only, in single precision; `load` wants the shape of the model again."""
        arrays = by_name(jax.tree.map(np.float32, eqx.filter(self.models, eqx.is_inexact_array)))
        factors = {"energy_factor": self.energy_factor, "forces_factor": self.forces_factor}
        write_arrays(Path(path), {**arrays, "shift": self.shift}, factors)

    @classmethod
    def load(cls, path: str | Path, one: Any) -> Ensemble:
        """What `save` wrote; `one` is any model of the same shape."""
        found, factors = read_arrays(Path(path))
        arrays, rest = eqx.partition(one, eqx.is_inexact_array)
        first = found.get("leaf0")
        count = 0 if first is None or first.ndim == 0 else len(first)
        back = put_back(found, jax.tree.map(lambda x: jax.ShapeDtypeStruct((count, *x.shape), x.dtype), arrays))
        if back is None:
            raise BadInput(f"{path} holds models of another shape than the one given.")
        models = eqx.combine(
            jax.tree.map(lambda new, old: jnp.asarray(new, jnp.asarray(old).dtype), back, arrays), rest
        )
        return cls(models, found["shift"], factors["energy_factor"], factors["forces_factor"])
