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

from importlib import import_module
from typing import TYPE_CHECKING, Any

_LAZY = {
    "Problem": "strategies",
    "Sample": "strategies",
    "check_exact_risk": "formulas",
    "check_lower_bound": "formulas",
    "check_risk": "formulas",
    "check_student": "students",
    "check_upper_bound": "formulas",
    "exact_risk_laws": "formulas",
    "finite_teachers": "strategies",
    "label_counts": "strategies",
    "lower_bound_laws": "formulas",
    "risk_laws": "formulas",
    "student_laws": "students",
    "upper_bound_laws": "formulas",
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

    def __getattr__(name: str) -> Any:
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LAZY})
