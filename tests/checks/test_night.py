import os
import subprocess
import sys
from pathlib import Path

import pytest

from checks.gate import JUDGE, ask, at_least, at_most
from checks.night import judging

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


def test_a_gate_that_finds_no_judge_judges_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(JUDGE, str(tmp_path / "gone"))

    assert ask(VALUES, LIMITS) == [True, False, False]
