"""A message as editors store it: not one text but pieces of it.

Telegram's export has a list of texts and links where a message holds any, Jira and other trackers a tree of paragraphs (Atlassian
Document Format, as ProseMirror and Slate write it too), chats with models a list of parts. What is no text, such as an image,
leaves nothing.

["Look at ", {"type": "link", "text": "https://example.com"}, " please"]
{"type": "doc", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Where is it?"}]}]}

Source: https://core.telegram.org/import-export, https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
"""

from collections.abc import Iterator
from typing import Any, Final

from pipeline.reading.values import as_text

_FIELDS: Final = frozenset(
    {
        *("type", "text", "content", "children", "attrs", "marks", "version"),  # of trees
        *("href", "user_id", "language", "document_id", "collapsed", "additional"),  # of Telegram's pieces
        *("image_url", "input_audio", "file", "source", "cache_control", "annotations", "detail"),  # of parts for a model
    }
)
"""All that a piece may hold: a record with anything else is a record of its own."""


def is_rich(value: Any) -> bool:
    """Whether this is a message in pieces."""
    if isinstance(value, dict):
        return value.keys() <= _FIELDS and isinstance(_below(value), list) and "type" in value
    return (
        isinstance(value, list)
        and any(isinstance(each, dict) for each in value)
        and all(isinstance(each, str) or (isinstance(each, dict) and each.keys() <= _FIELDS and "type" in each) for each in value)
    )


def as_message(value: Any, where: str) -> str:
    """The text of a message, in one piece or in many; null is empty.

    >>> as_message({"type": "doc", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Hi"}]}]}, "body")
    'Hi'

    Raises:
        Refused: it is a list or a record that is no message in pieces.
    """
    if isinstance(value, list | dict) and is_rich(value):
        return "".join(_texts(value)).strip("\n")
    return as_text(value, where)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, dict):
        attributes = value.get("attrs")
        if value.get("type") in {"hardBreak", "hard_break", "rule"}:
            yield "\n"
        elif isinstance(below := _below(value), list):
            yield from _texts(below)
            yield "\n"
        elif isinstance(value.get("text"), str):
            yield value["text"]
        elif isinstance(attributes, dict):  # a mention, an emoji, a card of a link
            yield from (attributes[name] for name in ("text", "url") if isinstance(attributes.get(name), str))


def _below(piece: dict[str, Any]) -> Any:
    return piece.get("content", piece.get("children"))
