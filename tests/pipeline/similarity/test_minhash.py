"""The kernel agrees with datasketch and with the plain code, bit for bit, in every script."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import pytest
from datasketch import MinHash
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.similarity.minhash import Array, Recipe, Sketches, Texts, band_keys, sketch, sketch_plainly, texts_of

RECIPE: Final = Recipe(size=5, by_character=False, mask_numbers=False, permutations=112, bands=14, rows=8, seed=1)

scripts = st.one_of(
    st.text(max_size=60),
    st.text(st.sampled_from("ab 1-Ä'\u2019\u0301ก็文字🙂\ufe0f\u200d\uff11٣\u017fß"), max_size=60),
)
talks = st.lists(st.one_of(st.none(), st.lists(st.one_of(st.none(), scripts), max_size=4)), min_size=1, max_size=5)


def talk(*texts: str) -> pl.Series:
    """One conversation of one turn per text."""
    return pl.Series([[text] for text in texts], dtype=pl.List(pl.String))


def same(one: Sketches, other: Sketches) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in Sketches.__dataclass_fields__)


def runs(found: Sketches) -> list[Array]:
    return np.split(found.shingles, found.offsets[1:-1])


@given(
    talks,
    st.builds(
        Recipe,
        size=st.integers(1, 7),
        by_character=st.booleans(),
        mask_numbers=st.booleans(),
        permutations=st.sampled_from([1, 16, 112]),
        bands=st.just(1),
        rows=st.just(1),
        seed=st.integers(0, 2**32 - 1),
    ),
)
@settings(max_examples=150, deadline=None)
@example([["a1 b", "2c"]], replace(RECIPE, by_character=True, mask_numbers=True))
def test_signatures_are_those_of_datasketch_over_the_same_shingle_hashes(
    texts: list[list[str | None] | None], recipe: Recipe
) -> None:
    found = sketch(texts_of(pl.Series(texts, dtype=pl.List(pl.String))), recipe)

    for run, signature in zip(runs(found), found.signatures, strict=True):
        oracle = MinHash(num_perm=recipe.permutations, seed=recipe.seed, scheme="affine32", hashfunc=int)
        oracle.update_batch(run.tolist())
        assert signature.tolist() == oracle.hashvalues.tolist()


def spanned(texts: pl.Series, drawn: list[tuple[int, int]]) -> Texts:
    plain = texts_of(texts)
    turns = len(plain.used)
    spans = np.array(sorted(sorted(pair) for pair in drawn) * turns, np.int64).reshape(-1, 2)
    used = np.arange(turns) % 3 != 2
    return replace(plain, used=used, spans=spans, span_offsets=np.arange(turns + 1) * len(drawn))


@given(talks, st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=4), st.booleans(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_the_plain_code_gives_the_same_bits(
    texts: list[list[str | None] | None], drawn: list[tuple[int, int]], by_character: bool, mask_numbers: bool
) -> None:
    given_texts = spanned(pl.Series(texts, dtype=pl.List(pl.String)), drawn)
    recipe = replace(RECIPE, by_character=by_character, mask_numbers=mask_numbers, size=3)

    assert same(sketch(given_texts, recipe), sketch_plainly(given_texts, recipe))


def test_long_texts_give_the_same_bits_in_plain_code() -> None:
    texts = texts_of(talk(" ".join(f"word{number % 4999}" for number in range(9000)), "", "one"))

    assert same(sketch(texts, RECIPE), sketch_plainly(texts, RECIPE))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("My order is LATE!", "my order -- is late"),
        ("don't", "dont"),
        ("\uff21\uff22\uff23 \uff11\uff12", "abc 12"),
        ("注文は\uff1f", "注文は"),
        ("ok ❤️", "ok ❤"),
        ("re\u00adfund", "refund"),
        ("Straße", "STRAßE"),
    ],
)
def test_case_width_and_punctuation_make_no_difference(one: str, other: str) -> None:
    digests = sketch(texts_of(talk(one, other)), RECIPE).digests

    assert digests[0].tolist() == digests[1].tolist()


@pytest.mark.parametrize(
    ("one", "other"),
    [("refund", "refunds"), ("a b", "ab"), ("a b", "b a"), ("👍", "👎"), ("กา", "ก"), ("a", "a a"), ("", "a"), ("é", "e")],
)
def test_other_words_are_another_text(one: str, other: str) -> None:
    digests = sketch(texts_of(talk(one, other)), RECIPE).digests

    assert digests[0].tolist() != digests[1].tolist()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        (" .,!? \n", 0),
        ("my order, please", 3),
        ("注文はまだですか", 8),
        ("สวัสดี", 4),  # four consonants; the vowel signs belong to them
        ("안녕하세요 고객님", 2),
        ("ok👍👍", 3),
        ("e\u0301te\u0301", 1),
    ],
)
def test_words_are_counted_as_a_reader_of_the_script_would(text: str, words: int) -> None:
    assert sketch(texts_of(talk(text)), RECIPE).words.tolist() == [words]


def test_a_text_shorter_than_a_shingle_is_one_shingle_and_an_empty_one_has_none() -> None:
    found = sketch(texts_of(talk("thank you", "")), RECIPE)

    assert np.diff(found.offsets).tolist() == [1, 0]


def test_masked_numbers_are_all_the_same_word() -> None:
    masked = replace(RECIPE, mask_numbers=True)

    digests = sketch(texts_of(talk("order AB-1234 of 5 May", "order AB-99 of 17 May")), masked).digests

    assert digests[0].tolist() == digests[1].tolist()


def test_a_turn_that_is_not_used_leaves_no_trace() -> None:
    texts = texts_of(pl.Series([["question", "answer"], ["question", "other"]]), used=np.array([True, False] * 2))

    digests = sketch(texts, RECIPE).digests

    assert digests[0].tolist() == digests[1].tolist()


def test_band_keys_are_equal_just_where_the_band_is() -> None:
    signatures = np.arange(16, dtype=np.uint32).reshape(1, 16).repeat(2, axis=0)
    signatures[1, 9] = 99

    keys = band_keys(signatures, bands=2, rows=8)

    assert (keys[:, 0] == keys[:, 1]).tolist() == [True, False]


@pytest.fixture
def call_elsewhere(tmp_path: Path) -> Callable[..., str]:
    """Run a loop in another process that has this package alone, with caches of its own; returns what it printed."""
    package = tmp_path / "package/pipeline/similarity"
    package.mkdir(parents=True)
    sources = Path(__file__).parents[3] / "pipeline"
    shutil.copy(sources / "__init__.py", package.parent)
    for name in ("__init__", "words", "minhash", "minhash_kernel", "machine_code", "arrow_files"):
        shutil.copy(sources / "similarity" / f"{name}.py", package)
    program = """
