"""Populations whose exponents, constants and excess risks are known in closed form.

Symbols are those of the paper: ``rho`` (transfer exponent), ``gamma`` (marginal exponent, here
``gamma_marginal`` because the power family has a parameter of that name), ``beta_P`` and
``beta_Q`` (Bernstein exponents), each with its constant ``C_...``: for every hypothesis ``h``

    C_rho   * excess_P(h)       >= max(0, excess_Q(h) - excess_Q(h*_P)) ** rho
    C_gamma * disagreement_P(h) >= Q_X(h != h*_P) ** gamma_marginal
    disagreement_P(h)           <= C_beta_P * excess_P(h) ** beta_P      (and the same for Q)

Every model has these as attributes, ``excess_P, excess_Q, disagreement_P, disagreement_Q`` as
functions of a hypothesis, raw draws ``draw_P, draw_Q``, and either ``hypotheses()`` (all of a
finite class) or ``chart`` (a map of the unit cube onto the class, for searches).
"""

from tlstat.minimax.models.cube import Hypercube
from tlstat.minimax.models.finite import FiniteClass
from tlstat.minimax.models.gaussian import GaussianHalfSpaces
from tlstat.minimax.models.neighbours import MarginalSingularity, PosteriorDrift
from tlstat.minimax.models.planar import HalfPlanes, Intervals
from tlstat.minimax.models.power import PowerLaw
from tlstat.minimax.models.shifted import ShiftedCentre
from tlstat.minimax.models.stumps import Stumps
from tlstat.minimax.models.table import ExcessTable
from tlstat.minimax.models.thresholds import ParallelThresholds, PowerThresholds
from tlstat.minimax.models.transfer import GaussianTransfer, ball_minimax

__all__ = [
    "ExcessTable",
    "FiniteClass",
    "GaussianHalfSpaces",
    "GaussianTransfer",
    "HalfPlanes",
    "Hypercube",
    "Intervals",
    "MarginalSingularity",
    "ParallelThresholds",
    "PosteriorDrift",
    "PowerLaw",
    "PowerThresholds",
    "ShiftedCentre",
    "Stumps",
    "ball_minimax",
]
