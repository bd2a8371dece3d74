"""Posteriors that PAC-Bayes certifies: Gibbs weights on a finite class, Gaussian linear predictors.

Under ``Q`` concentrated on one of M candidates, PAC-Bayes is looser than the union bound by
``log I(n)``. It pays for a posterior that is spread over many candidates of similar risk.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from tlstat.backend import to_numpy
from tlstat.certificates.base import log_level
from tlstat.certificates.inversion import counts, kl_upper_inverse, numbers, raised, require
from tlstat.certificates.pac_bayes import pac_bayes_kl
from tlstat.certificates.weights import checked_log_weights, uniform
from tlstat.errors import InputError


class GibbsResult(NamedTuple):
    """A certified Gibbs posterior; arrays over the leading axes."""

    limit: Any
    beta: Any
    risk: Any
    kl: Any


def gibbs_certificate(
    k: ArrayLike,
    n: int,
    betas: ArrayLike,
    *,
    delta: ArrayLike | None = None,
    log_inv_delta: ArrayLike | None = None,
    candidates: float | None = None,
    log_prior: ArrayLike | None = None,
) -> GibbsResult:
    """The best Gibbs posterior ``Q_j ~ P_j exp(-beta k_j)`` on a finite class, certified.

    The bound of `pac_bayes_kl` holds for all posteriors together, hence ``beta`` is chosen after
    the data at no cost. It certifies the predictor that draws a candidate from ``Q`` each time.

    Parameters
    ----------
    k : array_like, shape (..., M)
        Errors, or sums of losses, of the candidates.
    n : int
        Number of examples.
    betas : array_like
        Inverse temperatures to try, at least 0.
    delta, log_inv_delta : array_like
        Exactly one of the two; broadcast against the leading axes.
    candidates : float, optional
        Size of the class if not all were scored; the others get posterior weight 0.
    log_prior : array_like, shape (M,), optional
        Logarithms of prior weights with sum at most 1 (`tlstat.certificates.weights`); uniform
        by default.

    Returns
    -------
    GibbsResult
        ``limit``, the best ``beta``, and ``risk`` and ``kl`` of its posterior.
    """
    k, _ = counts(to_numpy(k), n, whole=False)
    betas = np.atleast_1d(numbers(betas, "betas"))
    require((betas >= 0) & np.isfinite(betas), betas, "betas", "finite and at least 0")
    if k.ndim == 0 or (candidates is not None and log_prior is not None):
        raise InputError("k needs the candidates on its last axis, and one prior at most")
    size = k.shape[-1]
    if candidates is not None and candidates < size:
        raise InputError(f"candidates must be at least the {size} scored ones, got {candidates}")
    if log_prior is None:
        prior = np.full(size, uniform(size if candidates is None else candidates))
    else:
        prior = checked_log_weights(log_prior, size)
    risks, kls = [], []
    for beta in betas:
        log_q = prior - beta * k
        log_q = log_q - special.logsumexp(log_q, axis=-1, keepdims=True)
        q = np.exp(log_q)
        risks.append(np.sum(q * k, axis=-1) / n)
        # 0 log 0 = 0, for candidates outside the prior
        kls.append(np.sum(np.where(q > 0, q * (log_q - np.where(q > 0, prior, 0.0)), 0.0), axis=-1))
    risk, kl = np.clip(raised(np.array(risks)), 0, 1), raised(np.maximum(np.array(kls), 0.0))
    level = log_level(delta, log_inv_delta)
    limit = pac_bayes_kl(risk, n, kl, log_inv_delta=np.broadcast_to(level, risk.shape))
    best = np.expand_dims(np.argmin(limit, axis=0), 0)
    picked = [np.take_along_axis(np.asarray(v), best, 0)[0] for v in (limit, risk, kl)]
    limit, risk, kl = (float(v) if v.ndim == 0 else v for v in picked)
    return GibbsResult(limit, betas[best[0]] if np.ndim(limit) else float(betas[best[0]]), risk, kl)


def sampled_risk(
    mean: ArrayLike, draws: ArrayLike, *, delta: ArrayLike | None = None,
    log_inv_delta: ArrayLike | None = None,
) -> Any:  # fmt: skip
    """Upper limit of ``r_Q`` from the mean loss of ``draws`` independent draws from ``Q``.

    Use it as ``risk`` of a PAC-Bayes certificate; the two probabilities of failure add. One-sided,
    so ``log(1/delta)`` suffices where Langford and Caruana (2001) spend ``log(2/delta)``.
    """
    _, draws = counts(0, draws)
    return kl_upper_inverse(mean, log_level(delta, log_inv_delta) / draws)


class LinearGibbs(NamedTuple):
    """Empirical risk under a Gaussian posterior, and its divergence from the prior."""

    risk: Any
    kl: Any


def gaussian_linear(margins: ArrayLike, scale: ArrayLike) -> LinearGibbs:
    """A linear classifier drawn from ``Q = N(scale w/|w|, I)``, with the prior ``P = N(0, I)``.

    Its 0/1 loss on ``(x, y)`` is, in the mean, ``Phi(-scale y w.x / (|w| |x|))``, and
    ``KL(Q||P) = scale^2 / 2`` (Langford and Shawe-Taylor 2002). PAC-Bayes holds for all posteriors
    together: ``w`` and the scale may depend on the data, so the best scale of a grid is free.

    Parameters
    ----------
    margins : array_like, shape (..., n)
        ``y w.x / (|w| |x|)``, in [-1, 1].
    scale : array_like
        At least 0; its axes come before those of ``margins`` without the last.

    Returns
    -------
    LinearGibbs
        ``risk`` and ``kl``, for any PAC-Bayes certificate.
    """
    m, s = numbers(to_numpy(margins), "margins"), numbers(to_numpy(scale), "scale")
    if m.ndim == 0 or m.shape[-1] == 0:
        raise InputError(f"margins must have examples on the last axis, got shape {m.shape}")
    require(np.abs(m) <= 1 + 1e-12, m, "margins", "cosines in [-1, 1]")
    require((s >= 0) & np.isfinite(s), s, "scale", "finite and at least 0")
    outer = s.reshape(s.shape + (1,) * m.ndim)
    risk = np.minimum(raised(special.ndtr(-outer * m).mean(axis=-1)), 1.0)
    kl = np.broadcast_to(s.reshape(s.shape + (1,) * (m.ndim - 1)) ** 2 / 2, risk.shape)
    if risk.ndim == 0:
        return LinearGibbs(float(risk), float(kl))
    return LinearGibbs(risk, kl)
