"""Theory of the required inductive bias: bounds and closed forms that can be judged.

The bias is ``I(eps) = -log P(test error <= eps | the hypothesis fits)``, in nats.

* `approximation`: what S sampled hypotheses tell, by counting or by a fit;
* `kernel`: tails of kernel and linear spaces, half-spaces, test-set size;
* `effective`: effective dimension and identities;
* `version_space`: learning curves, guess and check, Boolean functions and parities;
* `information`: PAC-Bayes, mutual and conditional information;
* `difficulty`: the generalisation difficulty of the predecessor paper, in bits;
* `enumerated`: exact expectations on finite classes, with which all of it is compared.

No statement here is a theorem of arXiv:2406.15941: the one on the number of hypotheses could not
be read. What is ours says so in its source.
"""

from __future__ import annotations

from tlstat.inductive_bias.theory.approximation import (
    COUNT_BLIND,
    COUNT_NONE_LOWER,
    COUNT_RELATIVE_VARIANCE,
    GAMMA_FIT_ERROR,
    GAMMA_FIT_LIMIT,
    NORMAL_FIT_ERROR,
)
from tlstat.inductive_bias.theory.difficulty import (
    DIFFICULTY,
    DIFFICULTY_CARTPOLE,
    DIFFICULTY_CONTROL,
    PUBLISHED_CARTPOLE,
    PUBLISHED_CLASSIFICATION,
    PUBLISHED_CONTROL,
    mgd,
)
from tlstat.inductive_bias.theory.effective import (
    ADDITIVITY,
    CHERNOFF_CORRECTION,
    CONDITIONING,
    EFFECTIVE_DIMENSION,
)
from tlstat.inductive_bias.theory.enumerated import EnumeratedClass, cube_classes
from tlstat.inductive_bias.theory.information import (
    CONDITIONAL_INFORMATION,
    CONDITIONAL_INFORMATION_ZERO,
    MARGINAL_LIKELIHOOD,
    MARGINAL_LIKELIHOOD_MAURER,
    MARGINAL_LIKELIHOOD_VALLE_PEREZ,
    MUTUAL_INFORMATION,
    SINGLE_EXAMPLE_INFORMATION,
    VERSION_SPACE_INFORMATION,
)
from tlstat.inductive_bias.theory.kernel import (
    CHERNOFF_GAP,
    HALF_SPACE,
    HALF_SPACE_LOWER,
    HALF_SPACE_UPPER,
    ISOTROPIC,
    ISOTROPIC_LEADING,
    LINEAR_REGRESSION,
    LINEAR_REGRESSION_GROWTH,
    SMALL_BALL,
    SMALL_BALL_LOWER,
    SMALL_BALL_SLOPE,
    SMALL_BALL_UPPER,
    TEST_SIZE,
    TEST_SIZE_SLOPE,
)
from tlstat.inductive_bias.theory.version_space import (
    BAYES_FROM_GIBBS,
    BOOLEAN,
    GIBBS_FROM_BAYES,
    GIBBS_FROM_INFORMATION,
    GUESS_AND_CHECK,
    GUESS_AND_CHECK_EXAMPLES,
    GUESS_AND_CHECK_SHARP,
    INFORMATION_VC,
    LEARNING_CURVE_VC,
    PARITY,
)

__all__ = [
    "ADDITIVITY",
    "BAYES_FROM_GIBBS",
    "BOOLEAN",
    "CHERNOFF_CORRECTION",
    "CHERNOFF_GAP",
    "CONDITIONAL_INFORMATION",
    "CONDITIONAL_INFORMATION_ZERO",
    "CONDITIONING",
    "COUNT_BLIND",
    "COUNT_NONE_LOWER",
    "COUNT_RELATIVE_VARIANCE",
    "DIFFICULTY",
    "DIFFICULTY_CARTPOLE",
    "DIFFICULTY_CONTROL",
    "EFFECTIVE_DIMENSION",
    "GAMMA_FIT_ERROR",
    "GAMMA_FIT_LIMIT",
    "GIBBS_FROM_BAYES",
    "GIBBS_FROM_INFORMATION",
    "GUESS_AND_CHECK",
    "GUESS_AND_CHECK_EXAMPLES",
    "GUESS_AND_CHECK_SHARP",
    "HALF_SPACE",
    "HALF_SPACE_LOWER",
    "HALF_SPACE_UPPER",
    "INFORMATION_VC",
    "ISOTROPIC",
    "ISOTROPIC_LEADING",
    "LEARNING_CURVE_VC",
    "LINEAR_REGRESSION",
    "LINEAR_REGRESSION_GROWTH",
    "MARGINAL_LIKELIHOOD",
    "MARGINAL_LIKELIHOOD_MAURER",
    "MARGINAL_LIKELIHOOD_VALLE_PEREZ",
    "MUTUAL_INFORMATION",
    "NORMAL_FIT_ERROR",
    "PARITY",
    "PUBLISHED_CARTPOLE",
    "PUBLISHED_CLASSIFICATION",
    "PUBLISHED_CONTROL",
    "SINGLE_EXAMPLE_INFORMATION",
    "SMALL_BALL",
    "SMALL_BALL_LOWER",
    "SMALL_BALL_SLOPE",
    "SMALL_BALL_UPPER",
    "TEST_SIZE",
    "TEST_SIZE_SLOPE",
    "VERSION_SPACE_INFORMATION",
    "EnumeratedClass",
    "cube_classes",
    "mgd",
]
