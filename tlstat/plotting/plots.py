"""The plots that theorems need: slopes, sandwiches, coverage, heat maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tlstat.errors import InputError
from tlstat.plotting.style import (
    COLOURS,
    DASHES,
    FORBIDDEN,
    MARKERS,
    Floats,
    Series,
    figure,
    label_of,
    style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def slope_plot(
    series: Sequence[Series],
    *,
    xlabel: str = "",
    ylabel: str = "",
    title: str = "",
    log: Literal["auto"] | bool = "auto",
    forbidden: Literal["above", "below"] | None = None,
    ax: Axes | None = None,
) -> Figure:
    """Measured points with intervals, and predictions as dashed lines.

    Parameters
    ----------
    series : sequence of Series
    xlabel, ylabel, title : str
        Plain text; single letters are set in italics.
    log : "auto" or bool
        Logarithmic axes; "auto" decides each axis by the range that its values span.
    forbidden : {"above", "below"}, optional
        The side of the prediction that a bound excludes; shaded where there is one series.
    ax : Axes, optional
        Draw here instead of on a new figure.

    Returns
    -------
    Figure
    """
    _require(series, "series")
    fig, ax = _canvas(ax)
    with style():
        for i, one in enumerate(series):
            colour = COLOURS[i % len(COLOURS)]
            _draw_prediction(ax, one, colour, DASHES[i % len(DASHES)])
            _draw_points(ax, one, colour, MARKERS[i % len(MARKERS)])
        _set_scales(ax, series, log)
        if forbidden and len(series) == 1 and series[0].predicted is not None:
            _shade(ax, series[0], forbidden)
        _finish(ax, xlabel, ylabel, title)
    return fig


def ratio_plot(
    series: Sequence[Series],
    tolerance: float = 0.0,
    *,
    xlabel: str = "",
    ylabel: str = "",
    title: str = "",
) -> Figure:
    """A slope plot above, measured over predicted below: equalities to a few percent.

    Parameters
    ----------
    series : sequence of Series
        Each with `predicted`, none of it zero.
    tolerance : float
        Half-width of the band around 1.
    """
    _require(series, "series")
    fig, (top, bottom) = figure(height=4.3, rows=2, sharex=True, height_ratios=(2, 1))
    slope_plot(series, ylabel=ylabel, title=title, ax=top)
    with style():
        bottom.axhspan(1 - tolerance, 1 + tolerance, color=FORBIDDEN, alpha=0.3, linewidth=0)
        bottom.axhline(1.0, color="black", linewidth=0.8)
        for i, one in enumerate(series):
            _draw_points(bottom, _over_prediction(one), COLOURS[i % 7], MARKERS[i % 7])
        bottom.ticklabel_format(axis="y", useOffset=False)
        bottom.set_xlabel(label_of(xlabel))
        bottom.set_ylabel("measured /\npredicted")
    return fig


def _over_prediction(one: Series) -> Series:
    """The series divided by its prediction."""
    predicted = np.asarray(one.predicted, dtype=float)
    if one.predicted is None or not (np.isfinite(predicted) & (predicted != 0)).all():
        raise InputError("ratio_plot needs a prediction without zeros in every series")
    divided = {
        name: None if values is None else np.asarray(values, dtype=float) / predicted
        for name, values in (("lower", one.lower), ("upper", one.upper))
    }
    return Series(one.x, np.asarray(one.y, dtype=float) / predicted, label=one.label, **divided)


def sandwich_plot(
    series: Series,
    below: Sequence[float],
    above: Sequence[float],
    *,
    xlabel: str = "",
    ylabel: str = "",
    title: str = "",
    log: Literal["auto"] | bool = "auto",
    ax: Axes | None = None,
) -> Figure:
    """Measured points between a lower and an upper bound, shape (m,) each."""
    fig, ax = _canvas(ax)
    x = np.asarray(series.x, dtype=float)
    order = np.argsort(x)
    low, high = (np.asarray(b, dtype=float)[order] for b in (below, above))
    with style():
        ax.fill_between(x[order], low, high, color=COLOURS[4], alpha=0.22, linewidth=0)
        ax.plot(x[order], high, color=COLOURS[1], ls="--", label="upper bound")
        ax.plot(x[order], low, color=COLOURS[2], ls=":", label="lower bound")
        _draw_points(ax, series, COLOURS[0], MARKERS[0])
        around = Series(x=[*x, *x], y=[*below, *above])
        _set_scales(ax, [series, around], log)
        _finish(ax, xlabel, ylabel, title)
    return fig


def coverage_plot(
    names: Sequence[str],
    estimates: Sequence[float],
    lower: Sequence[float],
    upper: Sequence[float],
    targets: Sequence[float],
    *,
    xlabel: str = "",
    ylabel: str = "",
    title: str = "",
    ax: Axes | None = None,
) -> Figure:
    """One row a cell: an estimate with its interval, and the target as a vertical tick.

    For probabilities against their nominal level, and for any claim without a numeric axis.
    """
    _require(names, "names")
    fig, ax = _canvas(ax, height=0.9 + 0.27 * len(names))
    rows = np.arange(len(names))[::-1]
    with style():
        errors = _errors(estimates, lower, upper)
        ax.errorbar(
            estimates, rows, xerr=errors, fmt="o", color=COLOURS[0], capsize=2.5, label="measured"
        )
        ax.scatter(
            targets, rows, marker="|", s=130, linewidths=2, color=COLOURS[1], label="predicted"
        )
        ax.set_yticks(rows, [label_of(n) for n in names])
        ax.set_ylim(-0.6, len(names) - 0.4)
        _set_scales(ax, [Series(x=[*estimates, *targets], y=[*rows, *rows])], "auto", only="x")
        _finish(ax, xlabel, ylabel, title)
        inside = ax.get_legend()
        if inside is not None:
            inside.remove()
        fig.legend(loc="outside lower left", ncols=2)
    return fig


def heat_map(
    values: Any,
    x: Sequence[Any],
    y: Sequence[Any],
    *,
    xlabel: str = "",
    ylabel: str = "",
    title: str = "",
    centre: float | None = None,
    numbers: bool = True,
    ax: Axes | None = None,
) -> Figure:
    """A table of numbers as colours, each number printed in its square.

    Parameters
    ----------
    values : array (len(y), len(x))
        nan marks an empty square.
    x, y : sequence
        Labels of columns and rows.
    centre : float, optional
        The neutral value (such as 1 for a ratio): colours then diverge from it.
    """
    table = np.asarray(values, dtype=float)
    if table.shape != (len(y), len(x)):
        raise InputError(
            f"values has shape {table.shape}; expected ({len(y)}, {len(x)}), rows y and columns x"
        )
    fig, ax = _canvas(ax, height=1.1 + 0.42 * len(y))
    with style():
        reach = float(np.nanmax(np.abs(table - (centre or 0.0)))) or 1.0
        scale: dict[str, Any] = (
            {"cmap": "cividis"}
            if centre is None
            else {"cmap": "PuOr_r", "vmin": centre - reach, "vmax": centre + reach}
        )
        image = ax.imshow(np.ma.masked_invalid(table), aspect="auto", **scale)
        ax.grid(False)
        ax.set_xticks(range(len(x)), [_tick(v) for v in x])
        ax.set_yticks(range(len(y)), [_tick(v) for v in y])
        if numbers:
            _print_numbers(ax, image, table)
        fig.colorbar(image, ax=ax, shrink=0.9)
        _finish(ax, xlabel, ylabel, title)
    return fig


def _require(items: Sequence[Any], name: str) -> None:
    if not len(items):
        raise InputError(f"{name} is empty; expected at least one")


def _canvas(ax: Axes | None, height: float = 3.5) -> tuple[Figure, Axes]:
    if ax is None:
        return figure(height=height)
    return ax.get_figure(), ax  # type: ignore[return-value]


def _errors(y: Floats, lower: Any, upper: Any) -> np.ndarray | None:
    """Distances to the interval's ends, shape (2, m); infinite ends become 0."""
    if lower is None and upper is None:
        return None
    centre = np.asarray(y, dtype=float)
    ends = [centre if end is None else np.asarray(end, dtype=float) for end in (lower, upper)]
    away = np.array([centre - ends[0], ends[1] - centre])
    return np.where(np.isfinite(away), np.maximum(away, 0.0), 0.0)


