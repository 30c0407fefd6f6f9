"""The night job over a small line of its own: real DVC, real processes, a real server to notify."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from ruamel.yaml import YAML

from checks.report.against import find_baseline
from pipeline.cli import app
from pipeline.errors import ParamsError
from pipeline.job import Reproduced, RunParams, recall, remember
from pipeline.params import load_section
from pipeline.tables import Table
from tests.build import conversation
from tests.llm_server import Answer, LlmServer, always
from tests.pipeline.generate_tables import SHIPPED, deduped
from tests.pipeline.line import make_line

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1"}
QUIET = {"notify": [], "notify_tries": 1, "notify_timeout_seconds": 2.0, "metrics_file": None}

VERDICT = {"passed": True, "table": "", "judgements": [], "measures": {}}


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DVC repository with one stage, `scrub`, whose command each test sets, and finished tables."""
    monkeypatch.chdir(tmp_path)
    make_line(tmp_path / "data/curated")
    shutil.move(tmp_path / "data/curated/validated", tmp_path / "data/curated/chat")
    subprocess.run(["git", "init", "--quiet"], check=True, env=ENVIRONMENT)
    subprocess.run([BIN / "dvc", "init", "--quiet"], check=True, env=ENVIRONMENT)
    return tmp_path


def start(line: Path, command: str | dict[str, Any], *options: str, **params: object) -> "subprocess.Popen[str]":
    """A night of the stage `scrub` that is this command, or of these stages."""
    stages = command if isinstance(command, dict) else {"scrub": {"cmd": command, "deps": params.pop("deps", [])}}
    (line / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    (line / "params.yaml").write_text(yaml.safe_dump({"run": {**QUIET, **params}}))
    code = "from pipeline.cli import main; main()"
    arguments = [sys.executable, "-c", code, "run", "--log-format", "json", *options]
    return subprocess.Popen(arguments, cwd=line, env=ENVIRONMENT, text=True, stderr=subprocess.PIPE, stdout=subprocess.PIPE)


def run(line: Path, command: str | dict[str, Any], *options: str, **params: object) -> tuple[int, list[dict[str, object]]]:
    """The exit code, and the log."""
    with start(line, command, *options, **params) as process:
        _, log = process.communicate(timeout=120)
    return process.returncode, [json.loads(entry) for entry in log.splitlines() if entry.startswith("{")]


def test_a_good_night_is_remembered_with_stages_and_row_counts(line: Path) -> None:
    code, log = run(line, "true", metrics_file="run.prom")

    assert code == 0
    assert [entry["event"] for entry in log if entry["event"] != "output"] == ["run started", "stage started", "run ended"]
    remembered = recall()[-1]
    assert list(remembered["stages"]) == ["scrub"]
    assert remembered["funnel"][-1] == {"stage": "validate", "given": 3, "kept": 1}
    assert 'ticketmill_kept_conversations{stage="validate"} 1' in (line / "run.prom").read_text()


def test_a_night_with_nothing_new_leaves_the_report_as_it_stands_unless_it_is_of_another_state(line: Path) -> None:
    page = line / "data/curated/reports/index.html"

    def night() -> int:
        assert run(line, "true", deps=["data/curated/chat"])[0] == 0
        return page.stat().st_mtime_ns

    first = night()
    idle = night()
    (line / "data/curated/reports/scrub.json").write_text(json.dumps({**VERDICT, "stage": "scrub"}))
    judged = night()

    assert first == idle != judged
    runs = recall()
    assert [each["stages"] == {} for each in runs] == [False, True, True]
    assert runs[0]["funnel"] == runs[1]["funnel"]
    assert runs[0]["state"] == runs[1]["state"] != runs[2]["state"]


def test_a_night_with_nothing_new_collects_the_batch_of_the_night_before(line: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENVIRONMENT, "TICKETMILL_TEST_KEY", "sk-not-a-real-key")
    deduped(line / "data", [conversation(1, "Where is the blue parcel of my order?")])
    with LlmServer() as server:
        sets = [
            "provider=openai",
            "mode=batch",
            f"openai.base_url={server.base_url}",
            "openai.key_variable=TICKETMILL_TEST_KEY",
            "replies=replies",
            "pace.first_wait_seconds=0",
        ]
        options = " ".join(f"--set generate.{each}" for each in sets)
        generate = (
            f"python -c 'from pipeline.cli import main; main()' generate data/deduped data/generated --params {SHIPPED} {options}"
        )
        copy = "python -c 'import shutil, sys; shutil.copytree(*sys.argv[1:], dirs_exist_ok=True)' data/generated data/copied"
        stages = {
            "generate": {"cmd": generate, "deps": ["data/deduped"], "outs": [{"data/generated": {"persist": True}}]},
            "after": {"cmd": copy, "deps": ["data/generated"], "outs": ["data/copied"]},
        }

        nights = [run(line, stages, "--table", "data/generated")]
        with start(line, stages, "--table", "data/generated", "--dry-run") as dry:
            told, _ = dry.communicate(timeout=60)
        nights += [run(line, stages, "--table", "data/generated") for _ in range(2)]

        assert len(server.batches) == 1
    assert [code for code, _ in nights] == [0, 0, 0]
    assert [list(each["stages"]) for each in recall()] == [["after", "generate"], ["after", "generate"], []]
    assert [[each["gaps"] for each in log if each["event"] == "asking again"] for _, log in nights] == [[], [1], []]
    assert told.endswith("generate:\n\tgaps that may pass: 1\n")
    assert Table(line / "data/copied").manifest.total("kept") == 1


@pytest.mark.parametrize("code", [1, 3, 4])
def test_the_exit_code_of_a_stage_is_the_exit_code_of_the_night(line: Path, code: int) -> None:
    ended, log = run(line, f"exit {code}")

    assert ended == code
    assert (recall()[-1]["failed"], recall()[-1]["exit_code"]) == ("scrub", code)
    assert log[-1]["failed"] == "scrub"


def refused(line: Path) -> str:
    with start(line, "touch started; sleep 60") as second:
        _, told = second.communicate(timeout=60)
    assert second.returncode == 1
    return told


def test_two_nights_never_overlap_and_a_line_that_outlives_its_parent_still_runs(line: Path) -> None:
    with start(line, "touch started; sleep 60") as first:
        wait_for(line / "started")
        told = f"ticketmill: .ticketmill/run.lock: the line of process {first.pid} is still running; wait for it to end\n"
        assert refused(line) == told
        orphan = int(subprocess.check_output(["pgrep", "-P", str(first.pid), "-f", "dvc repro"], text=True))
        first.kill()
        first.wait()
        assert refused(line) == told
        os.killpg(orphan, signal.SIGKILL)
        while is_running(orphan):
            time.sleep(0.1)

    assert run(line, "true")[0] == 0


def test_a_night_told_to_end_ends_within_ten_seconds_and_takes_its_stage_with_it(line: Path) -> None:
    with start(line, "echo $$ > started; exec sleep 60") as process:
        wait_for(line / "started")
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)

    assert time.monotonic() - begun < 10
    assert process.returncode == 130
    assert not is_running(int((line / "started").read_text()))


