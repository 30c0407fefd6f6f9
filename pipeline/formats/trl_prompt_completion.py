"""Hugging Face TRL: conversational `prompt` and `completion`, a row for every reply to be learnt; only that is trained.

Source: TRL 1.9 docs/source/dataset_formats.md; the loss is on the completion unless told otherwise.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from pipeline.writing.chat import Example, Fault, Format, Row, replies_of, texts_of_prompt
from pipeline.writing.conformance import Messages, key_faults, message_faults, reply_faults, text_faults

PROMPT: Final = Messages(
    roles=("system", "user", "assistant", "tool"), other_keys="ignored", assistant_last=False, has_answer=False
)
COMPLETION: Final = replace(PROMPT, user_first=False, assistant_last=True, has_answer=True)


def rows(example: Example) -> Iterator[Row]:
    """One row for each reply, with all that was said before it.

    >>> from pipeline.writing.chat import Turn
    >>> [row.content for row in rows(Example([Turn("t0", "user", "Hi"), Turn("t1", "assistant", "Hello.")]))]
    [{'prompt': [{'role': 'user', 'content': 'Hi'}], 'completion': [{'role': 'assistant', 'content': 'Hello.'}]}]
    """
    for before, reply, left_out in replies_of(example):
        completion = [{"role": "assistant", "content": reply.content}]
        yield Row({"prompt": before, "completion": completion}, reply.turn_id, left_out)


def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """A prompt that ends with the user and a completion by the assistant, or both as texts."""
    yield from key_faults(row, ("prompt", "completion"))
    if isinstance(row.get("prompt"), str) and isinstance(row.get("completion"), str):
        yield from text_faults(row, "completion")
        return
    if "prompt" in row:
        yield from message_faults(row["prompt"], PROMPT, "prompt")
        yield from reply_faults(row["prompt"])
    if "completion" in row:
        yield from message_faults(row["completion"], COMPLETION, "completion")


FORMAT: Final = Format(
    rows=rows,
    faults=faults,
    texts=texts_of_prompt,
    source="TRL 1.9 docs/source/dataset_formats.md",
    read=date(2026, 11, 20),
    default_max_tokens=1024,
)
