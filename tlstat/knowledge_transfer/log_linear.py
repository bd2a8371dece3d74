"""Log-linear students, ``pi_theta(a|s)`` proportional to ``exp <phi(s, a), theta>``.

Section 6 and Appendix H of arXiv:2310.07838: the four losses over a class that need not contain
the teacher. Within the class the weighted loss goes to ``(1 + gamma) theta``, and partial soft
labels are noiseless equations, ``log pi_theta(a|s) = log pi(a|s)`` for every pair seen, which
determine the parameter after about as many different pairs as it has coordinates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.knowledge_transfer.estimators import checked_counts, checked_probs

LEVELS = ("hard", "weighted", "partial", "soft")
_STEPS = 200
_TOLERANCE = 1e-9
_ZERO = 1e-22  # a sum of squares of this size is rounding
_RESTARTS = 8

_Map = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Fit:
    """A fitted parameter with what proves it.

    Attributes
    ----------
    theta : ndarray, shape (d,)
    loss : float
        Mean loss over the sample.
    gradient : float
        Largest entry of the gradient of the mean loss.
    is_global : bool
        Whether ``theta`` is proved to minimise the loss: the loss is convex and the gradient
        vanishes, or the loss is zero. False for squared errors that cannot vanish, of which
        only a stationary point is known.
    """

    theta: np.ndarray
    loss: float
    gradient: float
    is_global: bool


@dataclass(frozen=True, eq=False)
class LogLinear:
    """The class of label laws with given features.

    Parameters
    ----------
    features : array_like, shape (S, A, d)
        ``phi(s, a)``. One-hot features give all positive label laws.

    Raises
    ------
    InputError
        If features have another shape or are not finite.
    """

    features: np.ndarray

    def __post_init__(self) -> None:
        features = np.array(self.features, dtype=np.float64)
        if features.ndim != 3 or 0 in features.shape:
            raise InputError(f"features must have shape (S, A, d), got {features.shape}")
        if not np.isfinite(features).all():
            raise InputError("features must be finite, got an entry that is not")
        features.setflags(write=False)
        object.__setattr__(self, "features", features)

    @classmethod
    def tabular(cls, S: int, A: int) -> LogLinear:
        """One-hot features: every positive teacher is in the class, ``d = S A``."""
        return cls(np.eye(S * A).reshape(S, A, S * A))

    @property
    def d(self) -> int:
        """Number of coordinates of the parameter."""
        return self.features.shape[2]

    @property
    def radius(self) -> float:
        """``M``, the largest Euclidean norm of a feature."""
        return float(np.linalg.norm(self.features, axis=-1).max())

    def log_probs(self, theta: Any) -> np.ndarray:
        """``log pi_theta``, shape (..., S, A) for ``theta`` of shape (..., d)."""
        theta = np.asarray(theta, dtype=np.float64)
        if theta.shape[-1:] != (self.d,):
            raise InputError(f"theta must have shape (..., {self.d}), got {theta.shape}")
        logits = np.einsum("sad,...d->...sa", self.features, theta)
        return _log_softmax(logits)

    def probs(self, theta: Any) -> np.ndarray:
        """``pi_theta``, shape (..., S, A) for ``theta`` of shape (..., d)."""
        return np.exp(self.log_probs(theta))

    def fit(
        self, counts: Any, teacher_probs: Any = None, level: str = "hard", *, gamma: float = 1.0
    ) -> np.ndarray:
        """Parameter that minimises a loss on a sample; see `solve`.

        Returns
        -------
        ndarray, shape (..., d)
            One parameter for each leading index of ``counts``.
        """
        counts, _ = checked_counts(counts)
        batch = counts.shape[:-2]
        probs = np.broadcast_to(0.0 if teacher_probs is None else teacher_probs, counts.shape)
        out = np.empty((*batch, self.d))
        for index in np.ndindex(*batch):
            given = None if teacher_probs is None else probs[index]
            out[index] = self.solve(counts[index], given, level, gamma=gamma).theta
        return out

    def solve(
        self, counts: Any, teacher_probs: Any = None, level: str = "hard", *, gamma: float = 1.0
    ) -> Fit:
        """Minimise a loss on one sample, with a certificate.

        Parameters
        ----------
        counts : array_like, shape (S, A)
            Non-negative weights; ``rho pi`` in place of counts gives the population's minimiser.
        teacher_probs : array_like, shape (S, A)
            Not needed for "hard".
        level : {"hard", "weighted", "partial", "soft"}
            Cross-entropy with sampled labels, weighted by ``pi**gamma``, squared error in
            log-probability, or cross-entropy with whole rows.
        gamma : float
            Exponent of the weights of "weighted".

        Returns
        -------
        Fit
            Where the minimiser is not unique, one of small norm.

        Raises
        ------
        InputError
            If nothing was seen, or the loss has no minimiser (as when labels are separable).
        """
        if level not in LEVELS:
            raise InputError(f"level must be one of {', '.join(LEVELS)}; got {level!r}")
        counts, _ = checked_counts(counts)
        if counts.shape != self.features.shape[:2]:
            raise InputError(
                f"counts has shape {counts.shape}; features have {self.features.shape[:2]}"
            )
        if not counts.any():
            raise InputError("counts are all zero: there is nothing to fit")
        counts = counts / counts.sum()
        if level == "hard":
            return self._cross_entropy(counts)
        probs = checked_probs(teacher_probs, counts, np)
        if level == "partial":
            return self._squared_error(counts, probs)
        if level == "soft":
            return self._cross_entropy(counts.sum(axis=1, keepdims=True) * probs)
        return self._cross_entropy(counts * np.where(counts > 0, probs, 1.0) ** gamma)

    def _cross_entropy(self, weights: np.ndarray) -> Fit:
        """Damped Newton steps on a convex loss; steps of least norm where it is flat."""
        weights = weights / weights.sum()
        visits = weights.sum(axis=1)
        target = np.einsum("sa,sad->d", weights, self.features)

        def value(theta: np.ndarray) -> float:
            return -float((weights * self.log_probs(theta)).sum())

        theta = np.zeros(self.d)
        for _ in range(_STEPS):
            probs = self.probs(theta)
            mean = np.einsum("sa,sad->sd", probs, self.features)
            gradient = visits @ mean - target
            centred = (self.features - mean[:, None]).reshape(-1, self.d)
            hessian = centred.T @ ((visits[:, None] * probs).reshape(-1, 1) * centred)
            step = -np.linalg.lstsq(hessian, gradient, rcond=1e-14)[0]
            if np.abs(gradient).max() <= _TOLERANCE * self.radius and np.abs(step).max() <= 1e-9:
                break
            theta = _backtrack(value, theta, step, gradient @ step)
        # without a minimiser the gradient vanishes all the same, along ever larger parameters
        if np.ptp(self.features @ theta, axis=1).max() > 15 and self._is_separable(weights):
            raise InputError(
                "the cross-entropy has no minimiser on this sample: its labels can be fitted "
                "ever better by ever larger parameters"
            )
        size = float(np.abs(gradient).max())
        if size > 1e-6 * self.radius:
            raise InputError(f"the cross-entropy was not minimised: gradient {size:.3g} is left")
        return Fit(theta, value(theta), size, True)

    def _is_separable(self, weights: np.ndarray) -> bool:
        """Is there a direction in which no label of the sample loses and one gains?"""
        from scipy.optimize import linprog

        s, a = np.nonzero(weights)
        gains = (self.features[s, a][:, None] - self.features[s]).reshape(-1, self.d)
        found = linprog(-gains.sum(axis=0), A_ub=-gains, b_ub=np.zeros(len(gains)), bounds=(-1, 1))
        return bool(found.status == 0 and -float(found.fun or 0.0) > 1e-7 * self.radius)

    def _squared_error(self, counts: np.ndarray, probs: np.ndarray) -> Fit:
        """Zero loss by the linear equations of each input where they suffice, else descent."""
        s, a = np.nonzero(counts)
        weight, wanted = np.sqrt(counts[s, a]), np.log(probs[s, a])
        inputs, at = np.unique(s, return_inverse=True)
        features, own = self.features[inputs], self.features[s, a]

        def residual(theta: np.ndarray) -> np.ndarray:
            return weight * (_log_softmax(features @ theta)[at, a] - wanted)

        def jacobian(theta: np.ndarray) -> np.ndarray:
            probs = np.exp(_log_softmax(features @ theta))
            mean = (probs[:, None] @ features)[:, 0]
            return weight[:, None] * (own - mean[at])

        starts = _starts(self._from_differences(s, a, wanted))
        best = _first_zero(residual, jacobian, starts)
        if best is None:
            best = _stationary(residual, jacobian, np.zeros(self.d))
        errors = residual(best)
        loss = 0.5 * float(errors @ errors)
        gradient = float(np.abs(jacobian(best).T @ errors).max())
        if gradient > 1e-6 * max(1.0, self.radius):
            raise InputError(
                "the squared error in log-probability has no minimiser that could be found: "
                f"a gradient of {gradient:.3g} is left"
            )
        return Fit(best, loss, gradient, loss <= _ZERO)

    def _from_differences(self, s: np.ndarray, a: np.ndarray, wanted: np.ndarray) -> np.ndarray:
        """Least-norm solution of the equations that do not involve the normalising constants.

        Two labels of one input have ``<phi(s, a) - phi(s, b), theta>`` equal to the difference
        of their log-probabilities.
        """
        rows, values = [], []
        for i in np.unique(s):
            mine = np.flatnonzero(s == i)
            features, logs = self.features[i, a[mine]], wanted[mine]
            rows.append(features[1:] - features[:1])
            values.append(logs[1:] - logs[:1])
        matrix = np.concatenate(rows)
        if not len(matrix):
            return np.zeros(self.d)
        return np.linalg.lstsq(matrix, np.concatenate(values), rcond=None)[0]


def tv_bound(features: Any, delta_theta: Any) -> np.ndarray:
    """Total variation of two log-linear laws at each input is at most this.

    Parameters
    ----------
    features : array_like, shape (S, A, d), or LogLinear
    delta_theta : array_like, shape (..., d)
        Difference of their parameters.

    Returns
    -------
    ndarray, shape (..., S)
        ``tanh(R_s/4)`` with ``R_s`` the range over labels of ``<phi(s, a), delta_theta>``; at
        most ``M |delta_theta| / 2``, half of Proposition H.2 of arXiv:2310.07838.

    Notes
    -----
    Ours. Attained with two labels: laws proportional to ``exp(-v/2)`` and ``exp(v/2)``.
    """
    model = features if isinstance(features, LogLinear) else LogLinear(features)
    change = np.einsum("sad,...d->...sa", model.features, np.asarray(delta_theta, dtype=float))
    return np.tanh((change.max(axis=-1) - change.min(axis=-1)) / 4)


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _backtrack(
    value: Callable[[np.ndarray], float], theta: np.ndarray, step: np.ndarray, slope: float
) -> np.ndarray:
    """Halve the step until the loss falls by a share of what the slope promises."""
    here, size = value(theta), 1.0
    rounding = 1e-13 * (1 + abs(here))  # near the minimum the fall is below the rounding error
    while size > 1e-6:
        if value(theta + size * step) <= here + 1e-4 * size * slope + rounding:
            break
        size /= 2
    return theta + size * step


def _starts(first: np.ndarray) -> Iterator[np.ndarray]:
    """The first guess, zero, and a few random ones of unit size (always the same)."""
    rng = np.random.default_rng(0)
    yield first
    yield np.zeros_like(first)
    for _ in range(_RESTARTS):
        yield first + rng.normal(size=first.shape)


def _first_zero(residual: _Map, jacobian: _Map, starts: Iterable[np.ndarray]) -> np.ndarray | None:
    """A zero of the residual by Gauss and Newton's steps of least norm, if one is found."""

    def value(theta: np.ndarray) -> float:
        return 0.5 * float(residual(theta) @ residual(theta))

    for theta in starts:
        for _ in range(_STEPS // 4):
            errors, slopes = residual(theta), jacobian(theta)
            step = -np.linalg.lstsq(slopes, errors, rcond=1e-12)[0]
            if errors @ errors <= _ZERO:
                return min(theta, theta + step, key=value)
            gradient = slopes.T @ errors
            moved = _backtrack(value, theta, step, float(gradient @ step))
            if value(moved) > 0.999 * value(theta) or np.abs(moved).max() > 1e6:
                break
            theta = moved
    return None


def _stationary(residual: _Map, jacobian: _Map, start: np.ndarray) -> np.ndarray:
    from scipy.optimize import least_squares

    found = least_squares(
        residual, start, jac=jacobian, max_nfev=500, xtol=1e-15, ftol=1e-15, gtol=1e-12
    )
    return np.asarray(found.x)