def is_running(process: int) -> bool:
    """Whether it runs; one that ended and that nobody has asked for its exit code does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not (path.exists() and path.stat().st_size + (path.name == "started")):
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.1)
    time.sleep(0.2)


@pytest.fixture
def told() -> Iterator[tuple[str, list[bytes]]]:
    """A server that refuses the first message and takes the others."""
    messages: list[bytes] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            messages.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(503 if len(messages) == 1 else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", messages
        server.shutdown()
        thread.join()


def test_who_wants_to_know_is_told_again_when_they_were_busy(line: Path, told: tuple[str, list[bytes]]) -> None:
    address, messages = told
    notify = [{"webhook": address, "when": "always"}, {"command": ["tee", "note"], "when": "failure"}]
    code, _ = run(line, "true", notify=notify, notify_tries=3)

    assert code == 0
    assert len(messages) == 2
    assert "gates passed" in json.loads(messages[1])["text"]
    assert not (line / "note").exists()


def test_nobody_to_reach_is_logged_and_never_fatal(line: Path) -> None:
    code, log = run(line, "true", notify=[{"command": ["false"], "when": "always"}])

    assert code == 0
    assert [entry["error"] for entry in log if entry["event"] == "notification failed"] == ["CalledProcessError"]


def test_a_night_whose_report_fails_is_remembered_and_told_with_the_error(line: Path) -> None:
    shutil.rmtree(line / "data/curated")
    code, _ = run(line, "true", notify=[{"command": ["tee", "note"], "when": "failure"}])

    assert code == 1
    assert recall()[-1]["exit_code"] == 1
    assert recall()[-1]["error"] in (line / "note").read_text()


def test_the_very_first_night_may_fail_at_its_first_stage(line: Path) -> None:
    shutil.rmtree(line / "data/curated")
    code, _ = run(line, "exit 1")

    assert code == 1
    assert (recall()[-1]["failed"], recall()[-1]["error"], recall()[-1]["funnel"]) == ("scrub", None, [])


def test_a_night_told_to_end_is_remembered_and_told(line: Path) -> None:
    notify = [{"command": ["tee", "note"], "when": "failure"}]
    with start(line, "echo > started; exec sleep 60", notify=notify) as process:
        wait_for(line / "started")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)

    assert process.returncode == 130
    assert recall()[-1]["exit_code"] == 130
    assert "told to end" in (line / "note").read_text()


def test_neither_a_bad_address_nor_a_missing_folder_for_metrics_ends_the_night(line: Path) -> None:
    notify = [{"webhook": "http://[bad", "when": "always"}, {"webhook": "http://localhost:x/", "when": "always"}]
    code, log = run(line, "true", notify=notify, metrics_file="none/run.prom")

    assert code == 0
    events = [entry["event"] for entry in log if entry["event"] not in {"output", "stage started"}]
    assert events == ["run started", "notification failed", "notification failed", "metrics not written", "run ended"]


def test_a_history_that_cannot_be_written_fails_the_night_which_is_told_and_the_next_is_remembered(line: Path) -> None:
    shutil.rmtree(line / ".ticketmill", ignore_errors=True)
    (line / ".ticketmill/runs.jsonl").mkdir(parents=True)
    notify = [{"command": ["tee", "note"], "when": "failure"}]
    code, log = run(line, "true", notify=notify)

    assert code == 1
    assert log[-1]["error"] == ".ticketmill/runs.jsonl: cannot be written (EISDIR)"
    assert "exit 1: .ticketmill/runs.jsonl" in (line / "note").read_text()
    (line / ".ticketmill/runs.jsonl").rmdir()
    assert run(line, "true")[0] == 0
    assert len(recall()) == 1


def test_a_lock_that_cannot_be_written_is_one_line(line: Path) -> None:
    shutil.rmtree(line / ".ticketmill", ignore_errors=True)
    (line / ".ticketmill").write_text("")
    with start(line, "touch ran") as night:
        _, told = night.communicate(timeout=60)

    assert (night.returncode, told) == (1, "ticketmill: .ticketmill/run.lock: cannot be written (EEXIST)\n")
    assert not (line / "ran").exists()


def test_a_line_of_history_cut_off_by_a_full_disk_takes_no_later_one_with_it(line: Path) -> None:
    (line / ".ticketmill").mkdir(exist_ok=True)
    (line / ".ticketmill/runs.jsonl").write_text('{"exit_code": 0, "sta')

    assert run(line, "true")[0] == 0
    assert len(recall()) == 1


def test_on_a_full_disk_a_stage_ends_in_one_line_and_the_next_night_takes_up_its_parts(line: Path) -> None:
    code = "from pipeline.cli import main; main()"
    stage = f"{sys.executable} -c '{code}' ingest {ROOT}/data/raw/received data/raw/again --params {ROOT}/params.yaml --workers 1"
    small = f"ulimit -f 1; {stage}"
    ended, log = run(line, small)

    assert ended == 1
    told = [str(entry["line"]) for entry in log if "line" in entry]
    assert any("cannot be written (EFBIG)" in each for each in told), told
    assert not any("bug" in each for each in told)
    assert not (line / "data/raw/again/_manifest.json").exists()
    assert run(line, stage)[0] == 0


def test_the_night_after_an_endpoint_was_down_and_the_target_could_not_be_written_recovers_by_itself(line: Path) -> None:
    questions = [conversation(n, f"Where is parcel {'abc'[n]} of my order?") for n in range(3)]
    source, replies = deduped(line / "before", questions), line / "replies"
    code = "from pipeline.cli import main; main()"
    with LlmServer() as down:
        settings = {"provider": "openai", "openai.base_url": down.base_url, "replies": replies, "pace.first_wait_seconds": 0}
    sets = " ".join(f"--set generate.{name}={value}" for name, value in settings.items())
    stage = f"OPENAI_API_KEY=k {sys.executable} -c '{code}' generate {source} out/generated --params {ROOT}/params.yaml {sets}"

    def night() -> tuple[int, str]:
        ended, log = run(line, stage)
        # DVC repeats the command
        return ended, "\n".join(str(entry["line"]) for entry in log if not str(entry.get("line", ">")).startswith(">"))

    ended, told = night()
    assert (ended, told.count("\n")) == (1, 0)
    assert told.startswith(f"ticketmill: generate: {down.base_url} cannot be reached; run again when it can")
    assert not (line / "out/generated/_manifest.json").exists()

    up = LlmServer(always(Answer("It is on its way.")))
    up.port = down.port
    with up:
        shutil.rmtree(line / "out")
        (line / "out").symlink_to("/sys")  # where nobody may write, not even root
        ended, told = night()
        assert (ended, told.count("\n")) == (1, 0)
        assert re.fullmatch(r"ticketmill: out/generated\S*: cannot be written \(E(PERM|ACCES|ROFS)\)", told)
        assert up.received == []

        (line / "out").unlink()
        assert night()[0] == 0
    assert Table(line / "out/generated").manifest.total("kept") == 3


def test_a_clock_set_back_changes_neither_the_order_of_the_history_nor_how_long_a_run_took(line: Path) -> None:
    before = datetime.now(UTC) + timedelta(days=3)
    remember(before, Reproduced(begun=time.monotonic() - 5), [], {"measures": {}})
    assert run(line, "true")[0] == 0

    earlier, later = recall()
    assert earlier["started_at"] > later["started_at"]
    assert earlier["seconds"] == pytest.approx(5, abs=1)
    assert find_baseline("-1", recall(), Path("reports")).label == "run 2 of 2"
    assert find_baseline("-1", recall(), Path("reports")).metrics["validate.kept"] == 1


@pytest.mark.parametrize("option", ["--set", "--params"])
def test_the_night_takes_no_params_that_its_stages_would_not_see(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        app(["run", option, "dedupe.min_jaccard=0.9"])

    assert ended.value.code == 2
    assert "No such option" in capsys.readouterr().err


def test_a_line_of_history_cut_off_by_a_kill_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".ticketmill").mkdir()
    (tmp_path / ".ticketmill/runs.jsonl").write_text('{"exit_code": 0}\n{"exit_co')

    assert recall() == [{"exit_code": 0}]


def test_a_notification_is_either_a_command_or_a_webhook(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(yaml.safe_dump({"run": {**QUIET, "notify": [{"when": "always"}]}}))

    with pytest.raises(ParamsError, match=r"run\.notify\.0: Value error, give either command or webhook$"):
        load_section(RunParams, "run", [file])


def test_what_dvc_reads_seventy_times_a_night_is_read_by_a_parser_in_c() -> None:
    assert YAML(typ="safe").Parser.__name__ == "CParser"
