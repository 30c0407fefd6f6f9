"""How long the report takes over a million turns: the tables of a finished line, repeated under new ids.

    python benchmarks/report.py PROJECT FOLDER [TURNS]

PROJECT is a folder in which `make demo` ran; the large line is made in FOLDER. Writes benchmarks/results/report.json.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.tables import MANIFEST, Table, write_json

ROOT = Path(__file__).parents[1]
PER_PART = 30
"""Repetitions in one part."""

IDS = ("conversation_id", "cluster_id", "customer_key")


def repeated(frame: pl.DataFrame, numbers: range) -> pl.DataFrame:
    """The rows once per number, which is put behind every id."""
    ids = [name for name in IDS if name in frame.columns]
    return pl.concat(frame.with_columns(pl.col(name) + f"-{number}" for name in ids) for number in numbers)


def enlarge(line: list[Table], source: Path, target: Path, times: int) -> None:
    """Write every table of the line `times` times over."""
    before: str | None = None
    for table in line:
        folder = target / table.folder.relative_to(source)
        manifest: dict[str, Any] = json.loads((table.folder / MANIFEST).read_text("utf-8"))
        parts = []
        for part in table.manifest.parts:
            for start in range(0, times, PER_PART):
                numbers = range(start, min(start + PER_PART, times))
                name = f"part-{len(parts):05}"
                rows = {}
                for frame in part.files:
                    (folder / frame).mkdir(parents=True, exist_ok=True)
                    large = repeated(table.read(part, frame), numbers)
                    rows[frame] = large.height
                    large.write_parquet(folder / frame / f"{name}.parquet", compression="zstd")
                counts = {key: value * len(numbers) for key, value in part.counts.items()}
                reasons = {key: value * len(numbers) for key, value in part.reasons.items()}
                parts.append({"name": name, "inputs": {"-": name}, "rows": rows, "files": dict.fromkeys(part.files, ""),
                              "reasons": reasons, "counts": counts})  # fmt: skip
        write_json(folder / MANIFEST, {**manifest, "parts": parts, "extras": {}, "given_checksum": before})
        before = sha256((folder / MANIFEST).read_bytes()).hexdigest()


def main() -> None:
    """Make the line, time the command, write the result."""
    source, target = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    wanted = int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000  # noqa: PLR2004  # the third argument
    line = Table(source / "data/curated/chat").line()
    turns = line[1].scan().select(pl.col("turns").list.len().sum()).collect().item()
    times = -(-wanted // turns)
    enlarge(line, source, target, times)
    shutil.copytree(source / "data/curated/reports", target / "data/curated/reports", dirs_exist_ok=True)
    started = time.monotonic()
    subprocess.run(["ticketmill", "report"], cwd=target, check=True, env=os.environ, stdout=subprocess.DEVNULL)
    result = {
        "turns": turns * times,
        "conversations": line[1].manifest.total("kept") * times,
        "seconds": round(time.monotonic() - started, 1),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
        "cores": os.cpu_count(),
        "load_average_1_minute": round(os.getloadavg()[0], 1),
    }
    (ROOT / "benchmarks/results/report.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
