"""What the report of the line says of readiness."""

import json
from pathlib import Path
from typing import Any

import pytest

from checks.readiness.assess import assess
from checks.readiness.report import write
from checks.report.figure import answer
from checks.report.readiness import ASSESSMENT, PANEL, assessed
from pipeline.errors import TableError
from pipeline.sql import open_line
from pipeline.tables import Table
from tests.checks.readiness.lines import STATED, params, talks, write_line


def panel(line: Table, reports: Path) -> dict[str, list[list[Any]]]:
    """Figure -> its rows."""
    tables = line.line()
    with open_line(tables, {}, assessed(reports, tables)) as opened:
        answers = [answer(figure, opened) for figure in PANEL.figures]
    return {found["name"]: found["rows"] for found in answers if found}


def test_the_report_shows_verdict_missing_evidence_and_topics_with_what_to_do(tmp_path: Path) -> None:
    line = write_line(tmp_path / "line", [*talks(60), *talks(20, "refund", 900), *talks(2, "the only one of its kind", 990)])
    write(assess(line, params(statements=STATED, evidence="no-such-folder")), tmp_path / "reports" / "readiness")
    shown = panel(line, tmp_path / "reports")

    assert shown["verdict"] == [["do-not-fine-tune:privacy-unmeasured", True, 82, 82, "2026-02-15"]]
    assert [kind for kind, _ in shown["missing"]] == ["audit", "judges", "live", "planted", "scores", "sent", "swaps"]
    # two conversations would single somebody out, and are pooled
    assert [(topic, round(share, 2)) for topic, share, *_ in shown["topics"]] == [
        ("delivery", 0.73),
        ("refund", 0.24),
        ("(other topics)", 0.02),
    ]
    assert shown["topics"][0][4].startswith("audit 299 conversations")
    assert ["M15", "leak_upper", None, None, None, None] in [row[:6] for row in shown["bounds"]]


def test_missing_evidence_stands_before_the_verdict_and_bounds_before_what_follows_from_them() -> None:
    assert [figure.name for figure in PANEL.figures] == ["missing", "verdict", "bounds", "traffic", "topics"]


def test_an_assessment_of_other_tables_is_known_as_one(tmp_path: Path) -> None:
    write(assess(write_line(tmp_path / "old", talks(10)), params(evidence="none")), tmp_path / "reports" / "readiness")

    assert panel(write_line(tmp_path / "new", talks(11)), tmp_path / "reports")["verdict"][0][1] is False


def test_before_anything_was_assessed_the_panel_is_empty(tmp_path: Path) -> None:
    assert set(map(len, panel(write_line(tmp_path / "line", talks(10)), tmp_path).values())) == {0}


def test_half_an_assessment_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / ASSESSMENT).parent.mkdir()
    (tmp_path / ASSESSMENT).write_text(json.dumps({"verdict": "x"})[:-3], "utf-8")

    with pytest.raises(TableError, match="run ticketmill readiness assess again"):
        assessed(tmp_path, [])
