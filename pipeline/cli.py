"""`ticketmill STAGE SOURCE TARGET`, the gates, and what looks at finished tables: the one module that imports both packages.

A command imports what it needs when it runs: all of it takes a second, which every stage and gate of a night would pay again.
"""

import importlib
import inspect
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperCommand

from checks.pii.cli import app as pii_commands
from checks.readiness.cli import app as readiness_commands
from pipeline import job
from pipeline.errors import BudgetReached, CurationError
from pipeline.forget_cli import forget
from pipeline.index_cli import app as index_commands
from pipeline.judge_cli import app as judge_commands
from pipeline.key import load_key
from pipeline.options import (
    ALL_CORES,
    BUDGET_REACHED,
    DEFAULT_PARAMS,
    EXPECTED_ERROR,
    GATE_SAID_NO,
    INTERRUPTED,
    LAST_TABLE,
    NO_SETTINGS,
    AsJson,
    Params,
    Settings,
    Workers,
)
from pipeline.params import Section, load_section
from pipeline.parts import Means
from pipeline.tables import Manifest, Table

if TYPE_CHECKING:
    from pipeline.answering.estimating import Estimate
    from pipeline.finding import Look
    from pipeline.ledger import Entry
    from pipeline.spans import Span
    from pipeline.writing.training_file import Asked

Run = Callable[[Path, Path, Any, Means], Manifest]

STAGES: Final = ("ingest", "scrub", "dedupe", "generate", "validate", "emit")
"""In the order of the help page; dvc.yaml has the order of the line."""


def load_stage(name: str) -> tuple[Run, type[Section]]:
    """The stage itself and the class of its params."""
    match name:
        case "ingest":
            from pipeline import ingest  # noqa: PLC0415  # each alone: see the module

            return ingest.run, ingest.IngestParams
        case "scrub":
            from pipeline import scrub  # noqa: PLC0415  # as above

            return scrub.run, scrub.ScrubParams
        case "dedupe":
            from pipeline import dedupe  # noqa: PLC0415  # as above

            return dedupe.run, dedupe.DedupeParams
        case "generate":
            from pipeline import generate  # noqa: PLC0415  # as above

            return generate.run, generate.GenerateParams
        case "validate":
            from pipeline import validate  # noqa: PLC0415  # as above

            return validate.run, validate.ValidateParams
        case "emit":
            from pipeline import emit  # noqa: PLC0415  # as above

            return emit.run, emit.EmitParams
    raise AssertionError(name)  # it is one of STAGES


class StageCommand(TyperCommand):
    """Its help is the docstring of the stage's `run`, read when it is shown."""

    @property
    def help(self) -> str | None:
        """The help page."""
        own = "\n    ticketmill validate train.jsonl --target trl\n" if self.name == "validate" else ""
        return f"{inspect.cleandoc(load_stage(str(self.name))[0].__doc__ or '')}\n{inspect.cleandoc(own)}"

    @help.setter  # noqa: A003  # the name is typer's
    def help(self, _: str | None) -> None:
        """What typer reads from the function of the command, which has none."""


app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they would show customers' text
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Raw support logs in, a chat set ready for fine-tuning out, with measured proof that it is clean.",
    epilog="Exit: 0 ok, 1 expected error, 2 usage, 3 a gate said no, 4 budget reached (work saved), 130 interrupted.",
)

app.add_typer(pii_commands, name="pii")
app.add_typer(readiness_commands, name="readiness")
app.add_typer(index_commands, name="index")
app.add_typer(judge_commands, name="judge")
app.command()(forget)

Last = Annotated[Path, typer.Argument(help="The last table of the line.")]

REPORTS: Final = Path("data/curated/reports")
PASSED: Final = Path("data/curated/passed")
REPLIES: Final = Path(".ticketmill/replies")
EVIDENCE: Final = Path("evidence")
COUNTED: Final = Path(".ticketmill/counted")
"""What gates counted part by part, so that no part is counted twice."""


