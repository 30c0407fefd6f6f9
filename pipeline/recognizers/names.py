"""Names of people, places, street addresses and organisations in free text, by the small model that ships with the package.

The model (`pipeline/models/names`, its card beside it; recipe in `training/names`) is a MiniLM encoder with int8 weights,
run by onnxruntime; nothing is downloaded. It reads every piece of a word together with its *shape*: whether it is written
lower, Title or UPPER, and whether it is the first of its line, for the encoder's own vocabulary knows neither.

Sources: Wang et al., "MiniLM", 2020 (arXiv 2002.10957); Devlin et al., "BERT", 2018 (arXiv 1810.04805).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnxruntime  # type: ignore[import-untyped]
from presidio_analyzer import EntityRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NlpArtifacts
from tokenizers import Tokenizer

MODEL = Path(__file__).parent.parent / "models" / "names"
SHAPES = 6
"""lower, Title, UPPER; then the same three for the first piece of a line."""
INNER_MARKS = frozenset("-'\u2019.")
"""Marks that join the parts of one name when no blank is beside them: Jean-Luc, O'Brien, J.P."""

Probabilities = npt.NDArray[np.float32]


class Encoded(NamedTuple):
    """A text as the model reads it; the first and the last token are [CLS] and [SEP], whose offsets are (0, 0)."""

    ids: list[int]
    shapes: list[int]
    offsets: list[tuple[int, int]]
    words: list[int | None]
    """Number of the word that a token is a piece of; a punctuation mark is a word."""


class Word(NamedTuple):
    """A word at or above its threshold."""

    start: int
    end: int
    label: str
    score: float
    """Probability that the word belongs to any of the labels."""
    begins: bool
    """Whether it more likely starts a new name than goes on with one."""


def encode(tokenizer: Tokenizer, text: str) -> Encoded:
    """Ids, shapes and character offsets of all tokens of a text, however long."""
    encoding = tokenizer.encode(text)
    offsets: list[tuple[int, int]] = encoding.offsets
    if not text.isascii():  # the tokenizer drops combining accents; they belong to the letter before them
        offsets = [(start, _past_accents(text, end)) if start < end else (start, end) for start, end in offsets]
    shapes = []
    line_end_at = text.find("\n")
    at_start = True
    for start, end in offsets:
        if start == end:
            shapes.append(0)
            continue
        while 0 <= line_end_at < start:
            at_start, line_end_at = True, text.find("\n", line_end_at + 1)
        piece = text[start:end]
        shape = 0 if not piece[0].isupper() else 2 if len(piece) > 1 and piece.isupper() else 1
        shapes.append(shape + 3 if at_start else shape)
        at_start = False
    return Encoded(encoding.ids, shapes, offsets, encoding.word_ids)


def _past_accents(text: str, end: int) -> int:
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    return end


