"""What the packaged names model finds, misses and finds falsely, and how fast; writes `results/names.json`.

    python benchmarks/names.py --data ../shared/data

Sets that no training text came from: presidio_synth_pii, banking77 test, the STAR dialogues with an odd id, every fourth
bitext row, the ABCD sample. A labelled span counts as covered when findings, of whatever label, cover at least 60 % of
its characters: the scrub stage masks what is found, whichever name it found it under.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.recognizers.names import MODEL, NamesRecognizer

RESULTS = Path(__file__).parent / "results" / "names.json"
ENOUGH = 0.6
OUR_TYPES = {"PERSON", "GPE", "STREET_ADDRESS", "ORGANIZATION"}
PERSON_FIELDS = {"CustomerName", "HostName", "PatientName", "RenterName", "FullName", "UserName", "GuestName"}
TRULY_NAMED = frozenset(
    value
    for values in (
        "china;france;spain;austria;switzerland;germany;australia;japan;belgium;canada;mexico;finland;hungary;russia",
        "london;new york;seattle;leeds;kensington;durham;walton-on-the-naze;piccadilly circus;piccadilly;notting hill;bora bora",
        "toronto;valencia;munich;dublin;liverpool;philadelphia;detroit;united states;united kingdom;america;heathrow",
        "anna freeman;david miller;smith;jones;hawkings;freeman;miller;metro bank;fedex;ups;dhl;trustpilot;nandos;shell",
    )
    for value in values.split(";")
)
"""People, places and firms that banking77 test and bitext do name, judged by hand: findings, but not false ones."""

Marked = tuple[str, list[tuple[int, int, str]]]
Found = list[tuple[int, int, str]]


def find_all(recognizer: NamesRecognizer, texts: Sequence[str]) -> list[Found]:
    """Start, end and label of every finding, per text."""
    return [[(f.start, f.end, f.entity_type) for f in findings] for findings in recognizer.find_batch(texts)]


def share_covered(marked: Sequence[Marked], found: Sequence[Found]) -> dict[str, dict[str, float]]:
    """Per type: spans, share of them covered."""
    spans, covered = Counter[str](), Counter[str]()
    for (_, labels), findings in zip(marked, found, strict=True):
        hit = {i for start, end, _ in findings for i in range(start, end)}
        for start, end, label in labels:
            spans[label] += 1
            covered[label] += sum(i in hit for i in range(start, end)) >= ENOUGH * (end - start)
    return {label: {"spans": n, "covered": round(covered[label] / n, 4)} for label, n in sorted(spans.items())}


def character_precision(marked: Sequence[Marked], found: Sequence[Found], types: set[str] | None) -> float:
    """Share of found characters inside a labelled span; blanks and punctuation do not count."""
    inside = total = 0
    for (text, labels), findings in zip(marked, found, strict=True):
        gold = {i for start, end, label in labels if types is None or label in types for i in range(start, end)}
        hit = {i for start, end, _ in findings for i in range(start, end) if text[i].isalnum()}
        inside += len(hit & gold)
        total += len(hit)
    return round(inside / max(total, 1), 4)


def read_presidio(data: Path) -> list[Marked]:
    """Texts and labelled spans of presidio_synth_pii."""
    with gzip.open(data / "presidio_synth_pii/synth_dataset_v2.json.gz") as packed:
        return [
            (row["full_text"], [(s["start_position"], s["end_position"], s["entity_type"]) for s in row["spans"]])
            for row in json.load(packed)
        ]


def read_csv(path: Path) -> list[dict[str, str]]:
    """Rows of a gzipped CSV file."""
    with gzip.open(path) as packed:
        return list(csv.DictReader(io.TextIOWrapper(packed, encoding="utf-8", newline="")))


def read_star(data: Path) -> Iterator[tuple[list[str], set[str], set[str]]]:
    """Per dialogue that no training text came from: its messages, the names in its back-end keys, the cities."""
    with gzip.open(data / "star_dialogues/dialogues.jsonl.gz") as packed:
        for line in packed:
            dialogue = json.loads(line)
            if dialogue["DialogueID"] % 2 == 0:
                continue
            names, cities = set(), set()
            for event in dialogue["Events"]:
                for constraint in event.get("Constraints", []) if event.get("Action") == "query" else []:
                    for field, value in constraint.items():
                        for quoted in re.findall(r'"([^"]+)"', str(value)):
                            (names if field in PERSON_FIELDS else cities if field.endswith("City") else set()).add(quoted.strip())
            events = (e for e in dialogue["Events"] if e.get("Agent") == "User" and e.get("Action") == "utter")
            yield [e["Text"] for e in events if e.get("Text")], names - {""}, cities - {""}


def mark_known(texts: Sequence[str], values: dict[str, set[str]]) -> list[Marked]:
    """Every whole-word occurrence of a known value, longest first, without overlap."""
    marked = []
    for text in texts:
        spans: list[tuple[int, int, str]] = []
        for label, known in values.items():
            for value in sorted(known, key=len, reverse=True):
                for match in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", text, re.IGNORECASE):
                    if all(match.end() <= s or match.start() >= e for s, e, _ in spans):
                        spans.append((match.start(), match.end(), label))
        if spans:
            marked.append((text, spans))
    return marked


def star_known(data: Path) -> list[Marked]:
    """User turns of STAR that hold a name or a city of their dialogue's keys."""
    return [
        m
        for texts, names, cities in read_star(data)
        for m in mark_known(texts, {"PERSON": {n for n in names if len(n) > 1}, "CITY": cities})
    ]


