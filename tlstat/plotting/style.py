"""Colours, type and file format that all figures of the project share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tlstat.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats: TypeAlias = "Sequence[float] | np.ndarray"

# Okabe and Ito (2008), the dark ones first: yellow is left out, it does not print
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("--", ":", "-.", (0, (5, 1)), (0, (1, 1)), (0, (3, 1, 1, 1)), (0, (8, 2)))
FORBIDDEN = "#b8b8b8"

# Any: matplotlib wants its keys as literals
STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.limits": (-3, 4),
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.6,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.5,
    "figure.dpi": 110,
    "savefig.dpi": 200,
    "svg.fonttype": "path",
    # equal figures give equal files
    "svg.hashsalt": "tlstat",
    "image.cmap": "cividis",
}


@contextmanager
def style() -> Iterator[None]:
    """Use the house style inside a ``with`` block."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        yield


@dataclass(frozen=True)
class Series:
    """Measured values of one label along an axis, with intervals and predictions.

    Parameters
    ----------
    x, y : sequence of float, shape (m,)
    lower, upper : sequence of float, shape (m,), optional
        Ends of the intervals; infinite or nan ends are left out.
    predicted : sequence of float, shape (m,), optional
        What the theory says at `x`; drawn as a line through all of them.
    label : str
    """

    x: Floats
    y: Floats
    lower: Floats | None = None
    upper: Floats | None = None
    predicted: Floats | None = None
    label: str = ""

    def __post_init__(self) -> None:
        for name in ("y", "lower", "upper", "predicted"):
            values = getattr(self, name)
            if values is not None and len(values) != len(self.x):
                raise InputError(
                    f"Series: {name} has {len(values)} values and x has {len(self.x)}; "
                    "expected as many"
                )


def figure(
    width: float = 5.4, height: float = 3.5, rows: int = 1, columns: int = 1, **options: Any
) -> tuple[Figure, Any]:
    """Make a figure in the house style.

    Parameters
    ----------
    width, height : float
        Inches.
    rows, columns : int
    **options
        Passed to :meth:`matplotlib.figure.Figure.subplots`.

    Returns
    -------
    figure : Figure
    axes : Axes, or an array of them where there are several
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with style():
        made = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(made)
        axes = made.subplots(rows, columns, **options)
    return made, axes


def save(fig: Figure, path: str | Path) -> Path:
    """Write a figure in the format of the suffix, without dates (equal figures, equal files)."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    dateless = {"Date": None} if target.suffix == ".svg" else {}
    with style():
        fig.savefig(target, metadata=dateless)
    return target


def label_of(name: str) -> str:
    """A name as an axis label: one letter in italics, anything else as it is.

    Examples
    --------
    >>> label_of("n")
    '$n$'
    >>> label_of("excess risk")
    'excess risk'
    """
    if re.fullmatch(r"[A-Za-z]", name):
        return f"${name}$"
    printable = "".join(c if c.isprintable() else " " for c in name)
    return printable.replace("$", r"\$")
