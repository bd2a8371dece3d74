"""Statistics for intervals: label counts in cells, hypotheses are pairs of thresholds."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from tlstat.backend import namespace
from tlstat.errors import InputError
from tlstat.minimax.sampling.statistics import Sample, pick, running

_MAX_PAIRS = 20_000


class IntervalSample(Sample):
    """Label counts in the cells between thresholds, for intervals that end at thresholds.

    `interval_erm` finds the empirical minimiser in time linear in the cells. As a `Sample` all
    pairs are listed, for procedures with confidence sets, which needs at most 199 thresholds.

    Parameters
    ----------
    thresholds : array, shape (H,)
    cells_P, cells_Q : array of int64, shape (..., H - 1, 2)
    n_P, n_Q : int
    ties : array, shape (..., 2)
    """

    def __init__(
        self, thresholds: Any, cells_P: Any, cells_Q: Any, n_P: int, n_Q: int, ties: Any
    ) -> None:
        self.thresholds, self.cells_P, self.cells_Q = thresholds, cells_P, cells_Q
        self.n_P, self.n_Q, self.ties = n_P, n_Q, ties

    @cached_property
    def pairs(self) -> tuple[Any, Any]:
        """Indices of the ends of all intervals; the empty one is listed once, first."""
        H = self.thresholds.shape[0]
        if H * (H - 1) // 2 + 1 > _MAX_PAIRS:
            raise InputError(
                f"sample has {H} thresholds, too many to list all intervals; expected at most "
                "199: give sample_cells coarser thresholds, or use interval_erm"
            )
        low, high = np.triu_indices(H, 1)
        low, high = np.append(0, low), np.append(0, high)
        if isinstance(self.cells_P, np.ndarray):
            return low, high
        xp = namespace(self.cells_P)
        device = self.cells_P.device
        return xp.asarray(low, device=device), xp.asarray(high, device=device)

    @cached_property
    def errors_P(self) -> Any:
        """Source errors of all intervals, minus those of the empty one."""
        return self._errors(self.cells_P)

    @cached_property
    def errors_Q(self) -> Any:
        """Target errors of all intervals, minus those of the empty one."""
        return self._errors(self.cells_Q)

    def differs_P(self, index: Any) -> Any:
        """Numbers of source points in the symmetric differences with the given intervals."""
        return self._differs(self.cells_P, index)

    def differs_Q(self, index: Any) -> Any:
        """Numbers of target points in the symmetric differences with the given intervals."""
        return self._differs(self.cells_Q, index)

    def take(self, index: Any) -> Any:
        """Ends of the intervals, shape (..., 2)."""
        low, high = self.pairs
        ends = [self.thresholds[low[index]], self.thresholds[high[index]]]
        return namespace(self.thresholds).stack(ends, axis=-1)

    def _errors(self, cells: Any) -> Any:
        walk = running(cells[..., 1] - cells[..., 0])
        low, high = self.pairs
        return walk[..., low] - walk[..., high]

    def _differs(self, cells: Any, index: Any) -> Any:
        xp = namespace(cells)
        total = running(cells[..., 0] + cells[..., 1])
        low, high = self.pairs
        at_low, at_high = low[index], high[index]
        content = total[..., high] - total[..., low]
        own = pick(total, at_high) - pick(total, at_low)
        # the intersection is between the larger low end and the smaller high end
        from_low, from_high = pick(total, at_low)[..., None], pick(total, at_high)[..., None]
        upper = xp.minimum(total[..., high], from_high)
        lower = xp.maximum(total[..., low], from_low)
        common = xp.maximum(upper - lower, xp.zeros_like(upper))
        return content + own[..., None] - 2 * common