def abcd_known(data: Path) -> list[Marked]:
    """Turns of the ABCD sample that hold the customer's name."""
    marked = []
    for dialogue in json.loads((data / "abcd_sample/abcd_sample.json").read_text("utf-8")):
        name = dialogue["scenario"]["personal"]["customer_name"]
        turns = [text for speaker, text in dialogue["original"] if speaker != "action"]
        marked += mark_known(turns, {"PERSON": {name, *name.split()}})
    return marked


def false_findings(texts: Sequence[str], found: Sequence[Found]) -> dict[str, Any]:
    """Findings in texts that hold hardly a name; those in TRULY_NAMED are counted apart."""
    values = Counter(
        f"{label}: {text[start:end]}" for text, findings in zip(texts, found, strict=True) for start, end, label in findings
    )
    real = sum(n for value, n in values.items() if value.partition(": ")[2].lower() in TRULY_NAMED)
    total = sum(values.values())
    return {
        "texts": len(texts),
        "findings_per_1000_texts": round(1000 * total / len(texts), 2),
        "of_these_true_per_1000_texts": round(1000 * real / len(texts), 2),
        "false_findings_per_1000_texts": round(1000 * (total - real) / len(texts), 2),
        "findings": dict(values.most_common()),
    }


def _seconds(texts: list[str], model: Path) -> tuple[float, float]:
    """By the clock, and of the processor."""
    recognizer = NamesRecognizer(model)
    recognizer.find_batch(texts[:20])
    began, used = time.perf_counter(), time.process_time()
    recognizer.find_batch(texts)
    return time.perf_counter() - began, time.process_time() - used


def turns_per_second(texts: list[str], processes: int, model: Path) -> dict[str, int]:
    """Distinct short turns; one onnxruntime thread per process, as the scrub stage runs it."""
    shares = [texts[i::processes] for i in range(processes)]
    with ProcessPoolExecutor(processes) as pool:
        taken = list(pool.map(_seconds, shares, [model] * processes))
    return {
        "by_the_clock": round(len(texts) / max(clock for clock, _ in taken)),
        "per_processor_second": round(len(texts) / sum(used for _, used in taken)),
    }


def seconds_to_load(model: Path) -> float:
    """From an imported recognizer to its first finding, in a process of its own."""
    code = (
        "import sys, time; from pathlib import Path; from pipeline.recognizers.names import NamesRecognizer;"
        "t = time.perf_counter();"
        "NamesRecognizer(Path(sys.argv[1])).find_batch(['hello']); print(time.perf_counter() - t)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(model)], check=True, capture_output=True, text=True, cwd=Path(__file__).parent.parent
    )
    return round(float(done.stdout), 2)


def measure(data: Path, model: Path, thresholds: dict[str, float] | None, *, speed: bool) -> dict[str, Any]:
    """Everything that stands in the results."""
    recognizer = NamesRecognizer(model, thresholds)
    presidio, star, abcd = read_presidio(data), star_known(data), abcd_known(data)
    in_presidio = find_all(recognizer, [text for text, _ in presidio])
    banking = [row["text"] for row in read_csv(data / "banking77/test.csv.gz")]
    bitext = [
        row["response"] for i, row in enumerate(read_csv(data / "bitext_support_qa/bitext_support_4514.csv.gz")) if i % 4 == 0
    ]
    result: dict[str, Any] = {
        "thresholds": recognizer.thresholds,
        "presidio_synth_pii": {
            "covered": {k: v for k, v in share_covered(presidio, in_presidio).items() if k in OUR_TYPES | {"ZIP_CODE"}},
            "character_precision_of_all_labels": character_precision(presidio, in_presidio, None),
            "character_precision_of_our_labels": character_precision(presidio, in_presidio, OUR_TYPES | {"ZIP_CODE"}),
        },
        "star_odd_dialogues": share_covered(star, find_all(recognizer, [text for text, _ in star])),
        "abcd_sample": share_covered(abcd, find_all(recognizer, [text for text, _ in abcd])),
        "banking77_test": false_findings(banking, find_all(recognizer, banking)),
        "bitext_answers": false_findings(bitext, find_all(recognizer, bitext)),
    }
    if speed:
        turns = list(dict.fromkeys(text for texts, _, _ in read_star(data) for text in texts))[:8000]
        result["speed"] = {
            "turns": len(turns),
            "mean_characters": round(sum(map(len, turns)) / len(turns), 1),
            "turns_per_second_1_core": turns_per_second(turns, 1, model),
            "turns_per_second_2_cores": turns_per_second(turns, 2, model),
            "seconds_to_load": seconds_to_load(model),
            "load_average_while_measured": round(os.getloadavg()[0], 1),
        }
    result["machine"] = {"processor": processor(), "cores": os.cpu_count(), "system": f"{platform.system()} {platform.machine()}"}
    result["versions"] = {
        "python": platform.python_version(),
        **{p: version(p) for p in ("onnxruntime", "tokenizers", "presidio-analyzer")},
    }
    return result


def processor() -> str:
    """Its name, as the system gives it."""
    info = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*:\s*(.*)", info.read_text()) if info.exists() else []
    return names[0] if names else platform.processor()


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--to", type=Path, default=RESULTS)
    parser.add_argument("--thresholds", type=json.loads, help='JSON, for example {"PERSON": 0.5}')
    parser.add_argument("--no-speed", action="store_true")
    arguments = parser.parse_args()
    result = measure(arguments.data, arguments.model, arguments.thresholds, speed=not arguments.no_speed)
    arguments.to.parent.mkdir(parents=True, exist_ok=True)
    arguments.to.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")
    for name in ("banking77_test", "bitext_answers"):
        result[name]["findings"] = dict(list(result[name]["findings"].items())[:40])
    print(json.dumps(result, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
