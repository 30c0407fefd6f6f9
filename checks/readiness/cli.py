"""`ticketmill readiness …`: should this data be used for fine-tuning, and what would make it so?"""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from checks.readiness import evidence_cli
from checks.readiness.options import Last, Reports, load
from pipeline.options import DEFAULT_PARAMS, GATE_SAID_NO, LAST_TABLE, NO_SETTINGS, AsJson, Params, Settings

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they would show customers' text
    help="Should this data be used for fine-tuning, and what would make it so?",
)


@app.callback()
def readiness() -> None:
    """Should this data be used for fine-tuning, and what would make it so?"""


REPORTS: Final = Path("data/curated/reports/readiness")
SHOWN_RECORDS: Final = 20
EVERY_LIMIT: Final = ["all"]


@app.command()
def assess(
    table: Last = LAST_TABLE,
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
    out: Reports = REPORTS,
    require: Annotated[str | None, typer.Option(help="Exit 3 below this verdict, such as pilot-first.")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the last report while less than readiness.renew_after of the rows are new.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure the tables, apply the verdict table, write the report.

    Exit 3 for a privacy block or below --require, and for a limit of readiness.gates that is not met.

    ticketmill readiness assess data/curated/chat --require pilot-first
    """
    from checks.readiness.assess import assess as measure  # noqa: PLC0415  # polars and all measures
    from checks.readiness.assess import meets  # noqa: PLC0415  # as above
    from checks.readiness.report import write  # noqa: PLC0415  # as above
    from checks.readiness.standing import new_share, remember  # noqa: PLC0415  # as above
    from checks.readiness.verdict import order  # noqa: PLC0415  # as above
    from pipeline.tables import Table  # noqa: PLC0415  # as above

    if require is not None and require not in order():
        raise typer.BadParameter(f"{require}: no such verdict; one of {', '.join(order())}")
    section, opened = load(params, settings), Table(table)
    asks_nothing = require == order()[0] and not section.gates  # what may stop the line is measured every time
    new = new_share(out, opened, section) if keep and asks_nothing and not as_json else None
    if new is not None and new < section.renew_after:
        typer.echo(f"readiness: the last report stands, {new:.1%} of the rows are new or gone; without --keep it is made anew")
        return
    assessment = measure(opened, section)
    write(assessment, out)
    remember(out, opened, section)
    failed = _judge(assessment, opened, section.gates) if section.gates else []
    blocked = assessment.judged.row in {1, 2}
    met = not blocked if require is None else meets(assessment.verdict, require)
    if as_json:
        summary = {
            "verdict": assessment.verdict,
            "row": assessment.judged.row,
            "privacy_block": blocked,
            "required": require,
            "requirement_met": met,
            "failed_gates": [each.measure for each in failed],
            "traffic": {name: round(share, 6) for name, share in assessment.judged.split.items()},
            "missing_evidence": sorted(assessment.missing_evidence),
            "report": str(out / "report.md"),
        }
        typer.echo(json.dumps(summary))
    else:
        _print(assessment, out)
        _complain(failed)
    if failed or not met:
        raise typer.Exit(GATE_SAID_NO)


def _judge(assessment: Any, table: Any, names: list[str]) -> list[Any]:
    from checks.readiness.gate import judge_limits  # noqa: PLC0415  # great_expectations, later

    return [each for each in judge_limits(assessment, table, names).judgements if not each.passed]


def _complain(failed: list[Any]) -> None:
    for each in failed:
        said = "unmeasured" if each.value is None else f"{each.value:g}"
        bound = f"at least {each.least:g}" if each.most is None else f"at most {each.most:g}"
        typer.echo(f"readiness: {each.measure} is {said}, {bound} is asked", err=True)


def _print(assessment: Any, out: Path) -> None:
    typer.echo(f"readiness: {assessment.verdict}")
    typer.echo("  of the set, not of the line: what is missing or too little stands below, what to do in docs/readiness.md")
    for kind, what in assessment.missing_evidence.items():
        typer.echo(f"  missing evidence/{kind}.csv: {what}")
    typer.echo("  " + ", ".join(f"{share:.0%} {name}" for name, share in assessment.judged.split.items()))
    deciding = next(each for each in assessment.judged.topics if each.verdict == assessment.verdict)
    for finding in assessment.findings_of(deciding):
        beside = f" (95 %: {finding['bounds']})" if finding["bounds"] else ""
        named = f"{finding['condition']} {finding['metric']} {finding['measure']}"
        typer.echo(f"  {named} {finding['shown']}{beside}: {finding['do']}")
    typer.echo(f"Report: {out / 'report.html'}")


app.command()(evidence_cli.sample)
app.command(name="score-audit")(evidence_cli.score_audit)
app.command()(evidence_cli.plant)
app.command(name="swap-names")(evidence_cli.swap_names)
app.add_typer(evidence_cli.app, name="evidence")


@app.command()
def plan(
    table: Last = LAST_TABLE,
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
    out: Reports = REPORTS,
    as_json: AsJson = False,
) -> None:
    """Write what to collect, and a pilot with nested subsets and arms.

    ticketmill readiness plan data/curated/chat
    """
    from checks.readiness.assess import assess as measure  # noqa: PLC0415  # polars and all measures
    from checks.readiness.plans import write_plan  # noqa: PLC0415  # as above
    from pipeline.tables import Table  # noqa: PLC0415  # as above

    content = write_plan(measure(Table(table), load(params, settings)), out)
    typer.echo(json.dumps(content) if as_json else (out / "plan.md").read_text("utf-8"))


@app.command(name="pilot-split")
def pilot_split(
    table: Last = LAST_TABLE,
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
    out: Reports = REPORTS,
) -> None:
    """Write which conversations are in the nested pilot subsets of 25, 50 and 100 percent, and in the test.

    ticketmill readiness pilot-split data/curated/chat
    """
    from checks.readiness.measures.volume import clusters_of  # noqa: PLC0415  # as above
    from checks.readiness.plans import pilot_split as split  # noqa: PLC0415  # as above
    from checks.readiness.reading import read_corpus  # noqa: PLC0415  # polars
    from pipeline.tables import Table, translated_errors  # noqa: PLC0415  # as above

    section = load(params, settings)
    corpus = read_corpus(Table(table), section)
    rows = split(corpus, section, clusters_of(corpus, section))
    with translated_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        rows.write_csv(out / "pilot_split.csv")
    sizes = {size: rows.filter(rows["subset"] <= size).height for size in (25, 50, 100)}
    typer.echo(f"readiness: {', '.join(f'{size} %: {n:,}' for size, n in sizes.items())}; test {rows['test'].sum():,}")
    typer.echo(f"  {out / 'pilot_split.csv'}")


@app.command()
def explain(
    metric: Annotated[str, typer.Argument(help="M01 to M29.")],
    topic: Annotated[str | None, typer.Option(help="One topic; by default the whole set.")] = None,
    report: Annotated[Path, typer.Option(help="Where assess wrote its report.")] = REPORTS,
    show_snippets: Annotated[
        bool, typer.Option("--show-snippets", help="Show a masked piece of 80 characters of each; on the terminal only.")
    ] = False,
    table: Annotated[Path, typer.Option(help="For --show-snippets: the table that was assessed.")] = LAST_TABLE,
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Say what a metric is, its limits and their origin, what was measured, and which conversations it names.

    ticketmill readiness explain M07 --topic refunds --show-snippets
    """
    from checks.readiness.explain import describe  # noqa: PLC0415  # yaml

    if show_snippets and as_json:
        raise typer.BadParameter("--show-snippets: snippets are for the terminal, not for --json, which ends in files")
    found = describe(metric, topic, report)
    named = list(dict.fromkeys(one for each in found["values"] for one in each.get("records", [])))
    shown = dict.fromkeys(named[:SHOWN_RECORDS], "")
    if show_snippets:
        shown = _snippets(found["metric"], list(shown), report, table, load(params, settings))
    if as_json:
        typer.echo(json.dumps(found))
        return
    _explain(found, topic)
    for one, snippet in shown.items():
        typer.echo(f"  {one} {snippet}".rstrip())
    if more := len(named) - len(shown):
        typer.echo(f"  and {more:,} more: --json names them")
    if show_snippets and not named:
        typer.echo("  it names no conversation")


def _explain(found: dict[str, Any], topic: str | None) -> None:
    typer.echo(f"{found['metric']} {found['title']} (tier {found['tier']})\n{found['definition']}")
    for each in found["values"]:
        typer.echo(f"  {each['measure']}: {each['shown']}{each['beside']}")
    if topic is not None and not found["values"]:
        typer.echo("  nothing is measured of this topic alone; without --topic: of the whole set")
    for each in found["limits"]:
        typer.echo(f"  limit {each['name']} = {each['value']:g}: {each['means']} [{each['origin']}]")
    for each in found["conditions"]:
        typer.echo(f"  row {each['row']} ({each['verdict']}): {each['do']}")


def _snippets(metric: str, ids: list[str], report: Path, table: Path, section: Any) -> dict[str, str]:
    from checks.readiness.explain import require_assessed  # noqa: PLC0415  # yaml
    from checks.readiness.reading import read_corpus  # noqa: PLC0415  # polars
    from checks.readiness.snippets import PERSONAL, snippets  # noqa: PLC0415  # as above
    from pipeline.tables import Table  # noqa: PLC0415  # as above

    opened = Table(table)
    leaking = require_assessed(report, opened.checksum, PERSONAL)
    return snippets(read_corpus(opened, section), metric, ids, leaking, section)


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(help="readiness.json of one run, or its folder.")],
    after: Annotated[Path, typer.Argument(help="readiness.json of another run, or its folder.")],
    as_json: AsJson = False,
) -> None:
    """Print what changed between two runs.

    ticketmill readiness diff last-week/readiness data/curated/reports/readiness
    """
    from checks.readiness.explain import read_metrics  # noqa: PLC0415  # yaml
    from checks.readiness.report import compare  # noqa: PLC0415  # polars

    changes = compare(read_metrics(before), read_metrics(after))
    if as_json:
        typer.echo(json.dumps(changes))
        return
    for each in changes:
        typer.echo(f"{each['measure']}: {_plainly(each['before'])} -> {_plainly(each['after'])}")
    if not changes:
        typer.echo("readiness: nothing changed")


