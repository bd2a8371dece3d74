"""Strategies and laws for knowledge transfer over finite domains (arXiv:2310.07838).

==========================  ==================================================================
you have                    you call
==========================  ==================================================================
a student                   `check_student`
a risk function             `check_risk`
an exact expected risk      `check_exact_risk`
an upper bound              `check_upper_bound`
a minimax lower bound       `check_lower_bound`
a test of your own          ``@given`` with `finite_teachers` and `label_counts`
==========================  ==================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlstat._lazy import lazy_names

_MODULES = {
    ".formulas": (
        "check_exact_risk",
        "check_lower_bound",
        "check_risk",
        "check_upper_bound",
        "exact_risk_laws",
        "lower_bound_laws",
        "risk_laws",
        "upper_bound_laws",
    ),
    ".strategies": ("Problem", "Sample", "finite_teachers", "label_counts"),
    ".students": ("check_student", "student_laws"),
}

__all__ = [
    "Problem",
    "Sample",
    "check_exact_risk",
    "check_lower_bound",
    "check_risk",
    "check_student",
    "check_upper_bound",
    "exact_risk_laws",
    "finite_teachers",
    "label_counts",
    "lower_bound_laws",
    "risk_laws",
    "student_laws",
    "upper_bound_laws",
]

if TYPE_CHECKING:
    from tlstat.testing.knowledge_transfer.formulas import (
        check_exact_risk,
        check_lower_bound,
        check_risk,
        check_upper_bound,
        exact_risk_laws,
        lower_bound_laws,
        risk_laws,
        upper_bound_laws,
    )
    from tlstat.testing.knowledge_transfer.strategies import (
        Problem,
        Sample,
        finite_teachers,
        label_counts,
    )
    from tlstat.testing.knowledge_transfer.students import check_student, student_laws
else:
    __getattr__, __dir__ = lazy_names(__name__, _MODULES)
