"""The commands that bring what the tables cannot say: audits, planted recall, files of evidence."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from checks.readiness.options import load
from pipeline.options import DEFAULT_PARAMS, LAST_TABLE, NO_SETTINGS, AsJson, Params, Settings

if TYPE_CHECKING:
    from pipeline.spans import Span


def sample(
    target: Annotated[Path, typer.Argument(help="The sheet to write: .csv or .xlsx. It holds scrubbed conversations.")],
    table: Annotated[Path, typer.Option(help="The last table of the line.")] = LAST_TABLE,
    n: Annotated[int, typer.Option(min=1, help="Conversations.")] = 300,
    stratify: Annotated[str, typer.Option(help="Columns to spread over, by comma.")] = "topic,source,language",
    topic: Annotated[str | None, typer.Option(help="Of one topic; its audits then stand for that topic alone.")] = None,
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
) -> None:
    """Draw a blind audit sheet: conversations that read otherwise since they were audited, then such as nobody audited.

    ticketmill readiness sample audit.xlsx --n 300
    """
    from checks.readiness.audit import draw_sheet, write_sheet  # noqa: PLC0415  # polars
    from checks.readiness.evidence import read_evidence  # noqa: PLC0415  # as above
    from checks.readiness.reading import read_corpus  # noqa: PLC0415  # as above
    from pipeline.tables import Table  # noqa: PLC0415  # as above

    section = load(params, settings)
    strata = [name for name in stratify.split(",") if name]
    rows = draw_sheet(read_corpus(Table(table), section), read_evidence(Path(section.evidence)), section, n, strata, topic)
    write_sheet(rows, target)
    typer.echo(
        f"readiness: {len(rows):,} conversations in {target}; fill in yes or no, then `ticketmill readiness score-audit {target}`"
    )


def score_audit(
    sheet: Annotated[Path, typer.Argument(help="A filled-in sheet.")],
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Keep the answers of a sheet as evidence (no text, no notes) and say how far they carry.

    ticketmill readiness score-audit audit.xlsx
    """
    from dataclasses import asdict  # noqa: PLC0415  # beside its user

    from checks.readiness.audit import keep_answers  # noqa: PLC0415  # polars

    section = load(params, settings)
    found = keep_answers(sheet, Path(section.evidence), section)
    if as_json:
        typer.echo(json.dumps(asdict(found)))
        return
    typer.echo(f"audited {found.audited:,}: {found.defects} with a defect, at most {found.defect_upper:.2%} of all (95 %)")
    for name, count in found.faults.items():
        typer.echo(f"  not {name}: {count}")
    typer.echo(f"{found.leaks} with an identifier left, at most {found.leak_upper:.2%} of all (95 %)")
    if found.more_for_pilot:
        typer.echo(f"  audit {found.more_for_pilot:,} more without a leak to let a pilot through")
    if found.agreement is not None:
        beyond = "neither found a fault" if found.kappa is None else f"kappa {found.kappa:.2f}, agreement beyond chance"
        typer.echo(f"auditors agree on {found.agreement:.0%} of what two of them judged ({beyond})")


