"""Certificates over sampled linear adapters, whose true risks are known in closed form.

The family is `SignFamily` (16 parameters, 5 percent label noise; the best risk is .05): 300
upstream tasks of 300 examples are fitted, a DDPM learns their vectors, and its samples are the
candidates, one set for each value of ``seed`` (which draws upstream tasks, training and samples).
Quick profile: one seed and 1,000 training iterations, which makes worse candidates; paper profile:
five seeds and 4,000 iterations. Sampling takes 25 steps of a deterministic solver.
"""

from functools import lru_cache

import numpy as np

from tlstat import grid, inner, study
from tlstat.certificates import CERTIFICATES, split_certificate, weights
from tlstat.certificates.peft import (
    Diffusion,
    SignFamily,
    gradient_descent,
    gradient_descent_split,
    linear_pac_bayes,
    prediction_matrix,
)
from tlstat.theory import at_least, at_most, ordered

FAMILY = SignFamily()
MOST = 10_000
QUICK = {"where": {"iterations": 1_000, "seed": 0}}
WORLDS = {"iterations": [1_000, 4_000], "seed": [0, 1, 2, 3, 4]}
PAPER = {"where": {"iterations": 4_000}}
DRAWS = 200  # of the randomised classifier


@lru_cache(maxsize=2)
def candidates(seed, iterations):
    """The stream of candidates of one upstream world, shape (MOST, d)."""
    zoo = FAMILY.upstream(300, 300, seed=seed, steps=100)
    generator = Diffusion(iterations=iterations, sampler="dpm").fit(zoo, seed)
    return generator.sample(MOST, seed)


def episodes(rng, size, n, rotation=0.0):
    """New tasks and their support sets; nothing upstream has the same streams."""
    task, data = (10_000 + int(rng.integers(0, 2**40)) for _ in range(2))
    return FAMILY.episodes(FAMILY.tasks(size, task, rotation), n, data)


def losses(thetas, support):
    """Whether each candidate errs on each example, shape (E, n, M)."""
    E, n = support.y.shape
    matrix = prediction_matrix(FAMILY.model, thetas, support.X.reshape(E * n, -1))
    return matrix.labels.reshape(E, n, -1) != support.y[:, :, None]


def errors(thetas, support):
    """Errors of the candidates, shape (E, M)."""
    return losses(thetas, support).sum(axis=1, dtype=np.int16)


def limits(k, n, log_inv, name="binomial_tail_inversion"):
    """Limits at counts of errors, from a table."""
    return CERTIFICATES[name](np.arange(n + 1), n, log_inv_delta=log_inv)[k]


SIZES = [1, 10, 100, 1_000]


@study(
    design=grid(**WORLDS, n=64, delta=0.05, M=inner(SIZES)),
    replicates=1_000,
    block=100,
    ranges={"ratio": (0, float("inf")), "unpaid": (0, float("inf"))},
    profiles={"quick": QUICK, "paper": {**PAPER, "replicates": 10_000}},
    claims=[
        at_most(
            "ratio",
            1.0,
            delta=0.05,
            where={"M": [10, 100, 1_000]},
            name="certificates with the union hold",
        ),
        at_most(
            "unpaid",
            1.0,
            delta=0.05,
            where={"M": [10, 1_000]},
            expect="refuted",
            name="the selected candidate is certified without the union (false)",
        ),
    ],
)
def coverage(cell, rng, size):
    """Risk of the selected over its certificate, at delta/M and at delta."""
    support = episodes(rng, size, cell.n)
    thetas = candidates(cell.seed, cell.iterations)[: SIZES[-1]]
    k, risks = errors(thetas, support), FAMILY.risks(thetas, support.tasks)
    rows, base = np.arange(size), -np.log(cell.delta)
    found = {"ratio": [], "unpaid": []}
    for M in cell.M:
        best = k[:, :M].argmin(axis=1)
        fewest, risk = k[rows, best], risks[rows, best]
        found["ratio"].append(risk / limits(fewest, cell.n, base + np.log(M)))
        found["unpaid"].append(risk / limits(fewest, cell.n, base))
    return {name: np.stack(values, axis=-1) for name, values in found.items()}


CLASSES = [10, 30, 100, 300, 1_000, 3_000, MOST]


