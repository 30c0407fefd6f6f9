"""The assessment as files: flat metrics, everything as JSON, Markdown, one page of HTML, CSVs for plots, a history."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import jinja2
import polars as pl
from markupsafe import Markup, escape

from checks.readiness.advice import bounds_of, show
from checks.readiness.assess import Assessment
from checks.readiness.verdict import metrics, table
from pipeline.errors import TableError
from pipeline.tables import translated_errors, write_json

TEMPLATES: Final = Path(__file__).parents[1] / "templates"

SHOWN_TOPICS: Final = 60
SHOWN_RECORDS: Final = 20

PLOTS: Final = {
    "coverage": {"examples": pl.Int64, "coverage": pl.Float64},
    "marginal_value": {"examples": pl.Int64, "bits_per_token": pl.Float64, "gain": pl.Float64},
    "agreement": {"days": pl.Float64, "pairs": pl.Int64, "agreement": pl.Float64},
}
"""The curves that `dvc plots` shows, and their columns where nothing was measured."""

TOPIC_COLUMNS: Final = (
    ("n_eff", "effective_examples"),
    ("coverage", "coverage"),
    ("a0", "agreement"),
    ("half-life", "half_life_days"),
    ("ungrounded", "ungrounded_share"),
    ("defects ≤", "defect_upper"),
)

MEANINGS: Final = {
    "do-not-fine-tune:privacy": "Do not train on this set: personal data or secrets are in it, or nobody may use it yet.",
    "do-not-fine-tune:privacy-unmeasured": "Do not train on this set yet: whether it is clean has not been measured.",
    "collect-or-repair": "The set is too small or too faulty to learn from: repair or collect first.",
    "use-rag-or-prompting": "Most of this is better looked up or prompted than trained.",
    "pilot-first": "Nothing speaks against a pilot; whether tuning pays is not shown yet.",
    "fine-tune-now": "The evidence supports tuning on this set.",
}


def write(assessment: Assessment, target: Path) -> None:
    """Write every file of the report into `target`: the same assessment, the same bytes.

    Raises:
        TableError: the folder cannot be written, or its history is not readable.
    """
    with translated_errors(target):
        (target / "plots").mkdir(parents=True, exist_ok=True)
        history = _remember(assessment, target / "history.parquet")
        view = _view(assessment, history)
        write_json(target / "readiness.json", assessment.metrics())
        write_json(target / "assessment.json", assessment.to_json())
        _write(target / "report.md", _environment(html=False).get_template("readiness.md.jinja").render(view))
        _write(target / "report.html", _environment(html=True).get_template("readiness.html.jinja").render(view))
        for name, columns in PLOTS.items():
            rows = assessment.tables.get(name, pl.DataFrame(schema=columns))
            rounded = rows.with_columns(pl.col(pl.Float64).round(6)) if rows.width else rows
            _write(target / "plots" / f"{name}.csv", rounded.write_csv())


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(f"{path.name}.writing")
    unfinished.write_text(text, "utf-8")
    unfinished.replace(path)


def _environment(*, html: bool) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=html,  # noqa: S701  # Markdown is not HTML
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["code"] = _with_code
    environment.filters["cell"] = lambda text: str(text).replace("|", "\\|").replace("\n", " ")
    return environment


def _with_code(text: str) -> Markup:
    """HTML in which `commands` are code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  # escaped before


HISTORY: Final = {
    "run": pl.Int64,
    "fingerprint": pl.String,
    "data_until": pl.String,
    "exported": pl.Int64,
    "verdict": pl.String,
    "metrics": pl.String,
}


