"""PAC-Bayes: the exact normaliser, the family and its relations, Gibbs posteriors."""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from tlstat.certificates import (
    CERTIFICATES,
    binomial_tail_inversion,
    catoni,
    gaussian_linear,
    gibbs_certificate,
    kl_inverse,
    kl_upper_inverse,
    log_normaliser,
    mcallester,
    pac_bayes_kl,
    pac_bayes_kl_simple,
    pac_bayes_lambda,
    quadratic,
    sampled_risk,
    weights,
)
from tlstat.errors import InputError

DELTA = 0.05


def direct_normaliser(n):
    """The sum as it is defined, to 30 digits."""
    with mp.workdps(30):
        total = mp.mpf(0)
        for k in range(n + 1):
            r = mp.mpf(k) / n
            total += mp.binomial(n, k) * r**k * (1 - r) ** (n - k)
        return total


# --- the normaliser ----------------------------------------------------------------------------


def test_the_normaliser_of_the_reference():
    n = np.array([1, 2, 8, 16, 64, 256, 1000])
    printed = [2.0, 2.5, 4.2450, 5.7043, 10.7058, 20.7261, 40.3032]
    np.testing.assert_allclose(np.exp(log_normaliser(n)), printed, atol=5.1e-5)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 20, 21, 22, 100, 1000])
def test_the_normaliser_is_its_sum(n):
    with mp.workdps(30):
        exact = float(mp.log(direct_normaliser(n)))
    assert log_normaliser(n) == pytest.approx(exact, rel=1e-14)


@pytest.mark.parametrize("n", [10**5, 10**7, 10**9, 10**12, 10**15])
def test_the_normaliser_of_large_samples(n):
    # Ramanujan: I(n) = 1 + Q(n), Q(n) = sqrt(pi n/2) - 1/3 + sqrt(pi/(2n))/12 - 4/(135 n) + ...
    with mp.workdps(40):
        n = mp.mpf(n)
        tail = mp.sqrt(mp.pi / 2 / n**3) / 288 + mp.mpf(8) / (2835 * n**2)
        q = mp.sqrt(mp.pi * n / 2) - mp.mpf(1) / 3 + mp.sqrt(mp.pi / (2 * n)) / 12
        exact = mp.log(1 + q - 4 / (135 * n) + tail)
        assert log_normaliser(int(n)) == pytest.approx(float(exact), rel=1e-14)


def test_the_normaliser_is_between_its_bounds():
    n = np.unique(np.geomspace(1, 1e15, 300).astype(np.int64))
    log_i = log_normaliser(n)
    assert np.all(log_i >= 0.5 * np.log(n) - 1e-13)
    assert np.all(log_i <= np.log(2) + 0.5 * np.log(n) + 1e-13)
    assert log_normaliser(1) == pytest.approx(np.log(2), rel=1e-14)


# --- the family --------------------------------------------------------------------------------


@given(st.floats(0, 1), st.integers(1, 10**7), st.floats(0, 40), st.floats(1e-9, 0.9))
def test_order_of_the_family(risk, n, kl, delta):
    exact = pac_bayes_kl(risk, n, kl, delta=delta, clip=False)
    simple = pac_bayes_kl_simple(risk, n, kl, delta=delta, clip=False)
    slack = 1 + 1e-13
    assert risk <= exact <= simple * slack
    for looser in (mcallester, quadratic, pac_bayes_lambda):
        assert simple <= looser(risk, n, kl, delta=delta, clip=False) * slack


def test_the_best_lambda_is_the_quadratic_bound():
    risk, kl = np.linspace(0, 1, 21), np.array([[0.0], [1.0], [9.2]])
    for n in (5, 80, 1000):
        best = pac_bayes_lambda(risk, n, kl, delta=DELTA, clip=False)
        np.testing.assert_allclose(
            best, quadratic(risk, n, kl, delta=DELTA, clip=False), rtol=1e-12
        )
        for lam in (0.1, 0.7, 1.3, 1.9):
            fixed = pac_bayes_lambda(risk, n, kl, delta=DELTA, lam=lam, clip=False)
            assert np.all(fixed >= best * (1 - 1e-13))


@pytest.mark.parametrize("n", [16, 80, 256])
@pytest.mark.parametrize("kl", [0.0, np.log(1e4)])
def test_the_best_catoni_is_kl_without_the_normaliser(n, kl):
    C = np.geomspace(1e-3, 50, 200_001)
    for risk in (0.0, 0.05, 0.3, 0.8):
        limit = kl_upper_inverse(risk, (kl + np.log(1 / DELTA)) / n)
        family = catoni(risk, n, kl, delta=DELTA, C=C, clip=False)
        assert family.min() >= limit * (1 - 1e-12)
        # at risk 0 the infimum is approached as C grows
        assert family.min() == pytest.approx(limit, abs=1e-6)


