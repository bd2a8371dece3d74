"""Error of the estimated representation against samples and tasks (arXiv:2002.11684).

Judged is ``E |sin Theta|_F^2`` in the region where its leading term is accurate: the law's own
dependence, lower-order terms included, and plain powers where these have faded. The method of
moments needs raw samples and little noise to get there, so its sweeps have sigma = 1/4; ERM and
split halves work on sufficient statistics. Heads are a Hadamard design: nu = 1/r exactly.
"""

from tlstat import geometric, grid, inner, study
from tlstat.task_diversity.experiment import follows, squared_distances
from tlstat.task_diversity.models import LinearTasks
from tlstat.theory import rate

RAW = ("moments", "u-statistic")
STATISTICS = ("split-half", "erm")
NON_NEGATIVE = {"squared_distance": (0.0, float("inf"))}
PROFILES = {"paper": {"replicates": 1_000}, "full": {"replicates": 10_000}}


def power(along, exponent, method, tolerance=0.05, **where):
    """A plain power, for readers of rates."""

    def bound(cell, model):
        return cell[along] ** exponent

    bound.__name__ = f"{along}^({exponent:g})"
    where = {"method": method, **where}
    name = f"{method}: {along}^({exponent:g})"
    return rate(
        "squared_distance", along=along, bound=bound, where=where, tolerance=tolerance, name=name
    )


@study(
    model=LinearTasks.from_cell,
    design=grid(d=10, r=2, t=160, n=[4, 16, 64, 256], sigma=0.25, method=inner(RAW)),
    replicates=250,
    block=50,
    ranges=NON_NEGATIVE,
    profiles=PROFILES,
    claims=follows("n", RAW),
)
def samples_raw(cell, rng, size):
    """Moment methods against the samples of each task, of which four will do."""
    return squared_distances(cell, rng, size)


@study(
    model=LinearTasks.from_cell,
    design=grid(d=24, r=3, t=64, n=geometric(40, 40_000, 7), sigma=1.0, method=inner(STATISTICS)),
    replicates=100,
    block=50,
    ranges=NON_NEGATIVE,
    profiles=PROFILES,
    claims=[
        *follows("n", STATISTICS),
        power("n", -1, "erm", tolerance=0.03, n=lambda n: n >= 400),
    ],
)
def samples(cell, rng, size):
    """ERM and split halves against the samples of each task, at a cost that does not depend on n.

    ERM's exponent is below -1 where n is a small multiple of r: heads cost samples.
    """
    return squared_distances(cell, rng, size)


@study(
    model=LinearTasks.from_cell,
    design=grid(d=8, r=2, t=[16, 64, 256, 1024], n=48, sigma=0.25, method=inner(RAW)),
    replicates=250,
    block=50,
    ranges=NON_NEGATIVE,
    profiles=PROFILES,
    claims=follows("t", RAW),
)
def tasks_raw(cell, rng, size):
    """More tasks of the same size: 1/t."""
    return squared_distances(cell, rng, size)


@study(
    model=LinearTasks.from_cell,
    design=grid(d=10, r=2, t=[8, 32, 128, 512], n=24, sigma=1.0, method=inner(["erm"])),
    replicates=250,
    block=50,
    ranges=NON_NEGATIVE,
    profiles=PROFILES,
    claims=[power("t", -1, "erm")],
)
def tasks(cell, rng, size):
    """ERM with a dozen times r samples: tasks make up for samples."""
    return squared_distances(cell, rng, size)
