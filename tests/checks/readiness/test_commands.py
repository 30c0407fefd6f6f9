"""The commands around an assessment: plan, pilot split, explain, diff, card, gate; history and determinism of the report."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from checks.readiness.assess import assess
from checks.readiness.cli import app
from checks.readiness.gate import judge_limits
from checks.readiness.measured import Measured
from checks.readiness.report import write
from pipeline.tables import Table
from tests.checks.readiness.lines import ROOT, STATED, params, talks, write_line


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, [*arguments])


PARAMS = ("--params", str(ROOT / "params.yaml"), "--set", "readiness.evidence=no-such-folder")


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """Three topics, one too thin."""
    rows = [*talks(120), *talks(90, "refund", 1000), *talks(20, "fraud", 2000)]
    return write_line(tmp_path_factory.mktemp("line"), rows)


@pytest.fixture(scope="module")
def report(line: Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of it."""
    folder = tmp_path_factory.mktemp("report")
    assert run("assess", str(line.folder), "--out", str(folder), *PARAMS).exit_code == 3
    return folder


KEEP = ("--require", "do-not-fine-tune:privacy", "--keep")


def assessed(folder: Path) -> str:
    table: str = json.loads((folder / "assessment.json").read_text("utf-8"))["table"]
    return table


def in_parts(folder: Path, count: int) -> Table:
    """A line of so many parts of twenty conversations: a longer one begins with the parts of a shorter one."""
    return write_line(folder, talks(20 * count), splits={}, parts=count)


@pytest.fixture(scope="module")
def short_line(tmp_path_factory: pytest.TempPathFactory) -> Table:
    return in_parts(tmp_path_factory.mktemp("short"), 20)


@pytest.fixture(scope="module")
def longer(tmp_path_factory: pytest.TempPathFactory) -> Table:
    return in_parts(tmp_path_factory.mktemp("longer"), 21)


@pytest.fixture
def kept(short_line: Table, tmp_path: Path) -> Path:
    """A report of the short line, in a folder that a test may change."""
    folder = tmp_path / "kept"
    assert run("assess", str(short_line.folder), "--out", str(folder), *PARAMS, *KEEP).exit_code == 0
    return folder


def test_a_report_is_kept_while_few_rows_are_new_and_says_of_which_tables_it_is(
    short_line: Table, longer: Table, kept: Path
) -> None:
    result = run("assess", str(longer.folder), "--out", str(kept), *PARAMS, *KEEP)

    assert result.exit_code == 0
    assert (
        result.stdout == "readiness: the last report stands, 4.8% of the rows are new or gone; without --keep it is made anew\n"
    )
    assert assessed(kept) == short_line.checksum


def test_a_report_is_made_anew_once_more_rows_are_new(kept: Path, tmp_path: Path) -> None:
    long = in_parts(tmp_path / "long", 22)
    assert run("assess", str(long.folder), "--out", str(kept), *PARAMS, *KEEP).exit_code == 0
    assert assessed(kept) == long.checksum


def test_a_report_is_made_anew_once_more_of_its_rows_are_gone(kept: Path, tmp_path: Path) -> None:
    left = in_parts(tmp_path / "left", 18)
    assert run("assess", str(left.folder), "--out", str(kept), *PARAMS, *KEEP).exit_code == 0
    assert assessed(kept) == left.checksum


def test_a_report_is_made_anew_once_somebody_is_forgotten_wherever_it_lies(kept: Path, tmp_path: Path) -> None:
    longer = in_parts(tmp_path / "longer", 21)
    manifest = longer.line()[0].folder / "_manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "extras": {"forgotten/list.jsonl": "ab12"}}))
    assert run("assess", str(longer.folder), "--out", str(kept), *PARAMS, *KEEP).exit_code == 0
    assert assessed(kept) == longer.checksum


@pytest.mark.parametrize(
    "asked",
    [
        KEEP[:2],
        (*KEEP, "--json"),
        ("--require", "pilot-first", "--keep"),
        (*KEEP, "--set", "readiness.gates=[max_secrets]"),
        (*KEEP, "--set", "readiness.seed=2"),
        (*KEEP, "--set", "readiness.renew_after=0"),
    ],
    ids=["not asked to keep", "as JSON", "a verdict is required", "a limit is a gate", "other params", "never keep"],
)
def test_a_report_is_not_kept_where_it_may_stop_the_line_or_says_something_else(
    kept: Path, longer: Table, asked: tuple[str, ...]
) -> None:
    run("assess", str(longer.folder), "--out", str(kept), *PARAMS, *asked)
    assert assessed(kept) == longer.checksum


@pytest.mark.parametrize("lost", ["readiness.json", "plots/coverage.csv", "assessed.json"])
def test_a_report_that_is_not_whole_is_made_anew(kept: Path, longer: Table, lost: str) -> None:
    (kept / lost).unlink()
    run("assess", str(longer.folder), "--out", str(kept), *PARAMS, *KEEP)

    assert (kept / lost).is_file()
    assert assessed(kept) == longer.checksum


