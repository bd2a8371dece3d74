"""What S sampled hypotheses tell: counting, a fit of the right family, a fit of a wrong one.

Errors are drawn from laws whose tails are known exactly. Counting is exact and blind beyond
log S nats; a fit of the right family has a relative error of order S^(-1/2) at any depth; a fit of
a wrong one tends to another number, and more hypotheses do not help.
"""

from functools import cache

import numpy as np
from scipy.integrate import quad

from tlstat import grid, inner, study
from tlstat.backend import to_numpy
from tlstat.inductive_bias import GeneralizedChiSquared, theory
from tlstat.inductive_bias.theory.approximation import gamma_projection
from tlstat.inductive_bias.theory.chi_squared import gamma_log_cdf
from tlstat.theory import at_least, at_most, between, equals, rate
from tlstat.theory.intervals import clopper_pearson

# ------------------------------------------------------------------------ T1, counting


def depth(cell, model=None):
    """Exact bias in the cell."""
    return float(theory.ISOTROPIC(N=cell.N, x=cell.x))


@cache
def limits(S, alpha):
    """Exact binomial limits for every count, (S + 1, 2)."""
    return np.array([clopper_pearson(k, S, alpha) for k in range(S + 1)])


@study(
    design=grid(N=40, x=[0.8, 0.6, 0.5, 0.4], S=[100, 1_000], delta=0.05),
    replicates=200_000,
    block=50_000,
    ranges={"blind": (0, 1), "missed": (0, 1), "squared": (0, float("inf"))},
    claims=[
        equals(
            "blind",
            lambda cell, model: float(theory.COUNT_BLIND(nats=depth(cell), S=cell.S)),
            where={"x": 0.5},
            rtol=0.05,
            name="the chance that no hypothesis succeeds",
        ),
        equals(
            "squared",
            lambda cell, model: float(theory.COUNT_RELATIVE_VARIANCE(nats=depth(cell), S=cell.S)),
            where={"x": [0.8, 0.6]},
            rtol=0.04,
            name="the relative variance of the share",
        ),
        at_most(
            "missed",
            lambda cell, model: cell.delta,
            name="the exact interval misses with probability delta at most",
        ),
    ],
)
def counting(cell, rng, size):
    """Successes among S hypotheses with N equal weights; x is the error over its mean."""
    p = np.exp(-depth(cell))
    hits = to_numpy(rng.binomial(cell.S, p, size=size)).astype(int)
    low, high = limits(cell.S, cell.delta / 2)[hits].T
    return {
        "blind": (hits == 0).astype(float),
        "squared": (hits / (cell.S * p) - 1) ** 2,
        "missed": ((p < low) | (p > high)).astype(float),
    }


# ------------------------------------------------------------- T2, a fit of the right family

SHARES = [0.5, 0.1, 0.01]


def fitted_gamma(errors, eps):
    """Maximum likelihood and minus the log of its CDF; errors (..., S)."""
    mean = errors.mean(axis=-1)
    shape = gamma_projection(mean, np.log(errors).mean(axis=-1))
    return -gamma_log_cdf(shape[:, None], (shape / mean)[:, None] * np.asarray(eps))


def delta_method(cell, model):
    """Predicted mean square of the error, relative to the exact bias."""
    sd = theory.GAMMA_FIT_ERROR(df=cell.N, x=cell.share, S=cell.S)
    return float(sd / theory.ISOTROPIC(N=cell.N, x=cell.share)) ** 2


@study(
    design=grid(N=60, S=[400, 1_600, 6_400], share=inner(SHARES)),
    replicates=3_000,
    block=250,
    ranges={"absolute": (0, float("inf")), "squared": (0, float("inf"))},
    claims=[
        rate(
            "absolute",
            "S",
            lambda cell, model: delta_method(cell, model) ** 0.5,
            asymptotic=False,
            name="the relative error falls like S^(-1/2) at every depth",
        ),
        between(
            "squared",
            0.85,
            1.25,
            where={"S": [1_600, 6_400]},
            name="with the constant of the delta method",
        ),
    ],
)
def right_family(cell, rng, size):
    """A gamma law fitted to gamma errors: relative error, and its square over the prediction."""
    errors = to_numpy(rng.chi2(float(cell.N), size=(size, cell.S)))
    exact = theory.ISOTROPIC(N=cell.N, x=np.array(SHARES))
    wrong = fitted_gamma(errors, cell.N * np.array(SHARES)) / exact - 1
    predicted = theory.GAMMA_FIT_ERROR(df=cell.N, x=np.array(SHARES), S=cell.S) / exact
    return {"absolute": np.abs(wrong), "squared": (wrong / predicted) ** 2}


# ------------------------------------------------------------------ T3, a wrong family


@cache
def spread(ratio, modes=8, df=20):
    """Weights that fall by a ratio over all; the law, its mean and its mean logarithm."""
    weights = np.geomspace(1.0, ratio, modes)
    law = GeneralizedChiSquared(weights / (df * weights.sum()), df)

    # E log X = int (exp(-t) - E exp(-t X)) / t dt, on the scale of log t
    def integrand(s):
        t = np.exp(s)
        return np.exp(-t) - np.exp(-df / 2 * np.log1p(2 * law.weights * t).sum())

    mean_log = quad(integrand, -40, 40, limit=400, epsabs=1e-12)[0]
    return law, float(law.mean()), mean_log


def limit(cell, model):
    """What the fitted gamma law tends to, over the exact bias."""
    law, mean, mean_log = spread(cell.ratio)
    exact = -law.logcdf(cell.share * mean)
    return float(theory.GAMMA_FIT_LIMIT(mean=mean, mean_log=mean_log, x=cell.share) / exact)


@study(
    design=grid(ratio=[1.0, 0.1, 0.01], S=[100, 1_000, 4_000], share=inner([0.5, 0.1, 0.01])),
    replicates=160,
    block=20,
    ranges={"absolute": (0, float("inf"))},
    profiles={"paper": {"replicates": 1_000}},
    claims=[
        equals("over_exact", limit, where={"S": 4_000}, rtol=0.03,
               name="it tends to the projection's tail"),
        at_most("over_exact", 0.75, where={"ratio": 0.01, "share": 0.01},
                name="with spread weights a quarter of the nats is missed, at any S"),
        between("over_exact", 0.9, 1.1, where={"ratio": 1.0, "S": [1_000, 4_000]},
                name="with equal weights it is right"),
        rate("absolute", "S", lambda cell, model: cell.S**-0.5,
             where={"ratio": [0.1, 0.01], "share": 0.01}, asymptotic=False, expect="refuted",
             name="its error falls like S^(-1/2) (false)"),
        at_least("absolute", 0.2, where={"ratio": 0.01, "share": 0.01, "S": 4_000},
                 name="an error of a fifth at least with four thousand hypotheses"),
    ],
)  # fmt: skip
def wrong_family(cell, rng, size):
    """A gamma law fitted to a form of 160 degrees of freedom; ratio of its extreme weights."""
    law, mean, _ = spread(cell.ratio)
    eps = mean * np.array(cell.share)
    modes = to_numpy(rng.chi2(law.df[0], size=(size, cell.S, law.weights.size)))
    found = fitted_gamma(modes @ law.weights, eps) / -law.logcdf(eps)
    return {"over_exact": found, "absolute": np.abs(found - 1)}
