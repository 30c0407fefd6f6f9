"""What a stage returns, and the law it must keep: every conversation leaves once, kept or dropped with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from pipeline.errors import AccountingError
from pipeline.schema import DROPPED, conform, empty


@dataclass(frozen=True)
class Outcome:
    """What became of the conversations of one part."""

    kept: pl.DataFrame
    """Goes on to the next stage; one row per conversation."""

    dropped: pl.DataFrame = field(default_factory=lambda: empty(DROPPED))
    """Stays behind: conversation_id, reason, detail; never any text."""

    beside: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    """Further frames of the part by name, such as `findings`, `clusters`, `edits`; never any text."""

    counts: Mapping[str, int] = field(default_factory=dict)
    """What the stage counted on its way, by name, such as `system_events`; summed over parts in the manifest."""

    def account_for(self, given: pl.Series, where: str) -> None:
        """Raise AccountingError unless every conversation of `given` (its ids) was kept or dropped, once.

        Raises:
            AccountingError: names how many conversations were lost, invented or doubled, and one id of them.
            SchemaError: `dropped` does not have its columns.
        """
        dropped = conform(self.dropped, DROPPED, f"{where}: dropped")
        leaving = pl.concat([self.kept["conversation_id"], dropped["conversation_id"]]).alias("id")
        entering = given.alias("id")
        for fault, ids in (
            ("left twice", leaving.filter(leaving.is_duplicated())),
            ("lost", entering.filter(~entering.is_in(leaving.implode()))),
            ("invented", leaving.filter(~leaving.is_in(entering.implode()))),
        ):
            if len(ids):
                raise AccountingError(f"{where}: {ids.n_unique()} conversations {fault}, such as {ids.sort()[0]}")
        if dropped["reason"].null_count() or (dropped["reason"] == "").any():
            raise AccountingError(f"{where}: a conversation was dropped without a reason")
