"""The head of the report: totals, the table of verdicts, the facts of the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tlstat.report.html import definitions, escape, interval, number
from tlstat.report.html import table as html_table

if TYPE_CHECKING:
    from tlstat.theory.verdict import Verdict

GUIDE = (
    "A claim is a sentence about one quantity, one family of models and one range; a verdict "
    "is about that sentence, not a proof. <em>Supported</em> and <em>refuted</em> each need "
    "positive evidence at the claim’s level; what has neither is <em>inconclusive</em>. "
    "Intervals hold simultaneously over the cells of a claim. The power card says which wrong "
    "versions of the claim the same data would have refuted."
)
SIGNS = {"SUPPORTED": "✓", "REFUTED": "✕", "INCONCLUSIVE": "?"}


def is_control(verdict: Verdict) -> bool:
    """Whether the claim is one that its author expects to be refuted."""
    return getattr(verdict.claim, "expect", "supported") == "refuted"


def pill(verdict: Verdict) -> str:
    """The status as a coloured label that also reads without colour."""
    name = verdict.status.name
    css = f"pill {name.lower()}{'' if verdict.expected else ' surprise'}"
    text = escape(verdict.label)
    return f'<span class="{css}">{SIGNS.get(name, "")} {text}</span>'


def remark(verdict: Verdict) -> str:
    """What the status means to the author of the claim."""
    if is_control(verdict):
        text = "negative control, refuted as it should be"
        return text if verdict.expected else "negative control that was not refuted"
    return "" if verdict.expected else "not as expected"


def totals(verdicts: Sequence[Verdict]) -> str:
    """Totals, and how to read the page."""
    studies = len({v.study for v in verdicts})
    boxes = []
    for name in SIGNS:
        count = sum(v.status.name == name for v in verdicts)
        boxes.append(f'<li class="{name.lower()}"><b>{count}</b> {SIGNS[name]} {name.lower()}</li>')
    surprises = sum(not v.expected for v in verdicts)
    controls = sum(is_control(v) for v in verdicts)
    outcome = "All are as expected." if not surprises else f"{surprises} not as expected."
    if controls:
        plural = " is a negative control" if controls == 1 else " are negative controls"
        outcome += f" {controls}{plural}, meant to be refuted."
    failures = getattr(verdicts, "failures", 0)
    failed = f" <strong>{failures} blocks failed.</strong>" if failures else ""
    return (
        f'<p class="lead">{_count(len(verdicts), "claim")} of '
        f"{_count(studies, 'study', 'studies')}. {outcome}{failed}</p>\n"
        f'<ul class="totals">{"".join(boxes)}</ul>\n<p class="guide">{GUIDE}</p>'
    )


def _count(number_of: int, one: str, many: str | None = None) -> str:
    return f"{number_of} {one if number_of == 1 else many or one + 's'}"


def table(entries: Sequence[tuple[int, str, Verdict]]) -> str:
    """One line a verdict, linked to its card: (number of the claim, page of the card, verdict)."""
    if not entries:
        return "<p>No claim was judged.</p>"
    rows = []
    for i, page, v in entries:
        note = remark(v)
        extra = f'<br><span class="remark">{escape(note)}</span>' if note else ""
        exact = v.validity.startswith("exact") and not v.replicates
        rows.append(
            (
                "" if page else str(i),  # out of order it would tell nothing
                pill(v),
                f'<a href="{page}#claim-{i}">{escape(v.name)}</a><br>'
                f'<span class="study">{escape(v.study)}</span>{extra}',
                f"{number(v.estimate)}<br>{interval(v.interval)}",
                number(v.predicted),
                "exact" if exact else f"{v.replicates:,}",
                _grade(v),
            )
        )
    head = ("", "verdict", "claim", "estimate", "predicted", "replicates", "power")
    return html_table(head, rows, "verdicts")


def _grade(verdict: Verdict) -> str:
    if verdict.power is None or verdict.status.name == "REFUTED":
        return "–"
    return f"{escape(verdict.power.grade.lower())}<br>{escape(verdict.power.score)}"


def facts(verdicts: Any, now: datetime, brief: bool = False) -> str:
    """Versions, streams, time: what one needs to run it again; in brief, what many files share."""
    results = list(getattr(verdicts, "results", {}).values())
    seconds = f"{number(round(sum(r.seconds for r in results), 1))} s"
    items = [
        ("written", escape(now.strftime("%Y-%m-%d %H:%M %Z"))),
        ("error level", "" if brief else _levels(verdicts)),
        ("profile", _distinct(r.profile for r in results)),
        ("entropy of the streams", _distinct(r.entropy for r in results)),
        ("time of this run", seconds if results else ""),
        ("studies", "" if brief else _studies(results)),
    ]
    return definitions(items) + _environments(results)


def _levels(verdicts: Sequence[Verdict]) -> str:
    levels = sorted({(v.level, v.family) for v in verdicts}, reverse=True)
    return "; ".join(
        f"{number(level)} a claim, shared by {_count(family, 'claim')}" for level, family in levels
    )


def _distinct(values: Any) -> str:
    return ", ".join(escape(v) for v in dict.fromkeys(values))


def _studies(results: Sequence[Any]) -> str:
    return ", ".join(f"{escape(r.study.name)} (version {escape(r.study.version)})" for r in results)


def _environments(results: Sequence[Any]) -> str:
    """The distinct environments in which blocks were computed."""
    found: list[Mapping[str, Any]] = []
    for result in results:
        found += [env for env in result.provenance if env not in found]
    lists = []
    for i, env in enumerate(found, start=1):
        title = "Computed with" if len(found) == 1 else f"Environment {i} of {len(found)}"
        items = [(str(k), escape(_flat(v))) for k, v in env.items()]
        lists.append(f"<h3>{title}</h3>{definitions(items)}")
    return "".join(lists)


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_flat(v)}" for k, v in value.items())
    return ", ".join(map(_flat, value)) if isinstance(value, list | tuple) else str(value)
