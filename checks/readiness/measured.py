"""What a measure returns: one value with its bounds, or the reason why there is none."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

MAX_RECORDS: Final = 200
"""Ids named with a value at most; the value itself counts them all."""


@dataclass(frozen=True)
class Measured:
    """One measure, of the whole set or of one topic. Never text: numbers, ids, names of columns."""

    metric: str
    """M01 … M29, as in docs/readiness.md."""

    measure: str
    value: float | None
    topic: str | None = None
    low: float | None = None
    """Lower bound: one-sided 95 % where it stands alone, else the lower end of a 95 % interval."""
    high: float | None = None
    n: int | None = None
    """How many things it was measured on."""
    unknown: str | None = None
    """Why there is no value."""
    records: tuple[str, ...] = ()
    """Conversations to look at, MAX_RECORDS at most."""
    detail: str = ""
    """What the value is made of and where that stands: kinds, counts, ids; fills in {detail} of an advice."""


@dataclass(frozen=True)
class Reading:
    """What one metric family measured."""

    values: tuple[Measured, ...] = ()
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    """Curves and breakdowns by name; numbers, ids and names of slices."""


def unknown(metric: str, why: str, *measures: str, topic: str | None = None) -> list[Measured]:
    """These measures without a value."""
    return [Measured(metric, measure, None, topic=topic, unknown=why) for measure in measures]


def share_of(flags: pl.Series) -> float:
    """Share of true values, null being neither; 0 of none.

    >>> share_of(pl.Series([True, False, None]))
    0.5
    """
    mean = flags.cast(pl.Float64).mean()
    return mean if isinstance(mean, float) else 0.0


class Values:
    """All values of an assessment, looked up by measure and topic."""

    def __init__(self, values: Iterable[Measured]) -> None:
        self._by_name = {(each.measure, each.topic): each for each in values}

    def __iter__(self) -> Iterator[Measured]:
        return iter(self._by_name.values())

    def get(self, measure: str, topic: str | None = None) -> Measured | None:
        """The value of the topic; where the measure has none for it, that of the whole set."""
        return self._by_name.get((measure, topic)) or self._by_name.get((measure, None))

    def own(self, measure: str, topic: str | None) -> Measured | None:
        """The value of exactly this topic (None: of the whole set)."""
        return self._by_name.get((measure, topic))

    def changed(self, *others: Measured) -> "Values":
        """The same values with some put in their place."""
        return Values([*self, *others])
