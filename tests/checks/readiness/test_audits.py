"""Audit sheets, what they say, and judges against people."""

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from checks.readiness.assess import Assessment, assess
from checks.readiness.audit import QUESTIONS, SHEET, draw_sheet, keep_answers, read_sheet, stratified, write_sheet
from checks.readiness.cli import app
from checks.readiness.evidence import Evidence
from checks.readiness.measures.audits import kappa
from checks.readiness.planting import GROUPS, copies, is_gone, plan, plant_and_scrub
from checks.readiness.reading import read_corpus
from checks.readiness.sentences import SENTENCES, sentence
from pipeline.errors import ParamsError, SourceError
from pipeline.tables import Table
from tests.build import KEY, conversation
from tests.checks.readiness.lines import ROOT, SHIPPED, STATED, params, talk, talks, write_line
from tests.pipeline.scrubbing import ingested

NOTHING = Evidence({})


def assessed(table: Table, folder: Path, **settings: Any) -> Assessment:
    return assess(table, params(**{"statements": STATED, "evidence": str(folder), **settings}))


def value(assessment: Assessment, measure: str, topic: str | None = None) -> float | None:
    one = assessment.values.own(measure, topic)
    return one.value if one else None


def sheet(line: Table, n: int = 20, evidence: Evidence = NOTHING, **settings: Any) -> list[dict[str, Any]]:
    section = params(**settings)
    return draw_sheet(read_corpus(line, section), evidence, section, n, ["topic", "source"])


def filled(rows: list[dict[str, Any]], path: Path, auditor: str = "ann", **faults: set[int]) -> Path:
    """Answer every row; `faults` names the numbers that fail a question (or have an identifier left)."""
    for row in rows:
        row["auditor"] = auditor
        for question in QUESTIONS:
            at_fault = row["number"] in faults.get(question, set())
            row[question] = "yes" if (question == "identifier_left") == at_fault else "no"
        row["notes"] = "Ring 0160 again"
    write_sheet(rows, path)
    return path


def test_a_sheet_is_spread_over_the_strata_by_their_size_and_blind(tmp_path: Path) -> None:
    rows = sheet(write_line(tmp_path / "line", [*talks(150), *talks(50, "refund", 900)]), 20)

    topics = ["refund" if int(row["conversation_id"].partition("-")[2], 16) >= 900 else "delivery" for row in rows]
    assert (topics.count("delivery"), topics.count("refund")) == (15, 5)
    assert set(rows[0]) == set(SHEET)
    assert not {"source", "origin", "model", "split", "topic"} & set(SHEET)


def test_a_sheet_is_the_same_for_any_order_of_the_rows_and_another_for_another_seed(tmp_path: Path) -> None:
    rows = talks(60)
    one, turned = write_line(tmp_path / "one", rows), write_line(tmp_path / "two", rows[::-1])

    assert sheet(one, 10) == sheet(turned, 10)
    assert sheet(one, 10) != sheet(one, 10, seed=2)


def test_quotas_add_up_to_n_for_any_strata() -> None:
    rows = pl.DataFrame(
        {"conversation_id": [f"c{n}" for n in range(97)], "topic": [f"t{n % 7}" if n % 5 else None for n in range(97)]}
    )

    assert [len(stratified(rows, ["topic"], n, 1)) for n in (1, 10, 33, 96, 97, 500)] == [1, 10, 33, 96, 97, 97]


def test_who_was_audited_is_not_drawn_again(tmp_path: Path) -> None:
    line = write_line(tmp_path / "line", talks(30))
    first = sheet(line, 10)
    keep_answers(filled(first, tmp_path / "a.csv"), tmp_path / "evidence", SHIPPED)
    from checks.readiness.evidence import read_evidence  # noqa: PLC0415  # after the file is there

    again = sheet(line, 30, read_evidence(tmp_path / "evidence"))
    assert len(again) == 20
    assert not {row["conversation_id"] for row in first} & {row["conversation_id"] for row in again}


@pytest.mark.parametrize("name", ["sheet.csv", "sheet.xlsx"])
def test_a_sheet_comes_back_as_it_was_filled_in_without_text_or_notes(tmp_path: Path, name: str) -> None:
    rows = sheet(write_line(tmp_path / "line", talks(12)), 12)
    answers = read_sheet(filled(rows, tmp_path / name, correct={1, 2}, identifier_left={3}))

    assert answers.height == 12
    assert answers["correct"].to_list().count(False) == 2
    assert answers["identifier_left"].sum() == 1
    assert not {"conversation", "notes"} & set(answers.columns)