def _remember(assessment: Assessment, path: Path) -> pl.DataFrame:
    """Append this run, unless it is the last one again; returns the whole history."""
    try:
        history = pl.read_parquet(path, glob=False) if path.exists() else pl.DataFrame(schema=HISTORY)
    except pl.exceptions.PolarsError as error:
        raise TableError(f"{path}: cannot be read; move it away and run again") from error
    if history.height and history["fingerprint"][-1] == assessment.fingerprint:
        return history
    row = {
        "run": history.height + 1,
        "fingerprint": assessment.fingerprint,
        "data_until": assessment.data_until,
        "exported": assessment.exported,
        "verdict": assessment.verdict,
        "metrics": json.dumps(assessment.metrics(), sort_keys=True),
    }
    history = pl.concat([history, pl.DataFrame([row], schema=HISTORY)])
    unfinished = path.with_name(f"{path.name}.writing")
    history.write_parquet(unfinished, compression="zstd")
    unfinished.replace(path)
    return history


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What changed between two flat metrics files: name, before, after; unchanged ones are left out."""
    names = sorted(set(before) | set(after))
    return [
        {"measure": name, "before": before.get(name), "after": after.get(name)}
        for name in names
        if before.get(name) != after.get(name)
    ]


def _view(assessment: Assessment, history: pl.DataFrame) -> dict[str, Any]:
    """What the templates show; every number is text already, so that both pages say the same."""
    plain = assessment.to_json()
    deciding = sorted(
        (each for each in plain["topics"] if each["verdict"] == assessment.verdict), key=lambda each: -each["share"]
    )
    before = json.loads(history["metrics"][-2]) if history.height > 1 else None
    changes = compare(before, assessment.metrics()) if before else []
    topic_rows = [_topic_row(assessment, each) for each in plain["topics"][:SHOWN_TOPICS]]
    return {
        **plain,
        "meaning": MEANINGS[assessment.verdict],
        "traffic_shown": [(name, show(share, "coverage")) for name, share in plain["traffic"].items()],
        "deciding": _merge([each["because"] for each in deciding]),
        "then_shown": [(name, show(share, "coverage")) for name, share in plain["then"].items()],
        "ahead": _merge([each["ahead"] for each in deciding]),
        "topic_rows": topic_rows,
        "any_bracket": any(cell.startswith("(") for row in topic_rows for cell in row["cells"]),
        "more_topics": max(0, len(plain["topics"]) - SHOWN_TOPICS),
        "topic_headings": [heading for heading, _ in TOPIC_COLUMNS],
        "families": _families(assessment),
        "unmeasured": _unmeasured(assessment),
        "comparisons": COMPARISONS,
        "curves": {name: _curve(assessment.tables.get(name)) for name in PLOTS},
        "rows": table()["rows"],
        "changes": [
            {"measure": each["measure"], "before": _plainly(each["before"]), "after": _plainly(each["after"])} for each in changes
        ],
        "runs": history.height,
        "tables_shown": _tables(assessment),
        "shown_records": SHOWN_RECORDS,
    }


def _topic_row(assessment: Assessment, topic: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "topic": topic["topic"],
        "share": show(topic["share"], "coverage"),
        "verdict": topic["verdict"],
        "then": topic["then"],
        "cells": [_topic_cell(assessment, measure, topic["topic"]) for _, measure in TOPIC_COLUMNS],
        "next": topic["because"][0]["do"] if topic["because"] else "train, and measure again",
    }


def _topic_cell(assessment: Assessment, measure: str, topic: str) -> str:
    """A value of the topic; in brackets that of the whole set, where the topic has none of its own."""
    found = assessment.values.get(measure, _named(topic))
    if found is None or (found.value is None and not (found.unknown or "").startswith("longer than")):
        return "unknown"
    shown = "stable" if found.value is None else show(found.value, measure)
    return shown if found.topic == _named(topic) else f"({shown})"


COMPARISONS: Final = {
    "above": "at most",
    "below": "at least",
    "at_least": "below",
    "at_most": "above",
    "unknown": "must be known",
    "is": "declared",
}
"""What is asked for, where a condition says what is wrong."""


def _unmeasured(assessment: Assessment) -> list[dict[str, str]]:
    """Metric, title, its unknown measures and why; one line per metric and reason."""
    lines: dict[tuple[str, str], list[str]] = {}
    for metric, entry in metrics().items():
        for measure in entry["measures"]:
            found = assessment.values.own(measure, None)
            if found is not None and found.value is None and metric not in assessment.not_applicable:
                lines.setdefault((metric, found.unknown or "not measured"), []).append(measure)
    titles = metrics()
    return [
        {
            "metric": metric,
            "title": titles[metric]["title"],
            "tier": titles[metric]["tier"],
            "measures": ", ".join(found),
            "why": why,
        }
        for (metric, why), found in lines.items()
    ]


def _named(topic: str) -> str | None:
    return None if topic == "(whole set)" else topic


def _plainly(value: Any) -> str:
    return "unknown" if value is None else f"{value:,.4g}" if isinstance(value, int | float) else str(value)


def _merge(because: Sequence[Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Conditions of several topics, each once: as it stands in the topic with most traffic, and in how many more it holds."""
    seen: dict[str, list[Mapping[str, Any]]] = {}
    for findings in because:
        for finding in findings:
            seen.setdefault(finding["condition"], []).append(finding)
    order = sorted(seen.values(), key=lambda found: [int(step) for step in found[0]["condition"].split(".")])
    merged = []
    for found in order:
        others = sum((each["do"], each["value"]) != (found[0]["do"], found[0]["value"]) for each in found[1:])
        text = f"{found[0]['do']} (and in {others} more topics)" if others else found[0]["do"]
        merged.append({**found[0], "do": text})
    return merged


