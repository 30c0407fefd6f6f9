"""`ticketmill index …`: look into what dedupe remembers between runs, ask it, make it anew.

As in `pipeline.cli`, a command imports what it needs when it runs.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.errors import SourceError, TableError
from pipeline.key import load_key
from pipeline.options import DEFAULT_PARAMS, NO_SETTINGS, AsJson, Params, Settings
from pipeline.params import load_section
from pipeline.parts import Means
from pipeline.tables import Table

if TYPE_CHECKING:
    from pipeline.dedupe import DedupeParams

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)  # they would show customers' text

Folder = Annotated[Path, typer.Argument(help="The index, as in dedupe.index of the params.")]

INDEX: Final = Path("data/curated/index")


def _require_index(folder: Path) -> None:
    """An index is made by dedupe; to look into one that is not there makes none."""
    if not folder.is_dir():
        raise TableError(f"{folder}: no such index; dedupe makes it, or ticketmill index rebuild")


def _load(params: list[Path], settings: list[str]) -> "DedupeParams":
    from pipeline.dedupe import DedupeParams  # noqa: PLC0415  # see the module

    return load_section(DedupeParams, "dedupe", params, settings)


@app.callback()
def index() -> None:
    """What dedupe remembers between runs, so that a new batch is compared with everything kept before."""


@app.command()
def stats(
    folder: Folder = INDEX,
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Say what the index holds; reads every file and fails on one that was changed.

    ticketmill index stats data/curated/index
    """
    from pipeline.similarity.index import open_index  # noqa: PLC0415  # see the module

    section = _load(params, settings)
    _require_index(folder)
    with open_index(folder, section.made_by()) as opened:
        _show(opened.stats(), as_json=as_json)


@app.command()
def query(
    texts: Annotated[Path, typer.Argument(help="A file with one text per line; - reads them from standard input.")],
    folder: Folder = INDEX,
    min_similarity: Annotated[float, typer.Option(min=0, max=1, help="Jaccard from which on a neighbour is named.")] = 0.5,
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
) -> None:
    """Name the neighbours of each text, one JSON object per line: line, conversation_id, similarity.

    ticketmill index query questions.txt --min-similarity 0.6
    """
    from pipeline.dedupe import query_index  # noqa: PLC0415  # see the module

    try:
        asked = (sys.stdin.read() if texts == Path("-") else texts.read_text("utf-8")).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{texts}: cannot be read as UTF-8 text") from error
    section = _load(params, settings)
    _require_index(folder)
    found = query_index(folder, asked, section, min_similarity)
    for row in found.iter_rows(named=True):
        typer.echo(json.dumps(row))
    if found.is_empty():
        typer.echo(f"none of {len(asked):,} texts is like any in {folder}; --min-similarity names the less similar", err=True)


@app.command()
def rebuild(
    source: Annotated[Path, typer.Argument(help="The scrubbed table.")],
    folder: Folder = INDEX,
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Make the index anew from a scrubbed table.

    ticketmill index rebuild data/curated/scrubbed data/curated/index
    """
    from pipeline.dedupe import rebuild_index  # noqa: PLC0415  # see the module

    section = _load(params, settings)
    Table(source)  # before a key is made for one that is not there
    _show(rebuild_index(source, folder, section, Means(load_key())), as_json=as_json)


@app.command()
def compact(
    folder: Folder = INDEX,
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Remove what no part needs, such as what a killed run left.

    ticketmill index compact data/curated/index
    """
    from pipeline.similarity.index import open_index  # noqa: PLC0415  # see the module

    section = _load(params, settings)
    _require_index(folder)
    with open_index(folder, section.made_by()) as opened:
        _show({"freed_bytes": opened.compact()}, as_json=as_json)


def _show(numbers: dict[str, Any], *, as_json: bool) -> None:
    typer.echo(json.dumps(numbers) if as_json else "\n".join(f"{name} {value:,}" for name, value in numbers.items()))
