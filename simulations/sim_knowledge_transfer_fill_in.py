"""What partial labels cannot say: the rule that fills in the labels not seen (ours).

The rates hold for every rule, the curves do not. On Instance 0 the uniform rule guesses right as
soon as the big label of an input is seen, because the others are equal; small masses that differ
take that luck away. On a fixed teacher every risk falls exponentially, and a rule errs for as long
as the likeliest set of labels that misleads it stays unseen. So the decay rate is ``rho`` times

==============================  ============================  ==============================
rule                            equal small labels            small labels that differ
==============================  ============================  ==============================
uniform, first unseen           ``b + e``, ``2 e``            two smallest, two smallest
renormalised (missing mass)     ``e``                         smallest
==============================  ============================  ==============================

with ``b`` the mass of the big label and ``e`` that of a small one. A single unseen label misleads
no rule that knows that probabilities sum to one, so two must be missing; the renormalised student
(a softmax with logits of minus infinity where nothing was seen) does not use that knowledge.
"""

import numpy as np

from tlstat import Exact, geometric, grid, inner, study
from tlstat.knowledge_transfer import (
    Teacher,
    expected_missing_mass,
    partial_label_student,
    sample_counts,
    theory,
    tv_risk,
)
from tlstat.knowledge_transfer.estimators import unnormalised_label_student
from tlstat.knowledge_transfer.instances import uniform_law
from tlstat.theory import at_least, at_most, equals, ordered, rate

RULES = ["uniform", "first-unseen", "renormalised"]
S, A = 20, 8
FAR = geometric(10_000, 19_000, 5)
NEAR = [20, 60, 100, 200, 400, 800]
CURVE = [n for n in range(40, 1_601, 40) if n not in NEAR]


def teacher_of(cell):
    """Instance 0, or the same with small masses in the ratio 1 : 2 : ... : A, shuffled."""
    equal = Teacher.instance0(S, A)
    if cell.small == "equal":
        return equal
    rng = np.random.default_rng(1)
    rows = np.array([rng.permutation(np.arange(1, A + 1)) for _ in range(S)])
    big = equal.pi > 0.5
    return Teacher(uniform_law(S), 0.5 * big + 0.5 * rows / rows.sum(axis=1, keepdims=True))


def fitted(counts, teacher, rule):
    """The partial-label student with one of the rules."""
    if rule == "renormalised":
        return unnormalised_label_student(counts, teacher.pi)
    return partial_label_student(counts, teacher.pi, fill=rule)


def exact_risk(teacher, n, rule):
    """Sum over the sets of labels that stay unseen at an input; exact for any rule.

    ``P(all of U unseen) = (1 - rho pi(U))^n``; a Moebius transform over supersets makes it
    ``P(exactly U unseen)``. The largest term comes first, so digits are lost only where n is small.
    """
    member = (np.arange(1 << A)[:, None] >> np.arange(A)) & 1
    total = 0.0
    for s in range(teacher.S):
        rho, row = teacher.rho[s], teacher.pi[s]
        law = np.exp(n * np.log1p(-rho * np.minimum(member @ row, 1.0)))
        for bit in range(A):
            cube = law.reshape(-1, 2, 1 << bit)
            cube[:, 0] -= cube[:, 1]
        one = Teacher(np.ones(1), row[None])
        counts = (1 - member)[:, None, :]
        total += rho * float(law @ tv_risk(fitted(counts, one, rule), one))
    return total


def decay_rate(cell):
    """The mass of the likeliest set of labels that misleads the rule while it is unseen."""
    masses = np.sort(teacher_of(cell).pi, axis=1)
    if cell.rule == "renormalised":
        unseen = masses[:, 0]
    elif cell.small == "equal" and cell.rule == "uniform":
        unseen = masses[:, 0] + masses[:, -1]
    else:
        unseen = masses[:, 0] + masses[:, 1]
    return float(unseen.min()) / S


def exponential(cell, model=None):
    """``(1 - rate)^n`` with the decay rate of the table above."""
    return np.exp(cell.n * np.log1p(-decay_rate(cell)))


def exponential_of_big_label(cell, model=None):
    """The decay of the big label alone, on which a first look at Instance 0 would bet."""
    b = 0.5 + 0.5 / A
    return np.exp(cell.n * np.log1p(-b / S))


