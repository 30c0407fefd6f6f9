"""What a night costs: everything for the first time, 1 % new data, nothing new.

    PYTHONPATH=. python benchmarks/incremental.py --conversations 10000 60000 --out benchmarks/results/incremental.json

The whole command is measured, `ticketmill run`: DVC, stages, gates, ledger, report. Every file holds 1 % of the conversations, as
a daily export would. Must: 1 % new at most 5 % of the first run; nothing new at most 5 seconds. Seconds of the processors
are given too, because only they hold on a busy machine. The report on readiness is kept until `readiness.renew_after` of the rows
are new, so a night now and then costs it too: what it costs, and the share of a night with its part of that, are given beside.
"""

import argparse
import json
import os
import resource
import tempfile
from pathlib import Path
from typing import Any

import yaml

from benchmarks.deliveries import ROOT, Project, write

FILES = 100


def processor_seconds_of_assessing(project: Project) -> float:
    """What `ticketmill readiness assess` takes by itself; exit 3 is its verdict."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = project.start("readiness", "assess")
    output, _ = process.communicate()
    if process.returncode not in {0, 3}:
        raise SystemExit(output)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1)


def part_of_assessing() -> float:
    """How many times a night assesses, on average, when each brings 1 %."""
    renew_after: float = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))["readiness"]["renew_after"]
    return 1 / max(FILES * renew_after, 1)


def measure(conversations: int) -> dict[str, Any]:
    """Three nights over so many conversations, and what they cost."""
    per_file = conversations // FILES
    with tempfile.TemporaryDirectory() as scratch:
        project = Project(Path(scratch) / "line")
        for day in range(FILES):
            write(project.received / f"day-{day:03d}.jsonl", range(day * per_file, (day + 1) * per_file))
        nights: dict[str, Any] = {"everything": project.night()}
        write(project.received / f"day-{FILES:03d}.jsonl", range(FILES * per_file, (FILES + 1) * per_file))
        nights["one percent new"] = project.night()
        nights["nothing new"] = project.night()
        assessing = processor_seconds_of_assessing(project)
    for name, night in nights.items():
        output = night.pop("output")
        if night["exit_code"]:
            raise SystemExit(f"{name}: exit {night['exit_code']}\n{output[-3000:]}")
        kept = {each["stage"]: each["kept"] for each in night.pop("funnel")}
        night["kept"] = kept["emit"]
    full, new, idle = nights.values()
    return {
        "processors": os.cpu_count(),
        "load_of_other_programs_at_end": round(os.getloadavg()[0], 1),
        "one_percent_new_share_of_wall": round(new["wall_seconds"] / full["wall_seconds"], 4),
        "one_percent_new_share_of_processor": round(new["processor_seconds"] / full["processor_seconds"], 4),
        "processor_seconds_of_assessing_readiness": assessing,
        "one_percent_new_share_of_processor_with_its_part_of_assessing": round(
            (new["processor_seconds"] + assessing * part_of_assessing()) / full["processor_seconds"], 4
        ),
        "nothing_new_seconds": idle["wall_seconds"],
        **nights,
    }


def main() -> None:
    """Run three nights per size and write what they cost, each size as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, nargs="+", default=[10_000, 60_000])
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    result: dict[str, Any] = {}
    for conversations in asked.conversations:
        result[f"{conversations} conversations"] = measure(conversations)
        if asked.out:
            asked.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
