"""Exact learning curves and information of finite classes: what the bounds are compared with.

A class is a table of labels on at most 16 inputs, with a prior. Training inputs are independent
uniform draws, so all that matters of a sample is its set ``A`` of distinct inputs; the version
space of ``A`` is a sum of prior masses over supersets, and such sums for all ``2^X`` sets at once
cost ``X 2^X`` operations. No expectation here is simulated.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import comb, factorial
from typing import Any, NamedTuple

import numpy as np
from scipy.special import entr, xlogy

from tlstat.errors import InputError

_MOST_INPUTS = 16
_TIE = 1e-9  # posterior probabilities that near to 1/2 are ties, up to rounding


class LearningCurve(NamedTuple):
    """Means after n examples of a target drawn from the prior."""

    bayes: float  # error of the majority of the version space
    gibbs: float  # error of one draw from it
    information: float  # -log of the share of it that survives the next example, nats
    code_length: float  # -log of its mass, nats


class GibbsLearner(NamedTuple):
    """A draw from the version space after n examples of one target."""

    error: float  # mean population error; training errors are zero
    code_length: float  # mean of -log(mass of the version space), nats
    mutual: float  # information in the hypothesis about the sample
    single: float  # about one example of it


@dataclass(frozen=True, eq=False)
class EnumeratedClass:
    """A finite class of labellings with a prior.

    Parameters
    ----------
    labels : array (H, X) of 0 and 1
        One row a hypothesis; at most 16 inputs.
    prior : array (H,), optional
        Non-negative weights, uniform by default; normalised.

    Raises
    ------
    InputError
        If labels are not a table of 0 and 1, or the prior does not fit.
    """

    labels: Any
    prior: Any = None

    def __post_init__(self) -> None:
        labels = np.asarray(self.labels)
        if labels.ndim != 2 or labels.size == 0 or not np.isin(labels, (0, 1)).all():
            raise InputError(f"labels must be a table of 0 and 1, got shape {labels.shape}")
        if labels.shape[1] > _MOST_INPUTS:
            raise InputError(f"labels has {labels.shape[1]} inputs; at most {_MOST_INPUTS}")
        prior = np.ones(len(labels)) if self.prior is None else np.asarray(self.prior, float)
        good = prior.shape == (len(labels),) and np.isfinite(prior).all() and (prior >= 0).all()
        if not good or prior.sum() == 0:
            raise InputError(
                f"prior must hold {len(labels)} non-negative weights, not all zero, got {prior}"
            )
        object.__setattr__(self, "labels", labels.astype(np.int64))
        object.__setattr__(self, "prior", prior / prior.sum())

    @property
    def inputs(self) -> int:
        """Number of inputs, X."""
        return int(self.labels.shape[1])

    @cached_property
    def _codes(self) -> np.ndarray:
        """Each hypothesis as the bits of an integer."""
        return self.labels @ (1 << np.arange(self.inputs))

    @cached_property
    def _sizes(self) -> np.ndarray:
        """Number of inputs in each set."""
        return np.bitwise_count(np.arange(1 << self.inputs)).astype(int)

    def agreement(self, target: int) -> np.ndarray:
        """The sets of inputs on which each hypothesis has the target's label, shape (H,)."""
        return (1 << self.inputs) - 1 - (self._codes ^ self._codes[target])

    def errors(self, target: int) -> np.ndarray:
        """The share of inputs on which each hypothesis has another label, shape (H,)."""
        return 1 - self._sizes[self.agreement(target)] / self.inputs

    def mass(self, target: int, of: Any = None) -> np.ndarray:
        """Prior mass (or sum of ``of`` over it) of the version space of every training set.

        Parameters
        ----------
        target : int
            Row of the target.
        of : array (H,), optional

        Returns
        -------
        array (2^X,)
            Indexed by the set of inputs, as bits.
        """
        weights = self.prior if of is None else np.broadcast_to(self.prior * of, len(self.prior))
        sums = np.bincount(self.agreement(target), weights, minlength=1 << self.inputs)
        found = superset_sums(sums)
        # rounding must not make a probability above 1
        return np.minimum(found, 1.0) if of is None else found

    def set_probabilities(self, n: int) -> np.ndarray:
        """Probability of each set of distinct inputs among n independent uniform draws, (2^X,)."""
        if n < 0:
            raise InputError(f"n must be at least 0, got {n}")
        onto = [_onto(n, k) / self.inputs**n for k in range(self.inputs + 1)]
        return np.array(onto)[self._sizes]

    # ------------------------------------------------------------------ expectations

    def gibbs_error(self, target: int) -> np.ndarray:
        """Population error of a draw from the version space, for every training set, (2^X,)."""
        return self.mass(target, self.errors(target)) / self.mass(target)

    def share_above(self, target: int, eps: float) -> np.ndarray:
        """Share of the version space with an error above eps, for every training set, (2^X,)."""
        return self.mass(target, self.errors(target) > eps) / self.mass(target)

    def learner(self, target: int, n: int) -> GibbsLearner:
        """The learner that draws from the version space of n examples of ``target``."""
        chances, mass, agree = self.set_probabilities(n), self.mass(target), self.agreement(target)
        code_length = -float(chances @ np.log(mass))
        # law of the hypothesis over its prior: sums over the sets that it fits
        marginal = self.prior * subset_sums(chances / mass)[agree]
        mutual = code_length - _divergence(marginal, self.prior)
        return GibbsLearner(
            error=float(chances @ self.gibbs_error(target)),
            code_length=code_length,
            mutual=mutual,
            single=self._single(chances, mass, agree, marginal) if n else 0.0,
        )

    def _single(
        self, chances: np.ndarray, mass: np.ndarray, agree: np.ndarray, marginal: np.ndarray
    ) -> float:
        """Mean divergence of the hypothesis given one example from its marginal."""
        total, sets = 0.0, np.arange(1 << self.inputs)
        for x in range(self.inputs):
            # given the set, each of its inputs is equally likely to be the first example
            given = chances * ((sets >> x) & 1) * self.inputs / np.maximum(self._sizes, 1)
            total += _divergence(self.prior * subset_sums(given / mass)[agree], marginal)
        return total / self.inputs

    def conditional_information(self, target: int, n: int) -> float:
        """Information in the hypothesis about which of each of n pairs it was trained on, nats.

        The work grows like ``(X^2 / 2)^n / n!``: meant for ``X = 8`` and ``n <= 3``.
        """
        sets = np.arange(1 << self.inputs)[:, None]
        fits = (sets & ~self.agreement(target)) == 0
        posterior = self.prior * fits / self.mass(target)[:, None]
        entropy = entr(posterior).sum(axis=1)
        pairs, chances = _pairs(self.inputs)
        total = 0.0
        for chosen in _chunks(itertools.combinations_with_replacement(range(len(pairs)), n)):
            weights = np.prod(chances[chosen], axis=1) * _orders(chosen)
            mixture: Any = 0.0
            inside: Any = 0.0
            for side in itertools.product((0, 1), repeat=n):
                trained = np.bitwise_or.reduce(1 << pairs[chosen, np.array(side)], axis=1)
                mixture = mixture + posterior[trained] / 2**n
                inside = inside + entropy[trained] / 2**n
            total += float(weights @ (entr(mixture).sum(axis=1) - inside))
        return total

    def learning_curve(
        self, sizes: Sequence[int], targets: tuple[Sequence[int], Sequence[float]] | None = None
    ) -> list[LearningCurve]:
        """Errors and information on one more uniform example, the target drawn from the prior.

        Parameters
        ----------
        sizes : sequence of int
            Numbers of examples.
        targets : (rows, weights), optional
            Representatives of the targets and their total masses, as `cube_classes` gives them
            for a prior with the cube's symmetries; all rows by default.
        """
        rows, weights = (range(len(self.prior)), self.prior) if targets is None else targets
        chances = np.array([self.set_probabilities(n) for n in sizes])
        sets = np.flatnonzero(chances.any(axis=0))
        out = np.zeros((4, len(chances)))
        for row, weight in zip(rows, weights, strict=True):
            if weight > 0:
                losses = self._losses(self.mass(row), sets)
                out += weight * (losses @ chances[:, sets].T)
        return [LearningCurve(*(float(v) for v in column)) for column in out.T]

    def _losses(self, mass: np.ndarray, sets: np.ndarray) -> np.ndarray:
        """Bayes and Gibbs error, information and code length at each training set, (4, ...)."""
        bayes, gibbs, information = np.zeros((3, len(sets)))
        for x in range(self.inputs):
            # posterior probability of the true label of the next input
            right = mass[sets | 1 << x] / mass[sets]
            bayes += np.where(np.abs(right - 0.5) < _TIE, 0.5, right < 0.5)
            gibbs += 1 - right
            information -= np.log(right)
        means = np.stack([bayes, gibbs, information]) / self.inputs
        return np.concatenate([means, -np.log(mass[sets])[None]])


