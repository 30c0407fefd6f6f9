"""`ticketmill report` and `ticketmill sql`. As in `pipeline.cli`, a command imports what it needs when it runs."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline import job
from pipeline.ledger_cli import print_funnel
from pipeline.options import EVIDENCE, LAST_TABLE, REPLIES, REPORTS, AsJson, Last
from pipeline.tables import Table


def report(
    table: Last = LAST_TABLE,
    reports: Annotated[Path, typer.Option(help="Where the gates left their reports.")] = REPORTS,
    against: Annotated[
        str | None, typer.Option(help="Compare with a run (its number, -1 is the last), a git revision, or a report.json.")
    ] = None,
    history: Annotated[Path, typer.Option(help="Runs to draw trends from.")] = job.HISTORY,
    replies: Annotated[Path, typer.Option(help="Folder of the kept replies, with the account of their cost.")] = REPLIES,
    evidence: Annotated[Path, typer.Option(help="Folder of evidence, with the recall of planted values.")] = EVIDENCE,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the short form, for a chat or a pull request.")] = False,
    data_docs: Annotated[
        bool, typer.Option("--data-docs", help="Write Great Expectations' Data Docs beside the report.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print funnel and verdicts, and write them with every number behind them as one page of HTML and as report.json.

    ticketmill report --against HEAD~1
    """
    from checks.report.against import find_baseline  # noqa: PLC0415  # jinja2 is needed nowhere else
    from checks.report.build import build, planted, read_verdicts, spending, tables_of  # noqa: PLC0415
    from checks.report.page import short_form, write_report  # noqa: PLC0415
    from checks.report.readiness import assessed  # noqa: PLC0415
    from pipeline.ledger import balance, prove  # noqa: PLC0415

    verdicts = read_verdicts(reports)
    tables = tables_of(table) or Table(table).line()
    runs = job.recall(history)
    baseline = find_baseline(against, runs, reports) if against else None
    more: dict[str, list[tuple[Any, ...]]] = {
        "spending": spending(replies),
        "planted": planted(evidence),
        **assessed(reports, tables),
    }
    content = build(tables, verdicts, runs, more, baseline)
    page = write_report(content, reports)
    if data_docs:
        from checks.report.data_docs import write_data_docs  # noqa: PLC0415  # great_expectations takes seconds

        docs = write_data_docs(verdicts, reports / "data_docs")
    entries = balance(tables[-1])
    if as_json or markdown:
        typer.echo(json.dumps(content) if as_json else short_form(content), nl=as_json)
    else:
        print_funnel(entries, {stage: "passed" if verdict["passed"] else "failed" for stage, verdict in verdicts.items()})
        typer.echo("\nFiles:")
        for extra in tables[-1].manifest.extras if tables[-1].manifest.stage == "emit" else ():
            typer.echo(f"  {tables[-1].folder / extra}")
        typer.echo(f"\nReport: {page}")
        if data_docs:
            typer.echo(f"Data Docs: {docs}")
    prove(entries)  # last, so that the report of a line that does not balance is there to be read


def sql(
    query: Annotated[str, typer.Argument(help="One statement of DuckDB's SQL.")],
    table: Annotated[Path, typer.Option(help="The last table of the line.")] = LAST_TABLE,
    reports: Annotated[Path, typer.Option(help="Where the gates left their reports.")] = REPORTS,
    history: Annotated[Path, typer.Option(help="Runs, as the table `runs`.")] = job.HISTORY,
    replies: Annotated[Path, typer.Option(help="Folder of the kept replies, for the table `spending`.")] = REPLIES,
    evidence: Annotated[Path, typer.Option(help="Folder of evidence, with the recall of planted values.")] = EVIDENCE,
    as_json: AsJson = False,
) -> None:
    """Ask all tables of the line at once; of the table behind the wall only what names nobody is there.

    ticketmill sql "SELECT stage, reason, count(*) FROM dropped GROUP BY ALL"
    """
    from checks.report.build import planted, read_verdicts, remembered, spending, tables_of  # noqa: PLC0415  # no stage needs it
    from checks.report.readiness import assessed  # noqa: PLC0415
    from pipeline.sql import open_line  # noqa: PLC0415

    tables = tables_of(table) or Table(table).line()
    more: dict[str, list[tuple[Any, ...]]] = {
        "runs": remembered(job.recall(history)),
        "spending": spending(replies),
        "planted": planted(evidence),
        **assessed(reports, tables),
    }
    with open_line(tables, read_verdicts(reports), more) as line:
        columns, rows = line.ask(query)
    if as_json:
        typer.echo(json.dumps([dict(zip(columns, row, strict=True)) for row in rows], default=str))
        return
    typer.echo("\t".join(columns))
    for row in rows:
        typer.echo("\t".join("" if value is None else str(value) for value in row))
