"""The pictures of README and of the studies' pages: figures and numbers that the studies themselves write.

    python benchmarks/pictures.py                          # the studies below, at normal effort: minutes
    python benchmarks/pictures.py oscillator

Each study runs through the command line. Its figures go, reduced to a palette, into docs/assets/studies/NAME/, beside
study.json; the hook of the documentation puts both on the study's page. README's picture is one of them.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ASSETS = Path(__file__).resolve().parent.parent / "docs" / "assets" / "studies"
SHOWN = ("oscillator", "misra", "lorenz", "diffusivity", "bounce", "step")
WIDEST, COLOURS, MOST_BYTES = 1000, 32, 60_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=SHOWN, metavar="STUDY")
    for name in parser.parse_args().names:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "lawful", "run", name, "--out", folder]
            subprocess.run(command, check=True)
            for path in kept(Path(folder), ASSETS / name.replace("-", "_")):
                print(f"written: {path} ({path.stat().st_size} bytes)")


def kept(run: Path, assets: Path) -> list[Path]:
    """The figures and numbers of a run, small enough for a repository."""
    assets.mkdir(parents=True, exist_ok=True)
    numbers = json.loads((run / "study.json").read_text(encoding="utf-8"))
    del numbers["seconds"]  # they are the machine's, and it did other work
    written = [assets / "study.json"]
    written[0].write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
    for figure in sorted(run.glob("*.png")):
        written.append(assets / figure.name)
        written[-1].write_bytes(small(figure))
    return written


def small(figure: Path) -> bytes:
    """A figure as PNG with a palette: lines on white lose nothing by it."""
    with Image.open(figure) as whole:
        size = min(WIDEST, whole.width)
        picture = whole.convert("RGB").resize(
            (size, round(whole.height * size / whole.width)), Image.Resampling.LANCZOS
        )
    content = io.BytesIO()
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(content, "PNG", optimize=True)
    if content.tell() > MOST_BYTES:
        raise SystemExit(f"{figure.name} takes {content.tell()} bytes, more than {MOST_BYTES}; leave this study out")
    return content.getvalue()


if __name__ == "__main__":
    main()
