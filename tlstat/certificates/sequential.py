"""Certificates from the losses themselves: empirical Bernstein, and betting at any time.

Betting is after Waudby-Smith and Ramdas (JRSS-B 86, 2024): a gambler with the wealth 1 bets, on
each example, against the claim that the risk is as large as ``m``; once the wealth reaches
``1/delta`` the claim is given up, for good. Here ``z_i = 1 - loss_i`` and the bets are the
predictable plug-in

    ``lambda_i(m) = min( sqrt(2 log(1/delta) / (h_i s2_{i-1})), cap / m )``

with the shrunken variance ``s2_i = (1/4 + sum_{j<=i} (z_j - mu_j)^2) / (i + 1)``,
``mu_i = (1/2 + sum_{j<=i} z_j) / (i + 1)``. The horizon ``h_i`` is the number of examples where
that is fixed in advance, and ``i log(1 + i)`` where it is open.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tlstat.certificates import wealth
from tlstat.certificates.base import (
    BOUNDED,
    FIXED,
    INDEPENDENT,
    Assumption,
    LossCertificate,
    Source,
    bounded_losses,
    giver,
    log_level,
)
from tlstat.certificates.inversion import Floats, raised
from tlstat.errors import InputError

LOG_2 = float(np.log(2.0))
CAP = 0.5
# 1 - z loses this much where z is near 1
ABSOLUTE = 1e-15

CONSTANT_MEAN = Assumption(
    "constant mean", "given the past, every example has the same expected loss R"
)
ORDER = Assumption("order", "the examples come in an order that does not depend on their losses")
BETTING = Source(
    "Waudby-Smith and Ramdas, JRSS-B 86 (2024)", "Theorem 3 and section 4", "one-sided"
)


def empirical_bernstein_limit(
    mean: Floats, variance: Floats, n: int, level: Floats, width: float = 1.0
) -> Floats:
    """Maurer and Pontil's upper limit from the sample mean and variance (``ddof=1``)."""
    log_term = level + LOG_2
    slack = 7 * width * log_term / (3 * (n - 1))
    return raised(mean + np.sqrt(2 * variance * log_term / n) + slack)


def sample_moments(x: Floats) -> tuple[Floats, Floats]:
    """Mean and unbiased variance along the last axis, both raised by their rounding error."""
    n = x.shape[-1]
    if n < 2:
        raise InputError(f"empirical Bernstein needs at least 2 examples, got {n}")
    up = 1 + n * 2.3e-16 if n < 1000 else 1 + (64 + np.log2(n)) * 2.3e-16
    mean = x.mean(axis=-1)
    return mean * up, x.var(axis=-1, ddof=1) * up


def bets_against(z: Floats, level: Floats, horizon: Floats) -> Floats:
    """The predictable plug-in bets, without the cap: row by row, from the past alone."""
    t = np.arange(1.0, z.shape[-1] + 1)
    mean = (0.5 + np.cumsum(z, axis=-1)) / (t + 1)
    variance = (0.25 + np.cumsum((z - mean) ** 2, axis=-1)) / (t + 1)
    before = np.concatenate([np.full((*z.shape[:-1], 1), 0.25), variance[..., :-1]], axis=-1)
    return np.sqrt(2 * level[..., None] / (horizon * before))


def horizons(n: int, horizon: float | None) -> Floats:
    """``h_1..h_n``: a fixed number of examples, or ``i log(1 + i)`` for an open end."""
    if horizon is None:
        t = np.arange(1.0, n + 1)
        return t * np.log1p(t)
    if not horizon >= n:
        raise InputError(f"horizon must be at least the {n} examples seen, got {horizon!r}")
    return np.full(n, float(horizon))


