"""Panel: what the set is good for, as `ticketmill readiness assess` found it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from checks.report.figure import Figure, Panel
from pipeline.errors import TableError

ASSESSMENT: Final = Path("readiness/assessment.json")
"""Below the folder of the reports."""

PANEL: Final = Panel(
    "readiness",
    "Ready for fine-tuning?",
    "One verdict per topic and one for the whole, from a table of rules whose first match decides. What was not measured is "
    "unknown and never a pass. The whole assessment stands in readiness/report.html beside this page; this is no statement of "
    "compliance with any law.",
    (
        Figure(
            "missing",
            "Evidence that nobody brought yet",
            "SELECT kind AS evidence, what FROM readiness_missing ORDER BY kind",
            note="Bring it with ticketmill readiness sample, plant and evidence add.",
        ),
        Figure(
            "verdict",
            "Verdict",
            """SELECT verdict, is_current AS of_these_tables, exported, looked_at, data_until FROM readiness""",
            note="of these tables: no means that the line moved on since; run ticketmill readiness assess again.",
        ),
        Figure(
            "bounds",
            "Bounds that the verdict rests on",
            """SELECT metric, measure, value, low, high, n, coalesce(unknown, '') AS unknown_because FROM readiness_values
            WHERE measure IN ('leak_upper', 'planted_shortfall', 'secrets', 'repeated_residuals', 'provenance', 'defect_upper',
            'effective_examples', 'coverage', 'marginal_gain', 'agreement', 'outdated_share', 'ungrounded_share',
            'multi_turn_ratio', 'near_copies', 'pilot_gain_lower') ORDER BY metric, measure""",
            note="leak upper, defect upper: one-sided 95 % bounds; low and high: two-sided 95 %.",
        ),
        Figure(
            "traffic",
            "Traffic by verdict, and once what decides it is done",
            """SELECT verdict, once_done, round(sum(share), 4) AS traffic_share, count(*) AS topics FROM readiness_topics
            GROUP BY verdict, once_done ORDER BY traffic_share DESC, verdict, once_done""",
            look="bars",
            drawn="traffic_share",
        ),
        Figure(
            "topics",
            "The 25 topics with most traffic",
            """SELECT topic, round(share, 4) AS traffic_share, verdict, once_done, next FROM readiness_topics
            ORDER BY share DESC, topic LIMIT 25""",
        ),
    ),
)


def assessed(reports: Path, tables: Sequence[Any]) -> Mapping[str, list[tuple[Any, ...]]]:
    """Rows of `readiness`, `readiness_topics`, `readiness_values` and `readiness_missing`; none where nothing was assessed yet.

    Raises:
        TableError: the assessment is cut off or no JSON.
    """
    path = reports / ASSESSMENT
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise TableError(f"{path}: cannot be read; run ticketmill readiness assess again") from error
    is_current = bool(tables) and found["table"] == tables[-1].checksum
    whole = [each for each in found["values"] if "topic" not in each]
    return {
        "readiness": [(found["verdict"], is_current, found["exported"], found["looked_at"], found["data_until"])],
        "readiness_missing": list(found["missing_evidence"].items()),
        "readiness_topics": [
            (
                each["topic"],
                each["share"],
                each["verdict"],
                each["then"],
                each["because"][0]["do"] if each["because"] else "train",
            )
            for each in found["topics"]
        ],
        "readiness_values": [
            tuple(each.get(name) for name in ("metric", "measure", "value", "low", "high", "n", "unknown")) for each in whole
        ],
    }
