"""Mutation testing of a theorem: wrong bounds that a sharp claim must refute.

The same data are judged again against each of them. A mutant that coincides with the bound on
the cells at hand (for a rate: up to a constant) could not be told apart by any data: it is left
out, as is a mutant that repeats another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tlstat.errors import InputError

if TYPE_CHECKING:
    from tlstat.theory.bound import Bound

CLAIMS = {"rate": "rate", "upper": "at_most", "lower": "at_least", "exact": "equals"}
FACTORS = {
    "rate": (),
    "at_most": (1 / 2, 1 / 4, 1 / 10),
    "at_least": (2, 4, 10),
    "probability": (1 / 2, 1 / 4),
    "equals": (1.05, 1.1, 1 / 2),
}
EXPONENT = {"rate": 0.1, "at_most": 0.5, "at_least": 0.5, "probability": 0.5, "equals": 0.1}
LOG_POWERS = ((1.0, "log added"), (0.5, "sqrt(log) added"), (-1.0, "log divided out"))
# relative differences below which two bounds count as the same on the grid
SAME, SAME_RATE = 1e-6, 1e-9

Mutant = tuple[str, "Bound"]


def mutants(
    bound: Bound,
    along: str | Sequence[str] | None,
    claim: str | None,
    grid: Mapping[str, Any] | None,
) -> list[Mutant]:
    """See :meth:`tlstat.theory.bound.Bound.mutants`."""
    claim = _claim(bound, claim)
    grid = _grid(bound, grid)
    swept = _swept(bound, along, grid)
    candidates = [
        *((f"constant x {factor:g}", bound.scaled(factor)) for factor in FACTORS[claim]),
        *_tilts(bound, swept, EXPONENT[claim], grid),
        *(_logs(bound, swept) if claim == "rate" else ()),
        *_without_terms(bound),
    ]
    return _distinct(bound, candidates, grid, claim == "rate")


def _tilts(
    bound: Bound, swept: Sequence[str], delta: float, grid: Mapping[str, Any]
) -> Iterator[Mutant]:
    """Exponents off by ``delta``, turned about the middle of the sweep so both signs show."""
    for name in swept:
        values = np.asarray(grid[name], float)
        if np.min(values) <= 0:
            continue  # a power of a value that is not positive says nothing
        pivot = float(np.exp(np.mean(np.log([values.min(), values.max()]))))
        for sign in (1, -1):
            label = f"exponent of {name} {sign * delta:+g}"
            yield label, bound.tilted(name, sign * delta, pivot)


def _logs(bound: Bound, swept: Sequence[str]) -> Iterator[Mutant]:
    for name in swept:
        for power, label in LOG_POWERS:
            yield f"{label} in {name}", bound.times({}, 1, f"{bound.name}, {label}", {name: power})
        if bound.expr is None:
            continue
        import sympy

        inside = [a for a in bound.expr.atoms(sympy.log) if name in map(str, a.free_symbols)]
        if inside:
            bare = bound.expr.xreplace({a: sympy.Integer(1) for a in inside})
            yield f"log dropped in {name}", _with(bound, bare, "log dropped")


def _without_terms(bound: Bound) -> Iterator[Mutant]:
    """Each term of each sum in the expression, dropped in turn."""
    if bound.expr is None:
        return
    import sympy

    sums = [node for node in sympy.preorder_traversal(bound.expr) if node.is_Add]
    for node in dict.fromkeys(sums):
        for term in node.args:
            label = f"{term} dropped from {node}"
            yield label, _with(bound, bound.expr.xreplace({node: node - term}), label)


def _with(bound: Bound, expr: Any, what: str) -> Bound:
    return replace(bound, expr=expr, value=None, name=f"{bound.name}, {what}")


def _distinct(
    bound: Bound, candidates: Sequence[Mutant], grid: Mapping[str, Any], rate: bool
) -> list[Mutant]:
    """The candidates that are positive on the grid and differ from the bound and one another."""
    seen = [_on_grid(bound, grid)]
    if seen[0] is None:
        raise InputError(f"bound {bound.name!r} is not positive and finite on the grid")
    kept: list[Mutant] = []
    for label, mutant in candidates:
        values = _on_grid(mutant, grid)
        if values is None or any(_same(values, other, rate) for other in seen):
            continue
        seen.append(values)
        kept.append((label, mutant))
    return kept


def _on_grid(bound: Bound, grid: Mapping[str, Any]) -> Any:
    """log B on the grid, or None where it is not positive and finite."""
    params = {name: grid[name] for name in bound.symbols if name in grid}
    # a mutant may have lost a symbol: it is still asked for what it has
    with np.errstate(all="ignore"):
        try:
            out = np.log(np.asarray(bound.shape(outside="nan", **params), float))
        except (InputError, ValueError, ZeroDivisionError, FloatingPointError):
            return None
    out = np.broadcast_to(out, np.broadcast_shapes(*(np.shape(v) for v in grid.values())))
    inside = ~np.isnan(out)
    return out if inside.any() and np.isfinite(out[inside]).all() else None


def _same(a: Any, b: Any, rate: bool) -> bool:
    gap = (a - b)[~np.isnan(a - b)]
    return bool(np.ptp(gap) < SAME_RATE if rate else np.max(np.abs(gap)) < SAME)


def _claim(bound: Bound, claim: str | None) -> str:
    if claim is None:
        in_probability = bound.sense == "probability" and bound.kind != "rate"
        return "probability" if in_probability else CLAIMS[bound.kind]
    if claim not in FACTORS:
        raise InputError(f"claim must be one of {', '.join(FACTORS)}, got {claim!r}")
    return claim


def _grid(bound: Bound, grid: Mapping[str, Any] | None) -> dict[str, Any]:
    """Arrays that broadcast together; by default generic points, a symbol each."""
    if grid is None:
        size = 9
        ladder = np.geomspace(3.0, 3e4, size)
        # incommensurate values keep accidental equalities away
        return {n: np.roll(ladder, 2 * i) * (1 + 0.01 * i) for i, n in enumerate(bound.symbols)}
    missing = [name for name in bound.symbols if name not in grid]
    if missing:
        raise InputError(f"grid must give values for {missing} of bound {bound.name!r}")
    return {name: np.asarray(grid[name], float) for name in bound.symbols}


def _swept(
    bound: Bound, along: str | Sequence[str] | None, grid: Mapping[str, Any]
) -> tuple[str, ...]:
    if along is None:
        return tuple(name for name in bound.symbols if np.ptp(grid[name]) > 0)
    swept = (along,) if isinstance(along, str) else tuple(along)
    for name in swept:
        bound._known(name)
    return swept
