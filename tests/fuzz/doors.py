"""The doors through which files and words of strangers come in, and good examples of what each lets through."""

import contextlib
import hashlib
import io
import json
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest import mock

import numpy as np

import lawful as lf
from lawful._core.files import read_arrays, read_json, write_arrays, write_json
from lawful._core.messages import BadInput


@dataclass(frozen=True)
class Door:
    """`enter` takes the path of a file, or what a file holds where it says so, and raises `BadInput` for what it does
    not want: anything else that is raised is a finding."""

    name: str
    suffix: str
    seeds: Callable[[], list[bytes]]
    enter: Callable[[Path], object]

    def tried(self, content: bytes, path: Path) -> str | None:
        """The one line of a refusal, or None where it came in."""
        path.write_bytes(content)
        try:
            self.enter(path)
        except BadInput as refusal:
            said = str(refusal)
            if not said.strip() or "Traceback" in said:
                raise AssertionError(f"a refusal that says {said!r}") from refusal
            return said
        return None


def csv() -> list[bytes]:
    return [
        b"x,t,u\n0,0,1\n0.5,0.1,-2.5e-3\n1,0.2,3\n",
        b"# measured on Monday\ntime [s], depth [m]\n1.0, 2.0\n2.0, 3.5\n",
        b'"x","u"\n"1","2"\n"3","4"\n',
    ]


def pdb_line(number: int, name: str, residue: str, place: int, xyz: np.ndarray, element: str) -> str:
    x, y, z = xyz
    where = f"{x:8.3f}{y:8.3f}{z:8.3f}"
    return f"ATOM  {number:5d}  {name:<3s} {residue} A{place:4d}    {where}  1.00  0.00          {element:>2s}"


def helix() -> list[tuple[str, str, int, np.ndarray, str]]:
    """Atoms of six residues about an axis: what stands in a file, not what a chemist would like."""
    atoms = []
    for k, residue in enumerate(["ALA", "CYS", "GLY", "LYS", "MSE", "TRP"]):
        for j, (name, element) in enumerate([("N", "N"), ("CA", "C"), ("C", "C"), ("O", "O"), ("CB", "C")]):
            turn = 1.7 * k + 0.5 * j
            xyz = np.array([2.3 * np.cos(turn), 2.3 * np.sin(turn), 1.5 * k + 0.5 * j])
            atoms.append((name, residue, k + 1, xyz, element))
    return atoms


def pdb() -> list[bytes]:
    lines = [pdb_line(n + 1, name, residue, k, xyz, e) for n, (name, residue, k, xyz, e) in enumerate(helix())]
    models = ["MODEL        1", *lines, "ENDMDL", "MODEL        2", *lines[:4], "ENDMDL", "END"]
    return ["\n".join([*lines, "TER", "END", ""]).encode(), "\n".join(models).encode()]


def mmcif() -> list[bytes]:
    names = (
        "group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id label_seq_id Cartn_x Cartn_y"
    )
    rest = "Cartn_z occupancy B_iso_or_equiv auth_asym_id auth_seq_id pdbx_PDB_model_num"
    names = [*names.split(), *rest.split()]
    rows = [
        f"ATOM {n + 1} {e} {name} . {residue} A {k} {xyz[0]:.3f} {xyz[1]:.3f} {xyz[2]:.3f} 1 0 A {k} 1"
        for n, (name, residue, k, xyz, e) in enumerate(helix())
    ]
    return ["\n".join(["data_test", "loop_", *[f"_atom_site.{name}" for name in names], *rows, ""]).encode()]


def fasta() -> list[bytes]:
    return [b">one\nMKVLAAGIC\nDDE\n>two words\nACDEFGHIKLMNPQRSTVWY\n", b">x\nMK\n\n>y\nXXBZ\n>z\nGGGG"]


def extxyz() -> list[bytes]:
    water = (
        b'3\nLattice="9 0 0 0 9 0 0 0 9" Properties=species:S:1:pos:R:3:forces:R:3 energy=-1.5 pbc="T T T"\n'
        b"O 0 0 0.1 0.1 0 0\nH 0.8 0 -0.5 0 0 0\nH -0.8 0 -0.5 0 0 -0.1\n"
    )
    free = b"2\nProperties=species:S:1:pos:R:3 energy=2.5\nAr 0 0 0\nAr 0 0 3.8\n"
    return [water, free + free, water + free]


def spectrum() -> list[bytes]:
    return [b"wavelength,radiance\n0.5,1.0\n0.6,2.0\n0.7,2.5\n", b"um,W\n2,1e3\n4,1e4\n8,2e3\n10,1e2\n"]


