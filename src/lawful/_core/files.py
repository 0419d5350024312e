"""Files that survive a kill: written beside and renamed; arrays and JSON only, no pickle."""

from __future__ import annotations

import io
import json
import os
import tokenize
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .messages import BadInput


def write_atomically(path: Path, content: bytes, before: Path | None = None) -> None:
    """Write `content` beside `path`, flush it to disk, rename it into place; what was there is kept as `before`.

    Raises `OSError` with the path in it, which a full disk does not know of.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(beside, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if before is not None and path.exists():
            os.replace(path, before)
        os.replace(beside, path)
    except OSError as error:
        if error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        beside.unlink(missing_ok=True)  # what a full disk left; after the rename there is nothing


def clear_unfinished(folder: Path) -> None:
    """Remove what processes that were killed in the midst of writing left in a folder."""
    for path in folder.glob(".*.part"):
        if path.name.removesuffix(".part").rpartition(".")[2].isdigit():
            path.unlink(missing_ok=True)


def write_json(path: Path, record: Mapping) -> None:
    write_atomically(path, json.dumps(record, indent=1, allow_nan=False).encode())


def read_json(path: Path) -> dict:
    try:
        return json.loads(path.read_text())
    except ValueError as error:  # broken JSON, or bytes that are no text
        raise BadInput(
            f"{path} is not readable JSON ({error}); it may be truncated: delete the folder and run again."
        ) from None


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], meta: Mapping, before: Path | None = None) -> None:
    """One .npz with the arrays and a JSON text of everything that is not an array, in a single atomic rename; what was
    there is kept as `before`."""
    for name, array in arrays.items():
        if np.asarray(array).dtype.hasobject:
            raise ValueError(f"'{name}' holds objects: object arrays would have to be pickled.")
    buffer = io.BytesIO()
    record = json.dumps({"arrays": list(arrays), "meta": meta}, allow_nan=False)
    content: dict[str, Any] = {"__meta__": np.frombuffer(record.encode(), dtype=np.uint8), **arrays}
    np.savez(buffer, **content)
    write_atomically(path, buffer.getvalue(), before)


def read_arrays(path: Path) -> tuple[dict[str, np.ndarray], dict]:
    """What `write_arrays` wrote. Raises `BadInput` for a truncated or foreign file."""
    content = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                raise zipfile.BadZipFile("lawful does not compress")
            found = {name.removesuffix(".npy"): one_array(archive.read(name)) for name in archive.namelist()}
        record = json.loads(found.pop("__meta__").tobytes())
        return {name: found[name] for name in record["arrays"]}, dict(record["meta"])
    # What damaged archives raise: RuntimeError where a flipped bit claims encryption or an unknown format, OSError
    # where an offset points before the beginning, TokenError where the head of an array is no Python, UserWarning
    # where it is that of Python 2.
    except (
        ValueError, TypeError, LookupError, EOFError, OSError, RuntimeError, MemoryError, SyntaxError,
        zipfile.BadZipFile, tokenize.TokenError, UserWarning,
    ) as error:  # fmt: skip
        kind = type(error).__name__
        raise BadInput(f"{path} is damaged or not one of lawful's files ({kind}); delete it and run again.") from None


def one_array(content: bytes) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # what NumPy has doubts about was not written here
        return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
