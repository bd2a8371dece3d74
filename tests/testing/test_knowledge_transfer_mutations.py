"""Injected bugs, each with the laws that must catch it; and no law that catches nothing.

``python tests/testing/test_knowledge_transfer_mutations.py [hard|partial|risk|...]`` prints the
whole matrix of laws against bugs; the tests assert what the tables below say of it.
"""

import math
import sys

import numpy as np
import pytest

from tlstat.knowledge_transfer import (
    exact_risk,
    expected_missing_mass,
    hard_label_student,
    partial_label_student,
    soft_label_student,
    tv_risk,
    weighted_label_student,
)
from tlstat.testing import check_laws
from tlstat.testing.knowledge_transfer import (
    exact_risk_laws,
    lower_bound_laws,
    risk_laws,
    student_laws,
    upper_bound_laws,
)

LEVELS = ("hard", "weighted", "partial", "soft")


def frequencies(weights, axis=-1):
    """Weights over their sum along an axis, uniform where the sum is zero."""
    total = weights.sum(axis=axis, keepdims=True)
    return np.where(total > 0, weights / np.where(total > 0, total, 1), 1 / weights.shape[-1])


# ------------------------------------------------------------------------ bugs of students


def smoothed(counts, pi):
    return frequencies(counts + 1)


def normalised_over_inputs(counts, pi):
    return frequencies(counts, axis=-2)


def normalised_over_the_batch(counts, pi):
    total = counts.sum(axis=-1, keepdims=True)
    everywhere = total.sum(axis=tuple(range(counts.ndim - 2)), keepdims=True)
    batches = max(1, math.prod(counts.shape[:-2]))
    mean = everywhere / batches + 0 * total
    return np.where(
        mean > 0, (counts + mean - total) / np.where(mean > 0, mean, 1), 1 / pi.shape[1]
    )


def zero_over_zero(counts, pi):
    with np.errstate(invalid="ignore"):
        return counts / counts.sum(axis=-1, keepdims=True)


def one_count_lost(counts, pi):
    """The first draw of each label is not counted."""
    return frequencies(np.maximum(counts - 1, 0))


def most_frequent_label(counts, pi):
    """Ties go to the first index."""
    mode = np.eye(pi.shape[1])[counts.argmax(axis=-1)]
    return np.where(counts.sum(axis=-1, keepdims=True) > 0, mode, 1 / pi.shape[1])


def shrunk_to_the_teacher(counts, pi):
    return (counts + pi) / (counts.sum(axis=-1, keepdims=True) + 1)


def in_place(counts, pi):
    student = hard_label_student(counts)
    counts[...] = 0
    return student


def single_precision(student):
    return lambda counts, pi: student(counts, pi).astype(np.float32).astype(float)


def with_gamma(gamma):
    return lambda counts, pi: weighted_label_student(counts, pi, gamma=gamma)


def weighted_returns_frequencies(counts, pi):
    return hard_label_student(counts)


def weighted_with_an_offset(counts, pi):
    return frequencies(counts * (pi + 0.01))


def weighted_counts_from_one(counts, pi):
    seen = counts.sum(axis=-1, keepdims=True) > 0
    return np.where(seen, frequencies((counts + 1) * pi), 1 / pi.shape[1])


def weighted_by_the_share(counts, pi):
    """Weights relative to the whole row's largest probability, cut at one half."""
    return frequencies(counts * np.minimum(pi, 0.5))


def missing_mass_forgotten(counts, pi):
    seen = counts.sum(axis=-1, keepdims=True) > 0
    return np.where(seen, np.where(counts > 0, pi, 0.0), 1 / pi.shape[1])


def missing_mass_over_all_labels(counts, pi):
    missing = np.where(counts > 0, 0.0, pi).sum(axis=-1, keepdims=True)
    return np.where(counts > 0, pi, 0.0) + missing / pi.shape[1]


def missing_mass_to_the_first(counts, pi):
    filled = partial_label_student(counts, pi, fill="first-unseen")
    seen = counts.sum(axis=-1, keepdims=True) > 0
    return np.where(seen, filled, 1 / pi.shape[1])


def missing_mass_renormalised(counts, pi):
    """The seen labels scaled up instead of the unseen ones filled."""
    return frequencies(np.where(counts > 0, pi, 0.0))


def missing_mass_as_the_teacher(counts, pi):
    return np.where(counts.sum(axis=-1, keepdims=True) > 0, pi, 1 / pi.shape[1])


def seen_twice(student):
    return lambda counts, pi: student(np.maximum(counts - 1, 0), pi)


def seen_anywhere_in_the_batch(student):
    def mutant(counts, pi):
        together = counts.sum(axis=tuple(range(counts.ndim - 2)))
        return np.broadcast_to(student(together, pi), counts.shape)

    return mutant


