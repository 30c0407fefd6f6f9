"""The committed sample is what its script says: invented throughout, written again byte for byte, read as counted."""

import csv
import gzip
import html
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import orjson
import polars as pl
import pytest

from pipeline import ingest
from pipeline.params import load_section
from pipeline.tables import Table
from tests.build import MEANS

ROOT: Final = Path(__file__).parent.parent
RECEIVED: Final = ROOT / "data/raw/received"
TRUTH: Final = orjson.loads((ROOT / "tests/data/sample_truth.json").read_bytes())
VALUES: Final = [orjson.loads(line) for line in (ROOT / "tests/data/sample_values.jsonl").read_bytes().splitlines()]


def content(path: Path) -> bytes:
    packed = path.read_bytes()
    return gzip.decompress(packed) if path.suffix == ".gz" else packed


def received_text(source: str) -> str:
    """All of a source as people read it: JSON escapes, HTML entities and lower case put aside."""
    texts = [content(path).decode() for path in sorted((RECEIVED / source).iterdir())]
    return html.unescape("\n".join(texts)).replace('\\"', '"').casefold()


TEXTS: Final = {source: received_text(source) for source in TRUTH}


def test_the_script_writes_the_committed_files_again(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "benchmarks/make_sample.py", str(tmp_path)], cwd=ROOT, check=True, capture_output=True)

    written = {path.relative_to(tmp_path): content(path) for path in tmp_path.rglob("*") if path.is_file()}
    committed = [*RECEIVED.rglob("*"), *(ROOT / "tests/data").glob("sample_*")]
    assert written == {path.relative_to(ROOT): content(path) for path in committed if path.is_file()}


def test_mail_goes_to_reserved_domains_only() -> None:
    domains = {domain for text in TEXTS.values() for domain in re.findall(r"\w@([\w.-]+\w)", text)}

    assert {domain.removeprefix("mail.") for domain in domains} <= {
        "example.com",
        "example.org",
        "example.net",
        "harbour-pine.example",
    }


def test_phone_numbers_are_fictional_and_network_addresses_documentary() -> None:
    for entry in VALUES:
        for value in entry["values"]:
            if value["kind"] == "PHONE_NUMBER":
                assert re.search(r"555[- ]01\d\d$", value["value"])
            if value["kind"] == "IP_ADDRESS":
                assert value["value"].startswith(("192.0.2.", "198.51.100.", "203.0.113."))


def test_every_value_of_the_key_stands_in_its_source() -> None:
    def stands(value: str, text: str) -> bool:
        garbled = value.encode().decode("cp1252", "replace")
        return value.casefold() in text or garbled.casefold() in text

    missing = [
        (entry["native_id"], value["kind"])
        for entry in VALUES
        for value in entry["values"]
        if not stands(value["value"], TEXTS[entry["source"]])
    ]
    assert missing == []


def test_every_conversation_has_its_key_and_every_kind_of_detail_occurs() -> None:
    keys = {(entry["source"], entry["native_id"]) for entry in VALUES}

    assert len(keys) == len(VALUES) == sum(truth["conversations"] for truth in TRUTH.values())
    assert {value["kind"] for entry in VALUES for value in entry["values"]} >= {
        "PERSON",
        "EMAIL_ADDRESS",
        "PHONE_NUMBER",
        "STREET_ADDRESS",
        "LOCATION",
        "CREDIT_CARD",
        "IBAN_CODE",
        "IP_ADDRESS",
        "DATE_OF_BIRTH",
        "PASSWORD",
        "API_KEY",
        "USER_NAME",
        "ORDER_NUMBER",
    }


def desk_texts() -> Iterator[tuple[str, list[str]]]:
    comments: dict[str, list[str]] = {}
    for path in sorted((RECEIVED / "harbour_desk").glob("audits_*")):
        for audit in orjson.loads(path.read_bytes())["audits"]:
            said = [event["body"] for event in audit["events"] if event["type"] == "Comment" and event["public"]]
            comments.setdefault(str(audit["ticket_id"]), []).extend(said)
    yield from comments.items()


def chat_texts() -> Iterator[tuple[str, list[str]]]:
    for path in sorted((RECEIVED / "harbour_chat").iterdir()):
        for line in path.read_text("utf-8").splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            yield record["chat_id"], [event["text"] for event in record["events"] if event["type"] == "message"]


