"""Property tests for your own estimators, with the strategies and laws that tlstat uses itself.

A *law* is a statement that every correct estimator of a kind obeys; hypothesis looks for a case
that breaks it and makes that case small. To test your own student of soft labels, say, put this
into a test file and run pytest::

    from tlstat.testing import check_student

    def my_student(counts, teacher_probs):
        '''Counts (..., S, A) and probabilities (S, A) in, label laws (..., S, A) out.'''
        ...

    def test_my_student():
        check_student(my_student, level="soft")

The first broken law is raised as an ``AssertionError`` that names the law, says what was found
and shows the counterexample; ``collect=True`` returns all of them instead. ``laws=`` picks some
laws, ``max_examples=`` sets the effort. All else follows your hypothesis profile
(``hypothesis.settings.register_profile``): with ``derandomize=True`` runs are reproducible.

The strategies (such as `finite_teachers`) are ordinary hypothesis strategies for your own
``@given`` tests. A law of your own is a `Law`, run by `check_laws`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlstat._lazy import lazy_names

_MODULES = {
    ".certificates": ("bounded_losses", "certificate_levels", "check_certificate", "error_counts"),
    ".finite_class": ("check_finite_class",),
    ".inductive_bias": (
        "check_bias_estimate",
        "check_error_tail",
        "check_finite_bias",
        "check_inductive_bias",
        "quadratic_forms",
    ),
    ".knowledge_transfer": ("check_student", "finite_teachers", "label_counts"),
    ".laws": ("BrokenLaw", "Law", "check_laws", "find_counterexample"),
    ".minimax": ("check_transfer_model", "check_transfer_rule", "check_vote_error"),
    ".peft": ("check_generator",),
    ".task_diversity": ("check_representation_learner", "multitask_problems"),
    ".transfer_lasso": ("check_transfer_estimator", "regression_problems"),
}

__all__ = [
    "BrokenLaw",
    "Law",
    "bounded_losses",
    "certificate_levels",
    "check_bias_estimate",
    "check_certificate",
    "check_error_tail",
    "check_finite_bias",
    "check_finite_class",
    "check_generator",
    "check_inductive_bias",
    "check_laws",
    "check_representation_learner",
    "check_student",
    "check_transfer_estimator",
    "check_transfer_model",
    "check_transfer_rule",
    "check_vote_error",
    "error_counts",
    "find_counterexample",
    "finite_teachers",
    "label_counts",
    "multitask_problems",
    "quadratic_forms",
    "regression_problems",
]

if TYPE_CHECKING:
    from tlstat.testing.certificates import (
        bounded_losses,
        certificate_levels,
        check_certificate,
        error_counts,
    )
    from tlstat.testing.finite_class import check_finite_class
    from tlstat.testing.inductive_bias import (
        check_bias_estimate,
        check_error_tail,
        check_finite_bias,
        check_inductive_bias,
        quadratic_forms,
    )
    from tlstat.testing.knowledge_transfer import check_student, finite_teachers, label_counts
    from tlstat.testing.laws import BrokenLaw, Law, check_laws, find_counterexample
    from tlstat.testing.minimax import check_transfer_model, check_transfer_rule, check_vote_error
    from tlstat.testing.peft import check_generator
    from tlstat.testing.task_diversity import check_representation_learner, multitask_problems
    from tlstat.testing.transfer_lasso import check_transfer_estimator, regression_problems
else:
    __getattr__, __dir__ = lazy_names(__name__, _MODULES)
