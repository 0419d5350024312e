"""`lawful view`: what a run writes while it works, and the page that follows it, on this machine alone."""

import http.client
import json
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from typer.testing import CliRunner

import lawful as lf
from browsers import opened
from lawful._core.messages import BadInput
from lawful._view import Viewer, run_in
from lawful.cli import app
from lawful.report._live import standing
from lawful.solve import _live
from lawful.solve._live import LIVE, Live, columns, thinned

DOMAIN = lf.Box(t=(0, 1))
T = np.linspace(0.1, 1, 12)
U = np.exp(-2 * T) + 0.01 * np.random.default_rng(4).normal(size=12)
EVIL = '<script>console.error("escaped")</script><img src="x.png">'


def cooling():
    return lf.Problem(
        DOMAIN,
        "u",
        {"decay": lambda u, u_t, k: u_t + k * u},
        [lf.Value(DOMAIN.at(t=0), u=1.0)],
        {"k": lf.Positive(1.0)},
        data=lf.Data({"t": T, "u": U}),
    )


class Watching:
    """Keeps what the file said at every step."""

    def __init__(self, folder):
        self.folder, self.seen = folder, []

    def __call__(self, moment):
        self.seen.append(json.loads((self.folder / LIVE).read_text()))

    def close(self):
        pass


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """(folder of a finished run that looked at every step, its solution, what its file said on the way)."""
    folder, patch = tmp_path_factory.mktemp("run"), pytest.MonkeyPatch()
    patch.setattr(Live.__init__, "__defaults__", (0.0, -1.0))
    patch.setattr(_live, "SHARE", np.inf)
    watching = Watching(folder)
    solution = lf.solve(cooling(), lf.Collocation(), out=folder, progress=watching)
    patch.undo()
    return folder, solution, watching.seen


