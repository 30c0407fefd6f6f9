"""What blocks for privacy, and that nothing of it reaches a report."""

import re
from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from checks.readiness.assess import Assessment, assess
from checks.readiness.cli import app
from checks.readiness.evidence import add_evidence
from checks.readiness.identifiers import LIVE, find
from checks.readiness.report import write
from pipeline.errors import SourceError
from pipeline.tables import Table
from tests.build import NOON, turn
from tests.checks.readiness.lines import ROOT, STATED, params, seen_in, talk, talks, write_line, write_table

CARD = "4111 1111 1111 1111"
SECRETS = [
    "AKIA" + "Q3EGRX7BJN2WPLMD",
    "ghp_" + "a1B2" * 9,
    "xoxb-" + "2048-abcDEF123",
    "sk-" + "proj0123456789abcdef0123",
    "eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSMeKKF2Q",
    "-----BEGIN RSA " + "PRIVATE KEY-----",
    "postgres://app:" + "hunter22@db.acme.io",
    "password=" + "Tr0ub4dor&3",
    "my password is " + "hunter2!x",
    CARD,
    "DE89 3704 0044 0532 0130 00",
]


def assessed(table: Table, **settings: Any) -> Assessment:
    return assess(table, params(**{"statements": STATED, "evidence": "no-such-folder", **settings}))


def value(assessment: Assessment, measure: str) -> float | None:
    one = assessment.values.own(measure, None)
    assert one is not None
    return one.value


@pytest.mark.parametrize("secret", SECRETS)
def test_one_live_secret_blocks_and_names_its_conversation(tmp_path: Path, secret: str) -> None:
    leak = talk(50, "It does not work", f"Try this: {secret} and call again")
    assessment = assessed(write_line(tmp_path / "line", [*talks(5), leak]))

    assert value(assessment, "secrets") == 1
    assert assessment.verdict == "do-not-fine-tune:privacy"
    assert assessment.judged.topics[0].findings[0].records == (leak["conversation_id"],)


@pytest.mark.parametrize(
    "harmless",
    [
        "4111 1111 1111 1112",
        "order 113542617735902",
        "write to ann@example.com",
        "call 212-555-0143",
        "call +44 20 7946 0958",
        "call +49 (0)30 23125 017",
        "call +39 001 555 0142",
        "my password is not accepted",
        "my password is wrong",
        "password: <PASSWORD>",
        "My password is <PASSWORD_1> and it fails",
        "my passcode is ********",
        "reset your password = click here",
        "version 300.2.1.999",
        "192.0.2.17",
        "token of appreciation",
        "[  +0.000003] drm: enabled",
        "PXL_20260105_2306388141920×1446",  # noqa: RUF001  # as a forum writes the size of a picture
        "Secret Santa",
    ],
)
def test_what_only_looks_like_a_secret_blocks_nothing(harmless: str) -> None:
    assert [hit for hit in find(harmless) if hit.kind in LIVE or hit.kind != "handle"] == []


@pytest.mark.parametrize(
    "residual", ["ann.lee@acme.io", "+44 20 7946 1958", "212-636-0199", "219-09-9999", "8.8.8.8", "@annlee_x"]
)
def test_an_identifier_blocks_from_its_second_copy_on(tmp_path: Path, residual: str) -> None:
    one, two = talk(50, "Hello there", f"Write to {residual} now"), talk(51, f"I am {residual} again", "Thanks")

    assert value(assessed(write_line(tmp_path / "a", [*talks(4), one])), "repeated_residuals") == 0
    twice = assessed(write_line(tmp_path / "b", [*talks(4), one, two]))
    assert (value(twice, "repeated_residuals"), twice.verdict) == (1, "do-not-fine-tune:privacy")


def test_what_scrub_itself_wrote_is_no_residual(tmp_path: Path) -> None:
    text = "I am zoe.quick@mailhub.net"
    rows = [talk(n, text, "Thanks") for n in (50, 51)]
    findings = [
        {"conversation_id": row["conversation_id"], "entity_type": "EMAIL_ADDRESS", "new_start": 5, "new_end": len(text)}
        for row in rows
    ]

    assert value(assessed(write_line(tmp_path / "line", rows, findings=findings)), "repeated_residuals") == 0


def test_stand_ins_side_by_side_in_a_web_address_are_no_residual(tmp_path: Path) -> None:
    written = ["https://yorkelomere.example.net/?by=", "@merosoden", "_harlewyn", "_talbeck"]
    text = "".join(written)
    rows = [talk(n, text, "Thanks") for n in (50, 51)]
    ends = [sum(map(len, written[: place + 1])) for place in range(len(written))]
    pieces = list(pairwise([0, *ends]))
    findings = [
        {"conversation_id": row["conversation_id"], "entity_type": "URL", "new_start": begin, "new_end": end}
        for row in rows
        for begin, end in pieces
    ]

    assert value(assessed(write_line(tmp_path / "line", rows, findings=findings)), "repeated_residuals") == 0


