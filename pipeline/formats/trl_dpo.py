"""TRL DPO: `prompt`, `chosen` and `rejected`. Checked, not written: no table holds a rejected answer yet.

Source: TRL 1.9 docs/source/dataset_formats.md, preference with an explicit prompt.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from pipeline.formats.trl_prompt_completion import COMPLETION, PROMPT
from pipeline.writing.chat import Fault, Format, texts_of_prompt
from pipeline.writing.conformance import key_faults, message_faults, reply_faults


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
    faults=faults,
    texts=texts_of_prompt,
    source="TRL 1.9 docs/source/dataset_formats.md",
    read=date(2026, 11, 20),
    default_max_tokens=1024,
)
