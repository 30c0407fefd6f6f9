"""`ticketmill forget CUSTOMER`. As in `pipeline.cli`, the command imports what it needs when it runs."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from pydantic import ConfigDict

from pipeline import job
from pipeline.errors import CurationError, ParamsError
from pipeline.key import load_key
from pipeline.options import DEFAULT_PARAMS, LAST_TABLE, NO_SETTINGS, AsJson, Params, Settings
from pipeline.params import Section, load_section
from pipeline.tables import Table, write_json

TOMBSTONES: Final = Path(".ticketmill/forgotten")
RECEIVED: Final = Path("data/raw/received")

MOST_SHOWN: Final = 5
MOST_RUNS: Final = 3
"""Of the line in one call: the second where ingest, by the list, recognised rows that had made no conversation before."""


def forget(
    customer: Annotated[
        str,
        typer.Argument(
            help="E-mail address, customer_key, the customer's id in the help desk, or a conversation_id where the source names "
            "no customers; - reads it from standard input."
        ),
    ],
    received: Annotated[Path, typer.Option(help="What was received; rows are cut out of it.")] = RECEIVED,
    table: Annotated[Path, typer.Option(help="The last table of the line.")] = LAST_TABLE,
    no_run: Annotated[
        bool, typer.Option("--no-run", help="Do not run the line; run it, then forget the same customer again.")
    ] = False,
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Remove one customer from received files, tables, outputs and caches, for good, and leave a tombstone that proves it.

    ticketmill forget jo.fox@example.com
    """
    from pipeline import forget as step  # noqa: PLC0415  # polars, ingest and scrub: only this command needs them
    from pipeline.ingest import IngestParams  # noqa: PLC0415  # as above

    who = (sys.stdin.readline() if customer == "-" else customer).strip()
    if not who:
        raise typer.BadParameter("names nobody: give a mail address, a customer_key, an id, or a conversation_id")
    section = load_section(IngestParams, "ingest", params, settings)
    places = _folder("readiness.evidence", params, settings), _folder("generate.replies", params, settings)
    with job.the_only_run() as lock, job.terminable():
        line, key = Table(table).line(), load_key()  # in this order: no key for a table that is not there
        found = step.look_for(line[0], who, key)
        is_new = found is not None
        found = found or step.on_the_list(received, who, key)
        if found is None:
            raise CurationError(f"{line[0].folder}: names no such customer; nothing was changed")
        path = TOMBSTONES / found.name
        if path.is_file():
            found.rows_cut = json.loads(path.read_text("utf-8"))["rows_cut"]
        step.begin(received, found, places[1])
        erased = (
            step.leave_out(line, received, section, found, key) if is_new else step.erase(line[0], received, section, found, key)
        )
        step.note(received, found, erased)
        known = {*found.entry.conversations, *step.delivered(line[0], received, found, key)}
        for _ in range(0 if no_run else MOST_RUNS):
            _run_the_line(lock)
            line = Table(table).line()
            if step.delivered(line[0], received, found, key) <= known:
                break
            # conversations of theirs that only ingest recognised, by the list: they had made no row of a table before
            known |= step.delivered(line[0], received, found, key)
            erased = step.erase(line[0], received, section, found, key)
            step.note(received, found, erased)
        tombstone = step.prove(found, erased, line, received, places, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, tombstone)
        if tombstone["is_complete"]:
            step.end(received, found)
    _show(tombstone, path, as_json=as_json)
    if no_run and is_new:
        typer.echo("not yet proven   run the line, then forget the same customer again", err=True)
    else:
        _refuse_what_is_left(tombstone)


class _Folder(Section):
    """One field of a section; the others are not asked for."""

    model_config = ConfigDict(extra="ignore")

    evidence: Path = Path("evidence")
    """Of section `readiness`."""
    replies: Path = Path(".ticketmill/replies")
    """Of section `generate`."""


def _folder(at: str, params: list[Path], settings: list[str]) -> Path:
    section, name = at.split(".")
    try:
        folder: Path = getattr(load_section(_Folder, section, params, settings), name)
    except ParamsError:  # a line without that stage
        folder = getattr(_Folder(), name)
    return folder


def _run_the_line(lock: int) -> None:
    done = job.Reproduced()
    job.reproduce(lock, job.log_as_text, done)
    if done.exit_code:
        raise CurationError(
            f"the customer is on the list and cut out of what was received, but the line stopped at {done.failed}; "
            "mend that, run the line, and forget the same customer again for the proof"
        )


def _show(tombstone: Mapping[str, Any], path: Path, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(tombstone))
    else:
        typer.echo(f"conversations   {len(tombstone['conversations']):,}")
        for label, number in tombstone["rows_cut"].items():
            typer.echo(f"cut out         {number:,} rows of {label}")
        typer.echo(f"cache           {tombstone['cache_objects_removed']:,} old files removed")
        typer.echo(
            f"searched        {tombstone['files_searched']:,} files, {len(tombstone['files_that_still_name_them'])} name them"
        )
        typer.echo(f"tombstone       {path}")


def _refuse_what_is_left(tombstone: Mapping[str, Any]) -> None:
    left = [f"{label}: {what}" for label, what in tombstone["left_in_received"].items()]
    left += [f"{name}: an id of theirs" for name in tombstone["files_that_still_name_them"]]
    if number := tombstone["conversations_still_delivered"]:
        left.append(f"{number} conversations of theirs are still delivered, and dropped by ingest")
    if left:
        more = f" and {len(left) - MOST_SHOWN} more" if len(left) > MOST_SHOWN else ""
        raise CurationError(
            f"not yet gone: {'; '.join(left[:MOST_SHOWN])}{more}; remove them there and forget the same customer again"
        )
