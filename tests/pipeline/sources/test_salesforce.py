"""The Salesforce source: cases with comments and e-mails."""

from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from pipeline.doctor.diagnosis import diagnose
from tests.pipeline.received import ingested, quarantined, rows, texts, write
from tests.pipeline.sources.vendors import as_csv

SALESFORCE: Final[dict[str, Any]] = {"format": "salesforce", "path": ".", "files": ["*.csv", "*.json"], "zone": "UTC"}
CASE: Final = {
    "Id": "500000000000007AAA",
    "CaseNumber": "00001007",
    "Subject": "Order",
    "Description": "Where is it?",
    "Status": "Closed",
    "Origin": "Email",
    "SuppliedEmail": "jo@example.com",
    "CreatedDate": "2026-01-05T12:00:00.000+0000",
    "IsClosed": True,
    "Type": "Delivery",
}


def comment(number: int, text: str, author: str = "005A", **more: Any) -> dict[str, Any]:
    values = {"Id": f"00a{number}", "ParentId": "500000000000007", "CommentBody": text, "CreatedById": author}
    return {**values, "IsPublished": "true", "CreatedDate": f"2026-01-05 12:0{number}:00", **more}


def email(number: int, text: str, *, incoming: bool, **more: Any) -> dict[str, Any]:
    values = {"Id": f"02s{number}", "ParentId": CASE["Id"], "FromAddress": "jo@example.com" if incoming else "help@example.com"}
    return {**values, "TextBody": text, "Incoming": incoming, "MessageDate": f"2026-01-05 12:0{number}:00", **more}


def tables(tmp_path: Path, **tables: list[dict[str, Any]]) -> Path:
    return write(
        tmp_path / "in",
        **{f"{name}__csv": as_csv(each, sorted({key for row in each for key in row})) for name, each in tables.items()},
    )


def test_mails_and_published_comments_become_turns_and_the_others_never_do(tmp_path: Path) -> None:
    users = [{"Id": "005P", "Username": "p", "UserType": "CspLitePortal", "Email": "p@example.com"}]
    comments = [comment(3, "And now?", "005P"), comment(4, "He is rude", IsPublished="false"), comment(5, "Sent")]
    mails = [
        email(1, "Where is it?\n\n-- \nJo", incoming=True),
        email(2, "On its way", incoming=False),
        email(6, "dr", incoming=False, Status="5"),
    ]
    table = ingested(tables(tmp_path, Case=[CASE], CaseComment=comments, EmailMessage=mails, User=users), SALESFORCE)

    assert texts(table) == {
        "500000000000007": ["customer: Where is it?\n\n-- \nJo", "agent: On its way", "customer: And now?", "agent: Sent"]
    }
    assert (table.manifest.counts["private_notes"], table.manifest.counts["drafts"]) == (1, 1)


def test_a_query_of_the_api_nests_comments_and_a_description_opens_the_case(tmp_path: Path) -> None:
    record = {
        **CASE,
        "attributes": {"type": "Case"},
        "CaseComments": {"totalSize": 1, "done": True, "records": [comment(1, "Sent")]},
    }
    folder = write(tmp_path / "in", page__json=orjson.dumps({"totalSize": 1, "done": True, "records": [record]}))
    row = rows(ingested(folder, {**SALESFORCE, "subject": "prepend"}))[0]

    assert [turn["text"] for turn in row["turns"]] == ["Order\n\nWhere is it?", "Sent"]
    assert (row["outcome"]["resolved"], row["topics"], row["channel"]) == (True, ["Delivery"], "email")
    assert ("customer", "jo@example.com") in {(each["role"], each["value"]) for each in row["participants"]}


def test_comments_without_their_case_and_unknown_fields_are_set_aside(tmp_path: Path) -> None:
    page = [CASE, {**CASE, "Id": "5009", "Mood": 1}, comment(1, "x", ParentId="5008")]
    table = ingested(write(tmp_path / "in", page__json=orjson.dumps({"records": page})), SALESFORCE)

    assert quarantined(table) == [
        ("page.json", 2, "unknown_field", "case.Mood"),
        ("page.json", 3, "orphan", "1 rows without their case"),
    ]


STAFF: Final = {"addresses": ["al@freelance.example"], "domains": ["example.com"], "bots": ["robot@example.com"]}


@pytest.mark.parametrize("direction", ["absent", "all outgoing"])
def test_where_the_direction_of_mails_is_absent_or_wrong_staff_are_known_by_their_addresses(
    direction: str, tmp_path: Path
) -> None:
    written = [
        ("jo@example.org", "help@example.com", "Where is it?"),
        ("Robot <ROBOT@example.com>", "jo@example.org", "A ticket is yours."),
        ("al@freelance.example", "kim@example.com; help@example.com", "He is rude"),
        ("Al <al@freelance.example>", "jo@example.org;kim@example.com", "On its way"),
    ]
    mails = [
        {**email(number, text, incoming=False), "FromAddress": sender, "ToAddress": to}
        for number, (sender, to, text) in enumerate(written)
    ]
    if direction == "absent":
        mails = [{name: value for name, value in each.items() if name != "Incoming"} for each in mails]
    folder = tables(tmp_path, Case=[{**CASE, "SuppliedEmail": ""}], EmailMessage=mails)
    table = ingested(folder, {**SALESFORCE, "staff": STAFF})

    assert list(texts(table).values()) == [["customer: Where is it?", "bot: A ticket is yours.", "agent: On its way"]]
    assert table.manifest.counts["mails.internal"] == 1
    assert {("jo@example.org", "customer"), ("al@freelance.example", "agent"), ("ROBOT@example.com", "other")} <= {
        (each["value"], each["role"]) for each in rows(table)[0]["participants"]
    }


def test_mails_of_no_stated_direction_are_nobodys_where_no_staff_are_declared_and_the_doctor_asks_for_them(
    tmp_path: Path,
) -> None:
    mails = [{name: value for name, value in email(1, "Hi", incoming=True).items() if name != "Incoming"}]
    folder = tables(tmp_path, Case=[CASE, {**CASE, "Id": "500000000000008"}], EmailMessage=mails)
    table = ingested(folder, SALESFORCE)
    (found,) = diagnose(folder).sources

    assert {(reason, detail) for _, _, reason, detail in quarantined(table)} == {("unknown_author", "Incoming")}
    assert found.mapping["staff"] == {"domains": ["support.example.com"]}
    assert any(remark.startswith("staff: put every domain and address") for remark in found.remarks)
