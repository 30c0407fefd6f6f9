"""Panel: answers that a model or another conversation gave."""

from typing import Final

from checks.report.figure import Figure, Panel, named

PANEL: Final = Panel(
    "synthetic",
    "Synthetic answers",
    "Where nobody had answered a customer, an answer was asked for. Not every question gets one: a gap is named, not filled.",
    (
        Figure(
            "fates",
            "What became of the questions",
            """SELECT fate, coalesce(reason, '(accepted)') AS reason, count(*) AS questions FROM generated_asked
            GROUP BY ALL ORDER BY questions DESC, fate, reason""",
            look="bars",
            drawn="questions",
        ),
        Figure(
            "rejected",
            "Answers that were not accepted",
            "SELECT reason, count(*) AS answers FROM generated_rejected GROUP BY reason ORDER BY answers DESC, reason",
            look="bars",
            drawn="answers",
        ),
        Figure(
            "topics",
            "Share of synthetic conversations by topic",
            f"""SELECT topic, count(*) AS conversations, count(*) FILTER (synthetic) AS synthetic,
            round(count(*) FILTER (synthetic) / count(*), 4) AS synthetic_share FROM
            (SELECT {named("topics[1]")} AS topic, synthetic FROM validated)
            GROUP BY topic ORDER BY synthetic_share DESC, conversations DESC, topic LIMIT 25""",  # noqa: S608
            look="bars",
            drawn="synthetic_share",
        ),
        Figure(
            "models",
            "Who answered",
            """SELECT t.generation.provider AS provider, t.generation.model AS model, t.generation.prompt_version AS
            prompt_version, count(*) AS answers, count(*) FILTER (len(t.generation.grounding) > 0) AS grounded FROM
            (SELECT unnest([t for t in turns if t.generation.provider is not null]) AS t FROM generated)
            GROUP BY ALL ORDER BY ALL""",
        ),
        Figure(
            "cost",
            "What was spent",
            "SELECT budget, requests, held_requests, tokens, round(cost, 6) AS cost FROM spending ORDER BY budget",
            note="From the account beside the kept replies, over all runs, in the currency of generate.prices.",
        ),
    ),
)
