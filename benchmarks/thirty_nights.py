"""Thirty nights of deliveries, ten of them killed: the tables end as if everything had come at once.

    PYTHONPATH=. python benchmarks/thirty_nights.py --chats-per-day 60 --out benchmarks/results/thirty_nights.json

Every night brings a file of new chats. Besides: late chats of an earlier day, a file delivered a second time, a corrected file
in the place of the old one, a corrected file beside the old one, a file cut off in the middle (mended four nights later), a
night without any file. On ten nights, drawn by chance, every process of the run is killed (SIGKILL) at a moment drawn by
chance, and the run is started again. The whole command runs, `ticketmill run` with every gate; `ticketmill ledger` after each.

Fails unless: every ledger is 0; exactly the damaged file is set aside, and only while it is; every file below data/ is, byte for
byte, what one run over everything makes.
"""

import argparse
import gzip
import json
import random
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import psutil

from benchmarks.deliveries import SOURCE, Project, write

NIGHTS = 30
FORGETFUL, LATE, AGAIN, CORRECTED_IN_PLACE, CORRECTED_BESIDE, CUT_OFF, EMPTY, MENDED = 2, 6, 9, 13, 15, 18, 20, 22
TABLES = ("raw/ingested", *(f"curated/{name}" for name in ("scrubbed", "deduped", "generated", "validated", "chat")))

FEW_PLANTED: dict[str, Any] = {
    "gates.scrub.planted_ids_per_kind": 50,
    "gates.scrub.planted_names_per_group": 10,
    "gates.scrub.min_planted_ids_lower": 0.9,
    "gates.scrub.min_planted_names_lower": 0,
    "gates.scrub.max_planted_gap": 1,
}
"""They decide nothing that is compared, and without them a night takes half the time."""


FEW_CHATS: dict[str, Any] = {"gates.emit.min_validation_rows": 0, "gates.emit.min_test_rows": 0}
"""Under some keys none of the first night's chats falls into a small split."""


