"""The hardest scale of a construction: a search that any of its points makes valid."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

_STEPS, _ROUNDS, _SPAN, _DECIDED = 17, 4, 1e4, 40.0


def hardest(
    value: Callable[[np.ndarray], np.ndarray],
    information: Callable[[float], float],
    largest: float = 0.5,
) -> float:
    """The largest value over scales in (0, `largest`], on a log scale narrowed round by round.

    Every scale gives a valid lower bound, so an imperfect search costs sharpness, not truth.

    Parameters
    ----------
    value : callable
        From scales to lower bounds, at most proportional to the scale's own power.
    information : callable
        From a scale to the expected information about one sign; increases at least linearly.
        Above 40 every sign is decided; the maximum lies where it is of order 1.
    """
    high = _decided(information, largest)
    low, best = high / _SPAN, 0.0
    for _ in range(_ROUNDS):
        scales = np.geomspace(low, high, _STEPS)
        values = value(scales)
        at = int(np.argmax(values))
        best = max(best, float(values[at]))
        low, high = scales[max(at - 1, 0)], scales[min(at + 1, _STEPS - 1)]
    return best


def _decided(information: Callable[[float], float], largest: float) -> float:
    """The scale from which on the samples decide every sign, at most `largest`."""
    if information(largest) <= _DECIDED:
        return largest
    low, high = math.log(1e-300), math.log(largest)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if information(math.exp(middle)) < _DECIDED else (low, middle)
    return math.exp(high)
