"""Assess the public sets of `examples/` with the shipped params, and write what docs/readiness-examples.md tells of them.

    python benchmarks/readiness_examples.py --shared ../shared

Per set: the line from received files to chat files with its gates, `readiness assess` as on the first day, `readiness plant
--n 300`, and `readiness assess` again with what was planted and what the licence states. Nobody audits: that needs people.
Writes benchmarks/results/readiness_examples.json. The sets are not part of this repository: `--shared` is the folder above
`data/`.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.funnels import BIN, SETS, run_line  # noqa: E402  # after the path is set

ASSESSED: Final = ("star_dialogues", "bitext_support_qa", "banking77")

LICENCES: Final = {"star_dialogues": "MIT", "bitext_support_qa": "CDLA-Sharing-1.0", "banking77": "CC BY 4.0"}

SAID: Final = (
    "examples",
    "effective_examples",
    "inflation",
    "traffic_in_full_topics",
    "coverage",
    "coverage_gain_per_doubling",
    "marginal_gain",
    "agreement",
    "agreement_pairs",
    "value_agreement",
    "half_life_days",
    "outdated_share",
    "ungrounded_share",
    "volatile_share",
    "faq_share",
    "multi_turn_ratio",
    "context_dependence",
    "boundary_share",
    "refusal_share",
    "secrets",
    "repeated_residuals",
    "unique_share",
    "planted_shortfall",
    "recall_gap",
    "near_copies",
    "shared_between_splits",
    "lost_slices",
    "name_swap_gaps",
    "name_swap_changed",
    "synthetic_share",
    "largest_template_passes",
    "moved_over_time",
    "shift_over_time_p",
)
"""Measures of the whole set that the page speaks of."""

SHOWN_TOPICS: Final = 15
MISSED: Final = ("entity_type", "group", "oddity", "planted", "found")


def assess(name: str, folder: Path, *more: str) -> dict[str, Any]:
    """Verdict, row, what follows, why, topics and values of the line in `folder`."""
    out = folder / "readiness"
    params = ["--params", str(ROOT / "params.yaml"), "--params", str(ROOT / "examples" / f"{name}.yaml")]
    evidence = ["--set", f"readiness.evidence={folder / 'evidence'}"]
    lowest = ["--require", "do-not-fine-tune:privacy"]
    command = [BIN / "ticketmill", "readiness", "assess", folder / "data/curated/chat", *params, *evidence, *lowest, *more]
    subprocess.run([*command, "--out", out], check=True, cwd=folder, stdout=subprocess.DEVNULL)
    found = json.loads((out / "assessment.json").read_text("utf-8"))
    values = {each["measure"]: each for each in found["values"] if "topic" not in each}
    planted = found["tables"].get("planted_recall", [])
    return {
        "verdict": found["verdict"],
        "row": found["row"],
        "then": found["then"],
        "missing_evidence": sorted(found["missing_evidence"]),
        "because": sorted({each["do"] for topic in found["topics"] for each in topic["because"] if topic["row"] == found["row"]}),
        "values": {one: values[one].get("value", values[one].get("unknown")) for one in SAID if one in values},
        "topics": len(found["topics"]),
        "largest_topics": [
            {
                "topic": topic["topic"],
                "share": topic["share"],
                "then": topic["then"],
                "ahead": [f"{each['condition']} {each['measure']} {each['shown']}" for each in topic["ahead"]],
            }
            for topic in found["topics"][:SHOWN_TOPICS]
        ],
        "planted": sum(cell["planted"] for cell in planted),
        "missed": [{name: cell[name] for name in MISSED} for cell in planted if cell["found"] < cell["planted"]],
    }


def examine(name: str, received: Path, folder: Path) -> dict[str, Any]:
    """One set, from its received files to both assessments."""
    line = run_line(name, received, folder)
    first = assess(name, folder)
    params = ["--params", str(ROOT / "params.yaml"), "--params", str(ROOT / "examples" / f"{name}.yaml")]
    evidence = ["--set", f"readiness.evidence={folder / 'evidence'}"]
    command = [BIN / "ticketmill", "readiness", "plant", folder / "data/raw/ingested", "--n", "300", *params, *evidence]
    subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)
    stated = folder / "stated.yaml"
    terms = {"purpose": "research", "legal_basis": LICENCES[name], "retain_until": "none", "collected": "as published"}
    stated.write_text(yaml.safe_dump({"readiness": {"statements": {name: terms}}}), "utf-8")
    return {
        "conversations": line["funnel"][0]["given"],
        "gates": line["gates"],
        "first_day": first,
        "with_planted_and_stated": assess(name, folder, "--params", str(stated)),
    }


def main() -> None:
    """Run the sets asked for, all three by default; only these three together are written down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("sets", nargs="*", default=list(ASSESSED))
    arguments = parser.parse_args()
    found = {}
    for name in arguments.sets:
        with tempfile.TemporaryDirectory() as folder:
            found[name] = examine(name, arguments.shared.resolve() / "data" / SETS[name], Path(folder))
        print(json.dumps({name: found[name]}, indent=1))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "cpu_seconds": round(used.ru_utime + used.ru_stime)}
    if arguments.sets == list(ASSESSED):
        result = {"machine": machine, "sets": found}
        target = ROOT / "benchmarks/results/readiness_examples.json"
        target.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
