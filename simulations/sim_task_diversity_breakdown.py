"""Where estimators of the representation fail, and how (arXiv:2002.11684).

The method of moments rests on Gaussian fourth moments and on heads that nearly agree in length; it
does not profit from small noise, and where its leading term passes 1 it returns nearly random
directions. ERM needs more samples a task than the rank, and no estimator sees a direction that no
task has. What is derived here is compared with its exact limit.
"""

from tlstat import grid, inner, study
from tlstat.backend import to_numpy
from tlstat.task_diversity import theory
from tlstat.task_diversity.batch import alternating_minimisation, factored_descent
from tlstat.task_diversity.experiment import simulate_sines, squared_distances
from tlstat.task_diversity.models import LinearTasks
from tlstat.task_diversity.moments import sample_moments
from tlstat.task_diversity.subspace import squared_distance
from tlstat.theory import at_least, at_most, equals, ordered, rate

METHODS = ("moments", "u-statistic", "erm")
PROFILES = {"paper": {"replicates": 1_000}, "full": {"replicates": 10_000}}


@study(
    model=LinearTasks.from_cell,
    design=grid(
        d=10,
        r=2,
        t=64,
        n=[20, 80, 320],
        sigma=0.25,
        covariates=["rademacher", "uniform", "laplace"],
        method=inner(METHODS),
    ),
    replicates=100,
    block=50,
    profiles=PROFILES,
    claims=[
        at_least(
            "squared_distance",
            0.9,
            where={"method": "moments", "covariates": "rademacher"},
            name="moments with signs for covariates: lost, whatever n",
        ),
        rate(
            "squared_distance",
            along="n",
            bound=lambda cell, model: 1 / cell.n,
            where={"method": "moments", "covariates": "rademacher"},
            asymptotic=False,
            expect="refuted",
            name="moments with signs for covariates: 1/n (false)",
        ),
        at_most(
            "squared_distance",
            lambda cell, model: 1.5 * expected(cell, model),
            where={"method": ["u-statistic", "erm"]},
            name="U-statistic and ERM: within 1.5 times their Gaussian errors for all covariates",
        ),
    ],
)
def covariates(cell, rng, size):
    """Isotropic covariates that are not Gaussian; the basis is that of the coordinates."""
    return squared_distances(cell, rng, size)


def expected(cell, model):
    """The leading term for Gaussian covariates."""
    V = theory.unit_row_variances(cell["method"], model.spectrum, model.t, cell["n"], model.sigma)
    return float((model.d - model.r) * V.sum())


@study(
    model=LinearTasks.from_cell,
    design=grid(
        d=10,
        r=2,
        t=64,
        n=40,
        sigma=[0.001, 0.01, 0.1],
        method=inner(("moments", "u-statistic", "erm")),
    ),
    replicates=200,
    block=50,
    profiles=PROFILES,
    claims=[
        at_least(
            "squared_distance",
            lambda cell, model: 0.8 * expected(cell, model),
            where={"method": ["moments", "u-statistic"]},
            name="moment methods keep the error of noiseless data",
        ),
        rate(
            "squared_distance",
            along="sigma",
            bound=lambda cell, model: cell.sigma**2,
            where={"method": "erm"},
            name="ERM is exact without noise: sigma^2",
        ),
        rate(
            "squared_distance",
            along="sigma",
            bound=lambda cell, model: cell.sigma**2,
            where={"method": "moments"},
            asymptotic=False,
            expect="refuted",
            name="moments are exact without noise (false)",
        ),
    ],
)
def no_noise(cell, rng, size):
    """Hardly any noise."""
    return squared_distances(cell, rng, size)


