"""The command line: what it prints where, its exit codes, and one line for every mistake."""

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from lawful import cli
from lawful._core.messages import BadInput, NotTrusted
from lawful._core.record import Status
from lawful.studies import misra
from lawful.studies._base import Effort, Outcome
from problem.bad_problems import BAD_PROBLEMS

STUDIES = [
    "air-track",
    "allen-cahn",
    "aluminium",
    "amery",
    "backbone",
    "backbone-scores",
    "billiards",
    "bounce",
    "burgers",
    "burgers-inverse",
    "cavity",
    "channel",
    "cooling-plate",
    "cosmos",
    "diffusivity",
    "dimer",
    "disulfide",
    "drag",
    "ethanol",
    "generator",
    "heat-two-materials",
    "helmholtz",
    "inclusion",
    "inductive-bias",
    "ions",
    "joint",
    "kdv",
    "kepler",
    "kuramoto-sivashinsky",
    "layers",
    "layers-blind",
    "layers-neural",
    "lorenz",
    "misra",
    "motif",
    "oscillator",
    "pendulum",
    "pendulum-chain",
    "pendulum-law",
    "pipe",
    "planck-layer",
    "pocket",
    "reaction-or-leak",
    "sequence",
    "shared-emissivity",
    "slider",
    "step",
    "sun",
    "symmetric",
    "tantalum",
    "texture",
    "tunnel",
    "water-box",
    "well",
]


def lawful(*words):
    """Exit code, standard output and standard error of a command, in this process."""
    found = CliRunner().invoke(cli.app, [str(word) for word in words])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.stdout, found.stderr


def process(*words, **settings):
    """The same in a process of its own, as `lawful ...` in a shell."""
    command = [sys.executable, "-m", "lawful", *[str(word) for word in words]]
    found = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **settings)
    return found.returncode, found.stdout, found.stderr


def refused(found):
    """The one line of a refusal."""
    code, out, err = found
    assert code == 2, found
    assert out == ""
    assert err.startswith("bad input: ")
    assert err.count("\n") == 1, err
    assert err.endswith("\n")
    return err


# list


def test_list_has_a_line_for_each_study():
    code, out, err = lawful("list")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines] == STUDIES
    assert all(len(line.split(maxsplit=1)[1]) > 30 for line in lines)


def test_help_names_every_command():
    code, out, _ = lawful("--help")
    assert code == 0
    for command in ("list", "run", "solve", "new", "report", "doctor"):
        assert f" {command} " in out


# run


@pytest.fixture
def quick(monkeypatch):
    """Misra's study with a run of no length, that remembers what it was asked for."""
    asked = []

    def run(request):
        asked.append(request)
        solution = type("Found", (), {"seconds": 0.25})()
        return Outcome({"b1": {"value": 1.5, "sd": None}}, misra.outcome_status, "the answer", solution)

    monkeypatch.setattr(misra, "run", run)
    monkeypatch.setattr(misra, "outcome_status", Status(True, "settled"), raising=False)
    monkeypatch.setattr(misra, "OPTIONS", {"noise": "a number", "count": "another"})
    return asked


def test_json_is_one_object_and_nothing_else(quick):
    code, out, err = lawful("run", "misra", "--json", "--seed", "3", "--effort", "quick", "--set", "noise=0.1")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "b1": {"value": 1.5, "sd": None},
        "status": "converged: settled",
        "seconds": 0.25,
        "seed": 3,
        "effort": "quick",
    }
    assert out.count("\n") == 1
    [request] = quick
    assert (request.effort, request.seed, request.options) == (Effort.QUICK, 3, {"noise": "0.1"})


def test_text_for_a_reader(quick):
    code, out, err = lawful("run", "misra")
    assert (code, err) == (0, "")
    assert out == "the answer\nconverged: settled\n"
    assert quick[0].effort is Effort.NORMAL


def test_a_series_of_files_is_named_by_its_ends():
    names = ["study.json", "a.png", "chain_001.pdb", "chain_002.pdb", "chain_003.pdb", "ring_1.pdb", "ring_2.pdb"]
    told = list(cli.in_series([Path("out") / name for name in names]))
    assert told == [
        "out/study.json", "out/a.png", "out/chain_001.pdb to chain_003.pdb", "out/ring_1.pdb", "out/ring_2.pdb",
    ]  # fmt: skip


