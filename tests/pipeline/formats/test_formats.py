"""Every format against its consumer's rules: sound rows pass, and each bad row is named in the targets that refuse it."""

import copy
import doctest
import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from pipeline import formats
from pipeline.formats import FORMATS
from pipeline.writing import chat, fitting, lengths
from pipeline.writing.chat import Example, LookUp, Turn
from pipeline.writing.conformance import FIXES

EXAMPLE = Example(
    [
        Turn("t0", "user", "Where is my order?"),
        Turn("t1", "assistant", "It left on Monday."),
        Turn("t2", "user", "Thanks. User: is a label"),
        Turn("t3", "assistant", "You are welcome [EOS]."),
    ],
    "Be kind.",
    liked=True,
    rejected=["No."],
)


def row_of(target: str, example: Example = EXAMPLE) -> dict[str, Any]:
    rows = FORMATS[target].rows
    return list(rows(example))[-1].content


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_a_file_of_its_name_whose_example_holds(name: str) -> None:
    module = import_module(f"{formats.__name__}.{name}")

    assert FORMATS[name] is module.FORMAT
    assert not doctest.testmod(module).failed
    assert FORMATS[name].source
    assert FORMATS[name].read.year >= 2026


def test_the_examples_of_the_shared_pieces_hold() -> None:
    assert doctest.testmod(chat) == (0, 13)
    assert doctest.testmod(fitting) == (0, 3)
    assert doctest.testmod(lengths) == (0, 3)


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("system", [None, "Be kind."])
def test_what_a_format_writes_it_does_not_fault(target: str, system: str | None) -> None:
    rows = FORMATS[target].rows

    for row in rows(Example(EXAMPLE.turns, system, liked=True, rejected=["No."])):
        assert list(FORMATS[target].faults(row.content)) == []
        assert any(text.trained and text.content for text in FORMATS[target].texts(row.content))


@pytest.mark.parametrize("target", FORMATS)
def test_an_answer_that_should_not_be_learnt_is_weighted_or_left_out_but_never_trained(target: str) -> None:
    bot = EXAMPLE.turns[1]._replace(trained=False, content="I am a bot.")
    example = Example([EXAMPLE.turns[0], bot, *EXAMPLE.turns[2:]], liked=True, rejected=["No."])
    rows = FORMATS[target].rows

    for row in rows(example):
        assert not any(text.trained and "I am a bot" in text.content for text in FORMATS[target].texts(row.content))


@pytest.mark.parametrize("target", ["trl_prompt_completion", "alpaca"])
def test_formats_without_weights_have_a_row_for_each_reply(target: str) -> None:
    rows = FORMATS[target].rows

    assert [row.reply for row in rows(EXAMPLE)] == ["t1", "t3"]


LOOKED_UP = Example(
    [EXAMPLE.turns[0], EXAMPLE.turns[1]._replace(look_ups=[LookUp("t9", "track", [("order", "7")], "left on Monday")])]
)


@pytest.mark.parametrize("target", ["trl", "axolotl"])
def test_a_call_has_a_content_where_templates_and_loaders_would_trip_over_none(target: str) -> None:
    (call,) = [message for message in row_of(target, LOOKED_UP)["messages"] if "tool_calls" in message]

    assert call["content"] == ""


def test_mistral_has_no_row_of_a_chat_with_look_ups_whose_last_answer_is_not_to_be_learnt() -> None:
    bot = [EXAMPLE.turns[2], EXAMPLE.turns[3]._replace(trained=False)]

    assert list(FORMATS["mistral"].rows(Example([*LOOKED_UP.turns, *bot]))) == []
    assert [
        text.trained for text in FORMATS["mistral"].texts(row_of("mistral", Example([*LOOKED_UP.turns, *EXAMPLE.turns[2:]])))
    ] == [
        *([False] * 5),
        True,
    ]


def test_nova_gets_no_reserved_label_and_keeps_every_word() -> None:
    texts = [part["text"] for message in row_of("bedrock_nova")["messages"] for part in message["content"]]

    assert [text.replace("\u200b", "") for text in texts] == [turn.content for turn in EXAMPLE.turns]
    assert "User:" not in "".join(texts)


