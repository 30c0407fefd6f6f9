"""The night job: reproduce what changed, report, remember, tell; one at a time, and nothing lost when it is ended.

What differs between two runs (times, durations, memory) is kept in `.ticketmill/runs.jsonl`, outside `data/`, where equal
input means equal bytes.
"""

import fcntl
import http.client
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import Any, Final, Literal, NoReturn

from pydantic import Field, model_validator

from pipeline.answering.request import PASSING
from pipeline.errors import CurationError
from pipeline.helping import Helper
from pipeline.params import Section
from pipeline.tables import Table, translated_errors

LOCK: Final = Path(".ticketmill/run.lock")
HISTORY: Final = Path(".ticketmill/runs.jsonl")
LAST_WORDS_SECONDS: Final = 8.0
"""Between SIGTERM and SIGKILL for the stages: systemd, cron wrappers and Kubernetes grant 10 seconds and more."""


class Notify(Section):
    """Who is told of a run: a command (the short report on its standard input) or a webhook (it is posted as JSON)."""

    command: list[str] | None = None
    """Program and arguments."""

    webhook: str | None = Field(default=None, pattern=r"^https?://")
    """Address that takes {"text": short report}."""

    when: Literal["always", "failure"]
    """After every run, or only after one that did not end with 0."""

    @model_validator(mode="after")
    def _one_way(self) -> "Notify":
        if (self.command is None) == (self.webhook is None):
            raise ValueError("give either command or webhook")
        return self


class RunParams(Section):
    """Section `run` of params.yaml."""

    notify: list[Notify]
    """Who is told; never fatal."""

    notify_tries: int = Field(ge=1)
    """How often each is tried."""

    notify_timeout_seconds: float = Field(gt=0)
    """After which a try counts as failed."""

    metrics_file: Path | None
    """Where to put the figures of the run for Prometheus' textfile collector; null: nowhere."""


class InterruptedRun(CurationError):  # noqa: N818  # told to, nothing went wrong
    """The run was told to end; the next one goes on where it stood."""


Log = Callable[[str, Mapping[str, Any]], None]
"""Takes an event and its fields."""


@dataclass
class Reproduced:
    """What `dvc repro` did."""

    exit_code: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    """Stage -> how long it ran; stages that had nothing to do are not there."""

    failed: str | None = None
    """The stage that ended the run."""

    error: str | None = None
    """What ended the run beside its stages: message of a CurationError, or that it was told to end."""

    begun: float = field(default_factory=time.monotonic)
    """Reading of the monotonic clock."""


def log_as_json(event: str, fields: Mapping[str, Any]) -> None:
    """One JSON object per line on stderr: time, event, fields."""
    print(json.dumps({"time": _now(), "event": event, **fields}), file=sys.stderr, flush=True)  # noqa: T201  # this is the log


def log_as_text(event: str, fields: Mapping[str, Any]) -> None:
    """One line per event on stderr, for people."""
    told = ", ".join(f"{name} {value}" for name, value in fields.items())
    print(f"{_now()} {event}{': ' if told else ''}{told}", file=sys.stderr, flush=True)  # noqa: T201  # this is the log


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class LogFormat(StrEnum):
    """How the log is written."""

    TEXT = "text"
    JSON = "json"


LOGS: Final[Mapping[LogFormat, Log]] = {LogFormat.TEXT: log_as_text, LogFormat.JSON: log_as_json}


@contextmanager
def the_only_run() -> Iterator[int]:
    """Hold the lock of this project; yields its file descriptor.

    The system lets go of it when the last process that has it open ends, however it ends; `reproduce` hands it to DVC, so
    that a line which outlives its killed parent still counts as running.

    Raises:
        CurationError: another run holds it; names its process.
        TableError: the file of the lock cannot be written.
    """
    with translated_errors(LOCK):
        LOCK.parent.mkdir(parents=True, exist_ok=True)
        lock = LOCK.open("a+", encoding="ascii")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CurationError(
                f"{LOCK}: the line of process {lock.read().strip()} is still running; wait for it to end"
            ) from None
        with translated_errors(LOCK):
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
        yield lock.fileno()


