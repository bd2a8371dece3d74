"""The generalised chi-squared law against representations that share nothing with its contour."""

import math
import warnings

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tlstat.backend import Random, to_numpy
from tlstat.errors import InputError
from tlstat.inductive_bias import contour, path
from tlstat.inductive_bias.chi_squared import AccuracyWarning, GeneralizedChiSquared


def near(value, reference):
    """Whether a log-probability is within what is promised."""
    return abs(value - reference) <= max(1e-9, 1e-10 * abs(reference))


def agrees(law, x, lower, upper):
    """Both tails are what they should be, and their errors are not understated."""
    cdf, cdf_error, sf, sf_error = (float(v) for v in law.log_probabilities(x))
    for value, error, reference in ((cdf, cdf_error, lower), (sf, sf_error, upper)):
        reference = float(reference)
        assert near(value, reference), (x, value, reference)
        # beyond the float that the reference was rounded to
        assert abs(value - reference) <= error + 4e-16 * (1 + abs(reference)), (x, error)


# --- closed forms ------------------------------------------------------------------------------


@pytest.mark.parametrize("df", [0.01, 0.5, 1, 2, 3.3, 10, 1000])
@pytest.mark.parametrize("share", [1e-40, 1e-5, 0.3, 0.99, 1, 1.5, 8])
def test_one_mode_is_the_incomplete_gamma_function(df, share):
    x = df * share
    with mp.workdps(40):
        a, y = mp.mpf(df) / 2, mp.mpf(x) / 2 / 3
        lower = mp.log(mp.gammainc(a, 0, y, regularized=True))
        upper = mp.log(mp.gammainc(a, y, mp.inf, regularized=True))
    agrees(GeneralizedChiSquared([3.0], df), x, lower, upper)


@pytest.mark.parametrize(
    ("x", "reference"), [(900, -4.536), (500, -99.911), (100, -705.214), (1e-30, -37496.681)]
)
def test_a_thousand_degrees_of_freedom_at_published_points(x, reference):
    assert abs(GeneralizedChiSquared(np.ones(1000)).logcdf(x) - reference) < 6e-4


@pytest.mark.parametrize(
    ("df", "nc", "share"),
    [
        (df, nc, share)
        for df, nc in ((1, 0.5), (0.2, 30), (30, 15), (2000, 300))
        for share in (1e-30, 0.01, 0.6, 1, 1.4)
    ]
    + [(3, 4e4, 1)],
)
def test_equal_weights_are_the_noncentral_law(df, nc, share):
    """Against the Poisson mixture of central laws, 60 digits."""
    x = share * (df + nc)
    with mp.workdps(60):
        half, y = mp.mpf(nc) / 2, mp.mpf(x) / 2
        a = mp.mpf(df) / 2
        first, last = 0, int(nc / 2 + 14 * math.sqrt(nc / 2) + 40)
        if nc == 4e4:
            first = int(nc / 2 - 14 * math.sqrt(nc / 2))
        # P(a + 1, y) = P(a, y) - y^a e^-y / Gamma(a + 1), from the last term down
        p = mp.gammainc(a + last, 0, y, regularized=True)
        weight = mp.exp(-half + last * mp.log(half) - mp.loggamma(last + 1))
        step = mp.exp((a + last - 1) * mp.log(y) - y - mp.loggamma(a + last))
        lower = weight * p
        for j in range(last - 1, first - 1, -1):
            p += step
            step *= (a + j) / y
            weight *= (j + 1) / half
            lower += weight * p
        lower, upper = mp.log(lower), mp.log1p(-lower)
    law = GeneralizedChiSquared([2.0, 2.0], df / 2, [nc / 4, 3 * nc / 4])
    agrees(law, 2 * x, lower, upper)


def hypoexponential(weights, x):
    """Tails of a sum of scaled chi-squares with two degrees of freedom and distinct weights."""
    w = [mp.mpf(v) for v in weights]
    x = mp.mpf(x)
    ratio = [mp.fprod(a / (a - b) for b in w if b != a) for a in w]
    side = [(a, c) for a, c in zip(w, ratio, strict=True) if (a > 0) == (x >= 0)]
    tail = mp.fsum(c * mp.exp(-x / (2 * a)) for a, c in side)
    # beyond 0 the terms of one sign add up to the tail on that side
    upper, lower = (tail, 1 - tail) if x >= 0 else (1 - tail, tail)
    return mp.log(lower), mp.log(upper)


