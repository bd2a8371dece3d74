"""Partial soft labels: the Bayes risk when a random set of labels is on (ours).

Of the first ``A - 1`` labels ``h`` have mass ``c S / n`` and the others none; the last takes the
rest. Which are on is uniform over subsets, independently for each input. The partial-label
student with the uniform guess is Bayes, and its risk is an average over the number of distinct
labels seen. Theorem 4.1 of arXiv:2310.07838 is the case of pairs, with the constant ``1/(4e)``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.knowledge_transfer.instances import on_off_worst_case
from tlstat.knowledge_transfer.occupancy import occupancy_mean
from tlstat.knowledge_transfer.vectorised import vectorised, whole


@vectorised
def subset_bayes_risk(S: Any, A: Any, n: Any, labels_on: Any = None, c: Any = None) -> float:
    """Exact Bayes risk over sets of living labels: a lower bound for every procedure.

    Parameters
    ----------
    S, A, n : int or array of int
        Numbers of inputs and of labels (3 or more), sample size (1 or more).
    labels_on : int, optional
        Number ``h`` of labels that are on, in ``1..A-2``.
    c : float, optional
        Their mass is ``c S / n``. Both default to the values that are worst as ``n`` grows.

    Returns
    -------
    float or ndarray
        About ``0.154 S A / n`` for many labels.

    Raises
    ------
    InputError
        If the labels that are on would have mass above one.

    Notes
    -----
    ``e E[U off / (U + off)]`` with ``e = c S / n`` the mass of a label, ``off = A - 1 - h`` and
    ``U`` the number of labels on that were not seen at an input.
    """
    S, A, n = whole("S", S, 1), whole("A", A, 3), whole("n", n, 1)
    best_h, best_c = on_off_worst_case(A)
    h = best_h if labels_on is None else whole("labels_on", labels_on, 1)
    mass = (best_c if c is None else float(c)) * S / n
    off = A - 1 - h
    if off < 1 or not 0 < h * mass <= 1:
        raise InputError(
            f"{h} of {A - 1} labels with mass {mass:g} each are no law with labels to spare: "
            f"n={n} is too small, or labels_on or c too large"
        )
    unseen = h - np.arange(h + 1)
    share = unseen * off / (unseen + off)
    return float(mass * occupancy_mean(share, n, h * mass / S))


def subset_limit(share_on: Any, c: Any) -> Any:
    """Limit of ``n/(SA)`` times `subset_bayes_risk`, many labels and then many samples.

    Parameters
    ----------
    share_on : array_like
        Limit of ``h/(A-1)``, in (0, 1).
    c : array_like
        Scaled mass, above 0.

    Notes
    -----
    ``c p q (1 - p) / (1 - p + p q)`` with ``p = share_on`` and ``q = exp(-c)``.
    """
    p, q = np.asarray(share_on, dtype=float), np.exp(-np.asarray(c, dtype=float))
    return c * p * q * (1 - p) / (1 - p + p * q)


def subset_limit_maximiser() -> tuple[float, float]:
    """The ``(share_on, c)`` at which `subset_limit` is largest: 0.67674 and 1.47767.

    In closed form: ``c = 1 + 2 W(exp(-1/2)/2)`` with Lambert's ``W``, and ``share_on = 1/c``.
    """
    from scipy.special import lambertw

    c = 1 + 2 * float(lambertw(0.5 * math.exp(-0.5)).real)
    return 1 / c, c


def subset_limit_constant() -> float:
    """The largest `subset_limit`: 0.154411, the constant of the rate ``SA/n``.

    In closed form ``(c - 1)**2 / c`` with ``c`` of `subset_limit_maximiser`.
    """
    c = subset_limit_maximiser()[1]
    return (c - 1) ** 2 / c
