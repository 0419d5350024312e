"""Records from SEG-Y files: what a writer of its own put there, and what is refused."""

import numpy as np
import pytest

from lawful import BadInput, media

segyio = pytest.importorskip("segyio")


@pytest.fixture
def written(tmp_path):
    """Three traces of 50 samples, 500 microseconds apart, coordinates in centimetres."""
    path = tmp_path / "line.sgy"
    traces = np.random.default_rng(0).normal(size=(3, 50)).astype(np.float32)
    segyio.tools.from_array2D(str(path), traces, dt=500)
    with segyio.open(str(path), "r+", ignore_geometry=True) as file:
        for index in range(3):
            file.header[index].update(
                {
                    segyio.TraceField.SourceGroupScalar: -100,
                    segyio.TraceField.SourceX: 1000,
                    segyio.TraceField.GroupX: 1000 + 250 * index,
                    segyio.TraceField.GroupY: -75,
                }
            )
    return path, traces


def test_traces_come_with_their_interval_and_places(written):
    path, traces = written
    found = media.read_segy(path)
    np.testing.assert_allclose(found.traces, traces, rtol=1e-6)  # files hold IBM floats of 24 bits
    assert found.interval == pytest.approx(5e-4, rel=1e-12)
    np.testing.assert_allclose(found.sources, [[10.0, 0.0]] * 3)
    np.testing.assert_allclose(found.receivers, [[10.0, -0.75], [12.5, -0.75], [15.0, -0.75]])


def test_a_trace_is_a_record(written):
    path, traces = written
    found = media.read_segy(path)
    pulse = np.asarray(media.ricker(found.interval * np.arange(50), 150.0))
    survey = media.Waveforms(media.Tap(), pulse, found.interval, {"far": found.traces[1]})
    np.testing.assert_allclose(survey.observed["far"], traces[1], rtol=1e-6)


def test_what_is_no_such_file_is_refused(tmp_path):
    with pytest.raises(BadInput, match="not found"):
        media.read_segy(tmp_path / "nothing.sgy")
    (tmp_path / "text.sgy").write_text("depth,modulus\n1,2\n")
    with pytest.raises(BadInput, match="could not be read as SEG-Y"):
        media.read_segy(tmp_path / "text.sgy")
