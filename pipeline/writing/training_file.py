"""Check anyone's training file against the rules of its consumer: which line, which fault, what to do.

The file is read in chunks of bytes, each by whichever process is free; a report is the same for any number of them.
Nothing of a line's content enters a finding.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import orjson

from pipeline.errors import SourceError
from pipeline.formats import FORMATS
from pipeline.template_marks import SIGNS, has_mark
from pipeline.writing.chat import Format
from pipeline.writing.conformance import FIXES, WARNINGS
from pipeline.writing.lengths import fault_of_length
from pipeline.writing.shards import BYTE_ORDER_MARK

CHUNK_BYTES: Final = 32 * 1024 * 1024

SHAPES: Final = frozenset(
    {
        "messages",
        "prompt",
        "completion",
        "text",
        "conversations",
        "contents",
        "instruction",
        "input",
        "preferred_output",
        "chosen",
    }
)
"""Keys that tell one shape of rows from another."""


@dataclass(frozen=True, order=True)
class Finding:
    """One fault of one line; line 0 is the file as a whole."""

    line: int
    fault: str
    where: str

    @property
    def fix(self) -> str:
        """What to do about it."""
        return FIXES[self.fault]


@dataclass(frozen=True)
class Report:
    """What was found in one file."""

    file: str
    target: str
    rows: int
    counts: Mapping[str, int]
    """Fault -> how often; complete, however few findings are listed."""

    findings: Sequence[Finding]
    """In the order of the lines, at most `max_findings`."""

    @property
    def is_sound(self) -> bool:
        """Whether the consumer would take every row."""
        return not any(fault not in WARNINGS for fault in self.counts)

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        found = [
            {"line": each.line, "fault": each.fault, "where": each.where, "fix": each.fix, "level": _level(each.fault)}
            for each in self.findings
        ]
        return {
            "file": self.file,
            "target": self.target,
            "rows": self.rows,
            "sound": self.is_sound,
            "counts": dict(self.counts),
            "findings": found,
        }

    def to_sarif(self) -> dict[str, Any]:
        """The report as a SARIF 2.1.0 log, which code hosts and editors show beside the lines."""
        # only who asks for SARIF needs it; ships no types
        import sarif_pydantic as sarif  # type: ignore[import-untyped]  # noqa: PLC0415

        rules = [
            sarif.ReportingDescriptor(id=fault, short_description=sarif.Message(text=FIXES[fault]))
            for fault in sorted(self.counts)
        ]
        results = [
            sarif.Result(
                rule_id=each.fault,
                level=sarif.Level(_level(each.fault)),
                message=sarif.Message(text=f"{each.where}: {each.fix}"),
                locations=[
                    sarif.Location(
                        physical_location=sarif.PhysicalLocation(
                            artifact_location=sarif.ArtifactLocation(uri=self.file),
                            region=sarif.Region(start_line=max(each.line, 1)),
                        )
                    )
                ],
            )
            for each in self.findings
        ]
        driver = sarif.ToolDriver(name="ticketmill", information_uri=None, rules=rules)
        log = sarif.Sarif(version="2.1.0", runs=[sarif.Run(tool=sarif.Tool(driver=driver), results=results)])
        content: dict[str, Any] = log.model_dump(mode="json", by_alias=True, exclude_none=True)
        return content


def _level(fault: str) -> str:
    return "warning" if fault in WARNINGS else "error"


@dataclass(frozen=True)
class Asked:
    """What a file is checked for."""

    target: str
    max_tokens: int | None = None
    """In place of where the consumer cuts unless told otherwise."""

    encoding: str = "o200k_base"
    """Vocabulary to count in; the consumer's own may differ by a few per cent."""

    max_findings: int = 1000
    """Most findings to list."""


