"""House rules that a machine can check: ceilings, forbidden constructs, forbidden words, a light import."""

import ast
import functools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CODE = ("src", "tests", "benchmarks", "docs")
LINES_A_FILE = 800
LINES_A_FUNCTION = 80

# Joined from halves, so that this file does not hold what it forbids.
REGISTRIES = [
    "pypi" + ".org",
    "python" + "hosted",
    "registry." + "npmjs",
    "conda." + "anaconda",
    "deb." + "debian",
]
MACHINE_PATH = r"(?<![\w.~$})/-])/(?:home|root|Users|work|mnt|srv|scratch)/\w"
UNFINISHED = r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b"
HEAVY = ["matplotlib", "pandas", "rich", "typer", "xarray"]


@functools.cache
def tracked_files() -> list[Path]:
    """What git tracks or would track; outside a checkout (a source archive), every file that is no cache."""
    listing = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(listing, capture_output=True, text=True, check=True).stdout.split("\0")
        files = [ROOT / name for name in names if name]
    except (FileNotFoundError, subprocess.CalledProcessError):
        hidden = re.compile(r"(^|/)(\.|__pycache__|site/|build/|dist/|runs/)")
        files = [path for path in ROOT.rglob("*") if not hidden.search(path.relative_to(ROOT).as_posix())]
    return sorted(path for path in files if path.is_file())


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def sources() -> list[Path]:
    return [path for path in tracked_files() if path.suffix == ".py" and name(path).split("/")[0] in CODE]


def texts() -> Iterator[tuple[Path, str]]:
    """The tracked files that are text."""
    for path in tracked_files():
        raw = path.read_bytes()
        if b"\0" not in raw[:8000]:
            yield path, raw.decode("utf-8", errors="replace")


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in sources():
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def forbidden_constructs(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and complaint for each construct the house does without."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) if any(alias.name.split(".")[0] == "pickle" for alias in names):
                yield node.lineno, "imports pickle"
            case ast.ImportFrom(module="pickle"):
                yield node.lineno, "imports pickle"
            case ast.keyword(arg="allow_pickle", value=ast.Constant(value=True)):
                yield node.lineno, "reads or writes pickles"
            case ast.ExceptHandler(type=None):
                yield node.lineno, "catches everything: name the errors"
            case ast.ExceptHandler(type=ast.expr() as kind) if "Exception" in caught(kind):
                yield node.lineno, "catches everything: name the errors"


def caught(kind: ast.expr) -> set[str]:
    """Names of the errors in an except clause."""
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return {ast.unparse(each) for each in kinds}


def test_no_file_is_longer_than_the_ceiling():
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    assert {path: lines for path, lines in lengths.items() if lines > LINES_A_FILE} == {}


def test_no_function_is_longer_than_the_ceiling():
    long = [
        f"{name(path)}:{node.lineno} {node.name}: {node.end_lineno - node.lineno + 1} lines"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno + 1 > LINES_A_FUNCTION
    ]
    assert long == []


def test_no_forbidden_constructs():
    assert [
        f"{name(path)}:{line} {complaint}" for path, tree in trees() for line, complaint in forbidden_constructs(tree)
    ] == []


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from pickle import loads",
        "np.load(path, allow_pickle=True)",
        "try:\n    f()\nexcept:\n    pass",
        "try:\n    f()\nexcept Exception as error:\n    pass",
        "try:\n    f()\nexcept (OSError, Exception):\n    pass",
    ],
)
def test_a_planted_construct_is_caught(text):
    assert len(list(forbidden_constructs(ast.parse(text)))) == 1


def test_no_file_is_called_utils():
    assert [name(path) for path in sources() if path.stem.strip("_") in ("utils", "util", "helpers")] == []


@pytest.mark.parametrize("pattern", [*map(re.escape, REGISTRIES), MACHINE_PATH, UNFINISHED])
def test_no_forbidden_words(pattern):
    found = [
        f"{name(path)}:{number} {line.strip()[:90]}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert found == []


def test_a_machine_path_is_told_from_a_fraction():
    caught = ["open('/" + "home/me/a.csv')", "cd /" + "work/x", '"/' + 'Users/me"']
    passed = ["heat/work/time", "../work/x", "https://example.org/home/page", "${ROOT}/work/x", "a /home"]
    assert [text for text in caught if not re.search(MACHINE_PATH, text)] == []
    assert [text for text in passed if re.search(MACHINE_PATH, text)] == []


def test_constraints_hold_names_and_versions_only():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert pins
    assert [line for line in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9._+!-]*", line)] == []


def test_import_is_silent_light_and_leaves_precision_alone():
    program = f"""
import sys, jax
before = jax.config.jax_enable_x64
heavy = {HEAVY!r}
heavy = [module for module in heavy if module not in sys.modules]
import lawful
assert jax.config.jax_enable_x64 == before, "the import changes the precision of the whole process"
loaded = [module for module in heavy if module in sys.modules]
assert not loaded, f"the import loads {{loaded}}: import them in the function that needs them"
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (done.stdout, done.stderr) == ("", "")