@study(
    design=grid(**WORLDS, n=[16, 64, 256], delta=0.05, M=inner(CLASSES)),
    replicates=100,
    block=25,
    profiles={"quick": QUICK, "paper": {**PAPER, "replicates": 2_000}},
    claims=[
        ordered(
            "binomial",
            "M",
            [100, MOST],
            where={"n": 16},
            tolerance=0,
            name="with 16 examples 100 candidates give smaller certificates than 10,000",
        ),
        ordered(
            "binomial",
            "M",
            [100, 10],
            where={"n": 16},
            tolerance=0,
            name="and smaller ones than 10",
        ),
        ordered(
            "binomial",
            "M",
            [1_000, 10],
            where={"n": 64},
            tolerance=0,
            name="with 64 examples 1,000 candidates give smaller certificates than 10",
        ),
        ordered(
            "binomial",
            "M",
            [MOST, 1_000, 100, 10],
            where={"n": 256},
            tolerance=0,
            name="with 256 examples the certificate still falls at 10,000 candidates",
        ),
        ordered(
            "risk",
            "M",
            [1_000, 100, 10],
            where={"n": [64, 256]},
            name="the true risk of the selected falls with the number of candidates",
        ),
    ],
)
def class_size(cell, rng, size):
    """Mean certificates of the best of the first M candidates, its true risk, the best risk."""
    support = episodes(rng, size, cell.n)
    thetas = candidates(cell.seed, cell.iterations)
    k, risks = errors(thetas, support), FAMILY.risks(thetas, support.tasks)
    rows, base = np.arange(size), -np.log(cell.delta)
    levels, at = np.unique(base - weights.dyadic(np.arange(1, MOST + 1)), return_inverse=True)
    counts = np.arange(cell.n + 1)[:, None]
    streamed = CERTIFICATES["binomial_tail_inversion"](counts, cell.n, log_inv_delta=levels)[k, at]
    found = {name: [] for name in ("binomial", "hoeffding", "dyadic", "risk", "oracle")}
    for M in cell.M:
        best, log_inv = k[:, :M].argmin(axis=1), base + np.log(M)
        fewest = k[rows, best]
        found["binomial"].append(limits(fewest, cell.n, log_inv))
        found["hoeffding"].append(limits(fewest, cell.n, log_inv, "hoeffding"))
        found["dyadic"].append(streamed[:, :M].min(axis=1))
        found["risk"].append(risks[rows, best])
        found["oracle"].append(risks[:, :M].min(axis=1))
    return {name: np.stack(values, axis=-1) for name, values in found.items()}


UNION, EQ3 = "union", "union, Eq. 3"
SPLIT, SHORTLIST = "split", "shortlist of 10"
DESCENT_SPLIT, EQ7, PAC_BAYES = "descent, split", "descent, Eq. 7", "PAC-Bayes from scratch"
METHODS = [UNION, EQ3, SPLIT, SHORTLIST, DESCENT_SPLIT, EQ7, PAC_BAYES]


@study(
    design=grid(**WORLDS, n=[16, 64, 256], M=1_000, delta=0.05, method=inner(METHODS)),
    replicates=100,
    block=100,
    ranges={"ratio": (0, float("inf")), "below_one": (0, 1), "below_chance": (0, 1)},
    profiles={"quick": QUICK, "paper": {**PAPER, "replicates": 2_000}},
    claims=[
        ordered(
            "certificate",
            "method",
            [UNION, SPLIT],
            where={"n": 16},
            tolerance=0,
            name="with 16 examples the union over 1,000 candidates beats a split",
        ),
        ordered("certificate", "method", [UNION, EQ3, EQ7], where={"n": [16, 64, 256]}),
        ordered("certificate", "method", [EQ7, PAC_BAYES], where={"n": [64, 256]}),
        ordered(
            "risk",
            "method",
            [UNION, EQ7],
            where={"n": [16, 64]},
            name="with 16 and 64 examples selection has a smaller true risk than descent",
        ),
        at_least("below_one", 0.9, where={"method": UNION}, name="the union is below 1"),
        at_least(
            "below_one",
            0.9,
            where={"method": DESCENT_SPLIT},
            name="descent has certificates below 1 too, on a split",
        ),
        at_least(
            "below_chance", 0.9, where={"method": UNION, "n": [64, 256]},
            name="from 64 examples on the union is below chance",
        ),
    ],
)  # fmt: skip
def rivals(cell, rng, size):
    """Certificates and true risks on the same support sets."""
    support = episodes(rng, size, cell.n)
    thetas = candidates(cell.seed, cell.iterations)[: cell.M]
    found = selected(cell, thetas, support)
    found |= trained(cell, support)
    certificate = np.stack([found[m][0] for m in cell.method], axis=-1)
    risk = np.stack([found[m][1] for m in cell.method], axis=-1)
    return {
        "certificate": certificate,
        "risk": risk,
        "ratio": risk / certificate,
        "below_one": certificate < 1,
        "below_chance": certificate < 0.5,
    }


