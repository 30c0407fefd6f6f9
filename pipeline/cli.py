"""The command line, put together: the one module that imports both packages.

A command imports what it needs when it runs: all of it takes a second, which every stage and gate of a night would pay again.
"""

import json
import sys
import traceback
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import typer

from checks.gate_cli import gate
from checks.night_cli import run
from checks.pii.cli import app as pii_commands
from checks.readiness.cli import app as readiness_commands
from checks.report.cli import report, sql
from pipeline import job
from pipeline.errors import BudgetReached, CurationError
from pipeline.forget_cli import forget
from pipeline.index_cli import app as index_commands
from pipeline.interrupts import INTERRUPTED
from pipeline.judge_cli import app as judge_commands
from pipeline.ledger_cli import ledger, trace
from pipeline.options import BUDGET_REACHED, EXPECTED_ERROR, STAGES, AsJson
from pipeline.stage_cli import StageCommand, decontaminate, formats, stage_command

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they would show customers' text
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit: 0 ok, 1 expected error, 2 usage, 3 a gate said no, 4 budget reached (work saved), 130 interrupted.",
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"ticketmill {version('ticketmill')}")
        raise typer.Exit


@app.callback()
def ticketmill(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Raw support logs in, a chat set ready for fine-tuning out, with measured proof that it is clean."""


START: Final = "To begin with"
LINE: Final = "The line, stage by stage"
LOOK: Final = "What came of it, and is it good enough"
AROUND: Final = "Around the line"
"""Panels of the help page."""


@app.command(rich_help_panel=START)
def doctor(
    source: Annotated[Path, typer.Argument(help="A file or folder as it was received.")],
    as_json: AsJson = False,
) -> None:
    """Say which formats a file or folder is in, print the mappings for params, and three conversations of each, masked.

    ticketmill doctor data/raw/received
    """
    from pipeline.doctor.diagnosis import diagnose  # noqa: PLC0415  # no stage needs it

    found = diagnose(source)
    if as_json:
        typer.echo(json.dumps({**asdict(found), "root": str(found.root), "params": found.params()}))
    else:
        typer.echo(f"# {source}: {', '.join(dict.fromkeys(each.format for each in found.sources)) or 'not recognised'}")
        for line in found.lines():
            typer.echo(line)
    if not found.sources:
        raise typer.Exit(EXPECTED_ERROR)


app.command(rich_help_panel=START)(formats)
for _name in STAGES:
    app.command(_name, cls=StageCommand, rich_help_panel=LINE)(stage_command(_name))
for _command in (gate, ledger, trace, report, sql):
    app.command(rich_help_panel=LOOK)(_command)
app.add_typer(readiness_commands, name="readiness", rich_help_panel=LOOK)
app.add_typer(pii_commands, name="pii", rich_help_panel=LOOK)
for _other in (run, forget, decontaminate):
    app.command(rich_help_panel=AROUND)(_other)
app.add_typer(index_commands, name="index", rich_help_panel=AROUND)
app.add_typer(judge_commands, name="judge", rich_help_panel=AROUND)


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
