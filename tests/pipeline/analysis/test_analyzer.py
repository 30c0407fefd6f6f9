"""The fast analysis finds what Presidio's AnalyzerEngine finds, no more and no less, without a network."""

import gzip
import json
import os
import socket
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from presidio_analyzer import AnalyzerEngine, EntityRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from spacy.language import Language
from spacy.tokens import Doc

from pipeline.analysis.analyzer import WINDOW, Analyzer
from pipeline.recognizers import RECOGNIZERS, presidio
from tests.pipeline.scrubbing import PATTERNS, ROOT

SHARED = Path(os.environ.get("TICKETMILL_SHARED", ROOT.parent / "shared")) / "data"
COUNTRIES = ["us", "gb", "ca", "de", "fr", "au", "in", "es", "it", "pl", "se"]


@Language.component("form_as_lemma")
def form_as_lemma(document: Doc) -> Doc:
    for token in document:
        token.lemma_ = token.lower_
    return document


class Blank(SpacyNlpEngine):  # type: ignore[misc]
    """Presidio's engine over the same tokenizer that the fast analysis uses."""

    def load(self) -> None:
        nlp = spacy.blank("en")
        nlp.add_pipe("form_as_lemma")
        self.nlp = {"en": nlp}


@cache
def recognizers() -> tuple[EntityRecognizer, ...]:
    own = [one for name in PATTERNS.recognizers if name != "presidio" for one in RECOGNIZERS[name]("en", COUNTRIES)]
    return (*presidio.recognizers("en", COUNTRIES), *own)


@cache
def fast() -> Analyzer:
    return Analyzer(recognizers(), "en", 0.3)


@cache
def reference() -> AnalyzerEngine:
    registry = RecognizerRegistry(recognizers=list(recognizers()), supported_languages=["en"])
    return AnalyzerEngine(registry, Blank(), supported_languages=["en"], default_score_threshold=0.3)


def by_presidio(text: str) -> list[tuple[str, int, int, float]]:
    return sorted((found.entity_type, found.start, found.end, found.score) for found in reference().analyze(text, "en"))


def by_us(text: str) -> list[tuple[str, int, int, float]]:
    return sorted((found.entity_type, found.start, found.end, found.score) for found in fast().analyze(text))


