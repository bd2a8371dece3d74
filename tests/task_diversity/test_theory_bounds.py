"""Bounds of the room against computations that use none of their formulas."""

import math

import numpy as np
import pytest
import sympy
from scipy.integrate import quad
from scipy.optimize import linprog, minimize
from scipy.stats import chi2, norm

from tlstat.backend import Random
from tlstat.errors import InputError
from tlstat.task_diversity import theory
from tlstat.task_diversity.models import LinearTasks
from tlstat.theory import Bound

BOUNDS = {name: value for name, value in vars(theory).items() if isinstance(value, Bound)}
Z = float(norm.isf(5e-7))


def agrees(values, expected):
    values = np.asarray(values)
    error = values.std(ddof=1) / math.sqrt(len(values))
    assert abs(values.mean() - expected) < Z * error, (values.mean(), expected, error)


# --- all of them -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_every_bound_says_where_it_is_from(name):
    bound = BOUNDS[name]
    assert bound.source is not None and bound.expr is not None
    assert bound.source.note or bound.source.ref in ("textbook", "arXiv:2002.11684")
    at = dict.fromkeys(bound.symbols, 0.5)
    if bound.free:
        with pytest.raises(InputError, match="unspecified constants"):
            bound(**at)


@pytest.mark.parametrize("name", sorted(n for n in BOUNDS if "2020" in n or "RATE" in n))
def test_constants_of_the_papers_are_left_open(name):
    assert BOUNDS[name].free and BOUNDS[name].kind == "rate"


def test_orders_in_every_parameter():
    """Exponents as published, and as the closed forms have them in the limit."""
    erm, moments = theory.ERM_ERROR_EQUAL, theory.MOMENTS_ERROR_EQUAL
    pairs = theory.U_STATISTIC_ERROR_EQUAL
    for bound in (erm, moments, pairs):
        assert bound.exponent("n") == bound.exponent("t") == -1
        assert bound.exponent("d") == 1
    assert erm.exponent("sigma", to=0) == 2 and moments.exponent("sigma", to=0) == 0
    assert pairs.exponent("sigma", to=0) == 0
    # n first, then r: d r^2 for ERM and pairs of many samples, d r^3 for moments
    r = sympy.Symbol("r", positive=True)
    for bound, power in ((erm, 2), (pairs, 2), (moments, 3)):
        values = {s: 1 for s in bound.expr.free_symbols if s.name in ("t", "sigma")}
        n, d = (next(s for s in bound.expr.free_symbols if s.name == k) for k in "nd")
        own = next(s for s in bound.expr.free_symbols if s.name == "r")
        many = sympy.limit(bound.expr.subs(values) * n, n, sympy.oo)
        lead = sympy.limit(sympy.expand(many / d), d, sympy.oo).subs(own, r)
        assert sympy.limit(lead / r**power, r, sympy.oo) not in (0, sympy.oo)
    assert theory.MOMENTS_RATE.exponent("nu") == sympy.Rational(-1, 2)
    assert theory.LOGISTIC_RATE_2020.exponent("n") == theory.LOGISTIC_RATE_2020.exponent(
        "n", at={"m": 10**9}
    )
    assert theory.REPRESENTATION_RISK.exponent("n") == 0  # G does not know n
    assert theory.LINEAR_REPRESENTATION_RISK.exponent("n") == sympy.Rational(-1, 2)


def test_erm_attains_the_lower_bound_and_moments_miss_it_by_a_root_of_r():
    at = {"d": 10**6, "t": 10**6, "n": 10**6, "sigma": 1.0}

    def ratio(law, r):
        lower = theory.LOWER_BOUND_2021.shape(d=10**6, r=r, n=10**6, t=10**6, nu=1 / r)
        return math.sqrt(law(r=r, **at)) / lower

    erm = [ratio(theory.ERM_ERROR_LARGEST, r) for r in (100, 10_000)]
    assert max(erm) / min(erm) < 1.3
    moments = [ratio(theory.MOMENTS_ERROR_LARGEST, r) for r in (100, 10_000)]
    assert moments[1] / moments[0] == pytest.approx(10, rel=0.25)


# --- assumptions -----------------------------------------------------------------------------


def check(bound, name, model, **cell):
    found = next(a for a in bound.assumptions if name in a.name)
    return found.check(model, cell)


