"""Phase diagrams of arXiv:2308.15838: rate, selection and invariance over (eta, lambda).

Exponents of lambda and eta run from -2 to 2 in steps of 1/8 (33 x 33), n = 500 and 5000, AR(0.5),
ten columns, m = n^2: the settings of the authors' scripts. Their constant k < -1 is overwritten by
a loop variable, so that every lambda was multiplied by 10: both versions are here, k = 1 as
printed and k = 10 as run. Metrics of one point are those of a replicate at both sizes.
"""

from functools import lru_cache
from itertools import product

import numpy as np

from tlstat import grid, inner, study
from tlstat.theory import at_least, at_most
from tlstat.transfer_lasso import theory
from tlstat.transfer_lasso.models import RegressionModel
from tlstat.transfer_lasso.moments import solve_moments
from tlstat.transfer_lasso.risk import l2_error

STEPS = np.linspace(-2, 2, 33)
# points of the map, eta running fastest
LAMBDA, ETA = (axis.ravel() for axis in np.meshgrid(STEPS, STEPS, indexing="ij"))
SIZES = (500, 5_000)
METHODS = ["transfer", "adaptive transfer"]
BASE = {"p": 10, "rho": 0.5, "M": 2}
SHOWN = ["slope", "active", "invariant"]
# points whose four neighbours at this distance are in the same region
MARGIN = 0.5
THINNED = (np.abs(LAMBDA * 4) % 1 == 0) & (np.abs(ETA * 4) % 1 == 0)


def region_of(method, y, x):
    """Row of the table at each point, -1 for none."""
    out = np.full(np.shape(y), -1)
    given = {"lambda_exponent": y, "eta_exponent": x, "M": 2.0, "gamma1": 1.0, "gamma2": 1.0}
    for i, regime in enumerate(theory.REGIMES):
        if regime.method == method:
            known = {k: v for k, v in {**given, "n": 2.0}.items() if k in regime.bound.symbols}
            out[np.broadcast_to(regime.bound.is_valid(**known), out.shape)] = i
    return out


@lru_cache
def predicted(method):
    """Slope, active and invariant share by the table; NaN near a boundary or without a rate."""
    here = region_of(method, LAMBDA, ETA)
    inside = here >= 0
    for dy, dx in product((-MARGIN, MARGIN), repeat=2):
        inside &= region_of(method, LAMBDA + dy, ETA + dx) == here
    out = np.full((len(LAMBDA), 3), np.nan)
    for i in np.flatnonzero(inside):
        regime = theory.REGIMES[here[i]]
        rates = regime.bound.shape(
            **{
                k: v
                for k, v in {"n": 10.0, "M": 2.0, "lambda_exponent": LAMBDA[i]}.items()
                if k in regime.bound.symbols
            },
            **{
                k: v
                for k, v in {"eta_exponent": ETA[i], "gamma1": 1.0, "gamma2": 1.0}.items()
                if k in regime.bound.symbols
            },
        )
        out[i] = -np.log10(rates), regime.active, regime.invariant
    return out


def fitted(cell, n, rng, size, points):
    """Coefficients at points of the map, shape (size, points, p), and their sources."""
    model = RegressionModel.from_cell({**cell, "n": n})
    gram, moment = model.draw_moments(n, rng, size)
    b0 = model.draw_source(rng, size)
    lam, eta = cell["k"] * n ** (LAMBDA[points] - 1), n ** (ETA[points] - 1)
    u = v = np.ones_like(b0)
    if "adaptive" in cell["method"]:
        u, v = np.clip(1 / np.abs(b0), 1e-12, 1e12), np.clip(np.abs(b0), 1e-12, 1e12)
    a, c = lam[:, None] * u[:, None, :], eta[:, None] * v[:, None, :]
    coef = solve_moments(gram[:, None], moment[:, None], a, c, b0[:, None], tol=1e-10)
    return model, coef, b0


