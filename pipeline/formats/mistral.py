"""Mistral's fine-tuning API: `messages`, the assistant last, weight 0 or 1, tool ids of exactly 9 letters or digits.

Source: mistral docs text-finetuning.mdx and _04_faq.md; mistral-finetune finetune/data/tokenize.py and
utils/validate_data.py (archived; 10 lines at least); 512 MB per training file. A row with tools trains its last message alone.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from pipeline.writing.chat import Example, Fault, Format, Row, Text, texts_of_messages, weighted_rows
from pipeline.writing.conformance import Messages, chat_faults

ASKED: Final = Messages(
    roles=("system", "user", "assistant", "tool"),
    weight="honoured",
    tools=True,
    content_beside_calls="refused",
    call_id=r"[A-Za-z0-9]{9}",
    tool_keys=("name", "description", "parameters"),
)


def rows(example: Example) -> Iterator[Row]:
    """One row of messages; none where tools leave the last answer alone to be trained, and that should not be learnt.

    >>> from pipeline.writing.chat import LookUp, Turn
    >>> asked, bot = Turn("t0", "user", "Hi"), Turn("t1", "assistant", "A bot.", trained=False)
    >>> looked_up = bot._replace(look_ups=[LookUp("t2", "track", (), "shipped")])
    >>> [len(list(rows(Example([asked, answer])))) for answer in (bot, looked_up, looked_up._replace(trained=True))]
    [1, 0, 1]
    """
    if example.turns[-1].trained or not any(turn.look_ups for turn in example.turns):
        yield from weighted_rows(example)


def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """What its validator refuses, and a row that trains nothing; the messages may be called interactions."""
    named = _named(row)
    found = list(chat_faults(named, ASKED))
    yield from found
    if not found and not any(text.trained for text in texts(row)):
        yield Fault("nothing_trained", "messages")


def texts(row: Mapping[str, Any]) -> Iterator[Text]:
    """The contents; an assistant's are trained unless they weigh 0, or stand before the last one of a row with tools."""
    named = _named(row)
    last = len(named["messages"]) - 1 if named.get("tools") else None
    for place, text in enumerate(texts_of_messages(named)):
        yield Text(text.content, text.trained and last in (None, place))


def _named(row: Mapping[str, Any]) -> Mapping[str, Any]:
    if "interactions" not in row or "messages" in row:
        return row
    return {"messages" if key == "interactions" else key: value for key, value in row.items()}


FORMAT: Final = Format(
    rows=rows,
    faults=faults,
    texts=texts,
    tools=True,
    source="mistral docs text-finetuning.mdx; mistral-finetune finetune/data/tokenize.py, utils/validate_data.py",
    read=date(2026, 11, 20),
    min_rows=10,
    max_file_bytes=512 * 1000 * 1000,
    default_max_tokens=32_768,
)
