"""Lower tails of simpler laws with the same cumulants: good in the bulk, wrong in the tail."""

from __future__ import annotations

import math
from typing import Any

from scipy.special import log_ndtr

from tlstat.errors import InputError
from tlstat.inductive_bias.chi_squared import GeneralizedChiSquared
from tlstat.inductive_bias.tails.base import LogProbability, target_of

_NO_PROMISE = "approximation by matched cumulants; no promise, least of all in the tail"


def moment_matched(law: GeneralizedChiSquared, x: float) -> LogProbability:
    """The non-central chi-squared law that matches mean, variance, skewness, and nearly kurtosis.

    Below the end of the matched law's support the probability is 0 and the bias infinite, however
    finite the truth is.

    Raises
    ------
    InputError
        If the skewness is not positive.

    Notes
    -----
    H. Liu, Y. Tang and H. H. Zhang, Comput. Stat. Data Anal. 53 (2009) 853. With
    ``s1 = c3/c2^(3/2)``, ``s2 = c4/c2^2`` and ``c_k = kappa_k/(2^(k-1) (k-1)!)``: ``df = l`` and
    ``nc = delta`` with ``a = 1/(s1 - sqrt(s1^2 - s2))``, ``delta = s1 a^3 - a^2``,
    ``l = a^2 - 2 delta`` where ``s1^2 > s2``, and ``a = 1/s1``, ``delta = 0`` elsewhere. There the
    paper's ``l = c2^3/c3^2`` is ``1/s1^2``.
    """
    x = target_of(x)
    _, variance, third, fourth = (float(k) for k in law.cumulants(4))
    c2, c3, c4 = variance / 2, third / 8, fourth / 48
    if c3 <= 0:
        raise InputError("law has a skewness of 0 or below; expected a positive one")
    s1, s2 = c3 / c2**1.5, c4 / c2**2
    # equal weights have s1^2 = s2: rounding must not decide
    root = math.sqrt(max(s1 * s1 - s2, 0.0)) if s1 * s1 - s2 > 1e-12 * s2 else 0.0
    a = 1 / (s1 - root)
    delta = max(s1 * a**3 - a * a, 0.0) if root else 0.0
    df = a * a - 2 * delta
    point = (x - law.mean()) / law.std() * math.sqrt(2) * a + df + delta
    value = -math.inf
    if point > 0:
        value = float(GeneralizedChiSquared([1.0], df, delta).logcdf(point))
    return _approximation(value, "moment matched")


def gamma_matched(law: Any, x: float) -> LogProbability:
    """The gamma law with the same mean and variance; ``law`` has methods ``mean`` and ``var``."""
    x = target_of(x)
    mean, variance = law.mean(), law.var()
    if not (mean > 0 and variance > 0):
        raise InputError(f"law has mean {mean} and variance {variance}; expected both positive")
    shape = mean * mean / variance
    matched = GeneralizedChiSquared([variance / mean / 2], 2 * shape)
    return _approximation(float(matched.logcdf(x)), "gamma matched")


def normal_matched(law: Any, x: float) -> LogProbability:
    """The normal law with the same mean and variance; ``law`` has methods ``mean`` and ``std``."""
    x = target_of(x)
    if not law.std() > 0:
        raise InputError("law has standard deviation 0; expected a positive one")
    return _approximation(float(log_ndtr((x - law.mean()) / law.std())), "normal matched")


def _approximation(value: float, method: str) -> LogProbability:
    return LogProbability(value, -math.inf, 0.0, method, _NO_PROMISE, None)
