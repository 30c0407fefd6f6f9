"""Sketches of conversations: shingle hashes, MinHash signatures, band keys and digests, from Arrow's string buffers.

A shingle is a run of `size` words (or characters) as `pipeline.similarity.words` sees them; it is hashed to 32 bits, and
the signature of a conversation is bit for bit that of `datasketch.MinHash(scheme="affine32", seed=seed)` updated with
those hashes. The work is done by `pipeline.similarity.minhash_kernel`; `sketch_plainly` gives the same bits where numba
cannot be had, about 100 times slower. Source: Broder, "On the resemblance and containment of documents", 1997; band keys
as in Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", section 3.4.
"""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
import polars as pl

from pipeline.similarity.words import DIGIT, IGNORED, KNOWN, MARK, SEPARATOR, SINGLE, alphabet

Array = np.ndarray[Any, np.dtype[Any]]

WORD: Final = 2**64 - 1


@dataclass(frozen=True)
class Recipe:
    """What decides a sketch besides the text."""

    size: int
    by_character: bool
    mask_numbers: bool
    permutations: int
    bands: int
    rows: int
    seed: int


@dataclass(frozen=True)
class Texts:
    """The turns of the conversations of one part, as they lie in memory."""

    data: Array
    """UTF-8 of all turns, one after the other; uint8."""
    offsets: Array
    """Turn t is data[offsets[t]:offsets[t + 1]]."""
    conversations: Array
    """Conversation c has the turns conversations[c] to conversations[c + 1]."""
    used: Array
    """Whether a turn is looked at."""
    spans: Array
    """Rows of [start, end) in characters: what counts as one masked word."""
    span_offsets: Array
    """Turn t has the spans span_offsets[t] to span_offsets[t + 1]."""


@dataclass(frozen=True)
class Sketches:
    """What is left of the text of one part."""

    words: Array
    """Number of words (or characters) per conversation; 0: there is nothing to compare."""
    digests: Array
    """128 bits per conversation, two columns: equal where the words are equal."""
    signatures: Array
    """One row of `permutations` 32-bit values per conversation."""
    offsets: Array
    """Conversation c has the shingles offsets[c] to offsets[c + 1], in the order of the text, with repetitions."""
    shingles: Array
    """32-bit hashes."""


def texts_of(turns: pl.Series, used: Array | None = None, spans: Array | None = None, span_offsets: Array | None = None) -> Texts:
    """The buffers of a column of lists of strings, copied by polars once; null lists and null strings are empty."""
    lengths = turns.list.len().fill_null(0).to_numpy()
    conversations = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    flat = turns.drop_nulls().list.explode(empty_as_null=False).cast(pl.String).rechunk().to_arrow()
    if len(flat) == 0:
        offsets, data = np.zeros(1, np.int64), np.empty(0, np.uint8)
    else:
        _, starts, content = flat.buffers()
        offsets = np.frombuffer(starts, np.int64)[flat.offset : flat.offset + len(flat) + 1]
        data = np.frombuffer(content, np.uint8) if content else np.empty(0, np.uint8)
    return Texts(
        data,
        offsets,
        conversations,
        np.ones(len(flat), np.bool_) if used is None else used,
        np.empty((0, 2), np.int64) if spans is None else spans,
        np.zeros(len(flat) + 1, np.int64) if span_offsets is None else span_offsets,
    )


class Kernel:
    """The compiled loops."""

    def __init__(self) -> None:
        """Nothing is compiled before the first call."""
        from pipeline.similarity.machine_code import Loop  # noqa: PLC0415  # llvmlite: only where it runs

        self.sketch, self.jaccard, self.contained = Loop("sketch"), Loop("jaccard"), Loop("contained")


@cache
def kernel() -> Kernel | None:
    """The compiled loops, or None where numba cannot be had."""
    if find_spec("numba") is None:
        return None
    return Kernel()


