"""Write the sample that the repository ships: an invented outdoor shop, Harbour & Pine, as three help desks export it.

    python benchmarks/make_sample.py

writes the same files again, byte for byte (gzip members can differ between zlib builds, their content cannot):

    data/raw/received/harbour_desk/   Zendesk API pages: tickets, audits, side-loaded users
    data/raw/received/harbour_chat/   JSON lines, one chat per line, messages among other events
    data/raw/received/harbour_faq/    CSV, one question and its answer per row
    tests/data/sample_values.jsonl    every personal value of every conversation, by native id
    tests/data/sample_truth.json      how many conversations, turns, notes, bad rows and copies there are

Everybody in it is invented. Mail goes to example.com, .org and .net (RFC 2606), phone numbers end in 555-01xx (reserved
for fiction), addresses on the net are from RFC 5737, cards and IBANs are the test numbers that payment providers and
the IBAN registry print. What they say stands in
sample_phrases.yaml, who they are in sample_world.yaml, how they talk in sample_writing.py, the shapes of the exports in
sample_exports.py.
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

from sample_exports import EXPORTERS, Export, to_json
from sample_writing import Conversation, write_conversations

SEED: Final = 20260105
ROOT: Final = Path(__file__).parent.parent
RECEIVED: Final = Path("data/raw/received")
KEYS: Final = Path("tests/data")


def make_sample(root: Path) -> dict[str, Any]:
    """Write every file below `root` and return the truth about them."""
    draw = Random(SEED)  # noqa: S311  # the same sample for everybody, not a secret
    written = write_conversations(draw)
    truth: dict[str, Any] = {}
    answer_key: list[str] = []
    for source, exporter in EXPORTERS.items():
        ours = sorted((one for one in written if one.source == source), key=lambda one: (one.opened, one.native_id))
        export = exporter(ours, draw)
        for name, content in export.files.items():
            _write(root / RECEIVED / source / name, content)
        truth[source] = _count(ours, export)
        for one in ours:
            values = sorted(one.values | export.values.get(one.native_id, set()))
            entry = {"source": source, "native_id": one.native_id}
            answer_key.append(to_json({**entry, "values": [{"kind": kind, "value": value} for kind, value in values]}))
    _write(root / KEYS / "sample_values.jsonl", ("\n".join(answer_key) + "\n").encode())
    _write(root / KEYS / "sample_truth.json", (json.dumps(truth, indent=1, ensure_ascii=False) + "\n").encode())
    return truth


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _count(conversations: Sequence[Conversation], export: Export) -> dict[str, Any]:
    turns = [turn for one in conversations for turn in one.turns]
    return {
        "conversations": len(conversations),
        "turns": dict(sorted(Counter(turn.speaker for turn in turns if not turn.is_private).items())),
        "private_notes": sum(turn.is_private for turn in turns),
        "unanswered": sum(not one.is_answered for one in conversations),
        "thanks_last": sum(one.has_thanks_last for one in conversations),
        "placeholders": sum(one.has_placeholder for one in conversations),
        "opened": [min(one.opened for one in conversations).isoformat(), max(one.opened for one in conversations).isoformat()],
        "without_message": export.silent,
        "bad_rows": export.bad_rows,
        "topics": len({one.topic for one in conversations}),
        "languages": dict(sorted(Counter(one.customer.language for one in conversations).items())),
        "customers": len({one.customer.number for one in conversations}),
        "copies": [
            {"native_id": one.native_id, "copy_of": one.copy_of, "kind": one.copy_kind} for one in conversations if one.copy_of
        ],
    }


if __name__ == "__main__":
    counts = make_sample(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
    print(json.dumps({source: {**count, "copies": len(count["copies"])} for source, count in counts.items()}, indent=1))
