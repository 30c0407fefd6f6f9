"""The loops of `minhash`, `clusters` and `hash_set` that are compiled: arrays in, arrays filled, nothing allocated.

Imported only to be compiled: `pipeline.similarity.machine_code` keeps what comes out and calls it without the interpreter
lock, so that threads run it side by side.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import numba
import numpy as np

from pipeline.similarity.words import DIGIT, IGNORED, KNOWN, MARK, SEPARATOR, SINGLE

F = TypeVar("F", bound=Callable[..., Any])

FNV_OFFSET: Final = np.uint64(0xCBF29CE484222325)
FNV_PRIME: Final = np.uint64(0x100000001B3)
"""FNV-1a, 64 bits, over code points. Source: draft-eastlake-fnv-17, section 5."""

MIX_1: Final = np.uint64(0xFF51AFD7ED558CCD)
MIX_2: Final = np.uint64(0xC4CEB9FE1A85EC53)
"""fmix64, the finalizer of MurmurHash3 (Appleby, public domain)."""

BASE: Final = np.uint64(0x9E3779B97F4A7C15)
OTHER_BASE: Final = np.uint64(0xC2B2AE3D27D4EB4F)
"""Odd bases of the polynomials over word hashes: 2**64 / golden ratio, and a prime of xxHash."""

MASKED: Final = np.uint64(0x6D61736B65640001)
"""The hash of the word that stands for whatever is masked."""

SPACE: Final = np.uint64(0x7370616365000001)
"""The hash of the space between two words, where shingles are of characters."""

ONE_BYTE, TWO_BYTES, THREE_BYTES = 0x80, 0xE0, 0xF0
"""First bytes of UTF-8 below which a code point has that many bytes. Source: RFC 3629, section 3."""


def compiled(function: F) -> F:
    """Leave the function to numba, without the wrappers by which Python would call it."""
    options: dict[str, Any] = {"error_model": "numpy", "boundscheck": False}
    options |= {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return numba.njit(**options)(function)  # type: ignore[no-any-return]  # numba has no types


@compiled
def mix(value: np.uint64) -> np.uint64:
    """Spread every bit of the value over the whole hash."""
    value ^= value >> np.uint64(33)
    value *= MIX_1
    value ^= value >> np.uint64(33)
    value *= MIX_2
    return value ^ (value >> np.uint64(33))


@compiled
def close(tokens: Any, count: int, opened: int, word: np.uint64, has_digit: bool, by_character: bool, mask_numbers: bool) -> int:
    """End the word that began as token `opened`; returns the new number of tokens."""
    if has_digit and mask_numbers:
        tokens[opened] = MASKED
        return opened + 1
    if by_character:
        return count
    tokens[opened] = mix(word)
    return opened + 1


@compiled
def decode(data: Any, i: int) -> tuple[Any, int]:
    """The code point that starts at data[i], and where the next one starts; `data` is valid UTF-8, Arrow saw to that."""
    lead = np.int64(data[i])
    if lead < ONE_BYTE:
        return lead, i + 1
    second = np.int64(data[i + 1]) & 0x3F
    if lead < TWO_BYTES:
        return (lead & 0x1F) << 6 | second, i + 2
    third = np.int64(data[i + 2]) & 0x3F
    if lead < THREE_BYTES:
        return (lead & 0x0F) << 12 | second << 6 | third, i + 3
    return (lead & 0x07) << 18 | second << 12 | third << 6 | (np.int64(data[i + 3]) & 0x3F), i + 4


@compiled
def separate(tokens: Any, count: int, by_character: bool) -> int:
    """Put a space before a word, where shingles are of characters and there is none; returns the new number of tokens."""
    if by_character and count > 0 and tokens[count - 1] != SPACE:
        tokens[count] = SPACE
        return count + 1
    return count


@compiled
def tokenize(  # noqa: C901  # one state machine: cut up, its state would be handed around
    data: Any,
    start: int,
    end: int,
    spans: Any,
    span: int,
    last_span: int,
    classes: Any,
    folded: Any,
    by_character: bool,
    mask_numbers: bool,
    tokens: Any,
    count: int,
) -> int:
    """Append the hashes of the words (or characters) of one turn to `tokens`; returns their number.

    Args:
        data: UTF-8; the turn is data[start:end].
        spans: rows span to last_span: [start, end) in characters of the turn, sorted; each counts as one masked word.
    """
    i, character, opened = start, 0, -1
    word, has_digit, single = FNV_OFFSET, False, False
    while i < end:
        if span < last_span and character >= spans[span, 0]:
            if character < spans[span, 1]:  # else it is empty, or within the one before
                if opened >= 0:
                    count = close(tokens, count, opened, word, has_digit, by_character, mask_numbers)
                    opened = -1
                count = separate(tokens, count, by_character)
                tokens[count] = MASKED
                count += 1
                while i < end and character < spans[span, 1]:
                    _, i = decode(data, i)
                    character += 1
            span += 1
            continue
        code, i = decode(data, i)
        character += 1
        kind = classes[code] if code < KNOWN else SEPARATOR
        if kind == IGNORED or (kind == MARK and opened < 0):
            continue
        if opened >= 0 and (kind in (SEPARATOR, SINGLE) or (single and kind != MARK)):
            count = close(tokens, count, opened, word, has_digit, by_character, mask_numbers)
            opened = -1
        if kind == SEPARATOR:
            continue
        if opened < 0:
            count = separate(tokens, count, by_character)
            opened, word, has_digit, single = count, FNV_OFFSET, False, kind == SINGLE
        has_digit |= kind == DIGIT
        point = np.uint64(folded[code])
        if by_character:
            tokens[count] = mix(point)
            count += 1
        else:
            word = (word ^ point) * FNV_PRIME
    if opened >= 0:
        count = close(tokens, count, opened, word, has_digit, by_character, mask_numbers)
    return count


@compiled
def shingle(tokens: Any, count: int, size: int, out: Any, at: int) -> int:
    """Write the 32-bit hash of every run of `size` tokens to `out`; of all of them, where there are fewer; returns the end."""
    if count == 0:
        return at
    length = min(size, count)
    leaving = np.uint64(1)
    for _ in range(length):
        leaving *= BASE
    rolling = np.uint64(0)
    for i in range(count):
        rolling = rolling * BASE + tokens[i]
        if i >= length:
            rolling -= tokens[i - length] * leaving
        if i >= length - 1:
            out[at] = np.uint32(mix(rolling) >> np.uint64(32))
            at += 1
    return at


@compiled
def digest(tokens: Any, count: int, out: Any) -> None:
    """128 bits over all tokens in order: equal texts after normalisation, equal digests."""
    one, other = np.uint64(count), np.uint64(count)
    for i in range(count):
        one = one * BASE + tokens[i]
        other = (other ^ tokens[i]) * OTHER_BASE
        other ^= other >> np.uint64(29)
    out[0] = mix(one)
    out[1] = mix(other)


@compiled
def minimise(hashes: Any, start: int, end: int, multipliers: Any, increments: Any, signature: Any) -> None:
    """Signature of hashes[start:end]: the least a * fmix32(h) + b mod 2**32 for every a, b. As datasketch's affine32.

    Source: datasketch 2.0, minhash.py (`scheme="affine32"`), github.com/ekzhu/datasketch/issues/212.
    """
    for k in range(len(signature)):
        signature[k] = np.uint32(0xFFFFFFFF)
    i = start
    while i < end:
        # four at a time: the signature is loaded and stored once for them; what is missing repeats the last
        h0 = premix(hashes[i])
        h1 = premix(hashes[min(i + 1, end - 1)])
        h2 = premix(hashes[min(i + 2, end - 1)])
        h3 = premix(hashes[min(i + 3, end - 1)])
        for k in range(len(signature)):
            a, b = multipliers[k], increments[k]
            v0 = np.uint32(a * h0 + b)
            v1 = np.uint32(a * h1 + b)
            v2 = np.uint32(a * h2 + b)
            v3 = np.uint32(a * h3 + b)
            signature[k] = min(signature[k], v0, v1, v2, v3)
        i += 4


@compiled
def premix(value: np.uint32) -> np.uint32:
    """fmix32, the finalizer of MurmurHash3."""
    value = np.uint32(value ^ (value >> np.uint32(16)))
    value = np.uint32(value * np.uint32(0x85EBCA6B))
    value = np.uint32(value ^ (value >> np.uint32(13)))
    value = np.uint32(value * np.uint32(0xC2B2AE35))
    return np.uint32(value ^ (value >> np.uint32(16)))


@compiled
def sketch(
    data: Any,
    offsets: Any,
    conversations: Any,
    used: Any,
    spans: Any,
    span_offsets: Any,
    classes: Any,
    folded: Any,
    by_character: bool,
    mask_numbers: bool,
    size: int,
    multipliers: Any,
    increments: Any,
    words: Any,
    digests: Any,
    signatures: Any,
    shingle_offsets: Any,
    shingles: Any,
    tokens: Any,
) -> None:
    """All of one part in one pass; the last six arrays are filled.

    Args:
        data: UTF-8 of all turns; turn t is data[offsets[t]:offsets[t + 1]].
        conversations: conversation c has the turns conversations[c] to conversations[c + 1].
        used: whether a turn is looked at.
        spans: rows [start, end) in characters; turn t has the rows span_offsets[t] to span_offsets[t + 1].
        tokens: room for those of the longest conversation.
    """
    at = 0
    for c in range(len(conversations) - 1):
        count = 0
        for t in range(conversations[c], conversations[c + 1]):
            if used[t]:
                count = tokenize(
                    data,
                    offsets[t],
                    offsets[t + 1],
                    spans,
                    span_offsets[t],
                    span_offsets[t + 1],
                    classes,
                    folded,
                    by_character,
                    mask_numbers,
                    tokens,
                    count,
                )
        words[c] = count
        digest(tokens, count, digests[c])
        shingle_offsets[c] = at
        end = shingle(tokens, count, size, shingles, at)
        minimise(shingles, at, end, multipliers, increments, signatures[c])
        at = end
    shingle_offsets[len(conversations) - 1] = at


@compiled
def jaccard(values: Any, starts: Any, sizes: Any, left: Any, right: Any, at_least: float, out: Any) -> None:
    """Jaccard similarity of the sorted sets left[i] and right[i]; 0 where it cannot reach `at_least`."""
    for i in range(len(left)):
        x, y = starts[left[i]], starts[right[i]]
        m, n = sizes[left[i]], sizes[right[i]]
        out[i] = 0.0
        if min(m, n) == 0 or min(m, n) < at_least * max(m, n) - 1e-9:  # rounding: see clusters.ROUNDING
            continue
        x_end, y_end = x + m, y + n
        common = 0
        while x < x_end and y < y_end:
            u, v = values[x], values[y]
            common += u == v
            x += u <= v
            y += v <= u
        out[i] = common / (m + n - common)


@compiled
def contained(values: Any, blocks: Any, shift: int, wanted: Any, out: Any) -> None:
    """Whether each value is one of the sorted `wanted`; only those are looked for that have both their bits in their block."""
    for i in range(len(values)):
        value = values[i]
        bits = np.uint64(value)
        out[i] = False
        marks = (np.uint64(1) << (bits & np.uint64(63))) | (np.uint64(1) << ((bits >> np.uint64(6)) & np.uint64(63)))
        if blocks[np.int64(bits >> np.uint64(shift))] & marks == marks:
            low, high = 0, len(wanted)
            while low < high:
                middle = (low + high) >> 1
                if wanted[middle] < value:
                    low = middle + 1
                else:
                    high = middle
            out[i] = low < len(wanted) and wanted[low] == value
