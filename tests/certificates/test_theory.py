"""The bounds: published numbers, agreement with the certificates, exact probabilities."""

import itertools
import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import binom
from sympy import Rational

from tlstat.certificates import CERTIFICATES, gibbs_certificate, theory, weights
from tlstat.errors import InputError
from tlstat.theory import Bound

BOUNDS = {name: getattr(theory, name) for name in theory.__all__ if name.isupper()}

# ------------------------------------------------------------------ published numbers


def test_the_two_published_minima_are_arithmetic():
    """2.55 for the continuous class of 1,024 parameters, 0.30 for 20,000 candidates, one error."""
    assert theory.CONTINUOUS_CLASS(k=0, n=80, d=1024, delta=0.05) == pytest.approx(2.5506, abs=5e-5)
    assert theory.FINITE_CLASS(k=1, n=80, M=20_000, delta=0.05) == pytest.approx(0.2964, abs=5e-5)
    assert round(float(theory.CONTINUOUS_CLASS(k=0, n=80, d=1024, delta=0.05)), 2) == 2.55
    assert round(float(theory.FINITE_CLASS(k=1, n=80, M=20_000, delta=0.05)), 2) == 0.30


@pytest.mark.parametrize(("d", "value"), [(1_000, 2.5209), (2_600, 4.046)])
def test_other_dimensions_do_not_give_the_published_minimum(d, value):
    assert theory.CONTINUOUS_CLASS(k=0, n=80, d=d, delta=0.05) == pytest.approx(value, abs=5e-4)


def test_one_bit_a_parameter_is_log_2_nats():
    assert theory.CONTINUOUS_CLASS_BITS(k=0, n=80, d=1024, delta=0.05) == pytest.approx(
        2.131, abs=5e-4
    )


@pytest.mark.parametrize(
    ("n", "k", "eq3", "kl", "binomial"),
    [
        (80, 0, 0.2839, 0.1489, 0.1489), (80, 1, 0.2964, 0.1896, 0.1794),
        (80, 2, 0.3089, 0.2183, 0.2049), (80, 8, 0.3839, 0.3442, 0.3244),
        (25, 0, 0.5079, 0.4031, 0.4031), (5, 0, 1.1357, 0.9242, 0.9242),
        (320, 32, 0.2420, 0.2057, 0.1957), (640, 64, 0.2004, 0.1707, 0.1638),
    ],
)  # fmt: skip
def test_the_table_at_20000_candidates(n, k, eq3, kl, binomial):
    at = dict(k=k, n=n, M=20_000, delta=0.05)
    found = [bound(**at) for bound in (theory.FINITE_CLASS, theory.KL_INVERSE, theory.BINOMIAL)]
    assert found == pytest.approx([eq3, kl, binomial], abs=5.1e-5)


# n, M, k: BTI, Chernoff, Hoeffding, PB-kl (2 sqrt n), PB-kl, McAllester, empirical Bernstein
TABLE = [
    (16, 1, 1, 0.263957, 0.309960, 0.368468, 0.410424, 0.395487, 0.460745, 0.806088),
    (16, 100, 5, 0.734740, 0.771567, 0.799869, 0.815627, 0.809183, 0.862510, 2.090118),
    (16, 10_000, 0, 0.533678, 0.533678, 0.617608, 0.590511, 0.581762, 0.668148, 2.006545),
    (64, 1, 19, 0.404505, 0.446058, 0.449859, 0.506273, 0.498639, 0.509160, 0.589849),
    (64, 1_000_000, 6, 0.399737, 0.419116, 0.456156, 0.450331, 0.445950, 0.484900, 0.959345),
    (80, 100, 8, 0.253883, 0.276784, 0.317958, 0.315126, 0.309962, 0.355991, 0.482441),
    (256, 10_000, 26, 0.207309, 0.218804, 0.255965, 0.237636, 0.235365, 0.276517, 0.315676),
    (1_000, 1, 0, 0.002991, 0.002991, 0.038702, 0.007117, 0.006670, 0.059761, 0.008616),
    (1_000, 1_000_000, 300, 0.381019, 0.387823, 0.391682, 0.398447, 0.397344, 0.402368, 0.426670),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: "-".join(map(str, row[:3])))
