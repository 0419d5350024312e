"""Several processes solve one problem; one of them dies; a sweep is killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import weakref

import numpy as np
import pytest
from typer.testing import CliRunner

import lawful as lf
from cluster_runs import DECAY, DIES, bowl, fragile, hopeless
from lawful import cli, cluster
from lawful._core.collectives import wrong_collectives
from lawful._core.farm import Farm
from lawful._core.files import read_arrays
from lawful._core.mesh import row_of
from lawful._sweep import axes_of
from lawful.design import Simulator, Space, generate, latin


def launched(*words):
    command = [sys.executable, "-m", "lawful.cluster", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def answer(solution):
    return [solution["k"].value, solution["k"].sd, solution.chi2, *solution.u(t=np.linspace(0, 2, 9))]


@pytest.mark.slow
def test_two_processes_give_the_answer_of_one(tmp_path):
    file = tmp_path / "decay.py"
    file.write_text(DECAY)
    done = launched("--processes", 2, "--out", tmp_path / "run", file)
    assert done.returncode == 0, done.stderr
    assert "k        1.28" in done.stdout
    assert done.stdout.count("chi2/dof") == 1  # one of them speaks
    problem, method = cli.read_problem(file)
    alone, shared = lf.solve(problem, method), lf.load(tmp_path / "run", problem, method)
    np.testing.assert_allclose(answer(shared), answer(alone), rtol=1e-10)
    arrays, _ = read_arrays(tmp_path / "run" / "solution.npz")
    assert np.all(np.isfinite(arrays["x"]))
    assert not (tmp_path / "run" / "checkpoint.npz").exists()


def test_where_a_process_dies_the_others_are_stopped_it_is_told_and_the_run_goes_on(tmp_path):
    file = tmp_path / "dies.py"
    file.write_text(DIES + DECAY)
    begin = time.monotonic()
    done = launched("--processes", 2, "--out", tmp_path / "run", file)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "process 1 was killed by SIGKILL and the others were stopped" in last
    assert "--resume" in last
    assert time.monotonic() - begin < 200  # not the five minutes that JAX waits
    file.write_text(DECAY)
    problem, method = cli.read_problem(file)
    shared = lf.solve(problem, method, out=tmp_path / "run", resume=True)
    seen = [(step.stage, step.step) for step in shared.history]
    assert len(seen) > 7
    assert seen == sorted(set(seen))  # from the checkpoint of two processes, and no step twice
    np.testing.assert_allclose(answer(shared), answer(lf.solve(problem, method)), rtol=1e-10)


@pytest.fixture
def taken():
    """A port at which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_bad_numbers_and_addresses_of_processes_are_refused(tmp_path, taken):
    file = tmp_path / "decay.py"
    file.write_text(DECAY)
    for words, message in {
        ("--processes", "0"): "give 0 <= I and I + K <= N",
        ("--processes", "2", "--first", "1", "--here", "2"): "give 0 <= I and I + K <= N",
        ("--processes", "2", "--here", "1"): "several machines need --coordinator",
        ("--coordinator", "nonsense"): "write it as HOST:PORT",
        ("--coordinator", "127.0.0.1:99999"): "write it as HOST:PORT",
        ("--coordinator", "192.0.2.1:5000"): "give an address of this machine",
        ("--coordinator", f"127.0.0.1:{taken}"): "and a free port",
    }.items():
        app = cluster.typer.Typer()
        app.command()(cluster.launch)
        found = CliRunner().invoke(app, [str(file), *words])
        assert found.exit_code == 2
        assert message in found.stderr


def test_collectives_are_right_here():
    import jax

    assert wrong_collectives(row_of(jax.devices()), (1, 10)) == []


def test_sigterm_ends_the_program_as_a_scheduler_expects(tmp_path):
    file = tmp_path / "slow.py"
    file.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n" + DECAY)
    command = [sys.executable, "-m", "lawful", "solve", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 143
    assert done.stderr.strip() == "stopped by SIGTERM; with --out DIR the run goes on with --resume"


@pytest.mark.parametrize(("number", "kind"), [(signal.SIGTERM, cli.Terminated), (signal.SIGINT, KeyboardInterrupt)])
def test_a_signal_amid_the_collection_of_garbage_is_not_forgotten(number, kind, capsys):
    """Python reports and forgets what is raised there."""

    class Held:
        pass

    held = Held()
    watched = weakref.ref(held, lambda _: os.kill(os.getpid(), number))
    with pytest.raises(kind), cli.stopped_by_signals():  # noqa: PT012
        del held
        for _ in range(200):
            time.sleep(0.01)
    assert watched() is None
    assert capsys.readouterr().err == ""


@pytest.fixture(scope="module")
def farm():
    with Farm(workers=1) as workers:
        yield workers


def test_a_piece_that_fails_is_tried_again(farm, tmp_path):
    assert list(farm.finished(fragile, {"a": (tmp_path / "seen", 3)})) == [("a", 9, "")]


def test_a_piece_that_never_works_says_why_and_the_others_are_done(farm):
    assert list(farm.finished(hopeless, {"b": (1,)})) == [("b", None, "ArithmeticError: never 1")]


def test_designs_are_simulated_by_workers_to_the_same_numbers(farm, tmp_path):
    space = Space(a=(0.0, 1.0), b=(1.0, 2.0))
    simulator, units = Simulator(bowl, space, slopes=("depth",)), latin(space, 5)
    here, there = generate(simulator, units), generate(simulator, units, tmp_path, farm=farm)
    for name in ("depth", "side"):
        np.testing.assert_array_equal(there.values[name], here.values[name])
    np.testing.assert_array_equal(there.slopes["depth"], here.slopes["depth"])
    again = generate(simulator, units, tmp_path, farm=None)  # it is all there
    np.testing.assert_array_equal(again.values["depth"], here.values["depth"])


def test_a_sweep_goes_on_where_it_was_stopped(farm, tmp_path, monkeypatch):
    address = farm.client.scheduler.address
    words = ["sweep", "misra", "--out", str(tmp_path), "--effort", "quick", "--scheduler", address, "--json"]
    first = CliRunner().invoke(cli.app, [*words, "--over", "seed=0,1"])
    assert first.exit_code == 0, first.stderr
    kept = (tmp_path / "seed=0.json").stat().st_mtime_ns
    (tmp_path / "seed=1.json").unlink()  # as if it had been killed before the second was done
    again = CliRunner().invoke(cli.app, [*words, "--over", "seed=0,1"])
    assert again.exit_code == 0, again.stderr
    one, two = json.loads(first.stdout), json.loads(again.stdout)
    assert [row.pop("seconds") > 0 for row in one + two] == [True] * 4
    assert one == two
    assert [row["seed"] for row in two] == ["0", "1"]
    assert (tmp_path / "seed=0.json").stat().st_mtime_ns == kept
    other = CliRunner().invoke(cli.app, ["sweep", "misra", "--out", str(tmp_path), "--over", "seed=0"])
    assert other.exit_code == 2
    assert "belongs to another sweep" in other.stderr


def test_axes_of_a_sweep_are_refused_where_they_say_nothing():
    assert axes_of(["a=1,2", "b=x"]) == {"a": ["1", "2"], "b": ["x"]}
    for words in (["a"], ["a=1,,2"], ["a=1", "a=2"], ["a=1,1"], []):
        with pytest.raises(lf.BadInput, match="--over"):
            axes_of(words)


def test_no_scheduler_is_told():
    with pytest.raises(lf.BadInput, match=r"no scheduler answers at tcp://127\.0\.0\.1:9"), Farm("tcp://127.0.0.1:9"):
        pass
