"""No simulation: the published minimum bounds, and how many examples a certificate needs at least.

The transcribed table of arXiv:2502.06970 has 2.55 for the class of all prompts and 0.30 for 20,000
sampled ones, at 16 examples of each of five classes. Eq. 7 gives the first one at d = 1024, the
length of a CoOp prompt, if it counts d nats; Eq. 3 gives the second one if the best episode has one
error. That these were the numbers behind the table is our reading, not the paper's statement.
"""

import numpy as np

from tlstat import Exact, grid, inner, study
from tlstat.certificates import CERTIFICATES
from tlstat.theory import equals, ordered, rate

SHOTS = 80
PUBLISHED = {"class of all prompts": 2.55, "20,000 sampled prompts": 0.30}
READINGS = {
    "d = 1024 nats": ("class of all prompts", True),
    "d = 1000 nats": ("class of all prompts", False),
    "d = 2600 nats": ("class of all prompts", False),
    "d = 1024 bits": ("class of all prompts", False),
    "one error": ("20,000 sampled prompts", True),
    "no error": ("20,000 sampled prompts", False),
}


def reading(name, delta):
    """The smallest bound under one reading."""
    if name.endswith("error"):
        k = int(name == "one error")
        return CERTIFICATES["hoeffding"](k, SHOTS, delta=delta / 20_000, clip=False)
    _, _, d, unit = name.split()
    return CERTIFICATES["quantised_class"](0, SHOTS, int(d), unit=unit, delta=delta, clip=False)


@study(
    design=grid(n=SHOTS, delta=0.05, reading=inner(list(READINGS))),
    replicates=0,
    claims=[
        equals(
            "printed",
            PUBLISHED[row],
            where={"reading": name},
            expect="supported" if right else "refuted",
            name=f"{row}: {PUBLISHED[row]:.2f} is {name}{'' if right else ' (false)'}",
        )
        for name, (row, right) in READINGS.items()
    ],
)
def published_minimum(cell, rng, size):
    """What the smallest bound of the table would be, and how it would be printed."""
    values = np.array([float(reading(name, cell.delta)) for name in cell.reading])
    return {"bound": Exact(values, 1e-12), "printed": Exact(np.round(values, 2), 1e-12)}


RULES = ["candidates, binomial", "candidates, Eq. 3", "all vectors, Eq. 7"]
MOST = 10_000


def fewest(cell, model):
    """Solved for n: the complexity term falls below 1 just above half of the message length."""
    if cell.rule == "all vectors, Eq. 7":
        return np.floor((cell.d + 2 * np.log(cell.d) - np.log(cell.delta)) / 2) + 1
    if cell.rule == "candidates, Eq. 3":
        return np.floor(np.log(cell.M / cell.delta) / 2) + 1
    return 1.0


@study(
    design=grid(
        d=[16, 64, 256, 1_024, 2_600],
        M=20_000,
        delta=0.05,
        chance=0.8,
        rule=inner(RULES),
    ),
    replicates=0,
    claims=[
        equals("below_one", fewest),
        rate(
            "below_one",
            "d",
            lambda cell, model: cell.d,
            tolerance=0.05,
            asymptotic=False,
            where={"rule": RULES[2], "d": [256, 1_024, 2_600]},
            name="all vectors: at least d/2 examples, whatever is learned",
        ),
        rate(
            "below_one",
            "d",
            1.0,
            where={"rule": RULES[1]},
            name="candidates: as many examples for every d",
        ),
        ordered("below_chance", "rule", RULES, tolerance=0),
        ordered(
            "below_one",
            "rule",
            [RULES[2], RULES[1]],
            expect="refuted",
            name="the class of all vectors needs no more examples than 20,000 of them (false)",
        ),
    ],
)
def examples_needed(cell, rng, size):
    """The fewest examples at which a candidate without errors has a certificate below 1, or 0.8."""
    n = np.arange(1, MOST)
    limits = {
        "candidates, binomial": CERTIFICATES["binomial_tail_inversion"](
            0, n, delta=cell.delta / cell.M
        ),
        "candidates, Eq. 3": CERTIFICATES["hoeffding"](0, n, delta=cell.delta / cell.M, clip=False),
        "all vectors, Eq. 7": CERTIFICATES["quantised_class"](
            0, n, cell.d, delta=cell.delta, clip=False
        ),
    }
    first = [[n[limits[r] < top][0] for r in cell.rule] for top in (1.0, cell.chance)]
    one, chance = np.array(first, dtype=float)
    return {"below_one": Exact(one, 0.0), "below_chance": Exact(chance, 0.0)}
