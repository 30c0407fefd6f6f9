r"""E-mail addresses, card numbers and handles as people type them when they avoid, space out or spell the signs.

Markdown writes `kite_runner` as `kite\_runner` (CommonMark 0.31, section 2.4).
"""

import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer
from presidio_analyzer.predefined_recognizers.generic.iban_patterns import regex_per_country

from pipeline.analysis.seen_text import Condition, SeenText
from pipeline.spelled_mail import AT, AT_WORD, DOT, DOT_WORD, JOINT

_TOP: Final = r"(?:com|net|org|edu|gov|co|uk|de|fr|es|it|nl|ca|au|io|me|info|biz|us|eu|in|ch|at|se|pl)"
_PART: Final = r"[\w+%-]{1,40}"
_NOBODY: Final = (
    r"(?!(?:in|on|up|out|off|us|it|them|him|her|this|that|here|there|now|online|only|back|am|is|are|was|were|be|been|not|and|or|more"
    r"|also|see|look|looked|looking|find|found|bought|ordered|paid|shop|shopped|register|registered|available|visit|located"
    r"|meet|met|starts?|arrives?|leaves?|opens?|closes?|eat|stop|stay|lunch|dinner)\s+at\s"
    r"|[^\s@]+\s+at\s+(?:some|any|this|that|which|noon|midnight|night|home|work|once|least|most|all|first|last|best|times|dawn|lunch|dinner|school)\b)"
)
"""Nobody's mailbox, but where something is: "log in at example.com"."""
_LOCAL: Final = rf"{_NOBODY}{_PART}(?:{JOINT}{_PART}){{0,4}}"
_SIGN: Final = (
    r"(?:[a-z]|\d+|zero|oh|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|[a-z]{3,5}teen|[a-z]{3,5}ty|double)"
)
_DOMAIN: Final = rf"{_PART}(?:(?:{DOT}{_PART}){{0,3}}{DOT}|\s{_PART}\s+{DOT_WORD}\s+){_TOP}\b"
"""Also of two words, where its dot is one: "hot mail dot com"."""

_SPELLED_AT: Final = re.compile(rf"[@＠]|\b{AT_WORD}\b", re.IGNORECASE)  # noqa: RUF001  # full-width sign
_SPELLED_TOP: Final = re.compile(rf"(?:[.．]|{DOT_WORD})[\s\])}}>]*{_TOP}\b", re.IGNORECASE)  # noqa: RUF001  # full-width sign


_CALLED: Final = (
    r"user ?name|user ?id|login(?: name| id)?|screen ?name|gamer ?tag|handle|benutzername|nutzername|identifiant"
    r"|(?:nombre de )?usuario|nome utente|gebruikersnaam"
    r"|(?:skype|discord|telegram|twitter|instagram|insta|ig|github|twitch|steam)(?: (?:id|name|handle|user|account))?"
)
"""What one's name for computers is called."""

_IS_CALLED: Final = r"\s*(?:(?:is|was|ist|est|es|è|:|=)\s*)+"
_HANDLE: Final = (
    r"(?!(?:not|my|the|a|an|on|in|wrong|correct|and|is|it|no|still|also|so|down|broken|required|invalid|missing|locked|blocked|banned"
    r"|hacked|disabled|gone|empty|taken|incorrect|unknown|needed|working|back|case|too|very|just|now|already|available)\b)"
    r"[A-Za-z][\w.-]{2,39}(?<![.])(?!\w)"
)

"""Such a name, and none of the words that say something of it."""

_CALL_ME: Final = (
    r"(?:\b(?:call|ring|txt|text|dial|phone|whatsapp)(?:\s(?:me|us|him|her|back|plz|pls|please|now|on|at|later)){0,3}:?\s+"
    r"|(?:ruf\w{0,3}|telefon\w{0,6}|\btel|mobil\w{0,4}|handy\w{0,7}|erreich\w{0,4})\b[^\d\n]{0,40}?)"
)
"""Before a number that need not exist: a mistyped one is nearly somebody's."""

_PRONOUNS: Final = "he|she|they|you|who|someone|somebody|nobody|everyone|the|agent|customer|support|admin|user|this|that|and|but"
_NUMBERED: Final = (
    "ticket|order|case|bug|issue|pull|invoice|ref|number|post|item|part|room|unit|suite|flat|apt|build|task|comment|version"
)


