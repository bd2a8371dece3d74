"""FedRep: exact heads, one gradient step a round (arXiv:2102.07078; its contraction here is ours).

Without noise the distance falls geometrically, by ``1 - eta (1 - r/n) nu`` a round once it is
small. Sizes are near those of the paper's Figures 1 and 3, with a Hadamard design for the heads and
steps of our own. With hardly any noise, FedRep goes down to the noise's floor where
neither one model for all clients nor a model for each gets anywhere.
"""

import numpy as np

from tlstat import grid, inner, study
from tlstat.backend import namespace, to_numpy
from tlstat.task_diversity import theory
from tlstat.task_diversity.batch import (
    federated_descent,
    federated_global,
    fit_heads,
    single_task,
    spectral_start,
)
from tlstat.task_diversity.models import LinearTasks
from tlstat.task_diversity.moments import sample_moments
from tlstat.task_diversity.subspace import largest_sine
from tlstat.theory import at_least, at_most, between, equals, rate

START, LATE = 0.05, 12


@study(
    model=LinearTasks.from_cell,
    design=grid(d=10, r=2, t=2_000, n=[5, 10, 40], sigma=0.0, eta=[0.25, 0.5], start=START),
    replicates=40,
    block=20,
    profiles={"paper": {"replicates": 200}, "full": {"replicates": 2_000}},
    claims=[
        between(
            "sine",
            theory.CONTRACTION.scaled(0.97),
            theory.CONTRACTION.scaled(1.12),
            at={"rounds": LATE},
            name=f"the distance after {LATE} rounds without noise (12 % more for finite t)",
        ),
        at_most(
            "sine",
            theory.PUBLISHED_CONTRACTION,
            at={"rounds": LATE},
            name="the published linear rate is not exceeded",
        ),
        at_most(
            "sine",
            lambda cell, model: 0.7 * theory.CONTRACTION.at(cell, model, rounds=LATE),
            expect="refuted",
            name="a contraction much faster than the law's (false)",
        ),
    ],
)
def contraction(cell, rng, size):
    """From a tilt in all directions, with all clients in every round."""
    model = LinearTasks.from_cell(cell)
    moments = sample_moments(model, cell.n, rng, size)
    B = np.array(model.basis)
    B[cell.r : 2 * cell.r] = np.tan(np.arcsin(cell.start)) * np.eye(cell.r)
    path = federated_descent(moments.S, moments.q, rng.asarray(B), rounds=LATE, step=cell.eta).B
    return {"sine": to_numpy(largest_sine(path[-1], rng.asarray(model.basis)))}


ROUNDS = (0, 5, 10, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200)


@study(
    model=LinearTasks.from_cell,
    design=grid(
        d=10, r=2, n=5, t=[12, 100, 1_000], sigma=0.001, eta=0.5, part=0.1, rounds=inner(ROUNDS)
    ),
    replicates=80,
    block=10,
    profiles={"paper": {"replicates": 100}, "full": {"replicates": 1_000}},
    claims=[
        at_most(
            "squared_sine",
            1e-4,
            where={"t": [100, 1_000], "rounds": 200},
            statistic="median",
            name="a hundred clients or more: close to the noise after 200 rounds of a tenth",
        ),
    ],
)
def rounds(cell, rng, size):
    """Figure 3: squared largest sine by round, a tenth of the clients in each."""
    model = LinearTasks.from_cell(cell)
    moments = sample_moments(model, cell.n, rng.spawn("tasks"), size)
    path = federated_descent(
        moments.S,
        moments.q,
        spectral_start(moments.q, cell.r),
        rounds=ROUNDS[-1],
        step=cell.eta,
        participation=cell.part,
        rng=rng.spawn("clients"),
    ).B[list(ROUNDS)]
    return {"squared_sine": to_numpy(largest_sine(path, rng.asarray(model.basis))).T ** 2}


PEERS = ("fedrep", "local", "global")


