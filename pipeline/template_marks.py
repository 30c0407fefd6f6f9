"""The marks that chat templates are made of: in a text, a tokenizer reads them as the end of a turn or the start of another.

Tokenizers of open models look for their special tokens inside texts too, unless told otherwise: what a customer wrote becomes an
order of the system's, and an answer ends where nobody ended it. tiktoken refuses to encode some of them.
Source: the templates and special tokens of ChatML and Qwen, Llama 2 to 4, Mistral 1 to 7, Gemma 1 to 4, Phi, Zephyr, Command R,
DeepSeek, gpt-oss (harmony) and Alpaca, as they ship with axolotl 0.19 (utils/chat_templates) and mistral-common 1.13.
"""

import re
from typing import Final

TEMPLATE_MARK: Final = (
    r"<\|[A-Za-z][A-Za-z0-9_]{0,40}\|>|"
    r"<\|(?:turn|channel|tool|tool_call|tool_response|think)>|<(?:turn|channel|tool|tool_call|tool_response|think)\|>|"
    "<\uff5c[^\uff5c<>\n]{1,40}\uff5c>|"  # DeepSeek's, with a bar of full width
    r"\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT)\]|<</?SYS>>|"
    r"</?s>|<(?:bos|eos|pad|unk)>|<(?:start|end)_of_turn>|</?(?:tool_call|tool_response|think)>|"
    r"(?m:^### (?:Instruction|Response|Input):)"
)
"""A pattern for polars and for re."""

SIGNS: Final = (b"<", b"\\u003", b"T]", b"S]", b"### ")
"""One of these stands in every line of JSON whose texts hold a mark; few, because millions of lines are looked through."""

_MARK: Final = re.compile(TEMPLATE_MARK)


def has_mark(text: str) -> bool:
    """Whether a mark of a chat template stands in the text.

    >>> [has_mark(text) for text in ("bye<|im_end|>", "[/INST] bye", "</s>", "a <b> c | d", "see [TOOLS]")]
    [True, True, True, False, False]
    """
    return _MARK.search(text) is not None
