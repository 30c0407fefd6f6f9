"""Names of people, places, street addresses and organisations in free text, by the small model that ships with the package.

The model (`pipeline/models/names`, its card beside it; recipe in `training/names`) is a MiniLM encoder with int8 weights,
run by onnxruntime; nothing is downloaded. It reads every piece of a word together with its *shape*: whether it is written
lower, Title or UPPER, and whether it is the first of its line, for the encoder's own vocabulary knows neither.

Sources: Wang et al., "MiniLM", 2020 (arXiv 2002.10957); Devlin et al., "BERT", 2018 (arXiv 1810.04805).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
TOKENS_PER_RUN = 512
"""Tokens that the model reads in one run: enough for its multiplications to be fast, few enough for the processor's cache."""
TOKENS_AT_ONCE = 100_000
"""Tokens of the texts that are sorted by length together: bounds memory."""

Probabilities = npt.NDArray[np.float32]


class Window(NamedTuple):
    """Tokens [start, end) of a text, read in one go; of them the first `skip` only as what goes before the others."""

    start: int
    end: int
    skip: int


class Encoded(NamedTuple):
    """A text as the model reads it; the first and the last token are [CLS] and [SEP], whose offsets are (0, 0)."""

    ids: list[int]
    shapes: list[int]
    offsets: list[tuple[int, int]]
    words: list[int | None]
    """Number of the word that a token is a piece of; a punctuation mark is a word."""

    def framed(self, window: Window) -> tuple[list[int], list[int]]:
        """Ids and shapes of a window between [CLS] and [SEP]."""
        start, end, _ = window
        return [self.ids[0], *self.ids[start:end], self.ids[-1]], [0, *self.shapes[start:end], 0]


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

    Texts longer than a window are read in windows that overlap, and of every token the reading with most text around it
    counts. Windows of the same number of tokens are one run of the model. A text's findings depend on that text alone, not on
    the texts it is passed with: nothing is padded, and the ranges of the int8 activations are constants of the model.

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
    def tokenizer(self) -> Tokenizer:
        """Of the model's own, without padding or truncation."""
        tokenizer = Tokenizer.from_file(str(self.model / "tokenizer.json"))
        tokenizer.encode_special_tokens = True  # a customer may write [SEP]
        return tokenizer

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(
            str(self.model / "model.onnx"),
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=["SkipLayerNormFusion"],  # its kernel takes five times as long as the two it replaces
        )

    def __getstate__(self) -> dict[str, Any]:
        """Without the open session, so that a worker process may be handed the recognizer and opens its own."""
        return {key: value for key, value in self.__dict__.items() if key not in ("_session", "tokenizer")}

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts | None = None) -> list[RecognizerResult]:  # noqa: ARG002
        """Findings of the asked labels in one text, in order."""
        return [finding for finding in self.find_batch([text])[0] if finding.entity_type in entities]

    def find_batch(self, texts: Sequence[str]) -> list[list[RecognizerResult]]:
        """Findings of every text, in the order of the texts; a text that occurs twice is read once."""
        found: dict[str, list[RecognizerResult]] = {text: [] for text in texts}
        for some in self._encoded(text for text in found if any(map(str.isalpha, text))):
            for (text, encoded), probabilities in zip(some, self._probabilities([each for _, each in some]), strict=True):
                found[text] = list(_findings(text, self._hits(encoded, probabilities)))
        return [found[text] for text in texts]

    def _encoded(self, texts: Iterable[str]) -> Iterator[list[tuple[str, Encoded]]]:
        """Texts as the model reads them, so many at a time that memory is bounded."""
        some: list[tuple[str, Encoded]] = []
        tokens = 0
        for text in texts:
            some.append((text, encode(self.tokenizer, text)))
            tokens += len(some[-1][1].ids)
            if tokens >= TOKENS_AT_ONCE:
                yield some
                some, tokens = [], 0
        if some:
            yield some

    def _hits(self, encoded: Encoded, probabilities: Probabilities) -> list[Word]:
        """The words at or above the threshold of their label."""
        scores = 1.0 - probabilities[:, 0]
        if float(scores.max()) < min(self.thresholds.values()):
            return []
        begin, inside = probabilities[:, 1::2], probabilities[:, 2::2]
        best = (begin + inside).argmax(axis=1)
        hits = []
        for first, last in _words(encoded.words):
            strongest = first + int(scores[first:last].argmax())
            label = int(best[strongest])
            score = float(scores[strongest])
            if score >= self.thresholds[self.labels[label]]:
                start, end = encoded.offsets[first][0], encoded.offsets[last - 1][1]
                hits.append(Word(start, end, self.labels[label], score, bool(begin[first, label] > inside[first, label])))
        return hits

    def _probabilities(self, many: Sequence[Encoded]) -> list[Probabilities]:
        """Per text one row of tag probabilities per token."""
        by_length: dict[int, list[tuple[int, Window]]] = {}
        for number, each in enumerate(many):
            for window in self._windows(len(each.ids)):
                by_length.setdefault(window.end - window.start, []).append((number, window))
        rows: list[Probabilities] = [np.empty((len(each.ids), len(self.tags)), dtype=np.float32) for each in many]
        for tokens, same in by_length.items():
            at_once = max(1, TOKENS_PER_RUN // (tokens + 2))
            for first in range(0, len(same), at_once):
                some = same[first : first + at_once]
                framed = [many[number].framed(window) for number, window in some]
                for (number, window), read in zip(some, self._run(framed), strict=True):
                    rows[number][window.start + window.skip : window.end] = read[1 + window.skip : -1]
        for row in rows:
            row[[0, -1]] = np.eye(1, len(self.tags), dtype=np.float32)  # [CLS] and [SEP] are nobody's name
        return rows

    def _windows(self, tokens: int) -> Iterator[Window]:
        """Of a text of that many tokens; [CLS] and [SEP] frame every window."""
        body = self.window - 2
        for start in range(1, max(2, tokens - 1 - self.overlap), body - self.overlap):
            skip = 0 if start == 1 else self.overlap // 2  # the window before saw more of what goes before these
            yield Window(start, min(start + body, tokens - 1), skip)

    def _run(self, framed: Sequence[tuple[list[int], list[int]]]) -> Probabilities:
        ids, shapes = (np.array(column, dtype=np.int64) for column in zip(*framed, strict=True))
        logits: Probabilities = self._session.run(["logits"], {"input_ids": ids, "token_type_ids": shapes})[0]
        powers: Probabilities = np.exp(logits - logits.max(axis=2, keepdims=True))
        result: Probabilities = powers / powers.sum(axis=2, keepdims=True)
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