def test_the_reference_table(row):
    n, M, k, *values = row
    counts = dict(k=k, n=n, M=M, delta=0.05)
    posterior = dict(r=k / n, n=n, K=math.log(M), delta=0.05)
    found = [
        theory.BINOMIAL(**counts),
        theory.KL_INVERSE(**counts),
        theory.FINITE_CLASS(**counts),
        theory.PAC_BAYES_KL_ROOT(**posterior),
        theory.PAC_BAYES_KL(**posterior),
        theory.MCALLESTER(**posterior),
        theory.EMPIRICAL_BERNSTEIN(**counts),
    ]
    assert found == pytest.approx(values, abs=6e-7)


@pytest.mark.parametrize(
    ("n", "value"),
    [(1, 2.0), (2, 2.5), (8, 4.2450), (16, 5.7043), (64, 10.7058), (256, 20.7261), (1000, 40.3032)],
)
def test_the_normaliser(n, value):
    assert theory.NORMALISER(n=n) == pytest.approx(value, abs=5e-5)
    brute = sum(binom.pmf(k, n, k / n) for k in range(n + 1))
    assert theory.NORMALISER(n=n) == pytest.approx(brute, rel=1e-11)


@pytest.mark.parametrize(
    ("j", "dyadic", "rank"),
    [(1, 0.693, 0.693), (10, 5.075, 4.700), (100, 8.184, 9.220), (1_000, 10.939, 13.817),
     (20_000, 15.185, 19.807), (1_000_000, 19.210, 27.631)],
)  # fmt: skip
def test_prices_of_ranks(j, dyadic, rank):
    assert theory.DYADIC_PRICE(j=j) == pytest.approx(dyadic, abs=5.1e-4)
    assert theory.RANK_PRICE(j=j) == pytest.approx(rank, abs=5.1e-4)
    assert -weights.rank(j) == pytest.approx(float(theory.RANK_PRICE(j=j)), rel=1e-12)
    assert theory.DYADIC_PRICE(j=j) <= theory.DYADIC_PRICE_UPPER(j=j) * (1 + 1e-12)


# ------------------------------------------------- bounds and certificates are the same


def settings(number, seed):
    rng = np.random.default_rng(seed)
    for _ in range(number):
        n = int(rng.integers(2, 400))
        k = int(rng.integers(0, n + 1))
        yield dict(
            k=k, n=n, M=float(10 ** rng.uniform(0, 9)), delta=float(10 ** rng.uniform(-6, -0.3))
        )


def test_closed_forms_are_the_certificates_before_clipping():
    pairs = [(theory.FINITE_CLASS, "hoeffding"), (theory.BERNSTEIN, "bernstein_relaxation")]
    for at in settings(60, 0):
        log_inv = math.log(at["M"] / at["delta"])
        for bound, name in pairs:
            found = CERTIFICATES[name](at["k"], at["n"], log_inv_delta=log_inv, clip=False)
            assert found == pytest.approx(float(bound(**at)), rel=1e-12)
            assert found >= float(bound(**at)) * (1 - 1e-15)
        losses = (np.arange(at["n"]) < at["k"]).astype(float)
        found = CERTIFICATES["empirical_bernstein"](losses, log_inv_delta=log_inv, clip=False)
        assert found == pytest.approx(float(theory.EMPIRICAL_BERNSTEIN(**at)), rel=1e-12)


def test_values_are_the_certificates_at_delta_over_m():
    pairs = [
        (theory.BINOMIAL, "binomial_tail_inversion"),
        (theory.KL_INVERSE, "kl_inverse"),
        (theory.HOEFFDING_BENTKUS, "hoeffding_bentkus"),
    ]
    for at in settings(40, 1):
        for bound, name in pairs:
            level = at["delta"] / at["M"]
            assert float(bound(**at)) == pytest.approx(
                CERTIFICATES[name](at["k"], at["n"], delta=level), rel=1e-12
            )


def test_pac_bayes_forms_are_the_certificates():
    rng = np.random.default_rng(2)
    for _ in range(40):
        at = dict(r=rng.uniform(), n=int(rng.integers(1, 500)), K=rng.exponential(4), delta=0.03)
        args = (at["r"], at["n"], at["K"])
        for bound, name in [
            (theory.PAC_BAYES_KL, "pac_bayes_kl"),
            (theory.PAC_BAYES_KL_ROOT, "pac_bayes_kl_simple"),
            (theory.MCALLESTER, "mcallester"),
            (theory.QUADRATIC, "quadratic"),
        ]:
            found = CERTIFICATES[name](*args, delta=0.03, clip=False)
            assert found == pytest.approx(float(bound(**at)), rel=1e-11), name
        lam, C = rng.uniform(0.05, 1.95), rng.uniform(0.05, 5)
        found = CERTIFICATES["pac_bayes_lambda"](*args, delta=0.03, lam=lam, clip=False)
        assert found == pytest.approx(float(theory.PAC_BAYES_LAMBDA(**at, lam=lam)), rel=1e-11)
        found = CERTIFICATES["catoni"](*args, delta=0.03, C=C, clip=False)
        assert found == pytest.approx(float(theory.CATONI(**at, C=C)), rel=1e-11)
        assert found >= float(theory.CATONI_BEST(**at)) - 1e-12


