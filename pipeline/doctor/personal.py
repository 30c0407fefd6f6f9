"""Does a field hold people, their addresses or their numbers?  Told by its name, in eight languages, and by its values."""

# ruff: noqa: PLR2004  # it judges by rules of thumb; the comments beside the numbers say which

import re
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from pipeline.doctor.field_names import own_name, steps_of, words_in
from pipeline.reading.field_words import names_a_field

MANY: Final = 12
"""More different values than this are people, not kinds of them."""
SAYS_NO_NAME: Final = frozenset(
    {
        *("association", "type", "role", "status", "state", "level", "badge", "title", "deleted", "suspended"),
        *("url", "link", "href", "avatar", "image", "score", "count", "reputation", "is", "has", "can", "did"),
    }
)
"""Beside a word for people in the name of a field: its values are kinds, addresses, flags, numbers."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NUMBERS: Final = _words("number no nr num nb n numero nummer numer codice codigo code")
_OF_ACCOUNTS: Final = _words(
    "kundennummer kundennr kundenno kundnr kdnr kdnummer klantnummer klantnr clientnumber debitor debitorennummer vertragsnummer"
)
_CUSTOMER: Final = _words("customer client kd kunde kunden kdn cliente clientes klant klient klienta konto account contract")
_CONTACTS: Final = (
    (_words("email mail correo courriel posta mailadresse emailadresse mailadres emailadres"), "EMAIL_ADDRESS"),
    (_words("phone mobile tel"), "PHONE_NUMBER"),
    (_words("ip"), "IP_ADDRESS"),
    (_words("username nick nickname handle screen login benutzername nutzername gebruikersnaam pseudo"), "USER_NAME"),
)
_OF_MAILS: Final = _words("direction thread id subject")
"""Beside a word for mail in the name of a field: what mails have, and no addresses."""
_PHONE: Final = _words(
    "telefon telefonnummer telefonnr telnr mobil mobilnummer mobilnr mobiltelefon handy handynummer handynr rufnummer"
    " telephone portable telefono movil celular cellulare telefoon telefoonnummer telnummer mobiel telefone telemovel komorka"
    " komorkowy fon festnetz gsm"
)
"""Other languages' words, of which some mean more than a phone: their values must be numbers of one."""
_PERSON: Final = _words(
    "name author customer agent user"
    " kunde kundin kundenname vorname nachname bearbeiter bearbeiterin sachbearbeiter sachbearbeiterin mitarbeiter mitarbeiterin"
    " berater beraterin betreuer betreuerin ansprechpartner ansprechpartnerin auftraggeber besteller absender verfasser"
    " nom prenom cliente auteur agente conseiller conseillere gestionnaire operateur operatrice demandeur expediteur"
    " nombre apellido apellidos autor operador operadora remitente solicitante"
    " nome cognome autore operatore mittente richiedente"
    " naam klantnaam voornaam achternaam klant medewerker behandelaar afzender"
    " sobrenome atendente remetente requerente"
    " imie nazwisko klient klienta pracownik konsultant opiekun nadawca"
)
_WRITER: Final = _words("by from owner poster asker requester assignee sender recipient contact client kontakt contacto contatto")
"""Names of fields that hold people, where their values are many and look like those of people."""

_HANDLE: Final = re.compile(r"@\S+|\S*[\d_]\S*|[a-z]\S*[a-z][A-Z]\S*|[A-Z]\S*[a-z][A-Z]\S*")
"""What nobody is called by their parents: @HelpCo, jo_fox, jofox82, BlueTents."""
_LOWER: Final = re.compile(r"[^\W\dA-Z_]\S*")
_FULL_NAME: Final = re.compile(r"[^\W\d_][\w.'\u2019-]*,?(?: [^\W\d_][\w.'\u2019-]*){1,3}")
_THINGS: Final = frozenset(
    {
        *("repo", "repository", "project", "channel", "guild", "server", "room", "team", "forum", "board", "category", "group"),
        *("product", "item", "status", "priority", "label", "tag", "issue", "database", "workspace", "queue", "department"),
        *("intent", "intents", "skill", "skills", "tool", "tools", "flow", "template", "slot", "function", "campaign"),
    }
)
"""What has a name and is nobody; so is all below it."""
_MARKS: Final = _words("event action entity entities node step page model rule trigger field variable parameter")
"""What has a name and is nobody, but has people below it, such as the actor of an event."""
_EMAIL: Final = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[a-z]{2,}", re.IGNORECASE)


