"""One house style, and the plots that theorems need: slopes, heat maps, sandwiches, coverage.

Colours are those of Okabe and Ito, told apart by colour-blind readers; markers and dashes repeat
the distinction, so that a black-and-white print still reads. Measured values are points with
intervals, predictions are lines, and what a bound forbids is shaded.

Nothing here opens a window: figures are plain :class:`matplotlib.figure.Figure` objects.
"""

from tlstat.plotting.plots import coverage_plot, heat_map, ratio_plot, sandwich_plot, slope_plot
from tlstat.plotting.style import COLOURS, Series, figure, label_of, save, style
from tlstat.plotting.verdicts import plot_verdict

__all__ = [
    "COLOURS",
    "Series",
    "coverage_plot",
    "figure",
    "heat_map",
    "label_of",
    "plot_verdict",
    "ratio_plot",
    "sandwich_plot",
    "save",
    "slope_plot",
    "style",
]