def recognizers(language: str, _countries: Sequence[str]) -> list[EntityRecognizer]:
    """Spelled and spaced e-mail addresses, non-ASCII ones, spaced card numbers, card tails, user names, any web address."""
    email = [
        Pattern("spelled", rf"\b(?:{_SIGN}\s+){{0,12}}{_LOCAL}(?:\s+{_SIGN}){{0,8}}{AT}{_DOMAIN}", 0.8),
        Pattern(
            "spelled after its name",
            rf"\b(?:e-?mail|mail|correo|adresse?|address)\b(?:\s*(?:is|ist|es|est|it'?s|:))*\s+\K(?:{_PART}\s+){{1,4}}{_LOCAL}{AT}{_DOMAIN}",
            0.8,
        ),
        Pattern("any script", r"(?<![\w.+-])(?:[\w.+%-]|\\_){1,64}[@＠][^\W_](?:[\w-]{0,62}[.．])+[^\W\d_]{2,24}\b", 0.85),  # noqa: RUF001
    ]
    iban = [Pattern("any case", r"(?<!\w)[A-Z]{2}[ ]?\d[ ]?\d(?:[ -]?[A-Z0-9]){11,30}(?!\w)", 0.3)]
    mistyped_iban = [Pattern("form", r"(?<!\w)[A-Z]{2}\d{2}(?:[ ]?[A-Z\d]{4}){2,7}(?:[ ]?[A-Z\d]{1,3})?(?!\w)", 1.0)]
    handle = [
        Pattern("handle", r"(?<![\w@./])@[A-Za-z_](?:\w|\\_){2,29}\b(?!\.\w)", 0.6),
        Pattern("announced", rf"\b(?:{_CALLED}){_IS_CALLED}[\"'@]{{0,2}}\K(?=[\w.-]*(?:[\d_.-]\w|(?-i:[A-Z]))){_HANDLE}", 0.6),
        Pattern("after a colon", rf"\b(?:{_CALLED})\s*[:=]\s*[\"'@]{{0,2}}\K{_HANDLE}", 0.6),
        Pattern(
            "one's own",
            rf"\b(?:my|mein|mon|mi|mijn|meine) (?:{_CALLED}){_IS_CALLED}[\"'@]{{0,2}}\K{_HANDLE}"
            r"(?=\s*(?:[.,!?;\"']|\Z|\n|and\b|but\b))",
            0.6,
        ),
    ]
    handle += [
        Pattern(
            "beside its service",
            r"\b(?:insta(?:gram)?|ig|snap(?:chat)?|discord|telegram|tiktok|twitch|psn|steam(?: id)?|gamer ?tag|skype)\s+"
            r"\K(?!v\d)(?=[\w.]*[A-Za-z\d][\d_.][A-Za-z\d_])[A-Za-z_][\w.]{3,39}(?<![.])(?!\w)",
            0.6,
        ),
        Pattern(
            "assigned",
            r"(?<![A-Za-z])[\"']?(?:[A-Za-z]{1,20}_)?(?:user|username|user_name|login)[\"']?\s{0,3}(?:[:=]\s{0,3}[\"']?|\s[\"'])\K"
            r"(?!(?:is|was|not|the|a|an|null|none|true|false)\b)[A-Za-z][\w.@+-]{2,63}(?=[\"',;\s]|\Z)",
            0.5,
        ),
        Pattern(
            "in a path",
            r"(?:/home/|(?-i:/Users/)|\b[A-Za-z]:[\\/](?:Users|Documents and Settings)[\\/])"
            r"\K(?!(?:Shared|Public|Default|user|runner|www)\b)"
            r"[\w.-]{2,40}(?: (?-i:[A-Z])[\w-]{1,20})?(?=[\\/]|\s|\Z)",
            0.7,
        ),
        Pattern(
            "of whose page it is",
            r"(?<![\w.:/])/(?:u|users?|members?|profiles?|people)/\K"
            r"(?!(?:all|create|edit|id|index|list|login|logout|me|new|search|self|settings|sign_?in|sign_?up)\b)"
            r"(?=[\w.%+-]{0,40}[A-Za-z])(?:[\w.%+-]|\\_){2,40}?(?=(?:\.\d{1,9})?(?:[/?#\s)\]\"'>,;]|\.?(?:\s|\Z)))",
            0.6,
        ),
        Pattern("of a shell", r"(?<![\w@.:/-])[a-z][\w.-]{1,31}(?=@[\w-]{1,40}:[~/][\w./-]{0,80}[$#])", 0.7),
        Pattern("of ssh", r"\bssh\b(?: -\w(?: \d{1,5})?){0,4} \K[a-z][\w.-]{1,31}(?=@[\w.-]{3,60})", 0.7),
        Pattern(
            "nick of a chat",
            r"(?m:^)[ \t]{0,3}(?:\[?\d\d?:\d\d(?::\d\d)?\]?\s)?<[@+~&%]?\K(?!/|(?:div|html|body|table|pre|code|span|img)\b)"
            r"[\w\[\]|^{}-]{2,30}(?=>\s)",
            0.6,
        ),
        Pattern("XML", r"<(?:user|username|login)>\K[^<>\s]{3,64}(?=</)", 0.6),
    ]
    handle += [
        Pattern("who is quoted", r"\boriginally posted by\b:?[ \t]*\K[^\s:][^\n:]{1,30}?(?=[ \t]*(?::|\n|\Z|view post))", 0.6),
        Pattern("quoted in brackets", r"\[quote(?:=|\sname=)[\"']?\K[^\]\[\"',;\n]{2,40}", 0.6),
        Pattern("quote from", r"(?m:^)[> \t]{0,4}quote from:?\s\K[^\s:][^\n:]{1,30}?(?= on |[ \t]*(?:\n|\Z))", 0.6),
        Pattern(
            "by whom",
            r"\b(?:posted|edited|modified|submitted|started) by:?\s\K(?-i:(?=[\w.-]{0,30}[A-Z\d_])(?!(?:The|A|An|My|I|DHL)\b)"
            r"[\w.-]{3,30}(?<![.])(?: [A-Z][\w-]{1,20}){0,2})",
            0.6,
        ),
        Pattern(
            "who wrote",
            rf"(?m:^)[> \t]{{0,4}}\K(?!(?:{_PRONOUNS})\b)[\w.-]{{3,30}}"
            r"(?= (?:wrote|said|schrieb|escribió|a écrit|ha scritto)\s?:[ \t]*(?:\n|\Z))",
            0.6,
        ),
        Pattern(
            "who does something",
            r"(?<![\w@./:-])(?=\w{0,24}_)(?=_{0,3}\w{0,24}[a-z])[A-Za-z]\w{3,29}"
            r"(?= (?:just )?(?:banned|blocked|muted|kicked|reported|scammed|trolled|followed|unfollowed|added|messaged|told"
            r"|said|says|wrote|posted) (?:me|us|it|that|him|her|them|my)\b)",
            0.6,
        ),
        Pattern("of Reddit", r"(?<![\w/.])/?u/\K[\w-]{3,20}(?![\w/]|\.\w)", 0.6),
        Pattern("of Discord", rf"(?<![\w#.])(?!(?:{_NUMBERED})#)[a-z_][\w.]{{2,31}}#\d{{4}}(?!\d)", 0.5),
        Pattern("of Skype", r"\blive:\K[\w.]{3,40}(?<![.])", 0.7),
    ]
    card = [Pattern("spaced", r"(?<![\w.,])(?:\d[ .·-]{1,2}){12,18}\d(?![\w])", 0.3)]  # a dot people type
    phone = [
        Pattern(
            "announced",
            r"\b(?:phone|tel|telephone|mobile|cell|fax|pager|desk|landline|call(?: me)?"
            r"|text me|reach me|ring me|whatsapp|telefon|handy"
            r"|m[oó]vil|t[eé]l[eé]phone|portable|contact|registered|callback)\b[.:#]?\s*(?:(?:numbers?|no|nr|is|at|on|me|back|under|it's|:)"
            r"[.:]?\s*){0,4}\K[+(]?\d(?:[ ().\-/]{0,3}\d){6,14}(?!\w)(?:\s?(?:x|ext\.?)\s?\d{1,6})?",
            0.6,
        ),
        Pattern(
            "called at",
            r"\b(?:call|reach|answer|contact|text|ring|phone|dial)(?:s|ed|ing)?\b(?: [a-z]{1,12}){0,3} (?:at|on) "
            r"\K[+(]?\d(?:[ ().\-/]{0,3}\d){6,14}(?!\w)",
            0.6,
        ),
        Pattern("to be called", rf"{_CALL_ME}\K0\d{{2,4}}[ /-]?\d{{5,9}}(?![\w/-])", 0.65),
        Pattern(
            "of a signature", r"(?m:^)[ \t>]{0,4}[TMF][.:][ \t]{0,4}\K[+(]?\d(?:[ ().\-/]{0,3}\d){6,14}(?=[ \t]*(?:\n|\Z))", 0.6
        ),
        Pattern(
            "foreign", r"(?<!\w)\+[1-9]\d{0,2}(?:[ .-]?\(0\))?(?:[ ().-]{0,2}\d){6,13}(?!\d)(?:\s?(?:x|ext\.?)\s?\d{1,6})?", 0.6
        ),
        Pattern("of seven digits in brackets", r"\(\K\d{3}-\d{4}(?=\))", 0.5),
        Pattern("of seven digits in a line", r"(?m:^)\d{3}-\d{4}(?=[ \t]*(?:\n|\Z))", 0.5),
        Pattern("area in brackets", r"(?<!\w)\(0?\d{2,4}\)\s?\d{3,4}[ .-]?\d{3,4}(?!\w)", 0.6),
        Pattern("extension", r"(?<![\w.])\+?\d(?:[ ().-]{0,2}\d){8,13}\s?(?:x|ext\.?)\s?\d{1,6}(?!\w)", 0.6),
    ]
    url = [Pattern("any top-level domain", r"\b(?:https?://|www\.)[^\s<>\"'\])}]{4,2000}(?<![.,;:!?])", 0.6)]
    return [
        PatternRecognizer("PHONE_NUMBER", "AnnouncedPhoneRecognizer", language, phone),
        PatternRecognizer("URL", "WebAddressRecognizer", language, url),
        SpelledEmailRecognizer("EMAIL_ADDRESS", "SpelledEmailRecognizer", language, email),
        PatternRecognizer("USER_NAME", "UserNameRecognizer", language, handle),
        AnyIbanRecognizer("IBAN_CODE", "AnyIbanRecognizer", language, iban),
        MistypedIbanRecognizer("IBAN_CODE", "MistypedIbanRecognizer", language, mistyped_iban),
        SpacedCardRecognizer("CREDIT_CARD", "SpacedCardRecognizer", language, card),
        PatternRecognizer(
            "CREDIT_CARD",
            "CardTailRecognizer",
            language,
            [
                Pattern("tail", r"\b(?:ending|ends|ended|endet)\s+(?:in|with|on|auf|by)?\s*(?:[x*•.#-]{1,16}\s*)?\K\d{4}\b", 0.7),
                Pattern(
                    "last four",
                    r"\blast\s+(?:4|four)(?:\s+(?:digits|numbers|of [a-z ]{0,20}))?\s*(?:are|is|being|:|=|-)*\s*\K\d{4}\b",
                    0.7,
                ),
                Pattern("masked", r"(?<!\w)(?:[x*•#]{4}[ -]?){1,3}\K\d{3,4}\b", 0.75),
            ],
        ),
    ]


