"""Many cells against their edges: intersection-union for SUPPORTED, Bonferroni for REFUTED.

A comparison holds one measure and up to two sides.  On each side there are two edges: the edge of
the true set T (a REFUTED needs evidence beyond it) and the edge of the tolerated set (a SUPPORTED
needs evidence inside it).  T lies inside the tolerated set, so one law can make only one kind of
error.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import ndtr

from tlstat.theory.measures import Mean, Measure, replicates_needed


@dataclass(frozen=True, eq=False)
class Comparison:
    """One cell: a measure, its target, and the edges (true, tolerated) above and below.

    ``strict`` is the measure that SUPPORTED uses where it differs (paired orderings judge
    (1-tolerance) X - Y, whose edge is 0, instead of estimating a scale).
    """

    cell: Any
    measure: Measure
    target: float
    upper: tuple[float, float] | None = None
    lower: tuple[float, float] | None = None
    strict: Measure | None = None
    group: Any = None

    @property
    def supporter(self) -> Measure:
        """The measure that SUPPORTED uses."""
        return self.measure if self.strict is None else self.strict

    @property
    def sides(self) -> int:
        """How many edges this cell has."""
        return (self.upper is not None) + (self.lower is not None)

    def excess(self) -> float:
        """How far the estimate is beyond its nearest edge of T, relative to the target."""
        scale = abs(self.target) or 1.0
        gaps = []
        if self.upper is not None:
            gaps.append((self.measure.estimate - self.upper[0]) / scale)
        if self.lower is not None:
            gaps.append((self.lower[0] - self.measure.estimate) / scale)
        return max(gaps)


@dataclass(frozen=True)
class Combined:
    """P-values over all cells, with methods, and the reason for which a side has no test."""

    p_supported: float
    p_refuted: float
    methods: tuple[str, ...]
    methods_refuted: tuple[str, ...]
    reason_supported: str
    reason_refuted: str


def combine(items: Sequence[Comparison], level: float, *, pooled: bool = False) -> Combined:
    """Judge all cells together.

    Parameters
    ----------
    items : sequence of Comparison
    level : float
        The claim's level; SUPPORTED uses it in every cell, REFUTED shares it among the sides.
    pooled : bool
        Also test the average of mean/target against 1 (equalities), at the cost of a factor 2.
    """
    supported = [side for item in items for side in _supported(item, level)]
    share = level / refuting_tests(items, pooled)
    refuted = [side for item in items for side in _refuted(item, share)]
    count = refuting_tests(items, False)
    p_refuted = min(1.0, count * min(p for p, _, _ in refuted))
    if pooled:
        p_refuted = min(1.0, 2 * min(p_refuted, pooled_p(items)))
    blocked = [r for _, _, r in refuted if r]
    return Combined(
        p_supported=max(p for p, _, _ in supported),
        p_refuted=p_refuted,
        methods=tuple(m for _, m, _ in supported),
        methods_refuted=tuple(m for _, m, _ in refuted),
        reason_supported=next((r for _, _, r in supported if r), ""),
        # one cell with evidence is enough to refute: a blocked cell matters only if all are
        reason_refuted=blocked[0] if len(blocked) == len(refuted) else "",
    )


def combine_largest(items: Sequence[Comparison], level: float) -> Combined:
    """Lower bounds on the largest mean of each group of cells (a maximum over a family).

    SUPPORTED needs one cell of every group above its edge (Bonferroni inside the group);
    REFUTED needs every cell of one group below it.
    """
    groups: dict[Any, list[Comparison]] = {}
    for item in items:
        groups.setdefault(item.group, []).append(item)
    p_supported, p_refuted, reasons = 0.0, 1.0, []
    methods: list[str] = []
    methods_refuted: list[str] = []
    for members in groups.values():
        above = [_supported(item, level / len(members))[0] for item in members]
        below = [_refuted(item, level / len(groups))[0] for item in members]
        p_supported = max(p_supported, min(1.0, len(members) * min(p for p, _, _ in above)))
        p_refuted = min(p_refuted, max(p for p, _, _ in below))
        methods += [m for _, m, _ in above]
        methods_refuted += [m for _, m, _ in below]
        reasons += [r for _, _, r in below if r]
    return Combined(
        p_supported,
        min(1.0, len(groups) * p_refuted),
        tuple(methods),
        tuple(methods_refuted),
        "",
        reasons[0] if reasons else "",
    )


def refuting_tests(items: Sequence[Comparison], pooled: bool) -> int:
    """Over how many tests REFUTED shares its level."""
    return max(1, sum(item.sides for item in items)) * (2 if pooled else 1)


def pooled_p(items: Sequence[Comparison]) -> float:
    """Two-sided p-value of "the average of mean/target is 1": one wrong constant everywhere.

    The average of ratios, not of their logarithms: the log's bias would shift it.  Cells of equal
    ``group`` (common random numbers) are averaged replicate by replicate.
    """
    usable = [i for i in items if isinstance(i.measure, Mean) and i.target != 0]
    if len(usable) < 2 or len(usable) < len(items):
        return 1.0
    groups: dict[Any, list[Comparison]] = {}
    for index, item in enumerate(usable):
        groups.setdefault(index if item.group is None else item.group, []).append(item)
    total, variance, third = 0.0, 0.0, 0.0
    for members in groups.values():
        size = min(len(i.measure.values) for i in members)  # type: ignore[attr-defined]
        rows = [i.measure.values[:size] / i.target for i in members]  # type: ignore[attr-defined]
        sums = np.sum(rows, axis=0)
        total += float(np.mean(sums))
        centred = sums - np.mean(sums)
        variance += float(np.mean(centred**2)) / max(size - 1, 1)
        third += float(np.mean(centred**3)) / size**2
    if variance <= 0 or abs(third) / variance**1.5 > 0.25:
        return 1.0
    z = (total - len(usable)) / math.sqrt(variance)
    return float(min(1.0, 2 * ndtr(-abs(z))))


def decide(items: Sequence[Comparison], level: float, *, pooled: bool = False) -> str:
    """KILLED, SURVIVED or WEAK: the verdict on a mutant, read off the cells' intervals.

    Equivalent to re-judging the same data (the intervals invert the tests) and much cheaper, as
    each cell's interval is computed once for all mutants.
    """
    share = level / refuting_tests(items, pooled)
    if any(_outside(item, share) for item in items):
        return "KILLED"
    if pooled and 2 * pooled_p(items) <= level:
        return "KILLED"
    return "SURVIVED" if all(_inside(item, level) for item in items) else "WEAK"


def shifted(items: Sequence[Comparison], factor: Callable[[Any], float]) -> list[Comparison]:
    """The same evidence against edges multiplied, cell by cell, by ``factor(cell)``."""
    out = []
    for item in items:
        f = factor(item.cell)
        out.append(
            replace(
                item,
                target=item.target * f,
                upper=_times(item.upper, f),
                lower=_times(item.lower, f),
            )
        )
    return out


def needed_replicates(items: Sequence[Comparison], level: float) -> float:
    """Replicates a cell that would decide the claim with power .9, the estimates being the truth.

    Inside the tolerated set everywhere: until every cell is shown inside.  Otherwise: until the
    most visible cell outside is shown outside.
    """
    outside, inside = [], []
    share = level / refuting_tests(items, False)
    for item in items:
        for edge, sign in ((item.upper, 1.0), (item.lower, -1.0)):
            if edge is None:
                continue
            room = sign * (edge[1] - item.supporter.estimate)
            beyond = sign * (item.measure.estimate - edge[0])
            if room >= 0 and not (beyond > 0 and room == 0):
                inside.append(replicates_needed(item.supporter, room, level, above=sign < 0))
            else:
                outside.append(replicates_needed(item.measure, beyond, share, above=sign > 0))
    finite = [n for n in (outside or inside) if not math.isnan(n)]
    if not finite:
        return math.nan
    return min(finite) if outside else max(finite)


def _supported(item: Comparison, level: float) -> list[tuple[float, str, str]]:
    out = []
    if item.upper is not None:
        out.append(item.supporter.less(item.upper[1], level))
    if item.lower is not None:
        out.append(item.supporter.greater(item.lower[1], level))
    return out


def _refuted(item: Comparison, level: float) -> list[tuple[float, str, str]]:
    out = []
    if item.upper is not None:
        out.append(item.measure.greater(item.upper[0], level))
    if item.lower is not None:
        out.append(item.measure.less(item.lower[0], level))
    return out


def _outside(item: Comparison, level: float) -> bool:
    low, high = item.measure.interval(level)
    above = item.upper is not None and low > item.upper[0] * (1 + 1e-12 * _sign(item.upper[0]))
    return above or (item.lower is not None and high < item.lower[0])


def _inside(item: Comparison, level: float) -> bool:
    low, high = item.supporter.interval(level)
    below = item.upper is None or high <= item.upper[1]
    return below and (item.lower is None or low >= item.lower[1])


def _times(edge: tuple[float, float] | None, factor: float) -> tuple[float, float] | None:
    return None if edge is None else (edge[0] * factor, edge[1] * factor)


def _sign(value: float) -> float:
    return -1.0 if value < 0 else 1.0
