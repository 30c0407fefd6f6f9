"""Masked snippets of conversations that a metric names: for the eyes of whoever asks, on the terminal, and in no file.

Text that scrub has been through, its stand-ins and every value by their kind. Masked is not anonymous: a name that scrub missed
is read by whoever asks. Where anything says that a personal detail or a secret was left, nothing is shown.
"""

from collections.abc import Collection, Sequence
from typing import Final

import polars as pl

from checks.readiness.corpus import Corpus
from checks.readiness.identifiers import find
from checks.readiness.measures.knowledge import read_answers
from checks.readiness.measures.privacy import is_surrogate
from checks.readiness.settings import ReadinessParams
from pipeline.errors import SourceError

MAX_CHARACTERS: Final = 80
BEFORE: Final = 30
"""Characters shown before the first masked value."""

PERSONAL: Final = frozenset({"M15", "M17"})
"""What these name holds personal details or secrets: it is not to be shown; the ids say where it is."""

WITHHELD: Final = "(not shown: it may hold a personal detail)"
NO_ANSWER: Final = "(no answer in it)"


def snippets(
    corpus: Corpus, metric: str, ids: Sequence[str], leaking: Collection[str], params: ReadinessParams
) -> dict[str, str]:
    """Conversation -> a piece of the answer that is in question: the first ungrounded one, else the first.

    Args:
        corpus: the line that was assessed.
        metric: the one whose records `ids` are.
        ids: conversations to show.
        leaking: conversations in which personal details were found; nothing of them is shown.
        params: of the assessment.

    Raises:
        SourceError: the metric is one of PERSONAL.
    """
    if metric in PERSONAL:
        raise SourceError(f"--show-snippets: what {metric} found is not to be shown; look the conversations up by their ids")
    turns = corpus.turns.filter(pl.col("conversation_id").is_in(list(ids)))
    chosen: dict[str, tuple[bool, int]] = {}
    for answer in read_answers(turns, corpus.surrogates, params):
        if (first := chosen.get(answer.conversation)) is None or (answer.is_ungrounded and not first[0]):
            chosen[answer.conversation] = (answer.is_ungrounded, answer.row)
    shown = dict.fromkeys(ids, NO_ANSWER)
    for conversation, (_, row) in chosen.items():
        text, masked = turns.select("text", "masked").row(row)
        written = corpus.surrogates.get(conversation, frozenset())
        is_left = any(not is_surrogate(hit.value.lower(), written) for hit in find(text))
        shown[conversation] = WITHHELD if is_left or conversation in leaking else _cut(masked)
    return shown


def _cut(masked: str) -> str:
    """One line of MAX_CHARACTERS at most, with the first masked value in it; what steers a terminal gives way to a blank."""
    line = " ".join("".join(one if one.isprintable() else " " for one in masked).split())
    if len(line) <= MAX_CHARACTERS:
        return line
    start = max(0, line.find("<") - BEFORE)
    ahead = "\u2026" if start else ""
    rest = line[start:]
    most = MAX_CHARACTERS - len(ahead)
    return ahead + (rest if len(rest) <= most else f"{rest[: most - 1]}\u2026")
