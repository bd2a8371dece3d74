"""Dimension: d thresholds side by side are d problems with n/d points each.

Parallel thresholds have VC dimension d, and without noise their risk is a closed form; the rate's
``d/n`` is then exact, for the lower bound over cubes as well (see the lower bound's study).
"""

from tlstat import Exact, geometric, grid, study
from tlstat.minimax import theory
from tlstat.minimax.models import ParallelThresholds
from tlstat.minimax.risk import exact_risk
from tlstat.minimax.sampling import sample_extremes
from tlstat.theory import between, equals, rate

FREE = {"q": 1.0, "a_P": 0.0, "a_Q": 0.0, "c_P": 1.0, "c_Q": 1.0}
D = [1, 2, 4, 16, 64, 256]


def leading(factor):
    """The leading term of one threshold's risk at n/d points, times `factor`."""

    def edge(cell, model):
        limit = theory.NOISE_FREE_SOURCE_LIMIT(gamma=cell.gamma, q=1.0, n_P=cell.n_P / cell.d)
        return factor * float(limit)

    edge.__name__ = f"{factor:g} times the leading term at n/d"
    return edge


@study(
    model=ParallelThresholds.from_cell,
    design=grid(d=D, gamma=[0.5, 1.0, 2.0, 3.0], n_P=10_000_000, **FREE),
    replicates=0,
    claims=[
        rate("risk", along="d", bound=theory.SOURCE_RATE, tolerance=0.01),
        between("risk", leading(0.985), leading(1.005), name="the constant is that of d = 1"),
        rate(
            "risk",
            along="d",
            bound=lambda cell, model: cell.d,
            where={"gamma": 3.0},
            expect="refuted",
            name="the source's risk is linear in d (false)",
        ),
    ],
)
def source_dimension(cell, rng, size):
    """Exact risk of the source's right-end ERM: (d/n)^(1/gamma)."""
    risk = exact_risk(ParallelThresholds.from_cell(cell), cell.n_P, 0)
    return {"risk": Exact(risk, 1e-10 * risk)}


@study(
    model=ParallelThresholds.from_cell,
    design=grid(d=D, gamma=2.0, n_Q=10_000_000, **FREE),
    replicates=0,
    claims=[rate("risk", along="d", bound=theory.TARGET_RATE, tolerance=0.01)],
)
def target_dimension(cell, rng, size):
    """Exact risk of the target's right-end ERM: d/n."""
    risk = exact_risk(ParallelThresholds.from_cell(cell), 0, cell.n_Q)
    return {"risk": Exact(risk, 1e-10 * risk)}


@study(
    model=ParallelThresholds.from_cell,
    design=grid(d=[1, 8, 64], gamma=[1.0, 2.0], n_P=100_000, n_Q=[0, 300], **FREE),
    replicates=8_000,
    block=500,
    ranges={"risk": (0.0, float("inf"))},
    profiles={"paper": {"replicates": 40_000}, "full": {"replicates": 400_000}},
    claims=[
        equals(
            "risk",
            lambda cell, model: exact_risk(model, cell.n_P, cell.n_Q),
            rtol=0.05,
            name="simulated risk is the quadrature's, with both samples",
        )
    ],
)
def simulated(cell, rng, size):
    """Order statistics of all coordinates: points are shared out, not drawn anew for each."""
    model = ParallelThresholds.from_cell(cell)
    _, right = sample_extremes(model, cell.n_P, cell.n_Q, rng, size)
    return {"risk": model.excess_Q(right)}


@study(
    design=grid(n_P=geometric(1_000, 100_000_000, 5), m=[4, 64], rho=2.0, beta_P=0.5, beta_Q=0.5),
    replicates=0,
    claims=[
        rate("bound", along="n_P", bound=theory.LOWER_RATE, at={"d": 1.0, "n_Q": 1e-9},
             tolerance=0.01),
    ],
)  # fmt: skip
def lower_bound(cell, rng, size):
    """More atoms do not change the exponent of the lower bound."""
    at = {name: cell[name] for name in ("rho", "beta_P", "beta_Q", "m", "n_P")}
    return {"bound": Exact(float(theory.CUBE_LOWER(**at, n_Q=0)), 1e-13)}
