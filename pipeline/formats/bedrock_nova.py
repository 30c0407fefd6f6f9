"""Amazon Bedrock Nova: `bedrock-conversation-2024`, contents as lists of texts, speaker labels broken up.

Support logs are full of the labels that Nova reserves ("User:", "Bot:"); a zero-width space before the colon or inside the
brackets keeps the words and breaks the label. AWS's validators look for them anywhere in a text ("superuser:"), one of them in
any case; so does this one. They ask for 8 rows, 200 for Nova 2 Lite, and take 20,000. Nova 2 trains on no tools yet.
Source: AWS documentation, Nova data preparation, "Fine-tune Nova 2.0"; aws-samples/amazon-nova-samples
nova_ft_dataset_validator.py; amzn-nova-forge 1.4 dataset/dataset_validator/sft_dataset_validator.py (wants the schema version).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from pipeline.writing.chat import Example, Fault, Format, Row, Text, is_all_trained
from pipeline.writing.conformance import key_faults, turn_order_faults

SCHEMA: Final = "bedrock-conversation-2024"
RESERVED: Final = re.compile(r"(system|user|bot|assistant|thought)(:)|(<)(image|video|unk)>|(\[)(EOS)\]", re.IGNORECASE)
BREAK: Final = "\u200b"

OTHER_PARTS: Final = {"image", "video", "document", "reasoningContent"}
"""What a part may hold in place of text."""

TOOL_PARTS: Final = {"toolUse", "toolResult"}


def escape(text: str) -> str:
    r"""The text with every reserved label broken up.

    >>> escape("User: hi [EOS]") == "User\u200b: hi [\u200bEOS]"
    True
    """
    return RESERVED.sub(
        lambda match: "".join(part for part in (match[1], match[3], match[5]) if part) + BREAK + _rest(match), text
    )


def _rest(match: re.Match[str]) -> str:
    return match[2] or (f"{match[4]}>" if match[4] else f"{match[6]}]")


def rows(example: Example) -> Iterator[Row]:
    """One row.

    >>> from pipeline.writing.chat import Turn
    >>> [row.content["messages"] for row in rows(Example([Turn("t0", "user", "Hi"), Turn("t1", "assistant", "Hello.")]))]
    [[{'role': 'user', 'content': [{'text': 'Hi'}]}, {'role': 'assistant', 'content': [{'text': 'Hello.'}]}]]
    """
    if is_all_trained(example):
        system = {} if example.system is None else {"system": [{"text": escape(example.system)}]}
        messages = [{"role": turn.role, "content": [{"text": escape(turn.content)}]} for turn in example.turns]
        yield Row({"schemaVersion": SCHEMA, **system, "messages": messages})


def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """What the service refuses."""
    yield from key_faults(row, ("schemaVersion", "messages"), ("system", "toolConfig"))
    if row.get("schemaVersion", SCHEMA) != SCHEMA:
        yield Fault("schema_version_unknown", "schemaVersion")
    if row.get("toolConfig"):
        yield Fault("tools_not_supported", "toolConfig")
    if row.get("system"):
        yield from _text_faults(row["system"], "system")
    if "messages" in row:
        if not isinstance(row["messages"], list):
            yield Fault("not_a_list", "messages")
            return
        for place, message in enumerate(row["messages"]):
            content = message.get("content") if isinstance(message, dict) else None
            yield from _text_faults(content, f"messages[{place}].content")
            if isinstance(message, dict) and message.keys() - {"role", "content"}:
                yield Fault("message_key_unknown", f"messages[{place}]")
        yield from turn_order_faults(row["messages"], "messages", user="user", model="assistant", alternates=True)


def _text_faults(parts: Any, where: str) -> Iterator[Fault]:
    if not isinstance(parts, list) or not parts:
        yield Fault("content_missing" if parts is None else "content_not_text", where)
        return
    for place, part in enumerate(parts):
        text = part.get("text") if isinstance(part, dict) else None
        if isinstance(part, dict) and part.keys() & TOOL_PARTS:
            yield Fault("tools_not_supported", f"{where}[{place}]")
            continue
        if isinstance(part, dict) and part.keys() & OTHER_PARTS and "text" not in part:
            continue
        if not isinstance(text, str):
            yield Fault("content_not_text", f"{where}[{place}]")
        elif not text.strip():
            yield Fault("content_empty", f"{where}[{place}]")
        elif RESERVED.search(text):
            yield Fault("reserved_text", f"{where}[{place}]")


def texts_of(row: Mapping[str, Any]) -> Iterator[Text]:
    """The texts of all parts; the assistant's are trained."""
    for part in row.get("system") or ():
        yield Text(part["text"], trained=False)
    for message in row["messages"]:
        for part in message["content"]:
            yield Text(part.get("text", ""), message["role"] == "assistant")


FORMAT: Final = Format(
    rows=rows,
    faults=faults,
    texts=texts_of,
    source="docs.aws.amazon.com Nova data preparation; aws-samples/amazon-nova-samples; amzn-nova-forge 1.4",
    read=date(2026, 11, 29),
    min_rows=8,
    max_rows=20_000,
)
