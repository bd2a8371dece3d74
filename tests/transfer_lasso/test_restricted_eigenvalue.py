"""The GRE constant: enumeration against a semidefinite program and against the set itself."""

import itertools

import numpy as np
import pytest
from scipy.linalg import null_space

from tlstat.errors import InputError
from tlstat.transfer_lasso.restricted_eigenvalue import cone_coefficients, restricted_eigenvalue


def problem(seed, p=6, n=8):
    r = np.random.default_rng(seed)
    X = r.normal(size=(n, p))
    alpha = r.uniform(0.4, 1)
    return dict(
        gram=X.T @ X / n,
        support=np.arange(p) < r.integers(1, 3),
        alpha=alpha,
        c=r.uniform(0.1, 1) * alpha,
        drift=r.normal(size=p) * (r.random(p) < 0.5),
    )


def in_set(v, support, alpha, c, drift, **_):
    """The defining inequality, as in the error bound's proof."""
    left = (alpha - c) * np.abs(v[..., ~support]).sum(-1)
    left = left + (1 - alpha) * np.abs(v - drift).sum(-1)
    right = (alpha + c) * np.abs(v[..., support]).sum(-1)
    return left <= right + (1 - alpha) * np.abs(drift).sum() + 1e-12


def quotient(v, gram):
    return np.einsum("...j,jk,...k->...", v, gram, v) / np.sum(v**2, axis=-1)


@pytest.mark.parametrize("seed", range(12))
def test_enumeration_between_certificate_and_witness(seed):
    """A lower bound that is certified, and a vector of the set itself: both meet the value."""
    given = problem(seed)
    exact = restricted_eigenvalue(**given, method="exact")
    lower = restricted_eigenvalue(**given, method="sdp")
    assert exact.kind == "exact" and lower.kind in ("lower bound", "exact")
    assert lower.value <= exact.value * (1 + 1e-9)
    assert lower.value >= 0.999 * exact.value  # the relaxation is tight on these
    small = (
        exact.vector * 1e-6 * np.min(np.abs(given["drift"]), initial=1, where=given["drift"] != 0)
    )
    assert in_set(small, **given)
    assert quotient(exact.vector, given["gram"]) == pytest.approx(exact.value, rel=1e-9)


def of_faces(gram, A, B):
    """The least quotient by a dense eigenproblem of every face: nothing is left out or shortened.

    All eigenvectors of a face's null space are tried, not the smallest one alone.
    """
    best = np.inf
    for signs in itertools.product((0, 1, -1), repeat=len(gram)):
        J = np.flatnonzero(signs)
        if not len(J):
            continue
        normal = (A * signs + B)[J]
        for basis in (np.eye(len(J)), null_space(normal[None])):
            vectors = np.zeros((len(gram), basis.shape[1]))
            vectors[J] = basis @ np.linalg.eigh(basis.T @ gram[np.ix_(J, J)] @ basis)[1]
            v = np.concatenate([vectors.T, -vectors.T])
            k = np.abs(v) @ A + v @ B
            best = min(best, *quotient(v, gram)[k <= 1e-11], np.inf)
    return best


def autoregressive(p, rho):
    return float(rho) ** np.abs(np.subtract.outer(np.arange(p), np.arange(p)))


def columns(seed, n, p, *, twice=False, signs=False):
    X = np.random.default_rng(seed).normal(size=(n, p))
    X = np.sign(X) if signs else X
    if twice:
        X[:, 1] = X[:, 0]
    return X.T @ X / n