def test_new_evidence_is_assessed_at_once(line: Table, tmp_path: Path) -> None:
    evidence, out = tmp_path / "evidence", tmp_path / "out"
    evidence.mkdir()
    asked = ("--params", str(ROOT / "params.yaml"), "--set", f"readiness.evidence={evidence}", "--out", str(out), *KEEP)
    run("assess", str(line.folder), *asked)
    (evidence / "sent.csv").write_text("endpoint,model,records,scrubbed\nhttps://llm.example.com,small,3,no\n", "utf-8")
    run("assess", str(line.folder), *asked)

    assert "sent" not in json.loads((out / "assessment.json").read_text("utf-8"))["missing_evidence"]


def test_a_plan_says_what_to_collect_and_how_to_pilot(line: Table, tmp_path: Path) -> None:
    result = run("plan", str(line.folder), "--out", str(tmp_path), *PARAMS, "--json")
    plan = json.loads(result.stdout)

    assert plan == json.loads((tmp_path / "plan.json").read_text("utf-8"))
    assert [(each["topic"], each["wanted"]) for each in plan["collect"] if each["wanted"]] == [("fraud", 30)]
    assert plan["pilot"]["subsets"] == [57, 115, 230]
    assert plan["pilot"]["audit_before"] == {"leaks_for_pilot": 299, "leaks_for_production": 2995}
    assert plan["pilot"]["canary"].startswith("none")


def test_pilot_subsets_are_nested_whole_clusters_and_apart_from_the_test(tmp_path: Path) -> None:
    rows = talks(200)
    copies = [{**row, "conversation_id": f"{row['conversation_id']}-again"} for row in rows[:60]]
    everyone = [*rows, *copies]
    splits = {row["conversation_id"]: "test" if n in range(150, 200) else "train" for n, row in enumerate(everyone)}
    line = write_line(tmp_path / "line", everyone, splits=splits)
    assert run("pilot-split", str(line.folder), "--out", str(tmp_path), *PARAMS).exit_code == 0
    chosen = pl.read_csv(tmp_path / "pilot_split.csv")

    by_id = dict(chosen.select("conversation_id", "subset").iter_rows())
    assert all(by_id[row["conversation_id"]] == by_id[f"{row['conversation_id']}-again"] for row in rows[:60])
    assert chosen.filter(pl.col("test") & pl.col("subset").is_not_null()).is_empty()
    assert chosen["test"].sum() == 50
    anchors = chosen.filter(~pl.col("conversation_id").str.ends_with("-again")).drop_nulls("subset")
    assert [anchors.filter(pl.col("subset") <= size).height for size in (25, 50, 100)] == [37, 75, 150]


def test_explain_tells_definition_values_limits_with_origin_and_conditions(report: Path) -> None:
    text = run("explain", "M15", "--report", str(report)).stdout

    assert "Residual leak bound (tier A)" in text
    assert "limit max_leak_upper_pilot = 0.01" in text
    assert "[ours: 300 audited, none found]" in text
    assert "row 1 (do-not-fine-tune:privacy)" in text
    assert "leak_upper: unknown (no audit" in text


def test_explain_of_a_topic_tells_its_own_values(report: Path) -> None:
    found = json.loads(run("explain", "M01", "--topic", "fraud", "--report", str(report), "--json").stdout)

    assert {each["measure"]: each["value"] for each in found["values"]} == {"examples": 20, "effective_examples": 20}


def test_a_metric_is_named_in_any_case_and_a_topic_that_is_not_there_is_an_error(report: Path) -> None:
    assert "M06 Answer stability" in run("explain", "m06", "--report", str(report)).stdout
    error = run("explain", "M06", "--topic", "nowhere", "--report", str(report)).exception
    assert str(error) == "--topic: the report has no 'nowhere'; it has delivery, refund, fraud"


def test_diff_tells_what_changed_and_nothing_else(line: Table, report: Path, tmp_path: Path) -> None:
    run("assess", str(line.folder), "--out", str(tmp_path), *PARAMS, "--set", "readiness.epochs=4")
    changes = json.loads(run("diff", str(report), str(tmp_path), "--json").stdout)

    assert {each["measure"] for each in changes} <= {
        "job_tokens",
        "gpu_hours_high",
        "gpu_hours_low",
        "largest_template_passes",
        "suggested_epochs",
        "suggested_template_cap",
    }
    assert "job_tokens" in {each["measure"] for each in changes}
    assert run("diff", str(report), str(report)).stdout == "readiness: nothing changed\n"


@pytest.mark.parametrize("card_format", ["hf", "datasheet", "croissant", "article10"])
def test_every_line_of_a_card_says_whether_it_was_measured_or_stated(line: Table, card_format: str) -> None:
    card = run("card", str(line.folder), "--format", card_format, *PARAMS).stdout

    facts = [text for text in re.findall(r"^- (.+)$", card, flags=re.MULTILINE) if ":" in text or "(" in text]
    assert "measured" in card
    assert "neither measured nor stated" in card
    assert [fact for fact in facts if not re.search(r"measured|stated|verdict|evidence|^stage", fact)] == []


