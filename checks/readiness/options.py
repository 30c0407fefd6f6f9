"""Options that the commands of readiness share, and how they read their section of params."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.params import load_section

Last = Annotated[Path, typer.Argument(help="The last table of the line: of emit, or of validate.")]
Reports = Annotated[Path, typer.Option("--out", help="Folder of the report.")]


def load(params: list[Path], settings: list[str]) -> Any:
    """The section `readiness`."""
    from checks.readiness.settings import ReadinessParams  # noqa: PLC0415  # a help page needs none of it

    return load_section(ReadinessParams, "readiness", params, settings)