BLOCK = np.kron(np.eye(2), [[1, 0.7], [0.7, 1]])
GRAMS = {
    "AR(.5)": autoregressive(4, 0.5),
    "AR(-.5)": autoregressive(4, -0.5),
    "AR(.9)": autoregressive(4, 0.9),
    "AR(-.9)": autoregressive(4, -0.9),
    "equicorrelated": 0.5 * np.eye(4) + 0.5,
    "negatively equicorrelated": 1.3 * np.eye(4) - 0.3,
    "identity": np.eye(4),
    "diagonal": np.diag([1.0, 1, 0.2, 1]),
    "block": BLOCK,
    "generic": columns(0, 8, 4),
    "rank 2": columns(1, 2, 4),
    "rank 3": columns(2, 3, 4),
    "duplicate": columns(3, 8, 4, twice=True),
    "signs": columns(4, 4, 4, signs=True),
}
SETTINGS = [  # support, alpha, c, drift
    ([1, 0, 0, 1], 0.5, 0.5, None),
    ([1, 0, 0, 1], 0.5, 0.25, None),
    ([0, 1, 1, 0], 0.7, 0.6, None),
    ([1, 0, 0, 0], 1.0, 0.25, None),
    ([1, 0, 0, 1], 0.5, 0.25, [1.0, 0, 0, -1]),
    ([0, 1, 1, 0], 0.7, 0.6, [1.0, 0, 0, 0]),
]


@pytest.mark.parametrize("name", GRAMS)
def test_enumeration_on_structured_designs(name):
    """Symmetric designs, where hyperplanes are orthogonal to eigenvectors, and degenerate ones."""
    gram = GRAMS[name]
    for S, alpha, c, drift in SETTINGS:
        given = dict(support=np.array(S, bool), alpha=alpha, c=c, drift=drift)
        exact = restricted_eigenvalue(gram, **given, method="exact")
        assert exact.value == pytest.approx(of_faces(gram, *cone_coefficients(**given)), abs=1e-10)
        local = restricted_eigenvalue(gram, **given, method="heuristic")
        assert exact.value <= local.value + 1e-12
        if exact.vector is not None:
            A, B = cone_coefficients(**given)
            v = exact.vector
            assert np.abs(v) @ A + v @ B <= 1e-11
            assert quotient(v, gram) == pytest.approx(exact.value, abs=1e-12)


@pytest.mark.parametrize("rho", [0.5, -0.5, 0.9])
@pytest.mark.parametrize("p", [4, 5])
def test_the_certificate_stays_below_on_symmetric_designs(p, rho):
    S = np.isin(np.arange(p), [0, p - 1])
    for alpha, c in [(0.5, 0.5), (0.5, 0.25)]:
        given = dict(gram=autoregressive(p, rho), support=S, alpha=alpha, c=c)
        exact = restricted_eigenvalue(**given, method="exact")
        lower = restricted_eigenvalue(**given, method="sdp")
        assert lower.value <= exact.value * (1 + 1e-9)
        A, B = cone_coefficients(S, alpha, c)
        assert exact.value == pytest.approx(of_faces(given["gram"], A, B), abs=1e-10)


