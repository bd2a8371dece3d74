"""What is shown of many verdicts: a row a file, and in full only what was not expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlstat.cli.options import console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from tlstat.theory.verdict import Verdict, Verdicts

# rows that a reader goes through one by one
MOST_CLAIMS = 60


def show(verdicts: Verdicts, every: bool = False) -> None:
    """Print the verdicts: each one if they are few or ``every`` is asked for, else a summary."""
    out = console()
    if every or len(verdicts) <= MOST_CLAIMS:
        out.print(verdicts)
        return
    unexpected = [v for v in verdicts if not v.expected]
    out.print(_by_file(verdicts))
    if unexpected:
        out.print(type(verdicts)(unexpected))
    out.print(f"{verdicts.summary()} (--all shows every claim)")


def _by_file(verdicts: Sequence[Verdict]) -> Table:
    from rich.table import Table

    files: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        files.setdefault(verdict.study.partition(".")[0], []).append(verdict)
    table = Table(show_lines=False, pad_edge=False)
    table.add_column("file")
    for column in ("claims", "supported", "refuted", "inconclusive", "sharp", "not as expected"):
        table.add_column(column, justify="right")
    for file, group in files.items():
        table.add_row(file, *_row(group))
    return table


def _row(group: Sequence[Verdict]) -> list[str]:
    statuses = [v.status.name for v in group]
    supported = [v for v in group if v.status.name == "SUPPORTED"]
    sharp = sum(v.power is not None and v.power.grade == "SHARP" for v in supported)
    surprises = sum(not v.expected for v in group)
    counts = [statuses.count(s) for s in ("SUPPORTED", "REFUTED", "INCONCLUSIVE")]
    texts = [str(count) if count else "" for count in counts]
    return [str(len(group)), *texts, f"{sharp}/{len(supported)}", str(surprises or "")]
