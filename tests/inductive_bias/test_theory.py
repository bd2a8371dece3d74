"""Closed forms of the room against mpmath, quadrature, simulation and published values."""

import math

import mpmath
import numpy as np
import pytest
from scipy.stats import beta, chi2, ncx2, norm

from tlstat.errors import InputError
from tlstat.inductive_bias import theory
from tlstat.inductive_bias.theory.approximation import gamma_projection
from tlstat.inductive_bias.theory.chi_squared import gamma_log_cdf, noncentral_log_cdf
from tlstat.theory import Bound

BOUNDS = {name: getattr(theory, name) for name in theory.__all__ if name.isupper()}
BOUNDS = {name: bound for name, bound in BOUNDS.items() if isinstance(bound, Bound)}


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_bounds_say_what_they_are(name):
    bound = BOUNDS[name]
    assert bound.name and bound.scope and bound.assumptions
    assert bound.source is not None and bound.source.note


def test_the_unread_theorem_is_never_quoted():
    for bound in BOUNDS.values():
        if bound.source.ref == "arXiv:2406.15941":
            assert "Theorem" not in bound.source.where and "derived here" in bound.source.note


# ------------------------------------------------------------------- tails of one law


@pytest.mark.parametrize(
    ("a", "y"),
    [(500, 50), (500, 450), (500, 5e-31), (0.5, 1e-300), (200, 1e-12), (3, 2.0), (1e5, 9e4)],
)
def test_incomplete_gamma_at_any_depth(a, y):
    with mpmath.workdps(40):
        exact = float(mpmath.log(mpmath.gammainc(a, 0, y, regularized=True)))
    assert float(gamma_log_cdf(a, y)) == pytest.approx(exact, rel=1e-12, abs=1e-12)


def test_noncentral_tail_against_scipy_and_the_reference():
    for x, df, nc in ((3.0, 5.0, 2.0), (40.0, 30.0, 25.0), (7.0, 2.5, 0.3)):
        assert noncentral_log_cdf(x, df, nc) == pytest.approx(ncx2.logcdf(x, df, nc), rel=1e-9)
    assert noncentral_log_cdf(1e-30, 2000, 300) == pytest.approx(-75832.828148869, abs=1e-8)


@pytest.mark.parametrize(
    ("x", "nats"),
    [(0.9, 4.536), (0.5, 99.911), (0.1, 705.214), (1e-6, 6411.782), (1e-33, 37496.681)],
)
def test_isotropic_reference_values(x, nats):
    """Central chi-squared with 1000 degrees of freedom at 900, 500, 100, 1e-3 and 1e-30."""
    assert theory.ISOTROPIC(N=1000, x=x) == pytest.approx(nats, abs=6e-4)


# ------------------------------------------------------------------------ small balls


def ball_scalars(weights, gap, nu=0.0):
    return dict(N=len(weights), log_w=float(np.log(weights).sum()), gap=gap, nu=nu)


@pytest.mark.parametrize("N", [1, 2, 5, 40])
def test_small_balls_bracket_equal_weights(N):
    """Equal weights have a closed form; the bracket closes as the error falls."""
    for share in (1.0, 0.1, 1e-3, 1e-8):
        exact = theory.ISOTROPIC(N=N, x=share)
        at = ball_scalars(np.full(N, 1 / N), share)
        lower = theory.SMALL_BALL_LOWER(**{k: v for k, v in at.items() if k != "nu"})
        upper = lower + share * N / 2
        at_upper = {k: v for k, v in at.items() if k != "nu"} | {"w_min": 1 / N}
        assert theory.SMALL_BALL_UPPER(**at_upper) == pytest.approx(upper, rel=1e-12)
        assert lower <= exact * (1 + 1e-12) and exact <= upper * (1 + 1e-12)
        assert theory.SMALL_BALL(**at) == pytest.approx(lower, rel=1e-12)