def _draw_points(ax: Axes, one: Series, colour: str, marker: str) -> None:
    ax.errorbar(
        one.x,
        one.y,
        yerr=_errors(one.y, one.lower, one.upper),
        fmt=marker,
        color=colour,
        capsize=2.5,
        elinewidth=1.0,
        label=label_of(one.label) if one.label else "measured",
        zorder=3,
    )


def _draw_prediction(ax: Axes, one: Series, colour: str, dash: Any) -> None:
    if one.predicted is None:
        return
    x, predicted = np.asarray(one.x, dtype=float), np.asarray(one.predicted, dtype=float)
    order = np.argsort(x)
    label = "" if one.label else "predicted"
    if len(x) == 1:
        ax.axhline(predicted[0], color=colour, ls=dash, label=label)
    else:
        ax.plot(x[order], predicted[order], color=colour, ls=dash, label=label, zorder=2)


def _shade(ax: Axes, one: Series, side: str) -> None:
    x, predicted = np.asarray(one.x, dtype=float), np.asarray(one.predicted, dtype=float)
    order = np.argsort(x)
    low, high = ax.get_ylim()
    edge = high if side == "above" else low
    ax.fill_between(
        x[order], predicted[order], edge, color=FORBIDDEN, alpha=0.3, linewidth=0, zorder=0
    )
    ax.set_ylim(low, high)


def wants_log(values: Any) -> bool:
    """Whether positive values span more than a factor of 20."""
    array = np.asarray(values, dtype=float)
    array = array[np.isfinite(array)]
    return bool(array.size > 1 and array.min() > 0 and array.max() > 20 * array.min())


def _set_scales(
    ax: Axes, series: Sequence[Series], log: Literal["auto"] | bool, only: str = "xy"
) -> None:
    xs = [v for s in series for v in s.x]
    ys = [v for s in series for v in [*s.y, *(s.predicted if s.predicted is not None else ())]]
    for axis, values in (("x", xs), ("y", ys)):
        positive = all(v > 0 for v in values if math.isfinite(v))
        chosen = wants_log(values) if log == "auto" else bool(log) and positive
        if chosen and axis in only:
            (ax.set_xscale if axis == "x" else ax.set_yscale)("log")


def _print_numbers(ax: Axes, image: Any, table: np.ndarray) -> None:
    for (i, j), value in np.ndenumerate(table):
        if math.isfinite(value):
            red, green, blue, _ = image.cmap(image.norm(value))
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
            colour = "white" if dark else "black"
            ax.text(j, i, f"{value:.3g}", ha="center", va="center", fontsize=7.5, color=colour)


def _tick(value: Any) -> str:
    return label_of(f"{value:g}" if isinstance(value, int | float) else str(value))


def _finish(ax: Axes, xlabel: str, ylabel: str, title: str) -> None:
    ax.set_xlabel(label_of(xlabel))
    ax.set_ylabel(label_of(ylabel))
    if title:
        ax.set_title(label_of(title), loc="left")
    handles, labels = ax.get_legend_handles_labels()
    if len(labels) > 1:
        ax.legend(handles, labels)
