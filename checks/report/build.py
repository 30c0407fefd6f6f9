"""The content of the report: every panel with its numbers and their SQL; a function of tables, verdicts and history."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import polars as pl

from checks.readiness.evidence import read_kind
from checks.report import copies, funnel, gates, origin, privacy, readiness, shape, slices, synthetic, targets
from checks.report.figure import Answer, Panel, answer
from pipeline.answering.replies import FILE
from pipeline.errors import TableError
from pipeline.sql import NOUNS, Line, Rows, open_line
from pipeline.tables import MANIFEST, Table, code_digest, digest_of_package

PANELS: Final[Sequence[Panel]] = (
    gates.VERDICT,
    funnel.PANEL,
    gates.STAGES,
    privacy.PANEL,
    copies.PANEL,
    shape.PANEL,
    synthetic.PANEL,
    targets.PANEL,
    slices.PANEL,
    readiness.PANEL,
)
"""In the order of the page; what changed and how to make the same again follow."""

PICO: Final = 10**12
"""The account counts money in 1e-12 of a unit."""

Content = dict[str, Any]
"""`report.json`: version, state (see `state_of`), verdict, panels (name, title, about, figures), metrics."""

Verdicts = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Baseline:
    """What this state is compared with."""

    label: str
    metrics: Mapping[str, float | None]
    """`stage.name` -> value."""


def read_verdicts(reports: Path) -> dict[str, dict[str, Any]]:
    """The recorded verdicts by stage, in the order of the line; none where no gate judged yet.

    Raises:
        TableError: a report is cut off or no JSON.
    """
    verdicts: dict[str, dict[str, Any]] = {}
    for stage in NOUNS:
        path = reports / f"{stage}.json"
        try:
            verdicts[stage] = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise TableError(f"{path}: cannot be read; run ticketmill gate {stage} again") from error
    return verdicts


def tables_of(last: Path) -> list[Table]:
    """The tables of the line that ends in `last`, first stage first.

    Where `last` is missing, or older than what it was made from, as after a gate that said no: the longest line that holds
    together of those that end beside it; none where nothing was made yet.
    """
    beside = sorted(path.parent for path in last.parent.glob(f"*/{MANIFEST}") if not path.parent.name.startswith("."))
    lines: list[list[Table]] = []
    for folder in dict.fromkeys([last, *beside]):
        try:
            line = Table(folder).line()
        except TableError:
            continue  # not made, made by another version, or from a table that is gone
        lines.append(_sound(line))
        if folder == last and len(lines[0]) == len(line):
            return line
    return max(lines, key=len, default=[])


def _sound(line: list[Table]) -> list[Table]:
    """The tables up to the first that was made from an older state of the one before."""
    for place, (before, after) in enumerate(pairwise(line), start=1):
        if after.manifest.given_checksum != before.checksum:
            return line[:place]
    return line


def remembered(history: Sequence[Mapping[str, Any]]) -> list[tuple[int, str, str, float | None]]:
    """Rows of `runs` from the lines of the history, numbered from 1."""
    rows: list[tuple[int, str, str, float | None]] = []
    for run, entry in enumerate(history, start=1):
        rows += [(run, each["stage"], "kept", float(each["kept"])) for each in entry.get("funnel", [])]
        rows += [
            (run, stage, name, value)
            for stage, measures in entry.get("measures", {}).items()
            for name, value in measures.items()
            if name != "kept"
        ]
    return rows


def spending(replies: Path) -> list[tuple[str, int, int, float, int]]:
    """Rows of `spending` from the account beside the kept replies; none where no model was ever asked."""
    if not (replies / FILE).exists():
        return []
    try:
        with closing(sqlite3.connect(f"{(replies / FILE).resolve().as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute("SELECT budget, requests, tokens, cost, held_requests FROM account ORDER BY budget")
            return [(budget, requests, tokens, cost / PICO, held) for budget, requests, tokens, cost, held in rows]
    except sqlite3.Error:  # no account was opened yet
        return []


def planted(evidence: Path) -> list[tuple[str, str | None, str, int, int]]:
    """Rows of `planted` from the recall that `ticketmill readiness` measured; none where nothing was planted yet.

    Raises:
        SourceError: the file is not what it promises.
    """
    path = evidence / "planted.csv"
    if not path.is_file():
        return []
    return read_kind("planted", path).with_columns(pl.col("oddity").fill_null("plain")).rows()


def state_of(tables: Sequence[Table], verdicts: Verdicts, more: Rows) -> str:
    """16 hexadecimal digits over all that a report is made from, but the history and what it is compared with."""
    made_by = [version("ticketmill"), code_digest(), digest_of_package(Path(__file__).parents[1])]
    said = json.dumps([made_by, [table.checksum for table in tables], verdicts, more], sort_keys=True, default=str)
    return sha256(said.encode()).hexdigest()[:16]


def build(
    tables: Sequence[Table],
    verdicts: Verdicts,
    history: Sequence[Mapping[str, Any]] = (),
    more: Rows | None = None,
    against: Baseline | None = None,
) -> Content:
    """Ask every figure of every panel.

    `history`: lines of earlier runs, oldest first; without it the content follows from tables and verdicts alone.
    `more`: rows of `spending` and `planted`. `against`: what to compare with; None is the last run of the history that differs.
    """
    runs = remembered(history)
    if against is not None:
        runs += [(0, *name.split(".", 1), value) for name, value in against.metrics.items()]  # type: ignore[misc]  # two parts
    with open_line(tables, verdicts, {**(more or {}), "runs": runs}) as line:
        panels = [*PANELS, *_changes(line, len(history), against), origin.PANEL]
        return {
            "version": 1,
            "ticketmill": version("ticketmill"),
            "state": state_of(tables, verdicts, more or {}),
            "against": against.label if against else None,
            "verdict": _verdict(verdicts),
            "panels": [_fill(panel, line) for panel in panels],
            "metrics": {f"{stage}.{name}": value for stage, name, value in line.ask("FROM state ORDER BY ALL")[1]},
        }


def _verdict(verdicts: Verdicts) -> dict[str, Any]:
    failed = [stage for stage, verdict in verdicts.items() if not verdict["passed"]]
    return {
        "passed": not failed and set(verdicts) == set(NOUNS),
        "failed": failed,
        "judged": list(verdicts),
        "not_judged": [stage for stage in NOUNS if stage not in verdicts],
    }


def _changes(line: Line, runs: int, against: Baseline | None) -> list[Panel]:
    if against is not None:
        return [origin.changes(0, against.label)]
    last = line.ask(origin.LAST_DIFFERENT)[1][0][0]
    return [] if last is None else [origin.changes(last, f"run {last} of {runs}, the last one that differs")]


def _fill(panel: Panel, line: Line) -> dict[str, Any]:
    figures: list[Answer] = [found for figure in panel.figures if (found := answer(figure, line))]
    return {"name": panel.name, "title": panel.title, "about": panel.about, "figures": figures}