def plant(
    ingested: Annotated[Path, typer.Argument(help="The table of ingest; planted into is a copy in memory.")] = Path(
        "data/raw/ingested"
    ),
    n: Annotated[int, typer.Option(min=1, help="Plain values per kind and group of names; a fifth of it per oddity.")] = 300,
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Plant invented identifiers into a copy of the conversations, scrub it, and keep the recall as evidence.

    ticketmill readiness plant data/raw/ingested --n 300
    """
    from checks.bounds import lower  # noqa: PLC0415  # scipy
    from checks.readiness.evidence import replace_kind  # noqa: PLC0415  # polars
    from checks.readiness.planting import plant_and_scrub  # noqa: PLC0415  # as above
    from pipeline.key import load_key  # noqa: PLC0415  # beside its user
    from pipeline.tables import Table  # noqa: PLC0415  # polars

    section = load(params, settings)
    cells = plant_and_scrub(Table(ingested), params, load_key(), n, section.seed, settings)
    replace_kind("planted", cells, Path(section.evidence))
    rows = cells.to_dicts()
    if as_json:
        typer.echo(json.dumps([{**row, "recall_lower": round(lower(row["found"], row["planted"]), 6)} for row in rows]))
        return
    for row in rows:
        bound = lower(row["found"], row["planted"])
        cell = f"{row['entity_type']:14} {row['group']:15} {row['oddity']:12}"
        typer.echo(f"{cell} {row['found']:5} of {row['planted']:5}, at least {bound:.1%}")


def swap_names(
    table: Annotated[Path, typer.Argument(help="The table of dedupe, whose questions are asked.")] = Path("data/curated/deduped"),
    n: Annotated[int, typer.Option(min=1, help="Questions, each asked under a name of eight groups.")] = 100,
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Ask generate's provider the same questions under names of eight groups, and keep how the answers differ as evidence.

    A provider that is a model is sent eight requests per question, within generate's caps; its replies are kept and paid once.

    ticketmill readiness swap-names data/curated/deduped --n 100
    """
    from checks.readiness.evidence import replace_kind  # noqa: PLC0415  # polars
    from checks.readiness.measures.naming import gaps  # noqa: PLC0415  # as above
    from checks.readiness.swapping import swap_names as swap  # noqa: PLC0415  # as above
    from pipeline.answering.request import PASSING  # noqa: PLC0415  # as above
    from pipeline.errors import ParamsError  # noqa: PLC0415  # beside its user
    from pipeline.generate import GenerateParams, answering  # noqa: PLC0415  # the stage that is asked
    from pipeline.key import load_key  # noqa: PLC0415  # beside its user
    from pipeline.params import load_section  # noqa: PLC0415  # as above
    from pipeline.parts import Means  # noqa: PLC0415  # polars
    from pipeline.tables import Table  # noqa: PLC0415  # as above

    def details(texts: Sequence[str]) -> "Sequence[Sequence[Span]]":
        from pipeline.unscrubbed import look_for_details  # noqa: PLC0415  # models that take seconds; only of what is sent

        return look_for_details(params, settings)(texts)

    section, stage = load(params, settings), load_section(GenerateParams, "generate", params, settings)
    if stage.provider == "file":
        raise ParamsError("generate.provider file holds what people typed; name the provider whose answers are in question")
    opened = Table(table)
    answer = answering(opened, stage, Means(load_key(), details=details))
    swaps = swap(opened, answer, n, section.seed, PASSING)
    replace_kind("swaps", swaps, Path(section.evidence))
    rows = gaps(swaps).to_dicts()
    if as_json:
        typer.echo(json.dumps(rows))
        return
    typer.echo(f"{swaps['item_id'].n_unique():,} questions, asked of {stage.provider} under names of every group; largest gaps:")
    for row in rows[:SHOWN_GAPS]:
        cell = f"{row['name_group']:15} {row['measure']:10}"
        typer.echo(f"{cell} {row['share']:6.1%}, the others {row['others']:6.1%}, q {row['q']:.2f}")


SHOWN_GAPS: Final = 10
"""Largest gaps printed; all are in the report of `assess`."""

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="Bring what the tables cannot say.")


@app.callback()
def evidence() -> None:
    """Bring what the tables cannot say: audits, planted recall, scores, judges, what was sent, what is asked live."""


@app.command()
def add(
    kind: Annotated[str, typer.Argument(help="audit, planted, scores, judges, sent, swaps or live.")],
    file: Annotated[Path, typer.Argument(help="CSV with a header; columns as in docs/readiness.md.")],
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
) -> None:
    """Check a file of evidence and lay its rows beside those that are there.

    ticketmill readiness evidence add scores pilot.csv
    """
    from checks.readiness.evidence import add_evidence  # noqa: PLC0415  # polars

    folder = Path(load(params, settings).evidence)
    typer.echo(f"readiness: {add_evidence(kind, file, folder):,} rows of {kind} in {folder}")
