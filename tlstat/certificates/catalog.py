"""All certificates of the room, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tlstat.certificates import complexity, finite_pool, pac_bayes, point, sequential, shift
from tlstat.certificates.base import Certificate

CERTIFICATES: Mapping[str, Certificate] = MappingProxyType(
    {
        certificate.name: certificate
        for certificate in (
            point.binomial_tail_inversion,
            point.kl_inverse,
            point.hoeffding,
            point.bernstein_relaxation,
            point.hoeffding_bentkus,
            point.stratified_support,
            finite_pool.hypergeometric_inversion,
            sequential.empirical_bernstein,
            sequential.betting,
            sequential.betting_anytime,
            shift.weighted_betting,
            shift.weighted_empirical_bernstein,
            pac_bayes.pac_bayes_kl,
            pac_bayes.pac_bayes_kl_simple,
            pac_bayes.mcallester,
            pac_bayes.quadratic,
            pac_bayes.pac_bayes_lambda,
            pac_bayes.catoni,
            complexity.quantised_class,
            complexity.rademacher,
            complexity.rademacher_empirical,
            complexity.vc,
            complexity.sample_compression,
        )
    }
)
