"""The pictures: inline SVG that grows with the page. Widths are in percent and letters in pixels, so a phone can read them."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from markupsafe import Markup

from checks.report.words import show, words

STEP: Final = 72
"""Pixels from one stage of the funnel to the next."""

COLUMN_HEIGHT: Final = 120
MOST_REASONS: Final = 2
"""Named in the picture; the table beside it has them all."""


def funnel(stages: Sequence[Mapping[str, Any]], reasons: Sequence[Mapping[str, Any]]) -> Markup:
    """One bar per stage, as wide as what it kept of all that came in; what it dropped hatched at its end."""
    widest = max((row["given"] for row in stages), default=0) or 1
    drawn = []
    for place, row in enumerate(stages):
        y = place * STEP
        kept, given = 100 * row["kept"] / widest, 100 * row["given"] / widest
        named = [f"{words(each['reason'])} {show(each['conversations'])}" for each in reasons if each["stage"] == row["stage"]]
        more = f", {len(named) - MOST_REASONS} more" if len(named) > MOST_REASONS else ""
        lost = f"\N{MINUS SIGN}{show(row['dropped'])}: {', '.join(named[:MOST_REASONS])}{more}" if row["dropped"] else ""
        drawn.append(
            f'<text x="0" y="{y + 15}" class="strong">{escape(row["stage"])} {show(row["kept"])}</text>'
            f'<text x="0" y="{y + 56}" class="faint">{escape(lost)}</text>'
            f'<rect x="0" y="{y + 22}" width="{given:.3f}%" height="20" class="lost" rx="2"/>'
            f'<rect x="0" y="{y + 22}" width="{kept:.3f}%" height="20" class="fill" rx="2"/>'
        )
    told = ", ".join(f"{row['stage']} kept {row['kept']} of {row['given']}" for row in stages)
    return _picture(f"Funnel: {told}", STEP * len(stages) - 8, drawn)


def bar(value: float, most: float, label: str) -> Markup:
    """One bar for a cell of a table; the number beside it says the value, so it is silent to a screen reader."""
    width = 100 * value / most if most else 0
    return Markup(  # noqa: S704  # numbers and an escaped label
        f'<svg class="bar" width="100%" height="12" aria-hidden="true" focusable="false"><title>{escape(label)}</title>'
        f'<rect width="{width:.2f}%" height="12" rx="2" class="fill"/></svg>'
    )


def columns(rows: Sequence[Sequence[Any]], drawn: int, label: str) -> Markup:
    """A chart over time: one column per row, its first cell below; every so manieth label, as many as fit."""
    most = max((row[drawn] for row in rows), default=0) or 1
    step = 100 / max(len(rows), 1)
    every = -(-len(rows) // 6)
    parts = []
    for place, row in enumerate(rows):
        height = COLUMN_HEIGHT * row[drawn] / most
        x = place * step
        parts.append(
            f'<rect x="{x + step * 0.1:.3f}%" y="{COLUMN_HEIGHT - height:.2f}" width="{step * 0.8:.3f}%" height="{height:.2f}" '
            f'class="fill"><title>{escape(str(row[0]))}: {show(row[drawn])}</title></rect>'
        )
        if place % every == 0:
            parts.append(
                f'<text x="{x + step / 2:.3f}%" y="{COLUMN_HEIGHT + 18}" text-anchor="middle" class="faint">'
                f"{escape(str(row[0]))}</text>"
            )
    told = ", ".join(f"{row[0]} {row[drawn]}" for row in rows)
    return _picture(f"{label}: {told}", COLUMN_HEIGHT + 26, parts)


def trend(values: Sequence[float | None]) -> Markup:
    """A line through the values of the last runs, oldest left."""
    there = [value for value in values if value is not None]
    if len(there) < 2:  # noqa: PLR2004  # one point is no line
        return Markup("")
    least, most = min(there), max(there)
    span = (most - least) or 1
    middle = 8 if most == least else None
    points = " ".join(
        f"{80 * place / (len(there) - 1):.2f},{middle or 14 - 12 * (value - least) / span:.2f}"
        for place, value in enumerate(there)
    )
    told = f"last {len(there)} runs: {', '.join(show(value) for value in there)}"
    return Markup(  # noqa: S704  # numbers only
        f'<svg class="trend" viewBox="0 0 80 16" width="80" height="16" role="img" aria-label="{told}"><title>{told}</title>'
        f'<polyline points="{points}" fill="none"/></svg>'
    )


def _picture(label: str, height: int, parts: Sequence[str]) -> Markup:
    return Markup(  # noqa: S704  # every text in it was escaped
        f'<svg class="picture" width="100%" height="{height}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )
