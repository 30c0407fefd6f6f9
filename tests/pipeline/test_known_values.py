"""What the export says of its people is found in every spelling that people type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.known_values import FOUND_BEFORE, find, fold, lower, needles, said_names, sure
from pipeline.spans import Span


def found(kind: str, value: str, text: str) -> list[str]:
    spans = sorted(find(text, needles([(kind, value)])), key=lambda span: (span.start, -span.end))
    longest: list[str] = []
    end = -1
    for span in spans:
        if span.end > end:
            longest.append(text[span.start : span.end])
            end = span.end
    return longest


@pytest.mark.parametrize(
    ("value", "text", "hits"),
    [
        ("Crystal Minh", "hi, crystal minh here", ["crystal minh"]),
        ("Crystal Minh", "Thanks Crystal! Mrs MINH?", ["Crystal", "MINH"]),
        ("Crystal Minh", "crystals and Minhee", ["crystal"]),
        ("Minh, Crystal", "crystal's order", ["crystal"]),
        ("Anne-Marie Holt", "anne or Marie or anne-marie", ["anne", "Marie", "anne-marie"]),
        ("Mark Will", "i will mark it as paid", []),
        ("Mark Will", "i'm mark", ["mark"]),
        ("Mark Will", "Mark said so", ["Mark"]),
        ("Al", "also, Al and all", ["Al"]),
        ("J", "j j", []),
        ("null", "it is null", []),
        ("Null, Peter", "null and peter", ["peter"]),
        ("the", "the the", []),
        ("Jürgen Müller", "jurgen, Juergen and mr mueller", ["jurgen", "Juergen", "mueller"]),
        ("Jose Munoz", "josé MUÑOZ", ["josé MUÑOZ"]),
        ("Łukasz Żółty", "lukasz zolty", ["lukasz zolty"]),
        ("Иван Петров", "ivan petrov, Иван", ["ivan petrov", "Иван"]),
        ("Elizabeth Thorvaldsen", "Liz here", ["Liz"]),
        ("Elizabeth Thorvaldsen", "thanks, beth", ["beth"]),
        ("Bob Thorvaldsen", "it is Robert's", ["Robert"]),
        ("Crystal Thorvaldsen", "C. Thorvaldsen, crystal t., C.T.", ["C. Thorvaldsen", "crystal t.", "C.T."]),
        ("Thorvaldsen, Crystal", "c thorvaldsen", ["c thorvaldsen"]),
        (
            "Crystal Thorvaldsen",
            "thorvadsen Thorvaldsenn thorvladsen thorvaldson",
            ["thorvadsen", "Thorvaldsenn", "thorvladsen", "thorvaldson"],
        ),
        ("Carl Johnson", "mr johnston", []),
        ("Parker Carter", "the charter was darker", []),
    ],
)
def test_names_are_found_with_their_parts_but_not_inside_words(value: str, text: str, hits: list[str]) -> None:
    assert found("PERSON", value, text) == hits


@pytest.mark.parametrize(
    ("kind", "value", "text", "hits"),
    [
        ("ACCOUNT_NUMBER", "85731890", "it is 8573 1890.", ["8573 1890"]),
        ("ACCOUNT_NUMBER", "85731890", "it is 185731890", []),
        ("PIN", "5225", "5225", ["5225"]),
        ("PIN", "5225", "52.25 dollars", []),
        ("PIN", "52", "52 and 520 and 5 2", ["52"]),
        ("PHONE_NUMBER", "+1 (212) 555-0134", "call 212.555.0134", ["212.555.0134"]),
        ("DATE_OF_BIRTH", "15/09/1940", "born 15.09.1940", ["15.09.1940"]),
        ("EMAIL_ADDRESS", "crystal.minh@mail.example", "user Crystal.Minh wrote", ["Crystal.Minh"]),
        ("EMAIL_ADDRESS", "info@mail.example", "more info please", []),
        ("ORDER_NUMBER", "AB-10423", "order ab-10423", ["ab-10423"]),
        ("USER_NAME", "kite_runner", r"kite\_runner: so said Kite_Runner", [r"kite\_runner", "Kite_Runner"]),
    ],
)
def test_numbers_are_found_in_any_spacing_and_user_names_as_markdown_escapes_them(
    kind: str, value: str, text: str, hits: list[str]
) -> None:
    assert found(kind, value, text) == hits


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Hi, my name is Crystal Minh and I need help", ["Crystal Minh"]),
        ("my name is crystal", ["crystal"]),
        ("My name's Crystal.", ["Crystal"]),
        ("This is Crystal from billing", ["Crystal"]),
        ("this is ridiculous", []),
        ("my name is misspelled on the card", []),
        ("my name is on the card", []),
        ("call me back", []),
        ("call me plz, or tomorrow", []),
        ("Hardware name: Brisk Systems", []),
        ("the file name is Sundry", []),
        ("Call me Crystal", ["Crystal"]),
        ("Ich heiße Jürgen Brandt.", ["Jürgen Brandt"]),
    ],
)
def test_a_name_that_somebody_gives_is_known(text: str, names: list[str]) -> None:
    assert said_names([text]) == names


@given(st.text(max_size=60))
def test_lower_case_keeps_every_offset(text: str) -> None:
    assert len(lower(text)) == len(text)
    assert lower(text).isascii() is False or lower(text) == text.lower()


def test_capital_letters_that_grow_when_lowered_do_not_shift_a_find() -> None:
    text = "İİİ crystal"
    (span,) = find(text, needles([("PERSON", "Crystal")]))
    assert text[span.start : span.end] == "crystal"


def test_a_name_that_was_only_found_counts_as_a_word_where_it_is_one() -> None:
    wanted = needles([("PERSON", "Happy Thorvaldsen")], FOUND_BEFORE, 0.5)
    assert [span[:2] for span in find("so happy, thorvaldsen", wanted)] == [(10, 21)]


@pytest.mark.parametrize("name", ["SR-IOV", "Vulkan", "QEMU KVM"])
def test_acronyms_and_technologies_that_a_model_took_for_names_are_not_looked_for_again(name: str) -> None:
    assert list(sure(name, [Span(0, len(name), "PERSON", 0.38, "x")], 0.39)) == []


def test_of_a_find_only_parts_that_may_be_names_are_looked_for_again() -> None:
    wanted = needles([("PERSON", "Ines KVM Xe")], FOUND_BEFORE, 0.5)
    text = "KVM and xe, says ines"
    assert [text[span.start : span.end] for span in find(text, wanted)] == ["ines"]


@pytest.mark.parametrize(
    ("span", "is_sure"),
    [
        (Span(0, 7, "ACCOUNT_NUMBER", 0.75, "x"), True),
        (Span(0, 7, "ACCOUNT_NUMBER", 0.5, "x"), False),
        (Span(0, 2, "ACCOUNT_NUMBER", 0.75, "x"), False),
        (Span(8, 15, "ACCOUNT_NUMBER", 0.75, "x"), False),
        (Span(8, 15, "PERSON", 0.38, "x"), True),
        (Span(8, 15, "PERSON", 0.2, "x"), False),
        (Span(0, 7, "DATE_TIME", 0.9, "x"), False),
    ],
)
def test_only_sure_finds_are_looked_for_again(span: Span, is_sure: bool) -> None:
    assert bool(list(sure("AB-4711 Crystal", [span], 0.39))) is is_sure


@given(st.text(max_size=60))
def test_folding_keeps_every_offset(text: str) -> None:
    assert len(fold(text)) == len(text)


@pytest.mark.parametrize(
    ("value", "entity_type", "again"),
    [
        ("Thorvald", "PERSON", True),
        ("Xe", "PERSON", False),
        ("Li", "PERSON", True),
        ("MARIA", "PERSON", True),
        ("ASPM", "PERSON", False),
        ("THORVALD", "PERSON", True),
        ("Qwen3", "PERSON", False),
        ("e212", "DEVICE_ID", False),
        ("SN-4471-0923", "DEVICE_ID", True),
        ("5225", "PIN", True),
    ],
)
def test_only_what_looks_like_a_name_or_a_whole_number_is_looked_for_again(value: str, entity_type: str, *, again: bool) -> None:
    found = Span(0, len(value), entity_type, 0.9, "any")
    assert list(sure(value, [found], 0.39)) == ([(entity_type, value)] if again else [])
