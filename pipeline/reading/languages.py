"""The language that people write in, guessed where nobody states it; offline, and equal for equal texts.

py3langid (Lui and Baldwin, "langid.py: An Off-the-shelf Language Identification Tool", ACL 2012); its model of 97 languages
comes in the wheel. The model is walked here for thousands of texts at once, which costs a few microseconds a text where
py3langid's own `classify` takes 30; the sums are made in one order on every machine, which a BLAS does not promise.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import numpy as np

from pipeline.reading.drafts import DraftTurn

ENOUGH_LETTERS: Final = 20
"""In fewer a guess is a coin: "ok thanks" is no language's own."""
READ_CHARACTERS: Final = 100
"""A guess improves little beyond, and costs as many times more."""
SURE: Final = 0.8
"""Probability below which nothing is said."""
TEXTS_AT_ONCE: Final = 4096

_NO_WORDS: Final = re.compile(r"https?://\S+|\S+@\S+|[\d_#*=<>/\\|-]+")
_NO_LETTERS: Final = bytes(each for each in range(128) if not chr(each).isalpha())

Array = np.ndarray[Any, np.dtype[Any]]


def language_of(text: str) -> str | None:
    """ISO 639-1 code of the language of a text; null where it is too short, or nothing is likely enough.

    >>> language_of("Guten Tag, ich warte seit drei Wochen auf mein Paket."), language_of("ok thanks")
    ('de', None)
    """
    return languages_of([text])[0]


def languages_of(texts: Sequence[str]) -> list[str | None]:
    """The language of each text, as `language_of` says; many texts at once cost far less than one by one."""
    words = {text: _words(text) for text in texts}
    readable = list(dict.fromkeys(filter(None, words.values())))
    found: dict[bytes, str] = {}
    for start in range(0, len(readable), TEXTS_AT_ONCE):
        batch = readable[start : start + TEXTS_AT_ONCE]
        best, sure = _model().guess(batch)
        found |= {each: code for each, code, is_sure in zip(batch, best, sure, strict=True) if is_sure}
    return [found.get(words[text]) for text in texts]


def languages_of_conversations(conversations: Sequence[Sequence[DraftTurn]]) -> list[tuple[str | None, list[str | None]]]:
    """The language of each conversation, and of each of its turns; null where it is not known.

    That of a conversation is that of most turns of its customers, or else of all people, or else of all their words together.
    """
    guessed = iter(languages_of([turn.text for turns in conversations for turn in turns]))
    found = [(_most(turns, each := [next(guessed) for _ in turns]), each) for turns in conversations]
    open_ones = [
        "\n".join(turn.text for turn in turns if _is_person(turn)) if language is None else ""
        for turns, (language, _) in zip(conversations, found, strict=True)
    ]
    return [(language or all_, each) for (language, each), all_ in zip(found, languages_of(open_ones), strict=True)]


def _most(turns: Sequence[DraftTurn], each: Sequence[str | None]) -> str | None:
    said = [(turn, code) for turn, code in zip(turns, each, strict=True) if code and _is_person(turn)]
    known = [code for turn, code in said if turn.speaker == "customer"] or [code for _, code in said]
    return max(dict.fromkeys(known), key=known.count, default=None)


def _is_person(turn: DraftTurn) -> bool:
    return turn.speaker in {"customer", "agent"}


def _words(text: str) -> bytes:
    """What is read of a text, as the model wants it; nothing where that is too little."""
    words = _NO_WORDS.sub(" ", text[: 2 * READ_CHARACTERS])[:READ_CHARACTERS]
    if words.isascii():
        letters = len(words.encode().translate(None, _NO_LETTERS))
    else:  # one sign of a script without blanks says as much as three letters
        letters = sum(1 if sign < "\u0e00" else 3 for sign in words if sign.isalpha())
    if letters < ENOUGH_LETTERS:
        return b""
    return unicodedata.normalize("NFC", words.lower() if words.isupper() else words).encode("utf-8", "surrogatepass")


class _Model:
    """Naive Bayes over the byte sequences that a finite automaton finds, as py3langid has it."""

    def __init__(self) -> None:
        # 0.5 s, and only ingest needs it; ships no types
        from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]  # noqa: PLC0415

        given = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        self._codes = np.array(given.nb_classes)
        self._aliases: list[tuple[int, int]] = given._alias_pairs  # noqa: SLF001  # two columns of one language
        self._weights, self._priors = given.nb_ptc, given.nb_pc
        self._next = np.asarray(given.tk_nextmove)
        self._row = np.asarray(given.tk_row, np.int64) << 8
        self._feature = np.asarray(given.tk_output, np.int64)

    def guess(self, texts: Sequence[bytes]) -> tuple[list[str], list[bool]]:
        """The likeliest language of each text, and whether it is likely enough."""
        from scipy import sparse  # noqa: PLC0415  # 0.1 s, as above

        owners, features = self._visited(texts)
        pairs, counts = np.unique(owners * len(self._weights) + features, return_counts=True)
        owners, features = np.divmod(pairs, len(self._weights))
        seen, columns = np.unique(features, return_inverse=True)
        counted = sparse.csr_array((np.log1p(counts, dtype=np.float32), (owners, columns)), (len(texts), len(seen)))
        scores = counted @ self._weights[seen].astype(np.float32) + self._priors
        # as py3langid: the root of the length keeps probabilities of short and long texts alike
        scores /= np.sqrt([[len(text)] for text in texts], dtype=np.float32)
        np.exp(scores - scores.max(axis=1, keepdims=True), out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        for first, other in self._aliases:
            scores[:, first] += scores[:, other]
            scores[:, other] = 0
        return self._codes[scores.argmax(axis=1)].tolist(), (scores.max(axis=1) >= SURE).tolist()

    def _visited(self, texts: Sequence[bytes]) -> tuple[Array, Array]:
        """(number of the text, feature) of every feature found: the automaton takes one step in all texts at a time."""
        lengths = np.array([len(text) for text in texts])
        order = np.argsort(-lengths, kind="stable")
        letters = np.frombuffer(b"".join(texts), np.uint8)
        starts = (np.cumsum(lengths) - lengths)[order]
        longest_first = -lengths[order]
        state = np.zeros(len(texts), np.int64)
        owners, features = [], []
        for place in range(lengths.max()):
            left = int(np.searchsorted(longest_first, -place))  # texts longer than this
            state = self._next[self._row[state[:left]] + letters[starts[:left] + place]]
            feature = self._feature[state]
            (hits,) = np.nonzero(feature >= 0)
            owners.append(order[hits])
            features.append(feature[hits])
        return np.concatenate(owners), np.concatenate(features)


@cache
def _model() -> _Model:
    return _Model()
