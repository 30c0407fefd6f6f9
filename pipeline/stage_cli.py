"""`ticketmill STAGE SOURCE TARGET`, and what else makes or checks a table or file of it.

As in `pipeline.cli`, a command imports what it needs when it runs.
"""

import ast
import inspect
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperCommand

from pipeline.errors import SourceError
from pipeline.interrupts import loading
from pipeline.key import Key, load_key
from pipeline.ledger_cli import by_reason
from pipeline.options import ALL_CORES, DEFAULT_PARAMS, GATE_SAID_NO, NO_SETTINGS, AsJson, Params, Settings, Workers
from pipeline.params import Section, load_section
from pipeline.parts import Means
from pipeline.tables import Manifest, Table, refuse_overlap, refuse_overwriting

if TYPE_CHECKING:
    from pipeline.answering.estimating import Estimate
    from pipeline.finding import Look
    from pipeline.spans import Span
    from pipeline.writing.training_file import Asked

Run = Callable[[Path, Path, Any, Means], Manifest]

UNKNOWN: Final = {
    "cost": "unknown: generate.prices.models lacks a model that is asked",
    "minutes": "unknown: generate.pace has no limit per minute",
}
"""What an estimate cannot say, and what it would take."""


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
    """Its help is the docstring of the stage's `run`, read out of the file: to import the stages takes a second."""

    @property
    def help(self) -> str | None:
        """The help page."""
        own = "\n    ticketmill validate train.jsonl --target trl\n" if self.name == "validate" else ""
        return f"{inspect.cleandoc(_docstring_of_run(str(self.name)))}\n{inspect.cleandoc(own)}"

    @help.setter  # noqa: A003  # the name is typer's
    def help(self, _: str | None) -> None:
        """What typer reads from the function of the command, which has none."""


def _docstring_of_run(stage: str) -> str:
    module = ast.parse(Path(__file__).with_name(f"{stage}.py").read_text("utf-8"))
    run = next(each for each in module.body if isinstance(each, ast.FunctionDef) and each.name == "run")
    return ast.get_docstring(run) or ""


def stage_command(name: str) -> Callable[..., None]:
    """The command of a stage."""
    return _validate_command(_make_table("validate")) if name == "validate" else _make_table(name)


def _make_table(name: str) -> Callable[..., None]:
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
        with loading():
            run, kind = load_stage(name)
        section: Any = load_section(kind, name, params, settings)
        if estimate:
            if name != "generate":
                raise typer.BadParameter(f"{name} asks no model; --estimate is for generate")
            from pipeline.generate import estimate as estimate_calls  # noqa: PLC0415  # see the module

            _print_estimate(estimate_calls(source, section), as_json)
            return
        key = _key_for(source, target, is_table=name != "ingest")
        with _ProgressBar(name) as progress:
            manifest = run(source, target, section, Means(key, workers, progress, _details(params, settings)))
        if as_json:
            summary = {"stage": name, "kept": manifest.total("kept"), "dropped": manifest.reasons, "counts": manifest.counts}
            typer.echo(json.dumps(summary))
        else:
            unread = manifest.counts.get("rows_quarantined", 0)
            beside = f"; {unread:,} rows quarantined, by file, row and reason in {target / 'quarantined'}" if unread else ""
            typer.echo(f"{name}: kept {manifest.total('kept'):,}; dropped {by_reason(manifest.reasons)}{beside}")
            if name == "ingest" and (left_out := _left_out(manifest.counts)):
                typer.echo(f"ingest: received and no turn: {by_reason(left_out)}")
            if name == "generate":
                _tell_how_to_go_on(manifest, section)

    return command


def _tell_how_to_go_on(manifest: Manifest, params: Any) -> None:
    """What gives questions an answer that got none this time."""
    from pipeline.answering.request import PASSING  # noqa: PLC0415  # see the module

    if not (waiting := manifest.counts.get(PASSING)):
        return
    if params.provider == "file":
        how = f"fill in the column answer of {params.file.questions}, save it as {params.file.answers} and run again"
    elif params.mode == "batch":
        how = "run again to collect what the batches have by then"
    else:
        how = "run again, nothing else is asked"
    typer.echo(f"generate: {waiting:,} questions may still get an answer: {how}")


def _left_out(counts: Mapping[str, int]) -> dict[str, int]:
    """What was received and became no turn, the most first."""
    from pipeline.reading.drafts import LEFT_OUT  # noqa: PLC0415  # see the module

    found = {name: number for name, number in counts.items() if name.startswith(LEFT_OUT)}
    return dict(sorted(found.items(), key=lambda each: -each[1]))


def _key_for(source: Path, target: Path, *, is_table: bool = True) -> Key:
    """The project key; the first is made only where there is something to read with it."""
    if is_table:
        Table(source)
    elif not source.is_dir():
        raise SourceError(f"{source}: no such folder; name the folder that holds what was received")
    refuse_overlap(source, target)
    refuse_overwriting(target)
    return load_key()


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
        typer.echo(f"{file}: {checked.rows:,} rows for {asked.target}, {found:,} faults{more}: {by_reason(checked.counts)}")
    if not checked.is_sound:
        raise typer.Exit(GATE_SAID_NO)


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
    key = _key_for(source, target)
    with _ProgressBar("decontaminate") as progress:
        manifest = stage.run(source, target, reference, section, Means(key, workers, progress))
    typer.echo(f"decontaminate: kept {manifest.total('kept'):,}; dropped {by_reason(manifest.reasons)}")


def _print_estimate(estimate: "Estimate", as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(estimate)))
        return
    for label, value in asdict(estimate).items():
        typer.echo(f"{label.replace('_', ' '):20} {UNKNOWN[label] if value is None else f'{value:,}'}")


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
