"""Injected bugs, each with a law that must catch it."""

from types import SimpleNamespace

import numpy as np
import pytest

from tlstat.task_diversity.allocation import optimal_allocation
from tlstat.task_diversity.complexity import chain_rule, head_complexity
from tlstat.task_diversity.diversity import diversity
from tlstat.task_diversity.estimators import alternating_minimisation, u_statistic
from tlstat.task_diversity.gaps import representation_gap
from tlstat.task_diversity.risk import transfer_excess_risk
from tlstat.task_diversity.subspace import squared_sines
from tlstat.testing import find_counterexample
from tlstat.testing.task_diversity import (
    ALLOCATION_LAWS,
    CHAIN_LAWS,
    COMPLEXITY_LAWS,
    DIVERSITY_LAWS,
    GAP_LAWS,
    RISK_LAWS,
    SUBSPACE_LAWS,
    learner_laws,
)


def caught(subject, laws, name):
    """Whether a law finds a case that breaks it; the search ends at the first."""
    (law,) = [law for law in laws if law.name == name]
    return find_counterexample(law, subject, max_examples=1_000, shrink=False) is not None


# ------------------------------------------------------------------------ angles


def cosines(B_hat, B):
    return np.sort(np.linalg.svd(B_hat.T @ B, compute_uv=False) ** 2)[::-1]


def one_minus_cosine(B_hat, B):
    return np.clip(1 - np.linalg.svd(B_hat.T @ B, compute_uv=False)[::-1] ** 2, 0, 1)


def unsquared(B_hat, B):
    return np.sqrt(squared_sines(B_hat, B))


def smallest_first(B_hat, B):
    return squared_sines(B_hat, B)[::-1]


def column_by_column(B_hat, B):
    """Angles of paired columns: those of bases, not of spans."""
    return np.sort(np.clip(1 - np.sum(B_hat * B, axis=0) ** 2, 0, 1))[::-1]


def first_coordinate(B_hat, B):
    """Reads the projections in one frame of R^d."""
    apart = B_hat @ B_hat.T - B @ B.T
    return np.full(B.shape[1], min(1.0, float(np.sum(apart[0] ** 2))))


def one_sided(B_hat, B):
    found = squared_sines(B_hat, B)
    return found * (1 + 0.1 * (1 - found) * np.tanh(np.sum(B_hat @ B_hat.T) - np.sum(B @ B.T)))


def above_one(B_hat, B):
    return 2 * squared_sines(B_hat, B)


def angles_not_sines(B_hat, B):
    return np.arcsin(np.sqrt(squared_sines(B_hat, B))) ** 2


def steep(B_hat, B):
    """Convex in the sine: no distance."""
    return squared_sines(B_hat, B) ** 6


SUBSPACES = [
    (smallest_first, "range"),
    (above_one, "range"),
    (cosines, "angles"),
    (unsquared, "angles"),
    (one_minus_cosine, "tiny"),
    (column_by_column, "bases"),
    (first_coordinate, "rotation"),
    (one_sided, "symmetry"),
    (angles_not_sines, "projections"),
    (steep, "triangle"),
]


@pytest.mark.parametrize(("bug", "law"), SUBSPACES, ids=lambda v: getattr(v, "__name__", v))
def test_bugs_of_angles_are_caught(bug, law):
    assert caught(bug, SUBSPACE_LAWS, law)


# ------------------------------------------------------------------------ diversity


def sum_not_mean(A):
    return len(A) * diversity(A)


def singular_value(A):
    return np.sqrt(diversity(A))


def largest(A):
    return np.linalg.svd(A, compute_uv=False)[0] ** 2 / len(A)


def normalised_to_one(A):
    return A.shape[1] * diversity(A)


def mean_eigenvalue(A):
    return np.sum(A**2) / A.size


def smallest_diagonal(A):
    return np.min(np.mean(A**2, axis=0))


def smallest_nonzero(A):
    s = np.linalg.svd(A, compute_uv=False)
    return s[-1] ** 2 / len(A)


def weighs_later_tasks(A):
    w = np.linspace(0.5, 1, len(A))
    return diversity(A * w[:, None])


