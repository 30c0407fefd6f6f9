"""Fireworks: OpenAI's chat shape, the system text first or nowhere, weight 0 skips an answer.

Source: docs.fireworks.ai fine-tuning-models; 3 to 3,000,000 examples, under 150 MB when sent directly.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from pipeline.writing.chat import Fault, Format, texts_of_messages, weighted_rows
from pipeline.writing.conformance import Messages, chat_faults

ASKED: Final = Messages(
    roles=("system", "user", "assistant", "tool"),
    more_keys=("reasoning_content", "name"),
    weight="honoured",
    tools=True,
    user_first=False,
    alternates=False,
    assistant_last=False,
)


def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """What the service refuses."""
    yield from chat_faults(row, ASKED)


FORMAT: Final = Format(
    rows=weighted_rows,
    faults=faults,
    texts=texts_of_messages,
    tools=True,
    source="docs.fireworks.ai fine-tuning-models",
    read=date(2026, 11, 20),
    min_rows=3,
    max_rows=3_000_000,
    max_file_bytes=150 * 1000 * 1000,
)
