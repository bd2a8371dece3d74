"""The hardest scale of a construction: a search that any of its points makes valid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_SMALLEST, _STEPS, _ROUNDS, _DECIDED = 1e-12, 17, 4, 40.0

Scales = Callable[[np.ndarray], np.ndarray]


def hardest(value: Scales, information: Scales, largest: float = 0.5) -> float:
    """The largest value over scales in (0, `largest`], on a log scale narrowed round by round.

    Every scale gives a valid lower bound, so an imperfect search costs sharpness, not truth. Where
    the samples decide every sign (information about one above 40) nothing is evaluated.

    Parameters
    ----------
    value : callable
        From scales to lower bounds.
    information : callable
        From scales to the expected information about one sign; increasing.
    """
    low, high, best = _SMALLEST, largest, 0.0
    for _ in range(_ROUNDS):
        scales = np.geomspace(low, high, _STEPS)
        scales = scales[information(scales) < _DECIDED]
        values = value(scales)
        at = int(np.argmax(values))
        best = max(best, float(values[at]))
        low, high = scales[max(at - 1, 0)], scales[min(at + 1, len(scales) - 1)]
    return best
