"""Risks and their laws against simulation, brute force and mpmath."""

import mpmath as mp
import numpy as np
import pytest
import torch
from scipy.stats import kstest

from tlstat.errors import InputError
from tlstat.task_diversity.risk import (
    average_excess_risk,
    crossover,
    head_risk,
    single_task_risk,
    transfer_excess_risk,
    transfer_wins,
)
from tlstat.task_diversity.risk_law import ExcessRiskLaw

ALARM = 1e-6  # false alarms of a statistical test
Z = 4.89  # the two-sided normal quantile of that level


def orthonormal(rng, *shape):
    return np.linalg.qr(rng.normal(size=shape))[0]


def simulate(B_hat, theta, sigma, m, rng, draws, root=None):
    """Excess risks of least squares of minimum norm on ``B_hat'x``, by pseudo-inverses."""
    X = rng.normal(size=(draws, m, len(theta)))
    root = np.eye(len(theta)) if root is None else root
    X = X @ root
    y = X @ theta + sigma * rng.normal(size=(draws, m))
    heads = (np.linalg.pinv(X @ B_hat) @ y[..., None])[..., 0]
    wrong = heads @ B_hat.T - theta
    return np.sum((wrong @ root.T) ** 2, axis=-1)


@pytest.mark.parametrize("m", [3, 8, 9, 25])
def test_transfer_risk_in_every_range(m):
    rng = np.random.default_rng(m)
    d, r = 9, 6
    B, B_hat = orthonormal(rng, d, 2), orthonormal(rng, d, r)
    alpha = np.array([1.0, -0.7])
    risks = simulate(B_hat, B @ alpha, 0.8, m, rng, 20_000)
    found = float(transfer_excess_risk(B_hat, B, alpha, 0.8, m))
    law = ExcessRiskLaw(
        r,
        m,
        0.8,
        bias=np.linalg.norm(B @ alpha - B_hat @ B_hat.T @ B @ alpha),
        norm=np.linalg.norm(B_hat.T @ B @ alpha),
    )
    assert law.mean == pytest.approx(found, rel=1e-12)
    assert kstest(risks, law.cdf).pvalue > ALARM
    assert abs(np.mean(np.sqrt(risks)) - law.mean_norm) < Z * np.std(np.sqrt(risks)) / 20_000**0.5
    if m in (3, 25):  # the variance of the risk is finite
        assert abs(np.mean(risks) - found) < Z * np.std(risks) / 20_000**0.5


def test_the_number_of_the_reference():
    """b^2 + (sigma^2 + b^2) r/(m - r - 1): their check .6870, to its four digits."""
    value = 0.5 + 1.5 * 3 / (12 - 3 - 1)
    B = np.eye(6)[:, :3]
    B_hat = np.eye(6)[:, [3, 1, 2]]
    found = transfer_excess_risk(B_hat, B, np.array([0.5**0.5, 0.3, 0.1]), 1.0, 12)
    assert found == pytest.approx(value, abs=1e-12)


def test_any_covariance_of_gaussian_covariates():
    rng = np.random.default_rng(5)
    root = rng.normal(size=(6, 6))
    Sigma = root.T @ root
    B, B_hat, alpha = orthonormal(rng, 6, 2), rng.normal(size=(6, 3)), np.array([1.0, 2.0])
    found = transfer_excess_risk(B_hat, B, alpha, 0.5, 15, covariance=Sigma)
    risks = simulate(B_hat, B @ alpha, 0.5, 15, rng, 20_000, root)
    assert abs(np.mean(risks) - found) < Z * np.std(risks) / 20_000**0.5


def test_the_average_over_targets():
    rng = np.random.default_rng(6)
    B, B_hat = orthonormal(rng, 7, 3), orthonormal(rng, 7, 3)
    K = rng.normal(size=(3, 3))
    heads = rng.normal(size=(40_000, 3)) @ K.T
    each = transfer_excess_risk(B_hat, B, heads, 0.7, 9)
    found = average_excess_risk(B_hat, B, K @ K.T, 0.7, 9)
    assert abs(np.mean(each) - found) < Z * np.std(each) / 200
    # sums of squares over a design with exactly this second moment
    exact = transfer_excess_risk(B_hat, B, np.sqrt(3) * K.T, 0.7, 9)
    assert np.mean(exact) == pytest.approx(found, rel=1e-12)


