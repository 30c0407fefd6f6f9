"""Panel: what was found and replaced, and how sure it is that nothing is left."""

from typing import Final

from checks.report.figure import Figure, Panel

PANEL: Final = Panel(
    "privacy",
    "Privacy",
    "What an export itself states about its people is looked for again in the finished text, and a second detector looks "
    "for identifiers. Neither proves that nothing is left: the bound says how much could be, at 95 % certainty.",
    (
        Figure(
            "sweep",
            "Known values that can still be read",
            """SELECT n::BIGINT AS looked_for, hits::BIGINT AS still_readable, round(1 - hits / n, 6) AS removed_share,
            round(CASE WHEN hits = 0 THEN pow(0.05, 1 / n)
            ELSE 1 - (hits / n + 1.3530 / n + 1.645 * sqrt(hits / n * (1 - hits / n) / n + 0.6765 / n / n)) / (1 + 2.7060 / n)
            END, 6) AS at_least_share
            FROM (SELECT max(value) FILTER (measure = 'known_values') AS n, max(value) FILTER (measure = 'known_value_hits') AS
            hits FROM measures WHERE stage = 'scrub') WHERE n > 0 AND hits IS NOT NULL""",
            note="at least: exact binomial bound where nothing was found, Wilson's otherwise; one-sided, 95 %.",
        ),
        Figure(
            "residual",
            "What the second detector still sees",
            """SELECT measure, value::BIGINT AS finds FROM measures WHERE stage = 'scrub'
            AND measure IN ('emails', 'cards', 'ibans', 'ip_addresses', 'phones', 'secrets') ORDER BY measure""",
        ),
        Figure(
            "findings",
            "Replaced, by type",
            """SELECT entity_type, count(*) AS findings, count(DISTINCT conversation_id) AS conversations
            FROM scrubbed_findings GROUP BY entity_type ORDER BY findings DESC, entity_type""",
            look="bars",
            drawn="findings",
        ),
        Figure(
            "recognizers",
            "Which recognizer found what",
            """SELECT entity_type, regexp_replace(recognizer, 'Recognizer$', '') AS recognizer, count(*) AS findings
            FROM scrubbed_findings GROUP BY ALL ORDER BY entity_type, recognizer""",
            look="bars",
            drawn="findings",
        ),
        Figure(
            "recall",
            "Planted values that were found, at least",
            """SELECT concat_ws(', ', entity_type, planted_group) AS planted, oddity, round(CASE WHEN found = n
            THEN pow(0.05, 1 / n) ELSE 1 - (1 - found / n + 1.3530 / n + 1.645 * sqrt(found / n * (1 - found / n) / n
            + 0.6765 / n / n)) / (1 + 2.7060 / n) END, 4) AS at_least_share, found, n FROM planted ORDER BY planted, oddity""",
            note="Invented values put into copies of the texts; the darker, the more may be left. One-sided, 95 %: exact "
            "where all were found, Wilson's bound otherwise.",
            look="heat",
        ),
        Figure(
            "examples",
            "One find of each type, masked",
            """SELECT entity_type, repeat('•', least(found.end - found.start, 24)) AS masked,
            found.end - found.start AS characters, conversation_id, turn_id, found.start AS at FROM
            (SELECT * FROM scrubbed_findings QUALIFY row_number() OVER
            (PARTITION BY entity_type ORDER BY conversation_id, turn_id, start) = 1) AS found ORDER BY entity_type""",
            note="Where it stood in the text before scrubbing; ticketmill trace says what became of the conversation.",
        ),
    ),
)
