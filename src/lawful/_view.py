"""`lawful view DIR`: a page on this machine alone that follows a running solve.

The server listens on the loopback address, answers GET for its own page, for what the run has written, and for pictures
and reports that lie in the folder; nothing outside the folder is read, and nothing is ever written.
"""

from __future__ import annotations

import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ._core.files import read_arrays, read_json
from ._core.messages import BadInput
from .report._html import POLICY
from .report._live import Standing, live_body, live_page, standing
from .report._markup import Markup, element, joined
from .solve._fit import history_of
from .solve._live import LIVE, columns, thinned

LARGEST = 2**25  # bytes of a file that is read or sent
QUICKEST, DRAWN = 2.0, 10.0  # seconds between looks, at least; and times as long as drawing takes
KINDS = {".html": "text/html; charset=utf-8", ".png": "image/png", ".gif": "image/gif", ".json": "application/json"}
OWN_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; img-src data:"

FOLLOW = """"use strict";
// Asks for what has changed, as often as the server says, and puts it into the page.
const place = document.getElementById("now"), link = document.getElementById("link");
let stamp = "", wait = 0;
async function follow() {
  try {
    const answer = await fetch("/now", {cache: "no-store", headers: stamp ? {"If-None-Match": stamp} : {}});
    wait = Number(answer.headers.get("X-Wait")) || 2;
    if (answer.status === 200) {
      place.innerHTML = await answer.text();
      stamp = answer.headers.get("ETag");
    }
    link.textContent = "";
    if (answer.headers.get("X-State") === "finished") return;
  } catch (error) {
    link.textContent = "The viewer has ended; what stands here is the last that it told.";
    wait = 5;
  }
  setTimeout(follow, 1000 * wait);
}
follow();
"""


class Viewer(ThreadingHTTPServer):
    """The server for one folder; `port` 0 takes any that is free. Raises `BadInput` where there is no such folder or
    the port is taken."""

    daemon_threads = True

    def __init__(self, folder: Path, port: int = 0):
        if not folder.is_dir():
            raise BadInput(f"{folder} is no folder; give the one that `lawful solve PROBLEM.py --out DIR` writes to.")
        self.folder = folder.resolve()
        self.drawing = threading.Lock()  # figures share settings
        self.drawn: tuple[str, str, Markup] = ("", "", Markup(""))
        self.cost = 0.0
        try:
            super().__init__(("127.0.0.1", port), Answer)
        except (OSError, OverflowError) as error:
            raise BadInput(f"port {port} cannot be had ({error}); choose another with --port, or 0 for any.") from None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def now(self) -> tuple[str, str, Markup]:
        """(stamp, state, what changes on the page), drawn anew where the run has written since."""
        with self.drawing:
            stamp = self.stamp()
            if stamp != self.drawn[0]:
                begin = time.monotonic()
                self.drawn = (stamp, *self.draw())
                self.cost = time.monotonic() - begin
            return self.drawn

    def stamp(self) -> str:
        """Changes whenever the page would: with the files, and with each half minute of silence."""
        found = []
        for name in (LIVE, "solution.json", "report.html"):
            try:
                seen = (self.folder / name).stat()
                found.append(f"{seen.st_mtime_ns}-{seen.st_size}")
            except OSError:
                found.append("none")
        return f'"{"-".join(found)}-{int(self.age() / 30)}"'

    def age(self) -> float:
        """Seconds since the run last wrote; 0 where it has not, or has ended."""
        try:
            return max(time.time() - (self.folder / LIVE).stat().st_mtime, 0.0)
        except OSError:
            return 0.0

    def draw(self) -> tuple[str, Markup]:
        try:
            run = run_in(self.folder, self.age())
            if run is None:
                said = "Nothing is written here yet. A run writes here from its start, where it was given this folder."
                return "waiting", element("p", said)
            body = live_body(run)
        except (ArithmeticError, LookupError, OSError, RuntimeError, TypeError, ValueError) as error:
            # A file that is damaged, foreign or gone, or numbers that no figure can show.
            return "unreadable", element("p", f"This cannot be shown: {error}")
        report = [element("p", element("a", "The report", href="/files/report.html"))]
        there = (self.folder / "report.html").is_file()
        return run.state, joined([body, *(report if there else [])])


