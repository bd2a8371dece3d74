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

from typing import TYPE_CHECKING

from tlstat._lazy import lazy_names

_MODULES = {
    ".certificate": (
        "TransferCertificate",
        "good_turing",
        "missing_mass_certificate",
        "missing_mass_upper",
    ),
    ".estimators": (
        "hard_label_student",
        "partial_label_student",
        "soft_label_student",
        "students",
        "unnormalised_label_student",
        "weighted_label_student",
    ),
    ".log_linear": ("LogLinear", "tv_bound"),
    ".losses": ("loss",),
    ".models": ("Teacher", "digits", "sample_counts"),
    ".priors": ("Prior",),
    ".risk": (
        "enumerate_risk",
        "exact_risk",
        "expected_missing_mass",
        "simulate_risks",
        "tv_risk",
        "weighted_label_limit",
    ),
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
    __getattr__, __dir__ = lazy_names(__name__, _MODULES)
