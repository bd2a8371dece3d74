"""Minimax values against convex programs and against searches for the worst teacher.

The minimax risk of soft labels lies between two programs, neither of which knows the formula:

*lower*: the best prior on a finite grid of input laws times all deterministic teachers, against
    every student, who may use all the counts and all the rows seen. A prior on some teachers
    bounds the minimax risk over all teachers from below, so the grid costs sharpness alone.
*upper*: the best student among those that are exact at inputs seen and whose guess elsewhere is
    any function of the set of inputs seen, against every teacher on a grid of input laws. Rows
    need no grid: the risk is convex in each row, so deterministic teachers are the worst. The
    grid of input laws is then made good: with two inputs the student's risk is a polynomial in
    one probability, and its maximum over [0, 1] is at a root of the derivative; with three
    inputs it is searched for.

Randomised students need no variables of their own: the loss is convex in the student's law.
"""

import itertools
from functools import cache, partial
from math import factorial, prod

import cvxpy as cp
import numpy as np
import pytest
from numpy.polynomial import Polynomial
from scipy.optimize import minimize
from scipy.special import softmax

from tlstat.knowledge_transfer import (
    Teacher,
    exact_risk,
    hard_label_student,
    minimax,
    partial_label_student,
    soft_label_student,
    weighted_label_student,
)
from tlstat.testing.knowledge_transfer.enumeration import expected_risk


def input_laws(S, steps):
    """Laws on S points with probabilities in multiples of ``1/steps``."""
    bars = itertools.combinations(range(steps + S - 1), S - 1)
    edges = np.array([(-1, *b, steps + S - 1) for b in bars])
    return (np.diff(edges, axis=1) - 1) / steps


def input_tables(S, n):
    return (input_laws(S, n) * n).round().astype(int) if n else np.zeros((1, S), dtype=int)


def probability(table, rho):
    """Of a table of input counts; rho of shape (..., S)."""
    ways = factorial(int(table.sum())) // prod(factorial(int(k)) for k in table)
    return ways * np.prod(rho**table, axis=-1)


# --------------------------------------------------------------------- soft labels: lower


def weights_of_labels(prior, S, A, n, laws, labels):
    """For each sample and each input not in it: the weight of each label there, given a prior.

    ``prior`` of shape (input laws, deterministic teachers), numpy or cvxpy.
    """
    for table in input_tables(S, n):
        seen = table > 0
        chance = probability(table, laws)
        for shown in np.unique(labels[:, seen], axis=0):
            possible = (labels[:, seen] == shown).all(axis=1)
            for s in np.flatnonzero(~seen):
                columns = [possible & (labels[:, s] == a) for a in range(A)]
                yield [(chance * laws[:, s]) @ prior[:, c].sum(axis=1) for c in columns]


def best_prior(S, A, n, steps):
    """Largest Bayes risk over priors on (grid of input laws) x (deterministic teachers).

    The best guess is the likeliest label, as the distance to a point mass is ``1 - q(a)``.
    What is returned is the Bayes risk of the normalised prior, not the solver's word.
    """
    laws = input_laws(S, steps)
    labels = np.array(list(itertools.product(range(A), repeat=S)))
    prior = cp.Variable((len(laws), len(labels)), nonneg=True)
    weights = weights_of_labels(prior, S, A, n, laws, labels)
    risk = sum(sum(mass) - cp.max(cp.hstack(mass)) for mass in weights)
    cp.Problem(cp.Maximize(risk), [cp.sum(prior) == 1]).solve(solver=cp.CLARABEL)
    found = np.maximum(prior.value, 0)
    found /= found.sum()
    return sum(sum(mass) - max(mass) for mass in weights_of_labels(found, S, A, n, laws, labels))


# --------------------------------------------------------------------- soft labels: upper


def chance_of_seeing(seen, n, rho):
    """Probability that the inputs seen are exactly these, by inclusion and exclusion."""
    total = 0.0
    for size in range(len(seen) + 1):
        for inner in itertools.combinations(seen, size):
            total += (-1) ** (len(seen) - size) * rho[..., list(inner)].sum(axis=-1) ** n
    return total


def subsets(S, n):
    return [seen for k in range(min(n, S - 1) + 1) for seen in itertools.combinations(range(S), k)
            if k > 0 or n == 0]  # fmt: skip


def best_student(S, A, n, steps):
    """Guesses by set of inputs seen that minimise the largest risk over a grid of input laws."""
    laws = input_laws(S, steps)
    guess = {(seen, s): cp.Variable(A, nonneg=True)
             for seen in subsets(S, n) for s in range(S) if s not in seen}  # fmt: skip
    worst = 0
    for s in range(S):
        loss = 0
        for seen in subsets(S, n):
            if s not in seen:
                weight = laws[:, s] * chance_of_seeing(seen, n, laws)
                loss += weight[:, None] @ cp.reshape(1 - guess[seen, s], (1, A), order="C")
        worst += cp.max(loss, axis=1)
    rows = [cp.sum(q) == 1 for q in guess.values()]
    value = cp.Problem(cp.Minimize(cp.max(worst)), rows).solve(solver=cp.CLARABEL)
    # a law to the last digit, so that what is said of it holds of a student
    solved = {key: np.maximum(q.value, 0) / np.maximum(q.value, 0).sum()
              for key, q in guess.items()}  # fmt: skip
    return value, solved


