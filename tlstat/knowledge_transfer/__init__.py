"""What are soft labels worth? Knowledge transfer over finite domains (arXiv:2310.07838).

A teacher ``pi(a | s)`` labels inputs ``s`` drawn from ``rho``. The student sees the sampled
label alone (*hard*), with the teacher's probability of it (*partial*), or with the teacher's
whole row (*soft*). The minimax total-variation risks are of order ``sqrt(SA/n)``, ``SA/n``
and ``S/n``. The room holds the populations (`models`, `priors`), the students (`estimators`,
`log_linear`, `discrete`), the losses they minimise (`losses`), their exact risk (`risk`), the
limits of all students (`minimax`), certificates from one sample (`certificate`) and the theorems
(`theory`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_LAZY = {
    "Teacher": "models",
    "Prior": "priors",
    "digits": "models",
    "sample_counts": "models",
    "hard_label_student": "estimators",
    "partial_label_student": "estimators",
    "soft_label_student": "estimators",
    "weighted_label_student": "estimators",
    "unnormalised_label_student": "estimators",
    "students": "estimators",
    "tv_risk": "risk",
    "exact_risk": "risk",
    "enumerate_risk": "risk",
    "expected_missing_mass": "risk",
    "simulate_risks": "risk",
    "weighted_label_limit": "risk",
    "LogLinear": "log_linear",
    "tv_bound": "log_linear",
    "TransferCertificate": "certificate",
    "good_turing": "certificate",
    "missing_mass_certificate": "certificate",
    "missing_mass_upper": "certificate",
    "loss": "losses",
}

__all__ = [
    "LogLinear",
    "Prior",
    "Teacher",
    "TransferCertificate",
    "digits",
    "enumerate_risk",
    "exact_risk",
    "expected_missing_mass",
    "good_turing",
    "hard_label_student",
    "loss",
    "missing_mass_certificate",
    "missing_mass_upper",
    "partial_label_student",
    "sample_counts",
    "simulate_risks",
    "soft_label_student",
    "students",
    "tv_bound",
    "tv_risk",
    "unnormalised_label_student",
    "weighted_label_limit",
    "weighted_label_student",
]

if TYPE_CHECKING:
    from tlstat.knowledge_transfer.certificate import (
        TransferCertificate,
        good_turing,
        missing_mass_certificate,
        missing_mass_upper,
    )
    from tlstat.knowledge_transfer.estimators import (
        hard_label_student,
        partial_label_student,
        soft_label_student,
        students,
        unnormalised_label_student,
        weighted_label_student,
    )
    from tlstat.knowledge_transfer.log_linear import LogLinear, tv_bound
    from tlstat.knowledge_transfer.losses import loss
    from tlstat.knowledge_transfer.models import Teacher, digits, sample_counts
    from tlstat.knowledge_transfer.priors import Prior
    from tlstat.knowledge_transfer.risk import (
        enumerate_risk,
        exact_risk,
        expected_missing_mass,
        simulate_risks,
        tv_risk,
        weighted_label_limit,
    )
else:

    def __getattr__(name: str) -> Any:
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LAZY})
