"""Panel: what the conversations look like."""

from typing import Final

from checks.report.figure import Figure, Panel, named

PANEL: Final = Panel(
    "shape",
    "Conversations",
    "What the chat files hold.",
    (
        Figure(
            "splits",
            "Splits",
            """SELECT split, count(*) AS conversations, sum(tokens)::BIGINT AS tokens,
            quantile_disc(tokens, 0.5) AS median_tokens,
            quantile_disc(tokens, 0.95) AS tokens_p95, max(tokens) AS longest,
            count(DISTINCT cluster_id) AS clusters FROM chat GROUP BY split
            ORDER BY CASE split WHEN 'train' THEN 1 WHEN 'validation' THEN 2 ELSE 3 END""",
        ),
        Figure(
            "turns",
            "Turns per conversation",
            """SELECT CASE WHEN n < 10 THEN n::VARCHAR WHEN n < 20 THEN '10 to 19' WHEN n < 50 THEN '20 to 49'
            ELSE '50 and more' END AS turns, count(*) AS conversations FROM (SELECT len(turns) AS n FROM validated)
            GROUP BY 1 ORDER BY min(n)""",
            look="bars",
            drawn="conversations",
        ),
        Figure(
            "tokens",
            "Tokens per conversation",
            """SELECT format('{} to {}', (2 ** floor(log2(greatest(tokens, 1))))::BIGINT,
            (2 ** (floor(log2(greatest(tokens, 1))) + 1) - 1)::BIGINT) AS tokens, count(*) AS conversations FROM chat
            GROUP BY 1 ORDER BY min(chat.tokens)""",
            look="bars",
            drawn="conversations",
        ),
        Figure(
            "months",
            "Opened, by month",
            """SELECT coalesce(strftime(opened_at, '%Y-%m'), '(not stated)') AS month, count(*) AS conversations,
            count(*) FILTER (synthetic) AS synthetic FROM chat GROUP BY month ORDER BY month""",
            look="columns",
            drawn="conversations",
        ),
        *(
            Figure(
                f"{column}s",
                title,
                f"""SELECT {column}, count(*) AS conversations FROM (SELECT {named(column)} AS {column} FROM validated)
                GROUP BY {column} ORDER BY conversations DESC, {column} LIMIT 25""",  # noqa: S608  # our own column names
                look="bars",
                drawn="conversations",
            )
            for column, title in (
                ("language", "Languages"),
                ("channel", "Channels"),
                ("source", "Sources"),
                ("product", "Products, the 25 most frequent"),
            )
        ),
        Figure(
            "speakers",
            "Who speaks",
            """SELECT t.speaker AS speaker, t.origin AS origin, count(*) AS turns FROM
            (SELECT unnest([{'speaker': t.speaker, 'origin': t.origin} for t in turns]) AS t FROM validated)
            GROUP BY ALL ORDER BY ALL""",
            look="heat",
        ),
        Figure(
            "edits",
            "Edits and flags",
            """SELECT name, kind, count(*) AS conversations FROM (SELECT unnest(edits) AS name, 'edit' AS kind FROM validated
            UNION ALL SELECT unnest(flags), 'flag' FROM validated) GROUP BY ALL ORDER BY conversations DESC, name, kind""",
            look="bars",
            drawn="conversations",
            note="An edit changed the conversation; a flag is there to weigh.",
        ),
    ),
)
