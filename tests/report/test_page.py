"""The page: whole, self-contained, escaped, and true to the record."""

import html
import re
import time
from dataclasses import replace

import numpy as np
import pytest

from html_outline import EVIL, Outline
from lawful._core.estimates import Estimate
from lawful._core.record import FieldPanel, Status
from lawful.report import page, report, write_html


@pytest.fixture(scope="module")
def text(record):
    return page(record)


@pytest.fixture(scope="module")
def shown(text):
    return Outline(text)


def test_every_number_is_text(record, shown):
    for estimate in record.estimates.values():
        assert str(estimate) in shown.said
    for said in ("[0.707, 0.755]", "[9.126, 9.300]e-06", "1.7 %", "-0.830", "+0.410", "3.22 s"):
        assert said in shown.text
    assert "chi2/dof = 0.992 (chi2 = 243.1, dof = 245)" in shown.text
    assert "probe.csv: y: 0.0512, plane.csv: u: 0.00987" in shown.text
    assert "rms 5.48e-05, worst 8.12e-04 at x = 0.1, t = 0.8" in shown.text
    assert "23 steps over 4 stages; last loss 21.3008" in shown.text
    assert "weight of the laws went from 1 to 1e+03" in shown.text


def test_every_sentence_of_the_record_is_there(record, shown):
    sentences = (*record.laws, *record.exact, *record.penalised, *record.observed, *record.notes)
    for sentence in (record.title, record.status.reason, record.method, record.scaling, *sentences):
        assert sentence in shown.text
    assert "lawful 0.1.0, jax 0.10.2" in shown.text


def test_the_page_is_well_formed(shown):
    assert shown.problems == []
    assert shown.tags.count("svg") == 8
    assert shown.tags.count("h1") == shown.tags.count("main") == shown.tags.count("title") == 1


