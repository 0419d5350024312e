"""Where a long fit keeps itself, so that a kill loses nothing: one file, rewritten beside and renamed, and the one
before it, in case a disk damages the last."""

from __future__ import annotations

import hashlib
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

from .._core.files import clear_unfinished, read_arrays, write_arrays
from .._core.mesh import leads
from .._core.messages import BadInput
from .._core.versions import version


class Keeper:
    """Saves the state of a fit every `seconds`, and gives it back to a run that resumes.

    Saving never changes what is computed: a resumed run repeats the steps after the last save and reaches the same
    numbers bit for bit on the same machine. Of several processes that share a fit the first one writes, all read.
    """

    def __init__(self, folder: Path | None, fingerprint: str, resume: bool, seconds: float = 1.0):
        self.path = folder / "checkpoint.npz" if folder else None
        self.before = folder / "checkpoint-before.npz" if folder else None
        self.fingerprint, self.seconds, self.last = fingerprint, seconds, time.monotonic()
        self.found: tuple[dict[str, np.ndarray], dict] | None = None
        if resume and (path := self.take_up()) and self.found:
            check_origin(path, self.found[1], fingerprint)

    def take_up(self) -> Path | None:
        """Read the last checkpoint that is whole, and say where it is. Raises `BadInput` where none of them is."""
        damage = None
        for path in (self.path, self.before):
            if path is None or not path.exists():
                continue
            try:
                self.found = read_arrays(path)
            except BadInput as error:
                damage = damage or error
                continue
            if damage and leads():
                sys.stderr.write(f"{damage.args[0].partition(';')[0]}; the one before it is taken, {path}\n")
            return path
        if damage:
            raise damage
        return None

    def load(self) -> tuple[dict[str, np.ndarray], dict] | None:
        """The saved state, once; None for a fresh start."""
        found, self.found = self.found, None
        return found

    def save(self, arrays: Callable[[], dict[str, np.ndarray]], meta: Callable[[], dict], force: bool = False) -> None:
        now = time.monotonic()
        if self.path and leads() and (force or now - self.last >= self.seconds):
            kept = {**meta(), "fingerprint": self.fingerprint, "lawful": version("lawful")}
            write_arrays(self.path, arrays(), kept, self.before)
            self.last = now

    def clear(self) -> None:
        """The work is done and its result is saved elsewhere."""
        if self.path and self.before and leads():
            self.path.unlink(missing_ok=True)
            self.before.unlink(missing_ok=True)
            clear_unfinished(self.path.parent)


def check_origin(path: Path, meta: dict, fingerprint: str) -> None:
    """Raise `BadInput` for the checkpoint of another run or of another version, which may count otherwise."""
    if meta.get("fingerprint") != fingerprint:
        raise BadInput(
            f"{path} belongs to another problem, method or training; run without --resume, or choose another folder."
        )
    here = version("lawful")
    if meta.get("lawful") != here:
        raise BadInput(
            f"{path} was written by lawful {meta.get('lawful', 'of an older version')}, and this is {here}; end"
            " the run with that version, or run without --resume."
        )


def fingerprint(*parts: object) -> str:
    """A digest of everything that determines the answer: names, numbers, and the code of the functions."""
    digest = hashlib.sha256()
    for leaf in jax.tree_util.tree_leaves(parts):
        digest.update(stamp(leaf))
    structure = repr(jax.tree_util.tree_structure(parts))
    digest.update(re.sub(r" at 0x[0-9a-f]+", "", structure).encode())  # addresses differ from run to run
    return digest.hexdigest()


def stamp(leaf: object) -> bytes:
    if isinstance(leaf, np.ndarray | jax.Array):
        array = np.asarray(leaf)
        return str((array.shape, array.dtype)).encode() + array.tobytes()
    code = getattr(leaf, "__code__", None)
    if code is None:
        return (
            repr(leaf).encode() if isinstance(leaf, int | float | str | bool | None) else type(leaf).__name__.encode()
        )
    enclosed = [cell.cell_contents for cell in getattr(leaf, "__closure__", None) or ()]
    inside = b"".join(stamp(value) for value in [*enclosed, *(getattr(leaf, "__defaults__", None) or ())])
    return code_stamp(code) + inside


def code_stamp(code) -> bytes:
    """A function's instructions, names and constants; not where it is written."""
    constants = [code_stamp(c) if hasattr(c, "co_code") else repr(c).encode() for c in code.co_consts]
    return code.co_code + repr((code.co_names, code.co_varnames)).encode() + b"".join(constants)
