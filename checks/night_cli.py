"""`ticketmill run`: the night job. As in `pipeline.cli`, the command imports what it needs when it runs."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline import job
from pipeline.errors import CurationError
from pipeline.interrupts import INTERRUPTED
from pipeline.options import DEFAULT_PARAMS, EVIDENCE, EXPECTED_ERROR, LAST_TABLE, REPLIES, REPORTS
from pipeline.params import load_section
from pipeline.tables import Manifest, Table


def run(
    table: Annotated[Path, typer.Option(help="The last table of the line.")] = LAST_TABLE,
    reports: Annotated[Path, typer.Option(help="Where the gates leave their reports.")] = REPORTS,
    log_format: Annotated[job.LogFormat, typer.Option(help="How the log on stderr is written.")] = job.LogFormat.TEXT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what changed and would run.")] = False,
) -> None:
    """The night job: reproduce what changed, report, remember the run, tell who wants to know.

    ticketmill run --log-format json
    """
    if dry_run:
        typer.echo(job.what_would_run(table), nl=False)
        return
    from pipeline.helping import helper  # noqa: PLC0415  # only a night has one

    section = load_section(job.RunParams, "run", DEFAULT_PARAMS, [])  # what the stages read, which DVC starts
    log = job.LOGS[log_format]
    done, short_report = job.Reproduced(), ""
    numbers: dict[str, Any] = {}
    bug: BaseException | None = None
    with job.the_only_run() as lock, job.terminable():
        started = datetime.now(UTC)
        log("run started", {"process": os.getpid()})
        try:
            with helper() as its_helper:
                job.reproduce(lock, log, done, its_helper)
                job.ask_again(table, lock, log, done, its_helper)
            numbers, short_report = _numbers_of(table, reports, done)
        except (job.InterruptedRun, KeyboardInterrupt) as error:
            done.exit_code, done.error = INTERRUPTED, str(error) or "interrupted"
        except CurationError as error:
            done.exit_code, done.error = done.exit_code or EXPECTED_ERROR, str(error)
        except Exception as error:  # noqa: BLE001  # raised again once it is told; its message may quote a customer
            bug = error
            done.exit_code, done.error = EXPECTED_ERROR, f"bug: {type(error).__name__}"
        entry: dict[str, Any] = {}
        try:
            entry = job.remember(started, done, DEFAULT_PARAMS, numbers)
        except CurationError as error:  # a full disk has no room for the history either; who wants to know is told all the same
            done.exit_code, done.error = done.exit_code or EXPECTED_ERROR, done.error or str(error)
        failure = f"ticketmill run failed, exit {done.exit_code}: {done.error}\n" if done.error else ""
        job.tell(failure + short_report, done.exit_code, section, log)
        if section.metrics_file and entry:
            job.write_metrics(entry, section.metrics_file, log)
        ended = {"exit_code": done.exit_code, "seconds": entry.get("seconds"), "failed": done.failed}
        log("run ended", {**ended, "error": done.error} if done.error else ended)
    if bug:
        raise bug
    raise typer.Exit(done.exit_code)


def _numbers_of(table: Path, reports: Path, done: job.Reproduced) -> tuple[dict[str, Any], str]:
    """What the run left: funnel and verdicts for the history, and the short report; the page is written on the way.

    Where no stage had anything to do, and the last run left the same state behind, proven and reported, both stand: DVC has
    just looked at every file of it.
    """
    from checks.report.build import build, planted, read_verdicts, spending, state_of, tables_of  # noqa: PLC0415  # jinja2
    from checks.report.page import read_report, short_form, write_report  # noqa: PLC0415
    from checks.report.readiness import assessed  # noqa: PLC0415

    verdicts, tables, spent, runs = read_verdicts(reports), tables_of(table), spending(REPLIES), job.recall()
    more: dict[str, list[tuple[Any, ...]]] = {"spending": spent, "planted": planted(EVIDENCE), **assessed(reports, tables)}
    state = state_of(tables, verdicts, more)
    content = None if done.seconds or done.exit_code else read_report(reports)
    is_known = content is not None and content.get("state") == state and content["against"] is None
    if is_known and runs and (runs[-1]["exit_code"], runs[-1].get("state")) == (0, state):
        same = ("funnel", "gates", "measures", "cost", "state")
        return {name: runs[-1][name] for name in same}, short_form(content or {})
    content = build(tables, verdicts, runs, more)
    write_report(content, reports)
    if done.exit_code == 0:  # a line that stopped may not have its last table yet, or an old one
        from pipeline.ledger import balance, prove  # noqa: PLC0415  # duckdb

        prove(balance(Table(table)))
    funnel = [{"stage": each.manifest.stage, **_given_and_kept(each.manifest)} for each in tables]
    gates = {stage: verdict["passed"] for stage, verdict in verdicts.items()}
    measures = {stage: verdict["measures"] for stage, verdict in verdicts.items()}
    cost = {budget: cost for budget, _, _, cost, _ in spent}
    return {"funnel": funnel, "gates": gates, "measures": measures, "cost": cost, "state": state}, short_form(content)


def _given_and_kept(manifest: Manifest) -> dict[str, int]:
    given = manifest.total("kept") + manifest.total("dropped") - manifest.total("added")
    return {"given": given, "kept": manifest.total("kept")}
