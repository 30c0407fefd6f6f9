"""How much of what is personal scrub finds, on labelled texts of others; writes `results/pii.json`.

    python benchmarks/pii.py --data ../shared/data

presidio_synth_pii: twice, as the shipped params have it and with the types that they keep (TITLE, YEAR) counted as found.
fake_secrets: per file, upstream's number of lines with a usable secret (risk) and of lines that only tell something. The
labels name no lines, so the replaced lines of a file count as risk lines up to the number of those, and the rest as
informative ones. banking77 test and a quarter of the bitext answers hold hardly a detail: what is found there is listed by
row, offset and type; finds that a person judged to be true (`TRULY_NAMED`, and the order numbers, sums and contacts with
which bitext's placeholders were filled) are counted apart.
"""

import argparse
import csv
import gzip
import io
import json
import platform
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.names import TRULY_NAMED
from checks.pii.labelled import find_all, read, score
from pipeline.finding import Lists
from pipeline.params import load_section
from pipeline.scrub import ScrubParams, make_look
from pipeline.spans import Span

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results" / "pii.json"
FILLED_IN = {"ORDER_NUMBER", "ID_NUMBER", "ACCOUNT_NUMBER", "CREDIT_CARD", "EMAIL_ADDRESS", "PHONE_NUMBER", "URL"}
"""Types of what stands in bitext's answers instead of placeholders: made-up numbers and addresses, rightly found."""

CREDENTIALS = {"SECRET", "PASSWORD", "USER_NAME"}
"""Upstream counts the user beside a password among the lines with which one gets in."""

Find = Callable[[Sequence[str]], list[list[Span]]]


def read_csv(path: Path, column: str) -> list[str]:
    """One column of a gzipped CSV file."""
    with gzip.open(path) as packed:
        return [row[column] for row in csv.DictReader(io.TextIOWrapper(packed, encoding="utf-8", newline=""))]


def false_findings(texts: Sequence[str], find: Find, filled_in: set[str]) -> dict[str, Any]:
    """Finds per 1,000 texts, those judged true apart; the others by row, offset and type."""
    true, false = 0, []
    for row, (text, spans) in enumerate(zip(texts, find(texts), strict=True)):
        for span in spans:
            named = text[span.start : span.end].casefold().strip("'’").removesuffix("'s")  # noqa: RUF001  # the apostrophe people type
            if span.entity_type in filled_in or named in TRULY_NAMED:
                true += 1
            else:
                false.append([row, span.start, span.end, span.entity_type])
    return {
        "texts": len(texts),
        "true_per_1000_texts": round(1000 * true / len(texts), 2),
        "false_per_1000_texts": round(1000 * len(false) / len(texts), 2),
        "false": false,
    }


def secrets(path: Path, look: Find) -> dict[str, Any]:
    """Risk and informative lines of which something is replaced."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        files = [json.loads(line) for line in lines]
    risk = informative = 0
    missed = {}
    for file, spans in zip(files, look([file["text"] for file in files]), strict=True):
        text = file["text"]
        # all of them, overlapping or not: whatever takes the place of a longer find that holds a secret, the secret is gone
        credentials = [span for span in spans if span.entity_type in CREDENTIALS]
        replaced = {
            number for span in credentials for number in range(text.count("\n", 0, span.start), text.count("\n", 0, span.end) + 1)
        }
        lines_hit = len(replaced)
        if any(
            "\n" in text[span.start : span.end].strip() for span in credentials
        ):  # of a key over many lines upstream counts one
            lines_hit = len(credentials)
        covered = min(file["risk_lines"], lines_hit)
        risk += covered
        informative += min(file["informative_lines"], max(0, lines_hit - file["risk_lines"]))
        if covered < file["risk_lines"]:
            missed[file["path"]] = file["risk_lines"] - covered
    all_risk, all_informative = sum(file["risk_lines"] for file in files), sum(file["informative_lines"] for file in files)
    return {
        "risk_lines": all_risk,
        "risk_lines_masked": risk,
        "risk_share": round(risk / all_risk, 4),
        "informative_lines": all_informative,
        "informative_lines_masked": informative,
        "informative_share": round(informative / all_informative, 4),
        "missed_by_file": missed,
    }


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--to", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    params = load_section(ScrubParams, "scrub", [ROOT / "params.yaml"])
    look = make_look(params)
    kept = params.kept_types

    def find(texts: Sequence[str]) -> list[list[Span]]:
        return find_all(texts, look, Lists(), kept)

    labelled = read(arguments.data / "presidio_synth_pii/synth_dataset_v2.json.gz")
    texts = [row.text for row in labelled]
    began = time.process_time()
    shipped = score(labelled, find(texts)).to_json()
    seconds = time.process_time() - began
    every = score(labelled, find_all(texts, look, Lists())).to_json()
    bitext = read_csv(arguments.data / "bitext_support_qa/bitext_support_4514.csv.gz", "response")[::4]
    result = {
        "presidio_synth_pii": {"types_kept": sorted(kept), "shipped": shipped, "all_types": every},
        "processor_seconds_per_1000_texts": round(1000 * seconds / len(texts), 2),
        "fake_secrets": secrets(arguments.data / "fake_secrets/leaky_files.jsonl.gz", look),
        "banking77_test": false_findings(read_csv(arguments.data / "banking77/test.csv.gz", "text"), find, set()),
        "bitext_answers": false_findings(bitext, find, FILLED_IN),
        "versions": {"python": platform.python_version(), **{p: version(p) for p in ("presidio-analyzer", "onnxruntime")}},
    }
    arguments.to.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    for name in ("shipped", "all_types"):
        print(name, result["presidio_synth_pii"][name]["spans"])  # type: ignore[index]  # of this shape
    for name in ("fake_secrets", "banking77_test", "bitext_answers"):
        print(name, {key: value for key, value in result[name].items() if key != "false"})  # type: ignore[attr-defined]  # likewise


if __name__ == "__main__":
    main()
