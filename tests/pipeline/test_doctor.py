"""The doctor: knows what it looks at, proposes a mapping that ingest takes, and shows nothing readable."""

import csv
import io
import json
from pathlib import Path
from typing import Any, Final

import orjson
import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from benchmarks.mutations import KNOWN, damaged
from pipeline import ingest
from pipeline.cli import app
from pipeline.doctor.diagnosis import Recognised, diagnose, mask
from pipeline.errors import SourceError
from pipeline.parts import Means
from pipeline.tables import Table
from tests.build import KEY
from tests.pipeline.received import ingested, params, rows, texts, write
from tests.pipeline.sources.test_fixtures import FORMATS
from tests.pipeline.sources.vendors import VENDORS

SAYS: Final = (
    "the blue tent leaks at its seams",
    "please send a photo of the seam",
    "here is the photo you asked for",
    "a new tent leaves our house today",
)


def diagnosed(path: Path) -> Recognised:
    """The only shape found there."""
    (found,) = diagnose(path).sources
    return found


def posts() -> list[dict[str, Any]]:
    """A forum of six threads, with names of fields as odd as real ones."""
    return [
        {
            "ThreadNo": 1000 + thread,
            "PostSeq": place + 1,
            "Poster": f"asker{thread}" if place % 2 == 0 else f"helper{place}",
            "PostedOn": f"{13 + thread}/03/2021 1{place}:05",
            "Contents": f"{says} number {thread}",
            "Subforum": ("Tents", "Boots")[thread % 2],
            "Upvotes": place * thread,
        }
        for thread in range(6)
        for place, says in enumerate(SAYS)
    ]


def as_csv(records: list[dict[str, Any]], delimiter: str = ",") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def tweets() -> list[dict[str, Any]]:
    """Rows that name no conversation but the row they answer, as the public set of support tweets has them."""
    return [
        {
            "tweet_id": 10 * thread + place,
            "author_id": f"1000{thread}" if place % 2 == 0 else "BlueTents",
            "inbound": place % 2 == 0,
            "created_at": f"Tue Oct 31 2{place}:10:47 +0000 2017",
            "text": f"{says} {thread}",
            "reply_count": 1,
            "response_tweet_id": 10 * thread + place + 1 if place + 1 < len(SAYS) else "",
            "in_response_to_tweet_id": 10 * thread + place - 1 if place else "",
        }
        for place, says in reversed(list(enumerate(SAYS)))
        for thread in range(1, 9)
    ]


