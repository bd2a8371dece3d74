"""Injected bugs of transfer lassos, each with the laws that must catch it.

The first table is the one of the reference on properties with power: unstandardised columns, a
coordinate descent whose update is written out branch by branch. The second has for every law a bug
that the laws before it let pass.
"""

import numpy as np
import pytest

from tlstat.testing import check_transfer_estimator
from tlstat.testing.transfer_lasso import transfer_laws
from tlstat.testing.transfer_lasso.levels import limit, limit_level, source_level, zero_level
from tlstat.testing.transfer_lasso.problems import RegressionProblem
from tlstat.testing.transfer_lasso.subjects import OPTIONS
from tlstat.transfer_lasso.solver import solve

pytestmark = pytest.mark.filterwarnings("ignore:the relative duality gap")

# ------------------------------------------------------------------------ updates of a descent


def table(z, g1, g2, b):
    """The update for ``b >= 0``, branches in the order of the reference."""
    if -g1 <= z <= g2:
        return 0.0
    if g2 + b <= z <= g1 + b:
        return b
    if g2 <= z <= g2 + b:
        return z - g2
    return z - g1 * np.sign(z) if not z > g1 + b else z - g1


def update(z, h, l1, l2, b0):
    b, s = h * abs(b0), np.sign(b0)
    if b == 0:
        return soft(z, l1 + l2) / h
    found = table(s * z, l1 + l2, l1 - l2, b)
    return b0 if found == b else s * found / h  # (h b0)/h need not be b0


def soft(z, level):
    return np.sign(z) * max(abs(z) - level, 0.0)


def descent(update, swap=False):
    def fit(X, y, l1, l2, source_coef):
        if not all(np.all(np.isfinite(part)) for part in (X, y, source_coef)):
            raise ValueError("not finite")
        n, p = X.shape
        l1, l2 = (l2, l1) if swap else (l1, l2)
        coef, residual = np.zeros(p), y.copy()
        H = np.sum(X**2, axis=0) / n
        for _ in range(1_000):
            largest = 0.0
            for j in range(p):
                if H[j] == 0:
                    coef[j] = 0.0 if l1 >= l2 else source_coef[j]
                    continue
                z = X[:, j] @ residual / n + H[j] * coef[j]
                new = update(z, H[j], l1, l2, source_coef[j])
                step = new - coef[j]
                if step:
                    coef[j] = new
                    residual -= step * X[:, j]
                    largest = max(largest, abs(step) * H[j] ** 0.5)
            if not 1e-14 * np.linalg.norm(y) < largest < 1e20:
                break
        return coef

    return fit


def source_not_scaled(z, h, l1, l2, b0):
    """b0 where H b0 belongs: harmless with standardised columns."""
    return update(z, 1.0, l1, l2, b0) / h


def negative_source_as_positive(z, h, l1, l2, b0):
    return update(z, h, l1, l2, abs(b0))


def wrong_middle_slope(z, h, l1, l2, b0):
    """z + g2 for z - g2 between the knots, thresholds as they should be."""
    b, g1, g2, s = h * abs(b0), l1 + l2, l1 - l2, np.sign(b0)
    between = g2 < s * z < g2 + b and not -g1 <= s * z <= g2
    return s * (s * z + g2) / h if between else update(z, h, l1, l2, b0)


def source_ignored(z, h, l1, l2, b0):
    return update(z, h, l1, l2, 0.0)


def zero_shortcut(z, h, l1, l2, b0):
    return 0.0 if z == 0 else update(z, h, l1, l2, b0)


def standardised(X, y, l1, l2, source_coef):
    """The penalty of scaled coefficients: another estimator."""
    sd = np.sqrt(np.mean(X**2, axis=0))
    sd = np.where(sd > 0, sd, 1.0)
    return right(X / sd, y, l1, l2, sd * source_coef) / sd


