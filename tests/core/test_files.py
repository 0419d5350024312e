"""Files that survive a kill and cannot run code."""

import functools
import io
import json
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lawful._core.files import read_arrays, read_json, write_arrays, write_atomically, write_json
from lawful._core.messages import BadInput

ARRAYS = {
    "x": np.linspace(0, 1, 7),
    "count": np.array(3),
    "grid": np.arange(6, dtype=np.int32).reshape(2, 3),
    "single": np.float32([1.5, 2.5]),
    "empty": np.zeros((0, 4)),
    "flags": np.array([True, False]),
}
META = {"reason": "gradient below 1e-9 — done", "step": 12, "nothing": None, "levels": [0.1, 0.2]}


def test_arrays_and_their_record_come_back(tmp_path):
    path = tmp_path / "deep" / "er" / "run.npz"
    write_arrays(path, ARRAYS, META)
    arrays, meta = read_arrays(path)
    assert meta == META
    assert list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(arrays[name], array)


def test_every_bit_of_a_float_comes_back(tmp_path):
    odd = np.array([np.pi, -0.0, 5e-324, np.inf, np.nan, 1 + 2**-52])
    write_arrays(tmp_path / "a.npz", {"odd": odd}, {})
    assert read_arrays(tmp_path / "a.npz")[0]["odd"].tobytes() == odd.tobytes()


def test_an_array_whose_head_is_of_python_2_is_refused(tmp_path):
    """NumPy reads it, with a warning; found by atheris."""
    path = tmp_path / "a.npz"
    write_arrays(path, {"x": np.arange(3.0)}, {})
    old = io.BytesIO()
    with zipfile.ZipFile(path) as new, zipfile.ZipFile(old, "w") as archive:
        for name in new.namelist():
            archive.writestr(name, new.read(name).replace(b"(3,), ", b"(3L,),"))
    path.write_bytes(old.getvalue())
    with pytest.raises(BadInput, match="damaged"):
        read_arrays(path)


def test_json_comes_back(tmp_path):
    write_json(tmp_path / "a.json", META)
    assert read_json(tmp_path / "a.json") == META


def test_json_refuses_what_it_cannot_hold(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"sd": float("inf")})
    assert list(tmp_path.iterdir()) == []


def test_a_kill_before_the_rename_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    write_atomically(path, b"old")

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"


def test_a_full_disk_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    write_atomically(path, b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["run.npz"]


def test_content_is_on_disk_before_the_rename(tmp_path, monkeypatch):
    order = []
    flush, rename = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: (order.append("flush"), flush(file))[1])
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append("rename"), rename(a, b))[1])
    write_atomically(tmp_path / "a", b"content")
    assert order[:2] == ["flush", "rename"]
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def archive(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def single(array, **settings) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **settings)
    return buffer.getvalue()


def zipped(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(name, content)
    return buffer.getvalue()


FOREIGN = {
    "empty file": b"",
    "text": b"x,u\n0,1\n",
    "another program's archive": archive(x=np.ones(3)),
    "one array": single(np.ones(3)),
    "a pickle": b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x07harmful\x94.",
    "an archive of other things": zipped("readme.txt", b"hello"),
    "meta that is no JSON": archive(__meta__=np.frombuffer(b"{broken", dtype=np.uint8)),
    "meta that is no text": archive(__meta__=np.frombuffer(b"\xff\xfe\x00", dtype=np.uint8)),
    "meta that is no record": archive(__meta__=np.frombuffer(b"[1, 2]", dtype=np.uint8)),
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=list(FOREIGN))
def test_a_foreign_file_is_refused(tmp_path, content):
    path = tmp_path / "solution.npz"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"solution\.npz is damaged or not one of lawful's files.*delete it"):
        read_arrays(path)


class Harmful:
    """Its pickle runs a function when it is read."""

    def __init__(self, flag: Path):
        self.flag = flag

    def __reduce__(self):
        return Path.touch, (self.flag,)


def test_a_pickle_inside_an_archive_is_refused_and_not_run(tmp_path):
    flag = tmp_path / "ran"
    text = np.frombuffer(json.dumps({}).encode(), dtype=np.uint8)
    path = tmp_path / "solution.npz"
    path.write_bytes(archive(__meta__=text, x=np.array([Harmful(flag)], dtype=object)))
    with pytest.raises(BadInput):
        read_arrays(path)
    assert not flag.exists()


def test_objects_are_not_written(tmp_path):
    with pytest.raises(ValueError, match=r"[Oo]bject arrays"):
        write_arrays(tmp_path / "a.npz", {"x": np.array([{}, None], dtype=object)}, {})
    assert list(tmp_path.iterdir()) == []


@functools.cache
def whole() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "whole.npz"
        write_arrays(path, {"x": np.linspace(0, 1, 40), "y": np.zeros(2)}, META)
        return path.read_bytes()


@given(share=st.floats(0, 1, exclude_max=True))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_truncated_file_is_refused(tmp_path, share):
    content, path = whole(), tmp_path / "a.npz"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(BadInput, match="damaged"):
        read_arrays(path)


@given(share=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(share=0.9999, change=1)
def test_a_flipped_byte_is_refused_or_harmless(tmp_path, share, change):
    """Some bytes of a zip file mean nothing to a reader (dates, attributes); any other flip must be noticed."""
    content, path = bytearray(whole()), tmp_path / "a.npz"
    content[int(share * len(content))] ^= change
    path.write_bytes(content)
    try:
        arrays, meta = read_arrays(path)
    except BadInput:
        return
    assert meta == META
    assert list(arrays) == ["x", "y"]
    np.testing.assert_array_equal(arrays["x"], np.linspace(0, 1, 40))


@pytest.mark.parametrize("content", [b"", b'{"a": 1', b"\xff\xfe", b"not json"])
def test_json_that_is_truncated_or_foreign_is_refused(tmp_path, content):
    path = tmp_path / "solution.json"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"solution\.json is not readable JSON.*delete"):
        read_json(path)


def test_a_missing_file_is_the_systems_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_arrays(tmp_path / "none.npz")
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "none.json")
