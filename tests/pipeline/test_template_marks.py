"""The marks of chat templates, in both engines that look for them."""

import doctest
import json

import polars as pl
import pytest

from pipeline import template_marks
from pipeline.template_marks import SIGNS, TEMPLATE_MARK, has_mark

MARKS = [
    *(
        "<|im_start|>",
        "<|im_end|>",
        "<|endoftext|>",
        "<|eot_id|>",
        "<|start_header_id|>",
        "<|python_tag|>",
        "<|end|>",
        "<|user|>",
    ),
    *(
        "<|START_OF_TURN_TOKEN|>",
        "<|channel|>",
        "<|turn>",
        "<turn|>",
        "<\uff5cUser\uff5c>",
        "<\uff5cend\u2581of\u2581sentence\uff5c>",
        "<\uff5ctool\u2581calls\u2581begin\uff5c>",
    ),
    *("[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/AVAILABLE_TOOLS]", "[TOOL_CALLS]", "[TOOL_RESULTS]", "<<SYS>>", "<</SYS>>"),
    *("<s>", "</s>", "<bos>", "<eos>", "<unk>", "<start_of_turn>", "<end_of_turn>", "<tool_call>", "</think>"),
    *("### Response:\nyes", "I said\n### Instruction: go"),
]

NEAR_MISSES = [
    *("a <| b |> c", "<small>", "<span>", "<title>", "[INSTALL]", "[TOOLS]", "usage: run [ARGS]", "see ### Response: there"),
    *("### Response times", "1 < 2 and 3 > 2", "<me@example.com>", "the </small> print", "<image>", "List<String>", "||"),
]


def test_its_examples_hold() -> None:
    assert doctest.testmod(template_marks) == (0, 1)


@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_is_found_by_both_engines_and_has_a_sign_however_its_line_was_written(mark: str) -> None:
    text = mark if mark.startswith("###") else f"Hi {mark} there"
    written = [json.dumps(text), json.dumps(text, ensure_ascii=False), json.dumps(text).replace("<", "\\u003C")]

    assert has_mark(text)
    assert pl.Series([text]).str.contains(TEMPLATE_MARK).item()
    assert all(any(sign in line.encode() for sign in SIGNS) for line in written)


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_what_only_looks_like_a_mark_is_none(text: str) -> None:
    assert not has_mark(text)
    assert not pl.Series([text]).str.contains(TEMPLATE_MARK).item()