@pytest.mark.parametrize(
    "weights",
    [
        (1.0, 0.5),
        tuple(1 / j**2 for j in range(1, 21)),
        (1.0, 0.999, 1e-6),
        (1.0, -0.3),
        (2.0, -1.0, 0.5, -3.0, 1e-3),
        tuple((-1) ** j * (1 + j / 7) for j in range(12)),
    ],
)
@pytest.mark.parametrize("x", [-400.0, -3.0, -1e-6, 1e-6, 0.1, 1.0, 10.0, 2000.0])
def test_two_degrees_of_freedom_a_mode_have_a_closed_form(weights, x):
    law = GeneralizedChiSquared(weights, 2)
    if x < 0 and min(weights) > 0:
        assert law.logcdf(x) == -math.inf and law.logsf(x) == 0
        return
    with mp.workdps(400):
        lower, upper = hypoexponential(weights, x)
    agrees(law, x, lower, upper)


def ruben(weights, df, nc, x, terms):
    """Ruben's series of central chi-squares (Ann. Math. Stat. 33 (1962) 542), lower tail."""
    w, df, nc, x = ([mp.mpf(v) for v in row] for row in (weights, df, nc, [x]))
    beta, half = min(w), sum(df) / 2
    c = [mp.exp(-sum(nc) / 2) * mp.fprod((beta / a) ** (d / 2) for a, d in zip(w, df, strict=True))]
    g = [
        mp.fsum(
            d * (1 - beta / a) ** m + m * v * (beta / a) * (1 - beta / a) ** (m - 1)
            for a, d, v in zip(w, df, nc, strict=True)
        )
        for m in range(1, terms)
    ]
    for k in range(1, terms):
        c.append(mp.fsum(g[k - r - 1] * c[r] for r in range(k)) / (2 * k))
    y = x[0] / beta / 2
    p = [mp.gammainc(half + terms - 1, 0, y, regularized=True)]
    for k in range(terms - 2, -1, -1):
        p.append(p[-1] + mp.exp((half + k) * mp.log(y) - y - mp.loggamma(half + k + 1)))
    return mp.log(mp.fsum(a * b for a, b in zip(c, reversed(p), strict=True)))


@pytest.mark.parametrize(
    ("weights", "df", "nc"),
    [
        ((1.0, 0.7, 0.2), (1, 1, 1), (0, 0, 0)),
        ((1.0, 0.4), (0.3, 2.2), (4, 0.5)),
        ((1.0, 0.9, 0.8, 0.5), (10, 10, 10, 10), (3, 0, 7, 100)),
    ],
)
@pytest.mark.parametrize("share", [1e-12, 1e-3, 0.2, 0.7, 1.2])
def test_any_degrees_of_freedom_agree_with_rubens_series(weights, df, nc, share):
    law = GeneralizedChiSquared(weights, df, nc)
    x = share * law.mean()
    with mp.workdps(30):
        lower = ruben(weights, df, nc, x, 240)
        agrees(law, x, lower, mp.log1p(-mp.exp(lower)))


@pytest.mark.parametrize("sd", [1e-3, 0.4, 1.0, 30.0])
@pytest.mark.parametrize("w", [1.0, -2.0])
def test_a_normal_summand_gives_the_exponentially_modified_normal(sd, w):
    law = GeneralizedChiSquared([w], 2, shift=0.5, normal_sd=sd)
    for z in (-30, -5, -1, 0, 0.3, 2, 20):
        x = 0.5 + z * sd
        with mp.workdps(500):
            y, s = (x - mp.mpf("0.5")) * (1 if w > 0 else -1), mp.mpf(sd)
            m = 2 * abs(mp.mpf(w))
            lower = mp.ncdf(y / s) - mp.exp(s**2 / (2 * m**2) - y / m) * mp.ncdf(y / s - s / m)
            lower, upper = mp.log(lower), mp.log(1 - lower)
        agrees(law, x, *((lower, upper) if w > 0 else (upper, lower)))


