"""The export of a help desk is known by the fields of its records."""

# ruff: noqa: PLR2004  # it judges by rules of thumb; the comments beside the numbers say which

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from pipeline.doctor.candidates import Candidate
from pipeline.doctor.sampling import alike, delivery_of, lists, sample, spread, suffix_of
from pipeline.errors import CurationError
from pipeline.reading.drafts import ReceivedFile
from pipeline.reading.exports import Kinds, kind_of
from pipeline.sources import doctor_kinds


def look(files: Sequence[ReceivedFile]) -> Iterator[Candidate]:
    """A help desk, where most fields of its records are the desk's."""
    found: dict[str, list[tuple[ReceivedFile, str, float]]] = {}
    for file in spread(files):
        for fields in _first_fields(file):
            for vendor, kinds in doctor_kinds().items():
                kind = kind_of(fields, kinds)
                if kind is not None:
                    found.setdefault(vendor, []).append((file, kind, _known_share(fields, kinds, kind)))
    scores = {vendor: _score(hits) for vendor, hits in found.items()}
    for vendor, score in sorted(scores.items(), key=lambda each: -each[1]):
        if score < 0.8:  # of the fields: fewer than four in five known is another's shape
            continue
        with_main = {delivery_of(file) for file, kind, share in found[vendor] if kind in MAIN_KINDS and share >= 0.8}
        hits = [hit for hit in found[vendor] if not with_main or delivery_of(hit[0]) in with_main]  # a user is like another's
        kinds_found = sorted({kind for _, kind, _ in hits})
        mapping: dict[str, Any] = {}
        if vendor == "zendesk":
            mapping |= {"join": "folder", "subject": "leave"}
        if vendor in {"zendesk", "zendesk_tables"}:
            mapping["unknown_author"] = "refuse"
        reason = f"{', '.join(kinds_found)}: {score:.0%} of the fields are those of {vendor}"
        remark = "zone: times that state none are taken as UTC; put yours"
        yield Candidate(vendor, _claimed(files, [file for file, _, _ in hits]), {**mapping, "zone": "UTC"}, [reason], [remark])


def _claimed(files: Sequence[ReceivedFile], hits: Sequence[ReceivedFile]) -> list[ReceivedFile]:
    """Of the deliveries in which the desk was found every file with such an ending: what else it exports is read with it."""
    kinds = {(delivery_of(file), suffix_of(file)) for file in hits}
    own = {file.label for file in alike(files, hits)}
    return [file for file in files if file.label in own or (delivery_of(file), suffix_of(file)) in kinds]


def _score(hits: Sequence[tuple[ReceivedFile, str, float]]) -> float:
    main = [share for _, kind, share in hits if kind in MAIN_KINDS]
    return max(main, default=max(share for _, _, share in hits) / 2)


MAIN_KINDS: Final = frozenset({"ticket", "conversation", "conversation_history", "case", "thread", "message", "email"})
"""Records that a conversation can begin with."""


def _known_share(fields: Iterable[str], kinds: Kinds, kind: str) -> float:
    present = frozenset(fields)
    known = kinds[kind]
    hits = present & (known.telling | known.mapped | known.ignored)
    return len(hits) / max(len(present), 1)


def _first_fields(file: ReceivedFile) -> Iterator[set[str]]:
    try:
        records, _ = sample(file, 20)
    except (CurationError, UnicodeError):
        return
    for record in records[:20]:
        yield set(record)
        for value in record.values():  # a page of the API: its records stand one below
            if isinstance(value, list) and value and isinstance(value[0], dict):
                yield set(value[0])
            elif isinstance(value, dict):
                yield set(value)
                for _, items in lists(value, "", 0):
                    yield from (set(item) for item in items[:1] if isinstance(item, dict))
