"""The Alpaca shape, a row per reply: `instruction`, `input`, `output`, with `system` and `history` as LLaMA-Factory reads them.

Source: tatsu-lab/stanford_alpaca README.md; LLaMA-Factory 0.9.5 data/README.md for system and history.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from pipeline.writing.chat import Example, Fault, Format, Row, Text, replies_of
from pipeline.writing.conformance import key_faults, text_faults


def rows(example: Example) -> Iterator[Row]:
    """One row for each reply, with the pairs before it as history.

    >>> from pipeline.writing.chat import Turn
    >>> [row.content for row in rows(Example([Turn("t0", "user", "Hi"), Turn("t1", "assistant", "Hello.")]))]
    [{'instruction': 'Hi', 'input': '', 'output': 'Hello.', 'system': '', 'history': []}]
    """
    for before, reply, left_out in replies_of(example):
        said = [message["content"] for message in before if message["role"] != "system"]
        history = [[said[place], said[place + 1]] for place in range(0, len(said) - 1, 2)]
        row = {"instruction": said[-1], "input": "", "output": reply.content, "system": example.system or "", "history": history}
        yield Row(row, reply.turn_id, left_out)


def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """What would train on nothing, or break the converter."""
    yield from key_faults(row, ("instruction", "output"))
    yield from text_faults(row, "instruction", "output")
    for key in ("input", "system"):
        if key in row and not isinstance(row[key], str):
            yield Fault("not_text", key)
    history = row.get("history", [])
    if not isinstance(history, list):
        yield Fault("not_a_list", "history")
        return
    for place, pair in enumerate(history):
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):  # noqa: PLR2004  # a question, an answer
            yield Fault("two_messages_needed", f"history[{place}]")


def texts_of(row: Mapping[str, Any]) -> Iterator[Text]:
    """System, history, instruction and input, then the output, which is trained."""
    before = [row.get("system", ""), *(text for pair in row.get("history", ()) for text in pair), row["instruction"]]
    yield from (Text(text, trained=False) for text in [*before, row.get("input", "")] if text)
    yield Text(row["output"], trained=True)


FORMAT: Final = Format(
    rows=rows,
    faults=faults,
    texts=texts_of,
    source="tatsu-lab/stanford_alpaca README.md; LLaMA-Factory 0.9.5 data/README.md",
    read=date(2026, 11, 20),
    default_max_tokens=2048,
)