def _stage_command(name: str) -> Callable[..., None]:
    def command(
        source: Annotated[Path, typer.Argument(help="What to read: a table, for ingest the folder of received files.")],
        target: Annotated[Path, typer.Argument(help="The table to make.")],
        params: Params = DEFAULT_PARAMS,
        settings: Settings = NO_SETTINGS,
        workers: Workers = ALL_CORES,
        as_json: AsJson = False,
        estimate: Annotated[
            bool,
            typer.Option(
                "--estimate", help="Print what a model would be asked and cost; send nothing.", hidden=name != "generate"
            ),
        ] = False,
    ) -> None:
        run, kind = load_stage(name)
        section: Any = load_section(kind, name, params, settings)
        if estimate:
            if name != "generate":
                raise typer.BadParameter(f"{name} asks no model; --estimate is for generate")
            from pipeline.generate import estimate as estimate_calls  # noqa: PLC0415  # see the module

            _print_estimate(estimate_calls(source, section), as_json)
            return
        with _ProgressBar(name) as progress:
            manifest = run(source, target, section, Means(load_key(), workers, progress, _details(params, settings)))
        if as_json:
            summary = {"stage": name, "kept": manifest.total("kept"), "dropped": manifest.reasons, "counts": manifest.counts}
            typer.echo(json.dumps(summary))
        else:
            typer.echo(f"{name}: kept {manifest.total('kept'):,}; dropped {_reasons(manifest.reasons)}")

    return command


def _details(params: list[Path], settings: list[str]) -> "Look":
    def find(texts: Sequence[str]) -> "list[list[Span]]":
        from pipeline.unscrubbed import look_for_details  # noqa: PLC0415  # see the module

        return look_for_details(params, settings)(texts)

    return find


def _validate_command(judge_table: Callable[..., None]) -> Callable[..., None]:
    """The stage, and beside it the check of anyone's training file."""

    def command(
        source: Annotated[Path, typer.Argument(help="A table; with --target, a training file: JSON lines or Parquet.")],
        target: Annotated[Path | None, typer.Argument(help="The table to make; none with --target.")] = None,
        consumer: Annotated[
            str | None, typer.Option("--target", help="Check the file for this consumer; ticketmill formats lists them.")
        ] = None,
        max_tokens: Annotated[int | None, typer.Option(min=1, help="In place of where the consumer cuts.")] = None,
        max_findings: Annotated[int, typer.Option(min=1, help="Most findings to list; all are counted.")] = 100,
        as_sarif: Annotated[bool, typer.Option("--sarif", help="Print the findings as SARIF 2.1.0.")] = False,
        params: Params = DEFAULT_PARAMS,
        settings: Settings = NO_SETTINGS,
        workers: Workers = ALL_CORES,
        as_json: AsJson = False,
    ) -> None:
        if consumer is not None:
            if target is not None:
                raise typer.BadParameter("give either a TARGET table or --target, not both")
            from pipeline.writing.training_file import Asked  # noqa: PLC0415  # see the module

            _check_training_file(source, Asked(consumer, max_tokens, max_findings=max_findings), workers, as_json, as_sarif)
        elif target is None:
            raise typer.BadParameter("needs a TARGET table, or --target for a training file")
        else:
            judge_table(source, target, params, settings, workers, as_json)

    return command


def _check_training_file(file: Path, asked: "Asked", workers: int, as_json: bool, as_sarif: bool) -> None:
    from pipeline.writing.training_file import check_file  # noqa: PLC0415  # see the module

    checked = check_file(file, asked, workers)
    if as_json or as_sarif:
        typer.echo(json.dumps(checked.to_sarif() if as_sarif else checked.to_json()))
    else:
        for each in checked.findings:
            typer.echo(f"{file}:{each.line}: {each.fault} at {each.where}: {each.fix}")
        listed, found = len(checked.findings), sum(checked.counts.values())
        more = f", {listed:,} of them listed" if listed < found else ""
        typer.echo(f"{file}: {checked.rows:,} rows for {asked.target}, {found:,} faults{more}: {_reasons(checked.counts)}")
    if not checked.is_sound:
        raise typer.Exit(GATE_SAID_NO)


