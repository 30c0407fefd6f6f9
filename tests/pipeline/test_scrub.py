"""Personal details leave no trace: the same stand-in everywhere, nothing in errors, and the same bytes every time."""

import io
import logging
import re
import shutil
import socket
import sys
import traceback
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import CurationError, ParamsError, TableError
from pipeline.finding import MODEL, chosen, find
from pipeline.parts import Means
from pipeline.schema import FINDINGS, SCRUBBED
from pipeline.scrub import read_lists, run, scrub
from pipeline.spans import Span
from pipeline.stage import Outcome
from pipeline.tables import Table
from tests.build import KEY, MEANS
from tests.build import turn as a_turn
from tests.pipeline.scrubbing import PATTERNS, SHIPPED, ingested, ingested_table, look, person, scrubbed, talk, texts

CRYSTAL = [
    person("Crystal Minh"),
    person("crystal.minh@harbour-mail.example", "EMAIL_ADDRESS"),
    person("85731890", "ACCOUNT_NUMBER"),
]


def test_a_known_name_has_one_stand_in_in_every_turn_in_every_spelling() -> None:
    first, second, third = texts(scrubbed(talk("Hi, crystal minh here", "Welcome Crystal", "ok. CRYSTAL", participants=CRYSTAL)))
    name = second.removeprefix("Welcome ")
    assert name != "Crystal"
    assert first.startswith(f"Hi, {name.lower()} ")
    assert third == f"ok. {name.upper()}"


def test_a_value_has_one_stand_in_in_all_conversations_and_runs() -> None:
    rows = [talk("account number 85731890", number=number) for number in range(3)]
    together = scrubbed(*rows)
    assert len({texts(together, row)[0] for row in range(3)} | {texts(scrubbed(rows[1]))[0]}) == 1


def test_an_answer_to_a_question_is_known_in_all_turns() -> None:
    said = texts(scrubbed(talk("hi", "May I have your PIN?", "5225", "Thanks, 5225 it is", "my gate code has 5225 in it")))
    pin = said[2]
    assert pin != "5225"
    assert said[3:] == [f"Thanks, {pin} it is", f"my gate code has {pin} in it"]


def test_a_name_that_the_customer_gives_is_known_in_all_turns() -> None:
    first, second = texts(scrubbed(talk("hello, my name is crystal minh", "Hello Crystal!")))
    assert "crystal" not in first
    assert second == f"Hello {first.split()[4].capitalize()}!"


@pytest.mark.parametrize("handle", ["jo_fox88", "harbourfan", "Crystal-M"])
def test_a_known_user_name_is_one_value_in_addresses_mentions_and_quotes(handle: str) -> None:
    forum = f"""https://forum.harbour-pine.example/u/{handle}/posts/latest said
{handle} wrote: [quote="{handle}, post:3"] @{handle} see https://forum.harbour-pine.example/u/{handle.lower()}?tab=posts"""
    said = texts(scrubbed(talk(forum, participants=[person(handle, "USER_NAME")])))[0]
    owner = said.split("\n")[1].partition(" wrote")[0]
    host = said.removeprefix("https://").partition("/")[0]
    assert handle.casefold() not in said.casefold()
    assert (
        said
        == f"""https://{host}/u/{owner}/posts/latest said
{owner} wrote: [quote="{owner}, post:3"] @{owner} see https://{host}/u/{owner.lower()}?tab=posts"""
    )


@pytest.mark.parametrize(
    ("handle", "written"),
    [
        ("Blue Heron", "Blue%20Heron"),
        ("Blue Heron", "blue-heron"),
        ("Blue Heron", "Blue+Heron"),
        ("JürgenB", "J%C3%BCrgenB"),
        ("Ольга Д", "%D0%9E%D0%BB%D1%8C%D0%B3%D0%B0-%D0%94"),
        ("Kavita Raman", "kavita-raman"),
    ],
)
@pytest.mark.parametrize(
    "address", ["https://forum.example/topic/hello-{}/12", "https://forum.example/u/{}", "https://f.example/x?by={}&n=1"]
)
def test_a_known_user_name_goes_from_web_addresses_however_it_is_written_there(handle: str, written: str, address: str) -> None:
    prose, there = texts(scrubbed(talk(f"hi {handle}", address.format(written), participants=[person(handle, "USER_NAME")])))
    words = re.findall(r"\w+", prose.removeprefix("hi ").casefold())
    assert re.search(r"[ +-]".join(words), unquote(there).casefold()), there
    assert not set(re.findall(r"\w{4,}", handle.casefold())) & set(re.findall(r"\w+", unquote(there).casefold()))