def unseen_given_some_mass(counts, pi):
    return 0.999 * partial_label_student(counts, pi) + 0.001 / pi.shape[1]


def guess_without_the_last_label(student):
    def mutant(counts, pi):
        guess = np.full(pi.shape[1], 1 / (pi.shape[1] - 1))
        guess[-1] = 0
        seen = counts.sum(axis=-1, keepdims=True) > 0
        return np.where(seen, student(counts, pi), guess)

    return mutant


def teacher_at_unseen_inputs(counts, pi):
    return np.broadcast_to(pi, counts.shape).copy()


def sharpened(counts, pi):
    return soft_label_student(counts, pi**2 / (pi**2).sum(axis=-1, keepdims=True))


def seen_if_every_label_is(counts, pi):
    return np.where((counts > 0).all(axis=-1, keepdims=True), pi, 1 / pi.shape[1])


def seen_if_odd(counts, pi):
    """The parity bit instead of the sign."""
    return np.where(counts.sum(axis=-1, keepdims=True) % 2 > 0, pi, 1 / pi.shape[1])


def rounded(counts, pi):
    return soft_label_student(counts, frequencies(np.rint(pi * 256)))


# level, bug, laws that must catch it
STUDENT_BUGS = [
    ("hard", smoothed, ["doubling", "missing mass", "optimality", "entropy", "expected risk"]),
    ("hard", normalised_over_inputs, ["laws", "limit"]),
    ("hard", normalised_over_the_batch, ["batch"]),
    ("hard", zero_over_zero, ["laws", "guess", "order"]),
    ("hard", one_count_lost, ["doubling", "optimality", "entropy", "expected risk"]),
    ("hard", most_frequent_label, ["relabelling", "limit", "optimality", "entropy"]),
    ("hard", shrunk_to_the_teacher, ["information", "Bayes risk", "guess", "order"]),
    ("hard", in_place, ["arguments"]),
    ("hard", single_precision(hard_label_student), ["laws", "limit"]),
    ("hard", guess_without_the_last_label(hard_label_student), ["relabelling", "guess", "order"]),
    ("weighted", weighted_returns_frequencies, ["limit", "optimality", "entropy"]),
    ("weighted", with_gamma(2.0), ["limit", "optimality", "entropy"]),
    ("weighted", with_gamma(0.5), ["limit", "optimality", "entropy"]),
    ("weighted", weighted_with_an_offset, ["scale", "limit", "optimality"]),
    ("weighted", weighted_counts_from_one,
     ["information", "Bayes risk", "missing mass", "flat rows", "doubling", "order"]),
    ("weighted", weighted_by_the_share, ["scale", "limit", "entropy"]),
    ("weighted", smoothed, ["flat rows", "doubling"]),
    ("weighted", zero_over_zero, ["laws", "guess"]),
    ("weighted", in_place, ["arguments"]),
    ("weighted", normalised_over_the_batch, ["batch"]),
    ("weighted", guess_without_the_last_label(weighted_label_student), ["relabelling", "guess"]),
    ("partial", missing_mass_forgotten, ["laws", "expected risk"]),
    ("partial", missing_mass_over_all_labels, ["squared log error", "expected risk"]),
    ("partial", missing_mass_to_the_first, ["relabelling", "monotone", "expected risk"]),
    ("partial", missing_mass_renormalised, ["squared log error", "monotone"]),
    ("partial", missing_mass_as_the_teacher, ["information", "Bayes risk", "expected risk"]),
    ("partial", seen_twice(partial_label_student),
     ["squared log error", "doubling", "missing mass", "order"]),
    ("partial", seen_anywhere_in_the_batch(partial_label_student), ["batch", "Bayes risk"]),
    ("partial", unseen_given_some_mass, ["squared log error", "missing mass", "limit"]),
    ("partial", single_precision(partial_label_student), ["laws", "squared log error", "limit"]),
    ("partial", guess_without_the_last_label(partial_label_student), ["relabelling", "guess"]),
    ("partial", in_place, ["arguments"]),
    ("soft", teacher_at_unseen_inputs, ["information", "Bayes risk", "guess", "expected risk"]),
    ("soft", sharpened, ["missing mass", "limit", "optimality", "entropy", "order"]),
    ("soft", seen_if_every_label_is, ["missing mass", "optimality", "entropy", "limit"]),
    ("soft", seen_if_odd, ["doubling", "monotone", "missing mass"]),
    ("soft", seen_anywhere_in_the_batch(soft_label_student), ["batch", "Bayes risk"]),
    ("soft", seen_twice(soft_label_student), ["doubling", "missing mass", "expected risk"]),
    ("soft", rounded, ["missing mass", "limit", "entropy"]),
    ("soft", missing_mass_forgotten, ["laws", "missing mass"]),
    ("soft", in_place, ["arguments"]),
    ("soft", guess_without_the_last_label(soft_label_student), ["relabelling", "guess"]),
]  # fmt: skip


