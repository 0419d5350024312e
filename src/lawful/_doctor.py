"""What `lawful doctor` looks at."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from ._core.collectives import wrong_collectives
from ._core.mesh import row_of
from ._core.messages import listing
from ._core.precision import float64


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, whether it is ok, and what was found or what to do."""

    what: str
    ok: bool
    says: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.ok else 'MEND'}  {self.what:18} {self.says}"


def examine() -> list[Finding]:
    """Every finding, in the order of what would hurt first."""
    return [versions(), precision(), gradients(), devices(), collectives(), cache(), data_folder(), browser()]


def versions() -> Finding:
    names = ("lawful", "jax", "jaxlib", "equinox", "numpy", "scipy")
    found = ", ".join(f"{name} {metadata.version(name)}" for name in names)
    return Finding("versions", sys.version_info >= (3, 11), f"python {sys.version.split()[0]}, {found}")


def precision() -> Finding:
    with float64():
        third = np.asarray(jnp.asarray(1.0) / 3.0)
    good = third.dtype == np.float64 and float(third) == 1.0 / 3.0
    return Finding(
        "double precision",
        good,
        "available" if good else "this JAX computes in single precision only; install a build with float64",
    )


def gradients() -> Finding:
    with float64():
        error = abs(float(jax.grad(jnp.tanh)(0.3)) - (1 - np.tanh(0.3) ** 2))
    return Finding(
        "derivatives",
        error < 1e-14,
        f"exact to {error:.0e}" if error < 1e-14 else "wrong; reinstall jax and jaxlib of the same version",
    )


def devices() -> Finding:
    found = ", ".join(sorted({device.device_kind for device in jax.devices()}))
    return Finding("devices", True, f"{len(jax.devices())} x {found}; {os.cpu_count()} cores")


def collectives() -> Finding:
    """Each collective that shared work uses, tried on the devices at hand."""
    devices = jax.devices()
    wrong = wrong_collectives(row_of(devices))
    where = f"{len(devices)} device{'s' if len(devices) > 1 else ''} ({jax.default_backend()})"
    return Finding(
        "collectives",
        not wrong,
        f"wrong on {where}: {listing(wrong)}; solve without mesh=, and update jax and jaxlib"
        if wrong
        else f"psum, all_gather and ppermute tried on {where}: right",
    )


def cache() -> Finding:
    folder = Path(getattr(jax.config, "jax_compilation_cache_dir", None) or ".cache/jax")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        good = os.access(folder, os.W_OK)
    except OSError:
        good = False
    return Finding(
        "compilation cache",
        good,
        str(folder) if good else f"{folder} cannot be written; set JAX_COMPILATION_CACHE_DIR",
    )


def data_folder() -> Finding:
    folder = Path(os.environ.get("LAWFUL_DATA", "../shared/data"))
    if folder.is_dir():
        return Finding("data folder", True, str(folder))
    return Finding(
        "data folder",
        "LAWFUL_DATA" not in os.environ,
        f"{folder} is not there: studies on recordings need LAWFUL_DATA or --set data=FILE",
    )


def browser() -> Finding:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    return Finding("browser for tests", True, found or "none: the one test that opens the report is skipped")
