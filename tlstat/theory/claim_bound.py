"""Claims about the size of a metric: at_most, at_least, equals, between, and with probability."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.theory.bound_cards import card
from tlstat.theory.claim_base import (
    ADVICE,
    BaseClaim,
    cell_row,
    curve_key,
    no_evidence,
    quoted,
    require_bound,
    scope_of,
    validity,
)
from tlstat.theory.comparisons import (
    Combined,
    Comparison,
    combine,
    combine_largest,
    needed_replicates,
    refuting_tests,
)
from tlstat.theory.evidence import Evidence, bound_value, gather, is_bound, parameters
from tlstat.theory.measures import TIE, ExactValue, Frequency, measure_of
from tlstat.theory.verdict import Outcome, number

RARE = 0.01  # a "surely" claim is supported when violations are rarer than this
NUMERIC = 1e-8  # two exact values agree when they differ by less than this, relatively
SLACK = 1e-9


@dataclass(frozen=True, eq=False, kw_only=True)
class BoundClaim(BaseClaim):
    """A metric compared with edges, cell by cell (see :mod:`tlstat.theory.claims`)."""

    kind: str = "at_most"
    statistic: str | float = "mean"
    delta: float | None = None
    surely: bool = False
    over: str | None = None
    lower: Any = None
    upper: Any = None
    atol: float | None = None
    rtol: float | None = None

    def __post_init__(self) -> None:
        for name in ("lower", "upper") if self.kind == "between" else ("bound",):
            require_bound(getattr(self, name), name)
        super().__post_init__()
        stat = self.statistic
        quantile = isinstance(stat, int | float) and not isinstance(stat, bool) and 0 < stat < 1
        if stat not in ("mean", "median") and not quantile:
            raise InputError(f"statistic must be 'mean', 'median' or in (0, 1), got {stat!r}")
        if self.delta is not None and not 0 < self.delta < 1:
            raise InputError(f"delta must be a probability in (0, 1), got {self.delta!r}")
        if self.over not in (None, "prior", "family"):
            raise InputError(f"over must be 'prior' or 'family', got {self.over!r}")
        for bound in (self.bound, self.lower, self.upper):
            if is_bound(bound):
                self._check_bound(bound)

    def _check_bound(self, bound: Any) -> None:
        if getattr(bound, "free", ()) and not set(bound.free) <= set(self.at or {}):
            raise InputError(
                f"{bound.name!r} has unspecified constants ({', '.join(bound.free)}), so it is a "
                "rate, not a number: claim rate(..., side='upper') instead, or give them in at="
            )
        wants = {"at_most": ("upper", "exact"), "at_least": ("lower", "exact")}.get(self.kind)
        if wants and bound.kind not in wants and bound.kind != "rate":
            raise InputError(
                f"{self.kind} needs an {wants[0]} bound, {bound.name!r} is {bound.kind}"
            )
        below = self.kind == "at_least" or bound is self.lower
        if below and bound.scope != "every instance" and self.over is None:
            raise InputError(
                f"{bound.name!r} is a lower bound over {bound.scope!r}: it says nothing about one "
                "learner on one instance; say over='prior' if the metric averages over the prior "
                "that the bound is about, or over='family' (with along=, the axis of the family) "
                "if the largest mean is meant"
            )

    @property
    def probability(self) -> bool:
        """Whether the claim is about P(metric beyond the bound) <= delta."""
        return self.kind in ("at_most", "at_least") and (
            self.delta is not None
            or (is_bound(self.bound) and self.bound.sense == "probability" and not self.surely)
        )

    @property
    def counted(self) -> bool:
        """Whether violations are counted."""
        return self.probability or self.surely

    def check(self, study: Any) -> None:
        super().check(study)
        from tlstat.theory.evidence import selected_cells

        if self.probability and self.delta is None and "delta" not in (self.at or {}):
            cells = selected_cells(self, study)
            if "delta" not in cells[0] and study.model is None:
                raise InputError(
                    f"claim {self.name!r}: the bound holds with probability 1 - delta; give delta= "
                    "or make delta a parameter of the cells"
                )
        if self.kind == "equals" and isinstance(self.bound, int | float) and self.bound == 0:
            self._need_atol()

    def _need_atol(self) -> None:
        if self.atol is None:
            raise InputError(
                f"claim {self.name!r}: the value is 0, where no relative tolerance makes sense; "
                "give atol="
            )

    def warnings(self, study: Any) -> list[str]:
        """Probability claims that no outcome could support with these replicates."""
        if not self.counted or not study.replicates:
            return []
        edge = RARE if self.surely else (self.delta or 0.05) * (1 + self.tolerance)
        least = math.ceil(math.log(0.01) / math.log1p(-edge))
        if study.replicates >= least:
            return []
        return [
            f"claim {self.name!r}: even without a violation {study.replicates} replicates cannot "
            f"support it at level 0.01; at least {least} are needed"
        ]

    def sentence(self, study: Any, cells: Sequence[Any]) -> str:
        """What is judged, in words."""
        subject = self._subject()
        where = scope_of(cells, self.where)
        if self.kind == "between":
            return f"{subject} lies between {quoted(self.lower)} and {quoted(self.upper)}{where}"
        relation = {"at_most": "at most", "at_least": "at least", "equals": "equal to"}[self.kind]
        tolerance = f" (within {self.tolerance:.3g})" if self.tolerance else ""
        if self.surely:
            return f"{self.metric} is always {relation} {quoted(self.bound)}{where}"
        if self.probability:
            delta = "delta" if self.delta is None else f"{self.delta:g}"
            return (
                f"{self.metric} is {relation} {quoted(self.bound)} with probability at least "
                f"1 - {delta}{where}"
            )
        if self.kind == "equals" and self.atol is not None:
            tolerance = f" (within {self.atol:.3g} absolutely)"
        return f"{subject} is {relation} {quoted(self.bound)}{tolerance}{where}"

    def _subject(self) -> str:
        if self.statistic == "mean":
            text = f"the mean of {self.metric}"
        elif self.statistic == "median":
            text = f"the median of {self.metric}"
        else:
            text = f"the {self.statistic:g} quantile of {self.metric}"
        if self.over == "family":
            return f"the largest (over {self.along or 'the family'}) of {text}"
        return f"{text}, averaged over the prior," if self.over == "prior" else text

    # -- judging

    def test(self, study: Any, results: Any, level: float) -> Outcome:
        """Compare every cell with its edges; all must agree, one that does not refutes."""
        evidence = gather(self, study, results)
        if not evidence.samples:
            return no_evidence(evidence)
        items = self.compare(evidence)
        combined = self._combine(items, level)
        largest = self.largest
        share = level if largest else level / refuting_tests(items, False)
        binding = max(items, key=Comparison.excess)
        veto_s = evidence.veto or _explain(combined.reason_supported, evidence)
        veto_r = evidence.veto or _explain(combined.reason_refuted, evidence)
        if veto := _trend(items, share):
            veto_s = veto_r = veto_s or veto
        needed = needed_replicates(items, level)
        stuck = bool(evidence.veto) or veto_s.startswith("DEPENDENT")
        return Outcome(
            p_supported=1.0 if stuck else combined.p_supported,
            p_refuted=1.0 if stuck else combined.p_refuted,
            estimate=binding.measure.estimate,
            interval=binding.measure.interval(share),
            predicted=binding.target,
            replicates=min(i.measure.replicates for i in items),
            validity=validity(combined.methods),
            validity_refuted=validity(combined.methods_refuted),
            margin=_margin(binding),
            veto_supported=veto_s,
            veto_refuted=veto_r,
            advice=ADVICE.get((veto_s or veto_r).split(":")[0], ""),
            needed=math.ceil(needed) if math.isfinite(needed) else None,
            exact=all(i.measure.exact for i in items),
            cells=tuple(_row(i, share, self.kind == "between") for i in items),
            dropped=tuple(evidence.dropped),
            assumptions=evidence.assumptions,
            power=lambda: card(self, items, evidence, level),
        )

    @property
    def largest(self) -> bool:
        """Whether the largest mean over the family is compared."""
        return self.kind == "at_least" and self.over == "family" and self.along is not None

    def _combine(self, items: list[Comparison], level: float) -> Combined:
        if self.largest:
            return combine_largest(items, level)
        return combine(items, level, pooled=self.kind == "equals")

    def compare(self, evidence: Evidence, scale: float = 1.0) -> list[Comparison]:
        """Every cell beside its edges; ``scale`` multiplies the bound of a counted claim."""
        pairs = zip(evidence.samples, evidence.models, strict=True)
        return [self._item(sample, model, scale) for sample, model in pairs]

    def _item(self, sample: Any, model: Any, scale: float = 1.0) -> Comparison:
        cell = sample.cell
        if self.kind == "between":
            low = bound_value(self.lower, cell, model, self)
            high = bound_value(self.upper, cell, model, self)
            measure = measure_of(sample, self.statistic)
            return Comparison(cell, measure, high, self._above(high), self._below(low), group=None)
        b = bound_value(self.bound, cell, model, self)
        if self.counted:
            return self.count(sample, model, b * scale)
        measure = measure_of(sample, self.statistic)
        if self.kind == "equals":
            return self._equal(sample, measure, b)
        group = curve_key(cell, self.along) if self.largest and self.along else None
        if self.kind == "at_most":
            return Comparison(cell, measure, b, self._above(b), None, group=group)
        return Comparison(cell, measure, b, None, self._below(b), group=group)

    def _above(self, b: float) -> tuple[float, float]:
        return b, b + self.tolerance * abs(b)

    def _below(self, b: float) -> tuple[float, float]:
        return b, b - self.tolerance * abs(b)

    def _equal(self, sample: Any, measure: Any, c: float) -> Comparison:
        if c == 0:
            self._need_atol()
        exact = isinstance(measure, ExactValue)
        slack = (NUMERIC if exact else SLACK) * abs(c)
        if self.atol is not None:
            width = max(self.atol, 0.0 if self.rtol is None else self.rtol * abs(c))
            slack = min(slack, width) if c else min(width, NUMERIC)
        elif exact and self.rtol is None:
            width = NUMERIC * abs(c)
        else:
            width = max(self.tolerance * abs(c), slack)
        return Comparison(
            sample.cell,
            measure,
            c,
            (c + slack, c + width),
            (c - slack, c - width),
            group=sample.stream or None,
        )

    def count(self, sample: Any, model: Any, b: float) -> Comparison:
        """Violations of the bound, replicate by replicate (an exact value counts as one)."""
        sign = 1.0 if self.kind == "at_most" else -1.0
        if sample.exact is not None:
            exact = ExactValue(float(sample.exact.value), float(sample.exact.error))
            edge = (b, b)
            return Comparison(sample.cell, exact, b, *((edge, None) if sign > 0 else (None, edge)))
        excess = sign * (np.asarray(sample.values, float) - b)
        violations = Frequency(int(np.sum(excess > TIE * abs(b))), len(excess))
        if self.surely:
            return Comparison(sample.cell, violations, 0.0, (0.0, RARE))
        delta = self._delta(sample.cell, model)
        return Comparison(sample.cell, violations, delta, (delta, delta * (1 + self.tolerance)))

    def _delta(self, cell: Any, model: Any) -> float:
        if self.delta is not None:
            return self.delta
        found = (self.at or {}).get("delta", cell.get("delta"))
        if found is None and is_bound(self.bound):
            found = parameters(self.bound, cell, model, self).get("delta")
        if found is None:
            raise InputError(f"claim {self.name!r}: no delta in delta=, at=, or the cell")
        return float(found(cell, model) if callable(found) else found)


def _explain(reason: str, evidence: Evidence) -> str:
    if not reason:
        return ""
    if reason == "DEGENERATE":
        size = min((len(s.values) for s in evidence.samples if s.values is not None), default=1)
        return (
            f"DEGENERATE: all replicates equal; another value has probability <= {4.6 / size:.2g}"
        )
    if reason == "TAIL":
        worst = max(
            (s for s in evidence.samples if s.values is not None), key=lambda s: _top_share(s)[0]
        )
        share, effective = _top_share(worst)
        return (
            f"TAIL: N_eff = {effective:.0f}, the top 1 % of the replicates carries "
            f"{share:.0%} of the mean"
        )
    return str(reason)


def _top_share(sample: Any) -> tuple[float, float]:
    values = np.sort(np.abs(np.asarray(sample.values, float)))
    total, squares = float(values.sum()), float(np.sum(values**2))
    if total == 0:
        return 0.0, 0.0
    top = max(1, len(values) // 100)
    return float(values[-top:].sum()) / total, total**2 / squares


def _trend(items: Sequence[Comparison], level: float) -> str:
    """Betting bounds that cross: the replicates drift, they are not exchangeable."""
    for item in items:
        low, high = item.measure.interval(level)
        if low > high + TIE * abs(high):
            return "DEPENDENT: the replicates drift with their order; they are not exchangeable"
    return ""


def _margin(item: Comparison) -> str:
    if item.target == 0:
        return f"{number(item.measure.estimate)} against 0"
    return f"{number(item.measure.estimate / item.target)} of the bound"


def _row(item: Comparison, level: float, between: bool) -> dict[str, Any]:
    low, high = item.measure.interval(level)
    extra: dict[str, Any] = {}
    if between and item.lower is not None and item.upper is not None:
        extra = {"predicted_lower": item.lower[0], "predicted_upper": item.upper[0]}
    return cell_row(
        item.cell,
        estimate=item.measure.estimate,
        lower=low,
        upper=high,
        predicted=item.target,
        replicates=item.measure.replicates,
        **extra,
    )
