"""The picture of a verdict: its cells with their intervals against what the theory says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tlstat.errors import InputError
from tlstat.plotting.plots import coverage_plot, heat_map, ratio_plot, sandwich_plot, slope_plot
from tlstat.plotting.style import Series

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# more lines than this in one plot cannot be told apart
MOST_SERIES = 6
MOST_ROWS = 30


def plot_verdict(verdict: Any) -> Figure:
    """Draw the evidence of a verdict: cells with simultaneous intervals against the prediction.

    The kind of the claim decides: rates with the predicted slope through the measured points,
    bounds with the forbidden side shaded, sandwiches with both bounds, a heat map of ratios where
    too many parameters vary, and one row a cell where no parameter is a number.

    Parameters
    ----------
    verdict : Verdict

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If the verdict has no cells to draw.
    """
    cells = [c for c in verdict.cells if math.isfinite(_number(c.get("estimate")))]
    if not cells:
        raise InputError(f"the verdict on {verdict.name!r} has no cells to draw")
    kind = str(getattr(verdict.claim, "kind", ""))
    metric = _quantity(verdict.claim)
    axis = _axis(cells, getattr(verdict.claim, "along", None))
    if axis is None:
        return _rows(cells, metric)
    groups = _groups(cells, axis)
    if len(groups) > MOST_SERIES:
        table = _ratio_table(cells, axis, metric)
        return table if table is not None else _rows(cells, metric)
    if kind == "between" and len(groups) == 1 and all(_bounds(c) for c in cells):
        return _sandwich(cells, axis, metric)
    series = [_series(group, axis, label, kind) for label, group in groups.items()]
    if kind == "equals" and all(_has_ratio(one) for one in series):
        tolerance = float(getattr(verdict.claim, "tolerance", 0.0))
        return ratio_plot(series, tolerance, xlabel=axis, ylabel=metric)
    forbidden = {"at_most": "above", "at_least": "below"}.get(kind)
    return slope_plot(
        series,
        xlabel=axis,
        ylabel=metric,
        log=True if kind == "rate" else "auto",
        forbidden=forbidden,  # type: ignore[arg-type]
    )


def _quantity(claim: Any) -> str:
    """What the cells hold: the metric, or the probability that it violates its bound."""
    metric = str(getattr(claim, "metric", "metric"))
    if getattr(getattr(claim, "bound", None), "sense", "expectation") != "probability":
        return metric
    return f"P({metric} {'<' if getattr(claim, 'kind', '') == 'at_least' else '>'} bound)"


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _params(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    return cell.get("cell", {})


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def varying(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of the parameters that take several values, those of most values first."""
    names = dict.fromkeys(n for c in cells for n in _params(c))
    counts = {n: len({repr(_params(c).get(n)) for c in cells}) for n in names}
    return sorted((n for n in names if counts[n] > 1), key=lambda n: -counts[n])


def describe(params: Mapping[str, Any], names: Sequence[str]) -> str:
    """The named parameters of a cell, as ``n = 100, level = hard``."""
    shown = (n for n in names if n in params)
    return ", ".join(f"{n} = {_value(params[n])}" for n in shown)


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _axis(cells: Sequence[Mapping[str, Any]], along: Any) -> str | None:
    """The parameter for the horizontal axis: `along`, or the number that varies most."""
    names = varying(cells)
    if isinstance(along, str):
        names = [along, *names]
    for name in names:
        if all(_is_number(_params(c).get(name)) for c in cells):
            return name
    return None


def _groups(cells: Sequence[Mapping[str, Any]], axis: str) -> dict[str, list[Mapping[str, Any]]]:
    """Cells by the parameters that vary besides the axis."""
    others = [n for n in varying(cells) if n != axis]
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for cell in cells:
        groups.setdefault(describe(_params(cell), others), []).append(cell)
    return groups


