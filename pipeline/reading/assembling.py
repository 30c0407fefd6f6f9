"""The rows of one unit become conversations.

Rows of one native id are sorted as they stood in their files and handed to the source's `assemble`; what it makes of them is
finished, gets its keys and becomes rows of a frame. Rows that make no conversation are quarantined with a reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import polars as pl

from pipeline.errors import AccountingError
from pipeline.forgotten import Forgotten, email_hash
from pipeline.key import Key
from pipeline.reading.drafts import FORGOTTEN, Detail, Draft, DraftTurn, Refused, Row, Unit
from pipeline.reading.finishing import finished
from pipeline.reading.languages import languages_of_conversations
from pipeline.reading.references import open_referents
from pipeline.reading.spill import rows_between
from pipeline.schema import DROPPED, INGESTED, QUARANTINED, conform, empty
from pipeline.sources import SOURCES
from pipeline.stage import Outcome

FRAME_ROWS: Final = 1000
"""Conversations held as Python objects before they become a frame."""


@dataclass(frozen=True)
class Slice:
    """What one part is made from: the rows of a unit with ids in [least, most]."""

    unit: Unit
    least: int
    most: int
    skip: int
    """Rows of the id `least` that belong to the part before; only where every row is a conversation."""
    stop: int
    """Rows of the id `most` up to which they belong here; only where every row is a conversation."""
    rows: int
    """How many rows that are: the other side of the balance."""
    superseded: Mapping[int, str] = field(default_factory=dict)
    """Ids that a later unit of the source delivers again -> its label."""

    def digest(self) -> str:
        """Equal digest, equal part."""
        parts = [self.unit.key, self.least, self.most, self.skip, self.stop, sorted(self.superseded.items())]
        return sha256(repr(parts).encode()).hexdigest()


def assemble(part: Slice, spills: Path, settings: Any, key: Key, forgotten: Forgotten) -> Outcome:
    """The conversations of one slice, and the rows that make none.

    Returns:
        kept: INGESTED, in the order of conversation_id. dropped: reason "no_messages", "forgotten", or what the source says.
        beside: `quarantined`, one row per row.
    Raises:
        AccountingError: the rows that came out are not those that went in.
    """
    groups: dict[int, list[Row]] = {}
    for row_id, row in rows_between(spills / f"{part.unit.key}.rows", part.least, part.most):
        groups.setdefault(row_id, []).append(row)
    result = _Assembled(part.unit, settings, key, open_referents(spills / f"{part.unit.key}.referents"), forgotten)
    for row_id in sorted(groups):
        rows = sorted(groups.pop(row_id), key=lambda row: (row.file, row.number))
        if rows[0].reason or not settings.rows_have_ids:
            result.add_apart(
                rows,
                part.skip if row_id == part.least else 0,
                part.stop if row_id == part.most and not settings.rows_have_ids else len(rows),
            )
        elif row_id in part.superseded:
            result.quarantine(rows, "duplicate_id", f"delivered again in {part.superseded[row_id]}")
        else:
            result.add(rows, rows[0].native)
    outcome = result.outcome()
    if outcome.counts["rows_read"] != part.rows:
        raise AccountingError(
            f"{part.unit.label}: {part.rows} rows went in, {outcome.counts['rows_read']} came out; run ingest again"
        )
    return outcome


class _Assembled:
    """The outcome of a part as it grows."""

    def __init__(self, unit: Unit, settings: Any, key: Key, find: Any, forgotten: Forgotten) -> None:
        self._unit, self._settings, self._key, self._find, self._forgotten = unit, settings, key, find, forgotten
        self._frames: list[pl.DataFrame] = []
        self._pending: list[tuple[dict[str, Any], Sequence[DraftTurn]]] = []
        self._dropped: list[tuple[str, str, str]] = []
        self._quarantined: list[tuple[str, int, str, str]] = []
        self._counts = {"rows_kept": 0, "rows_dropped": 0, "rows_quarantined": 0}
        self._person = lru_cache(100_000)(lambda native: key.hash("person", f"{unit.source}\0{native}"))

    def add_apart(self, rows: Sequence[Row], skip: int, stop: int) -> None:
        """Rows that are each a conversation, or unreadable; equal rows are told apart by a counter."""
        for number, row in enumerate(rows[:stop]):
            if number < skip:
                continue
            if row.reason:
                self.quarantine([row], row.reason, row.detail)
            else:
                self.add([row], f"{row.native}#{number + 1}" if number else row.native)

    def add(self, rows: Sequence[Row], native: str) -> None:
        """The rows of one conversation."""
        try:
            draft = self._draft(rows)
            sessions = finished(draft, self._settings)
        except Refused as refusal:
            self.quarantine(rows, refusal.reason, refusal.detail)
            return
        for name, number in draft.counts.items():
            self._count(name, number)
        is_forgotten = self._is_forgotten(draft, native)
        if is_forgotten or draft.drop or not draft.turns:
            reason = FORGOTTEN if is_forgotten else draft.drop or "no_messages"
            self._dropped.append((self._id(native), reason, f"{len(rows)} rows"))
            self._count("rows_dropped", len(rows))
            return
        self._count("rows_kept", len(rows))
        for number, session in enumerate(sessions, start=1):
            own = f"{native}~{number}" if number > 1 else native
            self._pending.append((self._finished(session, rows, own, self._id(own)), session.turns))
            if len(self._pending) >= FRAME_ROWS:
                self._flush()

    def _id(self, native: str) -> str:
        return f"{self._unit.source}-{self._key.hash('conversation', native)}"

    def _is_forgotten(self, draft: Draft, native: str) -> bool:
        if not self._forgotten.entries:
            return False
        stated = (each for each in draft.people if each.role == "customer" and each.kind == "EMAIL_ADDRESS")
        customer = self._person(draft.customer) if draft.customer else None
        return self._forgotten.holds(self._id(native), customer, [email_hash(self._key, each.value) for each in stated])

    def _draft(self, rows: Sequence[Row]) -> Draft:
        if any(row.native != rows[0].native for row in rows):
            raise Refused("colliding_ids", "two native ids with one hash")
        return SOURCES[self._settings.format].assemble(rows, self._settings, self._find)

    def quarantine(self, rows: Sequence[Row], reason: str, detail: str) -> None:
        """Rows that make no conversation."""
        self._quarantined += [(self._unit.files[row.file].label, row.number, reason, detail) for row in rows]
        self._count("rows_quarantined", len(rows))

    def _count(self, name: str, number: int) -> None:
        self._counts[name] = self._counts.get(name, 0) + number

    def _finished(self, draft: Draft, rows: Sequence[Row], native: str, conversation_id: str) -> dict[str, Any]:
        origin = draft.origin or rows[0]
        fixed = self._settings.fixed
        times = [turn.sent_at for turn in draft.turns if turn.sent_at is not None]
        for turn in draft.turns:
            self._count(f"turns_{turn.speaker}", 1)
        people = {
            (self._person(each.person or _stand_in(each, native)), each.role, each.kind, each.value) for each in draft.people
        }
        return {
            "conversation_id": conversation_id,
            "source": self._unit.source,
            "source_file": self._unit.files[origin.file].label,
            "source_row": origin.number,
            "opened_at": draft.opened_at if draft.opened_at is not None else min(times, default=None),
            "channel": draft.channel or fixed.channel,
            "language": draft.language or fixed.language,
            "product": draft.product or fixed.product,
            "topics": list(draft.topics),
            "customer_key": self._person(draft.customer) if draft.customer else None,
            "outcome": {"resolved": draft.resolved, "csat": draft.csat, "reopened": draft.reopened},
            "turns": [
                {
                    "turn_id": f"t{number}",
                    "speaker": turn.speaker,
                    "text": turn.text,
                    "sent_at": turn.sent_at,
                    "author_key": self._person(turn.author) if turn.author else None,
                    "origin": turn.origin,
                    "generation": None,
                    "call": turn.call
                    and {
                        "name": turn.call.name,
                        "arguments": [{"name": name, "value": value} for name, value in turn.call.arguments],
                    },
                }
                for number, turn in enumerate(draft.turns)
            ],
            "native_id": native,
            "participants": [dict(zip(("person", "role", "kind", "value"), each, strict=True)) for each in sorted(people)],
            "turn_languages": [None] * len(draft.turns),
        }

    def _flush(self) -> None:
        import pyarrow as pa  # type: ignore[import-untyped]  # ships no types  # noqa: PLC0415  # 0.3 s, which `ticketmill --help` need not wait for

        if self._settings.guess_language:
            guesses = languages_of_conversations([turns for _, turns in self._pending])
            for (row, _), (language, each) in zip(self._pending, guesses, strict=True):
                row["language"], row["turn_languages"] = row["language"] or language, each
        schema = empty(INGESTED).to_arrow(compat_level=pl.CompatLevel.oldest()).schema
        frame = pl.from_arrow(pa.Table.from_pylist([row for row, _ in self._pending], schema))
        assert isinstance(frame, pl.DataFrame)  # it was a table
        self._frames.append(conform(frame, INGESTED, self._unit.label))
        self._pending = []

    def outcome(self) -> Outcome:
        """Everything added so far."""
        self._flush()
        counts = {**self._counts, "rows_read": sum(self._counts[f"rows_{fate}"] for fate in ("kept", "dropped", "quarantined"))}
        return Outcome(
            kept=pl.concat(self._frames).sort("conversation_id"),
            dropped=pl.DataFrame(self._dropped, schema=DROPPED, orient="row").sort("conversation_id"),
            beside={
                "quarantined": pl.DataFrame(self._quarantined, schema=QUARANTINED, orient="row").sort(
                    "source_file", "source_row", "reason"
                )
            },
            counts=counts,
        )


def _stand_in(detail: Detail, native: str) -> str:
    """Who a value belongs to where the source does not say: its conversation's customer, or somebody of that name."""
    return f"\0{native}" if detail.role == "customer" else f"\0{detail.role}\0{detail.value.casefold()}"
