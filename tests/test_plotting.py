"""Plots show what they were given: points, intervals, predictions, labels."""

import math
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tlstat.errors import InputError
from tlstat.plotting import (
    COLOURS,
    Series,
    coverage_plot,
    heat_map,
    label_of,
    plot_verdict,
    ratio_plot,
    sandwich_plot,
    save,
    slope_plot,
)

N = [100, 1000, 10_000]
RISK = [n**-0.5 for n in N]


@dataclass
class FakeVerdict:
    """What a plot reads of a verdict."""

    kind: str
    cells: tuple[dict[str, Any], ...]
    along: str | None = None
    name: str = "a claim"
    claim: Any = field(init=False)

    def __post_init__(self) -> None:
        self.claim = SimpleNamespace(
            kind=self.kind, metric="risk", along=self.along, tolerance=0.02
        )


def cells(**extra):
    return tuple(
        {
            "cell": {"n": n, "S": 10},
            "estimate": y,
            "lower": 0.9 * y,
            "upper": 1.1 * y,
            "predicted": 2 * y,
            "replicates": 400,
            **extra,
        }
        for n, y in zip(N, RISK, strict=True)
    )


def lines_of(ax):
    return {line.get_label(): line for line in ax.get_lines()}


def test_slope_plot_draws_points_prediction_and_labels():
    fig = slope_plot([Series(N, RISK, predicted=RISK)], xlabel="n", ylabel="risk")
    ax = fig.axes[0]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$n$", "risk")
    np.testing.assert_allclose(lines_of(ax)["predicted"].get_ydata(), RISK)
    assert [c.get_label() for c in ax.containers] == ["measured"]


def test_series_of_different_length_are_refused():
    with pytest.raises(InputError, match="y has 2 values and x has 3"):
        Series(N, RISK[:2])


def test_nothing_to_draw_is_refused():
    with pytest.raises(InputError, match="series is empty"):
        slope_plot([])
    with pytest.raises(InputError, match="no cells"):
        plot_verdict(FakeVerdict("rate", ()))


def test_infinite_ends_of_intervals_are_left_out():
    series = Series(N, RISK, lower=[-math.inf] * 3, upper=[math.inf, math.nan, 1.5])
    ax = slope_plot([series]).axes[0]
    (bars,) = [c for c in ax.collections if hasattr(c, "get_segments")]
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    np.testing.assert_allclose(ends[:, 0], RISK)
    np.testing.assert_allclose(ends[:, 1], [RISK[0], RISK[1], 1.5])


def test_single_letters_are_italic_and_dollars_are_no_formula():
    assert label_of("n") == "$n$"
    assert label_of(r"$\frac") == r"\$\frac"
    slope_plot([Series([1.0], [2.0], label=r"$\frac{<&")], xlabel="$$$").canvas.draw()


def test_series_are_told_apart_without_colour():
    many = [Series(N, np.multiply(RISK, k), predicted=RISK, label=f"k = {k}") for k in (1, 2, 3)]
    ax = slope_plot(many).axes[0]
    drawn = [container[0] for container in ax.containers]
    assert len({line.get_marker() for line in drawn}) == 3
    assert [line.get_color() for line in drawn] == list(COLOURS[:3])


def test_ratio_plot_divides_by_the_prediction():
    doubled = Series(N, np.multiply(RISK, 2.0), predicted=RISK)
    bottom = ratio_plot([doubled], 0.02).axes[1]
    np.testing.assert_allclose(bottom.containers[0][0].get_ydata(), 2.0)
    with pytest.raises(InputError, match="zeros"):
        ratio_plot([Series([1.0], [1.0], predicted=[0.0])])


def test_sandwich_plot_shows_both_bounds():
    fig = sandwich_plot(Series(N, RISK), np.multiply(RISK, 0.5), np.multiply(RISK, 3.0))
    found = lines_of(fig.axes[0])
    np.testing.assert_allclose(found["upper bound"].get_ydata(), np.multiply(RISK, 3.0))
    np.testing.assert_allclose(found["lower bound"].get_ydata(), np.multiply(RISK, 0.5))


