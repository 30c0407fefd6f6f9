"""LLaMA-Factory, ShareGPT formatting: `conversations`, `system`; with the entry its dataset_info.json needs.

Not its `openai` formatting, which adds a line to the system text of every chat without tools.
Source: LLaMA-Factory 0.9.5 data/README.md, src/llamafactory/data/converter.py; `cutoff_len` 2048; no weights.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import orjson

from pipeline.writing.chat import Example, Fault, Format, Row, is_all_trained, tools_of
from pipeline.writing.conformance import key_faults, text_faults
from pipeline.writing.sharegpt import Turns, texts_of, turn_faults, turns_of

ASKED: Final = Turns(people=("human", "observation"), model=("gpt", "function_call"), other_keys="ignored", model_last=True)
"""The names of its default tags; rows that break them or the order are skipped with a warning."""


def rows(example: Example) -> Iterator[Row]:
    """One row, the system text and the tools in columns of their own.

    >>> from pipeline.writing.chat import Turn
    >>> [row.content for row in rows(Example([Turn("t0", "user", "Hi"), Turn("t1", "assistant", "Hello.")], "Be kind."))]
    ... # doctest: +NORMALIZE_WHITESPACE
    [{'conversations': [{'from': 'human', 'value': 'Hi'}, {'from': 'gpt', 'value': 'Hello.'}], 'system': 'Be kind.',
      'tools': ''}]
    """
    if is_all_trained(example):
        tools = [tool["function"] for tool in tools_of(example)]
        beside = {"system": example.system or "", "tools": orjson.dumps(tools).decode() if tools else ""}
        yield Row({"conversations": turns_of(example), **beside})


def faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """What the converter would skip or trip over."""
    yield from key_faults(row, ("conversations",))
    if "conversations" in row:
        yield from turn_faults(row["conversations"], ASKED)
        yield from _call_faults(row["conversations"])
    if row.get("system"):
        yield from text_faults(row, "system")
    if row.get("tools"):
        yield from text_faults(row, "tools")
        if isinstance(row["tools"], str) and not _is_list(row["tools"], ("name", "parameters")):
            yield Fault("tools_not_json", "tools")


def _call_faults(turns: Any) -> Iterator[Fault]:
    """Calls that its formatter would not read, and end the run: src/llamafactory/data/formatter.py, FunctionFormatter."""
    for place, turn in enumerate(turns if isinstance(turns, list) else ()):
        value = turn.get("value") if isinstance(turn, dict) and turn.get("from") == "function_call" else None
        if isinstance(value, str) and not _is_list(value, ("name", "arguments")):
            yield Fault("call_not_json", f"conversations[{place}].value")


def _is_list(text: str, keys: Sequence[str]) -> bool:
    """Whether it is the JSON of objects with these keys, or of functions that have them; of one, or a list of them."""
    try:
        read = orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    each = [one.get("function", one) if isinstance(one, dict) else one for one in (read if isinstance(read, list) else [read])]
    return all(isinstance(one, dict) and set(keys) <= one.keys() for one in each)


def dataset_info(files: Mapping[str, Sequence[str]], _max_tokens: int | None) -> dict[str, Any]:
    """The entries for LLaMA-Factory's data/dataset_info.json, one per file."""
    columns = {"messages": "conversations", "system": "system", "tools": "tools"}
    entries = {
        f"ticketmill_{name.removesuffix('.jsonl').replace('-', '_')}": {
            "file_name": name,
            "formatting": "sharegpt",
            "columns": columns,
        }
        for names in files.values()
        for name in names
    }
    return {"dataset_info.json": entries}


FORMAT: Final = Format(
    rows=rows,
    faults=faults,
    texts=texts_of,
    tools=True,
    source="LLaMA-Factory 0.9.5 data/README.md, src/llamafactory/data/converter.py",
    read=date(2026, 11, 20),
    default_max_tokens=2048,
    beside=dataset_info,
)
