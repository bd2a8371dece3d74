"""Lower tails of a generalised chi-squared law, computed from its weights.

``Lambda*(x) = sup_t {t x - K(t)}`` is the rate, attained at ``t``; ``q = t sqrt(K''(t))``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import erfcx

from tlstat.errors import InputError
from tlstat.inductive_bias.checks import complement
from tlstat.inductive_bias.chi_squared import GeneralizedChiSquared
from tlstat.inductive_bias.contour import crossing, exponent_at
from tlstat.inductive_bias.tails.base import LogProbability, target_of

_BULK = 1e-4  # closer to the mean, in standard deviations, Lugannani-Rice loses its digits
_ERROR_BULK = 0.1  # closer, its error term does
_WINDOW = 0.5


def contour(law: GeneralizedChiSquared, x: float) -> LogProbability:
    """Exact ``log P(e <= x)``, by integration along a contour through the saddlepoint.

    Parameters
    ----------
    law : GeneralizedChiSquared
    x : float

    Returns
    -------
    LogProbability
        The interval is the value with its estimated numerical error on both sides.
    """
    x = target_of(x)
    value, error = (float(v) for v in law.log_probabilities(x)[:2])
    statement = f"exact; the estimated numerical error is {error:.1g} nats"
    lower = value if math.isinf(value) else value - error
    return LogProbability(value, lower, min(value + error, 0.0), "contour", statement, 1.0)


def chernoff(law: GeneralizedChiSquared, x: float) -> LogProbability:
    """Cramer and Chernoff's bound ``P(e <= x) <= exp(-Lambda*(x))``, which always holds.

    ``Lambda*(x)`` is also the least divergence from the law of one whose mean is ``x``: what it
    costs to reach ``x`` on average, where the bias is what it costs to reach it surely.
    """
    x = target_of(x)
    value = 0.0 if x >= law.mean() else -math.inf
    if law.support()[0] < x < law.mean():
        value = min(saddle(law, x).exponent, 0.0)
    elif x == law.support()[0] and law.scale:
        value = -math.inf
    statement = "an upper bound of the probability that always holds"
    return LogProbability(value, -math.inf, value, "chernoff", statement, 1.0)


def saddlepoint(law: GeneralizedChiSquared, x: float) -> LogProbability:
    """Lugannani and Rice's approximation, with the next term of the expansion as its error.

    Notes
    -----
    R. Lugannani and S. Rice, Adv. Appl. Prob. 12 (1980) 475; the next term after H. E. Daniels,
    Int. Stat. Rev. 55 (1987) 37. The error term estimates, it does not bound:
    with one or two dominant weights a hundredth of a nat is usual.
    """
    x = target_of(x)
    low, high = law.support()
    if x <= low or x >= high:
        value = 0.0 if x >= high else -math.inf
        return LogProbability(value, value, value, "saddlepoint", "outside the support", 1.0)
    z = (x - law.mean()) / law.std()
    error = _next_term(law, x)
    if abs(z) < _BULK:
        value = _at_the_mean(law, z)
    else:
        value = _lugannani_rice(saddle(law, x))
        if x > law.mean():
            above, shift = complement(np.asarray(value), np.asarray(error))
            value, error = float(above), float(shift)
    statement = f"approximation; the next term of its expansion is {error:.1g} nats, no bound"
    return LogProbability(
        value, value - error, min(value + error, 0.0), "saddlepoint", statement, None
    )


def small_ball(law: GeneralizedChiSquared, x: float) -> LogProbability:
    """The power law at the infimum ``e0`` of a law with positive weights, between two bounds.

    With ``N`` the sum of ``df``: ``log P(e <= x)`` tends to
    ``-sum nc/2 - sum df/2 log(2 w) + N/2 log(x - e0) - log Gamma(N/2 + 1)``.

    Returns
    -------
    LogProbability
        The interval always holds: each density is its leading power times a factor between
        ``exp(-y/2)`` and ``exp(min(sqrt(nc y), nc y/(2 df)))`` (the first needs ``df >= 1``), at
        the points ``sum w y <= x - e0``.

    Raises
    ------
    InputError
        If a weight is negative or there is a normal part: there is no infimum.
    """
    x = target_of(x)
    if not math.isfinite(law.support()[0]) or law.scale == 0:
        raise InputError("law has negative weights, a normal part or no weights; expected positive")
    w, df, nc = law.modes.w[0], law.modes.df[0], law.modes.nc[0]
    gap = float(x - law.shift) / law.scale
    if gap <= 0:
        statement = "x is not above the infimum of the law"
        return LogProbability(-math.inf, -math.inf, -math.inf, "small ball", statement, 1.0)
    power = float(df.sum()) / 2
    value = power * math.log(gap) - math.lgamma(power + 1)
    value -= float((nc / 2 + df / 2 * np.log(2 * w)).sum())
    above = gap * float((nc / (2 * df * w)).max())
    if (df[nc > 0] >= 1).all():
        above = min(above, math.sqrt(gap * float((nc / w).sum())))
    below = gap / (2 * float(w.min()))
    statement = "asymptote; the interval always holds"
    return LogProbability(
        value, value - below, min(value + above, 0.0), "small ball", statement, 1.0
    )


def effective_dimension(law: GeneralizedChiSquared, x: float, *, exact: bool = False) -> float:
    """How fast the bias grows with the precision: ``2 dI/d log(1/(x - e0))``.

    By default ``-2 t (x - e0)`` with the saddlepoint ``t``, which is 0 at the mean and tends to
    the number of degrees of freedom at the infimum ``e0`` (the shift). It is monotone where all
    non-centralities are 0; large ones can lift it above the number of degrees of freedom.

    Parameters
    ----------
    exact : bool
        The derivative itself, ``2 (x - e0) f(x)/F(x)``, which is not 0 at the mean.
    """
    x = target_of(x)
    gap = x - law.shift
    if exact:
        if not law.support()[0] < x:
            raise InputError(f"x is {x}; expected a point above the infimum {law.support()[0]}")
        return float(2 * gap * math.exp(law.logpdf(x) - law.logcdf(x)))
    if x >= law.mean():
        return 0.0
    if not law.support()[0] < x:
        return float(law.df[law.weights != 0].sum())
    return -2 * saddle(law, x).t * gap


# --- the saddlepoint -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Saddle:
    """``t`` with ``K'(t) = x``, ``K(t) - t x``, and standardised quantities there.

    ``skew`` and ``excess`` are the third and fourth standardised cumulants under the tilt by
    ``t``, in the direction of the tail.
    """

    t: float
    exponent: float
    q: float
    skew: float
    excess: float

    @property
    def next_term(self) -> float:
        """Relative size of the term that Lugannani and Rice leave out."""
        r, u = math.sqrt(max(-2 * self.exponent, 0.0)), self.q
        term = (self.excess / 8 - 5 * self.skew**2 / 24) / u - self.skew / (2 * u * u)
        term += (1 / r**2 + 1 / (r * u) + 1 / u**2) * (1 / r - 1 / u)
        return abs(term) / (1 / u + _mills_excess(r))


def saddle(law: GeneralizedChiSquared, x: float) -> Saddle:
    """The saddlepoint of a point inside the support, other than the mean."""
    lower = x < law.mean()
    modes = law.modes.reflected() if lower else law.modes
    q = np.array([(x - law.shift) / law.scale]) * (-1 if lower else 1)
    with np.errstate(all="ignore"):
        t, a = crossing(np, modes, q, pole=False, tolerance=1e-13)
        exponent = float(exponent_at(np, modes, q, t, a)[0][0])
    b = 2 * modes.w / a
    k2, k3, k4 = (
        float((math.factorial(r - 1) / 2 * b**r * (modes.df + r * modes.nc / a)).sum())
        for r in (2, 3, 4)
    )
    k2 += float(modes.sd[0]) ** 2
    root = math.sqrt(k2)
    sign = -1.0 if lower else 1.0
    return Saddle(
        sign * float(t[0]) / law.scale, exponent, float(t[0]) * root, k3 / root**3, k4 / k2**2
    )


def _lugannani_rice(point: Saddle) -> float:
    """Log of the tail on the saddlepoint's side."""
    r = math.sqrt(max(-2 * point.exponent, 0.0))
    inside = 1 / point.q + _mills_excess(r)
    return point.exponent - 0.5 * math.log(2 * math.pi) + math.log(max(inside, 1e-300))