def test_complexities_are_the_certificates():
    for d in (16, 1024):
        for unit, bound in (
            ("nats", theory.CONTINUOUS_CLASS),
            ("bits", theory.CONTINUOUS_CLASS_BITS),
        ):
            found = CERTIFICATES["quantised_class"](4, 80, d, delta=0.05, unit=unit, clip=False)
            assert found == pytest.approx(float(bound(k=4, n=80, d=d, delta=0.05)), rel=1e-12)
    assert theory.RADEMACHER(k=0, n=80, M=20_000, delta=0.05) - math.sqrt(
        math.log(20) / 160
    ) == pytest.approx(2 * math.sqrt(math.log(20_000) / 160), rel=1e-12)
    # the sum of binomial coefficients is below (2 e n / h)^h
    sharper = CERTIFICATES["vc"](5, 4_000, 10, delta=0.05, clip=False)
    assert sharper <= theory.VC(k=5, n=4_000, h=10, delta=0.05)
    assert sharper == pytest.approx(float(theory.VC(k=5, n=4_000, h=10, delta=0.05)), rel=0.2)


def test_pools_samples_and_shifts_are_the_certificates():
    assert theory.SAMPLE_COMPRESSION(k=2, n=80, h=10, delta=0.05) == CERTIFICATES[
        "sample_compression"
    ](2, 80, 10, delta=0.05)
    pool = theory.FINITE_POOL(k=3, n=20, N=60, M=10, delta=0.05)
    assert pool == CERTIFICATES["hypergeometric_inversion"](3, 20, 60, delta=0.005)
    rng = np.random.default_rng(6)
    x = rng.uniform(size=500)
    y, ratios = rng.uniform(size=500) * x, 2 * x
    found = CERTIFICATES["weighted_empirical_bernstein"](y, ratios, ratio_max=2.0, delta=0.01)
    moments = dict(r=float(np.mean(y * ratios)), V=float(np.var(y * ratios, ddof=1)))
    bound = theory.WEIGHTED_BERNSTEIN(**moments, n=500, W=2, M=5, delta=0.05)
    assert found == pytest.approx(float(bound), rel=1e-10)


def test_occam_with_uniform_weights_is_the_union_bound():
    at = dict(k=3, n=50, delta=0.05)
    assert theory.OCCAM(**at, w=1 / 700) == pytest.approx(float(theory.FINITE_CLASS(**at, M=700)))


def test_exponents_are_derived():
    assert theory.FINITE_CLASS_COMPLEXITY.exponent("n") == Rational(-1, 2)
    assert theory.ZERO_ERRORS.exponent("n") == -1
    assert theory.NORMALISER_LIMIT.exponent("n") == Rational(1, 2)


# --------------------------------------------------------- exact probabilities of failure


def test_failure_of_one_candidate_at_64_examples():
    k = np.arange(65)
    for name, worst, mean in [
        ("binomial_tail_inversion", 0.05, 0.0341),
        ("kl_inverse", 0.05, 0.0075),
        ("hoeffding", 0.00993, 0.0029),
    ]:
        found = theory.failure(CERTIFICATES[name](k, 64, delta=0.05))
        assert found[0] == pytest.approx(worst, abs=5e-6)
        assert found[1] == pytest.approx(mean, abs=5e-5)


def test_the_chernoff_bound_is_sharp_without_errors_only():
    k = np.arange(65)
    limits = CERTIFICATES["kl_inverse"](k, 64, delta=0.05)
    by_count = np.array([binom.cdf(j, 64, limits[j]) for j in k[:-1]])
    assert by_count[0] == pytest.approx(0.05, rel=1e-9)
    assert by_count[1:].max() == pytest.approx(0.0216, abs=5e-5)