@cache
def written(write: Callable[[Path], object]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seed"
        write(path)
        return path.read_bytes()


def kept_arrays(path: Path) -> None:
    write_arrays(path, {"x": np.linspace(0, 1, 7), "n": np.array(3), "e": np.zeros((0, 4))}, {"step": 12, "told": None})


def records() -> list[bytes]:
    return [written(kept_arrays)]


def texts() -> list[bytes]:
    return [written(lambda path: write_json(path, {"study": "x", "numbers": {"value": 1.5, "sd": None}, "on": [True]}))]


def polygon() -> list[bytes]:
    return [
        b"$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$Nodes\n4\n1 0 0 0\n2 1 0 0\n3 1 1 0\n4 0 1 0\n$EndNodes\n"
        b"$Elements\n2\n1 2 2 0 1 1 2 3\n2 2 2 0 1 1 3 4\n$EndElements\n"
    ]


def stl() -> list[bytes]:
    """A tetrahedron, in words and in bytes."""
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype="<f4")
    faces = [(0, 2, 1), (0, 1, 3), (1, 2, 3), (0, 3, 2)]
    words = ["solid t"]
    for face in faces:
        places = [f"vertex {' '.join(f'{x:g}' for x in corners[k])}" for k in face]
        words += ["facet normal 0 0 0", "outer loop", *places, "endloop", "endfacet"]
    packed = b"".join(np.zeros(3, "<f4").tobytes() + corners[list(face)].tobytes() + b"\0\0" for face in faces)
    return ["\n".join([*words, "endsolid t\n"]).encode(), b"\0" * 80 + np.uint32(4).tobytes() + packed]


@cache
def problem() -> lf.Problem:
    domain = lf.Box(t=(0, 1))
    return lf.Problem(
        domain=domain,
        fields="u",
        laws={"decay": lambda u, u_t, k: u_t + k * u},
        conditions=[lf.Value(domain.at(t=0), u=1.0)],
        unknowns={"k": lf.Positive(guess=0.5)},
        data=[lf.Data({"t": np.linspace(0.1, 1, 8), "u": np.exp(-np.linspace(0.1, 1, 8))}, noise=0.01)],
    )


def solutions() -> list[bytes]:
    def write(path: Path) -> None:
        lf.solve(problem(), lf.Collocation(nodes=8)).save(path.parent / "kept")
        path.write_bytes((path.parent / "kept" / "solution.npz").read_bytes())

    return [written(write)]


def solution(path: Path) -> object:
    """A file of a stranger in place of solution.npz."""
    folder = path.parent / "run"
    folder.mkdir(exist_ok=True)
    (folder / "solution.npz").write_bytes(path.read_bytes())
    return lf.load(folder, problem(), lf.Collocation(nodes=8))


# Archives with right checksums and wrong contents: what a slip of a program leaves, not a damaged disk.

MEMBER = b"\n==member==\n"


