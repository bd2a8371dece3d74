"""From per-example losses to a certificate on the risk of the selected candidate.

The class of candidates is fixed before the examples are seen, and so is the primary bound.
Everything that is read off the data afterwards, the selection above all, is paid for by the
union over the class: candidate ``j`` gets the share ``delta w_j`` of the failure probability.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from tlstat.certificates.arguments import labels as labels_of
from tlstat.certificates.arguments import level_of, loss_table, shares
from tlstat.certificates.base import Certificate
from tlstat.certificates.catalog import CERTIFICATES
from tlstat.certificates.certified import CHOSEN, COMPARED, SHARED, BoundRow, CertifyResult
from tlstat.errors import InputError

SUPPORTS = ("iid", "stratified")
BINARY, SOFT = "0/1", "[0,1]"
INPUTS = ("count", "losses")  # what a table of losses gives
# the primary bound by (are all losses 0 or 1, how the examples came about)
STRATIFIED = "stratified_support"
PRIMARY = {
    (True, "iid"): "binomial_tail_inversion",
    (True, "stratified"): STRATIFIED,
    (False, "iid"): "kl_inverse",
    (False, "stratified"): "kl_inverse",
}


def certify(
    losses: ArrayLike,
    *,
    delta: float = 0.05,
    candidates: float | None,
    weights: Literal["uniform", "rank", "dyadic"] | ArrayLike = "uniform",
    ranks: ArrayLike | None = None,
    primary: str = "auto",
    share: bool = False,
    support: Literal["iid", "stratified"] = "iid",
    names: Sequence[str] | None = None,
) -> CertifyResult:
    """Select the candidate with the smallest certificate, and certify its risk.

    Parameters
    ----------
    losses : array_like, shape (n,) or (n, columns)
        Loss of every candidate (a column each) on every example, in [0, 1].
    delta : float
        The certificates of all candidates hold together with probability at least ``1 - delta``.
    candidates : float or None
        Size ``M`` of the class from which the columns come, with the candidates that were never
        scored; there is no default. None: an unlimited stream, for rank or dyadic weights.
    weights : {"uniform", "rank", "dyadic"} or array_like, shape (columns,)
        How ``delta`` is shared among the candidates. "rank" and "dyadic" favour those that were
        generated early. An array must have been fixed in advance and sum to at most 1.
    ranks : array_like of int, shape (columns,), optional
        Position of every column in the order of generation, from 1; by default the columns are
        the first ones of the stream, in order. For rank and dyadic weights.
    primary : str
        Key in ``CERTIFICATES`` of the bound that certifies. "auto" is binomial tail inversion for
        0/1 losses and the kl inverse otherwise. It must not depend on what the bounds give.
    share : bool
        Let all bounds share ``delta``: each is computed at an equal part, and the smallest is
        the certificate.
    support : {"iid", "stratified"}
        "stratified": the examples are independent, a fixed number from every stratum; the risk is
        then the average over strata as sampled, and ``stratified_support`` takes the place of
        binomial inversion.
    names : sequence of str, optional
        Names of the columns; those of a data frame by default.

    Returns
    -------
    CertifyResult

    Raises
    ------
    InputError
        For losses outside [0, 1], NaN, no examples; losses that are not 0/1 for a bound that
        needs them; fewer ``candidates`` than columns; weights that sum to more than 1; ``delta``
        outside (0, 1).

    Notes
    -----
    The union over a finite class with the Hoeffding bound is Eq. 3 of arXiv:2502.06970; the
    tighter bounds cost nothing more. "auto" reads off the values whether losses are 0/1: a loss
    that only happened to be 0/1 on this sample needs ``primary="kl_inverse"``.

    Examples
    --------
    >>> import numpy as np
    >>> errors = np.zeros((80, 3), dtype=int)
    >>> errors[:2, 0] = errors[:5, 1] = errors[:9, 2] = 1
    >>> certify(errors, candidates=20_000)
    <CertifyResult 'candidate 1': risk at most 0.2050 with probability 0.95>
    """
    table, binary = loss_table(losses)
    n, columns = table.shape
    labels = labels_of(getattr(losses, "columns", None) if names is None else names, columns)
    delta = level_of(delta)
    if support not in SUPPORTS:
        raise InputError(f"support is {support!r}; expected one of {', '.join(SUPPORTS)}")
    log_weights, law, size = shares(weights, ranks, candidates, columns)
    chosen = _primary(primary, binary, support)
    every = _group(chosen, binary, support, n)
    group = every if share else [chosen]
    data = _Data(table, binary, math.log(len(group)) - math.log(delta) - log_weights)
    limits = {c.name: data.limits(c) for c in group}
    smallest = np.min(list(limits.values()), axis=0)
    risks = np.asarray(table.mean(axis=0), dtype=float)
    # vacuous certificates are equal: then the fewest errors decide, then the earliest candidate
    selected = int(np.lexsort((risks, smallest))[0])
    best = data.only(selected)

    values = {name: float(limit[selected]) for name, limit in limits.items()}
    rows = [_row(c, values[c.name], SHARED if share else CHOSEN) for c in group]
    for certificate in every[len(rows) :]:
        rows.append(_row(certificate, float(best.limits(certificate)[0]), COMPARED))
    return CertifyResult(
        selected=selected,
        name=labels[selected],
        bound=float(smallest[selected]),
        errors=float(best.totals[0]),
        n=n,
        delta=delta,
        candidates=size,
        weights=law,
        bounds=tuple(rows),
        names=labels,
        risks=risks,
        certificates=smallest,
        assumptions=_assumptions(group, binary, primary, share, law, size, support),
        shared=share,
        counted=binary,
    )


# ---------------------------------------------------------------------- bounds


@dataclass(frozen=True)
class _Data:
    """Losses of the columns, and ``log(1/delta)`` of the share that each column has."""

    table: np.ndarray
    binary: bool
    log_inv: np.ndarray

    def only(self, column: int) -> _Data:
        return _Data(self.table[:, [column]], self.binary, self.log_inv[[column]])

    @property
    def totals(self) -> np.ndarray:
        """Sums of losses, exact for counts and rounded up otherwise."""
        if self.binary:
            return np.asarray(np.count_nonzero(self.table, axis=0))
        n = self.table.shape[0]
        total = self.table.sum(axis=0, dtype=np.longdouble)
        total = total * (1 + n * np.finfo(np.longdouble).eps)
        return np.minimum(np.nextafter(total.astype(float), np.inf), float(n))

    def limits(self, certificate: Certificate) -> np.ndarray:
        """Upper limits of all columns."""
        if certificate.input == "count":
            out = certificate(self.totals, self.table.shape[0], log_inv_delta=self.log_inv)
        else:
            out = certificate(self.table.T.astype(float), log_inv_delta=self.log_inv)
        return np.asarray(out, dtype=float)


def _row(certificate: Certificate, value: float, status: str) -> BoundRow:
    source = f"{certificate.source.ref}, {certificate.source.where}"
    return BoundRow(certificate.name, certificate.title, value, status, source)


def _usable() -> list[Certificate]:
    """Certificates that need nothing but a table of losses."""
    return [c for c in CERTIFICATES.values() if c.input in INPUTS and not c.parameters]


def _primary(primary: str, binary: bool, support: str) -> Certificate:
    name = PRIMARY[binary, support] if primary == "auto" else primary
    usable = {c.name: c for c in _usable()}
    if name not in usable:
        raise InputError(f"primary is {primary!r}; expected auto or one of {', '.join(usable)}")
    certificate = usable[name]
    if certificate.losses == BINARY and not binary:
        raise InputError(
            f"primary is {name!r}, which holds for 0/1 losses only, and some losses lie between "
            "0 and 1; kl_inverse and betting hold for losses in [0, 1]"
        )
    if support == "stratified" and not certificate.valid_for_independent:
        raise InputError(
            f"primary is {name!r}, which needs identically distributed examples; "
            f"{PRIMARY[binary, support]} holds for stratified ones"
        )
    return certificate


def _group(chosen: Certificate, binary: bool, support: str, n: int) -> list[Certificate]:
    """The primary bound first, then every other one that the losses and the support allow."""

    def fits(c: Certificate) -> bool:
        if c is chosen or (c.losses == BINARY and not binary):
            return False
        if n < 2 and c.name == "empirical_bernstein":  # one example has no variance
            return False
        # on identically distributed examples the one for strata is binomial inversion again
        return c.valid_for_independent if support == "stratified" else c.name != STRATIFIED

    return [chosen, *filter(fits, _usable())]


# ----------------------------------------------------------------- assumptions


def _assumptions(
    group: list[Certificate],
    binary: bool,
    primary: str,
    share: bool,
    law: str,
    size: float,
    support: str,
) -> tuple[tuple[str, str], ...]:
    out = []
    if support == "iid":
        out.append(("independent examples", "the examples are independent draws from one law, "
                    "the law that the risk is about"))  # fmt: skip
    else:
        out.append(("stratified examples", "the examples are independent, with fixed numbers from "
                    "every stratum; the risk weighs strata as sampled"))  # fmt: skip
    if size > 1:
        count = "all candidates" if math.isinf(size) else f"all {size:,.6g} candidates"
        out.append(("class fixed in advance", f"{count} were fixed before the examples were seen, "
                    "those that were never scored too"))  # fmt: skip
    if law == "given":
        out.append(("weights fixed in advance", "the weights were fixed before the examples were "
                    "seen"))  # fmt: skip
    elif law != "uniform":
        out.append(("order fixed in advance", "ranks are the order of generation, which does not "
                    "depend on the examples"))  # fmt: skip
    if not share:
        out.append(("bound fixed in advance", f"{group[0].title} was chosen before the bounds were "
                    "compared"))  # fmt: skip
    if primary == "auto" and binary:
        out.append(("0/1 loss", "the loss can take no values but 0 and 1; that was read off the "
                    "examples"))  # fmt: skip
    if any(c.anytime for c in group):
        out.append(("order of examples", "the examples are in an order that does not depend on "
                    "their losses"))  # fmt: skip
    return tuple(out)