def maps(cell, rng, size, points=slice(None)):
    """Slope between the sizes, right zero status and unchanged share at the larger one."""
    errors = []
    for n in SIZES:
        model, coef, b0 = fitted(cell, n, rng, size, points)
        errors.append(l2_error(coef, model.beta))
    S = model.support
    return {
        "slope": (np.log10(errors[0]) - np.log10(errors[1])) / np.log10(SIZES[1] / SIZES[0]),
        "active": np.mean((coef != 0) == S, axis=-1),
        "invariant": np.mean((coef == b0[:, None])[:, :, S], axis=-1),
    }


@study(
    design=grid(**BASE, method=METHODS, k=[1, 10], point=inner(list(range(len(LAMBDA))))),
    replicates=5,
    block=5,
    profiles={"paper": {"replicates": 10}, "full": {"replicates": 1_000}},
    allow_nan=("slope",),
    claims=[],
)
def diagram(cell, rng, size):
    """The whole map, for the figure."""
    return maps(cell, rng, size)


@study(
    design=grid(**BASE, method=METHODS, k=[1, 10]),
    replicates=200,
    block=50,
    ranges={"slope": (0, 1), "active": (0, 1), "invariant": (0, 1)},
    profiles={"paper": {"replicates": 400}, "full": {"replicates": 4_000}},
    claims=[
        at_least("slope", 0.8, name="slopes over most of the map are those of the table"),
        at_least("active", 0.95, name="zeros are told apart where the table says so"),
        at_least("invariant", 0.95, name="the source is kept where the table says so"),
    ],
)
def agreement(cell, rng, size):
    """Share of the map, away from boundaries, where a replicate is as the table says.

    Slopes within 0.35 (one replicate's logarithm is noisy), shares within 0.25.
    """
    expected = predicted(cell.method)[THINNED]
    found = maps(cell, rng, size, THINNED)
    inside = ~np.isnan(expected[:, 0])
    base = {"active": (0.3, 1.0), "invariant": (0.0, 1.0)}
    out = {"slope": np.mean(np.abs(found["slope"] - expected[:, 0])[:, inside] < 0.35, axis=-1)}
    for i, name in enumerate(SHOWN[1:], start=1):
        low, high = base[name]
        level = np.where(expected[:, i] > 0, high, low)
        out[name] = np.mean(np.abs(found[name] - level)[:, inside] < 0.25, axis=-1)
    return out


# the exponent of lambda from which on zeros are found, where that of eta is below 1/2
SELECTS = {"transfer": 0.5, "adaptive transfer": -0.5}


def below_selection(method):
    """Points of the map less than log_n(10), at n = 5000, below the boundary of selection."""
    distance = SELECTS[method] - LAMBDA
    return (distance > 0) & (distance < np.log(10) / np.log(SIZES[1])) & (ETA <= 0)


@study(
    design=grid(**BASE, method=METHODS, k=[1, 10]),
    replicates=200,
    block=50,
    ranges={"active": (0, 1)},
    profiles={"paper": {"replicates": 400}, "full": {"replicates": 4_000}},
    claims=[
        at_most(
            "active",
            0.6,
            where={"k": 1},
            name="with k = 1 zeros are not found below the boundary of the table",
        ),
        at_most(
            "active",
            0.6,
            where={"k": 10},
            expect="refuted",
            name="with k = 10, as run, neither (false: the exponent is log_n(10) larger)",
        ),
        at_least(
            "active",
            0.75,
            where={"k": 10},
            name="with k = 10 zeros are found where exponent plus log_n(10) passes the boundary",
        ),
    ],
)
def displaced(cell, rng, size):
    """Share of coefficients with the right zero status in a strip below a boundary, n = 5000.

    Nothing found is a share of 0.3, the three nonzero ones. As ``10 n^y = n^(y + log_n(10))``, a
    map that was computed with k = 10 shows its boundaries log_n(10) too low: 0.27 at n = 5000.
    """
    model, coef, _ = fitted(cell, SIZES[1], rng, size, below_selection(cell.method))
    return {"active": np.mean((coef != 0) == model.support, axis=(-2, -1))}