def selected(cell, thetas, support):
    """Certificate and risk of what is selected among the candidates."""
    half, rows, base = cell.n // 2, np.arange(len(support.y)), -np.log(cell.delta)
    wrong, risks = losses(thetas, support), FAMILY.risks(thetas, support.tasks)
    first, second = (w.sum(axis=1) for w in (wrong[:, :half], wrong[:, half:]))
    k = first + second
    best = k.argmin(axis=1)
    out = {
        UNION: (limits(k[rows, best], cell.n, base + np.log(cell.M)), risks[rows, best]),
        EQ3: (
            limits(k[rows, best], cell.n, base + np.log(cell.M), "hoeffding"),
            risks[rows, best],
        ),
    }
    for name, shortlist in ((SPLIT, 1), (SHORTLIST, 10)):
        at, limit = split_certificate(
            first, second, cell.n - half, delta=cell.delta, shortlist=shortlist
        )
        out[name] = (limit, risks[rows, at])
    return out


def trained(cell, support):
    """The same of adapters, and of linear classifiers from scratch, trained on the support set."""
    X, y, tasks = support
    rows = np.arange(len(y))
    out = {}
    for name, train in ((DESCENT_SPLIT, gradient_descent_split), (EQ7, gradient_descent)):
        found = train(FAMILY.model, X, y, cell.delta, steps=100)
        out[name] = (found.limit, FAMILY.risks(found.thetas, tasks)[rows, rows])
    posterior = linear_pac_bayes(X, y, cell.delta, steps=100)
    noise = np.random.default_rng(0).standard_normal((DRAWS, X.shape[2]))
    risk = [
        FAMILY.weight_risks(s * w + noise, task[None]).mean()
        for w, s, task in zip(posterior.weights, posterior.scale, tasks, strict=True)
    ]
    out[PAC_BAYES] = (posterior.limit, np.array(risk))
    return out


@study(
    design=grid(
        **WORLDS, n=[16, 64], M=1_000, delta=0.05, method=inner([UNION, EQ3, SPLIT, SHORTLIST])
    ),
    replicates=3_000,
    block=250,
    ranges={"below_chance": (0, 1)},
    profiles={"quick": QUICK, "paper": {**PAPER, "replicates": 4_000}},
    claims=[
        ordered(
            "certificate",
            "method",
            [SPLIT, UNION],
            where={"n": 64},
            tolerance=0,
            name="with 64 examples a split beats the union already",
        ),
        ordered(
            "risk",
            "method",
            [UNION, SPLIT],
            tolerance=0,
            name="and pays with a larger true risk",
        ),
        at_least(
            "below_chance",
            0.9,
            where={"method": UNION, "n": 16},
            expect="refuted",
            name="with 16 examples the union is below chance (false)",
        ),
    ],
)
def splitting(cell, rng, size):
    """Certificates and true risks of the selected candidates, on many support sets."""
    support = episodes(rng, size, cell.n)
    thetas = candidates(cell.seed, cell.iterations)[: cell.M]
    found = selected(cell, thetas, support)
    certificate, risk = (np.stack([found[m][i] for m in cell.method], axis=-1) for i in (0, 1))
    return {"certificate": certificate, "risk": risk, "below_chance": certificate < 0.5}


ANGLES = [0.0, 0.25, 0.5, 1.0]


@study(
    design=grid(**WORLDS, n=64, M=1_000, delta=0.05, turn=inner(ANGLES)),
    replicates=600,
    block=100,
    ranges={"ratio": (0, float("inf"))},
    profiles={"quick": QUICK, "paper": {**PAPER, "replicates": 3_000}},
    claims=[
        at_most("ratio", 1.0, delta=0.05, name="certificates hold for tasks unlike those upstream"),
        ordered("certificate", "turn", ANGLES, tolerance=0, name="the certificate rises with it"),
        ordered("risk", "turn", ANGLES, tolerance=0, name="and so does the true risk"),
    ],
)
def shifted(cell, rng, size):
    """Tasks from a law turned by a share of a right angle; the same draws otherwise."""
    task, data = (10_000 + int(rng.integers(0, 2**40)) for _ in range(2))
    thetas = candidates(cell.seed, cell.iterations)[: cell.M]
    found = {"certificate": [], "risk": [], "ratio": []}
    rows, log_inv = np.arange(size), np.log(cell.M / cell.delta)
    for turn in cell.turn:
        tasks = FAMILY.tasks(size, task, turn * np.pi / 2)
        support = FAMILY.episodes(tasks, cell.n, data)
        k, risks = errors(thetas, support), FAMILY.risks(thetas, tasks)
        best = k.argmin(axis=1)
        found["certificate"].append(limits(k[rows, best], cell.n, log_inv))
        found["risk"].append(risks[rows, best])
        found["ratio"].append(found["risk"][-1] / found["certificate"][-1])
    return {name: np.stack(values, axis=-1) for name, values in found.items()}
