"""Pieces of HTML: escaped text, numbers, formulas, figures."""

from __future__ import annotations

import html
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MATHML = "http://www.w3.org/1998/Math/MathML"
# presentation elements that a formula may consist of; anything else is shown as text
_MATH_TAGS = frozenset(
    """math mrow mi mn mo mtext mspace msqrt mroot mfrac msup msub msubsup mover munder munderover
    mfenced mstyle mtable mtr mtd mpadded mphantom""".split()  # noqa: SIM905
)
# double-struck constants, as few papers write them
_UPRIGHT = {0x2147: "e", 0x2148: "i", 0x2146: "d"}
_MATH_ATTRIBUTES = frozenset(
    """display mathvariant open close separators stretchy fence form separator lspace rspace
    columnalign accent accentunder linethickness displaystyle scriptlevel width""".split()  # noqa: SIM905
)


# invisible operators of MathML (function application, times, separator, plus)
_INVISIBLE = frozenset("\u2061\u2062\u2063\u2064")


def escape(text: Any) -> str:
    """Text that is safe inside elements and attributes.

    Control characters and marks that reorder a line become U+FFFD.
    """
    kept = (c if c.isprintable() or c in "\n\t" or c in _INVISIBLE else "\ufffd" for c in str(text))
    return html.escape("".join(kept), quote=True)


def number(value: Any) -> str:
    """A number in four significant digits, powers of ten written out.

    Examples
    --------
    >>> number(1.25e-05)
    '1.25\xa0×\xa010<sup>−5</sup>'
    >>> number(float("nan"))
    '–'
    """
    try:
        x = float(value)
    except (TypeError, ValueError):
        return "–" if value is None else escape(value)
    if math.isnan(x):
        return "–"
    if math.isinf(x):
        return "∞" if x > 0 else "−∞"
    if x == int(x) and abs(x) < 1e7:
        return f"{int(x)}".replace("-", "−")
    digits, _, power = f"{x:.4g}".partition("e")
    digits = digits.replace("-", "−")
    if not power:
        return digits
    exponent = f"{int(power)}".replace("-", "−")
    return f"{digits}\u00a0×\u00a010<sup>{exponent}</sup>"


def interval(ends: Sequence[Any]) -> str:
    """An interval in brackets; an end that is not known is open."""
    low, high = (float(e) for e in ends)
    if not (math.isfinite(low) or math.isfinite(high)):
        return "–"
    left, right = ("[" if math.isfinite(low) else "("), ("]" if math.isfinite(high) else ")")
    return f'<span class="nowrap">{left}{number(low)}, {number(high)}{right}</span>'


def value(item: Any) -> str:
    """A parameter of a cell."""
    is_number = isinstance(item, int | float) and not isinstance(item, bool)
    return number(item) if is_number else escape(item)


def definitions(items: Iterable[tuple[str, str]]) -> str:
    """A definition list of (plain term, HTML); empty descriptions are left out."""
    rows = "".join(f"<dt>{escape(t)}</dt><dd>{d}</dd>" for t, d in items if d)
    return f"<dl>{rows}</dl>" if rows else ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]], css: str = "") -> str:
    """A table of HTML cells under plain headings."""
    heads = "".join(f'<th scope="col">{escape(h)}</th>' for h in head)
    lines = "".join(f"<tr>{''.join(f'<td>{c}</td>' for c in row)}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table class="{css}"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def formula(bound: Any) -> str:
    """The bound's MathML, reduced to known elements; its text where that is not MathML."""
    try:
        source = bound.mathml()
    except Exception:  # a user's own bound must not cost the report
        return f"<code>{escape(getattr(bound, 'name', bound))}</code>"
    if not source.lstrip().startswith("<math"):
        source = f'<math xmlns="{MATHML}" display="block">{source}</math>'
    try:
        return _clean(ElementTree.fromstring(source))
    except (ElementTree.ParseError, ValueError):
        return f"<code>{escape(getattr(bound, 'name', bound))}</code>"


def _clean(element: ElementTree.Element) -> str:
    tag = element.tag.rpartition("}")[2]
    if tag not in _MATH_TAGS:
        raise ValueError(f"{tag} is no element of a formula")
    attributes = {k: v for k, v in element.attrib.items() if k in _MATH_ATTRIBUTES}
    if tag == "math":
        attributes["display"] = "block"
    shown = "".join(f' {k}="{escape(v)}"' for k, v in attributes.items())
    inside = escape((element.text or "").translate(_UPRIGHT)) + "".join(
        _clean(child) + escape(child.tail or "") for child in element
    )
    return f"<{tag}{shown}>{inside}</{tag}>"


def svg(figure: Figure, prefix: str, label: str) -> str:
    """A figure as inline SVG.

    Parameters
    ----------
    figure : Figure
    prefix : str
        Put before every id: several figures on one page must not share definitions.
    label : str
        What a reader who cannot see the figure is told.
    """
    from tlstat.plotting import style

    buffer = io.StringIO()
    with style():
        figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r'href="#', f'href="#{prefix}-', text)
    text = re.sub(r"url\(#", f"url(#{prefix}-", text)
    text = _lighter(text)
    head, rest = text.split(">", 1)
    head = re.sub(r'\s(?:width|height)="[^"]*"', "", head)
    return f'{head} role="img" aria-label="{escape(label)}">{rest.strip()}'


def _lighter(text: str) -> str:
    """The same picture in a third less text: hundredths of a point, no blanks, no unused ids."""

    def short(number: re.Match[str]) -> str:
        value = float(number[0])
        # small numbers are scales of glyphs
        return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) >= 10 else f"{value:.5g}"

    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', text))
    text = re.sub(r"-?\d+\.\d{3,}", short, text)
    text = re.sub(r' id="([^"]*)"', lambda m: m[0] if m[1] in used else "", text)
    return re.sub(r"\s+", " ", text).replace("> <", "><")


def parameters(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names of all parameters of the cells, in order of appearance."""
    return list(dict.fromkeys(name for c in cells for name in c.get("cell", {})))
