"""What `certify` returns: the certificate, the bounds beside it, and what it relies on."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas
    from rich.table import Table

DIGITS = 4
CHOSEN, COMPARED, SHARED = "chosen beforehand", "not chosen", "shares delta"


def shown(value: float, digits: int = DIGITS) -> str:
    """An upper limit in decimals, rounded up: what is printed is a certificate too."""
    return str(Decimal(float(value)).quantize(Decimal(1).scaleb(-digits), ROUND_CEILING))


def confidence(delta: float) -> str:
    """``1 - delta`` as a text that never says 1."""
    return f"{1 - delta:.10g}" if delta >= 1e-9 else f"1 - {delta:.6g}"


@dataclass(frozen=True)
class BoundRow:
    """One bound on the risk of the selected candidate.

    Attributes
    ----------
    name, title : str
        Its key in ``CERTIFICATES``, and in words.
    value : float
        The upper limit.
    status : str
        "chosen beforehand", "not chosen" (for comparison only) or "shares delta".
    source : str
    """

    name: str
    title: str
    value: float
    status: str
    source: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class CertifyResult:
    """A selected candidate and the certificate on its risk.

    Attributes
    ----------
    selected : int
        Column of the selected candidate.
    name : str
        Its name.
    bound : float
        The certificate: with probability at least ``1 - delta`` the risk is at most this.
    errors : float
        Sum of its losses; a count for 0/1 losses.
    n : int
        Number of examples.
    delta : float
        Probability that the certificates, all together, fail.
    candidates : float
        Size of the class, with the candidates that were never scored; ``inf`` for an unlimited
        stream.
    weights : str
        "uniform", "rank", "dyadic" or "given".
    bounds : tuple of BoundRow
        The primary bound first.
    names : tuple of str
        One a column.
    risks, certificates : ndarray, shape (columns,)
        Mean loss and primary certificate of every column; these hold simultaneously.
    assumptions : tuple of (name, statement)
        What the certificate relies on.
    shared : bool
        Whether the bounds share delta, so that the smallest is the certificate.
    counted : bool
        Whether all losses are 0 or 1.
    """

    selected: int
    name: str
    bound: float
    errors: float
    n: int
    delta: float
    candidates: float
    weights: str
    bounds: tuple[BoundRow, ...]
    names: tuple[str, ...]
    risks: np.ndarray
    certificates: np.ndarray
    assumptions: tuple[tuple[str, str], ...]
    shared: bool = False
    counted: bool = False

    @property
    def risk(self) -> float:
        """Mean loss of the selected candidate on the examples."""
        return float(self.risks[self.selected])

    @property
    def vacuous(self) -> bool:
        """Whether the certificate says nothing."""
        return self.bound >= 1

    @property
    def statement(self) -> str:
        """The certificate in one sentence, with its quantifiers."""
        size = (
            "an unlimited stream of" if math.isinf(self.candidates) else f"{self.candidates:,.6g}"
        )
        every = "" if self.candidates == 1 else f", simultaneously for {size} candidates,"
        text = (
            f"With probability at least {confidence(self.delta)} over the draw of the {self.n:,} "
            f"examples{every} the risk is at most the certificate; for {self.name!r}, with "
            f"{self._seen}, it is {shown(self.bound)}."
        )
        return text + (" That is vacuous: it says nothing." if self.vacuous else "")

    @property
    def _seen(self) -> str:
        if not self.counted:
            return f"a total loss of {self.errors:.6g} on {self.n:,} examples"
        return f"{self.errors:,.0f} error{'' if self.errors == 1 else 's'} on {self.n:,} examples"

    @property
    def table(self) -> Table:
        """The bounds as a table of `rich`; values are rounded up."""
        from rich.table import Table
        from rich.text import Text

        title = f"risk of {self.name!r}, {self._seen}"
        table = Table(title=Text(title), title_justify="left")
        for column in COLUMNS:
            table.add_column(column, justify="right" if column == "certificate" else "left")
        for row in self.bounds:
            style = "bold" if row.status == CHOSEN else "" if self.shared else "dim"
            table.add_row(*(Text(cell, style=style) for cell in _cells(row)))
        return table

    def to_frame(self) -> pandas.DataFrame:
        """One row a bound on the selected candidate."""
        import pandas as pd

        rows = [{c: getattr(r, c) for c in ("name", "title", "value", "status", "source")}
                for r in self.bounds]  # fmt: skip
        return pd.DataFrame(rows)

    def candidates_frame(self) -> pandas.DataFrame:
        """One row a column: its mean loss and primary certificate, which hold simultaneously."""
        import pandas as pd

        chosen = np.arange(len(self.names)) == self.selected
        columns = {"risk": self.risks, "certificate": self.certificates, "selected": chosen}
        return pd.DataFrame(columns, index=pd.Index(self.names, name="candidate"))

    def to_dict(self) -> dict[str, Any]:
        """Everything about the selected candidate, as plain types."""
        plain = ("selected", "name", "bound", "risk", "errors", "n", "delta", "weights", "shared")
        out = {field: getattr(self, field) for field in plain}
        out["candidates"] = None if math.isinf(self.candidates) else self.candidates
        out["statement"] = self.statement
        out["bounds"] = [vars(row).copy() for row in self.bounds]
        out["assumptions"] = [list(pair) for pair in self.assumptions]
        return out

    def __float__(self) -> float:
        return self.bound

    def __repr__(self) -> str:
        return (
            f"<CertifyResult {self.name!r}: risk at most {shown(self.bound)} "
            f"with probability {confidence(self.delta)}>"
        )

    def __rich__(self) -> Table:
        return self.table

    def _repr_html_(self) -> str:
        def row(cells: tuple[str, ...], tag: str) -> str:
            inside = "".join(
                f"<{tag} style='text-align:left'>{html.escape(c)}</{tag}>" for c in cells
            )
            return f"<tr>{inside}</tr>"

        body = "".join(row(_cells(r), "td") for r in self.bounds)
        return (
            f"<p>{html.escape(self.statement)}</p>"
            f"<table><thead>{row(COLUMNS, 'th')}</thead><tbody>{body}</tbody></table>"
        )


COLUMNS = ("bound", "certificate", "status", "source")


def _cells(row: BoundRow) -> tuple[str, ...]:
    return (row.title, shown(row.value), row.status, row.source)