def test_a_difference_of_fractional_modes_agrees_with_a_convolution():
    """One mode of each sign with 1 and 3.5 degrees of freedom, by quadrature over the second."""
    law = GeneralizedChiSquared([1.0, -0.25], [1, 3.5])
    for x in (-20.0, 6.0):
        with mp.workdps(30):
            edge = mp.mpf(max(0, -4 * x))

            def density(y):
                return mp.exp(0.75 * mp.log(y) - y / 2) / (mp.gamma(1.75) * 2 ** mp.mpf(1.75))

            # y = edge + v^4: fractional powers at the edge become whole ones
            def upper(v, x=x, edge=edge):
                y = edge + v**4
                rest = mp.gammainc(0.5, (x + y / 4) / 2, mp.inf, regularized=True)
                return 4 * v**3 * density(y) * rest

            def lower(v, x=x, edge=edge):
                y = edge + v**4
                return (
                    4 * v**3 * density(y) * mp.gammainc(0.5, 0, (x + y / 4) / 2, regularized=True)
                )

            knots = mp.linspace(0, 5, 13)
            above = mp.quad(upper, knots) + mp.gammainc(1.75, 0, edge / 2, regularized=True)
            below = mp.quad(lower, knots)
        agrees(law, x, mp.log(below), mp.log(above))


def test_a_hundred_thousand_nats():
    """At 1e-45 of the mean the small-ball power is exact to 1e-40."""
    w = 1 / np.arange(1.0, 501) ** 1.5
    law = GeneralizedChiSquared(w, 4, 0.3)
    x = 1e-45 * law.mean()
    with mp.workdps(40):
        half = mp.mpf(1000)
        value = half * mp.log(mp.mpf(x)) - mp.loggamma(half + 1) - mp.mpf(0.3) * 500 / 2
        value -= mp.fsum(2 * mp.log(2 * mp.mpf(v)) for v in w)
    assert value < -1e5
    assert abs(law.logcdf(x) - float(value)) < 1e-13 * abs(float(value))
    # and on beyond what a square of the saddlepoint can hold
    assert law.logcdf(1e-300) == pytest.approx(
        float(value) + 1000 * math.log(1e-300 / x), rel=1e-13
    )


# --- laws that hold for every spectrum -----------------------------------------------------------

modes = st.lists(
    st.tuples(
        st.floats(1e-3, 1) | st.floats(-1, -1e-3),
        st.floats(0.05, 30),
        st.floats(0, 20) | st.just(0),
    ),
    min_size=1,
    max_size=6,
)


def law_of(rows, **options):
    w, df, nc = (list(column) for column in zip(*rows, strict=True))
    return GeneralizedChiSquared(w, df, nc, **options)


@given(rows=modes, z=st.floats(-12, 12), sd=st.just(0.0) | st.floats(1e-3, 3))
@settings(deadline=None, max_examples=40)
def test_tails_add_up_whichever_is_integrated(rows, z, sd):
    law = law_of(rows, normal_sd=sd)
    x = law.mean() + z * law.std()
    low, high = law.support()
    if not low < x < high:
        return
    q = np.array([(x - law.shift) / law.scale])
    with warnings.catch_warnings():
        warnings.simplefilter("error", AccuracyWarning)
        lower, upper = (law._by_contour(q, lower=side)[0][0] for side in (True, False))
        assert math.exp(lower) + math.exp(upper) == pytest.approx(1, abs=1e-11)
        assert near(law.logcdf(x), lower) or law.logcdf(x) > -1e-9
        assert law.cdf(x) + law.sf(x) == pytest.approx(1, abs=1e-14)


@given(rows=modes, z=st.floats(-5, 40), factor=st.sampled_from([1e-30, 0.25, 1e30]))
@settings(deadline=None, max_examples=40)
def test_scale_order_and_splitting_of_modes_do_not_matter(rows, z, factor):
    law = law_of(rows)
    x = law.mean() + z * law.std()
    w, df, nc = law.weights, law.df, law.nc
    halves = GeneralizedChiSquared(
        factor * np.concatenate([w, w])[::-1],
        np.concatenate([df / 2, df / 2])[::-1],
        np.concatenate([nc, 0 * nc])[::-1],
        shift=3 * factor,
    )
    # adding and taking off the shift moves x by a rounding error, which the tail magnifies
    slack = (
        1e-15 * (abs(x) + 3) * math.exp(min(law.logpdf(x) - min(law.logsf(x), law.logcdf(x)), 300))
        if math.isfinite(law.logpdf(x))
        else 0
    )
    for name in ("logcdf", "logsf"):
        value, other = getattr(law, name)(x), getattr(halves, name)(factor * (x + 3))
        assert value == other or abs(value - other) <= max(1e-9, 1e-9 * abs(value)) + 4 * slack