def test_what_did_not_converge_ends_with_one(quick, monkeypatch):
    monkeypatch.setattr(misra, "outcome_status", Status(False, "step limit"))
    code, out, err = lawful("run", "misra", "--json")
    assert code == 1
    assert json.loads(out)["status"] == "not converged: step limit"
    assert err == "not to be trusted: not converged: step limit\n"


def test_unknown_study_offers_the_nearest():
    assert "did you mean 'oscillator'" in refused(lawful("run", "oscilator"))
    assert "lawful list" in refused(lawful("run", "nonsense"))
    assert "did you mean 'air-track'" in refused(lawful("run", "air_track"))


def test_unknown_option_offers_the_nearest(quick):
    line = refused(lawful("run", "misra", "--set", "nois=0.1"))
    assert "did you mean 'noise'" in line
    assert "count" in line
    assert quick == []


@pytest.mark.parametrize("word", ["noise", "=0.1", "noise 0.1"])
def test_set_without_a_value(quick, word):
    assert "name=value" in refused(lawful("run", "misra", "--set", word))


@pytest.mark.parametrize(
    ("study", "word", "says"),
    [
        ("oscillator", "noise=loud", "must be a number"),
        ("oscillator", "noise=nan", "noise"),
        ("lorenz", "count=1e99", "count"),
        ("lorenz", "count=-3", "count"),
        ("lorenz", "count=nan", "count"),
        ("diffusivity", "noise=-1", "noise"),
        ("pendulum", "data=nowhere.csv", "nowhere.csv"),
    ],
)
def test_settings_that_make_no_sense(study, word, says):
    assert says in refused(lawful("run", study, "--effort", "quick", "--set", word))


@pytest.mark.parametrize("study", ["air-track", "pendulum"])
def test_recordings_that_are_not_there(study, monkeypatch, tmp_path):
    monkeypatch.setenv("LAWFUL_DATA", str(tmp_path))
    line = refused(lawful("run", study))
    assert "LAWFUL_DATA" in line
    assert "--set data=" in line


def test_recording_without_the_right_columns(tmp_path):
    file = tmp_path / "swing.csv"
    file.write_text("t,angle\n0,1\n1,0\n")
    assert "columns t and x" in refused(lawful("run", "pendulum", "--set", f"data={file}"))


def test_effort_is_one_of_three():
    code, out, err = lawful("run", "misra", "--effort", "enormous")
    assert (code, out) == (2, "")
    assert "enormous" in err
    assert "quick" in err


# new, solve, report


@pytest.fixture(scope="module")
def cup(tmp_path_factory):
    """The template, solved into a folder."""
    root = tmp_path_factory.mktemp("cup")
    assert lawful("new", root / "deep" / "cup.py")[0] == 0
    return root, lawful("solve", root / "deep" / "cup.py", "--out", root / "run", "--json")


def test_template_is_solved(cup):
    root, (code, out, err) = cup
    assert code == 0, err
    found = json.loads(out)
    assert found["converged"] is True
    assert set(found) == {"k", "T_room", "T_start", "status", "converged", "noise", "seconds"}
    # dT/dt = -k (T - T_room) through the ten temperatures of the template, by an independent fit
    import numpy as np
    from scipy.optimize import curve_fit

    namespace: dict = {}
    exec((root / "deep" / "cup.py").read_text(), namespace)
    columns = namespace["problem"].data[0].columns
    values, covariance = curve_fit(
        lambda t, k, room, start: room + (start - room) * np.exp(-k * t), columns["t"], columns["T"], (0.03, 20, 80)
    )
    for i, name in enumerate(("k", "T_room", "T_start")):
        assert found[name]["value"] == pytest.approx(values[i], abs=1e-3 * np.sqrt(covariance[i, i]))
        assert found[name]["sd"] == pytest.approx(np.sqrt(covariance[i, i]), rel=1e-3)


def test_folder_of_a_run(cup):
    root, (_, out, err) = cup
    folder = root / "run"
    written = ["live.json", "problem.py", "report.html", "solution.json", "solution.npz"]
    assert sorted(p.name for p in folder.iterdir()) == written
    assert err.splitlines()[-1] == f"written: {folder / 'report.html'}"
    assert json.loads((folder / "solution.json").read_text()) == json.loads(out)


