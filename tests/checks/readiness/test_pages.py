"""What the pages of the report say: whose a value is, and what a table lists."""

import json
import re
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from checks.readiness.assess import assess
from checks.readiness.cli import app
from checks.readiness.report import write
from pipeline.tables import Table
from tests.checks.readiness.lines import ROOT, STATED, params, talk, talks, write_line


def pages(line: Table, out: Path, **settings: Any) -> tuple[str, str, dict[str, Any]]:
    """report.md, report.html and assessment.json of `line`."""
    write(assess(line, params(**{"statements": STATED, "evidence": "none", **settings})), out)
    texts = [(out / name).read_text("utf-8") for name in ("report.md", "report.html", "assessment.json")]
    return texts[0], texts[1], json.loads(texts[2])


def cells_of(topic: str, page: str) -> list[str]:
    """The row of the topic's table."""
    row = re.search(rf"^\| {topic} \|(.+)\|$|<tr><th scope=\"row\">{topic}</th>(.+)</tr>", page, flags=re.MULTILINE)
    assert row is not None, topic
    return [cell.strip() for cell in (row[1].split("|") if row[1] else re.findall(r"<td[^>]*>(.*?)</td>", row[2]))]


def test_a_value_of_the_whole_set_stands_in_brackets_where_a_topic_has_none_of_its_own(tmp_path: Path) -> None:
    markdown, html, _ = pages(write_line(tmp_path / "line", [*talks(300), *talks(200, "refund", 900)]), tmp_path / "out")

    for page in (markdown, html):
        n_eff, coverage, *_ = cells_of("delivery", page)[1:]
        assert (n_eff, coverage) == ("300", "(100 %)")
        assert "In brackets: of the whole set" in page


def test_where_every_value_is_the_topics_own_no_page_speaks_of_brackets(tmp_path: Path) -> None:
    markdown, html, _ = pages(write_line(tmp_path / "line", talks(5)), tmp_path / "out")

    assert "In brackets" not in markdown + html


def test_what_decides_a_topic_stands_with_its_bounds_and_says_whether_the_value_is_its_own(tmp_path: Path) -> None:
    told = [talk(n, "Where is my order please?", f"Order {n}9999 left the house.", topic="orders") for n in range(60)]
    settings = {"override_privacy_unmeasured": True, "evidence": "none"}
    markdown, html, found = pages(write_line(tmp_path / "line", [*told, *talks(55, "refund", 900)]), tmp_path / "out", **settings)
    owner = {(each["topic"], one["measure"]): one["topic"] for each in found["topics"] for one in each["because"]}

    assert owner["orders", "ungrounded_share"] == "orders"
    assert owner["refund", "traffic_in_full_topics"] is None
    assert "100 % (95 %: 94.0 % to 100 %; n = 60) in orders |" in markdown
    assert '(95 %: 94.0 % to 100 %; n = 60)</span> <span class="soft">in orders</span>' in html


def test_the_terminal_shows_what_decides_with_its_bounds(tmp_path: Path) -> None:
    told = [talk(n, "Where is my order please?", f"Order {n}9999 left the house.", topic="orders") for n in range(60)]
    settings = {"statements": json.dumps(STATED), "override_privacy_unmeasured": "true", "evidence": "none"}
    chosen = [part for name, value in settings.items() for part in ("--set", f"readiness.{name}={value}")]
    line = write_line(tmp_path / "line", told)
    command = ["assess", str(line.folder), "--out", str(tmp_path / "out"), "--params", str(ROOT / "params.yaml"), *chosen]

    assert "M07 ungrounded_share 100 % (95 %: 94.0 % to 100 %): attach" in CliRunner().invoke(app, command).stdout


def test_slices_that_lose_nothing_are_not_called_losers(tmp_path: Path) -> None:
    rows = [*talks(120), *talks(120, "refund", 900)]
    markdown, _, found = pages(write_line(tmp_path / "line", rows), tmp_path / "out", samples={"min_slice": 100})

    assert {row["survival"] for row in found["tables"]["lost"]} == {1}
    assert "## Survival by slice" in markdown
    assert "lose more" not in markdown


def test_how_many_share_their_quasi_identifiers_is_shown_by_the_fewest_first(tmp_path: Path) -> None:
    sizes = {"alone": 1, "few": 3, "some": 7, "many": 25}
    rows = [row for n, (product, size) in enumerate(sizes.items()) for row in talks(size, start=100 * n, product=product)]
    markdown, _, found = pages(write_line(tmp_path / "line", rows), tmp_path / "out", quasi_identifiers=["product"])

    assert [(row["k"], row["conversations"]) for row in found["tables"]["k_map"]] == [
        ("1", 1),
        ("2-4", 3),
        ("5-19", 7),
        ("20+", 25),
    ]
    assert markdown.index("| 5-19 | 7 |") < markdown.index("| 20+ | 25 |")
