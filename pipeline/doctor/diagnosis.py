"""What is this file or folder, and how would ingest read it?  Looks at names, fields and kinds of values; shows no content.

A help desk's export is known by the fields of its records. Anything else is read as rows (`table`) or nested records
(`events`): which field is the text, the time, the speaker or the id is judged by its name and by what its values are like.
Every mapping is tried on the sample before it is proposed; what it cannot read is taken out or said.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from glob import escape
from itertools import chain, count, islice
from pathlib import Path, PurePosixPath
from typing import Any, Final

import orjson
from pydantic import TypeAdapter, ValidationError

from pipeline.doctor import LOOKS
from pipeline.doctor.candidates import NAME_STAFF, STAFF, Candidate
from pipeline.doctor.sampling import LIMITS, SAMPLED_FILES, SAMPLED_ROWS, delivery_of, faults
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
class Recognised:
    """Files of one shape, and what they are taken for."""

    format: str
    """A format of ingest."""
    name: str
    """What its source may be called."""
    mapping: dict[str, Any]
    """The entry of `ingest.sources`."""
    reasons: list[str]
    """Why; names of fields and files, counts, never content."""
    remarks: list[str]
    """What to decide or to check before it is used."""
    read: Mapping[str, int]
    """Rows and conversations of the sample: kept, dropped, refused by reason."""
    examples: list[list[str]]
    """Up to three conversations, masked: letters are x, digits 9."""


@dataclass
class Diagnosis:
    """What a file or folder is taken for."""

    root: Path
    """The folder to give to ingest."""
    sources: list[Recognised] = field(default_factory=list)
    """One for every shape in it; none where nothing fits."""
    ignore: list[str] = field(default_factory=list)
    """Files that no source covers."""
    remarks: list[str] = field(default_factory=list)
    """What was not recognised, and why."""

    def params(self) -> str:
        """The mappings as a params file, for `ticketmill ingest ... --params params.yaml --params THIS`."""
        import yaml  # noqa: PLC0415  # only the doctor writes YAML

        content: dict[str, Any] = {"sources!": {each.name: each.mapping for each in self.sources}}
        if self.ignore:
            content["ignore"] = self.ignore
        return str(yaml.safe_dump({"ingest": content}, sort_keys=False, allow_unicode=True, width=120))

    def lines(self) -> Iterator[str]:
        """Everything to say, the mappings among comments, so that it is a params file as it is printed."""
        for each in self.sources:
            yield f"# {each.name}: {each.format}"
            yield from (f"#   because {reason}" for reason in each.reasons)
            yield from (f"#   check: {remark}" for remark in each.remarks)
            yield f"#   tried on a sample, conversations and rows: {', '.join(f'{n:,} {fate}' for fate, n in each.read.items())}"
        yield from (f"# not mapped: {remark}" for remark in self.remarks)
        if self.sources:
            yield f"# try it: ticketmill ingest {self.root} data/raw/ingested --params params.yaml --params THIS_FILE"
            yield "# keep it: " + self._advice()
            yield self.params().rstrip("\n")
        for each in self.sources:
            for number, example in enumerate(each.examples, start=1):
                yield f"# {each.name}, example {number}, masked"
                yield from (f"#   {line}" for line in example)

    def _advice(self) -> str:
        """How the mappings come into params.yaml, which is for all of data/raw/received."""
        names = ", ".join(each.name for each in self.sources)
        text = (
            f"put {names} with all below it under ingest.sources in params.yaml, and take out there the sources whose files "
            "are gone; `!` in `sources!:` says that these take the place of all others, and is for a file behind --params only"
        )
        if any(each.mapping.get("path") == "." for each in self.sources):
            folder = self.root.resolve().name
            text += f"; with the files in data/raw/received/{folder}, `path: {folder}` takes the place of `path: .`"
        return text


def diagnose(source: Path) -> Diagnosis:
    """Say which format a file or folder is in, and how to map it; a folder of several shapes shape by shape.

    Raises:
        SourceError: there is nothing to look at.
    """
    root, files = _files_of(source)
    found = Diagnosis(root)
    beside = [path.name for path in root.iterdir() if path.is_file() and path != source] if source.is_file() else []
    every = sorted([*(file.label for file in files), *(name for name in beside if not name.startswith("."))])
    left = files
    while left and (candidate := _next(left, found)) is not None:
        own = {file.label for file in candidate.files}
        left = [file for file in left if file.label not in own]
        if found.sources and "pair" in candidate.mapping and "answer" not in candidate.mapping["pair"]:
            found.remarks.append(f"{_listed(sorted(own))}: texts that nobody answers; map them by hand if they are messages")
            continue
        path, globs = _place(sorted(own), every, is_file=source.is_file())
        name = _name(path, sorted(own), source, [each.name for each in found.sources], is_one_of_several=len(every) > 1)
        where = {} if path == name else {"path": path}
        mapping = {"format": candidate.format, **where, **globs, **candidate.mapping}
        found.sources.append(
            Recognised(candidate.format, name, mapping, candidate.reasons, candidate.remarks, candidate.read, candidate.examples)
        )
    _account_for(left, found)
    return found


def _next(left: Sequence[ReceivedFile], found: Diagnosis) -> Candidate | None:
    """The first way to read some of the files that makes conversations of them, as it was tried."""
    failed: list[str] = []
    for look in LOOKS.values():
        for candidate in look(left):
            _try(candidate)
            if candidate.read.get("kept", 0) > candidate.read.get("wrong_number_of_cells", 0):  # else it is no table
                return candidate
            fates = ", ".join(candidate.read) or "no rows"
            labels = _listed(sorted(file.label for file in candidate.files))
            failed.append(f"{labels}: read as {candidate.format}, none of the sample makes a conversation ({fates})")
    found.remarks += failed
    return None


def _listed(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
    return ", ".join(labels[:SHOWN]) + more


def _place(own: Sequence[str], every: Sequence[str], *, is_file: bool) -> tuple[str, dict[str, list[str]]]:
    """Where files lie, by which globs they are found there, and what else lies there that is not read."""
    tops = {label.partition("/")[0] if "/" in label else "" for label in own}
    folder = "" if len(own) == len(every) or len(tops) > 1 or "" in tops else f"{min(tops)}/"
    inner = {label: label[len(folder) :] for label in every if label.startswith(folder)}
    taken = [inner[label] for label in own]
    endings = {PurePosixPath(label).suffix for label in taken}
    files = [escape(taken[0])] if is_file and len(taken) == 1 else sorted(f"*{ending}" for ending in endings)
    files = files if "" not in endings else ["*"]
    rest = [name for label, name in inner.items() if label not in set(own)]
    return folder.rstrip("/").removesuffix("!") or ".", {"files": files, **({"ignore": _short(rest, taken)} if rest else {})}


def _short(rest: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Globs that cover `rest` and nothing of what is read: many files of one ending are named by it."""
    endings = {PurePosixPath(label).suffix for label in taken}
    often = Counter(PurePosixPath(label).suffix for label in rest)
    by_ending = {ending for ending, number in often.items() if number > SHOWN and ending and ending not in endings}
    single = (escape(label) for label in rest if PurePosixPath(label).suffix not in by_ending)
    return sorted([*(f"*{ending}" for ending in by_ending), *single])