def test_oracle_and_single_task():
    assert head_risk(3, [4, 5, 104], 2.0).tolist() == [np.inf, 12.0, pytest.approx(0.12)]
    rng = np.random.default_rng(7)
    theta = np.array([1.0, -1.0, 0.5, 0.2, 0.0])
    for m in (2, 12):
        risks = simulate(np.eye(5), theta, 0.6, m, rng, 40_000)
        found = single_task_risk(5, m, 0.6, np.linalg.norm(theta))
        assert abs(np.mean(risks) - found) < Z * np.std(risks) / 200
    norm = float(np.linalg.norm(theta))
    assert single_task_risk(5, [0, 4, 5, 6], 0.6, norm).tolist() == [
        pytest.approx(norm**2),
        np.inf,
        np.inf,
        np.inf,
    ]
    # without noise nothing is infinite
    assert single_task_risk(5, [4, 5, 6], 0.0, norm).tolist() == [
        pytest.approx(norm**2 / 5),
        0.0,
        0.0,
    ]


def test_the_published_errors_of_one_task():
    """LR curves of Tripuraneni, Jin and Jordan: norms, not squared, at d = 100."""
    for m, stored in ((2500, 0.2024), (1000, 0.337), (50, 1.22), (25, 1.00)):
        # their theta has norms of a chi_5/sqrt 5; at m < d that moves the mean a little
        found = ExcessRiskLaw(100, m).mean_norm
        assert found == pytest.approx(stored, rel=0.06)
        assert found < single_task_risk(100, m) ** 0.5


def test_the_true_representation_attains_the_oracle():
    B = np.eye(6)[:, :2]
    assert transfer_excess_risk(B, B, np.ones(2), 1.5, 10) == pytest.approx(head_risk(2, 10, 1.5))


def test_bias_and_samples_of_the_crossover_agree():
    for bias in (0.01, 0.3, 1.0, 5.0):
        m = crossover(40, 3, 0.7, bias=bias)
        assert crossover(40, 3, 0.7, m=np.floor(m)) >= bias >= crossover(40, 3, 0.7, m=np.ceil(m))
        grid = np.arange(42, 50_000)
        assert np.array_equal(transfer_wins(40, 3, grid, 0.7, bias), grid < m)
    assert crossover(40, 3, bias=0.0) == np.inf
    # between learning alone with infinite risk and a finite one
    assert crossover(40, 3, m=40) == np.inf


def test_crossover_below_the_dimension():
    b = crossover(40, 3, 1.0, 2.0, m=20)
    transfer = b**2 + (1 + b**2) * 3 / (20 - 4)
    assert transfer == pytest.approx(single_task_risk(40, 20, 1.0, 2.0))
    # a target of norm 0.01: predicting 0 is better than any head
    assert np.isnan(crossover(40, 3, 1.0, 0.01, m=5))


def reference_mean_norm(k, m, sigma, bias, norm):
    v, a, b = sigma**2 + bias**2, mp.mpf(min(k, m)) / 2, mp.mpf(abs(m - k) + 1) / 2

    def over_ratio(c):
        def f(p):
            return p ** (a - 1) * (1 - p) ** (b - mp.mpf(3) / 2) * mp.sqrt(c * (1 - p) + v * p)

        return mp.quad(f, [0, 0.01, 0.3, 1]) / mp.beta(a, b)

    if m >= k:
        return over_ratio(mp.mpf(bias) ** 2)
    g, h = mp.mpf(k - m) / 2, mp.mpf(m) / 2

    def over_share(u):
        return u ** (g - 1) * (1 - u) ** (h - 1) * over_ratio(bias**2 + norm**2 * u)

    return mp.quad(over_share, [0, 0.5, 1]) / mp.beta(g, h)


@pytest.mark.parametrize(
    "case",
    [
        (5, 25, 1.0, 0.3, 1.0),
        (5, 6, 1.0, 0.0, 1.0),
        (4, 500, 0.1, 1e-3, 1.0),
        (8, 4, 1.0, 0.3, 2.0),
    ],
    ids=str,
)
def test_mean_norms_against_mpmath(case):
    assert ExcessRiskLaw(*case).mean_norm == pytest.approx(float(reference_mean_norm(*case)), 1e-9)


