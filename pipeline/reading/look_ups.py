r"""Look-ups of agents among the events of a record: what was asked of which tool, and what came back.

    {"Action": "query", "APIName": "hotel_search", "Constraints": [{"City": "\"Oslo\""}, {"Stars": "4"}]}
    {"Action": "return_item", "Item": {"Name": "Fjord Inn", "Stars": 4}}

A look-up becomes one turn of the speaker `tool`: the result is its text, so none can stand without the other.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, Final, Self

import orjson
from pydantic import Field, model_validator

from pipeline.params import Section
from pipeline.reading.drafts import Call, Refused
from pipeline.reading.paths import EACH, first, parse, shown
from pipeline.reading.paths import Path as Steps
from pipeline.reading.values import native_id, stated

Values = Mapping[str, list[str | int | bool]]

_FUNCTION: Final = re.compile(r"[A-Za-z_][\w .-]{0,63}", re.ASCII)
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9_-]+")
"""What no function of the OpenAPI schema `FunctionObject` may have in its name."""

_ARGUMENT: Final = re.compile(r"[A-Za-z_][\w.-]{0,63}", re.ASCII)


class LookUpFields(Section):
    """Which events are look-ups, and where the question and the result stand. Paths are from the event."""

    when: dict[str, list[str | int | bool]] = Field(default_factory=dict)
    """Which events ask: path -> values; all must hold. Empty: those that state a `name`."""
    each: str | None = None
    """Path of a list where one event asks several times, or of the JSON text of it, or of one call; `name`, `arguments` and
    `id` are then paths from its items."""
    id: str | None = None
    """Path of what a look-up is called by the event with its result; null where results come in the order of their look-ups."""
    name: str | None = None
    """Path of the name of the tool."""
    tool: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,64}$")
    """Name of the tool where the events state none."""
    arguments: str | None = None
    """Path of what was asked for: an object, a list of objects or of values, or the JSON text of one."""
    result_when: dict[str, list[str | int | bool]] = Field(default_factory=dict)
    """Which later events hold the result; empty where the asking event holds it itself."""
    result_id: str | None = None
    """Path, from the event with the result, of the `id` of its look-up."""
    result: str
    """Path of what came back, from the event that holds it: a text, or an object, written as lines of name and value."""
    nothing: str = "nothing found"
    """The result where nothing stands there."""

    def fields(self) -> list[str]:
        """Every path from the event."""
        asked = [path for path in (self.name, self.arguments, self.id) if path]
        asked = [f"{self.each}.{EACH}.{path}" for path in asked] if self.each else asked
        return [*self.when, *self.result_when, *asked, self.result, *([self.result_id] if self.result_id else [])]

    @model_validator(mode="after")
    def _names_both_ids(self) -> Self:
        if (self.id is None) is not (self.result_id is None):
            raise ValueError(
                "'id' and 'result_id' go together: what a look-up is called where it is asked, and where its result is"
            )
        if not self.when and self.name is None:
            raise ValueError("'calls' needs 'when', which events ask, or 'name', which only those state")
        if self.each and not self.result_when:
            raise ValueError("'each' needs 'result_when': several look-ups cannot have one result")
        return self

    @cached_property
    def _asks(self) -> list[tuple[Steps, list[str | int | bool]]]:
        return [(parse(path), values) for path, values in self.when.items()]

    @cached_property
    def _answers(self) -> list[tuple[Steps, list[str | int | bool]]]:
        return [(parse(path), values) for path, values in self.result_when.items()]

    def asks(self, event: Any) -> bool:
        """Whether the event is a look-up."""
        if self._asks:
            return all(first(event, path) in values for path, values in self._asks)
        return any(first(item, parse(self.name or "")) is not None for item in self._items(event))

    def answers(self, event: Any) -> bool:
        """Whether the event holds the result of the look-up before it."""
        return bool(self._answers) and all(first(event, path) in values for path, values in self._answers)

    def calls_of(self, event: Any) -> Iterator[tuple[Call, str | None]]:
        """What the event asks, and what each of that is called by the event with its result.

        Raises:
            Refused: a name is none that a tool could have, or an event that asks holds nothing that could be read.
        """
        items = self._items(event)
        if not items:
            raise Refused("unknown_value", self.each or "")
        for item in items:
            yield self._call_of(item), native_id(first(item, parse(self.id))) if self.id else None

    def _items(self, event: Any) -> Sequence[Any]:
        items = _parsed(first(event, parse(self.each))) if self.each else [event]
        return items if isinstance(items, list) else [items] if isinstance(items, dict) else ()

    def id_of(self, event: Any) -> str | None:
        """What the look-up is called that this event holds the result of."""
        return native_id(first(event, parse(self.result_id))) if self.result_id else None

    def _call_of(self, item: Any) -> Call:
        name = first(item, parse(self.name)) if self.name else None
        if name is None and self.tool:
            return Call(self.tool, _named(item, self.arguments))
        if not isinstance(name, str) or not _FUNCTION.fullmatch(name):
            raise Refused("unknown_value", self.name or "calls.tool")
        # a name that may be somebody's is not kept, as with arguments
        bare = _NO_NAME.sub("_", name)
        return Call(bare if shown(bare) == bare else "look_up", _named(item, self.arguments))

    def result_of(self, event: Any) -> str:
        """What came back, as text."""
        value = first(event, parse(self.result))
        if isinstance(value, str):
            return value.strip() or self.nothing
        return "\n".join(f"{name}: {text}" if name else text for name, text in _flat(value)) or self.nothing


def _named(event: Any, path: str | None) -> tuple[tuple[str, str], ...]:
    """Names and values; a name that comes again is numbered, one that may be a value used as a name is not kept."""
    found: dict[str, str] = {}
    for name, text in _flat(_parsed(first(event, parse(path)))) if path else ():
        bare = name if _ARGUMENT.fullmatch(name) and shown(name) == name else "argument"
        number = next(number for number in range(1, len(found) + 2) if (bare if number == 1 else f"{bare}_{number}") not in found)
        found[bare if number == 1 else f"{bare}_{number}"] = text
    return tuple(found.items())


def _parsed(value: Any) -> Any:
    """What a text of JSON says; anything else as it is."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        with suppress(orjson.JSONDecodeError):
            return orjson.loads(value)
    return value


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Name and text of everything stated in a value; nested names are joined by points."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _flat(each, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for each in value:
            yield from _flat(each, name)
    elif isinstance(value, bool):
        yield name, str(value).lower()
    elif (text := stated(value)) is not None:
        yield name, text
