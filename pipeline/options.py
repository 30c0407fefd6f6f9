"""Options that several commands share, each worded once."""

import os
from pathlib import Path
from typing import Annotated, Final

import typer

Params = Annotated[list[Path], typer.Option("--params", help="Params file; give it again to lay another over it.")]
Settings = Annotated[list[str], typer.Option("--set", help="One value over the files: dedupe.min_jaccard=0.85.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes; the result is the same for any number.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]

DEFAULT_PARAMS: Final = [Path("params.yaml")]
NO_SETTINGS: Final[list[str]] = []
ALL_CORES: Final = os.cpu_count() or 1
LAST_TABLE: Final = Path("data/curated/chat")

EXPECTED_ERROR: Final = 1
GATE_SAID_NO: Final = 3
BUDGET_REACHED: Final = 4
INTERRUPTED: Final = 130
"""Exit codes; 0 is success and 2 wrong usage, which typer returns itself."""