def sample() -> Iterator[str]:
    """Every so-and-so-manieth text of each set."""
    with gzip.open(SHARED / "star_dialogues/dialogues.jsonl.gz", "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if number % 150 == 0:
                yield from (event["Text"] for event in json.loads(line)["Events"] if event.get("Text"))
    with gzip.open(SHARED / "presidio_synth_pii/synth_dataset_v2.json.gz", "rt", encoding="utf-8") as file:
        yield from (row["full_text"] for row in json.load(file)[::6])
    with gzip.open(SHARED / "fake_secrets/leaky_files.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from (text for line in lines if len(text := json.loads(line)["text"]) <= WINDOW)
    for name, step in (("banking77/train.csv.gz", 100), ("bitext_support_qa/bitext_support_4514.csv.gz", 150)):
        with gzip.open(SHARED / name, "rt", encoding="utf-8") as lines:
            yield from (line.strip() for number, line in enumerate(lines) if number % step == 0)


def test_findings_equal_those_of_the_analyzer_engine_on_real_texts() -> None:
    texts = list(dict.fromkeys(sample()))
    assert len(texts) > 900
    assert {text: by_us(text) for text in texts} == {text: by_presidio(text) for text in texts}


@pytest.mark.parametrize(
    "text",
    [
        "M AB 123",
        "plate x. MUC-AB 1234E",
        "B-A-1",
        "vehicle registration ABC 123 D",
        "vehicle registration abc123d",
        "vehicle registration ABC-1-D",
        "AB 12 34 56 C",
        "#ab123456c",
        "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "Rx no. 1234567",
        "prescription number: RX-12345678",
    ],
)
def test_what_narrowly_meets_the_condition_of_a_pattern_is_found_as_by_the_analyzer_engine(text: str) -> None:
    assert by_us(text) == by_presidio(text) != []


PIECES = st.sampled_from(
    [
        *"0123456789 \n.,-/:@#+()[]_",
        *(
            "4111 1111 1111 1111",
            "212-867-5309",
            "crystal@mail.example.com",
            "my card",
            "account number is",
            "SSN",
            "078-05-1120",
            "M AB",
            "ABC",
            "rx no.",
        ),
        *(
            "DE89 3704 0044 0532 0130 00",
            "10.0.0.1",
            "::1",
            "aa:bb:cc:dd:ee:ff",
            "https://harbour.com/x",
            "IBAN",
            "driver license",
        ),
        *(
            "AB123456C",
            "A1234567",
            "12/05/2020",
            "passport",
            "İ",
            "ß",
            "\u0661\u0662\u0663",
            "\uff14\uff11",
            "phone",
            "call",
            "pin is",
            "Pa\u017f\u017fword is a-1",
            "order \u212a4711",
            "my last name crystal,",
            "crystal at harbour dot com",
            "😀",
            "שלום",
        ),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=12).map(" ".join) | st.lists(PIECES, max_size=12).map("".join))
def test_findings_equal_those_of_the_analyzer_engine_on_any_mixture(text: str) -> None:
    assert by_us(text) == by_presidio(text)


def test_no_socket_is_opened_and_no_suffix_list_is_cached(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_arguments: Any, **_more: Any) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    fresh = Analyzer(recognizers(), "en", 0.3)
    (found,) = [span for span in fresh.analyze("write to crystal@harbour.co.uk") if span.entity_type == "EMAIL_ADDRESS"]
    assert found.score == 1.0
    assert list(tmp_path.rglob("*")) == []


HOSTILE = {
    "digits": "7",
    "spaced digits": "7 ",
    "letters": "a",
    "letters and an at far off": "a" * 5000 + "@",
    "at signs": "@",
    "dots": "a.",
    "top-level domains": "co.",
    "dashes": "1-",
    "emoji": "😀",
    "right to left": "שלום 123 ",
    "names": "my name is ",
    "passwords": "password: ",
    "keys without end": "-----BEGIN PRIVATE KEY-----AAAA ",
    "spelled address": "a dot ",
    "streets": "12 north ",
    "colons": "a:",
    "addresses": "a@b.co ",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_turn_of_ten_windows_costs_less_than_three_seconds(name: str) -> None:
    text = (HOSTILE[name] * 10 * WINDOW)[: 10 * WINDOW]
    started = time.process_time()
    fast().analyze(text)
    assert time.process_time() - started < 3


def test_a_find_in_a_long_text_is_where_it_would_be_in_a_short_one() -> None:
    text = "x " * WINDOW + "crystal@harbour.co.uk" + " y" * WINDOW
    (span,) = [span for span in fast().analyze(text) if span.entity_type == "EMAIL_ADDRESS"]
    assert text[span.start : span.end] == "crystal@harbour.co.uk"


@pytest.mark.parametrize("offset", range(WINDOW - 25, WINDOW + 5, 4))
def test_a_find_on_the_edge_of_a_window_is_found_whole_and_once(offset: int) -> None:
    text = "x" * (offset - 1) + " crystal@harbour.co.uk " + "y " * 200
    spans = [span for span in fast().analyze(text) if span.entity_type == "EMAIL_ADDRESS"]
    assert [text[span.start : span.end] for span in spans] == ["crystal@harbour.co.uk"]


class Boom(EntityRecognizer):  # type: ignore[misc]
    """A recognizer that quotes the text when it fails."""

    def load(self) -> None:
        """Nothing to load."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:  # noqa: ARG002
        raise ValueError(text)


def test_a_recognizer_of_somebody_else_is_asked_as_it_is() -> None:
    with pytest.raises(ValueError, match="hello"):
        Analyzer([Boom(["PERSON"])], "en", 0.3).analyze("hello")