def test_regions_of_validity():
    model = LinearTasks(24, 3, 64)
    # (24 - 3) V = 0.158 at n = 17 and less beyond
    sines = {n: 21 * theory.unit_row_variances("erm", [1 / 3] * 3, 64, n)[0] for n in (12, 40)}
    assert sines[12] > 0.15 > sines[40]
    assert not check(theory.ERM_ERROR, "linear regime", model, n=12)
    assert check(theory.ERM_ERROR, "linear regime", model, n=40)
    assert not check(theory.MOMENTS_ERROR, "linear regime", model, n=40)
    assert check(theory.ERM_ERROR, "unit heads", model)
    assert not check(theory.ERM_ERROR, "unit heads", LinearTasks(24, 3, 64, heads="gaussian"))
    assert not check(theory.ERM_ERROR, "unit heads", LinearTasks(24, 3, 64, spectrum=[1, 1, 1]))
    uniform = LinearTasks(24, 3, 64, covariates="uniform")
    assert not check(theory.ERM_ERROR, "normal covariates", uniform)
    weak = LinearTasks(24, 3, 64, spectrum=[0.5, 0.3, 0.2])
    assert not check(theory.ERM_ERROR_EQUAL, "equal spectrum", weak)
    random = LinearTasks(24, 3, 64, heads="gaussian")
    assert check(theory.ERM_ERROR_RANDOM_HEADS, "random heads", random)
    assert not check(theory.ERM_ERROR_RANDOM_HEADS, "random heads", model)
    deficient = LinearTasks(24, 3, 64, spectrum=[0.5, 0.5, 0.0])
    assert check(theory.MISSING_DIRECTIONS_LIMIT, "rank-deficient", deficient)
    assert not check(theory.MISSING_DIRECTIONS_LIMIT, "rank-deficient", weak)
    with pytest.raises(InputError, match="holds only where"):
        theory.ERM_ERROR_EQUAL(d=24, r=3, t=64, n=4, sigma=1)


def test_homogeneous_tasks_keep_the_unit_head_laws():
    """Half of the heads replaced by one: C is still diagonal and heads still have norm 1."""
    model = LinearTasks(24, 3, 64, homogeneity=0.5)
    A = np.asarray(model.draw_heads(Random(0))[0])
    expected = theory.expected_squared_distance("moments", A, 24, 400, 1.0)
    at = {name: f({}, model) for name, f in theory.TRACES.items()}
    assert theory.MOMENTS_ERROR(d=24, r=3, t=64, n=400, sigma=1, **at) == pytest.approx(expected)


# --- random heads ----------------------------------------------------------------------------


def test_inverse_moments_of_one_random_head():
    """r = 1: the mean of t / chi^2_t and its square, by quadrature."""
    t, at = 9, dict(d=11, r=1, t=9, n=30, sigma=0.5)
    one, two = (quad(lambda x, p=p: (t / x) ** p * chi2.pdf(x, t), 0, np.inf)[0] for p in (1, 2))
    expected = 0.25 * 10 / (t * 29) * (one + 0.25 / 28 * two)
    assert theory.ERM_ERROR_RANDOM_HEADS(**at) == pytest.approx(expected, rel=1e-6)


def test_random_heads_by_simulation():
    """r = 3: the exact law of ERM averaged over heads; moments to leading order in 1/t."""
    rng = np.random.default_rng(0)
    d, r, n, sigma = 20, 3, 50, 1.0
    A = rng.normal(size=(40_000, 24, r)) / math.sqrt(r)
    at = dict(d=d, r=r, t=24, n=n, sigma=sigma)
    agrees(
        theory.expected_squared_distance("erm", A, d, n, sigma), theory.ERM_ERROR_RANDOM_HEADS(**at)
    )
    A = rng.normal(size=(50, 20_000, r)) / math.sqrt(r)
    found = theory.expected_squared_distance("moments", A, d, n, sigma).mean()
    expected = theory.MOMENTS_ERROR_RANDOM_HEADS(d=d, r=r, t=20_000, n=n, sigma=sigma)
    assert found == pytest.approx(expected, rel=5e-3)


# --- limits ----------------------------------------------------------------------------------


@pytest.mark.parametrize("d, r, k", [(6, 3, 1), (6, 3, 3), (9, 4, 2)])
def test_what_cannot_be_learned(d, r, k):
    """Known directions shared, the others drawn anew in what is left."""
    rng = np.random.default_rng(1)
    left = d - r + k
    found = []
    for _ in range(4_000):
        Q = np.linalg.qr(rng.normal(size=(left, k)))[0]
        found.append(k - np.sum(Q[:k] ** 2))
    agrees(found, theory.MISSING_DIRECTIONS_LIMIT(d=d, r=r, k=k))
    if k == r:
        assert theory.RANDOM_SUBSPACE(d=d, r=r) == pytest.approx(
            theory.MISSING_DIRECTIONS_LIMIT(d=d, r=r, k=k)
        )


# --- the target ------------------------------------------------------------------------------