def _plainly(value: Any) -> str:
    return "unknown" if value is None else str(value)


@app.command()
def card(
    table: Last = LAST_TABLE,
    card_format: Annotated[str, typer.Option("--format", help="hf, datasheet, croissant or article10.")] = "hf",
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
) -> None:
    """Print a dataset card filled with what was measured, each line marked measured or stated by owner.

    ticketmill readiness card data/curated/chat --format croissant
    """
    from checks.readiness.assess import assess as measure  # noqa: PLC0415  # polars and all measures
    from checks.readiness.cards import CARDS  # noqa: PLC0415  # as above
    from pipeline.tables import Table  # noqa: PLC0415  # as above

    if card_format not in CARDS:
        raise typer.BadParameter(f"{card_format}: no such format; one of {', '.join(CARDS)}")
    typer.echo(CARDS[card_format](measure(Table(table), load(params, settings))), nl=False)


@app.command()
def gate(
    table: Last = LAST_TABLE,
    params: Params = DEFAULT_PARAMS,
    settings: Settings = NO_SETTINGS,
    limit: Annotated[list[str], typer.Option(help="A limit of readiness.limits, or all; may be repeated.")] = EVERY_LIMIT,
    as_json: AsJson = False,
) -> None:
    """Judge limits by themselves, by Great Expectations; exit 3 when one is not met or not measured.

    ticketmill readiness gate data/curated/chat --limit max_secrets --limit max_leak_upper_pilot
    """
    from checks.readiness.assess import assess as measure  # noqa: PLC0415  # polars and all measures
    from checks.readiness.gate import judge_limits  # noqa: PLC0415  # as above
    from pipeline.tables import Table  # noqa: PLC0415  # as above

    opened = Table(table)
    judgements = judge_limits(measure(opened, load(params, settings)), opened, limit).judgements
    failed = [each for each in judgements if not each.passed]
    if as_json:
        typer.echo(json.dumps({"passed": not failed, "failed": [each.measure for each in failed]}))
    else:
        _complain(failed)
        typer.echo(f"readiness: {'failed' if failed else 'passed'}, {len(judgements)} limits judged")
    if failed:
        raise typer.Exit(GATE_SAID_NO)
