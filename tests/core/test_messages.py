"""Sentences for people: one line, a cure, the nearest name."""

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawful._core.messages import BadInput, listing, nearest


@pytest.mark.parametrize(
    ("names", "text"), [([], "none"), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_listing(names, text):
    assert listing(names) == text
    assert listing(iter(names)) == text


def test_nearest_offers_only_what_is_close():
    assert nearest("temprature", ["pressure", "temperature"]) == "; did you mean 'temperature'?"
    assert nearest("Pressure", ["pressure", "temperature"]) == "; did you mean 'pressure'?"
    assert nearest("T", ["t"]) == "; did you mean 't'?"


@given(st.text(alphabet="abuvx_", max_size=5), st.lists(st.text(alphabet="abuvx_", min_size=1, max_size=5)))
def test_whatever_is_offered_ends_a_sentence(name, known):
    half = nearest(name, known)
    assert half.endswith(("?", "."))
    if not difflib.get_close_matches(name, known, cutoff=0.5):
        assert half == "."


def test_bad_input_is_one_line_whatever_it_quotes():
    class Table:
        def __repr__(self):
            return "   x  u\n0  1  2\n1  3  4"

    assert str(BadInput(f"data must be a list; got {Table()!r}.")) == "data must be a list; got x u 0 1 2 1 3 4."


def test_bad_input_is_a_value_error():
    with pytest.raises(ValueError, match="what"):
        raise BadInput("what")