def unpacked(archive: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        return MEMBER.join(name.encode() + b"\n" + file.read(name) for name in file.namelist())


def packed(content: bytes, path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one name twice
        for part in content.split(MEMBER):
            name, _, inside = part.partition(b"\n")
            file.writestr(name.decode(errors="replace").strip("\0") or "_", inside)
    return path


def solution_inside(path: Path) -> object:
    folder = packed(path.read_bytes(), path.parent / "forged" / "solution.npz").parent
    return lf.load(folder, problem(), lf.Collocation(nodes=8))


def modes() -> lf.Neural:
    return lf.Neural(trial=lf.Spectral(6), points=12)


class Begun(BaseException):
    """The fit goes on from the checkpoint: it was let in."""


class AtOnce:
    def __call__(self, moment: object) -> None:
        raise Begun

    def close(self) -> None:
        pass


def checkpoint_inside(path: Path) -> object:
    folder = packed(path.read_bytes(), path.parent / "taken up" / "checkpoint.npz").parent
    try:
        return lf.solve(problem(), modes(), out=folder, resume=True, progress=AtOnce())
    except Begun:
        return folder


@cache
def checkpoint() -> bytes:
    """Of a fit that was stopped at its fifth step."""
    from lawful.solve._keeper import Keeper

    class Fifth(AtOnce):
        left = 5

        def __call__(self, moment: object) -> None:
            self.left -= 1
            if not self.left:
                raise Begun

    with tempfile.TemporaryDirectory() as folder, mock.patch.object(Keeper.__init__, "__defaults__", (0.0,)):
        with contextlib.suppress(Begun):
            lf.solve(problem(), modes(), out=folder, progress=Fifth())
        return (Path(folder) / "checkpoint.npz").read_bytes()


def words() -> list[bytes]:
    """Command lines, a word a line."""
    return [
        b"run\nmisra\n--effort\nquick\n--set\nnoise=0.01\n--seed\n3\n--json",
        b"run\nbackbone\n--set\nlength=40-128\n--set\ncount=3",
        b"solve\nproblem.py\n--out\nrun\n--resume",
        b"report\nrun\n--debug",
        b"list",
        b"new\n/nowhere/problem.py",
    ]


def command(path: Path) -> None:
    """The whole command in this process; studies themselves are not run, their options are checked."""
    from typer.testing import CliRunner

    from lawful import cli

    try:
        given = path.read_text().split("\n")
    except UnicodeDecodeError:
        raise BadInput("no words") from None
    with nothing_runs(), contextlib.chdir(path.parent):
        found = CliRunner().invoke(cli.app, given)
    if found.exit_code not in (0, 1, 2) or not isinstance(found.exception, SystemExit | None):
        raise AssertionError(f"exit {found.exit_code}: {found.exception!r}") from found.exception
    if found.exit_code == 2 and not found.output.strip():
        raise AssertionError("a refusal without a word")


@contextlib.contextmanager
def nothing_runs():
    """Studies end where their work would begin."""
    from lawful import cli

    known = cli.study

    def idle(name: str):
        found = known(name)
        return type("Idle", (), {"SUMMARY": found.SUMMARY, "OPTIONS": found.OPTIONS, "run": staticmethod(refused)})

    def refused(request):
        raise BadInput(f"not run here: {request.effort}")

    cli.study = idle
    try:
        yield
    finally:
        cli.study = known


def grid(path: Path) -> object:
    """A dataset of xarray that JSON describes: axes, gaps and types as they come."""
    import xarray as xr

    try:
        told = json.loads(path.read_bytes())
        dataset = xr.Dataset.from_dict(told)
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        RuntimeError,
        ArithmeticError,
    ):  # xarray's own refusal of what is no dataset
        raise BadInput("no dataset") from None
    return lf.Data.from_xarray(dataset)


def grids() -> list[bytes]:
    one = {
        "coords": {"x": {"dims": ["x"], "data": [0.0, 0.5, 1.0]}, "t": {"dims": ["t"], "data": [0.0, 1.0]}},
        "data_vars": {"u": {"dims": ["x", "t"], "data": [[1.0, 2.0], [None, 3.0], [4.0, 5.0]]}},
    }
    two = {**one, "data_vars": {**one["data_vars"], "v": {"dims": ["x"], "data": [1, 2, 3]}}}
    return [json.dumps(one).encode(), json.dumps(two).encode()]


def network_file(path: Path) -> object:
    from lawful.proteins import load

    return load(path, small())


@cache
def small():
    import jax

    from lawful.proteins import Denoiser

    return Denoiser(jax.random.key(0), channels=4, pair=4, blocks=1, heads=2)


def networks() -> list[bytes]:
    from lawful.proteins import save

    return [written(lambda path: save(path, small(), {"loss": 1.0}))]


def potentials() -> list[bytes]:
    program = b"no program"
    head = {"numbers": [1], "positions": [[0, 0, 0]], "cell": None, "margin": 1.0}
    head["sha256"] = hashlib.sha256(program).hexdigest()
    return [b"lawful potential 1\n" + json.dumps(head).encode() + b"\n" + program]


def potential(path: Path) -> object:
    from lawful.atoms import load

    return load(path.read_bytes())


def frames(path: Path) -> object:
    from lawful.atoms import Frames

    return Frames.read(path)


def backbones(path: Path) -> object:
    from lawful.proteins import read

    return read(path)


def receptor(path: Path) -> object:
    from lawful.proteins import read_receptor

    return read_receptor(path)


def sequences(path: Path) -> object:
    from lawful.proteins import read_fasta

    return read_fasta(path)


def shape(path: Path) -> object:
    from lawful.geometry import Polygon

    return Polygon.read(path)


def solid(path: Path) -> object:
    from lawful.geometry import Mesh

    return Mesh.read(path)


def light(path: Path) -> object:
    from lawful.radiation import Spectrum

    return Spectrum.read(path)


DOORS = (
    Door("csv", ".csv", csv, lf.Data.read),
    Door("xarray", ".json", grids, grid),
    Door("spectrum", ".csv", spectrum, light),
    Door("pdb", ".pdb", pdb, backbones),
    Door("mmcif", ".cif", mmcif, backbones),
    Door("receptor", ".pdb", pdb, receptor),
    Door("fasta", ".fasta", fasta, sequences),
    Door("extxyz", ".extxyz", extxyz, frames),
    Door("arrays", ".npz", records, read_arrays),
    Door("json", ".json", texts, read_json),
    Door("network", ".npz", networks, network_file),
    Door("solution", ".npz", solutions, solution),
    Door("inside solution", ".bin", lambda: [unpacked(solutions()[0])], solution_inside),
    Door("inside checkpoint", ".bin", lambda: [unpacked(checkpoint())], checkpoint_inside),
    Door("potential", ".bin", potentials, potential),
    Door("polygon", ".msh", polygon, shape),
    Door("mesh", ".stl", stl, solid),
    Door("command line", ".txt", words, command),
)
