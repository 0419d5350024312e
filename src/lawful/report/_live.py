"""A run as it stands now, as HTML: what it says of itself, its estimates so far, its loss, where its laws are unmet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._core.estimates import Estimate
from .._core.messages import BadInput
from .._core.record import ResidualPanel, Status
from ._css import STYLE
from ._figure_sections import drawn, gallery, residuals
from ._history import history_figure, unknowns_figure
from ._html import verdict
from ._markup import Markup, element, joined
from ._sentences import components, duration

SILENT = 60.0  # seconds without news after which a reader is told
ENTRIES = 60  # of the table of estimates
MOST_MAPS = 6


@dataclass(frozen=True)
class Standing:
    """A run as its folder tells it. `state` is preparing, running, stopped or finished; `status` is known in the last
    case only; `estimates` have sd None where no error bar is known yet; `age` is in seconds since the last news."""

    state: str
    method: str
    reason: str
    seconds: float
    age: float
    status: Status | None
    estimates: Mapping[str, tuple[Any, Any]]
    bars_of_stage: int | None
    history: Mapping[str, Sequence[float]]
    residuals: tuple[ResidualPanel, ...]
    stage: int
    step: int
    limit: int


def standing(record: Any, age: float) -> Standing:
    """A run from what `live.json` holds; raises `BadInput` where that is not what a run writes."""
    try:
        if record["format"] != 1 or record["state"] not in ("preparing", "running", "stopped", "finished"):
            raise ValueError("another format")
        done = record["state"] == "finished"
        history = {str(name): numbers(column) for name, column in record["history"].items()}
        if len({column.size for column in history.values()}) > 1 or any(
            column.ndim != 1 for column in history.values()
        ):
            raise ValueError("columns of unequal length")
        return Standing(
            state=record["state"],
            method=str(record["method"]),
            reason=str(record.get("reason", "")),
            seconds=float(record["seconds"]),
            age=max(age, 0.0),
            status=Status(bool(record["converged"]), str(record["reason"])) if done else None,
            estimates={str(n): (e["value"], e.get("sd", "unknown")) for n, e in record["estimates"].items()},
            bars_of_stage=None if record.get("bars_of_stage") is None else int(record["bars_of_stage"]),
            history={name: column.tolist() for name, column in history.items()},
            residuals=tuple(panel(each) for each in record.get("residuals", [])[:MOST_MAPS]),
            stage=int(record.get("stage", 0)),
            step=int(record.get("step", 0)),
            limit=int(record.get("limit", 0)),
        )
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise BadInput(
            f"what the run has written is not what lawful writes ({type(error).__name__}: {error})."
        ) from None


def numbers(values: Any) -> np.ndarray:
    """Numbers from JSON, where null stands for what is not finite."""
    return np.asarray(values, dtype=float)  # None becomes NaN


def panel(told: Mapping) -> ResidualPanel:
    grid = {str(axis): numbers(line) for axis, line in told["grid"].items()}
    values = numbers(told["values"])
    if values.shape != tuple(line.size for line in grid.values()) or not 1 <= values.ndim <= 2:
        raise ValueError("a map that does not fit its axes")
    return ResidualPanel(str(told["law"]), grid, values, one_scale=bool(np.isnan(values).any()))


def live_body(run: Standing) -> Markup:
    """Everything of the page that changes while the run goes on."""
    sections = {
        "Estimates": estimates_so_far(run),
        "How the fit goes": course(run),
        "Where the laws are unmet": residuals(run.residuals),
    }
    parts = [element("section", element("h2", name), body) for name, body in sections.items() if body]
    return joined([state(run), *parts])


def state(run: Standing) -> Markup:
    """Running, stopped, or the verdict."""
    if run.status is not None:
        return joined([verdict(run.status), element("p", f"{run.method}, {duration(run.seconds)}", class_="soft")])
    where = f"stage {run.stage}, step {run.step} of at most {run.limit}" if run.step else ""
    lines = [element("strong", run.state.capitalize())]
    lines += [element("p", line) for line in (run.reason, where) if line]
    if run.state != "stopped" and run.age > SILENT:
        said = f"No news for {duration(run.age)}: it compiles, or it was killed; a killed run goes on with --resume."
        lines.append(element("p", said))
    shown = element("div", *lines, class_="verdict bad" if run.state == "stopped" else "verdict")
    return joined([shown, element("p", f"{run.method}, {duration(run.seconds)} so far", class_="soft")])


def estimates_so_far(run: Standing) -> Markup:
    """A row for each number that is sought."""
    rows = [row for name, (value, sd) in run.estimates.items() for row in estimate_rows(name, value, sd)]
    if not rows:
        return Markup("")
    head = element("tr", *[element("th", cell, scope="col") for cell in ("unknown", "value ± sd")])
    table = element("table", element("thead", head), element("tbody", *rows[:ENTRIES]))
    about = []
    if run.status is None and run.bars_of_stage is not None:
        about = [
            f"Error bars from the slopes of stage {run.bars_of_stage}: to be read once the values have come to rest."
        ]
    return joined([element("div", table, class_="scroll"), *[element("p", line, class_="soft") for line in about]])


def estimate_rows(name: str, value: Any, sd: Any) -> list[Markup]:
    values = numbers(value)
    if isinstance(sd, str):
        shown = [f"{number:.6g}, no error bar yet" for number in np.ravel(values)]
        labels = [name] if values.ndim == 0 else [f"{name}[{', '.join(map(str, i))}]" for i in np.ndindex(values.shape)]
    else:
        bars = np.where(np.isnan(numbers(sd)), math.inf, numbers(sd))
        whole = Estimate(name, float(values) if values.ndim == 0 else values, float(bars) if bars.ndim == 0 else bars)
        labels, parts = zip(*components(name, whole), strict=True)
        shown = [str(part) for part in parts]
    return [
        element("tr", element("th", label, scope="row"), element("td", text, class_="number"))
        for label, text in zip(labels, shown, strict=True)
    ]


def course(run: Standing) -> Markup:
    """The loss by its terms, and the unknowns, over the steps."""
    table = run.history
    if not len(table.get("step", ())):
        return Markup("")
    last = {name.removeprefix("term: "): table[name][-1] for name in table if name.startswith("term: ")}
    said = ", ".join(f"{name} {value:.4g}" for name, value in last.items())
    shown = [drawn(history_figure(table)[0], "history", "Loss", f"{table['loss'][-1]:.6g} now: {said}.")]
    if any(name.startswith("unknown: ") for name in table):
        shown.append(drawn(unknowns_figure(table)[0], "unknowns", "Unknowns", "over the steps."))
    return gallery(shown)


def live_page(title: str, body: Markup, script: str) -> str:
    """The page around what changes; `script` is where its one script lies, on the same server."""
    head = element(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<link rel="icon" href="data:,">'),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    main = element("main", element("h1", title), element("div", body, id="now"), element("p", id="link", class_="soft"))
    return f'<!DOCTYPE html>\n<html lang="en">{head}{element("body", main, element("script", src=script))}</html>\n'
