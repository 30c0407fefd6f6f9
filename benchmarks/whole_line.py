"""How long the six stages take together without a model, and how much memory: linear?

    PYTHONPATH=. python benchmarks/whole_line.py --turns 100000 300000 1000000 --out benchmarks/results/whole_line.json

Every command of the six stages as dvc.yaml has it, one after the other, over chats that `deliveries` invents; `scrub.models: []`.
Must, for a million turns on two cores: at most 5 minutes, at most 4 GB. Memory is that of a command and all its workers together.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from benchmarks.dedupe import machine, measured
from benchmarks.deliveries import ROOT, Project, chat, write
from pipeline.tables import Table

FILES = 100
STAGES = ("ingest", "scrub", "dedupe", "generate", "validate", "emit")
TURNS_PER_CHAT = sum(len(chat(number)["lines"]) for number in range(10_000)) / 10_000


def measure(turns: int) -> dict[str, Any]:
    """All stages over so many turns: each, and the sums."""
    per_file = round(turns / TURNS_PER_CHAT / FILES)
    with tempfile.TemporaryDirectory() as scratch:
        project = Project(Path(scratch) / "line", {"scrub.models": []})
        for day in range(FILES):
            write(project.received / f"day-{day:03d}.jsonl", range(day * per_file, (day + 1) * per_file))
        line = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
        stages = {name: measured(line[name]["cmd"].split(), cwd=project.folder, env=project.environment) for name in STAGES}
        ingested = Table(project.folder / "data/raw/ingested")
        read = ingested.scan().select(pl.col("turns").list.len().sum()).collect().item()
        kept = Table(project.folder / "data/curated/chat").manifest.total("kept")
    sums = {name: round(sum(stage[name] for stage in stages.values()), 1) for name in ("wall_s", "cpu_s")}
    return {
        "turns": read,
        "chats_kept": kept,
        **sums,
        "peak_mb": max(stage["peak_mb"] for stage in stages.values()),
        "stages": stages,
    }


def main() -> None:
    """Measure every size and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, nargs="+", default=[100_000, 300_000, 1_000_000])
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    result = {"machine": machine(), "runs": [measure(turns) for turns in asked.turns]}
    print(json.dumps(result, indent=1))
    if asked.out:
        asked.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
