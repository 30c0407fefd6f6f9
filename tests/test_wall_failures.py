"""The wall when things go wrong: 500 planted values, every kind of failure, and not one of them is told or written anywhere."""

import gzip
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl
import pytest

from tests.build import KEY
from tests.llm_server import Act, CutOff, Hang, Junk, LlmServer, Reset, Status, always
from tests.pipeline.received import CHATS, TURNS, ZENDESK, params

NAMES: Final = [f"Quorvik Zyxand{number:03}" for number in range(250)]
MAILS: Final = [f"zyxand{number:03}.quorvik@vexmail{number:03}.org" for number in range(250)]
PLANTED: Final = [value.casefold() for value in (*NAMES, *MAILS)]

CHAT: Final = [
    {
        "id": number,
        "who": name,
        "events": [
            {"type": "message", "who": "visitor", "text": f"I am {name}, write to {mail}", "at": 1767614400},
            {"type": "message", "who": "staff", "text": f"Thank you, {name}", "at": 1767614460},
        ],
        "mail": mail,
    }
    for number, (name, mail) in enumerate(zip(NAMES, MAILS, strict=True))
]
MAPPING: Final = {**CHATS, "path": "chats", "identifiers": {"customer": {"who": "PERSON", "mail": "EMAIL_ADDRESS"}}}
LINES: Final = "\n".join(json.dumps(chat) for chat in CHAT).encode()
ROWS: Final = "ticket,from,body,at\n" + "".join(f'{n},c,"I am {name}, {MAILS[n]}",2026-01-05\n' for n, name in enumerate(NAMES))
TICKETS: Final = [{"id": n, "requester_id": n, "subject": name, "description": MAILS[n]} for n, name in enumerate(NAMES)]

BROKEN: Final[dict[str, tuple[dict[str, Any], str, bytes]]] = {
    "cut gzip": (MAPPING, "a.json.gz", gzip.compress(LINES)[:-400]),
    "no gzip": (MAPPING, "a.json.gz", LINES),
    "cut JSON document": (MAPPING, "a.json", json.dumps(CHAT).encode()[:-300]),
    "cut JSON lines": (MAPPING, "a.jsonl", LINES[:-300]),
    "no UTF-8": (MAPPING, "a.jsonl", LINES.replace(b"Quorvik", b"Qu\xf6rvik") + LINES.replace(b"Thank", b"Th\xf6nk")),
    "people as fields": (MAPPING, "a.jsonl", "\n".join(json.dumps({**c, c["who"]: 1, c["mail"]: 2}) for c in CHAT).encode()),
    "people beside the records": (MAPPING, "a.json", json.dumps({NAMES[0]: 1, "events": CHAT}).encode()),
    "unknown speakers": (MAPPING, "a.jsonl", LINES.replace(b'"staff"', b'"Quorvik Zyxand001"')),
    "impossible times": (MAPPING, "a.jsonl", LINES.replace(b"1767614460", b'"Quorvik Zyxand002"')),
    "ids that are people": (MAPPING, "a.jsonl", "\n".join(json.dumps({**c, "id": [c["who"]]}) for c in CHAT).encode()),
    "open quote": (TURNS, "a.csv", (ROWS + '9,c,"Quorvik Zyxand003').encode()),
    "people as columns": (TURNS, "a.csv", ROWS.replace("ticket,", f"{NAMES[4]},", 1).encode()),
    "one column more": (TURNS, "a.csv", ROWS.replace("at\n", f"at,{NAMES[5]}\n", 1).encode()),
    "cells too many": (TURNS, "a.csv", ROWS.replace(",c,", f",c,{NAMES[6]},").encode()),
    "no Parquet": (TURNS, "a.parquet", ROWS.encode()),
    "tickets of unknown fields": (ZENDESK, "a.json", json.dumps({"tickets": [{**t, t["subject"]: 1} for t in TICKETS]}).encode()),
    "tickets without people": (ZENDESK, "a.json", json.dumps({"tickets": TICKETS}).encode()),
    "people beside tickets": (ZENDESK, "a.json", json.dumps({"tickets": TICKETS, NAMES[7]: []}).encode()),
}


