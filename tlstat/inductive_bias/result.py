"""What `inductive_bias` returns."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True, repr=False)
class Bias:
    """Required inductive bias, and how it was found.

    Attributes
    ----------
    nats : float
        I(eps); ``inf`` if no hypothesis reaches the target error.
    interval : (float, float)
        In nats: error bounds of the computation for exact methods, a confidence interval
        otherwise.
    method : str
        "exact", "counted", "monte_carlo", "splitting", or the estimator asked for.
    event : str
        "test": error on the given test points. "population": of the law they come from.
    target_error, loss, level
        As asked.
    m, C : int or None, int
        Test points and outputs: where the law is continuous, I grows like
        ``(m C / 2) log(1/eps)``.
    n_eff : float or None
        ``2 dI / d log(1/(eps - e_0))``, between 0 and m C where all non-centralities vanish: how
        many outputs have to be right at this error.
    mean_error, smallest_error : float or None
        Of the hypotheses that fit.
    kept_share : float
        Share of the sampled hypotheses that fit the training data.
    notes : tuple of str
        What to know about this number.
    space : dict
        Settings and diagnostics of the space.
    details : dict
        Numbers of the method.
    """

    nats: float
    interval: tuple[float, float]
    method: str
    target_error: float
    loss: str
    m: int | None
    C: int
    level: float = 0.95
    event: str = "test"
    n_eff: float | None = None
    mean_error: float | None = None
    smallest_error: float | None = None
    kept_share: float = 1.0
    notes: tuple[str, ...] = ()
    space: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def bits(self) -> float:
        """The same in bits."""
        return self.nats / math.log(2)

    @property
    def per_output(self) -> float | None:
        """Nats per test output, for comparing test sets of different sizes."""
        return None if self.m is None else self.nats / (self.m * self.C)

    def replace(self, **changes: Any) -> Bias:
        """A copy with other values."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Everything, as JSON takes it: infinite numbers as text."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        out = {"nats": self.nats, "bits": self.bits, **values, "per_output": self.per_output}
        return _plain(out)

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"Bias({self.nats:.6g} nats, {self.bits:.6g} bits, [{low:.6g}, {high:.6g}], "
            f"{self.method}, {self.event} event, m={self.m}, C={self.C})"
        )

    @property
    def table(self) -> Table:
        """The numbers as a table for a terminal."""
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, show_header=False)
        table.add_column("")
        table.add_column("", overflow="fold")
        for name, value in self._rows():
            table.add_row(name, value)
        return table

    def _rows(self) -> list[tuple[str, str]]:
        low, high = self.interval
        rows = [
            ("inductive bias", f"{self.nats:,.6g} nats = {self.bits:,.6g} bits"),
            ("interval", f"[{low:,.6g}, {high:,.6g}] nats, {self._meaning()}"),
            ("method", self.method),
            ("event", f"{self.loss} error <= {self.target_error:g}, {self.event}"),
        ]
        if self.m is not None:
            rows.append(("test outputs", f"m = {self.m}, C = {self.C}"))
            rows.append(("nats per output", f"{self.per_output:.4g}"))
        if self.n_eff is not None:
            rows.append(("effective number", f"{self.n_eff:.4g} outputs"))
        if self.mean_error is not None:
            rows.append(("mean error", f"{self.mean_error:.4g} over hypotheses that fit"))
        if self.smallest_error:
            rows.append(("smallest error", f"{self.smallest_error:.4g}"))
        if self.kept_share < 1:
            rows.append(("fit the training data", f"{self.kept_share:.4g} of those drawn"))
        return rows

    def _meaning(self) -> str:
        if self.method in ("exact", "counted") and self.event != "population":
            return "error of the computation"
        return f"confidence {self.level:g}"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