def run_in(folder: Path, age: float) -> Standing | None:
    """The run that a folder tells of: from `live.json`, or from the solution of a run that wrote none."""
    live = folder / LIVE
    if live.is_file():
        if live.stat().st_size > LARGEST:
            raise BadInput(f"{LIVE} is larger than any that lawful writes.")
        return standing(read_json(live), age)
    if not (folder / "solution.json").is_file():
        return None
    told, (_, meta) = read_json(folder / "solution.json"), read_arrays(folder / "solution.npz")
    try:
        found = {name: each for name, each in told.items() if isinstance(each, dict) and set(each) == {"value", "sd"}}
        history = columns(thinned(history_of(meta["history"])))
        record = {"format": 1, "method": "a finished run", "state": "finished", "history": history, "estimates": found}
        return standing({**record, **{name: meta[name] for name in ("converged", "reason", "seconds")}}, age)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadInput(f"the solution in this folder is not one of lawful's ({type(error).__name__}).") from None


class Answer(BaseHTTPRequestHandler):
    """One request."""

    timeout = 30
    server_version, sys_version = "lawful", ""

    @property
    def viewer(self) -> Viewer:
        assert isinstance(self.server, Viewer)
        return self.server

    def do_GET(self) -> None:
        host = self.headers.get("Host", "")
        if host not in (f"127.0.0.1:{self.viewer.server_port}", f"localhost:{self.viewer.server_port}"):
            # A page of a stranger whose name was made to point here would carry its own name.
            return self.refuse(HTTPStatus.FORBIDDEN, "this address is for this machine alone")
        try:
            path = urlsplit(self.path).path
        except ValueError:  # a bracket where a host would be
            return self.refuse(HTTPStatus.BAD_REQUEST, "that is no path")
        if path == "/":
            title = f"lawful: {self.viewer.folder.name}"
            page = live_page(title, self.viewer.now()[2], "/follow.js")
            return self.send(page.encode(), KINDS[".html"], OWN_POLICY)
        if path == "/follow.js":
            return self.send(FOLLOW.encode(), "text/javascript; charset=utf-8", OWN_POLICY)
        if path == "/now":
            return self.send_now()
        if path.startswith("/files/"):
            return self.send_file(unquote(path.removeprefix("/files/")))
        return self.refuse(HTTPStatus.NOT_FOUND, "there is no such page")

    do_HEAD = do_GET

    def send_now(self) -> None:
        stamp, state, body = self.viewer.now()
        wait = max(QUICKEST, DRAWN * self.viewer.cost)
        more = {"ETag": stamp, "X-State": state, "X-Wait": f"{wait:.1f}"}
        if self.headers.get("If-None-Match") == stamp:
            return self.send(b"", KINDS[".html"], OWN_POLICY, more, HTTPStatus.NOT_MODIFIED)
        return self.send(body.encode(), KINDS[".html"], OWN_POLICY, more)

    def send_file(self, name: str) -> None:
        """A file of the folder, of a kind that a run writes; links that lead out of it are followed and refused."""
        try:
            path = (self.viewer.folder / name).resolve()
            if not path.is_relative_to(self.viewer.folder):
                return self.refuse(HTTPStatus.FORBIDDEN, "that is outside the folder of the run")
            if not path.is_file() or path.suffix not in KINDS or path.stat().st_size > LARGEST:
                return self.refuse(HTTPStatus.NOT_FOUND, "there is no such file")
            content = path.read_bytes()
        except (OSError, ValueError):  # names that no file can have, files that may not be read
            return self.refuse(HTTPStatus.NOT_FOUND, "there is no such file")
        return self.send(content, KINDS[path.suffix], POLICY)

    def refuse(self, status: HTTPStatus, why: str) -> None:
        self.send(f"{why}\n".encode(), "text/plain; charset=utf-8", OWN_POLICY, status=status)

    def send(
        self, content: bytes, kind: str, policy: str, more: dict[str, str] | None = None,
        status: HTTPStatus = HTTPStatus.OK,
    ) -> None:  # fmt: skip
        self.send_response(status)
        fixed = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
        head = {"Content-Type": kind, "Content-Security-Policy": policy, **fixed, **(more or {})}
        for name, value in head.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the terminal is for the address."""
