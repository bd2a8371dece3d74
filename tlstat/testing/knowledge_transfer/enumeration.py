"""Expected risks of tiny problems, summed over every sample: the judge of the laws.

Written apart from `tlstat.knowledge_transfer.risk`, so that each can convict the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import combinations, product
from math import comb, factorial, prod
from typing import Any

import numpy as np

Student = Callable[[Any, Any], Any]


@lru_cache(maxsize=256)
def _tables(n: int, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """All counts of ``n`` draws in ``cells`` cells, and how many orders give each."""
    # stars and bars: where the cells - 1 bars stand
    bars = np.array(list(combinations(range(n + cells - 1), cells - 1)), dtype=np.int64)
    bars = bars.reshape(comb(n + cells - 1, cells - 1), cells - 1)
    edges = np.pad(bars, ((0, 0), (1, 0)), constant_values=-1)
    edges = np.pad(edges, ((0, 0), (0, 1)), constant_values=n + cells - 1)
    tables = np.diff(edges, axis=1) - 1
    ways = [factorial(n) // prod(factorial(int(k)) for k in table) for table in tables]
    tables.setflags(write=False)
    return tables, np.array(ways, dtype=float)


def distance(estimate: Any, truth: Any) -> np.ndarray:
    """Total variation at each input: half the sum of absolute differences over labels."""
    return 0.5 * np.abs(np.asarray(estimate) - truth).sum(axis=-1)


def expected_risk(student: Student, rho: np.ndarray, pi: np.ndarray, n: int) -> float:
    """Expected risk of a student, summed over every table of counts.

    Parameters
    ----------
    student : callable
        ``(counts, teacher_probs) -> label laws``, called once with all tables.
    rho, pi : ndarray, shapes (S,) and (S, A)
    n : int
    """
    p = (rho[:, None] * pi).ravel()
    support = np.flatnonzero(p)
    tables, ways = _tables(n, support.size)
    counts = np.zeros((len(tables), p.size), dtype=np.int64)
    counts[:, support] = tables
    weights = ways * np.prod(p[support] ** tables, axis=1)
    estimates = student(counts.reshape(-1, *pi.shape), pi)
    return float(weights @ (distance(estimates, pi) @ rho))


def average_risk(student: Student, rho: np.ndarray, vertices: np.ndarray, n: int) -> float:
    """Mean over equally likely teachers, shape (V, S, A), of the expected risk."""
    return float(np.mean([expected_risk(student, rho, pi, n) for pi in vertices]))


def paired_vertices(S: int, A: int, gap: float) -> np.ndarray:
    """All teachers with masses ``(1 +- gap)/A`` in each pair of labels."""
    signs = np.array(list(product((1, -1), repeat=S * A // 2))).reshape(-1, S, A // 2, 1)
    return ((1 + gap * signs * np.array([1, -1])) / A).reshape(-1, S, A)


def paired_bayes(S: int, A: int, n: int, gap: float) -> float:
    """Bayes risk of hard labels over `paired_vertices`: ``gap`` times a test's error.

    A pair is hit Bin(n, 2/(SA)) times, and the majority decides which label is the likelier.
    """
    error = 0.0
    for hits, weight in enumerate(_binomial(n, 2 / (S * A))):
        wins = _binomial(hits, (1 + gap) / 2)
        error += weight * sum(
            p * (1.0 if 2 * k < hits else 0.5) for k, p in enumerate(wins) if 2 * k <= hits
        )
    return gap * error


def subset_vertices(S: int, A: int, labels_on: int, mass: float) -> np.ndarray:
    """All teachers with ``labels_on`` of the first ``A - 1`` labels at ``mass``, the rest last."""
    rows = np.zeros((comb(A - 1, labels_on), A))
    for row, on in zip(rows, combinations(range(A - 1), labels_on), strict=True):
        row[list(on)] = mass
    rows[:, -1] = 1 - labels_on * mass
    return np.array(list(product(rows, repeat=S)))


def subset_bayes(S: int, A: int, n: int, labels_on: int, mass: float) -> float:
    """Bayes risk of partial soft labels over `subset_vertices`, inputs uniform.

    ``mass * E[U off/(U + off)]`` with ``U`` the labels that are on and not seen, ``off`` those
    of no mass; the law of ``U`` by inclusion and exclusion.
    """
    off, cell = A - 1 - labels_on, mass / S
    total = 0.0
    for unseen in range(1, labels_on + 1):
        chance = comb(labels_on, unseen) * sum(
            (-1) ** j * comb(labels_on - unseen, j) * max(0.0, 1 - (unseen + j) * cell) ** n
            for j in range(labels_on - unseen + 1)
        )
        total += chance * unseen * off / (unseen + off)
    return mass * total


def dirac_vertices(S: int, A: int) -> np.ndarray:
    """All deterministic teachers."""
    return np.eye(A)[np.array(list(product(range(A), repeat=S)))]


def dirac_bayes(rho: np.ndarray, A: int, n: int) -> float:
    """Bayes risk of soft labels over `dirac_vertices`: an unseen input costs ``1 - 1/A``."""
    return float((1 - 1 / A) * (rho @ (1 - rho) ** n))


def _binomial(n: int, p: float) -> Iterable[float]:
    return [comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
