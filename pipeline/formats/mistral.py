"""Mistral's fine-tuning API: `messages`, the assistant last, weight 0 or 1, tool ids of exactly 9 letters or digits.

Source: mistral docs text-finetuning.mdx and _04_faq.md; mistral-finetune finetune/data/tokenize.py and
utils/validate_data.py (archived; 10 lines at least); 512 MB per training file.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from pipeline.writing.chat import Fault, Format, Text, texts_of_messages, weighted_rows
from pipeline.writing.conformance import Messages, chat_faults

ASKED: Final = Messages(
    roles=("system", "user", "assistant", "tool"),
    weight="honoured",
    tools=True,
    content_beside_calls="refused",
    call_id=r"[A-Za-z0-9]{9}",
)


def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """What its validator refuses; the messages may be called interactions."""
    yield from chat_faults(_named(row), ASKED)


def texts(row: Mapping[str, Any]) -> Iterator[Text]:
    """The contents; an assistant's are trained unless they weigh 0."""
    return texts_of_messages(_named(row))


def _named(row: Mapping[str, Any]) -> Mapping[str, Any]:
    if "interactions" not in row or "messages" in row:
        return row
    return {"messages" if key == "interactions" else key: value for key, value in row.items()}


FORMAT: Final = Format(
    rows=weighted_rows,
    faults=faults,
    texts=texts,
    tools=True,
    source="mistral docs text-finetuning.mdx; mistral-finetune finetune/data/tokenize.py, utils/validate_data.py",
    read=date(2026, 11, 20),
    min_rows=10,
    max_file_bytes=512 * 1000 * 1000,
    default_max_tokens=32_768,
)