def least_squares_risk(d, m, sigma, theta, features=None, size=20_000, seed=2):
    """|theta_hat - theta|^2 of raw samples, with least norm where there are too few."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(size, m, d))
    y = X @ theta + sigma * rng.normal(size=(size, m))
    Z_ = X if features is None else X @ features
    coef = (np.linalg.pinv(Z_) @ y[..., None])[..., 0]
    theta_hat = coef if features is None else coef @ features.T
    return np.sum((theta_hat - theta) ** 2, axis=-1)


def test_target_risks():
    d, r, m, sigma = 6, 2, 12, 0.8
    theta = np.array([0.8, 0.6, 0, 0, 0, 0])
    B_hat = np.linalg.qr(np.random.default_rng(3).normal(size=(d, r)) + 2 * np.eye(d, r))[0]
    bias = float(np.sum((theta - B_hat @ (B_hat.T @ theta)) ** 2))
    agrees(
        least_squares_risk(d, m, sigma, theta, B_hat),
        theory.TRANSFER_RISK(squared_bias=bias, r=r, m=m, sigma=sigma),
    )
    agrees(
        least_squares_risk(d, m, sigma, theta, np.eye(d, r)),
        theory.ORACLE_RISK(r=r, m=m, sigma=sigma),
    )
    agrees(least_squares_risk(d, m, sigma, theta), theory.SINGLE_TASK_RISK(d=d, m=m, sigma=sigma))
    agrees(
        least_squares_risk(12, 4, sigma, np.r_[theta, np.zeros(6)]),
        theory.MINIMUM_NORM_RISK(d=12, m=4, sigma=sigma, squared_norm=1.0),
    )


@pytest.mark.parametrize("d, r, m, sigma", [(20, 3, 30, 1.0), (50, 5, 400, 0.3)])
def test_crossover_is_where_both_risks_are_equal(d, r, m, sigma):
    bias = theory.LARGEST_USEFUL_BIAS(d=d, r=r, m=m, sigma=sigma)
    with_transfer = theory.TRANSFER_RISK(squared_bias=bias, r=r, m=m, sigma=sigma)
    assert with_transfer == pytest.approx(theory.SINGLE_TASK_RISK(d=d, m=m, sigma=sigma))


def test_average_targets_pay_the_distance_over_r():
    at = dict(d=30, r=4, t=100, n=60, sigma=0.9)
    for risk, error in (
        (theory.ERM_TRANSFER_RISK, theory.ERM_ERROR_EQUAL),
        (theory.MOMENTS_TRANSFER_RISK, theory.MOMENTS_ERROR_EQUAL),
        (theory.U_STATISTIC_TRANSFER_RISK, theory.U_STATISTIC_ERROR_EQUAL),
    ):
        bias = error(**at) / 4
        expected = theory.TRANSFER_RISK(squared_bias=bias, r=4, m=25, sigma=0.9)
        assert risk(m=25, **at) == pytest.approx(expected)


# --- allocation ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_allocations_by_a_general_optimiser(seed):
    """Elfving's value is the least of alpha_0' (sum n_j alpha_j alpha_j')^-1 alpha_0."""
    rng = np.random.default_rng(seed)
    t, r = 6, 2
    A = rng.normal(size=(t, r))
    target = rng.normal(size=r)
    l1 = linprog(np.ones(2 * t), A_eq=np.hstack([A.T, -A.T]), b_eq=target, bounds=(0, None)).fun
    w2 = np.linalg.pinv(A.T) @ target
    l2 = float(np.linalg.norm(w2))

    def cost(shares):
        return float(target @ np.linalg.solve((A * shares[:, None]).T @ A, target))

    def softmax(z):
        e = np.exp(z - z.max())
        return e / e.sum()

    best = min(
        minimize(lambda z: cost(softmax(z)), rng.normal(size=t), method="BFGS").fun
        for _ in range(4)
    )
    at = dict(d=20, r=r, N=3_200, sigma=1.3)
    scale = 1.69 * 18 / 3_200
    assert best == pytest.approx(l1**2, rel=1e-3) and best >= l1**2 * (1 - 1e-9)
    assert theory.ELFVING_BIAS(l1=l1, **at) == pytest.approx(scale * l1**2)
    uniform = scale * cost(np.full(t, 1 / t))
    assert theory.UNIFORM_BIAS(l2=l2, t=t, **at) == pytest.approx(uniform)
    squares = scale * cost(w2**2 / l2**2)
    assert squares <= theory.SQUARED_WEIGHTS_BIAS(l2=l2, s=t, **at) * (1 + 1e-9)
    assert l1**2 <= t * l2**2


# --- classes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("d, r, t, n", [(8, 2, 16, 10), (20, 3, 5, 40), (5, 1, 50, 4)])
def test_complexity_of_the_linear_class(d, r, t, n):
    """A lower and an upper value of the supremum by simulation, both below the closed form."""
    rng = np.random.default_rng(4)
    c1, size = 1.5, 200
    top, best = [], []
    for _ in range(size):
        X, g = rng.normal(size=(t, n, d)), rng.normal(size=(t, n))
        Z_ = np.einsum("tnd,tn->dt", X, g) / (n * t)
        values = np.linalg.svd(Z_, compute_uv=False)[:r]
        top.append(c1 * math.sqrt(t) * math.sqrt(np.sum(values**2)))
        B = np.linalg.svd(Z_, full_matrices=False)[0][:, :r]
        for _ in range(20):  # alternate heads and representation
            a = B.T @ Z_
            U, _, Vt = np.linalg.svd(Z_ @ (a / np.linalg.norm(a, axis=0)).T, full_matrices=False)
            B = U @ Vt
        best.append(c1 * np.sum(np.linalg.norm(B.T @ Z_, axis=0)))
    bound = theory.LINEAR_CLASS_COMPLEXITY(c1=c1, d=d, r=r, t=t, n=n)
    assert np.mean(best) <= np.mean(top) * (1 + 1e-9)
    assert np.mean(top) + Z * np.std(top) / math.sqrt(size) < bound
    assert bound < 3 * np.mean(best)  # and not far above


def test_excess_risk_of_a_class_that_can_be_enumerated():
    """Absolute loss, f(x) = a x with |a| <= 1 and signs x: minimiser, truth and complexity."""
    rng = np.random.default_rng(5)
    n, grid = 10, np.linspace(-1, 1, 201)
    G = math.sqrt(2 / (math.pi * n))  # E|sum g x|/n
    x = rng.choice([-1.0, 1.0], size=(4_000, n))
    noise = rng.normal(size=(4_000, n))
    u = x * noise  # y = noise at the truth a* = 0, so a^ minimises mean |u - a|
    fitted = np.clip(np.median(u, axis=1), -1, 1)
    risk = 2 * norm.pdf(grid) + grid * (2 * norm.cdf(grid) - 1)  # E|z - a|
    excess = np.interp(fitted, grid, risk) - risk[100]
    bound = theory.EXPECTED_REPRESENTATION_RISK(L=1, G=G)
    assert 0 < excess.mean() < bound
    # with range 2 of the loss's differences, and confidence 0.95
    high = theory.REPRESENTATION_RISK(L=1, G=G, B=2, delta=0.05, n=n, t=1)
    assert np.mean(excess > high) <= 0.05 and high > bound


def test_chain_rule_of_the_linear_class_is_a_root_of_r_worse():
    """d r^2 against d r: what Cauchy-Schwarz over the tasks saves."""
    closed = theory.LINEAR_CLASS_COMPLEXITY
    at = dict(c1=1, d=10**8, t=10**4, n=10**4)
    ratio = closed(r=400, **at) / closed(r=100, **at)
    assert ratio == pytest.approx(2, rel=0.02)
    assert theory.LOGISTIC_RATE_2020.shape(
        d=10**8, r=400, t=10**4, n=10**4, m=10**30, nu=1
    ) / theory.LOGISTIC_RATE_2020.shape(
        d=10**8, r=100, t=10**4, n=10**4, m=10**30, nu=1
    ) == pytest.approx(4, rel=0.02)


# --- descent ---------------------------------------------------------------------------------


def test_contraction_by_raw_rounds():
    """FedRep on raw noiseless data: the tilt of the weakest direction after some rounds."""
    rng = np.random.default_rng(6)
    d, r, n, t, eta, rounds = 5, 2, 8, 20_000, 0.7, 12
    spread = np.array([0.8, 0.2])
    A = rng.choice([-1.0, 1.0], size=(t, r)) * np.sqrt(spread)
    X = rng.normal(size=(t, n, d))
    y = np.einsum("tnr,tr->tn", X[..., :r], A)
    start = 0.01
    B = np.zeros((d, r))
    B[:r], B[r, r - 1] = np.eye(r), start  # the weakest direction alone is tilted
    first = largest(B, r)
    for _ in range(rounds):
        Z_ = X @ B
        heads = np.linalg.solve(
            np.swapaxes(Z_, 1, 2) @ Z_, np.einsum("tnr,tn->tr", Z_, y)[..., None]
        )
        heads = heads[..., 0]
        rest = y - np.einsum("tnr,tr->tn", Z_, heads)
        B = B + eta * np.einsum("tnd,tn,tr->dr", X, rest, heads) / (n * t)
        B = np.linalg.qr(B)[0]
    expected = theory.CONTRACTION(start=first, eta=eta, n=n, r=r, nu=0.2, rounds=rounds)
    assert largest(B, r) == pytest.approx(expected, rel=0.02)
    assert largest(B, r) <= theory.PUBLISHED_CONTRACTION(
        start=first, eta=eta, n=n, r=r, nu=0.2, rounds=rounds
    )


def largest(B, r):
    Q = np.linalg.qr(B)[0]
    return float(np.linalg.svd(Q[r:], compute_uv=False)[0])
