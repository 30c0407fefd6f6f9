"""docs/gates.md is under test: it explains every limit in the words of the code, and names only params there are."""

import importlib
import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from pipeline.options import STAGES
from pipeline.params import load_section

ROOT: Final = Path(__file__).parents[1]
PARAMS: Final = ROOT / "params.yaml"
PAGE: Final = (ROOT / "docs/gates.md").read_text("utf-8")


def rows(stage: str) -> list[list[str]]:
    section = PAGE.partition(f"\n## {stage}\n")[2].partition("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in section.splitlines() if line.startswith("| `")]


@pytest.mark.parametrize("stage", STAGES)
def test_every_limit_of_a_gate_is_explained_in_its_own_words_with_causes_and_remedies(stage: str) -> None:
    check = importlib.import_module(f"checks.{stage}")
    meanings = {
        limit.measure: limit.meaning for limit in check.expectations(load_section(check.Bounds, f"gates.{stage}", [PARAMS]))
    }
    explained = rows(stage)

    assert [(row[0].strip("`"), row[1]) for row in explained] == list(meanings.items())
    assert all(len(row) == 4 and all(row) for row in explained)


def test_every_param_the_page_names_is_there() -> None:
    params: dict[str, Any] = yaml.safe_load(PARAMS.read_text("utf-8"))

    def is_there(path: str) -> bool:
        found: Any = params
        for step in path.split("."):
            if step.isupper():
                return True
            if not isinstance(found, dict) or step not in found:
                return False
            found = found[step]
        return True

    named = set(re.findall(rf"`((?:{'|'.join([*STAGES, 'gates'])})(?:\.[A-Za-z_]+)+)", PAGE))
    assert len(named) > 10
    assert {path for path in named if not is_there(path)} == set()