def test_rows_that_name_the_row_they_answer_are_read_as_threads(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", twcs__csv=as_csv(tweets()))
    found = diagnosed(folder).mapping

    assert (found["id"], found["turn"]["parent"]) == ("tweet_id", "in_response_to_tweet_id")
    speakers = [f"{who}: {says}" for who, says in zip(["customer", "agent"] * 2, SAYS, strict=True)]
    expected = [[f"{turn} {thread}" for turn in speakers] for thread in range(1, 9)]
    assert sorted(texts(ingested(folder, found)).values(), key=lambda turns: turns[0][-1]) == expected


def posts_and_comments() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What opens the threads of a forum, and the comments below, as its dumps hold them: in other fields each."""
    asked = [
        {
            "name": f"t3_{n}", "author": f"asker{n}", "title": f"Tent leaks {n}", "selftext": f"{SAYS[0]} {n}",
            "created_utc": 1700000000 + n * 1000, "permalink": f"/tents/{n}",
        } for n in range(8)
    ]  # fmt: skip
    comments = [
        {
            "name": f"t1_{n}{place}", "author": who, "body": f"{says} {n}", "created_utc": 1700000001 + n * 1000 + place,
            "link_id": f"t3_{n}", "parent_id": f"t1_{n}{place - 1}" if place else f"t3_{n}", "permalink": f"/tents/{n}",
        } for n in range(8) for place, (who, says) in enumerate([("helper", SAYS[1]), (f"asker{n}", SAYS[2])])
    ]  # fmt: skip
    return asked, comments


def test_posts_and_the_comments_below_them_are_threads_though_their_texts_stand_in_other_fields(tmp_path: Path) -> None:
    asked, comments = posts_and_comments()
    folder = write(tmp_path / "in", dump__jsonl=[*comments, *asked])
    said = list(texts(ingested(folder, diagnosed(folder).mapping)).values())

    assert len(said) == 8
    assert [f"customer: Tent leaks 5\n\n{SAYS[0]} 5", f"agent: {SAYS[1]} 5", f"customer: {SAYS[2]} 5"] in said


def test_posts_and_comments_that_do_not_name_themselves_with_their_kind_are_threads_too(tmp_path: Path) -> None:
    asked, comments = ([{**each, "id": each["name"][3:]} for each in some] for some in posts_and_comments())
    bare = [{key: value for key, value in each.items() if key != "name"} for each in [*comments, *asked]]
    folder = write(tmp_path / "in", dump__jsonl=bare)
    said = list(texts(ingested(folder, diagnosed(folder).mapping)).values())

    assert len(said) == 8
    assert [f"customer: Tent leaks 5\n\n{SAYS[0]} 5", f"agent: {SAYS[1]} 5", f"customer: {SAYS[2]} 5"] in said


def test_comments_whose_post_was_not_delivered_make_no_customer_of_whoever_answered_first(tmp_path: Path) -> None:
    found = diagnose(write(tmp_path / "in", dump__jsonl=posts_and_comments()[1]))

    assert any("opening_not_delivered" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("column", "customer", "agent"),
    [("Direction", "in", "out"), ("direction", "IN", "OUT"), ("from_agent", "false", "true"), ("is_staff", "0", "1")],
)
def test_a_column_that_says_which_way_a_message_went_says_who_speaks(
    column: str, customer: str, agent: str, tmp_path: Path
) -> None:
    records = [
        {"Ticket ID": thread, column: (agent, customer)[place % 2], "Author": "Al Roe", "Content": f"{says} {thread}"}
        for thread in range(8)
        for place, says in enumerate(SAYS)
    ]
    folder = write(tmp_path / "in", log__csv=as_csv(records))
    said = texts(ingested(folder, diagnosed(folder).mapping))

    assert [turn.partition(":")[0] for turn in said["3"]] == ["agent", "customer", "agent", "customer"]


def test_transcripts_whose_lines_begin_with_a_time_are_read(tmp_path: Path) -> None:
    log = "[10:00:01] Visitor: {0}\n[10:01:07] Agent: {1}\n[10:02:00] Visitor: {2}"
    records = [{"chat_id": f"c{number}", "log": log.format(*SAYS)} for number in range(8)]
    folder = write(tmp_path / "in", log__csv=as_csv(records))

    assert texts(ingested(folder, diagnosed(folder).mapping))["c5"] == [
        f"{who}: {says}" for who, says in zip(("customer", "agent", "customer"), SAYS, strict=False)
    ]


@pytest.mark.parametrize(
    ("log", "is_told"),
    [
        ("Al Roe (Agent): {1}\nJane{n} Fox: {0}\nAl Roe (Agent): {3}", True),
        ("[10:02] Jane{n}: {0}\n[10:03] Acme Support: {1}", True),
        ("Customer: {0}\nAl Roe: {1}\nCustomer: {2}\nAl Roe: {3}", False),
        ("Jane{n}: {0}\nAl: {1}\nJane{n}: {2}\n", False),
    ],
)
def test_transcripts_whose_lines_begin_with_names_are_read_and_it_is_said_where_nobody_is_known_as_staff(
    log: str, is_told: bool, tmp_path: Path
) -> None:
    records = [{"chat_id": f"c{n}", "log": log.format(*SAYS, n="abcdefgh"[n])} for n in range(8)]
    folder = write(tmp_path / "in", log__csv=as_csv(records))
    found = diagnosed(folder)
    said = texts(ingested(folder, found.mapping))["c5"]

    assert {f"customer: {SAYS[0]}", f"agent: {SAYS[1]}"} <= set(said)
    assert is_told is not any("no label says who is staff" in remark for remark in found.remarks)
    assert "jane" not in diagnose(folder).params().casefold()


@pytest.mark.parametrize("written", ["05 Jan 2024 10:0{0} AM", "05 Jan 2024 10:00:0{0}", "Jan 05, 2024 10:00:0{0} PM"])
def test_times_with_the_names_of_months_are_read(written: str, tmp_path: Path) -> None:
    records = [
        {"ticket": n, "role": ("customer", "agent")[place % 2], "body": f"{says} {n}", "created": written.format(place)}
        for n in range(6)
        for place, says in enumerate(SAYS)
    ]
    found = diagnosed(write(tmp_path / "in", log__csv=as_csv(records)))

    assert found.mapping["turn"]["sent_at"] == "created"
    assert found.read == {"kept": 6}


def test_a_form_in_a_message_is_no_transcript(tmp_path: Path) -> None:
    body = "Bestellnummer: 8{0}\nKaufdatum: 5. Mai\nFarbe: rot\nFehler: Die Naht ist undicht und es regnet hinein"
    records = [{"ticket": n, "body": body.format(n), "answer": f"{SAYS[1]} {n}"} for n in range(8)]

    assert "transcript" not in diagnosed(write(tmp_path / "in", log__csv=as_csv(records))).mapping


def test_whoever_opened_an_issue_is_its_customer_in_the_comments_too(tmp_path: Path) -> None:
    issues = [
        {
            "id": 500 + number,
            "user": {"login": f"asker{number}"},
            "body": f"{SAYS[0]} {number}",
            "comments": [{"user": {"login": who}, "body": f"{says} {number}"} for who, says in said],
        }
        for number in range(8)
        for said in ([("helper", SAYS[1]), (f"asker{number}", SAYS[2])],)
    ]
    folder = write(tmp_path / "in", issues__json=orjson.dumps(issues))

    assert texts(ingested(folder, diagnosed(folder).mapping))["504"] == [
        f"customer: {SAYS[0]} 4", f"agent: {SAYS[1]} 4", f"customer: {SAYS[2]} 4",
    ]  # fmt: skip


def questions() -> list[dict[str, Any]]:
    """Threads as a question with its answers below."""
    return [
        {
            "question_id": thread,
            "title": "Tent",
            "body": f"<p>{SAYS[0]} {thread}</p>",
            "owner": {"display_name": f"asker{thread}", "user_id": 50 + thread},
            "creation_date": 1767614400 + 3600 * thread,
            "answers": [
                {
                    "body": f"<p>{says} {thread}</p>",
                    "owner": {"display_name": name, "user_id": user},
                    "creation_date": at + 60 * place,
                }
                for at in (1767614400 + 3600 * thread,)
                for place, (says, name, user) in enumerate(((SAYS[1], "hal", 3), (SAYS[2], f"asker{thread}", 50 + thread)), 1)
            ],
        }
        for thread in range(6)
    ]  # fmt: skip


def spark(records: list[dict[str, Any]]) -> str:
    """A CSV as Spark and MySQL write it: quotes in cells have a backslash before them."""
    cells = [list(records[0]), *(list(map(str, record.values())) for record in records)]
    cells = [[cell.replace("photo", 'so-called "photo", please,') for cell in row] for row in cells]
    return "\n".join(",".join('"' + cell.replace('"', '\\"') + '"' for cell in row) for row in cells)


def german() -> list[dict[str, Any]]:
    """A help desk of people who name their columns in their own language."""
    return [
        {
            "Vorgangsnummer": 500 + thread,
            "Absender": ("Kunde", "Mitarbeiter")[place % 2],
            "Nachricht": f"{says} für Nummer {thread}",
            "Datum": f"{13 + thread}.01.2026 1{place}:05",
        }
        for thread in range(6)
        for place, says in enumerate(SAYS)
    ]


def chats() -> list[dict[str, Any]]:
    return [
        {"conversations": [{"from": ("human", "gpt")[place % 2], "value": f"{says} {number}"} for place, says in enumerate(SAYS)]}
        for number in range(6)
    ]


def transcripts() -> list[dict[str, Any]]:
    """A whole conversation in one cell."""
    return [
        {"no": number, "text": "\n".join(f"{('Client', 'Agent')[place % 2]}: {says}" for place, says in enumerate(SAYS))}
        for number in range(6)
    ]


def pairs() -> list[dict[str, Any]]:
    return [
        {
            "Title": f"T{number}",
            "QuestionText": f"{SAYS[0]} {number}",
            "BestReply": f"{SAYS[1]} {number}",
            "Asked": "Mar 03, 2021 10:05 AM",
        }
        for number in range(6)
    ]


def parquet(records: list[dict[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame(records).write_parquet(buffer)
    return buffer.getvalue()


THREAD: Final = ["customer", "agent", "customer", "agent"]


@pytest.mark.parametrize(
    ("name", "content", "kind", "speakers"),
    [
        ("forum__csv", as_csv(posts(), ";"), "table", THREAD),
        ("forum__tsv", as_csv(posts(), "\t"), "table", THREAD),
        ("forum__json", orjson.dumps(posts()), "table", THREAD),
        ("wrapped__json", orjson.dumps({"exported": "2021", "posts": posts()}), "table", THREAD),
        ("forum__jsonl", posts(), "table", THREAD),
        ("forum__parquet", parquet(posts()), "table", THREAD),
        ("threads__json", orjson.dumps(questions()), "events", ["customer", "agent", "customer"]),
        ("api__json", orjson.dumps({"items": questions(), "has_more": False}), "events", ["customer", "agent", "customer"]),
        ("chats__jsonl", chats(), "events", THREAD),
        ("pairs__csv", as_csv(pairs()), "table", ["customer", "agent"]),
        ("excel__csv", ("sep=;\r\n" + as_csv(posts(), ";")).encode("utf-16"), "table", THREAD),
        ("spark__csv", spark(posts()), "table", THREAD),
        ("dump__txt", orjson.dumps(posts()), "table", THREAD),
        ("byid__json", orjson.dumps({str(place): each for place, each in enumerate(chats())}), "events", THREAD),
        ("transcripts__csv", as_csv(transcripts()), "table", THREAD),
        ("german__csv", as_csv(german(), ";").encode("cp1252"), "table", THREAD),
    ],
)
def test_the_mapping_it_proposes_reads_every_conversation(
    name: str, content: Any, kind: str, speakers: list[str], tmp_path: Path
) -> None:
    folder = write(tmp_path / "in", **{name: content})
    found = diagnosed(folder / name.replace("__", "."))
    (mapping,) = yaml.safe_load(diagnose(folder / name.replace("__", ".")).params())["ingest"]["sources!"].values()
    table = ingested(folder, mapping)

    assert found.format == kind
    assert [[turn["speaker"] for turn in row["turns"]] for row in rows(table)] == [speakers] * 6
    assert all(SAYS[0] in row["turns"][0]["text"] for row in rows(table))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("zendesk_api", "zendesk"),
        ("zendesk_tables", "zendesk_tables"),
        ("intercom_tables", "intercom"),
        ("freshdesk_api", "freshdesk"),
        ("slack_export", "slack"),
        ("email_replies/eml", "eml"),
    ],
)
def test_exports_of_help_desks_are_recognised_and_their_mapping_is_taken(name: str, kind: str, tmp_path: Path) -> None:
    found = diagnosed(FORMATS / name)
    (mapping,) = yaml.safe_load(diagnose(FORMATS / name).params())["ingest"]["sources!"].values()
    folder = tmp_path / "in"
    folder.symlink_to(FORMATS / name)

    assert found.format == kind
    assert texts(ingested(folder, mapping))


def test_what_it_prints_holds_no_text_no_name_and_no_number_of_the_source(tmp_path: Path) -> None:
    secret = [{**post, "Contents": f"{post['Contents']} Zoë Quartz 555-0123 жук عربي"} for post in posts()]
    folder = write(tmp_path / "in", forum__jsonl=secret)
    printed = CliRunner().invoke(app, ["doctor", str(folder)]).output

    assert "customer: xxx xxxx xxxx" in printed
    assert not [
        word for word in ("leaks", "Zoë", "Quartz", "555", "0123", "жук", "عربي", "asker", "helper", "1000") if word in printed
    ]


@pytest.mark.parametrize(
    ("text", "masked"),
    [("Jo, 12:30!", "xx, 99:99!"), ("Ünï ٣ 😀 عر", "xxx 9 x xx"), ("a\nb\t c", "x x x"), ("é" * 500, "x" * 160 + "...")],
)
def test_a_masked_text_keeps_only_its_outline(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_what_is_no_message_is_said_not_to_be_one(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", prices__csv="sku,price\nA1,3\nA2,4\n")
    result = CliRunner().invoke(app, ["doctor", str(folder), "--json"])

    assert result.exit_code == 1
    assert json.loads(result.output)["sources"] == []


def test_nothing_to_look_at_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no such file or folder; name what was received$"):
        diagnose(tmp_path / "gone")


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_shape_of_every_vendor_is_recognised_and_no_damage_ends_in_a_traceback(vendor: str, tmp_path: Path) -> None:
    written, mapping = VENDORS[vendor]
    for name, content in written(KNOWN).items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content)
    found = diagnosed(tmp_path / "in")

    assert (found.format, found.read["kept"]) == (mapping["format"], len(KNOWN))
    for seed in range(8):
        for name, content in damaged(vendor, seed)[0].items():
            (tmp_path / "in" / name).write_bytes(content)
        assert isinstance(diagnose(tmp_path / "in").sources, list)


def test_a_damaged_file_is_named_with_what_is_wrong(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", log__json='[{"id": 1')

    assert diagnose(folder).remarks[0].startswith("log.json: is not JSON")


def delivered(folder: Path) -> Path:
    """Four shapes as they may lie below data/raw/received, and files of none."""
    (folder / "forum" / "2021").mkdir(parents=True)
    (folder / "my chats").mkdir()
    (folder / "forum" / "2021" / "march.csv").write_text(as_csv(posts()))
    (folder / "forum" / "prices.txt").write_text("sku,price\nA1,3\n")
    (folder / "my chats" / "a.jsonl").write_bytes(b"\n".join(map(orjson.dumps, chats())))
    mail = "From: Jo <jo@example.com>\nTo: support@example.org\nDate: Mon, 5 Jan 2026 12:00:00 +0100\nSubject: Hi\n\nHello\n"
    (folder / "mail.mbox").write_text(f"From x@example.com Mon Jan  5 12:00:00 2026\n{mail}")
    (folder / "README").write_text("as it came")
    return write(folder, faq__jsonl=[{"question": f"{SAYS[0]} {n}", "answer": f"{SAYS[1]} {n}"} for n in range(6)])


def test_every_shape_in_a_folder_is_mapped_and_what_is_not_is_named_and_ignored(tmp_path: Path) -> None:
    folder = delivered(tmp_path / "received")
    found = diagnose(folder)
    params = yaml.safe_load("\n".join(found.lines()))["ingest"]
    table = ingested(folder, sources=params["sources!"], ignore=params.get("ignore", []))

    assert {each.name: each.format for each in found.sources} == {
        "forum": "table", "my_chats": "events", "mail": "mbox", "faq": "table",
    }  # fmt: skip
    assert {row["source"] for row in rows(table)} == {"forum", "my_chats", "mail", "faq"}
    assert len(rows(table)) == 6 + 6 + 1 + 6
    assert any("prices.txt" in remark and "README" in remark for remark in found.remarks)


def test_the_exports_of_several_help_desks_side_by_side_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "in").symlink_to(FORMATS)
    found = {each.name: each for each in diagnose(tmp_path / "in").sources}

    assert {name: each.format for name, each in found.items() if name != "email_replies"} == {
        "slack_export": "slack", "zendesk_api": "zendesk", "zendesk_tables": "zendesk_tables", "intercom_tables": "intercom",
        "freshdesk_api": "freshdesk",
    }  # fmt: skip
    for name in ("slack_export", "zendesk_api", "intercom_tables", "freshdesk_api"):
        assert "unreadable_file" not in found[name].read


@pytest.mark.parametrize(
    "desks",
    [
        ("zendesk", "intercom", "freshdesk", "events"), ("helpscout", "hubspot", "freshdesk"),
        ("salesforce", "zendesk_tables", "table"), ("intercom_tables", "zendesk_tables"),
    ],
)  # fmt: skip
def test_the_files_of_several_desks_loose_in_one_folder_are_told_apart(desks: tuple[str, ...], tmp_path: Path) -> None:
    files = [file for desk in desks for file in VENDORS[desk][0](KNOWN).items()]
    folder = write(tmp_path / "in", **{f"{n:02}__{name.rpartition('.')[2]}": content for n, (name, content) in enumerate(files)})
    found = diagnose(folder)
    kept = [each.read for each in found.sources]

    assert sorted(each.format for each in found.sources) == sorted(VENDORS[desk][1]["format"] for desk in desks)
    assert kept == [{"kept": len(KNOWN)}] * len(desks)
    sources = {each.name: each.mapping for each in found.sources}
    ingest.run(folder, tmp_path / "ingested", params(sources=sources), Means(KEY, 1))
    assert Table(tmp_path / "ingested").manifest.total("kept") == len(KNOWN) * len(desks)


def test_what_it_prints_can_be_put_into_params_and_says_how(tmp_path: Path) -> None:
    folder = write(tmp_path / "My forum", forum__csv=as_csv(posts()))
    printed = CliRunner().invoke(app, ["doctor", str(folder)]).output

    assert yaml.safe_load(printed)["ingest"]["sources!"]["my_forum"]["path"] == "."
    assert "under ingest.sources in params.yaml" in printed
    assert "`path: My forum` takes the place of `path: .`" in printed


def test_handles_are_user_names_and_names_are_names(tmp_path: Path) -> None:
    tweeted = diagnosed(write(tmp_path / "a", twcs__csv=as_csv(tweets()))).mapping
    handles = [{"author": post["Poster"], **post, "Poster": "x"} for post in posts()]
    names = [{**post, "author": ("Jane Fox", "Al Roe")[n % 2]} for n, post in enumerate(handles)]
    handled, named = (diagnosed(write(tmp_path / name, forum__csv=as_csv(each))) for name, each in (("b", handles), ("c", names)))

    assert tweeted["identifiers"] == {"other": {"author_id": "USER_NAME"}}
    assert named.mapping["identifiers"]["other"] == {"author": "PERSON"}
    assert handled.mapping["identifiers"]["other"] == {"author": "USER_NAME"}


def test_details_in_events_that_are_no_messages_are_known_values_too(tmp_path: Path) -> None:
    record = {
        "id": 1,
        "events": [
            {"type": "joined", "visitor": {"email": "jo@example.com"}},
            {"type": "message", "by": "visitor", "text": SAYS[0]},
            {"type": "message", "by": "agent", "text": SAYS[1]},
        ],
    }
    found = diagnosed(write(tmp_path / "in", chats__jsonl=[{**record, "id": n} for n in range(6)]))

    assert found.mapping["identifiers"]["other"] == {"events.*.visitor.email": "EMAIL_ADDRESS"}


def test_posts_with_tags_of_a_forum_lose_them_and_their_quotations(tmp_path: Path) -> None:
    marked = [{**post, "Contents": f"[quote=jo]{SAYS[0]}[/quote][b]{post['Contents']}[/b]"} for post in posts()]
    folder = write(tmp_path / "in", forum__csv=as_csv(marked))
    found = diagnosed(folder).mapping

    assert found["text_format"] == "bbcode"
    assert texts(ingested(folder, found)) == texts(ingested(write(tmp_path / "plain", forum__csv=as_csv(posts())), found))


def test_pairs_of_a_bot_are_joined_by_their_session(tmp_path: Path) -> None:
    records = [
        {"session_id": f"s{n}", "query": f"{SAYS[2 * place]} {n}", "response": f"{SAYS[2 * place + 1]} {n}", "intent": "tent"}
        for n in range(6)
        for place in range(2)
    ]
    folder = write(tmp_path / "in", log__jsonl=records)

    assert texts(ingested(folder, diagnosed(folder).mapping))["s4"] == [
        f"{who}: {says} 4" for who, says in zip(("customer", "bot") * 2, SAYS, strict=True)
    ]


HISTORIES: Final[dict[str, Any]] = {
    "named": lambda *said: {"history": [{"query": said[0], "response": said[1]}, {"query": said[2], "response": said[3]}]},
    "in order": lambda *said: {"chat": {"history": [[said[0], said[1]], [said[2], said[3]]]}},
    "timed": lambda *said: {
        "turns": [
            {"user": said[2], "assistant": said[3], "at": "2026-01-05T12:05:00Z", "model": "m1"},
            {"user": said[0], "assistant": said[1], "at": "2026-01-05T12:00:00Z", "model": "m1"},
        ]
    },
    "one at a time": lambda *said: {
        "log": [{"human": said[0]}, {"assistant": said[1]}, {"human": said[2]}, {"assistant": said[3]}]
    },
    "last apart": lambda *said: {
        "instruction": said[2], "input": "", "output": said[3], "system": "x", "history": [[said[0], said[1]]]
    },
    "last repeated": lambda *said: {
        "query": said[2], "response": said[3], "history": [[said[0], said[1]], [said[2], said[3]]], "latency_ms": 12
    },
}  # fmt: skip
"""Shape -> what a record of two questions and their answers has beside its id."""


@pytest.mark.parametrize("shape", HISTORIES)
def test_pairs_in_a_list_of_one_record_are_a_conversation(shape: str, tmp_path: Path) -> None:
    records = [{"id": f"c{n}", **HISTORIES[shape](*(f"{says} {n}" for says in SAYS))} for n in range(6)]
    folder = write(tmp_path / "in", log__jsonl=records)

    assert texts(ingested(folder, diagnosed(folder).mapping))["c4"] == [
        f"{who}: {says} 4" for who, says in zip(("customer", "agent") * 2, SAYS, strict=True)
    ]


def test_what_was_asked_may_be_a_word_or_two(tmp_path: Path) -> None:
    said = [("yes", SAYS[1]), (SAYS[0], "no"), ("thanks", SAYS[3])]
    records = [{"id": n, "log": [{"user": f"{one} {n}", "botReply": f"{two} {n}"} for one, two in said]} for n in range(6)]
    folder = write(tmp_path / "in", log__jsonl=records)

    assert texts(ingested(folder, diagnosed(folder).mapping))["4"] == [
        f"{who}: {says} 4" for pair in said for who, says in zip(("customer", "bot"), pair, strict=True)
    ]


def test_names_beside_what_they_said_are_no_questions(tmp_path: Path) -> None:
    said = [("Jo Fox", SAYS[0]), ("Al Roe", SAYS[1]), ("Jo Fox", SAYS[2]), ("Al Roe", SAYS[3])]
    folder = write(tmp_path / "in", log__jsonl=[{"id": n, "history": said} for n in range(6)])

    assert not any("pair" in each.mapping for each in diagnose(folder).sources)


def test_people_who_are_only_ids_in_a_chat_are_told_by_the_list_that_says_what_they_are(tmp_path: Path) -> None:
    def chat(n: int) -> dict[str, Any]:
        events = [
            {"id": f"e{n}0", "type": "system_message", "text": "Chat started", "visibility": "all"},
            {"id": f"e{n}1", "type": "message", "author_id": f"c-{n}", "text": f"{SAYS[0]} {n}", "visibility": "all"},
            {"id": f"e{n}2", "type": "message", "author_id": "al@example.com", "text": "He is rude.", "visibility": "agents"},
            {"id": f"e{n}3", "type": "message", "author_id": "al@example.com", "text": f"{SAYS[1]} {n}", "visibility": "all"},
        ]
        users = [
            {"id": f"c-{n}", "type": "customer", "name": "Jo Fox", "email": f"jo{n}@example.com"},
            {"id": "al@example.com", "type": "agent", "name": "Al Roe"},
        ]
        return {"id": f"chat{n}", "users": users, "thread": {"id": f"t{n}", "events": events}}

    folder = write(tmp_path / "in", chats__jsonl=[chat(n) for n in range(6)])
    found = diagnosed(folder).mapping
    table = ingested(folder, found)

    assert texts(table)["t4"] == [f"customer: {SAYS[0]} 4", f"agent: {SAYS[1]} 4"]
    assert found["participants"] == {"at": "users", "id": "id", "role": "type"}
    assert found["identifiers"]["other"]["users.*.email"] == "EMAIL_ADDRESS"
    assert found["identifiers"]["other"]["users.*.name"] == "PERSON"


def livechat_thread(chat: int, thread: int) -> dict[str, Any]:
    """A thread of a chat, as LiveChat's archives hold it."""
    at = f"2026-01-{10 + thread}T12:0{{}}:00.000000Z"
    events = [
        {
            "id": f"e{chat}{thread}{place}",
            "type": "message",
            "author_id": who,
            "text": f"{says} {chat}",
            "created_at": at.format(place),
        }
        for place, (who, says) in enumerate([(f"c-{chat}", SAYS[thread * 2]), ("al@example.com", SAYS[thread * 2 + 1])])
    ]
    return {"id": f"t{chat}{thread}", "active": False, "created_at": at.format(0), "tags": ["tent"], "events": events}


LIVECHAT_USERS: Final = [{"id": "al@example.com", "type": "agent", "name": "Al Roe"}]


def test_a_list_of_chats_each_with_several_threads_is_read_whole(tmp_path: Path) -> None:
    chats = [
        {
            "id": f"chat{n}",
            "users": [{"id": f"c-{n}", "type": "customer", "name": "Jo Fox"}, *LIVECHAT_USERS],
            "threads": [livechat_thread(n, thread) for thread in (1, 0)],
        }
        for n in range(6)
    ]
    folder = write(tmp_path / "in", chats__json=orjson.dumps({"chats": chats, "found_chats": 6, "next_page_id": "x"}))
    found = diagnosed(folder)

    assert found.mapping["turns"] == "threads.*.events"
    assert texts(ingested(folder, found.mapping))["chat4"] == [
        f"{who}: {says} 4" for who, says in zip(("customer", "agent") * 2, SAYS, strict=True)
    ]


def test_the_threads_of_a_chat_one_by_one_under_its_id_are_conversations_of_their_own(tmp_path: Path) -> None:
    chats = [
        {
            "id": f"chat{n}",
            "users": [{"id": f"c-{n}", "type": "customer", "name": "Jo Fox"}, *LIVECHAT_USERS],
            "thread": livechat_thread(n, thread),
        }
        for n in range(6)
        for thread in range(2)
    ]
    folder = write(tmp_path / "in", chats__json=orjson.dumps({"chats": chats, "found_chats": 12}))
    read = texts(ingested(folder, diagnosed(folder).mapping))

    assert len(read) == 12
    assert read["t41"] == [f"customer: {SAYS[2]} 4", f"agent: {SAYS[3]} 4"]


def test_mail_is_mapped_so_that_what_people_quote_goes(tmp_path: Path) -> None:
    found = {each.name: each.mapping for each in diagnose(delivered(tmp_path / "received")).sources}

    assert found["mail"]["clean_mail"] is True


def test_where_no_user_says_who_wrote_a_comment_the_doctor_asks(tmp_path: Path) -> None:
    comment = {"id": 1, "author_id": 8, "public": True, "body": SAYS[0], "created_at": "2026-01-05T12:00:00Z"}
    ticket = {"id": 7, "requester_id": 9, "status": "open", "via": {"channel": "web"}, "comments": [comment]}
    found = diagnosed(write(tmp_path / "in", tickets__jsonl=[ticket]))

    assert found.mapping["unknown_author"] == "agent"
    assert any(remark.startswith("unknown_author: ") for remark in found.remarks)


def test_a_folder_of_more_files_than_are_looked_into_is_read_whole(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", **{f"part-{n:03}__csv": as_csv(posts()) for n in range(60)})

    assert diagnosed(folder).mapping["files"] == ["*.csv"]
    assert "ignore" not in diagnosed(folder).mapping


def test_an_empty_file_is_one_clear_error(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", log__csv="")

    for path in (folder, folder / "log.csv"):
        with pytest.raises(SourceError, match=r"is empty; fetch it again$"):
            diagnose(path)


def test_json_of_nothing_but_brackets_costs_no_memory_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text("[" * 100_000 + "]" * 100_000)

    found = diagnose(tmp_path)
    assert found.sources == []
    assert any("deep.json: is nested too deep for any export; fetch it again" in remark for remark in found.remarks)
