"""The shape of the house: imports run one way."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
STAGES: Final = {f"pipeline.{name}" for name in ("ingest", "scrub", "dedupe", "generate", "validate", "emit")}
SHELVES: Final = {f"pipeline.{name}" for name in ("sources", "recognizers", "providers", "prompts", "rules", "formats")}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES: Final = {module_of(path): path for package in ("pipeline", "checks") for path in sorted((ROOT / package).rglob("*.py"))}


def imports_of(module: str) -> Iterator[str]:
    """Our own modules that `module` imports anywhere, in functions too."""
    for node in ast.walk(ast.parse(FILES[module].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in FILES)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            submodules = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name for name in submodules if name in FILES)
            if node.module in FILES and any(name not in FILES for name in submodules):
                yield node.module


IMPORTS: Final = {module: set(imports_of(module)) - {module} for module in FILES}


def test_there_is_no_import_cycle() -> None:
    list(TopologicalSorter(IMPORTS).static_order())  # raises CycleError, naming the cycle


def test_the_pipeline_does_not_know_the_checks() -> None:
    assert {
        module
        for module, used in IMPORTS.items()
        if module.startswith("pipeline") and any(name.startswith("checks") for name in used)
    } <= {"pipeline.cli"}


def test_stages_do_not_know_each_other() -> None:
    assert {stage: IMPORTS[stage] & (STAGES - {stage}) for stage in STAGES if IMPORTS[stage] & STAGES} == {}


def test_no_stage_reaches_another_through_a_third_module() -> None:
    def reached(modules: set[str]) -> set[str]:
        more = modules.union(*(IMPORTS[module] for module in modules))
        return modules if more == modules else reached(more)

    assert {stage: reached({stage}) & STAGES for stage in STAGES} == {stage: {stage} for stage in STAGES}


def test_only_the_command_line_knows_every_stage() -> None:
    users = {module for module, used in IMPORTS.items() if len(used & STAGES) > 1}
    # to forget somebody is to know both what was received and what was made of it
    assert users == {"pipeline.stage_cli", "pipeline.forget"}


def test_no_shelf_reaches_up_to_a_stage_or_a_check() -> None:
    on_shelves = {module for module in FILES if any(module.startswith(f"{shelf}.") or module == shelf for shelf in SHELVES)}
    assert {module: IMPORTS[module] & STAGES for module in on_shelves if IMPORTS[module] & STAGES} == {}


def test_nobody_imports_a_package_root() -> None:
    assert {module for module, used in IMPORTS.items() if used & {"pipeline", "checks"}} == set()
