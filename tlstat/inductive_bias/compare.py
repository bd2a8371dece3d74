"""Spaces side by side on one task, with paired intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tlstat.errors import InputError
from tlstat.inductive_bias.bias import _check, measure
from tlstat.inductive_bias.data import as_random
from tlstat.inductive_bias.population import deleted, half_width
from tlstat.inductive_bias.result import Bias
from tlstat.inductive_bias.task import prepare

if TYPE_CHECKING:
    import pandas
    from rich.table import Table


@dataclass(frozen=True)
class Comparison:
    """Biases of several spaces, and how much more each demands than the first.

    Attributes
    ----------
    biases : dict of str to Bias
        The test event.
    differences : dict of str to float
        Nats beyond those of the first space, on the given test points.
    intervals : dict of str to (float, float)
        Intervals of the differences over fresh test sets of the same size, by the grouped
        jackknife on the same groups for all spaces.
    level : float
    """

    biases: dict[str, Bias]
    differences: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    level: float

    @property
    def reference(self) -> str:
        """The space that the others are compared with."""
        return next(iter(self.biases))

    @property
    def frame(self) -> pandas.DataFrame:
        """A row a space."""
        import pandas as pd

        rows = [
            {
                "space": name,
                "nats": b.nats,
                "bits": b.bits,
                "lower": b.interval[0],
                "upper": b.interval[1],
                "per_output": b.per_output,
                "mean_error": b.mean_error,
                "method": b.method,
                "difference": self.differences[name],
                "difference_lower": self.intervals[name][0],
                "difference_upper": self.intervals[name][1],
            }
            for name, b in self.biases.items()
        ]
        return pd.DataFrame(rows)

    @property
    def table(self) -> Table:
        """For a terminal."""
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD)
        against = f"against {self.reference}"
        for name in ("space", "nats", "interval", "method", against, f"{self.level:g} interval"):
            table.add_column(name, justify="left" if name in ("space", "method") else "right")
        for name, b in self.biases.items():
            low, high = self.intervals[name]
            table.add_row(
                name,
                f"{b.nats:,.5g}",
                f"[{b.interval[0]:,.5g}, {b.interval[1]:,.5g}]",
                b.method,
                f"{self.differences[name]:+,.5g}",
                f"[{low:+,.5g}, {high:+,.5g}]",
            )
        return table


def compare_spaces(
    spaces: Mapping[str, Any],
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    target_error: float,
    *,
    task: str = "auto",
    loss: str | None = None,
    size: int | None = None,
    level: float = 0.95,
    groups: int = 100,
    seed: Any = 0,
) -> Comparison:
    """What a target error demands of several spaces, on the same data.

    Parameters
    ----------
    spaces : mapping of str to space
        Spaces, kernels or torch modules; the first is the reference.
    X_train, y_train, X_test, y_test, target_error, task, loss, size, level, groups, seed
        As in `inductive_bias`.

    Returns
    -------
    Comparison

    Notes
    -----
    Differences depend on the target error and may change their sign with it: see `bias_curve`.
    A space whose hypotheses all have much the same error demands little near that error and much
    below it.
    """
    if not isinstance(spaces, Mapping) or len(spaces) < 2:
        raise InputError("spaces is no mapping of at least two names to spaces")
    _check("auto", "test", target_error, level)
    rng = as_random(seed)
    biases: dict[str, Bias] = {}
    values: dict[str, np.ndarray] = {}
    for name, space in spaces.items():
        ready = prepare(space, X_train, y_train, X_test, y_test, task=task)
        biases[name] = measure(
            ready,
            float(target_error),
            loss=loss,
            size=size,
            level=level,
            rng=rng.spawn("hypotheses"),
        )
        values[name] = deleted(ready, float(target_error), groups, loss=loss, size=size, rng=rng)
    reference = next(iter(spaces))
    differences, intervals = {}, {}
    for name, bias in biases.items():
        if name == reference:
            differences[name], intervals[name] = 0.0, (0.0, 0.0)
            continue
        differences[name] = _difference(bias.nats, biases[reference].nats)
        apart = np.array(
            [_difference(a, b) for a, b in zip(values[name], values[reference], strict=True)]
        )
        intervals[name] = _around(differences[name], apart, level)
    return Comparison(biases, differences, intervals, level)


def _around(value: float, values: np.ndarray, level: float) -> tuple[float, float]:
    slack = half_width(values, level)
    return (-math.inf, math.inf) if not math.isfinite(slack) else (value - slack, value + slack)


def _difference(a: float, b: float) -> float:
    """``a - b``; nan where both are infinite."""
    return float("nan") if np.isinf(a) and np.isinf(b) else float(a - b)
