"""Invented deliveries of a chat widget, day by day, and a copy of this repository to run the line over them.

Read by the benchmarks of the night job, `incremental.py` and `thirty_nights.py`. All people are invented.
"""

import json
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
WORDS = """
order parcel late refund card lamp shoes blue size wrong shop door van week call mail please thanks today tomorrow where is
my the a we you it was not yet sent back left depot box broken invoice account change address delivery number help
wait check see tent stove bottle strap zip sole laces charger cable manual warranty repair exchange label courier
""".split()  # noqa: SIM905  # a list of seventy literals reads worse
FIRST = ("Siobhan", "Rasmus", "Amina", "Pavel", "Ingrid", "Tomas", "Leila", "Owen", "Marta", "Kenji")
LAST = ("Thorvaldsen", "Oyelaran", "Castellano", "Whitcombe", "Novotny", "Achterberg", "Mbeki", "Fairweather")
SOURCE: dict[str, Any] = {
    "format": "events",
    "files": ["*.jsonl"],
    "id": "chat",
    "opened_at": "at",
    "turns": "lines",
    "speaker": {"at": "who", "customer": ["visitor"], "agent": ["agent"]},
    "text": "text",
    "sent_at": "at",
    "identifiers": {"customer": {"name": "PERSON", "email": "EMAIL_ADDRESS"}},
    "fixed": {"channel": "chat", "language": "en"},
}
"""Mapping of `ingest.sources`."""


def chat(number: int, edition: int = 1) -> dict[str, Any]:
    """The chat of that number; a later edition has one line more, as in a corrected delivery."""
    draw = random.Random(number)  # noqa: S311  # invented text, no secret
    name = f"{draw.choice(FIRST)} {draw.choice(LAST)}"
    email = f"{name.lower().replace(' ', '.')}{number % 997}@example.com"
    opened = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=30 * number)
    said = [" ".join(draw.choices(WORDS, k=draw.randint(8, 30))) for _ in range(2 * draw.randint(1, 3))]
    said[0] += f". I am {name}, order HP-{100000 + number}."
    if edition > 1:
        said += ["one more thing " + " ".join(draw.choices(WORDS, k=9)), "noted " + " ".join(draw.choices(WORDS, k=12))]
    lines = [
        {"at": int((opened + timedelta(minutes=place)).timestamp()), "who": "agent" if place % 2 else "visitor", "text": text}
        for place, text in enumerate(said)
    ]
    return {"chat": f"c{number:07d}", "at": int(opened.timestamp()), "name": name, "email": email, "lines": lines}


def write(path: Path, numbers: Iterator[int] | range | list[int], edition: int = 1) -> None:
    """One file of chats, JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(chat(number, edition)) + "\n" for number in numbers)


class Project:
    """A copy of the code in a folder of its own, with DVC and git, and nothing received yet."""

    def __init__(self, folder: Path, settings: dict[str, Any] | None = None, code: Path = ROOT) -> None:
        """Copy the code at `code`; `settings`: `section.name` -> value, over params.yaml of this repository."""
        self.folder = folder
        folder.mkdir(parents=True)
        for name in ("pipeline", "checks", "evidence"):
            shutil.copytree(code / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("dvc.yaml", "requirements.lock", ".gitignore", ".dvcignore"):
            shutil.copy(code / name, folder)
        params = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
        params["ingest"]["sources"] = {"widget": SOURCE}
        for path, value in (settings or {}).items():
            *above, last = path.split(".")
            section = params
            for name in above:
                section = section[name]
            section[last] = value
        (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), "utf-8")
        self.received = folder / "data/raw/received/widget"
        self.received.mkdir(parents=True)
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(folder),
            "DVC_NO_ANALYTICS": "1",
        }
        # as users have it: Python keeps what it compiled
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.call(["git", "init", "--quiet"])
        self.call(["dvc", "init", "--quiet"])

    def call(self, command: list[str]) -> None:
        """Run a command that must succeed."""
        subprocess.run(command, cwd=self.folder, env=self.environment, check=True)  # our own commands

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """`ticketmill` with these arguments, in a session of its own."""
        return subprocess.Popen(  # our own command
            [sys.executable, "-c", "from pipeline.start import main; main()", *arguments],
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def night(self) -> dict[str, Any]:
        """One `ticketmill run` to its end: exit code, seconds of the wall and of the processors, what it remembered."""
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        process = self.start("run")
        output, _ = process.communicate()
        wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        history = self.folder / ".ticketmill/runs.jsonl"
        last = json.loads(history.read_text("utf-8").splitlines()[-1]) if history.exists() else {}
        return {
            "exit_code": process.returncode,
            "wall_seconds": round(wall, 1),
            "processor_seconds": round(spent, 1),
            "stages": last.get("stages", {}),
            "funnel": last.get("funnel", []),
            "error": last.get("error"),
            "output": output,
        }