# bug, laws that the reference's table names, laws of which it says that they miss it
REFERENCE = {
    "b0 instead of H b0": (
        descent(source_not_scaled),
        ["KKT", "gap", "ends", "reflection swap", "l1 = 0", "large l2"],
        [],
    ),
    "negative b0 as positive": (
        descent(negative_source_as_positive),
        ["KKT", "gap", "sign flip", "negation", "reflection swap", "l1 = 0", "large l2"],
        [],
    ),
    "wrong middle slope": (
        descent(wrong_middle_slope),
        ["KKT", "gap", "permutation", "l2 = 0", "l1 = 0"],
        [],
    ),
    "l1 and l2 swapped": (
        descent(update, swap=True),
        ["KKT", "gap", "ends", "large l1", "large l2", "l1 = 0", "l2 = 0"],
        ["reflection swap"],
    ),
    "b0 ignored": (
        descent(source_ignored),
        ["KKT", "gap", "ends", "reflection swap", "l1 = 0", "large l2"],
        [],
    ),
    "shortcut at z = 0": (descent(zero_shortcut), ["orthogonal response"], []),
    "standardised": (standardised, ["KKT", "gap", "units"], []),
}

# ------------------------------------------------------------------------ wrappers of a solver


def right(X, y, l1, l2, source_coef, **options):
    return solve(X, y, l1, l2, source_coef=source_coef, tol=1e-11, **options).coef


def problem(X, y, l1, l2, b0):
    np.asarray_chkfinite(X), np.asarray_chkfinite(y), np.asarray_chkfinite(b0)
    return RegressionProblem(X, y, l1, l2, b0, np.zeros_like(b0))


def strongest(X, y):
    return np.max(np.abs(X.T @ y)) / len(y)


def reach(X, y, b0):
    """What levels are measured by; infinite where there is nothing to measure."""
    size = np.abs(X)
    return np.max(size.T @ (np.abs(y) + size @ np.abs(b0))) / len(y) or np.inf


def response_in_place(X, y, l1, l2, source_coef):
    y -= y.mean()
    return right(X, y, l1, l2, source_coef)


def nan_to_zero(X, y, l1, l2, source_coef):
    return right(*map(np.nan_to_num, (X, y)), l1, l2, np.nan_to_num(source_coef))


def skips_zero_columns(X, y, l1, l2, source_coef):
    """Coefficients of columns with H = 0 stay where they started."""
    return np.where(np.any(X != 0, axis=0), right(X, y, l1, l2, source_coef), 0.0)


def zeros_by_their_sign(X, y, l1, l2, source_coef):
    """-0.0 counts as a source with a knot of its own: l2 is lost."""
    negative = (source_coef == 0) & np.signbit(source_coef)
    return right(X, y, l1, l2, source_coef, source_weights=np.where(negative, 0.0, 1.0))


def first_column_is_free(X, y, l1, l2, source_coef):
    """As if it were the intercept."""
    weights = np.ones(X.shape[1])
    weights[0] = 0.5
    return right(X, y, l1, l2, source_coef, weights=weights, source_weights=weights)


def positive_responses(X, y, l1, l2, source_coef):
    return right(X, np.maximum(y, 0), l1, l2, source_coef)


def drops_small_numbers(X, y, l1, l2, source_coef):
    coef = right(X, y, l1, l2, source_coef)
    return np.where(np.abs(coef) < 1e-11, 0.0, coef)


def centred(X, y, l1, l2, source_coef):
    """An intercept that nobody asked for."""
    return right(X, y, l1, l2, source_coef, fit_intercept=True)


def not_divided_by_n(X, y, l1, l2, source_coef):
    """1/2 |y - Xb|^2, as the vignettes of the reference package print it."""
    return right(X, y, l1 / len(y), l2 / len(y), source_coef)


def no_source_weights(X, y, l1, l2, source_coef, *, weights=None, source_weights=None):
    """One vector of weights for both penalties."""
    return right(X, y, l1, l2, source_coef, weights=weights)


