"""The report: one self-contained HTML page about the verdicts of a run.

No script, no network, no external file: it can be attached to a paper, and printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files as resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tlstat.report.cards import card
from tlstat.report.figures import figures
from tlstat.report.head import facts, overview, table
from tlstat.report.html import escape

if TYPE_CHECKING:
    from tlstat.theory.verdict import Verdict

__all__ = ["render", "write_report"]


def write_report(
    verdicts: Sequence[Verdict], path: str | Path, *, title: str | None = None, jobs: int = 1
) -> Path:
    """Write the report of a run.

    Parameters
    ----------
    verdicts : Verdicts, or a sequence of Verdict
        With `Verdicts`, whose results say with which versions and streams they were made.
    path : str or path
        The HTML file; it is overwritten.
    title : str, optional
    jobs : int
        Processes that draw the figures.

    Returns
    -------
    Path
    """
    target = Path(path)
    page = render(verdicts, title=title, jobs=jobs)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page, encoding="utf-8")
    return target


def render(
    verdicts: Sequence[Verdict],
    *,
    title: str | None = None,
    now: datetime | None = None,
    jobs: int = 1,
) -> str:
    """The report as a text; `now` is the time printed on it."""
    heading = escape(title or "Theorems judged by simulation")
    style = resources("tlstat.report").joinpath("style.css").read_text(encoding="utf-8")
    numbered = list(enumerate(zip(verdicts, figures(verdicts, jobs), strict=True), start=1))
    sections = []
    for study in dict.fromkeys(v.study for v in verdicts):
        cards = "\n".join(card(i, v, figure) for i, (v, figure) in numbered if v.study == study)
        sections.append(f"<section>\n{_study(study, verdicts)}\n{cards}\n</section>")
    body = "\n".join(sections)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="tlstat">
<title>{heading}</title>
<style>
{style}
</style>
</head>
<body>
<header>
<h1>{heading}</h1>
{overview(verdicts)}
</header>
<main>
<section>
<h2>Verdicts</h2>
{table(verdicts)}
</section>
{body}
<section>
<h2>How this was made</h2>
{facts(verdicts, now or datetime.now(UTC))}
</section>
</main>
</body>
</html>
"""


def _study(name: str, verdicts: Any) -> str:
    results = getattr(verdicts, "results", {}).get(name)
    doc = getattr(getattr(results, "study", None), "doc", None) or ""
    note = f'<p class="doc">{escape(doc.strip().split(chr(10) * 2)[0])}</p>' if doc else ""
    return f"<h2>{escape(name)}</h2>\n{note}"
