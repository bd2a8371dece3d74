"""The partial-label student with the uniform guess at one input: exact expected distance.

What it does depends on the set of labels seen alone. Where all labels but one are equally
likely, the number of distinct ones is enough (balls in boxes); otherwise the law of the set is
found by inclusion and exclusion.
"""

from __future__ import annotations

import numpy as np

from tlstat.errors import InputError
from tlstat.knowledge_transfer.binomial import binomial, window

_MAX_SUBSET_LABELS = 12


def log1m(p: np.ndarray) -> np.ndarray:
    """``log(1 - p)``, very negative instead of infinite at 1 so that 0 times it is 0."""
    return (
        np.log1p(-np.minimum(p, 1 - 1e-300))
        if np.all(p < 1)
        else np.where(p < 1, np.log1p(-np.where(p < 1, p, 0.0)), -1e300)
    )


def partial_row(row: np.ndarray, rho: float, n: int) -> float:
    """Expected distance at one input, for its sorted law ``row``."""
    positive = row[row > 0]
    small = positive[:-1]
    if small.size == 0 or small[-1] - small[0] <= 1e-12 * small[-1]:
        return one_big_row(row, rho, n)
    if positive.size <= _MAX_SUBSET_LABELS:
        return subset_row(positive, row.size - positive.size, rho, n)
    raise InputError(
        f"a row has {positive.size} different positive labels; the closed form for partial soft "
        f"labels needs at most {_MAX_SUBSET_LABELS}, or all but the largest to be equal"
    )


def one_big_row(row: np.ndarray, rho: float, n: int) -> float:
    """One big label, ``h`` of equal mass ``e``, the others of none: a sum over occupancies."""
    positive = row[row > 0]
    big, h = positive[-1], positive.size - 1
    e = positive[:-1].mean() if h else 0.0
    off = row.size - positive.size
    distinct = np.arange(h + 1)
    without_big = _shared_distance(h - distinct, e, off, big)
    with_big = _shared_distance(h - distinct, e, off, None)
    hit = rho * h * e  # probability that a draw lands on one of the small labels here
    # P(m hits, big label unseen) = C(n, m) hit^m (1 - rho)^(n - m)
    scale = 1 - rho * big
    unseen_big = np.exp(n * log1m(np.array(rho * big)))
    inside = min(hit / scale, 1.0) if scale > 0 else 0.0
    joint = occupancy_mean(without_big, n, inside)
    joint_with = occupancy_mean(with_big, n, inside)
    return float(occupancy_mean(with_big, n, hit) + unseen_big * (joint - joint_with))


def _shared_distance(unseen: np.ndarray, e: float, off: int, big: float | None) -> np.ndarray:
    """Total variation when the mass of the unseen labels is shared equally among them."""
    extra = 0.0 if big is None else 1.0
    mass = unseen * e + (big or 0.0)
    share = mass / np.maximum(unseen + off + extra, 1)
    return 0.5 * (unseen * np.abs(e - share) + off * share + extra * np.abs((big or 0.0) - share))


def occupancy_mean(value: np.ndarray, n: int, p: float) -> float:
    """``E value[distinct]`` when Bin(n, p) balls fall uniformly into ``len(value) - 1`` boxes."""
    h = value.size - 1
    if h == 0 or n == 0 or p == 0:
        return float(value[0])
    boxes = np.arange(h + 1)
    # beyond this many balls some box is empty with probability below 1e-18, or so many never fall
    enough = min(int(np.ceil((np.log(h) + 41.5) * h)) + 1, window(n, p)[1])
    law = np.zeros(h + 1)
    law[0] = 1.0
    means = np.empty(enough + 1)
    for m in range(enough + 1):
        means[m] = law @ value
        moved = law * (h - boxes) / h
        law = law * boxes / h
        law[1:] += moved[:-1]
    # from there on the mean changes no more or the mass is negligible: no sum over the window
    balls = np.arange(min(enough, n) + 1)
    return float(means[enough] + binomial(balls, n, p) @ (means[balls] - means[enough]))


def subset_row(positive: np.ndarray, off: int, rho: float, n: int) -> float:
    """Any row: the law of the set of labels seen, by inclusion and exclusion over subsets."""
    k = positive.size
    member = (np.arange(1 << k)[:, None] >> np.arange(k)) & 1
    # P(no label outside the subset was drawn at this input), then a Moebius transform
    within = np.exp(n * log1m(rho * (1 - np.minimum(member @ positive, 1.0))))
    for bit in range(k):
        cube = within.reshape(-1, 2, 1 << bit)
        cube[:, 1] -= cube[:, 0]
    unseen = 1 - member
    mass = unseen @ positive
    share = mass / np.maximum(unseen.sum(axis=1) + off, 1)
    distance = 0.5 * ((unseen * np.abs(positive - share[:, None])).sum(axis=1) + off * share)
    return float(within @ distance)