@study(
    model=LinearTasks.from_cell,
    design=grid(d=20, r=2, n=[5, 10, 40], t=60, sigma=0.001, eta=0.1, peer=inner(PEERS)),
    replicates=40,
    block=10,
    profiles={"paper": {"replicates": 100}, "full": {"replicates": 1_000}},
    claims=[
        at_most(
            "error",
            1e-4,
            where={"peer": "fedrep", "n": [10, 40]},
            statistic="median",
            name="FedRep learns every client's model from ten samples",
        ),
        rate(
            "error",
            along="n",
            bound=lambda cell, model: 1.0,
            where={"peer": "global"},
            asymptotic=False,
            name="one model for all clients: as bad as none, whatever n",
        ),
    ],
)
def peers(cell, rng, size):
    """Figure 1: error of the clients' models after 300 rounds, heads fitted at the end."""
    model = LinearTasks.from_cell(cell)
    moments = sample_moments(model, cell.n, rng.spawn("tasks"), size)
    theta = moments.heads @ rng.asarray(model.basis.T)
    start = spectral_start(moments.q, cell.r)
    B = federated_descent(moments.S, moments.q, start, rounds=300, step=cell.eta).B[-1]
    one = federated_global(moments.S, moments.q, rounds=300, step=cell.eta)
    models = {
        "fedrep": fit_heads(moments.S, moments.q, B) @ B.mT,
        "local": single_task(moments.S, moments.q),
        "global": one[:, None, :] + 0 * theta,
    }
    errors = [to_numpy(((models[p] - theta) ** 2).sum(-1).mean(-1)) for p in PEERS]
    return {"error": np.stack(errors, axis=1)}


RIDGE = 1e-5  # as published: as good as none


def ridge(X, y):
    """Ridge regression of many samples, shapes (size, m, k) and (size, m)."""
    k = X.shape[-1]
    gram = X.mT @ X + RIDGE * namespace(X).eye(k, device=X.device)
    return namespace(X).linalg.solve(gram, X.mT @ y[..., None])


def unspanned(cell, model):
    """Mean share of a vector outside of ``m`` random directions; noise is not seen beside it."""
    return 1 - cell.m / cell.d


@study(
    model=LinearTasks.from_cell,
    design=grid(
        d=20,
        r=2,
        t=100,
        n=10,
        sigma=0.001,
        eta=0.5,
        part=0.1,
        m=[1, 2, 5, 10, 20],
        method=inner(["fedrep", "alone"]),
    ),
    replicates=500,
    block=100,
    profiles={"paper": {"replicates": 1_000}, "full": {"replicates": 10_000}},
    claims=[
        at_most(
            "error",
            1e-4,
            where={"method": "fedrep", "m": [5, 10, 20]},
            statistic="median",
            name="a new client needs five samples with the representation of the others",
        ),
        at_least(
            "error",
            0.4,
            where={"method": "fedrep", "m": 1},
            name="one sample is too few for two numbers, with the representation as well",
        ),
        equals(
            "error",
            unspanned,
            rtol=0.1,
            where={"method": "alone", "m": [1, 2, 5, 10]},
            name="alone it learns the share of its model that its samples span",
        ),
    ],
)
def new_client(cell, rng, size):
    """Figure 4: squared error of a new client's model from its m samples."""
    model = LinearTasks.from_cell(cell)
    moments = sample_moments(model, cell.n, rng.spawn("tasks"), size)
    start = spectral_start(moments.q, cell.r)
    B = federated_descent(
        moments.S,
        moments.q,
        start,
        rounds=100,
        step=cell.eta,
        participation=cell.part,
        rng=rng.spawn("clients"),
    ).B[-1]
    head = rng.normal(size=(size, cell.r))
    head = head / (head**2).sum(-1, keepdims=True) ** 0.5
    theta = rng.asarray(model.basis) @ head[..., None]
    X = rng.normal(size=(size, cell.m, cell.d))
    y = (X @ theta)[..., 0] + cell.sigma * rng.normal(size=(size, cell.m))
    fits = {"fedrep": B @ ridge(X @ B, y), "alone": ridge(X, y)}
    errors = [to_numpy(((fits[name] - theta) ** 2).sum((-2, -1))) for name in cell.method]
    return {"error": np.stack(errors, axis=1)}
