"""The whole line over the committed sample: reruns, changes, kills. Real DVC in a repository of its own."""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
import yaml

ROOT: Final = Path(__file__).parents[1]
BIN: Final = Path(sys.executable).parent
STAGES: Final[Mapping[str, tuple[str, str]]] = {
    name: tuple(stage["cmd"].split()[2:4])
    for name, stage in yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"].items()
    if name not in {"gate", "readiness"}
}
ENVIRONMENT: Final = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "DVC_"))},
    "PATH": f"{BIN}:{os.environ['PATH']}",
    "TICKETMILL_KEY": "5e" * 32,
    "DVC_NO_ANALYTICS": "1",
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.com",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.com",
}


def run(folder: Path, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, text=True, capture_output=True, check=False)
    assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done


def stage(folder: Path, name: str, *options: str) -> None:
    run(folder, "ticketmill", name, *STAGES[name], *options)


def checksums(folder: Path) -> dict[str, str]:
    """Every file below data/ but the received ones, with its hash."""
    files = (path for path in sorted((folder / "data").rglob("*")) if path.is_file() and "received" not in path.parts)
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def project(folder: Path) -> Path:
    """A folder with what a user has: the sample, params and the line; the installed package does the rest."""
    folder.mkdir()
    shutil.copytree(ROOT / "data/raw/received", folder / "data/raw/received")
    shutil.copy(ROOT / "params.yaml", folder)
    return folder


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The line run once by hand, with one worker."""
    folder = project(tmp_path_factory.mktemp("undisturbed") / "project")
    for name in STAGES:
        stage(folder, name, "--workers", "1")
    return folder


def test_two_workers_and_small_parts_of_work_make_the_same_bytes(undisturbed: Path, tmp_path: Path) -> None:
    folder = project(tmp_path / "project")
    for name in STAGES:
        stage(folder, name, "--workers", "2")

    assert checksums(folder) == checksums(undisturbed)


def test_ten_kills_change_nothing(undisturbed: Path, tmp_path: Path) -> None:
    """Kill -9 at ten moments spread over the whole line, of all processes at once or of the parent alone."""
    folder = project(tmp_path / "project")
    chance = random.Random(20261120)
    kills = [name for name in STAGES for _ in range(2)][:10]
    for name in STAGES:
        for number in range(kills.count(name)):
            process = subprocess.Popen(
                [BIN / "ticketmill", name, *STAGES[name], "--workers", "2"],
                cwd=folder,
                env=ENVIRONMENT,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            time.sleep(chance.uniform(0.3, 2.5))
            kill = os.killpg if number else os.kill
            kill(process.pid, signal.SIGKILL)
            process.wait()
        stage(folder, name, "--workers", "2")

    assert checksums(folder) == checksums(undisturbed)


def test_the_ledger_of_the_sample_balances(undisturbed: Path) -> None:
    run(undisturbed, "ticketmill", "ledger")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A clone of this working tree as a DVC repository of its own, reproduced once."""
    folder = tmp_path_factory.mktemp("repository") / "project"
    folder.mkdir()
    for name in ("dvc.yaml", "params.yaml", "requirements.lock", ".dvc/config", ".dvcignore", ".gitignore"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "data/raw/received", folder / "data/raw/received")
    for package in ("pipeline", "checks", "evidence"):  # deps of the stages; the installed package is what runs
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    run(folder, "git", "init", "--quiet")
    run(folder, "dvc", "repro", "--quiet")
    return folder


def rerun(repository: Path) -> list[str]:
    """The stages that `dvc repro` runs now."""
    printed = run(repository, "dvc", "repro").stdout
    return [line.split("'")[1] for line in printed.splitlines() if line.startswith("Running stage")]


def change(repository: Path, old: str, new: str) -> None:
    params = repository / "params.yaml"
    content = params.read_text("utf-8")
    assert content.count(old) == 1, f"{old!r} must stand once in params.yaml"
    params.write_text(content.replace(old, new), "utf-8")


def test_a_second_repro_runs_no_stage(repository: Path) -> None:
    assert rerun(repository) == []


def test_a_moved_bound_judges_again_and_runs_nothing_else(repository: Path) -> None:
    bounds = yaml.safe_load((repository / "params.yaml").read_text("utf-8"))["gates"]["dedupe"]
    name, value = next((name, value) for name, value in bounds.items() if name.startswith("max_"))
    section = (repository / "params.yaml").read_text("utf-8").partition("\ngates:")[2].partition("\n  dedupe:")[2]
    line = next(line for line in section.splitlines() if line.strip().startswith(f"{name}:"))
    before, found, after = (repository / "params.yaml").read_text("utf-8").partition("\ngates:")
    head, dedupe, tail = after.partition("\n  dedupe:")
    tail = tail.replace(line, line.replace(str(value), str(value * 1.01), 1), 1)
    (repository / "params.yaml").write_text(before + found + head + dedupe + tail, "utf-8")

    assert rerun(repository) == ["gate@dedupe"]


def test_a_changed_parameter_reruns_only_what_depends_on_it(repository: Path) -> None:
    change(repository, "\n  min_jaccard: 0.8\n", "\n  min_jaccard: 0.81\n")

    ran = rerun(repository)
    assert ran[0] == "dedupe"
    assert not {"ingest", "scrub", "gate@ingest", "gate@scrub"} & set(ran)


def test_a_gate_that_says_no_stops_the_line_and_leaves_its_report(repository: Path) -> None:
    out = repository / "data/curated/passed/emit"
    done = run(
        repository, "ticketmill", "gate", "emit", "data/curated/chat", "--set", "gates.emit.min_train_rows=1000000", check=False
    )

    assert done.returncode == 3
    assert not out.exists()
    assert '"passed": false' in (repository / "data/curated/reports/emit.json").read_text("utf-8")
