"""Every bound against a computation that does not use its formula."""

import math
from fractions import Fraction as F

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import binom

from tlstat.errors import InputError
from tlstat.minimax import rates, theory
from tlstat.minimax.vote import vote_error
from tlstat.theory import Bound

BOUNDS = {name: value for name, value in vars(theory).items() if isinstance(value, Bound)}
CHERNOFF = {2: 0.26355964, 1: 0.41273655}  # Groeneboom and Wellner (2001), variance and E|Z|


def both(n_P, n_Q, rho, beta_P, beta_Q, d=1.0):
    """The min of two rates, written out."""
    source = (d / n_P) ** (1 / ((2 - beta_P) * rho))
    return min(source, (d / n_Q) ** (1 / (2 - beta_Q)))


def logs(n, d, delta):
    return d / n * math.log(max(n, d) / d) + math.log(1 / delta) / n


def brute_vote(n_P, p, delta_P, n_Q, q, delta_Q):
    """Bayes error by enumeration of counts: a binomial number of votes, then their signs."""

    def law(n, mass, margin):
        out = {}
        for k in range(n + 1):
            for plus in range(k + 1):
                weight = binom.pmf(k, n, mass) * binom.pmf(plus, k, (1 + margin) / 2)
                out[2 * plus - k] = out.get(2 * plus - k, 0.0) + weight
        return out

    w_P, w_Q = 2 * math.atanh(delta_P), 2 * math.atanh(delta_Q)
    error = 0.0
    for s, weight_s in law(n_P, p, delta_P).items():
        for t, weight_t in law(n_Q, q, delta_Q).items():
            vote = w_P * s + w_Q * t
            error += weight_s * weight_t * (0.5 if abs(vote) < 1e-12 else float(vote < 0))
    return error


def by_quadrature(power, n):
    """E|R|^q / 2 for the nearest positive point, power = q over the power of the mass."""
    # in r = u^power the integrand is bounded, and lives on the scale n^-power
    scale = (n + 1.0) ** -power
    integral, _ = quad(
        lambda x: math.exp(n * math.log1p(-((x * scale) ** (1 / power)) / 2)) * scale,
        0,
        min(1 / scale, 100**power),
        limit=300,
        epsabs=0,
        epsrel=1e-11,
    )
    return integral / 2


def chernoff_from_moments(n, c, mass, A_Q, excess):
    return A_Q * (2 * (c * c * n) ** (-1 / 3)) ** (excess / mass) * CHERNOFF[excess / mass]


vote = {"n_P": 12, "p": 0.3, "delta_P": 0.4, "n_Q": 7, "q": 0.5, "delta_Q": 0.3}
affinity = math.sqrt(
    math.prod(
        sum(math.sqrt(a * b) for a, b in zip(plus, minus, strict=True)) ** (2 * n)
        for n, plus, minus in (
            (12, (0.3 * 0.7, 0.3 * 0.3, 0.7), (0.3 * 0.3, 0.3 * 0.7, 0.7)),
            (7, (0.5 * 0.65, 0.5 * 0.35, 0.5), (0.5 * 0.35, 0.5 * 0.65, 0.5)),
        )
    )
)
divergence = sum(
    n * sum(a * math.log(a / b) for a, b in zip(plus, minus, strict=True))
    for n, plus, minus in (
        (12, (0.21, 0.09), (0.09, 0.21)),
        (7, (0.325, 0.175), (0.175, 0.325)),
    )
)
family = {"gamma": 2.0, "q": 1.5, "a_P": 1.2, "a_Q": 0.4, "c_P": 0.6, "c_Q": 0.8}
powers = {k: family[k] for k in ("gamma", "q", "a_P", "a_Q")}
general = {"n_P": 1e4, "n_Q": 200, "rho": 1.5, "beta_P": 0.5, "beta_Q": 0.25, "d": 3}
loglike = {"delta": 0.05, **general}
excess_P = quad(lambda x: 0.6 * x**1.2 * x, 0, 0.4)[0]  # density gamma/2 x^(gamma-1)
excess_Q = quad(lambda x: 0.8 * x**0.4 * 0.75 * x**0.5, 0, 0.4)[0]
mass_P, mass_Q = quad(lambda x: x, 0, 0.4)[0], quad(lambda x: 0.75 * x**0.5, 0, 0.4)[0]
rho, beta_P, beta_Q = 3.2 / 1.9, 2 / 3.2, 1.5 / 1.9
cost = {"eps": 0.05, "delta": 0.1, "d": 2}
effort = 2 * math.log(20) + math.log(10)
gaussian = {"D": 20, "n_S": 1000, "n_T": 50, "sigma": 1.0, "Delta": 0.3}
shared = 20 * 1e-3 * 0.02 / 0.021

