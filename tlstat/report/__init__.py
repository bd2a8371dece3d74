"""The report: HTML about the verdicts of a run, one page for each study file.

No script, no network: every page stands for itself, can be attached to a paper, and printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tlstat.report.figures import figures
from tlstat.report.files import by_file, write
from tlstat.report.overview import overview
from tlstat.report.page import page

if TYPE_CHECKING:
    from tlstat.theory.verdict import Verdict

__all__ = ["render", "write_report"]

TITLE = "Theorems judged by simulation"


def write_report(
    verdicts: Sequence[Verdict], path: str | Path, *, title: str | None = None, jobs: int = 1
) -> Path:
    """Write the report of a run.

    The verdicts of one study file are one page. Those of several are an overview, which links to
    a page a file in a folder beside it: ``report_files/`` for ``report.html``. Links are relative,
    so that both can be moved together.

    Parameters
    ----------
    verdicts : Verdicts, or a sequence of Verdict
        With `Verdicts`, whose results say with which versions and streams they were made.
    path : str or path
        The HTML file; an earlier report of that name is replaced, with its pages.
    title : str, optional
    jobs : int
        Processes that draw the figures.

    Returns
    -------
    Path
        The page to open.

    Raises
    ------
    InputError
        If the folder of the pages has a file in the place of one of them that is no such page.
    """
    target, now, parts = Path(path), datetime.now(UTC), by_file(verdicts)
    if len(parts) < 2:
        write(target, render(verdicts, title=title, now=now, jobs=jobs), {})
        return target
    # all figures at once: the workers start only once
    drawn = iter(figures([v for part in parts.values() for v in part], jobs))
    pages = {
        name: page(part, list(islice(drawn, len(part))), name, now, home=target)
        for name, part in parts.items()
    }
    write(target, overview(verdicts, parts, target, title or TITLE, now), pages)
    return target


def render(
    verdicts: Sequence[Verdict],
    *,
    title: str | None = None,
    now: datetime | None = None,
    jobs: int = 1,
) -> str:
    """All verdicts on one page, as a text; `now` is the time printed on it."""
    return page(verdicts, figures(verdicts, jobs), title or TITLE, now or datetime.now(UTC))
