"""Neighbouring settings by the same kernel: marginal singularity, posterior drift, Gaussian shift.

Kpotufe and Martinet (arXiv:1803.01833) and Cai and Wei (arXiv:1906.02903) give rates; flipping
labels on one ball of radius r turns their lower bounds into numbers, exact up to the constants of
the class. The Gaussian benchmark (arXiv:2006.10581) has a minimax risk known within 25 %.
"""

from tlstat import Exact, geometric, grid, study
from tlstat.minimax import theory
from tlstat.minimax.models import GaussianTransfer
from tlstat.theory import between, equals, rate

N = geometric(10_000, 100_000_000, 5)
SETTINGS = ((1.0, 1.0, 1.0, 1), (1.0, 1.0, 2.0, 1), (0.5, 1.0, 0.5, 1), (1.0, 0.5, 1.5, 2))
NAMES = ("alpha", "beta", "gamma", "d")


def settings(**sizes):
    """One grid for each setting of smoothness, margin, shift and dimension."""
    parts = [grid(**dict(zip(NAMES, values, strict=True)), **sizes) for values in SETTINGS]
    return sum(parts[1:], parts[0])


def number(bound, cell):
    """A lower bound at the cell's sizes, 0 where one is not given."""
    at = {name: cell[name] for name in NAMES}
    value = bound(**at, n_P=cell.get("n_P", 0), n_Q=cell.get("n_Q", 0))
    return {"bound": Exact(float(value), 1e-13)}


@study(
    design=settings(n_P=N),
    replicates=0,
    claims=[
        rate("bound", along="n_P", bound=theory.SINGULARITY_SOURCE_RATE, tolerance=0.01),
        rate(
            "bound",
            along="n_P",
            bound=1.0,
            expect="refuted",
            name="source data do not help where they are singular (false)",
        ),
    ],
)
def singularity_source(cell, rng, size):
    """Marginal singularity, source alone."""
    return number(theory.SINGULARITY_LOWER, cell)


@study(
    design=settings(n_Q=N),
    replicates=0,
    claims=[
        rate(
            "bound",
            along="n_Q",
            bound=theory.SINGULARITY_RATE,
            at={"n_P": 1e-9},
            tolerance=0.01,
        )
    ],
)
def singularity_target(cell, rng, size):
    """Marginal singularity, target alone."""
    return number(theory.SINGULARITY_LOWER, cell)


@study(
    design=settings(n_P=N),
    replicates=0,
    claims=[rate("bound", along="n_P", bound=theory.DRIFT_SOURCE_RATE, tolerance=0.01)],
)
def drift_source(cell, rng, size):
    """Posterior drift, source alone."""
    return number(theory.DRIFT_LOWER, cell)


@study(
    design=settings(n_Q=N),
    replicates=0,
    claims=[rate("bound", along="n_Q", bound=theory.DRIFT_RATE, at={"n_P": 1e-9}, tolerance=0.01)],
)
def drift_target(cell, rng, size):
    """Posterior drift, target alone."""
    return number(theory.DRIFT_LOWER, cell)


def around(bound, factor):
    """`factor` times a rate's shape, at the cell."""

    def edge(cell, model):
        return factor * bound.shape(**{s: cell[s] for s in bound.symbols if s in cell})

    edge.__name__ = f"{factor:g} times {bound.name}"
    return edge


@study(
    design=settings(n_P=geometric(1_000, 10_000_000, 3), n_Q=geometric(100, 100_000, 4)),
    replicates=0,
    claims=[
        between(
            "singularity",
            around(theory.SINGULARITY_RATE, 0.08),
            around(theory.SINGULARITY_RATE, 0.35),
            name="marginal singularity: the rate in both sizes, within constants 0.08 and 0.35",
        ),
        between(
            "drift",
            around(theory.DRIFT_RATE, 0.08),
            around(theory.DRIFT_RATE, 0.35),
            name="posterior drift: the rate in both sizes, within constants 0.08 and 0.35",
        ),
    ],
)
def both_samples(cell, rng, size):
    """Both sizes: the sum of powers inside the rate is right up to a constant."""
    return {
        "singularity": number(theory.SINGULARITY_LOWER, cell)["bound"],
        "drift": number(theory.DRIFT_LOWER, cell)["bound"],
    }


@study(
    model=GaussianTransfer.from_cell,
    design=grid(D=20, n_S=1_000, n_T=50, sigma=1.0, Delta=[0.0, 0.1, 0.3, 1.0, 10.0]),
    replicates=4_000,
    block=500,
    ranges={"loss": (0.0, float("inf"))},
    profiles={"paper": {"replicates": 40_000}, "full": {"replicates": 400_000}},
    claims=[equals("loss", theory.GAUSSIAN_UPPER)],
)
def gaussian_linear(cell, rng, size):
    """The best linear combination of a source and a target vector, at the worst distance."""
    model = GaussianTransfer.from_cell(cell)
    estimate = model.estimate(*model.sample(rng, size))
    return {"loss": (estimate**2).sum(axis=-1)}


@study(
    model=GaussianTransfer.from_cell,
    design=grid(
        D=[1, 20],
        n_S=1_000,
        n_T=50,
        sigma=1.0,
        Delta=[0.1, 0.6, 3.0],
    ),
    replicates=0,
    claims=[
        between("lower", theory.GAUSSIAN_LOWER, theory.GAUSSIAN_UPPER, over="family"),
        between("upper", theory.GAUSSIAN_LOWER, theory.GAUSSIAN_UPPER, over="family"),
        between(
            "upper",
            around(theory.GAUSSIAN_REGIMES, 0.4),
            around(theory.GAUSSIAN_REGIMES, 1.0),
            name="three regimes of the distance, within constants 0.4 and 1",
        ),
    ],
)
def gaussian_minimax(cell, rng, size):
    """An interval for the minimax risk over all procedures: sphere priors and their rules."""
    lower, upper = GaussianTransfer.from_cell(cell).minimax_interval
    return {"lower": Exact(lower, 1e-9), "upper": Exact(upper, 1e-9)}
