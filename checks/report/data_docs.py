"""The verdicts as Data Docs, the pages of Great Expectations: one per stage, beside the report, for those who know them.

The pages are rendered by the library itself. What it would load from other servers is taken out (fonts, scripts, a logo), and
so is what differs between two runs over the same verdicts: times, batch markers and random ids.
"""

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

from checks.gate import Limit, asked_of_great_expectations
from pipeline.tables import translated_errors

STYLE: Final = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
h1, h2, h4, h5 { line-height: 1.2; }
ul { list-style: none; padding: 0; }
nav, .lead, .card, .collapse, [data-toggle=collapse], .cooltip span.top, thead[hidden] { display: none; }
h4 { display: none; }
h5 { font-size: 1.2rem; margin: .5rem 0; }
h6 { font-size: 1rem; margin: .5rem 0; }
.table-responsive { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
th, td { border-bottom: 1px solid GrayText; padding: .35rem .6rem; text-align: left; vertical-align: top; }
th:first-child, td:first-child { width: 5rem; }
a[href] { color: LinkText; }
.ge-section { border-top: 3px solid GrayText; padding-top: .5rem; }
.fas { font-style: normal; white-space: nowrap; }
.fa-times::before, .fa-exclamation-triangle::before { content: "not met "; font-weight: bold; }
.fa-check-circle::before { content: "met "; }
.h6 + .fas::before { content: ""; }
"""
"""In place of the styles that the library's pages fetch from other servers."""

HEAD: Final = (
    """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">"""
    """<meta name="viewport" content="width=device-width, initial-scale=1">"""
)
LOADED: Final = re.compile(r"<script\b.*?</script>|<nav\b.*?</nav>|<link\b[^>]*>|<img\b[^>]*>|\shref=\"(?!#)[^\"]*\"", re.DOTALL)
RANDOM: Final = re.compile(r"-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def write_data_docs(verdicts: Mapping[str, Mapping[str, Any]], folder: Path) -> Path:
    """Write a page per verdict (stage -> verdict as JSON) and one that leads to them; the latter's path.

    What was measured is not measured again: the library is asked anew about the measures and limits of the verdict.
    """
    with translated_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.html"):
            old.unlink()
        for stage, verdict in verdicts.items():
            (folder / f"{stage}.html").write_text(_page(stage, verdict), "utf-8")
        (folder / "index.html").write_text(_index(verdicts), "utf-8")
    return folder / "index.html"


def _page(stage: str, verdict: Mapping[str, Any]) -> str:
    judgements = verdict["judgements"]
    limits = [Limit(each["measure"], each["least"], each["most"]) for each in judgements]
    warned = {each["measure"] for each in judgements if each.get("severity") == "warn"}
    batch, expectations = asked_of_great_expectations(verdict["measures"], limits, warned)
    # after the import above, which turns the library's analytics off first
    from great_expectations.core import ExpectationSuite  # noqa: PLC0415
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer  # noqa: PLC0415
    from great_expectations.render.view.view import DefaultJinjaPageView  # noqa: PLC0415

    once = {(type(each), each.json()): each for each in expectations}  # two limits on a measure each expect it to be there
    result = batch.validate(ExpectationSuite(name=stage, expectations=list(once.values())))
    result.meta = {"run_id": {"run_name": verdict["table"], "run_time": ""}}
    rendered: str = DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(result))  # type: ignore[no-untyped-call]  # the library's own
    body = rendered[rendered.index("<body") : rendered.index("</body>")].partition(">")[2]
    head = f'<p><a href="index.html">All stages</a></p><h1>{escape(stage)}</h1>'
    return _html(f"{stage}: what was expected", head + RANDOM.sub("", LOADED.sub("", body)))


def _index(verdicts: Mapping[str, Mapping[str, Any]]) -> str:
    items = "".join(
        f'<li><a href="{escape(stage)}.html">{escape(stage)}</a>: {"passed" if verdict["passed"] else "failed"}</li>'
        for stage, verdict in verdicts.items()
    )
    return _html("What was expected of each stage", f"<h1>What was expected of each stage</h1><ul>{items}</ul>")


def _html(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{HEAD}'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{body}</body></html>\n"
    )
