"""`ticketmill gate STAGE TABLE`. As in `pipeline.cli`, the command imports what it needs when it runs."""

import importlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline import job
from pipeline.errors import CurationError
from pipeline.options import (
    COUNTED,
    DEFAULT_PARAMS,
    GATE_SAID_NO,
    LAST_TABLE,
    NO_SETTINGS,
    PASSED,
    REPORTS,
    STAGES,
    AsJson,
    Params,
    Settings,
)
from pipeline.params import load_section
from pipeline.tables import Table, made_by_the_line

if TYPE_CHECKING:
    from checks.gate import Judgement
    from checks.parts import EachPart


def gate(
    stage: Annotated[str | None, typer.Argument(help=f"One of {', '.join(STAGES)}; none with --all.")] = None,
    table: Annotated[Path | None, typer.Argument(help="The table that the stage made.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Judge every table of the line again; makes none of them again.")] = False,
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
    reports: Annotated[
        Path | None, typer.Option(help=f"Where the report goes, whatever the verdict; {REPORTS} for the line's own table.")
    ] = None,
    passed: Annotated[
        Path | None, typer.Option(help=f"Where the pass goes, if there is one; {PASSED} for the line's own table.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Judge a table against gates.STAGE of the params; exit 3 when it says no.

    ticketmill gate dedupe data/curated/deduped
    """
    if every:
        from checks.report.build import tables_of  # noqa: PLC0415  # only where tables are looked for

        if stage is not None:
            raise typer.BadParameter("give either --all or a stage and its table")
        judged = [(each.manifest.stage, each) for each in tables_of(LAST_TABLE) or Table(LAST_TABLE).line()]
    elif stage is None or table is None:
        raise typer.BadParameter("needs a stage and its table, or --all")
    elif stage not in STAGES:
        raise typer.BadParameter(f"{stage}: no such stage; one of {', '.join(STAGES)}")
    else:
        judged = [(stage, Table(table))]
    if any([not _judge(name, opened, params, settings, reports, passed, as_json) for name, opened in judged]):  # noqa: C419  # all of them
        raise typer.Exit(GATE_SAID_NO)


def _judge(
    stage: str, table: Table, params: list[Path], settings: list[str], reports: Path | None, passed: Path | None, as_json: bool
) -> bool:
    """Judge one table, record the verdict where one is kept of it, and print it; whether it passed."""
    from checks.gate import Policy, judge, record  # noqa: PLC0415  # only a gate needs what checks import
    from checks.parts import every_part, remembering  # noqa: PLC0415  # the same

    check: Any = importlib.import_module(f"checks.{stage}")
    if table.manifest.stage != stage:
        raise CurationError(f"{table.folder}: was made by {table.manifest.stage}, not by {stage}; name its own stage")
    bounds = load_section(check.Bounds, f"gates.{stage}", params, settings)
    policy = load_section(Policy, "judging", params, settings)
    history = [run["measures"].get(stage, {}) for run in job.recall() if run["exit_code"] == 0 and "measures" in run]
    is_of_the_line = _is_of_the_line(stage, table)
    # what a gate asked for alone is remembered
    counted: EachPart = remembering(COUNTED / f"{stage}.json") if is_of_the_line else every_part
    verdict = judge(check, table, bounds, counted, policy, history)
    record(
        verdict,
        reports or (REPORTS if is_of_the_line else None),
        passed or (PASSED if is_of_the_line else None),
    )
    if as_json:
        typer.echo(json.dumps(verdict.to_json()))
    else:
        for each in verdict.judgements:
            if not each.passed:
                _tell(stage, each)
        if not all(each.passed for each in verdict.judgements):
            typer.echo(f"  causes and remedies: docs/gates.md#{stage}; a conversation's way: ticketmill trace ID", err=True)
        typer.echo(f"{stage}: {'passed' if verdict.passed else 'failed'}, {len(verdict.judgements)} measures judged")
        if not (is_of_the_line or reports):
            typer.echo(
                f"  {table.folder} is not the line's own table, so its verdict is kept nowhere; --reports keeps it", err=True
            )
    return verdict.passed


def _is_of_the_line(stage: str, table: Table) -> bool:
    """Whether the line makes its table of this stage there, or no dvc.yaml says that it makes one elsewhere."""
    made = made_by_the_line()
    return stage not in made.values() or made.get(table.folder.resolve()) == stage


def _tell(stage: str, each: "Judgement") -> None:
    warning = "warning, " if each.severity == "warn" else ""
    typer.echo(f"{stage}: {warning}{each.measure} is {_show(each.value)}, {_bounds(each.least, each.most)}", err=True)
    if each.meaning:
        typer.echo(f"  {each.meaning}", err=True)
    if each.where:
        typer.echo(f"  in: {', '.join(each.where)}", err=True)


def _show(value: float | None) -> str:
    return "unmeasured" if value is None else f"{value:g}"


def _bounds(least: float | None, most: float | None) -> str:
    sides = (("at least", least), ("at most", most))
    return "must be " + " and ".join(f"{side} {bound:g}" for side, bound in sides if bound is not None)
