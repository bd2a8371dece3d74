"""Between which numbers the minimax risks lie, level by level, and who attains them.

Lower bounds are Bayes risks: evaluated exactly, averaged over simulated teachers from the priors
that prove them, and compared with students that are Bayes. What is attained is the exact risk of
the student of each level on its hardest teacher. All constants beyond the paper's are ours.
"""

import numpy as np

from tlstat import Exact, geometric, grid, inner, study
from tlstat.knowledge_transfer import Prior, Teacher, exact_risk, minimax, sample_counts, theory
from tlstat.knowledge_transfer import students as all_students
from tlstat.knowledge_transfer.estimators import hard_label_student
from tlstat.knowledge_transfer.risk import tv_risk
from tlstat.theory import at_least, between, equals, ordered, rate

N = geometric(100, 1_000_000, 9)
FAR = [n for n in N if n >= 10_000]


def with_ratio(values, attained, error=1e-10):
    """The values, and each as a share of the one that is attained."""
    values = np.array(values, dtype=float)
    return {
        "risk": Exact(values, error * values),
        "share": Exact(values / attained, 2 * error * values / attained),
    }


def leading_term(factor):
    """The leading term of the minimax risk of hard labels, times a factor."""
    bound = theory.HARD_LABEL_MINIMAX_LIMIT
    return lambda cell, model: factor * bound(S=cell["S"], A=cell["A"], n=cell["n"])


# ------------------------------------------------------------------------ three brackets

HARD = ["theorem 3.1", "pairs", "Dirichlet", "attained", "upper"]


@study(
    design=grid(S=10, A=10, n=N, curve=inner(HARD)),
    replicates=0,
    claims=[
        ordered("risk", along="curve", increasing=HARD, tolerance=0),
        rate(
            "risk",
            along="n",
            bound=theory.HARD_LABEL_MINIMAX_LIMIT,
            tolerance=0.02,
            where={"n": FAR},
        ),
        between(
            "share",
            0.97,
            1,
            tolerance=0,
            where={"curve": "Dirichlet", "n": [n for n in N if n >= 100_000]},
            name="the Dirichlet prior pins the minimax risk of hard labels to 3 %",
        ),
        between(
            "risk",
            leading_term(0.99),
            leading_term(1.01),
            tolerance=0,
            where={"curve": "attained", "n": FAR},
            name="maximum likelihood attains its leading term to 1 %",
        ),
        at_least(
            "share",
            0.3,
            where={"curve": "theorem 3.1", "n": FAR},
            expect="refuted",
            name="the constant of Theorem 3.1 is within a factor 3.3 of the truth (false)",
        ),
    ],
)
def hard_bracket(cell, rng, size):
    """Hard labels: maximum likelihood on the uniform teacher attains the leading term."""
    S, A, n = cell.S, cell.A, cell.n
    attained = exact_risk(Teacher(np.full(S, 1 / S), np.full((S, A), 1 / A)), n, "hard")
    values = [
        theory.HARD_LABEL_LOWER(S=S, A=A, n=n),
        minimax.pair_bayes_risk(S, A, n),
        minimax.dirichlet_bayes_risk(A, n, S=S),
        attained,
        theory.HARD_LABEL_UPPER(S=S, A=A, n=n),
    ]
    return with_ratio(values, attained)


PARTIAL = ["theorem 4.1", "subsets", "attained", "largest missing mass", "SA/(en)"]


@study(
    design=grid(S=10, A=11, n=[n for n in N if n >= 300], curve=inner(PARTIAL)),
    replicates=0,
    claims=[
        ordered("risk", along="curve", increasing=PARTIAL, tolerance=1e-9),
        rate("risk", along="n", bound=theory.PARTIAL_LABEL_RATE, tolerance=0.02, where={"n": FAR}),
        equals(
            "share",
            1,
            rtol=1e-6,
            where={"curve": "subsets", "n": FAR},
            name="the partial-label student attains the Bayes risk over subsets",
        ),
        between(
            "share",
            2.8,
            3,
            tolerance=0,
            where={"curve": "largest missing mass", "n": FAR},
            name="the missing mass is above it by a factor 2.8 to 3",
        ),
    ],
)
def partial_bracket(cell, rng, size):
    """Partial soft labels: the partial-label student on Instance 2*."""
    S, A, n = cell.S, cell.A, cell.n
    attained = exact_risk(Teacher.instance2star(S, A, n), n, "partial")
    values = [
        theory.PARTIAL_LABEL_LOWER(S=S, A=A, n=n),
        minimax.subset_bayes_risk(S, A, n),
        attained,
        minimax.largest_missing_mass(S * A, n),
        theory.PARTIAL_LABEL_UPPER(S=S, A=A, n=n),
    ]
    return with_ratio(values, attained)


SOFT = ["theorem 5.1", "rare inputs", "minimax", "attained", "4S/(9n)"]


