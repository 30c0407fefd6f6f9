"""OpenAI's chat shape, which most others read too: `messages` of role and content, weight 0 on what is not trained.

Source: OpenAPI `FineTuneChatRequestInput` and the supervised fine-tuning guide of developers.openai.com; file limit from
openai-python src/openai/resources/files.py; that nothing says nothing from the cookbook, "Data preparation and analysis for
chat model fine-tuning". A chat that ends with the user or repeats a role is allowed there.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from pipeline.writing.chat import Example, Fault, Format, Row, texts_of_messages, tools_beside, weighted_messages_of
from pipeline.writing.conformance import Messages, key_faults, message_faults, tool_faults

ASKED: Final = Messages(
    roles=("system", "developer", "user", "assistant", "tool", "function"),
    more_keys=("name", "refusal", "function_call"),
    weight="honoured",
    tools=True,
    user_first=False,
    alternates=False,
    assistant_last=False,
)


def rows(example: Example) -> Iterator[Row]:
    """One row; its faults tell when no answer should be trained.

    >>> from pipeline.writing.chat import Turn
    >>> [row.content for row in rows(Example([Turn("t0", "user", "Hi"), Turn("t1", "assistant", "Hello.")]))]
    [{'messages': [{'role': 'user', 'content': 'Hi'}, {'role': 'assistant', 'content': 'Hello.'}]}]
    """
    yield Row({"messages": weighted_messages_of(example), **tools_beside(example)})


def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """What the fine-tuning service refuses."""
    yield from key_faults(row, ("messages",), ("tools", "parallel_tool_calls", "functions"))
    if "messages" in row:
        yield from message_faults(row["messages"], ASKED)
    if "tools" in row:
        yield from tool_faults(row["tools"])


FORMAT: Final = Format(
    rows=rows,
    faults=faults,
    texts=texts_of_messages,
    tools=True,
    source="OpenAPI FineTuneChatRequestInput; openai-python src/openai/resources/files.py",
    read=date(2026, 11, 20),
    min_rows=10,
    max_file_bytes=512 * 1024 * 1024,
    default_max_tokens=65_536,
)
