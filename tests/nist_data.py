"""The NIST StRD nonlinear regression problems, read from the source distribution of lmfit.

The 27 data files are in the public domain and travel with lmfit's source distribution. They are not copied into
this repository: `python tests/nist_data.py` fetches the archive once, through the ordinary pip client, into
`.cache/nist`, and `load_problems` reads the files straight from the archive.

Source: NIST/ITL, Statistical Reference Datasets, Nonlinear Regression.
"""

import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

CACHE = Path(__file__).resolve().parents[1] / ".cache" / "nist"
ABSENT = f"NIST problems absent: run `python tests/nist_data.py` once (pip download of lmfit into {CACHE})"
REQUIREMENT = "lmfit==1.3.4"
FIRST_DATA_LINE = 60  # every file has 60 lines of header


class NistProblem(NamedTuple):
    """One certified problem: p parameters, m observations, d predictors."""

    name: str
    level: str  # Lower, Average or Higher level of difficulty
    starts: np.ndarray  # (2, p) the two certified starting points, far and near
    certified: np.ndarray  # (p,) certified parameters, 11 digits
    sds: np.ndarray  # (p,) certified standard deviations, 11 digits
    ssr: float  # certified residual sum of squares
    y: np.ndarray  # (m,)
    x: np.ndarray  # (d, m)


def fetch() -> Path:
    """Download the source distribution into the cache, unless it is there already; return its path."""
    if (archive := find_archive()) is None:
        CACHE.mkdir(parents=True, exist_ok=True)
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", ":all:", "--dest", str(CACHE)]
        subprocess.run([sys.executable, "-m", "pip", "download", *options, REQUIREMENT], check=True)
        archive = find_archive()
    if archive is None:
        raise FileNotFoundError(f"pip downloaded {REQUIREMENT}, but no .tar.gz archive of it is in {CACHE}")
    return archive


def find_archive() -> Path | None:
    """The downloaded archive, or None where it was not fetched."""
    return next(iter(sorted(CACHE.glob("lmfit-*.tar.gz"))), None)


def load_problems(archive: Path) -> dict[str, NistProblem]:
    """Every problem in the archive by name, in alphabetical order."""
    problems = {}
    with tarfile.open(archive) as tar:
        for member in sorted(tar.getmembers(), key=lambda each: each.name):
            path = Path(member.name)
            if path.parent.name == "NIST_STRD" and path.suffix == ".dat":
                stream = tar.extractfile(member)
                assert stream is not None
                problems[path.stem] = parse(path.stem, stream.read().decode("ascii"))
    return problems


def parse(name: str, text: str) -> NistProblem:
    """One .dat file: `b1 = start1 start2 certified sd` lines, the certified sum of squares, then the data."""
    lines = text.splitlines()
    header = "\n".join(lines[:FIRST_DATA_LINE])
    rows = re.findall(r"^\s*b\d+ =\s+(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*$", header, flags=re.MULTILINE)
    first, second, certified, sds = np.array(rows, dtype=float).T
    level = re.search(r"(\w+) Level of Difficulty", header)
    ssr = re.search(r"Residual Sum of Squares:\s+(\S+)", header)
    if level is None or ssr is None:
        raise ValueError(f"{name}: the header names no level of difficulty or no residual sum of squares")
    y, *x = np.array([line.split() for line in lines[FIRST_DATA_LINE:] if line.strip()], dtype=float).T
    return NistProblem(name, level[1], np.stack([first, second]), certified, sds, float(ssr[1]), y, np.stack(x))


if __name__ == "__main__":
    print(f"{len(load_problems(fetch()))} NIST problems in {find_archive()}")
