"""No simulation: which certificate is tighter, where, and how fast they approach the risk.

The order of tightness is a theorem for some pairs and none for others; the map covers few and
many examples, small and large classes, and error rates from 0 to 30 percent.
"""

import numpy as np

from tlstat import Exact, geometric, grid, inner, study
from tlstat.certificates import CERTIFICATES, theory
from tlstat.certificates.inversion import kl_upper_inverse
from tlstat.certificates.pac_bayes import log_normaliser
from tlstat.theory import at_most, between, equals, ordered, rate

POINT = ["binomial_tail_inversion", "kl_inverse", "hoeffding", "bernstein_relaxation"]
GIBBS = ["pac_bayes_kl", "pac_bayes_kl_simple", "quadratic", "mcallester", "pac_bayes_lambda"]
ALL = [*POINT, "hoeffding_bentkus", "empirical_bernstein", *GIBBS]


def limit(name, k, n, log_inv, kl=0.0, clip=True):
    """One certificate of a candidate with k errors; PAC-Bayes with a point mass as posterior."""
    certificate = CERTIFICATES[name]
    if certificate.input == "losses":
        losses = (np.arange(n) < k).astype(float)
        return certificate(losses, log_inv_delta=log_inv, clip=clip)
    if certificate.input == "gibbs":
        return certificate(k / n, n, kl, log_inv_delta=log_inv - kl, clip=clip)
    return certificate(k, n, log_inv_delta=log_inv, clip=clip)


@study(
    design=grid(
        n=[16, 64, 256, 1_000],
        M=[1, 100, 10_000, 1_000_000],
        rate=[0.0, 0.02, 0.1, 0.3],
        delta=[0.01, 0.05],
        certificate=inner(ALL),
    ),
    replicates=0,
    claims=[
        ordered("limit", "certificate", POINT[:3], tolerance=1e-9, name="binomial, kl, Hoeffding"),
        ordered("limit", "certificate", ["kl_inverse", "bernstein_relaxation"], tolerance=1e-9),
        ordered(
            "limit",
            "certificate",
            ["binomial_tail_inversion", "hoeffding_bentkus", "kl_inverse"],
            tolerance=1e-9,
        ),
        ordered(
            "limit",
            "certificate",
            ["kl_inverse", "pac_bayes_kl", "pac_bayes_kl_simple", "quadratic"],
            tolerance=1e-9,
            name="the union bound is tighter than PAC-Bayes with a point mass",
        ),
        ordered("limit", "certificate", ["pac_bayes_kl_simple", "mcallester"], tolerance=1e-9),
        ordered(
            "limit",
            "certificate",
            ["empirical_bernstein", "hoeffding"],
            expect="refuted",
            name="empirical Bernstein is tighter than Hoeffding (false)",
        ),
        ordered(
            "limit",
            "certificate",
            ["hoeffding", "empirical_bernstein"],
            expect="refuted",
            name="Hoeffding is tighter than empirical Bernstein (false)",
        ),
        ordered(
            "limit",
            "certificate",
            ["bernstein_relaxation", "hoeffding"],
            expect="refuted",
            name="Bernstein's relaxation is tighter than Hoeffding (false)",
        ),
    ],
)
def tightness_map(cell, rng, size):
    """Certificates of the candidate with ``k = round(rate n)`` errors."""
    k, log_inv = round(cell.rate * cell.n), np.log(cell.M / cell.delta)
    values = [limit(name, k, cell.n, log_inv, np.log(cell.M)) for name in cell.certificate]
    return {"limit": Exact(np.array(values), 1e-13)}


