"""`ticketmill pii …`: how much of what is personal scrub finds, measured."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.options import DEFAULT_PARAMS, NO_SETTINGS, AsJson, Params, Settings
from pipeline.params import load_section

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="Measure how much of what is personal scrub finds.")


@app.callback()
def pii() -> None:
    """Measure how much of what is personal scrub finds."""


def _show(rate: float | None) -> str:
    return "none" if rate is None else f"{rate:.3f}"


@app.command()
def evaluate(
    labelled: Annotated[
        Path, typer.Argument(help="presidio-research JSON, or JSON lines {text, spans: [{start, end, type}]}; .gz.")
    ],
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
    all_types: Annotated[bool, typer.Option("--all-types", help="Count types too that scrub.modes keeps.")] = False,
    misses: Annotated[int, typer.Option(min=0, help="Misses to print, by id and offset.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Score scrub against texts whose details are marked: recall, precision, F2; misses by id and offset, never text.

    ticketmill pii evaluate labelled.json.gz
    """
    from checks.pii.labelled import find_all, read, score  # noqa: PLC0415  # polars; a help page needs none of it
    from pipeline.scrub import ScrubParams, make_look, read_lists  # noqa: PLC0415  # as above

    section = load_section(ScrubParams, "scrub", params, settings)
    rows = read(labelled)
    kept = () if all_types else section.kept_types
    scores = score(rows, find_all([row.text for row in rows], make_look(section), read_lists(section), kept))
    if as_json:
        typer.echo(json.dumps(scores.to_json()))
        return
    for kind in scores.by_type:
        of_spans, of_letters = scores.of_type(kind), scores.characters_by_type[kind]
        shown = f"recall {_show(of_spans.recall)}, precision {_show(of_spans.precision)}, F2 {_show(of_spans.f2)}"
        covered = f"{of_spans.covered:6,} of {of_spans.marked:6,} covered"
        typer.echo(f"{kind:22} {covered}, {shown}; characters: recall {_show(of_letters.recall)}, F2 {_show(of_letters.f2)}")
    for kind, (found, right) in scores.by_found_type.items():
        typer.echo(f"{kind:22} {right:6,} of {found:6,} right, precision {right / found:.3f}")
    for name, rates in (("spans", scores.spans), ("characters", scores.characters)):
        shown = f"recall {_show(rates.recall)}, precision {_show(rates.precision)}, F2 {_show(rates.f2)}"
        typer.echo(f"all {name:18} {shown}")
    for row, start, end, kind in scores.misses[:misses]:
        typer.echo(f"missed: {row} [{start}, {end}) {kind}")


@app.command()
def plant(
    table: Annotated[Path, typer.Argument(help="The table of ingest; planted into is a copy in memory.")] = Path(
        "data/raw/ingested"
    ),
    n: Annotated[int, typer.Option(min=1, help="Plain values per kind and group of names; a fifth of it per oddity.")] = 300,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 1,
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Plant invented identifiers into a copy of the conversations, scrub it, and print what is gone as a heat table.

    ticketmill pii plant data/raw/ingested --n 300
    """
    from checks.pii.heat import cells, heat  # noqa: PLC0415  # polars, scipy
    from checks.readiness.planting import plant_and_scrub  # noqa: PLC0415  # as above
    from pipeline.key import load_key  # noqa: PLC0415  # beside its user
    from pipeline.tables import Table  # noqa: PLC0415  # polars

    rows: list[dict[str, Any]] = cells(plant_and_scrub(Table(table), params, load_key(), n, seed, settings))
    typer.echo(json.dumps(rows) if as_json else heat(rows))
