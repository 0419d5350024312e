"""A potential as bytes: compiled code that runs without its source, on CPU and GPU, with the same numbers."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export as jax_export
from jaxtyping import Array, Float, Int

from .._core.messages import BadInput
from ._following import farthest
from ._hybrid import Answer, HybridPotential
from ._structure import Structure

MARK = b"lawful potential 1\n"


@dataclass(frozen=True)
class Exported:
    """A potential that was saved: call it with positions and cell. It knows where it holds, and refuses elsewhere."""

    numbers: Int[np.ndarray, " atoms"]
    positions: Float[np.ndarray, "atoms 3"]
    cell: Float[np.ndarray, "3 3"] | None
    margin: float
    program: Any

    def __call__(self, positions: Float[Array, "atoms 3"], cell: Float[Array, "3 3"] | None = None) -> Answer:
        """As `HybridPotential`. Raises `BadInput` where an atom is further than `margin` from where the pairs were
        found, or the cell is another one."""
        if np.shape(positions) != self.positions.shape or (cell is None) != (self.cell is None):
            raise BadInput(
                f"this potential is for {len(self.positions)} atoms {'in a cell' if self.cell is not None else ''}."
            )
        if not farthest(self.positions, positions) <= self.margin:
            raise BadInput(
                f"an atom is more than {self.margin:g} A from where the pairs were found; export the potential built"
                " for this arrangement, or with a larger skin."
            )
        if self.cell is not None and math.isfinite(self.margin) and not np.array_equal(self.cell, np.asarray(cell)):
            raise BadInput(
                "the cell is not that which the potential was built for; export the one built for this cell."
            )
        place = jnp.asarray(positions, self.program.in_avals[0].dtype)
        energy, terms, forces, stress, charges, dipole = self.program.call(
            place, *(() if cell is None else (jnp.asarray(cell, place.dtype),))
        )
        return Answer(energy, terms, forces, stress, charges, dipole)


def export(potential: HybridPotential, structure: Structure, platforms: tuple[str, ...] = ("cpu", "cuda")) -> bytes:
    """The potential built for a structure as bytes, to write to a file; see `load`.

    Its pairs are part of it: it holds for the structure's cell, and until an atom has moved by the potential's margin.
    The precision is that in which this is called: inside `with jax.enable_x64(True):` double.
    """
    positions, cell = jnp.asarray(structure.positions, float), structure.cell
    places = (positions,) if cell is None else (positions, jnp.asarray(cell, float))

    def said(*places):
        answer = potential(*places)
        return answer.energy, answer.terms, answer.forces, answer.stress, answer.charges, answer.dipole

    try:
        import flatbuffers  # noqa: F401 - what jax.export writes with
    except ImportError:
        raise BadInput("exporting needs flatbuffers; install it: pip install 'lawful[atoms]'") from None
    shapes = [jax.ShapeDtypeStruct(each.shape, each.dtype) for each in places]
    program = jax_export.export(jax.jit(said), platforms=platforms)(*shapes).serialize()
    head = {
        "numbers": structure.numbers.tolist(),
        "positions": np.asarray(structure.positions).tolist(),
        "cell": None if cell is None else np.asarray(cell).tolist(),
        "margin": potential.margin if math.isfinite(potential.margin) else None,
        "sha256": hashlib.sha256(program).hexdigest(),
    }
    return MARK + json.dumps(head).encode() + b"\n" + bytes(program)


def load(content: bytes) -> Exported:
    """What `export` made. Raises `BadInput` for other bytes. Double precision has to be on to call one in it."""
    if not content.startswith(MARK):
        raise BadInput("these bytes are no exported potential.")
    head, _, program = content[len(MARK) :].partition(b"\n")
    try:
        told = json.loads(head)
        if hashlib.sha256(program).hexdigest() != told["sha256"]:
            raise ValueError
        return Exported(
            np.array(told["numbers"], dtype=int),
            np.array(told["positions"], dtype=float),
            None if told["cell"] is None else np.array(told["cell"], dtype=float),
            math.inf if told["margin"] is None else float(told["margin"]),
            jax_export.deserialize(bytearray(program)),
        )
    # struct.error and what XLA says of a program that is none, though its sum is right
    except (ValueError, TypeError, LookupError, struct.error, RuntimeError):
        raise BadInput("the exported potential is damaged; export it again.") from None
