from pathlib import Path

import pytest

from pipeline.errors import AccountingError
from pipeline.ledger import balance, prove
from pipeline.stage import Outcome
from tests.pipeline.line import dropped, frame, make_line, write


def test_every_stage_of_the_line_is_entered_with_what_it_was_given_kept_and_dropped(tmp_path: Path) -> None:
    entries = balance(make_line(tmp_path))

    assert [(entry.stage, entry.given, entry.kept, entry.dropped, entry.balance) for entry in entries] == [
        ("ingest", 4, 3, {"no_messages": 1}, 0),
        ("scrub", 3, 3, {}, 0),
        ("validate", 3, 1, {"no_answer": 2}, 0),
    ]
    prove(entries)


@pytest.mark.parametrize(
    ("outcome", "fault"),
    [
        (Outcome(frame("a", "b")), "scrub: 1 conversations do not balance; run the stage again"),
        (Outcome(frame("a", "b", "c", "x")), "scrub: 1 conversations do not balance; run the stage again"),
        (
            Outcome(frame("a", "b", "c"), dropped({"c": "no_answer"})),
            "scrub: 1 conversations do not balance; run the stage again",
        ),
        (Outcome(frame("a", "b", "x")), "scrub: 2 conversations do not balance; run the stage again"),
    ],
)
def test_the_proof_counts_ids_and_not_what_the_manifest_claims(tmp_path: Path, outcome: Outcome, fault: str) -> None:
    ingested = make_line(tmp_path).line()[0]

    with pytest.raises(AccountingError) as raised:
        prove(balance(write(tmp_path / "scrubbed", "scrub", outcome, ingested, "other")))
    assert str(raised.value) == fault


def test_a_row_of_a_received_file_that_went_nowhere_is_missed(tmp_path: Path) -> None:
    rows = {"rows_read": 9, "rows_kept": 3, "rows_dropped": 1, "rows_quarantined": 1}
    ingested = write(tmp_path / "ingested", "ingest", Outcome(frame("a"), counts=rows))

    with pytest.raises(AccountingError, match=r"^ingest: 4 conversations do not balance; run the stage again$"):
        prove(balance(ingested))


def test_a_table_made_from_one_that_has_changed_since_is_stale(tmp_path: Path) -> None:
    validated = make_line(tmp_path)
    ingested = validated.line()[0]
    write(tmp_path / "scrubbed", "scrub", Outcome(frame("a", "b", "c", turns=[{"origin": "edited"}])), ingested, "other")

    with pytest.raises(AccountingError) as raised:
        prove(balance(validated))
    assert str(raised.value) == "validate: the table before has changed since; run the stage again"