# bound, parameters, the value computed in another way (the shape, where constants are free)
VALUES = [
    ("SOURCE_RATE", general, (3 / 1e4) ** (1 / (1.5 * 1.5))),
    ("TARGET_RATE", general, (3 / 200) ** (1 / 1.75)),
    ("MINIMAX_RATE", general, both(**general)),
    ("LOWER_RATE", general, both(**general)),
    (
        "CROSSOVER",
        general,
        3 * brentq(lambda x: (3 / 1e4) ** (1 / 2.25) - x ** (-1 / 1.75), 1, 1e6),
    ),
    ("LOWER_PROBABILITY", {}, 0.021446609),
    ("RHO_AT_MOST", {"gamma": 2, "beta_P": 0.5}, 4),
    ("C_RHO_AT_MOST", {"C_gamma": 2, "C_beta_P": 3, "beta_P": 0.5}, 36),
    (
        "MARGINAL_LOWER_RATE",
        {"n_P": 1e4, "n_Q": 200, "gamma": 2, "beta_P": 0.5, "beta_Q": 0.25, "d": 3},
        # rho = gamma beta' / beta_P with a target mass eps^beta', beta' at both ends
        max(both(1e4, 200, 4, 0.5, 1, 3), both(1e4, 200, 1, 0.5, 0.25, 3)),
    ),
    (
        "ADAPTIVE_RATE",
        loglike,
        min(logs(1e4, 3, 0.05) ** (1 / 2.25), logs(200, 3, 0.05) ** (1 / 1.75)),
    ),
    (
        "SELECT_RATE",
        {**loglike, "floor": 0.01},
        min(0.01 + logs(1e4, 3, 0.05) ** (1 / 2.25), logs(200, 3, 0.05) ** (1 / 1.75)),
    ),
    ("REWEIGHTED_RATE", {**loglike, "B": 7}, (7 * logs(1e4, 3, 0.05)) ** (1 / 2.25)),
    # C_rho eps = e^rho solved for the target excess e
    (
        "WEAK_MODULUS",
        {"C_rho": 2, "eps": 0.01, "rho": 1.5},
        brentq(lambda e: e**1.5 - 0.02, 0, 1, xtol=1e-15),
    ),
    ("TARGET_NEED", {**cost, "beta_Q": 0.5}, 0.05**-1.5 * effort),
    ("SOURCE_NEED", {**cost, "beta_P": 0.5, "rho": 2}, 0.05**-3 * effort),
    ("SOURCE_NEED_CERTIFIED", {**cost, "beta_P": 0.5, "gamma": 2}, 0.05**-6 * effort),
    ("UNLABELLED_NEED", cost, 20 * effort),
    (
        "ORACLE_COST",
        {"eps": 0.05, "d": 2, "beta_P": 0.5, "beta_Q": 0.5, "rho": 2, "C_P": 0.2, "C_Q": 0.3,
         "price_P": 1, "price_Q": 20},
        min(2 * 4.0**3, 20 * 2 * 6**1.5),
    ),
    ("POWER_EXCESS_P", {"t": 0.4, **family}, excess_P),
    ("POWER_EXCESS_Q", {"t": 0.4, **family}, excess_Q),
    ("POWER_RHO", powers, rho),
    ("POWER_C_RHO", family, excess_Q**rho / excess_P),
    ("POWER_BETA_P", powers, beta_P),
    ("POWER_BETA_Q", powers, beta_Q),
    ("POWER_C_BETA_P", family, mass_P / excess_P**beta_P),
    ("POWER_C_BETA_Q", family, mass_Q / excess_Q**beta_Q),
    ("POWER_GAMMA", powers, 4 / 3),
    ("POWER_C_GAMMA", powers, mass_Q ** (4 / 3) / mass_P),
    ("POWER_SOURCE_RATE", {**powers, "n_P": 100}, both(100, 1, rho, beta_P, beta_Q)),
    ("POWER_TARGET_RATE", {**powers, "n_Q": 100}, both(1, 100, rho, beta_P, beta_Q)),
    (
        "POWER_CROSSOVER",
        {**powers, "n_P": 100},
        rates.crossover(100, rho=rho, beta_P=beta_P, beta_Q=beta_Q),
    ),
    ("POOLED_DRIFT", {"n_P": 1e6, "n_Q": 1e4}, 0.01),
    ("NOISE_FREE_SOURCE", {"gamma": 2, "q": 1, "n_P": 1000}, by_quadrature(0.5, 1000)),
    ("NOISE_FREE_SOURCE", {"gamma": 0.5, "q": 2, "n_P": 0}, 0.5),
    ("NOISE_FREE_TARGET", {"gamma": 2, "q": 3, "n_Q": 12}, (1 - 2**-13) / 13),
    ("NOISE_FREE_SOURCE_LIMIT", {"gamma": 3, "q": 1, "n_P": 1e9}, by_quadrature(1 / 3, 1e9)),
    (
        "NOISE_FREE_CROSSOVER",
        {"gamma": 3, "q": 1, "n_P": 1e9},
        brentq(lambda n: (1 - 2.0 ** -(n + 1)) / (n + 1) - by_quadrature(1 / 3, 1e9), 1, 1e6),
    ),
    (
        "CHERNOFF_SOURCE",
        {"gamma": 2, "q": 1, "a_Q": 1, "c_P": 0.5, "c_Q": 0.7, "n_P": 1e5},
        chernoff_from_moments(1e5, 0.5, 2, 0.7 / 4, 2),
    ),
    (
        "CHERNOFF_TARGET",
        {"q": 1, "c_Q": 0.5, "n_Q": 1e5},
        chernoff_from_moments(1e5, 0.5, 1, 0.125, 2),
    ),
    ("REWEIGHTED_SINGULARITY", {"n_P": 1e4, "gamma": 2, "a_P": 1}, 0.1),
    ("VOTE_ERROR", vote, brute_vote(**vote)),
    ("VOTE_HELLINGER", vote, (1 - math.sqrt(1 - affinity**2)) / 2),
    ("VOTE_QUARTER", vote, affinity**2 / 4),
    ("VOTE_BRETAGNOLLE_HUBER", vote, math.exp(-divergence) / 4),
    ("VOTE_PINSKER", vote, max(0, (1 - math.sqrt(divergence / 2)) / 2)),
    ("VOTE_UPPER", vote, affinity / 2),
    ("CUBE_EXCESS_Q", {"eps": 0.2, "beta_Q": 0.3, "m": 5}, 0.2),
    ("CUBE_EXCESS_P", {"eps": 0.2, "rho": 2, "beta_P": 0.3, "m": 5}, 0.04),
    (
        "CUBE_MINIMAX",
        {"eps": 0.25, "rho": 2, "beta_P": 0.5, "beta_Q": 0.5, "m": 3, "n_P": 20, "n_Q": 10},
        3 * 0.5 / 3 * 0.5 * brute_vote(20, 0.25 / 3, 0.25, 10, 0.5 / 3, 0.5),
    ),
    (
        "CUBE_LOWER",
        {"rho": 2, "beta_P": 0.5, "beta_Q": 0.5, "m": 8, "n_P": 1e4, "n_Q": 100},
        max(
            s
            * vote_error(1e4, s / 8, s, 100, math.sqrt(s) / 8, math.sqrt(s))
            for s in np.geomspace(0.02, 0.5, 1_001)
        ),
    ),
    (
        "CUBE_C_RHO",
        {"m": 8, "rho": 0.5},
        max((k / 8) ** 0.5 / (k / 8) for k in range(1, 9)),
    ),
    # k-NN with radius r: the bias r^(alpha (1 + beta)) at the r where the noise is as large
    (
        "SINGULARITY_RATE",
        {"n_P": 0.0, "n_Q": 1e4, "alpha": 0.5, "beta": 1, "gamma": 1, "d": 1},
        1e4 ** (-0.5 * 2 / (2 * 0.5 + 1)),
    ),
    (
        "SINGULARITY_RATE_COVERING",
        {"n_P": 0.0, "n_Q": 1e4, "alpha": 1, "beta": 1, "gamma": 1, "d": 2},
        1e4 ** (-2 / 5),
    ),
    (
        "SINGULARITY_SOURCE_RATE",
        {"n_P": 1e4, "alpha": 1, "beta": 1, "gamma": 2, "d": 1},
        brentq(lambda r: r**2 * 1e4 * r**3 - 1, 1e-4, 1) ** 2,
    ),
    (
        "SINGULARITY_CROSSOVER",
        {"n_P": 1e4, "alpha": 1, "gamma": 2, "d": 1},
        brentq(lambda n: n ** (-2 / 3) - 1e4 ** (-2 / 5), 1, 1e5),
    ),
    (
        "DRIFT_RATE",
        {"n_P": 0.0, "n_Q": 1e4, "alpha": 1, "beta": 0.5, "gamma": 2, "d": 1},
        brentq(lambda r: r * 1e4 * r - 1, 1e-4, 1) ** 1,
    ),
    (
        "DRIFT_SOURCE_RATE",
        {"n_P": 1e4, "alpha": 1, "beta": 1, "gamma": 2, "d": 1},
        brentq(lambda r: r**4 * 1e4 * r - 1, 1e-4, 1) ** 2,
    ),
    (
        "DRIFT_CROSSOVER",
        {"n_P": 1e4, "alpha": 1, "beta": 1, "gamma": 2, "d": 1},
        brentq(lambda n: n ** (-2 / 3) - 1e4 ** (-2 / 5), 1, 1e5),
    ),
    (
        "SINGULARITY_LOWER",
        {"alpha": 0.5, "beta": 1, "gamma": 0.5, "d": 1, "n_P": 1e4, "n_Q": 100},
        max(
            r * vote_error(1e4, r**1.5, r**0.5, 100, r, r**0.5)
            for r in np.geomspace(0.003, 0.3, 1_001)
        ),
    ),
    (
        "DRIFT_LOWER",
        {"alpha": 1, "beta": 0.5, "gamma": 2, "d": 1, "n_P": 1e4, "n_Q": 100},
        max(
            r * vote_error(1e4, r, r, 100, r, r**0.5) for r in np.geomspace(0.003, 0.3, 1_001)
        ),
    ),
    ("POOLED_RHO", {"n_1": 100, "n_2": 300, "rho_1": 1, "rho_2": 3}, 2.5),
    (
        "TWO_SOURCES_RATE",
        {"n_1": 100, "n_2": 300, "rho_1": 1, "rho_2": 3, "beta": 0, "d": 2},
        min(0.02**0.5, 0.005**0.2),
    ),
    ("GAUSSIAN_UPPER", {**gaussian, "Delta": 0}, 20 / 1050),
    ("GAUSSIAN_UPPER", {**gaussian, "Delta": 1e9}, 0.4),
    (
        "GAUSSIAN_LOWER",
        gaussian,
        shared + (0.02 / 0.021) ** 2 * 0.42 * 0.09 / 0.51 / 1.25,
    ),
    ("GAUSSIAN_REGIMES", gaussian, min(0.4, 0.09 + shared)),
    ("BEN_DAVID_BOUND", {"epsilon_P": 0.1, "divergence": 0.5, "lambda": 0.05}, 0.4),
    (
        "BEN_DAVID_ESTIMATION",
        {"d": 1, "m": 1000, "delta": 0.05},
        4 * math.sqrt((2 * math.log(2000) + math.log(40)) / 1000),
    ),
    (
        "POWER_DIVERGENCE",
        {"gamma": 3, "q": 1},
        -4 * minimize_scalar(lambda x: 0.5 * (x**3 - x), bounds=(0, 1), method="bounded").fun,
    ),
    ("UNIFORM_DISCREPANCY", {"theta": 0.5}, 0.25),
    ("LOCAL_DISCREPANCY", {"r": 0.05, "gamma": 2}, 0.05 - 0.005),
    (
        "BEN_DAVID_OBJECTIVE",
        {"a": 0.3, "B": 0.1, "A": 0.2, "m_P": 1000, "m_Q": 100},
        0.2 * math.sqrt(0.09 * 11 + 0.49 * 1.1) + 1.4 * 0.2,
    ),
    ("BEN_DAVID_WEIGHT", {"m_Q": 100, "m_P": 1000, "D": math.sqrt(10) / 0.2}, 0.308223),
    ("BEN_DAVID_WEIGHT", {"m_Q": 20, "m_P": 1e5, "D": math.sqrt(5) / 0.1}, 0.0030858),
    ("BEN_DAVID_WEIGHT", {"m_Q": 300, "m_P": 1e5, "D": 10}, 1),
]  # fmt: skip
# leading terms are compared where n is large, tabulated moments to their digits
LOOSE = {
    "NOISE_FREE_SOURCE_LIMIT": 1e-6,
    "NOISE_FREE_CROSSOVER": 2e-3,
    "CHERNOFF_SOURCE": 1e-6,
    "CHERNOFF_TARGET": 1e-6,
    "LOWER_PROBABILITY": 1e-7,
    "CUBE_LOWER": 1e-4,
    "SINGULARITY_LOWER": 1e-4,
    "DRIFT_LOWER": 1e-4,
    "BEN_DAVID_WEIGHT": 2e-5,
    "POWER_DIVERGENCE": 1e-8,
}


