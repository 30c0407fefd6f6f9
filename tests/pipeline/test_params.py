from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from pipeline.errors import ParamsError
from pipeline.params import Section, load_section


class Dedupe(Section):
    min_jaccard: float = Field(ge=0, le=1)
    words: int


@pytest.fixture
def params(tmp_path: Path) -> Path:
    file = tmp_path / "params.yaml"
    file.write_text("dedupe:\n  min_jaccard: 0.8\n  words: 5\ngates:\n  dedupe: {min_jaccard: 0.1, words: 1}\n")
    return file


def load(*files: Path, name: str = "dedupe", settings: tuple[str, ...] = ()) -> Dedupe:
    return load_section(Dedupe, name, files, settings)


def test_a_later_file_and_then_a_setting_win_key_by_key(params: Path, tmp_path: Path) -> None:
    over = tmp_path / "over.yaml"
    over.write_text("dedupe: {words: 3}\n")

    assert load(params, over, settings=("dedupe.min_jaccard=0.85", "gates.dedupe.words=2")) == Dedupe(min_jaccard=0.85, words=3)


def test_a_section_may_stand_in_a_section(params: Path) -> None:
    assert load(params, name="gates.dedupe").words == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("dedupe.min_jacard=0.9",), "--set dedupe.min_jacard: unknown key 'dedupe.min_jacard'; did you mean 'min_jaccard'?"),
        (("dedupe.colour=red",), "--set dedupe.colour: unknown key 'dedupe.colour'; correct or remove it"),
        (("dedup.words=3",), "params.yaml has no 'dedup'; did you mean 'dedupe'?"),
        (("gates.dedup.words=3",), "params.yaml has no 'gates.dedup'; did you mean 'dedupe'?"),
        (("gates.dedupe.word=3",), "params.yaml has no 'gates.dedupe.word'; did you mean 'words'?"),
        (("scrub.mode=mask",), "params.yaml has no 'scrub'; correct or remove it"),
        (
            ("dedupe.min_jaccard=nine",),
            "--set dedupe.min_jaccard: dedupe.min_jaccard: Input should be a valid number, unable to parse string as a number",
        ),
        (("dedupe.min_jaccard=1.5",), "dedupe.min_jaccard: Input should be less than or equal to 1"),
        (("min_jaccard=0.9",), "--set min_jaccard: expected stage.key=value, such as dedupe.min_jaccard=0.85"),
        (("dedupe.words",), "--set dedupe.words: expected stage.key=value, such as dedupe.min_jaccard=0.85"),
        (("dedupe.words=[",), "--set dedupe.words: the value is not YAML"),
    ],
)
def test_what_is_wrong_is_named(params: Path, settings: tuple[str, ...], message: str) -> None:
    with pytest.raises(ParamsError) as raised:
        load(params, settings=settings)

    assert str(raised.value).endswith(message)


def test_of_several_files_the_one_that_says_it_is_blamed(params: Path, tmp_path: Path) -> None:
    over = tmp_path / "over.yaml"
    over.write_text("dedupe: {word: 3}\n")

    with pytest.raises(ParamsError) as raised:
        load(params, over)

    assert str(raised.value) == f"{over}: unknown key 'dedupe.word'; did you mean 'words'?"


class Source(Section):
    format: Literal["table"]
    fields: dict[str, str]


class Mbox(Section):
    format: Literal["mbox"]


class Ingest(Section):
    sources: dict[str, Annotated[Source | Mbox, Field(discriminator="format")]]


def test_a_misspelt_key_within_a_mapping_is_blamed_on_its_file_and_answered_with_the_nearest(tmp_path: Path) -> None:
    one, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    one.write_text("ingest: {sources: {}}\n")
    other.write_text("ingest: {sources!: {desk: {format: table, feilds: {}, fields: {}}}}\n")

    with pytest.raises(ParamsError) as raised:
        load_section(Ingest, "ingest", [one, other, one])

    assert str(raised.value) == f"{other}: unknown key 'ingest.sources.desk.table.feilds'; did you mean 'fields'?"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("scrub: {}\n", "params.yaml: section 'dedupe' is missing; copy it from the params.yaml that ticketmill ships"),
        ("dedupe: {words: 5}\n", "params.yaml: key 'dedupe.min_jaccard' is missing"),
        ("dedupe: {\n", "params.yaml: is not YAML at line 2"),
        ("- dedupe\n", "params.yaml: holds no sections; expected 'stage:' at the left margin"),
    ],
)
def test_a_faulty_file_is_named(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(content)

    with pytest.raises(ParamsError) as raised:
        load(file)

    assert str(raised.value) == f"{tmp_path}/{message}"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"none\.yaml: no such params file; name one with --params"):
        load(tmp_path / "none.yaml")


def test_the_fingerprint_changes_with_every_value_and_with_what_else_is_given() -> None:
    one, other = Dedupe(min_jaccard=0.8, words=5), Dedupe(min_jaccard=0.8, words=4)

    assert len({one.fingerprint(), other.fingerprint(), one.fingerprint("key")}) == 3
    assert one.fingerprint("key") == Dedupe(words=5, min_jaccard=0.8).fingerprint("key")
