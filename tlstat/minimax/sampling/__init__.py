"""Samplers of sufficient statistics, at a cost that does not depend on the sample size.

====================  ====================================  =================================
sampler               models                                what is drawn
====================  ====================================  =================================
`sample_cells`        thresholds, intervals, half-planes,   label counts between thresholds
                      stumps
`sample_nearest`      thresholds with a constant margin     the points nearest to the best one
`sample_extremes`     thresholds without noise              the nearest point on either side
`sample_atoms`        hypercube, finite classes             label counts at the atoms
`sample_raw`          all                                   every point (the check of the rest)
====================  ====================================  =================================
"""

from tlstat.minimax.sampling.atoms import VoteSample, sample_atoms
from tlstat.minimax.sampling.cells import sample_cells, threshold_grid
from tlstat.minimax.sampling.classes import ClassSample, StumpSample
from tlstat.minimax.sampling.intervals import IntervalSample
from tlstat.minimax.sampling.nearest import sample_extremes, sample_nearest
from tlstat.minimax.sampling.raw import RawSample, sample_raw
from tlstat.minimax.sampling.statistics import CellSample, Sample

__all__ = [
    "CellSample",
    "ClassSample",
    "IntervalSample",
    "RawSample",
    "Sample",
    "StumpSample",
    "VoteSample",
    "sample_atoms",
    "sample_cells",
    "sample_extremes",
    "sample_nearest",
    "sample_raw",
    "threshold_grid",
]
