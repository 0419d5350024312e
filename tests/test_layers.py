"""One way down: a room imports only from rooms of a lower level.

The table below is the whole rule. The test reads the syntax tree of every file, imports inside functions
included, since those are where cycles hide; nothing is imported to check it.
"""

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "lawful"

LEVELS = [
    {"_core"},
    {"calculus", "report"},
    {"geometry", "verify", "guidance"},
    {"problem", "fields", "simulate"},
    {"solve"},
    {"media", "atoms", "design", "radiation", "lubrication", "proteins"},
    {"studies", "cli", "_doctor", "_view", "__main__", "cluster", "_sweep"},
]
LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}

# The doors between rooms of one level: the command line runs the studies, `design` may take any simulator.
SIDEWAYS = {
    "design": LEVELS[LEVEL["design"]],
    "cli": {"studies", "_doctor", "_sweep", "_view"},
    "_sweep": {"studies"},
    "__main__": {"cli"},
    "cluster": {"cli"},
}


class Import(NamedTuple):
    """One import statement, resolved: `source` says where it stands, `target` the dotted module it names."""

    module: str
    target: str
    source: str
    at_module_level: bool


def modules_of(package: Path) -> dict[str, Path]:
    """Dotted name of each module -> its file; a package is named like its folder."""
    names = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def statements(node: ast.AST, at_module_level: bool = True) -> Iterator[tuple[ast.stmt, bool]]:
    """Every import statement under a node, and whether it runs when the module is imported."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, at_module_level
        inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        only_for_types = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        yield from statements(child, at_module_level and not inside and not only_for_types)


def targets_of(node: ast.stmt, home: str, modules: dict[str, Path]) -> set[str]:
    """The modules an import statement names; `home` is the package it stands in, for the leading dots."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    assert isinstance(node, ast.ImportFrom)
    parents = home.split(".")
    above = parents[: len(parents) - node.level + 1] if node.level else []
    base = ".".join([*above, *filter(None, [node.module])])
    if not node.level and base == parents[0]:  # whatever it names, it goes through the root
        return {base}
    # `from ..room import _file` names a module, `from ..room import function` a name in one
    named = {f"{base}.{alias.name}" for alias in node.names}
    return {name if name in modules else base for name in named}


def imports_of(package: Path) -> list[Import]:
    """Every import in a package that names a module of the same package."""
    modules, found = modules_of(package), []
    for module, path in modules.items():
        home = module if path.name == "__init__.py" else module.rpartition(".")[0]
        for node, at_module_level in statements(ast.parse(path.read_text(encoding="utf-8"))):
            source = f"{path.relative_to(package.parent)}:{node.lineno}"
            for target in sorted(targets_of(node, home, modules)):
                if target.split(".")[0] == package.name:
                    found.append(Import(module, target, source, at_module_level))
    return found


def room_of(module: str) -> str:
    """The room a module lives in: the part of its name after the package's; the front page has none."""
    return module.split(".")[1] if "." in module else ""


def violations(package: Path) -> list[str]:
    """What breaks the rule, a line each; empty where all is well."""
    strangers = {room_of(module) for module in modules_of(package)} - {""} - LEVEL.keys()
    lines = [f"{package.name}/{room}: this room has no level in the table" for room in sorted(strangers)]
    for each in imports_of(package):
        here, there = room_of(each.module), room_of(each.target)
        if here == "" or here == there:  # the front page may name any room
            continue
        if there == "":
            lines.append(f"{each.source}: imports the package root; import the room that has the name")
        elif here in LEVEL and there in LEVEL:
            own, other = LEVEL[here], LEVEL[there]
            if other >= own and there not in SIDEWAYS.get(here, ()):
                lines.append(f"{each.source}: {here} (level {own}) imports {there} (level {other})")
    return lines


def cycle(package: Path) -> list[str]:
    """Modules that import each other in a ring when they are imported; empty where there is none."""
    graph: dict[str, set[str]] = {}
    for each in imports_of(package):
        if each.at_module_level:
            graph.setdefault(each.module, set()).add(each.target)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


