"""Faults of rows that several consumers share, told apart by what each of them asks.

Every fault is named by one word of `FIXES`, which says what to do about it. A fault names its place, never a value.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pipeline.chat import Fault

FIXES: Final[Mapping[str, str]] = {
    # the file
    "not_utf8": "save the file as UTF-8",
    "byte_order_mark": "save the file without a byte order mark",
    "byte_order_mark_missing": "save the file as UTF-8 with a byte order mark",
    "not_lines": "write one object per line, not one array",
    "blank_line": "remove the line",
    "not_json": "write one complete JSON object per line; NaN and Infinity are not JSON",
    "not_an_object": "write one JSON object per line",
    "unpaired_surrogate": "replace half characters before writing JSON",
    "too_few_rows": "add rows up to the consumer's floor",
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
    "not_alternating": "join consecutive messages of one role",
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
    "content_beside_tool_calls": "remove content where there are tool calls",
    "tool_result_without_call": "put the tool message after the call with its id",
    "tool_call_unanswered": "add the tool message with the result",
    "tool_malformed": "a tool has type function, and a function with name, description and parameters",
    "reserved_text": "escape it, as ticketmill emit does",
    "control_character": "remove it",
    "too_long": "shorten the row or raise the consumer's limit",
    "nothing_trained_after_cut": "raise the consumer's limit or shorten what comes before the answer",
}
"""What to do about each fault."""


@dataclass(frozen=True)
class Messages:
    """What a consumer asks of a list of messages."""

    roles: Collection[str] = ("system", "user", "assistant")
    keys: Collection[str] = ("role", "content")
    """Keys a message may have."""

    other_keys: Literal["refused", "ignored"] = "refused"
    weight: Literal["honoured", "ignored"] = "ignored"
    user_first: bool = True
    alternates: bool = True
    assistant_last: bool = True
    may_be_empty: bool = False
    """Whether an assistant's content may be empty."""

    tools: bool = False
    arguments: Literal["text", "object"] = "text"
    content_beside_calls: Literal["allowed", "needed", "refused"] = "allowed"
    call_id: str = r"\S+"
    """Pattern of the whole id of a tool call."""


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
        if isinstance(message, dict):
            yield from _one_message(message, asked, f"{where}[{place}]")
        else:
            yield Fault("message_not_an_object", f"{where}[{place}]")
    sound = [(place, message) for place, message in enumerate(messages) if isinstance(message, dict)]
    yield from _order(sound, asked, where)
    if any("tool_calls" in message or message.get("role") == "tool" for _, message in sound):
        yield from _calls(sound, asked, where)


def _one_message(message: dict[str, Any], asked: Messages, where: str) -> Iterator[Fault]:
    role, content = message.get("role"), message.get("content")
    if role is None:
        yield Fault("role_missing", where)
    elif role not in asked.roles:
        yield Fault("tools_not_supported" if role in {"tool", "function"} else "role_unknown", f"{where}.role")
    if message.get("tool_calls") or message.get("function_call"):
        if content is not None and asked.content_beside_calls == "refused":
            yield Fault("content_beside_tool_calls", f"{where}.content")
        if "content" not in message and asked.content_beside_calls == "needed":
            yield Fault("content_missing", where)
    elif content is None:
        if not message.get("refusal"):
            yield Fault("content_missing", where)
    elif not isinstance(content, str):
        yield Fault("content_not_text", f"{where}.content")
    elif not content.strip() and not (asked.may_be_empty and role == "assistant"):
        yield Fault("content_empty", f"{where}.content")
    if len(message) > len(asked.keys) or message.keys() - set(asked.keys):
        yield from _more_keys(message, asked, where)


def _more_keys(message: dict[str, Any], asked: Messages, where: str) -> Iterator[Fault]:
    if "weight" in message:
        yield from _weight(message, asked, where)
    if message.get("tool_calls") and not asked.tools:
        yield Fault("tools_not_supported", f"{where}.tool_calls")
    known = {*asked.keys, "weight"} | ({"tool_calls", "tool_call_id", "name"} if asked.tools else {"tool_calls"})
    if asked.other_keys == "refused" and message.keys() - known:
        yield Fault("message_key_unknown", where)


