"""Injected bugs of the transfer lasso's update, each with the laws that must catch it.

The table is the one of the reference on properties with power: unstandardised columns, a coordinate
descent whose update is written out branch by branch.
"""

import numpy as np
import pytest

from tlstat.testing import check_transfer_estimator
from tlstat.testing.transfer_lasso import transfer_laws


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
    b = h * b0
    if b >= 0:
        return table(z, l1 + l2, l1 - l2, b) / h if b > 0 else _soft(z, l1 + l2) / h
    return -table(-z, l1 + l2, l1 - l2, -b) / h


def _soft(z, level):
    return np.sign(z) * max(abs(z) - level, 0.0)


def descent(update, swap=False):
    def solve(X, y, l1, l2, source_coef):
        n, p = X.shape
        l1, l2 = (l2, l1) if swap else (l1, l2)
        coef, residual = np.zeros(p), y.copy()
        H = np.sum(X**2, axis=0) / n
        for _ in range(2_000):
            largest = 0.0
            for j in range(p):
                z = X[:, j] @ residual / n + H[j] * coef[j]
                new = update(z, H[j], l1, l2, source_coef[j])
                step = new - coef[j]
                if step:
                    coef[j] = new
                    residual -= step * X[:, j]
                    largest = max(largest, abs(step) * H[j] ** 0.5)
            if largest < 1e-13:
                break
            if largest > 1e6:
                break
        return coef

    return solve


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


def not_divided_by_n(X, y, l1, l2, source_coef):
    """1/2 |y - Xb|^2, as the vignettes of the reference package print it."""
    return descent(update)(X, y, l1 / len(y), l2 / len(y), source_coef)


def centred(X, y, l1, l2, source_coef):
    """An intercept that nobody asked for."""
    varying = np.ptp(X, axis=0) > 0
    centre = np.where(varying, X.mean(axis=0), 0.0)
    return descent(update)(X - centre, y - y.mean(), l1, l2, source_coef)


def response_in_place(X, y, l1, l2, source_coef):
    y -= y.mean()
    return descent(update)(X, y, l1, l2, source_coef)


def levels_not_added(z, h, l1, l2, b0):
    return update(z, h, l1, l2, b0) if b0 else _soft(z, max(l1, l2)) / h


def a_little_ridge(z, h, l1, l2, b0):
    return update(z, h * 1.001, l1, l2, b0)


def first_column_only_once(X, y, l1, l2, source_coef):
    """A sweep that stops early: what is found depends on the order."""
    n, p = X.shape
    coef = np.zeros(p)
    for j in range(p):
        column = X[:, j]
        z, h = column @ (y - X @ coef) / n, column @ column / n
        coef[j] = update(z, h, l1, l2, source_coef[j])
    return coef


BUGS = [
    (
        "b0 instead of H b0",
        descent(source_not_scaled),
        ["coordinates", "gap", "ends", "reflection swap", "l1 = 0", "large l2"],
    ),
    (
        "negative b0 as positive",
        descent(negative_source_as_positive),
        ["coordinates", "gap", "sign flip", "negation", "reflection swap", "l1 = 0", "large l2"],
    ),
    (
        "wrong middle slope",
        descent(wrong_middle_slope),
        ["coordinates", "gap", "permutation", "l2 = 0", "l1 = 0"],
    ),
    (
        "l1 and l2 swapped",
        descent(update, swap=True),
        ["coordinates", "gap", "ends", "large l1", "large l2", "l1 = 0", "l2 = 0"],
    ),
    (
        "b0 ignored",
        descent(source_ignored),
        ["coordinates", "gap", "ends", "reflection swap", "l1 = 0", "large l2"],
    ),
    ("shortcut at z = 0", descent(zero_shortcut), ["orthogonal response"]),
    # not of the reference's table
    ("not divided by n", not_divided_by_n, ["coordinates", "duplication"]),
    ("centred", centred, ["coordinates", "gap", "rotation"]),
    ("response in place", response_in_place, ["arguments"]),
    ("levels not added", descent(levels_not_added), ["coordinates", "zero source"]),
    ("a little ridge", descent(a_little_ridge), ["coordinates", "least squares"]),
    ("one sweep", first_column_only_once, ["coordinates", "permutation", "least squares"]),
]


def caught(solver, laws, max_examples=400):
    broken = check_transfer_estimator(
        solver, laws=laws, max_examples=max_examples, collect=True, shrink=False
    )
    return {found.law.name for found in broken}


def test_the_update_itself_obeys_every_law():
    assert caught(descent(update), None, max_examples=25) == set()


@pytest.mark.parametrize(("name", "bug", "must"), BUGS, ids=[bug[0] for bug in BUGS])
def test_an_injected_bug_is_caught(name, bug, must):
    assert set(must) <= {law.name for law in transfer_laws()}
    assert caught(bug, must) == set(must)
