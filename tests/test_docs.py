"""The README is under test: its tree is the real one, its commands exist."""

import re
from pathlib import Path
from typing import Final

import typer
import yaml

from pipeline import cli
from pipeline.options import STAGES

ROOT: Final = Path(__file__).parents[1]
README: Final = (ROOT / "README.md").read_text("utf-8")


def described() -> set[str]:
    """Every path that the tree in the README describes."""
    tree = README.partition("```tree\n")[2].partition("```")[0]
    paths: set[str] = set()
    folder = ""
    for line in tree.splitlines():
        names = re.split(r"  +", line.strip())[0].split()
        indented = line.startswith("  ")
        if not indented:
            folder = names[0] if names[0].endswith("/") else ""
        paths |= {f"{folder}{name}".rstrip("/") if indented else name.rstrip("/") for name in names}
    return paths


def test_every_module_stands_in_the_tree_of_the_readme() -> None:
    modules = {path.relative_to(ROOT).as_posix() for package in ("pipeline", "checks") for path in (ROOT / package).glob("*.py")}
    shelves = {
        path.relative_to(ROOT).as_posix()
        for package in ("pipeline", "checks")
        for path in (ROOT / package).iterdir()
        if path.is_dir()
    }

    assert {name for name in modules | shelves if "__" not in name} - described() == set()


def test_the_tree_of_the_readme_names_nothing_that_is_not_there() -> None:
    assert {name for name in described() if not (ROOT / name).exists()} == set()


def test_every_command_the_docs_show_exists() -> None:
    commands = set(typer.main.get_command(cli.app).commands)  # type: ignore[attr-defined]  # a group, since the app has many
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    shown = {
        (page.name, word)
        for page in pages
        for word in re.findall(r"(?:^|`|\$ )ticketmill ([a-z]+)\b", page.read_text("utf-8"), flags=re.MULTILINE)
    }

    assert {(page, word) for page, word in shown if word not in commands} == set()


def test_every_stage_and_gate_of_the_line_has_its_section_of_params() -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    line = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]

    assert set(STAGES) == set(line) - {"gate", "readiness"} == set(line["gate"]["foreach"])
    assert set(STAGES) <= set(params)
    assert set(STAGES) == set(params["gates"])


def test_params_stand_in_the_order_of_the_line() -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))

    assert list(params)[: len(STAGES)] == list(params["gates"]) == list(STAGES)


def test_every_rule_that_drops_has_a_bound_at_the_gate() -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    drops = {rule for rule, deed in params["validate"]["rules"].items() if deed == "drop"}

    assert drops == set(params["gates"]["validate"]["max_dropped_share"])


def test_every_test_that_the_laws_name_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs/laws.md").read_text("utf-8")))
    written = {name for path in (ROOT / "tests").rglob("*.py") for name in re.findall(r"def (test_\w+)", path.read_text("utf-8"))}

    assert named - written == set()


def test_no_committed_file_names_a_package_index() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")

    assert "://" not in lock
