"""Nothing is lost: a fit that was killed at any moment goes on to the same numbers, bit for bit."""

import errno
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from kills import Killed, Until
from typer.testing import CliRunner

import lawful as lf
from lawful.cli import app
from lawful.solve import Collocation, Neural
from lawful.solve._keeper import Keeper, fingerprint

DOMAIN = lf.Box(t=(0, 1))
START = [lf.Value(DOMAIN.at(t=0), u=1.0)]
T = np.linspace(0.1, 1, 12)
U = np.exp(-2 * T) + 0.01 * np.random.default_rng(4).normal(size=12)


def decay(u, u_t, k):
    return u_t + k * u


def cooling(values=U):
    return lf.Problem(
        DOMAIN, "u", {"decay": decay}, START, {"k": lf.Positive(1.0)}, data=lf.Data({"t": T, "u": values})
    )


METHODS = {
    "network": Neural(trial=lf.MLP(width=4, depth=1)),
    "modes": Neural(trial=lf.Spectral(8)),
    "steps": Collocation(steps=2, stages=2, tolerance=1e-5),  # its mesh is refined on the way
}


CASES = {
    "network": (U, METHODS["network"]),
    "modes": (U, METHODS["modes"]),
    # The first stage is broken off, because the noise that it assumes is far too high.
    "exact data": (np.exp(-2 * T), Collocation(steps=4, stages=4)),
    "steps": (U, METHODS["steps"]),
}