def test_small_balls_of_unequal_weights_by_quadrature():
    """Two weights: P = E F((eps - w_2 chi^2_1) / w_1), integrated with 30 digits."""
    w1, w2, eps = 1.0, 0.2, 0.05
    with mpmath.workdps(30):
        total = mpmath.quad(
            lambda z: mpmath.npdf(z) * mpmath.erf(mpmath.sqrt((eps - w2 * z * z) / (2 * w1))),
            [-mpmath.sqrt(eps / w2), 0, mpmath.sqrt(eps / w2)],
        )
    exact = -float(mpmath.log(total))
    at = {k: v for k, v in ball_scalars([w1, w2], eps).items() if k != "nu"}
    assert theory.SMALL_BALL_LOWER(**at) <= exact <= theory.SMALL_BALL_UPPER(**at, w_min=w2)


def test_small_ball_with_an_offset():
    exact = -noncentral_log_cdf(1e-8, 6, 4.0)
    assert theory.SMALL_BALL(**ball_scalars(np.ones(6), 1e-8, 4.0)) == pytest.approx(
        exact, abs=1e-7
    )


def test_leading_terms_at_a_share_of_the_mean():
    for N in (200, 2000):
        for x in (0.1, 0.5, 0.8):
            exact = theory.ISOTROPIC(N=N, x=x)
            error = abs(theory.ISOTROPIC_LEADING(N=N, x=x) - exact)
            # the next term of the saddlepoint expansion is of order 1 / (N (1 - x)^2)
            assert error <= 4 / (N * (1 - x) ** 2)
            assert theory.TEST_SIZE(m=N / 10, C=10, x=x) <= exact


def test_chernoff_gap_is_stirlings():
    """4.37 nats for N = 2000."""
    assert theory.CHERNOFF_GAP(N=2000) == pytest.approx(4.37, abs=5e-3)
    for N in (50, 2000):
        x = 1e-12
        found = theory.ISOTROPIC(N=N, x=x) - theory.TEST_SIZE(m=N, C=1, x=x)
        assert found == pytest.approx(theory.CHERNOFF_GAP(N=N), abs=1 / N)
        q = -(1 - x) * math.sqrt(N / 2)
        assert theory.CHERNOFF_CORRECTION(q=q) == pytest.approx(found, abs=1 / N)


def test_effective_dimension_of_equal_weights():
    """t = (1 - 1/x) N / 2 in units of the mean, so -2 t eps = N (1 - x)."""
    N, x, step = 120, 0.3, 1e-5
    t = (1 - 1 / x) * N / 2
    assert theory.EFFECTIVE_DIMENSION(t=t, gap=x) == pytest.approx(N * (1 - x))
    up, down = (theory.ISOTROPIC(N=N, x=x * math.exp(s)) for s in (step, -step))
    slope = -2 * (up - down) / (2 * step)
    assert theory.EFFECTIVE_DIMENSION(t=t, gap=x) == pytest.approx(slope, rel=0.03)


def test_slopes_count_test_outputs():
    assert theory.SMALL_BALL_SLOPE(m=40, C=10) == 200
    shallow, deep = (theory.TEST_SIZE_SLOPE(m=40, C=10, eps=e) for e in (1e-4, 1e-8))
    assert deep - shallow == pytest.approx(200 * math.log(1e4))


# ----------------------------------------------------------- regression and half-spaces


def test_linear_regression_reference_values():
    """d - n = 20, eps = .5 tau^2, squared length 3 tau^2: 30.66, and 30.46 by the growth law."""
    at = dict(d=30, n=10, eps=0.5 * 4, tau=2.0, norm2=3.0 * 4)
    assert theory.LINEAR_REGRESSION(**at) == pytest.approx(30.66, abs=5e-3)
    assert theory.LINEAR_REGRESSION_GROWTH(**at) == pytest.approx(30.46, abs=5e-3)
    assert theory.LINEAR_REGRESSION(**at) == pytest.approx(-ncx2.logcdf(0.5, 20, 3.0), rel=1e-9)


