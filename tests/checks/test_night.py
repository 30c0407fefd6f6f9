import os
import shutil
import subprocess
import sys
import tempfile
from multiprocessing.connection import Listener
from pathlib import Path

import pytest

from checks.gate import JUDGE, ask, at_least, at_most
from checks.night import get_ready, judging

LIMITS = [at_most("share", 0.5), at_least("rows", 10), at_least("unmeasured", 0)]
VALUES = {"share": 0.5, "rows": 9.0, "unmeasured": None}

A_GATE = """
import sys
from checks.gate import ask
from tests.checks.test_night import LIMITS, VALUES
print(ask(VALUES, LIMITS))
print("great_expectations" in sys.modules)
"""


def test_the_gates_of_a_night_are_judged_by_the_run_and_never_import_great_expectations() -> None:
    with judging():
        answers = [subprocess.run([sys.executable, "-c", A_GATE], check=True, capture_output=True, text=True) for _ in range(2)]

    assert {answer.stdout for answer in answers} == {f"{ask(VALUES, LIMITS)}\nFalse\n"}
    assert JUDGE not in os.environ


A_NIGHT = """
import sys, time
from checks.night import get_ready, judging
with judging():
    assert "great_expectations" not in sys.modules
    get_ready()
    late = time.monotonic() + 60
    while "great_expectations" not in sys.modules and time.monotonic() < late:
        time.sleep(0.05)
    print("great_expectations" in sys.modules)
"""


def test_great_expectations_is_imported_while_the_first_stage_runs_before_any_gate_asks() -> None:
    night = subprocess.run([sys.executable, "-c", A_NIGHT], check=True, capture_output=True, text=True)

    assert night.stdout == "True\n"


def test_where_nobody_judges_for_the_night_there_is_nobody_to_get_ready() -> None:
    get_ready()

    assert JUDGE not in os.environ


def test_a_gate_that_finds_no_judge_judges_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(JUDGE, str(tmp_path / "gone"))

    assert ask(VALUES, LIMITS) == [True, False, False]


def test_a_judge_that_never_answers_holds_no_gate_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checks.gate.PATIENCE_SECONDS", 0.1)
    monkeypatch.setenv(JUDGE, str(tmp_path / "judge"))
    with Listener(str(tmp_path / "judge"), "AF_UNIX"):
        assert ask(VALUES, LIMITS) == [True, False, False]


@pytest.mark.parametrize("folder", ["gone", "x" * 120], ids=["missing", "longer than a socket's path may be"])
def test_where_no_socket_can_be_every_gate_judges_by_itself(folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / folder))
    if folder != "gone":
        (tmp_path / folder).mkdir()

    with judging():
        assert JUDGE not in os.environ


def test_a_socket_that_was_cleared_away_costs_a_night_nothing() -> None:
    with judging():
        shutil.rmtree(Path(os.environ[JUDGE]).parent)
        assert ask(VALUES, LIMITS) == [True, False, False]