def told(*texts: str) -> list[str]:
    """Planted values in a text."""
    text = "\n".join(texts).casefold()
    return [value for value in (*PLANTED, "zyxand") if value in text]


def written(root: Path) -> dict[str, list[str]]:
    """Planted values in any file outside of data/raw, hidden ones too; and, of data/raw, in what says why rows were set aside."""
    found = {}
    for path in (path for path in root.rglob("*") if path.is_file()):
        is_raw = "raw" in path.relative_to(root).parts
        if is_raw and path.parent.name not in {"quarantined", "dropped"} and path.name != "_manifest.json":
            continue
        content = str(pl.read_parquet(path).to_dicts()) if path.suffix == ".parquet" else path.read_text("utf-8", "replace")
        if hits := told(content):
            found[str(path.relative_to(root))] = hits
    return found


@pytest.fixture
def ticketmill(tmp_path: Path) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Run a command in a project of its own; every one is looked through when the test ends."""
    done: list[subprocess.CompletedProcess[str]] = []
    environment = {**os.environ, "TICKETMILL_KEY": KEY.secret.decode(), "PYTHONPATH": str(Path(__file__).parents[1])}

    def run(*arguments: str, most_bytes: int = 0, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

        command = [sys.executable, "-c", "from pipeline.cli import main; main()", *arguments]
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=limit if most_bytes else None,  # noqa: PLW1509  # the tests have no threads then
        )
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            out, err = process.communicate()
        done.append(subprocess.CompletedProcess(command, process.returncode, out, err))
        return done[-1]

    yield run
    assert [(each.args[3:], told(each.stdout, each.stderr)) for each in done if told(each.stdout, each.stderr)] == []
    assert written(tmp_path) == {}


def receive(root: Path, mapping: dict[str, Any], name: str, content: bytes) -> None:
    folder = root / "data/raw/received" / mapping.get("path", ".")
    folder.mkdir(parents=True)
    (folder / name).write_bytes(content)
    section = params(sources={"desk": mapping}).model_dump(mode="json", exclude_unset=True)
    (root / "desk.yaml").write_text(json.dumps({"ingest": section}))


SHIPPED: Final = ["--params", str(Path(__file__).parents[1] / "params.yaml"), "--set", "scrub.models=[]"]


@pytest.mark.parametrize("what", BROKEN)
def test_broken_deliveries(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline import cli  # noqa: PLC0415  # in this process: a command of its own would take a second each

    receive(tmp_path, *BROKEN[what])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TICKETMILL_KEY", KEY.secret.decode())
    monkeypatch.setattr(
        sys, "argv", ["ticketmill", "ingest", "data/raw/received", "data/raw/ingested", "--params", "desk.yaml", "--workers", "1"]
    )
    with pytest.raises(SystemExit) as ended:
        cli.main()
    captured = capsys.readouterr()
    assert told(captured.out, captured.err) == []
    assert "bug" not in captured.err
    assert ended.value.code in {0, 1}
    assert written(tmp_path) == {}


def test_killed_full_disks_bad_params_and_gates_that_say_no(
    tmp_path: Path, ticketmill: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    receive(tmp_path, MAPPING, "a.jsonl", LINES)
    raw, scrubbed = "data/raw/ingested", "data/curated/scrubbed"
    assert ticketmill("ingest", "data/raw/received", raw, "--params", "desk.yaml").returncode == 0
    assert ticketmill("scrub", raw, scrubbed, *SHIPPED, "--set", f"scrub.min_score={NAMES[8]}").returncode == 1
    assert ticketmill("scrub", raw, scrubbed, *SHIPPED, "--set", "scrub.recognizers=[presidio, nothing]").returncode == 1
    full = ticketmill("scrub", raw, scrubbed, *SHIPPED, most_bytes=3000)
    assert "cannot be written (EFBIG)" in full.stderr
    started = time.monotonic()
    assert ticketmill("scrub", raw, scrubbed, *SHIPPED, "--workers", "1").returncode == 0
    whole = time.monotonic() - started
    ticketmill("scrub", raw, "data/curated/other", *SHIPPED, "--workers", "1", seconds=whole * 0.7)
    never = ["--set", "gates.scrub.min_turns_with_findings_share=1", "--set", "gates.scrub.planted_ids_per_kind=1"]
    refused = ticketmill("gate", "scrub", scrubbed, *SHIPPED, *never, "--set", "gates.scrub.planted_names_per_group=1")
    assert refused.returncode == 3
    assert ticketmill("dedupe", raw, "data/curated/deduped", *SHIPPED).returncode == 1


ECHO: Final = " ".join(PLANTED) + " " + " ".join((*NAMES, *MAILS))
"""What an endpoint, or a gateway before it, may send back when it fails: whatever it ever heard."""

FAILING: Final[dict[str, Act]] = {
    "refuses": Status(400, message=ECHO),
    "knows no key": Status(401, message=ECHO),
    "is asked too much": Status(429, {"retry-after": "0", "x-request-id": NAMES[0]}, message=ECHO),
    "breaks": Status(500, message=ECHO),
    "has a gateway that breaks": Status(502, body=f"<html>{ECHO}</html>".encode()),
    "never answers": Hang(),
    "sends half a reply": CutOff(),
    "ends the connection": Reset(),
    "sends no JSON": Junk(f"<html>{ECHO}</html>".encode()),
    "sends half of a JSON": Junk(f'{{"id": "x", "choices": [{{"message": {{"content": "{ECHO}'.encode()),
    "sends another object": Junk(json.dumps({"object": "list", "data": [ECHO]}).encode()),
    "sends a fault as a reply": Junk(json.dumps({"error": {"code": 500, "message": ECHO}}).encode()),
    "gives an answer for a choice": Junk(json.dumps({"id": "x", "choices": [ECHO]}).encode()),
}


def test_an_endpoint_that_fails_in_every_way_and_repeats_what_it_heard(
    tmp_path: Path, ticketmill: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    open_chats = [{**chat, "events": chat["events"][:1]} for chat in CHAT]
    receive(tmp_path, MAPPING, "a.jsonl", "\n".join(map(json.dumps, open_chats)).encode())
    raw, scrubbed, deduped = "data/raw/ingested", "data/curated/scrubbed", "data/curated/deduped"
    assert ticketmill("ingest", "data/raw/received", raw, "--params", "desk.yaml").returncode == 0
    assert ticketmill("scrub", raw, scrubbed, *SHIPPED).returncode == 0
    assert ticketmill("dedupe", scrubbed, deduped, *SHIPPED).returncode == 0
    quick = {
        "timeout_seconds": 0.2,
        "max_attempts": 2,
        "first_wait_seconds": 0,
        "max_wait_seconds": 0,
        "max_failures_in_a_row": 10,
    }
    pace = [each for name, value in quick.items() for each in ("--set", f"generate.pace.{name}={value}")]
    for number, (way, act) in enumerate(FAILING.items()):
        with LlmServer(always(act)) as server:
            target, replies = f"data/curated/generated-{number}", f".ticketmill/replies-{number}"
            settings = {
                "provider": "openai",
                "openai.base_url": server.base_url,
                "openai.key_variable": "null",
                "replies": replies,
            }
            chosen = [each for name, value in settings.items() for each in ("--set", f"generate.{name}={value}")]
            done = ticketmill("generate", deduped, target, *SHIPPED, *pace, *chosen)
            assert (way, done.returncode) in {(way, 0), (way, 1), (way, 4)}, done.stderr
            assert server.received, way
            assert told(*(each.raw.decode() for each in server.received)) == []
        if done.returncode == 0:
            ticketmill("gate", "generate", target, *SHIPPED)