@pytest.mark.parametrize(
    ("name", "at", "value"), VALUES, ids=lambda v: v if isinstance(v, str) else ""
)
def test_value(name, at, value):
    bound = BOUNDS[name]
    given = {symbol: at[symbol] for symbol in bound.symbols}
    if name.startswith(("SINGULARITY_RATE", "DRIFT_RATE")):
        given["n_P"] = max(given["n_P"], 1e-300)
    found = bound.shape(**given) if bound.free else bound(**given)
    assert float(found) == pytest.approx(value, rel=LOOSE.get(name, 1e-9))


def test_every_bound_is_in_the_list_and_says_where_it_comes_from():
    assert set(BOUNDS) == {name for name, _, _ in VALUES}
    assert len(BOUNDS) >= 60
    assert len({bound.name for bound in BOUNDS.values()}) == len(BOUNDS)
    for bound in BOUNDS.values():
        assert bound.source.ref and bound.source.where
        if bound.source.ref.startswith("arXiv"):  # papers whose text was not at hand
            assert any(word in bound.source.note for word in ("memory", "derived", "ours"))
            assert "Theorem" not in bound.source.where


# ------------------------------------------------------------------- identities

powers_of = st.fractions(F(1, 4), 4, max_denominator=8)
noise_of = st.fractions(0, 3, max_denominator=8)