def test_what_repeats_is_named_by_kind_conversation_and_turn_and_never_shown(tmp_path: Path) -> None:
    rows = [talk(n, "Hello", f"Write to ann.lee@acme.io or 212-636-01{n}") for n in (50, 51)]
    assessment = assessed(write_line(tmp_path / "line", [*talks(4), *rows]))
    turn_id = rows[0]["turns"][1]["turn_id"]

    told = str(assessment.to_json())
    assert f"(1 email, such as in {rows[0]['conversation_id']}, turn {turn_id})" in told
    assert "acme" not in told


def test_the_company_may_repeat_its_own_address(tmp_path: Path) -> None:
    rows = [talk(n, "Whom do I ask?", "Write to help@acme.io please") for n in range(5)]
    line = write_line(tmp_path / "line", rows)

    assert value(assessed(line), "repeated_residuals") == 1
    assert value(assessed(line, allowed_values=[r"@acme\.io$"]), "repeated_residuals") == 0


def test_secrets_are_looked_for_in_every_conversation_even_where_a_sample_is_looked_at(tmp_path: Path) -> None:
    rows = talks(150)
    for row in rows:
        row["turns"][1]["text"] += f" {CARD}"
    assessment = assessed(write_line(tmp_path / "line", rows), samples={"max_conversations": 100})

    assert value(assessment, "secrets") == 150


def audit(folder: Path, rows: list[tuple[str, str, str]], seen: Mapping[str, str]) -> None:
    folder.mkdir(exist_ok=True)
    lines = ["conversation_id,auditor,text_digest,correct,complete,policy_true,tone,safe_to_say,identifier_left"]
    lines += [f"{one},{who},{seen.get(one, 't0')},yes,yes,yes,yes,yes,{left}" for one, who, left in rows]
    (folder / "audit.csv").write_text("\n".join(lines) + "\n", "utf-8")


def test_the_leak_bound_is_of_audited_conversations_of_this_export(tmp_path: Path) -> None:
    rows = talks(320)
    line = write_line(tmp_path / "line", rows)
    audit(
        tmp_path / "evidence",
        [(row["conversation_id"], "ann", "no") for row in rows[:300]] + [("gone-1", "ann", "yes")],
        seen_in(line),
    )
    assessment = assessed(line, evidence=str(tmp_path / "evidence"))

    assert value(assessment, "leaks_found") == 0
    assert value(assessment, "leak_upper") == pytest.approx(0.00994, abs=1e-5)


def test_one_auditor_who_sees_a_leak_is_enough(tmp_path: Path) -> None:
    rows = talks(20)
    line = write_line(tmp_path / "line", rows)
    audit(
        tmp_path / "evidence",
        [(rows[0]["conversation_id"], "ann", "no"), (rows[0]["conversation_id"], "ben", "yes")],
        seen_in(line),
    )
    assessment = assessed(line, evidence=str(tmp_path / "evidence"))

    assert (value(assessment, "leaks_found"), assessment.verdict) == (1, "do-not-fine-tune:privacy")


def planted(folder: Path, *cells: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "planted.csv").write_text("\n".join(["entity_type,group,oddity,planted,found", *cells]) + "\n", "utf-8")


@pytest.mark.parametrize(
    ("cells", "shortfall", "with_misses"),
    [
        (["EMAIL_ADDRESS,,plain,300,300", "PERSON,a,plain,60,60", "PERSON,b,plain,60,60"], 0.0, 0.0),
        (["EMAIL_ADDRESS,,plain,300,297", "PERSON,a,plain,60,60", "PERSON,b,plain,60,60"], 0.0156, 0.0156),  # lower bound 97.4 %
        (["EMAIL_ADDRESS,,plain,100,100"], 0.0195, 0.0),  # too few to tell
        (["EMAIL_ADDRESS,,plain,300,300", "EMAIL_ADDRESS,,spelled_out,100,20"], 0.0, 0.0),  # shown apart
    ],
)
def test_planted_recall_is_held_to_its_lower_bound(
    tmp_path: Path, cells: list[str], shortfall: float, with_misses: float
) -> None:
    planted(tmp_path / "evidence", *cells)
    assessment = assessed(write_line(tmp_path / "line", talks(5)), evidence=str(tmp_path / "evidence"))

    assert value(assessment, "planted_shortfall") == pytest.approx(shortfall, abs=1e-4)
    assert value(assessment, "planted_shortfall_with_misses") == pytest.approx(with_misses, abs=1e-4)