def telling(history):
    """Moments around the ends of stages, where most is decided, and some between."""
    ends = [i for i in range(1, len(history)) if history[i].stage != history[i - 1].stage]
    around = {i + shift for i in ends for shift in (-1, 0, 1)}
    between = range(0, len(history), max(1, len(history) // 5))
    return sorted(i for i in {0, *around, *between} if i < len(history))


@pytest.mark.parametrize("case", list(CASES))
def test_killed_between_steps(case, tmp_path, monkeypatch):
    """A checkpoint after every step, and a kill between two of them."""
    monkeypatch.setattr(Keeper.__init__, "__defaults__", (0.0,))
    values, method = CASES[case]
    problem = cooling(values)
    whole = lf.solve(problem, method, progress=False)
    for moment in telling(whole.history):
        with pytest.raises(Killed):
            lf.solve(problem, method, out=tmp_path, progress=Until(moment))
        assert (tmp_path / "checkpoint.npz").exists() == (moment > 0)
        found = lf.solve(problem, method, out=tmp_path, resume=True, progress=False)
        assert found.history == whole.history, moment
        np.testing.assert_array_equal(found.fitted.x, whole.fitted.x, err_msg=str(moment))
        np.testing.assert_array_equal(found.fitted.uncertain.covariance, whole.fitted.uncertain.covariance)
        facts = ("noise", "chi2", "status", "accuracy", "refinements")
        assert [getattr(found, fact) for fact in facts] == [getattr(whole, fact) for fact in facts]
        assert not (tmp_path / "checkpoint.npz").exists()  # done: nothing is left to resume
    if case == "steps":
        assert whole.refinements > 0


def test_a_resumed_run_does_not_begin_again(tmp_path, monkeypatch):
    monkeypatch.setattr(Keeper.__init__, "__defaults__", (0.0,))
    problem, method = cooling(), METHODS["modes"]
    with pytest.raises(Killed):
        lf.solve(problem, method, out=tmp_path, progress=Until(5))

    class Seen(list):
        __call__ = list.append

        def close(self):
            pass

    seen = Seen()
    found = lf.solve(problem, method, out=tmp_path, resume=True, progress=seen)
    assert len(seen) == len(found.history) - 5


def test_killed_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(Keeper.__init__, "__defaults__", (0.0,))
    problem, method = cooling(), METHODS["modes"]
    whole = lf.solve(problem, method, progress=False)
    with pytest.raises(Killed):
        lf.solve(problem, method, out=tmp_path, progress=Until(4))
    for _ in range(3):
        with pytest.raises(Killed):
            lf.solve(problem, method, out=tmp_path, resume=True, progress=Until(2))
    found = lf.solve(problem, method, out=tmp_path, resume=True, progress=False)
    assert found.history == whole.history
    assert found["k"].value == whole["k"].value


def test_without_resume_a_run_begins_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(Keeper.__init__, "__defaults__", (0.0,))
    with pytest.raises(Killed):
        lf.solve(cooling(), METHODS["modes"], out=tmp_path, progress=Until(4))
    other = cooling(U + 0.01)
    found = lf.solve(other, METHODS["modes"], out=tmp_path, progress=False)
    assert found["k"].value == lf.solve(other, METHODS["modes"], progress=False)["k"].value


def test_resume_needs_a_folder():
    with pytest.raises(lf.BadInput, match="needs out="):
        lf.solve(cooling(), METHODS["modes"], resume=True)


# What decides whether a checkpoint belongs to a problem


def test_fingerprint_sees_numbers_and_code_and_not_addresses():
    method = METHODS["modes"]
    base = fingerprint(cooling(), method)
    factor = 2.0

    def stated(law, constants=None, start=START):
        return lf.Problem(
            DOMAIN,
            "u",
            {"decay": law},
            start,
            {"k": lf.Positive(1.0)},
            constants=constants,
            data=lf.Data({"t": T, "u": U}),
        )

    def same(u, u_t, k):
        return u_t + k * u

    assert fingerprint(stated(same), method) == base
    others = [
        stated(lambda u, u_t, k: u_t + k * u * 1.0),
        stated(lambda u, u_t, k: u_t - k * u),
        stated(lambda u, u_t, k: u_t + factor * k * u),
        stated(decay, constants={"g": 1.0}),
        stated(decay, start=[lf.Value(DOMAIN.at(t=0), u=1.5)]),
        cooling(U + 1e-12),
    ]
    digests = {base, *(fingerprint(p, method) for p in others)}
    factor = 3.0
    digests.add(fingerprint(others[2], method))
    assert len(digests) == len(others) + 2
    assert fingerprint(cooling(), Neural(trial=lf.Spectral(8), seed=1)) != base
    assert fingerprint(cooling(), Neural(trial=lf.Spectral(9))) != base


# By the command line, and kill -9

PROBLEM = """
import lawful as lf
import numpy as np

domain = lf.Box(t=(0, 3))
t = np.linspace(0.25, 3, 12)
u = np.exp(-2 * t) + 0.01 * np.sin(17 * t)
problem = lf.Problem(
    domain,
    "u",
    {"decay": lambda u, u_t, k: u_t + k * u},
    [lf.Value(domain.at(t=0), u=1.0)],
    {"k": lf.Positive(1.0)},
    data=lf.Data({"t": t, "u": u}),
)
method = lf.Neural(trial=lf.MLP(width=8, depth=1), points=POINTS)
"""
POINTS = 400  # so many that the fit takes seconds


def start(folder, cache, *options):
    """`lawful solve` as a process of its own."""
    command = [sys.executable, "-m", "lawful", "solve", str(folder.parent / "problem.py"), "--out", str(folder)]
    environment = {**os.environ, "JAX_COMPILATION_CACHE_DIR": str(cache)}
    return subprocess.Popen(
        [*command, "--json", *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def stamp(folder):
    path = folder / "checkpoint.npz"
    return path.stat().st_mtime_ns if path.exists() else 0


def kill_at(process, moment):
    """Kill -9 after so many seconds; whether it came in time."""
    try:
        process.wait(moment)
        return False
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True


def kill_after_checkpoint(process, folder, delay):
    """Kill -9 so many seconds after this process wrote a checkpoint; whether it came in time."""
    before = stamp(folder)
    while process.poll() is None and stamp(folder) == before:
        time.sleep(0.02)
    return kill_at(process, delay)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The run that nobody disturbed: its folder, and how long it takes with compiled code at hand."""
    root = tmp_path_factory.mktemp("whole")
    (root / "problem.py").write_text(PROBLEM.replace("POINTS)", f"{POINTS})"))
    cache = root / "cache"
    first = start(root / "first", cache)
    assert first.wait() == 0, first.stderr.read()
    first.communicate()
    begin = time.monotonic()
    again = start(root / "run", cache)
    assert again.wait() == 0
    again.communicate()
    return root, cache, time.monotonic() - begin


def numbers(folder):
    """Everything that a run wrote down, but for the time it took."""
    record = json.loads((folder / "solution.json").read_text())
    with np.load(folder / "solution.npz") as file:
        arrays = {name: file[name] for name in file.files}
    inside = json.loads(arrays.pop("__meta__").tobytes())["meta"]
    return {**record, "seconds": 0}, {**inside, "seconds": 0}, {n: a.tobytes() for n, a in arrays.items()}


def test_two_runs_are_equal_to_the_bit(whole):
    root, _, _ = whole
    assert numbers(root / "first") == numbers(root / "run")


def test_killed_at_ten_moments(whole):
    """Moments from the first import to the last step; the seed can be set to try others."""
    root, cache, length = whole
    seed = int(os.environ.get("LAWFUL_KILL_SEED", "0"))
    draw = random.Random(seed)
    folder, kills, late = root / "killed", 0, 0
    resume = ()
    while kills < 10:
        process = start(folder, cache, *resume)
        if kills % 3 == 0:  # before it has written anything, most of the time
            hit = kill_at(process, draw.uniform(0.05, 0.9) * length)
        else:
            hit = kill_after_checkpoint(process, folder, draw.uniform(0.0, 0.6))
            late += hit
        kills += hit
        if hit:
            resume = ("--resume",)
            continue
        assert process.returncode == 0, process.communicate()
        process.communicate()
        assert numbers(folder) == numbers(root / "run"), (seed, kills)
        folder, resume = root / f"killed{kills}", ()  # done before the kill came: the next run starts afresh
    last = start(folder, cache, "--resume")
    out, err = last.communicate()
    assert last.returncode == 0, err
    assert late >= 4  # checkpoints were really resumed from
    assert numbers(folder) == numbers(root / "run"), seed
    assert {**json.loads(out), "seconds": 0} == numbers(root / "run")[0]


# Bad checkpoints


@pytest.fixture
def stopped(tmp_path, monkeypatch):
    """A small problem file, and a folder with the checkpoint of its run."""
    monkeypatch.setattr(Keeper.__init__, "__defaults__", (0.0,))
    file = tmp_path / "problem.py"
    text = PROBLEM.replace("POINTS)", "30)").replace("lf.MLP(width=8, depth=1)", "lf.Spectral(8)")
    file.write_text(text)
    from lawful.cli import read_problem

    with pytest.raises(Killed):
        lf.solve(*read_problem(file), out=tmp_path / "run", progress=Until(3))
    return file, tmp_path / "run"


def command(*words):
    found = CliRunner().invoke(app, [str(word) for word in words])
    return found.exit_code, found.stdout, found.stderr


def test_truncated_checkpoints(stopped):
    """The last one: the one before it is taken, which is said. Both: it is refused."""
    file, folder = stopped
    last, before = folder / "checkpoint.npz", folder / "checkpoint-before.npz"
    held = before.read_bytes()
    for path in (last, before):
        path.write_bytes(path.read_bytes()[:-100])
    code, out, err = command("solve", file, "--out", folder, "--resume")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "checkpoint.npz is damaged" in err
    assert "delete it" in err
    before.write_bytes(held)
    (folder / ".checkpoint.npz.12345.part").write_bytes(b"half")  # of a process that was killed as it wrote
    code, out, err = command("solve", file, "--out", folder, "--resume")
    assert code == 0, err
    assert "checkpoint.npz is damaged or not one of lawful's files (BadZipFile); the one before it is taken" in err
    assert not list(folder.glob("checkpoint*")) + list(folder.glob(".*.part"))
    command("solve", file, "--out", folder.with_name("whole"))
    assert numbers(folder) == numbers(folder.with_name("whole"))


def test_checkpoint_of_another_version(stopped, monkeypatch):
    file, folder = stopped
    monkeypatch.setattr(sys.modules["lawful.solve._keeper"], "version", lambda package: "9.9")
    code, out, err = command("solve", file, "--out", folder, "--resume")
    assert (code, out) == (2, "")
    assert "was written by lawful" in err
    assert "this is 9.9" in err


def test_a_full_disk_says_where(stopped, monkeypatch):
    file, folder = stopped

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    code, out, err = command("solve", file, "--out", folder, "--resume")
    assert (code, out) == (2, "")
    assert str(folder / "checkpoint.npz") in err
    assert "has room" in err
    assert json.loads((folder / "live.json").read_text())["state"] != "finished"


def test_checkpoint_of_another_problem(stopped):
    file, folder = stopped
    other = file.with_name("other.py")
    other.write_text(file.read_text().replace("k * u}", "2 * k * u}"))
    before = sorted((p.name, p.read_bytes()) for p in folder.iterdir())
    code, out, err = command("solve", other, "--out", folder, "--resume")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "belongs to another problem" in err
    assert sorted((p.name, p.read_bytes()) for p in folder.iterdir()) == before  # and nothing was touched


def test_folder_that_cannot_be_written(stopped, tmp_path):
    file, _ = stopped
    (tmp_path / "taken").write_text("a file, not a folder")
    code, out, err = command("solve", file, "--out", tmp_path / "taken")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert str(tmp_path / "taken") in err
    assert "choose" in err


def test_resume_in_an_empty_folder_starts(stopped, tmp_path):
    file, _ = stopped
    code, out, err = command("solve", file, "--out", Path(tmp_path / "new"), "--resume", "--json")
    assert code == 0, err
    assert json.loads(out)["converged"] is True
    assert (tmp_path / "new" / "problem.py").read_text() == file.read_text()
