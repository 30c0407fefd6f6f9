"""The sentences that planted values are written in, in the language of the conversation that they are planted into."""

from collections.abc import Mapping, Sequence
from typing import Final

SENTENCES: Final[Mapping[str, Mapping[str, Sequence[str]]]] = {
    "en": {
        "PERSON": ("My name is {}.", "This is {} speaking.", "Please ask for {}.", "Thanks, {}"),
        "EMAIL_ADDRESS": ("My email is {}.", "You can write to {} any time.", "{}"),
        "PHONE_NUMBER": ("Call me at {}.", "My number is {}.", "Reach me on {} after five."),
        "CREDIT_CARD": ("My card number is {}.", "I paid with {} last week.", "{}"),
        "IBAN_CODE": ("My IBAN is {}.", "Please refund to {}.", "{}"),
        "US_SSN": ("My social security number is {}.", "SSN {}", "It is {}."),
        "IP_ADDRESS": ("My IP address is {}.", "I connect from {} usually."),
    },
    "de": {
        "PERSON": ("Mein Name ist {}.", "Hier spricht {}.", "Bitte fragen Sie nach {}.", "Danke, {}"),
        "EMAIL_ADDRESS": ("Meine E-Mail ist {}.", "Sie können jederzeit an {} schreiben.", "{}"),
        "PHONE_NUMBER": ("Rufen Sie mich unter {} an.", "Meine Nummer ist {}.", "Nach fünf erreichen Sie mich unter {}."),
        "CREDIT_CARD": ("Meine Kartennummer ist {}.", "Letzte Woche habe ich mit {} bezahlt.", "{}"),
        "IBAN_CODE": ("Meine IBAN ist {}.", "Bitte auf {} erstatten.", "{}"),
        "US_SSN": ("Meine Sozialversicherungsnummer ist {}.", "SSN {}", "Sie lautet {}."),
        "IP_ADDRESS": ("Meine IP-Adresse ist {}.", "Meistens verbinde ich mich von {} aus."),
    },
    "fr": {
        "PERSON": ("Je m'appelle {}.", "C'est {} à l'appareil.", "Demandez {} s'il vous plaît.", "Merci, {}"),
        "EMAIL_ADDRESS": ("Mon e-mail est {}.", "Vous pouvez écrire à {}.", "{}"),
        "PHONE_NUMBER": ("Appelez-moi au {}.", "Mon numéro est le {}.", "Je suis joignable au {} après cinq heures."),
        "CREDIT_CARD": ("Mon numéro de carte est {}.", "J'ai payé avec {} la semaine dernière.", "{}"),
        "IBAN_CODE": ("Mon IBAN est {}.", "Merci de rembourser sur {}.", "{}"),
        "US_SSN": ("Mon numéro de sécurité sociale est {}.", "SSN {}", "C'est {}."),
        "IP_ADDRESS": ("Mon adresse IP est {}.", "Je me connecte souvent depuis {}."),
    },
    "es": {
        "PERSON": ("Me llamo {}.", "Habla {}.", "Pregunte por {} por favor.", "Gracias, {}"),
        "EMAIL_ADDRESS": ("Mi correo es {}.", "Puede escribir a {} cuando quiera.", "{}"),
        "PHONE_NUMBER": ("Llámeme al {}.", "Mi número es {}.", "Estoy en el {} después de las cinco."),
        "CREDIT_CARD": ("Mi número de tarjeta es {}.", "Pagué con {} la semana pasada.", "{}"),
        "IBAN_CODE": ("Mi IBAN es {}.", "Por favor devuelvan a {}.", "{}"),
        "US_SSN": ("Mi número de seguridad social es {}.", "SSN {}", "Es {}."),
        "IP_ADDRESS": ("Mi dirección IP es {}.", "Suelo conectarme desde {}."),
    },
    "it": {
        "PERSON": ("Mi chiamo {}.", "Sono {}.", "Chieda di {} per favore.", "Grazie, {}"),
        "EMAIL_ADDRESS": ("La mia e-mail è {}.", "Può scrivere a {} quando vuole.", "{}"),
        "PHONE_NUMBER": ("Mi chiami al {}.", "Il mio numero è {}.", "Sono al {} dopo le cinque."),
        "CREDIT_CARD": ("Il numero della mia carta è {}.", "Ho pagato con {} la settimana scorsa.", "{}"),
        "IBAN_CODE": ("Il mio IBAN è {}.", "Rimborsate su {} per favore.", "{}"),
        "US_SSN": ("Il mio numero di previdenza sociale è {}.", "SSN {}", "È {}."),
        "IP_ADDRESS": ("Il mio indirizzo IP è {}.", "Di solito mi collego da {}."),
    },
    "nl": {
        "PERSON": ("Mijn naam is {}.", "U spreekt met {}.", "Vraag naar {} alstublieft.", "Bedankt, {}"),
        "EMAIL_ADDRESS": ("Mijn e-mail is {}.", "U kunt altijd schrijven naar {}.", "{}"),
        "PHONE_NUMBER": ("Bel mij op {}.", "Mijn nummer is {}.", "Na vijven ben ik bereikbaar op {}."),
        "CREDIT_CARD": ("Mijn kaartnummer is {}.", "Vorige week betaalde ik met {}.", "{}"),
        "IBAN_CODE": ("Mijn IBAN is {}.", "Graag terugbetalen op {}.", "{}"),
        "US_SSN": ("Mijn burgerservicenummer is {}.", "SSN {}", "Het is {}."),
        "IP_ADDRESS": ("Mijn IP-adres is {}.", "Meestal log ik in vanaf {}."),
    },
}
"""Language (ISO 639-1) -> kind -> sentences, the same ones in every language: some announce the value, some do not."""


def sentence(kind: str, number: int, written: str, language: str | None) -> str:
    """A value as somebody says it in a conversation in this language; in English where it is another or unknown.

    >>> sentence("PERSON", 0, "Ana Petrov", "de-AT"), sentence("PERSON", 0, "Ana Petrov", None)
    ('Mein Name ist Ana Petrov.', 'My name is Ana Petrov.')
    """
    return SENTENCES.get((language or "en")[:2].lower(), SENTENCES["en"])[kind][number].format(written)
