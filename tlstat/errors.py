"""The errors tlstat raises: every one is a ``ValueError`` that names what was wrong."""

from __future__ import annotations

from typing import Any


class InputError(ValueError):
    """Bad input, found before any work started."""


class StoreError(InputError):
    """A result store that cannot be read or written; the message names the file."""


class StudyError(InputError):
    """A study that is wrong, or that returned something which cannot be judged.

    Parameters
    ----------
    message : str
        One sentence: what was given and what is expected.
    study, cell, block, key : optional
        What reproduces the failure: the study's name, the cell, the block index
        and the 128-bit key (hexadecimal) of the block's stream.
    """

    def __init__(
        self,
        message: str,
        *,
        study: str | None = None,
        cell: Any = None,
        block: int | None = None,
        key: str | None = None,
    ) -> None:
        super().__init__(message)
        self.study = study
        self.cell = cell
        self.block = block
        self.key = key

    def __reduce__(self) -> tuple[Any, ...]:
        # keyword-only arguments do not survive the default pickling of exceptions
        return (_rebuild, (type(self), str(self), self.study, self.cell, self.block, self.key))


class FingerprintError(StudyError):
    """The study's source changed under the same version, and its stored work was expensive."""


def _rebuild(cls: type[StudyError], message: str, *extra: Any) -> StudyError:
    study, cell, block, key = extra
    return cls(message, study=study, cell=cell, block=block, key=key)