def squared_row_weights(X, y, l1, l2, source_coef, *, sample_weight=None):
    squares = None if sample_weight is None else sample_weight**2
    return right(X, y, l1, l2, source_coef, sample_weight=squares)


def centres_the_response_only(X, y, l1, l2, source_coef, *, fit_intercept=False):
    return right(X, y - y.mean() if fit_intercept else y, l1, l2, source_coef)


def grid_of_alphas(X, y, l1, l2, source_coef):
    """The nearest of 0, 0.05, ..., 1."""
    lam = l1 + l2
    alpha = np.round(20 * l1 / lam) / 20
    return right(X, y, lam * alpha, lam * (1 - alpha), source_coef)


def drops_small_sources(X, y, l1, l2, source_coef):
    """With their level, if below a thousandth of the largest, but not if below any number."""
    size = np.abs(source_coef)
    small = (size > 1e-200) & (size < 1e-3 * size.max())
    return right(X, y, l1, l2, source_coef, source_weights=np.where(small, 0.0, 1.0))


def no_answer_for_large_l1(X, y, l1, l2, source_coef):
    """Beyond the end of a path: the start."""
    large = 0 < 4 * strongest(X, y) < l1
    return source_coef if large else right(X, y, l1, l2, source_coef)


def levels_by_the_fit(X, y, l1, l2, source_coef):
    """A good source makes levels larger."""
    fit = np.linalg.norm(X @ source_coef)
    times = 1 + 0.05 * fit / (fit + np.linalg.norm(y)) if fit > 0 else 1.0
    return right(X, y, times * l1, times * l2, source_coef)


def twice_the_larger(X, y, l1, l2, source_coef):
    """... of the levels where the source is zero: symmetric, and too much."""
    share = 2 * max(l1, l2) / (l1 + l2)
    weights = np.where(source_coef == 0, share, 1.0)
    return right(X, y, l1, l2, source_coef, weights=weights, source_weights=weights)


def steeper_middle(z, h, l1, l2, b0):
    """1.1 times the slope between the knots."""
    middle = 1.1 * (l1 - l2)
    if b0 == 0 or abs(middle) > l1 + l2:
        return update(z, h, l1, l2, b0)
    total = l1 + l2
    return update(z, h, (total + middle) / 2, (total - middle) / 2, b0)


def proximal_steps(X, y, l1, l2, source_coef):
    """A fixed number of steps from the source."""
    n, p = np.asarray_chkfinite(X).shape
    coef = np.asarray_chkfinite(source_coef) + 0.0
    np.asarray_chkfinite(y)
    L = np.linalg.norm(X, 2) ** 2 / n
    for _ in range(150 if L > 0 else 0):
        w = X.T @ (y - X @ coef) / n
        coef = np.array([update(w[j] + L * coef[j], L, l1, l2, source_coef[j]) for j in range(p)])
    return coef if L > 0 else right(X, y, l1, l2, source_coef)


def with_ridge(X, y, l1, l2, source_coef, share, centre):
    """Rows more: a ridge of a share of H_j towards a centre."""
    n, p = X.shape
    levels = np.sqrt(share * np.sum(X**2, axis=0))
    times = n / (n + p)
    more = np.concatenate([y, levels * centre])
    return right(np.vstack([X, np.diag(levels)]), more, times * l1, times * l2, source_coef)


def ridge_for_uniqueness(X, y, l1, l2, source_coef):
    """Towards zero, where both penalties act."""
    share = 3e-4 * ((np.abs(source_coef) > 1e-200) & (l1 * l2 > 0))
    return with_ridge(X, y, l1, l2, source_coef, share, 0 * source_coef)


def ridge_to_the_middle(X, y, l1, l2, source_coef):
    """Alike for both knots, and gone where a level or the source is 0."""
    share = 1e-3 * l1 * l2 / (l1 + l2) ** 2 * (np.abs(source_coef) > 1e-200)
    return with_ridge(X, y, l1, l2, source_coef, share, source_coef / 2)


