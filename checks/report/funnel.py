"""Panel: from raw logs to chat examples."""

from typing import Final

from checks.report.figure import Figure, Panel
from pipeline.reading.drafts import LEFT_OUT

_IS_LEFT_OUT: Final = " OR ".join(f"starts_with(name, '{name}')" for name in LEFT_OUT)

PANEL: Final = Panel(
    "funnel",
    "From raw logs to chat examples",
    "Every conversation that enters a stage, or is made up by it, leaves it once: kept, or dropped for a reason.",
    (
        Figure(
            "stages",
            "Conversations by stage",
            """SELECT stage, coalesce(k.n, 0) + coalesce(d.n, 0) - coalesce(a.n, 0) AS given,
            coalesce(k.n, 0) AS kept, coalesce(d.n, 0) AS dropped,
            coalesce(a.n, 0) AS added
            FROM line LEFT JOIN (SELECT stage, count(*) AS n FROM kept GROUP BY stage) AS k USING (stage)
            LEFT JOIN (SELECT stage, count(*) AS n FROM dropped GROUP BY stage) AS d USING (stage)
            LEFT JOIN (SELECT stage, count(*) AS n FROM added GROUP BY stage) AS a USING (stage) ORDER BY position""",
        ),
        Figure(
            "reasons",
            "Dropped, by reason",
            """SELECT stage, reason, count(*) AS conversations FROM dropped JOIN line USING (stage)
            GROUP BY position, stage, reason ORDER BY position, conversations DESC, reason""",
            look="bars",
            drawn="conversations",
        ),
        Figure(
            "balance",
            "Conversations lost, invented or left twice (0 in a sound line)",
            """WITH leaving AS (SELECT stage, conversation_id, count(*) AS times FROM
            (SELECT stage, conversation_id FROM kept UNION ALL SELECT stage, conversation_id FROM dropped) GROUP BY ALL),
            entering AS (SELECT after.stage, conversation_id FROM kept JOIN line AS before USING (stage)
            JOIN line AS after ON after.position = before.position + 1 UNION ALL SELECT stage, conversation_id FROM added)
            SELECT line.stage, count(*) FILTER (WHERE leaving.times IS DISTINCT FROM 1 OR
            (entering.conversation_id IS NULL AND line.position > 0)) AS unbalanced FROM line LEFT JOIN
            (entering FULL JOIN leaving USING (stage, conversation_id)) USING (stage) GROUP BY line.stage, line.position
            ORDER BY line.position""",
        ),
        Figure(
            "quarantined",
            "Received rows that became no conversation",
            "SELECT reason, count(*) AS rows FROM ingested_quarantined GROUP BY reason ORDER BY rows DESC, reason",
            look="bars",
            drawn="rows",
        ),
        Figure(
            "left_out",
            "Received and no turn",
            f"""SELECT name, value AS times FROM counts WHERE stage = 'ingest' AND ({_IS_LEFT_OUT})
            ORDER BY times DESC, name""",  # noqa: S608  # names of our own
            "What could be read and is neither a customer's word nor one to them: mails.internal is what staff wrote to staff "
            "alone; what the others are stands in the page of their format (docs/sources).",
            look="bars",
            drawn="times",
        ),
    ),
)