@given(powers_of, powers_of, noise_of, noise_of)
def test_the_power_family_is_sharp_in_every_condition(gamma, q, a_P, a_Q):
    at = {"gamma": float(gamma), "q": float(q), "a_P": float(a_P), "a_Q": float(a_Q)}
    rho = theory.POWER_RHO(**at)
    beta_P, beta_Q = (
        b(**{s: at[s] for s in b.symbols}) for b in (theory.POWER_BETA_P, theory.POWER_BETA_Q)
    )
    marginal = theory.POWER_GAMMA(gamma=at["gamma"], q=at["q"])
    assert rho == pytest.approx(marginal * beta_Q / beta_P)
    assert rho <= theory.RHO_AT_MOST(gamma=marginal, beta_P=beta_P) * (1 + 1e-12)
    # the implied constant holds: C_rho E_P >= E_Q^rho needs C_rho at most the implied one, where
    # the target's noise is a constant margin 1 (E_Q = disagreement)
    known = {**at, "c_P": 0.7, "c_Q": 1.0}
    if a_Q == 0:
        implied = theory.C_RHO_AT_MOST(
            C_gamma=theory.POWER_C_GAMMA(gamma=at["gamma"], q=at["q"]),
            C_beta_P=theory.POWER_C_BETA_P(**{s: known[s] for s in theory.POWER_C_BETA_P.symbols}),
            beta_P=beta_P,
        )
        assert theory.POWER_C_RHO(**known) == pytest.approx(implied)


