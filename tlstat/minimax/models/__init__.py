"""Populations whose exponents, constants and excess risks are known in closed form.

Symbols are those of the paper: ``rho`` (transfer exponent), ``gamma`` (marginal exponent, here
``gamma_marginal`` because the power family has a parameter of that name), ``beta_P`` and
``beta_Q`` (Bernstein exponents), each with its constant ``C_...``: for every hypothesis ``h``

    C_rho   * excess_P(h)       >= max(0, excess_Q(h) - excess_Q(h*_P)) ** rho
    C_gamma * disagreement_P(h) >= Q_X(h != h*_P) ** gamma_marginal
    disagreement_P(h)           <= C_beta_P * excess_P(h) ** beta_P      (and the same for Q)
"""

from tlstat.minimax.models.thresholds import PowerThresholds

__all__ = ["PowerThresholds"]
