"""Selection: any rule is paid for by the union, choosing M from the curve is not.

The candidates are linear classifiers whose true risks are known (`Directions`): they err on the
same examples. The adversary knows the risks and picks the candidate whose certificate fails most.
"""

import numpy as np

from tlstat import Exact, grid, inner, study
from tlstat.backend import to_numpy
from tlstat.certificates import CERTIFICATES, theory, weights
from tlstat.certificates.inversion import log_binomial_cdf
from tlstat.certificates.models import Directions, fresh_directions
from tlstat.theory import at_most, equals, ordered

inversion = CERTIFICATES["binomial_tail_inversion"]
RULES = ["smallest error", "random", "largest error", "adversary"]
UNPAID = ["smallest error, unpaid", "adversary, unpaid"]


def table(n, log_inv):
    """Limits of every count, shape (n + 1, len(log_inv)) or (n + 1,)."""
    k = np.arange(n + 1)
    if np.ndim(log_inv):
        return inversion(k[:, None], n, log_inv_delta=np.asarray(log_inv)[None, :])
    return inversion(k, n, log_inv_delta=log_inv)


def error_counts(cell, rng, size):
    """Errors of all candidates, shape (size, M)."""
    return Directions.from_cell(cell).losses(cell.n, rng, size).sum(axis=1)


@study(
    model=Directions.from_cell,
    design=grid(
        M=200,
        d=8,
        noise=0.05,
        spread=1.5,
        seed=1,
        n=[32, 128],
        delta=0.05,
        rule=inner(RULES + UNPAID),
    ),
    replicates=3_000,
    block=250,
    ranges={"ratio": (0, float("inf"))},
    profiles={"paper": {"replicates": 30_000}},
    claims=[at_most("ratio", 1.0, delta=0.05, where={"rule": rule}) for rule in RULES]
    + [
        at_most(
            "ratio",
            1.0,
            delta=0.05,
            where={"rule": rule},
            expect="refuted",
            name=f"{rule}: the certificate of one candidate holds (false)",
        )
        for rule in UNPAID
    ],
)
def rules(cell, rng, size):
    """Risk over certificate of the candidate that a rule selects."""
    model = Directions.from_cell(cell)
    k = to_numpy(error_counts(cell, rng, size))
    rows = np.arange(size)
    union = table(cell.n, np.log(cell.M / cell.delta))[k]
    unpaid = table(cell.n, -np.log(cell.delta))[k]
    picks = {
        "smallest error": (union, k.argmin(axis=1)),
        "random": (union, to_numpy(rng.integers(0, cell.M, size=size))),
        "largest error": (union, k.argmax(axis=1)),
        "adversary": (union, (model.risks / union).argmax(axis=1)),
        "smallest error, unpaid": (unpaid, k.argmin(axis=1)),
        "adversary, unpaid": (unpaid, (model.risks / unpaid).argmax(axis=1)),
    }
    ratios = [model.risks[at] / limits[rows, at] for limits, at in map(picks.get, cell.rule)]
    return {"ratio": np.stack(ratios, axis=-1)}


SIZES = [1, 10, 100, 1_000, 10_000]
BUDGETS = ["curve, unpaid", "curve, paid", "rank", "dyadic", "largest class"]


def log_shares(budget, delta):
    """``log(1/share)`` of every candidate: the most generous one that is ever used for it."""
    ranks = np.arange(1, SIZES[-1] + 1)
    if budget == "rank":
        return -np.log(delta) - weights.rank(ranks)
    if budget == "dyadic":
        return -np.log(delta) - weights.dyadic(ranks)
    if budget == "largest class":
        return np.full(len(ranks), np.log(SIZES[-1] / delta))
    # candidate j is certified at delta/M for every M >= j of the grid
    smallest = np.array(SIZES)[np.searchsorted(SIZES, ranks)]
    return np.log(smallest / delta) + (np.log(len(SIZES)) if budget == "curve, paid" else 0)


@study(
    design=grid(p=[0.1, 0.3, 0.5], n=64, delta=0.05, budget=inner(BUDGETS)),
    replicates=0,
    claims=[at_most("failed", theory.LEVEL, where={"budget": budget}) for budget in BUDGETS[1:]]
    + [
        at_most(
            "failed",
            theory.LEVEL,
            where={"budget": BUDGETS[0]},
            expect="refuted",
            name="M may be chosen from the curve for nothing (false)",
        )
    ],
)
def curve(cell, rng, size):
    """Independent candidates of equal risk: the probability that any certificate used fails."""
    failed = []
    for budget in cell.budget:
        shares, count = np.unique(log_shares(budget, cell.delta), return_counts=True)
        critical = np.sum(table(cell.n, shares) < cell.p, axis=0) - 1
        single = np.exp(log_binomial_cdf(np.maximum(critical, 0), cell.n, cell.p))
        single = np.where(critical < 0, 0.0, single)
        failed.append(-np.expm1(np.sum(count * np.log1p(-single))))
    return {"failed": Exact(np.array(failed), 1e-11)}


