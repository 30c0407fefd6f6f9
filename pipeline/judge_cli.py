"""`ticketmill judge …`: how far the judge of generate agrees with people.

As in `pipeline.cli`, a command imports what it needs when it runs.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import ParamsError
from pipeline.options import DEFAULT_PARAMS, NO_SETTINGS, AsJson, Params, Settings
from pipeline.params import load_section

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)  # they would show customers' text


@app.callback()
def judge() -> None:
    """A second opinion on answers, and whether it may decide."""


@app.command()
def validate(
    labels: Annotated[
        Path, typer.Argument(help="CSV or JSON lines: item_id, question, answer, human (yes or no), optionally knowledge.")
    ],
    scrubbed: Annotated[
        Path,
        typer.Option("--table", help="Scrubbed table with the texts that were labelled: its stand-ins are nobody's details."),
    ] = Path("data/curated/generated"),
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Ask the judge about answers that people judged, in both orders, and say how far it agrees with them.

    Its verdicts are written to generate.judge.labels; generate lets it decide once they are good enough.

    ticketmill judge validate labels.csv
    """
    from pipeline.answering.judging import (  # noqa: PLC0415  # see the module
        agreement,
        judge_items,
        name_of,
        read_items,
        require_nobody,
        write_labels,
    )
    from pipeline.generate import GenerateParams  # noqa: PLC0415  # as above
    from pipeline.providers import FETCHERS  # noqa: PLC0415  # as above

    section = load_section(GenerateParams, "generate", params, settings)
    if section.judge is None:
        raise ParamsError("generate.judge is null; name a judge there first")
    if section.provider not in FETCHERS:
        raise ParamsError(f"generate.provider {section.provider} asks no model; choose {' or '.join(FETCHERS)}")
    endpoint, fetch = FETCHERS[section.provider](section)
    items = read_items(labels)
    if section.provider == "openai":
        from pipeline.unscrubbed import look_for_details  # noqa: PLC0415  # only where something is sent

        require_nobody(items, look_for_details(params, settings), partial(_lines_in, scrubbed))
    judged = judge_items(items, endpoint, section, fetch)
    name = name_of(section)
    write_labels(section.judge.labels, name, judged)
    rows = [
        (each.item.human, each.verdict == "accept", each.swapped == "accept", "unparsable" in {each.verdict, each.swapped})
        for each in judged
    ]
    found = agreement(name, rows, section.judge)
    if as_json:
        typer.echo(json.dumps(asdict(found)))
        return
    typer.echo(f"judge {found.judge}: {found.items:,} items, {found.unparsable:,} with a verdict that could not be read")
    typer.echo(f"kappa with people {found.kappa:.2f}, 95 % interval {found.kappa_low:.2f} to {found.kappa_high:.2f}")
    typer.echo(f"verdicts that change with the order {found.flip_rate:.1%}")
    typer.echo("may decide" if found.may_decide else "may not decide: its verdicts are counted, no answer is rejected for them")


def _lines_in(folder: Path, lines: Sequence[str]) -> set[str]:
    import polars as pl  # noqa: PLC0415  # see the module

    from pipeline.tables import Table  # noqa: PLC0415  # as above

    if not folder.is_dir():
        return set()
    table = Table(folder)
    table.require_stage("scrub")
    found: set[str] = set()
    for part in table.manifest.parts:
        texts = [table.read(part, columns=["turns"])["turns"].explode().struct.field("text")]
        if "rejected" in part.files:
            texts.append(table.read(part, "rejected")["text"])
        told = pl.concat(texts).drop_nulls().str.split("\n").explode().str.strip_chars()
        found |= set(told.filter(told.is_in(list(lines))).to_list())
    return found
