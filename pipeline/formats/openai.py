"""OpenAI's chat shape, which most others read too: `messages` of role and content, weight 0 on what is not trained.

Source: OpenAPI `FineTuneChatRequestInput` and the supervised fine-tuning guide of developers.openai.com; file limit from
openai-python src/openai/resources/files.py; that nothing says nothing from the cookbook, "Data preparation and analysis for
chat model fine-tuning". A chat that ends with the user or repeats a role is allowed there.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from pipeline.writing.chat import Fault, Format, texts_of_messages, weighted_rows
from pipeline.writing.conformance import Messages, chat_faults

ASKED: Final = Messages(
    roles=("system", "developer", "user", "assistant", "tool", "function"),
    more_keys=("name", "refusal", "function_call"),
    weight="honoured",
    tools=True,
    system_first=False,
    user_first=False,
    alternates=False,
    assistant_last=False,
)


def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """What the fine-tuning service refuses."""
    yield from chat_faults(row, ASKED, ("parallel_tool_calls", "functions"))


FORMAT: Final = Format(
    rows=weighted_rows,
    faults=faults,
    texts=texts_of_messages,
    tools=True,
    source="OpenAPI FineTuneChatRequestInput; openai-python src/openai/resources/files.py",
    read=date(2026, 11, 20),
    min_rows=10,
    max_file_bytes=512 * 1024 * 1024,
    default_max_tokens=65_536,
)
