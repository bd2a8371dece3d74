"""The figures of a report: drawn from plain values, so that worker processes can share the work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tlstat.errors import InputError
from tlstat.report.html import escape, svg

if TYPE_CHECKING:
    from tlstat.theory.verdict import Verdict

_CHUNK = 8  # figures a task: starting one costs as much as a hundredth of a figure


@dataclass(frozen=True)
class Evidence:
    """What a figure shows of a verdict: no function among it, so that it can be sent to a worker.

    It stands for the verdict, its claim and the claim's bound, of which `plot_verdict` reads these.
    """

    name: str
    sentence: str
    cells: tuple[dict[str, Any], ...]
    kind: str
    metric: str
    along: str | None
    tolerance: float
    sense: str

    @classmethod
    def of(cls, verdict: Verdict) -> Evidence:
        """The evidence of a verdict."""
        claim = verdict.claim
        along = getattr(claim, "along", None)
        return cls(
            name=verdict.name,
            sentence=verdict.sentence,
            cells=tuple(verdict.cells),
            kind=str(getattr(claim, "kind", "")),
            metric=str(getattr(claim, "metric", "metric")),
            along=along if isinstance(along, str) else None,
            tolerance=float(getattr(claim, "tolerance", None) or 0.0),
            sense=str(getattr(getattr(claim, "bound", None), "sense", "expectation")),
        )

    @property
    def claim(self) -> Evidence:
        """Itself: the claim's properties are here."""
        return self

    @property
    def bound(self) -> Evidence:
        """Itself: the bound's sense is here."""
        return self


def figures(verdicts: Sequence[Verdict], jobs: int = 1) -> list[str]:
    """A figure as HTML for each verdict, empty where the numbers of one cell say it all."""
    tasks = [(i, Evidence.of(v)) for i, v in enumerate(verdicts, start=1)]
    if jobs == 1 or len(tasks) <= _CHUNK:
        return draw(tasks)
    from tlstat.montecarlo.executors import LokyPool

    with LokyPool(jobs) as pool:
        chunks = [tasks[i : i + _CHUNK] for i in range(0, len(tasks), _CHUNK)]
        pending = [pool.submit(draw, chunk) for chunk in chunks]
        return [text for future in pending for text in future.result()]


def draw(tasks: Sequence[tuple[int, Evidence]]) -> list[str]:
    """The figures of a task; the numbers make their ids unique on the page."""
    return [_figure(index, evidence) for index, evidence in tasks]


def _figure(index: int, evidence: Evidence) -> str:
    from tlstat.plotting import plot_verdict

    if len(evidence.cells) == 1:
        return ""
    try:
        drawn = plot_verdict(evidence)
    except InputError as error:
        return f'<p class="nofigure">No figure: {escape(error)}.</p>'
    label = f"{evidence.sentence} Measured values with intervals, and the prediction."
    return (
        f"<figure>{svg(drawn, f'figure-{index}', label)}"
        "<figcaption>Points: measured, with simultaneous intervals. "
        "Broken lines and upright bars: the theory.</figcaption></figure>"
    )