def cube_classes(labels: Any, prior: Any = None) -> tuple[list[int], list[float]]:
    """Representatives of labellings of the cube up to its symmetries, with their masses.

    Parameters
    ----------
    labels : array (H, 2^n) of 0 and 1
        Inputs in the order of their binary codes. The class, and the prior, must be closed under
        permuting and flipping the n bits.
    prior : array (H,), optional
        Uniform by default.
    """
    labels = np.asarray(labels).astype(np.int64)
    bits = int(np.log2(labels.shape[1]))
    if 1 << bits != labels.shape[1]:
        raise InputError(f"labels has {labels.shape[1]} inputs; expected a power of 2")
    prior = np.full(len(labels), 1 / len(labels)) if prior is None else np.asarray(prior, float)
    powers = 1 << np.arange(labels.shape[1])
    points = np.arange(1 << bits)
    canonical = np.full(len(labels), np.iinfo(np.int64).max)
    for order in itertools.permutations(range(bits)):
        moved = np.zeros_like(points)
        for to, origin in enumerate(order):
            moved |= ((points >> origin) & 1) << to
        for flip in points:
            canonical = np.minimum(canonical, labels[:, moved ^ flip] @ powers)
    _, first, which = np.unique(canonical, return_index=True, return_inverse=True)
    masses = np.bincount(which, prior / prior.sum())
    return [int(i) for i in first], [float(v) for v in masses]


