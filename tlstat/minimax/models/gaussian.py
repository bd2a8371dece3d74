"""Gaussian half-spaces under covariate shift of the covariance matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tlstat.backend import to_numpy
from tlstat.errors import InputError
from tlstat.minimax.models.checks import as_array, require_unit


@dataclass(frozen=True, eq=False)
class GaussianHalfSpaces:
    """Homogeneous half-spaces ``1[w.x >= 0]`` with Gaussian inputs and a constant margin.

    ``X ~ N(0, Sigma)`` under each law, so that ``w`` and the best ``w_star`` disagree with
    probability ``arccos(corr(w.X, w_star.X)) / pi``. All exponents are 1.

    Parameters
    ----------
    Sigma_P, Sigma_Q : array_like, shape (d, d)
        Positive definite covariance matrices, d >= 2.
    w_star : array_like, shape (d,)
        Normal of the best half-space, not 0.
    c_P, c_Q : float
        Margins in (0, 1]; 1 means no noise.
    """

    Sigma_P: np.ndarray
    Sigma_Q: np.ndarray
    w_star: np.ndarray
    c_P: float = 1.0
    c_Q: float = 1.0

    def __post_init__(self) -> None:
        w = np.array(self.w_star, dtype=float)
        if w.ndim != 1 or w.size < 2 or not np.isfinite(w).all() or not w.any():
            raise InputError("w_star is not a non-zero vector of at least two finite numbers")
        object.__setattr__(self, "w_star", w)
        for name in ("Sigma_P", "Sigma_Q"):
            value = np.array(getattr(self, name), dtype=float)
            if value.shape != (w.size, w.size) or not np.allclose(value, value.T):
                raise InputError(
                    f"{name} has shape {value.shape}; expected a symmetric {w.size} x {w.size} "
                    "matrix, as w_star"
                )
            if np.linalg.eigvalsh(value)[0] <= 0:
                raise InputError(f"{name} is not positive definite; expected a covariance matrix")
            object.__setattr__(self, name, value)
        require_unit(c_P=self.c_P, c_Q=self.c_Q)

    @property
    def d(self) -> int:
        """Dimension of the inputs."""
        return self.w_star.size

    @property
    def vc_dimension(self) -> int:
        """VC dimension of the class."""
        return self.d

    rho = 1.0
    gamma_marginal = 1.0
    beta_P = 1.0
    beta_Q = 1.0

    @property
    def C_beta_P(self) -> float:
        """Constant of the source's Bernstein condition."""
        return 1 / self.c_P

    @property
    def C_beta_Q(self) -> float:
        """Constant of the target's Bernstein condition."""
        return 1 / self.c_Q

    @cached_property
    def C_gamma_local(self) -> float:
        """Constant of the marginal exponent for half-spaces close to the best one.

        The square root of the largest generalised eigenvalue of ``(S_Q, S_P)``, where
        ``S = (Sigma - Sigma w w' Sigma / w'Sigma w) / w'Sigma w`` on a complement of ``w_star``.
        """
        from scipy.linalg import eigh, null_space

        basis = null_space(self.w_star[None, :])
        S_P, S_Q = (basis.T @ _residual(S, self.w_star) @ basis for S in self._covariances)
        return float(np.sqrt(eigh(S_Q, S_P, eigvals_only=True)[-1]))

    @property
    def C_gamma_bound(self) -> float:
        """An upper bound on the constant over all half-spaces: Wielandt's inequality.

        The square root of the condition number of ``Sigma_Q`` relative to ``Sigma_P``.
        """
        from scipy.linalg import eigh

        values = eigh(self.Sigma_Q, self.Sigma_P, eigvals_only=True)
        return float(np.sqrt(values[-1] / values[0]))

    @cached_property
    def C_gamma(self) -> float:
        """Constant of the marginal exponent over all half-spaces, found by optimisation.

        At least `C_gamma_local` and at most `C_gamma_bound`: with correlated coordinates a
        half-space far from the best one may be the worst.
        """
        from tlstat.minimax.exponents import largest

        worst = largest(self, self._angle_ratio)
        return max(self.C_gamma_local, worst.value)

    @property
    def C_rho(self) -> float:
        """Constant of the transfer exponent."""
        return self.c_Q / self.c_P * self.C_gamma

    @property
    def _covariances(self) -> tuple[np.ndarray, np.ndarray]:
        return self.Sigma_P, self.Sigma_Q

    def _angle_ratio(self, w: np.ndarray) -> np.ndarray:
        of_P = self.disagreement_P(w)
        return np.where(of_P > 0, self.disagreement_Q(w) / np.where(of_P > 0, of_P, 1), 0.0)

    def disagreement_P(self, w: Any) -> Any:
        """Source mass on which half-spaces ``w`` (..., d) differ from the best one."""
        return _angle(self.Sigma_P, self.w_star, w) / math.pi

    def disagreement_Q(self, w: Any) -> Any:
        """Target mass on which half-spaces ``w`` (..., d) differ from the best one."""
        return _angle(self.Sigma_Q, self.w_star, w) / math.pi

    def excess_P(self, w: Any) -> Any:
        """Source excess risk of the half-spaces ``w`` (..., d)."""
        return self.c_P * self.disagreement_P(w)

    def excess_Q(self, w: Any) -> Any:
        """Target excess risk of the half-spaces ``w`` (..., d)."""
        return self.c_Q * self.disagreement_Q(w)

    @property
    def chart_dimension(self) -> int:
        """The direction of ``w - w_star`` and its size."""
        return self.d + 1

    def chart(self, u: Any) -> Any:
        """Normals for points of the unit cube: any direction, at distances from tiny to huge."""
        u = np.asarray(u)
        direction = 2 * u[..., 1:] - 1
        length = np.linalg.norm(direction, axis=-1, keepdims=True)
        direction = direction / np.maximum(length, 1e-12)
        size = np.linalg.norm(self.w_star) * 10.0 ** (-6 + 9 * u[..., :1])
        return self.w_star + size * direction

    def draw_P(self, rng: Any, size: tuple[int, ...]) -> tuple[Any, Any]:
        """Raw source inputs (``size + (d,)``) and labels."""
        return self._draw(self.Sigma_P, self.c_P, rng, size)

    def draw_Q(self, rng: Any, size: tuple[int, ...]) -> tuple[Any, Any]:
        """Raw target inputs (``size + (d,)``) and labels."""
        return self._draw(self.Sigma_Q, self.c_Q, rng, size)

    def _draw(self, Sigma: np.ndarray, margin: float, rng: Any, size: tuple[int, ...]) -> Any:
        z = to_numpy(rng.normal(0.0, 1.0, (*size, self.d)))
        x = z @ np.linalg.cholesky(Sigma).T
        agrees = to_numpy(rng.uniform(0.0, 1.0, size)) < (1 + margin) / 2
        return as_array(rng, x), as_array(rng, 1 * ((x @ self.w_star >= 0) == agrees))


def _residual(Sigma: np.ndarray, w: np.ndarray) -> np.ndarray:
    image = Sigma @ w
    return (Sigma - np.outer(image, image) / (w @ image)) / (w @ image)


def _angle(Sigma: np.ndarray, w_star: np.ndarray, w: Any) -> Any:
    """Angle in the geometry of ``Sigma``; by atan2, accurate near 0 and pi."""
    w = np.asarray(w, dtype=float)
    image = Sigma @ w_star
    squared = w_star @ image
    along = w @ image / squared
    across = w - along[..., None] * w_star
    size = np.einsum("...i,ij,...j->...", across, Sigma, across)
    return np.arctan2(np.sqrt(np.maximum(size, 0) / squared), along)