def test_failure_agrees_with_a_grid_and_a_quadrature():
    n, rng = 12, np.random.default_rng(0)
    for limits in (
        CERTIFICATES["binomial_tail_inversion"](np.arange(n + 1), n, delta=0.1),
        np.sort(rng.uniform(size=n + 1)),
        rng.uniform(size=n + 1),
        np.arange(n + 1) / n,
    ):
        grid = np.unique([*np.linspace(0, 1, 2_001), *np.clip(limits * (1 + 1e-9) + 1e-15, 0, 1)])

        def fails(p, limits=limits):
            return float(binom.pmf(np.arange(n + 1), n, p)[limits < p].sum())

        worst, mean = theory.failure(limits)
        assert worst == pytest.approx(max(map(fails, grid)), abs=1e-6)
        pieces = np.unique([0, 1, *np.clip(limits, 0, 1)])
        exact = sum(quad(fails, a, b, epsabs=1e-10)[0] for a, b in itertools.pairwise(pieces))
        assert mean == pytest.approx(exact, abs=1e-8)


def test_failure_of_the_best_of_many_is_as_published():
    at = dict(p=0.3, n=64, M=[10, 100, 1_000], delta=0.05)
    assert theory.UNION_FAILURE(**at) == pytest.approx([0.0250, 0.0271, 0.0164], abs=5e-5)
    assert theory.NO_UNION_FAILURE(**at) == pytest.approx([0.2618, 0.9519, 1.0], abs=5e-5)


def test_failure_of_the_best_of_three_by_enumeration():
    n, p, delta = 6, 0.45, 0.2
    for bound, level in ((theory.UNION_FAILURE, delta / 3), (theory.NO_UNION_FAILURE, delta)):
        limits = CERTIFICATES["binomial_tail_inversion"](np.arange(n + 1), n, delta=level)
        law = binom.pmf(np.arange(n + 1), n, p)
        brute = sum(
            math.prod(law[list(k)])
            for k in itertools.product(range(n + 1), repeat=3)
            if limits[min(k)] < p
        )
        assert bound(p=p, n=n, M=3, delta=delta) == pytest.approx(brute, rel=1e-12)


def test_no_failure_where_even_no_error_gives_a_larger_limit():
    assert theory.UNION_FAILURE(p=0.001, n=10, M=5, delta=0.05) == 0


def test_the_gibbs_study_computes_what_the_room_does():
    import importlib.util
    from pathlib import Path

    path = Path(__file__).parents[2] / "simulations" / "sim_certificates_pac_bayes.py"
    spec = importlib.util.spec_from_file_location("sim_certificates_pac_bayes", path)
    study = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(study)
    rng = np.random.default_rng(4)
    k = np.concatenate([rng.binomial(20, 0.05, size=30), rng.binomial(20, 0.5, size=70)])
    good, bad = (np.bincount(part, minlength=21)[None] for part in (k[:30], k[30:]))
    limit, risk = study.gibbs(good, bad, 20, 0.05)
    direct = gibbs_certificate(k, 20, study.BETAS, delta=0.05)
    assert limit[0] == pytest.approx(direct.limit, rel=1e-10)
    q = np.exp(-direct.beta * k) / np.exp(-direct.beta * k).sum()
    assert risk[0] == pytest.approx(0.05 * q[:30].sum() + 0.5 * q[30:].sum(), rel=1e-9)


# ------------------------------------------------------------------------- the objects


@pytest.mark.parametrize("name", BOUNDS)
def test_every_bound_has_a_source_and_a_formula(name):
    bound = BOUNDS[name]
    assert isinstance(bound, Bound) and bound.source is not None and bound.latex()
    if "2502.06970" in str(bound.source) and "Eq." in bound.source.where:
        assert bound.source.note, "the paper was not read itself"


@pytest.mark.parametrize(
    ("bound", "at"),
    [
        ("FINITE_CLASS", dict(k=5, n=4, M=1, delta=0.1)),
        ("FINITE_CLASS", dict(k=1, n=4, M=0.5, delta=0.1)),
        ("FINITE_CLASS", dict(k=-1, n=4, M=1, delta=0.1)),
        ("MCALLESTER", dict(r=-0.1, n=4, K=0, delta=0.1)),
        ("BINOMIAL", dict(k=1, n=4, M=1, delta=1)),
        ("BINOMIAL", dict(k=-1, n=4, M=1, delta=0.1)),
        ("BINOMIAL", dict(k=1.5, n=4, M=1, delta=0.1)),
        ("CATONI", dict(r=0.1, n=4, K=-1, delta=0.1, C=1)),
        ("PAC_BAYES_LAMBDA", dict(r=0.1, n=4, K=1, delta=0.1, lam=2)),
        ("STRATIFIED_TAIL", dict(k=3, n=10, p=0.3)),
    ],
)
def test_bounds_refuse_what_they_do_not_hold_for(bound, at):
    with pytest.raises(InputError):
        BOUNDS[bound](**at)
