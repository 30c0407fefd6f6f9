"""TRL KTO: `prompt`, `completion` and whether the customer was content, for conversations that were rated.

Source: TRL 1.9 docs/source/dataset_formats.md, unpaired preference.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from pipeline.formats import trl_prompt_completion
from pipeline.writing.chat import Example, Fault, Format, Row, replies_of, texts_of_prompt


def rows(example: Example) -> Iterator[Row]:
    """The last reply of a rated conversation: it is what the customer was left with.

    >>> from pipeline.writing.chat import Turn
    >>> [row.content["label"] for row in rows(Example([Turn("t0", "user", "Hi"), Turn("t1", "assistant", "No.")], liked=False))]
    [False]
    """
    replies = list(replies_of(example))
    if example.liked is not None and replies:
        before, reply, left_out = replies[-1]
        completion = [{"role": "assistant", "content": reply.content}]
        yield Row({"prompt": before, "completion": completion, "label": example.liked}, reply.turn_id, left_out)


def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """What prompt and completion ask for, and a label."""
    yield from trl_prompt_completion.faults(row)
    if "label" not in row:
        yield Fault("key_missing", "label")
    elif not isinstance(row["label"], bool):
        yield Fault("not_a_boolean", "label")


FORMAT: Final = Format(
    rows=rows,
    faults=faults,
    texts=texts_of_prompt,
    source="TRL 1.9 docs/source/dataset_formats.md",
    read=date(2026, 11, 20),
    needs="rating",
    default_max_tokens=1024,
)
