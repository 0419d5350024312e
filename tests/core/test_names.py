"""Names in signatures: what `u_x` means, whoever writes it, and what is refused."""

import functools

import jax.numpy as jnp
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lawful._core.messages import BadInput
from lawful._core.names import Symbol, Vocabulary, arguments, declare, join_derivative, split_axes

SPACE_TIME = Vocabulary(axes=("x", "t"), differentiable=("u", "v"), plain=("nu", "k"))


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("u", Symbol("u")),
        ("nu", Symbol("nu")),
        ("x", Symbol("x")),
        ("u_x", Symbol("u", ("x",))),
        ("u_t", Symbol("u", ("t",))),
        ("u_tt", Symbol("u", ("t", "t"))),
        ("u_xt", Symbol("u", ("t", "x"))),
        ("u_tx", Symbol("u", ("t", "x"))),
        ("u_x_t", Symbol("u", ("t", "x"))),
        ("v_xxxx", Symbol("v", ("x",) * 4)),
    ],
)
def test_fields_and_their_derivatives(name, symbol):
    assert SPACE_TIME.resolve(name, "law") == symbol


def test_the_order_of_the_axes_does_not_matter():
    plane = Vocabulary(("x", "y"), ("v",))
    assert plane.resolve("v_xy", "law") == plane.resolve("v_yx", "law") == Symbol("v", ("x", "y"))


@pytest.mark.parametrize(
    ("name", "partial"),
    [
        ("T_depth", ("depth",)),
        ("T_depth_depth", ("depth", "depth")),
        ("T_t", ("t",)),
        ("T_depth_t", ("depth", "t")),
        ("T_t_depth", ("depth", "t")),
        ("T_tt_depth", ("depth", "t", "t")),
    ],
)
def test_axes_with_longer_names_take_an_underscore_each(name, partial):
    assert Vocabulary(("depth", "t"), ("T",)).resolve(name, "law") == Symbol("T", partial)


def test_axes_whose_names_hold_underscores():
    vocabulary = Vocabulary(("x_1", "x_2", "x"), ("u",))
    assert vocabulary.resolve("u_x_1", "law") == Symbol("u", ("x_1",))
    assert vocabulary.resolve("u_x_2_x_1", "law") == Symbol("u", ("x_1", "x_2"))
    assert vocabulary.resolve("u_x_x_1", "law") == Symbol("u", ("x", "x_1"))


def test_a_declared_name_always_means_itself():
    vocabulary = Vocabulary(axes=("x", "t"), differentiable=("u", "u_x", "u_t"), plain=("u_xx", "x_t"))
    assert vocabulary.resolve("u_x", "law") == Symbol("u_x")
    assert vocabulary.resolve("u_xx", "law") == Symbol("u_xx")
    assert vocabulary.resolve("x_t", "law") == Symbol("x_t")
    # The field called u_x has derivatives of its own; the longest declared beginning is the one that is meant.
    assert vocabulary.resolve("u_x_x", "law") == Symbol("u_x", ("x",))
    assert vocabulary.resolve("u_xt", "law") == Symbol("u", ("t", "x"))


@pytest.mark.parametrize("name", ["w", "u_", "u_z", "u_x_", "u__x", "ux", "nu_x", "x_t", "u_xz", "U"])
def test_anything_else_is_refused(name):
    with pytest.raises(BadInput, match=f"law 'heat' uses '{name}'") as caught:
        SPACE_TIME.resolve(name, "law 'heat'")
    text = str(caught.value)
    assert "Known names: u, v, nu, k, x and t" in text
    assert "field Known" not in text  # a sentence ends before the next begins


@pytest.mark.parametrize(
    ("wrong", "meant"), [("u_xs", "u_x"), ("U", "u"), ("Nu", "nu"), ("u_z", "u_x"), ("u_T", "u_t")]
)
def test_the_nearest_name_is_offered(wrong, meant):
    with pytest.raises(BadInput, match=f"did you mean '{meant}'\\?"):
        SPACE_TIME.resolve(wrong, "law")


def test_without_axes_of_one_letter_the_example_is_still_right():
    with pytest.raises(BadInput, match="derivatives like 'T_depth'"):
        Vocabulary(("depth",), ("T",)).resolve("q", "law")