def test_linear_regression_by_simulation():
    """The error outside the span of random examples has the law that is claimed."""
    rng = np.random.default_rng(3)
    d, n, size = 8, 3, 40_000
    X, truth = rng.normal(size=(n, d)), rng.normal(size=d)
    outside = np.eye(d) - X.T @ np.linalg.solve(X @ X.T, X)
    theta = 1.5 * rng.normal(size=(size, d))
    errors = np.sum(((theta - truth) @ outside) ** 2, axis=1)
    norm2 = float(truth @ outside @ truth)
    for eps in np.quantile(errors, [0.05, 0.5]):
        nats = theory.LINEAR_REGRESSION(d=d, n=n, eps=eps, tau=1.5, norm2=norm2)
        share = np.mean(errors <= eps)
        assert abs(math.exp(-nats) - share) < 5 * math.sqrt(share * (1 - share) / size)


def test_growth_is_linear_in_the_dimension_and_logarithmic_in_the_error():
    at = dict(n=10, tau=1.0, norm2=1.0)
    for d in (20, 100, 500):
        exact = theory.LINEAR_REGRESSION(d=d, eps=1e-6, **at)
        assert theory.LINEAR_REGRESSION_GROWTH(d=d, eps=1e-6, **at) == pytest.approx(
            exact, abs=0.2 / (d - 10) + 1e-5
        )


@pytest.mark.parametrize(
    ("d", "eps", "nats"),
    [(10, 0.05, 18.73), (20, 0.02, 54.99), (50, 0.01, 172.44), (100, 0.001, 573.76)],
)
def test_half_space_reference_values(d, eps, nats):
    assert theory.HALF_SPACE(d=d, eps=eps) == pytest.approx(nats, abs=5.1e-3)


@pytest.mark.parametrize(("d", "eps"), [(2, 0.3), (10, 0.05), (50, 0.01), (1000, 1e-3), (9, 0.5)])
def test_half_space_against_mpmath(d, eps):
    with mpmath.workdps(60):
        share = mpmath.betainc(
            mpmath.mpf(d - 1) / 2, 0.5, 0, mpmath.sin(mpmath.pi * eps) ** 2, regularized=True
        )
        exact = -float(mpmath.log(share / 2))
    assert theory.HALF_SPACE(d=d, eps=eps) == pytest.approx(exact, rel=1e-11)
    assert theory.HALF_SPACE_UPPER(d=d, eps=eps) >= exact * (1 - 1e-12)
    if eps < 0.5:
        assert theory.HALF_SPACE_LOWER(d=d, eps=eps) <= exact * (1 + 1e-12)
    if d == 2:
        assert exact == pytest.approx(-math.log(eps))


def test_half_space_by_simulation():
    rng = np.random.default_rng(4)
    w = rng.normal(size=(200_000, 4))
    errors = np.arccos(w[:, 0] / np.linalg.norm(w, axis=1)) / np.pi
    share = np.mean(errors <= 0.15)
    expected = math.exp(-theory.HALF_SPACE(d=4, eps=0.15))
    assert abs(share - expected) < 5 * math.sqrt(expected / len(w))


# --------------------------------------------------------------- how S hypotheses do


def test_counting():
    nats, S = 3.0, 500
    p = math.exp(-nats)
    assert theory.COUNT_RELATIVE_VARIANCE(nats=nats, S=S) == pytest.approx((1 - p) / (S * p))
    assert theory.COUNT_BLIND(nats=nats, S=S) == pytest.approx((1 - p) ** S, rel=1e-12)
    assert theory.COUNT_BLIND.agree(nats=nats, S=S) < 1e-12
    assert theory.COUNT_NONE_LOWER.agree(S=S, delta=0.05) < 1e-9
    # the limit is where a count of zero has probability delta, exactly
    limit = theory.COUNT_NONE_LOWER(S=S, delta=0.05)
    assert theory.COUNT_BLIND(nats=limit, S=S) == pytest.approx(0.05, rel=1e-12)
    # Clopper and Pearson at k = 0
    assert math.exp(-limit) == pytest.approx(beta.ppf(0.95, 1, S), rel=1e-10)


