"""Statistics for classes that are not thresholds on a line: finite ones, and stumps."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from tlstat.backend import namespace
from tlstat.errors import InputError
from tlstat.minimax.sampling.statistics import Sample, running


class ClassSample(Sample):
    """Label counts at the atoms of a finite class.

    Parameters
    ----------
    predictions : array of 0/1, shape (H, K)
    atoms_P, atoms_Q : array of int64, shape (..., K, 2)
        Numbers of points with label 0 and with label 1.
    n_P, n_Q : int
    ties : array, shape (..., 2)
    """

    def __init__(
        self, predictions: Any, atoms_P: Any, atoms_Q: Any, n_P: int, n_Q: int, ties: Any
    ) -> None:
        xp = namespace(atoms_P)
        # in float64 these sums are exact below 2**53, and a matrix product is fast
        self._one = xp.astype(predictions, xp.float64)
        self.atoms_P, self.atoms_Q = atoms_P, atoms_Q
        self.n_P, self.n_Q, self.ties = n_P, n_Q, ties

    @cached_property
    def errors_P(self) -> Any:
        """Source errors, shape (..., H)."""
        return self._errors(self.atoms_P)

    @cached_property
    def errors_Q(self) -> Any:
        """Target errors, shape (..., H)."""
        return self._errors(self.atoms_Q)

    def differs_P(self, index: Any) -> Any:
        """Numbers of source points where hypotheses differ from the given ones."""
        return self._differs(self.atoms_P, index)

    def differs_Q(self, index: Any) -> Any:
        """Numbers of target points where hypotheses differ from the given ones."""
        return self._differs(self.atoms_Q, index)

    def take(self, index: Any) -> Any:
        """Hypotheses are their indices."""
        return index

    def _errors(self, atoms: Any) -> Any:
        counts = namespace(atoms).astype(atoms, self._one.dtype)
        return counts[..., 0] @ self._one.T + counts[..., 1] @ (1 - self._one).T

    def _differs(self, atoms: Any, index: Any) -> Any:
        counts = namespace(atoms).astype(atoms[..., 0] + atoms[..., 1], self._one.dtype)
        other = self._one[index]
        same_side = (counts * (1 - 2 * other)) @ self._one.T
        return same_side + (counts * other).sum(-1)[..., None]


class StumpSample(Sample):
    """Label counts of each coordinate's cells, for stumps on every coordinate.

    Parameters
    ----------
    thresholds : array, shape (H,)
        Thresholds of every coordinate, increasing.
    cells_P, cells_Q : array of int64, shape (..., d, H - 1, 2)
    n_P, n_Q : int
    ties : array, shape (..., 2)

    Notes
    -----
    Counts of single coordinates do not tell where two stumps on different coordinates differ,
    so procedures with confidence sets are refused.
    """

    def __init__(
        self, thresholds: Any, cells_P: Any, cells_Q: Any, n_P: int, n_Q: int, ties: Any
    ) -> None:
        self.thresholds, self.cells_P, self.cells_Q = thresholds, cells_P, cells_Q
        self.n_P, self.n_Q, self.ties = n_P, n_Q, ties

    @cached_property
    def errors_P(self) -> Any:
        """Source errors, shape (..., 2 d H): coordinate, then sign, then threshold."""
        return self._errors(self.cells_P)

    @cached_property
    def errors_Q(self) -> Any:
        """Target errors, shape (..., 2 d H)."""
        return self._errors(self.cells_Q)

    def differs_P(self, index: Any) -> Any:
        """Refused: marginal counts do not determine it."""
        raise InputError(
            "sample holds counts of single coordinates, which do not tell where stumps differ; "
            "use a FiniteClass on the product grid for procedures with confidence sets"
        )

    differs_Q = differs_P

    def take(self, index: Any) -> Any:
        """Stumps (..., 3): coordinate, threshold, sign."""
        xp = namespace(self.thresholds)
        H = self.thresholds.shape[0]
        coordinate, rest = index // (2 * H), index % (2 * H)
        sign = 1.0 - 2.0 * (rest // H)
        return xp.stack([1.0 * coordinate, self.thresholds[rest % H], sign], axis=-1)

    def _errors(self, cells: Any) -> Any:
        xp = namespace(cells)
        walk = running(cells[..., 1] - cells[..., 0])
        zeros, ones = (xp.sum(cells[..., k], axis=-1)[..., None] for k in (0, 1))
        both = xp.stack([zeros + walk, ones - walk], axis=-2)
        return xp.reshape(both, (*cells.shape[:-3], -1))
