"""Public sets to every target: what is lost on the way into a format, and what its consumer would not train.

    python benchmarks/targets.py --shared ../shared --keep build/targets

Runs the line over STAR (with the agents' look-ups), bitext, ABCD and banking77, every format at once, and checks each file as
anybody's would be. banking77 has no answers, so an invented one for each of its topics answers every fifth question, and the
provider `nearest` answers what resembles those. `--keep` leaves the tables there, for benchmarks/consumers.py, which hands the
same files to the consumers' own code. Writes benchmarks/results/targets.json.
"""

import argparse
import csv
import gzip
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from checks.emit import files_of
from pipeline.formats import FORMATS
from pipeline.tables import Table
from pipeline.writing.splits import SPLITS
from pipeline.writing.training_file import Asked, check_file

ROOT: Final = Path(__file__).parents[1]
TICKETMILL: Final = Path(sys.executable).parent / "ticketmill"
SETS: Final = {
    "star_dialogues": ["star_dialogues", "star_look_ups"],
    "bitext_support_qa": ["bitext_support_qa"],
    "abcd_sample": ["abcd_sample", "abcd_look_ups"],
    "banking77": ["banking77"],
}
ANSWERED_OF: Final = 5
"""One question in so many of banking77 gets the invented answer of its topic."""

ANSWERED: Final = """
ingest:
  sources:
    answered:
      format: table
      path: .
      files: [answered.csv]
      pair: {question: text, answer: answer}
      topics: [category]
      fixed: {channel: chat, language: en, product: bank account}
"""
WRITTEN: Final = [name for name, format_ in FORMATS.items() if format_.needs is None]


def answered(source: Path, folder: Path) -> Path:
    """banking77 with every fifth question taken out into a file of answered ones."""
    folder.mkdir()
    with (folder / "answered.csv").open("w", encoding="utf-8", newline="") as out:
        pairs = csv.writer(out)
        pairs.writerow(["text", "answer", "category"])
        for name in ("train", "test"):
            with gzip.open(source / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            for row in rows[::ANSWERED_OF]:
                topic = row["category"].replace("_", " ").strip("?")
                pairs.writerow([row["text"], f"Open the app and choose help, then {topic}; it shows each step.", row["category"]])
            left = [row for place, row in enumerate(rows) if place % ANSWERED_OF]
            with gzip.open(folder / f"{name}.csv.gz", "wt", encoding="utf-8", newline="") as file:
                table = csv.DictWriter(file, list(rows[0]))
                table.writeheader()
                table.writerows(left)
    return folder


def run_line(name: str, received: Path, folder: Path) -> None:
    """Every stage from the delivery to the files of all formats."""
    given = [ROOT / "params.yaml", *(ROOT / "examples" / f"{each}.yaml" for each in SETS[name])]
    if name == "banking77":
        received = answered(received, folder / "received")
        given.append(folder / "answered.yaml")
        given[-1].write_text(ANSWERED, "utf-8")
    params = [argument for file in given for argument in ("--params", str(file))]
    params += ["--set", f"emit.formats={json.dumps(WRITTEN)}", "--set", "emit.card.pii_metrics=null", "--workers", "2"]
    tables = ["ingested", "scrubbed", "deduped", "generated", "validated", "chat"]
    source = received
    for stage, table in zip(("ingest", "scrub", "dedupe", "generate", "validate", "emit"), tables, strict=True):
        subprocess.run([TICKETMILL, stage, source, folder / table, *params], check=True, cwd=folder, stdout=subprocess.DEVNULL)
        source = folder / table
        print(f"{name}: {stage}", file=sys.stderr)


def measured(folder: Path) -> dict[str, Any]:
    """What each format holds and lost, and what its checker says of the files."""
    table = Table(folder / "chat")
    counts = table.manifest.counts
    return {
        "conversations_received": Table(folder / "ingested").manifest.total("kept"),
        "conversations_validated": Table(folder / "validated").manifest.total("kept"),
        "conversations_in_chat": table.manifest.total("kept"),
        "dropped_by_emit": table.manifest.reasons,
        "targets": {name: _target(folder / "chat" / name, name, counts) for name in WRITTEN},
    }


def _target(folder: Path, name: str, counts: dict[str, int]) -> dict[str, Any]:
    found: dict[str, int] = {}
    rows = 0
    manifest = folder / "manifest.json"
    length = json.loads(manifest.read_text("utf-8"))["max_tokens"] if manifest.exists() else None
    for split in SPLITS:
        for path in files_of(folder, split):
            report = check_file(path, Asked(name, length), 2)
            rows += report.rows
            for fault, count in report.counts.items():
                found[fault] = found.get(fault, 0) + count
    # three dialogues are no training set, which says nothing about their rows
    found.pop("too_few_rows", None)
    return {
        "rows": rows,
        "max_tokens": length,
        "rows_shortened": counts.get(f"{name}_rows_shortened", 0),
        "rows_left_out": sum(count for key, count in counts.items() if key.startswith(f"{name}_rows_left_out_")),
        "conversations_lost": sum(count for key, count in counts.items() if key.startswith(f"{name}_lost_")),
        "rows_cut": found.pop("too_long", 0),
        "rows_with_nothing_trained": found.pop("nothing_trained_after_cut", 0) + found.pop("dropped_for_length", 0),
        "other_faults": found,
    }


def main() -> None:
    """Run the sets asked for, all by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("sets", nargs="*", default=list(SETS))
    asked = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory() as scratch:
        root = (asked.keep or Path(scratch)).resolve()
        for name in asked.sets:
            (root / name).mkdir(parents=True)
            run_line(name, asked.shared.resolve() / "data" / name, root / name)
            results[name] = measured(root / name)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    machine = {
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "processor_seconds": round(spent.ru_utime + spent.ru_stime),
    }
    report = {"machine": machine, "sets": results}
    print(json.dumps(report, indent=1))
    if asked.sets == list(SETS):
        (ROOT / "benchmarks/results/targets.json").write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
