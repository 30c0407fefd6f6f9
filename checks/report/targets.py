"""Panel: what is left of the rows where each consumer cuts them."""

from typing import Final

from checks.report.figure import Figure, Panel

PANEL: Final = Panel(
    "targets",
    "Targets",
    "Every trainer cuts what is too long for it, most of them silently, unless told otherwise. This is what its default costs.",
    (
        Figure(
            "files",
            "Written formats and their rows",
            """SELECT format, split, count(*) AS rows, sum(tokens)::BIGINT AS tokens FROM
            (SELECT unnest(formats) AS format, split, tokens FROM chat) GROUP BY ALL ORDER BY format, rows DESC, split""",
        ),
        Figure(
            "truncation",
            "Cut by each consumer's default",
            """WITH long AS (SELECT format, conversation_id, cuts_at_tokens AS cut, tokens FROM chat CROSS JOIN consumers
            WHERE tokens > cuts_at_tokens), size AS (SELECT conversation_id, sum(len(t.text)) AS characters,
            sum(len(t.text)) FILTER (t.speaker IN ('agent', 'bot')) AS trained FROM
            (SELECT conversation_id, unnest(turns) AS t FROM validated) GROUP BY conversation_id),
            ends AS (SELECT format, cut, long.tokens, characters, t.trained, t.n, sum(t.n) OVER
            (PARTITION BY format, conversation_id ORDER BY t.place) AS upto FROM long JOIN size USING (conversation_id) JOIN
            (SELECT conversation_id, unnest([{'place': i, 'n': len(turns[i].text),
            'trained': turns[i].speaker IN ('agent', 'bot')} for i in range(1, len(turns) + 1)]) AS t FROM validated
            WHERE conversation_id IN (SELECT conversation_id FROM long))
            USING (conversation_id)), lost AS (SELECT format, sum(greatest(0, least(n * tokens / characters,
            upto * tokens / characters - cut))::BIGINT) FILTER (trained) AS trained FROM ends GROUP BY format),
            total AS (SELECT sum((tokens * trained / characters)::BIGINT) AS trained, count(*) AS rows,
            sum(tokens) AS tokens FROM chat JOIN size USING (conversation_id))
            SELECT consumers.format, cuts_at_tokens, (SELECT count(*) FROM long WHERE long.format = consumers.format) AS rows_cut,
            round((SELECT count(*) FROM long WHERE long.format = consumers.format) / total.rows, 4) AS rows_cut_share,
            coalesce((SELECT sum(tokens - cut) FROM long WHERE long.format = consumers.format), 0)::BIGINT AS tokens_lost,
            coalesce(lost.trained, 0)::BIGINT AS trained_tokens_lost,
            round(coalesce(lost.trained, 0) / total.trained, 4) AS trained_tokens_lost_share
            FROM consumers LEFT JOIN lost USING (format) CROSS JOIN total WHERE cuts_at_tokens IS NOT NULL AND total.rows > 0
            ORDER BY trained_tokens_lost DESC, rows_cut DESC, consumers.format""",
            note="Were the same conversations given to it. Trained tokens are those of answers; within a conversation they "
            "are estimated from characters. The gate after emit reads the written files themselves.",
        ),
        Figure(
            "lost",
            "Conversations a format cannot hold",
            """SELECT name, value AS conversations FROM counts WHERE stage = 'emit' AND name LIKE '%!_lost!_%' ESCAPE '!'
            ORDER BY value DESC, name""",
            look="bars",
            drawn="conversations",
        ),
    ),
)
