"""Damaged deliveries: does ingest ever end in a traceback, hang, or lose a row?

    python -m benchmarks.mutations --inputs 10000 --results benchmarks/results/mutations.json

Each input is one vendor's export of a known set, damaged once or twice with a seeded generator: cut off, bits flipped, encoded
anew, lines in another order, pieces repeated or taken out, values of another type, a value of many megabytes' length, or
another name. What may come of it: a table in which every row is kept, dropped or quarantined, or one clear SourceError.
"""

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson

from pipeline.errors import CurationError
from pipeline.tables import Table
from tests.pipeline.received import ingested
from tests.pipeline.sources.vendors import VENDORS, Files, Known, Message

KNOWN: Final = [
    Known(
        number,
        "Jo Fox",
        "Al Roe",
        [
            Message("customer", f"Hello, my tent {number} leaks — again 😀"),
            Message("agent", "He is rude.", is_note=True),
            Message("agent", "Could you send a photo? <b>"),
            Message("customer", "مرحبا, here it is"),
        ],
    )
    for number in range(1, 6)
]
HANG_SECONDS: Final = 20
HUGE: Final = 2 * 10**6
"""Longer than the limit on a row that the tests set (10^6 bytes)."""

Mutation = Callable[[bytes, random.Random], bytes]


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content) + 1)]


def _flip(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.randint(1, 8) if changed else 0):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _encode(content: bytes, chance: random.Random) -> bytes:
    return content.decode("utf-8", "replace").encode(
        chance.choice(["utf-16", "latin-1", "utf-8-sig", "cp1252", "utf-7"]), "replace"
    )


def _reorder(content: bytes, chance: random.Random) -> bytes:
    separator = chance.choice([b"\n", b",", b"{", b'"'])
    pieces = content.split(separator)
    chance.shuffle(pieces)
    return separator.join(pieces)


def _repeat(content: bytes, chance: random.Random) -> bytes:
    begin = chance.randrange(len(content) + 1)
    piece = content[begin : begin + chance.randint(1, 400)]
    return content[:begin] + piece * chance.randint(2, 4) + content[begin:]


def _take_out(content: bytes, chance: random.Random) -> bytes:
    begin = chance.randrange(len(content) + 1)
    return content[:begin] + content[begin + chance.randint(1, 60) :]


def _insert(content: bytes, chance: random.Random) -> bytes:
    begin = chance.randrange(len(content) + 1)
    return (
        content[:begin]
        + chance.choice([b"\x00", b'"', b"\xff\xfe", b"[[[[" * 400, b"\\ud800", b"\r", b"1e999", b"NaN"])
        + content[begin:]
    )


ODD: Final[tuple[Any, ...]] = (
    None, [], {}, [[]], {"a": {"b": []}}, True, -1, 0, 10**18, 1e300, "", " ", "\x00", "x" * 2000, "2026-13-45",
    [1, {"id": 2}], "null",
)  # fmt: skip


def _retype(content: bytes, chance: random.Random) -> bytes:
    """A value of another type somewhere in the JSON; other content is only flipped."""
    try:
        documents = [orjson.loads(line) for line in content.splitlines()] if b"\n" in content else [orjson.loads(content)]
    except orjson.JSONDecodeError:
        return _flip(content, chance)
    for document in chance.sample(documents, min(len(documents), 2)):
        value = document
        for _ in range(chance.randint(1, 8)):
            keys: list[Any] = (
                list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
            )
            if not keys:
                break
            key = chance.choice(keys)
            if chance.random() < 0.35 or not isinstance(value[key], dict | list):  # noqa: PLR2004  # a third on the way, else at the leaf
                value[key] = "y" * HUGE if chance.random() < 0.01 else chance.choice(ODD)  # noqa: PLR2004  # one in a hundred
                break
            value = value[key]
    return b"\n".join(map(orjson.dumps, documents))


MUTATIONS: Final[dict[str, Mutation]] = {
    "cut off": _cut,
    "bits flipped": _flip,
    "encoded anew": _encode,
    "reordered": _reorder,
    "repeated": _repeat,
    "taken out": _take_out,
    "inserted": _insert,
    "of another type": _retype,
}


def damaged(vendor: str, seed: int) -> tuple[Files, str]:
    """One damaged export and what was done to it."""
    chance = random.Random(f"{vendor}-{seed}")  # noqa: S311  # reproducible, not secret
    files = dict(VENDORS[vendor][0](KNOWN))
    kind = list(MUTATIONS)[seed % len(MUTATIONS)]
    name = chance.choice(sorted(files))
    files[name] = MUTATIONS[kind](files[name], chance)
    if chance.random() < 0.2:  # noqa: PLR2004  # a fifth is damaged twice
        files[name] = chance.choice(list(MUTATIONS.values()))(files[name], chance)
    if chance.random() < 0.03:  # noqa: PLR2004  # now and then a file has the wrong name
        files[chance.choice(["more.json", "more.csv", "more.jsonl"])] = files.pop(name)
    return files, kind


class _Hung(BaseException):
    """Reading took longer than anybody would wait."""


def _give_up(*_: object) -> None:
    raise _Hung


def fate(vendor: str, files: Files, scratch: Path) -> str:
    """What comes of an export: read, refused, or what must never be.

    Returns:
        "read", "refused", "lost rows", "hung", or "traceback" with the type of the error.
    """
    folder = scratch / "in"
    for path in (folder, scratch / "in_ingested"):
        shutil.rmtree(path, ignore_errors=True)
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(HANG_SECONDS)
    try:
        table = ingested(folder, VENDORS[vendor][1])
    except _Hung:
        return "hung"
    except CurationError:
        return "refused"
    except Exception as error:  # noqa: BLE001  # this is what is looked for
        return f"traceback {type(error).__name__}"
    finally:
        signal.alarm(0)
    return "read" if _is_accounted(table) else "lost rows"


def _is_accounted(table: Table) -> bool:
    counts = table.manifest.counts
    quarantined = table.manifest.total("quarantined")
    fates = counts["rows_kept"] + counts["rows_dropped"] + counts["rows_quarantined"]
    return counts["rows_read"] == fates and quarantined == counts["rows_quarantined"]


def run(inputs: int, first: int = 0) -> dict[str, Any]:
    """The fates of so many inputs, over all vendors in turn."""
    fates: dict[str, Counter[str]] = {vendor: Counter() for vendor in VENDORS}
    kinds: dict[str, Counter[str]] = {kind: Counter() for kind in MUTATIONS}
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(first, first + inputs):
            vendor = list(VENDORS)[(seed // len(MUTATIONS)) % len(VENDORS)]
            files, kind = damaged(vendor, seed)
            found = fate(vendor, files, Path(scratch))
            fates[vendor][found] += 1
            kinds[kind][found] += 1
            if found not in {"read", "refused"}:
                failures.append(f"{vendor} {seed} {kind}: {found}")
    return {
        "inputs": inputs,
        "failures": failures,
        "by_source": {vendor: dict(sorted(each.items())) for vendor, each in fates.items()},
        "by_damage": {kind: dict(sorted(each.items())) for kind, each in kinds.items()},
    }


def main() -> None:
    """Run and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--results", type=Path)
    given = parser.parse_args()
    result = run(given.inputs, given.first)
    if given.results:
        given.results.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    json.dump({key: result[key] for key in ("inputs", "failures")}, sys.stdout, indent=2)
    raise SystemExit(1 if result["failures"] else 0)


if __name__ == "__main__":
    main()
