"""Gaussian hypothesis spaces, conditioned: the test error is a generalised chi-squared variable.

Symbols of arXiv:2406.15941, section 3: K = k(X, X), alpha = K^-1 Y, mu the posterior mean and Sigma
the posterior covariance at the test points, e the test error. With Sigma = U diag(lambda) U' and
delta = mu - Y,

    e = e_0 + sum_j w_j chi'^2_C(nu_j),

with ``w_j = lambda_j / (m C)``, ``nu_j = |(U' delta)_j|^2 / lambda_j``, and e_0 from the directions
with lambda_j = 0. (The paper fits a scaled non-central chi-squared law to sampled errors instead;
the decomposition is our own.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import eigh, solve_triangular

from tlstat.errors import InputError
from tlstat.inductive_bias.data import (
    as_random,
    classes_of,
    inputs,
    loss_name,
    middle_of,
    sample_size,
    targets,
    test_weights,
)
from tlstat.inductive_bias.kernels import Kernel
from tlstat.inductive_bias.spaces.base import ConditionedSpace, Latent, reject
from tlstat.inductive_bias.spaces.factor import Factor
from tlstat.inductive_bias.spaces.finite_law import FiniteLaw

CHUNK = 1 << 22


@dataclass(frozen=True)
class Spectrum:
    """The test error as a weighted sum of non-central chi-squared variables, plus a constant.

    Parameters
    ----------
    weights : ndarray, shape (J,)
        Coefficients w_j, ascending.
    df : int
        Degrees of freedom C of every mode.
    nc : ndarray, shape (J,)
        Non-centralities nu_j.
    shift : float
        The constant e_0: no hypothesis has a smaller error.
    clipped : int
        Modes whose variance is below `floor` and was put into `shift`.
    floor : float
        Variance that rounding cannot tell from zero.
    """

    weights: np.ndarray
    df: int
    nc: np.ndarray
    shift: float
    clipped: int
    floor: float

    def law(self) -> Any:
        """As a `GeneralizedChiSquared` law; a single error, where nothing is left to vary."""
        if not len(self.weights):
            return FiniteLaw([self.shift], counts=[1])
        from tlstat.inductive_bias.chi_squared import GeneralizedChiSquared

        return GeneralizedChiSquared(weights=self.weights, df=self.df, nc=self.nc, shift=self.shift)


@dataclass(frozen=True)
class ConditionedGaussian(ConditionedSpace):
    """Functions of a Gaussian process that interpolate, or fit up to noise, the training data.

    Parameters
    ----------
    kernel : Kernel
        Covariance k of the unconditioned process, its variance included.
    X : ndarray, shape (n, d)
    Y : ndarray, shape (n, C)
    factor : Factor
        Factor of ``k(X, X)``, noise and jitter added.
    settings : dict
        What `describe` adds.
    """

    kernel: Kernel
    X: np.ndarray
    Y: np.ndarray
    factor: Factor
    settings: dict[str, Any]

    def posterior(self, X_test: Any) -> tuple[np.ndarray, np.ndarray]:
        """Posterior mean (m, C) and covariance (m, m) at the test points."""
        X_test = inputs(X_test, "X_test", self.X.shape[1])
        cross = self.kernel(self.X[self.factor.kept], X_test)
        V = solve_triangular(self.factor.lower, cross, lower=True, check_finite=False)
        white = solve_triangular(
            self.factor.lower, self.Y[self.factor.kept], lower=True, check_finite=False
        )
        covariance = self.kernel(X_test, X_test) - V.T @ V
        return V.T @ white, (covariance + covariance.T) / 2

    def spectrum(
        self, X_test: Any, y_test: Any, *, weights: Any = None, label_noise: float = 0.0
    ) -> Spectrum:
        """The squared test error as a weighted sum of chi-squared variables.

        Parameters
        ----------
        X_test, y_test : array_like, m rows
        weights : array_like, shape (m,), optional
            Weights of the test points; with a fine weighted grid the error is that in L2 of the
            input law.
        label_noise : float
            Variance of the noise of fresh test labels. `y_test` then are the values of the clean
            function, and the law is that over hypotheses and labels.
        """
        if not 0 <= label_noise < np.inf:
            raise InputError(f"label_noise is {label_noise!r}; expected a variance of at least 0")
        gap, covariance, rounding = self._gap(X_test, y_test)
        covariance[np.diag_indices_from(covariance)] += label_noise
        return _spectrum(gap, covariance, rounding, test_weights(weights, len(gap)))

    def _gap(self, X_test: Any, y_test: Any) -> tuple[np.ndarray, np.ndarray, float]:
        """Posterior mean less the labels, covariance, and what rounding leaves of a variance."""
        mean, covariance = self.posterior(X_test)
        Y = targets(y_test, len(mean), "y_test", self.Y.shape[1])
        top = max(self.settings["largest_variance"], float(np.max(np.diag(covariance))))
        return mean - Y, covariance, len(self.X) * np.finfo(float).eps * top

    def error_law(
        self, X_test: Any, y_test: Any, *, weights: Any = None, loss: str | None = None
    ) -> Any:
        if loss_name(loss or self.losses[0]) != "squared":
            return None
        return self.spectrum(X_test, y_test, weights=weights).law()

    def error_laws(
        self, X_test: Any, y_test: Any, weights: Any, *, loss: str | None = None
    ) -> list[Any] | None:
        if loss_name(loss or self.losses[0]) != "squared":
            return None
        gap, covariance, rounding = self._gap(X_test, y_test)
        rows = [test_weights(w, len(gap)) for w in weights]
        return [_spectrum(gap, covariance, rounding, w).law() for w in rows]

    def sample_functions(self, X_test: Any, rng: Any, size: int) -> np.ndarray:
        """Values of independent hypotheses at the test points, (size, m, C)."""
        mean, covariance = self.posterior(X_test)
        root = _square_root(covariance)
        z = as_random(rng).normal(size=(sample_size(size), root.shape[1], mean.shape[1]))
        return mean + np.einsum("mj,sjc->smc", root, z)

    def sample_errors(
        self,
        X_test: Any,
        y_test: Any,
        rng: Any,
        size: int,
        *,
        weights: Any = None,
        loss: str | None = None,
    ) -> Any:
        if loss_name(loss or self.losses[0]) == "squared":
            return sample_spectrum(
                self.spectrum(X_test, y_test, weights=weights), rng, sample_size(size)
            )
        return reject(self.latent(X_test, y_test, weights=weights, loss=loss), rng, size).errors

    def latent(
        self, X_test: Any, y_test: Any, *, weights: Any = None, loss: str | None = None
    ) -> Latent:
        loss = loss_name(loss or self.losses[0])
        mean, covariance = self.posterior(X_test)
        Y = targets(y_test, len(mean), "y_test", self.Y.shape[1])
        C, share = Y.shape[1], test_weights(weights, len(Y))
        root = _square_root(covariance)
        middle = middle_of(self.Y) if loss == "zero_one" else 0.0
        best = classes_of(Y, middle)

        def losses(z: np.ndarray) -> np.ndarray:
            f = mean + root @ np.asarray(z).reshape(-1, root.shape[1], C)
            if loss == "squared":
                return np.asarray(((f - Y) ** 2).mean(axis=2))
            return classes_of(f, middle) != best

        return Latent(root.shape[1] * C, losses, share)

    def describe(self) -> dict[str, Any]:
        n, C = self.Y.shape
        return {
            "kernel": str(self.kernel),
            "n": n,
            "C": C,
            **self.settings,
            **self.factor.describe(),
        }


def _spectrum(
    gap: np.ndarray, covariance: np.ndarray, rounding: float, share: np.ndarray
) -> Spectrum:
    scale = np.sqrt(share)
    values, vectors = eigh(scale[:, None] * covariance * scale, check_finite=False)
    rotated = vectors.T @ (scale[:, None] * gap)
    C = gap.shape[1]
    squares = np.einsum("jc,jc->j", rotated, rotated)
    floor = max(1e-12 * float(values[-1]), rounding * float(np.max(share)))
    kept = values > floor
    return Spectrum(
        weights=values[kept] / C,
        df=C,
        nc=squares[kept] / values[kept],
        shift=float(squares[~kept].sum()) / C,
        clipped=int(np.sum(~kept)),
        floor=floor,
    )


def sample_spectrum(spectrum: Spectrum, rng: Any, size: int) -> Any:
    """Independent draws of the test error, in the array library of `rng`, by chunks."""
    rng = as_random(rng)
    xp, C, J = rng.xp, spectrum.df, len(spectrum.weights)
    w, centre = rng.asarray(spectrum.weights), rng.asarray(np.sqrt(spectrum.nc))
    host = rng.device == "cpu"
    step = max(1, CHUNK // max(J * (2 if host else C), 1))
    parts = []
    for start in range(0, size, step):
        rows = min(step, size - start)
        modes = (rng.normal(size=(rows, J)) + centre) ** 2
        if C > 1 and host:
            modes = modes + rng.chi2(float(C - 1), size=(rows, J))
        elif C > 1:
            modes = modes + (rng.normal(size=(rows, J, C - 1)) ** 2).sum(-1)
        parts.append(spectrum.shift + modes @ w)
    return xp.concat(parts) if len(parts) > 1 else parts[0]


def _square_root(covariance: np.ndarray) -> np.ndarray:
    values, vectors = eigh(covariance, check_finite=False)
    kept = values > 1e-14 * max(float(values[-1]), 0.0)
    return vectors[:, kept] * np.sqrt(values[kept])