def test_report_is_built_again(cup):
    root, (_, out, _) = cup
    page = root / "run" / "report.html"
    before = page.read_text()
    page.unlink()
    code, said, err = lawful("report", root / "run")
    assert (code, err) == (0, "")
    assert said == f"written: {page}\n"
    assert page.read_text() == before
    assert f"{json.loads(out)['k']['value']:.3f}" in before


def test_report_of_something_else(tmp_path, cup):
    root, _ = cup
    assert "holds no problem.py" in refused(lawful("report", tmp_path))
    assert "lawful solve" in refused(lawful("report", tmp_path / "nowhere"))
    (tmp_path / "problem.py").write_text((root / "run" / "problem.py").read_text())
    assert "solution.npz does not exist" in refused(lawful("report", tmp_path))
    (tmp_path / "solution.npz").write_bytes((root / "run" / "solution.npz").read_bytes()[:500])
    assert "damaged" in refused(lawful("report", tmp_path))
    (tmp_path / "solution.npz").write_bytes((root / "run" / "solution.npz").read_bytes())
    (tmp_path / "problem.py").write_text((root / "run" / "problem.py").read_text().replace("79.6", "79.7"))
    assert "another problem" in refused(lawful("report", tmp_path))


def test_text_of_a_solve(cup):
    root, _ = cup
    code, said, _ = lawful("solve", root / "deep" / "cup.py")
    assert code == 0
    assert "T_room" in said
    assert "converged" in said
    assert "T_t + k * (T - T_room)" in said  # the law as it stands in the file


def test_new_does_not_overwrite(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("precious")
    assert "exists" in refused(lawful("new", file))
    assert file.read_text() == "precious"


def test_a_solve_that_does_not_converge_ends_with_one(tmp_path):
    """log(k) at k = -1: the start is not a number."""
    source = BAD_PROBLEMS["wrong name in a law"][0].split("problem =")[0]
    file = tmp_path / "log.py"
    file.write_text(
        source
        + 'problem = lf.Problem(time, "u", {"decay": lambda u, u_t, k: u_t + jnp.log(k) * u}, [start],'
        + ' {"k": lf.Real(-1.0)}, data=lf.Data(seen))\nmethod = lf.Collocation(steps=4, stages=2)\n'
    )
    code, out, err = lawful("solve", file, "--json", "--out", tmp_path / "run")
    assert code == 1
    assert json.loads(out)["k"]["sd"] is None
    assert err.splitlines()[-1].startswith("not to be trusted: not converged: ")


# Files that cannot be solved


@pytest.mark.parametrize("name", BAD_PROBLEMS)
def test_bad_problems(name, tmp_path):
    source, words = BAD_PROBLEMS[name]
    file = tmp_path / "bad.py"
    file.write_text(source)
    line = refused(lawful("solve", file, "--out", tmp_path / "run"))
    assert [word for word in words if word not in line] == [], line
    assert not (tmp_path / "run").exists()  # nothing is written for what was refused


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (b"problem = 3\n", "`problem` must be an lf.Problem, but it is int"),
        (b"x = 1\n", "defines no variable `problem`"),
        (b"", "defines no variable `problem`"),
        (b"problem = (\n", "line 1"),
        (b"import lawful as lf\nlf.Bax(t=1)\n", "line 2: AttributeError"),
        (b"import nowhere\n", "line 1: ModuleNotFoundError"),
        (b"\n1 / 0\n", "line 2: ZeroDivisionError"),
        (b"assert 1 == 2, 'no'\n", "line 1: AssertionError: no"),
        (b"raise RuntimeError('over\\nthere')\n", "line 1: RuntimeError: over"),
        (b"open('nowhere.csv')\n", "line 1: FileNotFoundError"),
        (b"\xff\xfe\x00", "is not a Python file"),
        (b"problem = 1\x00\n", "bad.py"),
    ],
)
def test_files_that_are_no_problem(tmp_path, source, says):
    file = tmp_path / "bad.py"
    file.write_bytes(source)
    assert says in refused(lawful("solve", file))


def test_line_of_the_mistake_is_named(tmp_path):
    file = tmp_path / "bad.py"
    file.write_text("import lawful as lf\n\ndomain = lf.Box(t=(1, 0))\n")
    assert f"{file}, line 3: " in refused(lawful("solve", file))