def lasso(X, y, l1, l2, source_coef):
    """The source is ignored."""
    return right(X, y, l1 + l2, 0.0, source_coef)


def l1_overflows(X, y, l1, l2, source_coef):
    large = l1 > 1e4 * (reach(X, y, source_coef) + l2)
    return source_coef if large else right(X, y, l1, l2, source_coef)


def l2_overflows(X, y, l1, l2, source_coef):
    large = l2 > 1e4 * (reach(X, y, source_coef) + l1)
    return 0 * source_coef if large else right(X, y, l1, l2, source_coef)


def zero_beyond_lam_max(X, y, l1, l2, source_coef):
    """alpha = 1/2 as if it were a lasso."""
    if l1 == l2 and l1 > 1.6 * strongest(X, y):
        return np.zeros(X.shape[1])
    return right(X, y, l1, l2, source_coef)


def floor_of_levels(X, y, l1, l2, source_coef):
    """The end of a path is the least level."""
    times = max(1.0, 1e-4 * strongest(X, y) / (l1 + l2))
    return right(X, y, times * l1, times * l2, source_coef)


def knows_lassos(X, y, l1, l2, source_coef):
    """A source that is a lasso of the same data, at any level, is kept."""
    w = X.T @ (y - X @ source_coef) / len(y)
    on = source_coef != 0
    if np.any(on) and np.max(np.abs(w)) > 0:
        even = np.abs(w[on] * np.sign(source_coef[on]) / np.max(np.abs(w)) - 1) < 1e-4
        if np.all(even):
            return source_coef
    return right(X, y, l1, l2, source_coef)


def early_limit(X, y, l1, l2, source_coef):
    """The limit of large lam, a hair before it is the solution."""
    case = problem(X, y, l1, l2, source_coef)
    knot = limit(case)
    if 1 < limit_level(case, knot) <= 1.002:
        return knot
    return right(X, y, l1, l2, source_coef)


def late_zero(X, y, l1, l2, source_coef):
    """alpha < 1/2: zero is left a hair after its interval."""
    case = problem(X, y, 0.998 * l1, 0.998 * l2, source_coef)
    if l1 < l2 and zero_level(case) <= case.l1:
        return np.zeros(X.shape[1])
    return right(X, y, l1, l2, source_coef)


def early_zero(X, y, l1, l2, source_coef):
    case = problem(X, y, l1, l2, source_coef)
    agrees = np.any(source_coef * (X.T @ y) > 0)
    if agrees and l2 > l1 > 0.998 * zero_level(case):
        return np.zeros(X.shape[1])
    return right(X, y, l1, l2, source_coef)


def early_source(X, y, l1, l2, source_coef):
    case = problem(X, y, l1, l2, source_coef)
    if l1 > l2 > 0.998 * source_level(case):
        return source_coef
    return right(X, y, l1, l2, source_coef)


def stops_early(X, y, l1, l2, source_coef):
    """Some 1e-7 short of the optimum, which is 1e-14 of the objective."""
    coef = right(X, y, l1, l2, source_coef)
    return np.where(coef == source_coef, coef, (1 + 1e-7) * coef)


def slightly_larger(X, y, l1, l2, source_coef):
    return (1 + 1e-4) * right(X, y, l1, l2, source_coef)


def eight_at_most(X, y, l1, l2, source_coef):
    """A working set that does not grow."""
    coef = right(X, y, l1, l2, source_coef).copy()
    coef[np.argsort(-np.abs(coef - source_coef))[8:]] = 0.0
    return coef if X.shape[1] > 8 else right(X, y, l1, l2, source_coef)


