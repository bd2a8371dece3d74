"""Each law against its distribution, with fixed keys.

Alarm level: the file makes fewer than 200 tests of goodness of fit, so each is held to
p > 5e-9 and a right sampler would fail one of them with probability below 1e-6.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats

from tlstat import backend
from tlstat.backend import Random, namespace, to_numpy
from tlstat.errors import InputError

ALARM = 5e-9
DRAWS = 20_000
ARRAYS = ("numpy", "torch")
LARGE = 2**24 + 1


def chi_square_p(x: np.ndarray, law: Any) -> float:
    """Chi-square test of integers against a discrete law, on about 20 cells by its quantiles."""
    edges = np.unique(law.ppf(np.linspace(0.05, 0.95, 19)))
    probs = np.diff(np.concatenate([[0.0], law.cdf(edges), [1.0]]))
    seen = np.bincount(np.searchsorted(edges, x), minlength=len(probs))
    keep = probs * len(x) >= 5
    assert seen[probs <= 0].sum() == 0
    if keep.sum() < 2:  # all the mass in one cell: the rest must be as rare as it should
        rest = int(seen[~keep].sum())
        return float(stats.binom.sf(rest - 1, len(x), probs[~keep].sum()))
    pooled = probs[~keep].sum() > 0
    expected = np.append(probs[keep], probs[~keep].sum()) if pooled else probs[keep]
    counts = np.append(seen[keep], seen[~keep].sum()) if pooled else seen[keep]
    if pooled and expected[-1] * len(x) < 5:
        expected = np.append(expected[:-2], expected[-2:].sum())
        counts = np.append(counts[:-2], counts[-2:].sum())
    if len(counts) < 2:
        return 1.0
    return float(stats.chisquare(counts, expected / expected.sum() * counts.sum()).pvalue)


def fit_p(x: np.ndarray, law: Any) -> float:
    if hasattr(law.dist, "pmf"):
        return chi_square_p(x, law)
    return float(stats.kstest(x, law.cdf).pvalue)


CONTINUOUS: list[tuple[str, Callable[[Random], Any], Any]] = [
    ("normal", lambda r: r.normal(2, 3, size=DRAWS), stats.norm(2, 3)),
    ("uniform", lambda r: r.uniform(-1, 3, size=DRAWS), stats.uniform(-1, 4)),
    ("exponential", lambda r: r.exponential(2.5, size=DRAWS), stats.expon(scale=2.5)),
    ("gamma", lambda r: r.gamma(0.3, 2, size=DRAWS), stats.gamma(0.3, scale=2)),
    ("log gamma", lambda r: r.log_gamma(0.3, size=DRAWS), stats.loggamma(0.3)),
    ("beta", lambda r: r.beta(0.5, 3, size=DRAWS), stats.beta(0.5, 3)),
    ("chi2", lambda r: r.chi2(2.7, size=DRAWS), stats.chi2(2.7)),
    ("dirichlet", lambda r: r.dirichlet([1, 2, 0.5], size=DRAWS)[:, 1], stats.beta(2, 1.5)),
    (
        "dirichlet by rows",
        lambda r: r.dirichlet([[9, 9, 9], [1, 2, 0.5]], size=(DRAWS, 2))[:, 1, 1],
        stats.beta(2, 1.5),
    ),
    ("orthogonal", lambda r: r.orthogonal(3, size=DRAWS)[:, 1, 2], stats.uniform(-1, 2)),
    ("wishart", lambda r: r.wishart(4.5, np.eye(3) * 2, size=DRAWS)[:, 2, 2] / 2, stats.chi2(4.5)),
    (
        "wishart 0",
        lambda r: r.wishart(4.5, np.eye(3) * 2, size=DRAWS)[:, 0, 0] / 2,
        stats.chi2(4.5),
    ),
]


def _binomial(n: int, p: float) -> tuple[str, Callable[[Random], Any], Any]:
    return f"binomial {n} {p}", lambda r: r.binomial(n, p, size=DRAWS), stats.binom(n, p)


def _multinomial(n: int, p: list[float], k: int) -> tuple[str, Callable[[Random], Any], Any]:
    law = stats.binom(n, p[k])
    return f"multinomial {n} {k}", lambda r: r.multinomial(n, p, size=DRAWS)[:, k], law


DISCRETE = [
    *(_binomial(n, p) for n in (1, 7, LARGE, 10**12) for p in (1e-10, 1e-3, 0.3, 1 - 1e-3)),
    _binomial(10**12, 1 - 1e-10),
    *(
        _multinomial(n, [0.2, 0.5, 1e-9, 0.3 - 1e-9], k)
        for n in (6, LARGE, 10**12)
        for k in range(4)
    ),
    *(
        (f"poisson {lam}", lambda r, lam=lam: r.poisson(lam, size=DRAWS), stats.poisson(lam))
        for lam in (0.01, 4, 1e9)
    ),
    (
        "hypergeometric",
        lambda r: r.hypergeometric(20, 30, 12, size=DRAWS),
        stats.hypergeom(50, 20, 12),
    ),
    (
        "hypergeometric large",
        lambda r: r.hypergeometric(LARGE, 10**8, 1000, size=DRAWS),
        stats.hypergeom(LARGE + 10**8, LARGE, 1000),
    ),
    ("integers", lambda r: r.integers(3, 11, size=DRAWS), stats.randint(3, 11)),
    ("choice", lambda r: r.choice(2, size=DRAWS, p=[0.3, 0.7]), stats.bernoulli(0.7)),
    (
        "permutation",
        lambda r: np.array([int(r.permutation(8)[0]) for _ in range(2000)]),
        stats.randint(0, 8),
    ),
]


@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize(
    ("name", "draw", "law"), CONTINUOUS + DISCRETE, ids=[row[0] for row in CONTINUOUS + DISCRETE]
)
def test_law(name: str, draw: Callable[[Random], Any], law: Any, array: str) -> None:
    # another key for each back end, or the second test would repeat the first
    rng = Random(sum(name.encode()) + 1000 * ARRAYS.index(array), array)
    assert fit_p(to_numpy(draw(rng)), law) > ALARM


def test_the_test_of_fit_sees_a_wrong_law() -> None:
    x = to_numpy(Random(1).binomial(10**12, 0.3, size=DRAWS))
    assert chi_square_p(x // 2 * 2, stats.binom(10**12, 0.3)) > ALARM  # coarser than a cell
    wide = ((x - 3e11) * 1.1 + 3e11).astype(np.int64)
    assert chi_square_p(wide, stats.binom(10**12, 0.3)) < ALARM
    assert fit_p(to_numpy(Random(1).normal(0.1, size=DRAWS)), stats.norm()) < ALARM


def test_large_counts_have_odd_and_even_values() -> None:
    x = to_numpy(Random(2).binomial(10**12, 0.3, size=DRAWS)) % 2
    assert stats.binomtest(int(x.sum()), DRAWS).pvalue > ALARM


@pytest.mark.parametrize("n", [1, LARGE, 10**12])
def test_multinomial_counts_sum_to_n_and_respect_zeros(n: int) -> None:
    p = np.array([0.7, 1e-10, 0.1, 0.1, 0.1 - 1e-10, 0.0])
    counts = Random(3).multinomial(n, p, size=5000)
    assert (counts.sum(-1) == n).all()
    assert (counts[:, 5] == 0).all(), "mass lost to rounding must not reach a zero category"


def test_multinomial_broadcasts_n_over_rows() -> None:
    p = np.array([[0.5, 0.5, 0.0], [0.0, 0.25, 0.75]])
    counts = Random(4).multinomial([[10], [10**12]], p)
    assert counts.shape == (2, 2, 3)
    assert (counts.sum(-1) == [[10], [10**12]]).all()
    assert (counts[:, 0, 2] == 0).all()
    assert (counts[:, 1, 0] == 0).all()
    sized = Random(4).multinomial([10, 20], p, size=(7, 2))
    assert sized.shape == (7, 2, 3)
    assert (sized.sum(-1) == [10, 20]).all()


@pytest.mark.parametrize(("name", "draw"), [row[:2] for row in CONTINUOUS + DISCRETE[:8]])
def test_numpy_and_torch_on_the_cpu_see_the_same_draws(
    name: str, draw: Callable[[Random], Any]
) -> None:
    ours, theirs = draw(Random(5, "numpy")), draw(Random(5, "torch"))
    assert isinstance(theirs, torch.Tensor)
    assert theirs.dtype in (torch.float64, torch.int64)
    assert np.array_equal(ours, to_numpy(theirs))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(
    ("name", "draw", "law"),
    CONTINUOUS[:8] + DISCRETE[:-1],
    ids=[row[0] for row in CONTINUOUS[:8] + DISCRETE[:-1]],
)
def test_law_on_cuda(name: str, draw: Callable[[Random], Any], law: Any) -> None:
    x = draw(Random(sum(name.encode()) + 5000, "torch", "cuda"))
    assert x.device.type == "cuda"
    assert x.dtype in (torch.float64, torch.int64)
    assert fit_p(to_numpy(x), law) > ALARM


def test_same_key_same_draws_and_neighbouring_keys_are_uncorrelated() -> None:
    assert np.array_equal(Random(6).normal(size=10), Random(6).normal(size=10))
    x = np.array([Random(k).normal(size=2000) for k in (7, 8, 7 + 2**64, 2**128 - 1)])
    high = stats.norm.isf(ALARM / 2) / np.sqrt(2000)
    correlations = np.corrcoef(x)[np.triu_indices(4, 1)]
    assert np.abs(correlations).max() < high


def test_spawn_depends_on_key_and_label_only() -> None:
    rng = Random(9)
    before = rng.spawn("a").normal(size=5)
    rng.normal(size=100)
    assert np.array_equal(before, rng.spawn("a").normal(size=5))
    keys = {rng.key, *(rng.spawn(label).key for label in ("a", "b", "", "1", 1))}
    assert len(keys) == 6
    assert Random(10).spawn("a").key != rng.spawn("a").key
    assert rng.spawn("a").array == "numpy"


def test_tiny_shapes_do_not_underflow_in_logarithms() -> None:
    log_g = Random(11).log_gamma(1e-3, size=DRAWS)
    assert np.isfinite(log_g).all()
    # log U / a dominates: -a log G is nearly a standard exponential
    assert log_g.min() < np.log(np.finfo(float).tiny)
    rows = Random(11).dirichlet(np.full((DRAWS, 4), 1e-3))
    assert np.isfinite(rows).all()
    assert np.allclose(rows.sum(-1), 1)
    counts = np.bincount(rows.argmax(-1), minlength=4)
    assert stats.chisquare(counts).pvalue > ALARM


def test_orthogonal_columns_are_orthonormal() -> None:
    q = Random(12).orthogonal(5, 3, size=4)
    assert q.shape == (4, 5, 3)
    assert np.allclose(np.swapaxes(q, -1, -2) @ q, np.eye(3))
    assert Random(12).orthogonal(3).shape == (3, 3)


def test_wishart_has_its_mean() -> None:
    scale = np.array([[2.0, 0.7], [0.7, 1.0]])
    w = Random(13).wishart(5.5, scale, size=DRAWS)
    sd = np.sqrt(5.5 * (scale**2 + np.outer(np.diag(scale), np.diag(scale))) / DRAWS)
    assert (np.abs(w.mean(0) - 5.5 * scale) < stats.norm.isf(ALARM / 2) * sd).all()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda r: r.binomial(10, 1.5), "p is 1.5; expected a probability"),
        (lambda r: r.binomial(10, [0.1, -0.1]), "p is -0.1 at index 1"),
        (lambda r: r.binomial(10, np.nan), "p is nan"),
        (lambda r: r.binomial(-3, 0.5), "n is -3"),
        (lambda r: r.binomial(2.5, 0.5), "n is 2.5"),
        (lambda r: r.binomial("3", 0.5), "n has dtype"),
        (lambda r: r.binomial(2.0**63, 0.5), "expected a non-negative integer below"),
        (lambda r: r.multinomial(5, [0.5, 0.4]), "p sums to 0.9; expected 1"),
        (lambda r: r.multinomial(5, [[0.5, 0.5], [0.5, 0.4]]), r"p sums to 0\.9 in row \(1,\)"),
        (lambda r: r.multinomial(5, np.ones((2, 0))), "at least one category"),
        (lambda r: r.poisson(1e16), r"lam is 1e\+16"),
        (lambda r: r.poisson(-1), "lam is -1"),
        (lambda r: r.normal(0, -1), "scale is -1"),
        (lambda r: r.normal(0, np.inf), "scale is inf"),
        (lambda r: r.uniform(2, 1), "high - low is -1"),
        (lambda r: r.gamma(0), "shape is 0"),
        (lambda r: r.beta(1, 0), "b is 0"),
        (lambda r: r.chi2(-2), "df is -2"),
        (lambda r: r.dirichlet([1, 0]), "alpha is 0"),
        (lambda r: r.hypergeometric(5, 5, 11), "nsample is 11"),
        (lambda r: r.hypergeometric(10**9, 5, 1), "ngood is 1000000000"),
        (lambda r: r.integers(3, 3), "high - low is 0"),
        (lambda r: r.choice(2, p=[0.5, 0.6]), "p sums to 1.1"),
        (lambda r: r.orthogonal(2, 3), "k is 3"),
        (lambda r: r.wishart(1, np.eye(3)), "df is 1"),
        (lambda r: r.wishart(5, -np.eye(3)), "not positive definite"),
    ],
)
@pytest.mark.parametrize("array", ARRAYS)
def test_parameters_outside_the_domain_are_refused(
    call: Callable[[Random], Any], says: str, array: str
) -> None:
    with pytest.raises(InputError, match=says):
        call(Random(1, array))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((-1,), "key is -1"),
        ((2**128,), "expected an integer in"),
        ((1, "jax"), "array is 'jax'"),
        ((1, "numpy", "cuda"), "device is 'cuda'"),
    ],
)
def test_a_bad_source_is_refused(arguments: tuple[Any, ...], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Random(*arguments)


def test_rows_within_tolerance_are_renormalised() -> None:
    p = np.array([0.1] * 10) * (1 + 5e-10)
    assert (Random(14).multinomial(10**12, p, size=3).sum(-1) == 10**12).all()


SPECIAL = [
    ("gammaln", (np.array([0.3, 4.0, 50.0]),)),
    ("digamma", (np.array([0.3, 4.0, 50.0]),)),
    ("erf", (np.array([-2.0, 0.1, 3.0]),)),
    ("ndtr", (np.array([-5.0, 0.0, 3.0]),)),
    ("log_ndtr", (np.array([-30.0, 0.0, 3.0]),)),
    ("ndtri", (np.array([1e-12, 0.5, 0.9]),)),
    ("xlogy", (np.array([0.0, 1.0, 2.0]), np.array([0.0, 0.5, 3.0]))),
    ("gammainc", (np.array([0.5, 2.0]), np.array([0.1, 3.0]))),
    ("betainc", (np.array([0.5, 2.0]), np.array([1.5, 3.0]), np.array([0.1, 0.7]))),
]


@pytest.mark.parametrize(("name", "args"), SPECIAL, ids=[row[0] for row in SPECIAL])
def test_special_functions_agree_between_numpy_and_torch(
    name: str, args: tuple[np.ndarray, ...]
) -> None:
    import scipy.special

    function = getattr(backend, name)
    tensors = [torch.from_numpy(a) for a in args]
    assert isinstance(function(*tensors), torch.Tensor)
    reference = getattr(scipy.special, name)(*args)
    assert np.array_equal(function(*args), reference)
    assert np.allclose(to_numpy(function(*tensors)), reference, rtol=1e-10, atol=0)


@pytest.mark.parametrize("axis", [None, 0, (0, 1)])
def test_logsumexp(axis: Any) -> None:
    x = np.array([[1000.0, 1000.0], [-5.0, 0.0]])
    expected = np.logaddexp.reduce(x, axis=axis)
    assert np.allclose(backend.logsumexp(x, axis=axis), expected)
    assert np.allclose(to_numpy(backend.logsumexp(torch.from_numpy(x), axis=axis)), expected)


def test_namespaces() -> None:
    assert Random(1).xp is np
    assert namespace(np.ones(2)) is namespace(1.0) is np
    xp = Random(1, "torch").xp
    assert xp is namespace(torch.ones(2))
    assert Random(1, "torch").asarray([1, 2]).dtype == torch.int64
    assert Random(1, "torch").asarray(np.float32(1)).dtype == torch.float64


def test_torch_is_imported_only_when_asked_for() -> None:
    code = (
        "import sys; from tlstat.backend import Random; Random(1).dirichlet([1, 2]);"
        "heavy = {'torch', 'scipy.stats', 'sympy', 'pandas', 'array_api_compat'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