for _name in STAGES:
    _command = _stage_command(_name)
    app.command(_name, cls=StageCommand)(_validate_command(_command) if _name == "validate" else _command)


@app.command()
def formats(as_json: AsJson = False) -> None:
    """Print the formats that emit writes and validate --target checks, with the rules that bind.

    ticketmill formats
    """
    from pipeline.formats import FORMATS  # noqa: PLC0415  # see the module

    table = [
        {
            "format": name,
            "needs": one.needs and one.needs.replace("_", " "),
            "tool_calls": one.tools,
            "min_rows": one.min_rows,
            "max_rows": one.max_rows,
            "max_file_bytes": one.max_file_bytes,
            "cuts_at_tokens": one.default_max_tokens,
            "byte_order_mark": one.byte_order_mark,
            "source": one.source,
            "read": one.read.isoformat(),
        }
        for name, one in FORMATS.items()
    ]
    if as_json:
        typer.echo(json.dumps(table))
        return
    for row in table:
        bounds = [f"only what has a {row['needs']}"] * bool(row["needs"]) + ["tool calls"] * bool(row["tool_calls"])
        bounds += [
            f"{label} {row[key]:,}"
            for key, label in (
                ("min_rows", "rows at least"),
                ("max_rows", "rows at most"),
                ("max_file_bytes", "bytes at most"),
                ("cuts_at_tokens", "cuts at tokens"),
            )
            if row[key] is not None
        ]
        typer.echo(f"{row['format']:22} {', '.join(bounds)}")
        typer.echo(f"{'':22} {row['source']}, read {row['read']}")


