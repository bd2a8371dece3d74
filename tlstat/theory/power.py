"""Power cards: would the same data have refuted a false version of the claim?

A SUPPORTED that could not have failed is worthless.  The card re-judges the data that are there
against mutants of the bound (vetoes off, the claim's own level) and says which were killed.
Verdicts never depend on the card.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

KILLED, WEAK, SURVIVED = "KILLED", "WEAK", "SURVIVED"


@dataclass(frozen=True)
class PowerCard:
    """What the data could have refuted.

    Attributes
    ----------
    mutants : tuple of (label, "KILLED" | "WEAK" | "SURVIVED")
    tightness : (lower, upper, point) or None
        For bounds: the bound times a factor below ``lower`` would have been refuted, times one
        above ``upper`` supported (tolerance 0).  For rates: the exponents that would not have
        been refuted, and the measured one.
    resolution : float or None
        Smallest exponent error (rates) or factor (others) refuted with probability .9.
    grade : str
        SHARP (all mutants killed), LOOSE (one survives) or BLUNT (the essential one does).
    """

    mutants: tuple[tuple[str, str], ...]
    tightness: tuple[float, float, float] | None
    resolution: float | None
    grade: str

    @property
    def killed(self) -> int:
        """How many mutants were killed."""
        return sum(state == KILLED for _, state in self.mutants)

    @property
    def score(self) -> str:
        """``5/5``: mutants killed over mutants tried."""
        return f"{self.killed}/{len(self.mutants)}"

    def to_dict(self) -> dict[str, Any]:
        """The card as plain types."""
        return {
            "mutants": [list(m) for m in self.mutants],
            "tightness": None if self.tightness is None else list(self.tightness),
            "resolution": self.resolution,
            "grade": self.grade,
        }

    def __str__(self) -> str:
        return f"{self.grade.lower()} {self.score} mutants killed"


def make_card(
    mutants: Sequence[tuple[str, str]],
    essential: Sequence[str],
    tightness: tuple[float, float, float] | None = None,
    resolution: float | None = None,
) -> PowerCard:
    """Grade a list of mutants: ``essential`` names those without which a SUPPORTED is blunt."""
    states = dict(mutants)
    if any(states.get(label, KILLED) != KILLED for label in essential):
        grade = "BLUNT"
    elif all(state == KILLED for state in states.values()):
        grade = "SHARP"
    else:
        grade = "LOOSE"
    return PowerCard(tuple(mutants), tightness, resolution, grade)


def swept(cells: Sequence[Mapping[str, Any]], symbols: Sequence[str]) -> dict[str, list[float]]:
    """The symbols that take several positive numeric values on the cells, with these values."""
    out = {}
    for symbol in symbols:
        values = {c[symbol] for c in cells if symbol in c}
        numeric = all(isinstance(v, int | float | np.number) for v in values)
        numeric = numeric and not any(isinstance(v, bool) for v in values)
        if numeric and len(values) > 1 and min(values) > 0 and all(symbol in c for c in cells):
            out[symbol] = sorted(float(v) for v in values)
    return out


def tilt(symbol: str, delta: float, pivot: float) -> Callable[[Any], float]:
    """The factor (x / pivot) ** delta of a wrong exponent that agrees with the bound at pivot."""
    return lambda cell: (float(cell[symbol]) / pivot) ** delta


def tightening(
    cells: Sequence[Any], symbols: Sequence[str], upper: bool, delta: float = 0.5
) -> list[tuple[str, Callable[[Any], float]]]:
    """Exponents off by ``delta``, pinned at the end of the grid where the bound stays put.

    Every factor makes the claim stronger (below 1 for an upper bound, above 1 for a lower one),
    and by as little as that exponent allows, so a killed mutant says that the sweep sees the
    symbol.
    """
    out = []
    for symbol, values in swept(cells, symbols).items():
        for sign in (-1.0, 1.0):
            start = (sign < 0) == upper
            pivot = values[0] if start else values[-1]
            name = f"exponent of {symbol} {sign * delta:+g}"
            out.append((name, tilt(symbol, sign * delta, pivot)))
    return out


def centred_tilts(
    cells: Sequence[Any], symbols: Sequence[str], delta: float = 0.1
) -> list[tuple[str, Callable[[Any], float]]]:
    """Exponents off by plus or minus ``delta``, pinned at the geometric middle of the grid."""
    out = []
    for symbol, values in swept(cells, symbols).items():
        pivot = math.exp(float(np.mean(np.log(values))))
        for sign in (-1.0, 1.0):
            name = f"exponent of {symbol} {sign * delta:+g}"
            out.append((name, tilt(symbol, sign * delta, pivot)))
    return out


def factor_resolution(relative_error: float, level: float) -> float | None:
    """Smallest factor that the data would have refuted with probability .9."""
    if not math.isfinite(relative_error):
        return None
    return 1 + float(-ndtri(level) - ndtri(0.1)) * relative_error
