"""The bias over a range of target errors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tlstat.errors import InputError
from tlstat.inductive_bias.bias import _check, _check_settings, measure
from tlstat.inductive_bias.data import as_random
from tlstat.inductive_bias.result import Bias
from tlstat.inductive_bias.task import Task, prepare

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure

POINTS, DEPTH = 25, 1e-3


@dataclass(frozen=True, repr=False)
class BiasCurve:
    """Biases at increasing target errors.

    Attributes
    ----------
    biases : tuple of Bias
    label : str
    """

    biases: tuple[Bias, ...]
    label: str = ""

    @property
    def target_errors(self) -> np.ndarray:
        """The target errors, ascending."""
        return np.array([b.target_error for b in self.biases])

    @property
    def nats(self) -> np.ndarray:
        """I at each of them, non-increasing for exact methods."""
        return np.array([b.nats for b in self.biases])

    @property
    def frame(self) -> pandas.DataFrame:
        """A row a target error."""
        import pandas as pd

        rows = [
            {
                "target_error": b.target_error,
                "nats": b.nats,
                "bits": b.bits,
                "lower": b.interval[0],
                "upper": b.interval[1],
                "per_output": b.per_output,
                "n_eff": b.n_eff,
                "method": b.method,
            }
            for b in self.biases
        ]
        return pd.DataFrame(rows)

    def plot(self, axes: Any = None) -> Figure:
        """Nats over the target error, both axes logarithmic, with intervals.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            Drawn into; by default a new figure.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from tlstat.plotting import figure, style

        if axes is None:
            _, axes = figure()
        x, y = self.target_errors, self.nats
        low, high = np.array([b.interval for b in self.biases]).T
        shown = np.isfinite(y) & (y > 0)
        with style():
            (line,) = axes.plot(x[shown], y[shown], label=self.label or None)
            band = shown & np.isfinite(high)
            axes.fill_between(x[band], low[band], high[band], color=line.get_color(), alpha=0.2)
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_xlabel("target error")
            axes.set_ylabel("inductive bias in nats")
            if self.label:
                axes.legend()
        return axes.figure

    def __repr__(self) -> str:
        first, last = self.biases[0], self.biases[-1]
        return (
            f"BiasCurve({len(self.biases)} target errors from {first.target_error:g} "
            f"({first.nats:.4g} nats) to {last.target_error:g} ({last.nats:.4g} nats))"
        )


def bias_curve(
    space: Any,
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    target_errors: Any = None,
    *,
    method: str = "auto",
    task: str = "auto",
    loss: str | None = None,
    weights: Any = None,
    size: int | None = None,
    level: float = 0.95,
    seed: Any = 0,
    label: str = "",
    **options: Any,
) -> BiasCurve:
    """The bias of the test event at several target errors.

    Parameters
    ----------
    space, X_train, y_train, X_test, y_test, method, task, loss, weights, size, level, seed
        As in `inductive_bias`. The law is computed, or hypotheses are sampled, once; the
        intervals hold for each target error by itself.
    target_errors : array_like, optional
        By default 25 from a thousandth of the mean error up to it.
    label : str
        For plots.

    Returns
    -------
    BiasCurve
    """
    _check(method, "test", 0.0, level)
    _check_settings(method, loss, size, options)
    ready = prepare(space, X_train, y_train, X_test, y_test, task=task)
    rng = as_random(seed).spawn("hypotheses")
    given = {"weights": weights, "loss": loss}
    law = draws = None
    if method not in ("monte_carlo", "splitting"):
        law = ready.conditioned.error_law(ready.X_test, ready.y_test, **given)
    if law is None and method != "splitting" and not _hard(ready, given, rng, method):
        draws = ready.conditioned.draw(ready.X_test, ready.y_test, rng, size or ready.size, **given)
    errors = _targets(target_errors, law, draws)
    biases = [
        measure(
            ready,
            float(x),
            method=method,
            size=size,
            level=level,
            rng=rng.spawn(j),
            options=options,
            law=law,
            draws=draws,
            **given,
        )
        for j, x in enumerate(errors)
    ]
    return BiasCurve(tuple(biases), label)


def _hard(ready: Task, given: dict[str, Any], rng: Any, method: str) -> bool:
    latent = ready.conditioned.latent(ready.X_test, ready.y_test, **given)
    return method == "auto" and ready.hard_to_fit(latent, rng)


def _targets(target_errors: Any, law: Any, draws: Any) -> list[float]:
    if target_errors is None:
        if law is None and draws is None:
            raise InputError("target_errors is None; splitting needs to be told where to go")
        mean = float(law.mean() if law is not None else np.mean(draws.errors))
        low = float(law.support()[0]) if law is not None else 0.0
        if not mean > low or not math.isfinite(mean):
            raise InputError("target_errors is None, and all hypotheses have one error; give some")
        return [low + (mean - low) * f for f in np.geomspace(DEPTH, 1.0, POINTS).tolist()]
    values = np.asarray(target_errors, dtype=float)
    if values.ndim != 1 or not values.size or not np.isfinite(values).all() or values.min() < 0:
        raise InputError(
            f"target_errors is {target_errors!r}; expected a list of numbers of at least 0"
        )
    return sorted(set(values.tolist()))