def test_a_gap_between_groups_of_names_is_measured(tmp_path: Path) -> None:
    planted(tmp_path / "evidence", "PERSON,a,plain,1000,1000", "PERSON,b,plain,1000,960")

    assessment = assessed(write_line(tmp_path / "line", talks(5)), evidence=str(tmp_path / "evidence"))
    assert value(assessment, "recall_gap") == pytest.approx(0.04)


def test_records_a_model_saw_before_scrub_are_counted(tmp_path: Path) -> None:
    generation = {"provider": "openai", "model": "m", "prompt_version": "1", "grounding": []}
    seen = talk(1)
    seen["turns"][1] = turn("agent", "A made answer here", 1, origin="synthetic", generation=generation)
    rows = [seen, *talks(3, start=50)]
    good = assessed(write_line(tmp_path / "good", rows), generators={"m": "licence"})
    bad = assessed(write_line(tmp_path / "bad", rows, stages=("ingest", "generate", "scrub", "validate", "emit")))

    assert (value(good, "unscrubbed_sent"), value(bad, "unscrubbed_sent")) == (0, 1)
    assert [each.tables["sent"].rows() for each in (good, bad)] == [[("openai", "m", 1, True)], [("openai", "m", 1, False)]]
    assert value(good, "provenance") == 1.0
    assert value(assessed(write_line(tmp_path / "unnamed", rows)), "provenance") == 0.75  # the terms of the model are not stated


@pytest.mark.parametrize(
    ("statement", "opened_at", "complete"),
    [
        ({"purpose": "p", "legal_basis": "b", "retain_until": "2030"}, NOON, 1.0),
        ({"purpose": "p", "legal_basis": "b"}, NOON, 0.0),
        ({"purpose": "p", "legal_basis": "b", "retain_until": "2030"}, None, 0.0),
        ({"purpose": "p", "legal_basis": "b", "retain_until": "2030", "collected": "2026"}, None, 1.0),
    ],
)
def test_provenance_needs_purpose_basis_end_and_date(
    tmp_path: Path, statement: dict[str, str], opened_at: Any, complete: float
) -> None:
    rows = talks(5, opened_at=opened_at)

    assert value(assessed(write_line(tmp_path / "line", rows), statements={"desk": statement}), "provenance") == complete


def test_nothing_stated_is_unknown_and_not_a_pass(tmp_path: Path) -> None:
    assessment = assessed(write_line(tmp_path / "line", talks(5)), statements={})

    assert (value(assessment, "provenance"), assessment.verdict) == (None, "do-not-fine-tune:privacy-unmeasured")


def test_a_conversation_alone_with_its_traits_is_singled_out(tmp_path: Path) -> None:
    rows = [*talks(6, opened_at=NOON), talk(99, product="kettle", opened_at=NOON + timedelta(days=3))]
    assessment = assessed(write_line(tmp_path / "line", rows))

    assert value(assessment, "unique_share") == pytest.approx(1 / 7)
    assert value(assessment, "below_k5_share") == pytest.approx(1 / 7)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("conversation_id,auditor,mood\n", "unknown column 'mood'"),
        ("auditor\nann\n", "column 'conversation_id' is missing"),
        ("conversation_id,auditor,tone\na,ann,perhaps\n", "column 'tone', line 2: is not yes or no; correct the cell"),
        ("conversation_id,auditor\n,ann\n", "column 'conversation_id', line 2: is not filled in"),
    ],
)
def test_evidence_is_read_strictly(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "audit.csv").write_text(content, "utf-8")

    with pytest.raises(SourceError, match=re.escape(message)):
        add_evidence("audit", tmp_path / "audit.csv", tmp_path / "evidence")


@pytest.mark.parametrize(
    "content",
    [
        b"set;item_id;arm;score\r\ntask;i1;prompt;0.5\r\n;;;\r\ntask;i2;prompt;0.25\r\n",
        "\ufeffset\titem_id\tarm\tscore\ntask\ti1\tprompt\t0.5\n\ntask\ti2\tprompt\t0.25\n".encode("utf-16-le"),
    ],
    ids=["semicolons", "unicode text"],
)
def test_evidence_is_read_as_a_spreadsheet_saves_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "scores.csv").write_bytes(content)

    assert add_evidence("scores", tmp_path / "scores.csv", tmp_path / "evidence") == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a CSV file with a header"),
        (b"set,set\n", "is not a CSV file with a header that names each column once"),
        (b"item_id,set,arm,score\ni1,task,prompt,0,5\n", "line 2 has more cells than the header"),
        (b"item_id,set,arm,score\n\ni1,task,prompt,half\n", "column 'score', line 3: is not a number"),
        (b"item_id,set,arm,score\ni1,task,pr\xfcfung,1\n", "cannot be read as a CSV file in UTF-8"),
        (b"item_id\x00,set\n", "unknown column"),
    ],
)
def test_a_file_of_evidence_that_is_no_table_is_one_clear_error(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "scores.csv").write_bytes(content)

    with pytest.raises(SourceError, match=re.escape(message)):
        add_evidence("scores", tmp_path / "scores.csv", tmp_path / "evidence")


