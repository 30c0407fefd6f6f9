"""Faults of rows that several consumers share, told apart by what each of them asks.

Every fault is named by one word of `FIXES`, which says what to do about it. A fault names its place, never a value.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final, Literal

import orjson

from pipeline.writing.chat import Fault

FIXES: Final[Mapping[str, str]] = {
    # the file
    "not_utf8": "save the file as UTF-8",
    "byte_order_mark": "save the file without a byte order mark",
    "byte_order_mark_missing": "save the file as UTF-8 with a byte order mark",
    "not_lines": "write one object per line, not one array",
    "blank_line": "remove the line",
    "not_json": "write one complete JSON object per line; NaN and Infinity are not JSON",
    "not_an_object": "write one JSON object per line",
    "key_repeated": "write each key once: some loaders take the last value, others no row of the file",
    "unpaired_surrogate": "replace half characters before writing JSON",
    "too_few_rows": "add rows up to the consumer's floor",
    "too_many_rows": "split the file",
    "file_too_large": "split the file",
    "mixed_shapes": "use the same keys in every row of a file",
    # the row
    "key_missing": "add the key",
    "key_unknown": "keep provenance in a file beside this one",
    "not_a_list": "write a list",
    "not_text": "write a string",
    "not_a_boolean": "write true or false",
    "several_shapes": "use either messages, or prompt and completion, or text",
    "no_messages": "remove the row or add its messages",
    "message_not_an_object": "write an object with role and content",
    "message_key_unknown": "remove the key",
    "role_missing": "add the role",
    "role_unknown": "use one of the consumer's roles",
    "content_missing": "add the content",
    "content_not_text": "write content as a string",
    "content_empty": "remove the message or the row",
    "system_not_first": "move the system message to the front",
    "two_systems": "join the system messages",
    "first_not_user": "start with the user's message",
    "not_alternating": "join consecutive messages of one role; let the assistant answer after a tool",
    "last_not_assistant": "cut what follows the last answer",
    "no_assistant": "remove the row: it has nothing to train on",
    "ends_with_assistant": "cut the prompt before the answer",
    "odd_number_of_messages": "pair every user message with an answer",
    "two_messages_needed": "write one question and one answer at least",
    "one_message_needed": "write exactly one message",
    "nothing_trained": "give one assistant message weight 1, or remove the row",
    "weight_not_0_or_1": "use the integer 0 or 1",
    "weight_not_on_assistant": "weigh assistant messages only",
    "weight_ignored": "write one row per reply to be trained: this consumer trains them all",
    "tools_not_supported": "fold tool calls into the text",
    "tool_calls_not_on_assistant": "tool calls belong to the assistant",
    "tool_call_malformed": "a call has an id, type function, and a function with name and arguments",
    "tool_call_id_malformed": "use 9 letters or digits",
    "tool_call_id_repeated": "give every call its own id",
    "arguments_not_text": "write arguments as a JSON string",
    "arguments_not_an_object": "write arguments as an object",
    "arguments_not_json": "write arguments as the JSON of an object",
    "call_not_json": "write the call as the JSON of an object with name and arguments",
    "tools_not_json": "write the tools as the JSON of a list of functions",
    "content_beside_tool_calls": "remove content where there are tool calls",
    "tool_result_without_call": "put the tool message after the call with its id",
    "tool_call_unanswered": "add the tool message with the result",
    "tool_malformed": "a tool has type function, and a function with a name; for Mistral a description and parameters too",
    "too_many_tools": "declare the tools that are used, 128 at most",
    "function_name_malformed": "use letters, digits, underscores and dashes, 64 at most",
    "schema_malformed": "write parameters as a JSON schema of an object",
    "reserved_text": "escape it, as ticketmill emit does",
    "schema_version_unknown": "write bedrock-conversation-2024",
    "control_character": "remove it",
    "template_mark": "break it up or remove the row: a tokenizer may read it as the end of a turn, or as the system's word",
    "too_long": "shorten the row or raise the consumer's limit",
    "nothing_trained_after_cut": "raise the consumer's limit or shorten what comes before the answer",
    "dropped_for_length": "shorten the row or raise the consumer's limit: it drops what is longer",
}
"""What to do about each fault."""

WARNINGS: Final = frozenset({"too_long", "control_character", "template_mark", "tool_call_id_repeated"})
"""Faults that do not cost the row: the consumer cuts it, or learns a character, a mark or an id nobody wants."""


@dataclass(frozen=True)
class Messages:
    """What a consumer asks of a list of messages."""

    roles: Collection[str] = ("system", "user", "assistant")
    more_keys: Collection[str] = ()
    """Keys a message may have besides role and content."""

    other_keys: Literal["refused", "ignored"] = "refused"
    weight: Literal["honoured", "ignored"] = "ignored"
    any_weight: bool = False
    """Whether true and false are weights too, and may stand beside any role."""

    system_first: bool = True
    """Whether a system text stands first and alone."""

    user_first: bool = True
    alternates: bool = True
    assistant_last: bool = True
    has_answer: bool = True
    """Whether an assistant must have spoken; not in a prompt."""

    may_be_empty: bool = False
    """Whether an assistant's content may be empty."""

    tools: bool = False
    arguments: Literal["text", "object"] = "text"
    content_beside_calls: Literal["allowed", "needed", "refused"] = "allowed"
    call_id: str = r"\S+"
    """Pattern of the whole id of a tool call."""

    tool_keys: Collection[str] = ("name",)
    """What the function of a declared tool must have."""


