"""Regression populations with known truth, their source, and samplers.

``y = x'beta + e`` with ``x ~ N(0, C)`` and ``e ~ N(0, sigma^2)``. The source has coefficients of
its own, ``beta + drift``, known from ``m`` rows: the initial estimate ``b0`` is normal around them
with covariance ``sigma^2 C^-1 / m`` (least squares, to leading order; exact for ``m`` infinite).

Symbols of arXiv:2006.14845 and arXiv:2308.15838: ``beta`` is the target's ``beta*``, ``b0`` the
initial estimate ``beta-tilde``, ``Delta = b0 - beta``, ``S`` the support of ``beta`` and
``s = |S|``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from tlstat.backend import to_numpy
from tlstat.errors import InputError

__all__ = ["Moments", "RegressionModel", "autoregressive", "shifted_source"]

Array = Any

# the truth of the simulations of arXiv:2308.15838 (its scripts), padded by zeros
TRUTH = (3.0, 1.5, 0.0, 0.0, 2.0)
SHIFTS = {"none": TRUTH, "one": (3.0, 1.5, 0.0, 0.0, 2.0, 2.0), "two": (3, 1.5, 0, 0, 0, 2)}


class Moments(NamedTuple):
    """``gram = X'X/n`` (size, p, p) and ``moment = X'y/n`` (size, p) of samples."""

    gram: Array
    moment: Array


def autoregressive(p: int, rho: float) -> np.ndarray:
    """The covariance ``rho^|j-k|``; ``rho = 0`` gives independent columns.

    Raises
    ------
    InputError
        If ``p`` is not positive or ``rho`` not in (-1, 1).
    """
    if not p >= 1:
        raise InputError(f"p is {p!r}; expected at least one column")
    if not -1 < rho < 1:
        raise InputError(f"rho is {rho!r}; expected a correlation in (-1, 1)")
    lags = np.abs(np.subtract.outer(np.arange(p), np.arange(p)))
    return np.asarray(float(rho) ** lags)


def shifted_source(p: int, shift: str = "none") -> np.ndarray:
    """Source coefficients of the method comparison of arXiv:2308.15838.

    Parameters
    ----------
    p : int
        At least 6.
    shift : {"none", "one", "two"}
        "one" adds a coefficient, "two" also drops one.
    """
    if shift not in SHIFTS:
        raise InputError(f"shift is {shift!r}; expected one of {', '.join(SHIFTS)}")
    return padded(SHIFTS[shift], p)


def padded(values: Any, p: int) -> np.ndarray:
    """``values`` followed by zeros."""
    if p < len(values):
        raise InputError(f"p is {p}; expected at least {len(values)} columns")
    return np.array([*map(float, values), *[0.0] * (p - len(values))])


@dataclass(frozen=True, eq=False)
class RegressionModel:
    """A linear regression with normal columns and noise, and its source.

    Parameters
    ----------
    beta : array_like, shape (p,)
        Coefficients of the target.
    covariance : array_like, shape (p, p)
        ``C``, positive definite.
    sigma : float
        Standard deviation of the noise, 0 or above.
    drift : array_like, shape (p,), optional
        Coefficients of the source minus ``beta``; zero by default.
    m : float
        Rows of the source; infinite where its coefficients are known.

    Raises
    ------
    InputError
        For shapes that do not fit, a covariance that is none, ``sigma < 0`` or ``m < 1``.
    """

    beta: np.ndarray
    covariance: np.ndarray
    sigma: float = 1.0
    drift: np.ndarray | None = None
    m: float = math.inf

    def __post_init__(self) -> None:
        beta = np.array(self.beta, dtype=float)
        if beta.ndim != 1 or beta.size == 0 or not np.all(np.isfinite(beta)):
            raise InputError(f"beta has shape {beta.shape}; expected finite numbers, shape (p,)")
        p = beta.size
        covariance = np.array(self.covariance, dtype=float)
        if covariance.shape != (p, p) or not np.allclose(covariance, covariance.T):
            raise InputError(f"covariance has shape {covariance.shape}; expected symmetric {p, p}")
        drift = np.zeros(p) if self.drift is None else np.array(self.drift, dtype=float)
        if drift.shape != (p,) or not np.all(np.isfinite(drift)):
            raise InputError(f"drift has shape {drift.shape}; expected finite numbers, {(p,)}")
        if not 0 <= self.sigma < math.inf:
            raise InputError(f"sigma is {self.sigma!r}; expected a finite number, 0 or above")
        if not self.m >= 1:
            raise InputError(f"m is {self.m!r}; expected at least one source row")
        for name, value in (("beta", beta), ("covariance", covariance), ("drift", drift)):
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        try:
            _ = self._factor
        except np.linalg.LinAlgError:
            raise InputError("covariance is not positive definite") from None

    @classmethod
    def from_cell(cls, cell: Mapping[str, Any]) -> RegressionModel:
        """The population of arXiv:2308.15838 with the parameters of a cell.

        Reads ``p``, ``rho`` (0.5), ``sigma`` (1), ``shift`` ("none"), and the source's rows from
        ``m`` or, as ``m = n^M``, from ``n`` and ``M``.
        """
        p = int(cell["p"])
        m = cell.get("m", float(cell["n"]) ** cell["M"] if "M" in cell else math.inf)
        beta = padded(TRUTH, p)
        drift = None
        if cell.get("shift", "none") != "none":
            drift = shifted_source(p, cell["shift"]) - beta
        covariance = autoregressive(p, cell.get("rho", 0.5))
        return cls(beta, covariance, cell.get("sigma", 1.0), drift, m)

    @property
    def p(self) -> int:
        """Number of columns."""
        return int(self.beta.size)

    @property
    def support(self) -> np.ndarray:
        """Mask of ``S``, shape (p,)."""
        return self.beta != 0

    @property
    def s(self) -> int:
        """``|S|``."""
        return int(self.support.sum())

    @property
    def drift_l1(self) -> float:
        """``|Delta|_1`` of a source that is known."""
        assert self.drift is not None
        return float(np.abs(self.drift).sum())

    @property
    def source(self) -> np.ndarray:
        """Coefficients of the source, shape (p,)."""
        return self.beta + self.drift

    @cached_property
    def _factor(self) -> np.ndarray:
        return np.linalg.cholesky(self.covariance)

    @cached_property
    def _inverse(self) -> np.ndarray:
        return np.linalg.inv(self.covariance)

    @cached_property
    def _pull(self) -> np.ndarray:
        S = self.support
        return np.asarray(np.linalg.solve(self.covariance[S][:, S], np.sign(self.beta[S])))

    # traces that the constants of the asymptotic regimes are made of

    @property
    def trace_all(self) -> float:
        """``tr C^-1``: least squares on all columns."""
        return float(np.trace(self._inverse))

    @property
    def trace_active(self) -> float:
        """``tr (C_SS)^-1``: least squares on the columns of ``S``."""
        return _block_trace(self.covariance, self.support)

    @property
    def trace_inactive(self) -> float:
        """``tr (C_NN)^-1`` with ``N`` the complement of ``S``."""
        return _block_trace(self.covariance, ~self.support)

    @property
    def trace_source(self) -> float:
        """``tr (C^-1)_SS``: the source's least squares, read on ``S``."""
        return float(np.diag(self._inverse)[self.support].sum())

    @property
    def shrinkage(self) -> float:
        """``|(C_SS)^-1 sign(beta_S)|_2``: the bias of the lasso per unit of its level."""
        return float(np.linalg.norm(self._pull))

    @property
    def irrepresentable(self) -> float:
        """``max |C_NS (C_SS)^-1 sign(beta_S)|``: the lasso selects in the limit if below 1."""
        S = self.support
        return float(np.max(np.abs(self.covariance[~S][:, S] @ self._pull), initial=0.0))

    # samplers

    def draw(self, n: int, rng: Any, size: int = 1) -> tuple[Array, Array]:
        """Raw samples: ``X`` (size, n, p) and ``y`` (size, n)."""
        _at_least_one(n)
        z = to_numpy(rng.normal(size=(size, n, self.p)))
        X = z @ self._factor.T
        noise = to_numpy(rng.normal(size=(size, n)))
        return X, X @ self.beta + self.sigma * noise

    def draw_moments(self, n: int, rng: Any, size: int = 1) -> Moments:
        """``X'X/n`` and ``X'y/n`` of ``size`` samples at a cost that does not depend on ``n``.

        Bartlett's decomposition: ``X' = L A Q`` with ``L`` the Cholesky factor of ``C``, ``A``
        lower trapezoidal (p, min(n, p)) with independent entries, and ``Q`` with orthonormal rows;
        ``Q e`` is then standard normal and independent of ``A``.
        """
        _at_least_one(n)
        p, k = self.p, min(int(n), self.p)
        A = np.tril(to_numpy(rng.normal(size=(size, p, k))), -1)
        degrees = n - np.arange(k, dtype=float)
        A[:, np.arange(k), np.arange(k)] = np.sqrt(to_numpy(rng.chi2(degrees, size=(size, k))))
        root = self._factor @ A / math.sqrt(n)
        z = to_numpy(rng.normal(size=(size, k)))
        gram = root @ np.swapaxes(root, -1, -2)
        noise = self.sigma / math.sqrt(n) * np.einsum("rjk,rk->rj", root, z)
        return Moments(gram, gram @ self.beta + noise)

    def draw_source(self, rng: Any, size: int = 1) -> Array:
        """Initial estimates ``b0``, shape (size, p)."""
        if math.isinf(self.m):
            return np.tile(self.source, (size, 1))
        z = to_numpy(rng.normal(size=(size, self.p)))
        spread = np.linalg.solve(self._factor.T, z.T).T
        return self.source + self.sigma / math.sqrt(self.m) * spread


def _block_trace(matrix: np.ndarray, keep: np.ndarray) -> float:
    return float(np.trace(np.linalg.inv(matrix[keep][:, keep])))


def _at_least_one(n: Any) -> None:
    if not (n >= 1 and float(n).is_integer()):
        raise InputError(f"n is {n!r}; expected a positive integer")
