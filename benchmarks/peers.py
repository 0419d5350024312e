"""The separate environment in which the benchmarks run other libraries.

Peers never enter lawful's own environment: they bring PyTorch, and their pins must not move ours. They live
in `.cache`, which git ignores, and are made once by pip from files of constraints.

    python benchmarks/peers.py        # make it now, print its interpreter
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONSTRAINTS = HERE / "peers-constraints.txt"
ENVIRONMENTS = HERE.parent / ".cache"

# In this order: torch first, so that a CPU build that pip is configured to find is settled before anything
# that depends on it is resolved.
STEPS = (["torch"], ["deepxde"], ["jinns"])


def peer_python() -> Path:
    """Path of the interpreter that has DeepXDE, jinns and PyTorch; see `environment`.

    On Linux the general package index holds torch with CUDA (several GB); point pip's configuration at a CPU build to
    avoid it.
    """
    return environment("peers", CONSTRAINTS, STEPS)


def environment(name: str, constraints: Path, steps: Sequence[list[str]]) -> Path:
    """Path of the interpreter of an environment with other libraries; it is made first if it is missing or out of date.

    The environment counts as complete only if the stamp left by the last step repeats today's constraints, so
    a run that was interrupted half-way, or a changed constraints file, makes it anew.

    Returns: absolute path of the interpreter.
    Fails: `SystemExit` with pip's exit status when a package cannot be installed; pip's own message comes
    before.
    """
    folder = ENVIRONMENTS / name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "constraints-installed.txt"
    wanted = constraints.read_text(encoding="utf-8")
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    print(f"making the environment {folder} (once)", file=sys.stderr)
    if folder.exists():
        shutil.rmtree(folder)
    _run([sys.executable, "-m", "venv", str(folder)])
    for packages in steps:
        _run([str(python), "-m", "pip", "install", "--quiet", "--constraint", str(constraints), *packages])
    stamp.write_text(wanted, encoding="utf-8")
    return python


def _run(command: list[str]) -> None:
    """Run a command with its output on standard error, so that this script's own output stays one line."""
    finished = subprocess.run(command, stdout=sys.stderr, check=False)
    if finished.returncode:
        raise SystemExit(f"could not make the peers' environment: {' '.join(command)} exited {finished.returncode}")


if __name__ == "__main__":
    print(peer_python())