# ------------------------------------------------------------------------ bugs of formulas


def without_the_half(estimate, teacher):
    return 2 * tv_risk(estimate, teacher)


def unweighted_inputs(estimate, teacher):
    return 0.5 * np.abs(estimate - teacher.pi).sum(axis=-1).mean(axis=-1)


def worst_input(estimate, teacher):
    return 0.5 * np.abs(estimate - teacher.pi).sum(axis=-1).max(axis=-1)


def last_label_dropped(estimate, teacher):
    """One of the labels is redundant, but not for the sum of absolute differences."""
    return 0.5 * np.abs(estimate - teacher.pi)[..., :-1].sum(axis=-1) @ teacher.rho


def sum_over_estimates(estimate, teacher):
    return tv_risk(estimate, teacher).sum()


def euclidean(estimate, teacher):
    return 0.5 * ((estimate - teacher.pi) ** 2).sum(axis=-1) @ teacher.rho


RISK_BUGS = [
    (without_the_half, ["share", "events"]),
    (unweighted_inputs, ["events", "absent inputs"]),
    (worst_input, ["events", "absent inputs"]),
    (last_label_dropped, ["events", "relabelling"]),
    (sum_over_estimates, ["share"]),
    (euclidean, ["events"]),
]


def exact(level):
    return lambda teacher, n: exact_risk(teacher, n, level)


def one_draw_too_many(teacher, n):
    return exact_risk(teacher, n + 1, "hard")


def guess_left_out(teacher, n):
    unseen = teacher.rho * (1 - teacher.rho) ** n
    guess = 0.5 * np.abs(teacher.pi - 1 / teacher.A).sum(axis=1)
    return exact_risk(teacher, n, "hard") - unseen @ guess


def normal_approximation(teacher, n):
    """The leading term of section 5, which only a large sample can tell from the truth."""
    spread = np.sqrt(teacher.rho) @ np.sqrt(teacher.pi * (1 - teacher.pi)).sum(axis=1)
    return min(1.0, spread / np.sqrt(2 * np.pi * n)) if n else exact_risk(teacher, 0, "hard")


def no_more_than_five_draws(level):
    return lambda teacher, n: exact_risk(teacher, min(n, 5), level)


def missing_mass_for_the_risk(teacher, n):
    return expected_missing_mass(teacher, n)


def worst_guess(teacher, n):
    return (1 - 1 / teacher.A) * float(teacher.rho @ (1 - teacher.rho) ** n)


EXACT_BUGS = [
    ("hard", one_draw_too_many, ["enumeration"]),
    ("hard", guess_left_out, ["enumeration"]),
    ("hard", normal_approximation, ["enumeration"]),
    ("hard", no_more_than_five_draws("hard"), ["simulation"]),
    ("partial", missing_mass_for_the_risk, ["enumeration", "simulation"]),
    ("partial", no_more_than_five_draws("partial"), ["simulation"]),
    ("soft", worst_guess, ["enumeration"]),
    ("soft", no_more_than_five_draws("soft"), ["simulation"]),
]


def hard_upper(teacher, n, constant=1.0):
    S, A = teacher.S, teacher.A
    if n == 0:
        return math.nan
    return constant * math.sqrt(S * (A - 1) / (2 * (n + 1))) + S / (math.e * n)


def hard_upper_below_the_limit(teacher, n):
    """0.9 of the least possible constant."""
    return hard_upper(teacher, n, constant=0.9 / math.sqrt(math.pi))


def hard_upper_without_inputs(teacher, n):
    return math.sqrt((teacher.A - 1) / (2 * (n + 1))) + 1 / (math.e * max(n, 1))


def hard_upper_leading_term(teacher, n):
    return math.sqrt(teacher.S * (teacher.A - 1) / (2 * math.pi * n)) if n else math.nan


def partial_upper_below_the_limit(teacher, n):
    """The paper's lower constant, taken for an upper one."""
    return teacher.S * teacher.A / (4 * math.e * n) if n else math.nan


def missing_inputs_alone(teacher, n):
    """Labels that were not seen at an input that was are forgotten."""
    return exact_risk(teacher, n, "soft")


def soft_upper_with_the_lower_constant(teacher, n):
    """The paper's lower bound, taken for an upper one."""
    return (teacher.S - 1) / (2 * math.e * (n + 1)) if n >= teacher.S else math.nan


