"""The language that people write in, guessed where nobody states it; offline, and equal for equal texts.

py3langid (Lui and Baldwin, "langid.py: An Off-the-shelf Language Identification Tool", ACL 2012); its model of 97 languages
comes in the wheel. A guess costs 10 to 30 microseconds.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final

from pipeline.reading.drafts import DraftTurn

ENOUGH_LETTERS: Final = 20
"""In fewer a guess is a coin: "ok thanks" is no language's own."""
READ_CHARACTERS: Final = 100
"""A guess improves little beyond, and costs as many times more."""
SURE: Final = 0.8
"""Probability below which nothing is said."""

_NO_WORDS: Final = re.compile(r"https?://\S+|\S+@\S+|[\d_#*=<>/\\|-]+")


def language_of(text: str) -> str | None:
    """ISO 639-1 code of the language of a text; null where it is too short, or nothing is likely enough.

    >>> language_of("Guten Tag, ich warte seit drei Wochen auf mein Paket."), language_of("ok thanks")
    ('de', None)
    """
    words = _NO_WORDS.sub(" ", text[: 2 * READ_CHARACTERS])[:READ_CHARACTERS]
    # one sign of a script without blanks says as much as three letters
    if sum(1 if sign < "\u0e00" else 3 for sign in words if sign.isalpha()) < ENOUGH_LETTERS:
        return None
    code, probability = _identifier()(words)
    return str(code) if probability >= SURE else None


def languages_of(turns: Sequence[DraftTurn]) -> list[str | None]:
    """The language of each turn; null where it is not known."""
    return [language_of(turn.text) for turn in turns]


def language_of_all(turns: Sequence[DraftTurn], each: Sequence[str | None]) -> str | None:
    """The language of a conversation: of most turns of its customers, or else of all people; `each` is that of each turn."""
    said = [(turn, code) for turn, code in zip(turns, each, strict=True) if turn.speaker in {"customer", "agent"}]
    for known in ([code for turn, code in said if code and turn.speaker == "customer"], [code for _, code in said if code]):
        if known:
            return max(dict.fromkeys(known), key=known.count)
    return language_of("\n".join(turn.text for turn, _ in said))


@cache
def _identifier() -> Callable[[str], tuple[Any, Any]]:
    # 0.5 s, and only ingest needs it; ships no types
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]  # noqa: PLC0415

    classify: Callable[[str], tuple[Any, Any]] = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True).classify
    return classify