@pytest.mark.parametrize(
    ("bound", "symbol", "at", "exponent"),
    [
        (theory.SOURCE_RATE, "n_P", {"rho": 1.5, "beta_P": F(2, 3)}, -0.5),
        (theory.TARGET_RATE, "n_Q", {"beta_Q": 0.5}, -2 / 3),
        (theory.CROSSOVER, "n_P", {"rho": 3, "beta_P": F(1, 3), "beta_Q": 1}, 0.2),
        (theory.POWER_SOURCE_RATE, "n_P", {"gamma": 1, "q": 1, "a_P": 2, "a_Q": 1}, -0.4),
        (theory.POWER_TARGET_RATE, "n_Q", {"q": 1, "a_Q": 1}, -2 / 3),
        (theory.POWER_CROSSOVER, "n_P", {"gamma": 2, "q": 1, "a_P": 0, "a_Q": 1}, 1.5),
        (theory.NOISE_FREE_SOURCE_LIMIT, "n_P", {"gamma": 3, "q": 1}, -1 / 3),
        (theory.NOISE_FREE_CROSSOVER, "n_P", {"gamma": 0.5, "q": 1}, 2),
        (theory.SINGULARITY_SOURCE_RATE, "n_P", {"alpha": 1, "beta": 1, "gamma": 2, "d": 1}, -0.4),
        (
            theory.DRIFT_SOURCE_RATE,
            "n_P",
            {"alpha": F(1, 2), "beta": 1, "gamma": 1.5, "d": 2},
            -0.3,
        ),
    ],
    ids=lambda v: getattr(v, "name", ""),
)
def test_exponents_are_derived(bound, symbol, at, exponent):
    assert float(bound.exponent(symbol, at=at)) == pytest.approx(exponent)