def key_faults(row: Mapping[str, Any], needed: Collection[str], allowed: Collection[str] | None = None) -> Iterator[Fault]:
    """Keys that are missing, and those that are neither needed nor allowed; `allowed` None lets any other pass."""
    for key in needed:
        if key not in row:
            yield Fault("key_missing", key)
    if allowed is not None:
        for key in row.keys() - set(needed) - set(allowed):
            yield Fault("key_unknown", key if key.isidentifier() and len(key) < 40 else "a key")  # noqa: PLR2004  # a name


def text_faults(row: Mapping[str, Any], *keys: str) -> Iterator[Fault]:
    """Values that should be text with something in it."""
    for key in keys:
        value = row.get(key)
        if key in row and not isinstance(value, str):
            yield Fault("not_text", key)
        elif isinstance(value, str) and not value.strip():
            yield Fault("content_empty", key)


def message_faults(messages: Any, asked: Messages, where: str = "messages") -> Iterator[Fault]:
    """What `asked` would not take of these messages."""
    if not isinstance(messages, list):
        yield Fault("not_a_list", where)
        return
    if not messages:
        yield Fault("no_messages", where)
        return
    for place, message in enumerate(messages):
        if _is_plain(message, asked):
            continue
        if isinstance(message, dict):
            yield from _one_message(message, asked, f"{where}[{place}]")
        else:
            yield Fault("message_not_an_object", f"{where}[{place}]")
    if any(isinstance(message, dict) and not isinstance(message.get("role", ""), str | None) for message in messages):
        return  # a role that is a list or an object tells nobody's order
    sound = [(place, message) for place, message in enumerate(messages) if isinstance(message, dict)]
    yield from _order(sound, asked, where)
    if asked.tools and any("tool_calls" in message or message.get("role") == "tool" for _, message in sound):
        yield from _calls(sound, asked, where)


def _is_plain(message: Any, asked: Messages) -> bool:
    """Whether it is what nearly all messages are; seen at a glance, because there are millions of them."""
    if type(message) is not dict or len(message) != len(PLAIN) or message.get("role") not in asked.roles:
        return False
    content = message.get("content")
    return type(content) is str and bool(content.strip())


