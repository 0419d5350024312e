"""PDB files of studies, by way of a folder that is gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..proteins import Backbone, write


def pdb_files(named: Mapping[str, Backbone | Sequence[Backbone]]) -> dict[str, bytes]:
    """A PDB file for each name, as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [write(Path(folder) / f"{name}.pdb", each) for name, each in named.items()]
        return {path.name: path.read_bytes() for path in paths}


def pdb_text(backbones: Backbone | Sequence[Backbone]) -> str:
    """The text of one."""
    return pdb_files({"one": backbones})["one.pdb"].decode()