def lower_limits(
    z: Floats, level: Floats, horizon: Floats, cap: float, resolution: float | None = None
) -> Floats:
    """Lower confidence limits of the mean of ``z >= 0``: the last one, or the whole path."""
    if not 0 < cap < 1:
        raise InputError(f"cap must lie strictly between 0 and 1, got {cap!r}")
    shape = np.broadcast_shapes(z.shape[:-1], level.shape)
    n = z.shape[-1]
    rows = np.array(np.broadcast_to(z, (*shape, n))).reshape(-1, n)
    levels = np.array(np.broadcast_to(level, shape)).reshape(-1)
    bets = bets_against(rows, levels, horizon)
    if resolution is None:
        out = np.empty(levels.size)
        wealth.lower_limits_loop(rows, bets, cap, levels, out)
        return out.reshape(shape)
    if not 0 < resolution < 1:
        raise InputError(f"resolution must lie strictly between 0 and 1, got {resolution!r}")
    path = np.empty(rows.shape)
    wealth.lower_paths_loop(rows, bets, cap, levels, resolution, path)
    return path.reshape(*shape, n)


class BettingCertificate(LossCertificate):
    """An anytime-valid certificate; ``path`` gives the limit after every example."""

    anytime = True

    def path(
        self,
        losses: ArrayLike,
        *,
        delta: ArrayLike | None = None,
        log_inv_delta: ArrayLike | None = None,
        resolution: float = 1e-4,
        **options: Any,
    ) -> Any:
        """The running upper limits, which hold at all times together.

        They never rise, so a stopping rule of any kind is covered whenever the last is.

        Parameters
        ----------
        losses : array_like, shape (..., n)
        delta, log_inv_delta : array_like
            Exactly one of the two.
        resolution : float
            A limit may lag behind its exact value by less than twice this, always upwards; the
            last is exact. The cost grows as it shrinks.

        Returns
        -------
        float ndarray or tensor, shape (..., n)
        """
        give = giver(losses, delta, log_inv_delta)
        x, level = bounded_losses(losses), log_level(delta, log_inv_delta)
        return give(np.minimum(self.value(x, level, resolution=resolution, **options), 1.0))


def _empirical_bernstein(x: Floats, level: Floats) -> Floats:
    mean, variance = sample_moments(x)
    return empirical_bernstein_limit(mean, variance, x.shape[-1], level)


def _bet(
    x: Floats, level: Floats, h: Floats, cap: float, resolution: float | None = None
) -> Floats:
    return raised(1 - lower_limits(1 - x, level, h, cap, resolution)) + ABSOLUTE


def _betting(
    x: Floats,
    level: Floats,
    *,
    horizon: float | None = None,
    cap: float = CAP,
    resolution: float | None = None,
) -> Floats:
    n = x.shape[-1]
    return _bet(x, level, horizons(n, n if horizon is None else horizon), cap, resolution)


def _betting_anytime(
    x: Floats, level: Floats, *, cap: float = CAP, resolution: float | None = None
) -> Floats:
    return _bet(x, level, horizons(x.shape[-1], None), cap, resolution)


empirical_bernstein = LossCertificate(
    name="empirical_bernstein",
    title="empirical Bernstein",
    losses="[0,1]",
    formula=r"r + \sqrt{2 V L / n} + 7 L / (3(n-1)),\quad L = \log(2/\delta)",
    source=Source("Maurer and Pontil, COLT 2009", "Theorem 4"),
    value=_empirical_bernstein,
    assumptions=(FIXED, INDEPENDENT, BOUNDED),
    note="needs many examples: wider than Hoeffding for a few dozen",
)

betting = BettingCertificate(
    name="betting",
    title="betting, known horizon",
    losses="[0,1]",
    formula=r"1 - \sup\{m : \max_{t \le n} K_t(m) \ge 1/\delta\}",
    source=BETTING,
    value=_betting,
    assumptions=(FIXED, CONSTANT_MEAN, ORDER, BOUNDED),
    note=(
        "horizon= is the number of examples planned, fixed in advance (all that are passed, by "
        "default); it may be looked at after every example up to there; cap= is the largest bet"
    ),
)

betting_anytime = BettingCertificate(
    name="betting_anytime",
    title="betting, open-ended",
    losses="[0,1]",
    formula=r"1 - \sup\{m : \max_t K_t(m) \ge 1/\delta\}",
    source=BETTING,
    value=_betting_anytime,
    assumptions=(FIXED, CONSTANT_MEAN, ORDER, BOUNDED),
    note="may be looked at after every example, for ever; cap= is the largest bet",
)
