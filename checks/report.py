"""The report people read: verdicts first, then the funnel; made of what gates and tables recorded, nothing is measured here."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import jinja2

from pipeline.ledger import Entry
from pipeline.tables import translated_errors

TEMPLATES: Final = Path(__file__).with_name("templates")


def read_verdicts(reports: Path) -> dict[str, dict[str, Any]]:
    """The recorded verdicts by stage, as `checks.gate.Verdict.to_json` wrote them; none where no gate judged yet."""
    verdicts: dict[str, dict[str, Any]] = {}
    for path in sorted(reports.glob("*.json")):
        content = json.loads(path.read_text("utf-8"))
        verdicts[content["stage"]] = content
    return verdicts


def write_report(entries: Sequence[Entry], verdicts: dict[str, dict[str, Any]], target: Path) -> None:
    """Write one self-contained HTML page: no script, no request to any server.

    Raises:
        TableError: the file cannot be written.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = show_number
    page = environment.get_template("report.html.jinja").render(entries=entries, verdicts=verdicts)
    with translated_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f"{target.name}.writing")
        unfinished.write_text(page, "utf-8")
        unfinished.replace(target)


def short_form(entries: Sequence[Entry], verdicts: dict[str, dict[str, Any]]) -> str:
    """The report in a few lines of Markdown, for a chat or a pull request: verdicts, what failed, funnel."""
    failed = [stage for stage, verdict in verdicts.items() if not verdict["passed"]]
    lines = [f"**ticketmill: {'stopped at ' + ', '.join(failed) if failed else f'{len(verdicts)} gates passed'}**", ""]
    for stage in failed:
        lines += [
            f"- {stage}: {each['measure']} is {show_number(each['value'])}, margin {show_number(each['margin'])}"
            for each in verdicts[stage]["judgements"]
            if not each["passed"]
        ]
    if entries:
        lines += ["", "| stage | in | kept | dropped |", "|---|--:|--:|---|"]
        for entry in entries:
            dropped = ", ".join(f"{reason} {count:,}" for reason, count in entry.dropped.items()) or "none"
            lines.append(f"| {entry.stage} | {entry.given:,} | {entry.kept:,} | {dropped} |")
    return "\n".join(lines) + "\n"


def show_number(value: float | None) -> str:
    """A measure as people read it: whole numbers with thousands apart, others to four digits, none as "unmeasured"."""
    if value is None:
        return "unmeasured"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.4g}"
