"""Lower tails from a spectrum: exact, bounded and approximated values against each other."""

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tlstat.errors import InputError
from tlstat.inductive_bias import tails
from tlstat.inductive_bias.chi_squared import GeneralizedChiSquared
from tlstat.inductive_bias.tails.spectral import saddle

SPREAD = GeneralizedChiSquared(1 / np.arange(1, 41) ** 2, 10, 0.5)
ONE = GeneralizedChiSquared(1 / np.arange(1, 41) ** 2)
MIXED = GeneralizedChiSquared([1.0, -0.5, 0.3], [3, 6, 20], [1, 0, 2], normal_sd=0.1)
LAWS = {"spread": SPREAD, "one output": ONE, "mixed": MIXED}

spectra = st.lists(
    st.tuples(st.floats(0.05, 1), st.floats(0.5, 20), st.floats(0, 10) | st.just(0)),
    min_size=1,
    max_size=6,
)


def law_of(rows):
    return GeneralizedChiSquared(*(list(column) for column in zip(*rows, strict=True)))


def points(law, shares=(1e-20, 1e-3, 0.1, 0.5, 0.9)):
    low = law.support()[0]
    if math.isinf(low):
        return [law.mean() - z * law.std() for z in (20, 5, 2, 0.5)]
    return [low + s * (law.mean() - low) for s in shares]


def test_the_exact_value_comes_with_its_numerical_error():
    for law in LAWS.values():
        for x in points(law):
            found = tails.contour(law, x)
            assert found.log_value == law.logcdf(x) and found.level == 1
            assert 0 < found.upper - found.lower < 1e-9 + 2e-10 * abs(found.log_value)
            assert found.nats == -found.log_value and found.bits == found.nats / math.log(2)
            assert found.interval[0] <= found.nats <= found.interval[1]
    assert tails.contour(ONE, -1.0).nats == math.inf
    assert "exact" in tails.contour(ONE, 1.0).statement


def test_a_kernel_space_on_digits():
    """Values of an independent prototype: 500 + 200 points, bandwidth 1, C = 10, 2000 modes."""
    from sklearn.datasets import load_digits

    from tlstat.inductive_bias import KernelSpace, one_hot
    from tlstat.inductive_bias.kernels import rbf

    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(X))[:700]
    X, y = X[order] / 16, y[order]
    Y, Y_test, _ = one_hot(y[:500], y[500:])
    law = KernelSpace(rbf(1.0)).condition(X[:500], Y).error_law(X[500:], Y_test)
    shares = np.array([0.95, 0.8, 0.6, 0.4, 0.2, 0.1, 0.05, 0.01])
    exact = (2.627, 22.401, 99.925, 286.49, 750.44, 1324.2, 1956.2, 3515.9)
    assert -law.logcdf(shares * law.mean()) == pytest.approx(exact, abs=0.06, rel=1e-5)
    deeper = -law.logcdf(np.array([1e-10, 1e-40]) * law.mean())
    assert deeper == pytest.approx((21_924.062, 91_001.615), abs=2e-3)
    found = [tails.chernoff(law, s * law.mean()).nats for s in (0.8, 0.4, 0.01)]
    assert found == pytest.approx((19.70, 282.7, 3511.6), abs=0.06)
    found = [tails.moment_matched(law, s * law.mean()).nats for s in (0.8, 0.6, 0.4, 0.2, 0.1)]
    assert found == pytest.approx((22.48, 102.0, 308.8, 1039, math.inf), rel=5e-4)


# --- bounds -------------------------------------------------------------------------------------


@given(rows=spectra, z=st.floats(1e-6, 1.5))
@settings(deadline=None, max_examples=50)
def test_chernoffs_bound_always_holds(rows, z):
    law = law_of(rows)
    x = z * law.mean()
    assert tails.chernoff(law, x).log_value >= law.logcdf(x) - 1e-9
    assert tails.chernoff(law, x).upper == tails.chernoff(law, x).log_value


