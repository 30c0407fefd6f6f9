"""In German, French, Spanish, Italian and Dutch an English model is believed only where the language marks a name."""

import pytest

from pipeline.recognizers.foreign import believable, is_foreign
from pipeline.spans import Span


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wo bleibt meine Bestellung?", True),
        ("¿Dónde está mi pedido?", True),
        ("Je n'ai pas reçu mon colis", True),
        ("Mijn pakket is kwijt", True),
        ("Faktura ne doszła do mnie wcale", True),
        ("Kvittot saknas helt i lådan", True),
        ("Faturam yanlış geldi, düzeltin lütfen", True),  # noqa: RUF001  # Turkish has it
        ("Ekran nie świeci", True),
        ("Чек не пришёл", True),
        ("Η τιμή είναι λάθος", True),  # noqa: RUF001  # Greek
        ("الفاتورة ناقصة", True),
        ("領収書がありません", True),
        ("josé niño", False),
        ("fionnbhárr said 2 try again", False),
        ("Anneliese Würfelbrink", False),
        ("Buongiorno, non riesco ad accedere", True),
        ("ma fille veut changer de forfait", True),
        ("Where is my order?", False),
        ("a die for each of you, I met them", False),
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
        ("Mein Kollege der Jörg hat es genommen", ["Jörg"]),
        ("Mein Kollege der Kunde hat es genommen", []),
        ("Kennzeichen, Reisepass, Geburtsdatum", []),
        ("moi c'est bastien, j'habite à Quimper", ["bastien", "Quimper"]),
        ("mi chiamo oreste, non riesco", ["oreste"]),
        ("Hoi, ik ben Sanne Kuipers en mijn pakket is kwijt", ["Sanne Kuipers"]),
        ("mio marito non trova la patente", []),
        ("Ich wohne hier schon lange. Viele Grüße und Gruß", []),
        ("Bitte fragen Sie nach Ngozi Oduya, die ist da", ["Ngozi Oduya"]),
        ("Ich habe mit Ngozi Oduya gesprochen", ["Ngozi Oduya"]),
        ("Ich habe mit einem Mitarbeiter gesprochen", []),
        ("Ich frage nach, weil das Paket fehlt", []),
        ("mein Nachbar detlef war nicht da", ["detlef"]),
        ("Ihre Kollegin Chidinma meinte, das geht", ["Chidinma"]),
        ("die Sendung ging an detlef", ["detlef"]),
        ("die Sendung ging an klein und lange", []),
        ("hallo, detlef am Apparat", ["detlef"]),
        ("der Vertrag läuft auf detlef", ["detlef"]),
        ("ma voisine odette l'a pris, c'est odette à l'appareil", ["odette", "odette"]),
        ("mi vecina graciela no está, titular: graciela", ["graciela", "graciela"]),
        ("mia zia ornella non riesce, è per ornella", ["ornella", "ornella"]),
        ("mijn buurvrouw maaike heeft het, de rekening staat op naam van maaike", ["maaike", "maaike"]),
        ("mijn man heeft het pakket niet", []),
        ("das hab ich mit detlef aus der Technik besprochen", ["detlef"]),
        ("das ist mit gutem Willen schwer", []),
        ("escribo de parte de graciela", ["graciela"]),
        ("Hoi maaike, het is er niet", ["maaike"]),
        ("manden la factura a graciela", ["graciela"]),
        ("me lo dejan a mano y a punto", []),
        ("Guten Tag Zwickelbrand, wo bleibt das Paket?", ["Zwickelbrand"]),
        ("Meine Schwester Zwickelbrand holt das Paket", ["Zwickelbrand"]),
        ("Das ist das Paket der Familie Zwickelbrand", ["Zwickelbrand"]),
        ("Das habe ich mit Zwickelbrand besprochen", ["Zwickelbrand"]),
        ("Mon frère Kergouarec a la facture", ["Kergouarec"]),
        ("La facture est au nom de Kergouarec", ["Kergouarec"]),
        ("Faktura ne doszła do mnie wcale", []),
        ("Nazywam się Zbyszko Rzeczny", ["Zbyszko Rzeczny"]),
        ("Kvittot saknas helt i lådan", []),
        ("Faturam yanlış geldi", []),  # noqa: RUF001  # Turkish has it
        ("Чек не пришёл", []),
        ("Меня зовут Ждан Водянов", ["Ждан Водянов"]),
        ("領収書がありません", []),
        ("Artikel falsch geliefert", []),
    ],
)
def test_of_a_text_that_a_model_masks_whole_only_names_stay(text: str, kept: list[str]) -> None:
    whole = Span(0, len(text), "PERSON", 0.3, "NamesRecognizer")
    assert [text[span.start : span.end] for span in believable(text, [whole])] == kept


def test_names_that_a_model_found_word_by_word_are_one_and_no_word_after_an_article_joins_them() -> None:
    text = "Mein Nachbar Jonas Wollenweide nimmt das Paket"
    spans = [Span(5, 18, "PERSON", 0.3, "NamesRecognizer"), Span(19, 30, "PERSON", 0.3, "NamesRecognizer")]
    assert [text[span.start : span.end] for span in believable(text, spans)] == ["Jonas Wollenweide"]


@pytest.mark.parametrize(
    ("text", "address", "stays"),
    [
        ("meine Seriennr. 550417B ist das", "Seriennr. 550417B", False),
        ("ich wohne in der Lindengasse 14 seit Mai", "Lindengasse 14", True),
        ("j'habite rue 12", "rue 12", True),
        ("mi hijo, de 6 años, nació ayer", "de 6 años, nació", False),
        ("bitte erst nach 18 Uhr anrufen", "nach 18 Uhr", False),
    ],
)
def test_a_number_among_everyday_words_is_no_address(text: str, address: str, stays: bool) -> None:  # a table of facts
    span = Span(text.index(address), text.index(address) + len(address), "STREET_ADDRESS", 0.3, "NamesRecognizer")
    assert believable(text, [span]) == [span] * stays


def test_a_place_is_believed_after_its_preposition() -> None:
    text = "Ich komme aus Bielefeld und bin in Ordnung"
    spans = [
        Span(text.index(word), text.index(word) + len(word), "LOCATION", 0.3, "NamesRecognizer")
        for word in ("Bielefeld", "Ordnung")
    ]
    assert [text[span.start : span.end] for span in believable(text, spans)] == ["Bielefeld"]
