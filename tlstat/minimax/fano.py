"""Information-theoretic lower bounds on the cube, beside the exact value, for comparison.

All are valid; none is needed where the exact Bayes risk is known. They show what each inequality
gives away.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from scipy.special import gammaln, logsumexp

from tlstat.errors import InputError
from tlstat.minimax.cube import cube_minimax
from tlstat.minimax.vote import signed_sum, vote_bounds

_MAX_PAIRS = 1 << 28
_CHUNK = 1 << 22


@dataclass(frozen=True)
class CubeBounds:
    """Lower bounds on the minimax risk of one cube; ``exact`` is the risk itself.

    ``hellinger``, ``pinsker``, ``quarter_affinity`` and ``bretagnolle_huber`` bound the vote's
    error (see `vote_bounds`), ``fano_information`` and ``fano_kl`` are Fano's inequality on Hamming
    balls with the exact mutual information and with its bound by the divergence, and
    ``varshamov_gilbert`` is the textbook route: a packing of ``2^(m/8)`` signs and Tsybakov's
    Theorem 2.5.
    """

    exact: float
    hellinger: float
    pinsker: float
    quarter_affinity: float
    bretagnolle_huber: float
    fano_information: float
    fano_kl: float
    varshamov_gilbert: float

    def items(self) -> list[tuple[str, float]]:
        """Names and values, the exact one first."""
        return [(f.name, getattr(self, f.name)) for f in fields(self)]


def mutual_information(
    n_P: float, p: float, delta_P: float, n_Q: float, q: float, delta_Q: float
) -> float:
    """Information (nats) between one uniform sign and what both samples say about it.

    Parameters
    ----------
    n_P, p, delta_P, n_Q, q, delta_Q : float
        As in `vote_error`.

    Returns
    -------
    float
        ``E[log 2 - log(1 + exp(-LLR))]`` under the positive sign, a sum over both signed sums; at
        most half the divergence between the signs. The information about ``m`` signs is ``m``
        times this.

    Raises
    ------
    InputError
        If the sum has more than 2^28 terms.
    """
    s, pmf_P = signed_sum(n_P, p, delta_P)
    t, pmf_Q = signed_sum(n_Q, q, delta_Q)
    if s.size * t.size > _MAX_PAIRS:
        raise InputError(
            f"the information is a sum of {s.size} x {t.size} terms; at most {_MAX_PAIRS} are "
            "handled: reduce n p"
        )
    llr_P, llr_Q = _log_ratio(s, delta_P), _log_ratio(t, delta_Q)
    total = 0.0
    step = max(1, _CHUNK // t.size)
    for start in range(0, s.size, step):
        llr = llr_P[start : start + step, None] + llr_Q
        gain = np.log(2) - np.logaddexp(0.0, -llr)
        total += float(pmf_P[start : start + step] @ gain @ pmf_Q)
    return min(max(total, 0.0), float(np.log(2)))


def _log_ratio(s: np.ndarray, delta: float) -> np.ndarray:
    """Log-likelihood ratio of a signed sum; certain signs get a ratio beyond all doubt."""
    if delta < 1:
        return 2 * np.arctanh(delta) * s
    return np.where(s > 0, 1e6, np.where(s < 0, -1e6, 0.0))


def cube_bounds(
    m: int, n_P: float, p: float, delta_P: float, n_Q: float, q: float, delta_Q: float
) -> CubeBounds:
    """The exact minimax risk of a cube and what the usual inequalities make of it.

    Parameters
    ----------
    m, n_P, p, delta_P, n_Q, q, delta_Q
        As in `cube_minimax`; single numbers.
    """
    exact = cube_minimax(m, n_P, p, delta_P, n_Q, q, delta_Q)
    atom = q * delta_Q
    two_point = vote_bounds(n_P, p, delta_P, n_Q, q, delta_Q)
    information = mutual_information(n_P, p, delta_P, n_Q, q, delta_Q)
    return CubeBounds(
        exact=exact,
        hellinger=m * atom * two_point.hellinger,
        pinsker=m * atom * two_point.pinsker,
        quarter_affinity=m * atom * two_point.quarter_affinity,
        bretagnolle_huber=m * atom * two_point.bretagnolle_huber,
        fano_information=atom * ball_fano(m, m * information),
        fano_kl=atom * ball_fano(m, m * two_point.kl / 2),
        varshamov_gilbert=atom * varshamov_gilbert(m, two_point.kl),
    )


def ball_fano(m: int, information: float) -> float:
    """Lower bound on the expected number of wrong signs out of ``m``.

    Parameters
    ----------
    m : int
    information : float
        Mutual information (nats) between the uniform signs and the data, or an upper bound.

    Notes
    -----
    ``P(distance > t) >= 1 - (I + log 2)/log(2^m/N_t)`` with ``N_t`` the size of a Hamming ball of
    radius ``t < m/2`` (Duchi & Wainwright, arXiv:1311.2669), times ``t + 1``, at the best ``t``.
    """
    t = np.arange(0, (m + 1) // 2)
    log_choose = gammaln(m + 1) - gammaln(t + 1) - gammaln(m - t + 1)
    log_ball = np.array([logsumexp(log_choose[: k + 1]) for k in range(t.size)])
    room = m * np.log(2) - log_ball
    with np.errstate(divide="ignore"):
        bound = (t + 1) * (1 - (information + np.log(2)) / room)
    return float(max(0.0, bound.max()))


def varshamov_gilbert(m: int, kl: float) -> float:
    """Lower bound on the expected number of wrong signs by a packing (``m >= 8``; else 0).

    Parameters
    ----------
    m : int
    kl : float
        Divergence between the two signs of one atom.

    Notes
    -----
    ``M = 2^(m/8)`` signs at distances of at least ``m/8`` exist; the divergence to the centre is
    at most ``m kl = alpha log M``; then (Tsybakov 2009, Theorem 2.5) some sign is missed with
    probability ``sqrt(M)/(1 + sqrt(M)) (1 - 2 alpha - sqrt(2 alpha/log M))``, and a miss costs
    ``m/16`` wrong signs. The theorem needs ``alpha < 1/8``; the bound is 0 beyond.
    """
    log_M = m / 8 * np.log(2)
    alpha = m * kl / log_M
    if m < 8 or not alpha < 1 / 8:
        return 0.0
    root = np.exp(log_M / 2)
    probability = root / (1 + root) * (1 - 2 * alpha - np.sqrt(2 * alpha / log_M))
    return float(max(0.0, m / 16 * probability))


def best_over_scales(
    n_P: float,
    n_Q: float,
    m: int,
    *,
    rho: float,
    beta_P: float,
    beta_Q: float,
    points: int = 400,
) -> CubeBounds:
    """Each bound at the scale that is best for it, over the cubes of `cube_at_scale`.

    Parameters
    ----------
    n_P, n_Q : float
        Sample sizes, not both 0.
    m : int
        Number of atoms.
    rho, beta_P, beta_Q : float
        Exponents of the class; its constants are 1.
    points : int
        Scales tried, geometrically down from 1/2.
    """
    from tlstat.minimax.cube import cube_at_scale, least_favourable_cube

    hardest = least_favourable_cube(
        n_P, n_Q, rho=rho, beta_P=beta_P, beta_Q=beta_Q, d=m + 1, m=m
    ).scale
    best: dict[str, Any] = {}
    for eps in np.geomspace(1e-3 * hardest, min(0.5, 10 * hardest), points):
        atom = cube_at_scale(eps, m, rho=rho, beta_P=beta_P, beta_Q=beta_Q)
        p, delta_P, q, delta_Q = (float(a) for a in atom)
        for name, value in cube_bounds(m, n_P, p, delta_P, n_Q, q, delta_Q).items():
            best[name] = max(best.get(name, 0.0), value)
    return CubeBounds(**best)
