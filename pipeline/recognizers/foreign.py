"""Which finds of an English names model to believe in a text of another language.

The packaged model learnt from English texts; in German, Spanish or French it takes everyday words for names, and masking
them all would leave nothing to train on. A text whose function words are more often foreign than English is therefore read
with more care: of a find, only those words stay that the language itself marks as a name.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from pipeline.replacing.atoms import normal_word
from pipeline.replacing.name_lists import family_names, given_names
from pipeline.spans import Span


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


ENGLISH: Final = _set(
    "the a an and or but of to for with from by at is are was were be been am i you he she it we they my your his her our"
    " their this that these those not have has had do does did can could will would should may if when where what who why how"
    " there here please thanks thank hello hi hey yes no on in as so me us up out about just get got need want order it's i'm"
)

GERMAN: Final = _set(
    "ich du er wir ihr mich mir dich dir uns euch sie ihnen ihre ihren ihrem ihrer mein meine meinen meinem meiner dein deine"
    " unser unsere der das dem den des ein eine einen einem einer eines ist sind bin seid waren wurde wurden wird werden hat"
    " habe haben hatte hatten kann können könnte muss müssen soll sollte möchte will darf nicht kein keine keinen und oder aber"
    " denn weil dass daß wenn ob als wie wo wer wann warum wieso welche welcher welches mit ohne für von vom zu zum zur bei beim"
    " nach aus auf über unter vor seit bis durch gegen um im am noch schon auch nur sehr mehr jetzt hier dort da doch mal bitte"
    " danke vielen dank hallo guten tag morgen abend moin servus grüße gruß freundlichen freundliche liebe lieber beste viele"
    " ja nein gern gerne leider worum geht es alles sich man mehr etwas nichts"
)

ROMANCE: Final = _set(
    "yo tú usted ustedes nosotros ellos ella él mi mis tu tus su sus nuestro nuestra el los las un una unos unas del al es son"
    " soy eres somos está están estoy estaba fue era ser estar ha he han hay tiene tengo puede puedo quiero quiere necesito y o"
    " pero porque que qué quién cuál cuándo dónde cómo cuánto si sí no con sin para por desde hasta entre sobre muy más menos"
    " también ya todavía ahora aquí allí este esta esto ese esa eso lo le les se nos gracias hola buenos buenas días tardes"
    " noches favor saludos cordiales adiós tal je tu il elle nous vous ils elles mon ma mes ton ta tes son sa ses notre nos"
    " votre vos leur leurs le les une des du au aux ce cet cette ces est sont suis es sommes êtes était été être ai as avons"
    " avez ont peux peut pouvez voudrais veux et ou mais donc car parce que quand où comment pourquoi qui quoi quel quelle avec"
    " sans pour par dans sur sous chez vers très plus moins aussi déjà encore maintenant ici là pas ne jamais rien tout tous"
    " bonjour bonsoir salut merci beaucoup cordialement bonne journée oui non svp il lo gli una uno di che con per sono è ciao"
    " grazie prego buongiorno não você obrigado obrigada olá bom dia"
)

_AMBIGUOUS: Final = _set(
    "a an am no in as so me us on he do has will his son as des es son ha ma mon ton tag dank fue era ser du le"
)
"""Words of two of the languages, or parts of names: they decide nothing."""

_INTRODUCES: Final = _set(
    "hallo lieber liebe herr frau herrn heiße heisse name bin grüße gruß danke hola señor señora sr sra don doña llamo nombre"
    " soy saludos gracias bonjour bonsoir monsieur madame mme mlle m appelle nom suis cordialement merci salut agente agent"
    " ciao servus moin steht lautet heißt"
)
"""What stands before a name."""

_ARTICLES: Final = _set(
    "der die das den dem des ein eine einen einem einer mein meine meinen meinem meiner kein keine ihre zum zur im am"
)
"""Before a German noun; before a name only where people speak, not where they write."""

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")  # noqa: RUF001  # the apostrophe people type
_SENTENCE_START: Final = re.compile(r"(?:\A|[.!?¡¿:\n])[\s\"'“«(]*\Z")
SHORT_LINE: Final = 4
"""Words of a line that may be nothing but a name or a place: a signature, an answer; so may the last of a longer one."""

MIN_LETTERS: Final = 3


def is_foreign(text: str) -> bool:
    """Whether more of its function words are German, Spanish or French than English.

    >>> is_foreign("Wo bleibt meine Bestellung?"), is_foreign("Where is my order, Maria de la Cruz?")
    (True, False)
    """
    words = [word.casefold() for word in _WORD.findall(text)]
    told = [word for word in words if word not in _AMBIGUOUS]
    return sum(word in GERMAN or word in ROMANCE for word in told) > sum(word in ENGLISH for word in words)


def believable(text: str, spans: Sequence[Span]) -> list[Span]:
    """The words of these finds that are names in that language, side by side as one find; addresses with a number whole."""
    german = sum(word.casefold() in GERMAN for word in _WORD.findall(text))
    romance = sum(word.casefold() in ROMANCE for word in _WORD.findall(text))
    return [kept for span in spans for kept in _kept(text, span, nouns_are_capital=german >= romance)]


def _kept(text: str, span: Span, *, nouns_are_capital: bool) -> Iterator[Span]:
    if span.entity_type == "STREET_ADDRESS" and any(map(str.isdecimal, text[span.start : span.end])):
        yield span
        return
    words = list(_WORD.finditer(text, span.start, span.end))
    wanted = [_is_name(text, word, nouns_are_capital=nouns_are_capital) for word in words]
    beside = [text[one.end() : other.start()] == " " for one, other in pairwise(words)]
    for order, step in ((range(1, len(words)), -1), (range(len(words) - 2, -1, -1), 1)):
        for at in order:
            if wanted[at + step] and beside[min(at, at + step)]:
                alike = words[at].group()[0].isupper() or (step < 0 and words[at + step].group()[0].islower())
                wanted[at] = wanted[at] or (alike and not _says_nothing(words[at]))
    start = None
    for at, word in enumerate(words):
        if wanted[at] and start is None:
            start = word.start()
        if start is not None and (at + 1 == len(words) or not (wanted[at + 1] and beside[at])):
            yield span._replace(start=start, end=word.end())
            start = None


def _is_name(text: str, match: re.Match[str], *, nouns_are_capital: bool) -> bool:
    word = match.group()
    if _says_nothing(match):
        return False
    before = _WORD.findall(text[max(0, match.start() - 40) : match.start()])
    told = [each.casefold() for each in before[-2:]]
    is_listed = (plain := normal_word(word)) in given_names() or plain in family_names()
    if _is_introduced(told):
        return word[0].isupper() or is_listed or told[-1] in {"heiße", "heisse", "llamo", "appelle", "herr", "frau"}
    says_who = is_listed and told in (["bin", "der"], ["bin", "die"])
    if says_who or not word[0].isupper() or (nouns_are_capital and before and before[-1].casefold() in _ARTICLES):
        return says_who
    if is_listed:
        return True
    line_end = text.find("\n", match.end())
    line = text[: line_end if line_end >= 0 else len(text)].rstrip()
    start = max(line.rfind(sign, 0, match.start()) for sign in ".!?\n")
    last = _WORD.findall(line[start + 1 :])
    if len(last) <= SHORT_LINE and line[-1] not in "!?" and not any(each.casefold() in GERMAN | ROMANCE for each in last):
        return True
    return not nouns_are_capital and not _SENTENCE_START.search(text[: match.start()])


def _is_introduced(told: Sequence[str]) -> bool:
    """Whether the two words before a word, in lower case, say that a name comes."""
    return bool(told) and (told[-1] in _INTRODUCES or told == ["hier", "ist"])


def _says_nothing(match: re.Match[str]) -> bool:
    word = match.group().casefold()
    return len(word) < MIN_LETTERS or word in GERMAN or word in ROMANCE or word in ENGLISH or word in _ARTICLES
