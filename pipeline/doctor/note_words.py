"""What internal notes are called, in names of fields and in their values.

The languages are English, German, French, Spanish, Italian, Dutch and Portuguese. Words are those of `words_in`, without accents.
"""

from collections.abc import Set as AbstractSet
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NOTES: Final = _words(
    "note notes annotation whisper notiz notizen notitz vermerk vermerke aktennotiz aktenvermerk memo"
    " nota notas apunte apuntes appunto appunti annotazione notitie notities aantekening anotacao anotacoes notat anteckning"
)
_COMMENTS: Final = _words("comment comments kommentar kommentare commentaire comentario commento opmerking remark")
_INTERNAL: Final = _words(
    "internal internally intern interne interner internes internen internos internas interno interna interni internamente"
)
_HIDDEN: Final = _words(
    "private hidden confidential restricted privat private privater privates vertraulich versteckt verborgen"
    " prive privee privees confidentiel confidentielle masque cache privado privada oculto oculta confidencial reservado"
    " reservada privato privata riservato riservata nascosto nascosta vertrouwelijk particular"
)
_SEEN: Final = _words(
    "public publicly external visible shared offentlich oeffentlich offentliche offentlicher extern externe externer sichtbar"
    " publique publiques publics partage publico publica externo externa visivel visibile pubblico pubblica esterno esterna"
    " openbaar openbare publiek publieke zichtbaar"
)
_AUDIENCE: Final = _words(
    "customer customers client clients everyone everybody anyone all requester end"
    " kunde kunden alle tous todos tutti cliente clientes clienti klant klanten iedereen"
)
_NOT: Final = _words("not non no nicht nie pas niet nao never")
_ONLY: Final = _words("only nur seulement uniquement solo solamente soltanto alleen enkel apenas somente")
_STAFF: Final = _words("staff agent agents team admin admins employees mitarbeiter agentes agenti medewerkers equipe equipo")
_VISIBILITY: Final = _words(
    "visibility privacy audience sichtbarkeit visibilite visibilidad visibilita zichtbaarheid visibilidade confidentialite"
)
_KINDS_OF_PEOPLE: Final = _words(
    "customer client account user contact company plan kunde kunden kundentyp kundenart konto klant cliente conta cuenta compte"
)
_LEAST_PART: Final = 6
"""Letters of a word that is known also where a longer one ends with it: `isprivate`, `kundensichtbar`, `gesprachsnotiz`."""


def names_visibility(name: AbstractSet[str]) -> bool:
    """Whether a field with these words in its name says who sees a message."""
    return bool(name & (_VISIBILITY | _SEEN))


def is_seen(words: AbstractSet[str]) -> bool:
    """Whether a value with these words says that the customer sees a message."""
    return bool(words & (_SEEN | _AUDIENCE)) and not tells_note(words)


def tells_note(words: AbstractSet[str], name: AbstractSet[str] = frozenset()) -> bool:
    """Whether these words say that a message is an internal note; `name`: of the field that they are a value of.

    >>> tells_note({"interne", "notiz"}), tells_note({"public", "note"}), tells_note({"nicht", "offentlich"})
    (True, False, True)
    >>> tells_note({"privat"}, {"kundentyp"})
    False
    """
    is_negated = bool(words & _NOT)
    if _knows(words, _SEEN):
        return is_negated
    if words & _ONLY and words & _STAFF:
        return not is_negated
    hidden = frozenset() if name & _KINDS_OF_PEOPLE else _HIDDEN  # a private customer is no secret
    return _knows(words, _NOTES | _INTERNAL | hidden) and not is_negated


def labels_note(words: AbstractSet[str]) -> bool:
    """Whether what stands with these words before a colon is an internal note; "Note:" alone begins many a sentence.

    >>> labels_note({"internal", "note"}), labels_note({"note"}), labels_note({"hidden", "costs"})
    (True, False, False)
    """
    return tells_note(words) and bool(words & (_NOTES | _COMMENTS)) and bool(words - _NOTES)


def tells_messages(words: AbstractSet[str]) -> bool:
    """Whether a field with these words in its name, where it says yes, says that a message is none of the internal notes."""
    return _knows(words, _SEEN) and not words & _NOT


def _knows(words: AbstractSet[str], known: AbstractSet[str]) -> bool:
    return bool(words & known) or any(
        word.endswith(each) for word in words for each in known if len(each) >= _LEAST_PART and len(word) > len(each)
    )
