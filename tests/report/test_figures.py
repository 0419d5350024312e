"""Figures: what they show, in which unit, and that they leave the user's settings alone."""

import io
import subprocess
import sys
from dataclasses import replace

import matplotlib
import numpy as np
import pytest

from lawful._core.messages import BadInput
from lawful._core.record import FieldPanel, FitPanel, ResidualPanel
from lawful.report import field_figure, fit_figure, history_figure, residual_figure, unknowns_figure
from lawful.report._lettering import lettered, power
from lawful.report._maps import slice_through
from lawful.report._thinning import coarser, kept


def saved(fig, format="svg"):
    buffer = io.BytesIO()
    fig.savefig(buffer, format=format)
    return buffer.getvalue()


def words(fig):
    """Everything that a figure says, once it is drawn."""
    saved(fig, "png")
    return [text.get_text() for text in fig.findobj(matplotlib.text.Text) if text.get_visible()]


def line_of(ax, label):
    return next(line for line in ax.lines if line.get_label() == label)


def test_a_fit_on_one_axis_shows_points_curve_and_residuals_in_units_of_noise(line_fit):
    fig, ax = fit_figure(line_fit)
    upper, lower = fig.axes
    assert ax is upper
    assert np.array_equal(line_of(upper, "predicted").get_xydata(), np.column_stack(line_fit.curve))
    residuals = (line_fit.measured - line_fit.predicted) / line_fit.sd
    assert np.allclose(lower.lines[-1].get_ydata(), residuals, rtol=1e-14, atol=0)
    outside = int(np.sum(np.abs(residuals) > 2))
    assert f"outside ±2: {outside} of 48, about 2.2 expected" in words(fig)
    assert {"probe.csv: y", "t", "residual\n/ noise sd"} <= set(words(fig))


def test_error_bars_are_one_standard_deviation(line_fit):
    _, ax = fit_figure(line_fit)
    (bars,) = ax.collections
    heights = [np.ptp(segment[:, 1]) for segment in bars.get_segments()]
    assert np.allclose(heights, 2 * line_fit.sd, rtol=1e-12, atol=0)


def test_without_a_curve_the_predictions_are_marks(line_fit):
    _, ax = fit_figure(replace(line_fit, curve=None))
    marks = line_of(ax, "predicted")
    assert (marks.get_linestyle(), marks.get_marker()) == ("None", "x")
    assert np.array_equal(marks.get_ydata(), line_fit.predicted)


@pytest.mark.parametrize("noise", [0.0, np.inf])
def test_without_a_scale_of_noise_residuals_say_that_they_are_in_the_unit_of_the_data(line_fit, noise):
    fig, _ = fit_figure(replace(line_fit, sd=np.full(48, noise)))
    left = line_fit.measured - line_fit.predicted
    assert np.array_equal(fig.axes[1].lines[-1].get_ydata(), left)
    assert "measured\n− predicted" in words(fig)


def test_a_fit_on_two_axes_shows_scatter_and_residuals_in_the_plane(plane_fit):
    fig, ax = fit_figure(plane_fit)
    spots = fig.axes[1].collections[0]
    assert np.allclose(spots.get_array(), (plane_fit.measured - plane_fit.predicted) / 0.01, rtol=1e-12, atol=0)
    assert np.array_equal(spots.get_offsets(), np.column_stack([plane_fit.points["x"], plane_fit.points["t"]]))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "measured")
    low, high = spots.get_clim()
    assert low == -high


def test_a_coordinate_can_be_chosen_and_an_unknown_one_is_refused(plane_fit):
    fig, _ = fit_figure(plane_fit, "t")
    assert fig.axes[1].get_xlabel() == "t"
    with pytest.raises(BadInput, match=r"has no coordinate 'tt'; did you mean 't'\? Coordinates: x and t"):
        fit_figure(plane_fit, "tt")


def test_values_over_decades_have_logarithmic_axes():
    t = np.geomspace(1e-4, 1e2, 40)
    values = 1e-9 * np.exp(-t / 10) / np.sqrt(t)
    fig, ax = fit_figure(FitPanel("c", {"t": t}, values, values, 0.05 * values, (t, values)))
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert "10⁻⁸" in words(fig)


def test_tiny_values_are_labelled_with_their_power_of_ten():
    x = np.linspace(0, 1, 50)
    fig, _ = field_figure(FieldPanel("u", {"x": x}, 3e-9 * np.sin(6 * x)))
    assert "1e−9" in words(fig)


def test_many_points_are_drawn_as_a_picture():
    t = np.linspace(0, 1, 20_000)
    fig, _ = fit_figure(FitPanel("y", {"t": t}, np.sin(t), np.sin(t), np.full(t.size, 0.1), (t, np.sin(t))))
    drawing = saved(fig)
    assert b"data:image/png;base64" in drawing
    assert len(drawing) < 300_000


