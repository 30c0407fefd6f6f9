"""A chat table of invented conversations with ratings and rejected answers, for benchmarks/trainers.py.

python -m benchmarks.preferences build/preferences
"""

import argparse
from pathlib import Path

import polars as pl

from pipeline import emit
from pipeline.key import Key
from pipeline.params import load_section
from pipeline.parts import Means
from pipeline.schema import GENERATED, REJECTED, VALIDATED, empty
from pipeline.stage import Outcome
from pipeline.tables import Table, new_table
from tests.build import conversation, conversations

ROWS = 200
FORMATS = "emit.formats=[trl,trl_prompt_completion,kto,trl_dpo]"


def main() -> None:
    """Make the tables as generate and validate leave them, and emit the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    root = parser.parse_args().folder
    root.mkdir(parents=True)
    rows, texts = [], []
    for number in range(ROWS):
        row = conversation(number, f"Where is order {number}?", f"It left on day {number}.")
        row["outcome"]["csat"] = float(number % 2)
        row["turns"][-1]["turn_id"] = "a2"
        texts.append((row["conversation_id"], "t0", "too_short", f"No idea about {number}."))
        rows.append({**row, "cluster_id": row["conversation_id"], "tokens": 20, "synthetic": False, "edits": [], "flags": []})
    with new_table(root / "generated", "generate", "x", given=None) as writer:
        rejected = {"rejected": pl.DataFrame(texts, schema=dict(REJECTED), orient="row")}
        writer.publish([writer.write("part-00000", {"a": "a"}, Outcome(empty(GENERATED), beside=rejected))])
    with new_table(root / "validated", "validate", "x", given=Table(root / "generated")) as writer:
        writer.publish([writer.write("part-00000", {"a": "b"}, Outcome(conversations(rows, VALIDATED)))])
    params = load_section(emit.EmitParams, "emit", [Path("params.yaml")], [FORMATS, "emit.card.pii_metrics=null"])
    emit.run(root / "validated", root / "chat", params, Means(Key(b"0123456789abcdef0123456789abcdef")))


if __name__ == "__main__":
    main()
