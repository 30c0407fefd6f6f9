"""Texts per second beside Presidio's AnalyzerEngine, with the same recognizers, tokenizer and context words, on one core.

    python benchmarks/scrub_speed.py SHARED_DATA [--texts 3000] [--out FILE]
    python benchmarks/scrub_speed.py SHARED_DATA --texts 0 --workers 2    # equal findings over everything there

Each set's distinct texts are shuffled with a fixed seed; both sides see the same texts, after 200 others to warm up. Findings
are compared text by text. Sets are shared out among the workers; speed is by CPU seconds. `texts_per_distinct_text` is what
`ticketmill scrub` gains on top by reading each distinct text once.
"""

import argparse
import csv
import gzip
import json
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from spacy.language import Language
from spacy.tokens import Doc

from pipeline.analysis.analyzer import WINDOW, Analyzer
from pipeline.recognizers import presidio

Result = TypeVar("Result")
COUNTRIES = ["us", "gb", "ca", "de", "fr", "au"]
MIN_SCORE = 0.4


@Language.component("lower_case_as_lemma")
def lower_case_as_lemma(document: Doc) -> Doc:
    """Give Presidio's context words something to compare: a blank pipeline has no lemmas."""
    for token in document:
        token.lemma_ = token.lower_
    return document


class Blank(SpacyNlpEngine):  # type: ignore[misc]  # untyped there
    """spaCy without a model, as both sides use it."""

    def load(self) -> None:
        """Make the pipeline."""
        nlp = spacy.blank("en")
        nlp.add_pipe("lower_case_as_lemma")
        self.nlp = {"en": nlp}


def sets(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Name and texts of every set, repetitions included."""
    with gzip.open(folder / "star_dialogues/dialogues.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield "star", [event["Text"] for line in lines for event in json.loads(line)["Events"] if event.get("Text")]
    for name, path, columns in (
        ("bitext", "bitext_support_qa/bitext_support_4514.csv.gz", ("instruction", "response")),
        ("banking77", "banking77/train.csv.gz", ("text",)),
        ("banking77_test", "banking77/test.csv.gz", ("text",)),
    ):
        with gzip.open(folder / path, "rt", encoding="utf-8", newline="") as lines:
            yield name, [row[column] for row in csv.DictReader(lines) for column in columns]
    with gzip.open(folder / "presidio_synth_pii/synth_dataset_v2.json.gz", "rt", encoding="utf-8") as file:
        yield "presidio_synth_pii", [row["full_text"] for row in json.load(file)]
    with gzip.open(folder / "fake_secrets/leaky_files.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield "fake_secrets", [text for line in lines if len(text := json.loads(line)["text"]) <= WINDOW]
    dialogues = json.loads((folder / "abcd_sample/abcd_sample.json").read_text("utf-8"))
    yield "abcd", [text for dialogue in dialogues for _, text in dialogue["original"]]
    for name in ("near_dup_records", "ingest_formats"):
        files = sorted(path for path in (folder / name).rglob("*") if path.is_file() and path.suffix != ".gz")
        lines_of = (path.read_text("utf-8", errors="replace").splitlines() for path in files)
        yield name, [line for lines in lines_of for line in lines if len(line) <= WINDOW]


def seconds(work: Callable[[str], Result], texts: list[str]) -> tuple[float, list[Result]]:
    """CPU seconds for all texts, and what came of each."""
    started = time.process_time()
    results = [work(text) for text in texts]
    return time.process_time() - started, results


def compared(shared: Path, wanted: str, count: int) -> dict[str, float]:
    """Findings and speed of both sides over texts of one set; a count of 0 is all of them."""
    recognizers = presidio.recognizers("en", COUNTRIES)
    ours = Analyzer(recognizers, "en", MIN_SCORE)
    registry = RecognizerRegistry(recognizers=recognizers, supported_languages=["en"])
    theirs = AnalyzerEngine(registry, Blank(), supported_languages=["en"], default_score_threshold=MIN_SCORE)
    all_texts = next(texts for name, texts in sets(shared) if name == wanted)
    texts = list(dict.fromkeys(all_texts))
    random.Random(1).shuffle(texts)  # noqa: S311  # a sample, not a secret
    warm, texts = texts[:200], texts[-count:]
    for text in warm:
        ours.analyze(text)
        theirs.analyze(text, "en")
    our_seconds, found = seconds(ours.analyze, texts)
    their_seconds, expected = seconds(lambda text: theirs.analyze(text, "en"), texts)
    differing = sum(
        sorted((s.entity_type, s.start, s.end, s.score) for s in one)
        != sorted((s.entity_type, s.start, s.end, s.score) for s in other)
        for one, other in zip(found, expected, strict=True)
    )
    return {
        "texts": len(texts),
        "differing": differing,  # must be 0
        "findings": sum(map(len, found)),
        "presidio_texts_per_second": round(len(texts) / their_seconds),
        "ours_texts_per_second": round(len(texts) / our_seconds),
        "times": round(their_seconds / our_seconds, 1),
        "texts_per_distinct_text": round(len(all_texts) / len(set(all_texts)), 2),
    }


def main() -> None:
    """Print the table and write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--texts", type=int, default=3000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    started = time.perf_counter()
    result: dict[str, dict[str, float]] = {}
    names = [name for name, _ in sets(arguments.shared)]
    with ProcessPoolExecutor(arguments.workers, get_context("spawn")) as pool:
        futures = {name: pool.submit(compared, arguments.shared, name, arguments.texts) for name in names}
        for name, future in futures.items():
            result[name] = future.result()
            print(name, json.dumps(result[name]), flush=True)
    if any(each["differing"] for each in result.values()):
        raise SystemExit("findings differ from Presidio's")
    wall = round(time.perf_counter() - started)
    print(f"{sum(each['texts'] for each in result.values())} texts in {wall} s")
    if arguments.out:
        recognizers = len(presidio.recognizers("en", COUNTRIES))
        report = {"recognizers": recognizers, "workers": arguments.workers, "wall_seconds": wall, "sets": result}
        arguments.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