def test_a_field_on_one_axis_has_a_band_of_two_standard_deviations(unknown_field):
    fig, ax = field_figure(unknown_field)
    (band,) = ax.collections
    corners = band.get_paths()[0].vertices[:, 1]
    assert corners.max() == pytest.approx(np.max(unknown_field.values + 2 * unknown_field.sd), rel=1e-12)
    assert np.array_equal(line_of(ax, "found").get_ydata(), unknown_field.values)
    assert {"conductivity", "z"} <= set(words(fig))


def test_what_the_data_do_not_determine_is_shaded():
    x = np.linspace(0, 1, 50)
    fig, _ = field_figure(FieldPanel("k", {"x": x}, 1 + x, np.where(x > 0.5, np.inf, 0.1)))
    assert "undetermined" in words(fig)


def test_a_far_wider_band_says_that_it_reaches_out_of_the_frame():
    x = np.linspace(0, 1, 50)
    fig, ax = field_figure(FieldPanel("k", {"x": x}, 1 + x, np.where(x > 0.9, 1e6, 0.1)))
    assert ax.get_ylim()[1] < 10
    assert "the band reaches beyond this frame" in words(fig)


def test_a_field_on_two_axes_is_a_map_with_the_first_axis_across(plane_field):
    fig, ax = field_figure(plane_field)
    (picture,) = ax.images
    assert np.array_equal(picture.get_array(), plane_field.values.T)
    left, right, bottom, top = picture.get_extent()
    # The middle of the first and last pixel are the ends of the grid.
    assert (left + 0.01, right - 0.01) == pytest.approx((-1, 1), abs=1e-12)
    assert (bottom + 0.5 / 90, top - 0.5 / 90) == pytest.approx((0, 1), abs=1e-12)
    assert picture.origin == "lower"
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title("left")) == ("x", "t", "u")
    assert len(fig.axes) == 2, "a map needs its colour bar"
    assert picture.norm.vmin == -picture.norm.vmax, "white is zero for a field of both signs"


def test_an_uneven_grid_is_drawn_cell_by_cell():
    x, y = np.cos(np.linspace(np.pi, 0, 60)), np.linspace(0, 1, 50)
    _, ax = field_figure(FieldPanel("u", {"x": x, "y": y}, x[:, None] * y))
    assert not ax.images
    assert len(ax.collections) == 1


def test_a_map_with_a_band_has_a_second_map(plane_field):
    fig, _ = field_figure(replace(plane_field, sd=np.full(plane_field.values.shape, 0.1)))
    assert "sd of u" in words(fig)


def test_a_field_on_three_axes_is_cut_and_says_where():
    x, y, z = np.linspace(0, 1, 50), np.linspace(0, 1, 45), np.linspace(0, 2, 41)
    values = x[:, None, None] + y[:, None] + z
    _, ax = field_figure(FieldPanel("u", {"x": x, "y": y, "z": z}, values))
    assert ax.get_title("left") == "u at z = 1"
    assert np.array_equal(ax.images[0].get_array(), values[:, :, 20].T)


def test_an_axis_with_one_place_is_no_axis_of_the_map():
    names, cut, said = slice_through({"x": np.zeros(1), "y": np.arange(3.0), "t": np.arange(4.0)}, (0, 1, 2))
    assert (names, cut, said) == (("y", "t"), (0, slice(None), slice(None)), " at x = 0")


def test_a_residual_is_shown_by_size_with_its_worst_place_marked(line_residual):
    fig, ax = residual_figure(line_residual)
    assert ax.get_yscale() == "log"
    worst = line_of(ax, f"worst {line_residual.worst:.1e}")
    assert worst.get_xydata()[0] == pytest.approx([line_residual.where["t"], line_residual.worst], rel=1e-12)
    assert {"motion", "t", "|residual| / size of terms"} <= set(words(fig))


def test_a_residual_map_is_logarithmic_with_its_worst_place_marked(plane_residual):
    fig, ax = residual_figure(plane_residual)
    picture = ax.images[0]
    assert picture.norm.vmax == plane_residual.worst
    assert np.max(picture.get_array()) == plane_residual.worst
    place = plane_residual.where
    assert all(np.array_equal(ring.get_xydata(), [[place["x"], place["t"]]]) for ring in ax.lines)
    assert any(text.startswith("10⁻") for text in words(fig))


def test_a_residual_on_three_axes_is_cut_through_the_worst_place():
    rng = np.random.default_rng(1)
    grid = {"x": np.linspace(0, 1, 12), "y": np.linspace(0, 1, 11), "z": np.linspace(0, 1, 10)}
    panel = ResidualPanel("flow", grid, 1e-3 * rng.standard_normal((12, 11, 10)))
    _, ax = residual_figure(panel)
    assert ax.get_title("left") == f"flow at z = {panel.where['z']:.4g}"
    assert np.max(ax.collections[0].get_array()) == panel.worst


@pytest.mark.parametrize(("values", "said"), [(0.0, "the residual is zero everywhere"), (np.nan, "no finite residual")])
def test_a_residual_that_has_no_size_is_said_in_words(values, said):
    fig, _ = residual_figure(ResidualPanel("law", {"x": np.linspace(0, 1, 9)}, np.full(9, values)))
    assert f"law: {said}" in words(fig)


