"""`ticketmill judge …`: how far the judge of generate agrees with people.

As in `pipeline.cli`, a command imports what it needs when it runs.
"""

import json
from dataclasses import asdict
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
    judged = judge_items(read_items(labels), endpoint, section, fetch)
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
