"""The ordering claim: the means increase along one axis in a stated order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.theory.claim_base import (
    ADVICE,
    BaseClaim,
    cell_row,
    curve_key,
    describe_where,
    no_evidence,
    scope_of,
    validity,
)
from tlstat.theory.comparisons import (
    Comparison,
    combine,
    decide,
    needed_replicates,
    refuting_tests,
)
from tlstat.theory.evidence import gather, selected_cells
from tlstat.theory.measures import ExactValue, Mean, Measure, WeightedDifference, measure_of
from tlstat.theory.power import PowerCard, make_card
from tlstat.theory.verdict import Outcome, number


@dataclass(frozen=True, eq=False, kw_only=True)
class Ordered(BaseClaim):
    """Neighbours in ``increasing`` have increasing means (see :func:`claims.ordered`)."""

    increasing: tuple[Any, ...] = ()
    margin: float | None = None
    kind: str = "ordered"

    def __post_init__(self) -> None:
        object.__setattr__(self, "increasing", tuple(self.increasing))
        super().__post_init__()
        if not self.along:
            raise InputError("ordered needs along=, the axis whose values are ordered")
        if len(self.increasing) < 2 or len(set(self.increasing)) < len(self.increasing):
            raise InputError(
                f"increasing must list at least two different values, got {self.increasing!r}"
            )
        if self.margin is not None and not self.margin >= 0:
            raise InputError(f"margin must be non-negative, got {self.margin!r}")

    def default_name(self) -> str:
        chain = " <= ".join(map(str, self.increasing))
        return f"ordered({self.metric}: {chain}{describe_where(self.where)})"

    def check(self, study: Any) -> None:
        super().check(study)
        found = {c[self.along] for c in selected_cells(self, study)}
        missing = [v for v in self.increasing if v not in found]
        if missing:
            raise InputError(
                f"claim {self.name!r}: increasing names {missing!r}, but {self.along} takes the "
                f"values {sorted(found, key=str)!r}"
            )

    def sentence(self, study: Any, cells: Sequence[Any]) -> str:
        """What is judged, in words."""
        if self.margin is not None:
            slack = f" (within {self.margin:g})"
        else:
            slack = f" (within {self.tolerance:g} of the mean)" if self.tolerance else ""
        return (
            f"the mean of {self.metric} increases in the order "
            f"{' <= '.join(map(str, self.increasing))} of {self.along}{slack}"
            + scope_of(cells, self.where, skip=str(self.along))
        )

    def test(self, study: Any, results: Any, level: float) -> Outcome:
        """Judge every pair of neighbours in every group of otherwise equal cells."""
        evidence = gather(self, study, results)
        groups = self._groups(evidence.samples)
        items, methods = self._items(groups, self.increasing)
        if not items:
            return no_evidence(evidence)
        combined = combine(items, level)
        share = level / refuting_tests(items, False)
        binding = max(items, key=lambda i: i.measure.estimate / (i.measure.se or 1.0))
        needed = needed_replicates(items, level)
        veto = evidence.veto
        veto_s = veto or _explain(combined.reason_supported)
        veto_r = veto or _explain(combined.reason_refuted)
        how = "paired" if all(methods) else "unpaired" if not any(methods) else "partly paired"
        pairing = "" if all(i.measure.exact for i in items) else f", {how} differences"
        return Outcome(
            p_supported=1.0 if veto else combined.p_supported,
            p_refuted=1.0 if veto else combined.p_refuted,
            estimate=binding.measure.estimate,
            interval=binding.measure.interval(share),
            predicted=0.0,
            replicates=min(i.measure.replicates for i in items),
            validity=validity(combined.methods) + pairing,
            validity_refuted=validity(combined.methods_refuted) + pairing,
            margin=f"largest step down {number(binding.measure.estimate)}",
            veto_supported=veto_s,
            veto_refuted=veto_r,
            advice=ADVICE.get((veto_s or veto_r).split(":")[0], ""),
            needed=math.ceil(needed) if math.isfinite(needed) else None,
            exact=all(i.measure.exact for i in items),
            cells=self._rows(groups, share),
            dropped=tuple(evidence.dropped),
            assumptions=evidence.assumptions,
            power=lambda: self._card(groups, level),
        )

    def _groups(self, samples: Sequence[Any]) -> list[dict[Any, Any]]:
        assert self.along is not None
        groups: dict[Any, dict[Any, Any]] = {}
        for sample in samples:
            if sample.cell[self.along] in self.increasing:
                key = curve_key(sample.cell, self.along)
                groups.setdefault(key, {})[sample.cell[self.along]] = sample
        return list(groups.values())

    def _items(
        self, groups: Sequence[dict[Any, Any]], order: Sequence[Any]
    ) -> tuple[list[Comparison], list[bool]]:
        items, paired = [], []
        for group in groups:
            present = [v for v in order if v in group]
            for first, second in zip(present[:-1], present[1:], strict=True):
                a, b = group[first], group[second]
                items.append(self._compare(a, b))
                paired.append(_paired(a, b))
        return items, paired

    def _compare(self, a: Any, b: Any) -> Comparison:
        """E(a) <= E(b): the difference must not be positive.

        With a non-negative metric the tolerated set "E a - E b <= tolerance times the larger mean"
        is exactly (1 - tolerance) E a <= E b: linear, so no scale is estimated.
        """
        difference = _difference(a, b, 1.0)
        if self.margin is not None:
            return Comparison(a.cell, difference, 0.0, (0.0, self.margin))
        if not self.tolerance:
            return Comparison(a.cell, difference, 0.0, (0.0, 0.0))
        if min(_low(a), _low(b)) >= 0:
            strict = _difference(a, b, 1.0 - self.tolerance)
            return Comparison(a.cell, difference, 0.0, (0.0, 0.0), strict=strict)
        scale = max(abs(_mean(a)), abs(_mean(b)))
        return Comparison(a.cell, difference, 0.0, (0.0, self.tolerance * scale))

    def _rows(self, groups: Sequence[dict[Any, Any]], level: float) -> tuple[dict[str, Any], ...]:
        rows = []
        for group in groups:
            for value in self.increasing:
                if value not in group:
                    continue
                measure = measure_of(group[value])
                low, high = measure.interval(level)
                rows.append(
                    cell_row(
                        group[value].cell,
                        estimate=measure.estimate,
                        lower=low,
                        upper=high,
                        predicted=math.nan,
                        replicates=measure.replicates,
                    )
                )
        return tuple(rows)

    def _card(self, groups: Sequence[dict[Any, Any]], level: float) -> PowerCard:
        reverse = tuple(reversed(self.increasing))
        mutants = [("order reversed", decide(self._items(groups, reverse)[0], level))]
        if len(self.increasing) > 2:
            for k in range(len(self.increasing) - 1):
                order = list(self.increasing)
                order[k], order[k + 1] = order[k + 1], order[k]
                label = f"{order[k + 1]} and {order[k]} swapped"
                mutants.append((label, decide(self._items(groups, order)[0], level)))
        return make_card(mutants, ["order reversed"])


def _paired(a: Any, b: Any) -> bool:
    return a.values is not None and b.values is not None and bool(a.stream) and a.stream == b.stream


def _difference(a: Any, b: Any, factor: float) -> Measure:
    """factor E(a) - E(b): replicate by replicate where the samples share their draws."""
    if a.exact is not None and b.exact is not None:
        value = factor * float(a.exact.value) - float(b.exact.value)
        return ExactValue(value, factor * float(a.exact.error) + float(b.exact.error))
    if _paired(a, b):
        size = min(len(a.values), len(b.values))
        x, y = np.asarray(a.values[:size], float), np.asarray(b.values[:size], float)
        low = factor * a.range[0] - b.range[1]
        high = factor * a.range[1] - b.range[0]
        return Mean(factor * x - y, (low, high))
    return WeightedDifference(measure_of(a), measure_of(b), factor)


def _low(sample: Any) -> float:
    return float(sample.exact.value) if sample.exact is not None else float(sample.range[0])


def _mean(sample: Any) -> float:
    return float(sample.exact.value if sample.exact is not None else np.mean(sample.values))


def _explain(reason: str) -> str:
    if reason == "DEGENERATE":
        return "DEGENERATE: all differences are equal"
    return f"{reason}: the differences' tail is too heavy" if reason == "TAIL" else reason