@pytest.mark.parametrize("address", ["/u/{}", "/users/{}/posts", "/members/{}.1200/", "/search?user={}&page=2", "/profile/{}"])
def test_whose_page_a_web_address_is_gets_the_stand_in_of_a_user_name_also_where_nobody_knows_them(address: str) -> None:
    known, there = texts(scrubbed(talk("@zorblax_77 said", f"https://forum.example{address.format('zorblax_77')}")))
    assert known.split()[0].removeprefix("@") in there


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("address", ["https://forum.example.net/members/zorblax.1200/", "/members/zorblax.1200/"])
def test_what_follows_a_user_name_in_a_path_is_no_host(address: str, known: bool) -> None:
    people = [person("zorblax", "USER_NAME")] if known else []
    said = texts(scrubbed(talk(f"see {address} there", participants=people)))[0]
    assert re.fullmatch(r"see (?:https://\w+\.example\.net)?/members/\w+\.\d{4}/ there", said), said
    assert "zorblax" not in said


def test_a_date_in_words_of_other_languages_stays_a_date_and_moves_with_the_others() -> None:
    said = texts(scrubbed(talk("le 15 mars 2024, am 15. März 2024, on 15 March 2024")))[0]
    assert re.fullmatch(r"le \d+(?:er)? [a-zé]+ \d{4}, am \d+\. [A-Z][a-zä]+ \d{4}, on \d+ [A-Z][a-z]+ \d{4}", said), said
    assert "15" not in said
    assert len(set(re.findall(r"\b(\d{1,2})(?:er|\.)? ", said))) == 1, said


def test_the_host_of_a_web_address_is_no_word_that_is_known() -> None:
    said = texts(scrubbed(talk("see https://harbour.pine.example/harbour", participants=[person("harbour", "USER_NAME")])))[0]
    assert re.fullmatch(r"see https://\w+\.example\.(com|org|net)/\w+", said)
    assert "harbour" not in said


def test_what_is_certain_keeps_its_type_inside_a_longer_find_of_a_model() -> None:
    text = "Crystal Minh / 919 555 0142 of Harbour Lane"
    model = Span(0, len(text), "STREET_ADDRESS", 0.38, MODEL)
    phone = Span(15, 27, "PHONE_NUMBER", 1.0, "KnownValueRecognizer")
    assert [(text[one.start : one.end], one.entity_type) for one in chosen(text, [model, phone], (), ())] == [
        ("Crystal Minh /", "STREET_ADDRESS"),
        ("919 555 0142", "PHONE_NUMBER"),
        ("of Harbour Lane", "STREET_ADDRESS"),
    ]


def test_native_id_and_participants_stay_behind_the_wall() -> None:
    outcome = scrubbed(talk("hello", participants=CRYSTAL))
    assert list(outcome.kept.columns) == list(SCRUBBED)


def test_details_in_columns_are_replaced_too() -> None:
    row = talk(
        "hello",
        participants=CRYSTAL,
        product="Boat of Crystal Minh",
        topics=["billing", "call 212-867-5309"],
        source_file="desk/crystal.minh.jsonl",
        channel="crystal",
    )
    kept = scrubbed(row).kept
    held = " ".join([kept["product"][0], *kept["topics"][0], kept["source_file"][0], kept["channel"][0]]).lower()
    assert "crystal" not in held
    assert "minh" not in held
    assert "867" not in held
    assert kept["topics"][0][0] == "billing"
    assert kept["source_file"][0].startswith("desk/")


@pytest.mark.parametrize(
    ("file", "left"),
    [
        ("mail/support.mbox", "mail/support.mbox"),
        ("a.zip!/mbox.minh@example.com.mbox.gz", "a.zip!/*.mbox.gz"),
        ("chats/Chat with Mbox.txt", "chats/Chat with *.txt"),
        ("chats/chat.mbox minh", "chats/chat.*"),
    ],
)
def test_the_ending_of_a_file_stays_though_somebody_has_such_a_name(file: str, left: str) -> None:
    people = [person("Mbox Minh"), person("mbox.minh@example.com", "EMAIL_ADDRESS")]
    kept = scrubbed(talk("Hi", participants=people, source_file=file)).kept["source_file"][0]

    begin, star, end = left.partition("*")
    assert kept.startswith(begin)
    assert kept.endswith(end)
    assert (kept == left) is not bool(star)
    assert "minh" not in kept


