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


Evidence = Annotated[Path | None, typer.Option("--evidence", help="Folder of evidence; by default readiness.evidence.")]


@app.command()
def sample(
    target: Annotated[Path, typer.Argument(help="The sheet to write: .csv or .xlsx. It holds scrubbed conversations.")],
    table: Annotated[Path, typer.Option(help="The last table of the line.")] = LAST_TABLE,
    n: Annotated[int, typer.Option(min=1, help="Conversations.")] = 300,
    stratify: Annotated[str, typer.Option(help="Columns to spread over, by comma.")] = "topic,source,language",
    params: Params = DEFAULT_PARAMS,
    settings: Settings = [],  # noqa: B006  # typer copies it
) -> None:
    """Draw a blind audit sheet of conversations that nobody audited yet.

    ticketmill readiness sample audit.xlsx --n 300
    """
    from checks.readiness.audit import draw_sheet, write_sheet  # noqa: PLC0415  # polars
    from checks.readiness.corpus import read_corpus  # noqa: PLC0415  # as above
    from checks.readiness.evidence import read_evidence  # noqa: PLC0415  # as above
    from pipeline.tables import Table  # noqa: PLC0415  # as above

    section = _load(params, settings)
    strata = [name for name in stratify.split(",") if name]
    rows = draw_sheet(read_corpus(Table(table), section), read_evidence(Path(section.evidence)), section, n, strata)
    write_sheet(rows, target)
    typer.echo(
        f"readiness: {len(rows):,} conversations in {target}; fill in yes or no, then `ticketmill readiness score-audit {target}`"
    )


@app.command(name="score-audit")
def score_audit(
    sheet: Annotated[Path, typer.Argument(help="A filled-in sheet.")],
    params: Params = DEFAULT_PARAMS,
    settings: Settings = [],  # noqa: B006  # typer copies it
    as_json: AsJson = False,
) -> None:
    """Keep the answers of a sheet as evidence (no text, no notes) and say how far they carry.

    ticketmill readiness score-audit audit.xlsx
    """
    from dataclasses import asdict  # noqa: PLC0415  # beside its user

    from checks.readiness.audit import keep_answers  # noqa: PLC0415  # polars

    section = _load(params, settings)
    found = keep_answers(sheet, Path(section.evidence), section)
    if as_json:
        typer.echo(json.dumps(asdict(found)))
        return
    typer.echo(f"audited {found.audited:,}: {found.defects} with a defect, at most {found.defect_upper:.2%} of all (95 %)")
    for name, count in found.faults.items():
        typer.echo(f"  not {name}: {count}")
    typer.echo(f"{found.leaks} with an identifier left, at most {found.leak_upper:.2%} of all (95 %)")
    if found.more_for_pilot:
        typer.echo(f"  audit {found.more_for_pilot:,} more without a leak to let a pilot through")
    if found.agreement is not None:
        typer.echo(f"auditors agree on {found.agreement:.0%} of what two of them judged")


@app.command()
def plant(
    ingested: Annotated[Path, typer.Argument(help="The table of ingest; planted into is a copy in memory.")] = Path(
        "data/raw/ingested"
    ),
    n: Annotated[int, typer.Option(min=1, help="Plain values per kind and group of names; a fifth of it per oddity.")] = 300,
    params: Params = DEFAULT_PARAMS,
    settings: Settings = [],  # noqa: B006  # typer copies it
    as_json: AsJson = False,
) -> None:
    """Plant invented identifiers into a copy of the conversations, scrub it, and keep the recall as evidence.

    ticketmill readiness plant data/raw/ingested --n 300
    """
    from checks.readiness.bounds import lower  # noqa: PLC0415  # scipy
    from checks.readiness.evidence import replace_kind  # noqa: PLC0415  # polars
    from checks.readiness.planting import plant_and_scrub  # noqa: PLC0415  # as above
    from pipeline.key import load_key  # noqa: PLC0415  # beside its user
    from pipeline.tables import Table  # noqa: PLC0415  # polars

    section = _load(params, settings)
    cells = plant_and_scrub(Table(ingested), params, load_key(), n, section.seed, settings)
    replace_kind("planted", cells, Path(section.evidence))
    rows = cells.to_dicts()
    if as_json:
        typer.echo(json.dumps([{**row, "recall_lower": round(lower(row["found"], row["planted"]), 6)} for row in rows]))
        return
    for row in rows:
        bound = lower(row["found"], row["planted"])
        cell = f"{row['entity_type']:14} {row['group']:15} {row['oddity']:12}"
        typer.echo(f"{cell} {row['found']:5} of {row['planted']:5}, at least {bound:.1%}")


evidence_app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="Bring what the tables cannot say.")
app.add_typer(evidence_app, name="evidence")


@evidence_app.callback()
def evidence() -> None:
    """Bring what the tables cannot say: audits, planted recall, scores, judges, what was sent, what is asked live."""


@evidence_app.command()
def add(
    kind: Annotated[str, typer.Argument(help="audit, planted, scores, judges, sent or live.")],
    file: Annotated[Path, typer.Argument(help="CSV with a header; columns as in docs/readiness.md.")],
    params: Params = DEFAULT_PARAMS,
    settings: Settings = [],  # noqa: B006  # typer copies it
) -> None:
    """Check a file of evidence and lay its rows beside those that are there.

    ticketmill readiness evidence add scores pilot.csv
    """
    from checks.readiness.evidence import add_evidence  # noqa: PLC0415  # polars

    folder = Path(_load(params, settings).evidence)
    typer.echo(f"readiness: {add_evidence(kind, file, folder):,} rows of {kind} in {folder}")
