"""Sufficient statistics of a source and a target sample: all that an estimator looks at.

A sample here is a batch of replicates over a finite list of hypotheses. It knows each one's
number of errors on either sample, up to a constant that is common to all hypotheses, and the
number of points on which two hypotheses differ.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

import numpy as np

from tlstat.backend import namespace
from tlstat.errors import InputError


def pick(values: Any, index: Any) -> Any:
    """``values[..., index[...]]``: one entry of the last axis for each replicate."""
    if isinstance(values, np.ndarray):
        return np.take_along_axis(values, np.asarray(index)[..., None], axis=-1)[..., 0]
    return values.gather(-1, index[..., None])[..., 0]


class Sample(ABC):
    """Statistics of ``n_P`` source and ``n_Q`` target points, for a batch of replicates.

    Attributes
    ----------
    n_P, n_Q : int
        Sample sizes.
    ties : array, shape (..., 2)
        Uniform variates by which empirical minimisers are chosen where several are equally
        good: the first for the source's, the second for all others.
    separable : bool
        Whether the hypotheses are coordinates of a product class (one minimiser for each),
        so that sets of hypotheses mean nothing.
    """

    n_P: int
    n_Q: int
    ties: Any
    separable = False

    @property
    @abstractmethod
    def errors_P(self) -> Any:
        """Numbers of errors on the source sample, shape (..., H), up to a common constant."""

    @property
    @abstractmethod
    def errors_Q(self) -> Any:
        """Numbers of errors on the target sample, shape (..., H), up to a common constant."""

    @abstractmethod
    def differs_P(self, index: Any) -> Any:
        """Numbers of source points, (..., H), where hypotheses differ from the given ones."""

    @abstractmethod
    def differs_Q(self, index: Any) -> Any:
        """Numbers of target points, (..., H), where hypotheses differ from the given ones."""

    @abstractmethod
    def take(self, index: Any) -> Any:
        """The hypotheses with these indices, in the form the model's risk functions take."""

    @property
    def valid(self) -> Any:
        """Mask of the hypotheses that exist, (..., H), or None if all do."""
        return None