@given(rows=modes, z=st.floats(-4, 6), more=st.tuples(st.floats(1e-3, 1), st.floats(0.05, 5)))
@settings(deadline=None, max_examples=40)
def test_a_stochastically_larger_law_has_smaller_lower_tails(rows, z, more):
    law = law_of(rows)
    x = law.mean() + z * law.std()
    larger = law_of([*rows, (*more, 0.0)])
    w = law.weights
    shifted = GeneralizedChiSquared(w, law.df, law.nc + np.where(w > 0, 1.0, 0.0))
    for other in (larger, shifted):
        assert other.logcdf(x) <= law.logcdf(x) + 1e-9


@given(rows=modes, factor=st.floats(0.6, 1.5), z=st.floats(-6, 6))
@settings(deadline=None)
def test_the_value_does_not_depend_on_where_the_path_crosses(rows, factor, z):
    law = law_of(rows)
    q = np.array([(law.mean() + z * law.std()) / law.scale])
    if not law.support()[0] < q[0] * law.scale < law.support()[1]:
        return
    modes = law.modes
    with np.errstate(all="ignore"):
        t, _ = contour.crossing(np, modes, q, pole=True)
        top = modes.w.max()
        moved = t * factor if top <= 0 else np.minimum(t * factor, (t + 0.5 / top) / 2)
        a = 1 - 2 * modes.w * moved[:, None]
        route = path.Path.through(np, modes, q, moved, a, pole=True)
        integral, error = path.integrate(np, route, 1 << 20)
        value = contour.exponent_at(np, modes, q, moved, a)[0] + np.log(integral / math.pi)
    if error[0] < 1e-10 * integral[0]:
        assert abs(value[0] - contour.log_tail(modes, q)[0][0]) < 1e-9


@given(rows=modes, p=st.floats(1e-12, 1 - 1e-12))
@settings(deadline=None, max_examples=30)
def test_quantiles_invert_the_distribution_function(rows, p):
    law = law_of(rows)
    x = law.ppf(p)
    # the quantile of a law with an infinite density moves by many probabilities within one float
    width = abs(np.spacing(x)) * 4
    assert law.cdf(x - width) <= p * (1 + 1e-11) and law.cdf(x + width) >= p * (1 - 1e-11)


# --- density, quantiles, draws ------------------------------------------------------------------


@pytest.mark.parametrize(
    "law",
    [
        GeneralizedChiSquared([1.0, 0.3], [2, 1], [0, 3]),
        GeneralizedChiSquared([1.0, -0.6, 0.1], [1, 2.5, 4], [2, 0, 1], shift=-1, normal_sd=0.2),
    ],
    ids=["positive", "mixed"],
)
def test_the_density_is_the_slope_of_the_distribution_function(law):
    x = law.ppf(np.array([1e-9, 0.01, 0.3, 0.5, 0.9, 1 - 1e-9]))
    h = 1e-4 * law.std() * np.minimum(1, np.abs(x - law.support()[0]))
    # two central differences, extrapolated
    rough, fine = ((law.cdf(x + k * h) - law.cdf(x - k * h)) / (2 * k * h) for k in (2, 1))
    slope = (4 * fine - rough) / 3
    # below the median the difference of two distribution functions has relative precision
    assert slope[:4] == pytest.approx(law.pdf(x[:4]), rel=1e-6)
    assert slope[4] == pytest.approx(law.pdf(x[4]), rel=1e-6)


def test_densities_against_closed_forms():
    x = np.array([-300.0, -2.0, 1e-9, 0.5, 900.0])
    laplace = GeneralizedChiSquared([1.0, -1.0], 2)
    assert laplace.logpdf(x) == pytest.approx(stats.laplace(scale=2).logpdf(x), abs=1e-10)
    y = np.array([1e-200, 0.01, 1.0, 50.0, 4000.0])
    for df in (0.3, 2, 7):
        assert GeneralizedChiSquared([1.0], df).logpdf(y) == pytest.approx(
            stats.chi2(df).logpdf(y), rel=1e-12, abs=1e-10
        )


def test_density_at_the_ends():
    def density(law, x=0.0):
        return law.pdf(x)

    assert density(GeneralizedChiSquared([1.0], 1)) == math.inf
    assert density(GeneralizedChiSquared([1.0], 3)) == 0
    assert density(GeneralizedChiSquared([1.0, 4.0], 1)) == pytest.approx(0.25, rel=1e-12)
    assert density(GeneralizedChiSquared([1.0, 4.0], 1), 1e-12) == pytest.approx(0.25, rel=1e-9)
    assert density(GeneralizedChiSquared([1.0, -1.0], 1)) == math.inf  # logarithmically
    assert density(GeneralizedChiSquared([1.0, -1.0], 2)) == pytest.approx(0.25, rel=1e-12)
    assert density(GeneralizedChiSquared([1.0], 1), -0.1) == 0


