"""axolotl, `type: chat_template`: messages of role and content; `training: false` on an answer that should not be learnt.

A row over `sequence_len` is dropped, and its default in the schema is 512: axolotl.json beside the files holds the length that
the rows were written for, and the mapping of their fields, to be laid into a config (JSON is YAML).

Source: axolotl 0.18 docs/dataset-formats/conversation.qmd, src/axolotl/utils/schemas/config.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from pipeline.writing.chat import (
    Calls,
    Example,
    Fault,
    Format,
    Row,
    Text,
    leading_part,
    texts_of_messages,
    tools_beside,
    weighted_messages_of,
)
from pipeline.writing.conformance import Messages, key_faults, message_faults, tools_or_json_faults

ASKED: Final = Messages(
    roles=("system", "user", "assistant", "tool"),
    more_keys=("training",),
    other_keys="ignored",
    tools=True,
    assistant_last=False,
)


CALLS: Final = Calls(content=True)


def rows(example: Example) -> Iterator[Row]:
    """One row of messages.

    >>> from pipeline.writing.chat import Turn
    >>> turns = [Turn("t0", "user", "Hi"), Turn("t1", "assistant", "A bot.", trained=False)]
    >>> [row.content["messages"][1] for row in rows(Example(turns))]
    [{'role': 'assistant', 'content': 'A bot.', 'training': False}]
    """
    example, left_out = leading_part(example)
    messages = weighted_messages_of(example, CALLS)
    for message in messages:
        if message.pop("weight", 1) == 0:
            message["training"] = False
    yield Row({"messages": messages, **tools_beside(example)}, left_out=left_out)


def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """What the chat template refuses, and a row that trains nothing."""
    yield from key_faults(row, ("messages",))
    if "messages" in row:
        yield from message_faults(row["messages"], ASKED)
        if isinstance(row["messages"], list) and not any(text.trained for text in _texts(row)):
            yield Fault("nothing_trained", "messages")
    yield from tools_or_json_faults(row)


def _texts(row: Mapping[str, Any]) -> Iterator[Text]:
    messages = [message for message in row["messages"] if isinstance(message, dict) and "role" in message]
    for message, text in zip(messages, texts_of_messages({"messages": messages}), strict=True):
        yield Text(text.content, text.trained and message.get("training") is not False)


def config(files: Mapping[str, Sequence[str]], max_tokens: int | None) -> dict[str, Any]:
    """What a config of axolotl has to say of these files."""
    mapping = {
        "ds_type": "json",
        "type": "chat_template",
        "field_messages": "messages",
        "message_property_mappings": {"role": "role", "content": "content"},
        "message_field_training": "training",
        "roles_to_train": ["assistant"],
    }
    used = {"datasets": "train", "test_datasets": "validation"}
    given = {key: [{"path": name, "split": "train", **mapping} for name in files.get(split, ())] for key, split in used.items()}
    return {"axolotl.json": {**{key: sets for key, sets in given.items() if sets}, "sequence_len": max_tokens}}


FORMAT: Final = Format(
    rows=rows,
    faults=faults,
    texts=_texts,
    tools=True,
    source="axolotl 0.18 docs/dataset-formats/conversation.qmd, src/axolotl/utils/schemas/config.py",
    read=date(2026, 11, 20),
    default_max_tokens=512,
    over_length="dropped",
    beside=config,
)