@study(
    design=grid(S=10, A=10, n=N, curve=inner(SOFT)),
    replicates=0,
    claims=[
        ordered("risk", along="curve", increasing=SOFT, tolerance=1e-9),
        rate("risk", along="n", bound=theory.SOFT_LABEL_RATE, tolerance=0.02, where={"n": FAR}),
        equals(
            "share",
            1,
            where={"curve": "minimax"},
            name="level three is known exactly: what is attained is the minimax risk",
        ),
        between(
            "share",
            0.5,
            0.6,
            tolerance=0,
            where={"curve": "theorem 5.1", "n": FAR},
            name="Theorem 5.1 has between 1/2 and 0.6 of it",
        ),
    ],
)
def soft_bracket(cell, rng, size):
    """Soft labels: the soft-label student on deterministic teachers with the worst inputs."""
    S, A, n = cell.S, cell.A, cell.n
    worst = Teacher.diracs(np.arange(S) % A, A, minimax.worst_input_law(S, n))
    attained = exact_risk(worst, n, "soft")
    values = [
        theory.SOFT_LABEL_LOWER(S=S, A=A, n=n),
        theory.SOFT_LABEL_BAYES(S=S, A=A, n=n),
        minimax.soft_label_minimax(S, A, n),
        attained,
        theory.SOFT_LABEL_UPPER(S=S, n=n),
    ]
    return with_ratio(values, attained)


# ------------------------------------------------------------ averages over random teachers


def bayes_student(prior, counts, xp, cell):
    """The Bayes student of the prior on pairs; for the others the posterior mean, or a guess."""
    if cell.prior.startswith("pairs"):
        first, second = counts[..., ::2], counts[..., 1::2]
        tie = first == second
        half = xp.full_like(first, 0.5)
        ahead = xp.where(tie, half, xp.astype(first > second, xp.float64))
        gap = gap_of(cell)
        low, high = (1 - gap) / cell.A, (1 + gap) / cell.A
        first = low + (high - low) * ahead
        both = xp.stack([first, 2 / cell.A - first], axis=-1)
        return xp.reshape(both, counts.shape)
    alpha = minimax.best_concentration(cell.A, cell.n, cell.S)
    return hard_label_student(counts + alpha)


def gap_of(cell):
    """The gap of the paper's pairs, or the worst one."""
    if cell.prior == "pairs":
        return 0.25 * np.sqrt(cell.S * cell.A / cell.n)
    return minimax.best_pair_gap(cell.S, cell.A, cell.n)


HARD_LEVELS = ["hard", "bayes"]


@study(
    model=Prior.from_cell,
    design=grid(
        prior=["pairs", "pairs*", "dirichlet"],
        S=10,
        A=10,
        n=[1_000, 10_000, 100_000],
        level=inner(HARD_LEVELS),
    ),
    replicates=10_000,
    block=500,
    profiles={"paper": {"replicates": 40_000}, "full": {"replicates": 400_000}},
    claims=[
        equals(
            "tv",
            theory.HARD_LABEL_BAYES_PAIRS,
            where={"prior": "pairs", "level": "bayes"},
            name="on the paper's pairs, the majority has the exact Bayes risk",
        ),
        equals(
            "tv",
            theory.HARD_LABEL_LOWER_PAIRS,
            where={"prior": "pairs*", "level": "bayes"},
            name="on pairs with the worst gap, the majority has the exact Bayes risk",
        ),
        at_least("tv", theory.HARD_LABEL_LOWER_PAIRS, over="prior", where={"prior": "pairs*"}),
        at_least(
            "tv", theory.HARD_LABEL_LOWER_DIRICHLET, over="prior", where={"prior": "dirichlet"}
        ),
        at_least(
            "tv",
            theory.HARD_LABEL_LOWER_DIRICHLET.scaled(1.2),
            over="prior",
            where={"prior": "dirichlet"},
            expect="refuted",
            name="the Dirichlet bound could be 20 % higher (false)",
        ),
    ],
)
def hard_priors(cell, rng, size):
    """Maximum likelihood and a student that knows the prior, on teachers drawn from it."""
    xp = rng.xp
    prior = Prior.from_cell(cell)
    pi = prior.draw(rng, size)
    counts = xp.astype(sample_counts(prior, cell.n, rng, size, pi=pi), xp.float64)
    laws = [hard_label_student(counts), bayes_student(prior, counts, xp, cell)]
    return {"tv": xp.stack([tv_risk(law, prior, pi) for law in laws], axis=-1)}


@study(
    model=Prior.from_cell,
    design=grid(
        prior="deterministic*",
        S=100,
        A=5,
        n=[100, 1_000, 10_000],
        level=inner(["hard", "partial", "soft"]),
    ),
    replicates=4_000,
    block=500,
    profiles={"paper": {"replicates": 40_000}, "full": {"replicates": 400_000}},
    claims=[
        at_least("tv", theory.SOFT_LABEL_MINIMAX_LOWER, over="prior"),
        equals(
            "tv",
            theory.SOFT_LABEL_MINIMAX,
            where={"level": "soft", "n": [100, 1_000]},
            name="on the worst prior, the soft-label student has the minimax risk",
        ),
    ],
)
def soft_prior(cell, rng, size):
    """Deterministic teachers on the inputs with the largest missing mass."""
    prior = Prior.from_cell(cell)
    pi = prior.draw(rng, size)
    counts = sample_counts(prior, cell.n, rng, size, pi=pi)
    laws = all_students(counts, pi, cell.level)
    return {"tv": rng.xp.stack([tv_risk(laws[k], prior, pi) for k in cell.level], axis=-1)}