def conditioned(A):
    s = np.linalg.svd(A, compute_uv=False)
    return diversity(A) * (s[-1] / s[0] if s[0] else 1)


def centred(A):
    """A covariance of heads: one task more can take diversity away."""
    return diversity(A - A.mean(axis=0))


def negative(A):
    return diversity(A) - 1e-3


DIVERSITIES = [
    (negative, "range"),
    (normalised_to_one, "range"),
    (weighs_later_tasks, "order"),
    (sum_not_mean, "duplication"),
    (smallest_diagonal, "rotation"),
    (singular_value, "scaling"),
    (conditioned, "more tasks"),
    (smallest_nonzero, "few tasks"),
    (mean_eigenvalue, "inequality"),
    (largest, "inequality"),
    (centred, "inequality"),
    (normalised_to_one, "known designs"),
]


@pytest.mark.parametrize(("bug", "law"), DIVERSITIES, ids=lambda v: getattr(v, "__name__", v))
def test_bugs_of_diversity_are_caught(bug, law):
    assert caught(bug, DIVERSITY_LAWS, law)


# ------------------------------------------------------------------------ gaps


def ignores_covariance(B_hat, B, Sigma):
    return representation_gap(B_hat, B)


def without_inverse(B_hat, B, Sigma):
    """The Schur complement as if B_hat'x were white."""
    Sigma = np.eye(len(B)) if Sigma is None else Sigma
    cross = B.T @ Sigma @ B_hat
    return B.T @ Sigma @ B - cross @ cross.T


def same_head(B_hat, B, Sigma):
    """The head is kept instead of re-fitted."""
    Sigma = np.eye(len(B)) if Sigma is None else Sigma
    return (B - B_hat).T @ Sigma @ (B - B_hat)


def normalises(B_hat, B, Sigma):
    gap = representation_gap(B_hat, B, Sigma)
    Sigma = np.eye(len(B)) if Sigma is None else Sigma
    return gap / max(np.linalg.norm(B.T @ Sigma @ B, 2), 1e-300)


def swapped(B_hat, B, Sigma):
    return representation_gap(B, B_hat, Sigma)


def spectral_only(B_hat, B, Sigma):
    gap = representation_gap(B_hat, B, Sigma)
    return np.linalg.eigvalsh(gap)[-1] * np.eye(len(gap))


GAPS = [
    (same_head, "order"),
    (without_inverse, "spans"),
    (normalises, "heads"),
    (swapped, "re-fitting"),
    (spectral_only, "sines"),
    (ignores_covariance, "re-fitting"),
]


@pytest.mark.parametrize(("bug", "law"), GAPS, ids=lambda v: getattr(v, "__name__", v))
def test_bugs_of_gaps_are_caught(bug, law):
    assert caught(bug, GAP_LAWS, law)


# ------------------------------------------------------------------------ learners


def erm(X, y, r):
    return alternating_minimisation(X, y, r, tol=1e-9).B


def not_orthonormal(X, y, r):
    return 1.1 * u_statistic(X, y, r)


def centres_in_place(X, y, r):
    for rows in X:
        rows -= rows.mean(axis=0)
    return u_statistic(X, y, r)


def first_task_counts_twice(X, y, r):
    return u_statistic([X[0], *X], [y[0], *y], r)


def drops_the_last_row(X, y, r):
    return u_statistic([x[:-1] for x in X], [v[:-1] for v in y], r)


def pools_tasks(X, y, r):
    """One regression for all: heads of both signs cancel."""
    theta = np.linalg.lstsq(np.vstack(X), np.concatenate(y), rcond=None)[0]
    return np.linalg.qr(np.column_stack([theta, *np.eye(len(theta))[: r - 1]]))[0]


def ridge_of_tasks(X, y, r):
    """A penalty in the units of the responses' scale: not homogeneous."""
    coefs = []
    for x, v in zip(X, y, strict=True):
        level = np.linalg.norm(v)
        gram = x.T @ x + np.diag(level * np.arange(x.shape[1]))
        coefs.append(np.linalg.solve(gram, x.T @ v))
    return np.linalg.svd(np.stack(coefs))[2][:r].T


