"""Importance weights cannot undo a singular source: the exponent stays (arXiv:2002.04747).

A source with density |x|^(gamma - 1), gamma above 1, is thin where the target's boundary lies.
Truncated importance weights make the reweighted law look uniform, at the price of an effective
sample n/B; at the best truncation, and at every other, the exponent is the unweighted one.
"""

from tlstat import geometric, grid, study
from tlstat.minimax import theory
from tlstat.minimax.estimators import importance_weighted_erm, source_erm, truncated_weights
from tlstat.minimax.models import PowerThresholds
from tlstat.minimax.sampling import sample_cells
from tlstat.theory import rate

N = geometric(10_000, 10_000_000_000, 5)
LATE = geometric(1_000_000, 1_000_000_000_000, 5)
PROFILES = {"paper": {"replicates": 10_000}, "full": {"replicates": 100_000}}


def best_truncation(cell):
    """``t^-(gamma - 1)`` at the scale t that the source resolves."""
    return cell.n_P ** ((cell.gamma - 1) / (cell.gamma + 2 * cell.a_P))


def excess(cell, truncation, rng, size):
    """Risk of the weighted and of the plain source ERM on the same samples."""
    model = PowerThresholds.from_cell(cell)
    sample = sample_cells(model, cell.n_P, 0, rng, size)
    weights = truncated_weights(model, sample.thresholds, truncation)
    chosen = importance_weighted_erm(sample, weights)
    plain = source_erm(sample)
    return model.excess_Q(sample.take(chosen)), model.excess_Q(sample.take(plain))


def powers(n_P, **more):
    """Singular sources without and with growing noise."""
    common = {"q": 1.0, "a_Q": 0.0, "c_P": 0.5, "c_Q": 0.5, "n_P": n_P}
    return (
        grid(gamma=2.0, a_P=0.0, **common, **more)
        + grid(gamma=3.0, a_P=0.0, **common, **more)
        + grid(gamma=2.0, a_P=1.0, **common, **more)
    )


@study(
    model=PowerThresholds.from_cell,
    design=powers(N),
    replicates=2_000,
    block=250,
    ranges={"weighted": (0.0, float("inf")), "plain": (0.0, float("inf"))},
    profiles=PROFILES,
    claims=[
        rate("weighted", along="n_P", bound=theory.REWEIGHTED_SINGULARITY, tolerance=0.02),
        rate("plain", along="n_P", bound=theory.REWEIGHTED_SINGULARITY, tolerance=0.02),
        rate(
            "weighted",
            along="n_P",
            bound=lambda cell, model: cell.n_P ** (-1 / (1 + 2 * cell.a_P)),
            expect="refuted",
            name="weights restore the rate of a uniform source (false)",
        ),
    ],
)
def at_the_best_truncation(cell, rng, size):
    """Weights cut where the source still resolves: same exponent."""
    weighted, plain = excess(cell, best_truncation(cell), rng, size)
    return {"weighted": weighted, "plain": plain}


@study(
    model=PowerThresholds.from_cell,
    design=powers(LATE, power=[0.5, 1.5]),
    replicates=3_000,
    block=250,
    ranges={"weighted": (0.0, float("inf"))},
    profiles=PROFILES,
    claims=[
        rate(
            "weighted",
            along="n_P",
            bound=theory.REWEIGHTED_SINGULARITY,
            side="lower",
            tolerance=0.03,
            name="no other truncation falls faster",
        ),
    ],
)
def at_other_truncations(cell, rng, size):
    """Weights cut earlier, and later than the source resolves."""
    return {"weighted": excess(cell, best_truncation(cell) ** cell.power, rng, size)[0]}