def deliver(folder: Path, night: int, each: int) -> None:
    """What is received before that night."""
    own = range(night * each, (night + 1) * each)
    if night == EMPTY:
        return
    if night == CUT_OFF:
        write(folder / "whole", own)
        packed = gzip.compress((folder / "whole").read_bytes(), mtime=0)
        (folder / "whole").unlink()
        (folder / f"day-{night:02d}.jsonl.gz").write_bytes(packed[: len(packed) // 2])
        return
    write(folder / f"day-{night:02d}.jsonl", own[: each // 2] if night == FORGETFUL else own)
    if night == LATE:
        write(folder / "late.jsonl", range(FORGETFUL * each + each // 2, (FORGETFUL + 1) * each))
    if night == AGAIN:
        (folder / "again.jsonl").write_bytes((folder / "day-03.jsonl").read_bytes())
    if night == CORRECTED_IN_PLACE:
        write(folder / "day-10.jsonl", range(10 * each, 11 * each), edition=2)
    if night == CORRECTED_BESIDE:
        write(folder / "zz-corrected.jsonl", range(11 * each, 11 * each + each // 3), edition=2)
    if night == MENDED:
        write(folder / "whole", range(CUT_OFF * each, (CUT_OFF + 1) * each))
        (folder / f"day-{CUT_OFF:02d}.jsonl.gz").write_bytes(gzip.compress((folder / "whole").read_bytes(), mtime=0))
        (folder / "whole").unlink()


def kill_all(process: "subprocess.Popen[str]") -> None:
    """End the run and everything it started, as a power cut would."""
    try:
        every = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    except psutil.NoSuchProcess:
        every = []
    for each in every:
        try:
            each.kill()
        except psutil.NoSuchProcess:
            continue
    process.communicate()
    psutil.wait_procs(every, timeout=10)


def ledger_of(project: Project) -> int:
    """The sum of what does not balance; -1 for a ledger that refuses."""
    process = project.start("ledger", "--json")
    output, _ = process.communicate()
    return sum(entry["balance"] for entry in json.loads(output.splitlines()[0])) if process.returncode == 0 else -1


def set_aside(project: Project) -> list[str]:
    """The files that were quarantined as a whole."""
    frames = [pl.read_parquet(path, glob=False) for path in (project.folder / "data/raw/ingested/quarantined").glob("*.parquet")]
    rows = pl.concat(frames).filter(pl.col("reason") == "unreadable_file")
    return sorted(Path(file).name for file in rows["source_file"].unique())


def bytes_of(project: Project) -> dict[str, str]:
    """Every file of every table, by its path -> sha256."""
    files = (path for table in TABLES for path in (project.folder / "data" / table).rglob("*") if path.is_file())
    return {path.relative_to(project.folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files}


def at_once(line: Project, folder: Path, settings: dict[str, Any]) -> Project:
    """What one run makes of everything that was received, under the same key."""
    once = Project(folder, settings, line.folder)  # its code: the repository may have changed since the first night
    (once.folder / ".ticketmill").mkdir()
    (once.folder / ".ticketmill/key").write_bytes((line.folder / ".ticketmill/key").read_bytes())
    for path in line.received.iterdir():
        (once.received / path.name).write_bytes(path.read_bytes())
    if code := once.night()["exit_code"]:
        raise SystemExit(f"everything at once: exit {code}")
    return once


def main() -> None:
    """Run the nights, then everything at once, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chats-per-day", type=int, default=60)
    parser.add_argument("--nights", type=int, default=NIGHTS, help="fewer for a try")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--without-models", action="store_true", help="patterns only, and few planted values")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    draw = random.Random(asked.seed)  # noqa: S311  # no secret
    killed = sorted(draw.sample(range(asked.nights), asked.kills))
    settings: dict[str, Any] = {"ingest.sources": {"widget": {**SOURCE, "files": ["*.jsonl", "*.jsonl.gz"]}}, **FEW_CHATS}
    if asked.without_models:
        settings |= {"scrub.models": [], **FEW_PLANTED}
    faults: list[str] = []
    nights: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch:
        line = Project(Path(scratch) / "nightly", settings)
        usual = 30.0
        for night in range(asked.nights):
            deliver(line.received, night, asked.chats_per_day)
            note: dict[str, Any] = {"night": night}
            if night in killed:
                process = line.start("run")
                note["killed_after_seconds"] = round(usual * draw.uniform(0.05, 0.95), 1)
                time.sleep(note["killed_after_seconds"])
                note["killed_in_time"] = process.poll() is None
                kill_all(process)
            done = line.night()
            usual = done["wall_seconds"] if done["stages"] else usual
            note |= {name: done[name] for name in ("exit_code", "wall_seconds", "processor_seconds")}
            note |= {"ledger": ledger_of(line), "set_aside": set_aside(line)}
            expected = [f"day-{CUT_OFF:02d}.jsonl.gz"] if CUT_OFF <= night < MENDED else []
            if done["exit_code"] or note["ledger"] or note["set_aside"] != expected:
                faults.append(f"night {night}: {note}\n{done['output'][-2000:] if done['exit_code'] else ''}")
            nights.append(note)
            print(json.dumps(note), file=sys.stderr, flush=True)
        left, right = bytes_of(line), bytes_of(at_once(line, Path(scratch) / "at-once", settings))
        different = sorted(name for name in left.keys() | right.keys() if left.get(name) != right.get(name))
        faults += [f"differs: {name}" for name in different]
    result = {
        "chats_per_day": asked.chats_per_day,
        "names_model": not asked.without_models,
        "killed_nights": killed,
        "files_compared": len(left),
        "files_that_differ": len(different),
        "faults": len(faults),
        "nights": nights,
    }
    print(json.dumps({**result, "nights": len(nights)}, indent=1))
    if asked.out:
        asked.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    if faults:
        raise SystemExit("\n".join(faults))


if __name__ == "__main__":
    main()
