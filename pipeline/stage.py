"""What a stage returns, and the law it must keep: every conversation leaves once, kept or dropped with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from pipeline.errors import AccountingError
from pipeline.schema import ADDED, DROPPED, conform, empty


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

    added: pl.DataFrame | None = None
    """Conversations of `kept` that did not enter but were made up: conversation_id, reason, detail; never any text. None: this
    part is none of those that are made up."""

    def account_for(self, given: pl.Series, where: str) -> None:
        """Raise AccountingError unless every conversation of `given` (its ids), and every one added, was kept or dropped, once.

        Raises:
            AccountingError: names how many conversations were lost, invented or doubled, and one id of them.
            SchemaError: `dropped` or `added` does not have its columns.
        """
        dropped = conform(self.dropped, DROPPED, f"{where}: dropped")
        leaving = pl.concat([self.kept["conversation_id"], dropped["conversation_id"]]).alias("id")
        added = conform(empty(ADDED) if self.added is None else self.added, ADDED, f"{where}: added")
        entering = pl.concat([given.cast(pl.String), added["conversation_id"]]).alias("id")
        for fault, ids in (
            ("added twice", entering.filter(entering.is_duplicated()) if added.height else entering.clear()),
            ("left twice", leaving.filter(leaving.is_duplicated())),
            ("lost", entering.filter(~entering.is_in(leaving.implode()))),
            ("invented", leaving.filter(~leaving.is_in(entering.implode()))),
        ):
            if len(ids):
                raise AccountingError(f"{where}: {ids.n_unique()} conversations {fault}, such as {ids.sort()[0]}")
        for fate, reasons in (("dropped", dropped["reason"]), ("added", added["reason"])):
            if reasons.null_count() or (reasons == "").any():
                raise AccountingError(f"{where}: a conversation was {fate} without a reason")
