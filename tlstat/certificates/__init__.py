"""From a count of errors to a guarantee: risk certificates for selected models.

A certificate is an object (`Certificate`) that is called with the errors of a candidate on fresh
examples and returns an upper limit for its risk; it fails with probability at most ``delta``.
``CERTIFICATES`` lists them all. The union over a finite class is `finite_class`; on data,
`certify` and `CertifiedSelector` choose, certify and say what they relied on.

`tlstat.certificates.peft` certifies few-shot classifiers over sampled sets of PEFT vectors.

Motivated by arXiv:2502.06970, which certifies the best of M sampled adapters by the finite-class
Hoeffding bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tlstat._lazy import lazy_names

_MODULES = {
    ".base": ("Certificate",),
    ".catalog": ("CERTIFICATES",),
    ".certified": ("CertifyResult",),
    ".certifying": ("certify",),
    ".complexity": (
        "empirical_rademacher",
        "log_growth",
        "massart",
        "quantised_class",
        "rademacher",
        "rademacher_empirical",
        "sample_compression",
        "vc",
    ),
    ".finite_pool": ("distinct", "hypergeometric_inversion", "through_cover"),
    ".gibbs": ("gaussian_linear", "gibbs_certificate", "sampled_risk"),
    ".inversion": ("kl_divergence", "kl_upper_inverse", "log_binomial_cdf"),
    ".pac_bayes": (
        "catoni",
        "log_normaliser",
        "mcallester",
        "pac_bayes_kl",
        "pac_bayes_kl_simple",
        "pac_bayes_lambda",
        "quadratic",
    ),
    ".peft": (
        "BottleneckAdapter",
        "CandidateSet",
        "Diffusion",
        "FewShotCertifier",
        "LinearHead",
        "LoRA",
        "LoRAXS",
    ),
    ".point": (
        "bernstein_relaxation",
        "binomial_tail_inversion",
        "hoeffding",
        "hoeffding_bentkus",
        "kl_inverse",
        "stratified_support",
    ),
    ".selection": ("conformal_risk_control", "learn_then_test", "split_certificate"),
    ".selector": ("CertifiedSelector",),
    ".sequential": ("betting", "betting_anytime", "empirical_bernstein"),
    ".shift": ("weighted_betting", "weighted_empirical_bernstein"),
    ".weights": ("finite_class",),
    "tlstat.theory.intervals": ("clopper_pearson",),
}

__all__ = [
    "CERTIFICATES",
    "BottleneckAdapter",
    "CandidateSet",
    "Certificate",
    "CertifiedSelector",
    "CertifyResult",
    "Diffusion",
    "FewShotCertifier",
    "LinearHead",
    "LoRA",
    "LoRAXS",
    "bernstein_relaxation",
    "betting",
    "betting_anytime",
    "binomial_tail_inversion",
    "catoni",
    "certify",
    "clopper_pearson",
    "conformal_risk_control",
    "distinct",
    "empirical_bernstein",
    "empirical_rademacher",
    "finite_class",
    "gaussian_linear",
    "gibbs_certificate",
    "hoeffding",
    "hoeffding_bentkus",
    "hypergeometric_inversion",
    "kl_divergence",
    "kl_inverse",
    "kl_upper_inverse",
    "learn_then_test",
    "log_binomial_cdf",
    "log_growth",
    "log_normaliser",
    "massart",
    "mcallester",
    "pac_bayes_kl",
    "pac_bayes_kl_simple",
    "pac_bayes_lambda",
    "quadratic",
    "quantised_class",
    "rademacher",
    "rademacher_empirical",
    "sample_compression",
    "sampled_risk",
    "split_certificate",
    "stratified_support",
    "through_cover",
    "vc",
    "weighted_betting",
    "weighted_empirical_bernstein",
]

if TYPE_CHECKING:
    from tlstat.certificates.base import Certificate
    from tlstat.certificates.catalog import CERTIFICATES
    from tlstat.certificates.certified import CertifyResult
    from tlstat.certificates.certifying import certify
    from tlstat.certificates.complexity import (
        empirical_rademacher,
        log_growth,
        massart,
        quantised_class,
        rademacher,
        rademacher_empirical,
        sample_compression,
        vc,
    )
    from tlstat.certificates.finite_pool import distinct, hypergeometric_inversion, through_cover
    from tlstat.certificates.gibbs import gaussian_linear, gibbs_certificate, sampled_risk
    from tlstat.certificates.inversion import kl_divergence, kl_upper_inverse, log_binomial_cdf
    from tlstat.certificates.pac_bayes import (
        catoni,
        log_normaliser,
        mcallester,
        pac_bayes_kl,
        pac_bayes_kl_simple,
        pac_bayes_lambda,
        quadratic,
    )
    from tlstat.certificates.peft import (
        BottleneckAdapter,
        CandidateSet,
        Diffusion,
        FewShotCertifier,
        LinearHead,
        LoRA,
        LoRAXS,
    )
    from tlstat.certificates.point import (
        bernstein_relaxation,
        binomial_tail_inversion,
        hoeffding,
        hoeffding_bentkus,
        kl_inverse,
        stratified_support,
    )
    from tlstat.certificates.selection import (
        conformal_risk_control,
        learn_then_test,
        split_certificate,
    )
    from tlstat.certificates.selector import CertifiedSelector
    from tlstat.certificates.sequential import betting, betting_anytime, empirical_bernstein
    from tlstat.certificates.shift import weighted_betting, weighted_empirical_bernstein
    from tlstat.certificates.weights import finite_class
    from tlstat.theory.intervals import clopper_pearson
else:
    __getattr__, __dir__ = lazy_names(__name__, _MODULES)
