"""Missing mass: what a sample of n has not shown of a law of k symbols, and Good-Turing.

The partial-label student errs by at most the missing mass of inputs and labels together, the
soft-label student by that of the inputs. ``m_0`` is the missing mass and ``G`` the share of
symbols seen once. Bounds with high probability are on differences: of ``m_0`` from its mean, or
of ``m_0`` from ``G``.
"""

from __future__ import annotations

from sympy import And, E, Ge, Gt, LambertW, Le, Lt, Rational, log, sqrt, symbols

from tlstat.knowledge_transfer import minimax
from tlstat.knowledge_transfer.theory.base import (
    OURS,
    PAPER,
    C,
    S,
    complement_power,
    delta,
    double,
    k,
    n,
    numeric,
)
from tlstat.theory.bound import Bound, Source

H = symbols("H", positive=True)

RAJARAMAN_2020 = "arXiv:2009.05990"
MCALLESTER_ORTIZ = "McAllester and Ortiz, JMLR 4 (2003)"
BEREND_KONTOROVICH = "Berend and Kontorovich, ECP 18 (2013)"
GOOD_TURING_2017 = "arXiv:1705.05006"

_CONFIDENCE = And(Ge(n, 1), Gt(delta, 0), Lt(delta, 1))
_AT_MOST_A_TENTH = And(Ge(n, 1), Gt(delta, 0), Le(delta, Rational(1, 10)))

# ---------------------------------------------------------------- the mean

_largest = numeric(minimax.largest_missing_mass)
MISSING_MASS_MAX = Bound(
    name="largest expected missing mass of k symbols",
    value=lambda k, n: _largest(k, n),
    symbols=("k", "n"),
    kind="exact",
    scope="worst case over the class",
    source=Source(PAPER, "Theorem 5.1, proof", note=f"the maximum itself is {OURS}"),
    valid=And(Ge(k, 1), Ge(n, 0)),
)
MISSING_MASS_UPPER = Bound(
    name="expected missing mass of k symbols",
    expr=k / (E * n),
    kind="upper",
    source=Source(PAPER, "Lemma E.5", note="4/9 in the paper"),
    valid=Ge(n, 1),
)
MISSING_MASS_UPPER_PAPER = Bound(
    name="expected missing mass of k symbols, the paper's constant",
    expr=Rational(4, 9) * k / n,
    kind="upper",
    source=Source(PAPER, "Lemma E.5", note="printed with >= in place of <="),
    valid=Ge(n, 1),
)

# ---------------------------------------------------------------- deviations

MISSING_MASS_UPPER_PROBABILITY = Bound(
    name="missing mass of k symbols with high probability",
    expr=Rational(4, 9) * k / n + 3 * sqrt(k) * log(1 / delta) / n,
    kind="upper",
    sense="probability",
    source=Source(RAJARAMAN_2020, "Theorem A.2", note="with Lemma E.5 of the paper"),
    valid=_AT_MOST_A_TENTH,
)
MISSING_MASS_DEVIATION = Bound(
    name="missing mass of k symbols above its mean",
    expr=3 * sqrt(k) * log(1 / delta) / n,
    kind="upper",
    sense="probability",
    source=Source(RAJARAMAN_2020, "Theorem A.2"),
    valid=_AT_MOST_A_TENTH,
)
MISSING_MASS_DEVIATION_FREE = Bound(
    name="missing mass above its mean, any alphabet",
    expr=sqrt(log(1 / delta) / n),
    kind="upper",
    sense="probability",
    source=Source(MCALLESTER_ORTIZ, "upper deviation"),
    valid=_CONFIDENCE,
)
MISSING_MASS_SHORTFALL = Bound(
    name="missing mass below its mean, any alphabet",
    expr=sqrt(2 * log(1 / delta) / (E * n)),
    kind="upper",
    sense="probability",
    source=Source(
        MCALLESTER_ORTIZ, "lower deviation", note="their 1.36 is e/2 = 1.35914 rounded up"
    ),
    valid=_CONFIDENCE,
)
MISSING_MASS_SHORTFALL_SHARP = Bound(
    name="missing mass below its mean, any alphabet, sharper",
    expr=sqrt(log(1 / delta) / (Rational(48, 25) * n)),
    kind="upper",
    sense="probability",
    source=Source(
        BEREND_KONTOROVICH, "lower deviation", note="1.92 is 1/(2 max x(1-x)log(1/x)) = 1.9205"
    ),
    valid=_CONFIDENCE,
)

