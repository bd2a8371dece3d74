"""Lower tails of single chi-squared laws at any depth: the closed forms behind several bounds.

Series, not contours: independent of the room's own tail estimators, which are tested on them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import gammainc, gammaln, hyp1f1, logsumexp

# below this the library's value loses digits, and then underflows
_SMALL = 1e-280


def gamma_log_cdf(a: Any, y: Any) -> Any:
    """Log of the regularised lower incomplete gamma function, at any depth.

    Parameters
    ----------
    a, y : array_like
        Shape, positive, and argument, non-negative; they broadcast.

    Returns
    -------
    ndarray
    """
    a, y = np.broadcast_arrays(np.asarray(a, float), np.asarray(y, float))
    with np.errstate(divide="ignore"):
        value = gammainc(a, y)
        out = np.array(np.log(value))
        deep = (value < _SMALL) & (y < a)
        series = np.log(hyp1f1(1.0, a[deep] + 1, y[deep]))
        out[deep] = a[deep] * np.log(y[deep]) - y[deep] - gammaln(a[deep] + 1) + series
    return out


def noncentral_log_cdf(x: float, df: float, nc: float) -> float:
    """Log CDF of the non-central chi-squared law: a Poisson mixture of central ones.

    Parameters
    ----------
    x, df, nc : float
        Argument, degrees of freedom and non-centrality.
    """
    if nc == 0:
        return float(gamma_log_cdf(df / 2, x / 2))
    half = nc / 2
    j = np.arange(int(half + 12 * np.sqrt(half)) + 100)
    log_weights = -half + j * np.log(half) - gammaln(j + 1)
    return float(logsumexp(log_weights + gamma_log_cdf(df / 2 + j, x / 2)))