def test_quantiles_at_every_depth():
    law = GeneralizedChiSquared(1 / np.arange(1, 201) ** 2, 5, 0.5)
    depths = np.array([-1e5, -2000.0, -30.0, -0.7, -1e-3, -1e-12])
    assert law.logcdf(law.ilogcdf(depths)) == pytest.approx(depths, rel=1e-10)
    assert law.logsf(law.ilogsf(depths)) == pytest.approx(depths, rel=1e-10)
    p = np.array([0.0, 1e-200, 0.2, 0.5, 1.0])
    assert law.ppf(p)[[0, -1]].tolist() == [0.0, math.inf]
    assert law.isf(p)[[0, -1]].tolist() == [math.inf, 0.0]
    assert law.cdf(law.ppf(p)) == pytest.approx(p, rel=1e-10)
    assert law.sf(law.isf(p)) == pytest.approx(p, rel=1e-10)
    assert law.median() == pytest.approx(law.ppf(0.5))
    assert math.isnan(law.ppf(math.nan))
    assert GeneralizedChiSquared([1.0], 1).ilogcdf(-1e4) == 0  # below the smallest float
    mixed = GeneralizedChiSquared([1.0, -2.0], normal_sd=0.1)
    assert mixed.logcdf(mixed.ilogcdf(-5000.0)) == pytest.approx(-5000, rel=1e-10)
    scalar = GeneralizedChiSquared([1.0], 4).ppf(0.3)
    assert isinstance(scalar, float) and scalar == pytest.approx(stats.chi2(4).ppf(0.3), rel=1e-13)


@pytest.mark.parametrize("source", ["numpy", "Random", "torch"])
def test_draws_follow_the_law(source):
    law = GeneralizedChiSquared([1.0, -0.5, 0.2], [0.5, 2, 7], [3, 0, 1], shift=1, normal_sd=0.3)
    rng = 7 if source == "numpy" else Random(7, source if source == "torch" else "numpy")
    draws = to_numpy(law.rvs((50, 400), rng))
    assert draws.shape == (50, 400)
    # a grid, since the exact distribution function costs more than a draw
    points = law.ppf(np.linspace(0.02, 0.98, 49))
    share = np.searchsorted(np.sort(draws.ravel()), points, side="right") / draws.size
    # Dvoretzky, Kiefer and Wolfowitz at 1e-6
    assert np.abs(share - np.linspace(0.02, 0.98, 49)).max() < math.sqrt(7.25 / draws.size)
    assert abs(draws.mean() - law.mean()) < 5 * law.std() / math.sqrt(draws.size)
    assert isinstance(law.rvs(random_state=1), float)


def test_cumulants_are_derivatives_of_the_generating_function():
    law = GeneralizedChiSquared([1.0, -0.5, 0.2], [0.5, 2, 7], [3, 0, 1], shift=1, normal_sd=0.3)
    with mp.workdps(40):

        def cgf(t):
            total = t + mp.mpf(0.3) ** 2 * t**2 / 2
            for w, df, nc in zip(law.weights, law.df, law.nc, strict=True):
                a = 1 - 2 * mp.mpf(w) * t
                total += -mp.mpf(df) / 2 * mp.log(a) + mp.mpf(nc) * mp.mpf(w) * t / a
            return total

        expected = [float(mp.diff(cgf, 0, k)) for k in range(1, 6)]
        assert law.cumulants(5) == pytest.approx(expected, rel=1e-12)
        for t in (-0.7, 0.2):
            assert law.cgf(t) == pytest.approx(float(cgf(mp.mpf(t))), rel=1e-13)
            assert law.cgf_slope(t) == pytest.approx(float(mp.diff(cgf, t)), rel=1e-12)
            assert law.cgf_curvature(t) == pytest.approx(float(mp.diff(cgf, t, 2)), rel=1e-12)
    assert law.mean() == law.cumulants(1)[0] and law.var() == pytest.approx(law.std() ** 2)
    assert law.cgf([-1.0, 0.5, 0.6]).tolist()[0] == math.inf and law.cgf(0.5) == math.inf