def test_the_history_counts_steps_through_the_stages_and_breaks_between_them(record):
    fig, ax = history_figure(record.history)
    drawn = [line for line in ax.lines if line.get_label() == "loss" or line.get_linewidth() > 4]
    assert [len(line.get_xdata()) for line in drawn] == [15, 4, 4, 4]
    assert [line.get_xdata()[0] for line in drawn] == [0, 14, 17, 20]
    assert np.array_equal(np.concatenate([line.get_ydata() for line in drawn]), record.history["loss"])
    assert ax.get_yscale() == "log"
    assert {"loss", "law motion", "data y", "stage 1", "2", "4"} <= set(words(fig))
    assert np.all(ax.get_xticks() % 1 == 0)


def test_a_count_that_goes_on_through_the_stages_is_not_added_up():
    history = {"stage": [1.0, 1.0, 2.0, 2.0], "step": [1.0, 2.0, 3.0, 4.0], "loss": [4.0, 3.0, 2.0, 1.0]}
    _, ax = history_figure(history)
    assert np.array_equal(np.concatenate([line.get_xdata() for line in ax.lines]), [1, 2, 3, 4])


def test_a_history_with_what_is_not_finite_or_zero_is_drawn():
    history = {"stage": [1.0] * 4, "step": [0.0, 1.0, 2.0, 3.0], "loss": [1.0, np.nan, np.inf, 1e-3]}
    fig, _ = history_figure(history | {"term: prior": [0.0] * 4})
    assert saved(fig)


def test_unknowns_have_a_frame_each(record):
    fig, _ = unknowns_figure(record.history)
    frames = [ax for ax in fig.axes if ax.get_visible()]
    assert [ax.get_title("left") for ax in frames] == ["decay", "nu", "pull"]
    shown = np.concatenate([line.get_ydata() for line in frames[1].lines])
    assert np.array_equal(shown, record.history["unknown: nu"])


def test_an_empty_history_is_refused():
    with pytest.raises(BadInput, match="history is empty"):
        history_figure({})
    with pytest.raises(BadInput, match="no column 'unknown: "):
        unknowns_figure({"stage": [1.0], "step": [1.0], "loss": [2.0]})


def test_settings_of_the_user_are_left_alone(line_fit, plane_field):
    with matplotlib.rc_context({"font.size": 31.0, "figure.facecolor": "black"}):
        before = dict(matplotlib.rcParams)
        fig, _ = fit_figure(line_fit)
        field_figure(plane_field)
        assert dict(matplotlib.rcParams) == before
    assert fig.get_facecolor()[:3] == (1.0, 1.0, 1.0), "the figure has its own look"


def test_no_window_system_is_touched():
    program = """
import io, sys
import numpy as np
from lawful.report import field_figure
assert "matplotlib" not in sys.modules, "the import of the room loads matplotlib"
from lawful._core.record import FieldPanel
fig, _ = field_figure(FieldPanel("u", {"x": np.arange(5.0)}, np.arange(5.0)))
fig.savefig(io.BytesIO(), format="png")
assert "matplotlib.pyplot" not in sys.modules, "figures must not touch the window system"
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["$\\frac{a}{b}$", "a_b^c", "<b>&", "line\nfeed", "\x1b[31mred", "x" * 300])
def test_any_name_can_be_drawn(name):
    x = np.linspace(0, 1, 20)
    fig, ax = field_figure(FieldPanel(name, {name + "x": x}, x))
    assert saved(fig)
    assert len(ax.get_ylabel()) <= 36
    assert "\n" not in ax.get_ylabel()
    assert "\x1b" not in ax.get_ylabel()


def test_a_long_name_keeps_both_ends():
    assert lettered("condition on the left side at x = 0", 20) == "condition on…t x = 0"
    assert lettered("short") == "short"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (0.01, "0.01"),
        (1e-3, "10⁻³"),
        (2e-5, "2×10⁻⁵"),
        (300, "300"),
        (1e6, "10⁶"),
        (1e-12, "10⁻¹²"),
        (0, ""),
    ],
)
def test_powers_of_ten(value, text):
    assert power(value) == text


def test_thinning_keeps_ends_and_extremes():
    values = np.sin(np.linspace(0, 700, 50_000))
    values[31_234], values[40_001], values[17] = 9.0, -8.0, np.nan
    rows = kept(values, most=400)
    assert rows.size <= 402
    assert {0, 49_999, 31_234, 40_001} <= set(rows)
    assert np.all(np.diff(rows) > 0)


def test_a_coarser_map_keeps_the_largest_of_each_block():
    values = np.zeros((7, 5))
    values[6, 4], values[1, 0] = -3.0, 2.0
    lines, taken = coarser((np.arange(7.0), np.arange(5.0)), values, most=3)
    assert np.array_equal(taken, [[2, 0, 0], [0, 0, 0], [0, 0, -3]])
    assert np.array_equal(lines[0], [1, 4, 6])
    assert np.array_equal(lines[1], [0.5, 2.5, 4])
