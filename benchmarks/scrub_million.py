"""How long `ticketmill scrub` takes for STAR-like turns, and how much memory.

    python benchmarks/scrub_million.py INGESTED_STAR --turns 1000000 --workers 2 --out benchmarks/results/scrub_million.json

INGESTED_STAR is the table of `ticketmill ingest ../shared/data/star_dialogues ... --params examples/star_dialogues.yaml`. Its
conversations are taken again and again until there are enough turns. In every copy the digits of longer numbers are drawn
anew and in each turn of a customer's with more than five words two neighbours change places, so that what people typed is
typed by nobody else; short turns and an agent's canned ones are repeated, as in life. The share of distinct turns is given.
"""

import argparse
import json
import os
import random
import re
import tempfile
from pathlib import Path

import polars as pl

from benchmarks.million import measured
from pipeline import scrub
from pipeline.key import Key
from pipeline.params import load_section
from pipeline.parts import Means
from pipeline.schema import INGESTED
from pipeline.stage import Outcome
from pipeline.tables import Table, new_table

ROWS_PER_PART = 5_000
"""As `ingest.rows_per_part` of params.yaml has it."""
NUMBER = re.compile(r"\d{4,}")
LONG = 5
"""Words; an answer of fewer is one that many give."""


def copied(conversations: pl.DataFrame, number: int) -> pl.DataFrame:
    """The conversations as other people might have had them; copy 0 is the original."""
    if not number:
        return conversations
    draw = random.Random(number)  # noqa: S311  # invented text, no secret
    rows = conversations.to_dicts()
    for row in rows:
        row["conversation_id"] = f"{row['conversation_id']}-{number}"
        for turn in row["turns"]:
            text = NUMBER.sub(lambda match: "".join(str(draw.randrange(10)) for _ in match.group()), turn["text"])
            words = text.split(" ")
            if turn["speaker"] == "customer" and len(words) > LONG:
                at = draw.randrange(len(words) - 1)
                words[at : at + 2] = reversed(words[at : at + 2])
            turn["text"] = " ".join(words)
    return pl.DataFrame(rows, schema=dict(INGESTED))


def make_table(star: Path, folder: Path, turns: int) -> None:
    """A table as ingest leaves it, with that many turns at least; writes their share of distinct ones beside it."""
    source = Table(star)
    original = pl.concat([source.read(part) for part in source.manifest.parts])
    copies = -(-turns // int(original["turns"].list.len().sum()))
    every = pl.concat([copied(original, number) for number in range(copies)])
    enough = every["turns"].list.len().cum_sum().search_sorted(turns) + 1
    every = every.head(int(enough))
    frames = [every.slice(start, ROWS_PER_PART) for start in range(0, every.height, ROWS_PER_PART)]
    with new_table(folder, "ingest", "benchmark", given=None) as writer:
        writer.publish([writer.write(f"part-{n:05d}", {"start": str(n)}, Outcome(kept=frame)) for n, frame in enumerate(frames)])
    texts = [frame["turns"].explode().struct.field("text") for frame in frames]
    counts = {"turns": sum(map(len, texts)), "distinct_in_their_part": sum(text.n_unique() for text in texts)}
    folder.with_suffix(".json").write_text(json.dumps(counts), "utf-8")


def main() -> None:
    """Make the table, scrub it, write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("star", type=Path)
    parser.add_argument("--turns", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    params, means = Path("params.yaml"), Means(Key(b"0123456789abcdef0123456789abcdef"), asked.workers)
    with_model = load_section(scrub.ScrubParams, "scrub", [params])
    sections = {"patterns": with_model.model_copy(update={"models": []}), "with_model": with_model}
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        os.environ["MILLION_USAGE"] = str(root / "usage")
        maker = os.fork()  # polars' threads do not survive a fork, so this process never uses polars itself
        if maker == 0:
            make_table(asked.star, root / "ingested", asked.turns)
            os._exit(0)
        if os.waitpid(maker, 0)[1]:
            raise SystemExit("no table could be made")
        result = json.loads((root / "ingested.json").read_text("utf-8"))
        for name, section in sections.items():
            result |= measured(name, lambda name=name, section=section: scrub.run(root / "ingested", root / name, section, means))  # type: ignore[misc]  # bound at once
    report = {**result, "workers": asked.workers, "load_of_other_programs_at_end": round(os.getloadavg()[0], 1)}
    print(json.dumps(report, indent=1))
    if asked.out:
        asked.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
