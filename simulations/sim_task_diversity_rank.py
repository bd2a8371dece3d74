"""Error of the estimated representation against its rank (arXiv:2002.11684).

With the best possible spectrum, ``nu = 1/r``, ERM and the U-statistic pay about ``r^2`` and the
method of moments about ``r^3`` in ``E |sin Theta|_F^2``. Judged are the leading terms, whose
exponents over such ranks are smaller, and a wrong exchange of the two.
"""

from tlstat import grid, inner, study
from tlstat.task_diversity import theory
from tlstat.task_diversity.experiment import follows, squared_distances
from tlstat.task_diversity.models import LinearTasks
from tlstat.theory import rate

RAW = ("moments", "u-statistic")
STATISTICS = ("split-half", "erm")
NON_NEGATIVE = {"squared_distance": (0.0, float("inf"))}
PROFILES = {"paper": {"replicates": 2_000}, "full": {"replicates": 20_000}}


@study(
    model=LinearTasks.from_cell,
    design=grid(d=16, r=[1, 2, 4, 7], t=48, n=80, sigma=0.25, method=inner(RAW)),
    replicates=600,
    block=50,
    ranges=NON_NEGATIVE,
    profiles=PROFILES,
    claims=follows("r", RAW),
)
def rank_raw(cell, rng, size):
    """nu = 1/r: each eigenvalue gets smaller as r grows."""
    return squared_distances(cell, rng, size)


@study(
    model=LinearTasks.from_cell,
    design=grid(d=16, r=[1, 2, 4, 7], t=16, n=1_000, sigma=1.0, method=inner(STATISTICS)),
    replicates=600,
    block=50,
    ranges=NON_NEGATIVE,
    profiles=PROFILES,
    claims=[
        *follows("r", STATISTICS),
        rate(
            "squared_distance",
            along="r",
            bound=theory.MOMENTS_ERROR,
            at=theory.TRACES,
            where={"method": "erm"},
            asymptotic=False,
            expect="refuted",
            name="ERM pays for the rank as moments do (false)",
        ),
    ],
)
def rank(cell, rng, size):
    """ERM and split halves."""
    return squared_distances(cell, rng, size)
