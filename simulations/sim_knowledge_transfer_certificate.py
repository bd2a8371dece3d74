"""A certificate from one sample, without the teacher: how often it fails, and for whom it holds.

Good-Turing on the pairs (input, label) bounds the risk of the partial-label student, on inputs
that of the soft-label student, each with probability at least 0.95 for every teacher. Used for
hard or weighted labels the same number is wrong, which the library refuses to do and these
negative controls show. Ours, not the paper's.
"""

from tlstat import grid, inner, study
from tlstat.knowledge_transfer import Teacher, sample_counts, students, theory, tv_risk
from tlstat.knowledge_transfer.certificate import METHODS, missing_mass_upper
from tlstat.theory import at_most, ordered

DELTA = 0.05
LEVELS = inner(["hard", "weighted", "partial", "soft"])
SIZES = [100, 1_000, 10_000]


def family(instance, **extra):
    """Teachers that share the parameters of one design."""
    parameters = {"S": 20, "A": 11, "seed": 0, "concentration": 1.0, "n": SIZES} | extra
    return grid(instance=instance, **parameters, level=LEVELS)


def violated(level, **where):
    """A negative control: the certificate, abused for a level that has none."""
    return at_most(
        "ratio",
        1,
        delta=DELTA,
        where={"level": level, **where},
        expect="refuted",
        name=f"the certificate holds for {level} labels (false)",
    )


@study(
    model=Teacher.from_cell,
    design=family("0", S=100, A=25, n=[*SIZES, 100_000])
    + family("dirichlet", concentration=[0.1, 1.0], seed=1)
    + family("2*", n=SIZES[1:])
    + family("digits", S=50, A=10),
    replicates=2_000,
    block=500,
    profiles={"paper": {"replicates": 20_000}, "full": {"replicates": 200_000}},
    claims=[
        at_most(
            "ratio",
            1,
            delta=DELTA,
            where={"level": ["partial", "soft"], "n": [100, 1_000]},
            name="risk at most the certificate, with probability 0.95, partial and soft labels",
        ),
        at_most(
            "missing_above_estimate",
            theory.GOOD_TURING_CERTIFICATE,
            delta=DELTA,
            at={"delta": DELTA},
            where={"level": ["partial", "soft"], "n": [100, 1_000]},
        ),
        violated("hard", instance="0", n=100_000),
        violated("weighted", instance=["0", "dirichlet", "digits"], n=10_000),
    ],
)
def coverage(cell, rng, size):
    """Risk of each student as a share of the certificate, and what that is about.

    The certificate of the pairs stands in for hard and weighted labels, which have none.
    """
    xp = rng.xp
    teacher = Teacher.from_cell(cell)
    counts = sample_counts(teacher, cell.n, rng, size)
    laws = students(counts, teacher.pi, cell.level)
    limit = {level: missing_mass_upper(counts, level, DELTA) for level in ("partial", "soft")}
    missing = missing_masses(counts, teacher, xp)
    width = theory.GOOD_TURING_CERTIFICATE(n=cell.n, delta=DELTA)
    ratio, above = [], []
    for level in cell.level:
        about = "soft" if level == "soft" else "partial"
        ratio.append(tv_risk(laws[level], teacher) / limit[about])
        # the certificate is the estimate plus its width, unless that is above 1
        estimate = xp.where(limit[about] < 1, limit[about] - width, xp.ones_like(limit[about]))
        above.append(missing[about] - estimate)
    return {
        "ratio": xp.stack(ratio, axis=-1),
        "missing_above_estimate": xp.stack(above, axis=-1),
    }


def missing_masses(counts, teacher, xp):
    """Missing mass of the pairs and of the inputs."""
    joint, rho = xp.asarray(teacher.joint.copy()), xp.asarray(teacher.rho.copy())
    seen = xp.sum(counts, axis=-1) > 0
    return {
        "partial": xp.sum(xp.where(counts > 0, xp.zeros_like(joint), joint), axis=(-2, -1)),
        "soft": xp.sum(xp.where(seen, xp.zeros_like(rho), rho), axis=-1),
    }


@study(
    model=Teacher.from_cell,
    design=grid(
        instance="digits", S=50, A=10, n=[300, 3_000, 30_000, 300_000], method=inner(METHODS)
    ),
    replicates=2_000,
    block=500,
    profiles={"paper": {"replicates": 20_000}, "full": {"replicates": 200_000}},
    claims=[
        at_most(
            "ratio",
            1,
            delta=DELTA,
            where={"n": [300, 3_000, 30_000]},
            name="every method covers the risk of the partial-label student",
        ),
        ordered(
            "limit",
            along="method",
            increasing=["held-out", "sub-gaussian", "good-turing"],
            where={"n": [30_000, 300_000]},
            name="holding out half the sample is sharpest where little is missing",
        ),
        ordered(
            "limit",
            along="method",
            increasing=["sub-gaussian", "held-out"],
            where={"n": 300_000},
            expect="refuted",
            name="Good-Turing is sharpest where little is missing (false)",
        ),
    ],
)
def methods(cell, rng, size):
    """Three certificates of the partial-label student on a real teacher."""
    teacher = Teacher.from_cell(cell)
    counts = sample_counts(teacher, cell.n, rng, size)
    risk = tv_risk(students(counts, teacher.pi, ("partial",))["partial"], teacher)
    split = rng.spawn("split")
    limits = [
        missing_mass_upper(counts, "partial", DELTA, method=method, rng=split)
        for method in cell.method
    ]
    limit = rng.xp.stack(limits, axis=-1)
    return {"limit": limit, "ratio": risk[:, None] / limit}