import sys
import numpy as np
from pipeline.similarity.machine_code import Loop
found = np.empty(2, np.bool_)
Loop("contained")(np.array([3, 2**63], np.uint64), np.full(2, 2**64 - 1, np.uint64), 63, np.array([3], np.uint64), found)
print(found.tolist(), "numba" in sys.modules)
"""

    def call(cache: Path, before: str = "") -> str:
        return subprocess.run(
            [sys.executable, "-B", "-c", before + program],
            cwd=tmp_path / "package",
            env={**os.environ, "XDG_CACHE_HOME": str(cache)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    return call


def places(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "package/pipeline/similarity/__pycache__", tmp_path / "cache"


def test_what_was_compiled_once_runs_without_numba(tmp_path: Path, call_elsewhere: Callable[..., str]) -> None:
    _, cache = places(tmp_path)

    assert call_elsewhere(cache) == "[True, False] True\n"
    assert call_elsewhere(cache) == "[True, False] False\n"


def test_code_that_was_cut_off_is_compiled_again(tmp_path: Path, call_elsewhere: Callable[..., str]) -> None:
    beside, cache = places(tmp_path)
    call_elsewhere(cache)
    (code,) = beside.glob("*.o")
    code.write_bytes(code.read_bytes()[:-100])

    assert call_elsewhere(cache) == "[True, False] True\n"
    assert call_elsewhere(cache) == "[True, False] False\n"


def test_in_a_read_only_package_the_code_lies_in_the_cache_of_the_user(
    tmp_path: Path, call_elsewhere: Callable[..., str]
) -> None:
    beside, cache = places(tmp_path)
    beside.write_text("")  # a file where the folder would be: not even root can write there

    assert call_elsewhere(cache) == "[True, False] True\n"
    assert call_elsewhere(cache) == "[True, False] False\n"


def test_where_nothing_can_be_kept_the_kernel_is_compiled_in_memory(tmp_path: Path, call_elsewhere: Callable[..., str]) -> None:
    beside, cache = places(tmp_path)
    beside.write_text("")
    cache.write_text("")

    assert call_elsewhere(cache) == "[True, False] True\n"
    assert call_elsewhere(cache) == "[True, False] True\n"


ANOTHER_NUMBA: Final = """
from numba import types
from numba.core.datamodel import default_manager, models

class LongerArray(models.StructModel):
    def __init__(self, dmm, fe_type):
        usual = models.ArrayModel(dmm, fe_type)
        super().__init__(dmm, fe_type, [*zip(usual._fields, usual._members), ("more", types.intp)])

default_manager.register(types.Array, LongerArray)
"""


def test_a_numba_that_passes_arrays_in_another_way_calls_the_loops_itself(
    tmp_path: Path, call_elsewhere: Callable[..., str]
) -> None:
    beside, cache = places(tmp_path)

    assert call_elsewhere(cache, ANOTHER_NUMBA) == "[True, False] True\n"
    assert not list(beside.glob("*.o"))


def test_a_relative_cache_folder_is_none(tmp_path: Path, call_elsewhere: Callable[..., str]) -> None:
    beside, _ = places(tmp_path)
    beside.write_text("")

    assert call_elsewhere(Path("cache")) == "[True, False] True\n"
    assert not (tmp_path / "package/cache").exists()
