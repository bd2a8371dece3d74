"""How many source and how many target samples should one buy?

`cost_optimal` minimises ``price_P n_P + price_Q n_Q`` subject to ``risk(n_P, n_Q) <= eps`` for any
risk that falls in both sample sizes: an exact risk, a minimax lower bound, a measured surface. It
uses nothing but this monotonicity, and it certifies itself: between two source sizes ``a < b`` no
purchase is cheaper than ``price_P a + price_Q n_Q(b)``, where ``n_Q(b)`` is what ``b`` leaves to be
bought, so the smallest such number is a lower bound on the cost of every purchase.

Under the min of two rates the optimum is *bang-bang*: all source or all target (`rate_optimal`;
arXiv:2002.04747 compares with this oracle). Under an exact risk a mixture can be cheaper, because
near the tie both samples help.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

from tlstat.errors import InputError
from tlstat.minimax import rates

__all__ = ["Purchase", "cost_optimal", "rate_optimal", "samples_needed"]

Risk = Callable[[int, int], float]
Point = tuple[int, int | None]
LARGEST = 10**15


@dataclass(frozen=True)
class Purchase:
    """What to buy, and what it would cost to buy one kind only.

    Attributes
    ----------
    n_P, n_Q : int
        The optimal purchase.
    source_only, target_only : int or None
        What reaches the same risk alone; None where nothing below the search limit does.
    price_P, price_Q : float
    lower : float
        No purchase costs less (certified; equal to the cost where the optimum is known exactly).
    """

    n_P: int
    n_Q: int
    source_only: int | None
    target_only: int | None
    price_P: float
    price_Q: float
    lower: float

    @property
    def cost(self) -> float:
        """``price_P n_P + price_Q n_Q``."""
        return self.price_P * self.n_P + self.price_Q * self.n_Q

    @property
    def single_cost(self) -> float:
        """The cheaper of source alone and target alone: the bang-bang oracle."""
        source = math.inf if self.source_only is None else self.price_P * self.source_only
        target = math.inf if self.target_only is None else self.price_Q * self.target_only
        return min(source, target)

    @property
    def saving(self) -> float:
        """What the mixture saves, as a share of the cheaper single purchase; 0 if bang-bang."""
        return 1 - self.cost / self.single_cost if self.single_cost else 0.0

    @property
    def bang_bang(self) -> bool:
        """Whether one kind of sample alone is bought."""
        return self.n_P == 0 or self.n_Q == 0

    @property
    def tie_ratio(self) -> float | None:
        """``price_Q / price_P`` at which source alone and target alone cost the same."""
        if not self.source_only or not self.target_only:
            return None
        return self.source_only / self.target_only


def samples_needed(risk: Callable[[int], float], eps: float, *, n_max: int = LARGEST) -> int | None:
    """The smallest ``n`` with ``risk(n) <= eps``, for a risk that does not increase.

    Parameters
    ----------
    risk : callable
        ``n -> risk``, for integers from 0.
    eps : float
        Risk to reach.
    n_max : int
        Where the search ends.

    Returns
    -------
    int or None
        None if not even `n_max` samples are enough.

    Raises
    ------
    InputError
        If the risk is not a number.
    """
    if _checked(risk(0), 0) <= eps:
        return 0
    low, high = 0, 1
    while _checked(risk(high), high) > eps:
        if high >= n_max:
            return None
        low, high = high, min(4 * high, n_max)
    return _bisect(risk, eps, low, high)


def cost_optimal(
    risk: Risk,
    eps: float,
    *,
    price_P: float = 1.0,
    price_Q: float = 1.0,
    rtol: float = 1e-3,
    n_max: int = LARGEST,
) -> Purchase:
    """The cheapest purchase that reaches ``eps``, with a certificate.

    Parameters
    ----------
    risk : callable
        ``(n_P, n_Q) -> risk`` on non-negative integers; must not increase in either.
    eps : float
        Excess risk to reach.
    price_P, price_Q : positive float
        Of one source and one target sample.
    rtol : float
        The cost is within this share of the certified lower bound.
    n_max : int
        Largest sample size to consider.

    Returns
    -------
    Purchase

    Raises
    ------
    InputError
        If an argument is out of range, the risk is no number, or no purchase below `n_max`
        reaches `eps`.
    """
    for name, value in (("eps", eps), ("price_P", price_P), ("price_Q", price_Q), ("rtol", rtol)):
        if not 0 < value < math.inf:
            raise InputError(f"{name} is {value!r}; expected a positive number")

    source_only = samples_needed(lambda n: risk(n, 0), eps, n_max=n_max)
    target_only = samples_needed(lambda n: risk(0, n), eps, n_max=n_max)
    if source_only is None and target_only is None and risk(n_max, n_max) > eps:
        raise InputError(f"eps is {eps!r}; not even {n_max} samples of each kind reach it")

    def price(n_P: int, n_Q: int | None) -> float:
        return math.inf if n_Q is None else price_P * n_P + price_Q * n_Q

    def beside(n_P: int, least: int, most: int | None) -> int | None:
        """The target samples still needed beside `n_P`, known to lie in [least, most]."""
        if _checked(risk(n_P, least), least) <= eps:
            return least
        if most is None:
            return samples_needed(lambda n: risk(n_P, n), eps, n_max=n_max)
        return _bisect(lambda n: risk(n_P, n), eps, least, most)

    left: Point = (0, target_only)
    right = _far_end(source_only, target_only, price_Q / price_P, n_max, beside)
    best = min(left, right, key=lambda point: price(*point))
    order = itertools.count()  # decides between cells with equal bounds
    queue: list[tuple[float, int, Point, Point]] = []

    def push(left: Point, right: Point) -> None:
        """Between the ends at least one source sample more is bought than on the left."""
        if right[0] - left[0] > 1:
            heapq.heappush(queue, (price(left[0] + 1, right[1]), next(order), left, right))

    push(left, right)
    while queue and queue[0][0] < price(*best) * (1 - rtol):
        _, _, left, right = heapq.heappop(queue)
        middle = _between(left[0], right[0])
        point = (middle, beside(middle, right[1] or 0, left[1]))
        best = min(best, point, key=lambda one: price(*one))
        push(left, point)
        push(point, right)
    lower = min(price(*best), queue[0][0]) if queue else price(*best)
    assert best[1] is not None
    return Purchase(best[0], best[1], source_only, target_only, price_P, price_Q, lower)


def rate_optimal(
    eps: float,
    *,
    rho: float,
    beta_P: float,
    beta_Q: float,
    dim: float = 1,
    constants: tuple[float, float] = (1, 1),
    price_P: float = 1.0,
    price_Q: float = 1.0,
) -> Purchase:
    """The bang-bang optimum under the min of the two rates, in closed form.

    Parameters
    ----------
    eps : float in (0, 1)
    rho, beta_P, beta_Q, dim, constants
        As in `rates.minimax_rate`.
    price_P, price_Q : positive float
    """
    for name, value in (("price_P", price_P), ("price_Q", price_Q)):
        if not 0 < value < math.inf:
            raise InputError(f"{name} is {value!r}; expected a positive number")
    powers = (rates.source_exponent(rho, beta_P), rates.target_exponent(beta_Q))
    n_P, n_Q = (
        _rounded_up(rates.samples_for(eps, power, dim=dim, constant=constant))
        for power, constant in zip(powers, constants, strict=True)
    )
    cost = min(price_P * n_P, price_Q * n_Q)
    chosen = (n_P, 0) if price_P * n_P == cost else (0, n_Q)
    return Purchase(chosen[0], chosen[1], n_P, n_Q, price_P, price_Q, cost)


def _far_end(
    source_only: int | None,
    target_only: int | None,
    ratio: float,
    n_max: int,
    beside: Callable[[int, int, int | None], int | None],
) -> Point:
    """The largest source size worth a look, with what it leaves to be bought."""
    # beyond this many source samples, source costs more than target alone
    end = n_max if target_only is None else min(n_max, math.ceil(target_only * ratio))
    if source_only is not None and source_only <= end:
        return source_only, 0
    return end, beside(end, 0, target_only)


def _bisect(risk: Callable[[int], float], eps: float, low: int, high: int) -> int:
    """The smallest n with ``risk(n) <= eps``, which `low` does not reach and `high` does."""
    while high - low > 1:
        middle = _between(low, high)
        if _checked(risk(middle), middle) <= eps:
            high = middle
        else:
            low = middle
    return high


def _between(low: int, high: int) -> int:
    """The middle, on a log scale while the ends lie far apart."""
    middle = math.isqrt(max(low, 1) * high) if high > 4 * max(low, 1) else (low + high) // 2
    return min(max(middle, low + 1), high - 1)


def _rounded_up(n: float) -> int:
    """The next integer, but not because of rounding in the last digits."""
    return math.ceil(n * (1 - 1e-12))


def _checked(value: float, n: int) -> float:
    if not math.isfinite(value):
        raise InputError(f"risk is {value!r} at n = {n}; expected a finite number")
    return float(value)
