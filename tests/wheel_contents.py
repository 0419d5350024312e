"""Is every file of the package in the installed one, and is that one in use? Run by `make wheel` in its environment.

python tests/wheel_contents.py
"""

import sys
from pathlib import Path

import lawful

SOURCES = Path(__file__).resolve().parent.parent / "src" / "lawful"
INSTALLED = Path(lawful.__file__).resolve().parent


def files(folder: Path) -> set[str]:
    """What belongs to the package: no caches."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in paths if "__pycache__" not in path.parts}


if INSTALLED == SOURCES:
    sys.exit(f"{INSTALLED} is the folder of the sources, not an installed wheel")
if missing := sorted(files(SOURCES) - files(INSTALLED)):
    sys.exit(f"the wheel lacks {len(missing)} files, such as {', '.join(missing[:5])}")
print(f"all {len(files(SOURCES))} files are in the wheel")
