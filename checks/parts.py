"""Measure a table part by part, and no part twice: what a gate counts in parts costs what is new.

What was counted in a part is remembered under a digest of everything that decides it: the bytes of its files as they lie on disk,
of the part it was made from, the code, and the bounds that say what to count. Numbers only. What is compared across parts is
compared anew every time.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cache
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, Protocol

from pipeline.tables import Part, Table, digest_of_package, translated_errors, write_json

Counts = Mapping[str, int | None]
"""What was counted in one part, by name; None where something could not be counted."""

CountPart = Callable[[Part, Part | None], Counts]
"""Counts in a part; the second is the part of the table before that it was made from, where there is one."""


class EachPart(Protocol):
    """Has every part of a table counted, in order."""

    def __call__(
        self,
        table: Table,
        count: CountPart,
        decides: Sequence[Any] = (),
        is_settled: Callable[[Counts], bool] = lambda _: True,
    ) -> list[Counts]:
        """The counts of every part.

        `decides`: what the counts depend on beside files and code. `is_settled`: whether counting the same part another day
        would give the same.
        """


def every_part(
    table: Table,
    count: CountPart,
    decides: Sequence[Any] = (),  # noqa: ARG001  # for one that remembers
    is_settled: Callable[[Counts], bool] = lambda _: True,  # noqa: ARG001  # likewise
) -> list[Counts]:
    """Count in every part."""
    return [count(part, source) for part, source in _with_sources(table, table.previous())]


def remembering(memory: Path) -> EachPart:
    """Count in the parts that the file `memory` does not know, and leave there those of this table alone."""

    def each(
        table: Table, count: CountPart, decides: Sequence[Any] = (), is_settled: Callable[[Counts], bool] = lambda _: True
    ) -> list[Counts]:
        before = table.previous()
        known, kept = _recall(memory), {}
        found: list[Counts] = []
        for part, source in _with_sources(table, before):
            name = _digest_of(table, part, before, source, decides)
            counts = known[name] if name in known else count(part, source)
            found.append(counts)
            if is_settled(counts):
                kept[name] = counts
        with translated_errors(memory):
            memory.parent.mkdir(parents=True, exist_ok=True)
            write_json(memory, kept)
        return found

    return each


def _with_sources(table: Table, before: Table | None) -> list[tuple[Part, Part | None]]:
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


def _digest_of(table: Table, part: Part, before: Table | None, source: Part | None, decides: Sequence[Any]) -> str:
    files = [table.path(part, frame) for frame in sorted(part.files)]
    if before and source:
        files += [before.path(source, frame) for frame in sorted(source.files)]
    # the bytes that are there and not those that the manifest promises: a file changed by another hand is counted again
    said = json.dumps(
        [_code(), asdict(part), [_digest(path) for path in files], [repr(each) for each in decides]], sort_keys=True
    )
    return sha256(said.encode()).hexdigest()


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