def kind_of(name: str, texts: Sequence[str], *, is_time: bool) -> str | None:
    """The entity type of the values of a field, where they are personal; `is_time`: they are times."""
    some = [text.strip() for text in texts[:200]]
    if some and sum(bool(_EMAIL.fullmatch(text)) for text in some) * 2 > len(some):
        return "EMAIL_ADDRESS"
    tokens = words_in(own_name(name))
    if not texts or is_time or tokens & SAYS_NO_NAME or _is_of_a_thing(name, tokens):
        return None
    if sum(map(words_of, texts)) / len(texts) > 4:  # a name has few words, a number may be written in as many pieces
        return _number(tokens, some)
    stated = next((kind for words, kind in _CONTACTS if tokens & words), None) or _number(tokens, some)
    if stated == "EMAIL_ADDRESS" and tokens & _OF_MAILS and not any("@" in text for text in some):
        stated = None
    return stated or _person(tokens, texts)


def _number(tokens: AbstractSet[str], some: Sequence[str]) -> str | None:
    """What kind of number of a person the values are; those with fewer digits stand in any text."""
    if _is_account(tokens):
        return "ACCOUNT_NUMBER" if _have_digits(some, 5) else None
    return "PHONE_NUMBER" if tokens & _PHONE and _have_digits(some, 6) else None


def _is_account(tokens: AbstractSet[str]) -> bool:
    return bool(tokens & _OF_ACCOUNTS or (tokens & _CUSTOMER and tokens & _NUMBERS))


def _is_of_a_thing(name: str, tokens: AbstractSet[str]) -> bool:
    """Whether it names no person, by what it is a field of or by its own name: intent.name, skillName."""
    above = [words_in(step) for step in steps_of(name)[:-1] if step != "*"]
    if any(words & _THINGS for words in above):
        return True
    near = {*tokens, *(above[-1] if above else ())}
    return "name" in tokens and bool(near & (_THINGS | _MARKS))


def _have_digits(some: Sequence[str], least: int) -> bool:
    return sum(sum(map(str.isdigit, text)) >= least for text in some) * 2 > len(some)


def _person(tokens: AbstractSet[str], texts: Sequence[str]) -> str | None:
    """PERSON for names; USER_NAME where most values are what people call themselves; null for numbers, labels, other fields."""
    some = [text.strip() for text in texts[:200]]
    if not tokens & _PERSON:
        if not tokens & _WRITER or len(set(texts)) <= MANY:
            return None
        if sum(bool(_FULL_NAME.fullmatch(text)) for text in some) * 2 > len(some):
            return "PERSON"
    if not tokens & (_PERSON | {"poster"}) or _is_account(tokens) or all(number(text) is not None for text in some):
        return None
    is_name = "name" in tokens and "user" not in tokens
    if is_name and len(set(texts)) * 5 < len(texts) and _are_labels(set(texts)):  # people are many
        return None
    handles = sum(bool(_HANDLE.fullmatch(text) or (not is_name and _LOWER.fullmatch(text))) for text in some)
    return "USER_NAME" if handles * 2 > len(some) else "PERSON"


def _are_labels(texts: Collection[str]) -> bool:
    """Whether nearly all are words of fields in small letters, such as order_status, and nobody's name."""
    labels = sum(text == text.casefold() and names_a_field(text) for text in texts)
    return labels * 10 >= len(texts) * 8  # some are words that nobody knows


def words_of(text: str) -> int:
    """How many words a text has; in writing without blanks about as many."""
    return max(len(text.split()), 0 if text.isascii() else len(text) // 8)


def number(value: Any) -> float | None:
    """The value as a number; null where it is none."""
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