def _one_message(message: dict[str, Any], asked: Messages, where: str) -> Iterator[Fault]:
    role = message.get("role")
    if role is None:
        yield Fault("role_missing", where)
    elif not isinstance(role, str):
        yield Fault("role_unknown", f"{where}.role")
    elif role not in asked.roles:
        yield Fault("tools_not_supported" if role in {"tool", "function"} else "role_unknown", f"{where}.role")
    if message.get("tool_calls") or message.get("function_call"):
        yield from _content_beside_calls(message, asked, where)
    else:
        yield from _content(message, asked, where)
    if message.keys() - PLAIN:
        yield from _more_keys(message, asked, where)


PLAIN: Final = {"role", "content"}


def _content(message: dict[str, Any], asked: Messages, where: str) -> Iterator[Fault]:
    content = message.get("content")
    if content is None:
        if not message.get("refusal"):
            yield Fault("content_missing", where)
    elif not isinstance(content, str):
        yield Fault("content_not_text", f"{where}.content")
    elif not content.strip() and not (asked.may_be_empty and message.get("role") == "assistant"):
        yield Fault("content_empty", f"{where}.content")


def _content_beside_calls(message: dict[str, Any], asked: Messages, where: str) -> Iterator[Fault]:
    if message.get("content") is not None and asked.content_beside_calls == "refused":
        yield Fault("content_beside_tool_calls", f"{where}.content")
    if "content" not in message and asked.content_beside_calls == "needed":
        yield Fault("content_missing", where)


def _more_keys(message: dict[str, Any], asked: Messages, where: str) -> Iterator[Fault]:
    if "weight" in message and "weight" not in asked.more_keys:
        yield from _weight(message, asked, where)
    if message.get("tool_calls") and not asked.tools:
        yield Fault("tools_not_supported", f"{where}.tool_calls")
    known = {*PLAIN, *asked.more_keys, "weight", "tool_calls"} | ({"tool_call_id", "name"} if asked.tools else set())
    if asked.other_keys == "refused" and message.keys() - known:
        yield Fault("message_key_unknown", where)
    if "name" in known and not isinstance(message.get("name", ""), str | None):
        yield Fault("not_text", f"{where}.name")


def _weight(message: dict[str, Any], asked: Messages, where: str) -> Iterator[Fault]:
    weight = message["weight"]
    if asked.weight == "ignored":
        if weight == 0:
            yield Fault("weight_ignored", f"{where}.weight")
        elif asked.other_keys == "refused":
            yield Fault("message_key_unknown", f"{where}.weight")
    elif (isinstance(weight, bool) and not asked.any_weight) or weight not in (0, 1) or not isinstance(weight, int):
        yield Fault("weight_not_0_or_1", f"{where}.weight")
    elif message.get("role") != "assistant" and not asked.any_weight:
        yield Fault("weight_not_on_assistant", f"{where}.weight")


def _order(messages: list[tuple[int, dict[str, Any]]], asked: Messages, where: str) -> Iterator[Fault]:
    roles = [message.get("role") for _, message in messages]
    start = 1 if roles and roles[0] in SYSTEM else 0
    if _is_in_turn(roles[start:]):
        yield from _nothing_trained(messages, asked, where)
        return
    if asked.system_first:
        yield from _systems(messages, where)
    said = [(place, message.get("role")) for place, message in messages if message.get("role") not in SYSTEM]
    if said and asked.user_first and said[0][1] != "user":
        yield Fault("first_not_user", f"{where}[{said[0][0]}]")
    if asked.alternates:
        for (_, before), (place, role) in pairwise(said):
            if (role == before and role in {"user", "assistant"}) or (asked.tools and (before, role) == ("tool", "user")):
                yield Fault("not_alternating", f"{where}[{place}]")
    if not any(role == "assistant" for _, role in said):
        if asked.has_answer:
            yield Fault("no_assistant", where)
        return
    if asked.assistant_last and said[-1][1] != "assistant":
        yield Fault("last_not_assistant", f"{where}[{said[-1][0]}]")
    yield from _nothing_trained(messages, asked, where)