def test_chernoffs_exponent_is_the_supremum():
    """On a grid of t, and by the divergence from the tilted law, whose mean is x."""
    for x in points(SPREAD):
        value = tails.chernoff(SPREAD, x).log_value
        t = saddle(SPREAD, x).t
        around = t * np.geomspace(0.5, 2, 2001)
        grid = SPREAD.cgf(around) - around * x
        slack = 1e-13 * abs(t * x)
        assert value <= grid.min() + slack and value > grid.min() - 1e-3 * (1 + abs(value))
        assert SPREAD.cgf_slope(t) == pytest.approx(x, rel=1e-6)
    assert tails.chernoff(SPREAD, SPREAD.mean()).log_value == 0
    assert tails.chernoff(SPREAD, 0.0).nats == math.inf


def test_chernoffs_gap_is_half_the_log_of_two_pi_q_squared():
    for law in (SPREAD, ONE):
        for x in points(law):
            q = saddle(law, x).q
            if q >= 3:
                gap = tails.chernoff(law, x).log_value - law.logcdf(x)
                assert abs(gap - 0.5 * math.log(2 * math.pi * q * q)) < 0.1


@given(rows=spectra, z=st.floats(-40, 0.5))
@settings(deadline=None, max_examples=60)
def test_the_small_ball_bounds_hold(rows, z):
    law = law_of(rows)
    x = law.mean() * math.exp(z)
    found = tails.small_ball(law, x)
    assert found.lower - 1e-9 <= law.logcdf(x) <= found.upper + 1e-9
    assert found.lower <= found.log_value and found.level == 1


def test_the_small_ball_asymptote_is_attained():
    for law in (SPREAD, ONE):
        found = tails.small_ball(law, 1e-25)
        assert found.log_value == pytest.approx(law.logcdf(1e-25), abs=1e-8)
        assert found.upper - found.lower < 1e-8
    shifted = GeneralizedChiSquared(SPREAD.weights, 10, 0.5, shift=3.0)
    near, far = (tails.small_ball(shifted, 3 + gap).log_value for gap in (2**-30, 2**-20))
    assert far - near == pytest.approx(200 * 10 * math.log(2), rel=1e-12)
    # a fractional number of degrees of freedom with a non-centrality needs the other upper bound
    law = GeneralizedChiSquared([1.0], 0.1, 40.0)
    found = tails.small_ball(law, 1e-4)
    assert found.log_value + 5e-4 < law.logcdf(1e-4) <= found.upper


@pytest.mark.parametrize("law", [MIXED, GeneralizedChiSquared([0.0])], ids=["mixed", "point"])
def test_no_small_ball_without_an_infimum(law):
    with pytest.raises(InputError, match="expected positive"):
        tails.small_ball(law, 0.1)


# --- approximations -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", LAWS)
def test_the_error_term_of_lugannani_and_rice_is_about_its_error(name):
    law = LAWS[name]
    for x in [*points(law), law.mean(), law.mean() + 0.05 * law.std(), law.mean() + 3 * law.std()]:
        found, exact = tails.saddlepoint(law, x), law.logcdf(x)
        error = abs(found.log_value - exact)
        estimate = found.log_value - found.lower
        assert error < 3 * estimate + 1e-12, (x, error, estimate)
        assert error < 0.06
        assert found.level is None


def test_lugannani_and_rice_at_depth_is_off_by_a_sixth_over_the_degrees_of_freedom():
    for df, off in ((1, 0.145), (2, 0.077), (10, 0.0157), (50, 0.0031)):
        law = GeneralizedChiSquared([1.0], df)
        x = 1e-8
        assert tails.saddlepoint(law, x).log_value - law.logcdf(x) == pytest.approx(off, rel=0.05)


def test_lugannani_and_rice_is_continuous_at_the_mean():
    """Where the formula is singular the limit takes over; both sides agree with it."""
    for law in LAWS.values():
        z = 1e-4 * np.array([-2, -1.01, -0.99, 0, 0.99, 1.01, 2])
        found = [tails.saddlepoint(law, law.mean() + v * law.std()).log_value for v in z]
        exact = [law.logcdf(law.mean() + v * law.std()) for v in z]
        gap = np.array(found) - np.array(exact)
        assert np.ptp(gap) < 2e-5