# --- special cases and bad input ----------------------------------------------------------------


def test_ends_of_the_support():
    law = GeneralizedChiSquared([1.0, 0.5], shift=2)
    assert law.support() == (2.0, math.inf)
    assert law.logcdf([-math.inf, 1.0, 2.0, math.inf]).tolist() == [-math.inf] * 3 + [0.0]
    assert law.logsf([1.0, 2.0, math.inf]).tolist() == [0.0, 0.0, -math.inf]
    assert math.isnan(law.logcdf(math.nan)) and math.isnan(law.logpdf(math.nan))
    negative = GeneralizedChiSquared([-1.0], shift=2)
    assert negative.support() == (-math.inf, 2.0)
    assert negative.cdf([2.0, 3.0]).tolist() == [1.0, 1.0] and negative.sf(2.0) == 0
    assert negative.logcdf(-10.0) == pytest.approx(stats.chi2(1).logsf(12), rel=1e-12)
    assert GeneralizedChiSquared([1.0, -1.0]).support() == (-math.inf, math.inf)
    assert isinstance(law.logcdf(3.0), float) and law.logcdf(np.ones((2, 3))).shape == (2, 3)


def test_zero_weights_contribute_nothing():
    law = GeneralizedChiSquared([0.0, 1.0, 0.0], [5, 2, 1], [9, 1, 0])
    assert law.logcdf(1.5) == GeneralizedChiSquared([1.0], 2, 1).logcdf(1.5)
    point = GeneralizedChiSquared([0.0, 0.0], shift=3)
    assert point.support() == (3.0, 3.0) and point.std() == 0
    assert point.logcdf([2.9, 3.0, 3.1]).tolist() == [-math.inf, 0.0, 0.0]
    assert point.logsf([2.9, 3.0]).tolist() == [0.0, -math.inf]
    assert point.rvs(3, 0).tolist() == [3.0] * 3 and point.ppf(0.2) == 3
    with pytest.raises(InputError, match="point mass"):
        point.pdf(3.0)
    normal = GeneralizedChiSquared([], normal_sd=2)
    x = np.array([-60.0, -1.0, 0.0, 5.0])
    assert normal.logcdf(x) == pytest.approx(stats.norm(scale=2).logcdf(x), rel=1e-11)
    assert normal.logpdf(x) == pytest.approx(stats.norm(scale=2).logpdf(x), rel=1e-11)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(weights=[1.0, np.nan]), "weights is nan at index 1"),
        (dict(weights=[[1.0]]), "shape"),
        (dict(weights=["a"]), "numbers"),
        (dict(weights=[1.0], df=0), "df has the value 0.0; expected numbers above 0"),
        (dict(weights=[1.0], df=[1, 2]), "expected one number"),
        (dict(weights=[1.0], nc=-1), "nc has the value -1.0"),
        (dict(weights=[1.0], nc=np.inf), "nc is inf"),
        (dict(weights=[1.0], normal_sd=-1), "normal_sd is -1.0"),
        (dict(weights=[1.0], shift=[1, 2]), "shift has shape"),
        (dict(weights=[1.0, 1e-70]), "ratio"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(InputError, match=message):
        GeneralizedChiSquared(**arguments)


def test_bad_probabilities_and_orders_are_named():
    law = GeneralizedChiSquared([1.0])
    with pytest.raises(InputError, match="p has values outside"):
        law.ppf(1.1)
    with pytest.raises(InputError, match="log_p has values above 0"):
        law.ilogcdf(0.1)
    with pytest.raises(InputError, match="order is 0"):
        law.cumulants(0)
    with pytest.raises(InputError, match="x is not an array of numbers"):
        law.cdf("a")


def test_a_value_that_misses_its_accuracy_says_so(monkeypatch):
    """With too few nodes the estimated error covers the true one, and there is a warning."""
    law = GeneralizedChiSquared([1.0, 0.01, -0.02], [1, 3, 5], [50, 0, 0])
    x = law.mean() - 3 * law.std()
    exact = law.logcdf(x)
    monkeypatch.setattr(path, "FIRST", 4)
    monkeypatch.setattr(path, "MOST", 8)
    with pytest.warns(AccuracyWarning, match="estimated error"):
        value = law.logcdf(x)
    _, error, _, _ = law.log_probabilities(x)
    assert 1e-9 < abs(value - exact) <= error
