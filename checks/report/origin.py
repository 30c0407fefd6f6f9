"""Panels: what changed since, and how to make the same again."""

from typing import Final

from checks.report.figure import Figure, Panel

CHANGED: Final = """SELECT state.stage, state.name, runs.value AS before, state.value AS now,
round(state.value - runs.value, 6) AS change FROM state JOIN runs ON runs.stage = state.stage AND runs.name = state.name
WHERE run = {run} AND runs.value IS DISTINCT FROM state.value ORDER BY state.stage, state.name"""

LAST_DIFFERENT: Final = """SELECT max(run) FROM runs JOIN state ON runs.stage = state.stage AND runs.name = state.name
WHERE runs.value IS DISTINCT FROM state.value"""


def changes(run: int, label: str) -> Panel:
    """What differs from a run of the history, as the `runs` table numbers it; 0 is another report."""
    return Panel(
        "changes",
        "What changed",
        f"Against {label}.",
        (Figure("changed", "Kept conversations and measures that differ", CHANGED.format(run=run)),),
    )


PANEL: Final = Panel(
    "reproduce",
    "How to make the same again",
    "The same received files, params, key and version give the same bytes, for any number of workers. "
    "ticketmill ledger proves the balance, ticketmill gate --all judges the tables again, ticketmill sql recomputes any number.",
    (
        Figure(
            "tables",
            "Tables",
            """SELECT stage, left(checksum, 16) AS table, fingerprint AS params_and_key, is_stale FROM line ORDER BY position""",
        ),
    ),
)