def test_the_matched_law_is_exact_where_the_law_is_in_the_family():
    law = GeneralizedChiSquared(np.full(20, 0.3), 1, 0.7)
    for x in (0.5, 3.0, 9.0):
        assert tails.moment_matched(law, x).log_value == pytest.approx(law.logcdf(x), rel=1e-7)
    central = GeneralizedChiSquared([2.0], 7)
    assert tails.moment_matched(central, 1.0).log_value == pytest.approx(
        stats.chi2(7).logcdf(0.5), rel=1e-9
    )


def test_the_matched_law_has_the_cumulants_it_claims():
    """Liu, Tang and Zhang match three cumulants; below the matched support they give infinity."""
    law = SPREAD
    c2, c3, c4 = law.cumulants(4)[1:] / np.array([2, 8, 48])
    assert (c3 / c2**1.5) ** 2 > 0  # the branch with delta = 0 is the test above
    # the distribution function is right in the bulk, where three cumulants decide
    for z in (-1, 0, 1, 2):
        x = law.mean() + z * law.std()
        assert tails.moment_matched(law, x).log_value == pytest.approx(law.logcdf(x), abs=0.05)
    assert tails.moment_matched(law, 0.05 * law.mean()).nats == math.inf
    assert tails.contour(law, 0.05 * law.mean()).nats < 150
    with pytest.raises(InputError, match="skewness"):
        tails.moment_matched(GeneralizedChiSquared([-1.0]), -1.0)


def test_simple_matched_laws():
    law = SPREAD
    shape = law.mean() ** 2 / law.var()
    gamma = stats.gamma(shape, scale=law.mean() / shape)
    normal = stats.norm(law.mean(), law.std())
    for x in (0.3, 4.0, 20.0):
        assert tails.gamma_matched(law, x).log_value == pytest.approx(gamma.logcdf(x), rel=1e-9)
        assert tails.normal_matched(law, x).log_value == pytest.approx(normal.logcdf(x), rel=1e-9)
    assert tails.gamma_matched(law, 4.0).level is None
    with pytest.raises(InputError, match="mean"):
        tails.gamma_matched(GeneralizedChiSquared([-1.0]), -1.0)


# --- effective dimension ------------------------------------------------------------------------


def test_the_effective_dimension_is_a_slope():
    for x in (0.1, 1.0, 6.0):
        h = 1e-5
        up, down = (SPREAD.logcdf(x * math.exp(s * h)) for s in (1, -1))
        exact = tails.effective_dimension(SPREAD, x, exact=True)
        assert exact == pytest.approx((up - down) / h, rel=1e-6)
        assert tails.effective_dimension(SPREAD, x) == pytest.approx(exact, rel=0.15, abs=2)


def test_the_effective_dimension_runs_from_0_to_the_degrees_of_freedom():
    low = 1e-10
    assert tails.effective_dimension(ONE, low) == pytest.approx(40, rel=1e-4)
    assert tails.effective_dimension(ONE, low, exact=True) == pytest.approx(40, rel=1e-4)
    assert tails.effective_dimension(ONE, ONE.mean()) == 0
    values = [tails.effective_dimension(ONE, x) for x in np.geomspace(1e-8, 1.6, 40)]
    assert (np.diff(values) < 0).all() and max(values) <= 40
    assert tails.effective_dimension(ONE, -1.0) == 40
    chi = GeneralizedChiSquared(np.ones(120))
    assert tails.effective_dimension(chi, 120.0, exact=True) == pytest.approx(11.9, abs=0.05)
    with pytest.raises(InputError, match="infimum"):
        tails.effective_dimension(ONE, 0.0, exact=True)


def test_large_non_centralities_lift_it_above_the_degrees_of_freedom():
    law = GeneralizedChiSquared(np.ones(120), 1, 60)
    assert max(tails.effective_dimension(law, s * law.mean()) for s in (0.1, 0.2, 0.3)) > 700


