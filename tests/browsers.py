"""A page in a real browser, as tests look at it."""

import subprocess

QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--enable-logging=stderr",
    "--v=0",
]


def opened(browser, address, profile, *options):
    """(the document as the browser built it, the lines of its console).

    Chromium writes each message of a page's console as a line with CONSOLE, whatever its kind.
    """
    command = [browser, *QUIET, f"--user-data-dir={profile}", *options, "--dump-dom", address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "<html" in done.stdout, f"the browser gave no document:\n{done.stderr[-2000:]}"
    return done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