def test_method_must_be_one(tmp_path, cup):
    root, _ = cup
    file = tmp_path / "cup.py"
    file.write_text((root / "run" / "problem.py").read_text() + '\nmethod = "neural"\n')
    assert "`method` must be" in refused(lawful("solve", file))


def test_no_such_file(tmp_path):
    line = refused(lawful("solve", tmp_path / "none.py"))
    assert "does not exist" in line
    assert "lawful new" in line


# In a process of its own


def test_two_mistakes_in_a_shell(tmp_path):
    """No traceback, one line, exit code 2; also where the folder is that of the file."""
    (tmp_path / "bad.py").write_text(BAD_PROBLEMS["wrong name in a law"][0])
    code, out, err = process("solve", "bad.py", cwd=tmp_path)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "mean 'k'" in err
    assert "Traceback" not in err
    code, out, err = process("run", "lorentz", cwd=tmp_path)
    assert (code, out) == (2, "")
    assert err == "bad input: there is no study 'lorentz'; did you mean 'lorenz'? See `lawful list`.\n"


def test_a_traceback_for_those_who_ask(tmp_path):
    file = tmp_path / "bad.py"
    file.write_text("1 / 0\n")
    code, out, err = lawful("solve", file, "--debug")
    assert (code, out) == (2, "")
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("bad input: ")


def test_the_command_is_installed():
    [entry] = [e for e in importlib.metadata.entry_points(group="console_scripts") if e.name == "lawful"]
    assert entry.load() is cli.main


# Exit codes


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (BadInput("wrong; mend it"), 2, "bad input: wrong; mend it"),
        (NotTrusted("diverged"), 1, "not to be trusted: diverged"),
        (KeyboardInterrupt(), 130, "interrupted; with --out DIR the run goes on with --resume"),
        (PermissionError(13, "Permission denied", "/x"), 2, "cannot read or write"),
    ],
)
def test_what_was_raised_becomes_a_line_and_a_code(error, code, line, capsys):
    with pytest.raises(typer.Exit) as caught, cli.errors(debug=False):
        raise error
    assert caught.value.exit_code == code
    said = capsys.readouterr().err
    assert said.startswith(line)
    assert said.count("\n") == 1


def test_bugs_are_not_hidden():
    with pytest.raises(ZeroDivisionError), cli.errors(debug=False):
        1 / 0


# doctor


def test_doctor(monkeypatch, tmp_path):
    monkeypatch.delenv("LAWFUL_DATA", raising=False)
    code, out, err = lawful("doctor")
    assert code == 0, out + err
    lines = out.splitlines()
    assert all(line.startswith("ok  ") for line in lines)
    text = " ".join(lines)
    for word in ("double precision", "derivatives", "devices", "data folder", "versions", "compilation cache"):
        assert word in text
    assert importlib.metadata.version("jax") in text


def test_doctor_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("LAWFUL_DATA", str(tmp_path / "nowhere"))
    code, out, err = lawful("doctor")
    assert code == 1
    [line] = [line for line in out.splitlines() if not line.startswith("ok")]
    assert line.startswith("MEND")
    assert "nowhere" in line
    assert "LAWFUL_DATA" in line
    assert err.startswith("not to be trusted: ")


def test_doctor_and_a_cache_that_cannot_be_made(monkeypatch, tmp_path):
    import jax

    (tmp_path / "file").write_text("")
    monkeypatch.delenv("LAWFUL_DATA", raising=False)
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "file" / "cache"))
    try:
        code, out, _ = lawful("doctor")
    finally:
        jax.config.update("jax_compilation_cache_dir", before)
    assert code == 1
    [line] = [line for line in out.splitlines() if not line.startswith("ok")]
    assert "JAX_COMPILATION_CACHE_DIR" in line


def test_progress_stays_off_standard_output(tmp_path, cup):
    """In a shell without a terminal: JSON alone on standard output, whatever is said on standard error."""
    root, (_, out, _) = cup
    code, said, _ = process("solve", root / "deep" / "cup.py", "--json", env=dict(os.environ), cwd=Path(tmp_path))
    assert code == 0
    assert {**json.loads(said), "seconds": 0} == {**json.loads(out), "seconds": 0}