@study(
    design=grid(j=[1, 10, 100, 1_000, 20_000, 1_000_000], weights=inner(["rank", "dyadic"])),
    replicates=0,
    claims=[
        equals("price", theory.RANK_PRICE, where={"weights": "rank"}),
        at_most("price", theory.DYADIC_PRICE_UPPER, where={"weights": "dyadic"}),
        ordered("price", "weights", ["dyadic", "rank"], where={"j": [100, 1_000, 20_000]}),
        ordered(
            "price",
            "weights",
            ["dyadic", "rank"],
            where={"j": [1, 10, 100, 1_000]},
            tolerance=0,
            expect="refuted",
            name="dyadic weights are cheaper at every rank (false)",
        ),
    ],
)
def prices(cell, rng, size):
    """What the candidate of rank j adds to log(1/delta), in nats."""
    values = [-getattr(weights, name)(cell.j) for name in cell.weights]
    return {"price": Exact(np.array(values), 1e-13)}


FIXED = {"M = 10": 10, "M = 100": 100, "M = 2000": 2_000}
STREAM = [*FIXED, "grid, paid", "dyadic", "rank", "split"]


@study(
    model=Directions.from_cell,
    design=grid(
        M=2_000,
        d=8,
        noise=0.05,
        spread=3.0,
        seed=1,
        n=[16, 256],
        delta=0.05,
        budget=inner(STREAM),
    )
    + grid(M=2_000, d=8, noise=0.05, spread=3.0, seed=2, n=16, delta=0.05, budget=inner(STREAM)),
    replicates=500,
    block=25,
    ranges={"certificate": (0, 1), "ratio": (0, float("inf"))},
    profiles={"paper": {"replicates": 5_000}},
    claims=[
        ordered(
            "certificate",
            "budget",
            ["dyadic", "M = 10"],
            where={"seed": 1, "n": 256},
            name="where late candidates are better, dyadic weights use them",
        ),
        ordered(
            "certificate",
            "budget",
            ["M = 10", "dyadic", "M = 2000"],
            where={"seed": 2, "n": 16},
            name="where an early candidate is good, dyadic weights pay less than a large class",
        ),
        ordered(
            "certificate",
            "budget",
            ["M = 2000", "split"],
            where={"n": 16},
            name="with 16 examples the union over 2000 beats a split",
        ),
        at_most("ratio", 1.0, delta=0.05, where={"budget": ["dyadic", "grid, paid", "rank"]}),
    ],
)
def stream(cell, rng, size):
    """What it costs not to know the size of the class, on one stream of 2000 candidates."""
    model = Directions.from_cell(cell)
    losses = to_numpy(model.losses(cell.n, rng, size))
    k = losses.sum(axis=1)
    ranks = np.arange(1, cell.M + 1)
    rows = np.arange(size)
    base = -np.log(cell.delta)
    limits = {name: table(cell.n, base + np.log(M))[k[:, :M]] for name, M in FIXED.items()}
    sizes = np.array(list(FIXED.values()))
    cost = np.log(sizes)[np.searchsorted(sizes, ranks)] + np.log(len(sizes))
    for name, price in (
        ("grid, paid", cost),
        ("dyadic", -weights.dyadic(ranks)),
        ("rank", -weights.rank(ranks)),
    ):
        levels, at = np.unique(base + price, return_inverse=True)
        limits[name] = table(cell.n, levels)[k, at]
    values, ratios = [], []
    for budget in cell.budget:
        if budget == "split":
            half = cell.n // 2
            best = losses[:, :half].sum(axis=1).argmin(axis=1)
            value = table(cell.n - half, base)[losses[rows, half:, best].sum(axis=1)]
        else:
            best = limits[budget].argmin(axis=1)
            value = limits[budget][rows, best]
        values.append(value)
        ratios.append(model.risks[best] / value)
    return {"certificate": np.stack(values, axis=-1), "ratio": np.stack(ratios, axis=-1)}


CLASSES = [1, 3, 10, 30, 100, 300, 1_000, 3_000]


@study(
    design=grid(
        stream=3_000,
        d=8,
        noise=0.05,
        spread=2.0,
        n=[16, 64, 256],
        delta=0.05,
        M=inner(CLASSES),
    ),
    replicates=400,
    block=10,
    ranges={name: (0, 1) for name in ("binomial", "hoeffding", "risk")},
    profiles={"paper": {"replicates": 4_000}},
    claims=[
        ordered(
            "binomial",
            "M",
            [10, 3_000],
            where={"n": 16},
            name="with 16 examples a class of 10 gives smaller certificates than one of 3000",
        ),
        ordered(
            "binomial",
            "M",
            [3_000, 100, 10, 1],
            where={"n": 256},
            name="with 256 examples the certificate still falls with the class",
        ),
        ordered(
            "risk",
            "M",
            [3_000, 100, 10, 1],
            where={"n": [64, 256]},
            name="the true risk of the selected falls with the class",
        ),
    ],
)
def class_size(cell, rng, size):
    """Mean certificates of the best of the first M candidates, and its true risk."""
    losses, risks = fresh_directions(cell.replace(M=cell.stream), cell.n, rng, size)
    k = losses.sum(axis=1)
    rows, found = np.arange(size), {"binomial": [], "hoeffding": [], "risk": []}
    for M in cell.M:
        best = k[:, :M].argmin(axis=1)
        log_inv = np.log(M / cell.delta)
        for name, key in (("binomial", "binomial_tail_inversion"), ("hoeffding", "hoeffding")):
            limits = CERTIFICATES[key](np.arange(cell.n + 1), cell.n, log_inv_delta=log_inv)
            found[name].append(limits[k[rows, best]])
        found["risk"].append(risks[rows, best])
    return {name: np.stack(values, axis=-1) for name, values in found.items()}