def test_a_croissant_card_is_json_with_the_slots_of_rai(line: Table) -> None:
    card = json.loads(run("card", str(line.folder), "--format", "croissant", *PARAMS).stdout)

    assert card["conformsTo"] == ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
    assert {"rai:dataBiases", "rai:dataLimitations", "rai:personalSensitiveInformation", "rai:dataCollectionTimeframe"} <= set(
        card
    )


def test_every_limit_is_a_gate_of_its_own_and_unmeasured_is_no_pass(line: Table) -> None:
    result = run("gate", str(line.folder), *PARAMS, "--json")
    failed = set(json.loads(result.stdout)["failed"])

    assert result.exit_code == 3
    assert {"leak_upper", "provenance", "coverage"} <= failed
    assert not {"secrets", "invalid_examples"} & failed


@pytest.mark.parametrize(
    ("gates", "code", "failed"),
    [("[]", 0, []), ("[max_secrets, max_invalid]", 0, []), ("[max_secrets, max_leak_upper_pilot]", 3, ["leak_upper"])],
)
def test_assess_stops_the_line_at_the_limits_that_params_name_and_at_no_other(
    line: Table, tmp_path: Path, gates: str, code: int, failed: list[str]
) -> None:
    lowest = ("--require", "do-not-fine-tune:privacy")
    result = run(
        "assess", str(line.folder), "--out", str(tmp_path), *PARAMS, *lowest, "--set", f"readiness.gates={gates}", "--json"
    )

    assert (result.exit_code, json.loads(result.stdout)["failed_gates"]) == (code, failed)
    assert (tmp_path / "report.html").exists()


def test_a_limit_that_works_inside_a_measure_is_a_gate_by_what_it_finds(tmp_path: Path) -> None:
    assessment = assess(write_line(tmp_path / "line", talks(30)), params(statements=STATED, evidence="none"))
    values = assessment.values.changed(Measured("M21", "lost_slices", 1.0), Measured("M16", "planted_shortfall", 0.0))
    table = write_line(tmp_path / "other", talks(3))
    judged = judge_limits(replace(assessment, values=values), table, ["min_survival_ratio", "min_recall_ids"])

    assert [(each.measure, each.most, each.passed) for each in judged.judgements] == [
        ("lost_slices", 0.0, False),
        ("planted_shortfall", 0.0, True),
    ]


def test_a_gate_of_no_such_limit_is_one_clear_error(line: Table) -> None:
    result = run("gate", str(line.folder), *PARAMS, "--limit", "max_luck")

    assert "'max_luck' is no limit of readiness.limits" in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["assess", "--require", "perfect"], 2),
        (["explain", "M77"], 1),
        (["explain", "M01", "--report", "no-such-folder"], 1),
        (["card", "--format", "pdf"], 2),
        (["diff", "no-such-folder", "no-such-folder"], 1),
        (["evidence", "add", "hearsay", "x.csv"], 1),
        (["assess", "no-such-table"], 1),
    ],
)
def test_wrong_use_is_2_and_an_expected_error_1(
    report: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int
) -> None:
    monkeypatch.chdir(ROOT)
    result = run(*arguments, *(["--report", str(report)] if arguments == ["explain", "M77"] else []))

    if code == 1:  # main prints CurationErrors as one line and exits with 1
        assert type(result.exception).__name__ in {"SourceError", "TableError"}
    else:
        assert result.exit_code == code


def test_a_requirement_decides_the_exit_code(line: Table, tmp_path: Path) -> None:
    common = ("assess", str(line.folder), "--out", str(tmp_path), *PARAMS)

    assert run(*common, "--require", "do-not-fine-tune:privacy-unmeasured").exit_code == 0
    assert run(*common, "--require", "pilot-first").exit_code == 3


def test_history_grows_by_what_changed_and_the_report_shows_it(line: Table, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"statements": STATED, "evidence": "no-such-folder"}
    write(assess(line, params(**settings)), tmp_path)
    write(assess(line, params(**settings)), tmp_path)
    write(assess(line, params(**settings, epochs=5)), tmp_path)
    history = pl.read_parquet(tmp_path / "history.parquet")

    assert history["run"].to_list() == [1, 2]
    assert "## Since the last run" in (tmp_path / "report.md").read_text("utf-8")


def test_flat_metrics_and_plots_are_what_dvc_reads(report: Path) -> None:
    flat = json.loads((report / "readiness.json").read_text("utf-8"))

    assert all(value is None or isinstance(value, str | int | float) for value in flat.values())
    assert sorted(path.name for path in (report / "plots").iterdir()) == ["agreement.csv", "coverage.csv", "marginal_value.csv"]


def test_help_of_every_command_has_an_example() -> None:
    for command in ("assess", "sample", "score-audit", "plant", "plan", "pilot-split", "explain", "diff", "card", "gate"):
        assert f"ticketmill readiness {command}" in run(command, "--help").stdout.replace("\n", " ").replace("  ", " ")
