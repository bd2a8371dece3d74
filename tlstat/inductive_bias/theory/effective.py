r"""Derivatives of the bias: effective dimension, and the identities between code lengths.

For a quadratic form with cumulant generating function ``K`` and saddlepoint ``K'(t) = eps``:

* the bias grows by ``N_eff / 2`` nats when ``eps - e_0`` falls by a factor ``e``;
* ``N_eff`` is about ``-2 t (eps - e_0)``, zero at the mean and ``N`` at the small-ball end;
* the Chernoff bound lies below the bias by about ``log(2 pi q^2) / 2``, ``q = t sqrt(K''(t))``.
"""

from __future__ import annotations

from sympy import Gt, Lt, Ne, log, pi, symbols

from tlstat.inductive_bias.theory.base import MEMORY, OURS, QUADRATIC, gap
from tlstat.theory.bound import Assumption, Bound, Source

__all__ = ["ADDITIVITY", "CHERNOFF_CORRECTION", "CONDITIONING", "EFFECTIVE_DIMENSION"]

t = symbols("t", real=True)
q = symbols("q", real=True)
train_mass, both_mass, first, second = symbols("train_mass both_mass first second", positive=True)

EFFECTIVE_DIMENSION = Bound(
    name="effective dimension: twice the nats per factor e of the error, by the saddlepoint",
    expr=-2 * t * gap,
    kind="rate",
    scope="to the saddlepoint's accuracy",
    assumptions=(QUADRATIC,),
    source=Source("classical", "derivative of the Legendre transform", OURS),
    valid=Lt(t, 0),
)
CHERNOFF_CORRECTION = Bound(
    name="bias above its Chernoff bound, in nats",
    expr=log(2 * pi * q**2) / 2,
    kind="rate",
    scope="large |q|",
    assumptions=(QUADRATIC,),
    source=Source("Bahadur and Rao (1960)", "exact asymptotics of large deviations", MEMORY),
    valid=Ne(q, 0),
)
CONDITIONING = Bound(
    name="bias at zero test errors: code length of training and test labels, less training",
    expr=log(train_mass / both_mass),
    kind="exact",
    assumptions=(Assumption("finite class", "masses are prior probabilities of fitting"),),
    source=Source("classical", "prequential code length", OURS),
    valid=Gt(train_mass, 0),
)
ADDITIVITY = Bound(
    name="bias of reaching errors on two independent blocks of outputs at once",
    expr=first + second,
    kind="exact",
    assumptions=(Assumption("independent blocks", "their errors are independent"),),
    source=Source("classical", "product of probabilities", OURS),
)
