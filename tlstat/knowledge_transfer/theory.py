"""The theorems on knowledge transfer over finite domains, as bounds that can be judged.

Symbols, here and in arXiv:2310.07838:

==========  =============================================================================
``S``       number of inputs, ``|S|`` in the paper
``A``       number of labels, ``|A|``
``n``       sample size
``xi``      ``2 max_s min_a (1 - pi(a|s))``, distance from the deterministic teachers
``delta``   1 - confidence, in the bounds that hold with high probability
``k``       number of symbols of an alphabet, for missing masses
``C``       a constant that the paper leaves free
``E``       Euler's e (sympy's), not a number of samples
==========  =============================================================================

The risk is ``sum_s rho(s) TV(student(.|s), pi(.|s))`` with ``TV`` half the L1 distance. Upper
bounds hold for any guess at inputs that were not seen. Lower bounds are for all procedures and
are judged on the average over the prior that proves them (`tlstat.knowledge_transfer.Prior`).
What is sharper than the paper says so in the note of its source.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from sympy import And, E, Ge, Gt, Le, Lt, Rational, exp, log, pi, sqrt, symbols

from tlstat.knowledge_transfer.instances import on_off_worst_case
from tlstat.knowledge_transfer.models import Teacher
from tlstat.knowledge_transfer.priors import Prior
from tlstat.knowledge_transfer.risk import exact_risk, occupancy_mean, weighted_label_limit
from tlstat.theory.bound import Assumption, Bound, Source

PAPER = "arXiv:2310.07838"
OURS = "derived here, not in the paper"

S, A, n, xi, delta, k, C = symbols("S A n xi delta k C", positive=True)


def _same_size(model: Any, cell: Any) -> bool:
    sizes = {name: cell[name] for name in ("S", "A") if name in cell}
    return model is not None and all(getattr(model, name) == sizes[name] for name in sizes)


def _instance(name: str) -> Callable[[Any, Any], bool]:
    def check(model: Any, cell: Any) -> bool:
        wanted = {"instance": name, "S": cell["S"], "A": cell["A"], "n": cell["n"]}
        return isinstance(model, Teacher) and model == Teacher.from_cell(wanted)

    return check


def _prior(*names: str) -> Callable[[Any, Any], bool]:
    def check(model: Any, cell: Any) -> bool:
        return isinstance(model, Prior) and "prior" in cell and cell["prior"] in names

    return check


TABULAR = Assumption(
    "tabular",
    "inputs and labels are finite, as many as S and A say, and the teacher is the truth",
    check=_same_size,
)
SAMPLED = Assumption(
    "independent sample", "the n labelled inputs are independent draws from rho times pi"
)
ON_INSTANCE_0 = Assumption("instance 0", "the teacher is Instance 0", check=_instance("0"))
ON_INSTANCE_1 = Assumption("instance 1", "the teacher is Instance 1 at this n", _instance("1"))
ON_INSTANCE_2 = Assumption("instance 2", "the teacher is Instance 2 at this n", _instance("2"))
ON_INSTANCE_3 = Assumption("instance 3", "the teacher is Instance 3 at this n", _instance("3"))
OVER_PAIRS = Assumption("prior on pairs", "teachers are drawn from the pairs", _prior("pairs"))
OVER_BUDDIES = Assumption(
    "prior on living labels", "teachers are drawn with one living label a pair", _prior("buddies")
)
OVER_SUBSETS = Assumption(
    "prior on subsets", "teachers are drawn with a random set of living labels", _prior("subsets")
)
OVER_DIRACS = Assumption(
    "prior on deterministic teachers",
    "teachers are deterministic with uniform labels, inputs rare",
    _prior("deterministic"),
)
_BASE = (TABULAR, SAMPLED)

# ---------------------------------------------------------------- hard labels

HARD_LABEL_RATE = Bound(
    name="hard labels: minimax rate",
    expr=C * sqrt(S * A / n),
    kind="rate",
    scope="worst case over the class",
    assumptions=_BASE,
    source=Source(PAPER, "Theorems 3.1 and 3.2"),
    free=("C",),
)
HARD_LABEL_UPPER = Bound(
    name="hard labels: risk of the maximum-likelihood student",
    expr=sqrt(S * (A - 1) / (2 * (n + 1))) + S / (E * n),
    kind="upper",
    assumptions=_BASE,
    source=Source(PAPER, "Theorem 3.2", note="constants sharpened here"),
    valid=Ge(n, 1),
)
HARD_LABEL_UPPER_PAPER = Bound(
    name="hard labels: risk of the maximum-likelihood student, the paper's constants",
    expr=sqrt(S * A / n) / 2 + sqrt(S / n),
    kind="upper",
    assumptions=_BASE,
    source=Source(PAPER, "Theorem 3.2, proof (D.9)-(D.11)"),
    valid=Ge(n, 1),
)
HARD_LABEL_UPPER_INSTANCE = Bound(
    name="hard labels: risk of the maximum-likelihood student, by the teacher's spread",
    expr=sqrt(xi * S * A / (2 * (n + 1))) + Rational(4, 9) * S / n,
    kind="upper",
    assumptions=_BASE,
    source=Source(PAPER, "Theorem 3.2, (3.5)", note="xi with the erratum of its factor 2"),
    valid=Ge(n, 1),
)
HARD_LABEL_UPPER_PROBABILITY = Bound(
    name="hard labels: risk of the maximum-likelihood student, with high probability",
    expr=sqrt((A * log(2) + log((S + 1) / delta)) / 2) * sqrt(S / n)
    + sqrt(2 / n * (S * log(2) + log((S + 1) / delta))),
    kind="upper",
    sense="probability",
    assumptions=_BASE,
    source=Source(PAPER, "Theorem 3.2, proof", note="constants read off the proof"),
    valid=And(Ge(n, 1), Gt(delta, 0), Lt(delta, 1)),
)
HARD_LABEL_LOWER = Bound(
    name="hard labels: lower bound for every procedure",
    expr=exp(-Rational(1, 2)) / 16 * sqrt(S * A / n),
    kind="lower",
    scope="all procedures",
    assumptions=(*_BASE, OVER_PAIRS),
    source=Source(PAPER, "Theorem 3.1"),
    valid=And(Gt(A, 1), Ge(n, S * A / 4)),
)

# -------------------------------------------------------- partial soft labels


@np.vectorize
def _largest_missing_mass(k: float, n: float) -> float:
    """``max_p sum p (1-p)^n``: ``k - 1`` equal masses and one other, or all equal."""
    if k < 1 or n < 0:
        return float("nan")
    if k == 1:
        return 1.0 if n == 0 else 0.0
    from scipy.optimize import minimize_scalar

    def missing(x: Any) -> Any:
        last = np.clip(1 - (k - 1) * x, 0.0, 1.0)
        return (k - 1) * x * (1 - x) ** n + last * (1 - last) ** n

    # the summand is concave on [0, 2/(n+1)] and convex beyond, so the common mass lies there
    end = min(1 / (k - 1), 2 / (n + 1))
    points = np.linspace(0, end, 201)
    best = int(np.argmax(missing(points)))
    found = minimize_scalar(
        lambda x: -float(missing(x)),
        bounds=(points[max(best - 1, 0)], points[min(best + 1, 200)]),
        method="bounded",
        options={"xatol": 1e-13 * end},
    )
    return max(-float(found.fun), float(missing(points[best])), (1 - 1 / k) ** n)


MISSING_MASS_MAX = Bound(
    name="largest expected missing mass of k symbols",
    value=lambda k, n: _largest_missing_mass(k, n),
    symbols=("k", "n"),
    kind="exact",
    scope="worst case over the class",
    source=Source(PAPER, "Theorem 5.1, proof", note=f"the maximum itself is {OURS}"),
    valid=And(Ge(k, 1), Ge(n, 0)),
)
PARTIAL_LABEL_RATE = Bound(
    name="partial soft labels: minimax rate",
    expr=C * S * A / n,
    kind="rate",
    scope="worst case over the class",
    assumptions=_BASE,
    source=Source(PAPER, "Theorems 4.1 and 4.4"),
    free=("C",),
)
PARTIAL_LABEL_UPPER = Bound(
    name="partial soft labels: risk of the squared-log-error student",
    expr=S * A / (E * n),
    kind="upper",
    assumptions=_BASE,
    source=Source(PAPER, "Theorem 4.4", note=f"the constant 1/e is {OURS}: joint missing mass"),
    valid=Ge(n, 1),
)
PARTIAL_LABEL_UPPER_SHARP = Bound(
    name="partial soft labels: largest missing mass of inputs and labels together",
    value=lambda S, A, n: _largest_missing_mass(np.multiply(S, A), n),
    symbols=("S", "A", "n"),
    kind="upper",
    assumptions=_BASE,
    source=Source(PAPER, "Theorem 4.4", note=OURS),
    valid=Ge(n, 0),
)
PARTIAL_LABEL_UPPER_PROBABILITY = Bound(
    name="partial soft labels: risk with high probability",
    expr=Rational(4, 9) * S * A / n + 3 * sqrt(S * A) * log(1 / delta) / n,
    kind="upper",
    sense="probability",
    assumptions=_BASE,
    source=Source(PAPER, "Theorem 4.4", note=f"without its logarithmic factor: {OURS}"),
    valid=And(Ge(n, 1), Gt(delta, 0), Le(delta, Rational(1, 10))),
)
PARTIAL_LABEL_LOWER = Bound(
    name="partial soft labels: lower bound for every procedure",
    expr=S * (A - 1) / (4 * (n + 1)) * (1 - 1 / (n + 1)) ** n,
    kind="lower",
    scope="all procedures",
    assumptions=(*_BASE, OVER_BUDDIES),
    source=Source(PAPER, "Theorem 4.1"),
    valid=And(Gt(A, 2), Ge(n, S * (A - 1) / 2 - 1)),
)


@np.vectorize
def _subset_bayes_risk(S: float, A: float, n: float) -> float:
    """Exact Bayes risk of partial soft labels when ``h`` of ``A - 1`` labels live, for any n."""
    labels_on, c = on_off_worst_case(int(A))
    mass = c * S / n
    if labels_on * mass > 1:
        return float("nan")
    unseen = labels_on - np.arange(labels_on + 1)
    off = A - 1 - labels_on
    share = unseen * off / np.maximum(unseen + off, 1)
    return mass * occupancy_mean(share, int(n), labels_on * mass / S)


PARTIAL_LABEL_LOWER_SHARP = Bound(
    name="partial soft labels: Bayes risk over sets of living labels",
    value=lambda S, A, n: _subset_bayes_risk(S, A, n),
    symbols=("S", "A", "n"),
    kind="lower",
    scope="all procedures",
    assumptions=(*_BASE, OVER_SUBSETS),
    source=Source(PAPER, "Theorem 4.1", note=f"prior and exact value are {OURS}"),
    valid=And(Gt(A, 2), Ge(n, 2 * S * A)),
)

# ----------------------------------------------------------------- soft labels

SOFT_LABEL_RATE = Bound(
    name="soft labels: minimax rate",
    expr=C * S / n,
    kind="rate",
    scope="worst case over the class",
    assumptions=_BASE,
    source=Source(PAPER, "Theorems 5.1 and 5.2"),
    free=("C",),
)
SOFT_LABEL_UPPER = Bound(
    name="soft labels: risk of the cross-entropy student",
    expr=Rational(4, 9) * S / n,
    kind="upper",
    assumptions=_BASE,
    source=Source(PAPER, "Theorem 5.2"),
    valid=Ge(n, 1),
)
SOFT_LABEL_UPPER_PROBABILITY = Bound(
    name="soft labels: risk with high probability",
    expr=Rational(4, 9) * S / n + 3 * sqrt(S) * log(1 / delta) / n,
    kind="upper",
    sense="probability",
    assumptions=_BASE,
    source=Source(PAPER, "Theorem 5.2"),
    valid=And(Ge(n, 1), Gt(delta, 0), Le(delta, Rational(1, 10))),
)
SOFT_LABEL_LOWER = Bound(
    name="soft labels: lower bound for every procedure",
    expr=(S - 1) / (2 * E * (n + 1)),
    kind="lower",
    scope="all procedures",
    assumptions=(*_BASE, OVER_DIRACS),
    source=Source(PAPER, "Theorem 5.1"),
    valid=And(Gt(S, 1), Gt(A, 1), Gt(n, S - 1)),
)


def _soft_minimax(S: Any, A: Any, n: Any) -> Any:
    return (1 - 1 / np.asarray(A, dtype=float)) * _largest_missing_mass(S, n)


def _deterministic_bayes_risk(S: Any, A: Any, n: Any) -> Any:
    """``(1 - 1/A) sum rho (1-rho)^n`` on rare inputs: a value, as sympy's limits never end here."""
    S, A, n = (np.asarray(x, dtype=float) for x in (S, A, n))
    rare, common = 1 / (n + 1), 1 - (S - 1) / (n + 1)
    return (1 - 1 / A) * ((S - 1) * rare * (1 - rare) ** n + common * (1 - common) ** n)