def _systems(messages: list[tuple[int, dict[str, Any]]], where: str) -> Iterator[Fault]:
    systems = [place for place, message in messages if message.get("role") in SYSTEM]
    if systems and systems[0] != messages[0][0]:
        yield Fault("system_not_first", f"{where}[{systems[0]}]")
    if len(systems) > 1:
        yield Fault("two_systems", f"{where}[{systems[1]}]")


def _is_in_turn(roles: list[Any]) -> bool:
    """Whether user and assistant take turns, the assistant last: what every consumer takes."""
    return bool(roles) and roles == ["user", "assistant"] * (len(roles) // 2)


SYSTEM: Final = {"system", "developer"}


def _nothing_trained(messages: list[tuple[int, dict[str, Any]]], asked: Messages, where: str) -> Iterator[Fault]:
    if asked.weight == "honoured" and all(
        _is_0(message.get("weight")) for _, message in messages if message.get("role") == "assistant"
    ):
        yield Fault("nothing_trained", where)


def _is_0(weight: Any) -> bool:
    return weight == 0 and weight is not False


def _calls(messages: list[tuple[int, dict[str, Any]]], asked: Messages, where: str) -> Iterator[Fault]:
    """Every call is answered by tool messages before anything else is said, and no tool speaks unasked."""
    waiting: dict[str, int] = {}
    known: set[str] = set()
    for place, message in messages:
        if message.get("role") == "tool":
            if waiting.pop(str(message.get("tool_call_id")), None) is None:
                yield Fault("tool_result_without_call", f"{where}[{place}]")
            continue
        if waiting:
            yield Fault("tool_call_unanswered", f"{where}[{min(waiting.values())}]")
        waiting = {}
        for number, call in enumerate(_calls_of(message)):
            at = f"{where}[{place}].tool_calls[{number}]"
            yield from _one_call(call, asked, at)
            name = str(call.get("id")) if isinstance(call, dict) else at
            if name in known:
                yield Fault("tool_call_id_repeated", f"{at}.id")
            known.add(name)
            waiting[name] = place
        if message.get("tool_calls") and message.get("role") != "assistant":
            yield Fault("tool_calls_not_on_assistant", f"{where}[{place}]")
    if waiting:
        yield Fault("tool_call_unanswered", f"{where}[{min(waiting.values())}]")


def _calls_of(message: dict[str, Any]) -> list[Any]:
    calls = message.get("tool_calls") or []
    return calls if isinstance(calls, list) else [calls]


def _one_call(call: Any, asked: Messages, where: str) -> Iterator[Fault]:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not isinstance(call.get("id"), str):
        yield Fault("tool_call_malformed", where)
        return
    if call.get("type", "function") != "function":
        yield Fault("tool_call_malformed", f"{where}.type")
    if not FUNCTION_NAME.fullmatch(function["name"]):
        yield Fault("function_name_malformed", f"{where}.function.name")
    if not re.fullmatch(asked.call_id, call["id"]):
        yield Fault("tool_call_id_malformed", f"{where}.id")
    arguments = function.get("arguments")
    if asked.arguments == "text" and not isinstance(arguments, str):
        yield Fault("arguments_not_text", f"{where}.function.arguments")
    if asked.arguments == "object" and not isinstance(arguments, dict):
        yield Fault("arguments_not_an_object", f"{where}.function.arguments")
    if asked.arguments == "text" and isinstance(arguments, str) and not _is_object(arguments):
        yield Fault("arguments_not_json", f"{where}.function.arguments")


FUNCTION_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""OpenAPI `FunctionObject`; mistral-common 1.13 mistral_common/protocol/instruct/validator.py."""


def _is_object(text: str) -> bool:
    try:
        return isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False


def reply_faults(prompt: Any, where: str = "prompt") -> Iterator[Fault]:
    """A prompt that already ends with the assistant: the answer would be a second one."""
    if isinstance(prompt, list) and prompt and isinstance(prompt[-1], dict) and prompt[-1].get("role") == "assistant":
        yield Fault("ends_with_assistant", f"{where}[{len(prompt) - 1}]")


def turn_order_faults(turns: list[Any], where: str, *, user: str, model: str, alternates: bool) -> Iterator[Fault]:
    """Roles and their order, where contents are not plain texts."""
    if not turns:
        yield Fault("no_messages", where)
        return
    roles = [turn.get("role") if isinstance(turn, dict) else None for turn in turns]
    for place, role in enumerate(roles):
        if role not in (user, model):
            yield Fault("role_missing" if role is None else "role_unknown", f"{where}[{place}]")
        elif alternates and place and role == roles[place - 1]:
            yield Fault("not_alternating", f"{where}[{place}]")
    if roles[0] == model:
        yield Fault("first_not_user", f"{where}[0]")
    if model not in roles:
        yield Fault("no_assistant", where)
    elif roles[-1] != model:
        yield Fault("last_not_assistant", f"{where}[{len(roles) - 1}]")


def tool_faults(tools: Any, where: str = "tools", keys: Collection[str] = ("name",)) -> Iterator[Fault]:
    """Tools that are no functions, or lack one of `keys`."""
    if not isinstance(tools, list):
        yield Fault("not_a_list", where)
        return
    if len(tools) > MAX_TOOLS:
        yield Fault("too_many_tools", where)
    for place, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not set(keys) <= function.keys() or tool.get("type", "function") != "function":
            yield Fault("tool_malformed", f"{where}[{place}]")
            continue
        if not isinstance(function.get("description", ""), str):
            yield Fault("not_text", f"{where}[{place}].function.description")
        if not isinstance(function["name"], str) or not FUNCTION_NAME.fullmatch(function["name"]):
            yield Fault("function_name_malformed", f"{where}[{place}].function.name")
        if "parameters" in function and not _is_schema(orjson.dumps(function["parameters"])):
            yield Fault("schema_malformed", f"{where}[{place}].function.parameters")


def tools_or_json_faults(row: Mapping[str, Any]) -> Iterator[Fault]:
    """Of tools that may be nothing, a list, or the JSON of one: what loaders take who cannot hold functions of several shapes."""
    tools = row.get("tools")
    if isinstance(tools, str) and tools:
        try:
            tools = orjson.loads(tools)
        except orjson.JSONDecodeError:
            yield Fault("not_a_list", "tools")
            return
    if tools not in (None, ""):
        yield from tool_faults(tools)


MAX_TOOLS: Final = 128
"""OpenAPI `FineTuneChatRequestInput`, of functions."""


@lru_cache(10_000)
def _is_schema(parameters: bytes) -> bool:
    """Whether it is a JSON schema; nearly all rows of a file declare the same few functions."""
    # half a second, which only files with tools need; ships no types
    from jsonschema import Draft7Validator, SchemaError  # type: ignore[import-untyped]  # noqa: PLC0415

    schema = orjson.loads(parameters)
    try:
        Draft7Validator.check_schema(schema)
    except SchemaError:
        return False
    return isinstance(schema, dict)


def chat_faults(row: Mapping[str, Any], asked: Messages, more_keys: Collection[str] = ()) -> Iterator[Fault]:
    """What `asked` would not take of a row of `messages` and, beside them, `tools`; `more_keys` may stand there too."""
    yield from key_faults(row, ("messages",), ("tools", *more_keys))
    if "messages" in row:
        yield from message_faults(row["messages"], asked)
    if "tools" in row:
        yield from tool_faults(row["tools"], keys=asked.tool_keys)
    if "parallel_tool_calls" in more_keys and not isinstance(row.get("parallel_tool_calls", True), bool):
        yield Fault("not_a_boolean", "parallel_tool_calls")
