"""What the target pays, and when transfer is worth it (arXiv:2002.11684, its closed forms ours).

Given the estimate, the risk of least squares on ``m`` target samples is exact; averaged over
targets, the bias is the squared distance over r. ERM turns the published ``d r^2/(nt) + r/m`` into
``d r/(nt) + r/m``. Transfer wins until the target's own samples are enough.
"""

import numpy as np

from tlstat import Exact, geometric, grid, inner, study
from tlstat.backend import to_numpy
from tlstat.task_diversity import theory
from tlstat.task_diversity.batch import fit_target, single_task
from tlstat.task_diversity.diversity import tilted_representation
from tlstat.task_diversity.experiment import simulate_sines
from tlstat.task_diversity.models import LinearTasks
from tlstat.task_diversity.moments import sample_moments
from tlstat.task_diversity.risk import crossover, transfer_excess_risk
from tlstat.theory import equals, rate

INFINITE = (0.0, float("inf"))


@study(
    model=LinearTasks.from_cell,
    design=grid(d=12, r=3, t=8, angle=[0.0, 0.3, 1.0], m=[5, 20, 80], sigma=0.7),
    replicates=10_000,
    block=2_000,
    ranges={"risk": INFINITE, "alone": INFINITE},
    profiles={"paper": {"replicates": 20_000}, "full": {"replicates": 200_000}},
    claims=[
        equals(
            "risk",
            theory.TRANSFER_RISK,
            at={"squared_bias": lambda cell, model: np.sin(cell["angle"]) ** 2},
            rtol=0.06,
            where={"m": [20, 80]},
            name="the risk of the target given the representation",
        ),
        equals(
            "alone",
            theory.SINGLE_TASK_RISK,
            rtol=0.06,
            where={"m": [20, 80]},
            name="the risk without transfer, more samples than dimensions",
        ),
        equals(
            "alone",
            theory.MINIMUM_NORM_RISK,
            at={"squared_norm": 1},
            rtol=0.06,
            where={"m": 5},
            name="the risk without transfer, fewer samples than dimensions",
        ),
    ],
)
def target(cell, rng, size):
    """A representation that misses sin(angle) of the target, and fits on raw target samples."""
    model = LinearTasks.from_cell(cell)
    alpha = np.zeros(cell.r)
    alpha[0] = 1.0
    B_hat = tilted_representation(model.basis, alpha, cell.angle)
    heads = rng.asarray(np.tile(alpha, (size, 1, 1)))
    moments = sample_moments(model, cell.m, rng, size, heads=heads, raw=True)
    theta = rng.asarray(model.basis @ alpha)
    fits = {
        "risk": fit_target(rng.asarray(B_hat), moments.S, moments.q),
        "alone": single_task(moments.S, moments.q),
    }
    return {name: to_numpy(((fit - theta) ** 2).sum((-2, -1))) for name, fit in fits.items()}


RISK = {
    "erm": theory.ERM_TRANSFER_RISK,
    "u-statistic": theory.U_STATISTIC_TRANSFER_RISK,
    "moments": theory.MOMENTS_TRANSFER_RISK,
}


@study(
    model=LinearTasks.from_cell,
    design=grid(
        d=12, r=2, t=32, n=160, sigma=0.5, m=geometric(8, 8_192, 6), method=inner(tuple(RISK))
    ),
    replicates=200,
    block=100,
    ranges={"risk": INFINITE},
    profiles={"paper": {"replicates": 2_000}, "full": {"replicates": 20_000}},
    claims=[
        *(
            rate(
                "risk",
                along="m",
                bound=RISK[method],
                asymptotic=False,
                where={"method": method},
                name=f"{method}: r/m, down to what the representation misses",
            )
            for method in RISK
        ),
        rate(
            "risk",
            along="m",
            bound=lambda cell, model: 1 / cell.m,
            asymptotic=False,
            where={"method": "moments"},
            expect="refuted",
            name="more target samples always help as 1/m (false: the bias stays)",
        ),
    ],
)
def few_shots(cell, rng, size):
    """Risk of an average target, exact given the estimate, against target samples."""
    model = LinearTasks.from_cell(cell)
    sines = simulate_sines(model, cell.n, rng, size, cell.method, tol=1e-5)
    bias = sines.sum(axis=-1) / cell.r
    return {"risk": theory.TRANSFER_RISK(squared_bias=bias, r=cell.r, m=cell.m, sigma=cell.sigma)}


@study(
    model=LinearTasks.from_cell,
    design=grid(d=40, r=2, t=16, n=geometric(30, 3_000, 5), sigma=1.0),
    replicates=150,
    block=50,
    ranges={"break_even": INFINITE},
    profiles={"paper": {"replicates": 1_000}, "full": {"replicates": 10_000}},
    claims=[
        rate(
            "break_even",
            along="n",
            bound=lambda cell, model: (cell.n - cell.r) * cell.t,
            where={"n": lambda n: n >= 90},
            name="the target samples up to which transfer pays grow as the source's",
        ),
    ],
)
def break_even(cell, rng, size):
    """Largest ``m`` at which ERM's transfer beats least squares on the target alone."""
    model = LinearTasks.from_cell(cell)
    sines = simulate_sines(model, cell.n, rng, size, ["erm"], tol=1e-5)[:, 0]
    bias = np.sqrt(sines.sum(axis=-1) / cell.r)
    at = np.array([crossover(cell.d, cell.r, cell.sigma, bias=b) for b in bias])
    return {"break_even": at}


@study(
    design=grid(d=100, r=5, sigma=1.0, b=inner([0.05, 0.1, 0.3, 0.6, 0.9])),
    replicates=0,
    claims=[
        equals("ratio", 1, rtol=1e-9, name="transfer and no transfer tie at the break-even point"),
        equals("forms", 1, rtol=1e-9, name="the closed form is that of the matrices"),
        equals(
            "bias", lambda cell, model: cell.b**2, rtol=1e-9, name="the largest useful bias inverts"
        ),
    ],
)
def forms(cell, rng, size):
    """Break-even as a number of samples, then as a bias; and `transfer_excess_risk`."""
    B, alpha = np.eye(cell.d, cell.r), np.eye(cell.r)[0]
    at = {"r": cell.r, "sigma": cell.sigma}
    ratio, forms_, bias = [], [], []
    for b in cell.b:
        m = float(crossover(cell.d, cell.r, cell.sigma, bias=b))
        transfer = theory.TRANSFER_RISK(squared_bias=b**2, m=m, **at)
        ratio.append(transfer / theory.SINGLE_TASK_RISK(d=cell.d, m=m, sigma=cell.sigma))
        bias.append(theory.LARGEST_USEFUL_BIAS(d=cell.d, m=m, **at))
        B_hat = tilted_representation(B, alpha, np.arcsin(b))
        closed = theory.TRANSFER_RISK(squared_bias=b**2, m=250, **at)
        forms_.append(float(transfer_excess_risk(B_hat, B, alpha, cell.sigma, 250)) / closed)
    return {
        "ratio": Exact(ratio, 1e-12),
        "forms": Exact(forms_, 1e-12),
        "bias": Exact(bias, 1e-12),
    }
