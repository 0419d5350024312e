"""The separate environment in which the benchmarks run other libraries.

Peers never enter lawful's own environment: they bring PyTorch, and their pins must not move ours. They live
in `.cache/peers`, which git ignores, and are made once by pip from `peers-constraints.txt`.

    python benchmarks/peers.py        # make it now, print its interpreter
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONSTRAINTS = HERE / "peers-constraints.txt"
ENVIRONMENT = HERE.parent / ".cache" / "peers"

# In this order: torch first, so that a CPU build that pip is configured to find is settled before anything
# that depends on it is resolved.
STEPS = (["torch"], ["deepxde"], ["jinns"])


def peer_python() -> Path:
    """Path of the peers' Python interpreter; the environment is made first if it is missing or out of date.

    The environment counts as complete only if the stamp left by the last step repeats today's constraints, so
    a run that was interrupted half-way, or a changed constraints file, makes it anew.

    Returns: absolute path of the interpreter.
    Fails: `SystemExit` with pip's exit status when a package cannot be installed; pip's own message comes
    before. On Linux the general package index holds torch with CUDA (several GB); point pip's configuration
    at a CPU build to avoid it.
    """
    python = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = ENVIRONMENT / "constraints-installed.txt"
    wanted = CONSTRAINTS.read_text(encoding="utf-8")
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    print(f"making the peers' environment in {ENVIRONMENT} (once)", file=sys.stderr)
    if ENVIRONMENT.exists():
        shutil.rmtree(ENVIRONMENT)
    _run([sys.executable, "-m", "venv", str(ENVIRONMENT)])
    for packages in STEPS:
        _run([str(python), "-m", "pip", "install", "--quiet", "--constraint", str(CONSTRAINTS), *packages])
    stamp.write_text(wanted, encoding="utf-8")
    return python


def _run(command: list[str]) -> None:
    """Run a command with its output on standard error, so that this script's own output stays one line."""
    finished = subprocess.run(command, stdout=sys.stderr, check=False)
    if finished.returncode:
        raise SystemExit(f"could not make the peers' environment: {' '.join(command)} exited {finished.returncode}")


if __name__ == "__main__":
    print(peer_python())
