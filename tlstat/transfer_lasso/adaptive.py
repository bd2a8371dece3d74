"""The adaptive transfer lasso: penalty weights from the size of the source coefficients."""

from __future__ import annotations

from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.transfer_lasso.estimators import SquaredTransfer
from tlstat.transfer_lasso.problem import check_level

__all__ = ["AdaptiveTransferLasso"]


class AdaptiveTransferLasso(SquaredTransfer):
    """Transfer lasso that trusts large source coefficients to stay and small ones to be zero.

    Minimises::

        1/(2n) |y - Xb - intercept|^2
            + lam sum_j (alpha u_j |b_j| + (1 - alpha) v_j |b_j - source_coef_j|),
        u_j = |source_coef_j|^-gamma1,    v_j = |source_coef_j|^gamma2

    with both weights clipped to ``weight_range``. With a source from many rows it can have the
    source's rate, keep unchanged coefficients unchanged and select variables, all at once, which
    neither the adaptive lasso nor the transfer lasso can.

    Parameters
    ----------
    lam : float
        Strength of the penalty, 0 or above.
    alpha : float
        Share of the pull towards zero, in [0, 1].
    source_coef : array_like, shape (p,), or mapping from feature names, optional
        Initial estimate, in the units of ``X``. Without it there is nothing to weigh by: all
        weights are 1 and the source is zero, which is the plain lasso at ``lam``.
    gamma1, gamma2 : float
        Exponents of the weights, 0 or above.
    weight_range : (float, float)
        Weights below and above are clipped. The limits are in the units of the weights, which
        depend on the units of ``X`` and ``y``: widen them where coefficients are far from 1.
    fit_intercept, ridge, source_ridge, tol, max_iter
        As for `TransferLasso`.

    Attributes
    ----------
    coef_, intercept_, source_coef_, unchanged_, df_, dual_gap_, objective_, n_iter_
        As for `TransferLasso`.
    weights_, source_weights_ : ndarray, shape (p,)
        ``u`` and ``v``.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Notes
    -----
    arXiv:2308.15838; the default ``weight_range`` is that of the authors' method comparison. The
    count ``df_`` is valid for a source that is independent of ``y``, since the weights then are
    fixed too.
    """

    def __init__(
        self,
        lam: float = 1.0,
        alpha: float = 0.75,
        source_coef: Any = None,
        *,
        gamma1: float = 1.0,
        gamma2: float = 1.0,
        weight_range: tuple[float, float] = (1e-3, 1e3),
        fit_intercept: bool = True,
        ridge: float = 0.0,
        source_ridge: float = 0.0,
        tol: float = 1e-6,
        max_iter: int = 100,
    ) -> None:
        super().__init__(
            lam,
            alpha,
            source_coef,
            fit_intercept=fit_intercept,
            ridge=ridge,
            source_ridge=source_ridge,
            tol=tol,
            max_iter=max_iter,
        )
        self.gamma1 = gamma1
        self.gamma2 = gamma2
        self.weight_range = weight_range

    def _column_weights(self, source: np.ndarray, names: Any) -> tuple[np.ndarray, np.ndarray]:
        gamma1 = check_level(self.gamma1, "gamma1")
        gamma2 = check_level(self.gamma2, "gamma2")
        low, high = self._range()
        if self.source_coef is None:
            return np.ones_like(source), np.ones_like(source)
        size = np.abs(source)
        with np.errstate(divide="ignore", over="ignore"):
            # a zero coefficient gives infinity, and 1 where the exponent is 0
            u, v = size**-gamma1, size**gamma2
        return np.clip(u, low, high), np.clip(v, low, high)

    def _range(self) -> tuple[float, float]:
        try:
            given = np.asarray(self.weight_range, dtype=float)
        except (TypeError, ValueError):
            given = np.empty(0)
        if given.shape != (2,) or not 0 <= given[0] <= given[1] < np.inf:
            raise InputError(
                f"weight_range is {self.weight_range!r}; expected two finite numbers, the lower "
                "one 0 or above and not above the upper one"
            )
        return float(given[0]), float(given[1])
