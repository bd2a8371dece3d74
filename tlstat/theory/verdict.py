"""Verdicts: what the judge says about one claim, and a run's verdicts as a table.

A verdict is a sentence about "this metric, on these cells, in this range"; it never says
that a theorem is proved.  Nothing here computes a test: see :mod:`tlstat.theory.judge`.
"""

from __future__ import annotations

import enum
import html
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    import pandas
    from rich.table import Table

    from tlstat.theory.power import PowerCard


class Status(enum.Enum):
    """What the data say: both decisive answers need positive evidence."""

    SUPPORTED = "SUPPORTED"
    REFUTED = "REFUTED"
    INCONCLUSIVE = "INCONCLUSIVE"

    def __str__(self) -> str:
        return self.value


STYLES = {
    Status.SUPPORTED: ("bold green", "#1a7f37"),
    Status.REFUTED: ("bold red", "#cf222e"),
    Status.INCONCLUSIVE: ("bold yellow", "#9a6700"),
}

COLUMNS = (
    "status",
    "study",
    "claim",
    "estimate",
    "interval",
    "predicted",
    "replicates",
    "power",
)


@dataclass(frozen=True, eq=False)
class Verdict:
    """The judge's answer about one claim.

    Attributes
    ----------
    claim : Claim
        What was judged.
    status : Status
        SUPPORTED, REFUTED or INCONCLUSIVE.
    estimate, interval, predicted : float, (float, float), float
        The measured quantity in the claim's binding cell (a slope for a rate), its simultaneous
        interval, and what the bound says there.
    replicates : int
        Replicates per cell (the smallest); 0 for an exact result.
    validity : str
        On what the verdict rests: "exact", "finite-sample, range [0, 1]", "asymptotic, N_eff 201".
    power : PowerCard or None
        Which false versions of the claim the same data would have refuted.
    reason : str
        Why it is inconclusive, or what qualifies the answer ("" if nothing does).
    study, sentence, margin, advice : str
        The study's name, the sentence judged, the distance to the claim's edge, what to do.
    p_supported, p_refuted, level : float
        Raw p-values of the two nulls, and the level each was compared with.
    expected : bool
        Whether the status is the one that the claim's author expected.
    cells, dropped : tuple of dict
        The evidence cell by cell, and cells that were no evidence with the reason.
    assumptions : tuple of (name, statement, state)
        state is "checked", "not checked" or "violated".
    needed : int or None
        Replicates a cell that would decide the claim with power .9, None where unknown.
    windows : tuple of dict
        For rates: local fits on nested windows, for display only.
    """

    claim: Any
    status: Status
    estimate: float
    interval: tuple[float, float]
    predicted: float
    replicates: int
    validity: str
    power: PowerCard | None
    reason: str
    study: str = ""
    sentence: str = ""
    margin: str = ""
    advice: str = ""
    p_supported: float = 1.0
    p_refuted: float = 1.0
    level: float = 0.01
    expected: bool = True
    cells: tuple[dict[str, Any], ...] = ()
    dropped: tuple[dict[str, Any], ...] = ()
    assumptions: tuple[tuple[str, str, str], ...] = ()
    needed: int | None = None
    windows: tuple[dict[str, Any], ...] = ()
    family: int = 1

    @property
    def name(self) -> str:
        """The claim's name."""
        return str(getattr(self.claim, "name", self.claim))

    @property
    def label(self) -> str:
        """The status with its qualification, such as ``SUPPORTED (blunt)``."""
        blunt = self.power is not None and self.power.grade == "BLUNT"
        return (
            f"{self.status} (blunt)"
            if self.status is Status.SUPPORTED and blunt
            else str(self.status)
        )

    def to_dict(self) -> dict[str, Any]:
        """The verdict as plain types (for JSON): infinities and nan become ``None``."""
        out: dict[str, Any] = {
            "study": self.study,
            "claim": self.name,
            "kind": str(getattr(self.claim, "kind", "")),
            "status": str(self.status),
            "expected": self.expected,
            "expect": str(getattr(self.claim, "expect", "supported")),
            "sentence": self.sentence,
            "estimate": self.estimate,
            "interval": list(self.interval),
            "predicted": self.predicted,
            "replicates": self.replicates,
            "validity": self.validity,
            "margin": self.margin,
            "reason": self.reason,
            "advice": self.advice,
            "needed": self.needed,
            "p_supported": self.p_supported,
            "p_refuted": self.p_refuted,
            "level": self.level,
            "family": self.family,
            "power": None if self.power is None else self.power.to_dict(),
            "assumptions": [list(a) for a in self.assumptions],
            "cells": list(self.cells),
            "dropped": list(self.dropped),
            "windows": list(self.windows),
        }
        return _plain(out)

    def __str__(self) -> str:
        low, high = self.interval
        text = (
            f"{self.label}  {self.study}: {self.sentence}  estimate {number(self.estimate)} "
            f"[{number(low)}, {number(high)}], predicted {number(self.predicted)}, "
            f"{replicates_text(self)}; {self.validity}"
        )
        extra = "; ".join(part for part in (self.reason, self.advice) if part)
        return f"{text}. {extra}" if extra else text


