"""In German, Spanish and French an English model is believed only where the language marks a name."""

import pytest

from pipeline.recognizers.foreign import believable, is_foreign
from pipeline.spans import Span


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wo bleibt meine Bestellung?", True),
        ("¿Dónde está mi pedido?", True),
        ("Je n'ai pas reçu mon colis", True),
        ("Where is my order?", False),
        ("maria de la cruz", False),
        ("Will Young", False),
        ("", False),
    ],
)
def test_function_words_tell_the_language(text: str, expected: bool) -> None:  # a table of facts
    assert is_foreign(text) == expected


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Bitte löschen Sie mein Konto", []),
        ("Hallo Themba, wo ist das Paket?", ["Themba"]),
        ("Die Stange liegt neben der Naht. Götz Wölk", ["Götz Wölk"]),
        ("Ich warte noch auf die Bestellung.\nUte Krämer", ["Ute Krämer"]),
        ("auf dem Klingelschild steht Döscher", ["Döscher"]),
        ("quiero devolver los guantes, soy Carmen Ibáñez", ["Carmen Ibáñez"]),
        ("je n'ai pas la boîte", []),
        ("hola soy carmen ibáñez mi pedido", ["carmen ibáñez"]),
        ("soy cliente desde enero", []),
        ("ich bin der Jörg und warte", ["Jörg"]),
        ("ich bin der Kunde", []),
    ],
)
def test_of_a_text_that_a_model_masks_whole_only_names_stay(text: str, kept: list[str]) -> None:
    whole = Span(0, len(text), "PERSON", 0.3, "NamesRecognizer")
    assert [text[span.start : span.end] for span in believable(text, [whole])] == kept
