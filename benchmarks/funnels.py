"""Run the whole line over the public sets that `examples/` maps, and write the funnels the README shows.

    python benchmarks/funnels.py --shared ../shared

Writes benchmarks/results/funnels.json and prints the table in Markdown. The sets are not part of this repository:
`--shared` is the folder above `data/`.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[1]
BIN: Final = Path(sys.executable).parent
SETS: Final = {
    "star_dialogues": "star_dialogues",
    "abcd_sample": "abcd_sample",
    "bitext_support_qa": "bitext_support_qa",
    "banking77": "banking77",
    "zendesk_api": "ingest_formats/zendesk_api",
}


def run_line(name: str, received: Path, folder: Path) -> dict[str, Any]:
    """The funnel of one set: per stage what went in, what was kept, what was dropped and why, and the gate's verdict."""
    params = ["--params", str(ROOT / "params.yaml"), "--params", str(ROOT / "examples" / f"{name}.yaml")]
    line = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
    stages = [(stage, step["cmd"].split()[2:4]) for stage, step in line.items() if stage in line["gate"]["foreach"]]
    gates: dict[str, str] = {}
    seconds: dict[str, float] = {}
    for stage, (source, target) in stages:
        begun = time.perf_counter()
        command = [BIN / "ticketmill", stage, received if stage == "ingest" else folder / source, folder / target, *params]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)
        seconds[stage] = round(time.perf_counter() - begun, 2)
        gate = [
            BIN / "ticketmill",
            "gate",
            stage,
            folder / target,
            *params,
            "--reports",
            folder / "reports",
            "--passed",
            folder / "passed",
        ]
        judged = subprocess.run(gate, check=False, cwd=folder, capture_output=True, text=True)
        # a public set need not be fit for training: the verdict is shown, the line goes on
        gates[stage] = {0: "passed", 3: "failed"}[judged.returncode]
        print(f"{name}: {stage} {gates[stage]} {judged.stderr.strip()}", file=sys.stderr)
    ledger = subprocess.run(
        [BIN / "ticketmill", "ledger", folder / stages[-1][1][1], "--json"], check=True, cwd=folder, capture_output=True
    )
    return {"funnel": json.loads(ledger.stdout), "gates": gates, "seconds": seconds}


def table(funnels: dict[str, dict[str, Any]]) -> str:
    """The funnels in Markdown, one row per set."""
    rows = ["| set | conversations | dropped, by stage and reason | in the chat files |", "|---|---|---|---|"]
    for name, result in funnels.items():
        dropped = [
            f"{entry['stage']}: " + ", ".join(f"{reason} {count:,}" for reason, count in entry["dropped"].items())
            for entry in result["funnel"]
            if entry["dropped"]
        ]
        rows.append(f"| `{name}` | {result['funnel'][0]['given']:,} | {'; '.join(dropped)} | {result['funnel'][-1]['kept']:,} |")
    return "\n".join(rows)


def main() -> None:
    """Run the sets asked for, all by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("sets", nargs="*", default=list(SETS))
    arguments = parser.parse_args()
    funnels = {}
    for name in arguments.sets:
        with tempfile.TemporaryDirectory() as folder:
            funnels[name] = run_line(name, arguments.shared.resolve() / "data" / SETS[name], Path(folder))
    packages = {
        package: version(package) for package in ("polars", "presidio-analyzer", "datasketch", "great-expectations", "duckdb")
    }
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.system(), **packages}
    if arguments.sets == list(SETS):
        result = {"machine": machine, "sets": funnels}
        (ROOT / "benchmarks/results/funnels.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(table(funnels))


if __name__ == "__main__":
    main()
