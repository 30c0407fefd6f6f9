"""Panel: which filter removed whom."""

from typing import Final

from checks.report.figure import Figure, Panel, named

PANEL: Final = Panel(
    "slices",
    "Who was removed",
    "A filter that takes one topic, language or channel and leaves another bends the set. Share of the scrubbed conversations "
    "of the slice that the reason cost.",
    tuple(
        Figure(
            name,
            title,
            f"""WITH slice AS (SELECT conversation_id, {named(column)} AS slice FROM scrubbed), size AS
            (SELECT slice, count(*) AS n FROM slice GROUP BY slice ORDER BY n DESC, slice LIMIT 25)
            SELECT slice AS {name}, reason, round(count(*) / any_value(n), 4) AS removed_share, count(*) AS conversations FROM
            dropped JOIN slice USING (conversation_id) JOIN size USING (slice) GROUP BY slice, reason
            ORDER BY any_value(n) DESC, slice, reason""",  # noqa: S608  # our own column names
            look="heat",
        )
        for name, column, title in (
            ("topic", "topics[1]", "By first topic, the 25 most frequent"),
            ("language", "language", "By language"),
            ("channel", "channel", "By channel"),
            ("source", "source", "By source"),
        )
    ),
)
