"""The beginnings of received files: how they are written, and the first records in them."""

# ruff: noqa: PLR2004  # it judges by rules of thumb; the comments beside the numbers say which

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, Final

from pipeline.doctor.field_names import words_in
from pipeline.errors import SourceError
from pipeline.reading.csv_rows import Dialect, csv_rows
from pipeline.reading.drafts import Limits, ReceivedFile, Row
from pipeline.reading.files import WHOLE_DOCUMENT_BYTES, NestedTooDeepError, documents_in, json_lines, layout_of, opened
from pipeline.reading.parquet_rows import parquet_rows
from pipeline.reading.rich_text import as_message, is_rich
from pipeline.reading.xml_records import ROOT, wrapped_in, xml_records

SAMPLED_ROWS: Final = 2_000
SAMPLED_FILES: Final = 40
LEAST_FILES: Final = 12
"""Of every delivery, however many there are: a help desk exports a dozen tables."""

LIMITS: Final = Limits(max_row_bytes=16 * 2**20, max_unpacked_bytes=2**40, max_unpacked_ratio=1000)
_HEAD_BYTES: Final = 2**16


def spread(files: Sequence[ReceivedFile]) -> list[ReceivedFile]:
    """Those to look into: the first of every delivery, which is a folder at the top."""
    deliveries: dict[str, list[ReceivedFile]] = {}
    for file in files:
        deliveries.setdefault(delivery_of(file), []).append(file)
    some = list(deliveries.values())[:: max(1, len(deliveries) // SAMPLED_FILES)]
    return [file for each in some for file in each[: max(LEAST_FILES, SAMPLED_FILES // len(some))]]


def delivery_of(file: ReceivedFile) -> str:
    """The folder, or the archive, at the top in which a file lies."""
    return file.label.partition("/")[0] if "/" in file.label else ""


def alike(files: Sequence[ReceivedFile], known: Sequence[ReceivedFile]) -> list[ReceivedFile]:
    """Files known to be of a kind, and those with their endings in the same deliveries, or in deliveries nobody looked into."""
    kinds = {(delivery_of(file), suffix_of(file)) for file in known}
    suffixes = {suffix for _, suffix in kinds}
    looked = spread(files)
    names, deliveries = {file.label for file in looked}, {delivery_of(file) for file in looked}
    own = {file.label for file in known}

    def is_alike(file: ReceivedFile) -> bool:
        if file.label in names:
            return file.label in own
        kind = delivery_of(file), suffix_of(file)
        return kind in kinds or (kind[0] not in deliveries and kind[1] in suffixes)

    return [file for file in files if is_alike(file)]


def suffix_of(file: ReceivedFile) -> str:
    """The ending of its name, with that of what packs it; a number is none."""
    return "".join(each for each in Path(file.name).suffixes[-2:] if not each[1:].isdigit() and " " not in each)


def beginning(file: ReceivedFile) -> bytes:
    """The first bytes of a file, unpacked; none where it cannot be opened."""
    try:
        with opened(file) as stream:
            return stream.read(_HEAD_BYTES)
    except SourceError:
        return b""


def sample(file: ReceivedFile, most: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The first records of a structured file, and the settings that reading it needs."""
    layout = layout_of(file)
    if layout == "csv":
        dialect = _dialect(file)
        names: list[str] = []
        rows: list[dict[str, Any]] = []
        for row in csv_rows(file, 0, Dialect(**dialect), LIMITS):
            if isinstance(row, list):
                names = row
                if any(len(name.split()) > 6 for name in names):  # a sentence
                    raise SourceError(f"{file.label}: its first line is no header; put the names of the columns there")
            elif not isinstance(row, Row):
                rows.append(dict(zip(names, row[1], strict=True)))
                if len(rows) >= most:
                    break
        return rows or [dict.fromkeys(names, "")], {"csv": dialect} if dialect else {}
    if layout == "parquet":
        content = parquet_rows(file)
        columns = [str(name) for name in next(content)]
        return [dict(zip(columns, row[1], strict=True)) for row in islice(content, most)], {}
    if layout == "jsonl":
        lines = (line for line in json_lines(file, 0, LIMITS) if not isinstance(line, Row))
        return [record for _, _, record in islice(lines, most)], {}
    if layout == "xml":
        return _elements(file, most)
    return _document(file, most)


def whole(file: ReceivedFile) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """A file as one record, and the settings that reading it so needs; null where it is none, or too long."""
    layout = layout_of(file)
    if layout == "xml":
        rows = [row for row in xml_records(file, 0, ROOT, (), LIMITS) if not isinstance(row, Row)]
        return (rows[0][2], {"records": "."}) if rows else None
    if layout != "json":
        return None
    with opened(file) as stream:
        content = stream.read(WHOLE_DOCUMENT_BYTES)
    with suppress(ValueError):
        documents = documents_in(content.decode("utf-8-sig"))
        return (documents[0], {}) if len(documents) == 1 and isinstance(documents[0], dict) else None
    return None


def _elements(file: ReceivedFile, most: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    with opened(file) as stream:
        records, beside = wrapped_in([stream.read(2**20)], file)
    reading = {**({"records": ".".join(records)} if records else {}), **({"ignore_beside": beside} if beside else {})}
    rows = (row for row in xml_records(file, 0, records, beside, LIMITS) if not isinstance(row, Row))
    return [record for _, _, record in islice(rows, most)], reading


def _document(file: ReceivedFile, most: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    import ijson  # type: ignore[import-untyped]  # ships no types  # noqa: PLC0415  # only documents need it

    with opened(file) as stream:
        head = stream.read(16 * 2**20)
    document: Any = None
    try:
        found = documents_in(head.decode("utf-8-sig"))
        document = found[0] if len(found) == 1 else found
    except NestedTooDeepError:  # whose paths would take all memory
        raise SourceError(f"{file.label}: is nested too deep for any export; fetch it again") from None
    except ValueError:  # none, or longer than its beginning
        try:
            with opened(file) as stream:
                document = list(islice((each for each in ijson.items(stream, "item", use_float=True)), most))
        except ijson.JSONError:
            raise SourceError(f"{file.label}: is not JSON; fetch it again") from None
    if (listed := _tables_of_phpmyadmin(document) or _listed_by_reddit(document)) is not None:
        return listed[0][:most], listed[1]
    if isinstance(document, list):
        return [each for each in document[:most] if isinstance(each, dict)], {}
    if isinstance(document, dict):
        below = list(document.values())
        if len(below) > 1 and all(isinstance(each, dict) and each.keys() & below[0].keys() for each in below):
            return below[:most], {"by_id": True}  # conversations by their ids
        if (wrapped := _records_in(document)) is not None:
            path, records = wrapped
            beside = sorted(_beside(document, path.split(".")))
            reading = {"records": path, **({"ignore_beside": beside} if beside else {})}
            return [each for each in records[:most] if isinstance(each, dict)], reading
        return [document], {}
    return [], {}


def _tables_of_phpmyadmin(document: Any) -> tuple[list[dict[str, Any]], dict[str, Any]] | None:
    """The rows of a table that phpMyAdmin exported, and how they are read: a header, a database and the table in one list."""
    if not isinstance(document, list) or not all(
        isinstance(each, dict) and isinstance(each.get("type"), str) for each in document
    ):
        return None
    tables = [each for each in document if each["type"] == "table" and isinstance(each.get("data"), list)]
    if not tables or document[0]["type"] != "header":
        return None
    beside = sorted({key for each in document for key in each} - {"data"})
    return [row for each in tables for row in each["data"]], {"records": "*.data", "ignore_beside": beside}


def _listed_by_reddit(document: Any) -> tuple[list[dict[str, Any]], dict[str, Any]] | None:
    """The post and the comments of a page of Reddit's, which are two listings, and how they are read."""
    if not isinstance(document, list) or not all(
        isinstance(each, dict) and each.get("kind") == "Listing" and isinstance(each.get("data"), dict) for each in document
    ):
        return None
    posts = [child for each in document for child in each["data"].get("children") or () if isinstance(child, dict)]
    beside = sorted({key for each in document for key in (*each, *each["data"])} - {"data", "children"})
    return (posts, {"records": "*.data.children", "ignore_beside": beside}) if posts else None


def are_alike(item: Mapping[str, Any], other: Any) -> bool:
    """Whether most fields of a record are also those of another; they have several."""
    return isinstance(other, dict) and len(other) > 1 and len(item.keys() & other.keys()) * 3 > len(other) * 2


def _records_in(document: Mapping[str, Any]) -> tuple[str, list[Any]] | None:
    """Path and items of the list of records that a document wraps; null where it is itself a conversation, or many lists."""
    found = [(path, items) for path, items in lists(document, "", 0) if isinstance(items[0], dict)]
    sizes = [sum(len(text) for item in items[:200] for text in _texts(item, 0)) for _, items in found]
    if not found or max(sizes) * 10 < sum(sizes) * 9:  # nearly all text stands in one
        return None
    path, items = found[sizes.index(max(sizes))]
    if are_alike(document, items[0]):  # what answers it
        return None
    records = [item for item in items[:200] if isinstance(item, dict)]
    inner = sum(len(text) for item in records for _, below in lists(item, "", 0) for text in _texts(below, 0))
    are_conversations = inner * 2 > max(sizes)  # half of what they hold stands in lists of their own
    is_conversation = (len(found) > 1 and not _are_tables(document)) or _has_text(document, path.partition(".")[0])
    return (path, items) if are_conversations or not is_conversation else None


def _texts(value: Any, depth: int) -> Iterator[str]:
    """Every text below a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict) and depth < 8:  # deeper than any export seen
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each, depth + 1)


def _beside(document: Any, steps: Sequence[str]) -> Iterator[str]:
    """The fields beside a path, on every level."""
    if steps and isinstance(document, dict):
        yield from document.keys() - {steps[0]}
        yield from _beside(document.get(steps[0]), steps[1:])


def _are_tables(document: Mapping[str, Any]) -> bool:
    """Whether a document holds nothing but lists, none of them of those who take part in a conversation."""
    return all(
        isinstance(below, list) and not words_in(key) & {"participants", "participant", "members", "users", "people"}
        for key, below in document.items()
    )


def _has_text(document: Mapping[str, Any], at: str) -> bool:
    """Whether a document is itself a conversation: it holds text, or an id, beside its list."""
    beside = [key for key in document if key != at and not isinstance(document[key], list)]
    return any(isinstance(document[key], str) and len(document[key].split()) > 3 for key in beside) or any(  # a sentence
        key.casefold().endswith("id") for key in beside
    )


def _dialect(file: ReceivedFile) -> dict[str, Any]:
    """How a CSV is written, as far as its beginning shows: only what differs from the default."""
    head = beginning(file)
    found: dict[str, Any] = {}
    try:
        text = head[: head.rfind(b"\n") + 1 or None].decode("utf-8-sig")
    except UnicodeDecodeError:
        found["encoding"] = "utf-16" if head.count(b"\0") * 3 > len(head) else "cp1252"  # every other byte of Latin letters
        text = head.decode({"utf-16": "utf-16-le"}.get(found["encoding"], found["encoding"]), "replace")
    lines = text.split("\n")
    if above := _above_the_header(lines):
        found["skip_lines"] = above
        lines = lines[above:]
    first = lines[1] if lines[0].startswith("sep=") and len(lines) > 1 else lines[0]
    counts = {delimiter: first.count(delimiter) for delimiter in ",;\t|"}
    best = max(counts, key=lambda each: counts[each])
    if best != "," and counts[best]:
        found["delimiter"] = best
    if re.search(r"[^\\]\\\"(?![,;\t|\r\n])", text):
        found["escape"] = "\\"
    if first.startswith("'") and first.rstrip().endswith("'"):
        found["quote"] = "'"
    if nulls := sorted({"NULL", "\\N"} & set(re.split(rf"[{best}\r\n]", text))):
        found["nulls"] = nulls
    return found


def _above_the_header(lines: Sequence[str]) -> int:
    """How many lines stand above a table: none of them has a delimiter, and a header and two rows follow."""
    for delimiter in ",;\t|":
        above = next((place for place, line in enumerate(lines[:12]) if delimiter in line), 0)
        if above and not any(each in line for line in lines[:above] for each in ",;\t|") and '"' not in "".join(lines[:above]):
            rows = list(csv.reader(lines[above : above + 4], delimiter=delimiter))[:3]
            names = [name.strip() for name in rows[0]]
            is_header = "" not in names and len(set(names)) == len(names) and all(len(name.split()) < 6 for name in names)
            if is_header and len(rows) == 3 and len(set(map(len, rows))) == 1:
                return above
    return 0


def faults(files: Sequence[ReceivedFile]) -> Iterator[str]:
    """What keeps files from being looked into."""
    for file in spread(files):
        try:
            sample(file, 1)
        except SourceError as error:
            yield str(error)


def lists(value: Mapping[str, Any], above: str, depth: int) -> Iterator[tuple[str, list[Any]]]:
    """Path and items of every list of records or lists below a record."""
    for key, below in value.items():
        path = f"{above}.{key}" if above else key
        if isinstance(below, list) and below and all(isinstance(item, dict | list) for item in below) and not is_rich(below):
            yield path, below
        elif isinstance(below, dict) and depth < 4:  # deeper than any export seen
            yield from lists(below, path, depth + 1)


def strings(value: Any) -> Iterator[str]:
    """Every text below a value; of texts in lists only those that stand there themselves."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from strings(each) if isinstance(each, str | dict) else ()
    elif isinstance(value, list):
        yield from (each for each in value if isinstance(each, str))


def flat(value: Any, above: str = "") -> dict[str, Any]:
    """Path -> value, of everything below; a list of plain values is one value, and so is a message in pieces."""
    if above and isinstance(value, list | dict) and is_rich(value):
        return {above: as_message(value, above)}
    if isinstance(value, dict) and (value or not above):
        found: dict[str, Any] = {}
        for key, below in value.items():
            found |= flat(below, f"{above}.{key}" if above else str(key))
        return found
    if isinstance(value, list) and not above:
        return {path: each for position, item in enumerate(value) for path, each in flat(item, str(position)).items()}
    if isinstance(value, list) and any(isinstance(each, dict | list) for each in value):
        return {above: None}
    return {above: value}
