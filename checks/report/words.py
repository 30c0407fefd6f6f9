"""How numbers and names are written for people."""

from typing import Any, Final

WHOLE: Final = 10_000
"""From here on nobody reads what stands behind the point."""


NAMES_OF_OURS: Final = {"measure", "reason", "name", "fate", "what"}
"""Columns whose values are names that we gave: they are shown as words. Topics, sources and formats are the user's."""


TOLD_BY_OURS: Final = {"next", "unknown_because"}
"""Columns whose values are sentences that we wrote, with commands marked as in Markdown."""


def label(value: str, column: str) -> str:
    """A cell that is text."""
    if column in TOLD_BY_OURS:
        return value.replace("`", "")
    return words(value) if column in NAMES_OF_OURS else value


def words(name: str) -> str:
    """A column or reason as words; entity types and ids stay as they are."""
    return name if name.isupper() else name.replace("_", " ")


def show(value: Any, column: str = "") -> str:
    """A cell: whole numbers with thousands apart, shares in percent, other numbers to four digits, none as a dash."""
    if value is None:
        return "\N{EN DASH}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if column.endswith("_share"):
        return f"{100 * value:.4g} %"
    if abs(value) >= WHOLE or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.4g}"
