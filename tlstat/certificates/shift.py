r"""Certificates under covariate shift, where the density ratio is known.

Examples come from a source ``P``; the risk is about a target ``Q`` with the known ratio
``w = dQ/dP <= W``. Then ``y = w(x) loss`` lies in ``[0, W]`` and has the mean
``E_P[w loss] = E_Q[loss] = R``, so any certificate for ``[0, 1]`` applied to ``y/W`` and
multiplied by ``W`` is one for ``R``:

* betting: ``z = 1 - y/W >= 0`` has the mean ``1 - R/W``; the wealth against any ``m >= 1 - R/W``
  is a non-negative supermartingale, so by Ville's inequality ``1 - R/W`` is ever rejected with
  probability at most ``delta``, and the limit is ``W (1 - lower limit of E z)``;
* empirical Bernstein: Maurer and Pontil's inequality scaled by ``W``.

With ``w = 1`` and ``W = 1`` both are the certificates without shift. Only the second moment of
``w loss`` enters their leading term; ``W`` enters with ``1/n``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tlstat.backend import to_numpy
from tlstat.certificates.base import (
    BOUNDED,
    FIXED,
    IID,
    Assumption,
    Certificate,
    Source,
    bounded_losses,
    giver,
    log_level,
)
from tlstat.certificates.inversion import Floats, numbers, raised, require
from tlstat.certificates.sequential import (
    ABSOLUTE,
    BETTING,
    CAP,
    ORDER,
    empirical_bernstein_limit,
    horizons,
    lower_limits,
    sample_moments,
)
from tlstat.errors import InputError

# ratios whose mean is this unlikely for a density ratio are refused
REFUSE = 1e-9

KNOWN_RATIO = Assumption(
    "known ratio", "ratios are the exact density ratios dQ/dP of the examples, at most ratio_max"
)


class WeightedCertificate(Certificate):
    """A certificate for the risk under ``Q`` from examples of ``P`` and their density ratios."""

    input = "weighted"

    def __call__(
        self,
        losses: ArrayLike,
        ratios: ArrayLike,
        *,
        ratio_max: float,
        delta: ArrayLike | None = None,
        log_inv_delta: ArrayLike | None = None,
        clip: bool = True,
        **options: Any,
    ) -> Any:
        """The upper limit for the target risk of each row.

        Parameters
        ----------
        losses : array_like, shape (..., n)
            In [0, 1], on examples of the source.
        ratios : array_like, shape (..., n)
            ``dQ/dP`` at these examples: the exact values, not estimates. Broadcasts.
        ratio_max : float
            The largest ratio possible (not the largest one seen), at least 1.
        delta, log_inv_delta : array_like
            Exactly one of the two; broadcast against the leading axes.
        clip : bool
            Return at most 1.

        Returns
        -------
        float, ndarray or tensor, shape of the leading axes

        Raises
        ------
        InputError
            If a ratio is negative, not finite or above ``ratio_max``, or if their mean is so far
            from 1 that they cannot be density ratios (probability below 1e-9 by Hoeffding).
        """
        give = giver(losses, ratios, delta, log_inv_delta)
        y, level = weighted_losses(losses, ratios, ratio_max), log_level(delta, log_inv_delta)
        limit = self.value(y, level, ratio_max, **options)
        return give(np.minimum(limit, 1.0) if clip else limit)


class WeightedBetting(WeightedCertificate):
    """The anytime-valid one; ``path`` gives the limit after every example."""

    anytime = True

    def path(
        self,
        losses: ArrayLike,
        ratios: ArrayLike,
        *,
        ratio_max: float,
        delta: ArrayLike | None = None,
        log_inv_delta: ArrayLike | None = None,
        resolution: float = 1e-4,
        **options: Any,
    ) -> Any:
        """The running upper limits, shape (..., n); see the call and ``betting.path``.

        ``resolution`` is relative to ``ratio_max``.
        """
        give = giver(losses, ratios, delta, log_inv_delta)
        y, level = weighted_losses(losses, ratios, ratio_max), log_level(delta, log_inv_delta)
        limit = self.value(y, level, ratio_max, resolution=resolution, **options)
        return give(np.minimum(limit, 1.0))


def weighted_losses(losses: ArrayLike, ratios: ArrayLike, ratio_max: float) -> Floats:
    """``w * loss``, checked."""
    x, w = bounded_losses(losses), numbers(to_numpy(ratios), "ratios")
    if not (1 <= ratio_max < math.inf):
        raise InputError(
            f"ratio_max must be a finite bound of at least 1 (a ratio has mean 1), "
            f"got {ratio_max!r}"
        )
    if w.shape[-1:] != x.shape[-1:]:
        raise InputError(f"ratios must have one entry an example, got {w.shape} for {x.shape}")
    require((w >= 0) & np.isfinite(w), w, "ratios", "finite and at least 0")
    require(w <= ratio_max, w, "ratios", f"at most ratio_max = {ratio_max:g}")
    off = np.abs(w.mean(axis=-1) - 1)
    far = ratio_max * math.sqrt(math.log(2 / REFUSE) / (2 * w.shape[-1]))
    if np.any(off > far):
        raise InputError(
            f"ratios must average 1 up to chance (here {far:.3g}), got {w.mean(axis=-1)}: they are "
            "no density ratios dQ/dP on examples of P"
        )
    return np.ascontiguousarray(x * w)


def _betting(
    y: Floats,
    level: Floats,
    top: float,
    *,
    horizon: float | None = None,
    cap: float = CAP,
    resolution: float | None = None,
) -> Floats:
    n = y.shape[-1]
    h = horizons(n, n if horizon is None else horizon)
    z = np.maximum(1 - y / top, 0.0)
    return top * (raised(1 - lower_limits(z, level, h, cap, resolution)) + ABSOLUTE)


def _empirical_bernstein(y: Floats, level: Floats, top: float) -> Floats:
    mean, variance = sample_moments(y)
    return empirical_bernstein_limit(mean, variance, y.shape[-1], level, top)


weighted_betting = WeightedBetting(
    name="weighted_betting",
    title="importance-weighted betting",
    losses="[0,1]",
    formula=r"W - W \sup\{m : \max_{t \le n} K_t(m) \ge 1/\delta\},\ z_i = 1 - w_i \ell_i / W",
    source=Source(BETTING.ref, BETTING.where, "applied to w loss / W here"),
    value=_betting,
    assumptions=(FIXED, IID, ORDER, BOUNDED, KNOWN_RATIO),
    note="horizon= and cap= as for betting",
)

weighted_empirical_bernstein = WeightedCertificate(
    name="weighted_empirical_bernstein",
    title="importance-weighted empirical Bernstein",
    losses="[0,1]",
    formula=(
        r"\bar y + \sqrt{2 V_y L / n} + 7 W L / (3(n-1)),"
        r"\ y_i = w_i \ell_i,\ L = \log(2/\delta)"
    ),
    source=Source("Maurer and Pontil, COLT 2009", "Theorem 4", "applied to w loss / W here"),
    value=_empirical_bernstein,
    assumptions=(FIXED, IID, BOUNDED, KNOWN_RATIO),
)
