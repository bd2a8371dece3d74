"""The penalty of one coordinate against brute force, and the compiled prox against it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from tlstat.transfer_lasso import penalty

finite = st.floats(-5, 5).map(lambda x: round(x, 3))
level = st.floats(0, 3).map(lambda x: round(x, 3))
ridge = st.sampled_from([0.0, 0.3, 2.0])


@given(finite, level, level, finite, st.sampled_from([0.2, 1.0, 4.0]), ridge, ridge)
def test_prox_beats_every_other_point(z, a, c, b0, tau, nu, mu):
    def objective(b):
        return (b - z) ** 2 / (2 * tau) + penalty.value(b, a, c, b0, nu, mu)

    best = penalty.prox(z, a, c, b0, tau, nu, mu)
    grid = np.concatenate([np.linspace(-12, 12, 2001), [0.0, b0]])
    found = minimize_scalar(objective, bounds=(-12, 12), method="bounded", options={"xatol": 1e-12})
    assert objective(best) <= min(objective(grid).min(), found.fun) + 1e-12
    # a knot is returned exactly
    if min(abs(best), abs(best - b0)) < 1e-14:
        assert best in (0.0, b0)


@given(finite, finite, level, level, finite)
def test_prox_is_firmly_non_expansive(z1, z2, a, c, b0):
    p1, p2 = penalty.prox(z1, a, c, b0), penalty.prox(z2, a, c, b0)
    assert (p1 - p2) ** 2 <= (p1 - p2) * (z1 - z2) + 1e-12


@given(finite, level, level, finite, ridge, ridge)
def test_subdifferential_holds_the_subgradients(b, a, c, b0, nu, mu):
    low, high = penalty.subdifferential(b, a, c, b0, nu, mu)
    others = np.linspace(-10, 10, 401)
    here = penalty.value(b, a, c, b0, nu, mu)
    for slope in (low, (low + high) / 2, high):
        below = here + slope * (others - b)
        assert np.all(penalty.value(others, a, c, b0, nu, mu) >= below - 1e-11)
        assert penalty.subgradient_distance(slope, b, a, c, b0, nu, mu) <= 1e-12
    assert penalty.subgradient_distance(high + 1, b, a, c, b0, nu, mu) == pytest.approx(1)


@given(finite, level, level, finite, ridge, ridge)
def test_conjugate_is_the_largest_difference(w, a, c, b0, nu, mu):
    value = penalty.conjugate(w, a, c, b0, nu, mu)
    if nu + mu == 0 and abs(w) > a + c:
        assert value == np.inf
        return
    grid = np.concatenate([np.linspace(-60, 60, 24001), [b0]])
    brute = np.max(w * grid - penalty.value(grid, a, c, b0, nu, mu))
    assert brute <= value + 1e-12
    assert value <= brute + 1e-3


@given(finite, st.floats(0, 4), level, level, finite)
def test_compiled_prox_is_the_same(top, bottom, a, c, b0):
    from tlstat.transfer_lasso import kernels

    if bottom < 1e-3:
        return
    compiled = kernels.prox.py_func(top, bottom, a, c, b0)
    assert compiled == pytest.approx(
        penalty.prox(top / bottom, a, c, b0, 1 / bottom), rel=1e-12, abs=1e-13
    )


@given(finite, finite, level, level, finite, ridge, ridge)
def test_compiled_fenchel_is_the_sum_of_value_and_conjugate(b, w, a, c, b0, nu, mu):
    from tlstat.transfer_lasso import kernels

    if a + c == 0:
        return
    expected = penalty.value(b, a, c, b0, nu, mu) + penalty.conjugate(w, a, c, b0, nu, mu) - w * b
    compiled = _interpreted_fenchel(kernels, b, w, a, c, b0, nu, mu)
    if np.isinf(expected):
        assert compiled == np.inf
    else:
        assert compiled >= 0
        assert compiled == pytest.approx(expected, abs=1e-10)


def _interpreted_fenchel(kernels, *args):
    """The kernel's Python source; its callees are compiled functions without Python wrappers."""
    names = ("fenchel", "_fenchel_piecewise", "prox")
    scope = dict(vars(kernels))
    import types

    for name in names:
        function = getattr(kernels, name).py_func
        scope[name] = types.FunctionType(function.__code__, scope, name)
    return scope["fenchel"](*args)
