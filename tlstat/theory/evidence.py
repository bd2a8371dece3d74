"""Which cells are evidence for a claim: selection, validity, assumptions, failed blocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tlstat.errors import InputError
from tlstat.theory.measures import blocks_depend

_MISSING = object()


@dataclass
class Evidence:
    """The samples that count, with their models, and what was left out and why."""

    samples: list[Any] = field(default_factory=list)
    models: list[Any] = field(default_factory=list)
    dropped: list[dict[str, Any]] = field(default_factory=list)
    assumptions: tuple[tuple[str, str, str], ...] = ()
    veto: str = ""


def gather(claim: Any, study: Any, results: Any) -> Evidence:
    """Select the claim's samples and sort out those that are no evidence.

    A cell is no evidence where a bound is outside its validity region, or where an assumption that
    a machine can check is false on the study's model of that cell.
    """
    evidence = Evidence()
    bounds = theorem_bounds(claim)
    models: dict[str, Any] = {}
    states: dict[tuple[str, str], str] = {}
    for sample in results.samples(claim.metric, claim.where):
        model = _model(study, sample.cell, models)
        why = _outside(bounds, sample.cell, model, claim)
        why = why or _violated(bounds, sample.cell, model, study.model is not None, states)
        if why:
            evidence.dropped.append({"cell": dict(sample.cell), "why": why})
            continue
        evidence.samples.append(sample)
        evidence.models.append(model)
    evidence.assumptions = tuple((*key, state) for key, state in states.items())
    evidence.veto = _failed(claim, study, results) or _dependent(evidence.samples)
    return evidence


def theorem_bounds(claim: Any) -> list[Any]:
    """The claim's Bound objects (not plain numbers or functions)."""
    candidates: Iterable[Any] = (getattr(claim, name, None) for name in ("bound", "lower", "upper"))
    return [b for b in candidates if is_bound(b)]


def is_bound(value: Any) -> bool:
    """Whether ``value`` behaves as a Bound: callable with named symbols."""
    return callable(value) and hasattr(value, "symbols") and hasattr(value, "kind")


def parameters(bound: Any, cell: Mapping[str, Any], model: Any, claim: Any) -> dict[str, Any]:
    """The bound's symbols, each looked up in ``at``, then the cell, then the model.

    Raises
    ------
    InputError
        If a symbol is found nowhere; the message names it and says where it was looked for.
    """
    at = dict(claim.at or {})
    delta = getattr(claim, "delta", None)
    if delta is not None:
        at.setdefault("delta", delta)
    out = {}
    for symbol in bound.symbols:
        if symbol in getattr(bound, "free", ()) and symbol not in at:
            continue
        value = at.get(symbol, _MISSING)
        if callable(value):
            value = value(cell, model)
        if value is _MISSING:
            value = cell[symbol] if symbol in cell else getattr(model, symbol, _MISSING)
        if value is _MISSING:
            raise InputError(
                f"the bound {bound.name!r} needs {symbol!r}, which is neither in at= nor a "
                f"parameter of the cell ({', '.join(cell)}) nor an attribute of the study's model"
            )
        out[symbol] = value
    return out


def bound_value(bound: Any, cell: Mapping[str, Any], model: Any, claim: Any) -> float:
    """The bound at one cell: a number, a function of (cell, model), or a Bound evaluated.

    A Bound with free constants is evaluated up to these constants (its shape).
    """
    if is_bound(bound):
        values = parameters(bound, cell, model, claim)
        evaluate = bound.shape if getattr(bound, "free", ()) else bound
        return float(evaluate(**values))
    return float(bound(cell, model)) if callable(bound) else float(bound)


def selected_cells(claim: Any, study: Any) -> list[Any]:
    """The cells of the whole design that the claim's ``where`` keeps, inner axis unrolled."""
    from tlstat.montecarlo.design import matches, unroll

    cells = [c for outer in study.design.cells for c in unroll(outer, study.design.inner)]
    return [c for c in cells if matches(c, claim.where or {})]


def outer_cell(study: Any, cell: Any) -> Any:
    """The cell as the study's function sees it: the inner axis as a whole."""
    inner = study.design.inner
    return cell.replace(**{inner[0]: tuple(inner[1])}) if inner else cell


def check_symbols(claim: Any, study: Any, cells: Sequence[Any]) -> None:
    """Every symbol of the claim's bounds can be found (InputError otherwise), on the first cell."""
    for bound in theorem_bounds(claim):
        cell, model = cells[0], None
        known = set(cell) | set(claim.at or {}) | set(getattr(bound, "free", ()))
        if getattr(claim, "delta", None) is not None:
            known.add("delta")
        asks = any(callable(value) for value in (claim.at or {}).values())
        if study.model is not None and (asks or not set(bound.symbols) <= known):
            model = study.build_model(outer_cell(study, cell))
        parameters(bound, cell, model, claim)


def _model(study: Any, cell: Any, models: dict[str, Any]) -> Any:
    if study.model is None:
        return None
    outer = outer_cell(study, cell)
    if outer.canonical not in models:
        models[outer.canonical] = study.build_model(outer)
    return models[outer.canonical]


def _outside(bounds: Sequence[Any], cell: Any, model: Any, claim: Any) -> str:
    for bound in bounds:
        if not bool(bound.is_valid(**parameters(bound, cell, model, claim))):
            return f"outside the validity of {bound.name}"
    return ""


def _violated(
    bounds: Sequence[Any],
    cell: Any,
    model: Any,
    has_model: bool,
    states: dict[tuple[str, str], str],
) -> str:
    """The first assumption that is false here; ``states`` collects what was checked."""
    why = ""
    for bound in bounds:
        for assumption in bound.assumptions:
            key = (assumption.name, assumption.statement)
            if assumption.check is None or not has_model:
                states.setdefault(key, "not checked")
            elif assumption.check(model, cell):
                states[key] = "violated" if states.get(key) == "violated" else "checked"
            else:
                states[key] = "violated"
                why = why or f"assumption violated: {assumption.name}"
    return why


def _failed(claim: Any, study: Any, results: Any) -> str:
    """Blocks fail where the study is in trouble, so the blocks that are left are a selection."""
    failures = getattr(results, "failures", ())
    if not failures:
        return ""
    mine = {outer_cell(study, c).canonical for c in selected_cells(claim, study)}
    lost = sum(f.cell in mine for f in failures)
    return f"FAILED: {lost} blocks of these cells failed" if lost else ""


def _dependent(samples: Sequence[Any]) -> str:
    for sample in samples:
        ratio = blocks_depend(sample)
        if ratio is not None:
            return (
                f"DEPENDENT: block means of {sample.metric} vary {ratio:.3g} times as much as "
                "independent replicates allow; draw everything anew for every replicate, or set "
                "block=1"
            )
    return ""
