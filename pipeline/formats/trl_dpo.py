"""TRL DPO: `prompt`, `chosen` and `rejected`, where generate rejected an answer before it accepted another.

Source: TRL 1.9 docs/source/dataset_formats.md, preference with an explicit prompt.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from pipeline.formats.trl_prompt_completion import COMPLETION, PROMPT
from pipeline.writing.chat import Example, Fault, Format, Row, pairs_of, texts_of_prompt
from pipeline.writing.conformance import key_faults, message_faults, reply_faults


def rows(example: Example) -> Iterator[Row]:
    """One row for each answer that was rejected for the last reply.

    >>> from pipeline.writing.chat import Turn
    >>> turns = [Turn("t0", "user", "Hi"), Turn("a0", "assistant", "Hello.")]
    >>> [row.content["rejected"] for row in rows(Example(turns, rejected=["Hi Hi Hi"]))]
    [[{'role': 'assistant', 'content': 'Hi Hi Hi'}]]
    """
    for (before, reply, left_out), rejected in pairs_of(example):
        pair = {"chosen": reply.content, "rejected": rejected}
        answers = {key: [{"role": "assistant", "content": text}] for key, text in pair.items()}
        yield Row({"prompt": before, **answers}, reply.turn_id, left_out)


def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """A prompt that ends with the user, and two answers to it."""
    yield from key_faults(row, ("prompt", "chosen", "rejected"))
    if "prompt" in row:
        yield from message_faults(row["prompt"], PROMPT, "prompt")
        yield from reply_faults(row["prompt"])
    for key in ("chosen", "rejected"):
        if key in row:
            yield from message_faults(row[key], COMPLETION, key)


FORMAT: Final = Format(
    rows=rows,
    faults=faults,
    texts=texts_of_prompt,
    source="TRL 1.9 docs/source/dataset_formats.md",
    read=date(2026, 11, 20),
    needs="rejected_answer",
    default_max_tokens=1024,
)