SOFT_LABEL_MINIMAX = Bound(
    name="soft labels: the minimax risk",
    value=_soft_minimax,
    symbols=("S", "A", "n"),
    kind="upper",
    assumptions=_BASE,
    source=Source(PAPER, "Theorems 5.1 and 5.2", note=f"upper and lower bound meet: {OURS}"),
    valid=Ge(n, 0),
)
SOFT_LABEL_BAYES = Bound(
    name="soft labels: Bayes risk over deterministic teachers on rare inputs",
    value=_deterministic_bayes_risk,
    symbols=("S", "A", "n"),
    kind="exact",
    scope="all procedures",
    assumptions=(*_BASE, OVER_DIRACS),
    source=Source(PAPER, "Theorem 5.1", note=f"1 - 1/A in place of 1/2 is {OURS}"),
    valid=And(Gt(S, 1), Gt(A, 1), Ge(n, S - 1)),
)

# ----------------------------------------- closed forms on the paper's instances


@lru_cache(maxsize=4096)
def _on_instance(name: str, level: str, S: int, A: int, n: int) -> float:
    cell = {"instance": name, "S": S, "A": A, "n": n}
    return exact_risk(Teacher.from_cell(cell), n, level)


def _exact_on(name: str, level: str, assumption: Assumption, valid: Any) -> Bound:
    def one(S: float, A: float, n: float) -> float:
        return _on_instance(name, level, int(S), int(A), int(n))

    vectorised = np.vectorize(one, otypes=[float])
    return Bound(
        name=f"{level} labels: exact risk on Instance {name}",
        value=lambda S, A, n: vectorised(S, A, n),
        symbols=("S", "A", "n"),
        kind="exact",
        scope=f"Instance {name}",
        assumptions=(*_BASE, assumption),
        source=Source(PAPER, "Appendix F", note=f"closed form {OURS}"),
        valid=valid,
    )


