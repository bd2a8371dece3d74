"""Who a block is: canonical parameters, the key of its stream, the fingerprint of its code.

A block is named by what it computes, never by where it stands: adding a grid point, changing
the number of workers or reordering an axis leaves every other block's key as it was.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import math
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from tlstat.errors import InputError

if TYPE_CHECKING:
    from tlstat.montecarlo.design import Cell
    from tlstat.montecarlo.study import Study

# Part of every key. Change it if, and only if, the derivation of keys changes.
_PERSON = b"tlstat-block-1"

UNKNOWN = "unknown"


def encode(value: Any, name: str = "value") -> Any:
    """Reduce one parameter to plain JSON such that equal values, and only they, agree.

    Numbers that are equal encode alike whatever their type (``1``, ``1.0``, ``np.int64(1)``);
    a bool is never a number; an enum member is its class and name, not its value.

    Raises
    ------
    InputError
        For nan and infinities, arrays, and objects that have no canonical text.
    """
    if isinstance(value, Enum):  # before str and int: an enum may be either of them
        return {"enum": [type(value).__qualname__, value.name]}
    if value is None or isinstance(value, bool | np.bool_):  # before int: bool is a subclass of it
        return None if value is None else bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return _encode_float(float(value), name)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, tuple | list):
        return [encode(item, f"{name}[{i}]") for i, item in enumerate(value)]
    raise InputError(
        f"parameter {name!r} is a {type(value).__name__}; expected a number, a bool, a string, an "
        "enum member, None or a tuple of these (pass a name or a seed, and build arrays inside)"
    )


def _encode_float(value: float, name: str) -> int | float:
    if not math.isfinite(value):
        raise InputError(
            f"parameter {name!r} is {value}; it must be finite (an infinite value can be passed "
            "as a string such as 'inf')"
        )
    # integral floats go through int: exact at any size, and -0.0 becomes 0
    return int(value) if value.is_integer() else value


def canonical(params: Mapping[str, Any]) -> str:
    """Write parameters as the one text that identifies them.

    Parameters
    ----------
    params : mapping of str to parameter values

    Returns
    -------
    str
        ASCII JSON with sorted keys and no spaces, for example ``{"S":10,"n":100}``.

    Raises
    ------
    InputError
        For a name that is not a string, or a value that `encode` refuses.
    """
    for name in params:
        if not isinstance(name, str):
            raise InputError(f"parameter name {name!r} is not a string")
    plain = {name: encode(value, name) for name, value in params.items()}
    try:
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except ValueError as error:  # integers beyond the interpreter's limit of digits
        raise InputError(f"parameters cannot be written as text: {error}") from error


def key128(*parts: str) -> int:
    """Hash texts to a 128-bit key (BLAKE2b; each part is prefixed by its length).

    Distinct sequences of parts share a key with probability 2**-128: about 1.5e-27
    for any collision among a million blocks.
    """
    digest = hashlib.blake2b(digest_size=16, person=_PERSON)
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "little"))
        digest.update(raw)
    return int.from_bytes(digest.digest(), "little")


def stream_key(study: Study, cell: Cell, block_index: int, entropy: int) -> int:
    """Return the 128-bit key of one block's random stream.

    It depends on the study's name and version, the entropy, the cell, the block's size and its
    index, and on nothing else. Paired axes are left out: cells that differ only along them see
    the same draws.
    """
    seen = cell.without(*study.design.paired) if study.design.paired else cell
    return key128(
        study.name,
        str(study.version),
        str(entropy),
        seen.canonical,
        str(study.block_size(cell)),
        str(block_index),
    )


def fingerprint(fn: Callable[..., Any]) -> str:
    """Fingerprint the source that a study runs: a tripwire for edits under one version.

    The function without its decorators and docstring, the functions and classes of the same
    module that it names (one level), and the plain constants that it names. Comments and layout
    do not count. Code in other modules is not seen.

    Returns
    -------
    str
        ``"<python major.minor>:<sha256>"``, or ``"unknown"`` where there is no source.
    """
    bare = inspect.unwrap(fn)
    text = _source(bare)
    if text is None or not isinstance(bare, FunctionType):
        return UNKNOWN
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass"))
    for name, piece in sorted(_reached(bare)):
        digest.update(f"\0{name}\0{piece}".encode("utf-8", "surrogatepass"))
    return f"{sys.version_info.major}.{sys.version_info.minor}:{digest.hexdigest()}"


def same_source(one: str, other: str) -> bool:
    """Say whether two fingerprints are equal or cannot be compared.

    The text that `ast.unparse` gives may change between Python versions, so only fingerprints
    made by the same one are compared; an unknown source is never an accusation.
    """
    if UNKNOWN in (one, other):
        return True
    return one == other or one.partition(":")[0] != other.partition(":")[0]


def _source(thing: Any) -> str | None:
    """Return the normalised source of a function or class, None where there is none."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    except (OSError, TypeError, SyntaxError, ValueError):
        return None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            node.decorator_list = []
            if ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _names(code: CodeType) -> set[str]:
    """Return the global names of a code object and of the functions nested in it."""
    nested = (const for const in code.co_consts if isinstance(const, CodeType))
    return set(code.co_names).union(*(_names(const) for const in nested))


def _reached(fn: FunctionType) -> Iterator[tuple[str, str]]:
    """Yield (name, text) for what `fn` reaches by name in its own module or closure."""
    free = zip(fn.__code__.co_freevars, fn.__closure__ or (), strict=True)
    enclosed = {name: box.cell_contents for name, box in free if _filled(box)}
    for name in sorted(_names(fn.__code__) | set(enclosed)):
        thing = enclosed.get(name, fn.__globals__.get(name))
        if thing is fn or thing is None:
            continue
        bare = inspect.unwrap(thing) if callable(thing) else thing
        if isinstance(bare, FunctionType | type):
            text = _source(bare) if bare.__module__ == fn.__module__ else None
        else:
            text = _constant(thing)
        if text is not None:
            yield name, text


def _filled(box: Any) -> bool:
    try:
        return box.cell_contents is not box
    except ValueError:  # a closure variable that has not been set yet
        return False


def _constant(thing: Any) -> str | None:
    try:
        return canonical({"constant": thing})
    except InputError:
        return None