@pytest.mark.parametrize("z", [0.5, 2.0, 10.0, 60.0])
def test_normal_fit_error_by_the_delta_method(z):
    """Gradient by differences, Fisher information of (mean, sd): diag(1, 2) / sd^2."""
    nats, S, h = -float(norm.logcdf(-z)), 1000, 1e-5 * z
    up, down = norm.logcdf(-z - h), norm.logcdf(-z + h)
    by_mean = (up - down) / (2 * h)
    by_sd = -z * by_mean  # the argument is (mean - eps) / sd
    expected = math.sqrt((by_mean**2 + by_sd**2 / 2) / S)
    assert theory.NORMAL_FIT_ERROR(nats=nats, S=S) == pytest.approx(expected, rel=1e-5)


def test_normal_fit_error_is_relative_at_depth():
    deep = theory.NORMAL_FIT_ERROR(nats=1e5, S=1000) / 1e5
    assert deep == pytest.approx(math.sqrt(2 / 1000), rel=1e-3)


def test_normal_and_gamma_fits_by_simulation():
    """Standard deviations of refitted biases, 4,000 fits each: within 6 percent."""
    rng = np.random.default_rng(5)
    S, size = 400, 4_000
    draws = rng.normal(size=(size, S))
    fitted = -norm.logcdf(-5.0, draws.mean(axis=1), draws.std(axis=1))
    expected = theory.NORMAL_FIT_ERROR(nats=-norm.logcdf(-5.0), S=S)
    assert fitted.std() == pytest.approx(expected, rel=0.06)
    df, x = 40, 0.2
    errors = rng.chisquare(df, size=(size, S))
    mean = errors.mean(axis=1)
    shape = gamma_projection(mean, np.log(errors).mean(axis=1))
    fitted = -gamma_log_cdf(shape, shape * x * df / mean)
    assert fitted.std() == pytest.approx(theory.GAMMA_FIT_ERROR(df=df, x=x, S=S), rel=0.06)
    assert fitted.mean() == pytest.approx(-chi2.logcdf(x * df, df), rel=0.02)


def test_projection_is_maximum_likelihood():
    from scipy.stats import gamma

    draws = np.random.default_rng(6).gamma(3.0, 2.0, size=500)
    shape, _, scale = gamma.fit(draws, floc=0)
    found = gamma_projection(draws.mean(), np.log(draws).mean())
    assert found == pytest.approx(shape, rel=1e-6)
    assert draws.mean() / found == pytest.approx(scale, rel=1e-6)


def test_a_gamma_fit_of_gamma_errors_tends_to_the_truth_and_of_others_does_not():
    df, x = 60, 0.1
    mean, mean_log = df, math.log(2) + float(mpmath.digamma(df / 2))
    right = theory.GAMMA_FIT_LIMIT(mean=mean, mean_log=mean_log, x=x)
    assert right == pytest.approx(theory.ISOTROPIC(N=df, x=x), rel=1e-9)
    # two scales: weights 1 and 1/10
    rng = np.random.default_rng(7)
    errors = rng.chisquare(30, 200_000) + 0.1 * rng.chisquare(30, 200_000)
    wrong = theory.GAMMA_FIT_LIMIT(mean=33.0, mean_log=np.log(errors).mean(), x=1e-3)
    at = ball_scalars([1.0] * 30 + [0.1] * 30, 0.033)
    lower = theory.SMALL_BALL_LOWER(**{k: v for k, v in at.items() if k != "nu"})
    assert wrong < 0.75 * lower


# -------------------------------------------------------------------- published values


@pytest.mark.parametrize("task", list(theory.PUBLISHED_CLASSIFICATION))
def test_published_difficulty(task):
    constants, bits = theory.PUBLISHED_CLASSIFICATION[task]
    assert theory.DIFFICULTY(**constants) == pytest.approx(bits, rel=4e-3)


@pytest.mark.parametrize("task", list(theory.PUBLISHED_CONTROL))
def test_published_difficulty_of_control(task):
    constants, bits = theory.PUBLISHED_CONTROL[task]
    assert theory.DIFFICULTY_CONTROL(**constants) == pytest.approx(bits, rel=2e-3)


@pytest.mark.parametrize("T", list(theory.PUBLISHED_CARTPOLE))
def test_published_difficulty_of_the_pole(T):
    found = theory.DIFFICULTY_CARTPOLE(observations=T, eps=1e-3, n=1e4, length=1e-3)
    assert found == pytest.approx(theory.PUBLISHED_CARTPOLE[T], rel=0.03)


