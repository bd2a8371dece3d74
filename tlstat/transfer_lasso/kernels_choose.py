"""Which columns enter the working set: by KKT violation, and by the strong rule beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np

from tlstat.transfer_lasso.kernels import (
    kernel,
    once,
    residual,
    slopes,
)
from tlstat.transfer_lasso.kernels_certify import (
    drift,
)

_STRENGTH = 0.5


@once()
def is_loose(terms: Any, j: Any, b: Any) -> Any:
    """Off both knots, or without penalty: always in the working set."""
    return (b != 0 and b != terms.b0[j]) or terms.a[j] + terms.c[j] == 0


@once()
def violation(terms: Any, j: Any, b: Any, w: Any, slack: Any) -> Any:
    """How far ``w`` is outside the subdifferential at ``b``, shrunk by ``slack`` at both ends."""
    least, most = slopes(b, terms.a[j], terms.c[j], terms.b0[j])
    left = w - terms.nu * b - terms.mu * (b - terms.b0[j])
    return max(least + slack - left, left - (most - slack))


@kernel()
def worst(cols: Any, bad: Any, count: Any, most: Any) -> Any:
    """The columns whose violation is among the ``most`` largest, or nearly: by bisection."""
    if count <= most:
        return cols[:count]
    low, high, above = 0.0, 0.0, 0  # more than `most` are above low
    for s in range(count):
        high = max(high, bad[s])
    while above < 0.75 * most:
        middle = 0.5 * (low + high)
        if middle <= low or middle >= high:
            break  # ties
        found = 0
        for s in range(count):
            found += bad[s] > middle
        if found > most:
            low = middle
        else:
            high, above = middle, found
    kept, room = 0, most - above
    for s in range(count):
        fill = low < bad[s] <= high and room > 0
        if bad[s] > high or fill:
            room -= fill
            cols[kept] = cols[s]
            kept += 1
    return cols[:kept]


@kernel()
def strong_rule(
    terms: Any, change: Any, data: Any, slot: Any, anchors: Any, b: Any, kappa: Any
) -> Any:
    """Columns that will probably leave their knot, by their correlation at the point before.

    The sequential strong rule tightens by the whole change of the threshold; a part of it finds
    nearly all, and the KKT conditions find the rest.
    """
    cols = np.empty(b.size, np.int64)
    count = 0
    for j in range(b.size):
        if slot[j] >= 0:
            continue
        w = anchors.w[j] * kappa[anchors.version[j]]
        slack = _STRENGTH * change * (terms.a[j] + terms.c[j])
        if violation(terms, j, b[j], w, slack) > 0 or is_loose(terms, j, b[j]):
            cols[count] = j
            count += 1
    return cols[:count]


@kernel()
def violators(
    terms: Any, data: Any, slot: Any, anchors: Any, checked: Any, b: Any, most: Any
) -> Any:
    """The ``most`` worst of the columns just checked, relative to their norm."""
    cols, bad = np.empty(checked.size, np.int64), np.empty(checked.size)
    count = 0
    for s in range(checked.size):
        j = checked[s]
        if slot[j] >= 0:
            continue
        excess = violation(terms, j, b[j], anchors.w[j], 0.0)
        if excess > 0 or is_loose(terms, j, b[j]):
            cols[count] = j
            loose = is_loose(terms, j, b[j])
            bad[count] = 1e300 if loose else excess / (data.norms[j] + 1e-300)
            count += 1
    return worst(cols, bad, count, most)


@kernel()
def predict(
    design: Any, terms: Any, change: Any, data: Any, slot: Any, anchors: Any, b: Any, eta: Any
) -> Any:
    theta = np.empty(design.n)
    residual(data.logistic, data.y, data.share, eta, theta)
    kappa, _ = drift(anchors, theta)
    return strong_rule(terms, change, data, slot, anchors, b, kappa)


@kernel()
def certain_columns(terms: Any, slot: Any, b: Any) -> Any:
    """A working set of residual updates starts each point anew: with what is off the knots."""
    for j in range(b.size):
        slot[j] = 0 if is_loose(terms, j, b[j]) else -1


@kernel()
def members(slot: Any) -> Any:
    out = np.empty(slot.size, np.int64)
    count = 0
    for j in range(slot.size):
        if slot[j] >= 0:
            out[count] = j
            count += 1
    return out[:count]