def test_an_even_vector_of_a_symmetric_design():
    """The hard case by hand: v = (1, -1, 1, -1) has v'Gv = 4 - 6/2 + 4/4 - 2/8 = 7/4."""
    S = np.array([True, False, False, True])
    found = restricted_eigenvalue(autoregressive(4, 0.5), S, alpha=0.5, c=0.5)
    assert found.value == pytest.approx(7 / 16, rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_no_vector_of_the_set_is_below(seed):
    """Also for vectors that are not small: the cone holds the set."""
    given = problem(seed, p=4)
    exact = restricted_eigenvalue(**given)
    v = np.random.default_rng(seed).normal(size=(100_000, 4))
    v *= np.random.default_rng(seed + 1).exponential(size=(100_000, 1))
    v = v[in_set(v, **given)]
    assert len(v) > 100
    assert quotient(v, given["gram"]).min() >= exact.value * (1 - 1e-12)


def test_only_the_signs_of_the_drift_matter():
    given = problem(5)
    value = restricted_eigenvalue(**given).value
    given["drift"] = given["drift"] * np.array([1e-9, 5, 1, 3, 1e6, 0.1])
    assert restricted_eigenvalue(**given).value == value


def test_known_values():
    S = np.array([True, False, False])
    identity = restricted_eigenvalue(np.eye(3), S, alpha=1, c=0.5)
    assert identity.value == pytest.approx(1)
    # alpha = 1, p = 2: |v_2| <= k |v_1| with k = (1+c)/(1-c), at correlation rho
    rho, c = 0.9, 0.2
    k = (1 + c) / (1 - c)
    t = np.linspace(-k, k, 200_001)
    brute = np.min((1 + 2 * rho * t + t**2) / (1 + t**2))
    gram = np.array([[1, rho], [rho, 1]])
    found = restricted_eigenvalue(gram, S[:2], alpha=1, c=c)
    assert found.value == pytest.approx(brute, abs=1e-9)


def test_a_perfect_source_that_is_trusted_leaves_no_direction():
    """Delta = 0 and 2 alpha - 1 + c < 0: the set is {0}, there is no error at all."""
    found = restricted_eigenvalue(np.eye(3), np.array([True, False, False]), alpha=0.3, c=0.1)
    assert found.value == np.inf and found.kind == "exact"


def test_rank_deficient_design():
    r = np.random.default_rng(0)
    X = r.normal(size=(4, 9))
    S = np.arange(9) < 1
    given = dict(gram=X.T @ X / 4, support=S, alpha=1, c=0.1)
    exact = restricted_eigenvalue(**given)
    lower = restricted_eigenvalue(**given, method="sdp")
    assert lower.lower <= exact.value * (1 + 1e-9)
    assert exact.value - lower.lower < 1e-4


def test_the_sdp_certifies_forty_columns_where_the_smallest_eigenvalue_is_zero():
    r = np.random.default_rng(1)
    X = r.normal(size=(35, 40))
    given = dict(gram=X.T @ X / 35, support=np.arange(40) < 2, alpha=1.0, c=0.1)
    lower = restricted_eigenvalue(**given)
    upper = restricted_eigenvalue(**given, method="heuristic")
    assert lower.kind == "lower bound" and "certified" in lower.method
    assert 0.05 < lower.lower <= upper.value


def test_large_problems():
    r = np.random.default_rng(2)
    X = r.normal(size=(400, 80))
    S = np.arange(80) < 3
    tall = restricted_eigenvalue(X.T @ X / 400, S, alpha=0.9, c=0.2)
    assert tall.method == "smallest eigenvalue" and tall.lower > 0.1
    wide = restricted_eigenvalue(X[:40].T @ X[:40] / 40, S, alpha=0.9, c=0.2)
    assert wide.kind == "heuristic upper estimate" and wide.lower == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"alpha": 0.1, "c": 0.2}, "alpha is 0.1"),
        ({"support": np.ones(6)}, "support has dtype"),
        ({"drift": np.ones(5)}, "drift has shape"),
        ({"gram": np.eye(5)}, "gram has shape"),
        ({"method": "guess"}, "method is 'guess'"),
    ],
)
def test_bad_input(change, message):
    with pytest.raises(InputError, match=message):
        restricted_eigenvalue(**{**problem(0), **change})


def test_the_sdp_has_a_limit():
    with pytest.raises(InputError, match="p <= 60"):
        restricted_eigenvalue(np.eye(61), np.arange(61) < 1, alpha=1, c=0.1, method="sdp")


def test_exact_has_a_limit():
    with pytest.raises(InputError, match="p <= 15"):
        restricted_eigenvalue(np.eye(16), np.arange(16) < 1, alpha=1, c=0.1, method="exact")


def test_cone_coefficients_are_the_slopes_at_small_vectors():
    given = problem(7)
    gram = given.pop("gram")
    A, B = cone_coefficients(**given)
    v = 1e-7 * np.random.default_rng(0).normal(size=(100, len(gram)))
    S, alpha, c, drift = given["support"], given["alpha"], given["c"], given["drift"]
    f = (alpha - c) * np.abs(v[:, ~S]).sum(1) - (alpha + c) * np.abs(v[:, S]).sum(1)
    f += (1 - alpha) * (np.abs(v - drift) - np.abs(drift)).sum(1)
    np.testing.assert_allclose(f, np.abs(v) @ A + v @ B, atol=1e-15)
