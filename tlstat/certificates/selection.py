"""Selecting with a guarantee: a split of the sample, Learn-then-Test, conformal risk control.

What is controlled is unconditional: "deployed, and the risk is above alpha" has probability at most
``delta``. Among the models that happen to be deployed the share of bad ones can be larger.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tlstat.backend import to_numpy
from tlstat.certificates.base import CountCertificate, bounded_losses, log_level
from tlstat.certificates.inversion import counts, numbers, require
from tlstat.certificates.point import binomial_tail_inversion
from tlstat.certificates.weights import finite_class
from tlstat.errors import InputError

PROCEDURES = ("bonferroni", "holm", "fixed_sequence")


class SplitResult(NamedTuple):
    """The selected candidate and its certificate; arrays over the leading axes."""

    selected: Any
    limit: Any


def split_certificate(
    k_select: ArrayLike,
    k_certify: ArrayLike,
    n_certify: int,
    *,
    delta: float | None = None,
    log_inv_delta: float | None = None,
    shortlist: int = 1,
    certificate: CountCertificate = binomial_tail_inversion,
) -> SplitResult:
    """The baseline that every union bound has to beat: select on one part, certify on the other.

    Parameters
    ----------
    k_select, k_certify : array_like, shape (..., M)
        Errors of the candidates on the two parts of the sample, which share no example.
    n_certify : int
        Size of the second part.
    delta, log_inv_delta : float
        Exactly one of the two.
    shortlist : int
        How many of the best on the first part are kept (ties by index) and certified on the
        second, with a union over these only; the smallest certificate is selected.
    certificate : CountCertificate

    Returns
    -------
    SplitResult

    Raises
    ------
    InputError
        If the shapes differ or ``shortlist`` is not within 1..M.
    """
    first, second = np.asarray(to_numpy(k_select)), np.asarray(to_numpy(k_certify))
    if first.shape != second.shape or first.ndim == 0:
        raise InputError(
            "k_select and k_certify must have the same shape (..., M), "
            f"got {first.shape} and {second.shape}"
        )
    if not 1 <= shortlist <= first.shape[-1]:
        raise InputError(f"shortlist must lie within 1..{first.shape[-1]}, got {shortlist!r}")
    require(first >= 0, first, "k_select", "numbers of errors of at least 0")
    kept = np.argsort(first, axis=-1, kind="stable")[..., :shortlist]
    k = np.take_along_axis(second, kept, -1)
    level = log_level(delta, log_inv_delta)
    limit = finite_class(k, n_certify, certificate, log_inv_delta=level, candidates=shortlist)
    best = np.argmin(limit, axis=-1)[..., None]
    chosen = np.take_along_axis(kept, best, -1)[..., 0]
    value = np.take_along_axis(limit, best, -1)[..., 0]
    if chosen.ndim == 0:
        return SplitResult(int(chosen), float(value))
    return SplitResult(chosen, value)


def learn_then_test(
    k: ArrayLike,
    n: ArrayLike,
    alpha: float,
    *,
    delta: float | None = None,
    log_inv_delta: float | None = None,
    procedure: str = "bonferroni",
    candidates: float | None = None,
    certificate: CountCertificate = binomial_tail_inversion,
) -> NDArray[np.bool_]:
    """The candidates certified to have a risk of at most ``alpha``, all together.

    Candidate ``j`` passes a test at level ``a`` if its certificate at ``delta = a`` is at most
    ``alpha``: the test whose p-value is inverted by the certificate (Learn then Test,
    arXiv:2110.01052). With probability at least ``1 - delta`` no certified candidate has a risk
    above ``alpha`` (family-wise), whichever of them is then used.

    Parameters
    ----------
    k : array_like, shape (..., M)
        Errors, or sums of losses if the certificate admits them.
    n : array_like
        Number of examples.
    alpha : float
        Risk to be certified, in (0, 1).
    delta, log_inv_delta : float
        Exactly one of the two.
    procedure : {"bonferroni", "holm", "fixed_sequence"}
        "bonferroni" tests all at ``delta/M``: the union bound. "holm" shares the ``delta`` of
        what was certified among the rest; never fewer. "fixed_sequence" tests in the given
        order at the full level ``delta`` and stops at the first failure; the order must not
        depend on these examples.
    candidates : float, optional
        Size of the class if not all were scored (not for "fixed_sequence").
    certificate : CountCertificate

    Returns
    -------
    ndarray of bool, shape (..., M)
    """
    if procedure not in PROCEDURES:
        raise InputError(f"procedure must be one of {', '.join(PROCEDURES)}, got {procedure!r}")
    if not 0 < alpha < 1:
        raise InputError(f"alpha must lie strictly between 0 and 1, got {alpha!r}")
    if certificate.input != "count" or certificate.parameters:
        raise InputError(f"certificate must be computed from (k, n), got {certificate!r}")
    k, n = counts(to_numpy(k), to_numpy(n), whole=certificate.losses == "0/1")
    if k.ndim == 0:
        raise InputError("k must have the candidates on its last axis, got one number")
    level, M = float(log_level(delta, log_inv_delta)), k.shape[-1]
    size = float(M if candidates is None else candidates)
    if not size >= M:
        raise InputError(f"candidates must be at least the {M} scored ones, got {candidates}")
    if procedure == "fixed_sequence":
        if candidates is not None:
            raise InputError("fixed_sequence has no candidates beyond its sequence")
        return np.logical_and.accumulate(certificate(k, n, log_inv_delta=level) <= alpha, axis=-1)
    passed = certificate(k, n, log_inv_delta=level + np.log(size)) <= alpha
    while procedure == "holm":
        left = np.maximum(size - passed.sum(axis=-1, keepdims=True), 1.0)
        more = passed | (certificate(k, n, log_inv_delta=level + np.log(left)) <= alpha)
        if np.array_equal(more, passed):
            break
        passed = more
    return passed


class RiskControl(NamedTuple):
    """The threshold of conformal risk control, and its position in the list."""

    threshold: float
    position: int


def conformal_risk_control(
    losses: ArrayLike, thresholds: ArrayLike, alpha: float, *, bound: float = 1.0
) -> RiskControl:
    """The smallest threshold whose expected loss on a new example is at most ``alpha``.

    ``inf{ lambda : n r(lambda)/(n+1) + B/(n+1) <= alpha }`` (arXiv:2208.02814, Theorem 1). The
    guarantee is for the expectation over sample and new example, not with high probability;
    it needs exchangeable examples only.

    Parameters
    ----------
    losses : array_like, shape (n, len(thresholds))
        In ``[0, bound]``, not increasing in the threshold.
    thresholds : array_like
        Increasing.
    alpha : float
        Target, in (0, bound).
    bound : float
        Largest possible loss ``B``.

    Raises
    ------
    InputError
        If a loss rises with the threshold, or exceeds ``alpha`` at the largest one (the theorem
        assumes that it never does).
    """
    lam = numbers(thresholds, "thresholds")
    if not bound > 0:
        raise InputError(f"bound must be positive, got {bound!r}")
    if not 0 < alpha < bound:
        raise InputError(f"alpha must lie strictly between 0 and {bound}, got {alpha!r}")
    x = bounded_losses(np.asarray(to_numpy(losses)) / bound) * bound
    if lam.ndim != 1 or x.ndim != 2 or x.shape[1] != lam.size or x.shape[0] == 0:
        raise InputError(f"losses must have shape (n, {lam.size}) for thresholds, got {x.shape}")
    if np.any(np.diff(lam) <= 0):
        raise InputError("thresholds must increase strictly")
    if np.any(np.diff(x, axis=1) > 0):
        raise InputError("losses must not increase with the threshold")
    if x[:, -1].max() > alpha:
        raise InputError(
            f"losses at the largest threshold must be at most alpha = {alpha}, got {x[:, -1].max()}"
        )
    n = x.shape[0]
    # sums of 0 and B are exact; others are raised by their rounding error
    up = 1.0 if np.isin(x, (0.0, bound)).all() else 1 + 1e-14
    met = (x.sum(axis=0) * up + bound) / (n + 1) <= alpha
    position = int(np.argmax(met)) if met.any() else lam.size - 1
    return RiskControl(float(lam[position]), position)