def test_difficulty_of_imagenet_hardly_depends_on_n_and_steeply_on_the_dimension():
    constants, _ = theory.PUBLISHED_CLASSIFICATION["ImageNet"]
    for changes, bits in (
        ({"n": 1e2}, 3.62e41), ({"n": 1e19}, 3.46e41), ({"m": 60}, 5.0e44), ({"m": 99}, 1.1e50),
    ):  # fmt: skip
        assert theory.DIFFICULTY(**{**constants, **changes}) == pytest.approx(bits, rel=0.015)


def test_difficulty_by_exact_arithmetic():
    """Where K is an integer the number of harmonics is one: counted with integers and mpmath."""
    m, K, classes, n, eps, R = 4, 6, 3, 50, 0.01, 2.0
    # K (K + m - 1) = cutoff^2 with cutoff = 2 pi R / length
    length = 2 * math.pi * R / math.sqrt(K * (K + m - 1))
    E = math.comb(m + K, m) + math.comb(m + K - 1, m)
    D = classes - 1
    with mpmath.workdps(30):
        area = 2 * mpmath.pi ** (mpmath.mpf(m + 1) / 2) * classes / mpmath.gamma((m + 1) / 2)
        W = mpmath.sqrt(mpmath.mpf(m) / 6) * (area / n) ** (mpmath.mpf(1) / m) * R
        per = mpmath.log(mpmath.sqrt(D * classes) / eps * (K * mpmath.sqrt(D) / R) * W, 2)
        expected = float((2 * D * classes * E - n * D) * per)
    found = theory.mgd(eps, n, m, R, classes, length)
    assert float(found) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"eps": 0.0}, "eps must be positive"),
        ({"m": 0.5}, "m must be at least 1"),
        ({"classes": 1}, "classes must be at least 2"),
        ({"R": math.nan}, "R must be positive"),
    ],
)
def test_difficulty_out_of_range(change, match):
    constants, _ = theory.PUBLISHED_CLASSIFICATION["MNIST"]
    with pytest.raises(InputError, match=match):
        theory.mgd(**{**constants, **change})


# ------------------------------------------------------------------------- small things


@pytest.mark.parametrize(
    ("T", "values"),
    [
        (4, [2.7726, 1.1632, 0.3747]),
        (8, [5.5452, 3.3480, 1.9343]),
        (16, [11.0904, 8.2571, 6.1704]),
    ],
)
def test_boolean_reference_values(T, values):
    assert [theory.BOOLEAN(T=T, k=k) for k in range(3)] == pytest.approx(values, abs=5.1e-5)
    total = sum(math.comb(T, j) for j in range(3))
    assert theory.BOOLEAN(T=T, k=2) == pytest.approx(math.log(2**T / total), rel=1e-12)


def test_guess_and_check_reference_value():
    """1882 threshold functions, n = 40, eps = 3/16: 0.465."""
    at = dict(eps=3 / 16, n=40, p_tilde=1 / 1882)
    assert theory.GUESS_AND_CHECK(**at) == pytest.approx(0.465, abs=5e-4)
    assert theory.GUESS_AND_CHECK_SHARP(**at) == pytest.approx(0.465 / 1.465, abs=1e-3)


def test_the_version_of_valle_perez_is_looser():
    at = dict(mass=1e-6, n=50, delta=0.05)
    ours, maurer = theory.MARGINAL_LIKELIHOOD(**at), theory.MARGINAL_LIKELIHOOD_MAURER(**at)
    assert ours < maurer < theory.MARGINAL_LIKELIHOOD_VALLE_PEREZ(**at)
    assert ours == pytest.approx(1 - math.exp(-(math.log(1e6) + math.log(20)) / 50))


def test_code_lengths():
    assert theory.CONDITIONING(train_mass=24 / 1882, both_mass=1 / 1882) == pytest.approx(
        3.1781, abs=5e-5
    )
    assert theory.ADDITIVITY(first=2.0, second=3.5) == 5.5
