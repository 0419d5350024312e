"""Where runs are disturbed: the `lawful` command in this process or in processes of their own, and what it left."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
from laws import METHODS, stated


@dataclass(frozen=True)
class Said:
    """How a command ended: its exit code, and what it wrote to standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        lines = self.err.strip().splitlines()
        return lines[-1] if lines else ""

    @property
    def clean(self) -> bool:
        """No traceback, and nothing that Python says of itself."""
        return not any(word in self.err for word in ("Traceback", "Exception ignored", 'File "', "Aborted"))


def lawful(*words: object) -> Said:
    """The whole command in this process, whose code is compiled already."""
    from lawful import cli

    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            with mock.patch.object(sys, "argv", ["lawful", *map(str, words)]):
                cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException:  # noqa: BLE001  what Python itself would do with it
            code = 1
            traceback.print_exc()
    return Said(code, out.getvalue(), err.getvalue())


def numbers(folder: Path) -> tuple:
    """Everything that a run wrote down, but for the time it took."""
    record = json.loads((folder / "solution.json").read_text())
    with np.load(folder / "solution.npz") as file:
        arrays = {name: file[name] for name in file.files}
    inside = json.loads(arrays.pop("__meta__").tobytes())["meta"]
    return {**record, "seconds": 0}, {**inside, "seconds": 0}, {n: a.tobytes() for n, a in arrays.items()}


class Bench:
    """Problem files, the undisturbed answer of each, and a folder for each fault."""

    def __init__(self, root: Path, methods: tuple[str, ...] = tuple(METHODS)):
        self.root, self.count, self.methods = root, 0, methods
        self.whole: dict[str, tuple] = {}
        self.seconds: dict[str, float] = {}
        self.steps: dict[str, list] = {}
        self.operations: dict[str, int] = {}

    def drawn(self, draw: random.Random) -> str:
        """A method, the quick one most often."""
        return draw.choice((*self.methods, *["modes"] * 4))

    def file(self, method: str, name: str = "", **changes) -> Path:
        path = self.root / f"{name or method}.py"
        if changes or not path.exists():
            path.write_text(stated(method, **changes))
        return path

    def prepare(self) -> None:
        """Two undisturbed runs of each problem: they must be equal to the last bit."""
        for method in self.methods:
            answers = []
            for turn in ("first", "again"):
                begin, folder = time.monotonic(), self.root / f"{method}-{turn}"
                with Disk(None) as disk:
                    said = lawful("solve", self.file(method), "--out", folder)
                assert said.code == 0, said.err
                answers.append(numbers(folder))
                self.seconds[method], self.operations[method] = time.monotonic() - begin, disk.count
            assert answers[0] == answers[1], f"{method}: two undisturbed runs differ"
            self.whole[method] = answers[0]
            self.steps[method] = answers[0][1]["history"]

    def folder(self) -> Path:
        self.count += 1
        return self.root / f"run{self.count}"

    def same(self, method: str, folder: Path) -> bool:
        """Whether the folder holds the undisturbed answer to the bit, and nothing half written."""
        return not list(folder.glob(".*.part")) and numbers(folder) == self.whole[method]

    def resumed(self, method: str, folder: Path, *options: str) -> tuple[bool, Said]:
        """The run is taken up again; whether it came to the undisturbed answer."""
        said = lawful("solve", self.file(method), "--out", folder, *(options or ("--resume",)))
        return said.code == 0 and said.clean and self.same(method, folder), said


@contextlib.contextmanager
def every_step_kept() -> Iterator[None]:
    """A checkpoint after every step, for runs that take a second; reports without their pictures."""
    from lawful.solve._keeper import Keeper

    def plain(solution, path):
        from lawful._core.files import write_atomically

        write_atomically(Path(path), solution.summary().encode())
        return path

    with (
        mock.patch.object(Keeper.__init__, "__defaults__", (0.0,)),
        mock.patch.object(sys.modules["lawful.report"], "report", plain),
    ):
        yield


