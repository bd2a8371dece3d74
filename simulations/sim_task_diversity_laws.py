"""Squared distances of all estimators against their leading terms, with constants (ours).

Where the leading term is accurate it is an equality, which sufficient statistics reach at any
price in samples; towards the end of its region (a worst squared sine of 0.15) it is a few percent
high. Unequal spectra, homogeneous tasks and random heads are covered by the same laws.
"""

from tlstat import grid, inner, study
from tlstat.task_diversity import theory
from tlstat.task_diversity.experiment import simulate_sines, squared_distances
from tlstat.task_diversity.models import LinearTasks
from tlstat.theory import at_most, between, equals, ordered

STATISTICS = ("split-half", "erm")
METHODS = ("moments", "u-statistic", "split-half", "erm")
PROFILES = {"paper": {"replicates": 2_000}, "full": {"replicates": 20_000}}


def equalities(*methods, **where):
    """The leading term is the whole."""
    return [
        equals(
            "squared_distance",
            theory.SQUARED_DISTANCE[method],
            at=theory.TRACES,
            rtol=0.07,
            where={"method": method, **where},
            name=f"{method}: the leading term, with its constant",
        )
        for method in methods
    ]


@study(
    model=LinearTasks.from_cell,
    design=grid(
        d=24,
        r=3,
        t=32,
        n=20_000,
        spectrum=[(1 / 3, 1 / 3, 1 / 3), (0.6, 0.3, 0.1)],
        homogeneity=[0.0, 0.5],
        sigma=1.0,
        method=inner(STATISTICS),
    ),
    replicates=1_200,
    block=100,
    profiles=PROFILES,
    claims=equalities(*STATISTICS),
)
def deep(cell, rng, size):
    """So many samples that only the leading term is left."""
    return squared_distances(cell, rng, size)


@study(
    model=LinearTasks.from_cell,
    design=grid(d=12, r=2, t=[32, 128, 512], n=32, sigma=[0.25, 1.0], method=inner(METHODS)),
    replicates=150,
    block=50,
    profiles=PROFILES,
    claims=[
        between(
            "squared_distance",
            theory.SQUARED_DISTANCE[method].scaled(0.8),
            theory.SQUARED_DISTANCE[method].scaled(1.15),
            at=theory.TRACES,
            where={"method": method},
            name=f"{method}: within 20 % below and 15 % above its leading term",
        )
        for method in METHODS
    ],
)
def moderate(cell, rng, size):
    """Thirty samples a task, as far as the laws claim to hold."""
    return squared_distances(cell, rng, size)


@study(
    model=LinearTasks.from_cell,
    design=grid(
        d=20, r=3, t=[12, 24, 96], n=10_000, heads="gaussian", sigma=1.0, method=inner(["erm"])
    ),
    replicates=600,
    block=100,
    profiles=PROFILES,
    claims=[
        between(
            "squared_distance",
            theory.ERM_ERROR_RANDOM_HEADS.scaled(0.9),
            theory.ERM_ERROR_RANDOM_HEADS.scaled(1.1),
            name="random heads: inverse Wishart moments, within 10 %",
        )
    ],
)
def random_heads(cell, rng, size):
    """Heads N(0, I/r): few tasks are poor ones by chance."""
    return squared_distances(cell, rng, size)


@study(
    model=LinearTasks.from_cell,
    design=grid(d=24, r=[2, 3, 5], t=32, n=4_000, sigma=1.0, method=inner(["erm"])),
    replicates=200,
    block=50,
    profiles=PROFILES,
    claims=[
        between(
            "squared_sine",
            theory.ERM_ERROR_LARGEST.scaled(0.6),
            theory.ERM_ERROR_LARGEST,
            name="the worst direction: below the edge of the limit law, by at most 40 %",
        ),
        at_most("squared_sine", theory.ERM_ERROR_EQUAL, name="and below the sum of all"),
    ],
)
def worst_direction(cell, rng, size):
    """Squared sine of the largest angle."""
    sines = simulate_sines(LinearTasks.from_cell(cell), cell.n, rng, size, cell.method, tol=1e-5)
    return {"squared_sine": sines[..., 0]}


@study(
    model=LinearTasks.from_cell,
    design=grid(d=24, r=3, t=[32, 64, 128, 256, 512], n=40, sigma=1.0, method=inner(METHODS)),
    replicates=30,
    block=10,
    profiles={"paper": {"replicates": 100}, "full": {"replicates": 1_000}},
    claims=[
        ordered(
            "squared_distance",
            along="method",
            increasing=["erm", "u-statistic", "moments"],
            where={"method": ["erm", "u-statistic", "moments"]},
            name="ERM, U-statistic, moments: in this order",
        )
    ],
)
def compared(cell, rng, size):
    """Forty samples a task, more and more tasks: moments start late and stay behind."""
    return squared_distances(cell, rng, size)
