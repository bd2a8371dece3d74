"""Families of tasks that share a representation, with their diversity set exactly::

    y = x'B alpha_j + e,   e ~ N(0, sigma^2)              (`LinearTasks`)
    P(y = 1 | x) = 1 / (1 + exp(-x'B alpha_j))            (`LogisticTasks`)

for tasks j = 1..t, with ``B`` (d, r) orthonormal and heads ``A`` (t, r). ``C = A'A/t`` and
``nu = sigma_r(C)`` is the diversity. Entries of ``x`` are independent with mean 0 and variance 1.

Symbols of arXiv:2002.11684 and arXiv:2006.11650, but ``n`` is always the number of samples *a
task* and ``N = nt`` all of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.task_diversity.subspace import check_rank

__all__ = ["COVARIATES", "LinearTasks", "LogisticTasks", "TaskFamily"]

Array = Any

# law of an entry of x -> its fourth moment
COVARIATES = {"gaussian": 3.0, "rademacher": 1.0, "uniform": 1.8, "laplace": 6.0}
HEADS = ("hadamard", "gaussian")


@dataclass(frozen=True, eq=False)
class TaskFamily:
    """What linear and logistic tasks share: the representation, the heads and the covariates.

    Parameters
    ----------
    d, r, t : int
        Dimension, rank of the representation (1 to d) and number of tasks.
    spectrum : sequence of float, shape (r,), optional
        Eigenvalues ``nu_1..nu_r`` of ``C`` before ``homogeneity``; 1/r each by default, so that
        heads have norm 1 and ``nu = 1/r``, the largest there is. Zeros make the tasks
        rank-deficient.
    heads : {"hadamard", "gaussian"}
        "hadamard": ``A = S diag(spectrum)^(1/2)`` with ``S`` columns of a Hadamard matrix, tiled:
        ``C = diag(spectrum)`` exactly, all heads have one norm and mean zero. The number of tasks
        must be a multiple of the order, the power of 2 above r.
        "gaussian": ``alpha_j ~ N(0, diag(spectrum))``; only the mean of ``C`` is set.
    homogeneity : float
        Share of the tasks, in [0, 1), whose head is replaced by one and the same, ``e_1`` times
        the root mean square norm of the others.
    covariates : {"gaussian", "rademacher", "uniform", "laplace"}
        Law of the entries of ``x``, standardised. The method of moments is for Gaussian ones:
        with others, ``E y^2 xx'`` has top eigenvectors outside of ``B`` (see `fourth_moment`).
    basis : array_like, shape (d, r), optional
        ``B``; the first r coordinates by default, which loses no generality for Gaussian ``x``.

    Raises
    ------
    InputError
        For parameters outside of these ranges.
    """

    d: int
    r: int
    t: int
    spectrum: Any = None
    _: KW_ONLY
    heads: str = "hadamard"
    homogeneity: float = 0.0
    covariates: str = "gaussian"
    basis: Any = None

    def __post_init__(self) -> None:
        for name in ("d", "t"):
            value = getattr(self, name)
            if isinstance(value, bool) or not float(value).is_integer() or value < 1:
                raise InputError(f"{name} is {value!r}; expected a positive integer")
        check_rank(self.r, self.d)
        for name in ("d", "r", "t"):
            object.__setattr__(self, name, int(getattr(self, name)))
        if self.heads not in HEADS:
            raise InputError(f"heads is {self.heads!r}; expected one of {', '.join(HEADS)}")
        if self.covariates not in COVARIATES:
            raise InputError(
                f"covariates is {self.covariates!r}; expected one of {', '.join(COVARIATES)}"
            )
        if not 0 <= self.homogeneity < 1:
            raise InputError(f"homogeneity is {self.homogeneity!r}; expected a share in [0, 1)")
        object.__setattr__(self, "spectrum", _spectrum(self.spectrum, self.r))
        object.__setattr__(self, "basis", _basis(self.basis, self.d, self.r))
        if self.heads == "hadamard" and self._varied % self.order:
            raise InputError(
                f"{self._varied} tasks have heads of their own; expected a multiple of "
                f"{self.order} for the Hadamard design at r = {self.r}, or heads='gaussian'"
            )

    @classmethod
    def from_cell(cls, cell: Mapping[str, Any], **changes: Any) -> Any:
        """The family with the parameters of a cell.

        Reads ``d``, ``r``, ``t`` and, where they are there, ``sigma``, ``heads``,
        ``homogeneity``, ``covariates``, and either ``spectrum`` or ``nu``: the smallest
        eigenvalue, with the others equal and the sum 1.
        """
        given = {key: cell[key] for key in cls.__dataclass_fields__ if key in cell}
        if "spectrum" not in given and "nu" in cell:
            given["spectrum"] = one_weak_direction(int(cell["r"]), float(cell["nu"]))
        return cls(**{**given, **changes})

    # ------------------------------------------------------------------ diversity

    @property
    def order(self) -> int:
        """Order of the Hadamard matrix: the power of 2 above r (its column of ones is unused)."""
        return 1 << self.r.bit_length()

    @property
    def _common(self) -> int:
        return round(self.homogeneity * self.t)

    @property
    def _varied(self) -> int:
        """Tasks with a head of their own."""
        return self.t - self._common

    @property
    def C(self) -> np.ndarray:
        """``A'A/t``, shape (r, r): exact for Hadamard heads, the mean for Gaussian ones."""
        share = self._common / self.t
        C = (1 - share) * np.diag(self.spectrum)
        C[0, 0] += share * self.spectrum.sum()
        return C

    @property
    def nu(self) -> float:
        """``sigma_r(C)``: the diversity of the tasks."""
        return float(np.diag(self.C).min())

    @property
    def condition_number(self) -> float:
        """``kappa = nu_1 / nu_r``; infinite for rank-deficient tasks."""
        return float(np.diag(self.C).max() / self.nu) if self.nu > 0 else math.inf

    @property
    def mean_condition_number(self) -> float:
        """``kappa-bar = tr C / (r nu)`` of arXiv:2002.11684."""
        return float(np.trace(self.C) / (self.r * self.nu)) if self.nu > 0 else math.inf

    @property
    def kurtosis(self) -> float:
        """Fourth moment of an entry of ``x``; 3 for Gaussian ones."""
        return COVARIATES[self.covariates]

    # ------------------------------------------------------------------ draws

    def draw_heads(self, rng: Any, size: int = 1) -> Array:
        """Heads ``A``, shape (size, t, r); the same in every replicate for Hadamard heads."""
        root = np.sqrt(self.spectrum)
        common = np.zeros(self.r)
        common[0] = math.sqrt(self.spectrum.sum())
        tail = rng.asarray(np.tile(common, (size, self._common, 1)))
        if self.heads == "hadamard":
            own = np.tile(_signs(self.order, self.r) * root, (self._varied // self.order, 1))
            varied = rng.asarray(np.tile(own, (size, 1, 1)))
        else:
            varied = rng.normal(size=(size, self._varied, self.r)) * rng.asarray(root)
        return rng.xp.concat([varied, tail], axis=1) if self._common else varied

    def draw_covariates(self, rng: Any, shape: tuple[int, ...]) -> Array:
        """Covariates of the given shape, entries independent and standardised."""
        if self.covariates == "gaussian":
            return rng.normal(size=shape)
        if self.covariates == "uniform":
            return rng.uniform(-math.sqrt(3), math.sqrt(3), size=shape)
        if self.covariates == "laplace":
            difference = rng.exponential(size=shape) - rng.exponential(size=shape)
            return difference / math.sqrt(2)
        return 2.0 * rng.xp.astype(rng.integers(0, 2, size=shape), rng.xp.float64) - 1.0

    def draw_responses(self, predictor: Array, rng: Any) -> Array:
        """Responses given ``x'B alpha_j``."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class LinearTasks(TaskFamily):
    """Linear regression tasks ``y = x'B alpha_j + e`` with normal noise.

    Parameters
    ----------
    sigma : float
        Standard deviation of the noise, 0 or above.

    The others are those of `TaskFamily`.

    Raises
    ------
    InputError
        For parameters outside of their ranges.
    """

    _: KW_ONLY
    sigma: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.sigma < math.inf:
            raise InputError(f"sigma is {self.sigma!r}; expected a finite number, 0 or above")

    def draw_responses(self, predictor: Array, rng: Any) -> Array:
        """``x'B alpha_j + e``."""
        if self.sigma == 0:
            return predictor
        return predictor + self.sigma * rng.normal(size=tuple(predictor.shape))

    def fourth_moment(self, heads: Any = None) -> np.ndarray:
        """``E[y^2 xx']`` averaged over the tasks, shape (d, d): what the method of moments sees.

        ``(tr C + sigma^2) I + 2 B C B' + (kurtosis - 3) diag(B C B')``. The last term, zero for
        Gaussian covariates, turns the top eigenvectors away from ``B``: for Rademacher covariates
        and ``B`` made of coordinates it cancels the signal.

        Parameters
        ----------
        heads : array_like, shape (t, r), optional
            By default ``C`` is that of the family.
        """
        A = None if heads is None else np.asarray(heads)
        C = self.C if A is None else A.T @ A / len(A)
        signal = self.basis @ C @ self.basis.T
        level = float(np.trace(C)) + self.sigma**2
        skew = (self.kurtosis - 3) * np.diag(np.diag(signal))
        return np.asarray(level * np.eye(self.d) + 2 * signal + skew)


@dataclass(frozen=True, eq=False)
class LogisticTasks(TaskFamily):
    """Classification tasks ``P(y = 1 | x) = 1/(1 + exp(-x'B alpha_j))``, y in {0, 1}.

    Parameters and errors are those of `TaskFamily`. For Gaussian covariates ``E[y x]`` is a
    multiple of ``B alpha_j`` (Stein's identity), so the estimators from second-order moments
    find ``B`` here as well.
    """

    def draw_responses(self, predictor: Array, rng: Any) -> Array:
        """Labels as floats 0 and 1."""
        u = rng.uniform(-1.0, 1.0, size=tuple(predictor.shape))
        return rng.xp.astype(u < rng.xp.tanh(predictor / 2), rng.xp.float64)


def one_weak_direction(r: int, nu: float) -> tuple[float, ...]:
    """The spectrum with sum 1, smallest value ``nu`` and all others equal.

    Raises
    ------
    InputError
        If ``nu`` is negative or above 1/r.
    """
    if not 0 <= nu <= (1 + 1e-12) / r:
        raise InputError(f"nu is {nu!r}; expected a number from 0 to 1/r = {1 / r:g}")
    return ((1 - nu) / (r - 1),) * (r - 1) + (nu,) if r > 1 else (1.0,)


def _spectrum(value: Any, r: int) -> np.ndarray:
    nu = np.full(r, 1 / r) if value is None else np.array(value, dtype=float)
    if nu.shape != (r,) or not np.all(np.isfinite(nu) & (nu >= 0)) or not nu.any():
        raise InputError(f"spectrum is {value!r}; expected {r} finite numbers >= 0, one above 0")
    return nu


def _basis(value: Any, d: int, r: int) -> np.ndarray:
    B = np.eye(d, r) if value is None else np.array(value, dtype=float)
    if B.shape != (d, r) or not np.allclose(B.T @ B, np.eye(r), atol=1e-10):
        raise InputError(f"basis has shape {B.shape}; expected orthonormal columns, {(d, r)}")
    return B


def _signs(order: int, r: int) -> np.ndarray:
    """Columns 1..r of the Hadamard matrix of Sylvester: entry (i, k) is (-1)^|i & k|."""
    both = np.arange(order)[:, None] & np.arange(1, r + 1)
    return 1.0 - 2.0 * (np.bitwise_count(both) % 2)