def test_findings_say_what_stood_where_and_where_its_stand_in_stands_and_hold_no_text() -> None:
    given_text = "Hi, I am Crystal. Account number 85731890!"
    outcome = scrubbed(talk(given_text, participants=CRYSTAL))
    findings = outcome.beside["findings"]
    assert dict(findings.schema) == FINDINGS
    old = [(given_text[start:end], kind) for start, end, kind in findings.select("start", "end", "entity_type").iter_rows()]
    assert old == [("Crystal", "PERSON"), ("85731890", "ACCOUNT_NUMBER")]
    (new_text,) = texts(outcome)
    rest, position = "", 0
    for start, end in findings.select("new_start", "new_end").iter_rows():
        rest, position = rest + new_text[position:start] + "*", end
    assert rest + new_text[position:] == "Hi, I am *. Account number *!"


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("placeholder", "<PERSON_1> and <PERSON_2>, <PERSON_1>!"), ("mask", "**** and ****, ****!"), ("keep", None)],
)
def test_the_mode_of_a_type_decides_what_takes_its_place(mode: str, expected: str | None) -> None:
    text = "Crystal and Bertram, CRYSTAL!"
    row = talk(text, participants=[person("Crystal"), person("Bertram")])
    assert texts(scrubbed(row, modes={"PERSON": mode}))[0] == (expected or text)


def test_dates_of_a_customer_move_together_and_keep_their_distance() -> None:
    (text,) = texts(scrubbed(talk("paid 2026-03-01, sent 2026-03-11")))
    assert text != "paid 2026-03-01, sent 2026-03-11"
    one, other = (pl.Series([part.split()[1]]).str.to_date()[0] for part in text.split(", "))
    assert (other - one).days == 10


def test_terms_of_the_allow_list_are_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("# ours\nCrystal Clear\nharbour.co.uk\n", "utf-8")
    lists = read_lists(PATTERNS.model_copy(update={"allow_list": tmp_path / "own.txt"}))
    row = talk("Crystal Clear by Crystal, see https://harbour.co.uk", participants=CRYSTAL)
    (text,) = texts(scrubbed(row, lists=lists))
    assert text.startswith("Crystal Clear by ")
    assert "by Crystal" not in text
    assert text.endswith("//harbour.co.uk") or "harbour" not in text


@pytest.mark.parametrize(
    ("allowed", "left"),
    [("lin", ["Linda Berg"]), ("berg", ["Linda"]), ("er", ["Linda Berg"]), ("linda", ["Berg"]), ("linda berg", [])],
)
def test_an_allowed_term_counts_only_as_a_word_of_its_own(allowed: str, left: list[str]) -> None:
    text = "I am Linda Berg."
    spans = chosen(text, [Span(5, 15, "PERSON", 0.9, MODEL)], [allowed], set())
    assert [text[span.start : span.end] for span in spans] == left


def test_terms_of_the_deny_list_are_always_replaced(tmp_path: Path) -> None:
    (tmp_path / "deny.txt").write_text("PROJECT\tBlue Heron\nseastar\n", "utf-8")
    lists = read_lists(PATTERNS.model_copy(update={"deny_list": tmp_path / "deny.txt"}))
    outcome = scrubbed(talk("blue heron and Seastar"), lists=lists)
    assert outcome.beside["findings"]["entity_type"].to_list() == ["PROJECT", "CUSTOM"]


def test_a_missing_list_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"scrub.allow_list: .*none.txt cannot be read as UTF-8 text"):
        read_lists(PATTERNS.model_copy(update={"allow_list": tmp_path / "none.txt"}))


def test_an_unknown_recognizer_is_a_clear_error(tmp_path: Path) -> None:
    source = ingested_table(tmp_path / "ingested", [ingested(talk("hello"))])
    with pytest.raises(ParamsError, match=r"scrub\.recognizers: 'presidoi' is not one of presidio, "):
        run(source.folder, tmp_path / "scrubbed", PATTERNS.model_copy(update={"recognizers": ["presidoi"]}), MEANS)


