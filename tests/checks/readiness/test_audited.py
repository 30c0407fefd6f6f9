"""How far an audit carries when the line moves on: which judgements stand, and what may not make a bound better than it is."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from checks.bounds import upper
from checks.readiness.assess import Assessment, assess
from checks.readiness.audit import draw_sheet
from checks.readiness.evidence import Evidence, read_evidence
from checks.readiness.reading import read_corpus
from pipeline.errors import ParamsError
from pipeline.tables import Table
from tests.checks.readiness.lines import SHIPPED, STATED, params, seen_in, talk, talks, write_line

HEADER = "conversation_id,auditor,text_digest,drawn_from,correct,complete,policy_true,tone,safe_to_say,identifier_left\n"


def judge(folder: Path, line: Table, ids: Sequence[str], *, leak: str = "no", correct: str = "yes", drawn_from: str = "") -> None:
    """Lay audits of these conversations, as they read in `line`, after those that are there."""
    folder.mkdir(exist_ok=True)
    file, seen = folder / "audit.csv", seen_in(line)
    before = file.read_text("utf-8") if file.exists() else HEADER
    rows = [f"{one},ann,{seen[one]},{drawn_from},{correct},yes,yes,yes,yes,{leak}\n" for one in ids]
    file.write_text(before + "".join(rows), "utf-8")


def ids_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return [row["conversation_id"] for row in rows]


def assessed(table: Table, folder: Path) -> Assessment:
    return assess(table, params(statements=STATED, evidence=str(folder)))


def value(assessment: Assessment, measure: str, topic: str | None = None) -> float | None:
    one = assessment.values.own(measure, topic)
    return one.value if one else None


def otherwise(rows: list[dict[str, Any]], place: int) -> list[dict[str, Any]]:
    """The same conversations, but one of them reads otherwise."""
    number = int(rows[place]["conversation_id"].partition("-")[2], 16)
    changed = talk(number, "Where is my parcel?", "It is on its way.", opened_at=rows[place]["opened_at"])
    return [*rows[:place], changed, *rows[place + 1 :]]


def test_another_stand_in_for_the_same_find_leaves_an_audit_standing(tmp_path: Path) -> None:
    def line(name: str, stand_in: str) -> Table:
        text = f"I am {stand_in}"
        row = talk(1, text, "Thanks")
        place = {"entity_type": "PERSON", "new_start": 5, "new_end": len(text)}
        return write_line(tmp_path / name, [row], findings=[{"conversation_id": row["conversation_id"], **place}])

    old, new = line("old", "Zoe Quick"), line("new", "Ann Slow")

    assert seen_in(old) == seen_in(new)
    assert seen_in(old) != seen_in(write_line(tmp_path / "left", [talk(1, "I am Zoe Quick", "Thanks")]))


def test_what_reads_otherwise_counts_as_a_leak_until_it_is_judged_again_and_is_drawn_first(tmp_path: Path) -> None:
    rows, evidence = talks(400), tmp_path / "evidence"
    judge(evidence, write_line(tmp_path / "old", rows), ids_of(rows[:300]))
    line = write_line(tmp_path / "new", otherwise(rows, 7))
    before = assessed(line, evidence)

    assert (value(before, "leaks_found"), value(before, "audits_changed")) == (0, 1)
    assert value(before, "leak_upper") == pytest.approx(upper(1, 300))
    assert before.verdict == "do-not-fine-tune:privacy-unmeasured"
    assert "audit 1 more" in before.findings_of(before.judged.topics[0])[0]["do"] or value(before, "planted_shortfall") is None

    drawn = draw_sheet(read_corpus(line, SHIPPED), read_evidence(evidence), SHIPPED, 1, ["topic"])
    assert ids_of(drawn) == [rows[7]["conversation_id"]]
    judge(evidence, line, ids_of(drawn))
    assert value(assessed(line, evidence), "leak_upper") == pytest.approx(upper(0, 300))


def test_a_leak_that_was_mended_still_counts_for_the_sample_led_to_the_mend(tmp_path: Path) -> None:
    rows, evidence = talks(400), tmp_path / "evidence"
    old = write_line(tmp_path / "old", rows)
    judge(evidence, old, ids_of(rows[:7]) + ids_of(rows[8:300]))
    judge(evidence, old, ids_of(rows[7:8]), leak="yes")
    mended = write_line(tmp_path / "new", otherwise(rows, 7))
    judge(evidence, mended, ids_of(rows[7:8]))
    found = assessed(mended, evidence)

    assert (value(found, "leaks_found"), value(found, "leaks_ever_found")) == (0, 1)
    assert value(found, "leak_upper") == pytest.approx(upper(1, 300))
    assert [each["do"] for each in found.findings_of(found.judged.topics[0]) if each["measure"] == "leak_upper"] == [
        "audit 173 more conversations"
    ]


@pytest.mark.parametrize(("there", "counts"), [(True, 1), (False, 0)])
def test_dropping_the_conversation_that_leaked_is_no_proof_but_erasing_it_takes_it_out(
    tmp_path: Path, there: bool, counts: int
) -> None:
    rows, evidence = talks(320), tmp_path / "evidence"
    old = write_line(tmp_path / "old", rows)
    judge(evidence, old, ids_of(rows[:1]), leak="yes")
    judge(evidence, old, ids_of(rows[1:301]))
    left = write_line(tmp_path / "new", rows[1:], raw=rows[:1] if there else [])

    assert value(assessed(left, evidence), "leak_upper") == pytest.approx(upper(counts, 300 + counts))


def test_an_audit_that_does_not_say_what_it_saw_has_to_be_done_again(tmp_path: Path) -> None:
    rows, evidence = talks(20), tmp_path / "evidence"
    evidence.mkdir()
    (evidence / "audit.csv").write_text(HEADER + f"{rows[0]['conversation_id']},ann,,,yes,yes,yes,yes,yes,no\n", "utf-8")

    assert value(assessed(write_line(tmp_path / "line", rows), evidence), "audits_changed") == 1


def test_a_source_of_which_nobody_judged_a_conversation_leaves_the_bound_unknown(tmp_path: Path) -> None:
    rows, evidence = [*talks(90), *talks(10, start=500, source="mailbox")], tmp_path / "evidence"
    line = write_line(tmp_path / "line", rows)
    judge(evidence, line, ids_of(rows[:90]))
    found = assessed(line, evidence).values.own("leak_upper", None)

    assert found is not None
    assert (found.value, found.unknown) == (None, "no conversation of mailbox was audited")


def test_a_small_bad_topic_does_not_hide_behind_a_large_good_set(tmp_path: Path) -> None:
    rows, evidence = [*talks(400), *talks(60, "refund", start=900)], tmp_path / "evidence"
    line = write_line(tmp_path / "line", rows)
    judge(evidence, line, ids_of(rows[:260]))
    judge(evidence, line, ids_of(rows[400:420]), correct="no")
    judge(evidence, line, ids_of(rows[420:440]))
    found = assessed(line, evidence)

    assert value(found, "defect_upper") == pytest.approx(upper(20, 300))
    assert value(found, "defect_upper", "refund") == pytest.approx(upper(20, 40))
    assert value(found, "defect_upper", "delivery") is None


def test_a_topic_audited_to_the_last_conversation_stands_for_itself(tmp_path: Path) -> None:
    rows, evidence = [*talks(100), *talks(30, "refund", start=900)], tmp_path / "evidence"
    line = write_line(tmp_path / "line", rows)
    judge(evidence, line, ids_of(rows[100:]), drawn_from="refund")
    found = assessed(line, evidence)

    assert value(found, "defect_upper", "refund") == pytest.approx(upper(0, 30))
    # what was drawn from one topic says nothing of the others
    assert (value(found, "defect_upper"), value(found, "leak_upper")) == (None, None)


def test_a_sheet_of_one_topic_holds_that_topic_and_says_so(tmp_path: Path) -> None:
    rows = [*talks(40), *talks(20, "refund", start=900)]
    corpus = read_corpus(write_line(tmp_path / "line", rows), SHIPPED)
    drawn = draw_sheet(corpus, Evidence({}), SHIPPED, 10, ["topic"], "refund")

    assert {one["drawn_from"] for one in drawn} == {"refund"}
    assert set(ids_of(drawn)) <= set(ids_of(rows[40:]))
    with pytest.raises(ParamsError, match="--topic: nothing of 'returns' is exported"):
        draw_sheet(corpus, Evidence({}), SHIPPED, 10, ["topic"], "returns")


def test_what_an_agent_asked_a_tool_is_exported_and_so_it_is_audited_and_searched_for_secrets(tmp_path: Path) -> None:
    asked = {"name": "login", "arguments": [{"name": "password", "value": "password=Tr0ub4dor&3"}]}
    row = talk(1, "Let me in", "tool: done", "agent: You are in")
    row["turns"][1]["call"] = asked
    line = write_line(tmp_path / "line", [row])
    (drawn,) = draw_sheet(read_corpus(line, SHIPPED), Evidence({}), SHIPPED, 1, ["topic"])

    assert "Tool: login password: password=Tr0ub4dor&3\ndone" in drawn["conversation"]
    assert value(assessed(line, tmp_path / "evidence"), "secrets") == 1
