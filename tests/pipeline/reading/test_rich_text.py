"""Messages in pieces: read as one text, and never taken for a list of anything else."""

from typing import Any

import pytest

from pipeline.reading.drafts import Refused
from pipeline.reading.rich_text import as_message, is_rich

LINK = {"type": "link", "text": "example.com"}
TREE = {
    "type": "doc",
    "version": 1,
    "content": [
        {
            "type": "paragraph",
            "content": [{"type": "text", "text": "Hi "}, {"type": "mention", "attrs": {"id": "7", "text": "@Jo"}}],
        },
        {"type": "bulletList", "content": [{"type": "listItem", "content": [{"type": "text", "text": "one"}]}]},
        {"type": "mediaSingle", "content": [{"type": "media", "attrs": {"id": "5"}}]},
        {"type": "paragraph", "content": [{"type": "text", "text": "a"}, {"type": "hardBreak"}, {"type": "text", "text": "b"}]},
    ],
}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (["See ", LINK, " now"], "See example.com now"),
        ([{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "x"}}], "Look"),
        (TREE, "Hi @Jo\none\n\n\na\nb"),
        ("plain", "plain"),
        (None, ""),
    ],
)
def test_the_text_of_a_message_in_pieces_is_that_of_its_pieces(value: Any, text: str) -> None:
    assert as_message(value, "text") == text


@pytest.mark.parametrize("value", [["a", "b"], [], {"score": 1}, [{"type": "message", "text": "Hi", "from": "jo"}]])
def test_other_lists_and_records_are_no_message(value: Any) -> None:
    assert not is_rich(value)
    with pytest.raises(Refused):
        as_message(value, "text")