def test_a_language_that_the_tokenizer_does_not_know_is_a_clear_error(tmp_path: Path) -> None:
    source = ingested_table(tmp_path / "ingested", [ingested(talk("hello"))])
    with pytest.raises(ParamsError, match=r"scrub\.language: spaCy has no tokenizer for 'klingon' here; name another"):
        run(source.folder, tmp_path / "scrubbed", PATTERNS.model_copy(update={"language": "klingon"}), MEANS)


def test_a_table_that_went_on_from_ingest_is_refused_by_the_name_of_its_stage(tmp_path: Path) -> None:
    run(ingested_table(tmp_path / "ingested", [ingested(talk("hello"))]).folder, tmp_path / "scrubbed", PATTERNS, MEANS)

    with pytest.raises(TableError, match="was made by scrub; scrub reads the table of ingest"):
        run(tmp_path / "scrubbed", tmp_path / "again", PATTERNS, MEANS)


def test_a_table_that_was_never_ingested_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="does not exist"):
        run(tmp_path / "nothing", tmp_path / "scrubbed", PATTERNS, MEANS)


ODD = ["", "   ", "\n", "😀" * 50, "שלום עולם 5225", "١٢٣٤٥٦٧", "\u200b", "a\u0301", "7" * 5000, "İstanbul'dan İ", "\ufeffhello"]


def test_odd_texts_pass() -> None:
    outcome = scrubbed(talk(*ODD, participants=CRYSTAL), talk(number=2, turns=[]))
    assert len(texts(outcome)) == len(ODD)
    assert texts(outcome, 1) == []
    assert outcome.counts["turns"] == len(ODD)


def test_nobody_is_nothing() -> None:
    assert scrubbed().kept.height == 0


PERSONAL = st.sampled_from(
    [
        "crystal",
        "Crystal Minh",
        "85731890",
        "call 212-867-5309",
        "a@harbour.co.uk",
        "10.1.2.3",
        "my pin is 5225",
        "4111 1111 1111 1111",
    ]
)
WORDS = st.sampled_from(["hello", "the boat", "is late.", "thanks!", "order", "what?", "\n"])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(PERSONAL | WORDS, max_size=5).map(" ".join), max_size=4))
def test_what_is_no_detail_stays_and_every_turn_stays(said: list[str]) -> None:
    outcome = scrubbed(talk(*said, participants=CRYSTAL))
    findings = outcome.beside["findings"]
    for turn, (before, after) in enumerate(zip(said, texts(outcome), strict=True)):
        own = findings.filter(pl.col("turn_id") == f"t{turn}")
        cut_before, cut_after = [], []
        position = new_position = 0
        for start, end, new_start, new_end in own.select("start", "end", "new_start", "new_end").iter_rows():
            cut_before.append(before[position:start])
            cut_after.append(after[new_position:new_start])
            position, new_position = end, new_end
        assert [*cut_before, before[position:]] == [*cut_after, after[new_position:]]
    for value in ("crystal", "minh", "85731890"):
        assert all(value not in text.lower() for text in texts(outcome))


def test_the_order_of_rows_changes_nothing_but_the_order() -> None:
    rows = [talk(f"I am Crystal, account number 857318{number:02d}", number=number, participants=CRYSTAL) for number in range(12)]
    forth, back = scrubbed(*rows).kept, scrubbed(*rows[::-1]).kept
    assert forth.equals(back.reverse())


