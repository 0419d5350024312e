"""What every test may rely on: the data folder, the compilation cache, double precision as a context."""

import gc
import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent

# Set before anything imports JAX, and in the environment: the programs that tests start share the cache.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(ROOT / ".cache" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "0")
# A figure is drawn into a file, also where there is a screen.
os.environ.setdefault("MPLBACKEND", "Agg")

# The same examples on every run, and no time limit on one: the first of them compiles.
hypothesis.settings.register_profile(
    "lawful", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("lawful")


# Tracing makes and drops millions of small objects that refer to each other in no ring; looking for rings among them
# every 700 takes a twentieth of the time.
gc.set_threshold(100_000, 50, 100)

# Whatever a shell starts in the background ignores Ctrl-C, and so do the programs that it starts; tests press it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

SECONDS = Path(__file__).with_name("seconds.json")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long begin first, as far as `tests/seconds.py` knows them: one that began last would keep one
    process busy for minutes after the others are done. What it does not know begins before them all."""
    known = json.loads(SECONDS.read_text())
    items.sort(key=lambda item: -known.get(item.nodeid.partition("::")[0], float("inf")))


@pytest.fixture(autouse=True, scope="module")
def compiled_code_let_go() -> Iterator[None]:
    """What a file compiled is let go after it: XLA maps several pieces of memory for each compiled function, and
    Linux gives a process 65,530 of them; one that needs more dies in the compiler, after an hour of tests."""
    yield
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of measured reference data: `$LAWFUL_DATA`, or `shared/data` beside the project's folder."""
    named = os.environ.get("LAWFUL_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if folder.is_dir():
        return folder
    if named:
        pytest.fail(f"LAWFUL_DATA names {named}, which is no folder: correct it, or unset it to skip these tests")
    pytest.skip("no reference data: set LAWFUL_DATA to its folder, or put it at ../shared/data")


@pytest.fixture(scope="session")
def chromium() -> str:
    """A browser, for what has to be seen in one."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        pytest.skip("no Chromium on the path: install it to see pages in a browser")
    return found


@pytest.fixture
def float64() -> Iterator[None]:
    """JAX in double precision for one test, or by `pytest.mark.usefixtures("float64")` for a whole file."""
    import jax

    with jax.enable_x64(True):
        yield


@pytest.fixture
def strict_types(float64: None) -> Iterator[None]:
    """Double precision in which arrays of different types or ranks do not mix in silence."""
    import jax

    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        yield
