"""What becomes of a conversation after its source has assembled it, the same for every source.

In this order: mail loses what its author did not write, notices nobody wrote to anybody are recognised and counted, and a
thread that was silent for longer than `reopened_after_days` becomes one conversation per opening.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pipeline.mail.cleaning import clean_mail
from pipeline.reading.drafts import LANGUAGE, Draft, DraftTurn, Refused, SourceSettings
from pipeline.reading.notices import notice_of

MAIL_CHANNELS: Final = frozenset({"email", "mail", "e-mail", "email_case", "outbound_email", "forwarded_email"})
"""What sources call the channel of a mail."""

LANGUAGE_NAMES: Final = {
    "english": "en", "german": "de", "french": "fr", "spanish": "es", "italian": "it", "portuguese": "pt", "dutch": "nl",
    "polish": "pl", "swedish": "sv", "danish": "da", "finnish": "fi", "norwegian": "no", "czech": "cs", "turkish": "tr",
    "russian": "ru", "ukrainian": "uk", "japanese": "ja", "chinese": "zh", "korean": "ko", "arabic": "ar", "hebrew": "he",
    "hindi": "hi", "greek": "el", "hungarian": "hu", "romanian": "ro", "thai": "th", "vietnamese": "vi", "indonesian": "id",
}  # fmt: skip
"""English names that exports write instead of a code -> ISO 639-1."""

GONE: Final = re.compile(r"\[ ?(?:deleted|removed)(?: (?:by|message|post|user)[^\[\]\n]{0,30})? ?\]", re.IGNORECASE)
"""What forums put in the place of a post that somebody took back."""

DAY: Final = 86_400_000_000
"""Microseconds."""


def finished(draft: Draft, settings: SourceSettings) -> Sequence[Draft]:
    """The conversations that `draft` is, in order; its turns and counts are changed in place. None where no turn is left.

    Raises:
        Refused: the language is neither a code nor one of LANGUAGE_NAMES.
    """
    if draft.language:
        stated = draft.language.strip()
        draft.language = LANGUAGE_NAMES.get(stated.casefold(), stated) or None
    if draft.language and not re.fullmatch(LANGUAGE.removesuffix("$"), draft.language):
        raise Refused("unknown_value", "language")
    if settings.clean_mail and (draft.channel or settings.fixed.channel or "").casefold() in MAIL_CHANNELS:
        draft.turns = [cleaned for turn in draft.turns if (cleaned := _cleaned(turn, draft)) is not None]
    draft.turns = [turn for turn in draft.turns if turn.call or not _is_gone(turn, draft)]
    _note(draft, settings)
    if draft.heading and draft.turns and not draft.turns[0].text.startswith(draft.heading):
        draft.turns[0] = draft.turns[0]._replace(text=f"{draft.heading}\n\n{draft.turns[0].text}")
    return _sessions(draft, settings.reopened_after_days) if settings.reopened_after_days else [draft]


def _cleaned(turn: DraftTurn, draft: Draft) -> DraftTurn | None:
    if turn.call:
        return turn
    result = clean_mail(turn.text, is_forward=turn.is_forward)
    for kind, characters in result.removed.items():
        draft.count(f"mail_characters.{kind}", characters)
    if not result.text:
        draft.count("mails_without_own_words")
        return None
    return turn._replace(text=result.text)


def _is_gone(turn: DraftTurn, draft: Draft) -> bool:
    is_gone = GONE.fullmatch(turn.text) is not None
    if is_gone:
        draft.count("deleted_messages")
    return is_gone


def _note(draft: Draft, settings: SourceSettings) -> None:
    left: list[DraftTurn] = []
    for turn in draft.turns:
        notice = "" if turn.call else notice_of(turn, draft.customer)
        if notice:
            draft.count(f"notices.{notice}")
        if not notice or settings.notices == "keep":
            left.append(turn)
    if draft.turns and not left:
        draft.drop = draft.drop or "only_notices"
    draft.turns = left


def _sessions(draft: Draft, most_days: float) -> Sequence[Draft]:
    """One draft per opening; how it ended is known of the last one, the others were opened again."""
    cuts = [0]
    for at in range(1, len(draft.turns)):
        before, after = draft.turns[at - 1].sent_at, draft.turns[at].sent_at
        if before is not None and after is not None and after - before > most_days * DAY:
            cuts.append(at)
    if len(cuts) == 1:
        return [draft]
    draft.count("reopened_after_gap", len(cuts) - 1)
    sessions = []
    for number, start in enumerate(cuts):
        is_last = number == len(cuts) - 1
        turns = draft.turns[start:] if is_last else draft.turns[start : cuts[number + 1]]
        session = replace(draft, turns=turns, counts={})
        if number:
            session.opened_at = turns[0].sent_at
        if not is_last:
            session.resolved, session.csat, session.reopened = None, None, True
        sessions.append(session)
    return sessions