def _name(path: str, own: Sequence[str], source: Path, taken: Sequence[str], *, is_one_of_several: bool) -> str:
    """A name for a source: of its folder, of its only file of several, or of what was looked at."""
    last = path if path != "." else own[0] if len(own) == 1 and is_one_of_several else source.resolve().name
    name = re.sub(r"[^a-z0-9_]+", "_", last.rpartition("/")[2].partition(".")[0].casefold()).strip("_") or "desk"
    name = name if name[0].isalpha() else f"s_{name}"
    numbered = (f"{name}_{number}" for number in count(2))
    return next(each for each in chain([name], numbered) if each not in taken)


def _account_for(left: Sequence[ReceivedFile], found: Diagnosis) -> None:
    """Say of every file that no source covers what it is, as far as that can be told."""
    damaged = list(islice(faults(left), SHOWN))
    found.remarks += damaged
    paths = [each.mapping.get("path", each.name) for each in found.sources]
    outside = [
        file for file in left if not any(path == "." or file.label.startswith((f"{path}/", f"{path}!/")) for path in paths)
    ]
    if not found.sources:
        found.remarks.append("nothing here looks like messages; export them as CSV, JSON lines or Parquet, one row per message")
        return
    if left and len(damaged) < len(left):
        found.remarks.append(f"{_listed([file.label for file in left])}: nothing there looks like messages; ignored")
    folders = Counter(delivery_of(file) for file in outside)
    found.ignore = sorted(
        {f"{escape(folder)}/*" if folder and number > SHOWN else "" for folder, number in folders.items()} - {""}
        | {escape(file.label) for file in outside if not delivery_of(file) or folders[delivery_of(file)] <= SHOWN}
    )


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
    if not any(path.stat().st_size for path in paths):
        raise SourceError(f"{source}: is empty; fetch it again")
    return root, files


def _try(candidate: Candidate) -> None:
    """Read the sample with the mapping, and note what came of it; what keeps rows from being read is taken out of it."""
    mapping = candidate.mapping
    for _ in range(4):
        drafts, counts, first = _read(candidate)
        if counts.get("unknown_author") and mapping.get("unknown_author") == "refuse":
            mapping["unknown_author"] = "agent"
            candidate.remarks.append(
                f"unknown_author: no user record names who wrote in {counts['unknown_author']} tickets of the sample; they are "
                "taken for agents. Deliver the users too and put refuse, or customers without a record speak as agents"
            )
        elif counts.get("unknown_author") and candidate.format in {"hubspot", "salesforce"} and "staff" not in mapping:
            mapping["staff"] = dict(STAFF)
            candidate.remarks.append(f"{NAME_STAFF}. Without it mails that state no direction are nobody's")
        elif counts.get("kept", 0) or not _mend(mapping, candidate.format, first):
            break
        else:
            candidate.remarks.append(f"left out, since the sample could not be read with it: {first}")
    candidate.read = dict(sorted(counts.items()))
    candidate.examples = [[f"{turn.speaker}: {mask(turn.text)}" for turn in draft.turns[:6]] for draft in drafts[:SHOWN]]


def _mend(mapping: dict[str, Any], kind: str, first: str) -> bool:
    """Take out what the first refusal names; whether there was anything."""
    turn = mapping.get("turn") or mapping.get("pair") or mapping
    if first.startswith(("bad_time", "no_time_zone")):
        taken = [turn.pop(key, None) for key in ("sent_at", "asked_at", "answered_at", "opened_at")]
        return any(taken)
    if first.startswith("bad_order"):
        return turn.pop("order", None) is not None
    if first.startswith("unknown_field"):
        mapping.setdefault("ignore_fields", []).append(
            first.partition(": ")[2].rpartition(".")[2] if kind not in {"events", "table"} else first.partition(": ")[2]
        )
        return True
    return False


def _read(candidate: Candidate) -> tuple[list[Draft], dict[str, int], str]:  # noqa: C901  # every fate a row can have
    try:
        settings = _MAPPING.validate_python({"format": candidate.format, "files": ["*"], **candidate.mapping})
    except ValidationError as error:
        return [], {}, f"invalid: {error.errors()[0]['loc']}"
    source = SOURCES[settings.format]
    used = candidate.files
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
