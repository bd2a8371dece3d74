"""One teacher and ever more samples: exponential decay where labels are soft (Remark 6.1).

The rates ``SA/n`` and ``S/n`` are those of the worst teacher for each ``n``. A fixed teacher is
learnt exponentially fast from partial and soft labels, from hard ones at rate ``-1/2`` with the
constant of its own standard deviations (ours).
"""

import numpy as np

from tlstat import Exact, geometric, grid, inner, study
from tlstat.knowledge_transfer import Teacher, exact_risk, theory
from tlstat.theory import at_most, between, rate

S, A = 3, 4
LEVELS = ["hard", "partial", "soft"]
SHORT = [10, 20, 40]  # all students err
MIDDLE = [60, 120, 240]  # only the rarest input is still unseen
LONG = geometric(500, 1_500, 5)  # only pairs of labels of the rarest input are
HARD = geometric(10_000, 1_000_000, 5)


def teacher_of(cell):
    """Three inputs and four labels of very different masses, so that the rarest one decides."""
    labels = np.array([0.05, 0.1, 0.3, 0.55])
    return Teacher([0.1, 0.3, 0.6], np.array([np.roll(labels, s) for s in range(S)]))


def two_labels_unseen(cell, model):
    """One unseen label is known from the others, so two must be missing: sharper, ours."""
    two = np.sort(model.pi, axis=1)[:, :2].sum(axis=1)
    return np.exp(cell["n"] * np.log1p(-np.min(model.rho * two)))


def central_limit(factor):
    """The leading term of hard labels on a fixed teacher, times a factor."""
    return lambda cell, model: factor * theory.HARD_LABEL_LIMIT.at(cell, model)


@study(
    model=teacher_of,
    design=grid(S=S, A=A, n=[*SHORT, *MIDDLE, *LONG, *HARD], level=inner(LEVELS)),
    replicates=0,
    claims=[
        at_most("risk", theory.SOFT_LABEL_EXPONENTIAL, where={"level": "soft", "n": SHORT}),
        at_most("risk", theory.PARTIAL_LABEL_EXPONENTIAL, where={"level": "partial", "n": SHORT}),
        rate(
            "risk",
            along="n",
            bound=theory.SOFT_LABEL_EXPONENTIAL,
            where={"level": "soft", "n": MIDDLE},
            tolerance=0.02,
        ),
        rate(
            "risk",
            along="n",
            bound=two_labels_unseen,
            where={"level": "partial", "n": LONG},
            tolerance=0.02,
        ),
        rate(
            "risk",
            along="n",
            bound=theory.PARTIAL_LABEL_EXPONENTIAL,
            where={"level": "partial", "n": LONG},
            expect="refuted",
            name="partial labels wait for the rarest label (false: only for the second rarest)",
        ),
        rate(
            "risk",
            along="n",
            bound=lambda cell, model: cell["n"] ** -1.0,
            where={"level": ["partial", "soft"], "n": MIDDLE},
            expect="refuted",
            name="a fixed teacher is learnt from soft labels at rate -1 (false: exponentially)",
        ),
        between(
            "risk",
            central_limit(0.999),
            central_limit(1.001),
            tolerance=0,
            where={"level": "hard", "n": HARD},
            name="hard labels: within 0.1 % of the central limit",
        ),
    ],
)
def fixed_teacher(cell, rng, size):
    """Exact risks of one teacher."""
    values = np.array([exact_risk(teacher_of(cell), cell.n, level) for level in cell.level])
    return {"risk": Exact(values, 1e-15)}