def worst_risk_of_two_inputs(guess, A, n):
    """Largest risk over all teachers, exactly: a polynomial for each pair of labels."""
    x, one = Polynomial([0, 1]), Polynomial([1])
    worst = 0.0
    for labels in itertools.product(range(A), repeat=2):
        risk = Polynomial([0])
        for (seen, s), q in guess.items():
            here, there = (x, one - x) if s == 0 else (one - x, x)
            chance = there**n if seen else one
            risk = risk + (1 - q[labels[s]]) * here * chance
        stationary = [r.real for r in risk.deriv().roots() if abs(r.imag) < 1e-9]
        points = np.clip([0, 1, *stationary], 0, 1)
        worst = max(worst, float(risk(points).max()))
    return worst


def worst_risk_by_search(guess, S, A, n):
    def risk(rho):
        total = 0.0
        for s in range(S):
            losses = np.zeros(A)
            for (seen, t), q in guess.items():
                if t == s:
                    losses += rho[s] * chance_of_seeing(seen, n, rho) * (1 - q)
            total += losses.max()
        return total

    starts = input_laws(S, 20)
    best = sorted(starts, key=risk)[-5:]
    found = [
        -minimize(
            lambda z: -risk(softmax(z)),
            np.log(start + 1e-3),
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-13},
        ).fun
        for start in best
    ]
    return max(found)


# what the solver says is not used: its prior and its student are evaluated
@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")
@pytest.mark.parametrize(
    ("S", "A", "n", "steps"),
    [(2, 2, 1, 40), (2, 2, 3, 40), (2, 3, 2, 40), (2, 4, 5, 40), (3, 2, 1, 12), (3, 2, 2, 12),
     (3, 3, 2, 12), (3, 2, 4, 15)],
)  # fmt: skip
def test_soft_minimax_lies_between_two_programs(S, A, n, steps):
    formula = minimax.soft_label_minimax(S, A, n)
    lower = best_prior(S, A, n, steps)
    on_grid, guess = best_student(S, A, n, 2 * steps)
    upper = (
        worst_risk_of_two_inputs(guess, A, n) if S == 2 else worst_risk_by_search(guess, S, A, n)
    )
    # the finer grid has the teachers of the coarser one
    assert lower <= on_grid + 1e-6
    # both sides are evaluated, of a prior and of a student: no solver's tolerance enters
    assert lower - 1e-12 <= formula <= upper + (1e-12 if S == 2 else 1e-8)
    assert upper - lower <= 0.01 * formula, (lower, formula, upper)
    if S == 2:
        assert upper - lower <= 2e-3 * formula


def test_the_programs_would_notice_the_papers_constant():
    """Half the missing mass, in place of 1 - 1/A of it, is no lower bound's limit."""
    lower = best_prior(2, 4, 3, 40)
    assert lower > 1.4 * 0.5 * minimax.largest_missing_mass(2, 3)


def test_rows_that_are_not_deterministic_do_not_help_the_teacher():
    """The upper student's risk at any row is below that at its best point mass."""
    rng = np.random.default_rng(0)
    worst = minimax.soft_label_minimax(3, 4, 3)
    for _ in range(200):
        rho, pi = rng.dirichlet(np.ones(3)), rng.dirichlet(np.full(4, 0.3), size=3)
        assert expected_risk(soft_label_student, rho, pi, 3) <= worst + 1e-12


# -------------------------------------------------------- worst cases found by search


def smoothed(counts, probs, beta=0.5):
    total = counts.sum(axis=-1, keepdims=True) + beta * counts.shape[-1]
    return (counts + beta) / total


def shrunk_to_uniform(counts, probs):
    return 0.8 * hard_label_student(counts) + 0.2 / counts.shape[-1]


def partial_renormalised(counts, probs):
    seen = np.where(counts > 0, probs, 0.0)
    total = seen.sum(axis=-1, keepdims=True)
    return np.where(total > 0, seen / np.where(total > 0, total, 1), 1 / counts.shape[-1])