def corpus(parts: int) -> list[pl.DataFrame]:
    """Many short PINs, so that first draws hit real values and each other."""
    return [
        ingested(
            *(
                talk(
                    "hello",
                    "Your PIN please?",
                    f"{number * 7 % 10000:04d}",
                    number=number,
                    participants=[person(f"Person{number}"), person(f"{number * 7 % 10000:04d}", "PIN")],
                )
                for number in range(part * 60, part * 60 + 60)
            )
        )
        for part in range(parts)
    ]


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ingested table of four parts, scrubbed by one worker."""
    folder = tmp_path_factory.mktemp("line")
    ingested_table(folder / "ingested", corpus(4))
    run(folder / "ingested", folder / "scrubbed", PATTERNS, MEANS)
    return folder


def test_two_workers_write_the_bytes_that_one_writes(line: Path) -> None:
    run(line / "ingested", line / "by_two", PATTERNS, Means(KEY, workers=2))
    assert digests(line / "by_two") == digests(line / "scrubbed")


def test_no_stand_in_of_the_corpus_is_a_real_value_and_two_values_never_share_one(line: Path) -> None:
    said = Table(line / "scrubbed").scan().select(pl.col("turns").list.get(2).struct.field("text")).collect().to_series()
    real = {f"{number * 7 % 10000:04d}" for number in range(240)}
    assert said.n_unique() == 240
    assert not set(said) & real


def test_a_new_part_leaves_the_bytes_of_the_others_unless_their_stand_ins_moved(line: Path, tmp_path: Path) -> None:
    ingested_table(tmp_path / "ingested", corpus(5))
    run(tmp_path / "ingested", tmp_path / "scrubbed", PATTERNS, MEANS)
    before, after = (
        Table(folder / "scrubbed")
        .scan()
        .select("conversation_id", pl.col("turns").list.get(2).struct.field("text").alias("pin"))
        .collect()
        for folder in (line, tmp_path)
    )
    moved = before.join(after, on="conversation_id").filter(pl.col("pin") != pl.col("pin_right")).height
    assert moved < 24


def test_a_second_run_makes_nothing_anew(line: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = digests(line / "scrubbed")
    monkeypatch.setattr("pipeline.scrub.make_look", None)
    monkeypatch.setattr("pipeline.scrub.replace", None)
    run(line / "ingested", line / "scrubbed", PATTERNS, MEANS)
    assert digests(line / "scrubbed") == before


def test_another_mode_does_not_look_through_the_texts_again(line: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree(line, tmp_path / "line")
    monkeypatch.setattr("pipeline.scrub.make_look", None)
    masked = PATTERNS.model_copy(update={"modes": {"PIN": "mask"}})
    run(tmp_path / "line/ingested", tmp_path / "line/scrubbed", masked, MEANS)
    said = Table(tmp_path / "line/scrubbed").scan().select(pl.col("turns").list.get(2).struct.field("text")).collect().to_series()
    assert set(said) == {"****"}


def test_a_better_recognizer_has_the_texts_looked_through_again(
    line: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copytree(line, tmp_path / "line")
    monkeypatch.setattr("pipeline.tables.code_digest", lambda: "other code")
    monkeypatch.setattr("pipeline.scrub.make_look", None)
    with pytest.raises(TypeError, match="not callable"):
        run(tmp_path / "line/ingested", tmp_path / "line/scrubbed", PATTERNS, MEANS)


def test_the_whole_stage_runs_with_sockets_forbidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_more: Any) -> None:
        raise AssertionError("a socket was opened")

    source = ingested_table(tmp_path / "ingested", [ingested(talk("write to a@harbour.co.uk", participants=CRYSTAL))])
    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    manifest = run(source.folder, tmp_path / "scrubbed", SHIPPED, MEANS)
    assert manifest.total("findings") == 1


PLANTED = [
    *(f"Zyx{number:03d} Quillon{number:03d}" for number in range(200)),
    *(f"zyx.{number:03d}@harbour-mail.example" for number in range(100)),
    *(f"97{number:06d}31" for number in range(200)),
]


def planted(number: int) -> dict[str, Any]:
    value = PLANTED[number]
    kind = "EMAIL_ADDRESS" if "@" in value else "PERSON" if value[0] == "Z" else "ACCOUNT_NUMBER"
    return talk(f"I am here, {value}!", "thanks", number=number, participants=[person(value, kind)])


def quotes(value: str, held: str) -> bool:
    return value.lower() in held.lower()


def test_five_hundred_planted_values_stand_nowhere_after_a_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    source = ingested_table(tmp_path / "ingested", [ingested(*(planted(number) for number in range(len(PLANTED))))])
    run(source.folder, tmp_path / "scrubbed", PATTERNS, MEANS)
    held = caplog.text
    for table in (tmp_path / "scrubbed", tmp_path / ".scrubbed.found"):
        for path in sorted(table.rglob("*")):
            held += f"\n{path.name} "
            if path.suffix == ".parquet":
                held += pl.read_parquet(path).write_json()
            elif path.is_file():
                held += path.read_text("utf-8")
    assert len(PLANTED) == 500
    assert [value for value in PLANTED if quotes(value, held)] == []


def test_a_number_that_one_turn_announces_is_found_bare_in_the_others() -> None:
    (first, second, third) = texts(scrubbed(talk("it is 5225, yes", "my account number is 5225", "the 52.25 for 5225?")))
    assert "5225" not in first + second + third
    assert "52.25" in third


def test_a_number_in_words_has_the_stand_in_of_its_digits() -> None:
    said, typed = texts(
        scrubbed(talk("my account number is eight five seven three one eight nine oh", "account number 85731890"))
    )
    assert said.split()[-1] == typed.split()[-1] != "85731890"
    (card,) = texts(scrubbed(talk("card " + " ".join(["four", *["one"] * 15]))))
    assert "one" not in card.split()
    (security,) = texts(scrubbed(talk("my ssn is five one two three four six seven eight nine")))
    assert security.split()[-1].replace("-", "").isdecimal()


def failing(texts: Sequence[str]) -> list[list[Span]]:
    if any("here" in text for text in texts):
        raise ValueError(f"cannot read {texts}")
    return [[] for _ in texts]


def test_a_failing_recognizer_is_named_by_place_and_type_and_quotes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shown = io.StringIO()
    rows = ingested(talk("fine", "also fine", number=600), *(planted(number) for number in range(len(PLANTED))))
    try:
        find(rows, PATTERNS.kept_types, failing)
    except CurationError:
        traceback.print_exc(file=shown)
        error = sys.exc_info()[1]
    assert str(error) == (
        "scrub: a recognizer failed on conversation desk-0000000000000000, turn t0 (ValueError);"
        " take it out of scrub.recognizers or mend it"
    )
    assert error is not None
    assert error.__context__ is None
    assert [value for value in PLANTED if quotes(value, shown.getvalue() + caplog.text)] == []


def test_each_distinct_text_is_looked_through_once() -> None:
    asked: list[str] = []

    def counting(texts: Sequence[str]) -> list[list[Span]]:
        asked.extend(texts)
        return look()(texts)

    rows = ingested(*(talk("hello", "how can I help?", number=number) for number in range(5)))
    scrub(rows, PATTERNS, counting, KEY)
    assert sorted(asked) == ["chat", "desk/log.jsonl", "hello", "how can I help?"]


def asking(*arguments: tuple[str, str], result: str = "found") -> dict[str, Any]:
    call = {"name": "bank_balance", "arguments": [{"name": name, "value": value} for name, value in arguments]}
    return a_turn("tool", result, 1, call=call)


def arguments_of(outcome: Outcome) -> list[str]:
    return [each["value"] for one in outcome.kept["turns"].to_list()[0] if one["call"] for each in one["call"]["arguments"]]


def test_arguments_and_results_of_look_ups_lose_their_details_as_texts_do() -> None:
    look_up = asking(("Owner", "crystal minh"), ("Mail", "jo.fox@harbour-mail.example"), ("City", "Oslo"), result="Dear Crystal")
    outcome = scrubbed(talk(turns=[a_turn("customer", "I am Crystal"), look_up], participants=CRYSTAL))

    owner, mail, city = arguments_of(outcome)
    said, came_back = texts(outcome)
    assert city == "Oslo"
    assert said == f"I am {owner.split()[0].capitalize()}"
    assert came_back == f"Dear {owner.split()[0].capitalize()}"
    assert "crystal" not in owner
    assert "jo.fox" not in mail
    assert outcome.counts["details_in_columns"] == 2


def test_what_was_typed_into_a_look_up_is_known_in_every_turn() -> None:
    turns = [
        a_turn("customer", "it is 7714 0923 then"),
        asking(("AccountNumber", "77140923"), ("PIN", "5225")),
        a_turn("agent", "5225?"),
    ]
    outcome = scrubbed(talk(turns=turns))

    account, pin = arguments_of(outcome)
    assert account != "77140923"
    assert pin != "5225"
    assert [text for text in texts(outcome) if "7714" in text] == []
    assert texts(outcome)[2] == f"{pin}?"


def test_a_look_up_between_question_and_answer_hides_neither() -> None:
    turns = [a_turn("agent", "May I have your PIN?"), asking(), a_turn("customer", "5225", 2)]
    assert texts(scrubbed(talk(turns=turns)))[2] != "5225"
