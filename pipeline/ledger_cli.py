"""`ticketmill ledger` and `ticketmill trace`. As in `pipeline.cli`, a command imports what it needs when it runs."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.options import LAST_TABLE, AsJson, Last
from pipeline.tables import Table

if TYPE_CHECKING:
    from pipeline.ledger import Entry


def ledger(table: Last = LAST_TABLE, as_json: AsJson = False) -> None:
    """Print the funnel and prove that every conversation left every stage once.

    ticketmill ledger data/curated/chat
    """
    from pipeline.ledger import balance, prove  # noqa: PLC0415  # see the module

    entries = balance(Table(table))
    if as_json:
        typer.echo(json.dumps([asdict(entry) for entry in entries]))
    else:
        print_funnel(entries, None)
    prove(entries)


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


def print_funnel(entries: "list[Entry]", gates: Mapping[str, str] | None) -> None:
    """Print the stages as a table, with the verdicts of `gates` where there are any."""
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
        added = (by_reason(entry.added),) if are_added else ()
        printed.add_row(
            entry.stage, f"{entry.given:,}", f"{entry.kept:,}", *added, by_reason(entry.dropped), str(entry.balance), *gate_cell
        )
    console = Console(highlight=False)
    # in a pipe there is no width to fit into: nothing may be cut off there
    (console if console.is_terminal else Console(highlight=False, width=160)).print(printed)


def by_reason(reasons: Mapping[str, int]) -> str:
    """Counts by reason, in words."""
    return ", ".join(f"{reason} {count:,}" for reason, count in reasons.items()) or "none"
