"""Options that several commands share, each worded once."""

import os
from pathlib import Path
from typing import Annotated, Final

import typer

Params = Annotated[list[Path], typer.Option("--params", help="Params file; give it again to lay another over it.")]
Settings = Annotated[list[str], typer.Option("--set", help="One value over the files: dedupe.min_jaccard=0.85.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes; the result is the same for any number.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]

Last = Annotated[Path, typer.Argument(help="The last table of the line.")]

STAGES: Final = ("ingest", "scrub", "dedupe", "generate", "validate", "emit")
"""In the order of the help page; dvc.yaml has the order of the line."""

DEFAULT_PARAMS: Final = [Path("params.yaml")]
NO_SETTINGS: Final[list[str]] = []
ALL_CORES: Final = os.cpu_count() or 1
LAST_TABLE: Final = Path("data/curated/chat")
REPORTS: Final = Path("data/curated/reports")
PASSED: Final = Path("data/curated/passed")
REPLIES: Final = Path(".ticketmill/replies")
EVIDENCE: Final = Path("evidence")
COUNTED: Final = Path(".ticketmill/counted")
"""What gates counted part by part, so that no part is counted twice."""

EXPECTED_ERROR: Final = 1
GATE_SAID_NO: Final = 3
BUDGET_REACHED: Final = 4
"""Exit codes; 0 is success, 2 wrong usage, which typer returns itself, and interrupts.INTERRUPTED of Ctrl-C."""
