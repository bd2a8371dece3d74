"""A table of features and a target from a text file, split and scaled."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tlstat.errors import InputError

if TYPE_CHECKING:
    import pandas

# numbers with at most this many values, all whole, are classes
CLASSES_MAX = 20


@dataclass(frozen=True)
class Split:
    """Training and test data.

    Parameters
    ----------
    X_train, X_test : ndarray, shapes (n, d) and (m, d)
    y_train, y_test : ndarray
        Numbers for regression, text for classification.
    task : str
    features : tuple of str
    """

    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    task: str
    features: tuple[str, ...]


def read_split(
    path: str, target: str, test_size: float, seed: int, *, task: str = "auto", scale: bool = True
) -> Split:
    """Read a table with a line of names, and split it at random.

    Parameters
    ----------
    path : str
        Comma-, semicolon- or tab-separated text; "-" reads standard input.
    target : str
        Name of the target's column.
    test_size : float
        Share of the rows that become the test set, in (0, 1).
    seed : int
    task : {"auto", "regression", "classification"}
        "auto" takes text, and at most 20 different whole numbers, for classes.
    scale : bool
        Features, and the target of a regression, get mean 0 and standard deviation 1 on the
        training part.

    Raises
    ------
    InputError
        For an empty file, a missing column, missing values, features that are no numbers.
    """
    frame = _frame(path)
    if target not in frame.columns:
        raise InputError(
            f"{path} has no column {target!r}; expected one of {', '.join(map(str, frame.columns))}"
        )
    _check_complete(path, frame)
    features = [name for name in frame.columns if name != target]
    if not features:
        raise InputError(f"{path} has no column but {target!r}; expected features")
    for name in features:
        if frame[name].dtype.kind not in "biuf":
            raise InputError(
                f"{path}: column {name!r} has text such as {frame[name].iloc[0]!r}; expected "
                "numbers (encode it, or leave it out)"
            )
    X, y = frame[features].to_numpy(dtype=float), frame[target]
    kind = _task(y, task, path, target)
    n = len(frame)
    m = round(test_size * n)
    if not 1 <= m <= n - 2:
        raise InputError(f"--test-size {test_size:g} of {n} rows leaves too few for a part")
    order = np.random.Generator(np.random.Philox(key=seed)).permutation(n)
    test, train = order[:m], order[m:]
    labels = y.to_numpy(dtype=float) if kind == "regression" else y.astype(str).to_numpy(dtype=str)
    X_train, X_test, y_train, y_test = X[train], X[test], labels[train], labels[test]
    if scale:
        X_train, X_test = _standard(X_train, X_test)
        if kind == "regression":
            y_train, y_test = _standard(y_train, y_test)
    return Split(X_train, y_train, X_test, y_test, kind, tuple(map(str, features)))


def _frame(path: str) -> pandas.DataFrame:
    import pandas as pd

    try:
        if path == "-":
            text = sys.stdin.read()
        else:
            with open(path, encoding="utf-8-sig") as file:
                text = file.read()
        delimiter = next((d for d in ";\t" if d in text.partition("\n")[0]), ",")
        frame = pd.read_csv(io.StringIO(text), sep=delimiter, skipinitialspace=True)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no table: {error}") from None
    if len(frame) < 3:
        raise InputError(f"{path} has {len(frame)} rows of data; expected at least 3")
    return frame


def _check_complete(path: str, frame: pandas.DataFrame) -> None:
    missing = frame.isna().to_numpy()
    if missing.any():
        row, column = np.argwhere(missing)[0]
        raise InputError(
            f"{path}, line {row + 2}: column {frame.columns[column]!r} is empty or NaN; expected "
            "complete rows"
        )


def _task(y: Any, task: str, path: str, target: str) -> str:
    numeric = y.dtype.kind in "iuf"
    if task == "regression" and not numeric:
        raise InputError(f"{path}: column {target!r} has text; expected numbers for a regression")
    if task != "auto":
        return task
    few = numeric and y.nunique() <= CLASSES_MAX and bool(np.all(y == np.floor(y)))
    return "classification" if few or not numeric else "regression"


def _standard(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    centre, spread = train.mean(axis=0), train.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    return (train - centre) / spread, (test - centre) / spread