@pytest.mark.parametrize("name", ["sheet.csv", "sheet.xlsx"])
def test_the_same_sheet_is_the_same_bytes(tmp_path: Path, name: str) -> None:
    rows = sheet(write_line(tmp_path / "line", talks(3)), 3)
    write_sheet(rows, tmp_path / name)
    before = (tmp_path / name).read_bytes()
    write_sheet(rows, tmp_path / name)

    assert (tmp_path / name).read_bytes() == before


@pytest.mark.parametrize("name", ["sheet.csv", "sheet.xlsx"])
def test_what_a_customer_wrote_is_never_run_as_a_formula(tmp_path: Path, name: str) -> None:
    rows = sheet(write_line(tmp_path / "line", [talk(1, "hello", "there")]), 1)
    rows[0]["conversation"] = '=HYPERLINK("http://example.com")\x07'
    write_sheet(rows, tmp_path / name)

    if name.endswith("csv"):
        with (tmp_path / name).open(encoding="utf-8-sig", newline="") as file:
            assert next(csv.DictReader(file))["conversation"].startswith("'=")
    else:
        from openpyxl import load_workbook  # noqa: PLC0415  # only for this one

        assert load_workbook(tmp_path / name).active["C2"].data_type == "s"


@pytest.mark.parametrize(
    ("cell", "answer", "message"),
    [
        ("tone", "maybe", "number 1: tone is neither yes nor no; correct the cell"),
        ("auditor", "", "number 1: has answers but no auditor; fill in who judged"),
        ("conversation_id", "", "number 1: has answers but no conversation_id; take it from the sheet that was drawn"),
    ],
)
def test_a_sheet_is_read_strictly(tmp_path: Path, cell: str, answer: str, message: str) -> None:
    rows = sheet(write_line(tmp_path / "line", talks(2)), 2)
    filled(rows, tmp_path / "a.csv")
    rows[0][cell] = answer
    write_sheet(rows, tmp_path / "a.csv")

    with pytest.raises(SourceError, match=re.escape(message)):
        read_sheet(tmp_path / "a.csv")


