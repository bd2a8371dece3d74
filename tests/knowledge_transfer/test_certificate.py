"""Certificates: exact coverage on small laws, simulation on larger ones, the proof's steps."""

import itertools
from math import factorial

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize_scalar

from tlstat.backend import Random
from tlstat.errors import InputError
from tlstat.knowledge_transfer import (
    Teacher,
    expected_missing_mass,
    good_turing,
    missing_mass_certificate,
    missing_mass_upper,
    sample_counts,
    students,
    theory,
    tv_risk,
)
from tlstat.knowledge_transfer.certificate import (
    METHODS,
    TransferCertificate,
    expected_good_turing,
    good_turing_mse,
)

LAWS = [[0.5, 0.5], [0.9, 0.1], [0.2, 0.3, 0.5], [0.25] * 4, [0.7, 0.1, 0.1, 0.1]]


def all_tables(law, n):
    """Tables of counts, shape (m, k), with their probabilities."""
    law = np.asarray(law)
    k = law.size
    rows, weights = [], []
    for bars in itertools.combinations(range(n + k - 1), k - 1):
        edges = (-1, *bars, n + k - 1)
        row = [b - a - 1 for a, b in itertools.pairwise(edges)]
        ways = factorial(n)
        for count in row:
            ways //= factorial(count)
        rows.append(row)
        weights.append(ways * float(np.prod(law ** np.array(row))))
    return np.array(rows), np.array(weights)


def missing(counts, law):
    return np.where(counts > 0, 0, law).sum(axis=-1)


def random_laws(number, seed):
    rng = np.random.default_rng(seed)
    for _ in range(number):
        k, n = int(rng.integers(2, 60)), int(rng.integers(2, 400))
        yield rng.dirichlet(np.full(k, rng.choice([0.05, 0.3, 1.0, 10.0]))), n


def test_the_primary_certificate_is_its_formula():
    counts = np.array([[3, 1, 0], [1, 5, 2]])
    n, single, delta = 12, 2, 0.1
    width = (1 + np.sqrt(2)) * np.sqrt(np.log(2 / delta) / n)
    certificate = missing_mass_certificate(counts, "partial", delta)
    assert certificate.good_turing == pytest.approx(single / n)
    assert certificate.bound == min(1, single / n + width)
    many = missing_mass_upper(100 * counts, "partial", delta)
    assert float(many) == pytest.approx(width / 10)
    assert float(many) == pytest.approx(theory.GOOD_TURING_CERTIFICATE(n=1_200, delta=delta))
    sharp = missing_mass_upper(100 * counts, "partial", delta, method="sub-gaussian")
    assert float(sharp) == pytest.approx(theory.GOOD_TURING_CERTIFICATE_SHARP(n=1_200, delta=delta))


def test_the_soft_level_pools_labels():
    counts = np.array([[400, 1, 0], [0, 500, 1]])
    assert missing_mass_certificate(counts, "soft").good_turing == 0
    assert missing_mass_certificate(counts, "partial").good_turing == pytest.approx(2 / 902)


def test_a_certificate_says_what_it_means():
    certificate = missing_mass_certificate([[10, 1], [5, 0]], "partial", 0.05)
    assert isinstance(certificate, TransferCertificate)
    assert (certificate.level, certificate.n, certificate.delta) == ("partial", 16, 0.05)
    assert "confidence 0.95" in str(certificate) and "partial-label student" in str(certificate)
    with pytest.raises(AttributeError):
        certificate.bound = 0


