"""Which version of a package is installed."""

from functools import cache
from importlib import metadata


@cache
def version(package: str) -> str:
    """As its metadata says; "unknown" for a folder of sources that was never installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"