def as_excel_saves(path: Path, encoding: str, delimiter: str) -> None:
    """Columns the other way round, headings and answers in capitals, blank rows, an auditor with an umlaut."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    headings = list(reversed(rows[0]))
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow([heading.upper() for heading in headings])
        for row in rows:
            writer.writerow([row[heading].upper() if heading in QUESTIONS else row[heading] for heading in headings])
            writer.writerow([""] * len(headings))


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8-sig", ","), ("utf-8", ";"), ("cp1252", ";"), ("utf-16", "\t"), ("utf-16-le", "\t")]
)
def test_a_sheet_is_read_however_a_spreadsheet_saved_it(tmp_path: Path, encoding: str, delimiter: str) -> None:
    rows = sheet(write_line(tmp_path / "line", talks(4)), 4)
    path = filled(rows, tmp_path / "a.csv", "J\u00f6rg", correct={2}, identifier_left={3})
    as_given = read_sheet(path)
    as_excel_saves(path, encoding, delimiter)
    if encoding == "utf-16-le":
        path.write_bytes(b"\xff\xfe" + path.read_bytes())

    assert read_sheet(path).equals(as_given)
    assert as_given["auditor"].to_list() == ["J\u00f6rg"] * 4


def test_a_sheet_opens_in_a_spreadsheet_with_its_umlauts(tmp_path: Path) -> None:
    write_sheet(sheet(write_line(tmp_path / "line", [talk(1, "Gr\u00fc\u00dfe", "Hello")]), 1), tmp_path / "a.csv")

    assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_a_sheet_that_nobody_filled_in_is_no_evidence(tmp_path: Path, name: str) -> None:
    write_sheet(sheet(write_line(tmp_path / "line", talks(2)), 2), tmp_path / name)

    with pytest.raises(SourceError, match="no row is filled in; answer yes or no in the columns correct, "):
        keep_answers(tmp_path / name, tmp_path / "evidence", SHIPPED)
    assert not (tmp_path / "evidence").exists()


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_a_sheet_that_is_not_there_is_said_not_to_be_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match="no such file"):
        read_sheet(tmp_path / name)


def test_a_sheet_is_csv_or_a_workbook_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"a sheet is a \.csv or \.xlsx file"):
        write_sheet([], tmp_path / "a.ods")


def test_agreement_of_auditors_is_told_beyond_chance_too(tmp_path: Path) -> None:
    rows = sheet(write_line(tmp_path / "line", talks(20)), 20)
    both, one = {1, 2, 3, 4}, {1, 2, 3, 4, 5}
    keep_answers(filled([dict(row) for row in rows], tmp_path / "a.csv", "ann", tone=both), tmp_path / "evidence", SHIPPED)
    found = keep_answers(filled(rows, tmp_path / "b.csv", "ben", tone=one), tmp_path / "evidence", SHIPPED)

    chance = (4 / 120) * (5 / 120) + (116 / 120) * (115 / 120)
    assert found.kappa == pytest.approx((119 / 120 - chance) / (1 - chance))


def test_auditors_who_found_no_fault_agree_on_nothing_beyond_chance(tmp_path: Path) -> None:
    rows = sheet(write_line(tmp_path / "line", talks(5)), 5)
    keep_answers(filled([dict(row) for row in rows], tmp_path / "a.csv", "ann"), tmp_path / "evidence", SHIPPED)
    found = keep_answers(filled(rows, tmp_path / "b.csv", "ben"), tmp_path / "evidence", SHIPPED)

    assert (found.agreement, found.kappa) == (1, None)


@pytest.mark.parametrize(("name", "content"), [("a.csv", b"x,y\n1,2\n"), ("a.xlsx", b"PK nothing"), ("a.csv", b"\xff\xfe\x00")])
def test_a_file_that_is_no_sheet_is_one_clear_error(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(SourceError, match=r"is not an audit sheet|cannot be read as"):
        read_sheet(tmp_path / name)


def test_a_stratum_that_is_no_column_is_one_clear_error(tmp_path: Path) -> None:
    corpus = read_corpus(write_line(tmp_path / "line", talks(2)), SHIPPED)

    with pytest.raises(ParamsError, match="--stratify: no column 'mood'"):
        draw_sheet(corpus, NOTHING, SHIPPED, 2, ["mood"])


def test_defects_and_leaks_of_an_audit_reach_the_assessment_with_their_bounds(tmp_path: Path) -> None:
    line = write_line(tmp_path / "line", talks(300))
    rows = sheet(line, 300)
    keep_answers(filled(rows, tmp_path / "a.csv", correct={1, 2, 3}, tone={3, 4}), tmp_path / "evidence", SHIPPED)
    assessment = assessed(line, tmp_path / "evidence")

    assert value(assessment, "defect_share") == pytest.approx(4 / 300)
    assert value(assessment, "defect_upper") == pytest.approx(0.0302, abs=1e-4)
    assert value(assessment, "leak_upper") == pytest.approx(0.00994, abs=1e-5)
    assert value(assessment, "defect_upper", "delivery") == pytest.approx(0.0302, abs=1e-4)


def test_of_two_auditors_the_stricter_counts_and_their_agreement_is_told(tmp_path: Path) -> None:
    rows = sheet(write_line(tmp_path / "line", talks(10)), 10)
    keep_answers(filled([dict(row) for row in rows], tmp_path / "a.csv", "ann"), tmp_path / "evidence", SHIPPED)
    found = keep_answers(filled(rows, tmp_path / "b.csv", "ben", tone={1}), tmp_path / "evidence", SHIPPED)

    assert (found.audited, found.defects, found.faults["tone"]) == (10, 1, 1)
    assert found.agreement == pytest.approx(59 / 60)


def test_a_person_can_draw_fill_in_and_score_a_sheet_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    line = write_line(tmp_path / "line", talks(20))
    common = ["--params", str(ROOT / "params.yaml")]
    drawn = CliRunner().invoke(app, ["sample", "a.csv", "--table", str(line.folder), "--n", "8", *common])
    assert drawn.exit_code == 0, drawn.output
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["number"] = int(row["number"])  # type: ignore[assignment]
    filled(rows, tmp_path / "a.csv")
    scored = CliRunner().invoke(app, ["score-audit", "a.csv", *common])

    assert "audited 8: 0 with a defect" in scored.output
    assert "audit 291 more without a leak to let a pilot through" in scored.output


def scores(folder: Path, judge: str = "model-a") -> None:
    folder.mkdir(exist_ok=True)
    (folder / "scores.csv").write_text(f"item_id,set,arm,size,score,judge\ni1,task,prompt,,0.5,{judge}\n", "utf-8")


def judged(folder: Path, n: int, agree: float, *, flips: float = 0.0, seed: int = 1) -> None:
    generator = np.random.default_rng(seed)
    human = generator.random(n) < 0.5
    verdict = np.where(generator.random(n) < agree, human, ~human)
    swapped = np.where(generator.random(n) < flips, ~verdict, verdict)
    lines = [
        f"model-a,i{i},{int(h)},{int(v)},{int(s)},100" for i, (h, v, s) in enumerate(zip(human, verdict, swapped, strict=True))
    ]
    (folder / "judges.csv").write_text("\n".join(["judge,item_id,human,verdict,swapped,length", *lines]) + "\n", "utf-8")


@pytest.mark.parametrize(
    ("n", "agree", "flips", "in_doubt"),
    [(400, 0.95, 0.02, 0), (400, 0.7, 0.02, 1), (100, 0.98, 0.0, 1), (400, 0.95, 0.3, 1)],
)
def test_a_judge_decides_only_with_enough_items_agreement_beyond_chance_and_steady_order(
    tmp_path: Path, n: int, agree: float, flips: float, in_doubt: int
) -> None:
    scores(tmp_path / "evidence")
    judged(tmp_path / "evidence", n, agree, flips=flips)

    assert value(assessed(write_line(tmp_path / "line", talks(5)), tmp_path / "evidence"), "judges_in_doubt") == in_doubt


def test_a_judge_that_nobody_checked_is_in_doubt(tmp_path: Path) -> None:
    scores(tmp_path / "evidence")
    assessment = assessed(write_line(tmp_path / "line", talks(5)), tmp_path / "evidence")

    assert (value(assessment, "judges_in_doubt"), value(assessment, "judge_kappa")) == (1, None)


def test_a_judge_that_always_says_yes_agrees_with_nobody() -> None:
    human = np.array([True] * 90 + [False] * 10)

    assert kappa(human, np.ones(100, bool)) == 0
    assert kappa(human, human) == 1


def test_planted_values_are_what_they_claim_to_be() -> None:
    plants = plan(30, 1)

    assert {each["group"] for each in plants if each["entity_type"] == "PERSON"} == set(GROUPS)
    assert len(GROUPS) >= 8
    assert plan(30, 1) == plants
    assert plan(30, 2) != plants


def test_a_value_is_planted_in_the_language_of_its_conversation() -> None:
    (plant,) = [each for each in plan(1, 1) if each["group"] == "anglo" and each["oddity"] == "plain"]
    hosts = ingested(conversation(1, "Guten Tag", language="de"), conversation(2, "Hello"))
    german, english = copies([plant], [(0, host) for host in hosts.to_dicts()], hosts.schema)["turns"].to_list()

    assert plant["written"] in german[0]["text"]
    assert german[0]["text"].startswith("Guten Tag ")
    assert german[0]["text"].removeprefix("Guten Tag ") != english[0]["text"].removeprefix("Hello ")
    assert {tuple(map(len, kinds.values())) for kinds in SENTENCES.values()} == {(4, 3, 3, 3, 3, 3, 2)}


@pytest.mark.parametrize(("text", "kept"), [("word " * 2_000, ["word"]), ("字" * 2_000, []), ("short", ["short"])])
def test_of_a_mail_of_pages_a_plant_gets_the_end_as_its_surroundings(text: str, kept: list[str]) -> None:
    hosts = ingested(conversation(1, text))
    (turn,) = copies(plan(1, 1), [(0, hosts.to_dicts()[0])], hosts.schema)["turns"][0]
    plant = plan(1, 1)[0]
    said = sentence(plant["entity_type"], int(plant["sentence"]), plant["written"], "en")

    assert turn["text"].endswith(said)
    assert len(turn["text"]) <= 400 + 1 + len(said)
    assert set(kept) <= set(turn["text"].split())


@pytest.mark.parametrize(
    ("written", "kind", "text", "gone"),
    [
        ("Ruth Brandt", "PERSON", "thank you, Lena", True),
        ("Ruth Brandt", "PERSON", "thank you, brandt", False),
        ("Ruth Brandt", "PERSON", "the truth", True),
        ("B-R-A", "PERSON", "it is b-r-a", False),
        ("DE89 37", "IBAN_CODE", "pay DE89 37", False),
        ("DE89 37", "IBAN_CODE", "pay DE11 22", True),
    ],
)
def test_a_name_is_gone_when_no_part_is_left_and_an_id_when_it_is_not_there(
    written: str, kind: str, text: str, gone: bool
) -> None:
    assert is_gone(written, kind, text) is gone


def test_planting_measures_the_scrub_of_the_params_and_leaves_the_table_alone(tmp_path: Path) -> None:
    line = write_line(tmp_path / "line", talks(30), stages=("ingest",))
    before = line.checksum
    cells = plant_and_scrub(line, [ROOT / "params.yaml"], KEY, 2, 1)
    off = plant_and_scrub(line, [ROOT / "params.yaml"], KEY, 2, 1, ["scrub.default_mode=keep"])
    mails = pl.col("entity_type") == "EMAIL_ADDRESS"

    assert cells.filter(mails & (pl.col("oddity") == "plain")).row(0) == ("EMAIL_ADDRESS", "", "plain", 2, 2)
    assert off.filter(mails)["found"].sum() == 0  # a check that cannot fail checks nothing
    assert Table(line.folder).checksum == before