@study(
    model=LinearTasks.from_cell,
    design=grid(d=24, r=3, t=16, n=[4, 8, 32, 128, 512], sigma=1.0, method=inner(METHODS)),
    replicates=100,
    block=50,
    profiles=PROFILES,
    claims=[
        at_least(
            "sine",
            0.9,
            where={"method": "moments", "n": [4, 8, 32]},
            statistic="median",
            name="moments where the leading term is above 1 a direction: nearly orthogonal",
        ),
        at_most(
            "sine",
            0.5,
            where={"method": "erm", "n": [32]},
            statistic="median",
            name="ERM from the same samples is far closer",
        ),
        at_most(
            "squared_distance",
            theory.RANDOM_SUBSPACE,
            where={"method": "moments"},
            name="no worse than a random subspace",
        ),
        ordered(
            "squared_distance",
            along="n",
            increasing=[512, 128, 32],
            where={"method": "moments", "n": [32, 128, 512]},
            name="moments recover as samples come",
        ),
    ],
)
def transition(cell, rng, size):
    """From useless to useful: moments need (d - r) r^2 (1 + sigma^2)^2 samples to start."""
    sines = simulate_sines(LinearTasks.from_cell(cell), cell.n, rng, size, cell.method, tol=1e-5)
    return {"squared_distance": sines.sum(axis=-1), "sine": sines[..., 0] ** 0.5}


@study(
    model=LinearTasks.from_cell,
    design=grid(d=12, r=3, t=64, n=3, sigma=0.1, search=inner(("alternating", "descent"))),
    replicates=1_000,
    block=500,
    profiles={"paper": {"replicates": 2_000}, "full": {"replicates": 20_000}},
    claims=[
        at_most("moved", 1e-6, surely=True, name="n = r: a search stays where it began"),
        equals(
            "squared_distance",
            theory.RANDOM_SUBSPACE,
            rtol=0.03,
            name="n = r: from a random start ERM is a random subspace",
        ),
    ],
)
def as_many_samples_as_the_rank(cell, rng, size):
    """ERM at n = r, hardly any noise: every representation interpolates every task."""
    model = LinearTasks.from_cell(cell)
    moments = sample_moments(model, cell.n, rng.spawn("tasks"), size)
    start = rng.spawn("start").orthogonal(cell.d, cell.r, size=size)
    fits = (
        alternating_minimisation(moments.S, moments.q, start, n_iter=3).B,
        factored_descent(moments.S, moments.q, start, n_iter=10).B,
    )
    truth = rng.asarray(model.basis)
    stack = rng.xp.stack
    return {
        "moved": to_numpy(stack([squared_distance(B, start) ** 0.5 for B in fits], axis=1)),
        "squared_distance": to_numpy(stack([squared_distance(B, truth) for B in fits], axis=1)),
    }


DEFICIENT = [
    equals(
        "squared_distance",
        theory.MISSING_DIRECTIONS_LIMIT,
        at={"k": 1},
        rtol=0.04,
        name="nu = 0: the missing direction is random in what is left",
    )
]


@study(
    model=LinearTasks.from_cell,
    design=grid(
        d=[4, 8, 24],
        r=2,
        t=64,
        n=2_000,
        spectrum=[(1.0, 0.0)],
        sigma=0.5,
        method=inner(["split-half"]),
    ),
    replicates=3_000,
    block=500,
    profiles={"paper": {"replicates": 6_000}, "full": {"replicates": 60_000}},
    claims=DEFICIENT,
)
def missing_direction(cell, rng, size):
    """Rank-deficient tasks: one direction of two is in no head, and stays unknown."""
    return squared_distances(cell, rng, size)


@study(
    model=LinearTasks.from_cell,
    design=grid(
        d=[12, 24], r=2, t=4, n=400, spectrum=[(1.0, 0.0)], sigma=0.25, method=inner(["erm"])
    ),
    replicates=500,
    block=50,
    profiles={"paper": {"replicates": 1_000}, "full": {"replicates": 10_000}},
    claims=DEFICIENT,
)
def missing_direction_erm(cell, rng, size):
    """The same for ERM, which fits noise in its place."""
    return squared_distances(cell, rng, size)
