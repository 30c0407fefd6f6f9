"""The export of a help desk is known by the fields of its records."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from pipeline.doctor import records
from pipeline.doctor.candidates import Candidate
from pipeline.doctor.sampling import alike, delivery_of, lists, sample, spread, suffix_of
from pipeline.errors import CurationError
from pipeline.reading.drafts import ReceivedFile
from pipeline.reading.exports import Kinds, kind_of
from pipeline.sources import doctor_kinds
from pipeline.sources.zendesk import TICKET_IN_NAME

KNOWN_SHARE: Final = 0.8
"""Of the fields of a record: where fewer than four in five are known it is another's shape."""


class _Hit(NamedTuple):
    """A record of a file that a desk may have written."""

    file: ReceivedFile
    kind: str
    share: float
    """Of its fields those that the desk knows."""


def look(files: Sequence[ReceivedFile]) -> Iterator[Candidate]:
    """A help desk, where most fields of its records are the desk's."""
    found: dict[str, list[_Hit]] = {}
    for file in spread(files):
        for vendor, hit in _hits(file):
            found.setdefault(vendor, []).append(hit)
    scores = {vendor: score for vendor, hits in found.items() if (score := _score(hits)) >= KNOWN_SHARE}
    owners = _owners(files, found, scores)
    for vendor, score in sorted(scores.items(), key=lambda each: -each[1]):
        with_main = _with_main(found[vendor])
        hits = [  # a user is like another's
            hit
            for hit in found[vendor]
            if not with_main or delivery_of(hit.file) in with_main or _names_its_ticket(vendor, hit.file)
        ]
        hits = [hit for hit in hits if owners.get(hit.file.label, vendor) == vendor]
        if not hits:
            continue
        kinds_found = sorted({hit.kind for hit in hits})
        mapping: dict[str, Any] = {}
        if vendor == "zendesk":
            folders = {hit.file.label.rpartition("/")[0] for hit in hits}
            apart = len(folders) > 1 and any(_names_its_ticket(vendor, hit.file) for hit in hits)
            mapping |= {"join": "source" if apart else "folder", "subject": "leave"}
        if vendor in {"zendesk", "zendesk_tables"}:
            mapping["unknown_author"] = "refuse"
        reason = f"{', '.join(kinds_found)}: {score:.0%} of the fields are those of {vendor}"
        remark = "zone: times that state none are taken as UTC; put yours"
        others = {label for label, owner in owners.items() if owner != vendor}
        own = [file for file in _claimed(files, [hit.file for hit in hits]) if file.label not in others]
        yield Candidate(vendor, own, {**mapping, "zone": "UTC"}, [reason], [remark])


def _hits(file: ReceivedFile) -> Iterator[tuple[str, _Hit]]:
    for fields in _first_fields(file):
        for vendor, kinds in doctor_kinds().items():
            kind = kind_of(fields, kinds)
            if kind is not None:
                yield vendor, _Hit(file, kind, _known_share(fields, kinds, kind))


def _names_its_ticket(vendor: str, file: ReceivedFile) -> bool:
    """Whether it is a page of what was said in a ticket that only its path names: tickets/81/comments.json."""
    return vendor == "zendesk" and TICKET_IN_NAME.search(file.label) is not None


def _with_main(hits: Sequence[_Hit]) -> set[str]:
    """The deliveries with records that a conversation of the desk can begin with."""
    return {delivery_of(hit.file) for hit in hits if hit.kind in MAIN_KINDS and hit.share >= KNOWN_SHARE}


def _owners(files: Sequence[ReceivedFile], found: Mapping[str, Sequence[_Hit]], vendors: Iterable[str]) -> dict[str, str]:
    """Label -> desk, where the files of several lie in one delivery: by its fields, or its name where two desks share them."""
    desks: dict[str, list[str]] = {}
    for vendor in vendors:
        for delivery in _with_main(found[vendor]):
            desks.setdefault(delivery, []).append(vendor)
    owners: dict[str, str] = {}
    for file in files:
        there = desks.get(delivery_of(file), ())
        if len(there) > 1:
            own = [
                (vendor in file.label.casefold(), hit.kind in MAIN_KINDS, hit.share, vendor)
                for vendor, hit in _hits(file)
                if vendor in there
            ]
            owners |= {file.label: max(own)[3]} if own else {}
    return owners


def _claimed(files: Sequence[ReceivedFile], hits: Sequence[ReceivedFile]) -> list[ReceivedFile]:
    """Of the deliveries in which the desk was found every file with such an ending, for what else it exports is read with it.

    But for logs whose messages say by a role who speaks: those are somebody's own.
    """
    kinds = {(delivery_of(file), suffix_of(file)) for file in hits}
    hit = {file.label for file in hits}
    own = {file.label for file in alike(files, hits)} | hit
    looked = {file.label for file in spread(files)}
    return [
        file
        for file in files
        if (file.label in own or (delivery_of(file), suffix_of(file)) in kinds)
        and (file.label in hit or file.label not in looked or not _is_a_log(file))
    ]


def _is_a_log(file: ReceivedFile) -> bool:
    candidate = next(iter(records.look([file])), None)
    shape = {} if candidate is None else candidate.mapping.get("turn", candidate.mapping)
    speaker = shape.get("speaker", {})
    return "customer" in speaker and "agent" in speaker


def _score(hits: Sequence[_Hit]) -> float:
    main = [hit.share for hit in hits if hit.kind in MAIN_KINDS]
    return max(main, default=max(hit.share for hit in hits) / 2)


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