def _mills_excess(r: float) -> float:
    """Mills' ratio minus ``1/r``."""
    if r > 50:
        s = 1 / (r * r)
        return -s / r * (1 - 3 * s * (1 - 5 * s * (1 - 7 * s)))
    return math.sqrt(math.pi / 2) * float(erfcx(r / math.sqrt(2))) - 1 / r


def _at_the_mean(law: GeneralizedChiSquared, z: float) -> float:
    """Edgeworth's expansion, which Lugannani and Rice's formula tends to."""
    k = law.cumulants(3)
    skew = float(k[2]) / law.std() ** 3
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    normal = 0.5 * math.erfc(-z / math.sqrt(2))
    return math.log(normal + density * skew / 6 * (1 - z * z))


def _next_term(law: GeneralizedChiSquared, x: float) -> float:
    """The next term at ``x``, on that side's tail; in the bulk, where it changes sign, the largest
    within half a standard deviation.
    """
    mean, std = law.mean(), law.std()
    near = [x]
    if abs(x - mean) < 4 * _WINDOW * std:
        low, high = law.support()
        near = [max(x - _WINDOW * std, (low + x) / 2), x, min(x + _WINDOW * std, (x + high) / 2)]
    # too close to the mean the term itself cannot be computed
    least = _ERROR_BULK * std
    near = [mean + math.copysign(least, at - mean) if abs(at - mean) < least else at for at in near]
    return max(saddle(law, at).next_term for at in near)
