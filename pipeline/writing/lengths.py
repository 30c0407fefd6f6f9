"""What becomes of a row at the length where its consumer stops reading: the same judge for our rows and for anybody's."""

from collections.abc import Mapping
from typing import Any

from pipeline.tokens import TOKENS_PER_MESSAGE, counter
from pipeline.writing.chat import Format


def fault_of_length(format_: Format, row: Mapping[str, Any], limit: int, encoding: str) -> str | None:
    """The fault of a row without other faults at `limit` tokens, or None; one of conformance.FIXES.

    >>> from pipeline.formats.openai import FORMAT
    >>> said = [{"role": "user", "content": "one two three"}, {"role": "assistant", "content": "four five"}]
    >>> [fault_of_length(FORMAT, {"messages": said}, limit, "o200k_base") for limit in (10, 12, 99)]
    ['nothing_trained_after_cut', 'too_long', None]
    """
    texts = list(format_.texts(row))
    # a token is at least one byte, and a character at most four, so most rows need no counting
    if sum(len(text.content) * (1 if text.content.isascii() else 4) + TOKENS_PER_MESSAGE for text in texts) <= limit:
        return None
    count = counter(encoding)
    spent, first_trained = 0, None
    for text in texts:
        spent += TOKENS_PER_MESSAGE
        if text.trained and first_trained is None:
            first_trained = spent
        spent += count(text.content)
    if spent <= limit:
        return None
    if format_.over_length == "dropped":
        return "dropped_for_length"
    return "nothing_trained_after_cut" if first_trained is not None and first_trained >= limit else "too_long"
