"""Panel: duplicates, templates, and what two splits share."""

from typing import Final

from checks.report.figure import Figure, Panel

PANEL: Final = Panel(
    "duplicates",
    "Duplicates",
    "Near-duplicates form a cluster, of which one conversation is kept. A cluster never stands in two splits.",
    (
        Figure(
            "sizes",
            "Clusters by size",
            """SELECT CASE WHEN size < 5 THEN size::VARCHAR WHEN size < 10 THEN '5 to 9' WHEN size < 50 THEN '10 to 49'
            ELSE '50 and more' END AS conversations_in_it, count(*) AS clusters, sum(size)::BIGINT AS conversations FROM
            (SELECT count(*) AS size FROM deduped_clusters GROUP BY cluster_id)
            GROUP BY conversations_in_it ORDER BY min(size)""",
            look="bars",
            drawn="clusters",
        ),
        Figure(
            "similarity",
            "How alike dropped conversations are to the one kept in their place",
            """SELECT CASE WHEN similarity = 1 THEN 'identical' ELSE format('{:.2f} to {:.2f}', floor(similarity * 20) / 20,
            floor(similarity * 20) / 20 + 0.05) END AS jaccard, count(*) AS conversations FROM deduped_clusters
            WHERE NOT is_keeper GROUP BY jaccard ORDER BY min(similarity) DESC""",
            look="bars",
            drawn="conversations",
        ),
        Figure(
            "templates",
            "Canned replies",
            """SELECT (SELECT coalesce(sum(value), 0) FROM counts WHERE stage = 'dedupe' AND name = 'canned_replies')::BIGINT
            AS kept_with_words_of_another, (SELECT count(*) FROM dropped WHERE stage = 'dedupe' AND reason = 'template_limit')
            AS dropped_over_the_limit, (SELECT count(*) FROM deduped) AS kept""",
            note="Conversations in which the agents say the same words throughout as in another.",
        ),
        Figure(
            "leaks",
            "What stands in two splits (must be 0)",
            """SELECT 'customers' AS what, count(*) AS found FROM (SELECT customer_key FROM chat JOIN validated
            USING (conversation_id) WHERE customer_key IS NOT NULL GROUP BY customer_key HAVING count(DISTINCT split) > 1)
            UNION ALL SELECT 'clusters', count(*) FROM (SELECT cluster_id FROM chat GROUP BY cluster_id
            HAVING count(DISTINCT split) > 1) UNION ALL SELECT 'synthetic conversations outside train', count(*) FROM chat
            WHERE synthetic AND split <> 'train'""",
        ),
    ),
)
