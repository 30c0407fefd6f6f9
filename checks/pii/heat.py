"""Planted recall as a table: one line per kind and group, one column per oddity, each cell a lower bound."""

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from checks.bounds import lower

SHADES: Final = ((0.99, " "), (0.95, "."), (0.9, "o"), (0.0, "#"))
"""From this lower bound on, the sign behind a cell: the darker, the more is left."""


def cells(planted: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows of evidence of kind `planted`, with recall and its one-sided 95 % Clopper-Pearson lower bound."""
    return [
        {
            **row,
            "recall": round(row["found"] / row["planted"], 6),
            "recall_lower": round(lower(row["found"], row["planted"]), 6),
        }
        for row in planted.to_dicts()
    ]


def heat(rows: Sequence[dict[str, Any]]) -> str:
    """The cells as text: found share in percent, and below it, after >, what it is at least with 95 % confidence."""
    oddities = list(dict.fromkeys(row["oddity"] for row in sorted(rows, key=lambda row: row["oddity"] != "plain")))
    found = {(row["entity_type"], row["group"], row["oddity"]): row for row in rows}
    lines = [f"{'':14} {'':15}" + "".join(f"{oddity:>16}" for oddity in oddities)]
    for kind, group in dict.fromkeys((row["entity_type"], row["group"]) for row in rows):
        shown = (_cell(found.get((kind, group, oddity))) for oddity in oddities)
        lines.append(f"{kind:14} {group:15}" + "".join(f"{cell:>16}" for cell in shown))
    scale = ", ".join(f"'{sign}' from {share:.0%}" for share, sign in SHADES)
    return "\n".join([*lines, f"recall in percent > lower bound (one-sided 95 %, Clopper-Pearson); {scale}"])


def _cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    sign = next(sign for share, sign in SHADES if row["recall_lower"] >= share)
    return f"{100 * row['recall']:.1f} > {100 * row['recall_lower']:.1f} {sign}"
