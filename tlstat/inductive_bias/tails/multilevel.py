"""Adaptive multilevel splitting: small probabilities of any score of standard normals.

S.-K. Au and J. Beck, Prob. Eng. Mech. 16 (2001) 263 (levels at quantiles); C.-E. Brehier,
T. Lelievre and M. Rousset, ESAIM Prob. Stat. 19 (2015) 361 (unbiased for any number of particles
killed a step, if survivors are moved long enough).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import logsumexp, stdtrit

from tlstat.backend import Random, to_numpy
from tlstat.errors import InputError
from tlstat.inductive_bias.tails.base import LogProbability, level_of, target_of

_ACCEPTANCE = 0.3
_SMALLEST_STEP = 1e-4
_BATCH = 1 << 16  # scores asked for at once


def splitting(
    score: Callable[[Any], Any],
    dim: int,
    x: float,
    rng: Any,
    n_particles: int = 500,
    moves: int = 20,
    *,
    killed: float | str = 0.9,
    replicates: int = 8,
    level: float = 0.95,
    max_nats: float = 2000.0,
) -> LogProbability:
    """``log P(score(Z) <= x)`` for ``Z`` standard normal in ``dim`` dimensions.

    A population of ``n_particles`` is driven to lower and lower scores: the worst share
    ``killed`` is replaced by copies of the others, which then take ``moves`` steps ``z' =
    sqrt(1 - beta^2) z + beta xi`` that are refused where they leave the level; the probability
    is the product of the shares kept. Scores may tie (0-1 loss): an independent uniform number a
    particle orders ties, so that a level may lie inside one.

    Parameters
    ----------
    score : callable
        (m, dim) standard normals -> (m,) scores, in the array library of ``rng``.
    dim : int
    x : float
        The event is ``score <= x``.
    rng : Random, Generator or int
    n_particles : int
        In each of the replicates.
    moves : int
        Steps a level. Too few leave copies near their parents, which overstates the
        probability at depth.
    killed : float in (0, 1), or "last"
        0.9 keeps the best tenth and moves all; ``"last"`` kills the single worst particle and
        moves only its replacement (smaller variance a level, many more levels).
    replicates : int
        Independent populations, moved together; at least 2.
    level : float
        Confidence of Student's interval over the replicates' logarithms.
    max_nats : float
        Where to give up: the result is then 0 with an upper limit, and says so.

    Returns
    -------
    LogProbability
        The value is the logarithm of the mean of the replicates' estimates.

    Raises
    ------
    InputError
        If an argument is out of range, or a score is NaN or has the wrong shape.
    """
    x, level = target_of(x), level_of(level)
    for name, value, least in (
        ("dim", dim, 1),
        ("n_particles", n_particles, 10),
        ("moves", moves, 1),
        ("replicates", replicates, 2),
    ):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise InputError(f"{name} is {value!r}; expected a whole number of at least {least}")
    last = killed == "last"
    if not last and not (isinstance(killed, float) and 0 < killed < 1):
        raise InputError(f"killed is {killed!r}; expected a share in (0, 1) or 'last'")
    number = 1 if last else min(max(round(float(killed) * n_particles), 1), n_particles - 1)
    source = rng if isinstance(rng, Random) else np.random.default_rng(rng)
    groups = _Groups(score, int(dim), source, int(replicates), int(n_particles))
    groups.run(x, number, int(moves), move_all=not last, floor=-max_nats)
    return _result(groups, x, number, level, max_nats)


@dataclass
class _Groups:
    """Populations of particles; row r of every array belongs to replicate r.

    Scores, tie-breakers and all decisions live on the host; positions where ``rng`` puts them.
    """

    score: Callable[[Any], Any]
    dim: int
    rng: Any
    replicates: int
    n: int
    z: Any = field(init=False)
    e: np.ndarray = field(init=False)
    tie: np.ndarray = field(init=False)
    log_p: np.ndarray = field(init=False)
    step: np.ndarray = field(init=False)
    reached: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        total = self.replicates * self.n
        self.z = self._normal((total, self.dim))
        self.e = self._scores(self.z).reshape(self.replicates, self.n)
        self.tie = self._uniform((self.replicates, self.n))
        self.log_p = np.zeros(self.replicates)
        self.step = np.full(self.replicates, 0.7)
        self.reached = np.zeros(self.replicates, dtype=bool)

    def run(self, x: float, killed: int, moves: int, *, move_all: bool, floor: float) -> None:
        rows = np.arange(self.replicates)
        kept_share = math.log1p(-killed / self.n)
        while rows.size:
            order = np.lexsort((self.tie[rows], self.e[rows]), axis=-1)
            worst = order[:, self.n - killed]
            level = self.e[rows, worst], self.tie[rows, worst]
            done = level[0] <= x
            for row in rows[done]:
                self.log_p[row] += math.log(float((self.e[row] <= x).mean()))
                self.reached[row] = True
            keep = ~done & (self.log_p[rows] + kept_share > floor)
            rows, order = rows[keep], order[keep]
            if not rows.size:
                break
            self.log_p[rows] += kept_share
            level = level[0][keep], level[1][keep]
            replaced = self._replace(rows, order, killed)
            moving = np.tile(np.arange(self.n), (rows.size, 1)) if move_all else replaced
            for _ in range(moves):
                self._move(rows, moving, level)

    def _replace(self, rows: np.ndarray, order: np.ndarray, killed: int) -> np.ndarray:
        """The worst become copies of survivors, each survivor about equally often."""
        kept = self.n - killed
        dead, alive = order[:, kept:], order[:, :kept]
        offset = np.floor(self._uniform((rows.size, 1)) * kept).astype(int)
        # shuffled by position in the order, not by chance: fewer survivors die out
        rank = (offset + np.arange(killed)) % kept
        parent = np.take_along_axis(alive, rank, axis=1)
        self.e[rows[:, None], dead] = self.e[rows[:, None], parent]
        self.tie[rows[:, None], dead] = self.tie[rows[:, None], parent]
        self.z[self._flat(rows, dead)] = self.z[self._flat(rows, parent)]
        return dead

    def _move(
        self, rows: np.ndarray, moving: np.ndarray, level: tuple[np.ndarray, np.ndarray]
    ) -> None:
        at = self._flat(rows, moving)
        beta = np.repeat(self.step[rows], moving.shape[1])
        keep = np.sqrt(1 - beta**2)
        old = self.z[at]
        noise = self._normal((at.size, self.dim))
        new = self._like(keep)[:, None] * old + self._like(beta)[:, None] * noise
        e = self._scores(new).reshape(moving.shape)
        top, top_tie = level[0][:, None], level[1][:, None]
        where = rows[:, None], moving
        # given the score the tie-breaker is uniform, on (0, top_tie) at the level itself: it is
        # integrated out of the decision, and then drawn
        chance = np.where(self.e[where] == top, 1.0, top_tie)
        enters = self._uniform(moving.shape) < chance
        accepted = (e < top) | ((e == top) & enters)
        e = np.where(accepted, e, self.e[where])
        self.e[where] = e
        self.tie[where] = self._uniform(moving.shape) * np.where(e == top, top_tie, 1.0)
        hit = np.flatnonzero(accepted.ravel())
        self.z[at[hit]] = new[hit]
        # few moves a step: the adaptation must average over many of them
        rate = min(1.0, moving.shape[1] / 50)
        factor = np.exp(rate * (accepted.mean(axis=1) - _ACCEPTANCE))
        self.step[rows] = np.clip(self.step[rows] * factor, _SMALLEST_STEP, 1.0)

    def _flat(self, rows: np.ndarray, columns: np.ndarray) -> Any:
        return (rows[:, None] * self.n + columns).ravel()

    def _like(self, values: np.ndarray) -> Any:
        return self.rng.asarray(values) if isinstance(self.rng, Random) else values

    def _normal(self, shape: tuple[int, ...]) -> Any:
        return self.rng.normal(size=shape)

    def _uniform(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.asarray(to_numpy(self.rng.uniform(size=shape)))

    def _scores(self, z: Any) -> np.ndarray:
        parts = []
        for first in range(0, z.shape[0], _BATCH):
            part = z[first : first + _BATCH]
            value = np.asarray(to_numpy(self.score(part)), dtype=float)
            if value.shape != (part.shape[0],):
                raise InputError(
                    f"score returned shape {value.shape} for {part.shape[0]} rows; expected one "
                    "number a row"
                )
            if np.isnan(value).any():
                raise InputError("score returned NaN; expected numbers")
            parts.append(value)
        return np.concatenate(parts)


def _result(
    groups: _Groups, x: float, killed: int, level: float, max_nats: float
) -> LogProbability:
    if not groups.reached.all():
        missed = int((~groups.reached).sum())
        statement = f"{missed} of {groups.replicates} populations did not reach {x:g}; given up"
        upper = float(groups.log_p.max()) if not groups.reached.any() else 0.0
        return LogProbability(-math.inf, -math.inf, upper, "splitting", statement, None)
    r, n = groups.replicates, groups.n
    mean = float(groups.log_p.mean())
    # the variance of an ideal sampler is a floor: replicates may agree by chance
    levels = -mean / -math.log1p(-killed / n)
    ideal = levels * killed / ((n - killed) * n)
    variance = max(float(groups.log_p.var(ddof=1)), ideal)
    value = float(logsumexp(groups.log_p) - math.log(r))
    half = float(stdtrit(r - 1, (1 + level) / 2)) * math.sqrt(variance / r)
    statement = (
        f"{r} populations of {n} particles; Student interval over them at level {level:g}, right "
        "if the moves mix at every level"
    )
    return LogProbability(
        value, value - half, min(value + half, 0.0), "splitting", statement, level
    )
