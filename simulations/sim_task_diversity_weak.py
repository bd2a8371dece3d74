"""Error of the estimated representation against a weak direction and noise (arXiv:2002.11684).

With one weak direction ERM pays ``nu^-1`` and the method of moments ``nu^-2`` in
``E |sin Theta|_F^2``, to leading order. The noise divides them, too: ERM falls as ``sigma^2``,
while the moment methods keep an error of their own, which the spread of the heads causes, however
small the noise.
"""

from tlstat import grid, inner, study
from tlstat.task_diversity import theory
from tlstat.task_diversity.experiment import follows, squared_distances
from tlstat.task_diversity.models import LinearTasks
from tlstat.theory import between, rate

RAW = ("moments", "u-statistic")
STATISTICS = ("split-half", "erm")
NON_NEGATIVE = {"squared_distance": (0.0, float("inf"))}
PROFILES = {"paper": {"replicates": 2_000}, "full": {"replicates": 20_000}}


@study(
    model=LinearTasks.from_cell,
    design=grid(
        d=10, r=2, t=64, nu=[0.5, 0.3, 0.2, 0.1, 0.05, 0.025], n=120, sigma=0.25, method=inner(RAW)
    ),
    replicates=500,
    block=50,
    ranges=NON_NEGATIVE,
    profiles=PROFILES,
    claims=[
        *follows("nu", ["u-statistic"]),
        between(
            "squared_distance",
            theory.MOMENTS_ERROR.scaled(0.8),
            theory.MOMENTS_ERROR.scaled(1.15),
            at=theory.TRACES,
            where={"method": "moments", "nu": lambda nu: nu >= 0.2},
            name="moments: the leading term within 20 % below and 15 % above",
        ),
        rate(
            "squared_distance",
            along="nu",
            bound=theory.ERM_ERROR,
            at=theory.TRACES,
            where={"method": "moments", "nu": lambda nu: nu >= 0.1},
            asymptotic=False,
            expect="refuted",
            name="moments suffer from a weak direction no more than ERM (false)",
        ),
    ],
)
def weak_direction_raw(cell, rng, size):
    """One direction that few heads show: moment methods."""
    return squared_distances(cell, rng, size)


@study(
    model=LinearTasks.from_cell,
    design=grid(
        d=12,
        r=3,
        t=16,
        nu=[1 / 3, 0.2, 0.1, 0.05, 0.025, 0.0125],
        n=2_000,
        sigma=1.0,
        method=inner(STATISTICS),
    ),
    replicates=400,
    block=50,
    ranges=NON_NEGATIVE,
    profiles=PROFILES,
    claims=[
        *follows("nu", STATISTICS),
        rate(
            "squared_distance",
            along="nu",
            bound=theory.MOMENTS_ERROR,
            at=theory.TRACES,
            where={"method": "erm"},
            asymptotic=False,
            expect="refuted",
            name="ERM suffers from a weak direction as moments do (false)",
        ),
    ],
)
def weak_direction(cell, rng, size):
    """The same for ERM and split halves."""
    return squared_distances(cell, rng, size)


@study(
    model=LinearTasks.from_cell,
    design=grid(d=8, r=2, t=32, n=132, sigma=[0.125, 0.25, 0.5, 1.0, 2.0], method=inner(RAW)),
    replicates=600,
    block=50,
    ranges=NON_NEGATIVE,
    profiles=PROFILES,
    claims=follows("sigma", RAW),
)
def noise_raw(cell, rng, size):
    """Moment methods: s^2 = 1 + sigma^2 is all they see of the noise."""
    return squared_distances(cell, rng, size)


@study(
    model=LinearTasks.from_cell,
    design=grid(
        d=12, r=2, t=16, n=400, sigma=[0.125, 0.25, 0.5, 1.0, 2.0], method=inner(STATISTICS)
    ),
    replicates=600,
    block=50,
    ranges=NON_NEGATIVE,
    profiles=PROFILES,
    claims=[
        *follows("sigma", STATISTICS),
        rate(
            "squared_distance",
            along="sigma",
            bound=lambda cell, model: cell.sigma**2,
            where={"method": "erm"},
            name="erm: sigma^2",
        ),
    ],
)
def noise(cell, rng, size):
    """ERM becomes exact as the noise vanishes, split halves do not."""
    return squared_distances(cell, rng, size)