TRACK = {"name": "track", "description": "Where an order is.", "parameters": {"type": "object", "properties": {}}}
TOOLS = [{"type": "function", "function": TRACK}]
CALL = {"id": "abcdefghi", "type": "function", "function": {"name": "track", "arguments": '{"order": 7}'}}


def chat_row(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"messages": [copy.deepcopy(message) for message in messages], **more}


USER, ANSWER = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}
SYSTEM = {"role": "system", "content": "Be kind."}
ASKS_TOOL = {"role": "assistant", "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "abcdefghi", "content": "left on Monday"}

ALL_MESSAGES = ("openai", "azure", "trl", "axolotl", "llamafactory_openai", "mistral", "together", "fireworks")
STRICT_KEYS = ("openai", "azure", "mistral", "together", "fireworks")
STRICT_MESSAGES = ("openai", "azure", "mistral", "fireworks")
ALTERNATING = ("trl", "axolotl", "llamafactory_openai", "mistral", "together")
ONE_SYSTEM = tuple(name for name in ALL_MESSAGES if name not in {"openai", "azure"})
WITH_TOOLS = ("openai", "azure", "axolotl", "llamafactory_openai", "mistral", "fireworks")

JUDGING_TOOLS = ("openai", "azure", "trl", "axolotl", "mistral", "fireworks")

BAD_CHATS: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("key_missing", {"text": "x"}, tuple(name for name in ALL_MESSAGES if name not in {"together", "trl"})),
    ("key_missing", {"id": 1}, ALL_MESSAGES),
    ("key_missing", {"prompt": "Hi"}, ALL_MESSAGES),
    ("key_unknown", chat_row(USER, ANSWER, conversation_id="desk-1"), STRICT_KEYS),
    ("not_a_list", {"messages": "Hi"}, ALL_MESSAGES),
    ("no_messages", {"messages": []}, ALL_MESSAGES),
    ("message_not_an_object", chat_row("Hi", ANSWER), ALL_MESSAGES),
    ("message_key_unknown", chat_row({**USER, "lang": "en"}, ANSWER), STRICT_MESSAGES),
    ("role_missing", chat_row({"content": "Hi"}, ANSWER), ALL_MESSAGES),
    ("role_unknown", chat_row({**USER, "role": "customer"}, ANSWER), ALL_MESSAGES),
    ("role_unknown", chat_row({**USER, "role": ["user"]}, ANSWER), ALL_MESSAGES),
    ("role_unknown", chat_row(USER, {**ANSWER, "role": {}}, USER), ALL_MESSAGES),
    (
        "role_unknown",
        chat_row({**SYSTEM, "role": "developer"}, USER, ANSWER),
        ("trl", "axolotl", "llamafactory_openai", "mistral", "together", "fireworks"),
    ),
    ("content_missing", chat_row({"role": "user"}, ANSWER), ALL_MESSAGES),
    ("content_missing", chat_row({"role": "user", "content": None}, ANSWER), ALL_MESSAGES),
    ("content_not_text", chat_row({"role": "user", "content": 7}, ANSWER), ALL_MESSAGES),
    ("content_not_text", chat_row({"role": "user", "content": [{"type": "text", "text": "Hi"}]}, ANSWER), ALL_MESSAGES),
    ("content_empty", chat_row({"role": "user", "content": " \n"}, ANSWER), ALL_MESSAGES),
    (
        "content_empty",
        chat_row(USER, {"role": "assistant", "content": ""}),
        ("openai", "azure", "trl", "axolotl", "llamafactory_openai", "mistral", "fireworks"),
    ),
    ("system_not_first", chat_row(USER, SYSTEM, ANSWER), ONE_SYSTEM),
    ("two_systems", chat_row(SYSTEM, SYSTEM, USER, ANSWER), ONE_SYSTEM),
    ("first_not_user", chat_row(ANSWER, USER, ANSWER), ALTERNATING),
    ("not_alternating", chat_row(USER, USER, ANSWER), ALTERNATING),
    ("not_alternating", chat_row(USER, ANSWER, ANSWER), ALTERNATING),
    (
        "not_alternating",
        chat_row(USER, {**ASKS_TOOL, "content": ""}, RESULT, USER, ANSWER),
        tuple(name for name in ALTERNATING if name != "together"),
    ),
    ("last_not_assistant", chat_row(USER, ANSWER, USER), ("llamafactory_openai", "mistral")),
    ("no_assistant", chat_row(USER), ALL_MESSAGES),
    ("weight_not_0_or_1", chat_row(USER, {**ANSWER, "weight": 0.5}), STRICT_KEYS),
    ("weight_not_0_or_1", chat_row(USER, {**ANSWER, "weight": True}), STRICT_MESSAGES),
    ("weight_not_0_or_1", chat_row(USER, {**ANSWER, "weight": "1"}), STRICT_KEYS),
    ("weight_not_on_assistant", chat_row({**USER, "weight": 1}, ANSWER), STRICT_MESSAGES),
    ("weight_ignored", chat_row(USER, {**ANSWER, "weight": 0}, USER, ANSWER), ("trl", "axolotl", "llamafactory_openai")),
    ("nothing_trained", chat_row(USER, {**ANSWER, "weight": 0}), (*STRICT_KEYS, "axolotl")),
    ("nothing_trained", chat_row(USER, {**ANSWER, "training": False}), ("axolotl",)),
    ("tools_not_supported", chat_row(USER, ASKS_TOOL, RESULT, ANSWER), ("together",)),
    (
        "tool_call_malformed",
        chat_row(USER, {"role": "assistant", "tool_calls": [{"id": "abcdefghi"}]}, RESULT, ANSWER),
        (*WITH_TOOLS, "trl"),
    ),
    (
        "tool_call_id_malformed",
        chat_row(
            USER,
            {**ASKS_TOOL, "tool_calls": [{**CALL, "id": "call_1234567890"}]},
            {**RESULT, "tool_call_id": "call_1234567890"},
            ANSWER,
        ),
        ("mistral",),
    ),
    ("tool_call_id_repeated", chat_row(USER, ASKS_TOOL, RESULT, ASKS_TOOL, RESULT, ANSWER), (*WITH_TOOLS, "trl")),
    (
        "arguments_not_text",
        chat_row(
            USER, {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "t", "arguments": {}}}]}, RESULT, ANSWER
        ),
        WITH_TOOLS,
    ),
    (
        "arguments_not_json",
        chat_row(
            USER, {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "t", "arguments": "{"}}]}, RESULT, ANSWER
        ),
        WITH_TOOLS,
    ),
    ("arguments_not_an_object", chat_row(USER, ASKS_TOOL, RESULT, ANSWER), ("trl",)),
    ("content_beside_tool_calls", chat_row(USER, {**ASKS_TOOL, "content": "Let me see."}, RESULT, ANSWER), ("mistral",)),
    ("content_missing", chat_row(USER, ASKS_TOOL, RESULT, ANSWER), ("llamafactory_openai",)),
    ("tool_result_without_call", chat_row(USER, RESULT, ANSWER), (*WITH_TOOLS, "trl")),
    ("tool_call_unanswered", chat_row(USER, ASKS_TOOL, ANSWER), (*WITH_TOOLS, "trl")),
    ("tool_calls_not_on_assistant", chat_row({**USER, "tool_calls": [CALL]}, RESULT, ANSWER), (*WITH_TOOLS, "trl")),
    ("tool_malformed", chat_row(USER, ANSWER, tools=[{"type": "function"}]), JUDGING_TOOLS),
    ("tool_malformed", chat_row(USER, ANSWER, tools=[{"type": "retrieval", "function": TRACK}]), JUDGING_TOOLS),
    ("tool_malformed", chat_row(USER, ANSWER, tools=[{"type": "function", "function": {"name": "track"}}]), ("mistral",)),
    ("not_text", chat_row(USER, ANSWER, tools=[{"type": "function", "function": {**TRACK, "description": 7}}]), JUDGING_TOOLS),
    (
        "not_text",
        chat_row({**USER, "name": 7}, ANSWER),
        ("openai", "azure", "fireworks", "trl", "axolotl", "llamafactory_openai", "mistral"),
    ),
    (
        "tool_call_malformed",
        chat_row(USER, {"role": "assistant", "tool_calls": [{**CALL, "type": "custom"}]}, RESULT, ANSWER),
        (*WITH_TOOLS, "trl"),
    ),
    ("nothing_trained", chat_row(USER, ASKS_TOOL, RESULT, ANSWER, USER, {**ANSWER, "weight": 0}, tools=TOOLS), ("mistral",)),
    ("too_many_tools", chat_row(USER, ANSWER, tools=[{"type": "function", "function": TRACK}] * 129), JUDGING_TOOLS),
    ("not_a_boolean", chat_row(USER, ANSWER, parallel_tool_calls=1), ("openai", "azure")),
    ("several_shapes", chat_row(USER, ANSWER, text="x"), ("together",)),
    (
        "function_name_malformed",
        chat_row(
            USER,
            {"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "a b", "arguments": "{}"}}]},
            RESULT,
            ANSWER,
        ),
        (*WITH_TOOLS, "trl"),
    ),
    (
        "function_name_malformed",
        chat_row(USER, ANSWER, tools=[{"type": "function", "function": {**TRACK, "name": "é"}}]),
        JUDGING_TOOLS,
    ),
    (
        "schema_malformed",
        chat_row(USER, ANSWER, tools=[{"type": "function", "function": {**TRACK, "parameters": {"type": "objekt"}}}]),
        JUDGING_TOOLS,
    ),
]


