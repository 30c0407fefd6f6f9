"""The doctor before chats that were written for models: what the model was told is no turn, what it called is a look-up."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.pipeline.received import ingested, rows, texts, write
from tests.pipeline.test_doctor import SAYS, diagnosed


@pytest.mark.parametrize("prompt", ["system", "developer"])
def test_what_a_model_was_told_makes_no_turn_and_its_tool_calls_are_look_ups(prompt: str, tmp_path: Path) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "get_order", "arguments": '{"order_id": "81"}'}}
    record = {
        "messages": [
            {"role": prompt, "content": "You are the assistant of a shop for tents."},
            {"role": "user", "content": SAYS[0]},
            {"role": "assistant", "content": "I look it up for you.", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": '{"state": "shipped"}'},
            {"role": "assistant", "content": SAYS[3]},
        ]
    }
    folder = write(tmp_path / "in", chats__jsonl=[record] * 4)
    table = ingested(folder, diagnosed(folder).mapping)
    turns = rows(table)[0]["turns"]

    assert [(turn["speaker"], turn["text"]) for turn in turns] == [
        ("customer", SAYS[0]), ("agent", "I look it up for you."), ("tool", '{"state": "shipped"}'), ("agent", SAYS[3]),
    ]  # fmt: skip
    assert turns[2]["call"]["name"] == "get_order"
    assert turns[2]["call"]["arguments"] == [{"name": "order_id", "value": "81"}]
    assert table.manifest.counts[f"events.{prompt}"] == 4


def test_function_calls_of_older_chats_are_look_ups_too(tmp_path: Path) -> None:
    def messages(order: int) -> list[dict[str, Any]]:
        asks = {"name": f"get_order_{order % 2}", "arguments": f'{{"order_id": "8{order}"}}'}
        return [
            {"role": "system", "content": "You are the assistant of a shop for tents."},
            {"role": "user", "content": f"{SAYS[0]} {order}"},
            {"role": "assistant", "content": None, "function_call": asks},
            {"role": "function", "name": asks["name"], "content": '{"state": "shipped"}'},
            {"role": "assistant", "content": f"{SAYS[3]} {order}"},
        ]

    folder = write(tmp_path / "in", chats__jsonl=[{"messages": messages(order)} for order in range(6)])
    found = diagnosed(folder).mapping
    table = ingested(folder, found)
    turns = next(row["turns"] for row in rows(table) if row["turns"][0]["text"].endswith("4"))

    assert [(turn["speaker"], turn["text"]) for turn in turns] == [
        ("customer", f"{SAYS[0]} 4"), ("tool", '{"state": "shipped"}'), ("agent", f"{SAYS[3]} 4"),
    ]  # fmt: skip
    assert turns[1]["call"] == {"name": "get_order_0", "arguments": [{"name": "order_id", "value": "84"}]}
    assert "identifiers" not in found  # a tool is nobody


@pytest.mark.parametrize("several", [False, True])
def test_function_calls_and_observations_of_sharegpt_are_look_ups_too(several: bool, tmp_path: Path) -> None:
    def said(order: int) -> list[dict[str, Any]]:
        asks = f'{{"name": "get_order", "arguments": {{"order_id": "8{order}"}}}}'
        return [
            {"from": "human", "value": f"{SAYS[0]} {order}"},
            {"from": "function_call", "value": f"[{asks}]" if several else asks},
            {"from": "observation", "value": '{"state": "shipped"}'},
            {"from": "gpt", "value": f"{SAYS[3]} {order}"},
        ]

    folder = write(tmp_path / "in", chats__json=json.dumps([{"conversations": said(order)} for order in range(6)]))
    table = ingested(folder, diagnosed(folder).mapping)
    turns = next(row["turns"] for row in rows(table) if row["turns"][0]["text"].endswith("4"))

    assert [(turn["speaker"], turn["text"]) for turn in turns] == [
        ("customer", f"{SAYS[0]} 4"), ("tool", '{"state": "shipped"}'), ("agent", f"{SAYS[3]} 4"),
    ]  # fmt: skip
    assert turns[1]["call"] == {"name": "get_order", "arguments": [{"name": "order_id", "value": "84"}]}


def test_of_several_calls_in_one_message_each_has_its_own_result(tmp_path: Path) -> None:
    calls = [
        {"id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": '{"order_id": "81"}'}}
        for n, name in enumerate(("get_order", "get_parcel", "get_invoice"))
    ]
    record = {
        "messages": [
            {"role": "user", "content": SAYS[0]},
            {"role": "assistant", "content": None, "tool_calls": calls},
            {"role": "tool", "tool_call_id": "call_1", "content": "on its way"},
            {"role": "tool", "tool_call_id": "call_0", "content": "shipped"},
            {"role": "assistant", "content": SAYS[3]},
        ]
    }
    folder = write(tmp_path / "in", chats__jsonl=[record] * 4)
    table = ingested(folder, diagnosed(folder).mapping)

    assert [(turn["text"], turn["call"] and turn["call"]["name"]) for turn in rows(table)[0]["turns"]] == [
        (SAYS[0], None), ("shipped", "get_order"), ("on its way", "get_parcel"), (SAYS[3], None),
    ]  # fmt: skip
    assert table.manifest.counts["look_ups_without_result"] == 4
    assert "results_without_look_up" not in table.manifest.counts


def test_what_a_model_was_told_makes_no_turn_in_named_pairs_either(tmp_path: Path) -> None:
    said = [("system", "You are the assistant of a shop for tents."), ("human", SAYS[0]), ("gpt", SAYS[1])]
    records = [{"id": n, "conversations": [{"from": who, "value": text} for who, text in said]} for n in range(4)]
    folder = write(tmp_path / "in", chats__json=orjson.dumps(records))

    assert texts(ingested(folder, diagnosed(folder).mapping))["2"] == [f"customer: {SAYS[0]}", f"agent: {SAYS[1]}"]
