"""`ticketmill readiness …`: should this data be used for fine-tuning, and what would make it so?"""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from pipeline.params import load_section

GATE_SAID_NO: Final = 3

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they would show customers' text
    help="Should this data be used for fine-tuning, and what would make it so?",
)


@app.callback()
def readiness() -> None:
    """Should this data be used for fine-tuning, and what would make it so?"""


Params = Annotated[list[Path], typer.Option("--params", help="Params file; give it again to lay another over it.")]
Settings = Annotated[list[str], typer.Option("--set", help="One value over the files: readiness.goal=knowledge.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
Last = Annotated[Path, typer.Argument(help="The last table of the line: of emit, or of validate.")]
Reports = Annotated[Path, typer.Option("--out", help="Folder of the report.")]

DEFAULT_PARAMS: Final = [Path("params.yaml")]
LAST_TABLE: Final = Path("data/curated/chat")
REPORTS: Final = Path("data/curated/reports/readiness")


def _load(params: list[Path], settings: list[str]) -> Any:
    from checks.readiness.settings import ReadinessParams  # noqa: PLC0415  # a help page needs none of it

    return load_section(ReadinessParams, "readiness", params, settings)


@app.command()
def assess(
    table: Last = LAST_TABLE,
    params: Params = DEFAULT_PARAMS,
    settings: Settings = [],  # noqa: B006  # typer copies it
    out: Reports = REPORTS,
    require: Annotated[str | None, typer.Option(help="Exit 3 below this verdict, such as pilot-first.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure the tables, apply the verdict table, write the report; exit 3 for a privacy block or below --require.

    ticketmill readiness assess data/curated/chat --require pilot-first
    """
    from checks.readiness.assess import assess as measure  # noqa: PLC0415  # polars and all measures
    from checks.readiness.assess import meets  # noqa: PLC0415  # as above
    from checks.readiness.report import write  # noqa: PLC0415  # as above
    from checks.readiness.verdict import order  # noqa: PLC0415  # as above
    from pipeline.tables import Table  # noqa: PLC0415  # as above

    if require is not None and require not in order():
        raise typer.BadParameter(f"{require}: no such verdict; one of {', '.join(order())}")
    assessment = measure(Table(table), _load(params, settings))
    write(assessment, out)
    blocked = assessment.judged.row in {1, 2}
    met = not blocked if require is None else meets(assessment.verdict, require)
    if as_json:
        summary = {
            "verdict": assessment.verdict,
            "row": assessment.judged.row,
            "privacy_block": blocked,
            "required": require,
            "requirement_met": met,
            "traffic": {name: round(share, 6) for name, share in assessment.judged.split.items()},
            "missing_evidence": sorted(assessment.missing_evidence),
            "report": str(out / "report.md"),
        }
        typer.echo(json.dumps(summary))
    else:
        _print(assessment, out)
    if not met:
        raise typer.Exit(GATE_SAID_NO)


def _print(assessment: Any, out: Path) -> None:
    typer.echo(f"readiness: {assessment.verdict}")
    for kind, what in assessment.missing_evidence.items():
        typer.echo(f"  missing evidence/{kind}.csv: {what}")
    typer.echo("  " + ", ".join(f"{share:.0%} {name}" for name, share in assessment.judged.split.items()))
    deciding = next(each for each in assessment.judged.topics if each.verdict == assessment.verdict)
    for finding in assessment.findings_of(deciding):
        typer.echo(f"  {finding['condition']} {finding['metric']} {finding['measure']} {finding['shown']}: {finding['do']}")
    typer.echo(f"Report: {out / 'report.html'}")
