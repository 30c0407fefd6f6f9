"""What a record or row says of its conversation as a whole: over which channel it came, and how its customer rated it."""

# ruff: noqa: PLR2004  # it judges by rules of thumb; the comments beside the numbers say which

from collections.abc import Iterable
from typing import Any, Final

from pipeline.doctor.columns import FEW, Column
from pipeline.reading.values import as_number

_CHANNEL: Final = frozenset({"channel", "kanal", "canal", "canale", "kanaal"})
_RATING: Final = frozenset(
    {
        *("csat", "rating", "stars", "satisfaction", "bewertung", "zufriedenheit", "evaluation", "valoracion", "satisfaccion"),
        *("valutazione", "soddisfazione", "beoordeling", "tevredenheid", "avaliacao", "satisfacao", "ocena"),
    }
)
_SCALES: Final = ((1, 5), (0, 10))
"""Those that ratings are mostly given on; where the first fits, it is meant."""


def describe_ending(mapping: dict[str, Any], columns: Iterable[Column], remarks: list[str]) -> set[str]:
    """Put the channel and the rating into the mapping; returns the fields that hold them."""
    found: set[str] = set()
    for column in columns:
        if not column.is_scalar or column.distinct > 4 * FEW or column.mean_words > 3:  # labels and marks are few and short
            continue
        if "channel" not in mapping and column.tokens <= _CHANNEL and column.tokens and column.distinct <= FEW:
            mapping["channel"] = column.name
            found.add(column.name)
        elif "outcome" not in mapping and column.tokens & _RATING and (scale := _scale(column)) is not None:
            lowest, highest = scale
            mapping["outcome"] = {"csat": {"at": column.name, "lowest": lowest, "highest": highest}}
            remarks.append(
                f"outcome: {column.name} is taken for the customer's rating, {lowest} the worst and {highest} the best mark; "
                "turn them round where it is the other way, name single marks in `marks`, a mark that is none of them is refused"
            )
            found.add(column.name)
    return found


def _scale(column: Column) -> tuple[int, int] | None:
    marks = [as_number(text) for text in column.texts]
    return next(
        (scale for scale in _SCALES if all(mark is not None and scale[0] <= mark <= scale[1] for mark in marks)),
        None,
    )
