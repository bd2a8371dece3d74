"""Models: closed forms against quadrature, raw draws and the inequalities they declare."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from tlstat.backend import Random
from tlstat.errors import InputError
from tlstat.minimax import (
    FiniteClass,
    GaussianHalfSpaces,
    GaussianTransfer,
    HalfPlanes,
    Hypercube,
    Intervals,
    MarginalSingularity,
    ParallelThresholds,
    PosteriorDrift,
    PowerThresholds,
    ShiftedCentre,
    Stumps,
)
from tlstat.minimax.models import PowerLaw, ball_minimax
from tlstat.minimax.models.transfer import sphere_risk

FALSE_ALARM = 1e-6
powers = st.floats(0.3, 4)
noises = st.floats(0, 3)
margins = st.floats(0.05, 1)
families = st.builds(PowerThresholds, powers, powers, noises, noises, margins, margins)

SKEWED = np.array([[2.0, 0.9, 0.0], [0.9, 1.0, 0.3], [0.0, 0.3, 0.5]])


@given(families, st.floats(1e-6, 1), st.sampled_from([-1, 1]))
def test_every_condition_is_an_equality_for_power_thresholds(model, size, side):
    t = side * size
    excess_P, excess_Q = model.excess_P(t), model.excess_Q(t)
    assert model.C_rho * excess_P == pytest.approx(excess_Q**model.rho, rel=1e-9)
    mass_P, mass_Q = model.disagreement_P(t), model.disagreement_Q(t)
    assert model.C_gamma * mass_P == pytest.approx(mass_Q**model.gamma_marginal, rel=1e-9)
    assert mass_P == pytest.approx(model.C_beta_P * excess_P**model.beta_P, rel=1e-9)
    assert mass_Q == pytest.approx(model.C_beta_Q * excess_Q**model.beta_Q, rel=1e-9)


@given(families)
def test_exponents_of_the_power_family_are_tied(model):
    assert model.rho == pytest.approx(model.gamma_marginal * model.beta_Q / model.beta_P)
    assert model.rho <= model.gamma_marginal / model.beta_P * (1 + 1e-12)
    assert (2 - model.beta_P) * model.rho == pytest.approx(-1 / model.source_slope)
    assert 2 - model.beta_Q == pytest.approx(-1 / model.target_slope)
    slopes = (model.q + 2 * model.a_Q) / (model.gamma + 2 * model.a_P)
    assert model.crossover_exponent == pytest.approx(slopes)


# (gamma, q, a_P, a_Q): gamma_marginal, beta_P, beta_Q, rho, slope n_P, slope n_Q, crossover
TABLE = [
    ((1, 1, 0, 0), (1, 1, 1, 1, -1, -1, 1)),
    ((2, 1, 0, 0), (2, 1, 1, 2, -1 / 2, -1, 1 / 2)),
    ((3, 1, 0, 0), (3, 1, 1, 3, -1 / 3, -1, 1 / 3)),
    ((0.5, 1, 0, 0), (0.5, 1, 1, 0.5, -2, -1, 2)),
    ((1, 2, 0, 0), (0.5, 1, 1, 0.5, -2, -1, 2)),
    ((4, 2, 0, 0), (2, 1, 1, 2, -1 / 2, -1, 1 / 2)),
    ((1, 1, 1, 1), (1, 0.5, 0.5, 1, -2 / 3, -2 / 3, 1)),
    ((2, 1, 1, 1), (2, 2 / 3, 0.5, 1.5, -1 / 2, -2 / 3, 3 / 4)),
    ((1, 1, 1, 0), (1, 0.5, 1, 2, -1 / 3, -1, 1 / 3)),
    ((1, 1, 0, 1), (1, 1, 0.5, 0.5, -2, -2 / 3, 3)),
    ((2, 1, 0, 1), (2, 1, 0.5, 1, -1, -2 / 3, 3 / 2)),
    ((1, 1, 2, 1), (1, 1 / 3, 0.5, 1.5, -2 / 5, -2 / 3, 3 / 5)),
    ((2, 1, 1, 0), (2, 2 / 3, 1, 3, -1 / 4, -1, 1 / 4)),
    ((1, 1, 2, 0), (1, 1 / 3, 1, 3, -1 / 5, -1, 1 / 5)),
]


@pytest.mark.parametrize(("parameters", "expected"), TABLE)
def test_table_of_the_reference(parameters, expected):
    model = PowerThresholds(*parameters)
    found = (model.gamma_marginal, model.beta_P, model.beta_Q, model.rho)
    found += (model.source_slope, model.target_slope, model.crossover_exponent)
    assert found == pytest.approx(expected)


@given(powers, noises, margins, st.floats(-1, 1))
def test_closed_forms_are_integrals_of_the_density(power, noise, margin, t):
    law = PowerLaw(power, noise, margin)

    def integral(extra):
        # substituting u = x**power removes the singularity of the density at 0
        value, _ = integrate.quad(lambda u: 0.5 * u ** (extra / power), 0, abs(t) ** power)
        return value

    assert law.disagreement(t) == pytest.approx(integral(0), abs=1e-9)
    assert law.excess(t) == pytest.approx(margin * integral(noise), abs=1e-8)
    assert -1e-15 <= law.excess(t) <= law.disagreement(t) + 1e-15


@given(powers, noises, margins, st.lists(st.floats(-0.99, 0.99), min_size=1, max_size=8))
def test_cells_sum_to_one_and_to_the_excess(power, noise, margin, inner):
    law = PowerLaw(power, noise, margin)
    edges = np.unique([-1.0, *inner, 1.0])
    cells = law.cells(edges)
    assert cells.shape == (edges.size - 1, 2)
    assert cells.sum() == pytest.approx(1)
    # risk of a threshold minus that of the lowest: labels 1 below it are errors, labels 0 are not
    walk = np.concatenate([[0], np.cumsum(cells[:, 1] - cells[:, 0])])
    assert walk == pytest.approx(law.excess(edges) - law.excess(edges[0]), abs=1e-12)


MODELS = [
    PowerThresholds(2, 1, 1, 0.5, 0.9, 0.7),
    ParallelThresholds(3, 2, 1, 1, 0.5),
    ShiftedCentre(0.3, 2, 1, 1, 1),
    Intervals(2, 1, 1, 0.5),
    HalfPlanes(0.5, 1, 0.5, 1),
    Stumps(3, 2, 1, 0.4, 0.9, 0.3),
    Hypercube(4, 0.2, 0.1, 0.5, 0.9),
    FiniteClass([[0, 1, 1], [1, 1, 0]], [0.2, 0.3, 0.5], [0.5, 0.5, 0], [0, 0.6, 1], [0.3, 1, 1]),
    GaussianHalfSpaces(SKEWED, np.eye(3), [1.0, 2.0, -1.0], 0.5, 0.8),
]


def predictions(model, X, h):
    """Labels that one hypothesis gives to raw points, written again from the definitions."""
    if isinstance(model, (PowerThresholds, ShiftedCentre)):
        return h <= X
    if isinstance(model, ParallelThresholds):
        return X[1] >= np.asarray(h)[X[0].astype(int)]
    if isinstance(model, Intervals):
        return (h[0] <= X) & (h[1] > X)
    if isinstance(model, HalfPlanes):
        turned = np.arctan2(X[..., 1], X[..., 0]) - h * np.pi / 2
        return np.sin(turned) >= 0
    if isinstance(model, Stumps):
        return (X[..., int(h[0])] >= h[1]) == (h[2] > 0)
    if isinstance(model, Hypercube):
        return h <= X  # atoms below h are labelled 0, wrongly
    if isinstance(model, FiniteClass):
        return model.predictions[h][X] == 1
    return X @ h >= 0


HYPOTHESES = {
    PowerThresholds: [0.4, -0.7],
    ParallelThresholds: [np.array([0.1, -0.8, 0.5])],
    ShiftedCentre: [-0.4, 0.0, 0.9],
    Intervals: [np.array([-0.7, 0.2]), np.array([0.1, 0.9]), np.array([-0.8, -0.6])],
    HalfPlanes: [0.3, -1.7, 1.2],
    Stumps: [np.array([0, -0.4, 1.0]), np.array([2, 0.3, -1.0]), np.array([0, 0.5, -1.0])],
    Hypercube: [3],
    FiniteClass: [0, 1],
    GaussianHalfSpaces: [np.array([1.0, -0.5, 0.2]), np.array([-1.0, 0.0, 1.0])],
}
BEST = {
    PowerThresholds: 0.0,
    ParallelThresholds: np.zeros(3),
    ShiftedCentre: {"P": 0.3, "Q": 0.0},
    Intervals: np.array([-0.5, 0.5]),
    HalfPlanes: 0.0,
    Stumps: np.array([0, 0.0, 1.0]),
    Hypercube: 0,
    FiniteClass: {"P": None, "Q": None},
    GaussianHalfSpaces: np.array([1.0, 2.0, -1.0]),
}


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize("law", ["P", "Q"])
def test_excess_and_disagreement_are_those_of_raw_points(model, law):
    n = 200_000
    X, y = getattr(model, f"draw_{law}")(np.random.default_rng(5), (n,))
    best = BEST[type(model)]
    best = best[law] if isinstance(best, dict) else best
    if isinstance(model, FiniteClass):
        best = model.best_P if law == "P" else model.best_Q
    truth = predictions(model, X, best)
    z = stats.norm.isf(FALSE_ALARM)
    for h in HYPOTHESES[type(model)]:
        mine = predictions(model, X, h)
        gap = 1.0 * (mine != y) - 1.0 * (truth != y)
        h = np.asarray(h)
        expected = float(getattr(model, f"excess_{law}")(h))
        assert abs(gap.mean() - expected) <= z * gap.std() / math.sqrt(n) + 1e-12
        differs = float(getattr(model, f"disagreement_{law}")(h))
        error = math.sqrt(max(differs * (1 - differs), 1e-9) / n)
        assert abs((mine != truth).mean() - differs) <= z * error + 1e-12


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
def test_draws_have_their_shape_for_an_empty_sample(model):
    X, y = model.draw_P(np.random.default_rng(0), (2, 0))
    assert np.shape(y) == (2, 0)


@given(
    st.integers(1, 12),
    st.floats(0.01, 1),
    st.floats(1, 4),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_the_cube_is_in_its_class_with_constants_one(m, eps, rho, beta_P, beta_Q):
    cube = Hypercube.at_scale(m, eps, rho=rho, beta_P=beta_P, beta_Q=beta_Q)
    for k in range(1, m + 1):
        assert cube.excess_Q(k) ** rho <= cube.excess_P(k) * (1 + 1e-9)
        assert cube.disagreement_Q(k) <= cube.excess_Q(k) ** beta_Q * (1 + 1e-9)
        assert cube.disagreement_P(k) <= cube.excess_P(k) ** beta_P * (1 + 1e-9)
    assert cube.C_rho <= 1 + 1e-9
    assert cube.excess_Q(m) == pytest.approx(eps)


@given(st.integers(2, 12), st.floats(0.01, 1), st.floats(0.2, 0.95))
def test_below_one_the_cube_needs_a_constant(m, eps, rho):
    cube = Hypercube.at_scale(m, eps, rho=rho, beta_P=0.5, beta_Q=0.5)
    assert cube.C_rho == pytest.approx(m ** (1 - rho))


def test_the_finite_class_of_a_cube_agrees_with_the_cube():
    cube = Hypercube(4, 0.2, 0.1, 0.5, 0.9)
    listed = cube.finite_class()
    wrong = (listed.predictions[:, :4] == 0).sum(axis=1)
    for name in ("excess_P", "excess_Q", "disagreement_P", "disagreement_Q"):
        found = getattr(listed, name)(listed.hypotheses())
        assert found == pytest.approx(getattr(cube, name)(wrong))


def test_half_spaces_local_constant_is_the_limit_of_angle_ratios():
    model = GaussianHalfSpaces(SKEWED, np.eye(3), [1.0, 2.0, -1.0])
    rng = np.random.default_rng(1)
    w = model.w_star + 1e-6 * rng.normal(size=(200_000, 3))
    ratio = model.disagreement_Q(w) / model.disagreement_P(w)
    assert ratio.max() <= model.C_gamma_local * (1 + 1e-4)
    assert ratio.max() == pytest.approx(model.C_gamma_local, rel=1e-3)
    assert model.C_gamma_local <= model.C_gamma <= model.C_gamma_bound * (1 + 1e-9)


def test_half_spaces_far_away_may_be_the_worst():
    model = GaussianHalfSpaces(SKEWED, np.eye(3), [1.0, 2.0, -1.0])
    w = np.random.default_rng(2).normal(size=(100_000, 3))
    ratio = model.disagreement_Q(w) / model.disagreement_P(w)
    assert ratio.max() <= model.C_gamma * (1 + 1e-6)


# ------------------------------------------------------------------ the Gaussian benchmark


@pytest.mark.parametrize(
    ("Delta", "measured"), [(0, 0.01906), (0.3, 0.0862), (1, 0.2880), (10, 0.4004)]
)
def test_gaussian_benchmark_against_the_references_simulation(Delta, measured):
    model = GaussianTransfer(20, Delta, 1000, 50)
    assert model.linear_estimator_risk() == pytest.approx(model.linear_risk)
    assert model.linear_risk == pytest.approx(measured, rel=0.01)


@settings(max_examples=25)
@given(st.integers(1, 30), st.floats(0, 5), st.integers(0, 500), st.integers(1, 500))
def test_gaussian_benchmark_is_a_sandwich(D, Delta, n_S, n_T):
    model = GaussianTransfer(D, Delta, n_S, n_T)
    lower, upper = model.minimax_interval
    assert lower <= upper * (1 + 1e-9)
    assert upper <= model.linear_risk * (1 + 1e-9)
    assert upper <= 1.25 * lower * (1 + 1e-9)
    assert D / (n_S + n_T) * (1 - 1e-9) <= lower
    assert upper <= D / n_T * (1 + 1e-9)


def test_gaussian_benchmark_limits():
    assert GaussianTransfer(5, 0, 30, 20).minimax_interval == pytest.approx((0.1, 0.1))
    assert GaussianTransfer(5, 1e9, 30, 20).linear_risk == pytest.approx(5 / 20)
    assert GaussianTransfer(5, 2, 30, 0).linear_risk == pytest.approx(5 / 30 + 4)
    assert GaussianTransfer(5, 2, 0, 20).linear_risk == pytest.approx(5 / 20)


def test_gaussian_estimator_has_its_exact_risk():
    model = GaussianTransfer(4, 0.5, 40, 10, sigma=1.5)
    for array in ("numpy", "torch"):
        W_S, W_T = model.sample(Random(3, array), 40_000)
        loss = np.asarray((model.estimate(W_S, W_T) ** 2).sum(-1))
        z = stats.norm.isf(FALSE_ALARM)
        exact = model.linear_estimator_risk()
        assert abs(loss.mean() - exact) <= z * loss.std() / math.sqrt(loss.size)


@pytest.mark.parametrize("D", [1, 2, 7])
def test_risk_of_the_spheres_bayes_rule_is_that_of_simulation(D):
    from scipy.special import iv

    m, r, n = 1.3, 0.8, 200_000
    x = np.random.default_rng(D).normal(size=(n, D))
    x[:, 0] += r
    size = np.linalg.norm(x, axis=1)
    shrink = m * iv(D / 2, m * size) / iv(D / 2 - 1, m * size) / size
    rule = x * shrink[:, None]
    rule[:, 0] -= r
    loss = (rule**2).sum(axis=1)
    z = stats.norm.isf(FALSE_ALARM)
    assert abs(loss.mean() - sphere_risk(m, r, D)) <= z * loss.std() / math.sqrt(n)


def test_the_interval_closes_for_small_balls_on_the_line():
    # Casella and Strawderman (1981): the two-point prior is least favourable up to 1.0567
    lower, upper = ball_minimax(1.05, 1)
    assert lower == pytest.approx(upper, rel=1e-9)
    lower, upper = ball_minimax(1.4, 1)
    assert lower < upper * 0.999


# ------------------------------------------------------------------ neighbouring settings


@pytest.mark.parametrize(
    "model",
    [
        MarginalSingularity(1, 1, 1, 1),
        MarginalSingularity(1, 1, 2, 1),
        MarginalSingularity(0.5, 1, 0.5, 1),
        PosteriorDrift(1, 1, 0.5, 1),
        PosteriorDrift(1, 1, 2, 1),
        PosteriorDrift(1, 0.5, 1.5, 2),
    ],
    ids=lambda m: f"{type(m).__name__}{tuple(vars(m).values())}",
)
def test_lower_bounds_of_neighbouring_settings_have_their_slopes(model):
    for slope, sizes in ((model.source_slope, (1, 0)), (model.target_slope, (0, 1))):
        values = [model.lower_bound(n * sizes[0], n * sizes[1]).value for n in (10**7, 10**8)]
        assert math.log10(values[1] / values[0]) == pytest.approx(slope, abs=1e-3)


def test_lower_bounds_of_neighbouring_settings_use_the_hardest_radius():
    from tlstat.minimax import vote_error

    model = MarginalSingularity(0.7, 0.5, 1.5, 2)
    bound = model.lower_bound(10**4, 300)
    radii = np.geomspace(1e-3, 1, 2000)
    values = radii ** (0.7 * 1.5) * vote_error(
        10**4, radii**3.5, radii**0.7, 300, radii**2, radii**0.7
    )
    assert bound.value == pytest.approx(values.max(), rel=1e-4)
    assert bound.value >= values.max() * (1 - 1e-6)
    assert model.lower_bound(0, 0).value == pytest.approx(0.5)


# ------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PowerThresholds(0), "gamma is 0; expected a finite number above 0"),
        (lambda: PowerThresholds(1, math.nan), "q is nan"),
        (lambda: PowerThresholds(1, 1, -0.1), "a_P is -0.1"),
        (lambda: PowerThresholds(1, 1, 0, 0, 1.2), "c_P is 1.2"),
        (lambda: PowerThresholds("2"), "gamma is '2'"),
        (lambda: ParallelThresholds(0, 1), "d is 0"),
        (lambda: ParallelThresholds(1.5, 1), "d is 1.5"),
        (lambda: ShiftedCentre(0, 1), "b is 0"),
        (lambda: ShiftedCentre(-1, 1), "b is -1"),
        (lambda: Stumps(2, split=1.0), "split is 1.0"),
        (lambda: Hypercube(4, 0.3, 0.1, 0.5, 0.5), "p is 0.3; expected a mass in"),
        (lambda: Hypercube(4, 0.2, 0.1, 0.0, 0.5), "delta_P is 0.0"),
        (lambda: Hypercube.at_scale(4, 0.1, rho=1, beta_P=1.5, beta_Q=0), "beta_P is 1.5"),
        (lambda: Hypercube.at_scale(4, 2, rho=1, beta_P=1, beta_Q=0), "eps is 2"),
        (lambda: Hypercube(30, 0.01, 0.01, 1, 1).finite_class(), "m is 30"),
        (lambda: GaussianHalfSpaces(np.eye(2), -np.eye(2), [1, 0]), "Sigma_Q is not positive"),
        (lambda: GaussianHalfSpaces(np.eye(2), np.eye(3), [1, 0]), "Sigma_Q has shape"),
        (lambda: GaussianHalfSpaces(np.eye(2), np.eye(2), [0, 0]), "w_star"),
        (lambda: GaussianTransfer(1, 1, 0, 0), "n_S \\+ n_T is 0"),
        (lambda: GaussianTransfer(1, -1, 1, 1), "Delta is -1"),
        (lambda: PosteriorDrift(1, 3, 1, 2), "alpha \\* beta is 3"),
        (lambda: MarginalSingularity(2, 1, 1, 1), "alpha is 2"),
        (lambda: MarginalSingularity(1, 1, 1, 1).lower_bound(-1, 0), "n_P"),
        (lambda: FiniteClass([[0, 2]], [0, 1], [0, 1], [0, 1], [0, 1]), "predictions holds"),
        (lambda: FiniteClass([[0, 1]], [0, 0.9], [0, 1], [0, 1], [0, 1]), "sum of P_X is 0.9"),
        (lambda: FiniteClass([[0, 1]], [0, 1], [0, 1], [0, 1.5], [0, 1]), "eta_P has an entry"),
        (lambda: FiniteClass([[0, 1]], [1], [0, 1], [0, 1], [0, 1]), "P_X has shape"),
    ],
)
def test_bad_models_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_models_from_cells():
    cell = {"gamma": 2, "a_P": 1, "d": 3, "b": 0.2, "split": 0.4}
    assert PowerThresholds.from_cell(cell) == PowerThresholds(2, a_P=1)
    assert ParallelThresholds.from_cell(cell) == ParallelThresholds(3, 2, a_P=1)
    assert ShiftedCentre.from_cell(cell) == ShiftedCentre(0.2, 2, a_P=1)
    assert Intervals.from_cell(cell) == Intervals(2, a_P=1)
    assert HalfPlanes.from_cell(cell) == HalfPlanes(2, a_P=1)
    assert isinstance(ParallelThresholds.from_cell({"gamma": 2, "d": 3.0}).d, int)
    assert Stumps.from_cell(cell) == Stumps(3, 2, split=0.4)
    cube = {"m": 4, "p": 0.1, "q": 0.2, "delta_P": 0.3, "delta_Q": 0.4}
    assert Hypercube.from_cell(cube) == Hypercube(4, 0.1, 0.2, 0.3, 0.4)
    scale = {"m": 4, "eps": 0.1, "rho": 2, "beta_P": 0.5, "beta_Q": 0.5}
    expected = Hypercube.at_scale(4, 0.1, rho=2, beta_P=0.5, beta_Q=0.5)
    assert Hypercube.from_cell(scale) == expected
    sizes = {"D": 3, "Delta": 0.5, "n_S": 10, "n_T": 4}
    assert GaussianTransfer.from_cell(sizes) == GaussianTransfer(3, 0.5, 10, 4)
    letters = {"alpha": 1, "beta": 0.5, "gamma": 1, "d": 2}
    assert PosteriorDrift.from_cell(letters) == PosteriorDrift(0.5, 1, 1, 2)
    assert MarginalSingularity.from_cell(letters) == MarginalSingularity(1, 0.5, 1, 2)