@study(
    model=teacher_of,
    design=grid(S=S, A=A, small=["equal", "different"], n=[*NEAR, *CURVE, *FAR], rule=inner(RULES)),
    replicates=0,
    claims=[
        rate(
            "risk",
            along="n",
            bound=exponential,
            tolerance=0.02,
            where={"n": FAR},
            name="exponential, at the rate of the likeliest misleading set",
        ),
        rate(
            "risk",
            along="n",
            bound=exponential_of_big_label,
            where={"n": FAR, "small": "different", "rule": "uniform"},
            expect="refuted",
            name="the uniform rule only waits for the big label (false on unequal small labels)",
        ),
        equals(
            "risk",
            lambda cell, model: expected_missing_mass(model, cell["n"]),
            where={"rule": "renormalised", "n": [400, 800]},
            rtol=1e-4,
            name="renormalised: the risk is the missing mass, once every input was seen",
        ),
        ordered(
            "risk",
            along="rule",
            increasing=RULES,
            tolerance=0,
            where={"n": [100, 200, 400, 800]},
            name="uniform beats first-unseen beats renormalised",
        ),
    ],
)
def fill_in_exact(cell, rng, size):
    """Exact risks of the partial-label student with each of the rules."""
    values = np.array([exact_risk(teacher_of(cell), cell.n, rule) for rule in cell.rule])
    return {"risk": Exact(values, 1e-6 * values)}


@study(
    model=teacher_of,
    design=grid(S=S, A=A, small=["equal", "different"], n=NEAR, rule=inner(RULES)),
    replicates=12_000,
    block=1_000,
    profiles={"paper": {"replicates": 40_000}, "full": {"replicates": 400_000}},
    claims=[
        equals(
            "tv",
            lambda cell, model: exact_risk(model, cell["n"], cell["rule"]),
            where={"n": [20, 60]},
            name="simulated risks are the sums over unseen sets",
        ),
        equals(
            "tv",
            lambda cell, model: exact_risk(model, cell["n"], cell["rule"]),
            where={"n": [100, 200], "rule": RULES[1:]},
            name="also where the uniform rule has all but vanished",
        ),
        ordered(
            "tv",
            along="rule",
            increasing=["uniform", "renormalised"],
            where={"n": NEAR[:4]},
            name="knowing that probabilities sum to one helps",
        ),
    ],
)
def fill_in(cell, rng, size):
    """The same rules on the same simulated samples."""
    teacher = teacher_of(cell)
    counts = sample_counts(teacher, cell.n, rng, size)
    risks = [tv_risk(fitted(counts, teacher, rule), teacher) for rule in cell.rule]
    return {"tv": rng.xp.stack(risks, axis=-1)}


@study(
    model=lambda cell: Teacher(np.ones(1), half_impossible(cell.K_0)[None]),
    design=grid(K_0=[1, 4, 16], z_0=[-6.0, -3.0, 0.0], n=100_000),
    replicates=2_000,
    block=500,
    ranges={"tv": (0, 1)},
    profiles={"paper": {"replicates": 10_000}, "full": {"replicates": 100_000}},
    claims=[
        at_most(
            "of_limit", 1 + 1e-9, surely=True, name="unnormalised logits have the predicted bias"
        ),
        at_least("of_limit", 1 - 1e-9, surely=True, name="neither more nor less"),
        at_most(
            "tv",
            0.001,
            where={"z_0": [-3.0, 0.0]},
            expect="refuted",
            name="unnormalised logits are consistent where labels are impossible (false)",
        ),
    ],
)
def unnormalised(cell, rng, size):
    """Free logits that start at ``z_0``, on a teacher with ``K_0`` impossible labels.

    After so many samples every possible label was seen, so nothing is random any more.
    """
    teacher = Teacher(np.ones(1), half_impossible(cell.K_0)[None])
    counts = sample_counts(teacher, cell.n, rng, size)
    tv = tv_risk(unnormalised_label_student(counts, teacher.pi, z0=cell.z_0), teacher)
    limit = theory.UNNORMALISED_LABEL_BIAS(K_0=cell.K_0, z_0=cell.z_0)
    return {"tv": tv, "of_limit": tv / limit}


def half_impossible(impossible):
    """Four labels in the ratio 1 : 2 : 3 : 4, the others without mass."""
    return np.concatenate([np.arange(1, 5) / 10, np.zeros(impossible)])
