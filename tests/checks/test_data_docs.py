"""Data Docs of the verdicts, made by the real library."""

import re
from collections import Counter
from pathlib import Path
from typing import Any, Final

from checks.report.data_docs import write_data_docs


def judgement(measure: str, severity: str = "stop", **limit: float) -> dict[str, Any]:
    return {"measure": measure, "least": None, "most": None, "severity": severity, **limit}


SCRUB: Final = {
    "passed": False,
    "table": "ab" * 32,
    "measures": {"lost": 0.0, "planted_gap": None, "residual_per_1000_turns": 3.5, "emails": 1.0},
    "judgements": [
        judgement("lost", most=0),
        judgement("planted_gap", most=0.1),
        judgement("residual_per_1000_turns", "warn", most=2),
        judgement("residual_per_1000_turns", least=1),
    ],
}
EMIT: Final = {"passed": True, "table": "cd" * 32, "measures": {"rows": 20.0}, "judgements": [judgement("rows", least=10)]}


def marks(page: str) -> Counter[str]:
    return Counter(re.findall(r'<i class="fas fa-[a-z-]+ (text-\w+)"', page))


def test_every_limit_stands_in_the_data_docs_as_the_library_judged_it(tmp_path: Path) -> None:
    write_data_docs({"scrub": SCRUB, "emit": EMIT}, tmp_path)
    scrub, emit, index = ((tmp_path / f"{name}.html").read_text("utf-8") for name in ("scrub", "emit", "index"))

    assert re.findall(r'<h5 class="m-0" >\s*(\w+)', scrub) == ["Overview", "lost", "planted_gap", "residual_per_1000_turns"]
    # being there is an expectation of its own: one of three is not, one of four limits is not met, and all together failed
    assert marks(scrub) == {"text-success": 5, "text-danger": 3}
    assert marks(emit) == {"text-success": 3}
    assert re.findall(r'<a href="(\w+)\.html">\w+</a>: (\w+)', index) == [("scrub", "failed"), ("emit", "passed")]


def test_data_docs_ask_no_server_and_are_the_same_bytes_for_the_same_verdicts(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one/gone.html").write_text("of a stage that is no more")
    pages = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        write_data_docs({"scrub": SCRUB, "emit": EMIT}, folder)
        pages.append({path.name: path.read_text("utf-8") for path in folder.iterdir()})

    assert pages[0] == pages[1]
    assert set(pages[0]) == {"scrub.html", "emit.html", "index.html"}
    for page in pages[0].values():
        assert "default-src 'none'" in page
        assert re.findall(r"://|<script|<link|<img|\ssrc=|href=\"(?!#|\w+\.html\")", page) == []