def test_nothing_is_loaded_and_nothing_runs(text, shown):
    without_pictures = re.sub(r'"data:image/png;base64,[^"]*"', "", text)
    assert not re.search(r"https?:|//[a-z]|@import|url\((?!#)", without_pictures, re.IGNORECASE)
    assert not {"script", "iframe", "object", "embed", "img", "form"} & set(shown.tags)
    links = [value for _, name, value in shown.attributes if name in ("href", "src", "xlink:href", "srcset")]
    assert [link for link in links if not link.startswith(("#", "data:"))] == []
    assert [name for _, name, _ in shown.attributes if name.startswith("on")] == []
    policy = next(
        value for tag, name, value in shown.attributes if (tag, name) == ("meta", "content") and "src" in value
    )
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_ids_do_not_collide_and_references_lead_somewhere(shown):
    ids = [value for _, name, value in shown.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    used = [value[1:] for _, name, value in shown.attributes if name == "href" and value.startswith("#")]
    used += [match for _, _, value in shown.attributes for match in re.findall(r"url\(#([^)]*)\)", value or "")]
    assert used
    assert set(used) <= set(ids)


def test_figures_are_text_that_a_screen_reader_can_name(shown):
    labels = [value for tag, name, value in shown.attributes if (tag, name) == ("svg", "aria-label")]
    assert len(labels) == 8
    assert all(labels)
    assert "residual / noise sd" in shown.said
    assert "conductivity" in shown.said


def test_what_the_user_names_never_becomes_markup(record, shown):
    estimates = {EVIL: Estimate(EVIL, 1.5, 0.1), "theta": Estimate("theta", np.array([1.0, 2.0]), np.ones(2))}
    evil = replace(
        record,
        title=EVIL,
        method=EVIL,
        status=Status(True, EVIL),
        estimates=estimates,
        correlation=((EVIL, "b"), np.array([[1.0, 0.5], [0.5, 1.0]])),
        undetermined=(EVIL,),
        noise={EVIL: 0.1},
        exact=(EVIL,),
        penalised=(EVIL,),
        observed=(EVIL,),
        laws=(EVIL,),
        scaling=EVIL,
        fits=tuple(replace(fit, label=EVIL) for fit in record.fits),
        fields=tuple(replace(panel, name=EVIL) for panel in record.fields),
        unknown_fields=(FieldPanel(EVIL, {EVIL: np.linspace(0, 1, 9)}, np.ones(9)),),
        residuals=tuple(replace(panel, law=EVIL) for panel in record.residuals),
        history={
            **record.history,
            f"term: {EVIL}": record.history["loss"],
            f"unknown: {EVIL}": record.history["loss"],
        },
        versions={EVIL: EVIL},
        notes=(EVIL,),
    )
    text = page(evil)
    found = Outline(text)
    assert found.problems == []
    assert "<script" not in text
    assert set(found.tags) == set(shown.tags)
    assert found.tags.count("style") == 1
    assert html.escape("</style></svg>") in text
    assert "\x07" not in text
    assert text.encode()


def test_a_fit_that_did_not_converge_says_so_at_the_top(undetermined):
    text = page(undetermined)
    shown = Outline(text)
    assert 'class="verdict bad"' in text
    assert "✗ Not converged not settled after 16 stages" in shown.text
    assert "take none of them as a result" in shown.text
    assert "The data leave one direction in the unknowns free" in shown.text
    assert "2 ± undetermined" in shown.said
    assert "k * m" in shown.said
    assert "not determined" in shown.said


def test_converged_is_not_green_while_something_is_undetermined(undetermined):
    text = page(replace(undetermined, status=Status(True, "done")))
    assert 'class="verdict bad"' in text
    assert "✓ Converged" in text


def test_a_forward_problem_without_data(forward):
    shown = Outline(page(forward))
    assert shown.problems == []
    assert "Nothing was to be found: all was given." in shown.text
    assert "No data." in shown.text
    assert "How the fit went" not in shown.text
    assert "Unknown fields" not in shown.text
    assert "penalised none" in shown.text
    assert "correlation" not in shown.text.lower()


def test_an_almost_empty_record(forward):
    bare = replace(forward, fields=(), residuals=(), laws=(), exact=(), versions={}, scaling="")
    shown = Outline(page(bare))
    assert shown.problems == []
    assert "svg" not in shown.tags


def test_one_unknown_has_no_correlations(record):
    one = replace(record, estimates={"k": Estimate("k", 1.0, 0.1)}, correlation=(("k",), np.ones((1, 1))))
    assert "Correlations" not in Outline(page(one)).text


def test_a_vector_stands_whole_and_by_entries(record):
    theta = Estimate("theta", np.arange(70.0), np.ones(70))
    shown = Outline(page(replace(record, estimates={"theta": theta})))
    assert str(theta) in shown.said
    assert {"theta[0]", "theta[59]", "10 more entries stand in the line above them all"} <= set(shown.said)
    assert "theta[60]" not in shown.said


def test_many_correlations_are_listed_by_size(record):
    names = tuple(f"a{i}" for i in range(14))
    matrix = np.eye(14)
    matrix[3, 9] = matrix[9, 3] = -0.97
    shown = Outline(page(replace(record, correlation=(names, matrix))))
    assert "The strongest 20 of 91 pairs." in shown.said
    assert "a3 and a9: -0.970" in shown.said


def test_a_typical_page_is_small_quick_and_the_same_each_time(record, text):
    start = time.process_time()
    again = page(record)
    assert time.process_time() - start < 10.0  # on a machine that does other work besides; 1 s on a quiet one
    assert len(text.encode()) < 600_000
    assert again == text


def test_large_fields_and_long_histories_stay_small(record):
    x, y = np.linspace(0, 1, 1001), np.linspace(0, 1, 901)
    count = 50_000
    noise = np.exp(np.random.default_rng(2).standard_normal(count))
    history = {
        "stage": [1.0] * count,
        "step": list(np.arange(count, dtype=float)),
        "weight": [1.0] * count,
        "loss": list(noise),
        "term: law": list(noise / 2),
        "unknown: k": list(noise),
    }
    line = np.linspace(0, 1, 200_000)
    fields = (
        FieldPanel("u", {"x": x, "y": y}, np.sin(40 * x)[:, None] * np.cos(30 * y)),
        FieldPanel("v", {"x": line}, np.sin(900 * line)),
    )
    text = page(replace(record, fields=fields, history=history))
    assert len(text.encode()) < 1_500_000


def test_write_html_writes_whole_files_and_makes_folders(forward, tmp_path):
    bare = replace(forward, fields=(), residuals=())
    place = tmp_path / "deep" / "report.html"
    for record in (replace(bare, title="the first, and longer, title"), bare):
        assert write_html(record, str(place)) == place
        assert place.read_text(encoding="utf-8") == page(record)
    assert [path.name for path in place.parent.iterdir()] == ["report.html"]


def test_report_takes_whatever_has_a_record(forward, tmp_path):
    class Solution:
        def record(self):
            return replace(forward, fields=(), residuals=())

    place = report(Solution(), tmp_path / "report.html")
    assert place.read_text(encoding="utf-8") == page(Solution().record())
