"""Laws of students: functions ``(counts, teacher_probs) -> label laws``.

``counts`` has shape (..., S, A); ``teacher_probs`` (S, A). Levels are those of
`tlstat.knowledge_transfer`: "hard", "weighted", "partial" and "soft". Sections and equation
numbers refer to arXiv:2310.07838; what the paper does not state is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from tlstat.errors import InputError
from tlstat.knowledge_transfer.estimators import LEVELS
from tlstat.testing.knowledge_transfer import minimisers, procedures
from tlstat.testing.knowledge_transfer.comparing import Student
from tlstat.testing.laws import BrokenLaw, Law, check_laws


def _samples() -> Any:
    from tlstat.testing.knowledge_transfer.strategies import samples

    return samples()


def _tiny_problems() -> Any:
    from tlstat.testing.knowledge_transfer.strategies import problems

    return problems(5, max_inputs=3, max_labels=4, max_cells=6)


_Row = tuple[str, str, Callable[..., None], tuple[str, ...]]
_CROSS_ENTROPY = ("hard", "weighted", "soft")

# of every procedure: name, statement, check, levels
_PROCEDURE: tuple[_Row, ...] = (
    ("laws", "rows are probabilities that sum to one.", procedures.gives_laws, LEVELS),
    (
        "batch",
        "a batch of samples is answered sample by sample.",
        procedures.answers_each_sample_alone,
        LEVELS,
    ),
    ("arguments", "arguments are left unchanged.", procedures.leaves_its_arguments, LEVELS),
    (
        "information",
        "only what the level shows of the teacher is used.",
        procedures.uses_what_its_level_shows,
        LEVELS,
    ),
    (
        "Bayes risk",
        "the average risk over a prior on teachers is at least the Bayes risk.",
        procedures.pays_the_bayes_risk,
        LEVELS,
    ),
)
# of those that treat labels alike
_SYMMETRIC: tuple[_Row, ...] = (
    (
        "relabelling",
        "permuting labels at each input, and inputs, permutes the student.",
        procedures.follows_relabelling,
        LEVELS,
    ),
    (
        "guess",
        "inputs that were not seen get the uniform law.",
        procedures.guesses_uniformly,
        LEVELS,
    ),
)
# of minimisers of the level's loss
_MINIMISER: tuple[_Row, ...] = (
    ("doubling", "counting every draw twice changes nothing.", minimisers.ignores_doubling, LEVELS),
    (
        "missing mass",
        "at inputs seen, soft is exact, partial loses at most the missing mass, others at least.",
        minimisers.keeps_to_the_missing_mass,
        LEVELS,
    ),
    (
        "limit",
        "counts in proportion to the joint law give the limit of the level.",
        minimisers.has_its_limit,
        LEVELS,
    ),
    (
        "squared log error",
        "labels that were seen keep the teacher's probability.",
        minimisers.has_no_squared_log_error,
        ("partial",),
    ),
    (
        "optimality",
        "no other law has a smaller loss on the sample.",
        minimisers.beats_its_rivals,
        _CROSS_ENTROPY,
    ),
    (
        "entropy",
        "the loss on the sample is the entropy of its weights, the least possible.",
        minimisers.attains_the_entropy,
        _CROSS_ENTROPY,
    ),
    (
        "flat rows",
        "where the teacher is uniform on its support, the student is the frequencies.",
        minimisers.weighted_is_hard_on_flat_rows,
        ("weighted",),
    ),
    (
        "scale",
        "a common factor of the probabilities seen at an input changes nothing.",
        minimisers.weighted_ignores_scale,
        ("weighted",),
    ),
)
# of minimisers that treat labels alike
_SYMMETRIC_MINIMISER: tuple[_Row, ...] = (
    (
        "order",
        "on every sample soft <= partial <= hard and weighted, equal where nothing was seen.",
        minimisers.keeps_the_order,
        LEVELS,
    ),
    (
        "monotone",
        "one more draw never increases the risk.",
        minimisers.never_loses_by_a_draw,
        ("partial", "soft"),
    ),
    (
        "expected risk",
        "the risk averaged over all samples is the closed form.",
        minimisers.has_the_exact_risk,
        ("hard", "partial", "soft"),
    ),
)


def student_laws(level: str, *, minimiser: bool = True, symmetric: bool = True) -> tuple[Law, ...]:
    """The laws that a student of a level obeys.

    Parameters
    ----------
    level : {"hard", "weighted", "partial", "soft"}
        What the student is told, and for a minimiser which loss it minimises.
    minimiser : bool
        Whether it minimises its level's loss on the sample; otherwise it is any procedure that
        uses what its level shows.
    symmetric : bool
        Whether labels are treated alike, which makes every guess uniform: at inputs that were
        not seen, and among labels that were not.

    Returns
    -------
    tuple of Law
    """
    if level not in LEVELS:
        raise InputError(f"level must be one of {', '.join(LEVELS)}; got {level!r}")
    rows = _PROCEDURE
    rows += _SYMMETRIC if symmetric else ()
    rows += _MINIMISER if minimiser else ()
    rows += _SYMMETRIC_MINIMISER if minimiser and symmetric else ()
    special: dict[str, Callable[[], Any]] = {
        "Bayes risk": partial(procedures.priors, level),
        "expected risk": _tiny_problems,
    }
    return tuple(
        Law(name, statement, partial(check, level), special.get(name, _samples))
        for name, statement, check, levels in rows
        if level in levels
    )


def check_student(
    student: Student,
    level: str,
    *,
    minimiser: bool = True,
    symmetric: bool = True,
    laws: Iterable[Law] | None = None,
    max_examples: int = 100,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Property-test a student of your own.

    Parameters
    ----------
    student : callable
        ``(counts, teacher_probs) -> label laws`` with ``counts`` of shape (..., S, A),
        ``teacher_probs`` of shape (S, A) and the result shaped like ``counts``. A function of
        one sample is made such by ``np.vectorize(f, signature="(s,a),(s,a)->(s,a)")``.
    level, minimiser, symmetric
        What it promises; see `student_laws`.
    laws : iterable of Law, optional
        Other laws than `student_laws` gives.
    max_examples : int
        Number of cases for each law.
    collect : bool
        Return all broken laws instead of raising the first.

    Returns
    -------
    list of BrokenLaw

    Raises
    ------
    BrokenLaw
        An ``AssertionError`` with the law and the smallest counterexample found.
    InputError
        If the level or a law is none.

    Examples
    --------
    >>> from tlstat.knowledge_transfer import soft_label_student
    >>> check_student(soft_label_student, "soft", max_examples=5)
    []
    """
    if laws is None:
        laws = student_laws(level, minimiser=minimiser, symmetric=symmetric)
    return check_laws(student, laws, max_examples=max_examples, collect=collect)