def test_noise_free_risks_have_the_exponent_of_the_rate():
    source = theory.NOISE_FREE_SOURCE.exponent("n_P", at={"gamma": 3, "q": 1, "n_P": 1e10})
    assert source == pytest.approx(-1 / 3, abs=1e-6)
    target = theory.NOISE_FREE_TARGET.exponent("n_Q", at={"gamma": 3, "q": 1, "n_Q": 1e10})
    assert target == pytest.approx(-1, abs=1e-6)


def test_chernoff_moments():
    assert theory.chernoff_moment(0.0) == pytest.approx(1, abs=1e-10)  # a density
    for power, value in CHERNOFF.items():
        assert theory.chernoff_moment(float(power)) == pytest.approx(value, abs=1e-8)


# ------------------------------------------------------------------- order

masses = st.floats(0.01, 1)
margins = st.floats(0, 0.99)
counts = st.integers(0, 300)


@given(counts, masses, margins, counts, masses, margins)
def test_classical_bounds_enclose_the_exact_error(n_P, p, delta_P, n_Q, q, delta_Q):
    at = {"p": p, "delta_P": delta_P, "q": q, "delta_Q": delta_Q}
    at |= {"n_P": max(n_P, 1e-12), "n_Q": max(n_Q, 1e-12)}
    exact = vote_error(n_P, p, delta_P, n_Q, q, delta_Q)
    for bound in (
        theory.VOTE_HELLINGER,
        theory.VOTE_QUARTER,
        theory.VOTE_BRETAGNOLLE_HUBER,
        theory.VOTE_PINSKER,
    ):
        assert bound(**at) <= exact + 1e-9
    assert exact <= theory.VOTE_UPPER(**at) + 1e-9


@given(st.integers(1, 12), st.floats(1, 4), st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 0.5))
def test_the_cube_lies_in_the_class_with_constants_one(m, rho, beta_P, beta_Q, eps):
    """With k of m coordinates wrong, k = 1..m: transfer exponent and both noise conditions."""
    share = np.arange(1, m + 1) / m
    excess_Q = share * theory.CUBE_EXCESS_Q(eps=eps, beta_Q=beta_Q)
    excess_P = share * theory.CUBE_EXCESS_P(eps=eps, rho=rho, beta_P=beta_P)
    slack = 1 + 1e-9
    assert (excess_Q**rho <= excess_P * slack).all()
    assert (share * eps**beta_Q <= excess_Q**beta_Q * slack).all()
    assert (share * eps ** (rho * beta_P) <= excess_P**beta_P * slack).all()


def test_super_transfer_costs_the_cube_a_constant():
    m, rho, eps = 8, 0.5, 0.2
    share = np.arange(1, m + 1) / m
    needed = float(np.max((share * eps) ** rho / (share * eps**rho)))
    assert needed == pytest.approx(theory.CUBE_C_RHO(m=m, rho=rho))
    with pytest.raises(InputError):
        theory.CUBE_MINIMAX(eps=eps, rho=rho, beta_P=0.5, beta_Q=0.5, m=m, n_P=1, n_Q=1)


