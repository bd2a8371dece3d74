"""Does sampling help? The zoo of upstream vectors against generators fitted to it.

Each value of ``seed`` is an upstream world of the sign family: tasks, fits, training, candidates. A
claim holds in each of the worlds; replicates are new tasks. All generators have the same budget of
2,000 candidates and pay log 2,000; the zoo pays the logarithm of its size. Quick profile: three
worlds, a zoo of 60, DDPM with 1,000 iterations; paper profile: ten worlds, 15 to 120, 4,000
iterations.
"""

from functools import lru_cache

import numpy as np

from tlstat import grid, inner, study
from tlstat.certificates import CERTIFICATES
from tlstat.certificates.peft import (
    Diffusion,
    Gaussian,
    KernelDensity,
    Mixup,
    SignFamily,
    Zoo,
    prediction_matrix,
)
from tlstat.theory import ordered

FAMILY = SignFamily()
BUDGET = 2_000
SIZES = [16, 64, 256]
SIMPLE = {"zoo": Zoo, "kde": KernelDensity, "mixup": Mixup, "gaussian": Gaussian}
METHODS = ["zoo", "diffusion", "kde", "mixup", "gaussian"]


@lru_cache(maxsize=2)
def world(size, seed, iterations):
    """Candidates of every generator in one upstream world."""
    zoo = FAMILY.upstream(size, 400, seed=seed, steps=100)
    out = {}
    for name in METHODS:
        if name == "diffusion":
            generator = Diffusion(iterations=iterations, sampler="dpm")
        else:
            generator = SIMPLE[name]()
        out[name] = generator.fit(zoo, seed).sample(None if name == "zoo" else BUDGET, seed)
    return out


def outcomes(thetas, support, delta):
    """Certificate and true risk of the selected candidate, for every size; the best risk."""
    M, (E, n) = len(thetas), support.y.shape
    rows = np.arange(E)
    matrix = prediction_matrix(FAMILY.model, thetas, support.X.reshape(E * n, -1))
    wrong = matrix.labels.reshape(E, n, M) != support.y[:, :, None]
    risks = FAMILY.risks(thetas, support.tasks)
    out = {"oracle": risks.min(axis=1)}
    for size in SIZES:
        k = wrong[:, :size].sum(axis=1, dtype=np.int16)
        best = k.argmin(axis=1)
        limit = CERTIFICATES["binomial_tail_inversion"](np.arange(size + 1), size, delta=delta / M)
        out[f"certificate_{size}"] = limit[k[rows, best]]
        out[f"risk_{size}"] = risks[rows, best]
    return out


def claim(metric, order, name):
    """An order in every world with a zoo of 60."""
    return ordered(metric, "candidates", order, where={"size": 60}, tolerance=0, name=name)


@study(
    design=grid(
        size=[15, 30, 60, 120],
        seed=list(range(10)),
        iterations=[1_000, 4_000],
        delta=0.05,
        candidates=inner(METHODS),
    ),
    replicates=120,
    block=60,
    profiles={
        "quick": {"where": {"size": 60, "iterations": 1_000, "seed": [0, 1, 2]}},
        "paper": {"replicates": 600, "where": {"iterations": 4_000}},
    },
    claims=[
        claim(
            "risk_256",
            ["diffusion", "zoo", "gaussian"],
            "with 256 examples the diffusion has a smaller true risk than the zoo",
        ),
        claim("risk_256", ["mixup", "zoo"], "but so have mixtures of two vectors of the zoo"),
        claim(
            "certificate_256",
            ["diffusion", "zoo", "gaussian"],
            "with 256 examples the diffusion has a smaller certificate, too",
        ),
        claim(
            "certificate_16",
            ["zoo", "diffusion"],
            "with 16 examples the zoo is certified lower than its diffusion (against sampling)",
        ),
        claim(
            "certificate_16",
            ["zoo", "mixup"],
            "with 16 examples the zoo is certified lower than mixtures of two",
        ),
        claim(
            "certificate_64",
            ["kde", "gaussian"],
            "a normal law with the moments of the zoo knows nothing of the tasks",
        ),
    ],
)
def generators(cell, rng, size):
    """Certificates and true risks on the same support sets of new tasks."""
    task, data = (10_000 + int(rng.integers(0, 2**40)) for _ in range(2))
    support = FAMILY.episodes(FAMILY.tasks(size, task), max(SIZES), data)
    drawn = world(cell.size, cell.seed, cell.iterations)
    found = [outcomes(drawn[name], support, cell.delta) for name in cell.candidates]
    return {metric: np.stack([f[metric] for f in found], axis=-1) for metric in found[0]}
