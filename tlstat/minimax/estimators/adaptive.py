"""Buying labels by doubling, until one sample certifies its minimiser."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.backend import namespace, to_numpy
from tlstat.errors import InputError
from tlstat.minimax.estimators.confidence import _radius, confidence_set, deviation
from tlstat.minimax.estimators.erm import source_erm, target_erm
from tlstat.minimax.models import HalfPlanes, PowerThresholds
from tlstat.minimax.models.checks import require, require_count, require_positive
from tlstat.minimax.sampling.cells import draw_table, require_memory, sample_cells, threshold_grid
from tlstat.minimax.sampling.statistics import CellSample

_ROUNDS = 60


@dataclass(frozen=True, eq=False)
class AdaptivePurchase:
    """What was bought, and what came out, for each replicate.

    Attributes
    ----------
    hypothesis : ndarray, shape (size,)
        The hypotheses returned.
    n_P, n_Q : ndarray of int64
        Labels bought.
    cost : ndarray
        What they cost.
    from_source : ndarray of bool
        Whether the source's certificate stopped the purchase.
    rounds : ndarray of int64
        Doublings needed.
    """

    hypothesis: np.ndarray
    n_P: np.ndarray
    n_Q: np.ndarray
    cost: np.ndarray
    from_source: np.ndarray
    rounds: np.ndarray


def adaptive_cost(
    model: PowerThresholds | HalfPlanes,
    rng: Any,
    size: int,
    *,
    eps: float,
    cost_P: float = 1.0,
    cost_Q: float = 1.0,
    n_unlabelled: int | None = None,
    delta: float = 0.05,
    c: float = 1.0,
    dimension: int = 1,
    per_octave: int = 8,
) -> AdaptivePurchase:
    """Double both budgets until a certificate of target excess ``eps`` holds.

    In round ``t`` both streams are bought up to a cost of ``2**(t-1)``. The target's certificate
    is its own confidence radius, maximal over its confidence set. The source's is the largest
    share of unlabelled target points on which a member of the source's confidence set differs
    from its minimiser; so no exponent needs to be known, and none is used.

    Parameters
    ----------
    model : PowerThresholds or HalfPlanes
        Both laws must share their best hypothesis, as they do here.
    rng : Random or numpy Generator
    size : int
        Number of replicates.
    eps : float
        Target excess risk that is asked for, in (0, 1).
    cost_P, cost_Q : float
        Price of a label, above 0.
    n_unlabelled : int, optional
        Unlabelled target points (free); by default ``4 (d log(1/eps) + log(1/delta)) / eps``.
    delta : float
        Probability of failure; round ``t`` uses ``delta / (t+1)**2``.
    c, dimension
        As for `confidence_set`.
    per_octave : int
        Resolution of the class.

    Returns
    -------
    AdaptivePurchase

    Raises
    ------
    InputError
        Parameters out of range, or no certificate within sample sizes below 2**53.
    """
    require("eps", eps, 0 < eps < 1, "a number in (0, 1)")
    require_positive(cost_P=cost_P, cost_Q=cost_Q)
    require_count(1, size=size)
    require("delta", delta, 0 < delta < 1, "a number in (0, 1)")
    if not isinstance(model, (PowerThresholds, HalfPlanes)):
        raise InputError(f"model is {model!r}; expected PowerThresholds or HalfPlanes")
    if n_unlabelled is None:
        capacity = dimension * math.log(1 / eps) + math.log(1 / delta)
        n_unlabelled = math.ceil(4 * capacity / eps)
    require_count(1, n_unlabelled=n_unlabelled)
    # thresholds closer to the best than this differ from it by less than eps / 1000
    floor = min(0.5, (2e-3 * eps) ** (1 / model.q))
    edges = threshold_grid(model, per_octave=per_octave, floor=floor)
    require_memory(size, 6 * edges.size)
    state = _Bought(model, rng, edges, int(size), int(n_unlabelled))
    done = _Done(int(size))
    for t in range(1, _ROUNDS + 1):
        state.buy(math.ceil(2.0 ** (t - 1) / cost_P), math.ceil(2.0 ** (t - 1) / cost_Q))
        sample, options = state.sample, {"c": c, "delta": delta / (t + 1) ** 2}
        by_target = _target_certifies(sample, eps, dimension=dimension, **options)
        by_source = _source_certifies(sample, state.unlabelled, eps, dimension, **options)
        xp = namespace(by_target)
        index = xp.where(by_target, target_erm(sample), source_erm(sample))
        stop = to_numpy(by_target | by_source)
        done.record(state, stop, to_numpy(sample.take(index)), ~to_numpy(by_target), t)
        if stop.all():
            return done.purchase(cost_P, cost_Q)
        state.keep(~stop)
    raise InputError(
        f"eps is {eps!r}; no certificate within {_ROUNDS} doublings: expected a larger eps"
    )


class _Bought:
    """The labels bought so far, of the replicates that are still buying."""

    def __init__(self, model: Any, rng: Any, edges: np.ndarray, size: int, n_free: int) -> None:
        self.model, self.rng, self.edges = model, rng, edges
        self.rows = np.arange(size)
        self.n_P = self.n_Q = 0
        masses = model.cells_Q(edges).sum(-1)
        self.unlabelled = draw_table(rng, n_free, masses, size)
        self.sample = sample_cells(model, 0, 0, rng, size, thresholds=edges)

    def buy(self, n_P: int, n_Q: int) -> None:
        if max(n_P, n_Q) >= 2**53:
            raise InputError("eps needs samples of 2**53 points or more; expected a larger eps")
        more_P, more_Q, size = n_P - self.n_P, n_Q - self.n_Q, len(self.rows)
        new = sample_cells(self.model, more_P, more_Q, self.rng, size, thresholds=self.edges)
        self.n_P, self.n_Q = n_P, n_Q
        self._set(self.sample.cells_P + new.cells_P, self.sample.cells_Q + new.cells_Q, new.ties)

    def keep(self, mask: np.ndarray) -> None:
        self.rows = self.rows[mask]
        old, place = self.sample, np.flatnonzero(mask)
        index = place if isinstance(old.cells_P, np.ndarray) else self.rng.asarray(place)
        self.unlabelled = self.unlabelled[index]
        self._set(old.cells_P[index], old.cells_Q[index], old.ties[index])

    def _set(self, cells_P: Any, cells_Q: Any, ties: Any) -> None:
        edges, two_sided = self.sample.thresholds, self.sample.two_sided
        self.sample = CellSample(
            edges, cells_P, cells_Q, self.n_P, self.n_Q, ties, two_sided=two_sided
        )


class _Done:
    """Results of the replicates that have stopped."""

    def __init__(self, size: int) -> None:
        self.hypothesis = np.full(size, np.nan)
        self.n_P, self.n_Q, self.rounds = (np.zeros(size, dtype=np.int64) for _ in range(3))
        self.from_source = np.zeros(size, dtype=bool)

    def record(self, state: _Bought, stop: Any, hypothesis: Any, from_source: Any, t: int) -> None:
        rows = state.rows[stop]
        self.hypothesis[rows] = hypothesis[stop]
        self.from_source[rows] = from_source[stop]
        self.n_P[rows], self.n_Q[rows], self.rounds[rows] = state.n_P, state.n_Q, t

    def purchase(self, cost_P: float, cost_Q: float) -> AdaptivePurchase:
        cost = cost_P * self.n_P + cost_Q * self.n_Q
        return AdaptivePurchase(
            self.hypothesis, self.n_P, self.n_Q, cost, self.from_source, self.rounds
        )


def _target_certifies(
    sample: CellSample, eps: float, *, c: float, delta: float, dimension: int
) -> Any:
    inside = confidence_set(sample, "Q", c=c, delta=delta, dimension=dimension)
    xp = namespace(inside)
    widest = xp.max(inside * sample.differs_Q(target_erm(sample)), axis=-1)
    capacity = sample.n_Q * deviation(sample.n_Q, delta=delta, dimension=dimension)
    return _radius(widest, capacity, c, xp) <= eps * sample.n_Q


def _source_certifies(
    sample: CellSample, unlabelled: Any, eps: float, dimension: int, *, c: float, delta: float
) -> Any:
    inside = confidence_set(sample, "P", c=c, delta=delta, dimension=dimension)
    xp = namespace(inside)
    # the unlabelled points take the place of a target sample, of which only places matter
    places = xp.stack([unlabelled, 0 * unlabelled], axis=-1)
    seen = CellSample(
        sample.thresholds, places, places, 0, 0, sample.ties, two_sided=sample.two_sided
    )
    widest = xp.max(inside * seen.differs_Q(source_erm(sample)), axis=-1)
    return widest <= eps / 4 * xp.sum(unlabelled, axis=-1)