class NamesRecognizer(EntityRecognizer):
    """PERSON, LOCATION (city, region, country), STREET_ADDRESS and ORGANIZATION, found by the packaged model.

    A text's findings depend on that text alone, not on the texts it is passed with: int8 activations are scaled by their
    range over one run of the model, so each window of text is a run of its own. Texts longer than a window are read in
    windows that overlap, and of every token the reading with most text around it counts.

    Args:
        model: folder with model.onnx, tokenizer.json and config.json.
        thresholds: probability from which a word is a finding, per label; where not given, the model's own.
        threads: of onnxruntime within one run. 1 where stages run several worker processes.
        language: under which Presidio lists it; the model does the same for all.
    """

    def __init__(
        self, model: Path = MODEL, thresholds: Mapping[str, float] | None = None, threads: int = 1, language: str = "en"
    ) -> None:
        self.model = model
        self.threads = threads
        config = json.loads((model / "config.json").read_text("utf-8"))
        self.tags: list[str] = config["tags"]
        self.window: int = config["max_tokens"]
        self.overlap: int = config["overlap_tokens"]
        self.thresholds: dict[str, float] = {**config["thresholds"], **(thresholds or {})}
        self.labels = [tag[2:] for tag in self.tags if tag.startswith("B-")]
        if unknown := sorted(set(self.thresholds) - set(self.labels)):
            raise ValueError(f"thresholds for labels the names model does not have: {unknown}; it has {self.labels}")
        super().__init__(
            supported_entities=self.labels, name="NamesRecognizer", supported_language=language, version=config["version"]
        )

    def load(self) -> None:
        """Nothing: the weights are read when the first text comes, in the process that needs them."""

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        tokenizer = Tokenizer.from_file(str(self.model / "tokenizer.json"))
        tokenizer.encode_special_tokens = True  # a customer may write [SEP]
        return tokenizer

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(str(self.model / "model.onnx"), options, providers=["CPUExecutionProvider"])

    def __getstate__(self) -> dict[str, Any]:
        """Without the open session, so that a worker process may be handed the recognizer and opens its own."""
        return {key: value for key, value in self.__dict__.items() if key not in ("_session", "_tokenizer")}

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None) -> list[RecognizerResult]:  # noqa: ARG002
        """Findings of the asked labels in one text, in order."""
        return [finding for finding in self._find(text) if finding.entity_type in entities]

    def find_batch(self, texts: Sequence[str]) -> list[list[RecognizerResult]]:
        """Findings of every text, in the order of the texts; a text that occurs twice is read once."""
        found = {text: self._find(text) for text in dict.fromkeys(texts)}
        return [found[text] for text in texts]

    def _find(self, text: str) -> list[RecognizerResult]:
        if not any(map(str.isalpha, text)):
            return []
        encoded = encode(self._tokenizer, text)
        return list(_findings(text, self._hits(encoded)))

    def _hits(self, encoded: Encoded) -> list[Word]:
        """The words at or above the threshold of their label."""
        probabilities = self._probabilities(encoded)
        begin, inside = probabilities[:, 1::2], probabilities[:, 2::2]
        best = (begin + inside).argmax(axis=1)
        scores = 1.0 - probabilities[:, 0]
        hits = []
        for first, last in _words(encoded.words):
            strongest = first + int(scores[first:last].argmax())
            label = int(best[strongest])
            score = float(scores[strongest])
            if score >= self.thresholds[self.labels[label]]:
                start, end = encoded.offsets[first][0], encoded.offsets[last - 1][1]
                hits.append(Word(start, end, self.labels[label], score, bool(begin[first, label] > inside[first, label])))
        return hits

    def _probabilities(self, encoded: Encoded) -> Probabilities:
        """One row of tag probabilities per token."""
        n = len(encoded.ids)
        if n <= self.window:
            return self._run(encoded.ids, encoded.shapes)
        rows = np.zeros((n, len(self.tags)), dtype=np.float32)
        rows[:, 0] = 1.0
        body = self.window - 2  # [CLS] and [SEP] frame every window
        for start in range(1, n - 1 - self.overlap, body - self.overlap):
            end = min(start + body, n - 1)
            window = self._run([encoded.ids[0], *encoded.ids[start:end], encoded.ids[-1]], [0, *encoded.shapes[start:end], 0])
            skip = 0 if start == 1 else self.overlap // 2  # the window before saw more of what goes before these
            rows[start + skip : end] = window[1 + skip : -1]
        return rows

    def _run(self, ids: list[int], shapes: list[int]) -> Probabilities:
        feed = {"input_ids": np.array([ids], dtype=np.int64), "token_type_ids": np.array([shapes], dtype=np.int64)}
        logits: Probabilities = self._session.run(["logits"], feed)[0][0]
        powers: Probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
        result: Probabilities = powers / powers.sum(axis=1, keepdims=True)
        return result


def _words(words: list[int | None]) -> Iterator[tuple[int, int]]:
    """[first, last) token of each word."""
    first = 0
    for i in range(1, len(words) + 1):
        if i == len(words) or words[i] != words[first]:
            if words[first] is not None:
                yield first, i
            first = i


def _findings(text: str, hits: list[Word]) -> Iterator[RecognizerResult]:
    """Words of one label that stand together become one finding."""
    group: list[Word] = []
    for word in [*hits, None]:
        if group and (word is None or not _goes_on(text, group[-1], word)):
            start, end = group[0].start, group[-1].end
            while start < end and not text[start].isalnum() and text[start] != "#":
                start += 1
            while start < end and not (text[end - 1].isalnum() or text[end - 1] == "."):
                end -= 1
            if sum(c.isalnum() for c in text[start:end]) > 1:
                yield RecognizerResult(group[0].label, start, end, round(max(w.score for w in group), 4))
            group = []
        if word is not None:
            group.append(word)


def _goes_on(text: str, before: Word, word: Word) -> bool:
    """Whether a hit continues the finding of the hit before it."""
    if word.label != before.label:
        return False
    gap = text[before.end : word.start]
    if len(gap) == 1 and gap in INNER_MARKS:
        return True
    return not gap.strip() and "\n" not in gap and not (gap and word.begins)