@pytest.fixture
def serving():
    """A function that serves a folder until the test is over."""
    viewers = []

    def serve(folder):
        viewer = Viewer(folder)
        threading.Thread(target=viewer.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        viewers.append(viewer)
        return viewer

    yield serve
    for viewer in viewers:
        viewer.shutdown()
        viewer.server_close()


def asked(viewer, path, method="GET", **head):
    """(status, headers, text) of one request, its path as it stands."""
    line = http.client.HTTPConnection("127.0.0.1", viewer.server_port, timeout=30)
    line.putrequest(method, path, skip_host=True)
    line.putheader("Host", head.pop("host", f"127.0.0.1:{viewer.server_port}"))
    for name, value in head.items():
        line.putheader(name.replace("_", "-"), value)
    line.endheaders()
    answer = line.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read().decode(errors="replace")
    line.close()
    return found


def test_a_run_tells_how_it_stands(watched):
    _, solution, seen = watched
    assert [each["state"] for each in seen] == ["preparing"] + ["running"] * (len(seen) - 1)
    for moment, each in enumerate(seen[1:], 1):  # the file of a step is written after its watcher was called
        assert each["history"]["loss"] == [step.loss for step in solution.history[:moment]]
        assert each["estimates"]["k"]["value"] == pytest.approx(solution.history[moment - 1].unknowns["k"], rel=1e-12)
        assert each["estimates"]["k"]["sd"] > 0
        assert np.shape(each["residuals"][0]["values"]) == (401,)


def test_a_finished_run_tells_what_the_solution_does(watched):
    folder, solution, _ = watched
    run = run_in(folder, 0.0)
    assert run.status == solution.status
    assert run.estimates["k"] == (solution["k"].value, solution["k"].sd)
    lines, values = solution.residual_map("decay")
    assert run.residuals[0].grid["t"] == pytest.approx(lines["t"], rel=1e-5)
    assert run.residuals[0].values == pytest.approx(values, rel=6e-3)


def test_looking_changes_nothing(watched):
    alone = lf.solve(cooling(), lf.Collocation(), progress=False)
    np.testing.assert_array_equal(alone.fitted.x, watched[1].fitted.x)
    assert alone.history == watched[1].history


def test_looks_take_a_small_share_of_the_time(monkeypatch, tmp_path):
    clock, looks = [0.0], []
    monkeypatch.setattr(_live.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(_live, "told", lambda *_: {})

    def look(self, *_):
        looks.append(clock[0])
        clock[0] += 3.0

    monkeypatch.setattr(Live, "look", look)
    live = Live(tmp_path, "test")
    state = type("State", (), {"history": [_live.Step(1, 1, 1.0, {}, {})], "stage": 1})
    while clock[0] < 1000:
        live.follow(type("System", (), {"task": None}), state, (), 10)
        clock[0] += 0.1
    assert looks[0] > 20
    assert 0.8 * 0.05 * 1000 < 3 * len(looks) <= 0.05 * 1000 + 3


def test_a_full_disk_is_not_the_end(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_live, "write_json", full)
    assert lf.solve(cooling(), lf.Collocation(), out=tmp_path, progress=False).status.converged


def test_a_run_that_breaks_off_says_so(tmp_path):
    class Broken(Watching):
        def __call__(self, moment):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lf.solve(cooling(), lf.Collocation(), out=tmp_path, progress=Broken(tmp_path))
    run = run_in(tmp_path, 0.0)
    assert run.state == "stopped"
    assert "KeyboardInterrupt" in run.reason


def test_long_histories_are_thinned():
    steps = [_live.Step(1, i, 1.0, {"law: a": 1.0 / i}, {}) for i in range(1, 10_001)]
    few = thinned(steps)
    assert 200 <= len(few) <= 400
    assert few[-1] is steps[-1]
    assert columns([_live.Step(1, 1, 1.0, {"law: a": np.nan}, {})])["term: law: a"] == [None]


@pytest.mark.usefixtures("float64")
def test_maps_fill_squares_and_know_their_shape():
    disk = lf.Disk(x=0, y=0, radius=1)
    problem = lf.Problem(
        disk, "u", {"poisson": lambda u_xx, u_yy: u_xx + u_yy + 4.0}, [lf.Value(disk.boundary(), u=0.0)]
    )
    solution = lf.solve(problem, lf.Neural(lf.Spectral(4)), progress=False)
    [told] = _live.residual_maps(problem, solution.model, solution.sizes)
    x, y = np.meshgrid(told["grid"]["x"], told["grid"]["y"], indexing="ij")
    values = np.asarray(told["values"], dtype=float)
    assert values.shape == (64, 64)
    assert np.isnan(values[x**2 + y**2 > 1.001]).all()
    assert np.max(np.abs(values[x**2 + y**2 < 0.999])) < 1e-10


def test_the_page_is_for_this_machine_alone(watched, serving):
    viewer = serving(watched[0])
    assert viewer.server_address[0] == "127.0.0.1"
    status, head, page = asked(viewer, "/")
    assert status == 200
    assert head["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert str(watched[1]["k"]) in page
    assert asked(viewer, "/", host="evil.example")[0] == 403
    assert asked(viewer, "/now", host=f"evil.example:{viewer.server_port}")[0] == 403
    assert asked(viewer, "/", method="POST")[0] == 501
    assert asked(viewer, "/", method="HEAD")[2] == ""
    stamp = asked(viewer, "/now")[1]["ETag"]
    assert asked(viewer, "/now", If_None_Match=stamp)[0] == 304


@pytest.mark.parametrize(
    "path",
    [
        "/files/../secret.json",
        "/files/%2e%2e/secret.json",
        "/files/..%2fsecret.json",
        "/files/inside/../../secret.json",
        "/files/link.json",
        "/files/linked/secret.json",
        "/files//etc/passwd",
        "/files/%2fetc%2fpasswd",
        "/files/%00",
        "/files/",
        "/files/" + "x" * 5000,
        "/secret.json",
        "/../secret.json",
        "//[",
        "/files/checkpoint.npz",
        "/files/problem.py",
    ],
)
def test_nothing_outside_the_folder_is_sent(path, watched, serving, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(watched[0], folder)
    (tmp_path / "secret.json").write_text('"secret"')
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    (folder / "linked").symlink_to(tmp_path)
    (folder / "problem.py").write_text("secret")
    status, _, text = asked(serving(folder), path)
    assert status in (400, 403, 404)
    assert "secret" not in text


def test_reports_are_sent_without_scripts(watched, serving):
    folder = watched[0]
    lf.report(watched[1], folder / "report.html")
    viewer = serving(folder)
    status, head, text = asked(viewer, "/files/report.html")
    assert (status, "script-src" in head["Content-Security-Policy"]) == (200, False)
    assert str(watched[1]["k"]) in text
    assert "/files/report.html" in asked(viewer, "/now")[2]
    assert json.loads(asked(viewer, "/files/solution.json")[2])["converged"] is True


def test_a_run_that_wrote_no_live_file_is_shown(watched, serving, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(watched[0], folder)
    (folder / LIVE).unlink()
    _, head, text = asked(serving(folder), "/now")
    assert head["X-State"] == "finished"
    assert str(watched[1]["k"]) in text
    assert "Loss" in text


def test_an_empty_folder_is_waited_for(serving, tmp_path):
    assert asked(serving(tmp_path), "/now")[1]["X-State"] == "waiting"


@pytest.mark.parametrize(
    "change",
    [
        lambda told: "{",
        lambda told: "[]",
        lambda told: json.dumps({**told, "format": 2}),
        lambda told: json.dumps({**told, "history": {"loss": [1.0], "step": [1.0, 2.0]}}),
        lambda told: json.dumps({**told, "history": 3}),
        lambda told: json.dumps({**told, "estimates": {"k": None}}),
        lambda told: json.dumps({**told, "residuals": [{"law": "a", "grid": {"t": [0, 1]}, "values": [1]}]}),
        lambda told: "[" * 100_000,
    ],
)
def test_a_damaged_file_is_told_of(change, watched, serving, tmp_path, capfd):
    told = json.loads((watched[0] / LIVE).read_text())
    (tmp_path / LIVE).write_text(change(told))
    status, head, text = asked(serving(tmp_path), "/now")
    assert (status, head["X-State"]) == (200, "unreadable")
    assert "This cannot be shown" in text
    assert "Traceback" not in capfd.readouterr().err


def test_silence_is_told():
    told = {"format": 1, "method": "Neural", "seconds": 9.0, "state": "running", "history": {}, "estimates": {}}
    from lawful.report._live import live_body

    assert "No news" not in live_body(standing(told, 5.0))
    assert "No news for 2 min 0 s" in live_body(standing(told, 120.0))


def test_the_browser_follows_a_run(chromium, watched, serving, tmp_path):
    """The page is opened while the run stands at one step; what it shows later is what was written meanwhile."""
    early, late = watched[2][2], watched[2][-1]
    for told in (early, late):
        told["history"][f"unknown: {EVIL}"] = told["history"]["loss"]
        told["estimates"][EVIL] = {"value": 2.0, "sd": None}
        told["residuals"][0]["law"] = EVIL
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / LIVE).write_text(json.dumps({**early, "reason": "the early one"}))
    viewer = serving(folder)
    first, asked_for = viewer.now, []

    def now():
        asked_for.append(time.monotonic())
        if len(asked_for) == 2:  # after the page itself
            (folder / LIVE).write_text(json.dumps({**late, "reason": EVIL}))
        return first()

    viewer.now = now
    document, console = opened(chromium, viewer.address, tmp_path / "profile", "--virtual-time-budget=6000")
    assert console == []
    assert len(asked_for) > 1
    assert f"stage {late['stage']}, step {late['step']}" in document
    assert "the early one" not in document
    assert document.count("<script") == 1
    assert "<img" not in document
    assert "2 ± undetermined" in document


def test_the_command(watched):
    wrong = CliRunner().invoke(app, ["view", "nowhere"])
    assert (wrong.exit_code, "nowhere is no folder" in wrong.stderr) == (2, True)
    command = [sys.executable, "-m", "lawful", "view", str(watched[0])]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # where it is ignored, children ignore it too
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    with process:
        line = process.stdout.readline()
        port = int(line.split("127.0.0.1:")[1].split("/")[0])
        with pytest.raises(BadInput, match="cannot be had"):
            Viewer(watched[0], port)
        process.send_signal(signal.SIGINT)
        assert "goes on" in process.stdout.read()
        assert process.wait(30) == 0