def _column(cells: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    return [_number(c.get(key)) for c in cells]


def _series(cells: Sequence[Mapping[str, Any]], axis: str, label: str, kind: str) -> Series:
    y = np.array(_column(cells, "estimate"))
    predicted = np.array(_column(cells, "predicted"))
    if kind == "rate":
        predicted = _through(y, predicted)
    return Series(
        x=[_number(_params(c)[axis]) for c in cells],
        y=y,
        lower=_column(cells, "lower"),
        upper=_column(cells, "upper"),
        predicted=predicted if np.isfinite(predicted).all() else None,
        label=label,
    )


def _has_ratio(one: Series) -> bool:
    return one.predicted is not None and bool(np.all(np.asarray(one.predicted) != 0))


def _through(y: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """A rate's shape, raised or lowered to the measured values: its constant is not claimed."""
    usable = (y > 0) & (shape > 0)
    if not usable.any():
        return np.full_like(y, math.nan)
    return shape * math.exp(np.mean(np.log(y[usable]) - np.log(shape[usable])))


def _bounds(cell: Mapping[str, Any]) -> tuple[float, float] | None:
    """Both predictions of a sandwich, in either of the forms that a cell may hold them."""
    predicted = cell.get("predicted")
    if isinstance(predicted, tuple | list) and len(predicted) == 2:
        return _number(predicted[0]), _number(predicted[1])
    if "predicted_lower" in cell and "predicted_upper" in cell:
        return _number(cell["predicted_lower"]), _number(cell["predicted_upper"])
    return None


def _sandwich(cells: Sequence[Mapping[str, Any]], axis: str, metric: str) -> Figure:
    pairs = [pair for pair in map(_bounds, cells) if pair]
    below, above = zip(*pairs, strict=True)
    series = _series(cells, axis, "", "between")
    return sandwich_plot(series, below, above, xlabel=axis, ylabel=metric)


def _rows(cells: Sequence[Mapping[str, Any]], metric: str) -> Figure:
    names = varying(cells)
    number = len(cells)
    title = ""
    if number > MOST_ROWS:
        cells = _closest(cells, MOST_ROWS)
        title = f"the {MOST_ROWS} of {number} cells that are nearest to the prediction"
    # names once, at the axis: written in every row they would leave no room for the plot
    labels = [", ".join(_value(_params(c).get(n, "")) for n in names) for c in cells]
    return coverage_plot(
        [label or metric for label in labels],
        _column(cells, "estimate"),
        _column(cells, "lower"),
        _column(cells, "upper"),
        _column(cells, "predicted"),
        xlabel=metric,
        ylabel=", ".join(names),
        title=title,
    )


def _closest(cells: Sequence[Mapping[str, Any]], number: int) -> list[Mapping[str, Any]]:
    """The cells in which a bound is tightest, in the order they have; the first ones if none."""
    away = np.abs(np.array(_column(cells, "estimate")) - np.array(_column(cells, "predicted")))
    nearest = np.argsort(np.where(np.isfinite(away), away, np.inf), kind="stable")[:number]
    return [cells[i] for i in np.sort(nearest)]


def _ratio_table(cells: Sequence[Mapping[str, Any]], axis: str, metric: str) -> Figure | None:
    """Measured over predicted, where exactly two parameters vary."""
    names = varying(cells)
    predicted = np.array(_column(cells, "predicted"))
    if len(names) != 2 or not (np.isfinite(predicted) & (predicted != 0)).all():
        return None
    other = next(n for n in names if n != axis)
    columns = list(dict.fromkeys(_params(c)[axis] for c in cells))
    rows = list(dict.fromkeys(_params(c)[other] for c in cells))
    table = np.full((len(rows), len(columns)), math.nan)
    for cell, ratio in zip(cells, np.array(_column(cells, "estimate")) / predicted, strict=True):
        params = _params(cell)
        table[rows.index(params[other]), columns.index(params[axis])] = ratio
    return heat_map(
        table,
        columns,
        rows,
        xlabel=axis,
        ylabel=other,
        title=f"{metric}: measured / predicted",
        centre=1.0,
    )
