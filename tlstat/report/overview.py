"""The overview of several study files: what was not as expected, and a row a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tlstat.report.files import folder_of, way_to
from tlstat.report.head import SIGNS, facts, is_control, table, totals
from tlstat.report.html import escape
from tlstat.report.html import table as html_table
from tlstat.report.page import document

if TYPE_CHECKING:
    from tlstat.theory.verdict import Verdict, Verdicts

COUNTS = (*(name.lower() for name in SIGNS), "negative controls", "sharp of the supported")


def overview(
    verdicts: Sequence[Verdict],
    parts: Mapping[str, Verdicts],
    target: Path,
    title: str,
    now: datetime,
) -> str:
    """The page that leads to the pages of `parts`, as HTML."""
    links = {name: way_to(target, name) for name in parts}
    surprises = [
        (i, links[name], v)
        for name, part in parts.items()
        for i, v in enumerate(part, start=1)
        if not v.expected
    ]
    where = f"<code>{escape(folder_of(target).name)}</code>"
    guide = f"Each has a page in {where}, the folder beside this page: move both together."
    rows = [_row(name, links[name], part) for name, part in parts.items()]
    files = html_table(("study file", "claims", *COUNTS), rows, "files")
    sections = [
        ("Study files", f'<p class="guide">{guide}</p>\n{files}'),
        ("How this was made", facts(verdicts, now, brief=True)),
    ]
    if surprises:
        sections.insert(0, ("Not as expected", table(surprises)))
    return document(title, f"<h1>{escape(title)}</h1>\n{totals(verdicts)}", sections)


def _row(name: str, link: str, part: Verdicts) -> list[str]:
    """A file: the link to its page, and its counts."""
    supported = [v for v in part if v.status.name == "SUPPORTED"]
    sharp = sum(v.power is not None and v.power.grade == "SHARP" for v in supported)
    counts = [sum(v.status.name == status for v in part) for status in SIGNS]
    counts.append(sum(is_control(v) for v in part))
    surprises = sum(not v.expected for v in part)
    problems = {"not as expected": surprises, "blocks failed": part.failures}
    pills = "".join(
        f' <span class="pill refuted surprise">{count} {what}</span>'
        for what, count in problems.items()
        if count
    )
    return [
        f'<a href="{link}">{escape(name)}</a>{pills}',
        str(len(part)),
        *(str(count or "") for count in counts),
        f"{sharp}/{len(supported)}",
    ]
