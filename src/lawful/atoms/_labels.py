"""What is known of each frame: what a model that learns is held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeGuard

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float, Int

from .._core.messages import BadInput
from .._core.numbers import real_array
from ._structure import Structure, padded


class Labels(eqx.Module):
    """What is known of each frame; NaN where it is not, None where it is of no frame.

    energy    (frames,), eV.
    forces    (frames, atoms, 3), eV/A.
    stress    (frames, 3, 3), eV/A^3.
    charges   (frames, atoms), e.
    dipole    (frames, 3), e A: of all atoms together, about the origin where the frame is charged.
    terms     (frames,) each, eV: single terms of the energy, by the names that the model gives them.
    weight    (frames,): what a frame's squared error of energy is multiplied by in training; None for 1.
    """

    energy: Float[Array | np.ndarray, "*frames"] | None
    forces: Float[Array | np.ndarray, "*frames atoms 3"] | None = None
    stress: Float[Array | np.ndarray, "*frames 3 3"] | None = None
    charges: Float[Array | np.ndarray, "*frames atoms"] | None = None
    dipole: Float[Array | np.ndarray, "*frames 3"] | None = None
    terms: Mapping[str, Float[Array | np.ndarray, "*frames"]] | None = None
    weight: Float[Array | np.ndarray, "*frames"] | None = None

    @classmethod
    def of(
        cls,
        structures: Sequence[Structure],
        energy: object = None,
        forces: Sequence[object] | None = None,
        stress: Sequence[object] | None = None,
        charges: Sequence[object] | None = None,
        dipole: Sequence[object] | None = None,
        terms: Mapping[str, object] | None = None,
        weight: object = None,
    ) -> Labels:
        """From what users have, each looked at; rows of padding are NaN."""
        count, sizes = len(structures), [len(structure) for structure in structures]
        one_each = lambda name, given: checked(name, given, (count,))

        def per_frame(name: str, given: Sequence[object] | None, shapes: Sequence[tuple[int, ...]]) -> list | None:
            if given is None:
                return None
            if len(given) != count:
                raise BadInput(f"{count} structures need as many entries of {name}, but {len(given)} were given.")
            return [checked(f"{name} of frame {k}", each, shapes[k]) for k, each in enumerate(given)]

        rows = lambda found: None if found is None else np.stack([padded(x, max(sizes), np.nan) for x in found])
        plain = lambda found: None if found is None else np.stack(found)
        return cls(
            np.full(count, np.nan) if energy is None else one_each("energy", energy),
            rows(per_frame("forces", forces, [(n, 3) for n in sizes])),
            plain(per_frame("stress", stress, [(3, 3)] * count)),
            rows(per_frame("charges", charges, [(n,) for n in sizes])),
            plain(per_frame("dipole", dipole, [(3,)] * count)),
            None if terms is None else {name: one_each(name, given) for name, given in terms.items()},
            None if weight is None else one_each("weight", weight),
        )

    def chosen(self, index: Int[np.ndarray, " some"], atoms: int) -> Labels:
        """Those of some frames, which need so many rows."""
        some = jax.tree.map(lambda x: x[index], self)
        rows = lambda l: (l.forces, l.charges)
        short = tuple(None if x is None else x[:, :atoms] for x in rows(some))
        return eqx.tree_at(rows, some, short, is_leaf=lambda x: x is None)

    def held(self) -> Labels:
        """Without what is known of no frame, so that nobody computes what it would be compared with."""
        known = lambda x: x if any_known(x) else None
        terms = {name: x for name, x in (self.terms or {}).items() if any_known(x)}
        energy, *others = [known(x) for x in (self.energy, self.forces, self.stress, self.charges, self.dipole)]
        return Labels(energy, *others, terms=terms or None, weight=self.weight)


def any_known(values: Array | np.ndarray | None) -> TypeGuard[np.ndarray]:
    return values is not None and bool(np.any(np.isfinite(values)))


def checked(name: str, given: object, shape: tuple[int, ...]) -> np.ndarray:
    try:
        values = real_array(given)
    except TypeError as error:
        raise BadInput(f"{name} must be numbers, but holds {error}.") from None
    if values.shape != shape:
        raise BadInput(f"{name} needs the shape {shape}, but has {values.shape}.")
    if np.any(np.isinf(values)):
        raise BadInput(f"{name} holds an infinite number; write NaN where it is not known, or remove the frame.")
    return values
