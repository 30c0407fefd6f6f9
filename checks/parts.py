"""Measure a table part by part, and no part twice: what a gate counts in parts costs what is new.

What was counted in a part is remembered under a digest of everything that decides it: the bytes of its files as they lie on disk,
of the part it was made from, the code, and the bounds that say what to count. Numbers only. What is compared across parts is
compared anew every time. What else can be counted by itself, as the lines of a training file, is remembered in the same way.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, Final, Protocol

import polars as pl

from pipeline.tables import Part, Table, digest_of_package, translated_errors, write_json

Counts = Mapping[str, int | None]
"""What was counted in one part, by name; None where something could not be counted."""

CountPart = Callable[[Part, Part | None], Counts]
"""Counts in a part; the second is the part of the table before that it was made from, where there is one."""


Settled = Callable[[Counts], bool]
"""Whether counting the same another day would give the same."""


CountEach = Callable[[Sequence[int]], Iterable[Counts]]
"""Counts in the things of those numbers, in their order."""


class EachPart(Protocol):
    """Has every part of a table counted, in order, or whatever else can be counted by itself."""

    def __call__(
        self, table: Table, count: CountPart, decides: Sequence[Any] = (), is_settled: Settled = lambda _: True
    ) -> list[Counts]:
        """The counts of every part; `decides`: what they depend on beside files and code."""

    def of_each(self, decides: Sequence[Any], count: CountEach) -> list[Counts]:
        """The counts of each thing, of which `decides` holds what they depend on beside the code, as JSON values."""


class _EveryPart:
    """Counts every time."""

    def __call__(
        self,
        table: Table,
        count: CountPart,
        decides: Sequence[Any] = (),  # noqa: ARG002  # for one that remembers
        is_settled: Settled = lambda _: True,  # noqa: ARG002  # likewise
    ) -> list[Counts]:
        return [count(part, source) for part, source in with_sources(table, table.previous())]

    def of_each(self, decides: Sequence[Any], count: CountEach) -> list[Counts]:
        return list(count(range(len(decides))))


every_part: Final[EachPart] = _EveryPart()
"""Counts in every part, every time."""


class remembering:  # noqa: N801  # reads as what a gate does
    """Count what the file `memory` does not know, and leave there what this gate asked for alone."""

    def __init__(self, memory: Path) -> None:
        """Read the file; one that is missing or cut off knows nothing."""
        self._memory = memory
        self._known = _recall(memory)
        self._kept: dict[str, Counts] = {}

    def __call__(
        self, table: Table, count: CountPart, decides: Sequence[Any] = (), is_settled: Settled = lambda _: True
    ) -> list[Counts]:
        """The counts of every part."""
        before = table.previous()
        parts = with_sources(table, before)
        digests = [_decides(table, part, before, source, decides) for part, source in parts]
        return self._of_each(digests, lambda numbers: [count(*parts[number]) for number in numbers], is_settled)

    def of_each(self, decides: Sequence[Any], count: CountEach) -> list[Counts]:
        """The counts of each thing."""
        return self._of_each(decides, count, lambda _: True)

    def _of_each(self, decides: Sequence[Any], count: CountEach, is_settled: Settled) -> list[Counts]:
        names = [sha256(json.dumps([_code(), each], sort_keys=True).encode()).hexdigest() for each in decides]
        missing = [number for number, name in enumerate(names) if name not in self._known]
        known = {**self._known, **dict(zip((names[number] for number in missing), count(missing), strict=True))}
        found = [known[name] for name in names]
        self._kept |= {name: counts for name, counts in zip(names, found, strict=True) if is_settled(counts)}
        with translated_errors(self._memory):
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            write_json(self._memory, self._kept)
        return found


def ids_where(condition: pl.Expr, table: Table, columns: Sequence[str] = (), frame: str = "kept") -> Iterator[str]:
    """The ids of the conversations for which `condition`, over those columns, holds."""
    for part in table.manifest.parts:
        yield from table.read(part, frame, ["conversation_id", *columns]).filter(condition)["conversation_id"]


def dropped_ids(table: Table, reason: str | None = None) -> Iterator[str]:
    """The ids of dropped conversations, with their reasons; of one reason alone where that is named."""
    for part in table.manifest.parts:
        for conversation_id, why in table.read(part, "dropped", ["conversation_id", "reason"]).iter_rows():
            if reason in {None, why}:
                yield f"{conversation_id} ({why})"


def with_sources(table: Table, before: Table | None) -> list[tuple[Part, Part | None]]:
    """Every part, and the part of the table before that it was made from."""
    parts = {part.files["kept"]: part for part in before.manifest.parts} if before else {}
    return [
        (part, next((parts[digest] for digest in part.inputs.values() if digest in parts), None)) for part in table.manifest.parts
    ]


def _recall(memory: Path) -> dict[str, Counts]:
    try:
        known: dict[str, Counts] = json.loads(memory.read_bytes())
    except (OSError, ValueError):  # none yet, or cut off: counted again
        return {}
    return known


def _decides(table: Table, part: Part, before: Table | None, source: Part | None, decides: Sequence[Any]) -> list[Any]:
    files = [table.path(part, frame) for frame in sorted(part.files)]
    if before and source:
        files += [before.path(source, frame) for frame in sorted(source.files)]
    # the bytes that are there and not those that the manifest promises: a file changed by another hand is counted again
    return [asdict(part), [_digest(path) for path in files], [repr(each) for each in decides]]


@cache
def _code() -> list[str]:
    here = Path(__file__).parent
    return [digest_of_package(folder) for folder in (here, here.parent / "pipeline")]


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:  # whoever counts says what is missing
        return None