class Verdicts(Sequence[Verdict]):
    """The verdicts of one run: a sequence that displays as a table.

    Parameters
    ----------
    verdicts : sequence of Verdict
    failures : int, default 0
        Blocks that failed.
    results : mapping, optional
        Study name to its ``Results``.
    """

    def __init__(
        self,
        verdicts: Sequence[Verdict] = (),
        *,
        failures: int = 0,
        results: Mapping[str, Any] | None = None,
    ) -> None:
        self._verdicts = tuple(verdicts)
        self.failures = int(failures)
        self.results: dict[str, Any] = dict(results or {})

    @overload
    def __getitem__(self, index: int) -> Verdict: ...
    @overload
    def __getitem__(self, index: slice) -> Verdicts: ...
    def __getitem__(self, index: int | slice) -> Verdict | Verdicts:
        if isinstance(index, slice):
            return Verdicts(self._verdicts[index], failures=self.failures, results=self.results)
        return self._verdicts[index]

    def __len__(self) -> int:
        return len(self._verdicts)

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self._verdicts)

    @property
    def all_expected(self) -> bool:
        """Whether every status is the expected one and no block failed."""
        return self.failures == 0 and all(v.expected for v in self)

    @property
    def exit_code(self) -> int:
        """0 as expected, 1 refuted (or a negative control that was not), 3 only inconclusive
        ones left, 4 blocks failed, 5 nothing collected."""
        if self.failures:
            return 4
        if not self._verdicts:
            return 5
        unexpected = [v for v in self if not v.expected]
        if any(v.status is not Status.INCONCLUSIVE or _is_control(v) for v in unexpected):
            return 1
        return 3 if unexpected else 0

    @property
    def counts(self) -> dict[str, int]:
        """How many verdicts have each status."""
        return {str(s): sum(v.status is s for v in self) for s in Status}

    def to_frame(self) -> pandas.DataFrame:
        """One row a verdict."""
        import pandas as pd

        rows = []
        for v in self:
            row = v.to_dict()
            low, high = v.interval
            row.update(estimate=v.estimate, lower=low, upper=high, predicted=v.predicted)
            row["grade"] = None if v.power is None else v.power.grade
            for key in ("interval", "power", "assumptions", "cells", "dropped", "windows"):
                del row[key]
            rows.append(row)
        return pd.DataFrame(rows)

    def to_json(self, *, indent: int | None = 2) -> str:
        """All verdicts as a JSON text."""
        content = {
            "verdicts": [v.to_dict() for v in self],
            "failures": self.failures,
            "exit_code": self.exit_code,
            "counts": self.counts,
        }
        return json.dumps(content, indent=indent, allow_nan=False, ensure_ascii=False)

    def __rich__(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        table = Table(title=None, show_lines=False, pad_edge=False)
        for column in COLUMNS:
            table.add_column(column, justify="right" if column == "replicates" else "left")
        for v in self:
            cells = [Text(part) for part in _row(v)]
            cells[0].stylize(STYLES[v.status][0])
            table.add_row(*cells)
        table.caption = self.summary()
        return table

    def summary(self) -> str:
        """One sentence: how many verdicts of each kind, and whether they were expected."""
        parts = [f"{count} {name}" for name, count in self.counts.items() if count]
        text = ", ".join(parts) or "no verdicts"
        surprises = sum(not v.expected for v in self)
        text += "; all as expected" if self.all_expected else f"; {surprises} not as expected"
        return text + (f"; {self.failures} blocks failed" if self.failures else "")

    def __str__(self) -> str:
        from rich.console import Console

        console = Console(width=150, color_system=None, force_terminal=False)
        with console.capture() as capture:
            console.print(self)
        return capture.get()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f"<th style='text-align:left'>{html.escape(c)}</th>" for c in COLUMNS)
        lines = []
        for v in self:
            texts = [html.escape(part) for part in _row(v)]
            colour = STYLES[v.status][1]
            texts[0] = f"<b style='color:{colour}'>{texts[0]}</b>"
            lines.append("<tr>" + "".join(f"<td>{t}</td>" for t in texts) + "</tr>")
        body = "".join(lines)
        caption = html.escape(self.summary())
        return (
            f"<table class='tlstat-verdicts'><caption>{caption}</caption>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


@dataclass(frozen=True)
class Outcome:
    """What a claim's test returns to the judge; a user's own claim returns one too.

    Only the two p-values are essential: ``p_supported`` is valid for "the claim is false by more
    than its tolerance", ``p_refuted`` for "the claim is true".  A veto is a reason for which one
    direction cannot be concluded (its p-value is then 1): ``veto_supported``, ``veto_refuted``.
    ``validity_refuted`` says on what a REFUTED rests, where that differs from ``validity``.
    ``power`` is the card, or a function that makes it when it is wanted.
    """

    p_supported: float
    p_refuted: float
    estimate: float = math.nan
    interval: tuple[float, float] = (-math.inf, math.inf)
    predicted: float = math.nan
    replicates: int = 0
    validity: str = ""
    validity_refuted: str = ""
    margin: str = ""
    veto_supported: str = ""
    veto_refuted: str = ""
    advice: str = ""
    needed: int | None = None
    exact: bool = False
    cells: tuple[dict[str, Any], ...] = ()
    dropped: tuple[dict[str, Any], ...] = ()
    assumptions: tuple[tuple[str, str, str], ...] = ()
    windows: tuple[dict[str, Any], ...] = ()
    power: PowerCard | Callable[[], PowerCard] | None = None
    note: str = ""


def number(value: float) -> str:
    """A float in at most four significant digits."""
    if value is None or math.isnan(value):
        return "-"
    return f"{value:.4g}"


def replicates_text(verdict: Verdict) -> str:
    """``400 replicates`` or ``0 replicates, exact``."""
    if verdict.validity.startswith("exact") and verdict.replicates == 0:
        return "0 replicates, exact"
    return f"{verdict.replicates} replicates"


def _row(v: Verdict) -> list[str]:
    low, high = v.interval
    graded = v.power is not None and v.status is not Status.REFUTED
    card = f"{v.power.grade.lower()} {v.power.score}" if graded and v.power else ""
    marker = "" if v.expected else " !"
    control = " (negative control)" if _is_control(v) else ""
    reason = f"\n{v.reason}" if v.reason else ""
    if v.status is Status.INCONCLUSIVE and v.advice:
        reason += f"\n{v.advice}"
    return [
        v.label + marker,
        v.study,
        v.sentence + control + reason,
        number(v.estimate),
        f"[{number(low)}, {number(high)}]",
        number(v.predicted),
        "exact" if v.validity.startswith("exact") and not v.replicates else str(v.replicates),
        card,
    ]


def _is_control(v: Verdict) -> bool:
    return getattr(v.claim, "expect", "supported") == "refuted"


def _plain(value: Any) -> Any:
    """Nested plain types: numpy scalars become Python's, non-finite floats ``None``."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, bool | str) or value is None:
        return value
    if hasattr(value, "item"):
        return _plain(value.item())
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)
