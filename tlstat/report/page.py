"""A page: a table of verdicts, and a card for each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from importlib.resources import files as resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tlstat.report.cards import card
from tlstat.report.files import mark, way_back
from tlstat.report.head import facts, table, totals
from tlstat.report.html import escape

if TYPE_CHECKING:
    from tlstat.theory.verdict import Verdict


def document(title: str, header: str, sections: Sequence[tuple[str, str]], meta: str = "") -> str:
    """A whole HTML text; `title` and the headings of the sections are plain, the rest is HTML."""
    style = resources("tlstat.report").joinpath("style.css").read_text(encoding="utf-8")
    main = "\n".join(
        f"<section>\n<h2>{escape(head)}</h2>\n{body}\n</section>" for head, body in sections
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="tlstat">
{meta}
<title>{escape(title)}</title>
<style>
{style}
</style>
</head>
<body>
<header>
{header}
</header>
<main>
{main}
</main>
</body>
</html>
"""


def page(
    verdicts: Sequence[Verdict],
    drawn: Sequence[str],
    title: str,
    now: datetime,
    home: Path | None = None,
) -> str:
    """The verdicts with their figures, as HTML; `home` is the overview that links here."""
    numbered = list(enumerate(zip(verdicts, drawn, strict=True), start=1))
    sections = [("Verdicts", table([(i, "", v) for i, (v, _) in numbered]))]
    for study in dict.fromkeys(v.study for v in verdicts):
        cards = "\n".join(card(i, v, figure) for i, (v, figure) in numbered if v.study == study)
        sections.append((study, f"{_doc(study, verdicts)}\n{cards}"))
    sections.append(("How this was made", facts(verdicts, now)))
    header = f"<h1>{escape(title)}</h1>\n{totals(verdicts)}"
    if home:
        header = f'<p class="back"><a href="{way_back(home)}">All study files</a></p>\n{header}'
    return document(title, header, sections, mark(home) if home else "")


def _doc(name: str, verdicts: Any) -> str:
    results = getattr(verdicts, "results", {}).get(name)
    doc = getattr(getattr(results, "study", None), "doc", None) or ""
    return f'<p class="doc">{escape(doc.strip().split(chr(10) * 2)[0])}</p>' if doc else ""
