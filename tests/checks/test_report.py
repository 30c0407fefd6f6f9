"""The report over the committed sample: every number has its SQL, nobody's words stand on it, and people can read it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from markupsafe import escape

from checks.report.against import find_baseline
from checks.report.build import PANELS, Content, build, planted, read_verdicts, tables_of
from checks.report.page import figure_of, render, short_form
from pipeline import cli
from pipeline.errors import CurationError
from pipeline.interrupts import interrupt
from pipeline.options import STAGES as LINE_STAGES
from pipeline.params import load_section
from pipeline.parts import Means
from pipeline.sql import SqlError, open_line
from pipeline.stage_cli import load_stage
from pipeline.tables import Table
from tests import browser as chromium
from tests.build import KEY

ROOT: Final = Path(__file__).parents[2]
STAGES: Final = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
LINE: Final = {name: stage["cmd"].split()[2:4] for name, stage in STAGES.items() if name in LINE_STAGES}
LAST: Final = "data/curated/chat"
REPORTS: Final = "data/curated/reports"

Run = Callable[..., int]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which the line ran over the sample and every gate has judged."""
    folder = tmp_path_factory.mktemp("report") / "project"
    shutil.copytree(ROOT / "data/raw/received", folder / "data/raw/received")
    params = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    params["gates"]["scrub"] |= {"planted_ids_per_kind": 20, "planted_names_per_group": 4}  # each is scrubbed, which takes time
    (folder / "params.yaml").write_text(yaml.safe_dump(params), "utf-8")
    before = Path.cwd()
    os.chdir(folder)
    try:
        for name, (source, target) in LINE.items():
            run, kind = load_stage(name)
            # the small model takes a minute; this page must hold without what it finds
            settings = ["scrub.models=[]"] if name == "scrub" else []
            run(Path(source), Path(target), load_section(kind, name, [Path("params.yaml")], settings), Means(KEY, 1))
        command("gate", "--all")
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def project(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, to stand in."""
    monkeypatch.chdir(made)
    shutil.rmtree(made / ".ticketmill", ignore_errors=True)
    return made


def command(*arguments: str) -> int:
    """Run ticketmill in this process; its exit code."""
    before, sys.argv = sys.argv, ["ticketmill", *arguments]
    try:
        cli.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    finally:
        sys.argv = before
    return 0


def content_of(project: Path, history: list[dict[str, Any]] | None = None) -> Content:
    return build(tables_of(project / LAST), read_verdicts(project / REPORTS), history or [])


def run_of(content: Content, **changed: float) -> dict[str, Any]:
    """A line of the history that left this state, but for what changed: scrub__emails=3."""
    measures: dict[str, dict[str, float | None]] = {}
    for name, value in {**content["metrics"], **{key.replace("__", "."): value for key, value in changed.items()}}.items():
        stage, _, measure = name.partition(".")
        measures.setdefault(stage, {})[measure] = value
    funnel = [{"stage": stage, "given": 0, "kept": each.pop("kept")} for stage, each in measures.items()]
    return {"commit": "0" * 40, "funnel": funnel, "measures": measures}


def passing(project: Path, target: Path) -> Path:
    """A copy of the verdicts in which all have passed; without the model the gate after scrub may well say no."""
    reports = target / "reports"
    shutil.copytree(project / REPORTS, reports)
    for name in LINE:
        verdict = json.loads((reports / f"{name}.json").read_text("utf-8"))
        judgements = [{**each, "passed": True} for each in verdict["judgements"]]
        (reports / f"{name}.json").write_text(json.dumps({**verdict, "passed": True, "judgements": judgements}), "utf-8")
    return reports


def figures(content: Content) -> Iterator[dict[str, Any]]:
    for panel in content["panels"]:
        yield from panel["figures"]


def test_every_figure_is_what_its_line_of_sql_says(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("report") == 0
    content = json.loads((project / REPORTS / "report.json").read_text("utf-8"))
    capsys.readouterr()
    asked = list(figures(content))

    for figure in asked:
        assert command("sql", figure["sql"], "--json") == 0, figure["name"]
        answered = json.loads(capsys.readouterr().out)
        assert answered == [dict(zip(figure["columns"], row, strict=True)) for row in figure["rows"]], figure["name"]
    assert len(asked) == sum(len(panel.figures) for panel in PANELS) + 1


def test_what_was_received_and_became_no_turn_is_on_the_page_by_its_name(project: Path) -> None:
    content = content_of(project)
    counted = tables_of(project / LAST)[0].manifest.counts
    left_out = figure_of(content, "funnel", "left_out")

    assert left_out is not None
    assert ["private_notes", counted["private_notes"]] in left_out["rows"]
    assert not any(name.startswith(("rows_", "turns_", "mail_characters.")) for name, _ in left_out["rows"])
    assert "private_notes" in render(content)


def test_every_line_of_sql_stands_on_the_page_beside_its_figure(project: Path) -> None:
    content = content_of(project)
    page = render(content)

    assert [figure["name"] for figure in figures(content) if figure["rows"] and str(escape(figure["sql"])) not in page] == []


def test_the_page_and_every_file_beside_it_hold_no_planted_value(project: Path) -> None:
    assert command("report", "--data-docs") == 0
    written = [path for path in (project / REPORTS).rglob("*") if path.is_file()]
    texts = {path.name: path.read_text("utf-8").casefold() for path in written}
    values = {
        value["value"].casefold()
        for line in (ROOT / "tests/data/sample_values.jsonl").read_text("utf-8").splitlines()
        for value in json.loads(line)["values"]
    }

    def stands(value: str, text: str) -> bool:
        return value in text and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text) is not None

    assert len(values) > 500
    assert {"index.html", "report.json", "findings.csv", "scrub.html"} <= set(texts)
    assert {(name, value) for name, text in texts.items() for value in values if stands(value, text)} == set()


def test_equal_tables_give_equal_bytes(project: Path) -> None:
    assert command("report") == 0
    first = {path: path.read_bytes() for path in (project / REPORTS).rglob("*") if path.is_file()}
    assert command("report") == 0

    assert {path: path.read_bytes() for path in first} == first
    assert str(project) not in (project / REPORTS / "index.html").read_text("utf-8")


def test_the_verdict_comes_first_and_a_failed_gate_is_named_with_its_bound(project: Path, tmp_path: Path) -> None:
    reports = passing(project, tmp_path)
    verdict = json.loads((reports / "dedupe.json").read_text("utf-8"))
    verdict["passed"] = verdict["judgements"][0]["passed"] = False
    (reports / "dedupe.json").write_text(json.dumps(verdict))

    content = build(tables_of(project / LAST), read_verdicts(reports))
    page = render(content)

    assert content["verdict"]["failed"] == ["dedupe"]
    assert page.index("Stopped at dedupe") < page.index("Bounds that were not met") < page.index('id="funnel-title"')
    assert re.search(
        r"^- dedupe: kept is \d+, must be ≥ 10: conversations that are kept$", short_form(content), flags=re.MULTILINE
    )


def test_a_bound_that_only_warns_is_no_failure_on_the_page(project: Path, tmp_path: Path) -> None:
    reports = passing(project, tmp_path)
    verdict = json.loads((reports / "dedupe.json").read_text("utf-8"))
    verdict["judgements"][0] |= {"passed": False, "severity": "warn"}
    (reports / "dedupe.json").write_text(json.dumps(verdict))

    content = build(tables_of(project / LAST), read_verdicts(reports))
    page = render(content)

    assert "All 6 gates have passed; 1 measure is beyond its bound and only warns." in page
    assert "**ticketmill: 6 gates passed, 1 only warns**" in short_form(content)
    assert '<td class="open">warning</td>' in page
    assert "bounds met, 1 only warns" in page
    assert "(a warning, which stops nothing)" in page
    assert 'class="failed"' not in page


def test_what_the_set_is_good_for_stands_beside_the_verdict_of_the_gates(project: Path) -> None:
    more: dict[str, list[tuple[Any, ...]]] = {"readiness": [("collect-or-repair", False, 20, 20, None)]}

    page = render(build(tables_of(project / LAST), read_verdicts(project / REPORTS), more=more))

    assert '<a href="#readiness"><strong>collect-or-repair</strong></a>, of earlier tables.' in page
    assert page.index("collect-or-repair") < page.index('id="verdict-title"')


def test_a_gate_that_never_judged_and_one_that_judged_an_older_table_are_told_apart(project: Path, tmp_path: Path) -> None:
    reports = passing(project, tmp_path)
    (reports / "emit.json").unlink()
    verdict = json.loads((reports / "scrub.json").read_text("utf-8"))
    (reports / "scrub.json").write_text(json.dumps({**verdict, "table": "0" * 64}))

    page = render(build(tables_of(project / LAST), read_verdicts(reports)))

    assert "not judged: emit" in page
    assert "the table has changed since" in page


def test_the_report_survives_a_line_that_stopped_half_way(project: Path, tmp_path: Path) -> None:
    shutil.copytree(project / "data", tmp_path / "data", ignore=shutil.ignore_patterns("received"))
    for name in ("chat", "validated", "generated"):
        shutil.rmtree(tmp_path / "data/curated" / name)

    content = build(tables_of(tmp_path / LAST), read_verdicts(tmp_path / REPORTS))

    assert [row[0] for row in figure_of(content, "funnel", "stages")["rows"]] == ["ingest", "scrub", "dedupe"]  # type: ignore[index]
    assert figure_of(content, "shape", "splits") is None
    assert render(content)


def test_trends_and_changes_come_from_the_history_alone(project: Path) -> None:
    now = content_of(project)
    assert figure_of(now, "changes", "changed") is None

    content = content_of(project, [run_of(now, scrub__emails=7.0), run_of(now)])

    changed = figure_of(content, "changes", "changed")
    assert changed is not None
    assert changed["rows"] == [["scrub", "emails", 7.0, 0.0, -7.0]]
    assert "last 3 runs: 7, 0, 0" in render(content)
    assert "- scrub: emails 7 → 0" in short_form(content)


def test_planted_recall_is_shown_as_a_bound_and_never_as_certain(project: Path, tmp_path: Path) -> None:
    rows = "entity_type,group,oddity,planted,found\nPERSON,english,,300,300\nPERSON,arabic,lowercase,300,270\n"
    (tmp_path / "planted.csv").write_text(rows, "utf-8")

    content = build(tables_of(project / LAST), read_verdicts(project / REPORTS), more={"planted": planted(tmp_path)})

    recall = figure_of(content, "privacy", "recall")
    assert recall is not None
    assert recall["rows"] == [
        ["PERSON, arabic", "lowercase", 0.8678, 270, 300],
        ["PERSON, english", "plain", 0.9901, 300, 300],
    ]
    assert "99.01 %" in render(content)


def test_against_takes_a_run_a_report_and_a_revision(project: Path, tmp_path: Path) -> None:
    now = content_of(project)
    history = [run_of(now, emit__kept=1.0), run_of(now)]
    (tmp_path / "other.json").write_text(json.dumps(now))

    assert find_baseline("1", history, Path(REPORTS)).metrics["emit.kept"] == 1
    assert find_baseline("-1", history, Path(REPORTS)).label == "run 2 of 2"
    assert find_baseline(str(tmp_path / "other.json"), history, Path(REPORTS)).metrics == now["metrics"]
    with pytest.raises(CurationError, match="the history has 2 runs"):
        find_baseline("3", history, Path(REPORTS))
    with pytest.raises(CurationError, match="is no file, run or git revision"):
        find_baseline("no-such-branch", history, Path(REPORTS))


def test_a_revision_is_the_last_run_made_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    commit = subprocess.check_output(["git", "rev-parse", "HEAD"], text=True).strip()
    history = [{"commit": commit, "funnel": [{"stage": "emit", "given": 3, "kept": 2}], "measures": {}}]

    assert find_baseline("HEAD", history, Path(REPORTS)).metrics == {"emit.kept": 2}


@pytest.mark.parametrize(
    "query",
    [
        "SELECT native_id FROM ingested",
        "SELECT participants FROM ingested",
        "SELECT turns[1].text FROM ingested",
        "SELECT source_file FROM ingested_quarantined",
        "SELECT * FROM read_parquet('data/raw/ingested/kept/part-00000.parquet')",
        "SELECT * FROM read_text('params.yaml')",
        "SELECT * FROM read_csv('https://example.com/a.csv')",
        "COPY (SELECT 1) TO 'out.csv'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "ATTACH 'other.db'",
    ],
)
def test_sql_stays_on_this_side_of_the_wall(project: Path, query: str) -> None:
    with open_line(Table(project / LAST).line(), {}) as line, pytest.raises(SqlError):
        line.ask(query)
    assert not Path("out.csv").exists()


def test_ctrl_c_ends_a_query_that_would_run_for_days() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # where tests run in the background it is ignored
    try:
        with open_line([], {}) as line:
            threading.Timer(0.5, interrupt).start()
            with pytest.raises(KeyboardInterrupt):
                line.ask(
                    "SELECT sum(a.range * b.range) FROM range(10000000000) a, range(1000000) b WHERE a.range % 7 = b.range % 5"
                )

            assert line.ask("SELECT 1 AS one") == (["one"], [(1,)])
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("project")
def test_sql_that_fails_on_a_value_does_not_quote_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("sql", "SELECT turns[1].text::INTEGER FROM scrubbed") == 1

    assert "the message is withheld" in capsys.readouterr().err


def test_products_that_single_somebody_out_are_not_named(project: Path) -> None:
    with open_line(Table(project / LAST).line(), {}) as line:
        rare = {name for (name,) in line.ask("SELECT product FROM validated GROUP BY product HAVING count(*) < 5")[1] if name}
    products = figure_of(content_of(project), "shape", "products")

    assert products is not None
    assert rare
    assert rare & {row[0] for row in products["rows"]} == set()


def test_gate_all_judges_every_table_and_makes_none_again(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {name: Table(project / target).checksum for name, (_, target) in LINE.items()}

    assert command("gate", "--all", "--set", "gates.dedupe.min_kept=100000") == 3
    printed = capsys.readouterr().out.splitlines()
    assert (read_verdicts(Path(REPORTS))["dedupe"]["passed"], Path("data/curated/passed/dedupe").exists()) == (False, False)
    command("gate", "--all")
    assert (read_verdicts(Path(REPORTS))["dedupe"]["passed"], Path("data/curated/passed/dedupe").exists()) == (True, True)

    assert [line.split(":")[0] for line in printed] == list(LINE)
    assert {name: Table(project / target).checksum for name, (_, target) in LINE.items()} == before


def test_the_figures_for_dvc_are_numbers_by_stage_and_name(project: Path) -> None:
    assert command("report") == 0
    metrics = json.loads((project / REPORTS / "metrics.json").read_text("utf-8"))

    assert metrics["emit"]["kept"] == Table(project / LAST).manifest.total("kept")
    assert {type(value) for stage in metrics.values() for value in stage.values()} <= {int, float}
    assert (
        (project / REPORTS / "plots/funnel.csv")
        .read_text("utf-8")
        .startswith("stage,given,kept,dropped,added\ningest,746,739,7,0\n")
    )


# --- in a browser -------------------------------------------------------------------------------------------------------

CONTRAST: Final = """
(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = color => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255] };
  const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a)];
  const light = rgb => { const [r, g, b] = rgb.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b };
  const behind = element => element ? over(rgba(getComputedStyle(element).backgroundColor), behind(element.parentElement))
    : [255, 255, 255];
  const poor = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || ['STYLE', 'TITLE'].includes(element.tagName.toUpperCase())) continue;
    const style = getComputedStyle(element);
    const paper = behind(element.closest('svg') ? element.closest('svg').parentElement : element);
    const ink = over(rgba(element.closest('svg') ? style.fill : style.color), paper);
    const [a, b] = [light(ink), light(paper)].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) poor.push([walker.currentNode.data.trim().slice(0, 30), (a + 0.05) / (b + 0.05)]);
  }
  return poor;
})()
"""
"""Texts whose contrast is below 4.5 to 1. Source: WCAG 2.2, success criterion 1.4.3."""


@pytest.fixture(scope="module")
def tab(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Page]:
    """The report in Chromium."""
    if chromium.PROGRAM is None and not os.environ.get("CI"):
        pytest.skip("chromium is not installed here; CI installs it")
    content = content_of(made)
    page = made / "page.html"
    page.write_text(render(content_of(made, [run_of(content, scrub__emails=7.0)])), "utf-8")
    with chromium.browser(tmp_path_factory.mktemp("chromium")) as opened:
        opened.open(page)
        yield opened


def test_the_page_asks_no_server_for_anything_and_the_console_stays_empty(tab: chromium.Page) -> None:
    asked = [event["params"]["request"]["url"] for event in tab.events if event.get("method") == "Network.requestWillBeSent"]
    told = [
        event
        for event in tab.events
        if event.get("method") in {"Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"}
    ]

    assert [url.partition(":")[0] for url in asked if not url.startswith("data:")] == ["file"]
    assert told == []
    assert tab.evaluate("document.scripts.length") == 0


def test_every_link_leads_to_a_part_of_the_page(tab: chromium.Page) -> None:
    links = tab.evaluate("[...document.links].map(link => [link.getAttribute('href'), !!document.querySelector(link.hash)])")

    assert len(links) > 8
    assert [href for href, there in links if not there] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_the_contrast_that_people_need(tab: chromium.Page, scheme: str) -> None:
    tab.prefer(scheme)
    tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")

    assert tab.evaluate(CONTRAST) == []


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_but_wide_tables_has_to_be_scrolled_sideways(tab: chromium.Page, width: int) -> None:
    tab.resize(width)

    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    overlapping = """[...document.querySelectorAll('svg.picture')].flatMap(svg => {
        const boxes = [...svg.querySelectorAll('text')].map(text => [text.textContent, text.getBoundingClientRect()]);
        return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([b, q]) => a.trim() && b.trim() && p.left < q.right
            && q.left < p.right && p.top + 3 < q.bottom && q.top + 3 < p.bottom).map(([b]) => [a, b])) })"""
    assert tab.evaluate(overlapping) == []


def test_a_keyboard_reaches_the_verdict_and_opens_the_sql(tab: chromium.Page) -> None:
    tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = false); document.activeElement.blur()")
    tab.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    tab.press("Enter")
    assert tab.evaluate("location.hash") == "#verdict"
    tab.press("Tab")
    assert tab.evaluate("document.activeElement.tagName") == "SUMMARY"
    tab.press("Enter")
    assert tab.evaluate("document.activeElement.parentElement.open") is True


def test_a_screen_reader_is_told_what_every_table_and_picture_is(tab: chromium.Page) -> None:
    assert tab.evaluate("document.documentElement.lang") == "en"
    assert tab.evaluate("[...document.querySelectorAll('table')].filter(table => !table.caption?.textContent.trim()).length") == 0
    assert (
        tab.evaluate(
            "[...document.querySelectorAll('thead th, tbody th')].filter(cell => !cell.scope && !cell.ariaHidden).length"
        )
        == 0
    )
    assert (
        tab.evaluate(
            "[...document.querySelectorAll('svg')].filter(svg => !(svg.ariaHidden || svg.getAttribute('aria-label'))).length"
        )
        == 0
    )
    headings = tab.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(heading => +heading.tagName[1])")
    assert headings[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))


def test_on_paper_the_sql_is_printed_and_nothing_is_cut_off(tab: chromium.Page) -> None:
    tab.resize(794)  # A4 at 96 dots an inch
    tab.prefer("light", media="print")
    tab.evaluate("document.querySelectorAll('details').forEach(each => each.open = false)")
    hidden = (
        "[...document.querySelectorAll('details pre')].filter(pre => !pre.checkVisibility({contentVisibilityAuto: true})).length"
    )
    try:
        assert tab.evaluate(hidden) == 0
    finally:
        tab.prefer("light")
