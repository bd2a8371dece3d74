"""The theory of the l1 transfer lasso, as bounds that can be judged.

Symbols, here and in arXiv:2006.14845 (2020) and arXiv:2308.15838 (2023):

====================  ===================================================================
``n, p, s``           rows, columns, number of non-zero coefficients of the target
``sigma``             standard deviation of the noise
``lam, alpha``        level of the penalty and the share of ``|b|_1`` in it
``l1, l2``            ``lam alpha`` and ``lam (1 - alpha)``
``c``                 share of ``lam`` that bounds the noise ``|X'e/n|_inf``
``phi2``              the generalised restricted eigenvalue, ``phi^2`` (`restricted_eigenvalue`)
``drift_l1``          ``|Delta|_1 = |b0 - beta|_1``
``delta``             1 - confidence
``m, M``              rows of the source, ``m = n^M``
``lambda_exponent``   ``log_n lambda_n``, with ``l1 = lambda_n / n`` (2023)
``eta_exponent``      ``log_n eta_n``, with ``l2 = eta_n / n`` (2023)
``gamma1, gamma2``    exponents of the weights ``1/|b0|^gamma1`` and ``|b0|^gamma2``
``C``                 a constant that is left free
====================  ===================================================================

No theorem text of either paper was at hand: statements were derived here, and their numbers and
constants were not compared with print. Sources say so. Modules: `error`, `thresholds`, `regimes`
and `limits`.
"""

from tlstat.transfer_lasso.theory.error import *  # noqa: F403
from tlstat.transfer_lasso.theory.limits import *  # noqa: F403
from tlstat.transfer_lasso.theory.regimes import *  # noqa: F403
from tlstat.transfer_lasso.theory.thresholds import *  # noqa: F403
