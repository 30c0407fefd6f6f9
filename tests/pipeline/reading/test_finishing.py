"""Rules that hold for conversations of every source: mail is cleaned, notices are counted, long silences split."""

import pytest
from pydantic import ValidationError

from pipeline.reading.drafts import Draft, DraftTurn, Refused, SourceSettings
from pipeline.reading.finishing import DAY, finished
from pipeline.reading.notices import notice_of


def settings(**more: object) -> SourceSettings:
    return SourceSettings.model_validate({"files": ["*"], **more})


def turn(speaker: str, text: str, day: float = 0, author: str | None = None) -> DraftTurn:
    return DraftTurn(speaker, text, int(day * DAY), author or speaker)


def draft(*turns: DraftTurn, channel: str = "email") -> Draft:
    return Draft(channel=channel, customer="customer", turns=list(turns), resolved=True, csat=1.0)


REPLY = "Thanks\n\nOn 5 Jan 2026, at 12:00, Sam <sam@example.com> wrote:\n> Hi\n> there"


@pytest.mark.parametrize(
    ("channel", "clean_mail", "text"), [("email", True, "Thanks"), ("chat", True, REPLY), ("email", False, REPLY)]
)
def test_turns_of_mail_and_of_nothing_else_are_cleaned_where_that_is_wanted(channel: str, clean_mail: bool, text: str) -> None:
    [session] = finished(draft(turn("customer", REPLY), channel=channel), settings(clean_mail=clean_mail))

    assert [each.text for each in session.turns] == [text]


def test_a_mail_without_words_of_its_own_is_counted_and_no_turn() -> None:
    [session] = finished(draft(turn("customer", "Hi"), turn("customer", "Sent from my iPhone")), settings(clean_mail=True))

    assert [each.text for each in session.turns] == ["Hi"]
    assert session.counts["mails_without_own_words"] == 1


def test_a_thread_that_was_silent_for_too_long_is_one_conversation_per_opening() -> None:
    thread = draft(turn("customer", "a"), turn("agent", "b", 1), turn("customer", "c", 40), turn("agent", "d", 41))

    first, second = finished(thread, settings(reopened_after_days=30))

    assert [[each.text for each in session.turns] for session in (first, second)] == [["a", "b"], ["c", "d"]]
    assert (first.resolved, first.csat, first.reopened) == (None, None, True)
    assert (second.resolved, second.csat, second.opened_at) == (True, 1.0, 40 * DAY)
    assert thread.counts["reopened_after_gap"] == 1


def test_without_a_bound_a_thread_stays_one() -> None:
    assert len(finished(draft(turn("customer", "a"), turn("customer", "b", 4000)), settings())) == 1


@pytest.mark.parametrize(
    ("speaker", "author", "text", "notice"),
    [
        (
            "agent",
            "sam",
            "How would you rate the support you received?\nGood, I'm satisfied\nBad, I'm unsatisfied",
            "csat_survey",
        ),
        ("agent", "sam", "Wie bewerten Sie den Support, den Sie erhalten haben?", "csat_survey"),
        ("agent", "sam", "WE'D LOVE TO HEAR what you think of our help. https://example.com/rate", "csat_survey"),
        ("agent", "sam", "Comment évaluez-vous l'aide reçue ?", "csat_survey"),
        ("agent", "sam", "¿Cómo calificaría la ayuda recibida?", "csat_survey"),
        ("agent", "sam", "Come valuta l'aiuto ricevuto?", "csat_survey"),
        ("agent", "sam", "Hoe beoordeelt u onze hulp?", "csat_survey"),
        ("agent", "sam", "Como você avalia a ajuda recebida?", "csat_survey"),
        ("agent", "sam", "Jak oceniasz naszą pomoc?", "csat_survey"),
        ("agent", "sam", "HUR SKULLE DU BETYGSÄTTA vår hjälp?", "csat_survey"),
        ("agent", "sam", "Hvordan vil du bedømme vores hjælp?", "csat_survey"),
        ("agent", "sam", "Miten arvioisit apuamme?", "csat_survey"),
        ("agent", "sam", "Jak byste hodnotil naši pomoc?", "csat_survey"),
        ("agent", "sam", "Yardımımızı nasıl değerlendirirsiniz?", "csat_survey"),  # noqa: RUF001  # Turkish
        ("agent", "sam", "ОЦЕНИТЕ РАБОТУ оператора: https://example.com", "csat_survey"),
        ("agent", "sam", "サポートの評価してください https://example.com", "csat_survey"),
        ("agent", "sam", 'Request #4471 "Lamp" was closed and merged into this request.', "ticket_merge"),
        ("customer", "customer", "This is an automatic reply. I am back on Monday.", "auto_reply"),
        ("customer", "kim", "Me too!", "me_too"),
        ("customer", "kim", "+1", "me_too"),
        ("customer", "customer", "Me too!", ""),
        ("customer", "kim", "Me too, and my lamp also hums.", ""),
        ("customer", "customer", "How would you rate the support of this lamp for 60 W bulbs?", ""),
        ("agent", "sam", "Please merge the two files and send them.", ""),
        ("agent", "sam", "You can rate the lamp in our shop.", ""),
    ],
)
def test_notices_are_told_from_messages(speaker: str, author: str, text: str, notice: str) -> None:
    assert notice_of(turn(speaker, text, author=author), "customer") == notice


def test_notices_are_counted_always_and_removed_where_that_is_wanted() -> None:
    def thread() -> Draft:
        return draft(turn("customer", "Hi"), turn("agent", "How would you rate the support you received?"))

    [kept] = finished(thread(), settings())
    [removed] = finished(thread(), settings(notices="remove"))

    assert [len(each.turns) for each in (kept, removed)] == [2, 1]
    assert [each.counts["notices.csat_survey"] for each in (kept, removed)] == [1, 1]


def test_a_conversation_of_nothing_but_notices_is_dropped_as_such() -> None:
    [session] = finished(draft(turn("agent", "How would you rate the support you received?")), settings(notices="remove"))

    assert session.drop == "only_notices"


@pytest.mark.parametrize("code", ["en", "deu", "pt-BR", "zh_Hans_CN", None])
def test_a_language_is_a_code(code: str | None) -> None:
    [session] = finished(Draft(language=code, turns=[turn("customer", "Hi")]), settings(fixed={"language": code}))

    assert session.language == code


@pytest.mark.parametrize(("stated", "code"), [("English", "en"), (" german ", "de"), ("en ", "en"), (" ", None)])
def test_a_language_may_be_stated_by_its_name(stated: str, code: str | None) -> None:
    [session] = finished(Draft(language=stated, turns=[turn("customer", "Hi")]), settings())

    assert session.language == code


@pytest.mark.parametrize("words", ["jo.fox@example.com", "Jo Fox", "555-0142", "Klingonese"])
def test_a_language_that_is_no_code_is_refused_and_not_repeated(words: str) -> None:
    with pytest.raises(Refused) as refusal:
        finished(Draft(language=words, turns=[turn("customer", "Hi")]), settings())

    assert (refusal.value.reason, refusal.value.detail) == ("unknown_value", "language")
    with pytest.raises(ValidationError):
        settings(fixed={"language": words})


def test_what_a_forum_puts_in_the_place_of_a_deleted_post_is_no_turn() -> None:
    said = ["[deleted]", "[removed]", "[ Removed by Reddit ]", "[removed by moderator]", "It said [deleted] there", "Hi"]
    [session] = finished(draft(*(turn("customer", text) for text in said)), settings())

    assert [each.text for each in session.turns] == ["It said [deleted] there", "Hi"]
    assert session.counts == {"deleted_messages": 4}
