"""One metric explained: what it is, its limits, where they come from, which rows look at it, what was measured."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from checks.readiness.advice import show
from checks.readiness.verdict import metrics, table
from pipeline.errors import SourceError


def read_metrics(path: Path) -> dict[str, Any]:
    """A flat metrics file, or that of a report's folder.

    Raises:
        SourceError: there is none, or it is not what assess writes.
    """
    return _read(path / "readiness.json" if path.is_dir() else path)


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise SourceError(f"{file}: no such file; run `ticketmill readiness assess` first") from None
    except (OSError, ValueError) as error:
        raise SourceError(f"{file}: is not JSON; run `ticketmill readiness assess` again") from error
    if not isinstance(content, dict):
        raise SourceError(f"{file}: is not what assess writes; name its report")
    return content


def describe(metric: str, topic: str | None, report: Path) -> dict[str, Any]:
    """Title, tier, definition, values, limits and conditions of a metric.

    Raises:
        SourceError: no such metric, or the report is missing.
    """
    catalogue, metric = metrics(), metric.upper()
    if metric not in catalogue:
        raise SourceError(f"{metric}: no such metric; there are M01 to M{len(catalogue)}")
    entry = catalogue[metric]
    assessment = _read(report / "assessment.json")
    known = [each["topic"] for each in assessment["topics"]]
    if topic is not None and topic not in known:
        raise SourceError(f"--topic: the report has no {topic!r}; it has {', '.join(known)}")
    of_topic = [each for each in assessment["values"] if each["metric"] == metric and each.get("topic") == topic]
    conditions = [
        {"row": row["row"], "verdict": row["verdict"], "do": _read_aloud(condition["do"]), "names": _names(condition)}
        for row in table()["rows"]
        for condition in row["conditions"]
        if _measures(condition) & set(entry["measures"])
    ]
    named = {name for condition in conditions for name in condition["names"]}
    return {
        "metric": metric,
        "title": entry["title"],
        "tier": entry["tier"],
        "definition": entry["definition"],
        "values": [{**each, "shown": show(each["value"], each["measure"]), "beside": _beside(each)} for each in of_topic],
        "limits": [each for each in assessment["limits"] if each["name"] in named],
        "conditions": conditions,
    }


def require_assessed(report: Path, table: str, metrics_of: Collection[str]) -> set[str]:
    """The conversations that these metrics name, in a report that must be of the table with this checksum.

    Raises:
        SourceError: it is of other tables, or missing.
    """
    assessment = _read(report / "assessment.json")
    if assessment["table"] != table:
        raise SourceError(f"{report}: is of other tables; run `ticketmill readiness assess` again")
    return {one for each in assessment["values"] if each["metric"] in metrics_of for one in each.get("records", [])}


def _read_aloud(do: str) -> str:
    """What to do, with n for the numbers that are worked out where a condition holds."""
    return do.format(more="n", value="n", limit="the limit", detail="which and where")


def _beside(each: dict[str, Any]) -> str:
    parts = []
    if "low" in each and "high" in each:
        parts.append(f"95 %: {show(each['low'], each['measure'])} to {show(each['high'], each['measure'])}")
    if "n" in each:
        parts.append(f"n = {each['n']:,}")
    if "detail" in each:
        parts.append(each["detail"])
    if "unknown" in each:
        parts.append(each["unknown"])
    return f" ({'; '.join(parts)})" if parts else ""


def _measures(condition: dict[str, Any]) -> set[str]:
    nested = [*condition.get("all", []), *condition.get("any", [])]
    found = {condition["measure"]} if "measure" in condition else set()
    unknown = condition.get("unknown", [])
    found |= {unknown} if isinstance(unknown, str) else set(unknown)
    return found.union(*map(_measures, nested))


def _names(condition: dict[str, Any]) -> list[str]:
    nested = [*condition.get("all", []), *condition.get("any", [])]
    own = [condition[key] for key in ("above", "below", "at_least", "at_most") if condition.get(key, "none") != "none"]
    return [*own, *(name for each in nested for name in _names(each))]
