"""Hide real answers, let `nearest` answer, and look at both: on bitext and on STAR, through the real stages.

    python benchmarks/generate_hidden.py ../shared/data benchmarks/results/generate_hidden.json

Of every tenth conversation the last answer is hidden. Measured per set: the share answered; the share of exact
statements in answers (amounts, dates, numbers, links) that the conversation or the hidden answer bears out; and word F1
with the hidden answer. Beside it the baseline without grounding: the answer some other conversation got, drawn by id.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))

from pipeline.answering.acceptance import specifics
from pipeline.generate import GenerateParams, run
from pipeline.params import load_section
from pipeline.schema import DEDUPED
from pipeline.stage import Outcome
from pipeline.tables import Table, new_table
from tests.build import MEANS

ROOT = Path(__file__).parents[1]
SETS = ("bitext_support_qa", "star_dialogues")
WORD = re.compile(r"[^\W_]+")


def prepare(received: Path, name: str, folder: Path) -> Table:
    """The set, ingested, scrubbed and deduped."""
    command = [sys.executable, "-c", "from pipeline.cli import main; main()"]
    environment = {**os.environ, "TICKETMILL_KEY": "0" * 64, "PYTHONPATH": str(ROOT)}
    steps = [
        ("ingest", received / name, "ingested"),
        ("scrub", folder / "ingested", "scrubbed"),
        ("dedupe", folder / "scrubbed", "deduped"),
    ]
    for stage, source, target in steps:
        more = ["--params", str(ROOT / "params.yaml"), "--params", str(ROOT / "examples" / f"{name}.yaml")]
        subprocess.run([*command, stage, str(source), str(folder / target), *more], check=True, env=environment, cwd=folder)
    return Table(folder / "deduped")


def hide(table: Table, folder: Path) -> tuple[Path, dict[str, str]]:
    """The table with the last answer of every tenth conversation taken off, and those answers."""
    hidden: dict[str, str] = {}
    with new_table(folder / "hidden", "dedupe", "hidden", Table(folder / "scrubbed")) as writer:
        parts = []
        for part in table.manifest.parts:
            rows = table.read(part).to_dicts()
            for row in rows:
                turns, answer = list(row["turns"]), list[str]()
                while turns and turns[-1]["speaker"] == "agent":
                    answer.insert(0, turns.pop()["text"])
                if int(row["conversation_id"][-4:], 16) % 10 == 0 and answer and turns and turns[-1]["speaker"] == "customer":
                    row["turns"], hidden[row["conversation_id"]] = turns, "\n".join(answer)
            frame = pl.DataFrame(rows, schema=dict(DEDUPED))
            parts.append(writer.write(part.name, {part.name: part.files["kept"]}, Outcome(frame)))
        writer.publish(parts)
    return folder / "hidden", hidden


def f1(one: str, other: str) -> float:
    """Words in common, with repetitions: F1."""
    a, b = Counter(WORD.findall(one.casefold())), Counter(WORD.findall(other.casefold()))
    common = sum((a & b).values())
    return 2 * common / (sum(a.values()) + sum(b.values())) if common else 0.0


def mean(values: Iterable[float]) -> float | None:
    """Rounded; None of nothing."""
    numbers = list(values)
    return round(sum(numbers) / len(numbers), 3) if numbers else None


def borne_out(pairs: Iterable[tuple[str, str, str]]) -> float | None:
    """Of all exact statements in answers, the share that conversation or hidden answer bear out."""
    stated = supported = 0
    for answer, said, truth in pairs:
        claims = specifics(answer)
        stated, supported = stated + len(claims), supported + len(claims & (specifics(said) | specifics(truth)))
    return round(supported / stated, 3) if stated else None


def measure(received: Path, name: str, folder: Path) -> dict[str, Any]:
    """One set."""
    source, hidden = hide(prepare(received, name, folder), folder)
    chosen = load_section(
        GenerateParams,
        "generate",
        [ROOT / "params.yaml"],
        [f"generate.replies={folder / 'replies'}", "generate.provider=nearest"],
    )
    manifest = run(source, folder / "generated", chosen, MEANS)
    rows = Table(folder / "generated").scan().filter(pl.col("conversation_id").is_in(list(hidden))).collect().to_dicts()
    said = {row["conversation_id"]: "\n".join(turn["text"] for turn in row["turns"] if turn["origin"] == "human") for row in rows}
    given = {row["conversation_id"]: row["turns"][-1]["text"] for row in rows if row["turns"][-1]["origin"] == "synthetic"}
    ids = sorted(hidden)
    other = {each: hidden[ids[(place + len(ids) // 2) % len(ids)]] for place, each in enumerate(ids)}
    rejected = Table(folder / "generated").scan("rejected").group_by("reason").len().sort("reason").collect()
    return {
        "hidden": len(hidden),
        "answered": round(len(given) / len(hidden), 3),
        "f1": mean(f1(text, hidden[each]) for each, text in given.items()),
        "f1_baseline": mean(f1(other[each], hidden[each]) for each in given),
        "specifics_borne_out": borne_out((text, said[each], hidden[each]) for each, text in given.items()),
        "specifics_borne_out_baseline": borne_out((other[each], said[each], hidden[each]) for each in given),
        "rejected": dict(rejected.rows()),
        "fates": manifest.counts,
    }


def main(received: Path, results: Path) -> None:
    """Measure both sets and write."""
    report = {}
    for name in SETS:
        with tempfile.TemporaryDirectory() as folder:
            report[name] = measure(received.absolute(), name, Path(folder))
        print(name, json.dumps(report[name]), flush=True)
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
