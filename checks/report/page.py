"""The report as one page of HTML and as `report.json`: no script, no request to any server, equal bytes for equal content."""

import csv
import json
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, Final

import jinja2

from checks.report import svg
from checks.report.build import Content
from checks.report.figure import records
from checks.report.words import label, show, words
from pipeline.sql import NOUNS
from pipeline.tables import translated_errors, write_json

TEMPLATES: Final = Path(__file__).parents[1] / "templates"

PLOTS: Final[Mapping[str, tuple[str, str]]] = {
    "funnel": ("funnel", "stages"),
    "findings": ("privacy", "findings"),
    "turns": ("shape", "turns"),
    "tokens": ("shape", "tokens"),
    "months": ("shape", "months"),
}
"""CSV file -> panel and figure, for `dvc plots`."""


def write_report(content: Content, reports: Path) -> Path:
    """Write index.html, report.json, metrics.json and plots/*.csv; returns the page.

    Raises:
        TableError: a file cannot be written.
    """
    page = reports / "index.html"
    with translated_errors(reports):
        (reports / "plots").mkdir(parents=True, exist_ok=True)
        _replace(page, render(content))
        write_json(reports / "report.json", content)
        write_json(reports / "metrics.json", _nested(content["metrics"]))
        for name, (panel, figure) in PLOTS.items():
            if found := figure_of(content, panel, figure):
                _replace(reports / "plots" / f"{name}.csv", _as_csv(found["columns"], found["rows"]))
    return page


def read_report(reports: Path) -> Content | None:
    """The content of the report that lies there; None where there is none, or no whole one."""
    try:
        content: Content = json.loads((reports / "report.json").read_bytes())
    except (OSError, ValueError):
        return None
    return content if (reports / "index.html").exists() else None


def render(content: Content) -> str:
    """The page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(show=show, words=words, label=label)
    trends: dict[tuple[str, str], list[float | None]] = {}
    for row in records(figure_of(content, "stages", "trend")):
        trends.setdefault((row["stage"], row["name"]), []).append(row["value"])
    return environment.get_template("report.html.jinja").render(
        content=content,
        stages=list(NOUNS),
        gates={row["stage"]: row for row in records(figure_of(content, "verdict", "gates"))},
        figure_of=figure_of,
        records=records,
        pivot=pivot,
        numbers_in=numbers_in,
        svg=svg,
        trend=lambda stage, name, now: svg.trend([*trends[stage, name], now]) if (stage, name) in trends else "",
    )


def figure_of(content: Content, panel: str, figure: str) -> dict[str, Any] | None:
    """A figure by the name of its panel and its own."""
    figures: list[dict[str, Any]] = next((each["figures"] for each in content["panels"] if each["name"] == panel), [])
    return next((each for each in figures if each["name"] == figure), None)


def numbers_in(figure: Mapping[str, Any]) -> list[bool]:
    """Of every column, whether it holds numbers; a missing value tells nothing."""
    return [
        any(isinstance(row[place], int | float) and not isinstance(row[place], bool) for row in figure["rows"])
        for place in range(len(figure["columns"]))
    ]


def pivot(rows: Sequence[Sequence[Any]]) -> tuple[list[str], list[tuple[str, dict[str, Any]]]]:
    """First column down, second across, third in the cells; in the order in which they come, headings sorted."""
    down: dict[str, dict[str, Any]] = {}
    for first, second, value, *_ in rows:
        down.setdefault(first, {})[second] = value
    return sorted({heading for cells in down.values() for heading in cells}), list(down.items())


def short_form(content: Content) -> str:
    """The report in a few lines of Markdown, for a chat or a pull request: verdicts, what failed, funnel, what changed."""
    verdict, beyond = content["verdict"], records(figure_of(content, "verdict", "failed"))
    if verdict["failed"]:
        head = f"stopped at {', '.join(verdict['failed'])}"
    elif verdict["not_judged"]:
        head = f"{len(verdict['judged'])} gates passed, not judged: {', '.join(verdict['not_judged'])}"
    else:
        head = f"{len(verdict['judged'])} gates passed" + (
            f", {len(beyond)} only {'warns' if len(beyond) == 1 else 'warn'}" if beyond else ""
        )
    lines = [f"**ticketmill: {head}**", ""]
    for row in beyond:
        bound = " and ".join(
            f"{sign} {show(row[side])}" for sign, side in (("≥", "least"), ("≤", "most")) if row[side] is not None
        )
        value = "unmeasured" if row["value"] is None else show(row["value"])
        warning = "warning, " if row["severity"] == "warn" else ""
        meaning = f": {row['meaning']}" if row["meaning"] else ""
        lines.append(f"- {row['stage']}: {warning}{row['measure']} is {value}, must be {bound}{meaning}")
    reasons = records(figure_of(content, "funnel", "reasons"))
    lines += ["", "| stage | in | kept | dropped |", "|---|--:|--:|---|"]
    for row in records(figure_of(content, "funnel", "stages")):
        told = [f"{each['reason']} {show(each['conversations'])}" for each in reasons if each["stage"] == row["stage"]]
        lines.append(f"| {row['stage']} | {show(row['given'])} | {show(row['kept'])} | {', '.join(told) or 'none'} |")
    if changed := figure_of(content, "changes", "changed"):
        about = next(panel["about"] for panel in content["panels"] if panel["name"] == "changes")
        lines += ["", about.removesuffix(".") + ":"]
        lines += [
            f"- {row['stage']}: {row['name']} {show(row['before'])} → {show(row['now'])}" for row in records(changed)[:20]
        ] or ["- nothing"]
    return "\n".join(lines) + "\n"


def _nested(metrics: Mapping[str, float | None]) -> dict[str, dict[str, float]]:
    nested: dict[str, dict[str, float]] = {}
    for name, value in metrics.items():
        stage, _, rest = name.partition(".")
        if value is not None:  # dvc shows numbers only
            nested.setdefault(stage, {})[rest] = value
    return nested


def _as_csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    written = StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return written.getvalue()


def _replace(target: Path, content: str) -> None:
    unfinished = target.with_name(f"{target.name}.writing")
    unfinished.write_text(content, "utf-8")
    unfinished.replace(target)
