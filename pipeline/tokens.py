"""Token counts without a download: OpenAI's vocabularies come inside the bpe-openai wheel.

Source of the overhead: OpenAI cookbook, "How to count tokens with tiktoken", num_tokens_from_messages (read November
2026): 3 tokens open every message, its role is encoded too (1 token each in both vocabularies), and 3 prime the reply.
"""

import warnings
from collections.abc import Callable
from functools import cache
from typing import Final

import polars as pl

ENCODINGS: Final = ("o200k_base", "cl100k_base")

TOKENS_PER_MESSAGE: Final = 4
TOKENS_PER_REPLY: Final = 3


@cache
def counter(encoding: str) -> Callable[[str], int]:
    """A function from a text to its number of tokens, special tokens counted as plain text; one of ENCODINGS.

    The text must hold no unpaired surrogate.
    """
    # the Rust tokenizer itself: the public Encoding builds tables of 200,000 entries that only decoding needs, returns
    # lists instead of counts, and refuses texts of 1,000,000 characters
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the package reads its own files in a way that ages
        # imported here, 0.4 s and 70 MB, because only a run that counts tokens should pay for it; the wheel ships no types
        from bpe_openai._bindings import tokenizer_for_encoding  # type: ignore[import-untyped]  # noqa: PLC0415

    count: Callable[[str], int] = tokenizer_for_encoding(encoding).count
    return count


def count_tokens(texts: pl.Series, encoding: str) -> pl.Series:
    """The number of tokens of every text; each distinct text is counted once."""
    if texts.is_empty():
        return pl.Series(texts.name, [], pl.Int64)
    count = counter(encoding)
    distinct = texts.unique()
    counts = pl.Series([count(text) for text in distinct.to_list()], dtype=pl.Int64)
    return texts.replace_strict(distinct, counts, return_dtype=pl.Int64)


def tokens_of(messages: int, content_tokens: int) -> int:
    """Tokens of a chat of that many messages, with that many tokens in their contents."""
    return content_tokens + TOKENS_PER_MESSAGE * messages + TOKENS_PER_REPLY
