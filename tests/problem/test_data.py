"""Measurements: columns, noise, files, grids."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from lawful._core.messages import BadInput
from lawful.problem import Data

T, U = [0.1, 0.2, 0.3], [1.0, 2.0, 3.0]


def test_columns_are_arrays_of_floats():
    data = Data({"t": T, "u": (1, 2, 3)})
    assert len(data) == 3
    assert {name: column.dtype for name, column in data.columns.items()} == {"t": np.float64, "u": np.float64}
    assert data.noise == {"t": None, "u": None}
    assert len(Data({"t": 0.5, "u": 2.0})) == 1


def test_a_table_is_a_set_of_columns():
    data = Data(pd.DataFrame({"t": T, "u": U}), noise=0.1)
    np.testing.assert_array_equal(data.columns["u"], U)


def test_noise_for_all_or_for_each():
    each = np.array([0.1, 0.2, 0.3])
    assert Data({"t": T, "u": U}, noise=0.5).noise["u"] == 0.5
    np.testing.assert_array_equal(Data({"t": T, "u": U}, noise=each).noise["u"], each)
    mixed = Data({"t": T, "u": U, "v": U, "w": U}, noise={"u": 0.1, "v": each}).noise
    assert mixed["u"] == 0.1
    np.testing.assert_array_equal(mixed["v"], each)
    assert mixed["w"] is None


@pytest.mark.parametrize("keep", [np.array([True, False, True]), np.array([2, 0])])
def test_rows_are_selected_with_their_noise(keep):
    data = Data({"t": T, "u": U, "v": U}, noise={"u": [0.1, 0.2, 0.3], "v": 2.0}, observe={"v": lambda u: u}, name="a")
    part = data.rows(keep)
    np.testing.assert_array_equal(part.columns["u"], np.array(U)[keep])
    np.testing.assert_array_equal(part.noise["u"], np.array([0.1, 0.2, 0.3])[keep])
    assert part.noise["v"] == 2.0
    assert part.noise["t"] is None
    assert (part.name, list(part.observe)) == ("a", ["v"])


@pytest.mark.parametrize(
    ("columns", "settings", "words"),
    [
        ({"t": T, "u": [1, 2]}, {}, r"columns differ in length \(t has 3 and u has 2\)"),
        ({}, {}, "no rows"),
        ({"t": [], "u": []}, {}, "no rows"),
        ({"t": T, "u": [1, np.nan, 3]}, {}, "column 'u' is nan in row 1; remove"),
        ({"t": T, "u": [np.nan, 2, np.inf]}, {}, "nan in row 0 and 1 more rows"),
        ({"t": T, "u": [1, None, 3]}, {}, "column 'u' is nan in row 1"),
        ({"t": T, "u": np.ma.array(U, mask=[0, 0, 1])}, {}, "column 'u' is nan in row 2"),
        ({"t": T, "u": ["1", "2", "x"]}, {}, r"column 'u' holds text \('x' in row 2\); make every row a number"),
        ({"t": T, "u": ["1", "2", "3"]}, {}, "column 'u' holds text; make every row a number"),
        ({"t": T, "u": np.array([1, 2j, 3])}, {}, "column 'u' holds complex numbers"),
        ({"t": np.array(["2024-01-01"] * 3, "datetime64[s]"), "u": U}, {}, "holds dates.*seconds since the start"),
        ({"t": T, "u": np.ones((3, 2))}, {}, r"shape \(3, 2\); give one value per row"),
        ({"t": T, "u": U}, {"noise": 0.0}, "positive and finite; leave it out"),
        ({"t": T, "u": U}, {"noise": -1.0}, "positive and finite"),
        ({"t": T, "u": U}, {"noise": [0.1, 0.0, 0.1]}, "positive and finite"),
        ({"t": T, "u": U}, {"noise": np.inf}, "positive and finite"),
        ({"t": T, "u": U}, {"noise": [0.1, 0.2]}, r"has shape \(2,\); give one number, or 3 of them"),
        ({"t": T, "u": U}, {"noise": "auto"}, "must be a number, an array or None, but it is 'auto'"),
        ({"t": T, "u": U}, {"noise": True}, "must be a number"),
        ({"t": T, "u": U}, {"noise": {"v": 0.1}}, "noise names 'v'.*Columns: t and u"),
        ({"t": T, "u": U}, {"observe": {"v": lambda u: u}}, "observe names 'v'.*Columns: t and u"),
        ({"t": T, "u": U}, {"observe": lambda u: u}, "observe must be a mapping"),
        ("probe.csv", {}, r"columns come by name.*Data\.read"),
        (np.ones((3, 2)), {}, "columns come by name"),
        ([T, U], {}, "columns come by name"),
        (None, {}, "columns come by name"),
    ],
)
def test_what_are_no_measurements_is_refused(columns, settings, words):
    with pytest.raises(BadInput, match=words):
        Data(columns, **settings)


def csv(folder, text, name="probe.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_csv_file_with_comments_and_spaces(tmp_path):
    path = csv(tmp_path, "# probe 7, 2024\n time [s], temperature , extra\n0.0, 20.5, 1\n1.5, 30.25, 2\n")
    data = Data.read(path, columns={"time [s]": "t", "temperature": "T"}, noise=0.5)
    assert list(data.columns) == ["t", "T"]
    np.testing.assert_array_equal(data.columns["t"], [0, 1.5])
    np.testing.assert_array_equal(data.columns["T"], [20.5, 30.25])
    assert data.name == "probe.csv"
    assert list(Data.read(path).columns) == ["time [s]", "temperature", "extra"]
    assert Data.read(path, name="mine").name == "mine"


@pytest.mark.parametrize(
    ("text", "settings", "words"),
    [
        ("t,u\n0,1\n1,\n", {}, r"probe\.csv: column 'u' is nan in row 1; remove"),
        ("t,u\n0,1\n1,oops\n", {}, r"column 'u' holds text \('oops' in row 1\)"),
        ("t;u\n0;1\n", {}, "separates its columns by semicolons or tabs"),
        ("t\tu\n0\t1\n", {}, "semicolons or tabs"),
        ("0.0,1.0\n1.0,2.0\n", {}, "no header line: it begins with 0.0 and 1.0; add one"),
        ("t,u\n0,1,5\n1,2,6\n", {}, "cannot be read as CSV"),
        ("t,u\n0,1\n1,2,3\n", {}, "cannot be read as CSV"),
        ("", {}, "cannot be read as CSV"),
        ("t,u\n", {}, "no rows"),
        (b"t,u\n\xff\xfe,1\n", {}, "cannot be read as CSV"),
        ("t,u\n0,1\n", {"columns": {"T": "t"}}, "has no column T. Columns: t and u"),
        ("t,u\n0,1\n", {"columns": {"t": "u", "u": "u"}}, "two columns the same name"),
        ("t,u\n0,1\n", {"columns": ["t", "u"]}, "columns must be a mapping"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, text, settings, words):
    with pytest.raises(BadInput, match=words) as caught:
        Data.read(csv(tmp_path, text), **settings)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"none\.csv does not exist; give the path"):
        Data.read(tmp_path / "none.csv")
    with pytest.raises(BadInput, match="does not exist"):
        Data.read(tmp_path)


GRID = xr.Dataset(
    {"u": (("x", "t"), [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])},
    coords={"x": [0.0, 1.0], "t": [0.1, 0.2, 0.3], "height": ("x", [7.0, 8.0])},
)


def test_a_grid_becomes_rows():
    data = Data.from_xarray(GRID, noise=0.1, name="grid")
    rows = sorted(zip(*(data.columns[name].tolist() for name in ("x", "t", "u")), strict=True))
    assert rows == [(0, 0.1, 1), (0, 0.2, 2), (0, 0.3, 3), (1, 0.1, 4), (1, 0.2, 5), (1, 0.3, 6)]
    assert set(data.columns) == {"x", "t", "u"}
    assert (data.name, data.noise["u"]) == ("grid", 0.1)
    again = Data.from_xarray(GRID["u"])
    np.testing.assert_array_equal(again.columns["u"], data.columns["u"])


def test_cells_that_were_not_measured_are_left_out():
    data = Data.from_xarray(GRID.where(GRID["u"] != 5))
    assert sorted(data.columns["u"]) == [1, 2, 3, 4, 6]


def test_a_variable_called_name_does_not_confuse():
    data = Data.from_xarray(GRID.rename(u="name"))
    assert set(data.columns) == {"x", "t", "name"}


@pytest.mark.parametrize(
    ("dataset", "words"),
    [
        (xr.DataArray([1.0, 2.0], dims="t"), r"has no name.*array\.rename"),
        (GRID.assign(v=GRID["u"].where(GRID["u"] > 2)), r"u and v have gaps \(NaN\) at different places.*one by one"),
        (GRID.assign(c=("x", [1.0, 2.0])), r"u and c differ in their axes.*one by one"),
        (xr.Dataset(), "no variable on any axis"),
        (xr.Dataset({"u": 3.0}), "no variable on any axis"),
        (pd.DataFrame({"t": T, "u": U}), "Dataset or DataArray, but got DataFrame"),
        (GRID.assign_coords(t=np.array(["2024-01-01", "2024-01-02", "2024-01-03"], "datetime64[ns]")), "holds dates"),
        (GRID * np.nan, "no rows"),
    ],
)
def test_a_grid_that_would_lose_or_invent_rows_is_refused(dataset, words):
    with pytest.raises(BadInput, match=words):
        Data.from_xarray(dataset)
