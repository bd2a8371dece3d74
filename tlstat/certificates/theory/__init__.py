"""Risk certificates as bounds that can be judged.

Symbols, here and in arXiv:2502.06970:

==========  =============================================================================
``n``       number of examples
``k``       errors of a candidate on them, or the sum of its losses; ``r = k/n``
``M``       number of candidates, ``|Theta|`` in the paper; 1 for one fixed hypothesis
``delta``   probability that any certificate fails, ``epsilon`` in the paper
``d``       number of trainable parameters
``r``       empirical risk of a randomised predictor, averaged over the posterior
``K``       Kullback-Leibler divergence of the posterior from the prior, in nats
``lam``     parameter of the PAC-Bayes-lambda bound, in (0, 2)
``C``       parameter of Catoni's bound, fixed before the data
``w``       weight of a candidate, fixed before the data
``j``       rank of a candidate in the order of generation, from 1
``h``       Vapnik-Chervonenkis dimension; size of a compressed sample
``N``       size of a finite pool
``W``       largest density ratio
``V``       sample variance of the weighted losses
``p``       true risk, where a probability of failure is computed exactly
``alpha``   level of risk that is controlled
==========  =============================================================================

With probability at least ``1 - delta`` over independent examples the risks of all M candidates
are at most these bounds. The closed forms here are not clipped at 1; the objects in
``tlstat.certificates`` are, and are rounded upwards.

Only Eqs. 3 and 7 are that paper's, both read from a transcription of it. The references of the
other bounds are the standard ones; numbers of theorems in them are quoted from memory.
"""

from __future__ import annotations

from tlstat.certificates.theory.classes import (
    BERNSTEIN,
    BINOMIAL,
    CONTINUOUS_CLASS,
    CONTINUOUS_CLASS_BITS,
    DYADIC_PRICE,
    DYADIC_PRICE_UPPER,
    EMPIRICAL_BERNSTEIN,
    FINITE_CLASS,
    FINITE_CLASS_COMPLEXITY,
    FINITE_POOL,
    HOEFFDING_BENTKUS,
    KL_INVERSE,
    OCCAM,
    RADEMACHER,
    RANK_PRICE,
    SAMPLE_COMPRESSION,
    VC,
    WEIGHTED_BERNSTEIN,
    ZERO_ERRORS,
)
from tlstat.certificates.theory.failure import (
    ANYTIME_LEVEL,
    CONTROLLED,
    FAMILYWISE_LEVEL,
    LEVEL,
    NO_UNION_FAILURE,
    STRATIFIED_TAIL,
    UNION_FAILURE,
    failure,
)
from tlstat.certificates.theory.posterior import (
    CATONI,
    CATONI_BEST,
    MCALLESTER,
    NORMALISER,
    NORMALISER_LIMIT,
    NORMALISER_LOWER,
    NORMALISER_UPPER,
    PAC_BAYES_KL,
    PAC_BAYES_KL_ROOT,
    PAC_BAYES_LAMBDA,
    QUADRATIC,
)

__all__ = [
    "ANYTIME_LEVEL",
    "BERNSTEIN",
    "BINOMIAL",
    "CATONI",
    "CATONI_BEST",
    "CONTINUOUS_CLASS",
    "CONTINUOUS_CLASS_BITS",
    "CONTROLLED",
    "DYADIC_PRICE",
    "DYADIC_PRICE_UPPER",
    "EMPIRICAL_BERNSTEIN",
    "FAMILYWISE_LEVEL",
    "FINITE_CLASS",
    "FINITE_CLASS_COMPLEXITY",
    "FINITE_POOL",
    "HOEFFDING_BENTKUS",
    "KL_INVERSE",
    "LEVEL",
    "MCALLESTER",
    "NORMALISER",
    "NORMALISER_LIMIT",
    "NORMALISER_LOWER",
    "NORMALISER_UPPER",
    "NO_UNION_FAILURE",
    "OCCAM",
    "PAC_BAYES_KL",
    "PAC_BAYES_KL_ROOT",
    "PAC_BAYES_LAMBDA",
    "QUADRATIC",
    "RADEMACHER",
    "RANK_PRICE",
    "SAMPLE_COMPRESSION",
    "STRATIFIED_TAIL",
    "UNION_FAILURE",
    "VC",
    "WEIGHTED_BERNSTEIN",
    "ZERO_ERRORS",
    "failure",
]
