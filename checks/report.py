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


def show_number(value: float | None) -> str:
    """A measure as people read it: whole numbers with thousands apart, others to four digits, none as "unmeasured"."""
    if value is None:
        return "unmeasured"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.4g}"