def faq_texts() -> Iterator[tuple[str, list[str]]]:
    rows = csv.DictReader(content(RECEIVED / "harbour_faq/questions.csv.gz").decode().splitlines(keepends=True))
    yield from ((row["entry"], [row["question"], row["answer"]]) for row in rows)


@pytest.fixture(scope="module")
def shingles() -> Mapping[str, frozenset[tuple[str, ...]]]:
    """Native id -> runs of five words, case aside."""
    found = {}
    for texts in (desk_texts(), chat_texts(), faq_texts()):
        for native_id, said in texts:
            words = re.findall(r"\w+", " ".join(said).casefold())
            found[native_id] = frozenset(zip(*(words[start:] for start in range(5)), strict=False))
    return found


def jaccard(one: frozenset[Any], other: frozenset[Any]) -> float:
    return len(one & other) / max(1, len(one | other))


def test_copies_are_as_alike_as_their_kind_says(shingles: Mapping[str, frozenset[tuple[str, ...]]]) -> None:
    for truth in TRUTH.values():
        for copy in truth["copies"]:
            similarity = jaccard(shingles[copy["native_id"]], shingles[copy["copy_of"]])
            assert similarity == 1 if copy["kind"] == "exact" else 0.85 < similarity < 1


def test_nothing_but_the_planted_copies_is_a_near_duplicate(shingles: Mapping[str, frozenset[tuple[str, ...]]]) -> None:
    planted = {frozenset({copy["native_id"], copy["copy_of"]}) for truth in TRUTH.values() for copy in truth["copies"]}
    able = {native_id: found for native_id, found in shingles.items() if found}

    alike = {
        frozenset({one, other})
        for one, other in combinations(able, 2)
        if min(len(able[one]), len(able[other])) >= 0.8 * max(len(able[one]), len(able[other]))
        and jaccard(able[one], able[other]) >= 0.8
    }
    assert alike == planted


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Table:
    target = tmp_path_factory.mktemp("sample") / "ingested"
    params = load_section(ingest.IngestParams, "ingest", [ROOT / "params.yaml"])
    ingest.run(RECEIVED, target, params, MEANS)
    return Table(target)


@pytest.mark.parametrize("source", TRUTH)
def test_ingest_finds_what_the_script_wrote(ingested: Table, source: str) -> None:
    rows = ingested.scan().filter(pl.col("source") == source).collect()
    turns = rows.explode("turns")["turns"].struct.unnest()
    speakers = dict(turns.group_by("speaker").len().sort("speaker").rows())
    last = rows.select(pl.col("turns").list.last().struct.field("speaker")).to_series()
    truth = TRUTH[source]

    assert rows.height == truth["conversations"]
    assert speakers == truth["turns"]
    assert int((last == "customer").sum()) == truth["unanswered"] + truth["thanks_last"]
    assert rows["topics"].explode().n_unique() == truth["topics"]
    assert [rows["opened_at"].min(), rows["opened_at"].max()] == [datetime.fromisoformat(time) for time in truth["opened"]]
    assert set(rows["native_id"]) == {entry["native_id"] for entry in VALUES if entry["source"] == source}


def test_what_cannot_be_read_is_quarantined_where_it_stands(ingested: Table) -> None:
    quarantined = ingested.scan("quarantined").select("source_file", "source_row", "reason").collect()

    assert sorted(quarantined.rows()) == sorted(
        (f"{source}/{row['file']}", row["row"], row["reason"]) for source, truth in TRUTH.items() for row in truth["bad_rows"]
    )


def test_notes_and_silent_chats_are_counted_and_become_nothing(ingested: Table) -> None:
    counts = ingested.manifest.counts

    assert counts["private_notes"] == TRUTH["harbour_desk"]["private_notes"]
    assert counts["events.note"] == TRUTH["harbour_chat"]["private_notes"]
    assert ingested.manifest.reasons == {"no_messages": TRUTH["harbour_chat"]["without_message"]}


def test_no_text_keeps_mojibake_or_entities(ingested: Table) -> None:
    texts = ingested.scan().explode("turns").select(pl.col("turns").struct.field("text")).collect()["text"]

    assert texts.filter(texts.str.contains(r"Ã|â€|&(amp|quot|#x27|lt|gt);|</?p>")).to_list() == []