def _may_be_spelled(seen: SeenText) -> bool:
    return _SPELLED_AT.search(seen.text) is not None and _SPELLED_TOP.search(seen.text) is not None


class SpelledEmailRecognizer(PatternRecognizer):
    """E-mail addresses in unusual spelling; the patterns are slow, so each has a condition."""

    conditions: ClassVar[Mapping[str, Condition]] = {
        "spelled": _may_be_spelled,
        "spelled after its name": _may_be_spelled,
        "any script": lambda seen: "@" in seen.text or "＠" in seen.text,  # noqa: RUF001  # full-width sign
    }


class AnyIbanRecognizer(PatternRecognizer):
    """Account numbers in lower case or with blanks anywhere that pass their check."""

    def validate_result(self, pattern_text: str) -> bool | None:
        """The check of ISO 13616: remainder 1 modulo 97; every country has eight digits or more."""
        if sum(map(str.isdecimal, pattern_text)) < 8:  # noqa: PLR2004  # prose meets the check once in 97 times
            return False
        code = "".join(sign for sign in pattern_text.upper() if sign.isalnum())
        return code.isascii() and int("".join(str(int(sign, 36)) for sign in code[4:] + code[:4])) % 97 == 1


class MistypedIbanRecognizer(PatternRecognizer):
    """Account numbers of a country's form whose check digits do not add up: who mistypes one names an account all the same."""

    def validate_result(self, pattern_text: str) -> bool | None:
        """The form in the registry of ISO 13616 that Presidio keeps; its patterns know where the blanks stand."""
        form = regex_per_country.get(pattern_text[:2])
        return None if form and re.fullmatch(form, pattern_text) else False


class SpacedCardRecognizer(PatternRecognizer):
    """Digits one by one that pass the card check."""

    def validate_result(self, pattern_text: str) -> bool | None:
        """The check of ISO/IEC 7812-1."""
        digits = [int(sign) for sign in pattern_text if sign.isdecimal()]
        doubled = [digit * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
        return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0  # noqa: PLR2004  # two digits
