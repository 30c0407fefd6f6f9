"""What is this file or folder, and how would ingest read it?  Looks at names, fields and kinds of values; shows no content.

A help desk's export is known by the fields of its records. Anything else is read as rows (`table`) or nested records
(`events`): which field is the text, the time, the speaker or the id is judged by its name and by what its values are like.
Every mapping is tried on the sample before it is proposed; what it cannot read is taken out or said.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Any, Final

import orjson
from pydantic import TypeAdapter, ValidationError

from pipeline.doctor import LOOKS
from pipeline.doctor.candidates import Candidate
from pipeline.doctor.sampling import LIMITS, SAMPLED_FILES, SAMPLED_ROWS, faults
from pipeline.errors import SourceError
from pipeline.reading.archives import is_archive, members_of
from pipeline.reading.drafts import Draft, ReceivedFile, Referent, Refused, Row, require_utf8
from pipeline.reading.files import readable as opening_archive
from pipeline.reading.finishing import finished
from pipeline.sources import SOURCES, SourceMapping

SHOWN: Final = 3
SHOWN_CHARACTERS: Final = 160

_MAPPING: Final[TypeAdapter[Any]] = TypeAdapter(SourceMapping)


@dataclass
class Diagnosis:
    """What a file or folder is taken for."""

    format: str
    """A format of ingest; empty where nothing fits."""
    name: str
    """What its source may be called."""
    root: Path
    """The folder to give to ingest."""
    mapping: dict[str, Any]
    """The entry of `ingest.sources`."""
    reasons: list[str] = field(default_factory=list)
    """Why; names of fields and files, counts, never content."""
    remarks: list[str] = field(default_factory=list)
    """What to decide or to check before it is used."""
    read: Mapping[str, int] = field(default_factory=dict)
    """Rows and conversations of the sample: kept, dropped, refused by reason."""
    examples: list[list[str]] = field(default_factory=list)
    """Up to three conversations, masked: letters are x, digits 9."""

    def params(self) -> str:
        """The mapping as a params file, for `ticketmill ingest ... --params params.yaml --params THIS`."""
        import yaml  # noqa: PLC0415  # only the doctor writes YAML

        sources = {"ingest": {"sources!": {self.name: self.mapping}}}
        return str(yaml.safe_dump(sources, sort_keys=False, allow_unicode=True, width=120))


def diagnose(source: Path) -> Diagnosis:
    """Say which format a file or folder is in, and how to map it.

    Raises:
        SourceError: there is nothing to look at.
    """
    root, files = _files_of(source)
    name = re.sub(r"[^a-z0-9_]+", "_", source.resolve().name.partition(".")[0].casefold()).strip("_") or "desk"
    name = name if name[0].isalpha() else f"s_{name}"
    looked = Diagnosis("", name, root, {})
    for look in LOOKS.values():
        for candidate in look(files):
            if source.is_file():
                siblings = sorted(path.name for path in root.iterdir() if path.is_file() and path.name != source.name)
                if siblings:
                    candidate.mapping.setdefault("ignore", []).extend(siblings)
            tried = _tried(looked, candidate, files)
            if tried.read.get("kept", 0):
                return tried
            looked.remarks += [
                f"read as {candidate.format}, none of the sample makes a conversation ({', '.join(tried.read) or 'no rows'})"
            ]
    looked.remarks += list(islice(faults(files), SHOWN))
    looked.remarks.append("nothing here looks like messages; export them as CSV, JSON lines or Parquet, one row per message")
    return looked


def _files_of(source: Path) -> tuple[Path, list[ReceivedFile]]:
    if not source.exists():
        raise SourceError(f"{source}: no such file or folder; name what was received")
    root = source if source.is_dir() else source.parent
    paths = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    files: list[ReceivedFile] = []
    for path in paths:
        label = path.relative_to(root).as_posix()
        if any(step.startswith(".") for step in label.split("/")):
            continue
        require_utf8(label)
        if is_archive(path.name):
            with opening_archive(ReceivedFile(path, label)):
                files += members_of(path, label, LIMITS)
        else:
            files.append(ReceivedFile(path, label, limits=LIMITS))
    if not files:
        raise SourceError(f"{source}: holds no files; name what was received")
    return root, files


def _tried(looked: Diagnosis, candidate: Candidate, files: Sequence[ReceivedFile]) -> Diagnosis:
    """Read the sample with the mapping; what keeps rows from being read is taken out of it."""
    mapping = candidate.mapping
    for _ in range(4):
        drafts, counts, first = _read(mapping, files)
        if counts.get("kept", 0) or not _mend(mapping, first):
            break
        candidate.remarks.append(f"left out, since the sample could not be read with it: {first}")
    examples = [[f"{turn.speaker}: {mask(turn.text)}" for turn in draft.turns[:6]] for draft in drafts[:SHOWN]]
    return Diagnosis(
        candidate.format,
        looked.name,
        looked.root,
        mapping,
        candidate.reasons,
        [*candidate.remarks],
        dict(sorted(counts.items())),
        examples,
    )


def _mend(mapping: dict[str, Any], first: str) -> bool:
    """Take out what the first refusal names; whether there was anything."""
    turn = mapping.get("turn") or mapping.get("pair") or mapping
    if first.startswith(("bad_time", "no_time_zone")):
        taken = [turn.pop(key, None) for key in ("sent_at", "asked_at", "answered_at", "opened_at")]
        return any(taken)
    if first.startswith("bad_order"):
        return turn.pop("order", None) is not None
    if first.startswith("unknown_field"):
        mapping.setdefault("ignore_fields", []).append(
            first.partition(": ")[2].rpartition(".")[2]
            if mapping["format"] not in {"events", "table"}
            else first.partition(": ")[2]
        )
        return True
    return False


def _read(  # noqa: C901  # every fate a row can have
    mapping: Mapping[str, Any], files: Sequence[ReceivedFile]
) -> tuple[list[Draft], dict[str, int], str]:
    try:
        settings = _MAPPING.validate_python(mapping)
    except ValidationError as error:
        return [], {}, f"invalid: {error.errors()[0]['loc']}"
    source = SOURCES[settings.format]
    used = [
        file
        for file in files
        if any(fnmatchcase(file.label, glob) for glob in settings.files) and file.label not in settings.ignore
    ]
    rows: dict[str, list[Row]] = {}
    referents: dict[tuple[str, str], bytes] = {}
    counts: Counter[str] = Counter()
    first = ""
    groups = [used] if settings.joins_folder or settings.joins_source else [[file] for file in used[:SAMPLED_FILES]]
    for group in groups:
        try:
            read = (source.open_unit and source.open_unit(group, settings, LIMITS)) or source.read
            for number, file in enumerate(group):
                for row in islice(read(file, number, settings, LIMITS), SAMPLED_ROWS * 5):
                    if isinstance(row, Referent):
                        referents[row.kind, row.key] = row.payload
                    elif row.reason:
                        counts[row.reason] += 1
                        first = first or f"{row.reason}: {row.detail}"
                    else:
                        rows.setdefault(row.native, []).append(row)
        except SourceError as error:
            counts["unreadable_file"] += 1
            first = first or str(error)

    def find(kind: str, key: str) -> Any:
        payload = referents.get((kind, key))
        return None if payload is None else orjson.loads(payload)

    drafts: list[Draft] = []
    for members in islice(rows.values(), SAMPLED_ROWS):
        try:
            for each in [members] if settings.rows_have_ids else [[row] for row in members]:
                sessions = finished(source.assemble(each, settings, find), settings)
                kept = [draft for draft in sessions if draft.turns and not draft.drop]
                counts["kept" if kept else next((draft.drop for draft in sessions if draft.drop), "dropped")] += 1
                drafts += kept
        except Refused as refusal:
            counts[refusal.reason] += 1
            first = first or f"{refusal.reason}: {refusal.detail}"
    drafts.sort(key=lambda draft: -min(len(draft.turns), 4))
    return drafts, counts, first


def mask(text: str) -> str:
    """The outline of a text: letters are x, digits 9, and every other sign that is no punctuation of ASCII is x too."""
    line = " ".join(text.split())
    outline = "".join("9" if sign.isdigit() else sign if sign.isascii() and not sign.isalnum() else "x" for sign in line)
    return outline if len(outline) <= SHOWN_CHARACTERS else f"{outline[:SHOWN_CHARACTERS]}..."