@app.command()
def gate(
    stage: Annotated[str | None, typer.Argument(help=f"One of {', '.join(STAGES)}; none with --all.")] = None,
    table: Annotated[Path | None, typer.Argument(help="The table that the stage made.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Judge every table of the line again; makes none of them again.")] = False,
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
    reports: Annotated[Path, typer.Option(help="Where the report goes, whatever the verdict.")] = REPORTS,
    passed: Annotated[Path, typer.Option(help="Where the pass goes, if there is one.")] = PASSED,
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


def _judge(stage: str, table: Table, params: list[Path], settings: list[str], reports: Path, passed: Path, as_json: bool) -> bool:
    """Judge one table, record the verdict and print it; whether it passed."""
    from checks.gate import Policy, judge, record  # noqa: PLC0415  # only a gate needs what checks import
    from checks.parts import remembering  # noqa: PLC0415  # the same

    check: Any = importlib.import_module(f"checks.{stage}")
    if table.manifest.stage != stage:
        raise CurationError(f"{table.folder}: was made by {table.manifest.stage}, not by {stage}; name its own stage")
    bounds = load_section(check.Bounds, f"gates.{stage}", params, settings)
    policy = load_section(Policy, "judging", params, settings)
    history = [run["measures"].get(stage, {}) for run in job.recall() if run["exit_code"] == 0 and "measures" in run]
    verdict = judge(check, table, bounds, remembering(COUNTED / f"{stage}.json"), policy, history)
    record(verdict, reports, passed)
    if as_json:
        typer.echo(json.dumps(verdict.to_json()))
    else:
        for each in verdict.judgements:
            if not each.passed:
                warning = "warning, " if each.severity == "warn" else ""
                bounds_told = _bounds(each.least, each.most)
                typer.echo(f"{stage}: {warning}{each.measure} is {_show(each.value)}, {bounds_told}", err=True)
        typer.echo(f"{stage}: {'passed' if verdict.passed else 'failed'}, {len(verdict.judgements)} measures judged")
    return verdict.passed


@app.command()
def ledger(table: Last = LAST_TABLE, as_json: AsJson = False) -> None:
    """Print the funnel and prove that every conversation left every stage once.

    ticketmill ledger data/curated/chat
    """
    from pipeline.ledger import balance, prove  # noqa: PLC0415  # see the module

    entries = balance(Table(table))
    if as_json:
        typer.echo(json.dumps([asdict(entry) for entry in entries]))
    else:
        _print_funnel(entries, None)
    prove(entries)


@app.command()
def trace(
    conversation_id: Annotated[str, typer.Argument(help="As it stands in kept/ or *.meta.jsonl.")],
    table: Last = LAST_TABLE,
    as_json: AsJson = False,
) -> None:
    """Follow one conversation from its row in a received file to its line in a chat file.

    ticketmill trace harbour_desk-0123456789abcdef
    """
    from pipeline.trace import trace as trace_conversation  # noqa: PLC0415  # see the module

    steps = trace_conversation(conversation_id, Table(table))
    if as_json:
        typer.echo(json.dumps([asdict(step) for step in steps]))
        return
    for step in steps:
        typer.echo(f"{step.stage:9} {step.fate}")
        for detail in step.details:
            typer.echo(f"{'':9}   {detail}")


@app.command()
def doctor(
    source: Annotated[Path, typer.Argument(help="A file or folder as it was received.")],
    as_json: AsJson = False,
) -> None:
    """Say which format a file or folder is in, print the mapping for params, and three of its conversations, masked.

    ticketmill doctor data/raw/received
    """
    from pipeline.doctor.diagnosis import diagnose  # noqa: PLC0415  # no stage needs it

    found = diagnose(source)
    if as_json:
        typer.echo(json.dumps({**asdict(found), "root": str(found.root), "params": found.params()}))
    else:
        typer.echo(f"# {source}: {found.format or 'not recognised'}")
        for line in (*(f"because {reason}" for reason in found.reasons), *(f"check: {remark}" for remark in found.remarks)):
            typer.echo(f"# {line}")
        if found.format:
            numbers = ", ".join(f"{count:,} {fate}" for fate, count in found.read.items())
            typer.echo(f"# tried on a sample, conversations and rows: {numbers}")
            typer.echo(f"# to use it: ticketmill ingest {found.root} data/raw/ingested --params params.yaml --params THIS")
            typer.echo(found.params(), nl=False)
        for number, example in enumerate(found.examples, start=1):
            typer.echo(f"# example {number}, masked")
            for line in example:
                typer.echo(f"#   {line}")
    if not found.format:
        raise typer.Exit(EXPECTED_ERROR)


@app.command()
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
        _print_funnel(entries, {stage: "passed" if verdict["passed"] else "failed" for stage, verdict in verdicts.items()})
        typer.echo("\nFiles:")
        for extra in tables[-1].manifest.extras if tables[-1].manifest.stage == "emit" else ():
            typer.echo(f"  {tables[-1].folder / extra}")
        typer.echo(f"\nReport: {page}")
        if data_docs:
            typer.echo(f"Data Docs: {docs}")
    prove(entries)  # last, so that the report of a line that does not balance is there to be read


@app.command()
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


@app.command()
def decontaminate(
    source: Annotated[Path, typer.Argument(help="The table to clean: scrubbed or any after it.")],
    target: Annotated[Path, typer.Argument(help="The table to make.")],
    reference: Annotated[Path, typer.Argument(help="JSON lines or text of what must not be trained on: an evaluation set.")],
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
    workers: Workers = ALL_CORES,
) -> None:
    """Drop the conversations that hold a row of a reference set.

    ticketmill decontaminate data/curated/validated data/curated/clean eval.jsonl
    """
    from pipeline import decontaminate as stage  # noqa: PLC0415  # see the module

    section = load_section(stage.DecontaminateParams, "decontaminate", params, settings)
    with _ProgressBar("decontaminate") as progress:
        manifest = stage.run(source, target, reference, section, Means(load_key(), workers, progress))
    typer.echo(f"decontaminate: kept {manifest.total('kept'):,}; dropped {_reasons(manifest.reasons)}")


@app.command()
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
    from checks.night import get_ready, judging  # noqa: PLC0415  # only a night judges for others

    section = load_section(job.RunParams, "run", DEFAULT_PARAMS, [])  # what the stages read, which DVC starts
    log = job.LOGS[log_format]
    done, short_report = job.Reproduced(), ""
    numbers: dict[str, Any] = {}
    bug: BaseException | None = None
    with job.the_only_run() as lock, job.terminable():
        started = datetime.now(UTC)
        log("run started", {"process": os.getpid()})
        try:
            with judging():
                job.reproduce(lock, log, done, get_ready)
                job.ask_again(table, lock, log, done)
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


def _print_funnel(entries: "list[Entry]", gates: Mapping[str, str] | None) -> None:
    from rich.console import Console  # noqa: PLC0415  # only where a table is printed
    from rich.table import Table as RichTable  # noqa: PLC0415

    printed = RichTable("stage", box=None, pad_edge=False)
    for heading in ("in", "kept"):
        printed.add_column(heading, justify="right", no_wrap=True)
    are_added = any(entry.added for entry in entries)
    if are_added:
        printed.add_column("of them added, by reason", max_width=40)
    printed.add_column("dropped, by reason", max_width=70)
    printed.add_column("balance", justify="right")
    if gates is not None:
        printed.add_column("gate")
    for entry in entries:
        gate_cell = () if gates is None else (gates.get(entry.stage, "not judged"),)
        added = (_reasons(entry.added),) if are_added else ()
        printed.add_row(
            entry.stage, f"{entry.given:,}", f"{entry.kept:,}", *added, _reasons(entry.dropped), str(entry.balance), *gate_cell
        )
    console = Console(highlight=False)
    # in a pipe there is no width to fit into: nothing may be cut off there
    (console if console.is_terminal else Console(highlight=False, width=160)).print(printed)


def _reasons(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in reasons.items()) or "none"


def _show(value: float | None) -> str:
    return "unmeasured" if value is None else f"{value:g}"


def _bounds(least: float | None, most: float | None) -> str:
    sides = (("at least", least), ("at most", most))
    return "must be " + " and ".join(f"{side} {bound:g}" for side, bound in sides if bound is not None)


def _print_estimate(estimate: "Estimate", as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(estimate)))
        return
    for label, value in asdict(estimate).items():
        typer.echo(f"{label.replace('_', ' '):20} {'unknown' if value is None else f'{value:,}'}")


