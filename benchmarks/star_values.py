"""Which of the values that STAR's agents typed into their look-ups can still be read in the scrubbed dialogues.

    python benchmarks/star_values.py SCRUBBED STAR_FOLDER [--out FILE]

STAR (arXiv 2010.11853) keeps what the user said as `Constraints` of `query` events. A value counts when it stands, in any
case, in the user's own messages of that dialogue; it is still present when it stands anywhere in the scrubbed text of the
dialogue. `as a word` asks for word boundaries, `anywhere` takes parts of other words too ("ben" in "benefit").
"""

import argparse
import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.tables import Table

PEOPLE = ("FullName", "CustomerName", "PatientName", "RenterName", "UserName", "HostName", "GuestName")
FIELDS = (*PEOPLE, "AccountNumber", "PIN", "DateOfBirth", "SecurityAnswer1", "SecurityAnswer2")
"""Fields about a person; the others say what is wanted: days, cities, dishes."""


def stated(dialogue: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(field, value) of a dialogue, each once as it was typed, that the user's messages hold."""
    said = [
        event["Text"].casefold()
        for event in dialogue["Events"]
        if event["Agent"] == "User" and event["Action"] in {"utter", "pick_suggestion"} and event.get("Text")
    ]
    seen = set()
    for event in dialogue["Events"]:
        for constraint in event.get("Constraints") or [] if event["Action"] == "query" else []:
            for field, typed in constraint.items():
                if field not in FIELDS or not isinstance(typed, str) or (field, typed) in seen:
                    continue
                seen.add((field, typed))
                value = typed.strip().strip('"').strip()
                if value and value != "null" and any(value.casefold() in text for text in said):
                    yield field, value


def main() -> None:
    """Print the shares and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scrubbed", type=Path)
    parser.add_argument("star", type=Path)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    scrubbed = Table(arguments.scrubbed)
    rows = scrubbed.previous().scan().select("conversation_id", "native_id").collect()
    native = dict(rows.select("native_id", "conversation_id").iter_rows())
    texts = dict(
        scrubbed.scan()
        .select("conversation_id", text=pl.col("turns").list.eval(pl.element().struct.field("text")).list.join("\n"))
        .collect()
        .iter_rows()
    )
    total, anywhere, as_word = Counter[str](), Counter[str](), Counter[str]()
    dialogues = set()
    with gzip.open(arguments.star / "dialogues.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            dialogue = json.loads(line)
            for field, value in stated(dialogue):
                conversation_id = native[str(dialogue["DialogueID"])]
                dialogues.add(conversation_id)
                text = texts[conversation_id].casefold()
                total[field] += 1
                if value.casefold() in text:
                    anywhere[field] += 1
                    as_word[field] += bool(re.search(rf"(?<!\w){re.escape(value.casefold())}(?!\w)", text))
    result = {
        "values": total.total(),
        "dialogues": len(dialogues),
        "present_anywhere": anywhere.total(),
        "present_as_word": as_word.total(),
        "gone_share": round(1 - as_word.total() / total.total(), 5),
        "gone_share_anywhere": round(1 - anywhere.total() / total.total(), 5),
        "by_field": {
            field: {"values": total[field], "present_anywhere": anywhere[field], "present_as_word": as_word[field]}
            for field in FIELDS
        },
    }
    print(json.dumps(result, indent=1))
    if arguments.out:
        arguments.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