@pytest.mark.parametrize(
    ("level", "reason"), [("hard", "also on what it has seen"), ("weighted", "inconsistent")]
)
def test_levels_without_a_certificate_are_refused_with_the_reason(level, reason):
    for function in (missing_mass_certificate, missing_mass_upper):
        with pytest.raises(InputError, match=reason):
            function([[3, 1]], level)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: missing_mass_upper([[3, 1]], "firm"), 'level must be "partial" or "soft"'),
        (lambda: missing_mass_upper([[3, 1]], "soft", 0.0), "delta must lie in"),
        (lambda: missing_mass_upper([[3, 1]], "soft", 1.5), "delta must lie in"),
        (lambda: missing_mass_upper([[3, 1.5]], "partial"), "counts must be integers"),
        (lambda: missing_mass_upper([[3, -1]], "partial"), "non-negative"),
        (lambda: missing_mass_upper([[3, 1]], "soft", method="magic"), "method must be"),
        (lambda: missing_mass_upper([[3, 1]], "soft", method="held-out"), "rng is missing"),
        (lambda: missing_mass_certificate([[[3, 1]]], "soft"), "takes many samples"),
        (lambda: expected_good_turing([0.5, 0.5], 0), "n must be at least 1"),
        (lambda: good_turing_mse([0.5, 0.5], 1), "n must be at least 2"),
        (
            lambda: missing_mass_upper([[10**9, 1]], "soft", method="held-out", rng=Random(0)),
            "below 10",
        ),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.parametrize("method", METHODS)
def test_nothing_seen_certifies_nothing(method):
    assert (
        missing_mass_certificate(np.zeros((2, 3)), "partial", method=method, rng=Random(0)).bound
        == 1.0
    )
    assert float(good_turing(np.zeros(4))) == 1.0


@pytest.mark.parametrize("method", ["good-turing", "sub-gaussian"])
def test_exact_coverage_by_enumeration(method):
    for law in LAWS:
        for n in (1, 2, 5, 12):
            rows, weights = all_tables(law, n)
            for delta in (0.5, 0.9, 0.99):  # small ones give a limit of 1 at these sizes
                limit = missing_mass_upper(rows[:, None, :], "partial", delta, method=method)
                assert weights @ (missing(rows, law) > limit) <= delta + 1e-12