@study(
    design=grid(
        n=geometric(10_000, 1_000_000, 5),
        M=20_000,
        delta=0.05,
        rate=[0.0, 0.1],
        certificate=inner(POINT),
    ),
    replicates=0,
    claims=[
        rate(
            "price",
            "n",
            theory.ZERO_ERRORS,
            tolerance=0.005,
            where={"rate": 0.0, "certificate": ["binomial_tail_inversion", "kl_inverse"]},
            name="without errors the price falls like 1/n",
        ),
        rate(
            "price",
            "n",
            theory.FINITE_CLASS_COMPLEXITY,
            tolerance=0.005,
            where={"certificate": "hoeffding"},
            name="Hoeffding's price falls like the root of n, errors or not",
        ),
        rate(
            "price",
            "n",
            theory.FINITE_CLASS_COMPLEXITY,
            tolerance=0.02,
            where={"rate": 0.1, "certificate": ["binomial_tail_inversion", "kl_inverse"]},
            name="with 10 percent of errors every price falls like the root of n",
        ),
        equals(
            "price",
            theory.FINITE_CLASS_COMPLEXITY,
            where={"certificate": "hoeffding"},
            rtol=1e-6,
        ),
        equals(
            "price",
            theory.ZERO_ERRORS,
            where={"rate": 0.0, "certificate": "binomial_tail_inversion"},
            rtol=1e-9,
        ),
    ],
)
def price(cell, rng, size):
    """What is added to the empirical risk."""
    k, log_inv = round(cell.rate * cell.n), np.log(cell.M / cell.delta)
    limits = np.array([limit(name, k, cell.n, log_inv, clip=False) for name in cell.certificate])
    return {"price": Exact(limits - k / cell.n, 1e-13 * limits)}


@study(
    design=grid(n=[1, 2, 3, 8, 64, 1_000, 100_000]),
    replicates=0,
    claims=[
        between("normaliser", theory.NORMALISER_LOWER, theory.NORMALISER_UPPER, tolerance=1e-9),
        equals("normaliser", theory.NORMALISER, rtol=1e-9),
        equals("summed", theory.NORMALISER, rtol=1e-9, where={"n": [1, 2, 3, 8, 64, 1_000]}),
        rate(
            "normaliser",
            "n",
            theory.NORMALISER_LIMIT,
            tolerance=0.005,
            where={"n": [64, 1_000, 100_000]},
        ),
    ],
)
def normaliser(cell, rng, size):
    """The normaliser of PAC-Bayes-kl in closed form, and as the sum that defines it."""
    from scipy.stats import binom

    k = np.arange(cell.n + 1)
    total = float(np.sum(binom.pmf(k, cell.n, k / cell.n))) if cell.n <= 1_000 else np.nan
    closed = float(np.exp(log_normaliser(cell.n)))
    return {
        "normaliser": Exact(closed, 1e-12 * closed),
        "summed": Exact(closed if np.isnan(total) else total, 1e-11 * closed),
    }


def catoni(C, risk, n, kl, delta):
    """Catoni's bound at C, unclipped."""
    return float(CERTIFICATES["catoni"](risk, n, kl, delta=delta, C=C, clip=False))


def pac_bayes(cell, model):
    """PAC-Bayes-kl as a number, not as a statement on samples."""
    return float(theory.PAC_BAYES_KL(r=cell.r, n=cell.n, K=cell.K, delta=cell.delta))


@study(
    design=grid(n=[16, 80, 256], r=[0.02, 0.1, 0.3], K=[0.0, 3.0, 9.0], delta=0.05),
    replicates=0,
    claims=[
        equals("best_catoni", theory.CATONI_BEST, rtol=1e-7),
        at_most("kl_without_normaliser", pac_bayes, name="the normaliser only costs"),
        equals("best_lambda", theory.QUADRATIC, rtol=1e-9),
    ],
)
def identities(cell, rng, size):
    """Catoni's best bound is the kl inverse without normaliser; the best lambda is f_quad."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda t: catoni(np.exp(t), cell.r, cell.n, cell.K, cell.delta),
        bounds=(-6, 6),
        method="bounded",
        options={"xatol": 1e-10},
    )
    lam = CERTIFICATES["pac_bayes_lambda"](cell.r, cell.n, cell.K, delta=cell.delta, clip=False)
    inverse = kl_upper_inverse(cell.r, (cell.K - np.log(cell.delta)) / cell.n)
    return {
        "best_catoni": Exact(found.fun, 1e-9),
        "kl_without_normaliser": Exact(float(inverse), 1e-12),
        "best_lambda": Exact(float(lam), 1e-12),
    }
