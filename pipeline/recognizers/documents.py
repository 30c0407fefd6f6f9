"""Numbers of documents, banks, vehicles, devices and wallets, announced in English, German, French, Spanish, Italian or Dutch.

Beside Presidio's recognizers, which are asked for the configured countries only: a customer may come from anywhere. What has a
form of its own (a tax code of Italy, a wallet) is found alone, what is only a row of digits where a word says what it is.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer

from pipeline.analysis.seen_text import Condition, SeenText

_IS: Final = r"(?:\s*(?:is|was|ist|lautet|est|es|è|are|used to be|[:=#№\-]|n[°º.o]|no\.|nr\.?|num\.?|id)){0,3}\s*"
_CODE: Final = (
    r"(?-i:(?=[A-Za-z0-9 ./-]{0,12}\d)[A-Z0-9](?:[A-Z0-9]|[./-](?=[A-Z0-9])){4,24}"
    r"(?:[ -]\d{1,10}){0,6}(?: [A-Z]{1,2})?(?: \d{1,6})?)(?!\w)"
)
"""Capital letters and digits, five or more, perhaps in groups."""

_DIGITS: Final = r"(?!\d+[.]\d\d?(?!\d|[./-]\d))\d(?:[ ./-]?\d){4,24}(?: ?(?-i:[A-Z])(?: ?\d{1,4})?)?(?![\w%€$£])"
"""Five digits or more, no sum of money."""

_COUNT: Final = r"(?:[ -](?:numbers?|num|no|nr|card|code|id|nummer)\b\.?)"

_WORDS: Final = {
    "English": (
        r"medicare|medicaid|medical record|mrn|health plan|beneficiary|subscriber|library card|loyalty card"
        r"|frequent fl[iy]er|student id|voter id|aadhaar|pan card|social insurance|social security|national insurance"
        r"|tax id|taxpayer id|vat|unique taxpayer|emp(?:loyee)? id|badge|blood donor|friend code|green card|passport"
        r"|driver'?s? licen[cs]e|driving licen[cs]e|iccid|imsi|imei|icq|pnr|booking reference|ifsc|bsb|routing|sort code"
        r"|docket|steam id|nhs"
    ),
    "German": (
        r"(?!artikel|modell|version|seiten|haus|produkt|teile)[a-zäöüß]{3,24}nummer|(?:kunden|rechnungs|bestell|vertrags|auftrags)-?nr"
        r"|personalausweis|reisepass|f(?:ü|ue)hrerschein|steuer-?id|ust-?id|aktenzeichen"
    ),
    "French": (
        r"passeport|permis de conduire|carte d['’]identité|carte vitale|sécurité sociale|num[ée]ro fiscal|siret|siren|dossier|tva"  # noqa: RUF001
        r"|num[ée]ro (?:de |du |d['’])?(?:client|contrat|commande|compte|compteur|adhérent|série|allocataire|carte)"  # noqa: RUF001
    ),
    "Spanish, Portuguese": (
        r"dni|nie|nif|cif|pasaporte|seguridad social|curp|carn[ée] de conducir|permiso de conducir|cpf|cnpj"
        r"|n[úu]mero de (?:cliente|pedido|cuenta|contrato|p[óo]liza|expediente|socio|serie)|expediente"
    ),
    "Italian": (
        r"codice (?:fiscale|cliente|utente|ordine)|partita iva|carta d['’]identità|patente|passaporto|tessera sanitaria"  # noqa: RUF001
        r"|numero (?:cliente|ordine|d['’]ordine|pratica|contratto|polizza|di serie)"  # noqa: RUF001
    ),
    "Dutch, Polish": r"bsn|paspoort|rijbewijs|kvk|btw|identiteitskaart|pesel|nip",
}
"""Words for papers and their numbers."""

_THINGS: Final = (
    "policy|loan|contract|licen[cs]e|group|claim|application|insurance|meter|member|student|employee|patient|visa|dossier|invoice"
)
"""Everyday words, whose number comes after "number" or a colon."""

_BIC: Final = (
    rf"\b(?:bic|swift)(?:[ /-](?:code|bic|swift|nummer|number))?{_IS}\K(?-i:[A-Z]{{6}}[A-Z0-9]{{2}}(?:[A-Z0-9]{{3}})?)(?!\w)"
)
_PLATE: Final = (
    r"\b(?:licen[cs]e plate|number plate|plate|registration|car reg|vrm|kennzeichen|plaque(?: d['’]immatriculation)?"  # noqa: RUF001
    rf"|immatriculation|matr[íi]cula|targa|kenteken)(?: (?:number|no|is))?{_IS}"
    r"\K(?-i:(?=[A-Z0-9 -]{0,8}\d)(?=[A-Z0-9 -]{0,8}[A-Z])[A-ZÄÖÜ0-9]{1,4}(?:[ -]{1,3}[A-Z0-9]{1,4}){0,3})(?!\w)"
)


_LONG_WORD: Final = re.compile(r"[A-Za-z0-9]{26}")


def recognizers(language: str, _countries: Sequence[str]) -> list[EntityRecognizer]:
    """ID_NUMBER, LICENSE_PLATE, PIN, DEVICE_ID, CRYPTO, COORDINATES and USER_AGENT."""
    announced = [
        Pattern(tongue, rf"\b(?:{words}){_COUNT}*{_IS}\K(?:{_CODE}|{_DIGITS})", 0.55) for tongue, words in _WORDS.items()
    ]
    announced.append(Pattern("of a thing", rf"\b(?:{_THINGS})(?:{_COUNT}{_IS}|\s?[:#]\s?)\K(?:{_CODE}|{_DIGITS})", 0.55))
    announced += [
        Pattern(
            "of a thing, of groups",
            rf"\b(?:{_THINGS})\s\K(?-i:(?=[A-Z\d/-]{{0,12}}\d)(?=[\d/-]{{0,6}}[A-Z])[A-Z0-9]{{1,6}}(?:[/-][A-Z0-9]{{2,8}}){{1,4}})(?!\w)",
            0.55,
        ),
        Pattern("DL", rf"(?-i:\bDL\b)(?:\s(?:is|number|no)\b|\s?[#:])\.?\s?\K{_CODE}", 0.55),
        Pattern("IBAN with a mistake", rf"\biban\b{_IS}\K[A-Z]{{2}}\d\d(?:[ -]?[A-Z0-9]){{10,30}}(?!\w)", 0.55),
        Pattern("card with a mistake", r"(?<![\w-])[3-6]\d{3}([ -])\d{4}\1\d{4}\1\d{4}(?![\w-])", 0.5),
        Pattern("BIC", _BIC, 0.7),
        Pattern("numbered", r"(?<!\w)(?:n[°º]|№)\s*\K\d[\d./-]{4,20}(?<=\d)(?!\w)", 0.5),  # the sign
        Pattern("of a court", r"\b(?:application|appl\.|case)\s\(?no\.\s\K\d{3,6}/\d{2,4}(?!\w)", 0.6),
        Pattern("tax code of Italy", r"(?<!\w)(?-i:[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z])(?!\w)", 0.8),
        Pattern("CURP of Mexico", r"(?<!\w)(?-i:[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z\d]\d)(?!\w)", 0.8),
        Pattern("RFC of Mexico", r"\brfc\b[\s:]*\K(?-i:[A-ZÑ&]{3,4}\d{6}[A-Z\d]{3})(?!\w)", 0.7),
        Pattern("CPF of Brazil", r"(?<!\w)\d{3}\.\d{3}\.\d{3}-\d\d(?!\w)", 0.7),
        Pattern("AHV of Switzerland", r"(?<!\w)756\.\d{4}\.\d{4}\.\d\d(?!\w)", 0.8),
        Pattern("Medicare", r"(?<!\w)(?-i:[1-9][A-Z][A-Z\d]\d-[A-Z][A-Z\d]\d-[A-Z]{2}\d\d)(?!\w)", 0.7),
    ]
    pins = [
        Pattern(
            "code of a door",
            r"\b(?:(?:alarm|gate|door|lock|entry|locker|safe|haustür|tür)[ -]?(?:code|pin)|code (?:porte|de la porte|portone))"
            r"(?: is| ist| est|:)?\s+\K(?=[*#\w]{0,3}\d)[*#]?[A-Z\d]{4,8}#?(?!\w)",
            0.5,
        ),
        Pattern(
            "code for somebody",
            r"\bcode\b(?: for [^.\n\d]{1,30}\d{0,4})? (?:is|est|ist|es)\s+\K\d{4,8}(?!\w|\s(?:lines|bytes|years|times)\b)",
            0.5,
        ),
        Pattern("used to be", r"\bpin\b (?:used to be|has been|had been|will be) \K\d{4,8}(?!\w)", 0.6),
        Pattern(
            "on the back",
            r"\b(?:security code|cvv|cvc)\b(?: on the back)?(?: says?| reads?| shows?| is|:)?\s+\K\d{3,4}(?!\w)",
            0.6,
        ),
    ]
    devices = [
        Pattern("IMEI", r"(?<![\w-])\d\d-\d{6}-\d{6}-\d(?![\w-])", 0.8),
        Pattern(
            "vehicle", r"(?<!\w)(?-i:(?=[A-Z\d]{0,8}[A-Z][A-Z\d]{0,8}[A-Z])(?=(?:[A-Z]*\d){4})[A-HJ-NPR-Z\d]{17})(?!\w)", 0.5
        ),
    ]
    base58 = r"(?=[A-Za-z]{0,40}\d)(?-i:(?=\w*[A-HJ-NP-Z]\w*[a-km-z])"
    wallets = [
        Pattern("Ethereum", r"(?<!\w)0x[0-9a-f]{40}(?!\w)", 0.8),
        Pattern("Bitcoin", rf"(?<!\w){base58}[13][a-km-zA-HJ-NP-Z1-9]{{25,34}})(?!\w)", 0.5),
        Pattern("Litecoin, Dogecoin", rf"(?<!\w){base58}[LMD][a-km-zA-HJ-NP-Z1-9]{{26,33}})(?!\w)", 0.5),
        Pattern("of letters and digits", r"(?<!\w)(?:bc|ltc)1[02-9ac-hj-np-z]{25,62}(?!\w)", 0.8),
    ]
    place = [
        Pattern("of two numbers", r"(?<![\w.,])\[?-?\d{1,3}\.\d{3,15}°?,\s?-?\d{1,3}\.\d{3,15}°?\]?(?![\w,])", 0.6),
        Pattern("of degrees", r"(?<!\w)\d{1,3}°\s?\d{1,2}['′](?:\s?\d{1,2}(?:\.\d+)?[\"″])?\s?[NSEW](?!\w)", 0.7),  # noqa: RUF001  # the signs
        Pattern("of one number", r"\b(?:lat|lon|lng|long)(?:itude)?\b\s*[:=]?\s*\K-?\d{1,3}\.\d{3,15}(?!\w)", 0.6),
    ]
    agent = [
        Pattern(
            "browser", r"\b(?:Mozilla|Opera)/\d{1,2}\.\d{1,3} \([^()\n]{4,200}\)(?: [\w.]+/[\w.+]+| \([^()\n]{4,100}\)){0,8}", 0.9
        )
    ]
    kinds: dict[str, tuple[str, list[Pattern]]] = {
        "ID_NUMBER": ("DocumentNumberRecognizer", announced),
        "LICENSE_PLATE": ("PlateRecognizer", [Pattern("announced", _PLATE, 0.65)]),
        "PIN": ("SpokenPinRecognizer", pins),
        "DEVICE_ID": ("DeviceRecognizer", devices),
        "CRYPTO": ("WalletRecognizer", wallets),
        "COORDINATES": ("CoordinatesRecognizer", place),
        "USER_AGENT": ("UserAgentRecognizer", agent),
    }
    dni = Pattern("DNI, NIE", r"(?<!\w)[XYZ\d]\d{7}-?[A-Z](?!\w)", 0.3)
    nir = Pattern("NIR", r"(?<!\w)[12] ?\d\d ?[01]\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d(?!\w)", 0.3)
    return [
        *(_DocumentRecognizer(kind, name, language, patterns) for kind, (name, patterns) in kinds.items()),
        _CheckedRecognizer("ID_NUMBER", "SpanishIdRecognizer", language, [dni], _dni),
        _CheckedRecognizer("ID_NUMBER", "FrenchSocialSecurityRecognizer", language, [nir], _nir),
    ]


def _may_hold_wallet(seen: SeenText) -> bool:
    return _LONG_WORD.search(seen.text) is not None


def _may_hold_sign(seen: SeenText) -> bool:
    return not seen.text.isascii()


class _DocumentRecognizer(PatternRecognizer):
    """Patterns that are tried where they may match at all."""

    conditions: ClassVar[Mapping[str, Condition]] = {
        **dict.fromkeys(("Ethereum", "Bitcoin", "Litecoin, Dogecoin"), _may_hold_wallet),
        **dict.fromkeys(("numbered", "of degrees"), _may_hold_sign),
    }


class _CheckedRecognizer(PatternRecognizer):
    """A form whose last signs follow from the others."""

    def __init__(
        self, entity_type: str, name: str, language: str, patterns: list[Pattern], is_valid: Callable[[str], bool]
    ) -> None:
        super().__init__(entity_type, name, language, patterns)
        self._is_valid = is_valid

    def validate_result(self, pattern_text: str) -> bool | None:
        """Whether the check is right."""
        return self._is_valid("".join(filter(str.isalnum, pattern_text.upper())))


def _dni(code: str) -> bool:
    """Spain's letter, by the remainder modulo 23 (Real Decreto 1553/2005); of a foreigner's number X, Y, Z are 0, 1, 2."""
    return code[-1] == "TRWAGMYFPDXBNJZSQVHLCKE"[int(code[:-1].translate(str.maketrans("XYZ", "012"))) % 23]


def _nir(code: str) -> bool:
    """France's key, 97 less the remainder modulo 97 (INSEE); of Corsica 2A and 2B are 19 and 18."""
    return int(code[-2:]) == 97 - int(code[:-2].replace("2A", "19").replace("2B", "18")) % 97
