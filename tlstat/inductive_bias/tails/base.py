"""A probability by its logarithm, with an interval and what the interval promises."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from tlstat.errors import InputError
from tlstat.inductive_bias.checks import one_number


@dataclass(frozen=True)
class LogProbability:
    """``log P(e <= x)`` in nats, from whatever method.

    Parameters
    ----------
    log_value : float
        Natural logarithm of the probability; ``-inf`` for probability 0.
    lower, upper : float
        Interval of ``log_value``; ``(-inf, 0)`` where the method promises nothing.
    method : str
    statement : str
        One sentence: what the interval promises.
    level : float or None
        Confidence of the interval: 1 for exact values (up to their estimated numerical error) and
        for bounds that always hold, None for no promise.
    """

    log_value: float
    lower: float
    upper: float
    method: str
    statement: str
    level: float | None = None

    @property
    def nats(self) -> float:
        """``-log P``: the bias that the event demands."""
        return 0.0 - self.log_value

    @property
    def bits(self) -> float:
        return self.nats / math.log(2)

    @property
    def interval(self) -> tuple[float, float]:
        """Interval of `nats`."""
        return 0.0 - self.upper, 0.0 - self.lower

    @property
    def probability(self) -> float:
        """The probability itself, 0 where it underflows."""
        return math.exp(min(self.log_value, 0.0))


def level_of(level: Any) -> float:
    value = one_number(level, "level")
    if not 0 < value < 1:
        raise InputError(f"level is {value}; expected a confidence level in (0, 1)")
    return value


def target_of(x: Any) -> float:
    return one_number(x, "x")