AXES = st.lists(
    st.sampled_from(["x", "y", "t", "depth", "time", "x_1", "theta_2", "xy", "phi"]),
    min_size=1,
    max_size=4,
    unique=True,
)


@given(AXES, st.sampled_from(["u", "T_air", "u_x", "v2", "flux"]), st.data())
def test_a_derivative_is_spelled_and_read_alike(axes, base, data):
    axes = tuple(axes)
    partial = tuple(sorted(data.draw(st.lists(st.sampled_from(axes), max_size=4))))
    vocabulary = Vocabulary(axes, ("u", base) if base != "u" else ("u",))
    name = join_derivative(base, partial, axes)
    assume(not partial or name not in vocabulary.declared)
    assert name.isidentifier()
    assert vocabulary.resolve(name, "law") == Symbol(base, partial)


def test_an_axis_called_like_two_others_keeps_its_name():
    axes = ("x", "y", "xy")
    assert Vocabulary(axes, ("u",)).resolve("u_xy", "law") == Symbol("u", ("xy",))
    assert join_derivative("u", ("x", "y"), axes) == "u_x_y"
    assert join_derivative("u", ("x", "y"), ("x", "y")) == "u_xy"


@pytest.mark.parametrize("suffix", ["", "_", "x_", "_x", "x__t", "q", "xq", "depthx"])
def test_a_suffix_that_spells_no_axes(suffix):
    assert split_axes(suffix, ("x", "t", "depth")) is None


def test_arguments_are_read_from_any_kind_of_function():
    class Law:
        def __call__(self, u, u_x):
            return u + u_x

    def keyword_only(*, u, k):
        return u * k

    step = 3
    assert arguments(lambda u, u_x: u, "law") == ("u", "u_x")
    assert arguments(keyword_only, "law") == ("u", "k")
    assert arguments(Law(), "law") == ("u", "u_x")
    assert arguments(lambda u, step=step: u * step, "law") == ("u",)
    assert arguments(functools.partial(lambda u, k: u * k, k=2.0), "law") == ("u",)
    assert arguments(lambda: 2.0, "value") == ()


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda *quantities: 0.0, r"takes \*quantities; write out the names"),
        (lambda u, **others: 0.0, r"takes \*\*others; write out the names"),
        (lambda u, /, x: 0.0, "'u' is positional-only"),
        (jnp.sin, "positional-only"),
        (min, "signature cannot be read; wrap it as"),
        ("u_t + u", "must be a function of named quantities, but it is str"),
        (3.0, "but it is float 3.0"),
        (None, "must be a function"),
    ],
)
def test_a_signature_without_names_is_refused(function, words):
    with pytest.raises(BadInput, match="law 'a'.*" + words):
        arguments(function, "law 'a'")


def test_symbols_of_a_whole_signature():
    symbols = SPACE_TIME.resolve_all(lambda u, u_xx, nu, t: 0.0, "law")
    assert symbols == {"u": Symbol("u"), "u_xx": Symbol("u", ("x", "x")), "nu": Symbol("nu"), "t": Symbol("t")}


@pytest.mark.parametrize("law", [lambda u, nu=0.1: u * nu, functools.partial(lambda u, k: u * k, k=2.0)])
def test_a_default_must_not_hide_a_declared_quantity(law):
    """Called by name with what is not given left out, the default would win over the constant in silence."""
    with pytest.raises(BadInput, match=r"default.*drop"):
        SPACE_TIME.resolve_all(law, "law 'heat'")


@pytest.mark.parametrize("name", ["2u", "u x", "u-v", "", "lambda", "_u", "class", 3, None, "u.x"])
def test_a_name_that_python_cannot_spell_is_refused(name):
    with pytest.raises(BadInput, match="cannot be an argument of a function"):
        declare({name: "field"})


@given(st.from_regex(r"[a-zA-Zα-ω][a-zA-Z0-9_]{0,6}", fullmatch=True))
def test_every_other_name_is_allowed(name):
    import keyword

    assume(not keyword.iskeyword(name))
    declare({name: "field"})