def plant(package: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return package


def test_each_room_imports_only_from_lower_levels():
    assert violations(PACKAGE) == []


def test_no_modules_import_each_other():
    assert cycle(PACKAGE) == []


def test_a_lawful_tree_passes(tmp_path):
    files = {
        "__init__.py": "from .solve import solve",
        "_core/__init__.py": "",
        "_core/names.py": "import lawfully, numpy",
        "calculus/__init__.py": "from ._grad import grad",
        "calculus/_grad.py": "from .._core import names\nfrom .._core.names import nearest",
        "solve/__init__.py": "from ._neural import solve",
        "solve/_neural.py": "from ..calculus import grad\ndef solve():\n    from .. import calculus",
        "media/__init__.py": "",
        "design/__init__.py": "from ..media import layers",
        "studies/__init__.py": "",
        "cli.py": "from . import studies",
    }
    package = plant(tmp_path / "lawful", files)
    assert violations(package) == []
    assert cycle(package) == []


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("calculus/_a.py", "from ..solve import solve", "calculus (level 1) imports solve (level 4)"),
        (
            "calculus/_a.py",
            "def f():\n    from ..solve import solve",
            "calculus (level 1) imports solve (level 4)",
        ),
        (
            "calculus/_a.py",
            "class A:\n    def f(self):\n        from .. import solve",
            "imports solve (level 4)",
        ),
        ("calculus/_a.py", "from .. import report", "calculus (level 1) imports report (level 1)"),
        ("calculus/_a.py", "import lawful.solve._neural", "calculus (level 1) imports solve (level 4)"),
        ("calculus/deep/_a.py", "from ...solve import solve", "calculus (level 1) imports solve (level 4)"),
        ("_core/names.py", "from ..calculus import grad", "_core (level 0) imports calculus (level 1)"),
        ("media/_a.py", "from ..atoms import pair", "media (level 5) imports atoms (level 5)"),
        ("media/_a.py", "from ..design import best", "media (level 5) imports design (level 5)"),
        ("studies/heat.py", "from ..cli import main", "studies (level 6) imports cli (level 6)"),
        ("solve/_a.py", "import lawful", "imports the package root"),
        ("solve/_a.py", "import lawful as lf", "imports the package root"),
        ("solve/_a.py", "from lawful import Box", "imports the package root"),
        ("solve/_a.py", "from lawful import calculus", "imports the package root"),
        ("solve/_a.py", "from .. import Box", "imports the package root"),
        (
            "solve/_a.py",
            "if True:\n    try:\n        from .. import Box\n    finally:\n        pass",
            "package root",
        ),
        ("helpers/_a.py", "", "lawful/helpers: this room has no level in the table"),
        ("helpers.py", "", "lawful/helpers: this room has no level in the table"),
    ],
)
def test_a_planted_violation_is_caught(tmp_path, name, text, complaint):
    rooms = {f"{room}/__init__.py": "" for room in LEVEL if room not in ("cli", "cluster", "_sweep", "__main__")}
    package = plant(tmp_path / "lawful", {"__init__.py": "", "cli.py": "", **rooms, name: text})
    (line,) = violations(package)
    assert complaint in line
    assert name.rpartition("/")[0] in line


@pytest.mark.parametrize(
    ("files", "ring"),
    [
        ({"_a.py": "from ._b import b", "_b.py": "from ._a import a"}, True),
        ({"_a.py": "from . import _b", "_b.py": "from . import _a"}, True),
        ({"_a.py": "from . import b", "__init__.py": "from ._a import a"}, True),
        ({"_a.py": "from ._b import b", "_b.py": "def f():\n    from ._a import a"}, False),
        ({"_a.py": "if TYPE_CHECKING:\n    from ._b import b", "_b.py": "from ._a import a"}, False),
    ],
)
def test_a_planted_ring_is_caught(tmp_path, files, ring):
    package = plant(tmp_path / "lawful", {"__init__.py": "", **{f"solve/{name}": text for name, text in files.items()}})
    assert bool(cycle(package)) is ring