def _weight(message: dict[str, Any], asked: Messages, where: str) -> Iterator[Fault]:
    weight = message["weight"]
    if asked.weight == "ignored":
        if weight == 0:
            yield Fault("weight_ignored", f"{where}.weight")
        elif asked.other_keys == "refused":
            yield Fault("message_key_unknown", f"{where}.weight")
    elif isinstance(weight, bool) or weight not in (0, 1) or not isinstance(weight, int):
        yield Fault("weight_not_0_or_1", f"{where}.weight")
    elif message.get("role") != "assistant":
        yield Fault("weight_not_on_assistant", f"{where}.weight")


def _order(messages: list[tuple[int, dict[str, Any]]], asked: Messages, where: str) -> Iterator[Fault]:
    systems = [place for place, message in messages if message.get("role") in {"system", "developer"}]
    if any(place > 0 for place in systems[:1]):
        yield Fault("system_not_first", f"{where}[{systems[0]}]")
    if len(systems) > 1:
        yield Fault("two_systems", f"{where}[{systems[1]}]")
    said = [(place, message.get("role")) for place, message in messages if message.get("role") not in {"system", "developer"}]
    if said and asked.user_first and said[0][1] != "user":
        yield Fault("first_not_user", f"{where}[{said[0][0]}]")
    if asked.alternates:
        for (_, before), (place, role) in zip(said, said[1:], strict=False):
            if role == before and role in {"user", "assistant"}:
                yield Fault("not_alternating", f"{where}[{place}]")
    answers = [message for _, message in messages if message.get("role") == "assistant"]
    if not answers:
        yield Fault("no_assistant", where)
    elif asked.assistant_last and said[-1][1] != "assistant":
        yield Fault("last_not_assistant", f"{where}[{said[-1][0]}]")
    if answers and asked.weight == "honoured" and all(answer.get("weight") == 0 for answer in answers):
        yield Fault("nothing_trained", where)


def _calls(messages: list[tuple[int, dict[str, Any]]], asked: Messages, where: str) -> Iterator[Fault]:
    if not asked.tools:
        return
    waiting: dict[Any, int] = {}
    known: set[Any] = set()
    for place, message in messages:
        at = f"{where}[{place}]"
        calls = message.get("tool_calls")
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in waiting:
                yield Fault("tool_result_without_call", at)
            waiting.pop(message.get("tool_call_id"), None)
            continue
        if waiting:
            yield Fault("tool_call_unanswered", f"{where}[{min(waiting.values())}]")
            waiting.clear()
        if calls is None:
            continue
        if message.get("role") != "assistant":
            yield Fault("tool_calls_not_on_assistant", at)
        for number, call in enumerate(calls if isinstance(calls, list) else [calls]):
            yield from _one_call(call, asked, f"{at}.tool_calls[{number}]")
            name = call.get("id") if isinstance(call, dict) else None
            if isinstance(name, str):
                if name in known:
                    yield Fault("tool_call_id_repeated", f"{at}.tool_calls[{number}].id")
                known.add(name)
                waiting[name] = place
    if waiting:
        yield Fault("tool_call_unanswered", f"{where}[{min(waiting.values())}]")


def _one_call(call: Any, asked: Messages, where: str) -> Iterator[Fault]:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not isinstance(call.get("id"), str):
        yield Fault("tool_call_malformed", where)
        return
    if not re.fullmatch(asked.call_id, call["id"]):
        yield Fault("tool_call_id_malformed", f"{where}.id")
    arguments = function.get("arguments")
    if asked.arguments == "text" and not isinstance(arguments, str):
        yield Fault("arguments_not_text", f"{where}.function.arguments")
    if asked.arguments == "object" and not isinstance(arguments, dict):
        yield Fault("arguments_not_an_object", f"{where}.function.arguments")
    if asked.arguments == "text" and isinstance(arguments, str) and not _is_object(arguments):
        yield Fault("arguments_not_json", f"{where}.function.arguments")


def _is_object(text: str) -> bool:
    import orjson  # noqa: PLC0415  # only rows with tool calls get here

    try:
        return isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False


def tool_faults(tools: Any, where: str = "tools") -> Iterator[Fault]:
    """Tools that lack a name, a description or parameters."""
    if not isinstance(tools, list):
        yield Fault("not_a_list", where)
        return
    for place, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not {"name", "description", "parameters"} <= function.keys():
            yield Fault("tool_malformed", f"{where}[{place}]")