@cache
def permutations(count: int, seed: int) -> tuple[Array, Array]:
    """Multipliers (odd) and increments of the maps h -> a * h + b mod 2**32, as datasketch 2.0 draws them for `affine32`."""
    draw = np.random.RandomState(seed)  # the generator of datasketch
    multipliers = draw.randint(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return multipliers, draw.randint(0, 1 << 32, count, dtype=np.uint32)


def sketch(texts: Texts, recipe: Recipe) -> Sketches:
    """Sketch every conversation of a part in one pass."""
    compiled = kernel()
    if compiled is None:
        return sketch_plainly(texts, recipe)
    count = len(texts.conversations) - 1
    words, digests = np.empty(count, np.int64), np.empty((count, 2), np.uint64)
    signatures = np.empty((count, recipe.permutations), np.uint32)
    offsets = np.empty(count + 1, np.int64)
    # at most two tokens per byte (a masked character and the space after it); what is never touched takes no memory
    room = 2 * np.diff(texts.offsets[texts.conversations]) + np.diff(texts.conversations)
    longest = int(room.max(initial=0))
    shingles = np.empty(2 * len(texts.data) + len(texts.used) + 1, np.uint32)
    table = alphabet()
    compiled.sketch(
        texts.data,
        texts.offsets,
        texts.conversations,
        texts.used,
        texts.spans,
        texts.span_offsets,
        table.classes,
        table.folded,
        recipe.by_character,
        recipe.mask_numbers,
        recipe.size,
        *permutations(recipe.permutations, recipe.seed),
        words,
        digests,
        signatures,
        offsets,
        shingles,
        np.empty(longest + 2, np.uint64),
    )
    return Sketches(words, digests, signatures, offsets, shingles[: offsets[-1]].copy())


def band_keys(signatures: Array, bands: int, rows: int) -> Array:
    """One row per band, one 64-bit key per conversation: equal where the `rows` values of the band are equal."""
    keys = np.empty((bands, len(signatures)), np.uint64)
    for band in range(bands):
        key = np.full(len(signatures), band, np.uint64)
        for value in signatures[:, band * rows : (band + 1) * rows].T:
            key = mix_all((key ^ value) * np.uint64(0x9E3779B97F4A7C15))
        keys[band] = key
    return keys


def mix_all(values: Array) -> Array:
    """fmix64 of every value; the finalizer of MurmurHash3."""
    once: Array = (values ^ (values >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    twice: Array = (once ^ (once >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return np.asarray(twice ^ (twice >> np.uint64(33)))


def sketch_plainly(texts: Texts, recipe: Recipe) -> Sketches:
    """As `sketch`, bit for bit, with numpy and Python alone."""
    count = len(texts.conversations) - 1
    words, digests = np.zeros(count, np.int64), np.empty((count, 2), np.uint64)
    signatures = np.empty((count, recipe.permutations), np.uint32)
    runs: list[Array] = []
    content = texts.data.tobytes()
    for number in range(count):
        tokens: list[int] = []
        for turn in range(texts.conversations[number], texts.conversations[number + 1]):
            if texts.used[turn]:
                text = content[texts.offsets[turn] : texts.offsets[turn + 1]].decode()
                spans = texts.spans[texts.span_offsets[turn] : texts.span_offsets[turn + 1]].tolist()
                _tokenize(text, spans, recipe, tokens)
        words[number] = len(tokens)
        digests[number] = _digest(tokens)
        run = shingle_plainly(tokens, recipe.size)
        signatures[number] = minimise_plainly(run, *permutations(recipe.permutations, recipe.seed))
        runs.append(run)
    offsets = np.concatenate([[0], np.cumsum([len(run) for run in runs], dtype=np.int64)]).astype(np.int64)
    return Sketches(words, digests, signatures, offsets, np.concatenate([*runs, np.empty(0, np.uint32)]))


FNV_OFFSET: Final = 0xCBF29CE484222325
FNV_PRIME: Final = 0x100000001B3
BASE: Final = 0x9E3779B97F4A7C15
OTHER_BASE: Final = 0xC2B2AE3D27D4EB4F
MASKED: Final = 0x6D61736B65640001
SPACE: Final = 0x7370616365000001
"""The constants of `pipeline.similarity.minhash_kernel`, there with their sources; equality of the bits is under test."""


def _mix(value: int) -> int:
    value = (value ^ value >> 33) * 0xFF51AFD7ED558CCD & WORD
    value = (value ^ value >> 33) * 0xC4CEB9FE1A85EC53 & WORD
    return value ^ value >> 33


def _tokenize(text: str, spans: list[list[int]], recipe: Recipe, tokens: list[int]) -> None:
    """Append the hashes of the words (or characters) of one turn to `tokens`."""
    table = alphabet()
    position = 0
    for first, end in spans:
        start = max(first, position)
        if start < min(end, len(text)):  # else it is empty, or within the one before
            _append_words(text[position:start], table.classes, table.folded, recipe, tokens)
            if recipe.by_character and tokens and tokens[-1] != SPACE:
                tokens.append(SPACE)
            tokens.append(MASKED)
            position = end
    _append_words(text[position:], table.classes, table.folded, recipe, tokens)


def _append_words(text: str, classes: Array, folded: Array, recipe: Recipe, tokens: list[int]) -> None:
    word: list[int] = []
    has_digit, single = False, False

    def close() -> None:
        if word:
            if recipe.by_character and tokens and tokens[-1] != SPACE:
                tokens.append(SPACE)
            if has_digit and recipe.mask_numbers:
                tokens.append(MASKED)
            else:
                tokens.extend(map(_mix, word) if recipe.by_character else [_word_hash(word)])
        word.clear()

    for character in text:
        code = ord(character)
        kind = int(classes[code]) if code < KNOWN else SEPARATOR
        if kind == IGNORED or (kind == MARK and not word):
            continue
        if kind in (SEPARATOR, SINGLE) or (single and kind != MARK):
            close()
        if kind == SEPARATOR:
            continue
        if not word:
            has_digit, single = False, kind == SINGLE
        has_digit |= kind == DIGIT
        word.append(int(folded[code]))
    close()


def _word_hash(word: list[int]) -> int:
    value = FNV_OFFSET
    for point in word:
        value = (value ^ point) * FNV_PRIME & WORD
    return _mix(value)


def _digest(tokens: list[int]) -> tuple[int, int]:
    one = other = len(tokens)
    for token in tokens:
        one = one * BASE + token & WORD
        other = (other ^ token) * OTHER_BASE & WORD
        other ^= other >> 29
    return _mix(one), _mix(other)


def shingle_plainly(tokens: list[int], size: int) -> Array:
    """The 32-bit hash of every run of `size` tokens; of all of them, where there are fewer."""
    length = min(size, len(tokens))
    if length == 0:
        return np.empty(0, np.uint32)
    values = np.array(tokens, np.uint64)
    rolling = np.zeros(len(tokens) - length + 1, np.uint64)
    for start in range(length):
        rolling = rolling * np.uint64(BASE) + values[start : start + len(rolling)]
    return (mix_all(rolling) >> np.uint64(32)).astype(np.uint32)


def minimise_plainly(hashes: Array, multipliers: Array, increments: Array) -> Array:
    """The signature of a set of 32-bit hashes; of none, all ones."""
    value = hashes.astype(np.uint32)
    value = (value ^ (value >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    value = (value ^ (value >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    value ^= value >> np.uint32(16)
    signature = np.full(len(multipliers), 0xFFFFFFFF, np.uint32)
    for start in range(0, len(value), 4096):  # the table of one step stays small
        step = value[start : start + 4096]
        signature = np.minimum(signature, (multipliers[:, None] * step + increments[:, None]).min(axis=1))
    return signature