class _ProgressBar:
    """A bar on a terminal, nothing in a pipe."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Callable[[int, int], None]:
        if sys.stderr.isatty():
            from rich.console import Console  # noqa: PLC0415  # only where a bar is shown
            from rich.progress import Progress  # noqa: PLC0415

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(self._label, total=None)
            self._bar.start()
        return self._advance

    def _advance(self, done: int, total: int) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()


def main() -> None:
    """Run a command; every expected failure is one line on stderr and its exit code.

    An unexpected one prints where it happened but not its message, which may quote a customer: the wall holds for bugs too.
    """
    try:
        app()
    except (KeyboardInterrupt, job.InterruptedRun):
        sys.exit(INTERRUPTED)
    except BudgetReached as error:
        print(f"ticketmill: {error}", file=sys.stderr)  # noqa: T201  # the one line
        sys.exit(BUDGET_REACHED)
    except CurationError as error:
        print(f"ticketmill: {error}", file=sys.stderr)  # noqa: T201  # the one line
        sys.exit(EXPECTED_ERROR)
    except Exception as error:  # noqa: BLE001  # the last resort, see above
        places = "".join(
            f"\n  {frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(error.__traceback__)[-6:]
        )
        print(f"ticketmill: bug, please report it: {type(error).__name__}{places}", file=sys.stderr)  # noqa: T201
        sys.exit(EXPECTED_ERROR)