def test_a_point_posterior_is_looser_than_the_union_bound():
    k, n, M = np.arange(0, 80, 9), 80, 20_000
    pac_bayes = pac_bayes_kl(k / n, n, np.log(M), delta=DELTA)
    assert np.all(pac_bayes > kl_inverse(k, n, log_inv_delta=np.log(M / DELTA)))
    budget = (np.log(M / DELTA) + log_normaliser(n)) / n
    np.testing.assert_allclose(pac_bayes, kl_upper_inverse(k / n, budget), rtol=1e-12)


def test_the_formulas_are_rounded_upwards():
    with mp.workdps(40):
        for risk in (0.0, 0.013, 0.4):
            for n, kl in [(7, 0.3), (80, 9.9), (10**6, 2.0)]:
                r, K = mp.mpf(risk), mp.mpf(kl)
                budget = K + mp.log(2 * mp.sqrt(n) / mp.mpf(DELTA))
                b = budget / (2 * n)
                exact = {
                    "mcallester": r + mp.sqrt(b),
                    "quadratic": (mp.sqrt(r + b) + mp.sqrt(b)) ** 2,
                    "pac_bayes_lambda": (mp.sqrt(r + b) + mp.sqrt(b)) ** 2,
                }
                C = mp.mpf(1.5)
                power = -C * r - (K - mp.log(mp.mpf(DELTA))) / n
                ours = {
                    name: CERTIFICATES[name](risk, n, kl, delta=DELTA, clip=False) for name in exact
                }
                exact["catoni"] = mp.expm1(power) / mp.expm1(-C)
                ours["catoni"] = catoni(risk, n, kl, delta=DELTA, C=1.5, clip=False)
                for name, value in exact.items():
                    assert value <= mp.mpf(ours[name]) <= value * (1 + mp.mpf(10) ** -12), name


def test_coverage_of_pac_bayes_kl_over_every_posterior():
    # its event is sup_Q (n kl(r_Q, R_Q) - K) <= log(I(n)/delta), attained by Q ~ P exp(n kl_j)
    rng = np.random.default_rng(3)
    n, risks, size = 40, np.linspace(0.05, 0.6, 12), 4000
    r = rng.binomial(n, risks, (size, 12)) / n
    kl = special.rel_entr(r, risks) + special.rel_entr(1 - r, 1 - risks)
    supremum = special.logsumexp(n * kl, axis=1) - np.log(12)
    misses = int(np.sum(supremum > log_normaliser(n) - np.log(DELTA)))
    assert stats.binomtest(misses, size, DELTA, "greater").pvalue > 1e-6
    # the mean of exp(sup) is what I(n) is about: equality in expectation
    values = np.exp(supremum)
    error = values.std() / np.sqrt(size)
    assert abs(values.mean() - np.exp(log_normaliser(n))) < 5 * error


# --- Gibbs posteriors --------------------------------------------------------------------------


def test_gibbs_against_its_definition():
    k, n = np.array([3, 8, 5, 40]), 80
    betas = np.array([0.0, 0.5, 2.0])
    out = gibbs_certificate(k, n, betas, delta=DELTA)
    by_hand = []
    for beta in betas:
        q = np.exp(-beta * k)
        q /= q.sum()
        risk, kl = np.sum(q * k) / n, np.sum(q * np.log(4 * q))
        by_hand.append(pac_bayes_kl(risk, n, kl, delta=DELTA))
    assert out.limit == pytest.approx(min(by_hand), rel=1e-12)
    assert out.beta == betas[np.argmin(by_hand)]
    assert out.limit == pytest.approx(pac_bayes_kl(out.risk, n, out.kl, delta=DELTA), rel=1e-13)


def test_gibbs_of_the_reference():
    # a fraction of good candidates: the means over 200 draws that are printed, 20 draws here
    rng = np.random.default_rng(0)
    n, M = 80, 20_000
    for share, gibbs, best in [(0.001, 0.205, 0.176), (0.05, 0.146, 0.149), (0.2, 0.131, 0.149)]:
        good = int(share * M)
        risks = np.r_[np.full(good, 0.05), np.full(M - good, 0.5)]
        k = rng.binomial(n, risks, (20, M))
        limits = gibbs_certificate(k, n, np.linspace(0, 5, 26), delta=DELTA).limit
        union = binomial_tail_inversion(k.min(axis=1), n, log_inv_delta=np.log(M / DELTA))
        for values, printed in [(limits, gibbs), (union, best)]:
            error = np.std(values, ddof=1) / np.sqrt(20)
            assert abs(values.mean() - printed) < 5 * error + 5e-4, (share, printed)


