"""What figures were measured on."""

from __future__ import annotations

import datetime
import os
import platform
from importlib import metadata
from pathlib import Path


def processor() -> str:
    """The name of the processor, as far as the system tells."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.is_file() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")


def machine(*packages: str) -> str:
    """Date, processor and versions in one line."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    return f"{now()}; {processor()}, {os.cpu_count()} cores; Python {platform.python_version()}, {versions}"
