"""The figures and numbers that the studies' pages show: each study run, its figures kept in few colours.

    python docs/pictures.py kepler bounce                    # at normal effort
    python docs/pictures.py --effort quick                   # all of them, about an hour
    python docs/pictures.py --found runs/kepler kepler       # what an earlier run has left

They lie in docs/assets/studies/NAME/. Worth doing anew where a study draws or counts otherwise than before.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from lawful.studies._base import study_names

ROOT = Path(__file__).resolve().parent.parent
STUDIES = study_names()
COLORS, WIDTH = 64, 1200
LONGEST = 60_000  # bytes of numbers worth keeping


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="STUDY", help="all by default")
    parser.add_argument("--effort", default="normal", choices=("quick", "normal", "best"))
    parser.add_argument("--found", type=Path, metavar="FOLDER", help="of one study, run earlier")
    arguments = parser.parse_args()
    if strangers := [name for name in arguments.names if name not in STUDIES]:
        parser.error(f"no study {', '.join(strangers)}; there are {', '.join(STUDIES)}")
    if arguments.found and len(arguments.names) != 1:
        parser.error("--found holds the results of one study: name it")
    failed = []
    for name in arguments.names or STUDIES:
        with tempfile.TemporaryDirectory() as folder:
            found = arguments.found or run(name, arguments.effort, Path(folder))
            if not (found / "study.json").is_file():
                failed.append(name)
                continue
            kept = keep(name, found)
        print(f"{name}: {', '.join(path.name for path in kept)}", flush=True)
    if failed:
        print(f"without results: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


def run(name: str, effort: str, folder: Path) -> Path:
    """A study that ends with exit status 1 was not content with its result, which is shown all the same."""
    command = [sys.executable, "-m", "lawful", "run", name, "--effort", effort, "--out", str(folder)]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    return folder


def keep(name: str, found: Path) -> list[Path]:
    folder = ROOT / "docs" / "assets" / "studies" / name.replace("-", "_")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path in sorted(found.glob("*.png")):
        lighter(path, folder / path.name)
    record = json.dumps(json.loads((found / "study.json").read_text()), indent=1, ensure_ascii=False) + "\n"
    if len(record) < LONGEST:
        (folder / "study.json").write_text(record, encoding="utf-8")
    return sorted(folder.iterdir())


def lighter(path: Path, to: Path) -> None:
    """In few colours, no wider than a page shows: a quarter of the bytes."""
    image = Image.open(path).convert("RGB")
    image.thumbnail((WIDTH, 10 * WIDTH))
    image.quantize(COLORS).save(to, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