def test_distribution_functions_against_mpmath():
    """Fewer samples than regressors: the Beta and the F ratio convolved."""
    law = ExcessRiskLaw(8, 4, 1.0, 0.3, 1.3)

    def f_cdf(x):
        return mp.betainc(2, mp.mpf(5) / 2, 0, x / (x + law.variance), regularized=True)

    for x in (0.5, 1.0, 1.78, 1.79, 3.0, 20.0):
        room = mp.mpf(x) - mp.mpf("0.09")
        top = min(1, room / mp.mpf("1.69"))
        value = mp.quad(
            lambda u, room=room: f_cdf(room - mp.mpf("1.69") * u) * 6 * u * (1 - u), [0, top]
        )
        assert law.cdf(x) == pytest.approx(float(value), rel=1e-9)


def test_laws_without_samples_or_noise():
    assert ExcessRiskLaw(3, 0, norm=2.0, bias=1.0).mean == 5
    assert ExcessRiskLaw(3, 0, norm=2.0, bias=1.0).mean_norm == pytest.approx(5**0.5)
    assert ExcessRiskLaw(3, 0, norm=2.0).quantile(0.3) == pytest.approx(4)
    silent = ExcessRiskLaw(3, 9, sigma=0.0)
    assert silent.mean == silent.mean_norm == silent.quantile(0.5) == 0
    assert ExcessRiskLaw(3, 3).mean_norm == np.inf
    law = ExcessRiskLaw(6, 2, 0.5, 0.2, 1.5)
    assert law.cdf(law.quantile(0.9)) == pytest.approx(0.9)
    rng = np.random.default_rng(1)
    assert kstest(law.rvs(20_000, rng), law.cdf).pvalue > ALARM


def test_torch_gives_the_same_numbers():
    rng = np.random.default_rng(8)
    B_hat, B, alpha = orthonormal(rng, 5, 7, 3), orthonormal(rng, 7, 3), rng.normal(size=(5, 3))
    m = np.array([1, 2, 5, 9, 100])
    t = torch.asarray
    on_torch = transfer_excess_risk(t(B_hat), t(B), t(alpha), 0.5, t(m))
    assert on_torch.tolist() == pytest.approx(
        transfer_excess_risk(B_hat, B, alpha, 0.5, m).tolist()
    )
    averaged = average_excess_risk(t(B_hat), t(B), t(np.eye(3)), 0.5, 9)
    assert averaged.tolist() == pytest.approx(average_excess_risk(B_hat, B, np.eye(3), 0.5, 9))


def test_the_example_of_the_documentation():
    law = ExcessRiskLaw(5, 25, bias=0.3)
    found = [law.mean, law.mean_norm, law.quantile(0.95)]
    assert found == pytest.approx([0.3768, 0.5933, 0.7868], abs=5e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: head_risk(0, 5), "r is 0; expected integers, 1 or above"),
        (lambda: single_task_risk(5, 2.5), "m is 2.5; expected integers, 0 or above"),
        (lambda: single_task_risk(5, 9, sigma=-1), "sigma is -1; expected finite numbers, 0"),
        (
            lambda: transfer_excess_risk(np.eye(3), np.eye(3), np.ones(2), 1.0, 9),
            "B has shape .* and alpha_0",
        ),
        (
            lambda: transfer_excess_risk(
                np.eye(3), np.eye(3), np.ones(3), 1.0, 3, covariance=np.eye(3)
            ),
            "m is 3 with a covariance; expected more than r = 3 samples",
        ),
        (
            lambda: average_excess_risk(np.eye(3), np.eye(3), np.eye(3), 1.0, 4),
            "m is 4; expected integers, 5 or above",
        ),
        (lambda: crossover(5, 5, m=9), "expected r below d"),
        (lambda: crossover(5, 2), "expected one of m and bias"),
        (lambda: crossover(5, 2, m=9, bias=0.1), "expected one of m and bias"),
        (lambda: crossover(5, 2, sigma=0.0, m=9), "sigma is 0.0; expected finite numbers above 0"),
        (lambda: ExcessRiskLaw(0, 3), "k is 0"),
        (lambda: ExcessRiskLaw(3, 3, bias=float("nan")), "bias is nan"),
        (lambda: ExcessRiskLaw(3, 9).quantile(1.0), r"p is 1.0; expected a number in \(0, 1\)"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message):
        call()
