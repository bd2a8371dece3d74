"""Gaussian complexities of linear representations, heads and their composition; the chain rule.

Of Tripuraneni, Jordan and Jin (NeurIPS 2020): for a class Q of functions with values in R^k and N
points the empirical Gaussian complexity is ``E sup_q (1/N) sum_i g_i'q(x_i)`` with standard normal
``g_i``. The classes are

* ``H``: representations ``B'x``, ``B`` with r orthonormal columns: the supremum is a nuclear norm;
* ``F``: heads ``alpha'z``, ``|alpha| <= radius``: the supremum is a norm, its mean an integral;
* ``F^t(H)``: both together, over t tasks with n points each: no closed form, so a bracket.

The chain rule bounds the last by the other two; its constants are those of the paper's statement as
we know it (64 and 128, checked for consistency only). All numbers are for given points; a mean over
points is a mean of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.task_diversity.checks import count, matrix, positive

__all__ = [
    "ChainRule",
    "Complexity",
    "chain_rule",
    "composite_complexity",
    "composite_supremum",
    "expected_norm",
    "head_complexity",
    "representation_complexity",
    "worst_head_complexity",
]

Array = Any


@dataclass(frozen=True)
class Complexity:
    """A Gaussian complexity: a mean over draws of ``g``, and closed-form limits.

    Attributes
    ----------
    value : float
        The complexity where ``exact``, otherwise a lower estimate: the mean of suprema that were
        found by a search.
    standard_error : float
        Monte Carlo error of ``value`` (and about that of ``upper``); 0 where it is an integral.
    lower, upper : float
        What is certain, up to the Monte Carlo error where there is one.
    exact : bool
        Whether suprema are exact.
    """

    value: float
    standard_error: float
    lower: float
    upper: float
    exact: bool


# ------------------------------------------------------------------ heads


def expected_norm(variances: Array) -> float:
    """``E|g|`` for a normal vector with independent entries of these variances.

    Parameters
    ----------
    variances : array, shape (k,)
        0 or above.

    Returns
    -------
    float
        By ``E sqrt(Q) = int (1 - E exp(-sQ)) s^{-3/2} ds / (2 sqrt(pi))`` with a trapezoidal rule
        in ``log s``; relative error below 1e-10.
    """
    v = np.asarray(variances, dtype=float)
    if v.ndim != 1 or not np.all((v >= 0) & np.isfinite(v)):
        raise InputError(f"variances is {variances!r}; expected finite numbers, 0 or above")
    total = float(np.sum(v))
    if total == 0:
        return 0.0
    u = np.arange(-60.0, 60.0, 0.1)
    s = np.exp(u)
    log_laplace = -0.5 * np.sum(np.log1p(2 * s[:, None] * (v / total)), axis=1)
    # below s = e^{-60} the integrand is that of the mean, sqrt(s) E Q
    head, tail = 2 * np.exp(u[0] / 2), 2 * np.exp(-u[-1] / 2)
    body = 0.1 * (np.sum(-np.expm1(log_laplace) / np.sqrt(s)))
    return float(np.sqrt(total / np.pi) / 2 * (body + head + tail))


def head_complexity(Z: Array, radius: float = 1.0) -> Complexity:
    """``(radius/n) E|Z'g|``: linear heads on fixed features, exactly.

    Parameters
    ----------
    Z : array, shape (n, r)
        Features of the points.
    radius : float
        Largest norm of a head, above 0.

    Returns
    -------
    Complexity
        Its ``upper`` is ``radius sqrt(tr Z'Z)/n``.
    """
    Z = _points(Z, "Z", 2, "(n, r)")
    positive(radius=radius)
    variances = np.linalg.svd(Z, compute_uv=False) ** 2
    value = radius * expected_norm(variances) / len(Z)
    return Complexity(value, 0.0, value, radius * float(np.sqrt(np.sum(Z**2))) / len(Z), True)


def worst_head_complexity(n: int, r: int, radius: float = 1.0, bound: float = 1.0) -> float:
    """The largest `head_complexity` over n features in R^r of norm at most ``bound``.

    Returns
    -------
    float
        ``radius bound E chi_k / sqrt(n k)`` with ``k = min(n, r)``: the mean norm is concave in
        the spectrum of ``Z'Z``, whose trace is at most ``n bound^2``, and a tight frame attains
        the maximum (derived here). It is at most ``radius bound / sqrt(n)``.
    """
    from scipy.special import gammaln

    n, r = count("n", n), count("r", r)
    positive(radius=radius, bound=bound)
    k = min(n, r)
    mean_chi = np.sqrt(2) * np.exp(gammaln((k + 1) / 2) - gammaln(k / 2))
    return float(radius * bound * mean_chi / np.sqrt(n * k))


# ------------------------------------------------------------------ representations


def representation_complexity(
    X: Array, r: int, rng: np.random.Generator, draws: int = 1_000
) -> Complexity:
    """``(1/N) E|X'G|_*``: representations with r orthonormal columns.

    Parameters
    ----------
    X : array, shape (N, d) or (t, n, d)
        Points; tasks are pooled.
    r : int
        Dimension of the representation, at most d.
    rng : numpy.random.Generator
    draws : int
        Draws of the ``N x r`` normal matrix G.

    Returns
    -------
    Complexity
        ``value`` is a mean over draws of exact suprema; ``upper`` is ``r sqrt(tr Sigma_hat / N)``,
        ``lower`` the mean Frobenius norm over N, exactly.
    """
    X = _points(X, "X", (2, 3), "(N, d) or (t, n, d)")
    X = X.reshape(-1, X.shape[-1])
    r = _dimension(r, X.shape[1])
    draws = count("draws", draws, 2)
    N = len(X)
    # X'G has the law of (square root of X'X) times a normal matrix
    s, Vt = np.linalg.svd(X, full_matrices=False)[1:]
    G = s[:, None] * rng.normal(size=(draws, len(s), r))
    suprema = np.sum(np.linalg.svd(G, compute_uv=False), axis=-1) / N
    lower = expected_norm(np.repeat(s**2, r)) / N
    upper = r * float(np.linalg.norm(s)) / N
    return Complexity(float(np.mean(suprema)), _error(suprema), lower, upper, True)


# ------------------------------------------------------------------ both


def composite_supremum(
    z: Array, r: int, *, restarts: int = 3, rng: np.random.Generator | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """``max_B sum_j |B'z_j|`` over B with r orthonormal columns, bracketed.

    Parameters
    ----------
    z : array, shape (..., t, d)
    r : int
        At most d.
    restarts : int
        Starts of the search: the top subspace of the ``z_j``, then random ones.
    rng : numpy.random.Generator, optional
        For random starts.

    Returns
    -------
    lower, upper : array, shape (...)
        ``lower`` is attained: by alternating between heads and the polar factor of
        ``sum_j z_j a_j'``. ``upper`` holds for all B: the maximum is concave in the projection
        ``BB'``, and its linearisation at any point of ``{0 <= P <= I, tr P = r}`` is a sum of r
        eigenvalues.
    """
    z = matrix(np.asarray(z, dtype=float), "z", "(..., t, d)")
    r, restarts = _dimension(r, z.shape[-1]), count("restarts", restarts)
    rng = np.random.default_rng(0) if rng is None else rng
    lower = np.zeros(z.shape[:-2])
    best = np.zeros((*z.shape[:-2], z.shape[-1], r))
    for k in range(restarts):
        B = np.linalg.svd(z, full_matrices=True)[2][..., :r, :].swapaxes(-1, -2)
        if k > 0:
            B = np.linalg.qr(rng.normal(size=best.shape))[0]
        found, B = _alternate(z, B)
        better = found > lower
        best, lower = np.where(better[..., None, None], B, best), np.maximum(found, lower)
    return lower, np.maximum(_relaxation(z, best), lower)


def composite_complexity(
    X: Array,
    r: int,
    rng: np.random.Generator,
    *,
    radius: float = 1.0,
    draws: int = 200,
    restarts: int = 3,
) -> Complexity:
    """``E sup (1/nt) sum_ji g_ji alpha_j'B'x_ji``: heads of t tasks on one representation.

    Parameters
    ----------
    X : array, shape (t, n, d)
        n points of each task.
    r, restarts
        As in `composite_supremum`.
    rng : numpy.random.Generator
    radius : float
        Largest norm of a head, above 0.
    draws : int

    Returns
    -------
    Complexity
        A bracket: ``value = lower`` is the mean of what a search attains, ``upper`` that of an
        upper bound on the supremum of each draw.
    """
    X = _points(X, "X", 3, "(t, n, d)")
    positive(radius=radius)
    draws = count("draws", draws, 2)
    t, n, _ = X.shape
    z = np.einsum("gti,tid->gtd", rng.normal(size=(draws, t, n)), X) * radius / (n * t)
    lower, upper = composite_supremum(z, r, restarts=restarts, rng=rng)
    mean = float(np.mean(lower))
    return Complexity(mean, _error(lower), mean, float(np.mean(upper)), False)


def _alternate(z: np.ndarray, B: np.ndarray, steps: int = 100) -> tuple[np.ndarray, np.ndarray]:
    value = np.sum(np.linalg.norm(z @ B, axis=-1), axis=-1)
    for _ in range(steps):
        heads = _unit(z @ B)
        U, _, Vt = np.linalg.svd(z.swapaxes(-1, -2) @ heads, full_matrices=False)
        B = U @ Vt
        after = np.sum(np.linalg.norm(z @ B, axis=-1), axis=-1)
        if np.all(after <= value * (1 + 1e-10)):
            break
        value = after
    return np.sum(np.linalg.norm(z @ B, axis=-1), axis=-1), B


def _relaxation(z: np.ndarray, B: np.ndarray, steps: int = 50) -> np.ndarray:
    """Upper bounds along a Frank-Wolfe path from ``BB'``, the smallest of them."""
    r, d = B.shape[-1], z.shape[-1]
    # from the inside, so that no sqrt(z'Pz) is zero
    P = 0.9 * B @ B.swapaxes(-1, -2) + 0.1 * r / d * np.eye(d)
    upper = np.sum(np.linalg.norm(z, axis=-1), axis=-1)
    for step in range(steps):
        s = np.sqrt(np.maximum(np.einsum("...ja,...ab,...jb->...j", z, P, z), 0))
        scaled = z / np.sqrt(np.where(s > 0, s, 1))[..., None]
        values, vectors = np.linalg.eigh(scaled.swapaxes(-1, -2) @ scaled)
        # sqrt(z'Pz) <= z'Pz/(2 s) + s/2 for any s > 0
        bound = (np.sum(s, axis=-1) + np.sum(values[..., -r:], axis=-1)) / 2
        upper = np.minimum(upper, bound)
        V = vectors[..., -r:]
        P = P + 2 / (step + 4) * (V @ V.swapaxes(-1, -2) - P)
    return upper


def _unit(v: np.ndarray) -> np.ndarray:
    norm = np.linalg.norm(v, axis=-1, keepdims=True)
    return v / np.where(norm > 0, norm, 1)


# ------------------------------------------------------------------ the chain rule


@dataclass(frozen=True)
class ChainRule:
    """Right-hand sides of the chain rule for the composition of heads and representations.

    Attributes
    ----------
    constant_free : float
        ``L(F) G(H) + G(F)``: no bound, but what the complexities alone say.
    infimum : float
        ``inf over 0 < delta <= D of 4 delta + 64 (constant_free) log(D/delta)``.
    delta : float
        Where it is attained: ``min(16 constant_free, D)``.
    stated : float
        ``4 D/(nt)^2 + 128 (constant_free) log(nt)``: the choice ``delta = D/(nt)^2``.
    """

    constant_free: float
    infimum: float
    delta: float
    stated: float


def chain_rule(
    of_representations: float,
    of_heads: float,
    n: int,
    t: int,
    *,
    lipschitz: float = 1.0,
    bound: float = 1.0,
) -> ChainRule:
    """The chain rule for Gaussian complexities: composing costs a sum and a logarithm.

    Parameters
    ----------
    of_representations : float
        ``G(H)`` over all ``nt`` points.
    of_heads : float
        ``G(F)`` over n features, the worst ones.
    n, t : int
        Points a task, and tasks.
    lipschitz : float
        ``L(F)``: for linear heads the largest norm.
    bound : float
        ``D``: largest absolute value of a composed function.

    Returns
    -------
    ChainRule
        All grow with both complexities, ``lipschitz`` and ``bound``.
    """
    n, t = count("n", n), count("t", t)
    positive(
        of_representations=of_representations, of_heads=of_heads, lipschitz=lipschitz, bound=bound
    )
    total = lipschitz * of_representations + of_heads
    delta = min(16 * total, bound)
    infimum = 4 * delta + 64 * total * float(np.log(bound / delta))
    stated = 4 * bound / (n * t) ** 2 + 128 * total * float(np.log(n * t))
    return ChainRule(total, infimum, delta, stated)


def _points(value: Any, name: str, axes: int | tuple[int, ...], expected: str) -> np.ndarray:
    value = matrix(np.asarray(value), name, expected)
    if value.ndim not in np.atleast_1d(axes):
        raise InputError(f"{name} has shape {value.shape}; expected {expected}")
    return np.asarray(value)


def _dimension(r: Any, d: int) -> int:
    r = count("r", r)
    if r > d:
        raise InputError(f"r is {r}; expected at most {d}, the width of the points")
    return r


def _error(values: np.ndarray) -> float:
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))
