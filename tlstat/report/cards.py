"""The card of one claim: what was judged, against what, with what power."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tlstat.report.head import pill, remark
from tlstat.report.html import (
    definitions,
    escape,
    formula,
    interval,
    number,
    parameters,
    table,
    value,
)

if TYPE_CHECKING:
    from tlstat.theory.power import PowerCard
    from tlstat.theory.verdict import Verdict

RELATIONS = {
    "upper": "at most",
    "lower": "at least",
    "exact": "equal to",
    "rate": "of the order of",
}
STATES = {"KILLED": "✓", "WEAK": "~", "SURVIVED": "✕"}
CHECKS = {"checked": "✓", "not checked": "–", "violated": "✕"}
# longer tables of cells are folded away
OPEN_ROWS = 12


def card(index: int, verdict: Verdict, figure: str) -> str:
    """The card as HTML; `index` numbers the claims."""
    note = remark(verdict)
    control = f' <span class="remark">{escape(note)}</span>' if note else ""
    parts = [
        f"<h3><span class='index'>{index}</span> {escape(verdict.name)}</h3>",
        f'<p class="status">{pill(verdict)}{control}</p>',
        f'<p class="sentence">{escape(verdict.sentence)}</p>',
        _advice(verdict),
        f'<div class="columns"><div>{figure}</div>'
        f"<div>{_numbers(verdict)}{_power(verdict.power, verdict)}</div></div>",
        _theorems(verdict),
        _assumptions(verdict),
        _cells(verdict),
        _dropped(verdict),
    ]
    return f'<article id="claim-{index}">\n' + "\n".join(p for p in parts if p) + "\n</article>"


def _advice(verdict: Verdict) -> str:
    texts = [t for t in (verdict.reason, verdict.advice) if t]
    if not texts:
        return ""
    return f'<p class="advice">{"<br>".join(escape(t) for t in texts)}</p>'


def _numbers(verdict: Verdict) -> str:
    exact = verdict.validity.startswith("exact") and not verdict.replicates
    p_values = (
        f"{number(verdict.p_supported)} against “false beyond its tolerance”, "
        f"{number(verdict.p_refuted)} against “true”; level {number(verdict.level)}"
    )
    return definitions(
        [
            ("estimate", f"{number(verdict.estimate)} {interval(verdict.interval)}"),
            ("predicted", number(verdict.predicted)),
            ("margin", escape(verdict.margin)),
            (
                "replicates",
                "0, exact" if exact else f"{verdict.replicates:,} a cell",
            ),
            ("rests on", escape(verdict.validity)),
            ("p-values", "" if exact else p_values),
        ]
    )


def _power(power: PowerCard | None, verdict: Verdict) -> str:
    # what could have been refuted is no question where it was
    if power is None or verdict.status.name == "REFUTED":
        return ""
    mutants = "".join(
        f'<li class="{escape(state.lower())}">{STATES.get(state, "")} {escape(label)}'
        f'<span class="hidden"> ({escape(state.lower())})</span></li>'
        for label, state in power.mutants
    )
    sentences = [t for t in (_tightness(power, verdict), _resolution(power, verdict)) if t]
    more = f"<p>{' '.join(sentences)}</p>" if sentences else ""
    return (
        f'<div class="power"><h4>Power card: {escape(power.grade.lower())}, '
        f"{escape(power.score)} wrong versions refuted</h4><ul>{mutants}</ul>{more}</div>"
    )


def _tightness(power: PowerCard, verdict: Verdict) -> str:
    """How far the bound could move: factors (exponents) that the data do and do not exclude."""
    if power.tightness is None:
        return ""
    low, high, point = power.tightness
    kind = getattr(verdict.claim, "kind", "")
    if kind in ("rate", "equals"):
        what = "Exponents" if kind == "rate" else "Factors on the formula"
        return f"{what} outside {interval((low, high))} would have been refuted."
    refuted, supported = (high, low) if kind == "at_least" else (low, high)
    parts = [f"Where it is tightest, measured over bound is {number(point)}"]
    if math.isfinite(refuted) and refuted > 0:
        parts.append(f"the bound times {number(refuted)} would have been refuted")
    if math.isfinite(supported) and supported > 0:
        parts.append(f"times {number(supported)} it would still have been supported")
    return "; ".join(parts) + "."


def _resolution(power: PowerCard, verdict: Verdict) -> str:
    if power.resolution is None or not math.isfinite(power.resolution):
        return ""
    what = "exponent error" if getattr(verdict.claim, "kind", "") == "rate" else "factor"
    return f"Smallest {what} found with probability 0.9: {number(power.resolution)}."


def _theorems(verdict: Verdict) -> str:
    """Each bound of the claim: a sandwich has two."""
    claim = verdict.claim
    bounds = [getattr(claim, name, None) for name in ("bound", "lower", "upper")]
    return "".join(_theorem(b) for b in dict.fromkeys(bounds) if b is not None)


def _theorem(bound: Any) -> str:
    if not hasattr(bound, "mathml"):
        shown = getattr(bound, "__name__", "a function") if callable(bound) else number(bound)
        return f'<div class="theorem"><h4>Compared with</h4><p>{escape(shown)}</p></div>'
    source = bound.source
    free = ", ".join(getattr(bound, "free", ()))
    rows = [
        ("states", escape(f"{RELATIONS.get(bound.kind, bound.kind)}, for {bound.scope}")),
        (
            "holds",
            "in expectation" if bound.sense == "expectation" else "with probability 1 − δ",
        ),
        ("where", _region(bound)),
        ("source", escape(f"{source.ref}, {source.where}") if source else "none given"),
        ("what is ours", escape(source.note) if source else ""),
        ("unspecified constants", escape(free)),
    ]
    return (
        f'<div class="theorem"><h4>{escape(bound.name)}</h4>'
        f'<div class="formula">{formula(bound)}</div>{definitions(rows)}</div>'
    )


def _region(bound: Any) -> str:
    valid = getattr(bound, "valid", None)
    return "" if valid is None else f"<code>{escape(valid)}</code>"


def _assumptions(verdict: Verdict) -> str:
    if not verdict.assumptions:
        return ""
    items = "".join(
        f'<li class="{escape(state.replace(" ", "-"))}">{CHECKS.get(state, "")} '
        f"<b>{escape(name)}</b>: {escape(statement)} <em>({escape(_checked(state))})</em></li>"
        for name, statement, state in verdict.assumptions
    )
    return f'<div class="assumptions"><h4>Assumptions</h4><ul>{items}</ul></div>'


def _checked(state: str) -> str:
    return {
        "checked": "checked by machine on every cell",
        "not checked": "not checked: taken on trust",
    }.get(state, state)


def _cells(verdict: Verdict) -> str:
    cells = verdict.cells
    if not cells:
        return ""
    names = parameters(cells)
    between = any("predicted_lower" in c for c in cells)
    sides = ("predicted_lower", "predicted_upper") if between else ("predicted",)
    rows = [
        (
            *(value(c.get("cell", {}).get(n, "")) for n in names),
            number(c.get("estimate")),
            interval((c.get("lower", math.nan), c.get("upper", math.nan))),
            *(number(c.get(side)) for side in sides),
            value(c.get("replicates", "")),
        )
        for c in cells
    ]
    heads = [*names, "estimate", "interval"]
    heads += ["at least", "at most"] if between else ["predicted"]
    state = " open" if len(rows) <= OPEN_ROWS else ""
    return (
        f"<details{state}><summary>{len(rows)} cells</summary>"
        f"{table([*heads, 'replicates'], rows, 'cells')}</details>"
    )


def _dropped(verdict: Verdict) -> str:
    if not verdict.dropped:
        return ""
    items = []
    for dropped in verdict.dropped:
        params = dropped.get("cell", {})
        shown = ", ".join(f"{escape(k)} = {value(v)}" for k, v in params.items())
        items.append(f"<li>{shown}: {escape(dropped.get('why', ''))}</li>")
    return (
        f'<div class="dropped"><h4>Cells that are no evidence</h4><ul>{"".join(items)}</ul></div>'
    )