def superset_sums(values: np.ndarray) -> np.ndarray:
    """For every set, the sum of ``values`` over the sets that contain it; shape (2^X,)."""
    out = np.array(values, float)
    for bit in range(out.size.bit_length() - 1):
        view = out.reshape(-1, 2, 1 << bit)
        view[:, 0] += view[:, 1]
    return out


def subset_sums(values: np.ndarray) -> np.ndarray:
    """For every set, the sum of ``values`` over its subsets; shape (2^X,)."""
    out = np.array(values, float)
    for bit in range(out.size.bit_length() - 1):
        view = out.reshape(-1, 2, 1 << bit)
        view[:, 1] += view[:, 0]
    return out


def _onto(n: int, k: int) -> int:
    """Number of ways in which n draws hit all of k inputs and no other."""
    return sum((-1) ** j * comb(k, j) * (k - j) ** n for j in range(k + 1))


def _divergence(law: np.ndarray, base: np.ndarray) -> float:
    """Kullback-Leibler divergence; both are zero where the base is."""
    ratio = np.divide(law, base, out=np.ones_like(law), where=base > 0)
    return float(np.sum(base * xlogy(ratio, ratio)))


def _pairs(inputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Unordered pairs of inputs, with the probability of each among ordered ones."""
    pairs = np.array(list(itertools.combinations_with_replacement(range(inputs), 2)))
    return pairs, np.where(pairs[:, 0] == pairs[:, 1], 1, 2) / inputs**2


def _orders(chosen: np.ndarray) -> np.ndarray:
    """In how many orders the entries of each sorted row can come."""
    out = np.full(len(chosen), float(factorial(chosen.shape[1])))
    run = np.ones(len(chosen))
    for i in range(1, chosen.shape[1]):
        run = np.where(chosen[:, i] == chosen[:, i - 1], run + 1, 1)
        out /= run
    return out


def _chunks(rows: Any, size: int = 8_192) -> Any:
    """Tuples as index arrays of at most ``size`` rows."""
    while batch := list(itertools.islice(rows, size)):
        yield np.array(batch, dtype=int)
