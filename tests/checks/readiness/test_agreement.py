"""The table of an agreement study, from what people wrote down."""

import re
from pathlib import Path

import pytest

from benchmarks.readiness_agreement import kappa, read_verdicts, table
from pipeline.errors import SourceError

STUDY = """set,who,verdict
a,ann,pilot-first
b,ann,collect-or-repair
a,ben,pilot-first
b,ben,collect-or-repair
a,ticketmill,pilot-first
b,ticketmill,pilot-first
"""


def test_people_are_held_against_one_another_and_against_the_tool(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text(STUDY, "utf-8")
    lines = table(read_verdicts(tmp_path / "v.csv"), "ticketmill")

    assert "| ann, ben | 2 | 100% | 1.00 |" in lines
    assert "| ann, ticketmill | 2 | 50% | 0.00 |" in lines
    assert lines[-1] == "| b | 2 x collect-or-repair | pilot-first |"


def test_two_judges_of_one_verdict_agree_on_nothing_beyond_chance() -> None:
    assert kappa(["pilot-first"] * 5, ["pilot-first"] * 5) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("set,who\na,ann\n", "has other columns than set, who, verdict"),
        ("set,who,verdict\na,ann,train!\n", "line 2: no such verdict; one of do-not-fine-tune:privacy,"),
        (f"{STUDY}a,ann,pilot-first\n", "line 8: this set has a verdict of this judge already"),
    ],
)
def test_a_study_is_read_strictly(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "v.csv").write_text(content, "utf-8")

    with pytest.raises(SourceError, match=re.escape(message)):
        read_verdicts(tmp_path / "v.csv")
