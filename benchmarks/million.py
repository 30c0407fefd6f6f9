"""How long validate, emit and the file check take for a million conversations, and how much memory.

    python benchmarks/million.py --conversations 1000000 --workers 2 --targets openai,trl --out benchmarks/results/million.json

Every target is written by an emit of its own, then its files are checked as anybody's would be.

Conversations are invented: 2 to 8 turns of 4 to 40 words. Seconds of the wall and of the processors are both given, because
only the second holds on a busy machine; those of main pass alone or beside the workers, so the wall of two free cores lies
between half of all and main plus half of the workers. Memory is the largest of this process and its workers.
"""

import argparse
import json
import os
import random
import resource
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from checks.emit import files_of
from pipeline import emit, validate
from pipeline.key import Key
from pipeline.params import load_section
from pipeline.parts import Means
from pipeline.schema import GENERATED
from pipeline.stage import Outcome
from pipeline.tables import Table, new_table
from pipeline.writing.splits import SPLITS
from pipeline.writing.training_file import Asked, check_file

WORDS = """
order parcel late refund card lamp shoes blue size wrong shop door van week call mail please thanks today tomorrow where is
my the a we you it was not yet sent back left depot box broken invoice account change address delivery number help
wait check see
""".split()  # noqa: SIM905  # a list of fifty literals reads worse
ROWS_PER_PART = 20_000


def conversations(start: int, count: int) -> pl.DataFrame:
    """Invented conversations, the same for the same numbers."""
    draw = random.Random(start)  # noqa: S311  # invented text, no secret
    rows = []
    for number in range(start, start + count):
        name = f"desk-{number:016x}"
        opened = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number)
        turns = [
            {
                "turn_id": f"t{place}",
                "speaker": "agent" if place % 2 else "customer",
                "text": " ".join(draw.choices(WORDS, k=draw.randint(4, 40))) + ".",
                "sent_at": opened + timedelta(minutes=place),
                "author_key": None,
                "origin": "human",
                "generation": None,
            }
            for place in range(2 * draw.randint(1, 4))
        ]
        rows.append(
            {
                "conversation_id": name,
                "source": "desk",
                "source_file": "desk/log.jsonl",
                "source_row": number,
                "opened_at": opened,
                "channel": "chat",
                "language": "en",
                "product": None,
                "topics": [],
                "customer_key": f"customer-{number // 2}",
                "outcome": {"resolved": None, "csat": None, "reopened": None},
                "turns": turns,
                "cluster_id": name,
            }
        )
    return pl.DataFrame(rows, schema=dict(GENERATED))


def make_table(folder: Path, count: int) -> None:
    """A table as generate leaves it."""
    with new_table(folder, "generate", "benchmark", given=None) as writer:
        parts = []
        for number, start in enumerate(range(0, count, ROWS_PER_PART)):
            frame = conversations(start, min(ROWS_PER_PART, count - start))
            parts.append(writer.write(f"part-{number:05d}", {"start": str(start)}, Outcome(frame)))
        writer.publish(parts)


def check_all(root: Path, target: str, workers: int) -> None:
    """Check every training file of a target; a fault in one is a defect of ours."""
    for split in SPLITS:
        for path in files_of(root / "chat" / target / target, split):
            if not check_file(path, Asked(target), workers).is_sound:
                raise SystemExit(f"{target}: {path.name} is not sound")


def measured(name: str, work: Callable[[], Any]) -> Iterator[tuple[str, Any]]:
    """Run `work` in a process of its own, so that its memory is its own."""
    before = time.perf_counter()
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:  # noqa: BLE001  # a child of fork must never return into the parent's code
            traceback.print_exc()
            os._exit(1)
        with Path(os.environ["MILLION_USAGE"]).open("w", encoding="ascii") as file:
            mine, workers = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
            spent = [round(each.ru_utime + each.ru_stime, 1) for each in (mine, workers)]
            json.dump([*spent, mine.ru_maxrss // 1024, workers.ru_maxrss // 1024], file)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise SystemExit(f"{name}: failed")
    alone, together, own, worker = json.loads(Path(os.environ["MILLION_USAGE"]).read_text("ascii"))
    yield (
        name,
        {
            "wall_seconds": round(time.perf_counter() - before, 1),
            "processor_seconds": round(alone + together, 1),
            "processor_seconds_of_main": alone,
            "peak_megabytes_of_main": own,
            "peak_megabytes_of_largest_worker": worker,
        },
    )


def main() -> None:
    """Make the table, run each piece, write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--targets", default="openai,trl")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    params, means = [Path("params.yaml")], Means(Key(b"0123456789abcdef0123456789abcdef"), asked.workers)
    rules = load_section(validate.ValidateParams, "validate", params)
    targets = asked.targets.split(",")
    files = {
        name: load_section(emit.EmitParams, "emit", params, [f"emit.formats=[{name}]", "emit.card.pii_metrics=null"])
        for name in targets
    }
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        os.environ["MILLION_USAGE"] = str(root / "usage")
        maker = os.fork()  # polars' threads do not survive a fork, so this process never uses polars itself
        if maker == 0:
            make_table(root / "generated", asked.conversations)
            os._exit(0)
        os.waitpid(maker, 0)
        result = dict(measured("validate", lambda: validate.run(root / "generated", root / "validated", rules, means)))
        size = {}
        for name, section in files.items():
            chat = root / "chat" / name
            result |= measured(f"emit {name}", partial(emit.run, root / "validated", chat, section, means))
            result |= measured(f"check {name}", partial(check_all, root, name, asked.workers))
            size[name] = sum(path.stat().st_size for path in files_of(chat / name, "train")) // 1_000_000
            shutil.rmtree(chat)
        kept = Table(root / "validated").manifest.total("kept")
    report = {
        "conversations": asked.conversations,
        "kept": kept,
        "train_file_megabytes": size,
        "workers": asked.workers,
        "load_of_other_programs_at_end": round(os.getloadavg()[0], 1),
        **result,
    }
    print(json.dumps(report, indent=1))
    if asked.out:
        asked.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