def _families(assessment: Assessment) -> list[dict[str, Any]]:
    """Per metric: title, tier, definition and the values of the whole set."""
    families = []
    for metric, entry in metrics().items():
        shown = []
        for measure in entry["measures"]:
            found = assessment.values.own(measure, None)
            if found is None:
                continue
            shown.append(
                {
                    "measure": measure,
                    "value": show(found.value, measure),
                    "bounds": bounds_of(found),
                    "n": "" if found.n is None else f"{found.n:,}",
                    "unknown": found.unknown or "",
                    "records": list(found.records),
                }
            )
        families.append(
            {
                "metric": metric,
                "title": entry["title"],
                "tier": entry["tier"],
                "definition": entry["definition"],
                "values": shown,
                "not_applicable": assessment.not_applicable.get(metric, ""),
            }
        )
    return families


SHOWN_TABLES: Final = {
    "waterfall": "From raw logs to effective examples",
    "residuals": "Identifiers and secrets left, by kind (values are never shown)",
    "planted_recall": "Recall of planted identifiers, with its lower bound",
    "k_map": "Conversations by k, the number of those that share their quasi-identifiers",
    "sent": "What was sent to models",
    "lost": "Survival by slice, flagged ones and the worst first, and the stage that took more of it than of the others",
    "answer_parity": "Answers by slice",
    "name_swaps": "Answers to the same questions under other names, by group",
    "boundary": "Boundary and refusals by declared language; empty where there is no lexicon",
    "moved_topics": "Topics gained and lost",
    "uncovered": "Topics with most later traffic that nothing in training resembles",
    "synthetic": "Share of synthetic answers by topic",
    "arms": "Scores of baselines and pilots",
    "exchanges": "Exchanges per conversation, raw and exported",
    "job": "Tokens of a training run",
}
MAX_SHOWN_ROWS: Final = 40


def _tables(assessment: Assessment) -> list[dict[str, Any]]:
    shown = []
    for name, title in SHOWN_TABLES.items():
        found = assessment.tables.get(name)
        if found is None or found.is_empty():
            continue
        rows = [[_cell(value) for value in row] for row in found.head(MAX_SHOWN_ROWS).iter_rows()]
        shown.append({"title": title, "headings": found.columns, "rows": rows, "more": max(0, found.height - MAX_SHOWN_ROWS)})
    return shown


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)


WIDTH: Final = 320
HEIGHT: Final = 120


def _curve(rows: pl.DataFrame | None) -> dict[str, Any] | None:
    """A curve as an SVG polyline with its ends named: first column across, the last one up."""
    if rows is None or rows.height < 2:  # noqa: PLR2004  # a line needs two points
        return None
    across, up = (
        rows.columns[0],
        "coverage" if "coverage" in rows.columns else "agreement" if "agreement" in rows.columns else "bits_per_token",
    )
    points = [(float(x), float(y)) for x, y in rows.select(across, up).drop_nulls().iter_rows()]
    if len(points) < 2:  # noqa: PLR2004  # as above
        return None
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    low, high = min(y for _, y in points), max(y for _, y in points)
    line = " ".join(
        f"{(x - left) / ((right - left) or 1) * WIDTH:.1f},{HEIGHT - (y - low) / ((high - low) or 1) * HEIGHT:.1f}"
        for x, y in points
    )
    return {
        "points": line,
        "across": across,
        "up": up,
        "left": f"{left:,.4g}",
        "right": f"{right:,.4g}",
        "low": f"{low:.3g}",
        "high": f"{high:.3g}",
    }