class CellSample(Sample):
    """Label counts in the cells between thresholds; hypothesis ``k`` is ``1[x >= thresholds[k]]``.

    Parameters
    ----------
    thresholds : array, shape (H,) or (..., H)
        Increasing.
    cells_P, cells_Q : array of int64, shape (..., H - 1, 2)
        Numbers of points with label 0 and with label 1 in ``[thresholds[k], thresholds[k+1])``.
    n_P, n_Q : int
    ties : array, shape (..., 2)
    two_sided : bool
        Whether hypothesis ``H + k`` is ``1[x < thresholds[k]]``.
    valid : array of bool, shape (..., H), optional
        Which hypotheses exist.
    separable : bool
        See `Sample`.
    """

    def __init__(
        self,
        thresholds: Any,
        cells_P: Any,
        cells_Q: Any,
        n_P: int,
        n_Q: int,
        ties: Any,
        *,
        two_sided: bool = False,
        valid: Any = None,
        separable: bool = False,
    ) -> None:
        self.thresholds, self.cells_P, self.cells_Q = thresholds, cells_P, cells_Q
        self.n_P, self.n_Q, self.ties = n_P, n_Q, ties
        self.two_sided, self.separable, self._valid = two_sided, separable, valid

    @classmethod
    def from_points(
        cls,
        thresholds: Any,
        x_P: Any,
        y_P: Any,
        x_Q: Any,
        y_Q: Any,
        rng: Any,
        *,
        two_sided: bool = False,
    ) -> CellSample:
        """Statistics of raw points on the line.

        Parameters
        ----------
        thresholds : array_like, shape (H,)
            Increasing; every point must lie in ``[thresholds[0], thresholds[-1]]``.
        x_P, y_P, x_Q, y_Q : array_like, shape (R, n)
            Points and labels of R replicates; n may be 0.
        rng : Random or numpy Generator
            Breaks ties.
        two_sided : bool
        """
        edges = np.asarray(thresholds, dtype=float)
        cells_P, cells_Q = _bin(edges, x_P, y_P), _bin(edges, x_Q, y_Q)
        ties = rng.uniform(0.0, 1.0, (cells_P.shape[0], 2))
        n_P, n_Q = np.shape(x_P)[-1], np.shape(x_Q)[-1]
        return cls(edges, cells_P, cells_Q, n_P, n_Q, ties, two_sided=two_sided)

    @property
    def valid(self) -> Any:
        """Mask of the hypotheses that exist, or None if all do."""
        return self._valid

    @cached_property
    def errors_P(self) -> Any:
        """Source errors, (..., H), minus those of the lowest threshold unless two-sided."""
        return self._errors(self.cells_P)

    @cached_property
    def errors_Q(self) -> Any:
        """Target errors, (..., H), minus those of the lowest threshold unless two-sided."""
        return self._errors(self.cells_Q)

    def differs_P(self, index: Any) -> Any:
        """Numbers of source points between thresholds and the given ones."""
        return self._differs(self._total_P, index)

    def differs_Q(self, index: Any) -> Any:
        """Numbers of target points between thresholds and the given ones."""
        return self._differs(self._total_Q, index)

    def take(self, index: Any) -> Any:
        """Thresholds (two-sided: angles, as `HalfPlanes` takes them)."""
        H = self.thresholds.shape[-1]
        place = index % H if self.two_sided else index
        t = pick(self.thresholds, place) if self.thresholds.ndim > 1 else self.thresholds[place]
        if not self.two_sided:
            return t
        xp = namespace(t)
        return xp.where(index >= H, xp.where(t > 0, t - 2.0, t + 2.0), t)

    @cached_property
    def _total_P(self) -> Any:
        return running(self.cells_P[..., 0] + self.cells_P[..., 1])

    @cached_property
    def _total_Q(self) -> Any:
        return running(self.cells_Q[..., 0] + self.cells_Q[..., 1])

    def _errors(self, cells: Any) -> Any:
        walk = running(cells[..., 1] - cells[..., 0])
        if not self.two_sided:
            return walk
        xp = namespace(cells)
        zeros, ones = (xp.sum(cells[..., k], axis=-1)[..., None] for k in (0, 1))
        return xp.concat([zeros + walk, ones - walk], axis=-1)

    def _differs(self, total: Any, index: Any) -> Any:
        if not self.two_sided:
            return abs(total - pick(total, index)[..., None])
        xp = namespace(total)
        H = self.thresholds.shape[-1]
        same = abs(total - pick(total, index % H)[..., None])
        other = total[..., -1:] - same
        flipped = (index >= H)[..., None]
        upper = xp.where(flipped, other, same)
        return xp.concat([upper, total[..., -1:] - upper], axis=-1)


def running(steps: Any) -> Any:
    """Sums of the last axis from the left, starting with 0."""
    return namespace(steps).cumulative_sum(steps, axis=-1, include_initial=True)


def _bin(edges: np.ndarray, x: Any, y: Any) -> np.ndarray:
    """Counts (R, H - 1, 2) of points in half-open cells, the last one closed."""
    x, y = np.atleast_2d(np.asarray(x, dtype=float)), np.atleast_2d(np.asarray(y))
    if x.size and (x.min() < edges[0] or x.max() > edges[-1]):
        raise InputError(
            f"a point lies at {x.min() if x.min() < edges[0] else x.max():.6g}, outside the "
            f"thresholds' range [{edges[0]:.6g}, {edges[-1]:.6g}]"
        )
    cells = edges.size - 1
    place = np.minimum(np.searchsorted(edges, x, side="right") - 1, cells - 1)
    flat = (np.arange(x.shape[0])[:, None] * cells + place) * 2 + y
    return np.bincount(flat.ravel(), minlength=x.shape[0] * cells * 2).reshape(-1, cells, 2)