# --- the noncentral law on its own --------------------------------------------------------------


@pytest.mark.parametrize(
    ("df", "nc", "x"),
    [
        (1671, 1, 1700),
        (1671, 50, 1700),
        (1671, 0, 1700),
        (10, 5, 3),
        (1, 2, 0.5),
        (0.3, 1e-8, 0.1),
        (62, 1e-3, 60),
        (62, 1e4, 1.1e4),
        (2e5, 300, 2e5),
        (3, 1e5, 1e5),
        (4, 1e-12, 1e-9),
    ],
)
def test_the_noncentral_density_does_not_underflow(df, nc, x):
    with mp.workdps(40):
        if nc:
            order = mp.mpf(df) / 2 - 1
            bessel = mp.log(mp.besseli(order, mp.sqrt(mp.mpf(nc) * mp.mpf(x))))
            value = order / 2 * mp.log(mp.mpf(x) / mp.mpf(nc)) + bessel
        else:
            order = mp.mpf(df) / 2 - 1
            value = order * mp.log(mp.mpf(x) / 2) - mp.loggamma(order + 1)
        value = float(value - (mp.mpf(x) + nc) / 2 - mp.log(2))
    slack = 1e-12 + 1e-15 * (x + nc + df)
    assert abs(tails.noncentral_logpdf(x, df, nc) - value) < slack
    # two ways that share no code
    assert abs(GeneralizedChiSquared([1.0], df, nc).logpdf(x) - value) < 1e-10 + slack


def test_scipys_density_underflows_where_ours_does_not():
    ours = np.array([tails.noncentral_logpdf(1700, 1671, nc) for nc in (1, 10, 50)])
    assert np.isfinite(ours).all()
    with np.errstate(all="ignore"):
        theirs = np.array([stats.ncx2.logpdf(1700, 1671, nc) for nc in (1, 10, 50)])
    alike = np.isfinite(theirs)  # none with scipy 1.17
    np.testing.assert_allclose(ours[alike], theirs[alike], rtol=1e-9)


@pytest.mark.parametrize(("df", "nc"), [(2000, 300), (1, 3), (0.4, 0), (30, 1e4)])
def test_the_mixture_and_the_contour_agree_at_any_depth(df, nc):
    law = GeneralizedChiSquared([1.0], df, nc)
    x = (df + nc) * np.array([1e-30, 1e-3, 0.3, 0.9, 1.0])
    mixture, exact = tails.noncentral_logcdf(x, df, nc), law.logcdf(x)
    assert np.abs(mixture - exact).max() < 1e-9 + 1e-12 * np.abs(exact).max()
    assert tails.noncentral_logcdf([-1.0, math.inf], df, nc).tolist() == [-math.inf, 0]
    assert math.isnan(tails.noncentral_logcdf(math.nan, df, nc))


def test_noncentral_edges_and_bad_input():
    assert tails.noncentral_logpdf([-1.0, 0.0], 1, 1).tolist() == [-math.inf, math.inf]
    assert tails.noncentral_logpdf(0.0, 2, 1) == pytest.approx(-math.log(2) - 0.5)
    assert tails.noncentral_logpdf(0.0, 3, 1) == -math.inf
    for df, nc in ((0, 1), (1, -1), (math.nan, 1), (1, math.inf)):
        with pytest.raises(InputError):
            tails.noncentral_logpdf(1.0, df, nc)
    with pytest.raises(InputError, match="contour"):
        tails.noncentral_logcdf(1.0, 1, 1e9)


def test_bad_targets_are_named():
    for function in (tails.contour, tails.chernoff, tails.saddlepoint, tails.moment_matched):
        with pytest.raises(InputError, match="x is nan"):
            function(ONE, math.nan)
    assert tails.saddlepoint(ONE, -1.0).nats == math.inf
    assert tails.saddlepoint(GeneralizedChiSquared([-1.0]), 0.5).nats == 0