HARD_ON_INSTANCE_0 = _exact_on("0", "hard", ON_INSTANCE_0, Ge(n, 0))
PARTIAL_ON_INSTANCE_0 = _exact_on("0", "partial", ON_INSTANCE_0, Ge(n, 0))
SOFT_ON_INSTANCE_0 = _exact_on("0", "soft", ON_INSTANCE_0, Ge(n, 0))
HARD_ON_INSTANCE_1 = _exact_on("1", "hard", ON_INSTANCE_1, Ge(n, S * A / 16))
HARD_ON_INSTANCE_2 = _exact_on("2", "hard", ON_INSTANCE_2, Ge(n, S * A / 2))
PARTIAL_ON_INSTANCE_2 = _exact_on("2", "partial", ON_INSTANCE_2, Ge(n, S * A / 2))
SOFT_ON_INSTANCE_3 = _exact_on("3", "soft", ON_INSTANCE_3, Ge(n, S * A / 2))

HARD_ON_INSTANCE_1_LIMIT = Bound(
    name="hard labels: leading term of the risk on Instance 1",
    expr=sqrt(S * (A - 1) / (2 * pi * n)),
    kind="rate",
    scope="Instance 1",
    assumptions=(*_BASE, ON_INSTANCE_1),
    source=Source(PAPER, "Appendix F", note=f"constant {OURS}, as n/(SA) grows"),
)
WEIGHTED_LABEL_BIAS = Bound(
    name="weighted labels: what is left of the risk on Instance 0 as n grows",
    expr=(A**2 - 1) / (2 * A * (A + 3)),
    kind="exact",
    scope="Instance 0, n to infinity",
    assumptions=(*_BASE, ON_INSTANCE_0),
    source=Source(PAPER, "Theorem 4.3 and Lemma 4.2", note=f"closed form {OURS}"),
)
WEIGHTED_LABEL_CONSISTENT = Bound(
    name="weighted labels at the hard-label rate (false)",
    expr=C * sqrt(S * A / n),
    kind="rate",
    scope="Instance 0",
    assumptions=_BASE,
    source=Source(PAPER, "Theorem 4.3", note="its negation, as a negative control"),
    free=("C",),
)


@lru_cache(maxsize=4096)
def _exact_of_teacher(teacher: Teacher, n: int, level: str) -> float:
    return exact_risk(teacher, n, level)


def exact(level: str) -> Callable[[Any, Any], float]:
    """Exact risk of a student on the cell's own teacher, for claims of equality.

    Parameters
    ----------
    level : {"hard", "partial", "soft"}

    Returns
    -------
    callable
        ``(cell, model) -> float``.
    """

    def exact_of_cell(cell: Any, model: Teacher) -> float:
        return _exact_of_teacher(model, cell["n"], level)

    exact_of_cell.__name__ = f"exact risk of the {level}-label student"
    return exact_of_cell


def weighted_limit(cell: Any, model: Teacher) -> float:
    """Limit of the weighted student's risk on the cell's own teacher, for claims of equality."""
    return weighted_label_limit(model)[1]
