"""Tables of losses from text files."""

from __future__ import annotations

import re
import sys

import numpy as np

from tlstat.errors import InputError

DELIMITERS = ",;\t"


def read_losses(path: str) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """Read a table of losses: a row an example, a column a candidate.

    Parameters
    ----------
    path : str
        Text with numbers separated by commas, semicolons, tabs or blanks, and a line of names on
        top or not; "-" reads standard input.

    Returns
    -------
    losses : ndarray, shape (n, columns)
    names : tuple of str or None

    Raises
    ------
    InputError
        For an empty file, text or missing values where a number is expected, lines of different
        lengths; it names the line.
    OSError
        If the file cannot be opened.
    """
    if path == "-":
        return _parse("standard input", sys.stdin.read().splitlines())
    with open(path, encoding="utf-8-sig") as file:
        try:
            lines = file.read().splitlines()
        except UnicodeDecodeError:
            raise InputError(f"{path}: no text file (not in UTF-8)") from None
    return _parse(path, lines)


def _parse(path: str, lines: list[str]) -> tuple[np.ndarray, tuple[str, ...] | None]:
    numbered = [(i, line) for i, line in enumerate(lines, 1) if line.strip()]
    if not numbered:
        raise InputError(f"{path}: empty; expected a line of losses for every example")
    delimiter = next((d for d in DELIMITERS if d in numbered[0][1]), None)
    first = _fields(numbered[0][1], delimiter)
    header = not any(map(_is_number, first))
    rows = numbered[1:] if header else numbered
    if not rows:
        raise InputError(f"{path}: only a line of names; expected a line of losses per example")
    try:
        table = np.loadtxt([line for _, line in rows], delimiter=delimiter, comments=None, ndmin=2)
    except ValueError:
        table = None
    # one column fewer or more than names is a shifted table, not a matter of taste
    if table is None or table.shape[1] != len(first):
        raise InputError(f"{path}: {_trouble(rows, delimiter, len(first))}")
    bad = ~((table >= 0) & (table <= 1))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        name = repr(first[column]) if header else str(column + 1)
        raise InputError(
            f"{path}, line {rows[row][0]}, column {name}: {table[row, column]:g} is no loss in "
            "[0, 1]"
        )
    return table, tuple(first) if header else None


def _fields(line: str, delimiter: str | None) -> list[str]:
    fields = line.split() if delimiter is None else line.split(delimiter)
    return [re.sub(r'^"(.*)"$', r"\1", field.strip()) for field in fields]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _trouble(rows: list[tuple[int, str]], delimiter: str | None, columns: int) -> str:
    """What is wrong with the first line that is no row of numbers."""
    for number, line in rows:
        fields = _fields(line, delimiter)
        if len(fields) != columns:
            return f"line {number} has {len(fields)} fields; expected {columns}"
        for column, field in enumerate(fields, 1):
            if not _is_number(field):
                what = repr(field) if field else "nothing"
                return f"line {number}, column {column} has {what}; expected a number in [0, 1]"
    return "not a table of numbers"
