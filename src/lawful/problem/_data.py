"""Measured values with their noise."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import equinox as eqx
import numpy as np
from jaxtyping import Float

from .._core.messages import BadInput, listing, shown
from .._core.numbers import real_array


class Data(eqx.Module):
    """Measurements: columns of equal length, named like the axes and the quantities that they observe.

    columns   arrays by name. A column named like an axis is a coordinate; every other one is a measured quantity: a
              field (`u`), a derivative (`u_t`), a derived quantity, or a name given in `observe`.
    noise     standard deviation of the measured values in their own unit: one number, an array with a value for each
              row, or a mapping from column to either. None: it is estimated from the fit, one level for each column.
    observe   for a column that measures a function of the quantities: {"speed": lambda u, v: jnp.hypot(u, v)}.
    name      what messages and reports call this set.

    Raises `BadInput` for columns of different length, NaN, noise that is not positive.
    """

    columns: dict[str, np.ndarray]
    noise: dict[str, np.ndarray | None]
    observe: dict[str, Callable]
    name: str = eqx.field(static=True)

    def __init__(
        self,
        columns: Mapping[str, object],
        *,
        noise: float | np.ndarray | Mapping[str, object] | None = None,
        observe: Mapping[str, Callable] | None = None,
        name: str = "data",
    ):
        if not (hasattr(columns, "keys") and hasattr(columns, "__getitem__")):
            raise BadInput(
                f"{name}: columns come by name, such as lf.Data({{'t': t, 'u': u}}), but got {type(columns).__name__};"
                " lf.Data.read(path) reads a CSV file, lf.Data.from_xarray(dataset) gridded data."
            )
        if not isinstance(observe, Mapping | None):
            raise BadInput(
                f"{name}: observe must be a mapping, such as {{'speed': lambda u: u}}; got {shown(observe)}."
            )
        self.name = name
        self.columns = {str(key): checked_column(name, str(key), columns[key]) for key in columns.keys()}  # noqa: SIM118
        self.observe = dict(observe or {})
        lengths = {key: len(column) for key, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise BadInput(
                f"{name}: columns differ in length ({listing(f'{k} has {n}' for k, n in lengths.items())}); give"
                " one row per measurement."
            )
        if not self.columns or min(lengths.values()) == 0:
            raise BadInput(f"{name} has no rows; give at least one measurement.")
        for key in self.observe:
            if key not in self.columns:
                raise BadInput(
                    f"{name}: observe names '{key}', but there is no such column. Columns: {listing(self.columns)}."
                )
        for key in noise if isinstance(noise, Mapping) else ():
            if key not in self.columns:
                raise BadInput(
                    f"{name}: noise names '{key}', but there is no such column. Columns: {listing(self.columns)}."
                )
        if isinstance(noise, Mapping):
            levels = {k: checked_noise(f"{name}: noise of '{k}'", level, len(self)) for k, level in noise.items()}
        else:
            levels = dict.fromkeys(self.columns, checked_noise(f"{name}: noise", noise, len(self)))
        self.noise = {key: levels.get(key) for key in self.columns}

    @staticmethod
    def read(path: str | os.PathLike, *, columns: Mapping[str, str] | None = None, **settings) -> Data:
        """Measurements from a CSV file with a header line; lines that start with # are comments.

        columns   renames, from the file's names to the problem's: {"time [s]": "t"}; with it, only these are read.
        settings  `noise`, `observe`, `name` as for `Data`.
        """
        file = Path(path)
        if not file.is_file():
            raise BadInput(f"data file {file} does not exist; give the path of a CSV file with a header line.")
        table = csv_columns(file)
        if columns is not None:
            if not isinstance(columns, Mapping):
                raise BadInput(
                    f'{file}: columns must be a mapping from the file\'s names, such as {{"time [s]": "t"}}.'
                )
            missing = [name for name in columns if name not in table]
            if missing:
                raise BadInput(f"{file} has no column {listing(missing)}. Columns: {listing(table)}.")
            if len(set(columns.values())) < len(columns):
                raise BadInput(f"{file}: columns gives two columns the same name ({listing(columns.values())}).")
            table = {new: table[old] for old, new in columns.items()}
        settings.setdefault("name", file.name)
        return Data(table, **settings)

    @staticmethod
    def from_xarray(dataset, **settings) -> Data:
        """Every variable of an xarray Dataset or DataArray on its coordinates; NaN cells are taken as not measured.

        settings  `noise`, `observe`, `name` as for `Data`.

        Raises `BadInput` where variables differ in their axes or in their gaps: one row holds them all.
        """
        import xarray as xr

        if isinstance(dataset, xr.DataArray):
            if dataset.name is None:
                raise BadInput('the DataArray has no name; call it like the field that it measures: array.rename("u").')
            dataset = dataset.to_dataset()
        if not isinstance(dataset, xr.Dataset):
            raise BadInput(f"from_xarray takes an xarray Dataset or DataArray, but got {type(dataset).__name__}.")
        measured = list(dataset.data_vars)
        alone = f"read them one by one, such as lf.Data.from_xarray(dataset[[{shown(next(iter(measured), 'u'))}]])"
        if any(set(dataset[name].dims) != set(dataset.dims) for name in measured):
            raise BadInput(f"the variables {listing(map(str, measured))} differ in their axes; {alone}.")
        if not measured or not dataset.dims:
            raise BadInput("the dataset holds no variable on any axis; give measured values on their coordinates.")
        # Further coordinates, such as names of stations, are not asked for, and may bear the name of an axis.
        table = dataset.reset_coords(drop=True).to_dataframe().reset_index()
        gaps = table[measured].isna().to_numpy()
        if np.any(gaps.any(axis=1) != gaps.all(axis=1)):
            raise BadInput(f"the variables {listing(map(str, measured))} have gaps (NaN) at different places; {alone}.")
        table = table.loc[~gaps.all(axis=1), [*dataset.dims, *measured]]
        return Data({str(key): table[key].to_numpy() for key in table.columns}, **settings)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def rows(self, keep: np.ndarray) -> Data:
        """The rows selected by a boolean mask or an index array."""
        noise = {key: level if level is None or level.ndim == 0 else level[keep] for key, level in self.noise.items()}
        return Data({k: c[keep] for k, c in self.columns.items()}, noise=noise, observe=self.observe, name=self.name)


def csv_columns(file: Path) -> dict[str, np.ndarray]:
    """The columns of a CSV file by the names in its header."""
    import pandas as pd

    try:
        with warnings.catch_warnings():
            # Where rows are longer than the header, columns would be shifted or dropped.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(file, comment="#", skipinitialspace=True, index_col=False)
    except (ValueError, pd.errors.ParserWarning) as error:
        raise BadInput(
            f"{file} cannot be read as CSV: {str(error).strip()}; it needs a header line and one row per measurement."
        ) from None
    names = [str(column).strip() for column in table.columns]
    if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
        raise BadInput(f"{file} separates its columns by semicolons or tabs ('{names[0]}'); save it with commas.")
    if all(is_number(name) for name in names):
        raise BadInput(f"{file} has no header line: it begins with {listing(names)}; add one, such as t,u.")
    return {name: table.iloc[:, place].to_numpy() for place, name in enumerate(names)}


def is_number(text: object) -> bool:
    try:
        float(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True


def checked_column(where: str, name: str, column: object) -> Float[np.ndarray, " n"]:
    try:
        array = np.atleast_1d(real_array(column))
    except TypeError as error:
        odd = [
            (row, item) for row, item in enumerate(np.ravel(np.asarray(column, dtype=object))) if not is_number(item)
        ]
        which = f" ({shown(odd[0][1])} in row {odd[0][0]})" if odd else ""
        cure = "give numbers, such as seconds since the start" if "date" in str(error) else "make every row a number"
        raise BadInput(f"{where}: column '{name}' holds {error}{which}; {cure}, or leave the column out.") from None
    if array.ndim != 1:
        raise BadInput(
            f"{where}: column '{name}' has shape {array.shape}; give one value per row (use lf.Data.from_xarray for"
            " gridded data)."
        )
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        raise BadInput(
            f"{where}: column '{name}' is {array[bad[0]]} in row {bad[0]}"
            f"{f' and {bad.size - 1} more rows' if bad.size > 1 else ''}; remove those rows before the fit."
        )
    return array


def checked_noise(where: str, level: object, count: int) -> np.ndarray | None:
    if level is None:
        return None
    try:
        array = real_array(level)
    except TypeError:
        array = None
    if array is None or isinstance(level, bool):
        raise BadInput(f"{where} must be a number, an array or None, but it is {shown(level)}.")
    if array.shape not in ((), (count,)):
        raise BadInput(f"{where} has shape {array.shape}; give one number, or {count} of them.")
    if not np.all(np.isfinite(array)) or np.any(array <= 0):
        raise BadInput(f"{where} must be positive and finite; leave it out to have it estimated.")
    return array
