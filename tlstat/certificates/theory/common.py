"""Symbols, assumptions and notes that the room's bounds share."""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import And, Ge, Gt, Le, Lt, log, symbols

from tlstat.certificates.base import FIXED, INDEPENDENT
from tlstat.theory.bound import Assumption

PAPER = "arXiv:2502.06970"
OURS = "derived here"
READ = "read from a transcription of the paper"
MEMORY = "from memory, re-derived"

n, M, N, delta, d, lam = symbols("n M N delta d lam", positive=True)
C, w, h, j, p, alpha, W = symbols("C w h j p alpha W", positive=True)
# without a sign: k >= 0 then stays a condition that is checked, where sympy would know it already
k, r, K, V = symbols("k r K V", real=True)

LEVELS = And(Gt(delta, 0), Lt(delta, 1))
COUNTS = And(LEVELS, Ge(n, 1), Ge(k, 0), Le(k, n), Ge(M, 1))
BUDGET = log(M / delta)

UNSCORED = Assumption(
    "class", "M counts every candidate that could have been selected, scored or not"
)
CLASS = (FIXED, UNSCORED, INDEPENDENT)


def log_inv(M: Any, delta: Any) -> Any:
    """``log(M/delta)``, without the quotient that underflows."""
    return np.log(np.asarray(M, dtype=float)) - np.log(np.asarray(delta, dtype=float))