class Disk:
    """Counts what is done to files; at the operation of the given number there is no room left, or the process dies.

    An operation is the opening, the writing, the flush to disk or the renaming of a file.
    """

    def __init__(self, moment: int | None, dies: bool = False, forever: bool = True):
        self.moment, self.dies, self.forever, self.count = moment, dies, forever, 0
        self.hit: str | None = None

    def step(self, what: str) -> None:
        self.count += 1
        if self.moment is None or self.count < self.moment or (self.hit and not self.forever):
            return
        self.hit = self.hit or what
        if self.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def __enter__(self) -> Disk:
        from lawful._core import files

        disk = self

        class Written:
            """A file of which every writing counts; half of what is written arrives where there is no room."""

            def __init__(self, path, mode):
                disk.step("open")
                self.file = open(path, mode)  # noqa: SIM115

            def __enter__(self):
                return self

            def __exit__(self, *_):
                self.file.close()

            def write(self, content):
                try:
                    disk.step("write")
                except OSError:
                    self.file.write(content[: len(content) // 2])
                    raise
                return self.file.write(content)

            def flush(self):
                self.file.flush()

            def fileno(self):
                return self.file.fileno()

        def counted(what, call):
            def counting(*given):
                disk.step(what)
                return call(*given)

            return counting

        system = type("System", (), dict(vars(os)))
        system.fsync = staticmethod(counted("fsync", os.fsync))
        system.replace = staticmethod(counted("rename", os.replace))
        self.patches = [
            mock.patch.object(files, "open", Written, create=True),
            mock.patch.object(files, "os", system),
        ]
        for patch in self.patches:
            patch.start()
        return self

    def __exit__(self, *_: object) -> None:
        for patch in self.patches:
            patch.stop()


@contextlib.contextmanager
def signalled(number: int, after: float) -> Iterator[list[bool]]:
    """A signal to this process after so many seconds; what comes too late is not sent."""
    sent: list[bool] = []
    over = threading.Event()

    def send() -> None:
        if not over.wait(after):
            sent.append(True)
            os.kill(os.getpid(), number)

    before = {s: signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # before and after the command; it sets its own
    signal.signal(signal.SIGINT, signal.default_int_handler)
    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield sent
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        over.set()
        thread.join()
        for s, handler in before.items():
            signal.signal(s, handler)


class Nursery:
    """A process that has imported the library and computed nothing; its children are processes of their own that need
    not import it again. Made before JAX computes here: what computes cannot be copied."""

    def __init__(self) -> None:
        import lawful.cli
        import lawful.report
        import lawful.solve  # noqa: F401

        orders, self.orders = os.pipe()
        self.answers, answers = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.orders)
            self.tend(os.fdopen(orders), answers)
        os.close(orders)
        os.close(answers)
        self.told = os.fdopen(self.answers)

    def tend(self, orders, answers: int) -> None:
        for line in orders:
            order = json.loads(line)
            child = os.fork()
            if child == 0:
                self.run(order)
            os.write(answers, f"{child}\n".encode())
            _, status = os.waitpid(child, 0)
            os.write(answers, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)

    def run(self, order: dict) -> None:
        for number, name in ((1, "out"), (2, "err")):
            file = os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, number)
        code = 1
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL if number == signal.SIGTERM else signal.default_int_handler)
        try:
            with every_step_kept(), Disk(order["moment"], dies=True):
                said = lawful(*order["words"])
            os.write(1, said.out.encode())
            os.write(2, said.err.encode())
            code = said.code
        finally:
            os._exit(code)

    def start(self, folder: Path, *words: object, moment: int | None = None) -> int:
        """The `lawful` command in a process of its own; it kills itself at the operation on files of this number."""
        self.out, self.err = folder.with_suffix(".out"), folder.with_suffix(".err")
        order = {"words": list(map(str, words)), "moment": moment, "out": str(self.out), "err": str(self.err)}
        os.write(self.orders, (json.dumps(order) + "\n").encode())
        return int(self.told.readline())

    def end(self) -> Said:
        code = int(self.told.readline())
        return Said(code, self.out.read_text(), self.err.read_text())

    def close(self) -> None:
        os.close(self.orders)
        os.waitpid(self.pid, 0)
        self.told.close()
