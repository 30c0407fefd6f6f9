"""The command line as a user meets it: exit codes, one line per error, nothing of customers in any of them."""

import json
import os
import shutil
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from checks.gate import at_least, at_most
from pipeline import cli, options
from pipeline.params import Section
from pipeline.stage import Outcome
from tests.pipeline.line import make_line, write

STAGES = list(options.STAGES)


def ticketmill(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    """Run the command in this process; its exit code."""
    monkeypatch.setattr(sys, "argv", ["ticketmill", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", [*STAGES, "gate", "ledger", "trace", "report"])
def test_every_command_has_help_with_an_example(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ticketmill(monkeypatch, command, "--help") == 0
    usage, _, example = capsys.readouterr().out.partition(f"ticketmill {command} ")
    assert "Usage" in usage
    assert f"ticketmill {command}" in example


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_without_params_is_one_line_and_exit_1(
    stage: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ticketmill(monkeypatch, stage, "source", "target") == 1
    assert capsys.readouterr().err == "ticketmill: params.yaml: no such params file; name one with --params\n"


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("scrubbed", "scrubbed"),
        ("scrubbed", "ingested"),  # which scrubbed was made from
        ("scrubbed", "scrubbed/again"),
        ("scrubbed", "."),
        ("scrubbed", "notes"),
        ("scrubbed", "notes/plan.txt"),
    ],
)
def test_a_stage_takes_the_place_of_nothing_but_another_table(
    source: str, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_line(tmp_path)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/plan.txt").write_text("mine")
    there = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    assert ticketmill(monkeypatch, "dedupe", source, target, "--params", SHIPPED) == 1
    assert capsys.readouterr().err.endswith("nothing was changed\n")
    assert {path: path.read_bytes() for path in there} == there


def test_ingest_says_what_was_received_and_became_no_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def mail(number: int, sender: str, to: str) -> str:
        head = f"From x Mon Jan  5 12:00:00 2026\nFrom: {sender}\nTo: {to}\nMessage-ID: <{number}@example.com>\n"
        return f"{head}Subject: Tent {number}\nDate: Mon, 5 Jan 2026 12:0{number}:00 +0100\n\nHello there\n\n"

    received = tmp_path / "received/mail"
    received.mkdir(parents=True)
    among_staff = [mail(number, "al@support.example.com", "kim@support.example.com") for number in (1, 2)]
    (received / "a.mbox").write_text("".join([*among_staff, mail(3, "jo@example.org", "al@support.example.com")]))
    source = {"format": "mbox", "files": ["*.mbox"], "join": "source", "staff": {"domains": ["support.example.com"]}}
    more = {"subject": "leave", "undated": "refuse", "thread_gap_days": 30, "clean_mail": True}
    (tmp_path / "mail.yaml").write_text(json.dumps({"ingest": {"sources!": {"mail": {**source, **more}}}}))

    assert ticketmill(monkeypatch, "ingest", "received", "ingested", "--params", SHIPPED, "--params", tmp_path / "mail.yaml") == 0
    assert capsys.readouterr().out.splitlines() == [
        "ingest: kept 1; dropped internal 2",
        "ingest: received and no turn: mails.internal 2",
    ]


def test_what_was_received_is_never_in_the_way_of_its_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "raw/received/desk").mkdir(parents=True)
    (tmp_path / "raw/received/desk/a.csv").write_text("mine")

    for target in ("raw", "raw/received", "raw/received/desk/table", "."):
        assert ticketmill(monkeypatch, "ingest", "raw/received", target, "--params", SHIPPED) == 1
        assert capsys.readouterr().err.endswith("nothing was changed\n")
    assert (tmp_path / "raw/received/desk/a.csv").read_text() == "mine"


SHIPPED = Path(cli.__file__).parents[1] / "params.yaml"


@pytest.mark.parametrize(
    "words",
    [
        *([stage, "nothing", "made"] for stage in STAGES),
        ["decontaminate", "nothing", "made", "eval"],
        ["index", "rebuild", "nothing"],
    ],
    ids=" ".join,
)
def test_no_key_is_made_for_an_input_that_is_not_there(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ticketmill(monkeypatch, *words, "--params", SHIPPED) == 1
    what = (
        "no such folder; name the folder that holds what was received"
        if words[0] == "ingest"
        else "does not exist; run the stage that makes it"
    )
    assert capsys.readouterr().err == f"ticketmill: nothing: {what}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("data/curated/scrubbed", "does not exist; `dvc repro scrub` makes it"),
        ("./data/raw/ingested/", "does not exist; `dvc repro ingest` makes it"),
        ("elsewhere", "does not exist; run the stage that makes it"),
        ("dvc.yaml", "is no table but a file; run the stage that makes it"),
        ("dvc.yaml/table", "does not exist; run the stage that makes it"),
        (".", "is not a finished table; run the stage that makes it"),
    ],
)
def test_of_a_table_that_is_not_there_dvc_yaml_says_what_makes_it(
    table: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dvc.yaml").write_bytes(SHIPPED.with_name("dvc.yaml").read_bytes())

    assert ticketmill(monkeypatch, "ledger", table) == 1
    assert capsys.readouterr().err == f"ticketmill: {Path(table)}: {told}\n"


@pytest.mark.parametrize("command", [["stats"], ["compact"], ["query", "asked.txt"]])
def test_to_look_into_an_index_that_is_not_there_makes_none(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "asked.txt").write_text("Where is it?\n")

    assert ticketmill(monkeypatch, "index", *command, "nothing", "--params", SHIPPED) == 1
    assert capsys.readouterr().err == "ticketmill: nothing: no such index; dedupe makes it, or ticketmill index rebuild\n"
    assert [path.name for path in tmp_path.iterdir()] == ["asked.txt"]


def test_a_history_that_is_none_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_line(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")

    assert ticketmill(monkeypatch, "report", "validated", "--reports", "reports", "--history", "binary") == 1
    told = "ticketmill: binary: is no history of runs; move it away, the next run begins another\n"
    assert capsys.readouterr().err == told


def test_to_forget_nobody_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ticketmill(monkeypatch, "forget", " ") == 2


def test_the_version_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert ticketmill(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"ticketmill {version('ticketmill')}\n"


def test_an_unknown_command_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ticketmill(monkeypatch, "distil") == 2
    assert ticketmill(monkeypatch, "gate", "distil", "table") == 2


def test_the_ledger_prints_the_funnel_and_proves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_line(tmp_path)

    assert ticketmill(monkeypatch, "ledger", "validated") == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == ["validate", "3", "1", "no_answer", "2", "0"]


def test_a_ledger_that_does_not_balance_is_printed_and_exits_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ingested = make_line(tmp_path).line()[0]
    write(tmp_path / "scrubbed", "scrub", Outcome(pl.DataFrame({"conversation_id": ["a"]})), ingested, "other")

    assert ticketmill(monkeypatch, "ledger", "scrubbed", "--json") == 1
    printed = capsys.readouterr()
    assert [entry["balance"] for entry in json.loads(printed.out)] == [0, 2]
    assert printed.err == "ticketmill: scrub: 2 conversations do not balance; run the stage again\n"


def test_a_gate_refuses_a_table_of_another_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_line(tmp_path)

    assert ticketmill(monkeypatch, "gate", "dedupe", "scrubbed") == 1
    assert capsys.readouterr().err == "ticketmill: scrubbed: was made by scrub, not by dedupe; name its own stage\n"


def test_a_gate_that_says_no_names_each_measure_and_its_bound_and_exits_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_line(tmp_path)
    check = SimpleNamespace(
        Bounds=Section,
        measure=lambda *_: pl.DataFrame({"share": [0.25], "rows": [None]}, schema_overrides={"rows": pl.Float64}),
        expectations=lambda _bounds: [at_most("share", 0.1, "bad of all"), at_least("rows", 10), at_least("share", 0)],
        where=lambda _table, measure, *_: iter([f"c{n}" for n in range(9)] if measure == "share" else []),
    )
    monkeypatch.setitem(sys.modules, "checks.scrub", check)  # type: ignore[arg-type]  # a module is what it stands for
    Path("params.yaml").write_text("gates: {scrub: {}}\njudging: {warn: [], max_change: {}, runs: 1}\n")

    assert ticketmill(monkeypatch, "gate", "scrub", "scrubbed") == 3
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        "scrub: share is 0.25, must be at most 0.1",
        "  bad of all",
        "  in: c0, c1, c2, c3, c4, …",
        "scrub: rows is unmeasured, must be at least 10",
        "  causes and remedies: docs/gates.md#scrub; a conversation's way: ticketmill trace ID",
    ]
    assert printed.out == "scrub: failed, 3 measures judged\n"


def test_a_gate_on_another_table_leaves_verdict_and_pass_of_the_line_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_line(tmp_path)
    shutil.copytree("scrubbed", "tried")
    Path("dvc.yaml").write_text("stages: {scrub: {outs: [scrubbed: {persist: true}]}}\n")
    check = SimpleNamespace(
        Bounds=Section,
        measure=lambda *_: pl.DataFrame({"share": [0.25]}),
        expectations=lambda _bounds: [at_most("share", 0.5)],
    )
    monkeypatch.setitem(sys.modules, "checks.scrub", check)  # type: ignore[arg-type]  # a module is what it stands for
    Path("params.yaml").write_text("gates: {scrub: {}}\njudging: {warn: [], max_change: {}, runs: 1}\n")

    assert ticketmill(monkeypatch, "gate", "scrub", "tried") == 0
    said = "  tried is not the line's own table, so its verdict is kept nowhere; --reports keeps it\n"
    assert capsys.readouterr().err == said
    assert not Path("data").exists()
    assert ticketmill(monkeypatch, "gate", "scrub", "tried", "--reports", "tried-reports") == 0
    assert sorted(path.name for path in Path().rglob("scrub.json")) == ["scrub.json", "scrub.json"]
    assert not Path("data").exists()
    assert ticketmill(monkeypatch, "gate", "scrub", str(tmp_path / "scrubbed")) == 0
    assert Path("data/curated/reports/scrub.json").is_file()
    assert Path("data/curated/passed/scrub").is_file()
    assert capsys.readouterr().err == ""


def test_the_report_names_verdicts_even_where_no_gate_has_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_line(tmp_path)

    assert ticketmill(monkeypatch, "report", "validated", "--reports", "reports") == 0
    assert "not judged" in capsys.readouterr().out
    page = (tmp_path / "reports/index.html").read_text()
    assert "No gate has judged anything yet." in page
    assert "://" not in page


@pytest.mark.parametrize("form", [[], ["--markdown"], ["--json"]])
def test_a_report_of_a_line_that_does_not_balance_is_written_and_exits_1(
    form: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ingested = make_line(tmp_path).line()[0]
    write(tmp_path / "scrubbed", "scrub", Outcome(pl.DataFrame({"conversation_id": ["a"]})), ingested, "other")

    assert ticketmill(monkeypatch, "report", "scrubbed", "--reports", "reports", *form) == 1
    assert capsys.readouterr().err == "ticketmill: scrub: 2 conversations do not balance; run the stage again\n"
    assert (tmp_path / "reports/index.html").read_text().startswith("<!doctype html>")


def test_a_bug_shows_where_it_is_but_not_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("Jo Fox, jo@example.com")

    monkeypatch.setattr("pipeline.ledger.balance", fail)
    make_line(tmp_path)

    assert ticketmill(monkeypatch, "ledger", "validated") == 1
    told = capsys.readouterr().err
    assert told.startswith("ticketmill: bug, please report it: ValueError\n")
    assert "in ledger" in told
    assert "Jo Fox" not in told


def test_an_interruption_exits_130(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "params.yaml")
    # where the tests run in the background SIGINT is ignored, and children inherit that
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from pipeline.cli import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, "-c", code, "dedupe", "a", "b"], stderr=subprocess.PIPE, cwd=tmp_path, env=environment
    ) as process:
        # opens when the command begins to read its params, and closes at once: polars restarts a read that a signal breaks off
        with (tmp_path / "params.yaml").open("w"):
            process.send_signal(signal.SIGINT)

        assert process.wait(30) == 130
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()


def test_an_interruption_while_modules_are_loaded_exits_130_without_a_traceback(tmp_path: Path) -> None:
    # the heaviest module waits for a pipe, as if the disk were slow
    (tmp_path / "polars.py").write_text(f"open({str(tmp_path / 'loading')!r}).read()")
    os.mkfifo(tmp_path / "loading")
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from pipeline.start import main; main()"
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{Path(cli.__file__).parents[1]}"}
    with subprocess.Popen([sys.executable, "-c", code, "formats"], stderr=subprocess.PIPE, env=environment) as process:
        with (tmp_path / "loading").open("w"):
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
        assert process.stderr is not None
        assert process.stderr.read() == b""


@pytest.mark.parametrize(("arguments", "exit_code", "said"), [("--version", 0, "ticketmill "), ("nonsense", 2, "")])
def test_a_command_ends_with_its_code_once_all_is_said_and_what_was_to_be_done_at_the_end_is_done(
    arguments: str, exit_code: int, said: str, tmp_path: Path
) -> None:
    (tmp_path / "left").touch()
    code = f"import atexit, os; atexit.register(os.remove, {str(tmp_path / 'left')!r}); from pipeline.start import main; main()"

    ended = subprocess.run([sys.executable, "-c", code, arguments], capture_output=True, text=True, check=False)

    assert ended.returncode == exit_code
    assert ended.stdout.startswith(said)
    assert bool(ended.stdout) == bool(said)
    assert not (tmp_path / "left").exists()


def test_a_command_whose_last_words_find_no_room_does_not_end_well_and_leaves_no_traceback() -> None:
    code = (
        "import os, sys; from pipeline import start; sys.stdout = open('/dev/full', 'w'); print('x'); os._exit(start._flush(0))"
    )

    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)

    assert (ended.returncode, ended.stderr) == (1, b"")


def test_an_interruption_while_something_is_being_deleted_is_not_lost(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("")
    code = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
class Node:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
def read(*_):
    Node()
    time.sleep(30)
sys.argv = ["ticketmill", "dedupe", "a", "b"]
from pipeline import params, start
params.load_section = read
start.main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, cwd=tmp_path, timeout=60)

    assert (done.returncode, done.stderr) == (130, b"")


def test_asking_for_help_loads_nothing_heavy() -> None:
    heavy = {"presidio_analyzer", "spacy", "great_expectations", "numba", "sklearn", "openai", "onnxruntime", "duckdb"}
    heavy |= {f"pipeline.{stage}" for stage in STAGES}  # a stage does not pay for the others
    report = f"atexit.register(lambda: print(sorted({heavy} & set(sys.modules))))"
    code = f"import atexit, sys; sys.argv = ['ticketmill', '--help']; {report}; from pipeline.cli import main; main()"

    printed = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=Path(cli.__file__).parents[1])
    assert "Read received logs" in printed
    assert printed.splitlines()[-1] == "[]"