def picks_columns(X, y, r):
    """Variable selection instead of rotation."""
    scores = sum((x.T @ v) ** 2 for x, v in zip(X, y, strict=True))
    return np.eye(X[0].shape[1])[:, np.argsort(-scores)[:r]]


def smallest_eigenvectors(X, y, r):
    d = X[0].shape[1]
    full = u_statistic(X, y, min(d, len(X)))
    return full[:, -r:]


def one_step(X, y, r):
    return alternating_minimisation(X, y, r, n_iter=1, tol=np.inf).B


def weighs_small_tasks_more(X, y, r):
    scaled = [(x / len(x), v / len(x)) for x, v in zip(X, y, strict=True)]
    return erm([x for x, _ in scaled], [v for _, v in scaled], r)


def uses_the_size(X, y, r):
    """A ridge on the heads that does not grow with the sample."""
    augmented = [np.vstack([x, 2 * np.eye(x.shape[1])]) for x in X]
    padded = [np.concatenate([v, np.zeros(x.shape[1])]) for x, v in zip(X, y, strict=True)]
    return erm(augmented, padded, r)


LEARNERS = [
    (not_orthonormal, "orthonormal"),
    (centres_in_place, "arguments"),
    (first_task_counts_twice, "tasks"),
    (drops_the_last_row, "samples"),
    (pools_tasks, "sign flip"),
    (ridge_of_tasks, "scaling"),
    (picks_columns, "rotation"),
    (smallest_eigenvectors, "consistent"),
    (u_statistic, "exact"),
    (one_step, "exact"),
    (weighs_small_tasks_more, "stationary"),
    (uses_the_size, "duplication"),
]


@pytest.mark.filterwarnings("ignore::tlstat.task_diversity.data.TaskWarning")
@pytest.mark.parametrize(("bug", "law"), LEARNERS, ids=lambda v: getattr(v, "__name__", v))
def test_bugs_of_learners_are_caught(bug, law):
    assert caught(bug, learner_laws("least-squares"), law)


# ------------------------------------------------------------------------ risk


def no_leakage(B_hat, B, alpha, sigma, m):
    """b^2 + sigma^2 r/(m - r - 1): what is missed adds no noise."""
    bias = alpha @ representation_gap(B_hat, B) @ alpha
    return bias + transfer_excess_risk(B, B, alpha, sigma, m)


def fixed_design(B_hat, B, alpha, sigma, m):
    """r/m, as if the Gram matrix were known."""
    r = B.shape[1]
    bias = alpha @ representation_gap(B_hat, B) @ alpha
    return bias + (sigma**2 + bias) * r / m


def without_bias(B_hat, B, alpha, sigma, m):
    bias = alpha @ representation_gap(B_hat, B) @ alpha
    return transfer_excess_risk(B_hat, B, alpha, sigma, m) - bias


def spectral_bias(B_hat, B, alpha, sigma, m):
    """The worst target of unit norm instead of this one."""
    r = B.shape[1]
    worst = np.linalg.eigvalsh(representation_gap(B_hat, B))[-1]
    return worst + (sigma**2 + worst) * r / (m - r - 1)


def head_as_basis(B_hat, B, alpha, sigma, m):
    """Compares heads without aligning bases."""
    bias = np.sum((B_hat @ alpha - B @ alpha) ** 2)
    r = B.shape[1]
    return bias + (sigma**2 + bias) * r / (m - r - 1)


def root(B_hat, B, alpha, sigma, m):
    return np.sqrt(transfer_excess_risk(B_hat, B, alpha, sigma, m))


RISKS = [
    (fixed_design, "oracle"),
    (without_bias, "samples"),
    (no_leakage, "noise"),
    (spectral_bias, "scaling"),
    (root, "scaling"),
    (head_as_basis, "rotation"),
]


@pytest.mark.parametrize(("bug", "law"), RISKS, ids=lambda v: getattr(v, "__name__", v))
def test_bugs_of_risk_are_caught(bug, law):
    assert caught(bug, RISK_LAWS, law)


# ------------------------------------------------------------------------ allocation