def test_held_out_coverage_by_enumeration():
    """Exact: all tables of both halves, so the split is the draw itself."""
    from scipy.stats import beta

    for law in LAWS:
        for n in (2, 6, 7):
            first, p_first = all_tables(law, n - n // 2)
            second, p_second = all_tables(law, n // 2)
            for delta in (0.05, 0.5):
                failed = 0.0
                for row, p in zip(first, p_first, strict=True):
                    new = np.where(row == 0, second, 0).sum(axis=1)
                    limit = np.where(
                        new < n // 2, beta.ppf(1 - delta, new + 1, np.maximum(n // 2 - new, 1)), 1
                    )
                    failed += p * (p_second @ (missing(row + second, law) > limit))
                assert failed <= delta


def test_held_out_limits_are_those_of_a_random_split():
    """The law of the limit against enumeration of splits; false alarm about 1e-6."""
    counts, size = np.array([[2, 1, 1, 0]]), 20_000
    limits = missing_mass_upper(
        np.broadcast_to(counts, (size, 1, 4)), "partial", 0.1, method="held-out", rng=Random(3)
    )
    draws = [0, 0, 1, 2]
    expected = {}
    for hidden in itertools.combinations(range(4), 2):
        shown = {draws[i] for i in range(4) if i not in hidden}
        new = sum(draws[i] not in shown for i in hidden)
        expected[new] = expected.get(new, 0) + 1 / 6
    for new, probability in expected.items():
        limit = stats.beta.ppf(0.9, new + 1, 2 - new) if new < 2 else 1.0
        share = np.isclose(limits, limit).mean()
        assert abs(share - probability) < 5 * np.sqrt(probability * (1 - probability) / size)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", ["partial", "soft"])
def test_simulated_coverage(level, method):
    """Each of 12 runs of 4000 samples fails a valid certificate with probability 1e-7."""
    delta, size = 0.1, 4_000
    for seed, (S, A, n) in enumerate([(20, 5, 60), (3, 4, 200)]):
        teacher = Teacher.dirichlet(S, A, seed, 0.5, input_concentration=0.5)
        counts = sample_counts(teacher, n, Random(seed), size)
        risk = tv_risk(students(counts, teacher.pi, (level,))[level], teacher)
        limit = missing_mass_upper(counts, level, delta, method=method, rng=Random(99))
        fails = int((risk > limit).sum())
        assert fails <= stats.binom.ppf(1 - 1e-7, size, delta)
        assert limit.shape == (size,) and (limit <= 1).all()


def test_held_out_is_sharper_where_little_is_missing():
    teacher = Teacher.dirichlet(5, 4, 1, 5.0)
    counts = sample_counts(teacher, 20_000, Random(0), 1)[0]
    by = {m: missing_mass_certificate(counts, "partial", method=m, rng=Random(1)) for m in METHODS}
    assert by["held-out"].bound < 0.02 * by["good-turing"].bound
    assert by["sub-gaussian"].bound < by["good-turing"].bound


def test_numpy_and_torch_agree():
    torch = pytest.importorskip("torch")
    counts = sample_counts(Teacher.instance0(4, 5), 30, Random(1), 50)
    for level in ("partial", "soft"):
        for method in METHODS:
            ours, theirs = (
                missing_mass_upper(c, level, method=method, rng=Random(8))
                for c in (counts, torch.asarray(counts))
            )
            assert isinstance(theirs, torch.Tensor)
            np.testing.assert_allclose(theirs.numpy(), ours, rtol=1e-14)


# ------------------------------------------------------ the steps of the proofs


def test_moments_of_good_turing_by_enumeration():
    for law in LAWS:
        for n in (2, 3, 7):
            rows, weights = all_tables(law, n)
            g, m = good_turing(rows), missing(rows, np.array(law))
            assert expected_good_turing(law, n) == pytest.approx(weights @ g, abs=1e-13)
            assert expected_missing_mass(law, n) == pytest.approx(weights @ m, abs=1e-13)
            assert good_turing_mse(law, n) == pytest.approx(weights @ (g - m) ** 2, abs=1e-13)
            bias = weights @ (g - m)
            assert -1e-14 <= bias <= theory.GOOD_TURING_BIAS(n=n) + 1e-14


def test_worst_bias_of_good_turing_is_attained():
    """At equal masses 1/n; the bound is below 1/n."""
    n = 40
    law = np.full(n, 1 / n)
    bias = expected_good_turing(law, n) - expected_missing_mass(law, n)
    assert bias == pytest.approx(theory.GOOD_TURING_BIAS(n=n), rel=1e-12)
    assert theory.GOOD_TURING_BIAS(n=n) < 1 / n


def test_worst_mse_of_good_turing_over_uniform_laws():
    n = 20_000
    scaled = {k: n * good_turing_mse(np.full(k, 1 / k), n) for k in range(20_000, 27_500, 250)}
    k, worst = max(scaled.items(), key=lambda item: item[1])
    limit = theory.GOOD_TURING_MSE_LIMIT.shape(n=1)
    assert worst == pytest.approx(limit, rel=1e-3)
    assert limit == pytest.approx(0.6080, abs=5e-5)
    assert n / k == pytest.approx(0.8526, rel=0.02)
    found = minimize_scalar(
        lambda x: -(np.exp(-x) * (1 + x) - np.exp(-2 * x)), bounds=(0.1, 3), method="bounded"
    )
    assert -found.fun == pytest.approx(limit, rel=1e-9)
    assert limit < theory.GOOD_TURING_MSE_UPPER.shape(n=1)


def test_random_laws_obey_the_published_mse():
    for law, n in random_laws(200, 1):
        if n >= 20:
            assert n * good_turing_mse(law, n) <= 0.6179 * (1 + 3 / n)


def _log_mgf(weights, values, u):
    centred = values - weights @ values
    top = (u * centred).max()
    return top + np.log(weights @ np.exp(u * centred - top))


def test_moment_generating_functions_are_sub_gaussian():
    """log E exp(u (m_0 - E m_0)) <= u^2/(4n); the same with u^2/(2n) for E G - G, by sums."""
    for law in LAWS:
        for n in (1, 4, 10):
            rows, weights = all_tables(law, n)
            m, g = missing(rows, np.array(law)), good_turing(rows)
            for u in np.geomspace(0.1, 200, 25):
                assert _log_mgf(weights, m, u) <= u**2 / (4 * n) + 1e-12
                assert _log_mgf(weights, -g, u) <= u**2 / (2 * n) + 1e-12
                sigma = 1 / np.sqrt(2 * n) + 1 / np.sqrt(n)
                assert _log_mgf(weights, m - g, u) <= (u * sigma) ** 2 / 2 + 1e-12


def test_independent_indicators_have_the_missing_mass_constants():
    """The scalar inequalities behind the deviations, on fine grids (q: probability unseen)."""
    q = np.linspace(1e-6, 1 - 1e-6, 20_001)
    odd = np.abs(q - 0.5) > 1e-9
    kearns_saul = np.where(odd, (1 - 2 * q) / (4 * np.where(odd, np.log((1 - q) / q), 1.0)), 0.125)
    # above the mean: p <= log(1/q)/n, and p times this is at most 1/(4n)
    assert (np.log(1 / q) * kearns_saul).max() <= 0.25
    # below it: variance for q <= 1/2, the same as above beyond
    lower = np.where(q <= 0.5, q * (1 - q) / 2, kearns_saul)
    worst = (np.log(1 / q) * lower).max()
    assert 1 / (4 * worst) == pytest.approx(1.9205, abs=1e-4)
    assert 1 / (4 * worst) >= 1.92
    # the older constant: second moments in place of variances
    assert 1 / (4 * (np.log(1 / q) * q / 2).max()) == pytest.approx(np.e / 2, rel=1e-6)


@pytest.mark.parametrize(
    ("bound", "sign"),
    [
        (theory.MISSING_MASS_DEVIATION_FREE, 1),
        (theory.MISSING_MASS_SHORTFALL, -1),
        (theory.MISSING_MASS_SHORTFALL_SHARP, -1),
    ],
    ids=["above", "below", "below, sharper"],
)
def test_deviations_of_the_missing_mass_by_enumeration(bound, sign):
    for law in LAWS:
        for n in (1, 3, 12):
            rows, weights = all_tables(law, n)
            deviation = sign * (missing(rows, np.array(law)) - expected_missing_mass(law, n))
            for delta in (0.01, 0.1, 0.5, 0.9):
                assert weights @ (deviation > bound(n=n, delta=delta)) <= delta


def test_deviations_of_the_missing_mass_on_random_laws():
    """In 500 samples of a bound at 0.1 more than 90 failures have probability below 1e-7."""
    rng = np.random.default_rng(5)
    for law, n in random_laws(30, 6):
        m = missing(rng.multinomial(n, law, size=500), law)
        away = m - expected_missing_mass(law, n)
        k = law.size
        tall = theory.MISSING_MASS_DEVIATION(k=k, n=n, delta=0.1)
        assert (away > tall).sum() <= 90
        assert (m > theory.MISSING_MASS_UPPER_PROBABILITY(k=k, n=n, delta=0.1)).sum() <= 90
        assert (away > theory.MISSING_MASS_DEVIATION_FREE(n=n, delta=0.1)).sum() <= 90
        assert (-away > theory.MISSING_MASS_SHORTFALL_SHARP(n=n, delta=0.1)).sum() <= 90


def test_the_classical_certificate_is_implied():
    n, delta = np.meshgrid([1, 10, 1_000], [1e-9, 0.01, 0.5, 0.99], indexing="ij")
    sharp = theory.GOOD_TURING_CERTIFICATE_SHARP(n=n, delta=delta)
    primary = theory.GOOD_TURING_CERTIFICATE(n=n, delta=delta)
    classical = theory.GOOD_TURING_CERTIFICATE_CLASSICAL(n=n, delta=delta)
    assert (sharp < primary).all() and (primary < classical).all()
