"""The minimax risk between two numbers: an exact lower bound and a worst-case upper bound.

`saddle_point` does it over the whole class of one-atom problems: some atom is hard for every rule,
and the vote with that atom's weights is nowhere worse. `sandwich` does it for any procedure the
user passes, over a list of populations. Each result says what is *certified* (true whatever the
search missed) and what is *numerical* (a maximum that a search found).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.minimax.atom_class import Atom, AtomClass, maximise
from tlstat.minimax.branch import certified_worst_case
from tlstat.minimax.vote import vote_error


@dataclass(frozen=True)
class SaddlePoint:
    """Lower and upper bound on the minimax risk over a class of one-atom problems.

    Attributes
    ----------
    lower : float
        Bayes risk at ``atom``: certified, one feasible atom is enough.
    upper : float
        Worst risk of the fixed-weight vote over the class.
    upper_status : str
        "numerical" (multi-start search) or "certified" (branch and bound).
    atom : Atom
        Hardest atom found.
    weight : float
        ``w`` of the vote ``S_P w_P + S_Q w_Q`` with ``w = w_Q / w_P``: the likelihood-ratio
        weights at ``atom``.
    """

    lower: float
    upper: float
    upper_status: str
    atom: Atom
    weight: float

    @property
    def gap(self) -> float:
        """Relative distance of the bounds."""
        return (self.upper - self.lower) / self.upper

    def __repr__(self) -> str:
        return (
            f"minimax risk in [{self.lower:.6g} (certified), {self.upper:.6g} "
            f"({self.upper_status})], relative gap {self.gap:.1e}\n"
            f"  hardest atom: p = {self.atom.p:.4g}, delta_P = {self.atom.delta_P:.4g}, "
            f"q = {self.atom.q:.4g}, delta_Q = {self.atom.delta_Q:.4g}\n"
            f"  minimax vote: sign(S_P + {self.weight:.4g} S_Q)"
        )


def saddle_point(
    n_P: float,
    n_Q: float,
    atoms: AtomClass,
    *,
    certified: bool = False,
    ratio: float = 1.05,
    starts: int = 12,
    seed: int = 0,
) -> SaddlePoint:
    """Sandwich the minimax risk over a class of one-atom problems.

    Parameters
    ----------
    n_P, n_Q : float
        Sample sizes.
    atoms : AtomClass
    certified : bool
        Bound the vote's worst case by branch and bound instead of by search (small samples: the
        work grows with ``n_P p`` and ``n_Q q``).
    ratio : float
        With ``certified``, the upper bound aimed at, over the largest value found.
    starts, seed : int
        Of the multi-start search.

    Returns
    -------
    SaddlePoint

    Notes
    -----
    The lower bound is the largest Bayes risk ``q delta_Q e`` over the class, the upper bound the
    worst risk of the vote that is Bayes there. That they meet is a numerical finding, not a
    theorem of the paper.
    """
    lower, atom = worst_atom(n_P, n_Q, atoms, starts=starts, seed=seed)
    weight = _weight(atom)
    upper, _ = worst_atom(n_P, n_Q, atoms, weights=(1.0, weight), starts=starts, seed=seed)
    upper = max(upper, lower)
    status = "numerical"
    if certified:
        upper = certified_worst_case(n_P, n_Q, atoms, weight, target=ratio * upper)
        status = "certified"
    return SaddlePoint(lower, upper, status, atom, weight)


def worst_atom(
    n_P: float,
    n_Q: float,
    atoms: AtomClass,
    *,
    weights: tuple[float, float] | None = None,
    starts: int = 12,
    seed: int = 0,
) -> tuple[float, Atom]:
    """Largest excess risk of a vote over the class, by multi-start search, and where.

    Parameters
    ----------
    n_P, n_Q : float
        Sample sizes.
    atoms : AtomClass
    weights : (float, float), optional
        Of the source's and the target's votes; ``(1, 0)`` ignores the target. By default the
        Bayes vote at each atom: the largest value is then a lower bound on the minimax risk.
    starts, seed : int

    Returns
    -------
    value : float
    atom : Atom
    """

    def risk(atom: Atom) -> Any:
        error = vote_error(n_P, atom.p, atom.delta_P, n_Q, atom.q, atom.delta_Q, weights=weights)
        return atom.m * atom.q * atom.delta_Q * error

    return maximise(risk, atoms, n_P, n_Q, starts=starts, seed=seed)


def _weight(atom: Atom) -> float:
    w_P, w_Q = np.arctanh(min(atom.delta_P, 1 - 1e-16)), np.arctanh(min(atom.delta_Q, 1 - 1e-16))
    return float(w_Q / w_P) if w_P > 0 else np.inf


@dataclass(frozen=True)
class Sandwich:
    """An exact lower bound beside the risk of a procedure; see `sandwich`.

    Attributes
    ----------
    lower : float
        Lower bound on the minimax risk.
    upper : float
        Largest risk of the procedure over the listed populations (an upper confidence limit if
        the risks are simulated).
    risks : tuple of (float, float)
        Estimate and standard error (0 if exact) at each population.
    worst : int
        Index of the worst population.
    status : str
        What ``upper`` is a statement about.
    """

    lower: float
    upper: float
    risks: tuple[tuple[float, float], ...]
    worst: int
    status: str

    @property
    def ratio(self) -> float:
        """Upper over lower: how far the procedure can be from the best possible."""
        return self.upper / self.lower if self.lower > 0 else np.inf

    def __repr__(self) -> str:
        return (
            f"minimax risk >= {self.lower:.6g} (certified); the procedure's worst risk "
            f"<= {self.upper:.6g}\n  {self.status}; ratio {self.ratio:.3g}, worst at "
            f"population {self.worst} of {len(self.risks)}"
        )


def sandwich(
    procedure: Callable[[Any], Any],
    populations: Sequence[Any],
    lower: float,
    *,
    delta: float = 0.05,
) -> Sandwich:
    """An exact lower bound against the worst-case risk of any procedure.

    Parameters
    ----------
    procedure : callable
        Takes a population; gives its exact excess risk as a number, or simulated excess risks
        (a vector of replicates, each in [0, 1]).
    populations : sequence
        Members of the class that the lower bound is about. The result speaks of this list only,
        not of the class: no finite list certifies a supremum.
    lower : float
        A lower bound, such as `bayes_lower_bound` or `MinimaxRisk.lower`.
    delta : float
        Probability that a simulated upper limit is too low, over all populations together.

    Returns
    -------
    Sandwich

    Notes
    -----
    Simulated risks get empirical-Bernstein limits (Maurer & Pontil 2009) at ``delta`` divided by
    the number of populations.
    """
    if not len(populations):
        raise InputError("populations is empty; at least one is expected")
    if not (np.isfinite(lower) and lower >= 0):
        raise InputError(f"lower must be a finite number, 0 or more, got {lower!r}")
    if not 0 < delta < 1:
        raise InputError(f"delta must lie in (0, 1), got {delta!r}")
    risks, limits = [], []
    for index, population in enumerate(populations):
        values = np.atleast_1d(np.asarray(procedure(population), dtype=float))
        if values.ndim != 1 or not values.size or not ((values >= 0) & (values <= 1)).all():
            raise InputError(
                f"the procedure's risk at population {index} must be a number or a vector in "
                f"[0, 1], got {values!r}"
            )
        error = values.std(ddof=1) / np.sqrt(values.size) if values.size > 1 else 0.0
        risks.append((float(values.mean()), float(error)))
        limits.append(_upper_limit(values, delta / len(populations)))
    simulated = any(error > 0 for _, error in risks)
    what = f"with probability {1 - delta:g}, simulated" if simulated else "exact"
    return Sandwich(
        lower=float(lower),
        upper=max(limits),
        risks=tuple(risks),
        worst=int(np.argmax(limits)),
        status=f"{what}, over the {len(populations)} listed populations only",
    )


def _upper_limit(values: np.ndarray, delta: float) -> float:
    """Empirical-Bernstein upper confidence limit of a mean in [0, 1]; one value is exact."""
    size = values.size
    if size == 1:
        return float(values[0])
    log = np.log(2 / delta)
    spread = np.sqrt(2 * values.var(ddof=1) * log / size)
    return float(min(1.0, values.mean() + spread + 7 * log / (3 * (size - 1))))