def shared(shares, N):
    counts = np.floor(N * shares).astype(int)
    counts[np.argmax(shares)] += N - counts.sum()
    return SimpleNamespace(shares=shares, counts=counts)


def uniform(A, N, target):
    return shared(np.full(len(A), 1 / len(A)), N)


def least_squares(A, N, target):
    w = np.abs(np.linalg.pinv(A.T) @ target)
    return shared(w / w.sum(), N)


def squares(A, N, target):
    w = (np.linalg.pinv(A.T) @ target) ** 2
    return shared(w / w.sum(), N)


def signed(A, N, target):
    found = optimal_allocation(A, N, target=target)
    return shared(found.weights / np.sum(np.abs(found.weights)), N)


def rounded_down(A, N, target):
    found = optimal_allocation(A, N, target=target)
    return SimpleNamespace(shares=found.shares, counts=np.floor(N * found.shares))


def forgets_to_round(A, N, target):
    found = optimal_allocation(A, N, target=target)
    even = np.full(len(A), N // len(A))
    even[0] += N - even.sum()
    return SimpleNamespace(shares=found.shares, counts=even)


ALLOCATIONS = [
    (signed, "proper"),
    (rounded_down, "proper"),
    (least_squares, "Elfving"),
    (squares, "Elfving"),
    (uniform, "others"),
    (forgets_to_round, "rounding"),
]


@pytest.mark.parametrize(("bug", "law"), ALLOCATIONS, ids=lambda v: getattr(v, "__name__", v))
def test_bugs_of_allocations_are_caught(bug, law):
    assert caught(bug, ALLOCATION_LAWS, law)


# ------------------------------------------------------------------------ complexities


def value(Z, radius):
    return head_complexity(Z, radius).value


def jensen(Z, radius):
    """The bound instead of the mean."""
    return head_complexity(Z, radius).upper


def no_mean(Z, radius):
    return len(Z) * value(Z, radius)


def squared_radius(Z, radius):
    return radius * value(Z, radius)


def coordinatewise(Z, radius):
    """A box of heads."""
    return radius * np.sqrt(2 / np.pi) * np.sum(np.linalg.norm(Z, axis=0)) / len(Z)


def per_feature(Z, radius):
    return value(Z, radius) / np.sqrt(Z.shape[1])


COMPLEXITIES = [
    (no_mean, "bounds"),
    (per_feature, "inclusion"),
    (squared_radius, "scaling"),
    (coordinatewise, "isometry"),
    (jensen, "known values"),
]


@pytest.mark.parametrize(("bug", "law"), COMPLEXITIES, ids=lambda v: getattr(v, "__name__", v))
def test_bugs_of_complexities_are_caught(bug, law):
    assert caught(bug, COMPLEXITY_LAWS, law)


def constant_free(**case):
    return chain_rule(**case).constant_free


def no_lipschitz(**case):
    return chain_rule(**{**case, "lipschitz": 1.0}).infimum


def shrinks_with_the_bound(**case):
    return chain_rule(**case).infimum / case["bound"] ** 2


CHAINS = [
    (constant_free, "scales"),
    (no_lipschitz, "scales"),
    (shrinks_with_the_bound, "monotone"),
]


@pytest.mark.parametrize(("bug", "law"), CHAINS, ids=lambda v: getattr(v, "__name__", v))
def test_bugs_of_chain_rules_are_caught(bug, law):
    assert caught(bug, CHAIN_LAWS, law)


def test_no_law_is_idle():
    """Every law of the room catches a bug of the tables above."""
    tables = (
        (SUBSPACES, SUBSPACE_LAWS),
        (DIVERSITIES, DIVERSITY_LAWS),
        (GAPS, GAP_LAWS),
        (LEARNERS, learner_laws("least-squares")),
        (RISKS, RISK_LAWS),
        (ALLOCATIONS, ALLOCATION_LAWS),
        (COMPLEXITIES, COMPLEXITY_LAWS),
        (CHAINS, CHAIN_LAWS),
    )
    for table, laws in tables:
        assert {law.name for law in laws} == {name for _, name in table}
