"""Linear regression with a Gaussian prior on its coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.inductive_bias.data import inputs, targets
from tlstat.inductive_bias.kernels import Kernel
from tlstat.inductive_bias.spaces.base import HypothesisSpace
from tlstat.inductive_bias.spaces.factor import factorise
from tlstat.inductive_bias.spaces.gaussian import ConditionedGaussian


@dataclass(frozen=True)
class LinearSpace(HypothesisSpace):
    """Linear functions ``x -> x'theta`` with ``theta ~ N(0, tau^2 I)``.

    Parameters
    ----------
    tau : float
        Prior standard deviation of a coefficient.
    noise : float
        Variance of the training labels' noise; 0 conditions on exact interpolation.
    intercept : bool
        Adds a coefficient for the constant 1, with the same prior.
    """

    tau: float = 1.0
    noise: float = 0.0
    intercept: bool = False

    task = "real"

    def __post_init__(self) -> None:
        for name in ("tau", "noise"):
            value = getattr(self, name)
            if not isinstance(value, int | float | np.number) or not 0 <= value < np.inf:
                raise InputError(f"{name} is {value!r}; expected a finite number of at least 0")
        if self.tau == 0:
            raise InputError("tau is 0; expected a standard deviation above 0")

    def condition(self, X_train: Any, y_train: Any) -> ConditionedGaussian:
        X = inputs(X_train, "X_train")
        Y = targets(y_train, len(X), "y_train")
        variance, one = float(self.tau) ** 2, float(self.intercept)
        kernel = Kernel("linear", lambda A, B: variance * (A @ B.T + one), {"tau": self.tau})
        K = kernel(X, X)
        factor = factorise(K, Y, float(self.noise), "auto")
        settings = {
            "noise": float(self.noise),
            "intercept": self.intercept,
            "largest_variance": float(np.max(np.diag(K))),
        }
        return ConditionedGaussian(kernel, X, Y, factor, settings)

    def population_law(
        self, X_train: Any, y_train: Any, theta_star: Any, covariance: Any = None
    ) -> Any:
        """Law of the population error ``(theta - theta*)' S (theta - theta*)`` given the data.

        With ``S = I`` and exact labels it is ``tau^2`` times a non-central chi-squared variable
        with ``d - n`` degrees of freedom and non-centrality ``|P theta*|^2 / tau^2``, P the
        projection on what the training inputs leave free.

        Parameters
        ----------
        X_train : array_like, shape (n, d)
        y_train : array_like, shape (n,)
        theta_star : array_like, shape (d,)
            Coefficients of the target.
        covariance : array_like, shape (d, d), optional
            Second moments S of the inputs; the identity by default.

        Returns
        -------
        GeneralizedChiSquared
        """
        from tlstat.inductive_bias.chi_squared import GeneralizedChiSquared

        if self.intercept:
            raise InputError("population_law is for spaces without intercept; add a column of 1")
        mean, posterior = self._coefficients(X_train, y_train)
        d = len(mean)
        goal = np.asarray(theta_star, dtype=float)
        if goal.shape != (d,):
            raise InputError(f"theta_star has shape {goal.shape}; expected ({d},)")
        S = np.eye(d) if covariance is None else np.asarray(covariance, dtype=float)
        if S.shape != (d, d) or not np.allclose(S, S.T):
            raise InputError(f"covariance has shape {S.shape}; expected symmetric ({d}, {d})")
        spread, axes = np.linalg.eigh(S)
        if spread[0] < -1e-12 * spread[-1]:
            raise InputError("covariance is indefinite; expected a matrix of second moments")
        half = (axes * np.sqrt(np.maximum(spread, 0))).T
        values, vectors = np.linalg.eigh(half @ posterior @ half.T)
        squares = (vectors.T @ (half @ (mean - goal))) ** 2
        kept = values > 1e-12 * values[-1]
        if covariance is None and self.noise == 0:
            # equal weights by definition: the paper's parametric form, as one mode
            count = int(kept.sum())
            scale = float(self.tau) ** 2
            nc = float(squares[kept].sum()) / scale
            return GeneralizedChiSquared([scale], df=[count], nc=[nc], shift=squares[~kept].sum())
        return GeneralizedChiSquared(
            values[kept], df=1, nc=squares[kept] / values[kept], shift=float(squares[~kept].sum())
        )

    def _coefficients(self, X_train: Any, y_train: Any) -> tuple[np.ndarray, np.ndarray]:
        """Posterior mean (d,) and covariance (d, d) of theta."""
        X = inputs(X_train, "X_train")
        Y = targets(y_train, len(X), "y_train", 1)
        U, s, Vt = np.linalg.svd(X, full_matrices=True)
        rank = int(np.sum(s > max(X.shape) * np.finfo(float).eps * s[0])) if s.size else 0
        U, s = U[:, :rank], s[:rank]
        seen, free = Vt[:rank].T, Vt[rank:].T
        variance, noise = float(self.tau) ** 2, float(self.noise)
        if noise == 0:
            mean = seen @ ((U.T @ Y[:, 0]) / s)
            gap = float(np.linalg.norm(X @ mean - Y[:, 0]))
            if gap > 1e-6 * max(float(np.linalg.norm(Y)), 1e-300):
                raise InputError(
                    f"no linear function fits y_train (residual {gap:.3g}); give noise above 0"
                )
            return mean, variance * (free @ free.T)
        shrink = 1 / (s * s + noise / variance)
        mean = seen @ (s * shrink * (U.T @ Y[:, 0]))
        return mean, variance * (free @ free.T) + noise * (seen * shrink) @ seen.T
