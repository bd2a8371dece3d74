"""What weighting the likelihood by the teacher's probability does: it sharpens (Lemma 4.2).

The weighted student converges to ``pi^2``, normalised: the teacher at half its temperature, a line
of slope 2 in log-odds. The family with weights ``pi^gamma`` (ours) goes to ``pi^(1 + gamma)``;
only ``gamma = 0``, maximum likelihood, is consistent for every teacher.
"""

import numpy as np

from tlstat import Exact, geometric, grid, inner, study
from tlstat.knowledge_transfer import (
    Teacher,
    sample_counts,
    theory,
    tv_risk,
    weighted_label_limit,
    weighted_label_student,
)
from tlstat.theory import at_most, equals, rate

S, A = 4, 8
GAMMA = inner([0.0, 0.5, 1.0, 2.0])
N = geometric(10_000, 100_000_000, 5)


def teacher_of(cell):
    """A random teacher with probabilities from about 0.01 to 0.4."""
    return Teacher.dirichlet(S, A, rng=3, concentration=2.0)


TEACHER = teacher_of(None)
LIKELIEST = TEACHER.pi.argmax(axis=1)
# labels in the order s A + a; that of the likeliest label is 0 by definition
LOG_ODDS = np.log(TEACHER.pi / TEACHER.pi.max(axis=1, keepdims=True)).ravel()
OTHERS = [label for label in range(S * A) if LOG_ODDS[label] < -0.1]


def distance(counts, teacher, gamma, xp):
    """Largest distance of a probability from that of the limit."""
    limit = xp.asarray(weighted_label_limit(teacher, gamma)[0])
    student = weighted_label_student(counts, teacher.pi, gamma=gamma)
    return xp.max(xp.max(xp.abs(student - limit), axis=-1), axis=-1)


@study(
    model=teacher_of,
    design=grid(S=S, A=A, n=N, gamma=GAMMA),
    replicates=1_000,
    block=250,
    profiles={"paper": {"replicates": 10_000}, "full": {"replicates": 100_000}},
    claims=[
        rate(
            "distance",
            along="n",
            bound=lambda cell, model: cell["n"] ** -0.5,
            tolerance=0.02,
            name="every weight has its limit, approached at rate -1/2",
        ),
        equals(
            "tv",
            lambda cell, model: weighted_label_limit(model, cell["gamma"])[1],
            rtol=0.01,
            where={"n": N[-1], "gamma": [0.5, 1.0, 2.0]},
            name="the risk that remains is that of the limit",
        ),
        at_most(
            "tv",
            1e-3,
            where={"n": N[-1], "gamma": 0.0},
            name="without a weight nothing remains",
        ),
        at_most(
            "tv",
            1e-3,
            where={"n": N[-1], "gamma": [0.5, 1.0, 2.0]},
            expect="refuted",
            name="with a weight nothing remains (false)",
        ),
    ],
)
def limits(cell, rng, size):
    """Distance from the limit in the maximum norm, and the risk, for each weight."""
    xp = rng.xp
    teacher = teacher_of(cell)
    counts = sample_counts(teacher, cell.n, rng, size)
    risks = [
        tv_risk(weighted_label_student(counts, teacher.pi, gamma=gamma), teacher)
        for gamma in cell.gamma
    ]
    distances = [distance(counts, teacher, gamma, xp) for gamma in cell.gamma]
    return {"distance": xp.stack(distances, axis=-1), "tv": xp.stack(risks, axis=-1)}


@study(
    model=teacher_of,
    design=grid(S=S, A=A, n=[10_000, 1_000_000], gamma=[0.0, 1.0, 2.0], label=inner(range(S * A))),
    replicates=1_000,
    block=250,
    profiles={"paper": {"replicates": 10_000}, "full": {"replicates": 100_000}},
    claims=[
        equals(
            "log_odds",
            lambda cell, model: (1 + cell["gamma"]) * LOG_ODDS[cell["label"]],
            where={"n": 1_000_000, "label": OTHERS},
            name="log-odds are those of the teacher times 1 + gamma, label by label",
        ),
    ],
)
def log_odds(cell, rng, size):
    """Log-odds of every label against the likeliest one of its input."""
    xp = rng.xp
    teacher = teacher_of(cell)
    counts = sample_counts(teacher, cell.n, rng, size)
    law = weighted_label_student(counts, teacher.pi, gamma=cell.gamma)
    # a label that was never drawn (probability below 1e-20 here) would give minus infinity
    logs = xp.log(law)
    against = xp.stack([logs[:, s, LIKELIEST[s]] for s in range(S)], axis=-1)
    return {"log_odds": xp.reshape(logs - against[..., None], (size, S * A))}


@study(
    model=Teacher.from_cell,
    design=grid(instance="1", S=10, A=10, n=geometric(100, 1_000_000, 5))
    + grid(instance="0", S=10, A=10, n=100),
    replicates=0,
    claims=[
        equals("bias", theory.WEIGHTED_LABEL_BIAS_INSTANCE_1, where={"instance": "1"}),
        equals("bias", theory.WEIGHTED_LABEL_BIAS, where={"instance": "0"}),
    ],
)
def closed_forms(cell, rng, size):
    """Distance of the sharpened teacher on two instances of the paper."""
    return {"bias": Exact(weighted_label_limit(Teacher.from_cell(cell))[1], 1e-15)}