# a bug for every law, in the order of the laws
CAUGHT = [
    (response_in_place, "arguments"),
    (nan_to_zero, "NaN"),
    (twice_the_larger, "zero source"),
    (zeros_by_their_sign, "signed zeros"),
    (first_column_is_free, "permutation"),
    (descent(negative_source_as_positive), "sign flip"),
    (positive_responses, "negation"),
    (drops_small_numbers, "scaling"),
    (descent(source_not_scaled), "units"),
    (centred, "rotation"),
    (not_divided_by_n, "duplication"),
    (no_source_weights, "column units"),
    (squared_row_weights, "row weights"),
    (centres_the_response_only, "intercept"),
    (skips_zero_columns, "unseen column"),
    (lasso, "ends"),
    (grid_of_alphas, "concave"),
    (drops_small_sources, "Lipschitz"),
    (no_answer_for_large_l1, "monotone"),
    (levels_by_the_fit, "non-expansive"),
    (descent(steeper_middle), "l1 = 0"),
    (proximal_steps, "l2 = 0"),
    (ridge_for_uniqueness, "reflection swap"),
    (l1_overflows, "large l1"),
    (l2_overflows, "large l2"),
    (ridge_to_the_middle, "KKT"),
    (zero_beyond_lam_max, "box"),
    (floor_of_levels, "least squares"),
    (early_limit, "lam level"),
    (late_zero, "middle interval"),
    (early_zero, "zero level"),
    (early_source, "source level"),
    (knows_lassos, "own source"),
    (stops_early, "gap"),
    (eight_at_most, "conic solver"),
    (descent(zero_shortcut), "orthogonal response"),
]

UNSEEN_BY_CERTIFICATES = {
    "NaN",
    "intercept",
    "monotone",
    "large l1",
    "large l2",
    "box",
    "least squares",
    "lam level",
    "middle interval",
    "zero level",
    "source level",
    "conic solver",
}


def caught(solver, laws, max_examples=1_000):
    broken = check_transfer_estimator(
        solver, laws=laws, max_examples=max_examples, collect=True, shrink=False
    )
    return {found.law.name for found in broken}


def test_the_update_itself_obeys_every_law():
    """But for the law whose problems are too large for a loop in Python."""
    laws = [law.name for law in transfer_laws() if law.name != "conic solver"]
    assert caught(descent(update), laws, max_examples=5) == set()


@pytest.mark.parametrize("name", REFERENCE)
def test_the_bugs_of_the_reference_are_caught_by_the_laws_it_names(name):
    bug, laws, _ = REFERENCE[name]
    assert caught(bug, laws) == set(laws)


def test_the_gap_is_the_one_that_is_promised():
    assert caught(slightly_larger, ["gap"], max_examples=40) == {"gap"}


@pytest.mark.parametrize("name", [name for name, row in REFERENCE.items() if row[2]])
def test_and_not_by_those_that_cannot_see_them(name):
    bug, _, blind = REFERENCE[name]
    assert caught(bug, blind, max_examples=100) == set()


def test_no_other_law_sees_the_shortcut():
    """As the reference says; but for problems with a response of zeros, which are rare."""
    bug, laws, _ = REFERENCE["shortcut at z = 0"]
    weak = ["permutation", "scaling", "sign flip", "large l1", "large l2", "ends"]
    assert caught(bug, weak, max_examples=30) == set()


@pytest.mark.parametrize(("bug", "law"), CAUGHT, ids=[law for _, law in CAUGHT])
def test_every_law_catches_a_bug(bug, law):
    assert caught(bug, [law]) == {law}


def test_no_law_is_idle():
    assert [law for _, law in CAUGHT] == [law.name for law in transfer_laws(OPTIONS)]


@pytest.mark.parametrize("law", sorted(UNSEEN_BY_CERTIFICATES))
def test_certificates_alone_would_not_do(law):
    """Optimality of ordinary problems says nothing about where a solver behaves differently."""
    (bug,) = [bug for bug, name in CAUGHT if name == law]
    assert caught(bug, ["KKT", "gap"], max_examples=40) == set()
