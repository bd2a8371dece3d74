"""Stored results of the experiments of arXiv:2002.11684 (ICML 2021).

Means over replicates as in the data files of the authors' public repository
(github.com/nileshtrip/MTL, folder ``Data``), to the digits that were transcribed; standard
deviations were not, but for one point. Settings are those of the code: ``d = 100``, ``r = 5``,
``sigma = 1``, standard normal covariates, a uniform representation, heads and target
``N(0, I_r/r)``, one target a replicate, and the same seeds for all points of a sweep.

``largest_sine`` is ``|sin Theta|_2``, ``error`` is ``|B_hat alpha_hat - B alpha_0|_2``, not
squared. "LR" is least squares on the target alone, of least norm where ``m < d``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tlstat.errors import InputError

__all__ = ["D", "OUTLIER_SD", "R", "SIGMA", "SOURCE", "SWEEPS", "Sweep", "value", "without_outlier"]

SOURCE = "arXiv:2002.11684, authors' repository nileshtrip/MTL"
D, R, SIGMA = 100, 5, 1.0
DOUBLING = (100, 200, 400, 800, 1600, 3200, 6400)
SINE, ERROR = "largest_sine", "error"
MOM, FO = "LF-MoM", "LF-FO"
Curve = tuple[float, ...]

# of LF-FO's largest sine at t = 6400 of the sweep "few": one replicate ended in a bad optimum
OUTLIER_SD = 0.0457


@dataclass(frozen=True)
class Sweep:
    """One experiment: a parameter, its values, and the means at them.

    Attributes
    ----------
    name, figure : str
        ``figure`` follows the order of the code; the paper was not compared.
    along : {"t", "n"}
        The swept parameter: tasks, or samples of each.
    fixed : mapping
        The other one, and the samples ``m`` of the target.
    replicates : int
    values : tuple of int
    curves : mapping
        ``(metric, method)`` to means, with method "LF-MoM" or "LF-FO". A curve that was given as
        one number has it at every value.
    baseline : float
        Mean error of "LR".
    """

    name: str
    figure: str
    along: str
    fixed: Mapping[str, int]
    replicates: int
    baseline: float
    curves: Mapping[tuple[str, str], Curve] = field(repr=False)
    values: tuple[int, ...] = DOUBLING


SWEEPS: dict[str, Sweep] = {
    sweep.name: sweep
    for sweep in (
        Sweep(
            name="scarce",
            figure="Figure 1",
            along="t",
            fixed={"n": 5, "m": 2500},
            replicates=30,
            baseline=0.2024,
            curves={
                (SINE, MOM): (
                    0.9974,
                    0.9983,
                    0.9952,
                    0.9947,
                    0.9875,
                    0.9221,
                    0.7042,
                ),
                (SINE, FO): (0.999,) * 7,
                (ERROR, MOM): (0.819, 0.860, 0.968, 0.873, 0.904, 0.730, 0.569),
                (ERROR, FO): (0.837, 0.891, 1.016, 0.927, 1.005, 0.912, 0.964),
            },
        ),
        Sweep(
            name="few",
            figure="Figure 2",
            along="t",
            fixed={"n": 25, "m": 25},
            replicates=30,
            baseline=1.00,
            curves={
                (SINE, MOM): (
                    0.9969,
                    0.9939,
                    0.9794,
                    0.8681,
                    0.6346,
                    0.4316,
                    0.3098,
                ),
                (SINE, FO): (0.9551, 0.5955, 0.3527, 0.2338, 0.1650, 0.1147, 0.0895),
                (ERROR, MOM): (1.146, 1.074, 0.975, 0.927, 0.698, 0.607, 0.582),
                (ERROR, FO): (0.959, 0.767, 0.632, 0.565, 0.482, 0.494, 0.505),
            },
        ),
        Sweep(
            name="twenty tasks",
            figure="Figure 3",
            along="n",
            fixed={"t": 20, "m": 50},
            replicates=30,
            baseline=1.22,
            curves={
                (SINE, MOM): (
                    0.9969,
                    0.9967,
                    0.9925,
                    0.9879,
                    0.9560,
                    0.8792,
                    0.6870,
                ),
                (SINE, FO): (0.7934, 0.5489, 0.3996, 0.2880, 0.2050, 0.1440, 0.1022),
                (ERROR, MOM): (0.914, 0.950, 0.932, 0.828, 0.776, 0.633, 0.555),
                (ERROR, FO): (0.628, 0.519, 0.446, 0.384, 0.368, 0.329, 0.352),
            },
        ),
        Sweep(
            name="plenty",
            figure="data file only",
            along="t",
            fixed={"n": 300, "m": 1000},
            replicates=10,
            baseline=0.337,
            curves={
                (SINE, MOM): (
                    0.8587,
                    0.5656,
                    0.3795,
                    0.2608,
                    0.1813,
                    0.1289,
                    0.0881,
                ),
                (SINE, FO): (0.1656, 0.1120, 0.0760, 0.0540, 0.0381, 0.0267, 0.0188),
                (ERROR, MOM): (0.582, 0.500, 0.273, 0.224, 0.157, 0.126, 0.085),
                (ERROR, FO): (0.147, 0.128, 0.087, 0.083, 0.075, 0.077, 0.062),
            },
        ),
        Sweep(
            name="five tasks",
            figure="data file only",
            along="n",
            fixed={"t": 5, "m": 50},
            replicates=10,
            baseline=float("nan"),
            curves={
                (SINE, MOM): (0.997,) * 7,
                (SINE, FO): (0.998, 0.988, 0.951, 0.923, 0.849, 0.783, 0.705),
            },
        ),
    )
}


def value(sweep: str, metric: str, method: str, at: int) -> float:
    """The stored mean of a curve at one value of the swept parameter.

    Raises
    ------
    InputError
        If there is no such sweep, curve or point.
    """
    if sweep not in SWEEPS:
        raise InputError(f"sweep is {sweep!r}; expected one of {', '.join(SWEEPS)}")
    found = SWEEPS[sweep]
    if method == "LR" and metric == "error":
        return found.baseline
    if (metric, method) not in found.curves or at not in found.values:
        raise InputError(f"sweep {sweep!r} has no {metric} of {method} at {found.along} = {at}")
    return found.curves[metric, method][found.values.index(at)]


def without_outlier(mean: float, sd: float, count: int) -> tuple[float, float]:
    """Mean of the others, and the outlier, if one of ``count`` values alone makes the deviation.

    Parameters
    ----------
    mean, sd : float
        Of all values; ``sd`` divides by ``count``.
    count : int
        At least 2.

    Returns
    -------
    others, outlier : float
        With the others equal to each other, an idealisation: their own spread is neglected.
    """
    if not count >= 2:
        raise InputError(f"count is {count!r}; expected at least 2")
    # an outlier at distance D from the others: mean moves by D/count, sd = D sqrt(count-1)/count
    distance = sd * count / (count - 1) ** 0.5
    others = mean - distance / count
    return others, others + distance
