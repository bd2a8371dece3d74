"""Laws: statements about a subject that hypothesis tries to break.

A subject is whatever a room has laws for: a student, a certificate, a bound. A law knows which
cases it speaks about (a hypothesis strategy, built when the law is run) and how to check one of
them. Nothing here imports hypothesis before a law is run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tlstat.errors import InputError


@dataclass(frozen=True)
class Law:
    """A statement that must hold for every subject in every case.

    Attributes
    ----------
    name : str
        Short and unique within a room.
    statement : str
        One sentence that a reader of a failure understands.
    check : callable
        ``check(subject, case)`` raises ``AssertionError`` where the law is broken; without
        ``cases`` it is called once, as ``check(subject)``.
    cases : callable, optional
        ``cases()`` gives the hypothesis strategy that cases are drawn from.
    """

    name: str
    statement: str
    check: Callable[..., None]
    cases: Callable[[], Any] | None = None

    def __repr__(self) -> str:
        return f"Law({self.name!r})"


class BrokenLaw(AssertionError):
    """A law with the smallest case found that breaks it.

    Attributes
    ----------
    law : Law
    case : object
        The counterexample, after shrinking; ``None`` where the law has no cases.
    reason : str
        What was found in that case.
    """

    def __init__(self, law: Law, case: Any, reason: str) -> None:
        self.law, self.case, self.reason = law, case, reason
        lines = [f"the law {law.name!r} is broken: {law.statement}", reason]
        if law.cases is not None:
            lines.append(f"counterexample: {case!r}")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.law, self.case, self.reason)


def find_counterexample(
    law: Law, subject: Any, *, max_examples: int = 100, shrink: bool = True
) -> BrokenLaw | None:
    """Try to break one law.

    Parameters
    ----------
    law : Law
    subject : object
        What the law speaks about.
    max_examples : int
        Number of cases to try.
    shrink : bool
        Whether a counterexample is made small, which takes time.

    Returns
    -------
    BrokenLaw or None
        Not raised. Everything else comes from the active hypothesis profile: under
        ``derandomize=True`` the answer is the same whenever the same code is loaded.

    Notes
    -----
    An exception of another kind that the subject raises counts as a broken law; it is the
    ``__cause__`` of the result. So does a subject that answers differently when asked again.
    """
    if law.cases is None:
        try:
            law.check(subject)
        except Exception as error:
            return _broken(law, None, error)
        return None
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis.errors import Flaky, HypothesisException

    failures: list[tuple[Any, Exception]] = []

    def test(case: Any) -> None:
        try:
            law.check(subject, case)
        except HypothesisException:
            raise
        except Exception as error:
            failures.append((case, error))
            raise

    # the name enters the seed under derandomize, and the key of stored examples otherwise
    test.__name__ = test.__qualname__ = "law_" + re.sub(r"\W", "_", law.name)
    profile = settings()
    drop = {Phase.explain} if shrink else {Phase.explain, Phase.shrink}
    adapted = settings(
        profile,
        max_examples=max_examples,
        deadline=None,
        report_multiple_bugs=False,
        phases=[phase for phase in profile.phases if phase not in drop],
        suppress_health_check=[*profile.suppress_health_check, HealthCheck.too_slow],
    )
    try:
        adapted(given(law.cases())(test))()
    except Flaky as error:
        case = failures[-1][0] if failures else None
        return _broken(law, case, error, "the subject gave different answers to the same case")
    except Exception:
        if not failures:  # an error of the strategy, not of the subject
            raise
        # hypothesis ends by replaying the smallest failure
        return _broken(law, *failures[-1])
    return None


def check_laws(
    subject: Any,
    laws: Iterable[Law],
    *,
    max_examples: int = 100,
    collect: bool = False,
    shrink: bool = True,
) -> list[BrokenLaw]:
    """Run laws on a subject and stop at the first that is broken.

    Parameters
    ----------
    subject : object
    laws : iterable of Law
    max_examples : int
        Number of cases for each law.
    collect : bool
        Return all broken laws instead of raising the first.
    shrink : bool
        Whether counterexamples are made small.

    Returns
    -------
    list of BrokenLaw
        Empty when every law holds.

    Raises
    ------
    BrokenLaw
        An ``AssertionError`` that names the law and the counterexample; not with ``collect``.
    InputError
        If ``laws`` is empty or holds something else, or ``max_examples`` is not positive.
    """
    laws = tuple(laws)
    strangers = [law for law in laws if not isinstance(law, Law)]
    if strangers or not laws:
        raise InputError(f"laws must be one or more Law objects, got {(strangers or laws)!r}")
    if isinstance(max_examples, bool) or not isinstance(max_examples, int) or max_examples < 1:
        raise InputError(f"max_examples must be a positive integer, got {max_examples!r}")
    broken = []
    for law in laws:
        found = find_counterexample(law, subject, max_examples=max_examples, shrink=shrink)
        if found is not None and not collect:
            raise found
        if found is not None:
            broken.append(found)
    return broken


def _broken(law: Law, case: Any, error: Exception, reason: str | None = None) -> BrokenLaw:
    if reason is None:
        reason = str(error) if isinstance(error, AssertionError) else f"raised {error!r}"
    found = BrokenLaw(law, case, reason)
    found.__cause__ = error
    return found