def test_evidence_added_twice_counts_once(tmp_path: Path) -> None:
    audit(tmp_path, [("a-1", "ann", "no"), ("a-2", "ann", "no")], {})

    assert add_evidence("audit", tmp_path / "audit.csv", tmp_path / "evidence") == 2
    assert add_evidence("audit", tmp_path / "audit.csv", tmp_path / "evidence") == 2


def leaky_line(folder: Path) -> tuple[Table, list[str]]:
    """A line full of planted secrets and identifiers, and their values."""
    values = [*SECRETS, "ann.lee@acme.io", "212-636-0199", "219-09-9999", "Wilhelmina Oyelaran", "12 Harbour Row"]
    rows = [
        talk(n, f"I am {value}, help", f"Noted: {value}", topic="accounts", customer_key=f"ck{n:014x}")
        for n, value in enumerate(values * 2)
    ]
    return write_line(folder, rows), values


def test_no_planted_value_and_no_customer_reaches_any_file_of_the_report(tmp_path: Path) -> None:
    line, values = leaky_line(tmp_path / "line")
    write(assessed(line), tmp_path / "out")
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]

    assert len(written) >= 8
    for path in written:
        content = path.read_bytes().decode("utf-8", "replace").lower()
        assert [value for value in [*values, "ck0000"] if value.lower() in content] == [], path.name


def test_what_the_raw_table_says_in_its_columns_reaches_no_report(tmp_path: Path) -> None:
    raw = talks(250, "account of Wilhelmina Oyelaran", product="Wilhelmina Oyelaran")
    clean = [{**row, "topics": ["accounts"], "product": None} for row in raw]
    ingested = write_table(tmp_path / "line" / "ingest", "ingest", raw)
    last = ingested
    for stage in ("scrub", "dedupe", "generate", "validate", "emit"):
        last = write_table(tmp_path / "line" / stage, stage, clean, given=last)
    write(assessed(last), tmp_path / "out")
    unscrubbed = write_table(tmp_path / "line" / "bare", "validate", clean, given=ingested)
    write(assessed(unscrubbed), tmp_path / "bare")

    for path in [*(tmp_path / "out").rglob("*"), *(tmp_path / "bare").rglob("*")]:
        if path.is_file():
            assert b"wilhelmina" not in path.read_bytes().lower(), path.name


def test_the_same_line_gives_the_same_bytes(tmp_path: Path) -> None:
    line, _ = leaky_line(tmp_path / "line")
    for out in ("one", "two", "two"):  # the third run over the second: a repeated run changes nothing
        write(assessed(line), tmp_path / out)

    for path in sorted((tmp_path / "one").rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes(), path.name


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, [*arguments, "--params", str(ROOT / "params.yaml")])


def test_a_privacy_block_exits_with_3_and_says_so_in_json(tmp_path: Path) -> None:
    line, _ = leaky_line(tmp_path / "line")
    result = run("assess", str(line.folder), "--out", str(tmp_path / "out"), "--json")

    assert result.exit_code == 3
    assert '"verdict": "do-not-fine-tune:privacy"' in result.stdout
    assert '"privacy_block": true' in result.stdout


def test_missing_evidence_is_printed_before_the_reasons(tmp_path: Path) -> None:
    line = write_line(tmp_path / "line", talks(5))
    result = run("assess", str(line.folder), "--out", str(tmp_path / "out"))

    assert result.exit_code == 3
    assert result.stdout.index("missing evidence/audit.csv") < result.stdout.index("2.1 M15")


def test_the_report_says_what_is_missing_before_what_was_measured_and_claims_no_compliance(tmp_path: Path) -> None:
    write(assessed(write_line(tmp_path / "line", talks(5))), tmp_path / "out")
    report, page = ((tmp_path / "out" / name).read_text("utf-8") for name in ("report.md", "report.html"))
    told = ("What is missing", "Why, and what would change it", "By topic", "Every measure", "Method and limits")

    assert [title for title in re.findall(r"^## (.+)$", report, flags=re.MULTILINE) if title in told] == list(told)
    assert [title for title in re.findall(r"<h2>(.+?)</h2>", page) if title in told] == list(told)
    assert "not a statement of\ncompliance" in report
    assert re.search(r"\bscore of \d|readiness score|\d+ ?/ ?100|no PII|0 PII|is compliant|\$ ?\d", report) is None


def test_the_page_asks_no_server_and_needs_no_script(tmp_path: Path) -> None:
    write(assessed(write_line(tmp_path / "line", talks(5))), tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text("utf-8")

    assert re.search(r"<script|src=|href=|@import|url\(", page) is None
