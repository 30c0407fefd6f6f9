"""Panels on what the gates said: the verdicts first, and every measure with its bound further down."""

from typing import Final

from checks.report.figure import Figure, Panel

VERDICT: Final = Panel(
    "verdict",
    "Verdict",
    "Six gates, one after each stage. A gate that says no stops the line: nothing after it is made from that table.",
    (
        Figure(
            "gates",
            "The six gates",
            """SELECT stage, passed, is_current, (SELECT count(*) FROM judgements WHERE judgements.stage = gates.stage) AS judged,
            (SELECT count(*) FROM judgements WHERE judgements.stage = gates.stage AND NOT judgements.passed) AS failed,
            (SELECT count(*) FROM judgements WHERE judgements.stage = gates.stage AND NOT judgements.passed
            AND severity = 'warn') AS warned
            FROM gates ORDER BY position""",
        ),
        Figure(
            "failed",
            "Bounds that were not met",
            """SELECT stage, measure, severity, value, least, most, margin, meaning, at_fault FROM judgements WHERE NOT passed
            ORDER BY stage, place""",
        ),
    ),
)

STAGES: Final = Panel(
    "stages",
    "What each gate measured",
    "The margin is the distance to the nearer bound, negative beyond it. A measure that could not be taken fails.",
    (
        Figure(
            "judgements",
            "Measures with a bound",
            "SELECT stage, measure, value, least, most, margin, passed, severity FROM judgements ORDER BY stage, place",
        ),
        Figure(
            "unbounded",
            "Measures for information",
            """SELECT stage, measure, value FROM measures WHERE measure NOT IN
            (SELECT measure FROM judgements WHERE judgements.stage = measures.stage) ORDER BY stage, measure""",
        ),
        Figure("counts", "What the stages counted", "SELECT stage, name, value FROM counts ORDER BY stage, name"),
        Figure(
            "trend",
            "The same over the last runs",
            """SELECT stage, name, run, value FROM runs WHERE run > (SELECT max(run) FROM runs) - 20
            ORDER BY stage, name, run""",
        ),
    ),
)
