"""`explain --show-snippets`: masked pieces on the terminal, in no file, and nothing where a personal detail may be left."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from checks.readiness.cli import app
from checks.readiness.snippets import NO_ANSWER, WITHHELD
from pipeline.tables import Table
from tests.checks.readiness.lines import ROOT, sentence, talk, talks, write_line


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, [*arguments])


PARAMS = ("--params", str(ROOT / "params.yaml"), "--set", "readiness.evidence=no-such-folder")


def told(number: int, answer: str, **more: Any) -> dict[str, Any]:
    """A conversation whose answer states what nobody said before."""
    return talk(number, f"Where is {sentence(number)}?", answer, **more)


def assessed(line: Table, out: Path, *more: str) -> Table:
    assert run("assess", str(line.folder), "--out", str(out), *PARAMS, *more).exit_code == 3
    return line


def asked(line: Table, report: Path, *more: str, metric: str = "M07") -> Any:
    where = ("--report", str(report), "--table", str(line.folder))
    return run("explain", metric, *where, *PARAMS, "--show-snippets", *more)


def shown(line: Table, report: Path, *more: str, metric: str = "M07") -> dict[str, str]:
    """Conversation -> the snippet that stands beside it."""
    result = asked(line, report, *more, metric=metric)
    assert result.exit_code == 0, result.exception
    known = set(line.read(line.manifest.parts[0], columns=["conversation_id"])["conversation_id"])
    pairs = [text.strip().split(" ", 1) for text in result.stdout.splitlines() if text.strip().split(" ", 1)[0] in known]
    return {pair[0]: pair[1] if len(pair) > 1 else "" for pair in pairs}


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(row["conversation_id"] for row in rows)


def test_each_topic_names_its_own_conversations_and_a_snippet_is_masked_and_short(tmp_path: Path) -> None:
    long = f"{sentence(7)} {sentence(8)} your parcel AB-4711 comes on 2026-03-04 {sentence(9)}"
    orders = [told(n, long, topic="orders") for n in range(6)]
    prices = [told(n, "It costs 99 dollars.", topic="prices") for n in range(6, 12)]
    line = assessed(write_line(tmp_path / "line", [*orders, *prices]), tmp_path / "out")
    found = shown(line, tmp_path / "out", "--topic", "orders")

    assert list(found) == ids(orders)
    assert all(len(snippet) <= 80 for snippet in found.values())
    assert all("your parcel AB-<NUMBER> comes on <NUMBER>" in snippet for snippet in found.values())
    assert set(shown(line, tmp_path / "out", "--topic", "prices").values()) == {"It costs <NUMBER> dollars."}
    assert list(shown(line, tmp_path / "out")) == ids([*orders, *prices])


def test_the_answer_in_question_is_shown_and_not_the_first_one(tmp_path: Path) -> None:
    row = talk(1, "Where is it?", "Let me look.", "Well?", "It left as AB-4711.")
    line = assessed(write_line(tmp_path / "line", [row, *talks(5, start=50)]), tmp_path / "out")

    assert list(shown(line, tmp_path / "out").values()) == ["It left as AB-<NUMBER>"]


def test_stand_ins_of_scrub_are_shown_by_their_kind_and_withhold_nothing(tmp_path: Path) -> None:
    answer = "Ruth Brandt, zoe.quick@mailhub.net, owes 99 dollars."
    row = told(1, answer)
    spans = {"PERSON": "Ruth Brandt", "EMAIL_ADDRESS": "zoe.quick@mailhub.net"}
    findings = [
        {
            "conversation_id": row["conversation_id"],
            "turn_id": "t1",
            "entity_type": kind,
            "new_start": answer.index(value),
            "new_end": answer.index(value) + len(value),
        }
        for kind, value in spans.items()
    ]
    line = assessed(write_line(tmp_path / "line", [row, *talks(5, start=50)], findings=findings), tmp_path / "out")

    assert list(shown(line, tmp_path / "out").values()) == ["<PERSON>, <EMAIL_ADDRESS>, owes <NUMBER> dollars."]


@pytest.mark.parametrize("left", ["ann.lee@acme.io", "212-636-0199", "password is Har-bour!9", "@annlee_x"])
def test_where_the_second_detector_finds_anything_nothing_is_shown(tmp_path: Path, left: str) -> None:
    line = assessed(write_line(tmp_path / "line", [told(1, f"It costs 99, {left}"), *talks(5, start=50)]), tmp_path / "out")

    assert list(shown(line, tmp_path / "out").values()) == [WITHHELD]


def test_where_people_found_a_leak_nothing_is_shown_by_any_metric(tmp_path: Path) -> None:
    rows = [told(n, f"Wilhelmina Oyelaran owes {n}99 dollars.") for n in (1, 2)]
    line = assessed(write_line(tmp_path / "line", [*rows, *talks(5, start=50)]), tmp_path / "out")
    report = tmp_path / "out" / "assessment.json"
    found = json.loads(report.read_text("utf-8"))
    found["values"].append({"metric": "M15", "measure": "leaks_found", "value": 1, "records": ids(rows)[:1]})
    report.write_text(json.dumps(found), "utf-8")

    assert [snippet == WITHHELD for snippet in shown(line, tmp_path / "out").values()] == [True, False]


@pytest.mark.parametrize("metric", ["M15", "m17"])
def test_what_a_search_for_personal_details_found_is_never_shown(tmp_path: Path, metric: str) -> None:
    line = assessed(write_line(tmp_path / "line", talks(5)), tmp_path / "out")

    assert f"what {metric.upper()} found is not to be shown" in str(asked(line, tmp_path / "out", metric=metric).exception)


def test_snippets_end_in_no_file_and_not_in_json(tmp_path: Path) -> None:
    line = assessed(write_line(tmp_path / "line", [told(1, "An unusual 99 quokkas.")]), tmp_path / "out")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    assert "An unusual <NUMBER> quokkas." in asked(line, tmp_path / "out").stdout
    assert asked(line, tmp_path / "out", "--json").exit_code == 2
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file() and b"quokkas" in path.read_bytes()]


def test_without_the_option_ids_are_named_and_no_text(tmp_path: Path) -> None:
    row = told(1, "An unusual 99 quokkas.")
    line = assessed(write_line(tmp_path / "line", [row]), tmp_path / "out")
    result = run("explain", "M07", "--report", str(tmp_path / "out"))

    assert line.manifest.parts
    assert f"  {row['conversation_id']}\n" in result.stdout
    assert "quokkas" not in result.stdout


def test_what_would_steer_a_terminal_is_not_passed_on(tmp_path: Path) -> None:
    line = assessed(write_line(tmp_path / "line", [told(1, "Costs 99\x1b[2J\ndollars\x07 more")]), tmp_path / "out")

    assert asked(line, tmp_path / "out").stdout.isascii()
    assert list(shown(line, tmp_path / "out").values()) == ["Costs <NUMBER> [<NUMBER> dollars more"]


def test_a_report_of_other_tables_shows_nothing(tmp_path: Path) -> None:
    assessed(write_line(tmp_path / "line", [told(1, "It costs 99.")]), tmp_path / "out")
    other = write_line(tmp_path / "other", [told(2, "It costs 88.")])

    assert "is of other tables; run `ticketmill readiness assess` again" in str(asked(other, tmp_path / "out").exception)


def test_of_a_conversation_without_an_answer_that_is_said(tmp_path: Path) -> None:
    line = assessed(write_line(tmp_path / "line", [talk(1, "Hello?"), told(2, "It is here.")]), tmp_path / "out")

    assert list(shown(line, tmp_path / "out", metric="M11").values()) == [NO_ANSWER]
    assert asked(line, tmp_path / "out", metric="M06").stdout.endswith("  it names no conversation\n")
