"""The language people write in."""

from pathlib import Path

import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]  # ships no types

from pipeline.reading.languages import language_of, languages_of
from tests.pipeline.received import CHATS, chat, ingested, rows, write

GERMAN = "Guten Tag, ich warte seit drei Wochen auf mein Paket und niemand meldet sich."
ENGLISH = "We are sorry, your parcel left our house yesterday and will be there on Monday."


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (GERMAN, "de"),
        (ENGLISH, "en"),
        ("Bonjour, où est ma commande ? Je l'attends depuis lundi.", "fr"),
        ("注文した商品がまだ届きません。", "ja"),
        ("Здравствуйте, где мой заказ? Я жду уже две недели.", "ru"),
        ("ok thanks", None),
        ("https://example.com/where-is-my-order/of-last-week 555-0101 jo@example.com", None),
        ("", None),
    ],
)
def test_a_language_is_guessed_from_words_and_from_enough_of_them(text: str, code: str | None) -> None:
    assert language_of(text) == code


def test_many_texts_at_once_are_guessed_as_py3langid_guesses_each() -> None:
    pieces = [GERMAN, ENGLISH, "où est ma commande ? Je l'attends", "注文した商品がまだ届きません。" * 3]
    texts = [text[start : start + length] for text in pieces for start in range(0, 12, 3) for length in (20, 31, 60)]
    texts += [GERMAN.upper(), "ŽLUŤOUČKÝ KŮŇ ÚPĚL ĎÁBELSKÉ ÓDY", "q\u0308" * 30, "x" * 90, "lorem ipsum dolor sit amet"]
    classify = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True).classify
    expected = [code if probability >= 0.8 else None for code, probability in map(classify, texts)]
    long_enough = [sum(sign.isalpha() for sign in text) >= 20 or "注" in text for text in texts]

    assert languages_of(texts) == [code if enough else None for code, enough in zip(expected, long_enough, strict=True)]
    assert languages_of(texts) == [language_of(text) for text in texts]


def test_what_the_customer_writes_is_the_language_of_the_conversation_and_each_turn_has_its_own(tmp_path: Path) -> None:
    table = ingested(write(tmp_path / "in", log__jsonl=[chat(1, GERMAN, ENGLISH, "ok"), chat(2, "Hi", ENGLISH)]), CHATS)
    found = {row["native_id"]: (row["language"], row["turn_languages"]) for row in rows(table)}

    assert found == {"1": ("de", ["de", "en", None]), "2": ("en", [None, "en"])}


@pytest.mark.parametrize(
    ("more", "language", "turn"),
    [
        ({"language": "language"}, "fr", "de"),
        ({"fixed": {"language": "nl"}}, "nl", "de"),
        ({"guess_language": False}, None, None),
    ],
)
def test_what_is_stated_is_not_guessed(more: dict[str, object], language: str | None, turn: str | None, tmp_path: Path) -> None:
    stated = {"language": "fr"} if "language" in more else {}
    row = rows(ingested(write(tmp_path / "in", log__jsonl=[chat(1, GERMAN, **stated)]), {**CHATS, **more}))[0]

    assert (row["language"], row["turn_languages"]) == (language, [turn])