LEARNERS = {
    "hard": [
        hard_label_student,
        partial(hard_label_student, fill="first-unseen"),
        smoothed,
        shrunk_to_uniform,
        minimax.l2_minimax_student,
    ],
    "partial": [
        weighted_label_student,
        partial_label_student,
        partial(partial_label_student, fill="first-unseen"),
        partial_renormalised,
    ],
    "soft": [soft_label_student, partial(soft_label_student, fill="first-unseen")],
}
# a bound for one level holds for all who are told less
TOLD_AT_MOST = {
    "hard": LEARNERS["hard"],
    "partial": LEARNERS["hard"] + LEARNERS["partial"],
    "soft": LEARNERS["hard"] + LEARNERS["partial"] + LEARNERS["soft"],
}


@cache
def worst_teacher(student, S, A, n, starts=3, evaluations=400):
    """Largest expected risk found, by Nelder and Mead's search over input laws and rows."""
    rng = np.random.default_rng(0)

    def teacher(z):
        return softmax(z[:S]), softmax(z[S:].reshape(S, A), axis=1)

    def negative(z):
        return -expected_risk(student, *teacher(z), n)

    # sparse to flat starts
    found = [
        minimize(
            negative,
            rng.normal(size=S + S * A) * scale,
            method="Nelder-Mead",
            options={"maxfev": evaluations, "xatol": 1e-6, "fatol": 1e-10, "adaptive": True},
        ).fun
        for scale in np.geomspace(0.3, 10, starts)
    ]
    return -min(found)


def bayes_lower_bound(level, S, A, n):
    """The largest Bayes risk among the priors of a level."""
    if level == "hard":
        return max(minimax.pair_bayes_risk(S, A, n), minimax.dirichlet_bayes_risk(A, n, S=S))
    if level == "soft":
        return minimax.soft_label_minimax(S, A, n)
    values = [
        minimax.subset_bayes_risk(S, A, n, labels_on=h, c=c)
        for h in range(1, A - 1)
        for c in np.linspace(0.05, 1, 20) * n / (h * S)
    ]
    return max(values)


SIZES = [(1, 3, 3), (2, 3, 2), (1, 4, 4)]


@pytest.mark.parametrize("level", TOLD_AT_MOST)
@pytest.mark.parametrize(("S", "A", "n"), SIZES)
def test_every_learner_has_a_teacher_worse_than_the_bayes_bound(level, S, A, n):
    bound = bayes_lower_bound(level, S, A, n)
    assert bound >= 0.05 or (level == "soft" and S == 1)
    # the supremum, which the soft student attains, is approached and not reached
    worst = [worst_teacher(student, S, A, n) for student in TOLD_AT_MOST[level]]
    assert min(worst) >= bound * (1 - 1e-4)
    # and twice the bound would be refuted
    assert min(worst) <= 1.6 * bound


@pytest.mark.parametrize(("S", "A", "n"), [(2, 2, 3), (2, 3, 2)])
def test_the_soft_students_worst_case_is_the_minimax_risk(S, A, n):
    """Found from below by a search, and never exceeded by it."""
    found = worst_teacher(soft_label_student, S, A, n, starts=3, evaluations=1_500)
    assert found <= minimax.soft_label_minimax(S, A, n) + 1e-12
    assert found == pytest.approx(minimax.soft_label_minimax(S, A, n), rel=2e-3)


@pytest.mark.parametrize(("S", "A", "n"), SIZES)
def test_worst_cases_found_stay_below_the_upper_bounds(S, A, n):
    hard = worst_teacher(hard_label_student, S, A, n)
    assert hard <= np.sqrt(S * (A - 1) / (2 * (n + 1))) + S / (np.e * n)
    for student in LEARNERS["partial"][1:3]:
        assert worst_teacher(student, S, A, n) <= minimax.largest_missing_mass(S * A, n)


def test_more_information_has_the_smaller_worst_case():
    S, A, n = 2, 3, 2
    levels = [soft_label_student, partial_label_student, hard_label_student]
    soft, partial_labels, hard = (worst_teacher(student, S, A, n) for student in levels)
    assert soft < partial_labels < hard


@pytest.mark.parametrize(
    ("level", "A", "n"), [("hard", 6, 60), ("partial", 11, 200), ("soft", 4, 50)]
)
def test_bounds_are_below_the_worst_case_of_closed_forms_too(level, A, n):
    """Larger samples: a search along one-parameter families, by exact risks."""
    S = 3
    if level == "hard":
        family = [Teacher(np.full(S, 1 / S), np.full((S, A), 1 / A))]
    elif level == "partial":
        family = [Teacher.instance2(S, A, n), Teacher.instance2star(S, A, n)]
    else:
        x = np.linspace(0.2, 2, 200) / n
        family = [Teacher.diracs(np.zeros(S, dtype=int), A, [v, v, 1 - 2 * v]) for v in x]
    worst = max(exact_risk(teacher, n, level) for teacher in family)
    bound = (
        minimax.subset_bayes_risk(S, A, n) if level == "partial"
        else bayes_lower_bound(level, S, A, n)
    )  # fmt: skip
    assert bound <= worst * (1 + 1e-3)
    assert bound >= 0.7 * worst
