"""How much the answer depends on choices that the data do not make."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tlstat.errors import InputError
from tlstat.inductive_bias.bias import _check, measure
from tlstat.inductive_bias.data import as_random
from tlstat.inductive_bias.kernels import NAMED, Kernel
from tlstat.inductive_bias.population import half_sample
from tlstat.inductive_bias.result import Bias
from tlstat.inductive_bias.task import Task, prepare

if TYPE_CHECKING:
    import pandas
    from rich.table import Table

FACTORS = (0.5, 2.0)
JITTERS = (1e-10, 1e-8, 1e-6, 1e-4)
# settings of the spaces that are scales, varied by factors
SCALES = ("variance", "tau", "scale", "noise", "fit_tolerance")
BANDWIDTHS = ("sigma", "length")


@dataclass(frozen=True)
class Sensitivity:
    """The bias under other choices.

    Attributes
    ----------
    base : Bias
        With the choices as given.
    rows : tuple of (str, str, float, str)
        Choice, its value, nats, and what went wrong if nothing came out.
    """

    base: Bias
    rows: tuple[tuple[str, str, float, str], ...]

    @property
    def frame(self) -> pandas.DataFrame:
        """A row a choice: its value, nats, and the ratio to the base."""
        import pandas as pd

        frame = pd.DataFrame(self.rows, columns=["choice", "value", "nats", "note"])
        frame.insert(3, "ratio", frame["nats"] / self.base.nats if self.base.nats else np.nan)
        return frame

    @property
    def spread(self) -> dict[str, tuple[float, float]]:
        """Smallest and largest bias of every choice, the base included."""
        out: dict[str, tuple[float, float]] = {}
        for choice, _, nats, _ in self.rows:
            if not np.isnan(nats):
                low, high = out.get(choice, (self.base.nats, self.base.nats))
                out[choice] = (min(low, nats), max(high, nats))
        return out

    @property
    def table(self) -> Table:
        """For a terminal."""
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD)
        for name in ("choice", "value", "nats", "times the base"):
            table.add_column(name, justify="left" if name in ("choice", "value") else "right")
        for choice, value, nats, note in self.rows:
            ratio = f"{nats / self.base.nats:.3g}" if self.base.nats else ""
            shown = (f"{nats:,.5g}", ratio) if not note else (note, "")
            table.add_row(choice, value, *shown)
        return table


def sensitivity(
    space: Any,
    X_train: Any,
    y_train: Any,
    X_test: Any,
    y_test: Any,
    target_error: float,
    *,
    choices: Mapping[str, Sequence[Any]] | None = None,
    task: str = "auto",
    loss: str | None = None,
    size: int | None = None,
    seed: Any = 0,
) -> Sensitivity:
    """The bias at other target errors, prior scales, bandwidths, jitters and test set sizes.

    Parameters
    ----------
    space, X_train, y_train, X_test, y_test, target_error, task, loss, size, seed
        As in `inductive_bias`.
    choices : mapping of str to sequence, optional
        Fields of the space with the values to try, instead of halves and doubles of its scales
        and of its kernel's bandwidth, and jitters over decades.

    Returns
    -------
    Sensitivity

    Notes
    -----
    By its definition the bias depends on the target error and on the base distribution; numbers
    are comparable only where both are the same.
    """
    _check("auto", "test", target_error, 0.95)
    ready = prepare(space, X_train, y_train, X_test, y_test, task=task)
    x, rng = float(target_error), as_random(seed)
    given: dict[str, Any] = {"loss": loss, "size": size, "rng": rng.spawn("hypotheses")}
    base = measure(ready, x, **given)
    rows = []
    for factor in FACTORS:
        nats = measure(ready, factor * x, **given).nats
        rows.append(("target_error", f"{factor * x:g}", nats, ""))
    if len(ready.y_test) > 1:
        half = half_sample(ready, x, loss=loss, size=size, rng=rng)
        rows.append(
            ("test points", f"{len(ready.y_test) // 2} (median of random halves)", half, "")
        )
    for name, value, other in _variants(ready.space, choices):
        rows.append((name, value, *_try(ready, other, x, given)))
    return Sensitivity(base, tuple(rows))


def _try(ready: Task, other: Any, x: float, given: dict[str, Any]) -> tuple[float, str]:
    try:
        return measure(ready.with_space(other()), x, **given).nats, ""
    except InputError as error:
        return float("nan"), str(error)


def _variants(
    space: Any, choices: Mapping[str, Sequence[Any]] | None
) -> list[tuple[str, str, Any]]:
    """Name, value, and a function that makes the space."""
    names = [f.name for f in dataclasses.fields(space) if f.init] if _is_plain(space) else []
    if choices is not None:
        unknown = sorted(set(choices) - set(names))
        if unknown:
            raise InputError(
                f"choices has {unknown[0]!r}, which {type(space).__name__} has not; expected some "
                f"of {', '.join(names)}"
            )
        return [_variant(space, name, v) for name, values in choices.items() for v in values]
    out = []
    for name in SCALES:
        if name in names and getattr(space, name):
            out += [_variant(space, name, factor * getattr(space, name)) for factor in FACTORS]
    if isinstance(getattr(space, "kernel", None), Kernel):
        out += _bandwidths(space)
    if "jitter" in names and not space.noise:
        out += [_variant(space, "jitter", j) for j in JITTERS if j != space.jitter]
    return out


def _bandwidths(space: Any) -> list[tuple[str, str, Any]]:
    kernel = space.kernel
    out = []
    for name in BANDWIDTHS:
        if kernel.name in NAMED and name in kernel.parameters:
            for factor in FACTORS:
                settings = {**kernel.parameters, name: factor * kernel.parameters[name]}
                value = f"{settings[name]:g}"
                other = NAMED[kernel.name](**settings)
                label, _, make = _variant(space, "kernel", other)
                out.append((f"{label} {name}", value, make))
    return out


def _variant(space: Any, name: str, value: Any) -> tuple[str, str, Any]:
    shown = f"{value:g}" if isinstance(value, int | float | np.number) else str(value)
    return name, shown, lambda: dataclasses.replace(space, **{name: value})


def _is_plain(space: Any) -> bool:
    """Whether the space is made from its fields (tables are not)."""
    from tlstat.inductive_bias.spaces.finite import FiniteSpace

    return dataclasses.is_dataclass(space) and not isinstance(space, FiniteSpace)