def test_pooled_exponent_holds_on_mixtures():
    """Jensen: the mixture's excess dominates the power with the averaged exponent."""
    rng = np.random.default_rng(0)
    excess = rng.uniform(0, 1, 500)
    n_1, n_2 = rng.integers(1, 100, (2, 500))
    rho_1, rho_2 = rng.uniform(0.3, 4, (2, 500))
    mixed = (n_1 * excess**rho_1 + n_2 * excess**rho_2) / (n_1 + n_2)
    pooled = theory.POOLED_RHO(n_1=n_1, n_2=n_2, rho_1=rho_1, rho_2=rho_2)
    assert (mixed >= excess**pooled - 1e-12).all()


@pytest.mark.parametrize("Delta", [0.0, 0.3, 1.0, 10.0])
def test_gaussian_sandwich_and_simulation(Delta):
    """The linear estimator's risk is what the formula says; 4.9 standard errors are 1e-6."""
    v_P, v_Q, D = 1e-3, 0.02, 20
    at = {"D": D, "n_S": 1000, "n_T": 50, "sigma": 1.0, "Delta": Delta}
    upper, lower = theory.GAUSSIAN_UPPER(**at), theory.GAUSSIAN_LOWER(**at)
    assert upper / 1.25 <= lower <= upper
    rng = np.random.default_rng(3)
    total, runs = v_P + v_Q, 20_000
    source = rng.normal(0, math.sqrt(v_P), (runs, D))
    source[:, 0] += Delta  # the worst distance; the direction does not matter
    target = rng.normal(0, math.sqrt(v_Q), (runs, D))
    shrink = D * total / (Delta**2 + D * total)
    mean = (v_Q * source + v_P * target) / total
    found = mean - v_Q / total * (1 - shrink) * (source - target)
    loss = (found**2).sum(axis=1)
    assert abs(loss.mean() - upper) < 4.9 * loss.std() / math.sqrt(runs)


@given(st.integers(1, 2000), st.integers(1, 10**5), st.floats(0.5, 60))
def test_ben_david_weight_is_the_minimiser(m_Q, m_P, D):
    found = theory.BEN_DAVID_WEIGHT(m_Q=m_Q, m_P=m_P, D=D)
    B = D / math.sqrt(m_P + m_Q)  # D = sqrt(d)/A and B = sqrt(d/m) with A = 1

    def objective(a):
        return float(theory.BEN_DAVID_OBJECTIVE(a=a, B=B, A=1.0, m_P=m_P, m_Q=m_Q))

    best = minimize_scalar(objective, bounds=(0, 1), method="bounded", options={"xatol": 1e-10})
    assert objective(float(found)) <= min(best.fun, objective(1.0)) * (1 + 1e-7)


@pytest.mark.parametrize("theta", [0.1, 0.5, 0.8])
def test_large_discrepancy_with_easy_transfer(theta):
    """Source U[0,2], target U[0,1], threshold theta: search over all thresholds."""
    t = np.linspace(0, 2, 20_001)
    source = np.abs(t - theta) / 2
    target = np.abs(np.minimum(t, 1) - theta)
    found = np.max(np.abs(source - target))
    assert found == pytest.approx(theory.UNIFORM_DISCREPANCY(theta=theta), abs=1e-4)
    assert (2 * source >= target - 1e-12).all()  # yet rho = 1 with constant 2


@pytest.mark.parametrize("gamma", [1.5, 2.0, 4.0])
def test_localising_does_not_help_the_discrepancy(gamma):
    r = 0.02
    t = np.linspace(0, 2 * r, 2001)
    found = np.max(np.abs(t / 2 - t**gamma / 2))
    assert found == pytest.approx(theory.LOCAL_DISCREPANCY(r=r, gamma=gamma), rel=1e-6)
    assert found > 0.7 * r


def test_outside_its_region_a_bound_says_no():
    for name, at in (
        ("LOWER_RATE", {**general, "rho": 0.5}),
        ("SOURCE_RATE", {**general, "beta_P": 1.5}),
        ("ADAPTIVE_RATE", {**loglike, "delta": 1.5}),
        ("MARGINAL_LOWER_RATE", {**general, "gamma": 0.5}),
    ):
        bound = BOUNDS[name]
        with pytest.raises(InputError):
            bound.shape(**{s: at[s] for s in (*bound.symbols, *()) if s in at})
