"""Error of the estimated representation against its dimension (arXiv:2002.11684).

``E |sin Theta|_F^2`` is linear in ``d - r`` for all estimators.
"""

from tlstat import grid, inner, study
from tlstat.task_diversity import theory
from tlstat.task_diversity.experiment import follows, squared_distances
from tlstat.task_diversity.models import LinearTasks
from tlstat.theory import between

RAW = ("moments", "u-statistic")
STATISTICS = ("split-half", "erm")
NON_NEGATIVE = {"squared_distance": (0.0, float("inf"))}
PROFILES = {"paper": {"replicates": 2_000}, "full": {"replicates": 20_000}}


@study(
    model=LinearTasks.from_cell,
    design=grid(d=[8, 16, 32, 64], r=1, t=48, n=54, sigma=0.25, method=inner(RAW)),
    replicates=700,
    block=50,
    ranges=NON_NEGATIVE,
    profiles=PROFILES,
    claims=[
        *follows("d", ["u-statistic"]),
        between(
            "squared_distance",
            theory.MOMENTS_ERROR.scaled(0.85),
            theory.MOMENTS_ERROR.scaled(1.1),
            at=theory.TRACES,
            where={"method": "moments"},
            name="moments: the leading term within 15 % below and 10 % above",
        ),
    ],
)
def dimension_raw(cell, rng, size):
    """Linear in d - r: moment methods.

    That of moments is near the end of its linear regime at d = 64, and below its leading term.
    """
    return squared_distances(cell, rng, size)


@study(
    model=LinearTasks.from_cell,
    design=grid(d=[8, 16, 32, 64], r=1, t=4, n=4_000, sigma=1.0, method=inner(STATISTICS)),
    replicates=900,
    block=50,
    ranges=NON_NEGATIVE,
    profiles=PROFILES,
    claims=follows("d", STATISTICS),
)
def dimension(cell, rng, size):
    """Linear in d - r: estimators on sufficient statistics."""
    return squared_distances(cell, rng, size)
