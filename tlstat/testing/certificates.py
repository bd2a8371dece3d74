"""Laws of risk certificates, with hypothesis strategies; for certificates of your own too.

A certificate turns losses into an upper limit of the risk that fails with probability at most
``delta``. The laws look for a count, a level or a distribution where it does not: coverage is
computed by enumeration, not simulated, and the comparison with the binomial law is made in exact
fractions, so that a limit which was rounded down is found::

    from tlstat.testing import check_certificate

    def my_certificate(k, n, *, delta):
        '''Upper limits for arrays of error counts k among n examples.'''
        ...

    def test_my_certificate():
        check_certificate(my_certificate, losses="0/1")
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from tlstat.errors import InputError
from tlstat.testing import certificate_checks as checks
from tlstat.testing.certificate_checks import Subject
from tlstat.testing.laws import BrokenLaw, Law, check_laws

INPUTS = ("count", "losses", "gibbs", "weighted")
LEVELS = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 0.9)


def as_subject(certificate: Any, kind: str = "count") -> Subject:
    """Wrap a certificate for the laws.

    PAC-Bayes certificates are asked about one predictor that the prior names (``K = 0``), those
    under covariate shift about no shift (all ratios 1): both then are certificates of that
    predictor.
    """
    if kind not in INPUTS:
        raise InputError(f"kind must be one of {', '.join(INPUTS)}, got {kind!r}")

    def call(name: str, *args: Any) -> Any:
        *data, level = args
        if kind == "gibbs":
            k, n = data
            data = [np.asarray(k) / n, n, 0.0]
        more: dict[str, Any] = {}
        if kind == "weighted":
            data, more = [*data, np.ones(np.shape(data[0]))], {"ratio_max": 1.0}
        return np.asarray(certificate(*data, **more, **{name: level}), dtype=float)

    log_limit = partial(call, "log_inv_delta") if hasattr(certificate, "losses") else None
    path = None
    if getattr(certificate, "anytime", False) and kind == "losses":

        def path(losses: Any, delta: float) -> Any:
            return np.asarray(certificate.path(losses, delta=delta), dtype=float)

    return Subject(partial(call, "delta"), log_limit, path)


# ------------------------------------------------------------------ strategies


def error_counts(max_n: int = 60, min_n: int = 1) -> Any:
    """A strategy for ``(k, n)`` with ``0 <= k <= n``."""
    from hypothesis import strategies as st

    return st.integers(min_n, max_n).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def certificate_levels(max_value: float = 0.9) -> Any:
    """A strategy for ``delta``: usual values, and any other from 1e-12 on."""
    from hypothesis import strategies as st

    usual = st.sampled_from([level for level in LEVELS if level <= max_value])
    return usual | st.floats(-12.0, math.log10(max_value)).map(lambda x: float(10**x))


def bounded_losses(max_n: int = 30, min_n: int = 2) -> Any:
    """A strategy for one row of losses in [0, 1], shape ``(n,)``; often 0, 1 or constant."""
    from hypothesis import strategies as st

    one = st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0.0, 1.0)
    rows = st.lists(one, min_size=min_n, max_size=max_n)
    constant = st.tuples(one, st.integers(min_n, max_n)).map(lambda v: [v[0]] * v[1])
    return (rows | constant).map(np.array)


def cases_of(**parts: Any) -> Callable[[], Any]:
    """Fixed dictionaries of cases, built when a law is run."""

    def build() -> Any:
        from hypothesis import strategies as st

        return st.fixed_dictionaries({name: make() for name, make in parts.items()})

    return build


def sampled(*values: Any) -> Callable[[], Any]:
    def build() -> Any:
        from hypothesis import strategies as st

        return st.sampled_from(values)

    return build


def integers(low: int, high: int) -> Callable[[], Any]:
    def build() -> Any:
        from hypothesis import strategies as st

        return st.integers(low, high)

    return build


_LEVEL = certificate_levels
_BOTH = dict(counts=error_counts, delta=_LEVEL)

COUNT_LAWS = (
    Law(
        "range",
        "The limit lies between the empirical risk and 1.",
        checks.in_range,
        cases_of(**_BOTH),
    ),
    Law(
        "all lost",
        "Where every example is lost the limit is 1.",
        checks.all_lost,
        cases_of(n=integers(1, 60), delta=_LEVEL),
    ),
    Law(
        "more errors",
        "The limit never falls with the number of errors.",
        checks.increases_with_errors,
        cases_of(n=integers(1, 60), delta=_LEVEL),
    ),
    Law(
        "more examples",
        "The limit never rises with correct examples, nor with twice the data.",
        checks.falls_with_examples,
        cases_of(counts=error_counts, delta=partial(_LEVEL, 0.25)),
    ),
    Law(
        "confidence",
        "The limit rises with confidence.",
        checks.rises_with_confidence,
        cases_of(**_BOTH, other=_LEVEL),
    ),
    Law(
        "informative",
        "Enough examples without an error give a limit below 1, at any level.",
        checks.informative,
        cases_of(delta=sampled(0.05, 1e-3, 1e-8, 1e-17, 1e-40, 1e-200)),
    ),
    Law(
        "coverage",
        "At any risk the limit is below it with probability at most delta.",
        checks.covers,
        cases_of(n=integers(1, 60), delta=_LEVEL),
    ),
    Law(
        "never too small",
        "It is never below binomial inversion, not by the last digit.",
        checks.never_too_small,
        cases_of(counts=partial(error_counts, 40), delta=_LEVEL),
    ),
    Law(
        "element by element",
        "Arrays of counts give what single counts give.",
        checks.element_by_element,
        cases_of(n=integers(1, 20), delta=_LEVEL),
    ),
)
SHARP_LAW = Law(
    "sharp",
    "The limit is binomial inversion, no larger.",
    checks.sharp,
    cases_of(counts=partial(error_counts, 40), delta=_LEVEL),
)
SOFT_LAW = Law(
    "soft coverage",
    "Coverage holds for losses between 0 and 1.",
    checks.soft_counts_cover,
    cases_of(n=integers(1, 8), a=sampled(0.1, 0.5, 0.75, 0.9, 0.99), delta=sampled(*LEVELS)),
)


def _log_levels() -> Any:
    from hypothesis import strategies as st

    return st.sampled_from([0.1, 1.0, 20.0, 100.0, 699.0, 1400.0]) | st.floats(0.01, 700.0)


LOG_LAW = Law(
    "logarithms",
    "log(1/delta) means the same as delta, and goes on where delta underflows.",
    checks.logarithms,
    cases_of(counts=error_counts, log_inv_delta=_log_levels),
)
ROW_LAWS = (
    Law(
        "range",
        "The limit lies in [0, 1].",
        checks.rows_in_range,
        cases_of(losses=bounded_losses, delta=_LEVEL),
    ),
    Law(
        "confidence",
        "The limit rises with confidence.",
        checks.rows_rise_with_confidence,
        cases_of(losses=bounded_losses, delta=_LEVEL, other=_LEVEL),
    ),
    Law(
        "informative",
        "Enough examples without a loss give a limit below 1, at any level.",
        checks.rows_informative,
        cases_of(delta=sampled(0.05, 1e-3, 1e-8, 1e-17, 1e-40)),
    ),
    Law(
        "coverage",
        "At any risk the limit is below it with probability at most delta.",
        checks.rows_cover,
        cases_of(n=integers(2, 8), a=sampled(0.1, 0.5, 0.75, 0.9), delta=sampled(*LEVELS)),
    ),
)
PATH_LAW = Law(
    "path",
    "Running limits never rise, end at the limit, and do not look ahead.",
    checks.path_agrees,
    cases_of(losses=bounded_losses, delta=partial(_LEVEL, 0.5), fixed=sampled(True)),
)
OPEN_PATH_LAW = Law(
    PATH_LAW.name,
    PATH_LAW.statement,
    checks.path_agrees,
    cases_of(losses=bounded_losses, delta=partial(_LEVEL, 0.5), fixed=sampled(False)),
)


def certificate_laws(
    kind: str = "count",
    losses: str = "0/1",
    *,
    exact: bool = False,
    logarithms: bool = False,
    path: str | None = None,
) -> tuple[Law, ...]:
    """The laws of one kind of certificate.

    Parameters
    ----------
    kind : {"count", "losses", "gibbs", "weighted"}
        What it is computed from, as ``Certificate.input``.
    losses : {"0/1", "[0,1]"}
        For which it claims to be valid.
    exact : bool
        It claims to be binomial inversion, hence no larger.
    logarithms : bool
        It also takes ``log_inv_delta``.
    path : {"fixed", "open"}, optional
        It has running limits, for a horizon fixed in advance or an open one.
    """
    if kind not in INPUTS:
        raise InputError(f"kind must be one of {', '.join(INPUTS)}, got {kind!r}")
    if losses not in ("0/1", "[0,1]"):
        raise InputError(f"losses must be '0/1' or '[0,1]', got {losses!r}")
    if kind in ("losses", "weighted"):
        more = {None: (), "fixed": (PATH_LAW,), "open": (OPEN_PATH_LAW,)}[path]
        return ROW_LAWS + more
    more = (SHARP_LAW,) * exact + (SOFT_LAW,) * (losses == "[0,1]") + (LOG_LAW,) * logarithms
    return COUNT_LAWS + more


def check_certificate(
    certificate: Callable[..., Any],
    *,
    kind: str | None = None,
    losses: str | None = None,
    exact: bool = False,
    laws: Iterable[Law] | None = None,
    max_examples: int = 100,
    collect: bool = False,
) -> list[BrokenLaw]:
    """Look for a case in which a certificate breaks a law.

    Parameters
    ----------
    certificate : callable
        ``certificate(k, n, *, delta)``, vectorised over ``k``; or, with ``kind="losses"``,
        ``certificate(losses, *, delta)`` along the last axis. Or an object of
        ``tlstat.certificates``.
    kind, losses : str, optional
        As in `certificate_laws`; by default what the object says of itself, else counts of 0/1
        losses.
    exact : bool
        Whether it claims to be binomial inversion.
    laws : iterable of Law, optional
        Only these; they are called with a `Subject`.
    max_examples : int
        Number of cases for each law.
    collect : bool
        Return all broken laws instead of raising the first.

    Returns
    -------
    list of BrokenLaw

    Raises
    ------
    BrokenLaw
        Unless ``collect``: it names the law and the smallest counterexample found.
    """
    kind = str(kind or getattr(certificate, "input", "count"))
    losses = str(losses or getattr(certificate, "losses", "0/1"))
    subject = as_subject(certificate, kind)
    if laws is None:
        path = None
        if subject.path is not None:
            # the horizon of betting is by default the number of examples: it may look at that
            path = "fixed" if getattr(certificate, "name", "") == "betting" else "open"
        known = subject.log_limit is not None
        laws = certificate_laws(kind, losses, exact=exact, logarithms=known, path=path)
    return check_laws(subject, laws, max_examples=max_examples, collect=collect)