def check_file(path: Path, asked: Asked, workers: int = 1) -> Report:
    """Check every line of a JSON lines file, or every row of a Parquet file.

    Raises:
        SourceError: there is no such file or target, or the file is empty.
    """
    if asked.target not in FORMATS:
        raise SourceError(f"--target {asked.target}: no such target; one of {', '.join(FORMATS)}")
    if not path.is_file():
        raise SourceError(f"{path}: no such file")
    if not path.stat().st_size:
        raise SourceError(f"{path}: is empty")
    if kind := _compression(path):
        raise SourceError(f"{path}: is compressed ({kind}), which few consumers read; unpack it and check what was in it")
    format_ = FORMATS[asked.target]
    if path.suffix == ".parquet":
        readings: Iterator[_Reading] = iter([_read_parquet(path, asked)])
    else:
        head, first = _head(path, format_)
        if head and head[0].fault == "not_lines":
            return Report(path.name, asked.target, 0, {"not_lines": 1}, head)
        jobs = [_Job(path, start, end, asked, first) for start, end in _chunks(path)]
        readings = _in_processes(jobs, workers) if workers > 1 and len(jobs) > 1 else map(_read_chunk, jobs)
        readings = _after(_Reading(findings=list(head), counts=_count(head)), readings)
    return _report(path, asked, format_, readings)


COMPRESSED: Final = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bzip2", b"\xfd7zXZ": "xz"}
"""First bytes of a file -> what packed it."""


def _compression(path: Path) -> str | None:
    with path.open("rb") as file:
        start = file.read(8)
    return next((kind for sign, kind in COMPRESSED.items() if start.startswith(sign)), None)


@dataclass
class _Reading:
    """What one chunk holds; lines count from 1 within it."""

    lines: int = 0
    rows: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class _Job:
    path: Path
    start: int
    end: int
    asked: Asked
    first: frozenset[str] | None
    """Shape of the first row of the file."""


def _count(findings: Sequence[Finding]) -> dict[str, int]:
    return {each.fault: 1 for each in findings}


def _after(head: _Reading, readings: Iterator[_Reading]) -> Iterator[_Reading]:
    yield head
    yield from readings


def _in_processes(jobs: Sequence[_Job], workers: int) -> Iterator[_Reading]:
    with ProcessPoolExecutor(min(workers, len(jobs)), get_context("spawn")) as pool:
        yield from pool.map(_read_chunk, jobs)


def _report(path: Path, asked: Asked, format_: Format, readings: Iterator[_Reading]) -> Report:
    lines = rows = 0
    counts: dict[str, int] = {}
    findings: list[Finding] = []
    for reading in readings:
        room = asked.max_findings - len(findings)
        findings += [Finding(each.line + lines if each.line else 0, each.fault, each.where) for each in reading.findings[:room]]
        for fault, count in reading.counts.items():
            counts[fault] = counts.get(fault, 0) + count
        lines, rows = lines + reading.lines, rows + reading.rows
    whole = list(_file_findings(path, format_, rows))
    counts |= _count(whole)
    return Report(path.name, asked.target, rows, dict(sorted(counts.items())), [*whole, *findings][: asked.max_findings])


def _file_findings(path: Path, format_: Format, rows: int) -> Iterator[Finding]:
    if rows < format_.min_rows:
        yield Finding(0, "too_few_rows", "the file")
    if format_.max_rows is not None and rows > format_.max_rows:
        yield Finding(0, "too_many_rows", "the file")
    if format_.max_file_bytes is not None and path.stat().st_size > format_.max_file_bytes:
        yield Finding(0, "file_too_large", "the file")


def _head(path: Path, format_: Format) -> tuple[list[Finding], frozenset[str] | None]:
    """Faults that show at the very start, and the shape of the first row."""
    with path.open("rb") as file:
        line = file.readline()
    marked = line.startswith(BYTE_ORDER_MARK)
    line = line.removeprefix(BYTE_ORDER_MARK)
    findings = []
    if marked != format_.byte_order_mark:
        findings.append(Finding(0, "byte_order_mark" if marked else "byte_order_mark_missing", "the file"))
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        return ([Finding(0, "not_lines", "the file")], None) if line.lstrip().startswith(b"[") else (findings, None)
    if isinstance(row, list) and row and isinstance(row[0], dict):
        return [Finding(0, "not_lines", "the file")], None
    return findings, frozenset(row.keys() & SHAPES) if isinstance(row, dict) else None