@contextmanager
def terminable() -> Iterator[None]:
    """Turn SIGTERM into InterruptedRun, so that everything on the way is ended in order."""

    def end(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise InterruptedRun("told to end; finished parts are kept, run again to go on")

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def reproduce(lock: int, log: Log, done: Reproduced, its_helper: Helper | None = None) -> None:
    """Run `dvc repro`; what a stage prints is passed through, its exit code is taken out of what DVC says.

    `done` is filled as stages end, so that an interrupted run still knows them. The helper is started with the first one, never
    where there is nothing to do.

    Raises:
        CurationError: dvc is not installed or this is no DVC repository.
        InterruptedRun: SIGTERM came; the stage that ran was ended within LAST_WORDS_SECONDS.
    """
    _repro([], lock, log, done, its_helper)


def ask_again(last: Path, lock: int, log: Log, done: Reproduced, its_helper: Helper | None) -> None:
    """Run generate once more where it had nothing new to read but left gaps that may pass, and then what depends on it.

    Such a gap is a question that failed at the endpoint, or one that was handed in with a batch: the reply comes from outside,
    and DVC sees no change. After `reproduce` and only when that ended well: from a table that its gate refused nothing is made.
    """
    if done.exit_code or "generate" in done.seconds or not (gaps := _gaps(last)):
        return
    log("asking again", {"stage": "generate", "gaps": gaps})
    _repro(["--single-item", "--force", "generate"], lock, log, done, its_helper)
    if not done.exit_code:
        _repro([], lock, log, done, its_helper)


def _gaps(last: Path) -> int:
    line = Table(last).line() if last.is_dir() else []  # who needs the table says that there is none
    return sum(each.manifest.counts.get(PASSING, 0) for each in line if each.manifest.stage == "generate")


def _repro(arguments: Sequence[str], lock: int, log: Log, done: Reproduced, its_helper: Helper | None) -> None:
    running, since = "", time.monotonic()

    def ended() -> None:
        if running:
            done.seconds[running] = round(done.seconds.get(running, 0.0) + time.monotonic() - since, 1)

    with _dvc("repro", *arguments, keeps_open=[lock, *([its_helper.held] if its_helper else [])]) as process:
        for line in process.stdout or ():
            if started := re.match(r"Running stage '(.+)':", line):
                if its_helper:
                    its_helper.begin()
                ended()
                running, since = started[1], time.monotonic()
                log("stage started", {"stage": running})
            elif line.startswith("ERROR: "):
                _went_wrong(line, log, done)
            elif line.strip():
                log("output", {**({"stage": running} if running else {}), "line": line.rstrip()})
    ended()
    if process.returncode and not done.exit_code:
        done.exit_code = 1


def _went_wrong(line: str, log: Log, done: Reproduced) -> None:
    """Take from what DVC says which stage failed, and how."""
    if "not inside of a DVC repository" in line:
        raise CurationError("this is no DVC repository; run where dvc.yaml is, after `dvc init`")
    if exited := re.search(r"failed to reproduce '(.+?)'.*exited with (-?\d+)", line):
        done.failed, done.exit_code = exited[1], int(exited[2])
    log("dvc", {"error": line.removeprefix("ERROR: ").strip()})


def what_would_run(last: Path) -> str:
    """What `dvc repro` would do, and what changed, as DVC tells it; and the gaps that generate would ask about again."""
    with _dvc("status") as process:
        told = "".join(process.stdout or ())
    gaps = _gaps(last)
    return f"{told}generate:\n\tgaps that may pass: {gaps}\n" if gaps else told


@contextmanager
def _dvc(*arguments: str, keeps_open: Sequence[int] = ()) -> Iterator[subprocess.Popen[str]]:
    program = shutil.which("dvc", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if program is None:
        raise CurationError("dvc is not installed; `pip install dvc`")
    environment = {
        **os.environ,
        "DVC_NO_ANALYTICS": "1",
        "PATH": f"{Path(program).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    process = subprocess.Popen(  # noqa: S603  # our own tool
        [program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        start_new_session=True,
        pass_fds=keeps_open,
    )
    try:
        yield process
        process.wait()
    finally:
        _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(LAST_WORDS_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.stdout:
        process.stdout.close()


def remember(started: datetime, done: Reproduced, params: Sequence[Path], numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Append one line to the history of runs; returns what was written.

    `numbers` are the row counts, gate values and cost of the state the run left.

    Raises:
        TableError: the history cannot be written.
    """
    fingerprint = sha256(b"\0".join(file.read_bytes() for file in params)).hexdigest()[:16]
    entry = {
        "started_at": started.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - done.begun, 1),  # the clock may be set back meanwhile
        "exit_code": done.exit_code,
        "failed": done.failed,
        "error": done.error,
        "stages": done.seconds,
        "params": fingerprint,
        "commit": _commit(),
        # kibibytes on Linux, bytes on macOS; of the largest single process
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        // (1024 if sys.platform == "linux" else 1024 * 1024),
        **numbers,
    }
    with translated_errors(HISTORY):
        HISTORY.parent.mkdir(parents=True, exist_ok=True)
        with HISTORY.open("a", encoding="utf-8") as history:
            # on a line of its own: a full disk may have cut the last one off
            history.write(("\n" if _is_cut_off(HISTORY) else "") + json.dumps(entry, sort_keys=True) + "\n")
    return entry


def _is_cut_off(history: Path) -> bool:
    with history.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - 1, 0))
        return size > 0 and file.read(1) != b"\n"


def recall(history: Path = HISTORY) -> list[dict[str, Any]]:
    """The history of runs, oldest first; a line cut off by a kill is left out."""
    if not history.is_file():
        return []
    runs = []
    try:
        lines = history.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CurationError(f"{history}: is no history of runs; move it away, the next run begins another") from error
    for line in lines:
        try:
            runs.append(json.loads(line))
        except ValueError:
            continue
    return runs


def _commit() -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    found = subprocess.run([git, "rev-parse", "--verify", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S603
    return found.stdout.strip() or None


def tell(short_report: str, exit_code: int, params: RunParams, log: Log) -> None:
    """Tell everybody in `params.notify`; who cannot be reached is logged and nothing more."""
    for target in params.notify:
        if target.when == "failure" and exit_code == 0:
            continue
        for attempt in range(1, params.notify_tries + 1):
            try:
                _deliver(target, short_report, params.notify_timeout_seconds)
            except (OSError, subprocess.SubprocessError, http.client.HTTPException, ValueError) as error:
                log("notification failed", {"attempt": attempt, "error": type(error).__name__})
                time.sleep(min(2.0 ** (attempt - 1), 10.0) if attempt < params.notify_tries else 0)
            else:
                log("notified", {"attempt": attempt})
                break


def _deliver(target: Notify, short_report: str, timeout_seconds: float) -> None:
    if target.command:
        subprocess.run(  # noqa: S603  # the user's own command, from their params
            target.command, input=short_report, text=True, check=True, timeout=timeout_seconds, stdout=subprocess.DEVNULL
        )
    if target.webhook:
        body = json.dumps({"text": short_report}).encode()
        request = urllib.request.Request(target.webhook, body, {"Content-Type": "application/json"})  # noqa: S310  # http(s) by the params class
        urllib.request.urlopen(request, timeout=timeout_seconds).close()  # noqa: S310


def write_metrics(entry: Mapping[str, Any], target: Path, log: Log) -> None:
    """Write the figures of a run for Prometheus' textfile collector, by rename, as it asks; a failure is logged.

    Source: github.com/prometheus/node_exporter, README, "Textfile Collector" (2026-11).
    """
    lines = [
        f"ticketmill_run_timestamp_seconds {datetime.fromisoformat(entry['started_at']).timestamp():.0f}",
        f"ticketmill_run_seconds {entry['seconds']}",
        f"ticketmill_run_exit_code {entry['exit_code']}",
        f"ticketmill_run_peak_memory_megabytes {entry['peak_memory_mb']}",
        *(f'ticketmill_stage_seconds{{stage="{stage}"}} {seconds}' for stage, seconds in entry["stages"].items()),
        *(f'ticketmill_kept_conversations{{stage="{each["stage"]}"}} {each["kept"]}' for each in entry.get("funnel", [])),
        *(f'ticketmill_gate_passed{{stage="{stage}"}} {int(passed)}' for stage, passed in entry.get("gates", {}).items()),
    ]
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        unfinished.write_text("\n".join(lines) + "\n", "utf-8")
        unfinished.replace(target)
    except OSError as error:
        log("metrics not written", {"file": str(target), "error": type(error).__name__})
