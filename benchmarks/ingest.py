"""How long ingest takes for a million turns of Zendesk-shaped JSON lines, and whether memory grows with the file.

    python -m benchmarks.ingest speed --turns 1000000
    python -m benchmarks.ingest memory --bytes 500000000 5000000000

Tickets are invented, ten comments each with all the fields that the API returns; one comment in ten is private. `speed` runs the
whole command with two workers; `memory` runs it over one file of each size, with texts of a page each, so that 5 GB are 70,000
tickets. Memory is that of all its processes together, seconds are those of the wall and of the processors, because only the
second hold on a busy machine. A scratch folder holds the file, about 1 kB a turn (8 kB for `memory`), and the table.
"""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import orjson
import yaml

from benchmarks.dedupe import machine, measured
from pipeline.tables import Table

ROOT: Final = Path(__file__).parents[1]
RESULTS: Final = ROOT / "benchmarks/results/ingest.json"
COMMENTS: Final = 10
PRIVATE: Final = 7
"""The place of the private one among them."""
WORDS: Final = """
order arrived late please help with the refund for my blue jacket number thanks tracking says delivered but nothing here today
could you check again soon hello support team account password reset email link expired
""".split()  # noqa: SIM905  # a list of forty literals reads worse
PAGE: Final = 20
"""How often the texts of `memory` say what those of `speed` say."""
MAPPING: Final = {
    "format": "zendesk", "path": ".", "files": ["*.jsonl"], "join": "file", "subject": "leave", "unknown_author": "refuse",
}  # fmt: skip


def tickets(times: int = 1) -> Iterator[dict[str, Any]]:
    """Invented tickets without end, the same in every run; each text stands there so many times."""
    draw = random.Random(1)  # noqa: S311  # invented text, no secret
    number = 0
    while True:
        opened = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
        asks, answers = number % 40_000, number % 50
        customer = {"id": 10_000_000 + asks, "name": f"Jo Fox{asks}", "email": f"jo{asks}@example.com", "role": "end-user"}
        agent = {"id": 500 + answers, "name": f"Al Roe{answers}", "email": f"al{answers}@example.com", "role": "agent"}
        comments = [_comment(number, place, (customer, agent)[place % 2], opened, draw, times) for place in range(COMMENTS)]
        yield {
            "url": f"https://desk.example.com/api/v2/tickets/{number}.json", "id": number, "external_id": None,
            "via": {"channel": "web", "source": {"from": {}, "to": {}}}, "created_at": f"{opened:%Y-%m-%dT%H:%M:%SZ}",
            "updated_at": f"{opened:%Y-%m-%dT%H:%M:%SZ}", "type": "question", "subject": "Help", "raw_subject": "Help",
            "description": comments[0]["body"], "priority": "normal", "status": "closed", "recipient": None,
            "requester": customer, "submitter": customer, "assignee": agent, "requester_id": customer["id"],
            "submitter_id": customer["id"], "assignee_id": agent["id"], "organization_id": None, "group_id": 1,
            "collaborator_ids": [], "tags": ["parcel", "refund"], "custom_fields": [{"id": 1, "value": None}],
            "satisfaction_rating": {"score": "good"}, "brand_id": 3, "comments": comments,
        }  # fmt: skip
        number += 1


def _comment(  # everything that differs from comment to comment
    ticket: int, place: int, author: dict[str, Any], opened: datetime, draw: random.Random, times: int
) -> dict[str, Any]:
    said = " ".join(draw.choices(WORDS, k=draw.randint(8, 30))) + draw.choice(["é", *"." * 19])
    text = "\n".join([said] * times)
    return {
        "id": ticket * 100 + place, "type": "Comment", "author_id": author["id"], "body": text, "plain_body": text,
        "html_body": f'<div class="zd-comment"><p>{text}</p></div>', "public": place != PRIVATE, "attachments": [],
        "audit_id": ticket * 100 + place, "via": {"channel": "web", "source": {"from": {}, "to": {}, "rel": None}},
        "created_at": f"{opened + timedelta(minutes=place):%Y-%m-%dT%H:%M:%SZ}",
        "metadata": {"system": {"client": "Mozilla/5.0", "ip_address": f"192.0.2.{ticket % 250}", "location": "Fenwick"}},
    }  # fmt: skip


def write(path: Path, turns: int = 0, size: int = 0) -> int:
    """A file of so many public comments, or of at least so many bytes; returns its bytes."""
    written = 0
    with path.open("wb") as file:
        for number, ticket in enumerate(tickets(PAGE if size else 1)):
            if (number * (COMMENTS - 1) >= turns) if turns else (written >= size):
                break
            written += file.write(orjson.dumps(ticket) + b"\n")
    return written


def ingest(scratch: Path, turns: int = 0, size: int = 0) -> dict[str, Any]:
    """One run over one file: what it read, how long it took, what it held."""
    received, target = scratch / "received", scratch / "ingested"
    for folder in (received, target):
        shutil.rmtree(folder, ignore_errors=True)
    received.mkdir()
    written = write(received / "tickets.jsonl", turns, size)
    params = scratch / "benchmark.yaml"
    params.write_text(yaml.safe_dump({"ingest": {"sources!": {"desk": MAPPING}}}))
    program = Path(sys.executable).with_name("ticketmill")
    found = measured(
        [program, "ingest", received, target, "--workers", "2", "--params", ROOT / "params.yaml", "--params", params],
        cwd=ROOT, env={**os.environ, "TICKETMILL_KEY": "0" * 64},
    )  # fmt: skip
    counts = Table(target).manifest.counts
    spoken = {name: count for name, count in counts.items() if name.startswith("turns_")}
    shutil.rmtree(target)
    return {
        "file_mb": round(written / 1e6), "tickets": counts["rows_kept"], "turns": sum(spoken.values()),
        "private_notes": counts.get("private_notes", 0), **found,
    }  # fmt: skip


def main() -> None:
    """Run one benchmark and put its result beside the other's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("speed").add_argument("--turns", type=int, default=1_000_000)
    commands.add_parser("memory").add_argument("--bytes", type=int, nargs="+", default=[500_000_000, 5_000_000_000])
    for each in commands.choices.values():
        each.add_argument("--scratch", type=Path, help="a folder with room for the file; the system's own without it")
        each.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    where = {**machine(), **{name: version(name) for name in ("orjson", "pyarrow")}}
    with tempfile.TemporaryDirectory(dir=given.scratch) as scratch:
        if given.command == "speed":
            found: Any = ingest(Path(scratch), turns=given.turns)
        else:
            found = [ingest(Path(scratch), size=size) for size in given.bytes]
    results = json.loads(given.out.read_text()) if given.out.exists() else {}
    results[given.command] = {"machine": where, "runs": found if isinstance(found, list) else [found]}
    given.out.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