# ---------------------------------------------------------------- Good-Turing

GOOD_TURING_BIAS = Bound(
    name="bias of Good-Turing",
    expr=(1 - 1 / n) ** (n - 1) / n,
    value=double(lambda n: complement_power(1 / n, n - 1) / n),
    kind="upper",
    source=Source(GOOD_TURING_2017, "bias", note=f"1/n there; this maximum is {OURS}"),
    valid=Gt(n, 1),
)
_lambda = LambertW(2)
GOOD_TURING_MSE_LIMIT = Bound(
    name="mean squared error of Good-Turing on its worst uniform law",
    expr=(_lambda / 2 + _lambda**2 / 4) / n,
    kind="rate",
    scope="worst case over the class",
    source=Source(
        GOOD_TURING_2017,
        "Abstract: at least 0.6080/n in the worst case",
        note=f"closed form with Lambert's W, n/W(2) symbols, is {OURS}",
    ),
)
GOOD_TURING_MSE_UPPER = Bound(
    name="mean squared error of Good-Turing, worst case as n grows",
    expr=Rational(6179, 10_000) / n,
    kind="rate",
    scope="worst case over the class",
    source=Source(GOOD_TURING_2017, "Abstract", note="not at small n: the value at n=1 is 1"),
)
MISSING_MASS_MSE_LOWER = Bound(
    name="mean squared error of every estimator of the missing mass, as n grows",
    expr=1 / (4 * n),
    kind="rate",
    scope="all procedures",
    source=Source(GOOD_TURING_2017, "Abstract"),
)
GOOD_TURING_CERTIFICATE = Bound(
    name="missing mass above Good-Turing",
    expr=(1 + sqrt(2)) * sqrt(log(2 / delta) / n),
    kind="upper",
    sense="probability",
    source=Source(
        MCALLESTER_ORTIZ,
        "upper deviation",
        note=f"with McDiarmid's inequality for G and a union bound: {OURS}",
    ),
    valid=_CONFIDENCE,
)
GOOD_TURING_CERTIFICATE_SHARP = Bound(
    name="missing mass above Good-Turing, sharper",
    expr=(1 + sqrt(2)) * sqrt(log(1 / delta) / n),
    kind="upper",
    sense="probability",
    source=Source(
        BEREND_KONTOROVICH,
        "upper deviation",
        note=f"both are sub-Gaussian, so their standard deviations add: {OURS}",
    ),
    valid=_CONFIDENCE,
)
GOOD_TURING_CERTIFICATE_CLASSICAL = Bound(
    name="missing mass above Good-Turing, McAllester and Schapire's constants",
    expr=(2 * sqrt(2) + sqrt(3)) * sqrt(log(3 / delta) / n),
    kind="upper",
    sense="probability",
    source=Source(
        "McAllester and Schapire, COLT 2000",
        "Theorem on the missing mass",
        note="constants as quoted elsewhere; implied by the bounds with 1 + sqrt(2)",
    ),
    valid=_CONFIDENCE,
)

# ---------------------------------------------------------------- imitation learning

IMITATION_UPPER_RATE = Bound(
    name="imitation learning: suboptimality of mimicking the expert where it was seen",
    expr=C * S * H**2 * log(n) / n,
    kind="rate",
    source=Source(RAJARAMAN_2020, "Abstract", note="n trajectories of length H, S states"),
    free=("C",),
)
IMITATION_LOWER_RATE = Bound(
    name="imitation learning: suboptimality of every procedure",
    expr=C * S * H**2 / n,
    kind="rate",
    scope="all procedures",
    source=Source(RAJARAMAN_2020, "Abstract", note="n trajectories of length H, S states"),
    free=("C",),
)