def soft_upper_exponential(teacher, n):
    """Remark 6.1 with the uniform law's smallest mass instead of the teacher's own."""
    return (1 - 1 / teacher.S) ** n


def weighted_upper_as_hard(teacher, n):
    """Theorem 4.3 denied."""
    return 0.5 * hard_upper(teacher, n) if n > 1 else math.nan


UPPER_BUGS = [
    ("hard", hard_upper_below_the_limit, ["unfavourable teachers"]),
    ("hard", hard_upper_without_inputs, ["random teachers", "unfavourable teachers"]),
    ("hard", hard_upper_leading_term, ["enumeration"]),
    ("weighted", weighted_upper_as_hard, ["enumeration"]),
    ("partial", partial_upper_below_the_limit, ["unfavourable teachers"]),
    ("partial", missing_inputs_alone, ["enumeration", "random teachers"]),
    ("soft", soft_upper_with_the_lower_constant, ["enumeration", "unfavourable teachers"]),
    ("soft", soft_upper_exponential, ["random teachers"]),
]


def hard_lower_too_large(S, A, n):
    return 0.8 * math.sqrt(S * A / n) if n > S * A else math.nan


def partial_lower_too_large(S, A, n):
    """Above 1/e, the largest missing mass."""
    return 0.5 * S * A / n if n > S * A else math.nan


def soft_lower_too_large(S, A, n):
    return 0.5 * S / n if n > S else math.nan


LOWER_BUGS = [
    ("hard", hard_lower_too_large),
    ("weighted", partial_lower_too_large),
    ("partial", partial_lower_too_large),
    ("soft", soft_lower_too_large),
]


# ----------------------------------------------------------------------------------- tests


def name(bug):
    """``function.<locals>.mutant`` without what does not tell bugs apart."""
    return bug.__qualname__.split(".")[0]


def caught(bug, laws, names=None, max_examples=2_000):
    """Names of the laws that catch a bug; the search ends at the first counterexample."""
    laws = [law for law in laws if names is None or law.name in names]
    broken = check_laws(bug, laws, max_examples=max_examples, collect=True, shrink=False)
    return [found.law.name for found in broken]


def kinds():
    """Kind of subject, bug, its laws, and those that must catch it."""
    for level, bug, laws in STUDENT_BUGS:
        yield f"{level} student", bug, student_laws(level), laws
    for bug, laws in RISK_BUGS:
        yield "risk", bug, risk_laws(), laws
    for level, bug, laws in EXACT_BUGS:
        yield f"exact risk, {level}", bug, exact_risk_laws(level), laws
    for level, bug, laws in UPPER_BUGS:
        yield f"upper bound, {level}", bug, upper_bound_laws(level), laws
    for level, bug in LOWER_BUGS:
        yield f"lower bound, {level}", bug, lower_bound_laws(level), ["attainable"]


@pytest.mark.parametrize(
    ("bug", "laws", "must"),
    [pytest.param(*row, id=f"{kind}-{name(row[0])}") for kind, *row in kinds()],
)
def test_an_injected_bug_is_caught(bug, laws, must):
    assert set(must) <= {law.name for law in laws}
    assert caught(bug, laws, must) == [law.name for law in laws if law.name in must]


@pytest.mark.parametrize(
    "kind", list(dict.fromkeys(kind for kind, *_ in kinds())), ids=lambda kind: kind
)
def test_every_law_catches_some_bug(kind):
    rows = [row for row in kinds() if row[0] == kind]
    laws = {law.name for law in rows[0][2]}
    killed = {law for *_, must in rows for law in must}
    assert laws == killed, f"laws that catch nothing: {sorted(laws - killed)}"


def test_there_are_enough_bugs():
    assert len(list(kinds())) >= 60


def print_matrix(beginning):
    from rich.console import Console
    from rich.table import Table

    console = Console(width=200)
    for kind in dict.fromkeys(row[0] for row in kinds() if row[0].startswith(beginning)):
        rows = [row for row in kinds() if row[0] == kind]
        table = Table("bug", *[law.name for law in rows[0][2]], title=kind)
        for _, bug, laws, must in rows:
            found = caught(bug, laws, max_examples=100)
            marks = {law.name: "x" if law.name in found else "" for law in laws}
            marks |= {law: "[bold]X[/]" if law in found else "[red]survives[/]" for law in must}
            table.add_row(name(bug), *marks.values())
        console.print(table)


if __name__ == "__main__":
    from hypothesis import settings

    settings.register_profile("ci", derandomize=True, deadline=None, max_examples=100)
    settings.load_profile("ci")
    print_matrix(*sys.argv[1:] or [""])
