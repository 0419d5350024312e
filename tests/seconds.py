"""Seconds of each test file in a run of all, by which conftest.py lets the long ones begin first.

    make test PYTEST_ADDOPTS=--junitxml=.cache/junit.xml; .venv/bin/python tests/seconds.py .cache/junit.xml

Worth doing anew when files that take minutes have come or gone; only the order of the files matters.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent


def main(record: Path) -> None:
    files = {".".join(path.relative_to(HERE.parent).with_suffix("").parts): path for path in HERE.rglob("test_*.py")}
    seconds: Counter[str] = Counter()
    for case in ElementTree.parse(record).iter("testcase"):
        name = case.attrib["classname"]
        path = files.get(name) or files[name.rpartition(".")[0]]  # some tests stand in a class
        seconds[path.relative_to(HERE.parent).as_posix()] += float(case.attrib["time"])
    told = {name: round(took) for name, took in sorted(seconds.items())}
    (HERE / "seconds.json").write_text(json.dumps(told, indent=1) + "\n")
    print(f"{len(told)} files, {sum(told.values())} s in all")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