def _chunks(path: Path) -> Iterator[tuple[int, int]]:
    """Ranges of bytes of about CHUNK_BYTES that end with a line."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = 0
        while start < size:
            file.seek(min(start + CHUNK_BYTES, size))
            file.readline()
            yield start, file.tell()
            start = file.tell()


def _read_chunk(job: _Job) -> _Reading:
    judge = _Judge(job.asked, job.first)
    with job.path.open("rb") as file:
        file.seek(job.start)
        left = job.end - job.start
        while left > 0:
            line = file.readline()
            left -= len(line)
            judge.line(line.removeprefix(BYTE_ORDER_MARK) if job.start == 0 and not judge.reading.lines else line)
    return judge.reading


def _read_parquet(path: Path, asked: Asked) -> _Reading:
    import polars as pl  # noqa: PLC0415  # only Parquet needs it

    judge = _Judge(asked, None)
    step = 10_000
    for start in range(0, pl.scan_parquet(path, glob=False).select(pl.len()).collect().item(), step):
        for row in pl.scan_parquet(path, glob=False).slice(start, step).collect().iter_rows(named=True):
            judge.line(orjson.dumps(row))
    return judge.reading


def _limit(asked: Asked, format_: Format) -> int | None:
    return asked.max_tokens or format_.default_max_tokens


class _Judge:
    """Judges one line after the other."""

    def __init__(self, asked: Asked, first: frozenset[str] | None) -> None:
        self.reading = _Reading()
        self._asked, self._format, self._first = asked, FORMATS[asked.target], first
        self._limit = _limit(asked, self._format)

    def line(self, line: bytes) -> None:
        self.reading.lines += 1
        if not line.strip():
            self._find("blank_line", "the line")
            return
        self.reading.rows += 1
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            self._find(_unreadable(line), "the line")
            return
        if not isinstance(row, dict):
            self._find("not_an_object", "the line")
            return
        if _has_repeated_key(line, row):
            self._find("key_repeated", "the line")
        faults = list(self._format.faults(row))
        for fault in faults:
            self._find(*fault)
        if self._first is not None and row.keys() & SHAPES != self._first:
            self._find("mixed_shapes", "the line")
        if b"\\u00" in line and CONTROL.search(line):
            self._find("control_character", "the line")
        if not faults:
            self._texts(line, row)

    def _texts(self, line: bytes, row: Mapping[str, Any]) -> None:
        if any(sign in line for sign in SIGNS) and any(has_mark(text.content) for text in self._format.texts(row)):
            self._find("template_mark", "the line")
        if self._limit is not None and len(line) > self._limit:  # a token is at least one byte
            fault = fault_of_length(self._format, row, self._limit, self._asked.encoding)
            if fault:
                self._find(fault, "the line")

    def _find(self, fault: str, where: str) -> None:
        reading = self.reading
        reading.counts[fault] = reading.counts.get(fault, 0) + 1
        if len(reading.findings) < self._asked.max_findings:
            reading.findings.append(Finding(reading.lines, fault, where))


CONTROL: Final = re.compile(rb"\\u00(?:0[0-8bBcCeEfF]|1[0-9a-fA-F]|7[fF]|[89][0-9a-fA-F])")
"""Control characters as JSON writes them; tab and line breaks are none."""


def _has_repeated_key(line: bytes, row: Mapping[str, Any]) -> bool:
    """Whether an object says a key twice; looked for where the line has more quotation marks than its row."""
    return line.count(b'"') > orjson.dumps(row).count(b'"') and _says_a_key_twice(line)


def _says_a_key_twice(line: bytes) -> bool:
    twice = False

    def read(pairs: list[tuple[str, Any]]) -> None:
        nonlocal twice
        twice |= len({key for key, _ in pairs}) < len(pairs)

    json.loads(line, object_pairs_hook=read)
    return twice


def _unreadable(line: bytes) -> str:
    """Why a line is no JSON; the parser's own message may quote the line."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return "unpaired_surrogate" if b"\xed\xa0" in line or b"\xed\xb0" in line else "not_utf8"
    try:
        orjson.loads(_without_surrogates(line))
    except orjson.JSONDecodeError:
        return "not_json"
    return "unpaired_surrogate"


def _without_surrogates(line: bytes) -> bytes:
    return re.sub(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}", b"", line)
