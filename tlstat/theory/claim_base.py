"""What all claims share: fields, checks of the arguments, sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tlstat.errors import InputError
from tlstat.theory.evidence import check_symbols, is_bound, selected_cells
from tlstat.theory.verdict import Outcome, number

ADVICE = {
    "TAIL": "the tail is too heavy for this many replicates: declare the metric's range, judge a "
    "quantile or a probability, or raise the replicates",
    "ZERO": "a cell has a zero mean or under 30 non-zero replicates: drop these cells or raise "
    "the replicates; at_most remains decidable",
    "DEGENERATE": "all replicates are equal: declare the metric's range, or return Exact",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class BaseClaim:
    """Fields of every claim.

    Attributes
    ----------
    metric : str
    where : mapping, optional
        Keeps the cells that match (name to value, to collection of values, or to predicate).
    at : mapping, optional
        Values of the bound's symbols that are neither in the cell nor on the model; a value may be
        a function of (cell, model).
    expect : {"supported", "refuted"}
        "refuted" marks a negative control.
    name : str
    """

    metric: str
    where: Mapping[str, Any] | None = None
    at: Mapping[str, Any] | None = None
    expect: str = "supported"
    name: str = ""
    kind: str = ""
    bound: Any = None
    along: str | None = None
    tolerance: float = 0.02

    def __post_init__(self) -> None:
        if not isinstance(self.metric, str) or not self.metric:
            raise InputError(f"metric must be the name of a metric, got {self.metric!r}")
        if self.expect not in ("supported", "refuted"):
            raise InputError(f"expect must be 'supported' or 'refuted', got {self.expect!r}")
        if not (isinstance(self.tolerance, int | float) and 0 <= self.tolerance < 1):
            raise InputError(f"tolerance must be a number in [0, 1), got {self.tolerance!r}")
        if self.bound is not None:
            require_bound(self.bound)
        if not self.name:
            object.__setattr__(self, "name", self.default_name())

    def default_name(self) -> str:
        """A name made of the kind, the metric, and the bound."""
        parts = [self.metric]
        if self.along:
            parts.append(f"along {self.along}")
        for name in ("bound", "lower", "upper"):
            if getattr(self, name, None) is not None:
                parts.append(describe(getattr(self, name)))
        where = describe_where(self.where)
        return f"{self.kind}({', '.join(parts)}{where})"

    def check(self, study: Any) -> None:
        """Raise InputError, before any work, where the claim cannot be judged on this study."""
        cells = selected_cells(self, study)
        if not cells:
            raise InputError(
                f"claim {self.name!r}: where={dict(self.where or {})!r} keeps no cell of study "
                f"{study.name!r}"
            )
        if self.along is not None and self.along not in cells[0]:
            raise InputError(
                f"claim {self.name!r}: along={self.along!r} is not a parameter of the cells "
                f"({', '.join(cells[0])})"
            )
        check_symbols(self, study, cells)

    def warnings(self, study: Any) -> list[str]:
        """What is legal but unwise: the claim could hardly be decided, or not sharply."""
        return []


def describe(bound: Any) -> str:
    """A bound in words: its name, the number, or the function's name."""
    if is_bound(bound):
        return str(bound.name)
    if callable(bound):
        name = str(getattr(bound, "__name__", "<lambda>"))
        return "a function of the cell" if name == "<lambda>" else name
    return number(float(bound))


def quoted(bound: Any) -> str:
    """As `describe`, with a bound's name in quotes so that it can stand in a sentence."""
    return f"“{describe(bound)}”" if is_bound(bound) else describe(bound)


def describe_where(where: Mapping[str, Any] | None) -> str:
    """``; level=hard`` and so on, "" without a selection."""
    if not where:
        return ""
    parts = []
    for key, value in where.items():
        if callable(value):
            text = getattr(value, "__name__", "...")
        elif isinstance(value, list | tuple | set | frozenset) and len(value) > 3:
            values = list(value)
            text = f"{values[0]}...{values[-1]}"
        else:
            text = value
        parts.append(f"{key}={text}")
    return "; " + ", ".join(parts)


def scope_of(cells: Sequence[Any], where: Mapping[str, Any] | None, skip: str = "") -> str:
    """``, for n in [100, 1e+06]``: the cells that were judged, or the selection before a run."""
    if not cells:
        return describe_where(where)
    text = describe_cells(cells, skip=(skip,))
    return f", for {text}" if text else ""


def describe_cells(cells: Sequence[Any], skip: Sequence[str] = ()) -> str:
    """The range of every parameter over the cells: ``n in [100, 1e+06], S = 10``."""
    if not cells:
        return "no cell"
    parts = []
    for key in cells[0]:
        if key in skip:
            continue
        values = list(dict.fromkeys(c[key] for c in cells if key in c))
        numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
        if len(values) == 1:
            value = values[0]
            parts.append(f"{key} = {number(float(value)) if numeric else value}")
        elif numeric:
            parts.append(f"{key} in [{number(float(min(values)))}, {number(float(max(values)))}]")
        else:
            parts.append(f"{key} in {{{', '.join(map(str, values))}}}")
    return ", ".join(parts)


def require_bound(bound: Any, name: str = "bound") -> None:
    """InputError unless ``bound`` is a Bound, a number or a function of (cell, model)."""
    if isinstance(bound, bool) or not (callable(bound) or isinstance(bound, int | float)):
        raise InputError(
            f"{name} must be a Bound, a number or a function of (cell, model), got {bound!r}"
        )


def no_evidence(evidence: Any) -> Outcome:
    """The outcome where every cell was dropped: both nulls stand."""
    reasons = list(dict.fromkeys(d["why"] for d in evidence.dropped)) or ["no cell has results"]
    why = "ASSUMPTION: no cell is evidence (" + "; ".join(reasons) + ")"
    return Outcome(
        1.0,
        1.0,
        veto_supported=why,
        veto_refuted=why,
        validity="no evidence",
        dropped=tuple(evidence.dropped),
        assumptions=evidence.assumptions,
        advice="choose cells inside the bound's validity and a model that meets its assumptions",
    )


def cell_row(cell: Any, **numbers: Any) -> dict[str, Any]:
    """One line of a verdict's evidence."""
    return {"cell": dict(cell), **numbers}


def curve_key(cell: Any, along: str) -> tuple[tuple[str, Any], ...]:
    """The cell's other parameters: cells of one key form a curve along ``along``."""
    return tuple((k, v) for k, v in cell.items() if k != along)


def validity(methods: Sequence[str]) -> str:
    """On what a verdict over several cells rests: the routes used, the weakest N_eff of each.

    A declared range is said to be checked, as the engine checks it on every replicate.
    """
    counts: dict[str, float] = {}
    for method in methods:
        head, mark, tail = method.rpartition(" ")
        if mark and tail.replace(".", "", 1).isdigit() and head.endswith(("N_eff", "df")):
            counts[head] = min(counts.get(head, math.inf), float(tail))
        elif "range [" in method and "checked" not in method:
            counts.setdefault(f"{method} declared and checked on every replicate", math.nan)
        else:
            counts.setdefault(method, math.nan)
    texts = [key if math.isnan(n) else f"{key} {n:.0f}" for key, n in counts.items()]
    return "; ".join(sorted(texts, key=lambda t: (not t.startswith("asymptotic"), t)))