def test_gibbs_with_a_prior_and_unscored_candidates():
    k, n = np.array([[3, 8, 5], [0, 0, 9]]), 80
    more = gibbs_certificate(k, n, [0.0, 1.0], delta=DELTA, candidates=1000)
    some = gibbs_certificate(k, n, [0.0, 1.0], delta=DELTA)
    assert more.limit.shape == (2,)
    assert np.all(more.limit > some.limit)
    prior = weights.rank(np.arange(1, 4))
    skewed = gibbs_certificate(k, n, [0.0, 1.0], delta=DELTA, log_prior=prior)
    flat = gibbs_certificate(k, n, [0.0, 1.0], delta=DELTA, log_prior=np.log([0.5, 0.5, 1e-12]))
    assert np.all(skewed.limit > some.limit * 0.9)
    assert np.all(np.isfinite(flat.limit))


def test_a_sampled_risk_covers():
    draws, level = 1000, 0.01
    limits = sampled_risk(np.arange(1001) / 1000, draws, delta=level)
    k = np.arange(1000)
    assert np.max(stats.binom.cdf(k, draws, limits[:-1])) <= level * (1 + 1e-10)


def test_the_gaussian_linear_posterior_against_draws():
    rng = np.random.default_rng(6)
    x, w = rng.standard_normal((30, 4)), rng.standard_normal(4)
    y = np.where(x @ w + rng.standard_normal(30) > 0, 1.0, -1.0)
    margins = y * (x @ w) / (np.linalg.norm(w) * np.linalg.norm(x, axis=1))
    scales = np.array([0.0, 0.7, 3.0])
    risk, kl = gaussian_linear(margins, scales)
    for scale, expected in zip(scales, risk, strict=True):
        drawn = scale * w / np.linalg.norm(w) + rng.standard_normal((40_000, 4))
        errors = np.mean((drawn @ x.T) * y <= 0, axis=1)
        assert abs(errors.mean() - expected) < 5 * errors.std() / 200
    assert risk[0] == pytest.approx(0.5)
    np.testing.assert_allclose(kl, scales**2 / 2)
    one = gaussian_linear(margins, 0.7)
    assert one.risk == pytest.approx(risk[1], rel=1e-13)
    assert pac_bayes_kl(risk, 30, kl, delta=DELTA).shape == (3,)
    rows = gaussian_linear(np.stack([margins, -margins]), scales)
    np.testing.assert_allclose(rows.risk.sum(axis=1), 1)
    assert rows.kl.shape == (3, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pac_bayes_kl(1.2, 80, 1.0, delta=0.1), r"risk must be a mean loss in \[0, 1\]"),
        (lambda: pac_bayes_kl(0.2, 80, -1.0, delta=0.1), "kl must be a divergence of at least 0"),
        (lambda: pac_bayes_kl(0.2, 80, np.nan, delta=0.1), "kl must be"),
        (lambda: pac_bayes_kl(0.2, 0, 1.0, delta=0.1), "n must be a whole number"),
        (lambda: pac_bayes_kl(0.2, 80, 1.0), "exactly one of"),
        (lambda: pac_bayes_lambda(0.2, 80, 1.0, delta=0.1, lam=2.0), "lam must be strictly"),
        (lambda: catoni(0.2, 80, 1.0, delta=0.1, C=0.0), "C must be positive"),
        (lambda: log_normaliser(2.5), "n must be a whole number"),
        (lambda: gaussian_linear([0.1, 1.5], 1.0), "margins must be cosines"),
        (lambda: gaussian_linear([0.1], -1.0), "scale must be finite"),
        (lambda: gaussian_linear([], 1.0), "examples on the last axis"),
        (lambda: gibbs_certificate(3, 80, [1.0], delta=0.1), "candidates on its last axis"),
        (lambda: gibbs_certificate([3], 80, [-1.0], delta=0.1), "betas must be finite"),
        (lambda: gibbs_certificate([3, 4], 80, [1.0], delta=0.1, candidates=1), "at least the 2"),
        (
            lambda: gibbs_certificate([3, 4], 80, [1.0], delta=0.1, log_prior=[0.0, 0.0]),
            "sum to at most 1",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