def test_coverage_plot_has_a_row_a_cell():
    fig = coverage_plot(["a", "b"], [0.1, 0.2], [0.0, 0.1], [0.2, 0.3], [0.05, 0.05])
    assert [t.get_text() for t in fig.axes[0].get_yticklabels()] == ["$a$", "$b$"]


def test_heat_map_prints_its_numbers_and_checks_its_shape():
    fig = heat_map([[1.0, 2.0], [3.0, math.nan]], ["x1", "x2"], [1, 2], centre=1.0)
    assert [t.get_text() for t in fig.axes[0].texts] == ["1", "2", "3"]
    with pytest.raises(InputError, match=r"expected \(1, 2\)"):
        heat_map([[1.0]], ["x1", "x2"], [1])


def test_a_rate_is_drawn_through_the_points():
    """The constant of a rate is not claimed, so only its shape may be seen."""
    ax = plot_verdict(FakeVerdict("rate", cells(), along="n")).axes[0]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    np.testing.assert_allclose(lines_of(ax)["predicted"].get_ydata(), RISK)


def test_a_bound_keeps_its_constant_and_shades_what_it_forbids():
    ax = plot_verdict(FakeVerdict("at_most", cells())).axes[0]
    np.testing.assert_allclose(lines_of(ax)["predicted"].get_ydata(), np.multiply(RISK, 2))
    low, high = ax.get_ylim()
    shaded = ax.collections[-1].get_datalim(ax.transData)
    assert shaded.y1 == pytest.approx(high) and shaded.y0 > low


def test_an_equality_shows_ratios():
    assert len(plot_verdict(FakeVerdict("equals", cells())).axes) == 2


def test_between_shows_the_two_bounds_of_the_cells():
    sandwich = FakeVerdict("between", cells(predicted_lower=0.001, predicted_upper=5.0))
    found = lines_of(plot_verdict(sandwich).axes[0])
    np.testing.assert_allclose(found["lower bound"].get_ydata(), 0.001)
    np.testing.assert_allclose(found["upper bound"].get_ydata(), 5.0)


def test_a_probability_claim_shows_how_often_the_bound_is_violated():
    verdict = FakeVerdict("at_most", cells())
    verdict.claim.bound = SimpleNamespace(sense="probability")
    assert plot_verdict(verdict).axes[0].get_ylabel() == "P(risk > bound)"


def test_cells_without_a_numeric_parameter_are_rows():
    named = tuple({**c, "cell": {"law": f"law {i}"}} for i, c in enumerate(cells()))
    ax = plot_verdict(FakeVerdict("at_most", named)).axes[0]
    assert [t.get_text() for t in ax.get_yticklabels()] == [f"law {i}" for i in range(3)]
    assert ax.get_ylabel() == "law"


def test_too_many_curves_become_a_heat_map():
    many = tuple(
        {"cell": {"n": n, "S": s}, "estimate": 1.0 / n, "predicted": 2.0 / n}
        for s in range(2, 10)
        for n in range(1, 10)
    )
    ax = plot_verdict(FakeVerdict("at_most", many)).axes[0]
    assert len(ax.images) == 1
    np.testing.assert_allclose(ax.images[0].get_array(), 0.5)


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_equal_figures_give_equal_files(tmp_path, suffix):
    written = [
        save(slope_plot([Series(N, RISK)]), tmp_path / f"{name}{suffix}").read_bytes()
        for name in ("one", "two")
    ]
    assert written[0] == written[1]


def test_of_many_rows_those_nearest_to_the_prediction_are_drawn():
    from tlstat.plotting.verdicts import MOST_ROWS, _rows

    away = np.random.default_rng(1).permutation(100) / 10
    cells = [
        {
            "cell": {"name": f"cell {i}"},
            "estimate": 1.0,
            "lower": 0.9,
            "upper": 1.1,
            "predicted": 1.0 + away[i],
        }
        for i in range(100)
    ]
    (ax,) = _rows(cells, "x").axes
    drawn = [tick.get_text() for tick in ax.get_yticklabels()]
    assert drawn == [f"cell {i}" for i in range(100) if away[i] < MOST_ROWS / 10]
    assert f"{MOST_ROWS} of 100" in ax.get_title(loc="left")