@pytest.mark.parametrize(("fault", "row", "targets"), BAD_CHATS)
def test_a_bad_chat_is_named_by_its_fault_in_the_targets_that_refuse_it_and_in_no_other(
    fault: str, row: dict[str, Any], targets: tuple[str, ...]
) -> None:
    named = {target for target in ALL_MESSAGES if fault in {found.name for found in FORMATS[target].faults(row)}}

    assert named == set(targets)


def without(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda row: row.pop(key)


def put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(row: Any) -> None:
        *steps, last = [int(step) if step.lstrip("-").isdigit() else step for step in path.split(".")]
        for step in steps:
            row = row[step]
        row[last] = value

    return change


BAD_ROWS: list[tuple[str, str, Callable[[dict[str, Any]], None]]] = [
    ("trl_prompt_completion", "key_missing", without("completion")),
    ("trl_prompt_completion", "ends_with_assistant", put("prompt", [USER, ANSWER])),
    ("trl_prompt_completion", "no_assistant", put("completion", [USER])),
    ("trl_prompt_completion", "content_empty", put("completion.0.content", "")),
    ("kto", "key_missing", without("label")),
    ("kto", "not_a_boolean", put("label", "yes")),
    ("llamafactory", "key_missing", without("conversations")),
    ("llamafactory", "role_unknown", put("conversations.0.from", "customer")),
    ("llamafactory", "role_missing", put("conversations.0", {"value": "Hi"})),
    ("llamafactory", "content_missing", put("conversations.0", {"from": "human"})),
    ("llamafactory", "not_text", put("conversations.0.value", None)),
    ("llamafactory", "first_not_user", put("conversations.0.from", "gpt")),
    ("llamafactory", "not_alternating", put("conversations.2.from", "gpt")),
    ("llamafactory", "odd_number_of_messages", lambda row: row["conversations"].pop()),
    ("llamafactory", "not_text", put("system", 7)),
    ("llamafactory", "role_unknown", put("conversations.0.from", "user")),
    ("llamafactory", "call_not_json", put("conversations.1", {"from": "function_call", "value": "track"})),
    ("llamafactory", "call_not_json", put("conversations.1", {"from": "function_call", "value": '{"name": "track"}'})),
    ("llamafactory", "tools_not_json", put("tools", "track")),
    ("llamafactory", "tools_not_json", put("tools", '["track"]')),
    ("unsloth", "content_empty", put("conversations.1.value", " ")),
    ("unsloth", "role_unknown", put("conversations.2.from", "function_call")),
    ("unsloth", "message_key_unknown", put("conversations.2.weight", 1)),
    ("unsloth", "not_alternating", put("conversations.3.from", "gpt")),
    ("unsloth", "no_assistant", put("conversations", [{"from": "human", "value": "Hi"}])),
    ("gemini", "key_unknown", put("messages", [])),
    ("gemini", "message_key_unknown", put("contents.1.weight", 1)),
    ("gemini", "role_unknown", put("contents.1.role", "assistant")),
    ("gemini", "content_missing", put("contents.0.parts", [])),
    ("gemini", "content_not_text", put("contents.0.parts.0.text", 7)),
    ("gemini", "content_not_text", put("contents.1.parts", [{"functionCall": {"name": "track"}, "text": None}])),
    ("gemini", "first_not_user", put("contents.0.role", "model")),
    ("gemini", "last_not_assistant", put("contents.3.role", "user")),
    ("bedrock_nova", "key_missing", without("schemaVersion")),
    ("bedrock_nova", "key_unknown", put("id", "desk-1")),
    ("bedrock_nova", "reserved_text", put("messages.0.content.0.text", "User: hello")),
    ("bedrock_nova", "reserved_text", put("messages.1.content.0.text", "bye [EOS]")),
    ("bedrock_nova", "reserved_text", put("system.0.text", "You help a superuser: be kind")),
    ("bedrock_nova", "reserved_text", put("messages.1.content.0.text", "says the ROBOT: hi")),
    ("bedrock_nova", "schema_version_unknown", put("schemaVersion", "2024")),
    ("bedrock_nova", "message_key_unknown", put("messages.1.weight", 1)),
    ("bedrock_nova", "tools_not_supported", put("toolConfig", {"tools": []})),
    ("bedrock_nova", "tools_not_supported", put("messages.0.content.0", {"toolResult": {}})),
    ("bedrock_nova", "content_not_text", put("messages.0.content", "Hi")),
    ("bedrock_nova", "not_alternating", put("messages.1.role", "user")),
    ("alpaca", "key_missing", without("output")),
    ("alpaca", "content_empty", put("output", "")),
    ("alpaca", "not_text", put("input", None)),
    ("alpaca", "two_messages_needed", put("history", [["Hi"]])),
    ("together", "key_unknown", put("id", 1)),
    ("mistral", "last_not_assistant", lambda row: row["messages"].append(USER)),
]


def bad_rows_of(target: str) -> list[tuple[str, dict[str, Any]]]:
    """The bad rows of a target whose shape is its own, each with its fault."""
    found = []
    for name, fault, change in BAD_ROWS:
        if name == target:
            row = copy.deepcopy(row_of(target))
            change(row)
            found.append((fault, row))
    return found


@pytest.mark.parametrize("target", sorted({target for target, *_ in BAD_ROWS}))
def test_bad_rows_of_another_shape_are_named_by_their_faults(target: str) -> None:
    for fault, row in bad_rows_of(target):
        assert fault in {found.name for found in FORMATS[target].faults(row)}


PAIR = {"prompt": [USER], "chosen": [ANSWER], "rejected": [{"role": "assistant", "content": "No."}]}
OPENAI_PAIR = {"input": {"messages": [USER]}, "preferred_output": [ANSWER], "non_preferred_output": [ANSWER]}


@pytest.mark.parametrize(
    ("target", "row", "faults"),
    [
        ("trl_dpo", PAIR, set()),
        ("trl_dpo", {**PAIR, "prompt": [USER, ANSWER]}, {"ends_with_assistant"}),
        ("trl_dpo", {"prompt": [USER], "chosen": [ANSWER]}, {"key_missing"}),
        ("trl_dpo", {**PAIR, "rejected": []}, {"no_messages"}),
        ("openai_dpo", OPENAI_PAIR, set()),
        ("openai_dpo", {**OPENAI_PAIR, "preferred_output": [ANSWER, ANSWER]}, {"one_message_needed", "not_alternating"}),
        ("openai_dpo", {**OPENAI_PAIR, "input": "Hi"}, {"not_an_object"}),
        ("openai_dpo", {**OPENAI_PAIR, "non_preferred_output": [USER]}, {"role_unknown", "no_assistant"}),
    ],
)
def test_preference_rows_are_judged(target: str, row: dict[str, Any], faults: set[str]) -> None:
    assert {fault.name for fault in FORMATS[target].faults(row)} == faults


def test_every_fault_named_anywhere_says_what_to_do() -> None:
    named = {fault for fault, *_ in BAD_CHATS} | {fault for _, fault, _ in BAD_ROWS}

    assert named <= FIXES.keys()
    assert len({fault for fault, *_ in BAD_CHATS}) >= 30


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize(
    "row", [{}, {"messages": None}, {"messages": [None, 7]}, {"conversations": [[]]}, {"contents": [1]}, {"prompt": 7}]
)
def test_no_row_is_strange_enough_to_break_the_judge(target: str, row: dict[str, Any]) -> None:
    assert list(FORMATS[target].faults(row))


@pytest.mark.parametrize(
    ("row", "faults"),
    [
        ({"text": "All of it."}, set()),
        ({"text": " "}, {"content_empty"}),
        ({"text": "x", "id": 1}, {"key_unknown"}),
        ({"prompt": "Hi", "completion": "Hello."}, set()),
        ({"prompt": "Hi", "completion": 7}, {"not_text"}),
        ({"prompt": "Hi", "completion": "Hello.", "text": "x"}, {"several_shapes"}),
        (OPENAI_PAIR, set()),
    ],
)
def test_together_takes_each_of_its_shapes_and_none_of_their_mixtures(row: dict[str, Any], faults: set[str]) -> None:
    assert {fault.name for fault in FORMATS["together"].faults(row)} == faults
    if not faults:
        assert any(text.trained for text in FORMATS["together"].texts(row))


CHAT_PAIR = {"prompt": [USER], "completion": [ANSWER]}


@pytest.mark.parametrize(
    ("target", "row"),
    [
        *(("trl", row) for row in ({"text": "All of it."}, {"prompt": "Hi", "completion": "Hello."}, CHAT_PAIR)),
        ("trl_prompt_completion", {"prompt": "Hi", "completion": "Hello."}),
        *(("unsloth", row) for row in ({"text": "All of it."}, CHAT_PAIR, chat_row(USER, ANSWER))),
        ("unsloth", {"conversations": [USER, ANSWER]}),
        ("unsloth", {"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "?"}] * 2}),
        ("mistral", {"interactions": [USER, ANSWER]}),
        ("trl", chat_row(USER, ANSWER, tools=json.dumps(TOOLS))),
        ("openai", chat_row(USER, ANSWER, tools=[{"type": "function", "function": {"name": "track"}}])),
        ("openai", chat_row(USER, SYSTEM, ANSWER)),
        ("fireworks", chat_row(ANSWER, USER, ANSWER)),
        ("axolotl", chat_row(USER, ANSWER, tools='[{"type": "function", "function": {"name": "track", "description": "x",'
                             ' "parameters": {"type": "object"}}}]')),
    ],
)  # fmt: skip
def test_whatever_else_a_consumer_takes_is_no_fault(target: str, row: dict[str, Any]) -> None:
    assert list(FORMATS[target].faults(row)) == []
    assert any(text.trained for text in FORMATS[target].texts(row))


def test_a_function_call_of_gemini_needs_no_text() -> None:
    row = row_of("gemini")
    row["contents"][1]["parts"] = [{"functionCall": {"name": "track", "args": {}}}]

    assert list(FORMATS["gemini"].faults(row)) == []
    assert list(FORMATS["gemini"].texts(row))
