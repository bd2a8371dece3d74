"""Power cards of bound claims: would a wrong constant, or a bound too small, have been refuted?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tlstat.theory.comparisons import (
    Comparison,
    combine_largest,
    decide,
    refuting_tests,
    shifted,
)
from tlstat.theory.evidence import Evidence, is_bound, parameters
from tlstat.theory.power import (
    PowerCard,
    centred_tilts,
    factor_resolution,
    make_card,
    tightening,
)

if TYPE_CHECKING:
    from tlstat.theory.claim_bound import BoundClaim


def card(claim: BoundClaim, items: list[Comparison], evidence: Evidence, level: float) -> PowerCard:
    """The mutants of ``claim``, judged on the same evidence."""
    if claim.counted:
        return _counted_card(claim, items, evidence, level)
    if claim.kind == "equals":
        return _equal_card(claim, items, evidence, level)
    if claim.kind == "between":
        return _between_card(claim, items, level)
    return _bound_card(claim, items, level)


def _bound_card(claim: BoundClaim, items: list[Comparison], level: float) -> PowerCard:
    upper = claim.kind == "at_most"
    factors: list[tuple[str, Callable[[Any], float]]] = [
        (f"constant x {f:g}", _constant(f)) for f in ((0.5, 0.25, 0.1) if upper else (2, 4, 10))
    ]
    cells = [i.cell for i in items]
    factors += tightening(cells, _symbols(claim.bound), upper)
    mutants = [(label, _decide(claim, shifted(items, f), level)) for label, f in factors]
    measured = 0.8 if upper else 1.25
    label = f"bound at {measured:g} x the measured value"
    mutants.append((label, _decide(claim, _at_measured(items, measured), level)))
    return make_card(
        mutants,
        [label],
        None if claim.largest else _tightness(items, level, upper),
        factor_resolution(_relative_error(items), level),
    )


def _decide(claim: BoundClaim, items: list[Comparison], level: float) -> str:
    if not claim.largest:
        return decide(items, level, pooled=claim.kind == "equals")
    combined = combine_largest(items, level)
    if combined.p_refuted <= level:
        return "KILLED"
    return "SURVIVED" if combined.p_supported <= level else "WEAK"


def _equal_card(
    claim: BoundClaim, items: list[Comparison], evidence: Evidence, level: float
) -> PowerCard:
    cells = [i.cell for i in items]
    factors: list[tuple[str, Callable[[Any], float]]] = [
        (f"constant x {f:g}", _constant(f)) for f in (1.05, 1.1, 0.5, 2.0)
    ]
    tilts = centred_tilts(cells, _symbols(claim.bound))
    mutants = [
        (label, decide(shifted(items, f), level, pooled=True)) for label, f in factors + tilts
    ]
    mutants += _dropped_terms(claim, items, evidence, level)
    essential = ["constant x 0.5", "constant x 2", *(label for label, _ in tilts)]
    low = max((i.measure.interval(level)[0] / i.target for i in items if i.target > 0),
              default=math.nan)  # fmt: skip
    high = min((i.measure.interval(level)[1] / i.target for i in items if i.target > 0),
               default=math.nan)  # fmt: skip
    ratio = float(np.mean([i.measure.estimate / i.target for i in items if i.target] or [1.0]))
    band = (low, high, ratio) if low <= high else None
    return make_card(mutants, essential, band, factor_resolution(_relative_error(items), level))


def _dropped_terms(
    claim: BoundClaim, items: list[Comparison], evidence: Evidence, level: float
) -> list[tuple[str, str]]:
    """The bound without each of its additive terms, where it has a symbolic form."""
    expr = getattr(claim.bound, "expr", None)
    if expr is None or not getattr(expr, "is_Add", False):
        return []
    out = []
    pairs = list(zip(items, evidence.samples, evidence.models, strict=True))
    for term in expr.args:
        ratios = []
        for item, sample, model in pairs:
            values = parameters(claim.bound, sample.cell, model, claim)
            named = {s: values[s.name] for s in term.free_symbols}
            ratios.append(1 - float(term.subs(named)) / item.target if item.target else 1.0)
        if max(abs(r - 1) for r in ratios) <= 1e-6:
            continue
        by_cell = dict(zip((id(i.cell) for i in items), ratios, strict=True))
        mutant = shifted(items, lambda cell, table=by_cell: table[id(cell)])  # type: ignore[misc]
        out.append((f"without the term {term}", decide(mutant, level, pooled=True)))
    return out


def _between_card(claim: BoundClaim, items: list[Comparison], level: float) -> PowerCard:
    lower = [replace(i, lower=_double(i.lower, 2.0)) for i in items]
    upper = [replace(i, upper=_double(i.upper, 0.5)) for i in items]
    mutants = [
        ("lower bound x 2", decide(lower, level)),
        ("upper bound x 0.5", decide(upper, level)),
    ]
    near_low = [replace(i, lower=_edge(1.25 * i.measure.estimate)) for i in items]
    near_high = [replace(i, upper=_edge(0.8 * i.measure.estimate)) for i in items]
    essential = [
        ("lower bound at 1.25 x the measured value", decide(near_low, level)),
        ("upper bound at 0.8 x the measured value", decide(near_high, level)),
    ]
    return make_card(
        mutants + essential,
        [label for label, _ in essential],
        None,
        factor_resolution(_relative_error(items), level),
    )


def _counted_card(
    claim: BoundClaim, items: list[Comparison], evidence: Evidence, level: float
) -> PowerCard:
    """Other thresholds, counted anew; the essential one is next to the measured quantile."""
    scales = (0.5, 0.25) if claim.kind == "at_most" else (2.0, 4.0)
    mutants = [(f"bound x {s:g}", decide(claim.compare(evidence, s), level)) for s in scales]
    if claim.probability:
        halved = shifted(items, _constant(0.5)) if not items[0].measure.exact else items
        mutants.append(("delta / 2", decide(halved, level)))
    factor = 0.8 if claim.kind == "at_most" else 1.25
    label = f"bound at {factor:g} x the measured quantile"
    near = []
    for item, sample, model in zip(items, evidence.samples, evidence.models, strict=True):
        if sample.exact is not None:
            continue
        q = 1.0 if claim.surely else 1 - item.target
        q = q if claim.kind == "at_most" else 1 - q
        edge = factor * float(np.quantile(np.asarray(sample.values, float), q))
        near.append(claim.count(sample, model, edge))
    if near:
        mutants.append((label, decide(near, level)))
    return make_card(mutants, [label], None, None)


def _symbols(bound: Any) -> tuple[str, ...]:
    return tuple(map(str, bound.symbols)) if is_bound(bound) else ()


def _constant(factor: float) -> Callable[[Any], float]:
    return lambda cell: factor


def _edge(value: float) -> tuple[float, float]:
    return value, value


def _double(edge: tuple[float, float] | None, factor: float) -> tuple[float, float] | None:
    return None if edge is None else (edge[0] * factor, edge[1] * factor)


def _at_measured(items: Sequence[Comparison], factor: float) -> list[Comparison]:
    out = []
    for item in items:
        edge = _edge(factor * item.measure.estimate)
        out.append(
            replace(
                item,
                target=edge[0],
                upper=edge if item.upper is not None else None,
                lower=edge if item.lower is not None else None,
            )
        )
    return out


def _relative_error(items: Sequence[Comparison]) -> float:
    errors = [i.measure.se / abs(i.measure.estimate) for i in items if i.measure.estimate]
    return max(errors, default=math.inf)


def _tightness(
    items: Sequence[Comparison], level: float, upper: bool
) -> tuple[float, float, float] | None:
    """[L, U] of the factors that would be neither refuted nor supported at tolerance 0.

    Inverting each cell's interval gives the same ends as a bisection over factors.
    """
    if any(i.target <= 0 for i in items):
        return None
    share = level / refuting_tests(items, False)
    ratios = [i.measure.estimate / i.target for i in items]
    if upper:
        low = max(i.measure.interval(share)[0] / i.target for i in items)
        high = max(i.measure.interval(level)[1] / i.target for i in items)
        return low, high, max(ratios)
    low = min(i.measure.interval(level)[0] / i.target for i in items)
    high = min(i.measure.interval(share)[1] / i.target for i in items)
    return low, high, min(ratios)
