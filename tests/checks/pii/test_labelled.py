"""Scores against marks: what counts as found, what as right, and that no text gets out."""

import gzip
import json
from pathlib import Path

import pytest

from checks.pii.labelled import Labelled, Mark, read, score
from pipeline.errors import CurationError
from pipeline.spans import Span

TEXT = "Write to Jo Fox at noon"
ROW = Labelled("7", TEXT, [Mark(9, 15, "PERSON"), Mark(19, 23, "TIME")])


def find(start: int, end: int) -> Span:
    return Span(start, end, "PERSON", 1.0, "test")


def test_a_mark_counts_from_sixty_percent_of_its_characters_under_any_type() -> None:
    assert score([ROW], [[find(9, 13), find(19, 23)]]).spans.covered == 2
    assert score([ROW], [[find(9, 12), find(19, 23)]]).spans.covered == 1


def test_a_find_mostly_outside_of_marks_is_false() -> None:
    scores = score([ROW], [[find(0, 15)]])
    assert (scores.spans.found, scores.spans.right) == (1, 0)
    assert scores.false == [("7", 0, 15, "PERSON")]


def test_f2_weighs_recall_four_times() -> None:
    rates = score([ROW], [[find(9, 15)]]).spans
    assert (rates.recall, rates.precision) == (0.5, 1.0)
    assert rates.f2 == pytest.approx(5 * 0.5 / (4 * 1.0 + 0.5))


def test_every_type_has_its_rates_of_spans_and_of_characters() -> None:
    """By hand: "Jo Fox" has 5 letters, of which "Fox" is 3; "to Jo" finds 4 letters under PERSON, 2 of them marked."""
    row = Labelled("7", TEXT, [Mark(9, 15, "PERSON"), Mark(19, 23, "TIME")])
    scores = score([row], [[find(6, 11), find(12, 15)]])
    person, time = scores.of_type("PERSON"), scores.of_type("TIME")
    assert (person.marked, person.covered, person.found, person.right) == (1, 1, 2, 1)
    assert (person.recall, person.precision, person.f2) == (1.0, 0.5, pytest.approx(5 * 0.5 / (4 * 0.5 + 1)))
    assert (time.recall, time.precision, time.f2) == (0.0, None, None)
    letters = scores.characters_by_type["PERSON"]
    assert (letters.marked, letters.covered, letters.found, letters.right) == (5, 5, 7, 5)
    assert scores.characters_by_type["TIME"].recall == 0.0
    assert scores.misses == [("7", 19, 23, "TIME")]


def test_misses_tell_where_and_never_what() -> None:
    shown = json.dumps(score([ROW], [[]]).to_json())
    assert '["7", 9, 15, "PERSON"]' in shown
    assert "Fox" not in shown


def test_both_forms_are_read_gzipped_or_not(tmp_path: Path) -> None:
    lines = tmp_path / "a.jsonl"
    lines.write_text(json.dumps({"id": 7, "text": TEXT, "spans": [{"start": 9, "end": 15, "type": "PERSON"}]}) + "\n", "utf-8")
    research = tmp_path / "b.json.gz"
    span = {"entity_type": "PERSON", "start_position": 9, "end_position": 15, "entity_value": "Jo Fox"}
    research.write_bytes(gzip.compress(json.dumps([{"full_text": TEXT, "spans": [span]}]).encode()))

    assert read(lines) == [Labelled("7", TEXT, [Mark(9, 15, "PERSON")])]
    assert [row.marks for row in read(research)] == [[Mark(9, 15, "PERSON")]]


@pytest.mark.parametrize("content", ["", "{", '{"text": "a"}', '{"text": "Fox", "spans": [{"start": 0, "end": 9, "type": "X"}]}'])
def test_what_is_not_labelled_is_refused_without_its_text(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(content, "utf-8")
    with pytest.raises(CurationError) as refused:
        read(tmp_path / "a.jsonl")
    assert "Fox" not in str(refused.value)
